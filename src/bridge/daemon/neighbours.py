"""Other links that matter to one: those of related tickets, and those of the same ticket under other agreements.

What the bridge brought in under one agreement is not a person's word under another.
A comment or a file that was copied into a ticket for one vendor must not travel on to the next one: it would tell the
second vendor what the first one wrote, and under our account's name.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.daemon.house import House, Terms
from bridge.store.database import Tx
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.attachments import older_copies
from bridge.sync.base import PairState, PartKind
from bridge.sync.plan import Neighbour
from bridge.sync.relations import others
from bridge.sync.ticket import Side, Ticket


def mirrored(link: Link) -> bool:
    """Whether a link has both its tickets, so that something may refer to either."""
    return link.internal_id is not None and link.vendor_id is not None and link.state is not LinkState.CLOSED


def related(tx: Tx, agreement: Agreement, side: Side, ticket: Ticket) -> dict[str, Neighbour]:
    """The mirrored pairs that a side's ticket is related to, by the id of the related ticket."""
    ids = others(agreement, side, ticket)
    found = tx.links.by_ticket(agreement.name, side, ids) if ids else {}
    return {
        one: Neighbour(
            link.id,
            {there: link.ticket(there) or "" for there in Side},
            {there: link.key(there) for there in Side},
        )
        for one, link in found.items()
        if mirrored(link)
    }


def without_neighbours(  # noqa: PLR0917 - where to look, under which terms, at what
    tx: Tx, house: House, terms: Terms, link: Link, side: Side, ticket: Ticket
) -> Ticket:
    """The ticket without the comments, files and worklogs that the bridge has put there under other agreements."""
    agreement = terms.agreement(link.agreement)
    if agreement is None:
        return ticket
    tracker = agreement.scope(side).tracker
    sharing = [
        (name, there)
        for name, there, where in house.places(tx, terms)
        if name != agreement.name and where == tracker
    ]
    foreign: set[str] = set()
    booked: set[str] = set()
    files: set[str] = set()
    for name, there in sharing:
        for neighbour in tx.links.by_ticket(name, there, [ticket.id]).values():
            foreign |= {pair.copy_id for pair in tx.comments.list(neighbour.id) if pair.origin is there.other}
            for known, kind, shown in (
                (booked, PartKind.WORKLOG, ticket.worklogs),
                (files, PartKind.ATTACHMENT, ticket.attachments),
            ):
                if shown:
                    parts = tx.parts.list(neighbour.id, kind)
                    known |= {
                        number
                        for pair in parts
                        if pair.origin is there.other
                        for number in older_copies(pair)
                    }
    if not foreign and not booked and not files:
        return ticket
    return replace(
        ticket,
        comments=tuple(one for one in ticket.comments if one.id not in foreign),
        attachments=tuple(one for one in ticket.attachments if one.id not in files),
        worklogs=tuple(one for one in ticket.worklogs if one.id not in booked),
    )


def bequeath(tx: Tx, ended: Link, side: Side, heir: int) -> None:
    """Have another link know what an ended one has brought into the ticket that it takes over from it.

    Else those copies would pass for words of the people over here, and cross, to whomever.

    Args:
        tx: the transaction that takes the ticket from the one and gives it to the other.
        ended: the link that had the ticket.
        side: the ticket's side.
        heir: row id of the link that has it from now on.
    """
    for pair in tx.comments.list(ended.id):
        if pair.origin is side.other and pair.copy_id:
            state = PairState.SKIPPED if pair.origin_id else PairState.NOTE
            tx.comments.add(heir, replace(pair, id=0, state=state))
    for part in tx.parts.list(ended.id):
        if part.origin is side.other and part.kind is not PartKind.RELATION and older_copies(part):
            tx.parts.put(heir, replace(part, id=0, state=PairState.SKIPPED))
