"""One ticket under several agreements: what the bridge brought in under one is not a person's word under another.

A comment or a file that was copied into a ticket for one vendor must not travel on to the next one: it would tell the
second vendor what the first one wrote, and under our account's name.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.daemon.house import Terms
from bridge.store.database import Tx
from bridge.store.rows import Link
from bridge.sync.base import PartKind
from bridge.sync.ticket import Side, Ticket


def without_neighbours(tx: Tx, terms: Terms, link: Link, side: Side, ticket: Ticket) -> Ticket:
    """The ticket without the comments and files that the bridge has put there under other agreements."""
    agreement = terms.agreement(link.agreement)
    if agreement is None:
        return ticket
    tracker = agreement.scope(side).tracker
    sharing = [
        (other.name, there)
        for other in terms.settings.agreements
        for there in Side
        if other.name != agreement.name and other.scope(there).tracker == tracker
    ]
    foreign: set[str] = set()
    files: set[str] = set()
    for name, there in sharing:
        for neighbour in tx.links.by_ticket(name, there, [ticket.id]).values():
            foreign |= {pair.copy_id for pair in tx.comments.list(neighbour.id) if pair.origin is there.other}
            parts = tx.parts.list(neighbour.id, PartKind.ATTACHMENT)
            files |= {pair.copy_id for pair in parts if pair.origin is there.other}
    if not foreign and not files:
        return ticket
    return replace(
        ticket,
        comments=tuple(one for one in ticket.comments if one.id not in foreign),
        attachments=tuple(one for one in ticket.attachments if one.id not in files),
    )
