"""Carrying parents and links between tickets over.

None of these writes needs an intent: they are derived from what both sides show, and each is recognised by its result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bridge.daemon.books import Books
from bridge.daemon.neighbours import mirrored
from bridge.daemon.run import Run
from bridge.errors import Refused
from bridge.store.database import Tx
from bridge.sync.base import PairState
from bridge.sync.plan import AddRelation, Finding, RemoveRelation, SetParent
from bridge.sync.relations import PARENT, parent_key, relation_key
from bridge.sync.ticket import Side


def relate(run: Run, action: SetParent | AddRelation | RemoveRelation, books: Books) -> None:
    """Do one of these actions.

    Raises:
        TrackerError: it was not done, or nobody can tell.
    """
    match action:
        case SetParent():
            _set_parent(run, action, books)
        case AddRelation():
            _add(run, action, books)
        case RemoveRelation():
            _remove(run, action, books)


def _set_parent(run: Run, action: SetParent, books: Books) -> None:
    """Give the ticket its parent, or take it away; a refusal is remembered, not repeated at every look.

    Raises:
        TrackerError: it was not done, for another reason than a refusal.
    """
    side, ticket = action.side, run.link.ticket(action.side)
    seen = run.read(side).ticket
    assert ticket is not None
    assert seen is not None
    try:
        at = run.tracker(side).structure.set_parent(ticket, action.parent)
    except Refused as error:
        books.turned_down(side, "parent", error)
        message = f"the parent is refused on the {side} side: {error.words}"
        books.findings.append(Finding("refused", side, PARENT, message))
        if action.parent:
            # Whether a type may have a parent depends on the type: with another one it is tried again.
            why = {"refused": error.words, "type": seen.fields.get("type")}
            books.parts.append(replace(action.pairs[-1], state=PairState.ORIGIN_DELETED, detail=why))
        return
    books.parts.extend(action.pairs)
    gone = {parent_key(seen.parent)} if seen.parent else set()
    books.showed(side, gone=gone, new={parent_key(action.parent)} if action.parent else set())
    books.wrote(side, at, "parent.set", {"parent": action.key})


def _add(run: Run, action: AddRelation, books: Books) -> None:
    """Link the ticket to another one on its side.

    Raises:
        TrackerError: it was not done, or nobody can tell; the next look does.
    """
    ticket = run.link.ticket(action.side)
    assert ticket is not None
    source, target = (ticket, action.other) if action.outward else (action.other, ticket)
    at = run.tracker(action.side).structure.add_relation(action.kind, source, target)
    books.parts.append(action.pair)
    books.showed(action.side, new={relation_key(action.kind, action.other, outward=action.outward)})
    data = {"kind": action.kind, "other": action.key, "outward": action.outward}
    books.wrote(action.side, at, "relation.added", data)


def _remove(run: Run, action: RemoveRelation, books: Books) -> None:
    """Take a link away that is gone on the other side, and not merely hidden with the ticket that it led to.

    Raises:
        TrackerError: it was not done.
    """
    relation, there = action.relation, action.side.other
    if action.lost not in run.tracker(there).fetch([action.lost], run.specs(there)):
        message = (
            f"a link is gone on the {there} side with the ticket it led to; its mirror is left where it is"
        )
        books.findings.append(Finding("peer-gone", there, "", message))
        return
    at = run.tracker(action.side).structure.remove_relation(relation.id)
    books.parts.append(replace(action.pair, state=PairState.ORIGIN_DELETED))
    books.showed(action.side, gone={relation_key(relation.kind, relation.other, outward=relation.outward)})
    books.wrote(action.side, at, "relation.removed", {"kind": relation.kind})


def wait_for(tx: Tx, run: Run, waits: Iterable[tuple[Side, str]]) -> None:
    """Have the link looked at again when one of these tickets is mirrored, at once if one is by now."""
    for side, ticket in waits:
        tx.waits.put(run.agreement.name, side, ticket, run.link.id)
        known = tx.links.by_ticket(run.agreement.name, side, [ticket]).get(ticket)
        if known is not None and mirrored(known):
            tx.links.wake([run.link.id], run.house.clock.now())
