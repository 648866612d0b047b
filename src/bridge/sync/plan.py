"""The values that a decision is made of: what is known of a link, and the plan that would bring it into agreement.

A plan is plain data: small actions for the shell to carry out, findings for people, and what to remember. It can be
printed, compared and thrown away; nothing in it can act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.markup import Document
from bridge.sync.base import Base, CommentPair, PairState, PartPair, encode_value
from bridge.sync.ticket import Attachment, Side, Ticket, Value


@dataclass(frozen=True, slots=True)
class View:
    """One side of a link as it was seen.

    Attributes:
        ticket: the ticket, or None when it is not there (see ``exists``).
        base: what this side looked like at the last agreement.
        strong: read by id during this run, not taken from a search.
        exists: False when the ticket is still to be created; True with ``ticket`` None means it is gone from our sight.
    """

    ticket: Ticket | None
    base: Base = field(default_factory=Base)
    strong: bool = True
    exists: bool = True


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link and everything that a decision about it may use.

    Attributes:
        origin: the side on which the ticket was first.
        marker: the bridge's mark for this link.
        internal: the internal side.
        vendor: the vendor's side.
        pairs: comments that mirror each other.
        linked: sides that already carry the link back.
        changed_at: field -> (internal, vendor) times of its last change, for rules that need them.
        parts: files and other parts that mirror each other.
        files_move: whether the bridge can move the files of both trackers.
    """

    origin: Side
    marker: str
    internal: View
    vendor: View
    pairs: tuple[CommentPair, ...] = ()
    linked: frozenset[Side] = frozenset()
    changed_at: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    parts: tuple[PartPair, ...] = ()
    files_move: bool = True

    def view(self, side: Side) -> View:
        """That side."""
        return self.internal if side is Side.INTERNAL else self.vendor


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a field is written; becomes a journal entry when the write succeeded.

    Attributes:
        field: canonical name.
        to: side that is written.
        before: what stood there.
        after: what is written.
        winner: the side whose value stands; None for a merge of both.
        why: ``changed``, ``owner``, ``newest``, ``merged``, ``initial``.
        loser: side and value that gave way, kept so that nobody's words are lost.
    """

    field: str
    to: Side
    before: Value
    after: Value
    winner: Side | None
    why: str
    loser: tuple[Side, Value] | None = None

    def as_json(self) -> dict[str, Any]:
        """The journal's form."""
        data: dict[str, Any] = {
            "field": self.field,
            "to": self.to.value,
            "before": encode_value(self.before),
            "after": encode_value(self.after),
            "winner": self.winner.value if self.winner else "both",
            "why": self.why,
        }
        if self.loser is not None:
            data["loser"] = {"side": self.loser[0].value, "value": encode_value(self.loser[1])}
        return data


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Create the peer on ``side``.

    Attributes:
        side: where.
        values: canonical name -> value in that side's vocabulary; no status.
        shown: the same as the tracker will show them: its base.
        origin_base: the origin's values now: its base.
    """

    side: Side
    values: Mapping[str, Value]
    shown: Mapping[str, Value]
    origin_base: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class UpdateFields:
    """Set fields on ``side``. ``settles``: field -> (internal, vendor) base once this is done."""

    side: Side
    values: Mapping[str, Value]
    settles: Mapping[str, tuple[Value, Value]]
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Walk the workflow on ``side`` to ``goal``; see ``workflow.next_step``."""

    side: Side
    goal: str
    settles: tuple[Value, Value]
    decision: Decision
    via: tuple[str, ...] = ()
    fill: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddComment:
    """Carry a comment over to ``side``."""

    side: Side
    origin_id: str
    origin_digest: str
    body: Document
    copy_digest: str


@dataclass(frozen=True, slots=True)
class EditComment:
    """Rewrite our copy on ``side`` after its origin changed, or after somebody else rewrote the copy."""

    side: Side
    pair: CommentPair
    body: Document
    origin_digest: str
    copy_digest: str
    why: Literal["changed", "restored"]
    loser: str = ""


