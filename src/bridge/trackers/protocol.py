"""What the house asks of a tracker, whatever its kind.

An adapter is thin: it turns canonical values into its tracker's requests and answers into canonical values,
raises only :mod:`bridge.errors`, and decides nothing. It is shared by many threads, so it keeps one session
per thread (advice of the requests maintainers, psf/requests#1871). Every method that talks to the tracker
may raise ``Unreachable``, ``Unauthorised``, ``Throttled``, ``Unintelligible``; what else it raises is said
at the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from bridge.markup import Dialect, Document, Mention
from bridge.sync.agreement import Privacy, Scope
from bridge.sync.ticket import FieldChange, Person, Ticket, Transition, Value
from bridge.trackers.files import Files
from bridge.trackers.structure import Structure
from bridge.trackers.survey import Flaw, Need


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a tracker of this kind can do; the rest of the house adapts instead of asking for its kind.

    Attributes:
        dialect: the markup of its texts.
        fields: canonical built-in fields it has (Redmine has no labels).
        search_has_comments: a search result carries the whole ticket, so that it can stand for a read.
        comment_edits_bump: an edited comment moves the ticket's ``updated``, so that polling sees it.
        read_back: refusals look like successes, so every write must be read back (Redmine, RT).
        coarse_stamps: ``updated`` is in whole seconds, so that two changes within one look alike.
        summary_limit: longest summary, in characters.
        text_limit: longest text, in characters of the native form.
        attachments: files can be moved, see :class:`bridge.trackers.files.Files`.
        relations: tickets can have parents and links, see :class:`bridge.trackers.structure.Structure`.
        worklogs: time can be booked on tickets, see the same.
    """

    dialect: Dialect
    fields: frozenset[str]
    search_has_comments: bool
    comment_edits_bump: bool
    read_back: bool
    coarse_stamps: bool = False
    summary_limit: int = 255
    text_limit: int = 32_767
    attachments: bool = False
    relations: bool = False
    worklogs: bool = False


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field the agreement maps, as this side must know it to read and write it.

    Attributes:
        canonical: name in the core.
        native: name in the tracker; the adapter finds the id behind it.
    """

    canonical: str
    native: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What a poll or census looks at.

    Attributes:
        scope: project and selection.
        fields: the mapped fields beyond the built-in ones.
        follow: ids of linked tickets, which stay in view when they no longer match the selection.
    """

    scope: Scope
    fields: tuple[FieldSpec, ...] = ()
    follow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A ticket's identity and age, without its content."""

    id: str
    key: str
    updated: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be created.

    Attributes:
        project: project key.
        fields: canonical (or native custom) name -> value in the target's vocabulary; status is never among
            them. A person is given as the handle from the people map (str).
        marker: the bridge's mark, carried inside the create request itself. Nothing else about the origin
            goes along: the other company can read all of the request.
        parent: id of the ticket that it becomes a part of; "" for none.
    """

    project: str
    fields: Mapping[str, Value]
    marker: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """A ticket that now exists. ``ticket`` is its full state where the tracker's answer carries it."""

    id: str
    key: str
    url: str
    at: int
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class PeerLink:
    """A link to the peer that people can click.

    Attributes:
        url: the peer's address.
        title: what the link says, e.g. ``CUST-7 (Acme)``. Never the peer's summary: that may not be allowed
            to cross.
        marker: the link's mark: makes writing it again an update where the tracker can.
    """

    url: str
    title: str
    marker: str


