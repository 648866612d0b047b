"""Texts too long for the other side: what crosses is their beginning, and the whole of them as an attached file.

The beginning is the agreed form: it is what the other side's base is, so nothing is sent to and fro. The file follows
the text: an edit makes a new one, a text that fits again takes it away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.markup import Document, write
from bridge.sync.agreement import Agreement
from bridge.sync.attachments import TEXT, Planned, is_text, new_pair
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.comments import long_comments
from bridge.sync.mapping import carry_text
from bridge.sync.plan import Action, DeleteAttachment, Finding, LinkView, SpillText
from bridge.sync.shortening import surely_short
from bridge.sync.ticket import Side, Ticket


@dataclass(frozen=True, slots=True)
class _Long:
    """A text that is too long for the other side. ``private``: the whole of it has no place there."""

    key: str
    field: str
    name: str
    whole: Document
    private: bool = False


def is_long(agreement: Agreement, text: object, to: Side) -> bool:
    """Whether only the beginning of a text can cross."""
    return (
        isinstance(text, Document)
        and not surely_short(text, agreement.scope(to).text_limit)
        and carry_text(agreement, text, to).whole is not None
    )


def plan_spills(agreement: Agreement, link: LinkView) -> Planned:
    """The files for texts that are too long, and which of those there are have to go."""
    actions: list[Action] = []
    findings: list[Finding] = []
    parts: list[PartPair] = []
    for side in Side:
        here, there = link.view(side).ticket, link.view(side.other).ticket
        if here is None or there is None:
            continue
        known = {
            pair.origin_id: pair
            for pair in link.parts
            if pair.kind is PartKind.ATTACHMENT and pair.origin is side and is_text(pair)
        }
        for long in _long_texts(agreement, link, side, here):
            pair = None if long.private else known.pop(long.key, None)
            if long.private or side not in agreement.attachments.cross:
                message = f"a text is too long for the {side.other} side; its end has not crossed"
                findings.append(Finding("shortened", side, long.field, message))
                continue
            act, found, kept = _one(long, side, pair or new_pair(side, long.key), there)
            actions += act
            findings += found
            parts += kept
        for key, pair in known.items():
            unsure = key.startswith(f"{TEXT}comment/") and not here.comments_complete
            if pair.state is PairState.PAIRED and pair.copy_id and not unsure:
                actions.append(DeleteAttachment(side.other, pair, "deleted"))
    return actions, findings, parts


def _one(long: _Long, side: Side, pair: PartPair, there: Ticket) -> Planned:
    text = str(write("markdown", long.whole)) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    gone = (
        pair.copy_id
        and there.attachments_complete
        and all(file.id != pair.copy_id for file in there.attachments)
    )
    if pair.state is PairState.COPY_DELETED:
        return [], [], []
    if gone and pair.state is PairState.PAIRED:
        message = f"the file with the whole of a text was deleted on the {side.other} side"
        return (
            [],
            [Finding("copy-deleted", side.other, long.field, message)],
            [replace(pair, state=PairState.COPY_DELETED)],
        )
    if pair.state is PairState.PAIRED and pair.copy_id and pair.digest == digest:
        return [], [], []
    return [SpillText(side.other, pair, long.name, text, digest)], [], []


def _long_texts(agreement: Agreement, link: LinkView, side: Side, here: Ticket) -> Iterator[_Long]:
    to = side.other
    limit = agreement.scope(to).text_limit
    for rule in agreement.fields:
        value = here.fields.get(rule.name)
        if rule.owner is to or not isinstance(value, Document) or surely_short(value, limit):
            continue
        whole = carry_text(agreement, value, to).whole
        if whole is not None:
            yield _Long(f"{TEXT}{rule.name}", rule.name, f"{rule.name}-full.md", whole)
    for comment, whole in long_comments(agreement, link, side):
        name = f"comment-{comment.id}-full.md"
        yield _Long(f"{TEXT}comment/{comment.id}", "", name, whole, comment.private)
