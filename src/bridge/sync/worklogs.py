"""What becomes of time spent: which worklogs cross, which copies follow, which are taken back.

A worklog belongs to the side on which a person booked it; its copy on the other side names that person and follows it:
other time or other words, another copy; deleted or made private, copy gone. A copy whose time others change is put
back, for it stands in somebody's name; a copy that others delete stays deleted. Private ones never cross.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bridge.markup import Document, digest, settle
from bridge.sync.agreement import Agreement
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.comments import attributed
from bridge.sync.originals import exposes
from bridge.sync.plan import Action, AddWorklog, DeleteWorklog, EditWorklog, Finding, LinkView
from bridge.sync.ticket import Comment, Side, Ticket, Worklog


@dataclass(slots=True)
class Timekeeping:
    """What has been decided about worklogs: actions in the order of their originals, findings, silent records."""

    actions: list[Action] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    parts: list[PartPair] = field(default_factory=list)


def plan_worklogs(agreement: Agreement, link: LinkView) -> Timekeeping:
    """What would bring the worklogs of both sides into agreement."""
    plan = Timekeeping()
    pairs = [pair for pair in link.parts if pair.kind is PartKind.WORKLOG]
    for origin in Side:
        here, there = link.view(origin).ticket, link.view(origin.other).ticket
        if origin not in agreement.worklogs.cross or here is None or there is None:
            continue
        copies = {pair.copy_id for pair in pairs if pair.origin is origin.other}
        known = {pair.origin_id: pair for pair in pairs if pair.origin is origin}
        for one in here.worklogs:
            pair = known.pop(one.id, None)
            if one.id in copies:
                continue
            if pair is None or pair.state is PairState.ORIGIN_DELETED:
                if not one.private:
                    plan.actions.append(_add(agreement, origin, one, pair))
            elif pair.state is PairState.PAIRED:
                _follow(agreement, plan, one, pair, there)
        if here.worklogs_complete:
            for pair in known.values():
                if pair.state is PairState.PAIRED:
                    _take_back(plan, pair, there, "deleted")
    return plan


def worklog_key(one: Worklog) -> str:
    """A worklog as one side shows it, for the digest of what was dealt with."""
    return shown_key(one.id, one.started, one.seconds, digest(one.body), private=one.private)


def shown_key(worklog: str, started: int, seconds: int, body: str, *, private: bool = False) -> str:
    """The same from its parts; ``body`` is the digest of its text."""
    return f"worklog {worklog} {started // 1000} {seconds} {body} {private}"


def worklog_keys(agreement: Agreement, ticket: Ticket) -> frozenset[str]:
    """Everything that a side shows of its worklogs, where any cross."""
    return frozenset(map(worklog_key, ticket.worklogs)) if agreement.worklogs.cross else frozenset()


def _digest(one: Worklog) -> str:
    """What was carried over of a worklog: when, how long, what was said."""
    return hashlib.sha256(f"{one.started} {one.seconds} {digest(one.body)}".encode()).hexdigest()


def _add(agreement: Agreement, origin: Side, one: Worklog, known: PartPair | None) -> AddWorklog:
    body, shown = _text(agreement, origin, one)
    pair = PartPair(
        id=known.id if known is not None else 0,
        kind=PartKind.WORKLOG,
        origin=origin,
        origin_id=one.id,
        copy_id="",
        digest=_digest(one),
        detail=_time(one),
    )
    return AddWorklog(origin.other, one.started, _seconds(one), body, shown, pair)


def _follow(agreement: Agreement, plan: Timekeeping, one: Worklog, pair: PartPair, there: Ticket) -> None:
    copy = next((each for each in there.worklogs if each.id == pair.copy_id), None)
    to = pair.origin.other
    if one.private:
        _take_back(plan, pair, there, "private")
        return
    if copy is None and there.worklogs_complete:
        plan.parts.append(replace(pair, state=PairState.COPY_DELETED))
        message = f"the copy of a worklog was deleted on the {to} side"
        plan.findings.append(Finding("copy-deleted", to, "", message))
        return
    exposed = copy is not None and exposes(agreement, to, copy.body)
    changed = exposed or _digest(one) != pair.digest
    moved = copy is not None and _time(copy) != pair.detail
    if changed or moved:
        body, shown = _text(agreement, pair.origin, one)
        renewed = replace(pair, digest=_digest(one), detail=_time(one))
        why: Literal["changed", "restored"] = "changed" if changed else "restored"
        plan.actions.append(EditWorklog(to, one.started, _seconds(one), body, shown, renewed, copy, why))


def _take_back(plan: Timekeeping, pair: PartPair, there: Ticket, why: Literal["deleted", "private"]) -> None:
    copy = next((each for each in there.worklogs if each.id == pair.copy_id), None)
    if copy is None and there.worklogs_complete:
        plan.parts.append(replace(pair, state=PairState.ORIGIN_DELETED))
    else:
        plan.actions.append(DeleteWorklog(pair.origin.other, pair, copy, why))


def _time(one: Worklog) -> Mapping[str, int]:
    """When and how long, in what every tracker keeps of it: milliseconds, and whole minutes of at least one."""
    return {"started": one.started // 1000, "minutes": max(1, one.seconds // 60)}


def _seconds(one: Worklog) -> int:
    return _time(one)["minutes"] * 60


def _text(agreement: Agreement, origin: Side, one: Worklog) -> tuple[Document, str]:
    """The copy's text, and the digest of it as the other tracker will show it."""
    terms = replace(agreement, comments=replace(agreement.comments, attribute=agreement.worklogs.attribute))
    said = Comment(one.id, one.author, one.body, one.created, one.created)
    body = attributed(terms, origin, said)
    return body, digest(settle(agreement.scope(origin.other).dialect, body))
