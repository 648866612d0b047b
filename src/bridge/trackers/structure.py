"""What the house asks of a tracker about parents, links between tickets, and time spent on them.

Part of :class:`bridge.trackers.protocol.Tracker`, apart from it because not every kind has such things: an adapter
says what it can in its abilities, and one that can nothing of it has :class:`NoStructure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.markup import Document
from bridge.sync.ticket import Worklog


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """A worklog to be written.

    Attributes:
        started: microseconds UTC.
        seconds: how long.
        body: what is said of it; the author's name is in it, for the tracker shows our account.
    """

    started: int
    seconds: int
    body: Document


class Structure(Protocol):
    """Parents, links and worklogs of one tracker."""

    def link_types(self) -> Sequence[str]:
        """The names of the types of links that there are."""

    def set_parent(self, ticket: str, parent: str) -> int:
        """Make a ticket a part of another one, or of none ("").

        Repeatable. Returns the tracker's time of the write, microseconds.

        Raises:
            Refused: it may not have that parent, e.g. because of its type.
            Gone: no such ticket.
        """

    def add_relation(self, kind: str, source: str, target: str) -> int:
        """Link two tickets: ``source`` is the one that blocks. Repeatable: a link that is there is fine.

        Returns the tracker's time of the write, microseconds; 0 where the tickets do not note it.

        Raises:
            Refused: with the tracker's words.
            Gone: one of the tickets is not there.
            OutcomeUnknown: read the ticket again.
        """

    def remove_relation(self, relation: str) -> int:
        """Take a link away, by its id; one that is gone is fine.

        Returns the tracker's time of the write, microseconds; 0 where the tickets do not note it.
        """

    def worklogs(self, ticket: str) -> Sequence[Worklog]:
        """All time booked on a ticket, oldest first; for a ticket that did not come with all of it."""

    def add_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> tuple[str, int]:
        """Book time; returns its id and the tracker's time of the write.

        Raises:
            Refused: with the tracker's words.
            OutcomeUnknown: it may be booked; see ``find_worklog``.
        """

    def find_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> str | None:
        """The time that we booked with this marker or, failing markers, at that time and with that text: its id."""

    def edit_worklog(self, ticket: str, worklog: str, spent: TimeSpent) -> int:
        """Change booked time. Repeatable. Returns the tracker's time of the write.

        Raises:
            Gone: no such worklog.
            Refused: with the tracker's words.
        """

    def delete_worklog(self, ticket: str, worklog: str) -> int:
        """Delete booked time; deleting what is gone is fine. Returns the tracker's time of the write."""


class NoStructure:
    """For kinds that have none of it; nothing here is ever asked, because the abilities say so."""

    def link_types(self) -> Sequence[str]:
        """There are none."""
        return ()

    def set_parent(self, ticket: str, parent: str) -> int:
        """See :class:`Structure`."""
        raise _unable(ticket, parent)

    def add_relation(self, kind: str, source: str, target: str) -> int:
        """See :class:`Structure`."""
        raise _unable(kind, source, target)

    def remove_relation(self, relation: str) -> int:
        """See :class:`Structure`."""
        raise _unable(relation)

    def worklogs(self, ticket: str) -> Sequence[Worklog]:
        """See :class:`Structure`."""
        raise _unable(ticket)

    def add_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> tuple[str, int]:
        """See :class:`Structure`."""
        raise _unable(ticket, spent, marker)

    def find_worklog(self, ticket: str, spent: TimeSpent, marker: str) -> str | None:
        """See :class:`Structure`."""
        raise _unable(ticket, spent, marker)

    def edit_worklog(self, ticket: str, worklog: str, spent: TimeSpent) -> int:
        """See :class:`Structure`."""
        raise _unable(ticket, worklog, spent)

    def delete_worklog(self, ticket: str, worklog: str) -> int:
        """See :class:`Structure`."""
        raise _unable(ticket, worklog)


def _unable(*_: object) -> NotImplementedError:
    return NotImplementedError(
        "this kind of tracker has neither relations nor worklogs; its abilities say so"
    )
