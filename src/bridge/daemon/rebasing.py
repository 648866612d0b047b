"""What each side looked like in agreement, once a run has ended: its new base."""

from __future__ import annotations

from dataclasses import replace

from bridge.clock import SECOND
from bridge.daemon.books import Books
from bridge.daemon.run import Run
from bridge.sync.base import Base
from bridge.sync.echo import part_keys, parts_digest
from bridge.sync.ticket import Side, Ticket


def new_base(run: Run, books: Books, side: Side) -> Base:
    """The base of a side with what the run has brought into agreement, seen and written."""
    base = run.bases[side]
    fields = dict(base.fields)
    for name, (internal, vendor) in books.settled.items():
        fields[name] = internal if side is Side.INTERNAL else vendor
    view = run.views.get(side)
    seen = max(base.seen, _dealt_with(run, side, view.ticket)) if view and view.ticket else base.seen
    written = max(base.written, books.written.get(side, 0))
    underway = None if "status" in books.settled else books.underway.get(side, base.underway)
    parts = _parts(run, books, side)
    born = base.born or _born(run, side)
    return replace(base, fields=fields, seen=seen, written=written, underway=underway, parts=parts, born=born)


def _born(run: Run, side: Side) -> int:
    """When a side's ticket was created, if this run has seen it."""
    ticket = run.views[side].ticket if side in run.views else None
    return ticket.created if ticket is not None and ticket.id == run.link.ticket(side) else 0


def _parts(run: Run, books: Books, side: Side) -> str:
    """The digest of the relations and worklogs that this side shows, our own writes included."""
    view = run.views.get(side)
    keys = part_keys(run.agreement, side, view.ticket) if view and view.ticket else None
    if keys is None:
        return run.bases[side].parts
    gone, new = books.shown.get(side, ((), ()))
    return parts_digest((keys - set(gone)) | set(new))


def _dealt_with(run: Run, side: Side, ticket: Ticket) -> int:
    """Up to which stamp this side has been dealt with.

    Where stamps are whole seconds, a change that follows our reading within the same second bears the same stamp:
    a ticket read so soon is looked at once more.
    """
    if not run.terms.trackers[run.scope(side).tracker].abilities.coarse_stamps:
        return ticket.updated
    return min(ticket.updated, run.read_at.get(side, 0) - 2 * SECOND)
