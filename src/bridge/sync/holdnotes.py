"""The note on both tickets about what is held: what, since when, who must act, and how it ended.

One short comment on each ticket, updated in place. It is written from the holds as they are stored, so it never tells
of something that did not come to pass. Each side reads it in its own words, and reads nothing that may not cross.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bridge.markup import Document, Mark, Paragraph, Text, digest
from bridge.sync.agreement import TEXT_FIELDS, Agreement, FieldRule
from bridge.sync.attribution import shown_name
from bridge.sync.base import CommentPair, PairState
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.moments import to_minute
from bridge.sync.plan import LinkView, WriteNote
from bridge.sync.redaction import redact_line
from bridge.sync.roles import Unentitled
from bridge.sync.ticket import Side, Value
from bridge.sync.visible import NOTHING, UNSEEN, value_for

HOLDS = "holds"
"""What the record of such a note bears in the place of an original's digest."""

WORDS = TEXT_FIELDS | {"summary"}
"""Fields that hold somebody's words, whatever stands in them."""

TOLD_AFTERWARDS = 3
"""How many holds that are over a note still tells of."""


def plan_notes(agreement: Agreement, link: LinkView) -> list[WriteNote]:
    """The notes that are to be written, or to be written anew."""
    told = [hold for hold in link.holds if _worth_telling(agreement, hold)]
    if not told:
        return []
    waiting = [
        hold for hold in told if hold.state in {HoldState.OPEN, HoldState.APPROVED, HoldState.REJECTED}
    ]
    # By when it ended: a hold that was opened long ago may be the latest news.
    ended = sorted(
        (hold for hold in told if hold not in waiting), key=lambda hold: (hold.closed_at or 0, hold.id)
    )
    actions = []
    for side in Side:
        pair = _record(link, side)
        body = _body(agreement, side, waiting, ended[-TOLD_AFTERWARDS:])
        edits = agreement.scope(side).edits_texts
        said = digest(body) if edits else _matters([*waiting, *ended])
        if pair is None or pair.copy_digest != said:
            actions.append(WriteNote(side, body, said, pair))
    return actions


def next_look(agreement: Agreement, link: LinkView) -> int | None:
    """When the link is to be looked at because of time alone: the next of its holds expires."""
    if agreement.holds.expire is None:
        return None
    times = [hold.since + agreement.holds.expire for hold in link.holds if hold.state is HoldState.OPEN]
    return min((time for time in times if time > link.now), default=None)


def overdue(agreement: Agreement, hold: Hold, now: int) -> bool:
    """Whether nobody has decided about a hold in the time that the agreement gives."""
    expire = agreement.holds.expire
    return hold.state is HoldState.OPEN and expire is not None and now >= hold.since + expire


def role_name(agreement: Agreement, name: str) -> str:
    """A role as people read it: its name and company."""
    role = agreement.role(name)
    if role is None:
        return "somebody"
    return f"the {role.name.replace('-', ' ').replace('_', ' ')} ({agreement.scope(role.side).company})"


def _worth_telling(agreement: Agreement, hold: Hold) -> bool:
    """Whether people hear of a hold: all but the plain undoing that an agreement without roles has always done."""
    if hold.state is not HoldState.REVERTED:
        return True
    rule = agreement.field(hold.field)
    return bool(agreement.roles) or (rule is not None and rule.unentitled is Unentitled.REVERT)


def _record(link: LinkView, side: Side) -> CommentPair | None:
    """The record of the note on a side; of several replies, the last."""
    notes = [
        pair
        for pair in link.pairs
        if pair.origin is side.other
        and not pair.origin_id
        and pair.origin_digest == HOLDS
        and pair.state in {PairState.NOTE, PairState.COPY_DELETED}
    ]
    return max(notes, key=lambda pair: pair.id, default=None)


def _matters(holds: Iterable[Hold]) -> str:
    """A digest of what is going on, without values that may change every day: each change would be one more reply.

    Nor does a decision count that is about to be carried out: what came of it follows.
    """
    decided = {HoldState.APPROVED, HoldState.REJECTED}
    matters = "\n".join(
        f"{hold.id} {hold.kind} {HoldState.OPEN if hold.state in decided else hold.state}" for hold in holds
    )
    return hashlib.sha256(matters.encode()).hexdigest()[:16]


def _body(agreement: Agreement, side: Side, waiting: list[Hold], ended: list[Hold]) -> Document:
    blocks = [
        Paragraph((Text(f"{title}: ", (Mark("strong"),)), Text(line)))
        for title, holds in (("On hold", waiting), ("Settled", ended))
        for hold in holds
        for line in [_line(agreement, side, hold)]
    ]
    return Document(tuple(blocks))


def _line(agreement: Agreement, side: Side, hold: Hold) -> str:
    rule = agreement.field(hold.field) or FieldRule(hold.field)
    asked = role_name(agreement, hold.approver)
    company = agreement.scope(hold.side).company
    reason = _reason(redact_line(agreement.redaction, side, hold.reason))
    change = _change(agreement, rule, hold, side)
    author = shown_name(agreement, hold.actor, hold.side)
    match hold.state:
        case HoldState.APPROVED | HoldState.REJECTED:
            return f"{change}; decided, and about to be carried out."
        case HoldState.CROSSED:
            return f"{change}; approved by {asked}{reason}."
        case HoldState.RESTORED:
            return f"{change}; not approved by {asked}, and put back{reason}."
        case HoldState.REVERTED:
            return f"{change} by {author}; the agreement leaves that to others, so it was put back."
        case HoldState.OVERTAKEN:
            return f"{change}; somebody who may change it has done so since."
        case HoldState.WITHDRAWN:
            return f"{change}; both sides agree again."
    since = to_minute(hold.since)
    if hold.kind is HoldKind.CONFLICT:
        return f"{change}, {since}; each side keeps its own until {asked} has decided."
    if hold.kind is HoldKind.PING_PONG:
        return (
            f"{change} ({company}) and put back {hold.rounds} times; it is left alone since {since}, until {asked} "
            "has decided."
        )
    return f"{change} by {author}, {since}; it does not cross until {asked} has decided."


def _change(agreement: Agreement, rule: FieldRule, hold: Hold, side: Side) -> str:
    def told(value: Value, of: Side) -> str:
        seen = value_for(agreement, rule, value, of, side)
        return {UNSEEN: "a text" if rule.name in WORDS else "a value", NOTHING: "nothing"}.get(
            seen, f"'{seen}'"
        )

    if hold.kind is HoldKind.CONFLICT:
        mine, theirs = (hold.other, hold.value) if hold.side is Side.VENDOR else (hold.value, hold.other)
        inner, outer = agreement.internal.company, agreement.vendor.company
        both = f"{told(mine, Side.INTERNAL)} ({inner}), {told(theirs, Side.VENDOR)} ({outer})"
        return f"{rule.name} was changed differently on both sides: {both}"
    if isinstance(hold.value, frozenset) and isinstance(hold.before, frozenset):
        new, old = hold.value - hold.before, hold.before - hold.value
        signed = [
            f"{word} {told(part, hold.side)}" for word, part in (("added", new), ("removed", old)) if part
        ]
        return f"{rule.name}: {', '.join(signed)}"
    return f"{rule.name} was changed from {told(hold.before, hold.side)} to {told(hold.value, hold.side)}"


def _reason(words: str) -> str:
    return f" (\u201c{words}\u201d)" if words else ""
