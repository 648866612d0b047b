"""Who is in a Jira site's groups and project roles.

Jira shows a group's members to administrators only, and a project role's actors to administrators of the project
(Jira Cloud REST v3, "Get users from group", "Get project role for project"; the same on Data Center). A role's actor
is a person or a group. Data Center does not tell of an actor whether the account is in use: it is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.errors import Gone, Unintelligible
from bridge.sync.ticket import Person
from bridge.trackers.http import Http
from bridge.trackers.jira_people import People
from bridge.trackers.jira_values import Values

_PAGE = 50
"""What both flavours give at once at most."""

_MOST_PAGES = 1_000


class JiraRosters:
    """The groups of one site; see :class:`bridge.trackers.rosters.Rosters`.

    Args:
        http: the policy.
        api: prefix of the API's paths.
        values: reads people.
        people: finds people by what a configuration calls them.
        cloud: which flavour it is.
    """

    def __init__(self, http: Http, api: str, values: Values, people: People, *, cloud: bool) -> None:
        self._http = http
        self._api = api
        self._values = values
        self._people = people
        self._cloud = cloud

    def person(self, handle: str, project: str) -> Person | None:  # noqa: ARG002 - accounts are the site's
        """See :meth:`bridge.trackers.rosters.Rosters.person`."""
        return self._people.look_up(handle, left=True)

    def active(self, person: Person) -> bool:
        """See :meth:`bridge.trackers.rosters.Rosters.active`."""
        found = self._account(person.id)
        return found is not None and found.active

    def group_members(self, group: str, project: str) -> Sequence[Person]:  # noqa: ARG002 - groups are the site's
        """See :meth:`bridge.trackers.rosters.Rosters.group_members`. Groups of Jira have no groups in them."""
        found: dict[str, Person] = {}
        start = 0
        for _ in range(_MOST_PAGES):
            query = {
                "groupname": group,
                "includeInactiveUsers": "true",
                "startAt": start,
                "maxResults": _PAGE,
            }
            answer = self._http.call("GET", f"{self._api}/group/member", query=query)
            page = answer.objects("values")
            people = (self._values.person(raw) for raw in page)
            found.update({person.id: person for person in people if person is not None})
            start += len(page)
            if not page or answer.object().get("isLast"):
                return tuple(found.values())
        raise Unintelligible(self._http.tracker, f"the group {group!r} has no end")

    def project_role_members(self, project: str, role: str) -> Sequence[Person]:
        """See :meth:`bridge.trackers.rosters.Rosters.project_role_members`."""
        path, parts = f"{self._api}/project/{{project}}/role", {"project": project}
        addresses = self._http.call("GET", path, parts=parts).object()
        number = next(
            (
                str(address).rstrip("/").rpartition("/")[2]
                for name, address in addresses.items()
                if name.casefold() == role.casefold()
            ),
            None,
        )
        if number is None:
            known = ", ".join(sorted(map(str, addresses))) or "none"
            raise Gone(self._http.tracker, f"project {project} has no role {role!r}; it has {known}")
        query = {"excludeInactiveUsers": "true"} if self._cloud else None
        answer = self._http.call("GET", f"{path}/{{role}}", parts={**parts, "role": number}, query=query)
        found: dict[str, Person] = {}
        for actor in answer.objects("actors"):
            for person in self._people_of(actor, project):
                found[person.id] = person
        return tuple(found.values())

    def _people_of(self, actor: dict[str, Any], project: str) -> Sequence[Person]:
        """Those whom an actor of a project role stands for."""
        if actor.get("type") == "atlassian-group-role-actor":
            group = (actor.get("actorGroup") or {}).get("name") or actor.get("name")
            return self.group_members(str(group), project)
        if not self._cloud:
            found = self._account(str(actor.get("name")))
            return () if found is None else (found,)
        number = (actor.get("actorUser") or {}).get("accountId")
        return (Person(str(number), str(actor.get("displayName") or "")),) if number else ()

    def _account(self, number: str) -> Person | None:
        query = {"accountId" if self._cloud else "username": number}
        try:
            answer = self._http.call("GET", f"{self._api}/user", query=query)
        except Gone:
            return None
        return self._values.person(answer.object())
