"""Creating the peer of a ticket, and noting in one transaction that it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.daemon.books import Books, refused_field
from bridge.daemon.intending import forgo, intend, lost
from bridge.daemon.run import Run
from bridge.errors import Clashed, OutcomeUnknown, Refused, TrackerError
from bridge.markup import Document
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import Base, encode_fields
from bridge.sync.mapping import same
from bridge.sync.plan import CreateTicket, View
from bridge.sync.relations import PARENT
from bridge.sync.ticket import Side, Ticket, Value
from bridge.trackers.protocol import Created, Draft


def create(run: Run, action: CreateTicket, books: Books) -> None:
    """Create, once more without the fields that the tracker complains about, if it can be told which they are.

    Raises:
        Clashed: the link is not as it was when this run began.
        TrackerError: it was not created, or nobody knows.
    """
    with run.house.store.read() as tx:
        present = tx.links.get(run.link.id)
    if present is None or present.epoch != run.link.epoch:
        # A person has just linked the ticket with another one, or ended the link.
        raise Clashed(run.tracker(action.side).name, "the link was changed meanwhile")
    values, shown, parent = dict(action.values), dict(action.shown), action.parent
    try:
        intent, created = _create_with(run, action, values, shown, parent)
    except Refused as error:
        blamed = error.fields.keys() - {PARENT}
        known = blamed <= values.keys() - {"summary", "type"}
        if not parent and not (blamed and known):
            raise
        if parent and (not blamed or not known):
            # Each tracker has its own words for a type that takes no parent.
            parent = ""
        books.turned_down(action.side, IntentKind.CREATE.value, error)
        # A refused create has made nothing, so another one is safe.
        findings = [
            refused_field(action.side, name, values[name], f"at creation: {error.fields[name]}")
            for name in (sorted(blamed) if known else ())
        ]
        for name in blamed if known else ():
            del values[name]
            shown.pop(name, None)
        intent, created = _create_with(run, action, values, shown, parent)
        books.findings.extend(findings)
    adopt_created(run, intent, created, shown, action.origin_base, parent)
    books.writes += 1
    books.created = True


def _create_with(
    run: Run,
    action: CreateTicket,
    values: Mapping[str, Value],
    shown: Mapping[str, Value],
    parent: str,
) -> tuple[Intent, Created]:
    """One create request under an intent that says what the ticket will show, should the answer be lost."""
    detail = {"shown": encode_fields(shown), "origin": encode_fields(action.origin_base)}
    intent = intend(run, IntentKind.CREATE, action.side, run.link.marker, "", detail=detail)
    draft = Draft(run.scope(action.side).project, values, run.link.marker, parent)
    try:
        return intent, run.tracker(action.side).create(draft, run.specs(action.side))
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise


def _kept(created: Created, shown: Mapping[str, Value]) -> dict[str, Value]:
    """What the new ticket really shows of what it was to show, as far as its tracker's answer tells.

    Some trackers leave a value out in silence: an owner without the right to own, a field that is not theirs to set.
    That is nobody's change, to be carried back; with no base, the original's value is written once more, and refused
    aloud. A text may be rendered in the tracker's own way, which is looked at later.
    """
    there = created.ticket.fields if created.ticket is not None else {}
    return {
        name: value
        for name, value in shown.items()
        if isinstance(value, Document) or name not in there or same(there[name], value)
    }


def _born(run: Run, side: Side) -> int:
    view = run.views.get(side)
    return run.bases[side].born or (view.ticket.created if view and view.ticket else 0)


def adopt_created(  # noqa: PLR0917 - what a create request was made of, in its order
    run: Run,
    intent: Intent,
    created: Created,
    shown: Mapping[str, Value],
    origin_base: Mapping[str, Value],
    parent: str = "",
) -> None:
    """Note in one transaction that the peer exists, and go on with it as it was created."""
    house, side = run.house, intent.side
    now = house.clock.now()
    origin = run.views.get(side.other)
    origin_seen = origin.ticket.updated if origin and origin.ticket else run.bases[side.other].seen
    bases = {
        side: Base(_kept(created, shown), born=created.ticket.created if created.ticket else created.at),
        side.other: Base(
            origin_base, origin_seen, run.bases[side.other].written, born=_born(run, side.other)
        ),
    }
    with house.store.write() as tx:
        tx.intents.done(intent.id, created.id, now)
        tx.links.set_peer(run.link.id, side, created.id, created.key)
        for one, base in bases.items():
            tx.bases.put(run.link.id, one, base)
        data = {"side": side.value, "id": created.id, "key": created.key}
        tx.journal.add(now, run.agreement.name, run.link.id, "ticket.created", data)
        renewed = tx.links.get(run.link.id)
    assert renewed is not None
    run.link = renewed
    run.bases = bases
    ticket = created.ticket or Ticket(
        id=created.id,
        key=created.key,
        url=created.url,
        project=run.scope(side).project,
        created=created.at,
        updated=0,
        fields=dict(shown),
        comments=(),
        marker=run.link.marker,
    )
    if not ticket.relations_complete:
        told = ticket.parent if ticket.parent is not None else parent
        ticket = replace(ticket, parent=told, relations_complete=True)
    ticket = replace(ticket, worklogs_complete=True)
    # What we have just made needs no reading: it is as the request said, until a poll shows more.
    run.views[side] = View(ticket, bases[side], strong=True)
    known = run.views.get(side.other)
    if known is not None:
        run.views[side.other] = replace(known, base=bases[side.other])
