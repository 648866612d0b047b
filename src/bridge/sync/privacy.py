"""What is private: which tickets do not cross, which comments may; one rule for the planner and for the echo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal

from bridge.markup import Document, digest, plain
from bridge.sync.agreement import CLASSIFICATION, Agreement
from bridge.sync.base import CommentPair, PairState
from bridge.sync.ticket import Comment, Person, Side, Ticket

Misplaced = Literal["private", "public", "exposed"]
"""Why a copy may not stay: its original is private, or public now; or it is not private any more itself."""


def classified(agreement: Agreement, side: Side, ticket: Ticket) -> bool:
    """Whether a ticket's labels, or the field that says how secret it is, keep the whole of it from crossing.

    Where the agreement names such a field and the ticket does not show it, nobody can tell: it does not cross.
    """
    rule = agreement.classified
    labels = ticket.fields.get("labels")
    if rule.labels and isinstance(labels, frozenset) and any(_fits(one, rule.labels) for one in labels):
        return True
    if side not in rule.names:
        return False
    if CLASSIFICATION not in ticket.fields:
        return True
    value = ticket.fields[CLASSIFICATION]
    said = value if isinstance(value, frozenset) else frozenset() if value is None else {_said(value)}
    return any(_fits(one, rule.values) for one in said)


def _fits(word: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(word.casefold().strip(), pattern.casefold()) for pattern in patterns)


def _said(value: object) -> str:
    if isinstance(value, Document):
        return plain(value)
    return value.name if isinstance(value, Person) else str(value)


def inherited(comments: Sequence[Comment]) -> tuple[Comment, ...]:
    """The comments with the privacy that each has from what it answers: a child of a private comment is private."""
    known = {comment.id: comment for comment in comments}

    def hidden(comment: Comment) -> bool:
        seen: set[str] = set()
        at: Comment | None = comment
        while at is not None and at.id not in seen:
            if at.private:
                return True
            seen.add(at.id)
            at = known.get(at.parent)
        return False

    return tuple(
        replace(one, private=True) if one.parent and not one.private and hidden(one) else one
        for one in comments
    )


def may_cross(agreement: Agreement, origin: Side, comment: Comment) -> bool:
    """Whether a comment that a person wrote on this side is for the other side as well.

    A marker on an unpaired comment: a copy of ours whose pair was lost with a database.
    """
    if origin not in agreement.comments.cross or comment.marker:
        return False
    return agreement.comments.private or not comment.private


def tried(agreement: Agreement, to: Side) -> str:
    """Where private comments are written on a side, in one word: what a withdrawn copy was tried with."""
    privacy = agreement.scope(to).privacy
    return f"role {privacy.role!r}, group {privacy.group!r}"


def worth_another_try(agreement: Agreement, pair: CommentPair, comment: Comment) -> bool:
    """Whether something has changed since the private copy of a comment was withdrawn."""
    return (
        not comment.private
        or digest(comment.body) != pair.origin_digest
        or pair.copy_digest != tried(agreement, pair.origin.other)
    )


def misplaced(
    agreement: Agreement, pair: CommentPair, comment: Comment, copy: Comment | None
) -> Misplaced | None:
    """Why a copy may not stay as it is; None when it may.

    Args:
        agreement: whether private comments cross.
        pair: the two.
        comment: the original as it is now.
        copy: its copy as it is now, as far as it is seen.
    """
    written_private = pair.state is PairState.PRIVATE
    if comment.private and not (written_private and agreement.comments.private):
        return "private"
    if written_private and not comment.private:
        return "public"
    return "exposed" if written_private and copy is not None and not copy.private else None
