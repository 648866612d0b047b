"""What the store hands out: frozen rows, and the words their states are made of.

These are values. To change one, call the repository that owns it; the row in hand stays as it was when it was
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.sync.ticket import Side


class LinkState(StrEnum):
    """What a link is up to."""

    NEW = "new"
    """Found to be in scope; its peer is still to be created."""
    ACTIVE = "active"
    """Both tickets exist and are kept in agreement."""
    HELD = "held"
    """Kept in agreement, but for at least one change that waits for a named person."""
    PARKED = "parked"
    """Cannot proceed, for ``reason``; is tried again at ``next_try`` or when something changes."""
    CLOSED = "closed"
    """Ended. Only :meth:`~bridge.store.links.Links.set_state` opens it again."""


class IntentKind(StrEnum):
    """Writes that a tracker cannot undo or recognise twice."""

    CREATE = "create"
    COMMENT = "comment"
    TRANSITION = "transition"
    ATTACH = "attach"
    WORKLOG = "worklog"


class IntentState(StrEnum):
    """How far an intent has come."""

    PLANNED = "planned"
    """Noted; the request has not left yet."""
    SENT = "sent"
    """The request may have left. Found after a crash, it means the same as UNKNOWN."""
    UNKNOWN = "unknown"
    """The answer was lost: look before sending again."""
    DONE = "done"
    """It happened; ``result`` says what came of it."""
    DEAD = "dead"
    """It did not happen and is not wanted any more; ``reason`` says why."""

    @property
    def open(self) -> bool:
        """Whether the outcome is still owed."""
        return self not in (IntentState.DONE, IntentState.DEAD)


@dataclass(frozen=True, slots=True)
class Link:
    """Two tickets that mirror each other under one agreement, or one whose peer is still to be created.

    Attributes:
        id: row id; never used again for another link.
        agreement: the agreement's name.
        origin: the side on which the ticket was first found.
        internal_id: the tracker's id of the internal ticket; None while it does not exist.
        internal_key: what people call it; "" while it does not exist.
        vendor_id: likewise on the vendor's side.
        vendor_key: likewise on the vendor's side.
        marker: the mark that the peer carries from its creation.
        state: see LinkState.
        gen: counts wake-ups; what is wanted.
        done_gen: the ``gen`` that the newest finished work had seen; equal to ``gen`` when nothing is owed.
        due_at: when it should be looked at, microseconds; None for "only when woken".
        epoch: counts starts; a finish with an older one is refused.
        attempts: how often in a row it was parked.
        reason: why it is parked, for people; "" otherwise.
        reason_since: since when it has been parked without a break.
        next_try: when a parked link is tried again by itself.
        internal_linked: the link back is written on the internal ticket.
        vendor_linked: the link back is written on the vendor's ticket.
        findings: what the newest plan had to remark, as JSON.
        created_at: when the ticket was found.
        synced_at: when both sides were last brought into agreement.
    """

    id: int
    agreement: str
    origin: Side
    internal_id: str | None
    internal_key: str
    vendor_id: str | None
    vendor_key: str
    marker: str
    state: LinkState
    gen: int
    done_gen: int
    due_at: int | None
    epoch: int
    attempts: int
    reason: str
    reason_since: int | None
    next_try: int | None
    internal_linked: bool
    vendor_linked: bool
    findings: tuple[dict[str, Any], ...]
    created_at: int
    synced_at: int | None

    def ticket(self, side: Side) -> str | None:
        """The ticket's id on that side, None while it does not exist."""
        return self.internal_id if side is Side.INTERNAL else self.vendor_id

    def key(self, side: Side) -> str:
        """The ticket's key on that side, "" while it does not exist."""
        return self.internal_key if side is Side.INTERNAL else self.vendor_key

    def linked(self, side: Side) -> bool:
        """Whether the link back is written on that side's ticket."""
        return self.internal_linked if side is Side.INTERNAL else self.vendor_linked


@dataclass(frozen=True, slots=True)
class Intent:
    """The durable note written before a write that a tracker cannot undo or recognise twice.

    Attributes:
        id: row id.
        link_id: the link it is for.
        kind: see IntentKind.
        side: where the write goes.
        marker: the mark by which the result can be found again; "" where the tracker can carry none.
        subject: what it is about: the id of the comment or file to copy, the status to reach; "" for a create.
        state: see IntentState.
        created_at: when it was planned; nothing that came of it is older than this.
        sent_at: when the request was last about to leave; None while planned.
        resolved_at: when it became done or dead.
        result: the tracker's id of what was made; "" while unknown.
        detail: what is needed to recognise and adopt the result, texts among it; emptied once the outcome is known.
        attempts: how often it was sent.
        reason: why it is dead; "" otherwise.
    """

    id: int
    link_id: int
    kind: IntentKind
    side: Side
    marker: str
    subject: str
    state: IntentState
    created_at: int
    sent_at: int | None = None
    resolved_at: int | None = None
    result: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    reason: str = ""


