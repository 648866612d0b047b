"""The canonical form of what was decided and of what was agreed, and its SHA-256: a difference is seen, no word is.

A reviewed plan is kept as fingerprints. Whoever carries it out decides anew and compares; so nothing that a ticket
says has to stand in the file, and nothing that stands in the file is ever written to a ticket.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from bridge.markup import Document, to_json
from bridge.sync.agreement import Agreement
from bridge.sync.holding import Hold
from bridge.sync.plan import Action, Plan, SetStatus
from bridge.sync.roles import Mode, Pilot
from bridge.sync.ticket import Ticket

SHORT = 16
"""Hex digits of a fingerprint that only explains a difference, and decides nothing."""


def fingerprint(value: object) -> str:
    """The SHA-256 of a value's canonical form, in hex; the same in every process.

    Raises:
        TypeError: the value holds something that has no canonical form.
    """
    text = json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def plan_print(plan: Plan, sequel: Plan | None = None) -> str:
    """The fingerprint of everything that a plan writes and holds, and of what follows from it.

    What a plan finds, and what it records without any write, is no part of it.
    """
    plans = (plan,) if sequel is None else (plan, sequel)
    return fingerprint([(one.actions, [_core(hold) for hold in one.holds]) for one in plans])


def is_rest(plan: Plan, reviewed: Plan) -> bool:
    """Whether a plan writes and holds nothing but what another one did: it is what is left of that one."""
    actions = {_deed(action) for action in reviewed.actions}
    holds = {fingerprint(_core(hold)) for hold in reviewed.holds}
    return all(_deed(action) in actions for action in plan.actions) and all(
        fingerprint(_core(hold)) in holds for hold in plan.holds
    )


def terms_print(agreement: Agreement, *sites: str) -> str:
    """The fingerprint of what was agreed, and between which sites; its mode only says who may carry it out.

    Raises:
        TypeError: it holds something that has no canonical form.
    """
    return fingerprint((replace(agreement, mode=Mode.LIVE, pilot=Pilot()), sites))


def ticket_prints(agreement: Agreement, ticket: Ticket) -> dict[str, str]:
    """A short fingerprint of each part of a ticket that matters under an agreement, by what people call the part."""
    parts: dict[str, object] = {
        rule.name: ticket.fields[rule.name] for rule in agreement.fields if rule.name in ticket.fields
    }
    parts |= {
        "comments": ticket.comments,
        "files": ticket.attachments,
        "relations": (ticket.parent, ticket.relations),
        "time spent": ticket.worklogs,
        "place": (ticket.project, ticket.private, ticket.archived),
    }
    return {name: fingerprint(part)[:SHORT] for name, part in parts.items()}


def _deed(action: Action) -> str:
    """The fingerprint of what an action does; a walk through the workflow is the same from wherever it has come to."""
    if isinstance(action, SetStatus):
        return fingerprint((action.side, action.goal, action.settles))
    return fingerprint(action)


def _core(hold: Hold) -> tuple[object, ...]:
    """What a hold is about. When it was first seen differs from look to look where no history says it."""
    return (hold.field, hold.side, hold.kind, hold.state, hold.before, hold.value, hold.other)


def _canonical(value: object) -> Any:
    """A value as JSON, tagged wherever two kinds of values could look alike."""
    match value:
        case Enum():
            return _canonical(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Document():
            return {"doc": to_json(value)}
        case frozenset() | set():
            return {"set": sorted((_canonical(one) for one in value), key=json.dumps)}
        case Mapping():
            pairs = [[_canonical(key), _canonical(one)] for key, one in value.items()]
            return {"map": sorted(pairs, key=json.dumps)}
        case list() | tuple():
            return [_canonical(one) for one in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            # What two equal values may differ in (how a person is called) is no part of what they are.
            shown = {one.name: _canonical(getattr(value, one.name)) for one in fields(value) if one.compare}
            return {"is": type(value).__name__, **shown}
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
