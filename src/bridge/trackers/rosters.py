"""Who is in the groups and project roles of a tracker: what roles of an agreement are filled from.

Optional: an adapter that knows has an attribute ``rosters``. An answer is the whole truth or an error, never a part of
it: an empty roster by mistake would take everybody's rights away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.sync.ticket import Person
from bridge.trackers.protocol import Tracker


class Rosters(Protocol):
    """The people of one tracker. Every method may raise ``TrackerError``, as ``Tracker``'s do."""

    def person(self, handle: str, project: str) -> Person | None:
        """The person whom a configuration calls so (e-mail, login, id); None when that is nobody, or several people.

        Args:
            handle: as in the configuration.
            project: key of the project in which they work.
        """

    def active(self, person: Person) -> bool:
        """Whether an account is in use, asked anew; one that is not shown to us is not."""

    def group_members(self, group: str, project: str) -> Sequence[Person]:
        """Everybody in a group, those included who are in a group within it; deactivated people are not active.

        Args:
            group: its name, or the tracker's id of it.
            project: key of the project in which the group has something to do.

        Raises:
            Gone: no such group.
            Refused: our account may not see who is in it.
        """

    def project_role_members(self, project: str, role: str) -> Sequence[Person]:
        """Everybody who has a role in a project, by themselves or through a group.

        Args:
            project: its key.
            role: the role's name.

        Raises:
            Gone: no such project or role.
            Refused: our account may not see who is in it.
        """


def rosters_of(tracker: Tracker) -> Rosters | None:
    """What tells who is in a tracker's groups; None where its adapter cannot."""
    found: Rosters | None = getattr(tracker, "rosters", None)
    return found