class LetterState(StrEnum):
    """How far a letter has come."""

    QUEUED = "queued"
    """To be handed to the mail server at ``due_at``; what a killed process had claimed is queued as well."""
    SENT = "sent"
    """The mail server has taken it."""
    DEAD = "dead"
    """Given up, or not wanted any more, for ``reason``."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail on its way out.

    Attributes:
        id: row id; 0 before it is stored.
        key: what it is about, e.g. ``hold/17/opened``: the same thing is told once.
        agreement: under which agreement.
        to: addresses, from the configuration alone.
        subject: without line breaks.
        text: the plain form of its body.
        html: the other form; "" for none.
        message_id: fixed at the beginning, so that a second sending can be recognised; without its domain until it is
            first handed over.
        created_at: when it was put here.
        link_id: about which link, None when about none.
        state: see LetterState.
        due_at: when it is to be handed over next; None when that is over.
        attempts: how often that was tried.
        reason: what the mail server said last; "" when nothing.
        sent_at: when the mail server took it for all of them.
        references: ids of the letters that it follows on, oldest first, without their domain.
        owed: those of ``to`` for whom no mail server has taken it yet; the store fills this in.
        channel: by which way it goes: ``mail``, or ``hook`` for a signed webhook, whose name then stands in ``to`` and
            whose JSON body is ``text``.
    """

    id: int
    key: str
    agreement: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str
    created_at: int
    link_id: int | None = None
    state: LetterState = LetterState.QUEUED
    due_at: int | None = None
    attempts: int = 0
    reason: str = ""
    sent_at: int | None = None
    references: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    channel: str = "mail"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing that the bridge did or found.

    Attributes:
        id: row id; 0 before it is stored.
        at: when, microseconds of our own clock.
        agreement: under which agreement; "" when it concerns the whole bridge.
        link_id: about which link, None when about none.
        event: a stable name, e.g. ``field.written``.
        data: what happened, as JSON.
    """

    id: int
    at: int
    agreement: str
    link_id: int | None
    event: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What is kept of a link for its clocks.

    Attributes:
        link_id: the link.
        agreement: its agreement.
        policy: version of the policy that it is measured by; "" until its timeline was first read.
        born: when its first ticket was created; None until then.
        stale_at: since when the trackers are to be asked again; None when they were.
        read_at: when they were last asked; None: never.
        next_at: the next instant at which a clock or a step of the ladder changes; None for never.
        timeline: as ``bridge.sla.serial`` writes it; empty until it was read.
        summary: what lists show without evaluating.
    """

    link_id: int
    agreement: str
    policy: str = ""
    born: int | None = None
    stale_at: int | None = None
    read_at: int | None = None
    next_at: int | None = None
    timeline: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One version of an agreement's policy.

    Attributes:
        agreement: whose.
        version: its fingerprint.
        since: tickets born at or after this moment are measured by it, until the next version.
        seen_at: when the bridge first read it.
        content: as ``bridge.sla.serial`` writes it.
    """

    agreement: str
    version: str
    since: int
    seen_at: int
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """A step of a ladder that was taken: claimed once, told by what stands in the outbox under its key.

    Attributes:
        id: row id; 0 before it is stored.
        link_id: of which link.
        agreement: under which agreement.
        clock: of which clock.
        cycle: when that cycle began, microseconds.
        step: name of the step.
        round: 0 for the first time, then counting repetitions.
        at: the moment at which it was to be told.
        claimed_at: when that was noticed.
        detail: what was done: roles, channels, whether it was late and why.
    """

    id: int
    link_id: int
    agreement: str
    clock: str
    cycle: int
    step: str
    round: int
    at: int
    claimed_at: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody said: I have seen it.

    Attributes:
        link_id: of which link.
        clock: of which clock; "" for all of the ticket's.
        cycle: when that cycle began; 0 with clock "".
        at: when, microseconds.
        detail: ``who``, ``side`` and ``how`` (``mail``, ``command``, ``comment``).
    """

    link_id: int
    clock: str
    cycle: int
    at: int
    detail: Mapping[str, Any] = field(default_factory=dict)
