"""An agreement as the core needs it: frozen, checked, free of files and credentials.

``config`` builds these from the agreement files; the core only reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from bridge.markup import Dialect, Mention
from bridge.sync.brakes import BrakeRule
from bridge.sync.redaction import NOTHING, Redaction
from bridge.sync.roles import Grant, HoldRule, Mode, Pilot, Role, Unentitled
from bridge.sync.ticket import Side

TEXT_FIELDS = frozenset({"description"})
"""Fields whose value is a Document."""

LISTED_FIELDS = ("components", "fix-versions", "affects-versions")
"""Sets whose members the target's project must already have: components and versions."""

SET_FIELDS = frozenset({"labels", *LISTED_FIELDS})
"""Fields whose value is always a set of names; custom fields of a set type are recognised by their value."""

PERSON_FIELDS = frozenset({"assignee"})
"""Built-in fields whose value is a Person; custom fields that hold one are recognised by their value."""

BUILT_IN_FIELDS = (
    "summary",
    "description",
    "type",
    "priority",
    "status",
    "labels",
    "due",
    "assignee",
    *LISTED_FIELDS,
)
"""Canonical names every adapter knows; any other name in ``fields`` is a custom field."""


class Rule(StrEnum):
    """Who wins when both sides changed a field differently since they last agreed."""

    OWNER = "owner"
    NEWEST = "newest"
    MERGE = "merge"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What becomes of a value that has no pair in the value map.

    Attributes:
        kind: ``hold``: it does not cross, a finding says so. ``keep``: it does not cross, silently. ``same``: it
            crosses under its own name. ``value``: ``values[side]`` is written on that side instead.
        values: the stand-in per receiving side, for kind ``value``.
    """

    kind: Literal["hold", "keep", "same", "value"] = "hold"
    values: Mapping[Side, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field crosses.

    Attributes:
        name: canonical name.
        rule: who wins a conflict. With OWNER, a change by the other side alone is undone as well.
        owner: the owning side; set exactly when ``rule`` is OWNER.
        names: the field's name in each tracker; for built-in fields the canonical name.
        values: (internal, vendor) pairs in file order; empty means that values cross as they are. Several internal
            values may share a vendor value and the reverse: the first pair wins where one must be chosen.
        otherwise: what to do with a value that no pair names; used only when ``values`` (or people) map.
        only: glob patterns; for sets, members that match none stay on their own side untouched.
        via: side -> goal status -> the statuses to pass on the way, where no direct step is offered.
        fill: side -> status -> screen field -> value to give on the step into that status.
        may: side -> what its people may do with the field; a side that is absent may do everything, unless the other
            one owns the field: then nothing. An empty tuple: nothing.
        unentitled: what becomes of a change that its author may not make; None: see ``Agreement.unentitled``.
        redaction: the agreement's rules; a member of a set in which something must go stays on its own side.
    """

    name: str
    rule: Rule = Rule.NEWEST
    owner: Side | None = None
    names: Mapping[Side, str] = field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()
    otherwise: Otherwise = Otherwise()
    only: tuple[str, ...] = ()
    via: Mapping[Side, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    fill: Mapping[Side, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    may: Mapping[Side, tuple[Grant, ...]] = field(default_factory=dict)
    unentitled: Unentitled | None = None
    redaction: Redaction = NOTHING

    def name_on(self, side: Side) -> str:
        """The field's name in that side's tracker."""
        return self.names.get(side, self.name)


@dataclass(frozen=True, slots=True)
class Privacy:
    """Who may read the private comments that the bridge writes on a side, where its tracker asks for somebody.

    A service desk, Redmine and Request Tracker have private comments of their own and need neither.

    Attributes:
        role: Jira: name of a project role that our account is in.
        group: Jira: name of a group that our account is in.
    """

    role: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """One side of an agreement.

    Attributes:
        tracker: name of the tracker in the configuration.
        project: project key (Jira), identifier (Redmine) or name of a queue (Request Tracker).
        select: which tickets of the project come into scope, in the tracker's own query language; "" means all.
        company: how this party is called in texts that cross.
        dialect: the tracker's markup.
        on_create: field name -> value given to tickets that the bridge creates on this side.
        privacy: who may read the private comments that the bridge writes here.
        threads: whether a comment can be the answer to another one here.
        text_limit: longest text that the tracker takes, in characters of its own form.
        since: tickets created before this moment (microseconds) get no link by themselves; 0 means all may.
        edits_texts: whether its tracker lets a description or a comment be changed or taken back once it is written,
            and a file be removed.
        summary_limit: longest summary that its tracker keeps, in characters.
    """

    tracker: str
    project: str
    company: str
    dialect: Dialect
    select: str = ""
    on_create: Mapping[str, str] = field(default_factory=dict)
    privacy: Privacy = Privacy()
    threads: bool = False
    text_limit: int = 32_767
    since: int = 0
    edits_texts: bool = True
    summary_limit: int = 255


@dataclass(frozen=True, slots=True)
class CommentRule:
    """Which comments cross, and how their author is named.

    Attributes:
        cross: sides whose comments cross.
        attribute: template with ``{author}`` and ``{company}``.
        private: whether private comments cross, as private ones; False means that they never do.
        mentions: whether a mention of somebody among the agreement's ``people`` is a live mention of their counterpart.
    """

    cross: frozenset[Side] = frozenset(Side)
    attribute: str = "{author} ({company})"
    private: bool = False
    mentions: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentRule:
    """Which files cross. Without a word in the agreement: none.

    Attributes:
        cross: sides whose files cross; those of private texts never do.
        most: bytes of the largest file that crosses.
        types: patterns of media types that cross; empty: all. What can act when opened must be named in full.
        names: patterns of file names that do not cross.
        deletes: what becomes of the copy of a file that was deleted: it goes too, or it is kept.
        redacted: whether texts in files are looked into on their way.
    """

    cross: frozenset[Side] = frozenset()
    most: int = 25_000_000
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    deletes: Literal["follow", "keep"] = "follow"
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class DeletedRule:
    """What becomes of the peer of a ticket that was deleted; it is never deleted itself.

    Attributes:
        tell: a short comment says so on the peer.
        close: side of the peer -> status that it is moved to; a side that is not named keeps its status.
    """

    tell: bool = True
    close: Mapping[Side, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkRule:
    """A type of link between tickets that crosses.

    Attributes:
        internal: its name in the internal tracker.
        vendor: its name in the vendor's tracker.
        reversed: the vendor's type reads the other way round: "blocks" here is "is preceded by" there.
    """

    internal: str
    vendor: str
    reversed: bool = False

    def name_on(self, side: Side) -> str:
        """The type's name in that side's tracker."""
        return self.internal if side is Side.INTERNAL else self.vendor


@dataclass(frozen=True, slots=True)
class RelationRule:
    """Which relations between two mirrored tickets cross; by default none does.

    Attributes:
        parent: parents and sub-tasks.
        links: types of links; any other type stays where it is.
    """

    parent: bool = False
    links: tuple[LinkRule, ...] = ()


@dataclass(frozen=True, slots=True)
class WorklogRule:
    """Whose worklogs cross, and how their author is named; by default none does.

    Attributes:
        cross: sides whose worklogs cross.
        attribute: template with ``{author}`` and ``{company}``.
    """

    cross: frozenset[Side] = frozenset()
    attribute: str = "{author} ({company})"


@dataclass(frozen=True, slots=True)
class Classification:
    """What keeps a whole ticket from crossing, as if it were private.

    Attributes:
        labels: patterns of labels, on either side.
        names: side -> name of the field there that says how secret a ticket is; a side without one is absent.
        values: patterns of what that field says of a ticket that does not cross.
    """

    labels: tuple[str, ...] = ()
    names: Mapping[Side, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()


CLASSIFICATION = "(classification)"
"""Canonical name under which that field is read; no field of an agreement is called so."""

ShowPeople = Literal["name", "role", "company"]
"""How people are called on the other side."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What an organisation and one vendor agreed.

    Attributes:
        name: unique name; part of every marker.
        internal: the organisation's side.
        vendor: the vendor's side.
        create_on: sides on which the bridge may create tickets (the mirrors of the other side's tickets).
        fields: the fields that cross; anything not named here never does.
        comments: how comments cross.
        attachments: which files cross.
        people: (internal, vendor) pairs; each names a person by any id or handle of that side's tracker.
        mentionable: (internal, vendor) pairs of those among ``people`` whom both trackers know, as each tracker's texts
            mention them. Found out by the shell, and only where the agreement lets mentions be live.
        relations: which parents and links cross.
        worklogs: whose worklogs cross.
        deleted: what becomes of the peer of a ticket that was deleted.
        twins: what one link adds: side -> name or address of a file there -> ``name`` and ``url`` of its twin on the
            other side. Empty in a configuration.
        roles: named responsibilities on both sides, in file order.
        holds: who decides about changes that nobody was entitled to make.
        mode: how much it does.
        pilot: for which tickets, in mode ``pilot``.
        brakes: how much may be changed at once.
        redaction: what is cut out of words before they leave.
        classified: which tickets do not cross at all.
        show_people: how people are called on the other side.
        control: tickets on which the head of the audit chain is told, by side; they are never mirrored.
    """

    name: str
    internal: Scope
    vendor: Scope
    create_on: frozenset[Side] = frozenset(Side)
    fields: tuple[FieldRule, ...] = ()
    comments: CommentRule = CommentRule()
    attachments: AttachmentRule = AttachmentRule()
    people: tuple[tuple[str, str], ...] = ()
    mentionable: tuple[tuple[Mention, Mention], ...] = ()
    relations: RelationRule = RelationRule()
    worklogs: WorklogRule = WorklogRule()
    deleted: DeletedRule = DeletedRule()
    twins: Mapping[Side, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    holds: HoldRule = field(default_factory=HoldRule)
    mode: Mode = Mode.LIVE
    pilot: Pilot = field(default_factory=Pilot)
    brakes: BrakeRule = field(default_factory=BrakeRule)
    redaction: Redaction = NOTHING
    classified: Classification = field(default_factory=Classification)
    show_people: ShowPeople = "name"
    control: Mapping[Side, str] = field(default_factory=dict)

    def scope(self, side: Side) -> Scope:
        """That side's scope."""
        return self.internal if side is Side.INTERNAL else self.vendor

    def field(self, name: str) -> FieldRule | None:
        """The rule of a field, or None when it does not cross."""
        return next((rule for rule in self.fields if rule.name == name), None)

    def role(self, name: str) -> Role | None:
        """The role of that name."""
        return next((role for role in self.roles if role.name == name), None)

    def unentitled(self, rule: FieldRule) -> Unentitled:
        """What becomes of a change of that field which its author may not make.

        A hold needs somebody who decides: an agreement without roles undoes the change instead.
        """
        return rule.unentitled or (Unentitled.HOLD if self.roles else Unentitled.REVERT)
