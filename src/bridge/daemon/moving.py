"""A link's tickets under new names: moved to another project (new key), or merged into another ticket (new id)."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bridge.daemon.neighbours import bequeath
from bridge.daemon.run import Run
from bridge.store.database import Tx
from bridge.store.rows import Link, LinkState
from bridge.sync.base import PairState, PartKind
from bridge.sync.plan import Finding
from bridge.sync.ticket import Side, Ticket

log = structlog.get_logger(__name__)


def note_key(tx: Tx, link: Link, side: Side, ticket: Ticket, now: int) -> None:
    """Note what people call a ticket now, if that has changed."""
    before = link.key(side)
    if ticket.key == before:
        return
    tx.links.set_key(link.id, side, ticket.key)
    if before:
        data = {"side": side.value, "from": before, "to": ticket.key}
        tx.journal.add(now, link.agreement, link.id, "ticket.moved", data)
        log.info("ticket_moved", agreement=link.agreement, link=link.id, **data)


def follow_survivors(run: Run) -> Finding | None:
    """Have the link follow a ticket that was merged into another one (RT answers for the old number with the new one).

    Returns:
        A finding where that other ticket has a mirror of its own: which of the two is to stay, people must say.

    Raises:
        StoreError: our own database failed.
    """
    for side in Side:
        ticket = run.views[side].ticket if side in run.views else None
        old = run.link.ticket(side)
        if ticket is None or old is None or ticket.id == old:
            continue
        now = run.house.clock.now()
        with run.house.store.write() as tx:
            rival = tx.links.by_ticket(run.agreement.name, side, [ticket.id]).get(ticket.id)
            if rival is not None and rival.state is not LinkState.CLOSED:
                message = (
                    f"the {side} ticket was merged into {ticket.key}, which has a mirror of its own; "
                    "unlink one of the two"
                )
                return Finding("merged", side, "", message)
            if rival is not None:
                tx.links.release(rival.id, side)
                bequeath(tx, rival, side, run.link.id)
            tx.links.follow(run.link.id, side, ticket.id, ticket.key)
            run.bases[side] = replace(run.bases[side], seen=0, born=0)  # they were the other ticket's
            tx.bases.put(run.link.id, side, run.bases[side])
            # What was said before is wherever the tracker puts it: it neither crosses anew nor is taken back.
            for pair in tx.comments.list(run.link.id):
                if pair.state is not PairState.NOTE:
                    tx.comments.update(replace(pair, state=PairState.SKIPPED))
            for one in tx.parts.list(run.link.id):
                if one.kind is not PartKind.RELATION:
                    tx.parts.put(run.link.id, replace(one, state=PairState.SKIPPED))
            run.pairs, run.parts = tuple(tx.comments.list(run.link.id)), tuple(tx.parts.list(run.link.id))
            data = {"side": side.value, "from": run.link.key(side), "to": ticket.key}
            tx.journal.add(now, run.agreement.name, run.link.id, "ticket.merged", data)
            renewed = tx.links.get(run.link.id)
        assert renewed is not None
        log.info("ticket_merged", agreement=run.agreement.name, link=run.link.id, **data)
        run.link = renewed
    return None
