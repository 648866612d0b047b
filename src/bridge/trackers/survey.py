"""What a tracker can tell of itself before anything is written: rights, tickets to look at, people, its clock.

``bridge check`` compares it with the agreements. A kind that cannot tell one of these leaves out the protocol, and the
check says that it could not look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bridge.sync.agreement import Scope
from bridge.sync.ticket import Person


class Need(StrEnum):
    """Something that the bridge's account must be able to do in a project, if the agreement asks for it."""

    READ = "see tickets"
    CREATE = "create tickets"
    EDIT = "edit tickets"
    MOVE = "move tickets through their workflow"
    ASSIGN = "assign tickets"
    LINK_BACK = "put the link to the peer on a ticket"
    COMMENT = "add comments"
    EDIT_COMMENT = "edit its own comments"
    DELETE_COMMENT = "delete its own comments"
    PRIVATE = "write and see private comments"
    ATTACH = "attach files"
    DELETE_FILE = "delete its own files"
    RELATE = "link tickets with each other"
    PARENT = "make a ticket a part of another one"
    BOOK = "book time"
    EDIT_TIME = "edit the time it booked"
    DELETE_TIME = "delete the time it booked"
    PEOPLE = "look people up"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in a tracker that stands in the bridge's way.

    Attributes:
        words: what is wrong.
        cure: what an administrator can do about it.
    """

    words: str
    cure: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """A ticket to look at the workflow from, without its content.

    Attributes:
        id: its id.
        key: what people call it.
        kind: name of its type; "" where tickets have none.
        status: name of its status.
        assignee: whose it is.
        untouched: nothing has changed since it was created, so that its status is one that new tickets have.
    """

    id: str
    key: str
    kind: str
    status: str
    assignee: Person | None = None
    untouched: bool = False


@runtime_checkable
class ShowsTickets(Protocol):
    """A tracker that lists tickets of a project with type, status and assignee."""

    def sample(self, scope: Scope) -> Sequence[Sampled]:
        """The tickets of a scope that changed last, the newest change first: a page, not all of them.

        Raises:
            Refused: the selection is not a query the tracker understands.
        """


@runtime_checkable
class KnowsPeople(Protocol):
    """A tracker that tells who answers to a handle."""

    def find_people(self, handle: str, project: str) -> Sequence[Person]:
        """Everybody who answers to a handle from the configuration, those who have left among them.

        Nobody, where nobody does as far as our account can see.

        Raises:
            Refused: our account may not look people up.
        """


@runtime_checkable
class TellsClock(Protocol):
    """A tracker that may not have told its time yet."""

    def clock_known(self) -> bool:
        """Whether it has; until then ``now`` is our own clock."""


@runtime_checkable
class TellsZone(Protocol):
    """A tracker whose accounts have a time zone that matters to queries."""

    def zone(self) -> str | None:
        """The IANA name of our account's time zone; "" where it is set to none, None where that is not told."""
