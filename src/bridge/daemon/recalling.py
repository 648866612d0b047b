"""A database that was restored from a backup: what it has forgotten is on the trackers, and is not made once more.

The copies that were written after the backup carry our mark, or at least our words under our account, and no record
knows them. Where an original seems to have no copy while the other ticket shows a comment or a file of our own account
that nobody knows, the tracker is asked; what is found is noted as if we had just written it. That it had to be is the
sign of a restored database, and pulls the brake on everything: for what was taken back or decided since, there is no
such sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from bridge.daemon.attaching import find_copied_file
from bridge.daemon.brakes import let_through, pull
from bridge.daemon.commenting import comment_marker, find_copy
from bridge.daemon.house import House
from bridge.daemon.intending import SKEW
from bridge.daemon.run import Run
from bridge.markup import Document, Paragraph, Text
from bridge.store.database import Tx
from bridge.store.rows import IntentKind, Link
from bridge.sync.base import CommentPair, PairState, PartKind
from bridge.sync.brakes import Cause
from bridge.sync.holdnotes import HOLDS
from bridge.sync.plan import AddAttachment, AddComment, Plan
from bridge.sync.ticket import Attachment, Comment, Side, Ticket

log = structlog.get_logger(__name__)


def check_witness(house: House, *, anew: bool = False) -> None:
    """At the start: pull the brake on every agreement if the database is older than what its witness remembers.

    Args:
        house: the running parts; one that only looks has no witness.
        anew: the operator wants to begin with an empty database.

    Raises:
        StoreError: our own database failed, or the witness cannot be read or written.
    """
    if house.witness is None:
        return
    restored = house.witness.check(house.store)
    if restored is not None and anew:
        house.witness.accept(house.store, house.clock.now())
    elif restored is not None:
        tell_forgotten(house, str(restored))


def recall(run: Run, plan: Plan) -> Plan:
    """The plan, or a new one once copies were adopted that are there already. Writes nothing to a tracker.

    Raises:
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    while any(
        _recalled(run, action) or _is_note(run, action)
        for action in plan.actions
        if isinstance(action, AddComment | AddAttachment)
    ):
        plan = run.plan()
    return plan


def forgotten_mirror(house: House, tx: Tx, agreement: str, ticket: Ticket, link: Link | None) -> bool:
    """Whether our database has forgotten that it made a ticket: the sign of a restored one.

    Args:
        house: the running parts.
        tx: a transaction.
        agreement: the agreement in whose scope it was found.
        ticket: a ticket that our account made, with a mark of ours.
        link: the link with that mark, which has no ticket on that side; None where no link of the agreement has it.

    Raises:
        StoreError: our own database failed.
    """
    if ticket.created <= let_through(tx, agreement).forgotten + SKEW:
        return False
    if link is not None:
        return not tx.intents.tried(link.id, IntentKind.CREATE, "")
    return all(tx.links.by_marker(name, ticket.marker) is None for name in _agreements(house, tx))


def tell_forgotten(house: House, what: str) -> None:
    """Pull the brake on every agreement: our database is older than what is on the trackers.

    Args:
        house: the running parts.
        what: how that was seen.

    Raises:
        StoreError: our own database failed.
    """
    pull(house, house.terms.settings.agreements, Cause.STORE, what)


def _agreements(house: House, tx: Tx) -> Iterable[str]:
    return {name for name, _, _ in house.places(tx, house.terms)}


def _recalled(run: Run, action: AddComment | AddAttachment) -> bool:
    """Whether the copy that is to be made is there already, and was adopted."""
    side = action.side
    there: Mapping[str, Comment | Attachment]
    if isinstance(action, AddComment):
        there, subject, kind = _strange_comments(run, side), action.origin_id, IntentKind.COMMENT
    else:
        there, subject, kind = _strange_files(run, side, action.file.size), action.file.id, IntentKind.ATTACH
    if not there or not subject or _owed(run, kind, side, subject):
        return False
    found = (
        find_copy(run, action, there)
        if isinstance(action, AddComment)
        else find_copied_file(run, action, there)
    )
    if found:
        _tell(run, side, kind, subject, found, there[found].created)
    return bool(found)


def _is_note(run: Run, action: AddComment | AddAttachment) -> bool:
    """Whether what is to cross is the bridge's own note about what is held; it is recorded as that, and stays."""
    side = action.side.other
    if not isinstance(action, AddComment) or _owed(run, IntentKind.COMMENT, side, ""):
        return False
    strange = _strange_comments(run, side).get(action.origin_id)
    if strange is None:
        return False
    ticket, mark = run.link.ticket(side), comment_marker(run, side, HOLDS)
    assert ticket is not None
    # By its mark alone: nobody has written a comment that says nothing but the mark.
    nothing = Document((Paragraph((Text(mark),)),))
    if run.tracker(side).find_comment(ticket, nothing, mark, strange.created - SKEW) != strange.id:
        return False
    note = CommentPair(0, action.side, "", strange.id, HOLDS, state=PairState.NOTE)
    with run.house.store.write() as tx:
        run.pairs = (*run.pairs, tx.comments.add(run.link.id, note))
    _tell(run, side, IntentKind.COMMENT, "", strange.id, strange.created)
    return True


def _owed(run: Run, kind: IntentKind, side: Side, subject: str) -> bool:
    """Whether an answer about the same write is still owed: what became of that is looked for elsewhere."""
    return any((one.kind, one.side, one.subject) == (kind, side, subject) for one in run.intents)


def _tell(run: Run, side: Side, kind: IntentKind, subject: str, found: str, created: int) -> None:  # noqa: PLR0917 - the facts
    """Say what was found, and pull the brakes if it says that our database is from a backup."""
    with run.house.store.read() as tx:
        # Once an answer was lost for longer than we had patience: that is no forgetting.
        late = tx.intents.tried(run.link.id, kind, subject, but=found)
        let = let_through(tx, run.agreement.name).forgotten
    log.info(
        "copy_recalled", agreement=run.agreement.name, link=run.link.id, side=side.value, what=kind.value
    )
    if not late and created > let + SKEW:
        key = run.link.key(side)
        tell_forgotten(run.house, f"{key} carries a {kind.value} of ours that our database does not know")


def _strange_comments(run: Run, side: Side) -> dict[str, Comment]:
    """Comments of our own account on a side that no record knows, by id."""
    view = run.views.get(side)
    if view is None or view.ticket is None:
        return {}
    known = {pair.copy_id for pair in run.pairs if pair.origin is side.other}
    known |= {pair.origin_id for pair in run.pairs if pair.origin is side}
    others = [one for one in view.ticket.comments if one.id not in known]
    return {one.id: one for one in others if one.author is not None and one.author.id == _me(run, side)}


def _strange_files(run: Run, side: Side, size: int) -> dict[str, Attachment]:
    """Files of that size of our own account on a side that no record knows, by id."""
    view = run.views.get(side)
    if view is None or view.ticket is None:
        return {}
    pairs = [pair for pair in run.parts if pair.kind is PartKind.ATTACHMENT]
    known = {pair.copy_id for pair in pairs if pair.origin is side.other}
    known |= {pair.origin_id for pair in pairs if pair.origin is side}
    others = [one for one in view.ticket.attachments if one.id not in known and one.size == size]
    return {one.id: one for one in others if one.author is not None and one.author.id == _me(run, side)}


def _me(run: Run, side: Side) -> str:
    return run.house.account(run.tracker(side)).id