@dataclass(frozen=True, slots=True)
class FieldMeta:
    """A field on a create screen: its name, whether it must be given, the values it takes (empty = any), its id."""

    name: str
    required: bool
    allowed: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class ProjectMeta:
    """What ``bridge check`` compares the agreement with.

    Attributes:
        types: names of ticket types; none where tickets have no type.
        statuses: type name -> statuses its workflow has, in the tracker's order; empty where that is not told.
        priorities: names; empty where they are not told, or are numbers.
        fields: names of all fields of the site or project, built-in ones by canonical name.
        create: type name -> fields on its create screen.
        missing_rights: what the account cannot do here -> the rights it lacks for that, in the tracker's words;
            whether the agreement needs it at all is not for the tracker to say.
        marker: why the bridge's mark cannot be put on new tickets here; nothing where it can.
        private_notes: whether a comment can be private here by itself; where False it takes a role or a group.
        link_types: names of the types of links between tickets.
        unfit: native names of mapped fields that cannot be used, and why: two fields bear the name, or the values of
            its type cannot cross.
    """

    types: tuple[str, ...]
    statuses: Mapping[str, tuple[str, ...]]
    priorities: tuple[str, ...]
    fields: tuple[str, ...]
    create: Mapping[str, tuple[FieldMeta, ...]] = field(default_factory=dict)
    missing_rights: Mapping[Need, tuple[str, ...]] = field(default_factory=dict)
    marker: tuple[Flaw, ...] = ()
    private_notes: bool = True
    unfit: Mapping[str, str] = field(default_factory=dict)
    link_types: tuple[str, ...] = ()