@dataclass(frozen=True, slots=True)
class DeleteComment:
    """Take our copy on ``side`` back: the author deleted the original, or made it private."""

    side: Side
    pair: CommentPair
    why: Literal["deleted", "private"]


@dataclass(frozen=True, slots=True)
class AddAttachment:
    """Carry a file over to ``side``. ``pair`` is its record so far, or a new one."""

    side: Side
    file: Attachment
    pair: PartPair


@dataclass(frozen=True, slots=True)
class SpillText:
    """Attach the whole of a text on ``side``, where only its beginning fits; an older such file goes.

    Attributes:
        side: where.
        pair: its record so far, or a new one.
        name: the file's name.
        text: Markdown.
        digest: SHA-256 of it, in hex.
    """

    side: Side
    pair: PartPair
    name: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class DeleteAttachment:
    """Take our copy of a file on ``side`` back: the original was deleted, or belongs to a private text now."""

    side: Side
    pair: PartPair
    why: Literal["deleted", "private"]


@dataclass(frozen=True, slots=True)
class LinkBack:
    """Put a clickable link to the peer on ``side``."""

    side: Side


Action = (
    CreateTicket
    | UpdateFields
    | SetStatus
    | AddComment
    | EditComment
    | DeleteComment
    | AddAttachment
    | SpillText
    | DeleteAttachment
    | LinkBack
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something people should know; the link's other work goes on.

    Attributes:
        kind: stable name: ``unmapped``, ``held``, ``gone``, ``unreachable``, ``refused``, ``copy-deleted``,
            ``left-behind``, ``shortened``, ``fixed`` (a text that its tracker lets nobody change), ...
        side: where the cause is; None for the link as a whole.
        field: canonical name, or "".
        message: a sentence without the ticket's words.
    """

    kind: str
    side: Side | None
    field: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """The store's form."""
        return {
            "kind": self.kind,
            "side": self.side.value if self.side else None,
            "field": self.field,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What would bring a link into agreement.

    Attributes:
        actions: in an order that is safe to carry out.
        findings: for people.
        settled: field -> (internal, vendor): found in agreement, to be recorded as base without any write.
        pairs: comment pairs whose record changes without any write.
        coincided: fields among ``settled`` that both sides had brought into agreement by themselves.
        unsure: fields that need the histories of both tickets before they can be decided.
        parts: records of files whose state changes without any write.
        deferred: a text waits for a file that it shows: the link has to be looked at once more.
    """

    actions: tuple[Action, ...] = ()
    findings: tuple[Finding, ...] = ()
    settled: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    pairs: tuple[CommentPair, ...] = ()
    coincided: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    parts: tuple[PartPair, ...] = ()
    deferred: bool = False

    def rests_on(self, side: Side) -> bool:
        """Whether that side must have been read by id before this plan is carried out.

        What is written over is read first; and so is the author's side of a comment: it may have been made private.
        """
        for act in self.actions:
            match act:
                case AddComment(side=to) | AddAttachment(side=to) | SpillText(side=to):
                    needed = to.other is side
                case EditComment():
                    needed = True
                case CreateTicket() | LinkBack():
                    needed = False
                case _:
                    needed = act.side is side
            if needed:
                return True
        return False

    @property
    def destroys(self) -> bool:
        """Whether something is deleted or given up that no later look would bring back.

        Such a plan must rest on strong reads of both sides. A search that trails may not show a copy that we have
        just made, and would have its pair closed; and an agreement found in an old state would let a change that is
        older pass for one that came after it.
        """
        return (
            any(isinstance(act, DeleteComment | DeleteAttachment) for act in self.actions)
            or any(pair.state is not PairState.PAIRED for pair in self.pairs)
            or any(part.state is not PairState.PAIRED for part in self.parts)
            or bool(self.coincided)
        )
