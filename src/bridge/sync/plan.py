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
from bridge.sync.holding import Hold
from bridge.sync.ticket import Attachment, FieldChange, Person, Relation, Side, Ticket, Value, Worklog


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
class Neighbour:
    """Another pair of mirrored tickets under the same agreement, to which a ticket of this link is related.

    Attributes:
        link: row id of its link.
        tickets: side -> the ticket's id.
        keys: side -> what people call it.
    """

    link: int
    tickets: Mapping[Side, str]
    keys: Mapping[Side, str]

    def ticket(self, side: Side) -> str:
        """The id of its ticket on that side."""
        return self.tickets[side]

    def key(self, side: Side) -> str:
        """The key of its ticket on that side."""
        return self.keys[side]


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
        id: row id of the link.
        parts: files, relations and worklogs that mirror each other.
        neighbours: side -> id of a related ticket -> its pair; one that is not mirrored is absent.
        files_move: whether the bridge can move the files of both trackers.
        holds: every hold that the link ever had, oldest first.
        histories: side -> the field changes of its ticket, oldest first; a side that is absent was not asked.
        now: the time, microseconds; 0 where nothing depends on it.
    """

    origin: Side
    marker: str
    internal: View
    vendor: View
    pairs: tuple[CommentPair, ...] = ()
    linked: frozenset[Side] = frozenset()
    changed_at: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    id: int = 0
    parts: tuple[PartPair, ...] = ()
    neighbours: Mapping[Side, Mapping[str, Neighbour]] = field(default_factory=dict)
    files_move: bool = True
    holds: tuple[Hold, ...] = ()
    histories: Mapping[Side, tuple[FieldChange, ...]] = field(default_factory=dict)
    now: int = 0

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
        why: ``changed``, ``owner``, ``newest``, ``merged``, ``initial``, ``reverted``, ``approved``, ``rejected``.
        loser: side and value that gave way, kept so that nobody's words are lost.
        who: who made the change that crosses, by the tracker's own history; None when it does not say.
        event: id of the entry in that history; "" when there is none.
        by: who decided about a hold, as they gave their name; "" when nobody had to.
        flagged: its author may not make this change, and the rule lets it cross all the same.
    """

    field: str
    to: Side
    before: Value
    after: Value
    winner: Side | None
    why: str
    loser: tuple[Side, Value] | None = None
    who: Person | None = None
    event: str = ""
    by: str = ""
    flagged: bool = False

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
        if self.who is not None:
            data["who"] = encode_value(self.who)
        data |= {key: value for key, value in (("event", self.event), ("by", self.by)) if value}
        if self.flagged:
            data["flagged"] = True
        return data


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Create the peer on ``side``.

    Attributes:
        side: where.
        values: canonical name -> value in that side's vocabulary; no status.
        shown: the same as the tracker will show them: its base.
        origin_base: the origin's values now: its base.
        parent: id of the ticket on that side that it becomes a part of; "" for none.
    """

    side: Side
    values: Mapping[str, Value]
    shown: Mapping[str, Value]
    origin_base: Mapping[str, Value]
    parent: str = ""


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
    """Carry a comment over to ``side``.

    Attributes:
        side: where.
        origin_id: id of the original.
        origin_digest: digest of its text.
        body: what to write.
        copy_digest: digest of what the tracker will show.
        private: it is a private comment, and may only be written as one.
        answers: id, on the original's side, of the comment that it answers; "" when it answers none that crosses.
    """

    side: Side
    origin_id: str
    origin_digest: str
    body: Document
    copy_digest: str
    private: bool = False
    answers: str = ""


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
    """Take our copy on ``side`` back.

    ``why``: the author deleted the original, or made it private or public again; or the copy of a private comment
    was exposed: it is not private any more.
    """

    side: Side
    pair: CommentPair
    why: Literal["deleted", "private", "public", "exposed"]


TAKEN_BACK: Mapping[str, str] = {
    "deleted": "the original was deleted",
    "private": "the original is private",
    "public": "the original is public now",
    "exposed": "it was not private any more",
}
"""Why a copy is taken back, in words."""


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


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Say on ``side`` what is held and what became of it: one comment of the bridge's own, updated in place.

    Attributes:
        side: where.
        body: what to write.
        said: digest of what it says: it is written again only when that changes.
        pair: the record of the comment that is there; None for none. Where comments cannot be changed, or where people
            have deleted it, a new one is written all the same.
    """

    side: Side
    body: Document
    said: str
    pair: CommentPair | None = None


