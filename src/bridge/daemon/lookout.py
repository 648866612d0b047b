"""Is this side still what it was? Watched beside the polls: a side that looks empty, a tracker from its backup.

Ticket by ticket such a side shows ordinary changes and deletes. So one ticket rides along in the polls that must be
there and must not grow younger: the one that changed last, which a restore cannot leave alone. Where it is missing or
went back, or a poll is refused, or a linked ticket cannot be seen, a sample of the side's tickets is read by id, and
``sync/brakes.py`` judges it as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bridge.clock import SECOND
from bridge.daemon.brakes import pull, pulled, sharing
from bridge.daemon.house import House
from bridge.daemon.run import Run
from bridge.errors import TrackerError
from bridge.store.database import Tx
from bridge.store.links import PROVEN
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.base import Base
from bridge.sync.brakes import BEHIND, Cause, Sight, examine
from bridge.sync.plan import Finding
from bridge.sync.ticket import Side, Ticket

log = structlog.get_logger(__name__)

LOOK_EVERY = 300 * SECOND
"""Time after which a watched ticket that the polls do not show is read by id."""

AFTER_ODD, AFTER_REFUSAL, AFTER_GONE = 20 * SECOND, 60 * SECOND, 300 * SECOND
"""Time between two samples, where the cause for suspicion stays: an odd poll, a refused one, a ticket that is gone."""

NEWEST, YOUNGEST, OLDEST = 15, 15, 10
"""How many tickets of a sample changed last, were linked last, were linked first."""

ANOTHER = "another-ticket"
"""Kind of the finding of a link whose ticket is another one by now, under the same id."""


@dataclass(slots=True)
class Glance:
    """What one poll shows of its side as a whole.

    Attributes:
        settled: links that are younger may not be in the tracker's index yet, microseconds.
        canary: id of the ticket that must be there; "" for none.
        shown: the poll's answer held it.
        back: some linked ticket's stamp lay before the one that we have seen.
        first: the side was never polled to the end before: what is found there was made by an earlier database.
        newest: (stamp, id) of the linked ticket that changed last, of those that the poll has shown.
        examined: the side was looked at closely during this poll.
    """

    settled: int = 0
    canary: str = ""
    shown: bool = False
    back: bool = False
    first: bool = False
    newest: tuple[int, str] = (0, "")
    examined: bool = False

    def note(self, ticket: Ticket, link: Link | None, base: Base | None) -> None:
        """Note one ticket of the answer; ``link`` and ``base`` are None where no link knows it."""
        self.shown = self.shown or ticket.id == self.canary
        if link is None or base is None or link.state is LinkState.CLOSED:
            return
        self.back = self.back or ticket.updated < base.seen - BEHIND
        if link.created_at <= self.settled and link.state in PROVEN:
            self.newest = max(self.newest, (ticket.updated, ticket.id))


def canary(house: House, tx: Tx, agreement: str, side: Side, settled: int) -> str:
    """The id of the ticket that rides along in the polls of a side; "" where no ticket is known to be there.

    Args:
        house: the running parts.
        tx: a transaction.
        agreement: the agreement's name.
        side: the side.
        settled: links that are younger are passed over, microseconds.
    """
    watched = house.watched(agreement, side)
    if not watched.canary:
        for link in tx.links.freshest(agreement, side, settled, 1):
            watched.canary = link.ticket(side) or ""
            watched.stamp = tx.bases.get(link.id)[side].seen
    return watched.canary or tx.links.canary(agreement, side, settled) or ""


def while_polling(house: House, agreement: Agreement, side: Side, glance: Glance) -> None:
    """A page of a poll was noted: if a ticket in it went back in time, the side is looked at before anything is woken.

    Raises:
        TrackerError: the tracker cannot be asked now.
        StoreError: our own database failed.
    """
    if glance.back and not glance.examined:
        glance.examined = True
        survey(house, agreement, side, AFTER_ODD)


def after_poll(house: House, agreement: Agreement, side: Side, glance: Glance) -> None:
    """Judge what a poll has shown; the side is looked at closely where something is odd.

    Raises:
        TrackerError: the tracker cannot be asked now.
        StoreError: our own database failed.
    """
    watched, now = house.watched(agreement.name, side), house.clock.now()
    with house.store.read() as tx:
        links = tx.links.by_ticket(agreement.name, side, [glance.canary] if glance.canary else [])
    odd = False
    if glance.shown:
        watched.shows, watched.looked = True, now
    elif links and watched.shows:
        odd = True
    elif links and now - watched.looked >= LOOK_EVERY:
        watched.looked = now
        sights = _sights(house, agreement, side, list(links.values()))
        odd = any(sight.another or sight.back or not sight.there for sight in sights)
    if odd:
        survey(house, agreement, side, AFTER_ODD)
        with house.store.write(durable=False) as tx:  # if it is only that ticket, its link must hear of it
            tx.links.wake([link.id for link in links.values()], now)
    if odd or glance.examined:
        watched.canary = ""  # asked for anew: that one may be gone for good
    elif glance.newest[0] >= watched.stamp:
        watched.stamp, watched.canary = glance.newest


def after_refusal(house: House, agreement: Agreement, side: Side) -> None:
    """A poll was refused, or its project is not there for us: is the side as a whole out of sight?

    Raises:
        StoreError: our own database failed.
    """
    with suppress(TrackerError):  # whoever calls has an error to tell already
        survey(house, agreement, side, AFTER_REFUSAL)


def survey(house: House, agreement: Agreement, side: Side, pause: int = 0) -> None:
    """Read a sample of a side's linked tickets by id, and pull the brake if the side is not what it was.

    Args:
        house: the running parts.
        agreement: the terms.
        side: the side.
        pause: how long the last sample must be past, microseconds.

    Raises:
        TrackerError: the tracker cannot be asked now.
        StoreError: our own database failed.
    """
    watched, now = house.watched(agreement.name, side), house.clock.now()
    if watched.asked and now - watched.asked < pause:
        return
    watched.asked = now
    with house.store.read() as tx:
        if pulled(tx, agreement.name) is not None:
            return
        newest = tx.links.freshest(agreement.name, side, now, NEWEST)
        linked = [link for link in tx.links.list(agreement.name, PROVEN) if link.ticket(side)]
    chosen = {link.id: link for link in (*newest, *linked[-YOUNGEST:], *linked[:OLDEST])}
    suspicion = examine(_sights(house, agreement, side, list(chosen.values())))
    if suspicion is None:
        return
    scope = agreement.scope(side)
    reason = f"{scope.tracker} ({side.value}): {suspicion.words}"
    all_of_them = sharing(house, scope.tracker) if suspicion.cause is Cause.TRACKER else [agreement]
    pull(house, all_of_them, suspicion.cause, reason)


def another(run: Run) -> Finding | None:
    """A finding where a ticket of the link is another one by now, under the same id. Nothing may be written to that.

    Raises:
        StoreError: our own database failed.
    """
    for side in Side:
        view = run.views.get(side)
        if view is None or view.ticket is None or view.ticket.id != run.link.ticket(side):
            continue
        if _sight(run.link, side, run.bases[side], view.ticket).another:
            scope = run.scope(side)
            reason = (
                f"{scope.tracker} ({side.value}): {view.ticket.key} is another ticket than the one that was linked, "
                "under the same id"
            )
            pull(run.house, sharing(run.house, scope.tracker), Cause.TRACKER, reason)
            message = (
                f"the {side} ticket is another one than the one that was linked, under the same id: the tracker was "
                "restored; 'bridge unlink' ends the link"
            )
            return Finding(ANOTHER, side, "", message)
    return None


def before_writing(run: Run) -> None:
    """Look closely at a side of a run that shows something odd: a ticket that is gone, or that went back in time.

    Raises:
        TrackerError: the tracker cannot be asked now.
        StoreError: our own database failed.
    """
    for side in Side:
        view, base = run.views.get(side), run.bases[side]
        if view is None or not view.strong or not view.exists:
            continue
        if view.ticket is None:
            survey(run.house, run.agreement, side, AFTER_GONE)
        elif view.ticket.id == run.link.ticket(side) and view.ticket.updated < base.seen - BEHIND:
            survey(run.house, run.agreement, side)


def _sights(house: House, agreement: Agreement, side: Side, links: Sequence[Link]) -> list[Sight]:
    """What tickets were, and what a read by id shows of them now."""
    if not links:
        return []
    with house.store.read() as tx:
        bases = tx.bases.many([link.id for link in links])
    tickets = {link.id: ticket for link in links if (ticket := link.ticket(side))}
    found = house.terms.trackers[agreement.scope(side).tracker].fetch(list(tickets.values()), ())
    return [
        _sight(link, side, bases[link.id][side], found.get(tickets[link.id]))
        for link in links
        if link.id in tickets
    ]


def _sight(link: Link, side: Side, base: Base, ticket: Ticket | None) -> Sight:
    known = link.ticket(side) or ""
    number = int(known) if known.isdecimal() else 0
    if ticket is None:
        return Sight(link.key(side), number, base.seen, base.born, there=False)
    if ticket.id != known:  # merged into that one: there, and its stamps say nothing
        return Sight(link.key(side), number, 0, 0, there=True)
    return Sight(
        link.key(side),
        number,
        base.seen,
        base.born,
        there=True,
        updated=ticket.updated,
        created=ticket.created,
    )
