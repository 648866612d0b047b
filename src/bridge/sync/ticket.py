"""The canonical ticket: what every tracker's issue looks like to the core.

Adapters translate their tracker's answers into these frozen values and back; nothing else in the house sees tracker
JSON. Field values are in the tracker's own vocabulary (its status names, its people): translating between the two
vocabularies is mapping's work. All times are integer microseconds UTC, from the tracker's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.markup import Document

SECOND = 1_000_000
"""Microseconds in a second."""


class Side(StrEnum):
    """The two parties of an agreement."""

    INTERNAL = "internal"
    VENDOR = "vendor"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.VENDOR if self is Side.INTERNAL else Side.INTERNAL


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one tracker knows them; equal when the tracker's id is equal.

    Attributes:
        id: what the tracker wants when it is to be told this person (Cloud accountId, Data Center name, Redmine id).
        name: the name to show.
        handles: other ways a configuration may name them: e-mail, login, key. Never sent to the other side.
        active: False when deactivated.
    """

    id: str
    name: str = field(default="", compare=False)
    handles: tuple[str, ...] = field(default=(), compare=False)
    active: bool = field(default=True, compare=False)


Value = None | str | float | bool | frozenset[str] | Document | Person
"""A field's value: text, number, flag, set of names, rich text or person. Dates are ISO ``YYYY-MM-DD`` strings."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment.

    Attributes:
        id: the tracker's id, unique within the tracker.
        author: who wrote it; None when the tracker hides it.
        body: the text.
        created: microseconds UTC.
        updated: microseconds UTC; equals ``created`` when the tracker does not say.
        private: True when any visibility rule restricts it; such a text never crosses as public.
        marker: our own mark on a comment that the bridge wrote, where the tracker can carry one; else "".
        parent: id of the comment that it answers, where the tracker has threads; else "".
    """

    id: str
    author: Person | None
    body: Document
    created: int
    updated: int
    private: bool = False
    marker: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a ticket, without its content.

    Attributes:
        id: the tracker's id, unique within the tracker.
        name: file name as the tracker shows it; foreign text, never a path. Names may repeat on one ticket.
        size: bytes.
        created: microseconds UTC.
        author: who attached it; None when the tracker hides it.
        media_type: as the tracker tells it, e.g. ``image/png``; "" when it does not.
        private: True when it belongs to a private text; such a file never crosses.
        url: where a person can open it; "" when unknown.
    """

    id: str
    name: str
    size: int
    created: int
    author: Person | None = None
    media_type: str = ""
    private: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A link from this ticket to another one of the same tracker.

    Attributes:
        id: the tracker's id of the link.
        kind: the tracker's name for its type, e.g. ``Blocks``.
        other: the other ticket's id.
        outward: this ticket is where it starts: it is the one that blocks.
        symmetric: its type reads the same from both ends; ``outward`` then means nothing.
    """

    id: str
    kind: str
    other: str
    outward: bool = True
    symmetric: bool = False


@dataclass(frozen=True, slots=True)
class Worklog:
    """Time that somebody spent on a ticket.

    Attributes:
        id: the tracker's id, unique within the tracker.
        author: who spent it; None when the tracker hides it.
        started: microseconds UTC.
        seconds: how long.
        body: what they say of it.
        created: microseconds UTC.
        private: True when any visibility rule restricts it; it then never crosses.
    """

    id: str
    author: Person | None
    started: int
    seconds: int
    body: Document
    created: int
    private: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket as it was at ``updated``.

    Attributes:
        id: the tracker's numeric id as text; survives a move to another project.
        key: what people call it; changes on a move.
        url: where a person can open it.
        project: the project's key.
        created: microseconds UTC.
        updated: microseconds UTC, the tracker's own stamp.
        fields: canonical name -> value. A field that the tracker did not send is absent, not None.
        comments: in order of creation.
        comments_complete: False when the tracker sent only part of them: absence then proves nothing.
        creator: the account that created it (cannot be forged, unlike a reporter).
        marker: the bridge's mark found on it, or "".
        attachments: its files, in order of creation.
        attachments_complete: False when the tracker did not send all of them: absence then proves nothing.
        private: True when not everybody in the project may see it (a security level, a private issue).
        parent: id of the ticket that it is a part of, "" for none, None when the tracker did not say.
        relations: its links to other tickets.
        relations_complete: False when the tracker did not send all of them: absence then proves nothing.
        worklogs: time spent on it.
        worklogs_complete: False when the tracker did not send all of it: absence then proves nothing.
        archived: put away by its tracker: still readable, out of searches, and not to be changed.
    """

    id: str
    key: str
    url: str
    project: str
    created: int
    updated: int
    fields: Mapping[str, Value]
    comments: tuple[Comment, ...] = ()
    comments_complete: bool = True
    creator: Person | None = None
    marker: str = ""
    attachments: tuple[Attachment, ...] = ()
    attachments_complete: bool = False
    private: bool = False
    parent: str | None = None
    relations: tuple[Relation, ...] = ()
    relations_complete: bool = False
    worklogs: tuple[Worklog, ...] = ()
    worklogs_complete: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change of one field, from the tracker's own history.

    Attributes:
        event: the tracker's id of the history entry: evidence.
        at: microseconds UTC.
        author: who did it; None when hidden.
        field: canonical name when the adapter knows the field, else the tracker's name.
        before: the old value as the tracker prints it.
        after: the new value as the tracker prints it.
    """

    event: str
    at: int
    author: Person | None
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Transition:
    """One step that the workflow offers from a status.

    Attributes:
        id: the tracker's id of the step.
        name: what its button says.
        to: the status it leads to.
        required: names of screen fields that must be given and have no default.
    """

    id: str
    name: str
    to: str
    required: tuple[str, ...] = ()
