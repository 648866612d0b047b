"""The safety net: compare the ids and stamps of everything in view with what is stored.

The polls rest on search indexes and stamps; some changes move no stamp, some indexes lag for hours. The census reads
no content, only who is there and how old: a ticket that no link knows, a stamp newer than the last one dealt with, a
linked ticket that is not in view, each becomes a wake-up or a new link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.clock import SECOND
from bridge.daemon.feed import Feed, Wake
from bridge.daemon.house import House, field_specs
from bridge.daemon.lookout import survey
from bridge.daemon.returning import missed, welcome
from bridge.store.rows import Link, LinkState
from bridge.sync.brakes import BEHIND, VANISHED
from bridge.sync.ticket import Side
from bridge.trackers.protocol import Stamp, Tracker, Watch

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Count:
    """What a census found: tickets in view, links missed by the polls, links whose ticket is out of view."""

    seen: int
    missed: int
    absent: int


def census_due(house: House, feed: Feed) -> bool:
    """Whether it is time again; remembered in the store, or a daemon that is restarted daily would never count.

    The first poll of all reads everything, so the first census is due one interval after it.
    """
    now = house.clock.now()
    with house.store.read() as tx:
        last = tx.cursors.get(feed.agreement, feed.side, "census")
    if last is not None:
        return (now - last) / SECOND >= house.terms.settings.census
    with house.store.write(durable=False) as tx:
        tx.cursors.put(feed.agreement, feed.side, "census", now)
    return False


def take_census(house: House, feed: Feed, wake: Wake) -> Count:
    """Compare one side of one agreement.

    Args:
        house: the running parts.
        feed: the side to count; it makes links of the tickets that none knows.
        wake: where wake-ups go.

    Raises:
        TrackerError: the tracker cannot be asked now.
        StoreError: our own database failed.
    """
    terms, name, side = house.terms, feed.agreement, feed.side
    agreement = terms.agreement(name)
    assert agreement is not None, "a reload stops the census of agreements that are gone"
    scope = agreement.scope(side)
    tracker = terms.trackers[scope.tracker]
    with house.store.read() as tx:
        known = {ticket: link for link in tx.links.list(name) if (ticket := link.ticket(side))}
    links = {ticket: link for ticket, link in known.items() if link.state is not LinkState.CLOSED}
    follow = tuple(links) if scope.select else ()
    stamps: dict[str, Stamp] = {}
    for page in tracker.census(Watch(scope, field_specs(agreement, side), follow)):
        stamps.update({stamp.id: stamp for stamp in page})
    behind = _missed(house, side, tracker, links, stamps)
    absent = [link.id for ticket, link in links.items() if ticket not in stamps]
    if len(absent) >= VANISHED or _went_back(house, side, links, stamps):
        survey(house, agreement, side)
    for ticket in links.keys() - stamps.keys():
        house.sightings.forget(tracker.name, ticket)  # only a read by id tells whether it is still there
    with house.store.write(durable=False) as tx:
        tx.links.wake([*behind, *absent], house.clock.now())
    wake([*behind, *absent])
    _welcome(house, feed, tracker, [known[ticket] for ticket in stamps.keys() & known.keys() - links.keys()])
    new = feed.take(sorted(stamps.keys() - known.keys()))
    with house.store.write(durable=False) as tx:
        tx.cursors.put(name, side, "census", house.clock.now())
    log.info(
        "census_taken",
        agreement=name,
        side=side.value,
        seen=len(stamps),
        missed=len(behind),
        absent=len(absent),
        new=new,
    )
    return Count(len(stamps), len(behind) + new, len(absent))


def _went_back(house: House, side: Side, links: Mapping[str, Link], stamps: Mapping[str, Stamp]) -> bool:
    """Whether some ticket's stamp lies before the one that we have seen; an index that trails looks the same."""
    with house.store.read() as tx:
        bases = tx.bases.many([link.id for link in links.values()])
    return any(
        stamps[ticket].updated < bases[link.id][side].seen - BEHIND
        for ticket, link in links.items()
        if ticket in stamps
    )


def _welcome(house: House, feed: Feed, tracker: Tracker, ended: Sequence[Link]) -> None:
    """Tickets of ended links that count as deleted, and are in view: read by id, for an index may show ghosts."""
    lost = {ticket: link for link in ended if missed(link, feed.side) and (ticket := link.ticket(feed.side))}
    there = tracker.fetch(sorted(lost), ()) if lost else {}
    if there:
        with house.store.write() as tx:
            for ticket in there.keys() & lost.keys():
                welcome(tx, lost[ticket], feed.side, house.clock.now())


def _missed(
    house: House, side: Side, tracker: Tracker, links: dict[str, Link], stamps: dict[str, Stamp]
) -> list[int]:
    """Links whose ticket is newer than what was dealt with; all of them where edits move no stamp."""
    with house.store.read() as tx:
        bases = tx.bases.many([link.id for link in links.values()])
    missed = []
    for ticket, link in links.items():
        stamp = stamps.get(ticket)
        if stamp is None:
            continue
        if not tracker.abilities.comment_edits_bump or stamp.updated > bases[link.id][side].seen:
            missed.append(link.id)
            house.sightings.forget(tracker.name, ticket)  # it is older than what the census has shown
    return missed