class Tracker(Protocol):
    """One ticketing system. ``name`` is from the configuration, ``kind`` from the entry point.

    ``structure`` moves parents, links and worklogs; it is :class:`bridge.trackers.structure.NoStructure` where the
    adapter cannot. ``files`` moves its files, and is
    :class:`bridge.trackers.files.NoFiles` where it cannot.
    """

    name: str
    kind: str
    abilities: Abilities

    @property
    def files(self) -> Files:
        """What moves its files."""

    @property
    def structure(self) -> Structure:
        """What stands between and beside its tickets."""

    def whoami(self) -> Person:
        """The account we are logged in as.

        Raises:
            Unauthorised: the login is refused, or treated as anonymous.
        """

    def now(self) -> int:
        """The tracker's own clock, microseconds UTC: ours plus the skew that its latest answer showed."""

    def changes(self, watch: Watch, since: int, *, canary: str = "") -> Iterator[Sequence[Ticket]]:
        """Pages of tickets in view that changed at or after ``since`` (the tracker's clock), oldest first.

        Never with an upper bound, which would starve a ticket that keeps changing. ``canary`` is the id of
        a ticket that must be in every answer where the tracker might silently treat us as anonymous; the
        page that holds it only as canary leaves it in.

        Raises:
            Unauthorised: the canary is missing and the login turns out to be dead.
            Refused: the selection is not a query the tracker understands.
        """

    def census(self, watch: Watch) -> Iterator[Sequence[Stamp]]:
        """Pages of everything in view, whatever its age, without content."""

    def fetch(self, ids: Sequence[str], fields: Sequence[FieldSpec]) -> Mapping[str, Ticket]:
        """The present state of these tickets, strongly consistent, with all their comments.

        A ticket that is deleted or out of our sight is absent from the answer. In place of one that was merged into
        another stands that one, whose ``id`` then differs from the one that was asked for.
        """

    def histories(self, ids: Sequence[str]) -> Mapping[str, Sequence[FieldChange]]:
        """The field changes of these tickets, oldest first."""

    def find_marked(self, scope: Scope, marker: str, since: int) -> Sequence[Stamp]:
        """Tickets that carry the marker: found by it, or among what we created since ``since``.

        May lag behind (search indexes): an empty answer is no proof of absence until patience has passed.
        """

    def create(self, draft: Draft, fields: Sequence[FieldSpec]) -> Created:
        """Create a ticket.

        Raises:
            Refused: with the tracker's words, per field where it names one.
            OutcomeUnknown: it may exist; look for the marker.
        """

    def update(
        self,
        ticket: str,
        values: Mapping[str, Value],
        fields: Sequence[FieldSpec],
        *,
        was: frozenset[str] | None = None,
    ) -> int:
        """Set fields (never the status). Repeatable. Returns the tracker's time of the write, microseconds.

        Args:
            ticket: its id.
            values: canonical name -> new value; for labels the whole new set.
            fields: the mapped fields beyond the built-in ones.
            was: the labels that the new set was computed from, so that a tracker which can add and remove them one by
                one keeps those that somebody else adds at the same moment.

        Raises:
            Refused: with the tracker's words, per field where it names one. Also when a read-back shows it
                silently refused.
            Gone: no such ticket.
        """

    def transitions(self, ticket: str) -> Sequence[Transition]:
        """The steps offered to us from the ticket's present status."""

    def transition(self, ticket: str, step: Transition, values: Mapping[str, str]) -> int:
        """Take a step, giving screen fields. Returns the tracker's time of the write.

        Raises:
            Refused: the step needs something we did not give, or is not offered any more.
            Clashed: somebody else is moving the ticket.
            OutcomeUnknown: read the status again.
        """

    def add_comment(
        self, ticket: str, body: Document, marker: str, *, private: Privacy | None = None, parent: str = ""
    ) -> tuple[str, int]:
        """Add a comment; returns its id and the tracker's time of the write.

        Args:
            ticket: its id.
            body: the text.
            marker: our mark.
            private: None for a public comment; else it is private, from the first moment, and says to whom it is shown
                where the tracker asks. Whoever calls looks at the result with ``is_private``.
            parent: id of the comment on this ticket that it answers; "" for none, and ignored where the tracker has no
                threads. The two are equally private.

        Raises:
            Refused: with the tracker's words; also when it cannot be made private here.
            OutcomeUnknown: it may exist; see ``find_comment``.
        """

    def find_comment(
        self, ticket: str, body: Document, marker: str, since: int, *, private: bool = False
    ) -> str | None:
        """The comment that we wrote since ``since`` with this marker or, failing markers, this body.

        Args:
            ticket: its id.
            body: the text that was written.
            marker: the mark that was written.
            since: the tracker's time, microseconds.
            private: it was to be private; it is found whether or not it became so.

        Returns:
            Its id; None when there is none.
        """

    def is_private(self, ticket: str, comment: str) -> bool:
        """Whether the tracker, asked anew, shows that a comment is private. In doubt it is not.

        Raises:
            Gone: no such comment.
        """

    def find_mention(self, handle: str, project: str) -> Mention | None:
        """How texts of this tracker mention the person whom a configuration calls so.

        None when that is nobody, several people, somebody who has left, or when texts here mention nobody.
        """

    def edit_comment(self, ticket: str, comment: str, body: Document) -> int:
        """Replace a comment's text. Repeatable. Returns the tracker's time of the write.

        Raises:
            Gone: no such comment.
            Refused: with the tracker's words.
        """

    def delete_comment(self, ticket: str, comment: str) -> int:
        """Delete a comment; deleting what is gone is fine. Returns the tracker's time of the write."""

    def link_back(self, ticket: str, peer: PeerLink) -> str:
        """Put a clickable link to the peer on the ticket. Repeatable.

        Returns the id of the comment that carries the link, where that is the only way; else "".
        """

    def metadata(self, project: str, fields: Sequence[FieldSpec] = ()) -> ProjectMeta:
        """What exists in the project.

        Args:
            project: its key.
            fields: fields to look for by name, where the tracker does not show us all it has.

        Raises:
            Gone: no such project, or it is hidden from us.
        """

    def close(self) -> None:
        """Close all connections."""


@runtime_checkable
class TellsHidden(Protocol):
    """A tracker that says of a ticket which it does not show us that it is there."""

    def hidden(self, ticket: str) -> bool:
        """Whether the ticket is there, but not for us; False when it is visible or there is no such ticket."""


@runtime_checkable
class TakesLinkBack(Protocol):
    """A tracker whose link to the peer can be taken off a ticket again."""

    def take_link_back(self, ticket: str, marker: str) -> None:
        """Take the link with that mark off the ticket; harmless when there is none, or no such ticket.

        Raises:
            Refused: with the tracker's words.
        """
