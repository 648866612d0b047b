"""Who is in a Request Tracker's groups, and who watches its queues: the nearest that RT has to roles in a project.

A group is shown to whoever has SeeGroup on it, its members with it (RT 5.0, ``RT/REST2/Resource/Group.pm``). Whether an
account is in use is told to administrators only, but a search for users leaves out those that are disabled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bridge.errors import Gone, Refused, Unintelligible
from bridge.sync.ticket import Person
from bridge.trackers.http import Http
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_values import NOBODY, Json, person

_DEEPEST = 10
"""Groups within groups."""

_USER_FIELDS = "Name,RealName,EmailAddress"


class RtRosters:
    """The groups of one Request Tracker; see :class:`bridge.trackers.rosters.Rosters`.

    Args:
        http: the way to it.
        catalog: names and numbers.
    """

    def __init__(self, http: Http, catalog: Catalog) -> None:
        self._http = http
        self._catalog = catalog

    def person(self, handle: str, project: str) -> Person | None:  # noqa: ARG002 - accounts are the site's
        """See :meth:`bridge.trackers.rosters.Rosters.person`."""
        try:
            login = self._catalog.owner(handle)
        except Refused:
            return None
        return self._account(login)

    def active(self, person: Person) -> bool:
        """See :meth:`bridge.trackers.rosters.Rosters.active`."""
        return self._account(person.id).active

    def group_members(self, group: str, project: str) -> Sequence[Person]:  # noqa: ARG002 - groups are the site's
        """See :meth:`bridge.trackers.rosters.Rosters.group_members`."""
        number = group if group.isdecimal() else self._group(group)
        return self._people(self._logins(number, _DEEPEST))

    def project_role_members(self, project: str, role: str) -> Sequence[Person]:
        """See :meth:`bridge.trackers.rosters.Rosters.project_role_members`: ``AdminCc`` or ``Cc`` of the queue."""
        number = str(self._catalog.queue(project).id)
        queue = self._http.call("GET", "/queue/{id}", parts={"id": number}).object()
        name = next((key for key in ("AdminCc", "Cc") if key.casefold() == role.casefold()), None)
        if name is None or not isinstance(queue.get(name), list):
            raise Gone(
                self._http.tracker, f"a queue has no role {role!r} that is shown; it has AdminCc and Cc"
            )
        return self._people(
            login for one in queue[name] for login in self._member(one, str(one.get("id")), _DEEPEST)
        )

    def _group(self, name: str) -> str:
        wanted = [{"field": "Name", "operator": "=", "value": name}]
        found = self._http.call(
            "POST", "/groups", query={"fields": "Name"}, body=wanted, repeatable=True
        ).objects("items")
        number = next((str(one["id"]) for one in found if str(one.get("Name")) == name), None)
        if number is None:
            raise Gone(self._http.tracker, f"there is no group {name!r} that our account may see (SeeGroup)")
        return number

    def _logins(self, number: str, depth: int) -> Iterator[str]:
        """Logins of everybody in a group."""
        group = self._http.call("GET", "/group/{id}", parts={"id": number}).object()
        if not isinstance(group.get("Members"), list):
            raise Unintelligible(self._http.tracker, f"the answer does not say who is in group {number}")
        if str(group.get("Disabled") or "0") != "0":
            raise Gone(self._http.tracker, f"the group {number} is disabled")
        for one in group["Members"]:
            yield from self._member(one, str(one.get("id")), depth)

    def _member(self, one: Json, number: str, depth: int) -> Iterator[str]:
        if one.get("type") == "user":
            if number != NOBODY:
                yield number
        elif depth == 0:
            raise Unintelligible(self._http.tracker, "groups within groups without an end")
        else:
            yield from self._logins(number, depth - 1)

    def _people(self, logins: Iterator[str]) -> Sequence[Person]:
        return tuple(self._account(login) for login in dict.fromkeys(logins))

    def _account(self, login: str) -> Person:
        """An account as a search shows it; not active when the search leaves it out."""
        wanted: list[dict[str, Any]] = [{"field": "Name", "operator": "=", "value": login}]
        found = self._http.call(
            "POST", "/users", query={"fields": _USER_FIELDS}, body=wanted, repeatable=True
        ).objects("items")
        for raw in found:
            read = person(raw)
            if read is not None and read.id.casefold() == login.casefold():
                return read
        return Person(login, login, active=False)
