"""Tickets that cannot be seen any more: deleted, or only out of our sight?

No answer of a tracker alone says that a ticket was deleted: a lost right, a restored backup and a bad proxy look the
same (404, 410, 403). So a ticket counts as deleted only after two looks with time between them, both missing it while
the tracker otherwise answers well: it knows who we are, and it shows us another ticket of the same agreement or, where
there is none, the project. The first look is remembered in the store, so that a restart changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.clock import SECOND
from bridge.daemon.run import Run
from bridge.errors import Gone, Refused
from bridge.store.database import Tx
from bridge.sync.ticket import Side
from bridge.trackers.protocol import TellsHidden

APART = 1_800
"""Seconds between the two looks at least: most mishaps with rights are noticed and mended sooner."""

APART_WHEN_TOLD = 60
"""The same, where the tracker is said to have spoken of a delete; that alone is not believed."""

HEARSAY = 3_600
"""Seconds for which such a word counts."""

STALE = 7_200
"""Seconds without any look after which the first one counts no more; while a ticket is missing we look every hour."""

DOUBT = 60
"""Seconds for which a tracker that does not answer well is not asked again: its missing tickets may be thousands."""

WITNESSES = 5
"""Other tickets that are asked for; several, because a neighbour may have been deleted too."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is made of a ticket that cannot be seen.

    Attributes:
        deleted: it is gone for good.
        again: when to look again at the latest (microseconds); None when the usual back-off will do.
        outside: it had left the agreement's project before: what became of it is not for its peer to know.
        since: when it was first missed (microseconds); tells one disappearance from another.
    """

    deleted: bool
    again: int | None = None
    outside: bool = False
    since: int = 0


def suspect_gone(tx: Tx, link_id: int, side: Side, now: int) -> None:
    """Somebody says that a link's ticket was deleted: if it cannot be seen, less time is needed to believe that.

    The caller wakes the link, and has what polls saw of the ticket forgotten.

    Raises:
        StoreError: our own database failed.
    """
    note = tx.cursors.get_note(_note(link_id, side)) or {}
    tx.cursors.set_note(_note(link_id, side), {**note, "told": now})


def judge(run: Run, side: Side) -> Verdict:
    """Weigh what is known of a ticket that a read by id did not find.

    Raises:
        TrackerError: the tracker cannot be asked now, so nothing can be concluded.
        StoreError: our own database failed.
    """
    now, key = run.house.clock.now(), _note(run.link.id, side)
    with run.house.store.read() as tx:
        note: dict[str, Any] = tx.cursors.get_note(key) or {}
    outside = note.get("outside", False) or any(one["kind"] == "moved-out" for one in run.link.findings)
    if not _means_something(run, side, now):
        with run.house.store.write(durable=False) as tx:
            tx.cursors.drop_note(key)
            if outside:  # that it had left stays true, and what became of it is told to nobody
                tx.cursors.set_note(key, {"outside": True})
        return Verdict(deleted=False)
    first, last = note.get("first"), note.get("last", 0)
    if first is None or now - last > STALE * SECOND:
        first = now
    note = {**note, "first": first, "last": now, "outside": outside}
    with run.house.store.write(durable=False) as tx:
        tx.cursors.set_note(key, note)
    told = now - note.get("told", 0) <= HEARSAY * SECOND
    apart = max(APART_WHEN_TOLD if told else APART, run.settings(side).search_lag)
    ripe = first + int(apart * SECOND)
    if now < ripe:
        return Verdict(deleted=False, again=ripe)
    return Verdict(deleted=True, outside=outside, since=first)


def forget(tx: Tx, link_id: int) -> None:
    """Both tickets were seen, or the link has ended: the next time that one is missing is the first time."""
    for side in Side:
        tx.cursors.drop_note(_note(link_id, side))


def _means_something(run: Run, side: Side, now: int) -> bool:
    """Whether it means anything that this ticket is missing."""
    place = run.agreement.name, side
    if run.house.doubts.get(place, 0) > now:
        return False
    tracker, ticket = run.tracker(side), run.link.ticket(side)
    assert ticket is not None
    if isinstance(tracker, TellsHidden) and tracker.hidden(ticket):
        return False
    if _answers_well(run, side):
        return True
    run.house.doubts[place] = now + DOUBT * SECOND
    return False


def _answers_well(run: Run, side: Side) -> bool:
    """Whether the tracker knows us and shows us other tickets, or where the agreement has no other, the project."""
    tracker = run.tracker(side)
    tracker.whoami()
    with run.house.store.read() as tx:
        others = tx.links.witnesses(run.agreement.name, side, run.link.id, WITNESSES)
    if others:
        return bool(tracker.fetch(others, ()))
    try:
        tracker.metadata(run.scope(side).project)
    except (Gone, Refused):
        return False
    return True


def _note(link_id: int, side: Side) -> str:
    return f"gone/{link_id}/{side.value}"
