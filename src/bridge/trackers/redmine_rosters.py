"""Who is in a Redmine's groups and has a role in its projects.

Without an administrator's key Redmine lists no groups, but it shows one by its number (Redmine 5.0,
``groups_controller.rb``: ``show`` needs no administrator); the members of the project tell the number. Nor does it
show somebody who was locked, so whoever is listed and not shown is taken for locked (``Principal.visible``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bridge.errors import Gone, Refused
from bridge.sync.ticket import Person
from bridge.trackers.http import Http
from bridge.trackers.redmine_catalog import Catalog, read_person

_PAGE = 100
_FORBIDDEN = 403


class RedmineRosters:
    """The groups and memberships of one Redmine; see :class:`bridge.trackers.rosters.Rosters`.

    Args:
        http: the way to it.
        catalog: names and numbers.
    """

    def __init__(self, http: Http, catalog: Catalog) -> None:
        self._http = http
        self._catalog = catalog

    def person(self, handle: str, project: str) -> Person | None:
        """See :meth:`bridge.trackers.rosters.Rosters.person`."""
        try:
            number = self._catalog.assignee(handle, project)
        except Refused:
            return None
        return self._ask(number, "")

    def active(self, person: Person) -> bool:
        """See :meth:`bridge.trackers.rosters.Rosters.active`."""
        return self._ask(person.id, person.name).active

    def group_members(self, group: str, project: str) -> Sequence[Person]:
        """See :meth:`bridge.trackers.rosters.Rosters.group_members`."""
        number = group if group.isdecimal() else self._group(group, project)
        answer = self._http.call("GET", "/groups/{id}.json", parts={"id": number}, query={"include": "users"})
        found = answer.object().get("group") or {}
        if "users" not in found:
            raise Refused(
                self._http.tracker,
                f"Redmine does not say who is in the group {group!r}",
                status=_FORBIDDEN,
            )
        return self._all(found["users"])

    def project_role_members(self, project: str, role: str) -> Sequence[Person]:
        """See :meth:`bridge.trackers.rosters.Rosters.project_role_members`."""
        found: dict[str, Person] = {}
        known = False
        names: set[str] = set()
        for item in self._memberships(project):
            held = {str(one.get("name")) for one in item.get("roles", ())}
            names |= held
            if role.casefold() not in {one.casefold() for one in held}:
                continue
            known = True
            # Whoever has the role through a group is listed apart as well, as having inherited it.
            if "user" in item:
                person = self._ask(str(item["user"]["id"]), str(item["user"].get("name") or ""))
                found[person.id] = person
        if not known and role.casefold() not in {one.casefold() for one in self._roles()}:
            raise Gone(
                self._http.tracker,
                f"there is no role {role!r}; members of {project} have {', '.join(sorted(names)) or 'none'}",
            )
        return tuple(found.values())

    def _group(self, name: str, project: str) -> str:
        """The number of a group, from the members of the project, or as an administrator from the list of all."""
        listed: list[dict[str, Any]] = [
            item["group"] for item in self._memberships(project) if "group" in item
        ]
        if self._catalog.account().admin:
            listed += self._http.call("GET", "/groups.json").objects("groups")
        for one in listed:
            if str(one.get("name")).casefold() == name.casefold():
                return str(one["id"])
        raise Gone(
            self._http.tracker,
            f"no group {name!r} is a member of {project}; name one that is, or its number",
        )

    def _memberships(self, project: str) -> list[dict[str, Any]]:
        """All memberships of a project, asked now: the catalogue believes its answer for longer."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._http.call(
                "GET",
                "/projects/{key}/memberships.json",
                parts={"key": project},
                query={"limit": _PAGE, "offset": len(found)},
            ).objects("memberships")
            found += page
            if len(page) < _PAGE:
                return found

    def _roles(self) -> list[str]:
        return [str(one.get("name")) for one in self._http.call("GET", "/roles.json").objects("roles")]

    def _all(self, refs: Iterable[dict[str, Any]]) -> Sequence[Person]:
        return tuple(self._ask(str(ref["id"]), str(ref.get("name") or "")) for ref in refs)

    def _ask(self, number: str, name: str) -> Person:
        """A person as shown to us now; not active when not shown."""
        try:
            user = self._http.call("GET", "/users/{id}.json", parts={"id": number}).object().get("user")
        except Gone:
            return Person(number, name, active=False)
        return read_person(user, name) if isinstance(user, dict) and "id" in user else Person(number, name)
