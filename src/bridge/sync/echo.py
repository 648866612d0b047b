"""Recognising a ticket that shows nothing new: the echo of our own write, or a repeat of the overlap.

By the result, never by the author or a time window: people who work under the integration account are heard like
anyone else, and an echo costs no request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bridge.markup import digest
from bridge.sync.agreement import Agreement
from bridge.sync.attachments import files_known
from bridge.sync.base import Base, CommentPair, PairState, PartPair
from bridge.sync.mapping import same
from bridge.sync.privacy import inherited, may_cross, misplaced, worth_another_try
from bridge.sync.relations import relation_keys
from bridge.sync.ticket import Comment, Side, Ticket
from bridge.sync.worklogs import worklog_keys


def is_echo(
    agreement: Agreement,
    side: Side,
    ticket: Ticket,
    base: Base,
    pairs: Sequence[CommentPair],
    *,
    parts: Sequence[PartPair] = (),
) -> bool:
    """Whether this side shows exactly what is already known of it."""
    if ticket.archived or ticket.project.casefold() != agreement.scope(side).project.casefold():
        return False
    for rule in agreement.fields:
        if rule.name not in ticket.fields:
            continue
        if rule.name not in base.fields or not same(ticket.fields[rule.name], base.fields[rule.name]):
            return False
    return (
        _parts_known(agreement, side, ticket, base)
        and _comments_known(agreement, side, ticket, pairs)
        and files_known(agreement, side, ticket, parts)
    )


def parts_digest(keys: frozenset[str]) -> str:
    """A digest of what a side shows of its relations and worklogs; "" for nothing."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16] if keys else ""


def part_keys(agreement: Agreement, side: Side, ticket: Ticket) -> frozenset[str] | None:
    """What a side shows of the relations and worklogs that may cross; None when it does not show all of it."""
    if agreement.relations.links and not ticket.relations_complete:
        return None
    if agreement.relations.parent and ticket.parent is None:
        return None
    if agreement.worklogs.cross and not ticket.worklogs_complete:
        return None
    return relation_keys(agreement, side, ticket) | worklog_keys(agreement, ticket)


def parts_differ(before: Ticket, ticket: Ticket) -> bool:
    """Whether relations, worklogs or files differ between two sightings of one ticket.

    As far as both tell them: a list leaves out what a read by id shows.
    """
    return (
        (None not in {before.parent, ticket.parent} and before.parent != ticket.parent)
        or (
            before.relations_complete
            and ticket.relations_complete
            and set(before.relations) != set(ticket.relations)
        )
        or (before.worklogs_complete and ticket.worklogs_complete and before.worklogs != ticket.worklogs)
        or (
            before.attachments_complete
            and ticket.attachments_complete
            and before.attachments != ticket.attachments
        )
    )


def _parts_known(agreement: Agreement, side: Side, ticket: Ticket, base: Base) -> bool:
    keys = part_keys(agreement, side, ticket)
    return keys is not None and parts_digest(keys) == base.parts


def _comments_known(agreement: Agreement, side: Side, ticket: Ticket, pairs: Sequence[CommentPair]) -> bool:
    if not ticket.comments_complete:
        return False
    written_here = {pair.origin_id: pair for pair in pairs if pair.origin is side and pair.origin_id}
    copied_here = {pair.copy_id: pair for pair in pairs if pair.origin is side.other}
    expected = {
        comment for known in (written_here, copied_here) for comment, pair in known.items() if pair.state.live
    }
    for comment in inherited(ticket.comments):
        expected.discard(comment.id)
        if comment.id in written_here:
            if _owed(agreement, side, comment, written_here[comment.id]):
                return False
        elif comment.id in copied_here:
            pair = copied_here[comment.id]
            exposed = pair.state is PairState.PRIVATE and not comment.private
            if pair.state.live and (exposed or digest(comment.body) != pair.copy_digest):
                return False
        elif may_cross(agreement, side, comment):
            return False
    return not expected


def _owed(agreement: Agreement, side: Side, comment: Comment, pair: CommentPair) -> bool:
    """Whether a person's comment asks for something: a new text, to be taken back, or to cross again."""
    match pair.state:
        case PairState.PAIRED | PairState.PRIVATE:
            return (
                misplaced(agreement, pair, comment, None) is not None
                or digest(comment.body) != pair.origin_digest
            )
        case PairState.ORIGIN_DELETED | PairState.HISTORY:
            return may_cross(agreement, side, comment)
        case PairState.WITHDRAWN:
            return may_cross(agreement, side, comment) and worth_another_try(agreement, pair, comment)
        case _:
            return False
