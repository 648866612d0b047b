"""Storing holds at the end of a run: the rows, what the journal tells of them, and the letters to who must decide.

All in the transaction that ends the run. A hold that only comes to pass together with a write is stored when that write
was made. Whatever a person decided while the run was under way stays as they decided it: the next look goes by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.daemon.books import Books
from bridge.daemon.run import Run
from bridge.notify.letters import hold_decided, hold_opened, hold_overdue
from bridge.store.database import Tx
from bridge.store.rows import Link
from bridge.sync.base import encode_value
from bridge.sync.holding import Hold, HoldState
from bridge.sync.holdnotes import overdue
from bridge.sync.roles import Role

DECIDED = frozenset({HoldState.APPROVED, HoldState.REJECTED})
"""A person has decided, and it is not carried out yet."""


def to_store(run: Run, books: Books) -> list[Hold]:
    """The holds that have come to pass, as they are to be stored."""
    before = {hold.id: hold for hold in run.holds}
    return [
        hold
        for hold in books.holds.values()
        if (not hold.state.owed or hold.field in books.settled) and before.get(hold.id) != hold
    ]


def keep_holds(tx: Tx, run: Run, books: Books, now: int) -> None:
    """Store the holds, tell of them in the journal, and put letters to their approvers into the outbox."""
    seen = {hold.id: hold for hold in run.holds}
    present = {hold.id: hold for hold in tx.holds.list(run.link.id)} if run.holds or books.holds else {}
    for hold in to_store(run, books):
        before = seen.get(hold.id)
        if before is not None and present.get(hold.id) != before and not hold.state.owed:
            continue  # decided by a person meanwhile: the link is due, and that stands
        stored = tx.holds.put(run.link.id, hold)
        present[stored.id] = stored
        for event in _events(before, stored):
            tx.journal.add(now, run.agreement.name, run.link.id, event, hold_entry(stored))
        _tell(tx, run, before, stored, now)
    for hold in present.values():
        if overdue(run.agreement, hold, now):
            _remind(tx, run, hold, now)


def let_go(tx: Tx, link: Link, now: int) -> None:
    """The link has ended: nobody can decide about its holds any more, and nobody is asked to."""
    for hold in tx.holds.list(link.id):
        if hold.state.live:
            over = tx.holds.put(link.id, replace(hold, state=HoldState.WITHDRAWN, closed_at=now))
            tx.journal.add(now, link.agreement, link.id, "hold.closed", hold_entry(over))


def hold_entry(hold: Hold) -> dict[str, Any]:
    """What the journal keeps of a hold at each step of its life."""
    data: dict[str, Any] = {
        "hold": hold.id,
        "field": hold.field,
        "side": hold.side.value,
        "kind": hold.kind.value,
        "state": hold.state.value,
        "before": encode_value(hold.before),
        "value": encode_value(hold.value),
        "other": encode_value(hold.other),
    }
    if hold.actor is not None:
        data["who"] = encode_value(hold.actor)
    more: Mapping[str, Any] = {
        "event": hold.event,
        "approver": hold.approver,
        "rounds": hold.rounds,
        "by": hold.decided_by,
        "reason": hold.reason,
        "winner": hold.winner.value if hold.winner else "",
    }
    return data | {name: value for name, value in more.items() if value}


def _events(before: Hold | None, hold: Hold) -> list[str]:
    """What has happened to a hold."""
    if before is None or (hold.state is HoldState.OPEN and before.state is not HoldState.OPEN):
        opened = "hold.reverted" if hold.state is HoldState.REVERTED else "hold.opened"
        return [opened]
    if hold.state is HoldState.REVERTED:
        return ["hold.reverted"]
    if not hold.state.live:
        # Nobody decided: time did.
        by_time = hold.state in {HoldState.CROSSED, HoldState.RESTORED} and before.state not in DECIDED
        return (["hold.decided"] if by_time else []) + ["hold.closed"]
    return ["hold.changed"]


def _tell(tx: Tx, run: Run, before: Hold | None, hold: Hold, now: int) -> None:
    """The letter about what has become of a hold, where there is somebody to tell."""
    reader = _reader(run, hold)
    if reader is None:
        return
    urls = run.urls()
    if hold.state is HoldState.OPEN and (before is None or before.state is not HoldState.OPEN):
        again = before.decided_at if before is not None else 0
        tx.outbox.put(hold_opened(run.agreement, run.link, hold, reader, now=now, urls=urls, again=again))
    elif not hold.state.live and before is not None and before.state is not HoldState.REVERTED:
        if not hold.decided_at and hold.state in {HoldState.CROSSED, HoldState.RESTORED}:
            hold = replace(hold, decided_at=now)
        tx.outbox.put(hold_decided(run.agreement, run.link, hold, reader, now=now, urls=urls))


def _remind(tx: Tx, run: Run, hold: Hold, now: int) -> None:
    """Nobody decided in time, and the agreement waits: once more, and no oftener."""
    reader = _reader(run, hold)
    if reader is not None:
        tx.outbox.put(hold_overdue(run.agreement, run.link, hold, reader, now=now, urls=run.urls()))


def _reader(run: Run, hold: Hold) -> Role | None:
    """The role that is told of a hold; None when there is none, or nobody knows where to write."""
    role = run.agreement.role(hold.approver)
    return role if role is not None and role.mail else None
