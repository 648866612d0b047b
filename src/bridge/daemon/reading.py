"""Reading what timelines are made of: both sides of many links, in as few calls as each tracker allows.

One call for the tickets of a side and one for their histories, where the tracker takes many ids at once. What it
refuses of one ticket is asked for one by one, so that this ticket keeps no other one waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.daemon.house import House, Terms, field_specs
from bridge.daemon.neighbours import without_neighbours
from bridge.errors import Gone, Refused, Unintelligible
from bridge.sla.building import Source
from bridge.store.rows import Link
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import FieldChange, Side, Ticket
from bridge.trackers.protocol import Tracker

T = TypeVar("T")


@dataclass(slots=True)
class Sides:
    """Both sides of some links.

    Attributes:
        sources: link id -> side -> what was read.
        unclear: links of which an answer made no sense.
    """

    sources: dict[int, dict[Side, Source]] = field(default_factory=dict)
    unclear: set[int] = field(default_factory=set)


def read_sides(house: House, terms: Terms, agreement: Agreement, links: Sequence[Link]) -> Sides:
    """Read both sides of these links.

    Raises:
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    read = Sides({link.id: {side: Source(None) for side in Side} for link in links})
    for side in Side:
        ids = {link.id: number for link in links if (number := link.ticket(side)) is not None}
        if not ids:
            continue
        tracker = terms.trackers[agreement.scope(side).tracker]
        account = house.account(tracker)
        specs = field_specs(agreement, side)
        began = house.clock.now()
        wanted = list(dict.fromkeys(ids.values()))
        tickets, unclear = _asked(wanted, lambda some: tracker.fetch(some, specs))  # noqa: B023 - called at once
        histories, dark = _asked([one for one in wanted if one in tickets], tracker.histories)
        skew = tracker.now() - house.clock.now()
        for link in links:
            if link.id not in ids:
                continue
            number = ids[link.id]
            if number in unclear | dark:
                read.unclear.add(link.id)
                continue
            ticket = tickets.get(number)
            read.sources[link.id][side] = Source(
                ticket=None if ticket is None else _own(house, terms, link, side, ticket),
                history=_told(tracker, histories, ticket, number),
                account=account.id,
                skew=skew,
                read_at=began,
            )
    return read


def _asked(
    ids: Sequence[str], ask: Callable[[Sequence[str]], Mapping[str, T]]
) -> tuple[dict[str, T], set[str]]:
    """What a tracker answers about these tickets, and those of which its answer makes no sense.

    Raises:
        TrackerError: it cannot be asked now.
    """
    if not ids:
        return {}, set()
    try:
        return dict(ask(ids)), set()
    except (Refused, Gone, Unintelligible) as error:
        if len(ids) == 1:
            return {}, set(ids) if isinstance(error, Unintelligible) else set()
    found: dict[str, T] = {}
    unclear: set[str] = set()
    for one in ids:
        some, strange = _asked([one], ask)
        found |= some
        unclear |= strange
    return found, unclear


def _told(
    tracker: Tracker, histories: Mapping[str, Sequence[FieldChange]], ticket: Ticket | None, number: str
) -> Sequence[FieldChange] | None:
    """The history of a ticket; of one that was merged, that of the one that it was merged into."""
    if ticket is None:
        return None
    if ticket.id != number:
        return _asked([ticket.id], tracker.histories)[0].get(ticket.id)
    return histories.get(number)


def _own(house: House, terms: Terms, link: Link, side: Side, ticket: Ticket) -> Ticket:
    """The ticket without what the bridge brought there under other agreements."""
    with house.store.read() as tx:
        return without_neighbours(tx, house, terms, link, side, ticket)