@dataclass(frozen=True, slots=True)
class SetParent:
    """Make the ticket on ``side`` a part of another one; ``parent`` is its id, "" for none, ``key`` what it is called.

    ``pairs`` are the records once this is done; the last one is of the new parent, where there is one.
    """

    side: Side
    parent: str
    key: str
    pairs: tuple[PartPair, ...]


@dataclass(frozen=True, slots=True)
class AddRelation:
    """Link the ticket on ``side`` to another one there; it starts at this ticket when ``outward``."""

    side: Side
    kind: str
    other: str
    key: str
    outward: bool
    pair: PartPair


@dataclass(frozen=True, slots=True)
class RemoveRelation:
    """Take a link on ``side`` away: it was taken away on the other side.

    ``lost`` is the id there of the ticket that it led to: a ticket that we may not see hides its links as well.
    """

    side: Side
    relation: Relation
    lost: str
    pair: PartPair


@dataclass(frozen=True, slots=True)
class AddWorklog:
    """Book the copy of a worklog on ``side``; ``shown`` is the digest of its text as that tracker will show it."""

    side: Side
    started: int
    seconds: int
    body: Document
    shown: str
    pair: PartPair


@dataclass(frozen=True, slots=True)
class EditWorklog:
    """Have our copy on ``side`` follow its original; ``pair`` is the record once this is done."""

    side: Side
    started: int
    seconds: int
    body: Document
    shown: str
    pair: PartPair
    copy: Worklog | None
    why: Literal["changed", "restored"]


@dataclass(frozen=True, slots=True)
class DeleteWorklog:
    """Take our copy of a worklog on ``side`` back: the original was deleted, or made private."""

    side: Side
    pair: PartPair
    copy: Worklog | None
    why: Literal["deleted", "private"]


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
    | WriteNote
    | SetParent
    | AddRelation
    | RemoveRelation
    | AddWorklog
    | EditWorklog
    | DeleteWorklog
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something people should know; the link's other work goes on.

    Attributes:
        kind: stable name: ``unmapped``, ``held``, ``gone``, ``moved-out``, ``unreachable``, ``refused``,
            ``copy-deleted``, ``left-behind``, ``shortened``,
            ``fixed`` (a text that its tracker lets nobody change), ...
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


AWAY = frozenset({"gone", "moved-out", "archived", "merged", "another-ticket"})
"""Kinds of findings that keep a whole link from going on: a ticket of it is out of the agreement's reach."""


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
        parts: pairs of parts whose record changes without any write.
        waits: (side, ticket id): related tickets that are not mirrored; when one is, this link is looked at again.
        deferred: the link has to be looked at once more: a text waits for a file that it shows, or a hold has changed
            of which both tickets are to be told.
        holds: holds that are new (``id`` 0) or have changed; one whose state is ``owed`` is stored only together with
            its field's new base.
        asks: sides whose ticket's history is needed to say who made a change.
        again: when the link is to be looked at again at the latest, microseconds; None when nothing waits for time.
    """

    actions: tuple[Action, ...] = ()
    findings: tuple[Finding, ...] = ()
    settled: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    pairs: tuple[CommentPair, ...] = ()
    coincided: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    parts: tuple[PartPair, ...] = ()
    waits: frozenset[tuple[Side, str]] = frozenset()
    deferred: bool = False
    holds: tuple[Hold, ...] = ()
    asks: frozenset[Side] = frozenset()
    again: int | None = None

    def rests_on(self, side: Side) -> bool:
        """Whether that side must have been read by id before this plan is carried out.

        What is written over is read first; and so is the author's side of a comment: it may have been made private.
        """
        for act in self.actions:
            match act:
                case AddComment(side=to) | AddWorklog(side=to) | AddAttachment(side=to) | SpillText(side=to):
                    needed = to.other is side
                case EditComment() | EditWorklog():
                    needed = True
                case CreateTicket() | LinkBack() | WriteNote():
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
            any(
                isinstance(act, DeleteComment | DeleteAttachment | RemoveRelation | SetParent | DeleteWorklog)
                for act in self.actions
            )
            or any(not pair.state.live for pair in self.pairs)
            or any(pair.state is not PairState.PAIRED for pair in self.parts)
            or bool(self.coincided)
            or bool(self.holds)
        )
