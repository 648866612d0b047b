"""The core with one thing wrong: each of these lets a write through that must not be, and the checker has to see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.daemon import run
from bridge.sync import comments, enforcing, mapping, ownership
from bridge.sync.agreement import Agreement
from bridge.sync.decide import decide
from bridge.sync.holding import HoldState
from bridge.sync.plan import CreateTicket, LinkBack, Plan
from bridge.sync.redaction import Redaction
from bridge.sync.roles import Unentitled
from bridge.sync.ticket import Side

Patch = tuple[Any, str, Any]

APPROVED = HoldState.APPROVED
_timed, _carried_out = enforcing._timed, enforcing._carried_out
_grants, _fit_text, _inherited, _crosses = (
    ownership.grants,
    comments.fit_text,
    comments.inherited,
    comments.may_cross,
)


def _vendor_unbound(rule, side):
    return None if side is Side.VENDOR else _grants(rule, side)


def _open_as_approved(case, hold):
    timed = _timed(case, hold)
    return replace(timed, state=APPROVED) if timed.state is HoldState.OPEN else timed


def _always_approved(case, hold, source):
    return _carried_out(case, replace(hold, state=APPROVED), hold.winner or hold.side)


def _unredacted(agreement, *more, **named):
    return _fit_text(replace(agreement, redaction=Redaction()), *more, **named)


def _any_direction(agreement, side, comment):
    rule = replace(agreement.comments, cross=frozenset(Side))
    return _crosses(replace(agreement, comments=rule), side, comment)


def _all_public(said):
    return tuple(replace(one, private=False) for one in _inherited(said))


def _one_field_more(agreement, link):
    plan = decide(agreement, link)
    actions = [
        replace(one, values={**one.values, "environment": "ours"}) if isinstance(one, CreateTicket) else one
        for one in plan.actions
    ]
    return replace(plan, actions=tuple(actions))


def _does_nothing(agreement, link):
    plan = decide(agreement, link)
    return Plan(tuple(one for one in plan.actions if isinstance(one, CreateTicket | LinkBack)))


MUTANTS: dict[str, Patch] = {
    "everybody may do everything": (enforcing, "entitled", lambda *_: True),
    "the vendor may do everything": (ownership, "grants", _vendor_unbound),
    "a role is everybody": (ownership, "_among", lambda *_: True),
    "what waits counts as approved": (enforcing, "_timed", _open_as_approved),
    "a decision covers any value": (enforcing, "_unmoved", lambda *_: True),
    "what is rejected crosses": (enforcing, "_carried_out", _always_approved),
    "what nobody may is only marked": (Agreement, "unentitled", lambda *_: Unentitled.FLAG),
    "comments cross as they are": (comments, "fit_text", _unredacted),
    "summaries cross as they are": (mapping, "redact_line", lambda _rules, _to, text: text),
    "comments cross in any direction": (comments, "may_cross", _any_direction),
    "private comments cross as public ones": (comments, "inherited", _all_public),
    "any label crosses": (mapping, "_may_cross", lambda *_: True),
    "one field more is written": (run, "decide", _one_field_more),
    "nothing crosses once there are mirrors": (run, "decide", _does_nothing),
}

QUICK = ("everybody may do everything", "private comments cross as public ones")
"""Those that every run of the tests tries; ``make soak`` tries all."""
