"""What a Redmine calls its things (types, statuses, projects, custom fields, people) and their numbers.

Redmine's requests take numbers where people and agreements use names. The lists behind them change rarely, so
they are kept for some minutes. Three things need more than a list:

* Custom fields are listed to administrators only. Others learn them from the tickets that carry them and, as
  long as there is no ticket, from the complaint that an empty filter provokes (it quotes the field's name).
* A filter that does not exist is ignored in silence; the same complaint proves that one does exist.
* A revoked key is not refused where a project is public: the request silently becomes anonymous. So we ask
  who we are before work, at most once a minute.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bridge.clock import SECOND
from bridge.errors import Gone, Refused, Unauthorised, Unintelligible
from bridge.markup import Mention
from bridge.sync.ticket import Person
from bridge.trackers.http import Http
from bridge.trackers.keeping import Keeper
from bridge.trackers.redmine_clock import FarClock
from bridge.trackers.redmine_query import PAGE, in_project
from bridge.trackers.redmine_values import CustomField, Json, is_field

KEEP = 600 * SECOND
"""How long names are believed."""

KEEP_PEOPLE = 3600 * SECOND
"""How long a person's login and mail are believed: they cost one request each."""

KEEP_LOGIN = 60 * SECOND
"""How long a login is believed to be alive."""

_PROBED = 100
_PROBED_AT_ONCE = 7  # so that all complaints fit into the words that the HTTP policy keeps of an answer
_UNPROCESSABLE = 422
_LOGIN = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are. ``admin``: we see lists that others do not."""

    person: Person
    admin: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``types``: name of a ticket type -> its number."""

    id: int
    identifier: str
    name: str
    types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may be given tickets of a project: a person or a group."""

    id: str
    name: str
    roles: tuple[int, ...]


class Catalog:
    """Names and numbers of one Redmine, shared by all threads.

    Args:
        http: the way to Redmine.
        clock: the time, here and there.
    """

    def __init__(self, http: Http, clock: FarClock) -> None:
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._keeper = Keeper(clock.here)
        self._fields: dict[int, CustomField] = {}
        self._categories: dict[int, dict[str, int]] = {}

    def account(self) -> Account:
        """Who we are, asked anew at most once a minute.

        Raises:
            Unauthorised: the key is refused.
        """
        return self._keeper.kept("account", KEEP_LOGIN, self.ask_account)

    def ask_account(self) -> Account:
        """Who we are, asked now."""
        began = self._clock.here()
        answer = self._http.call("GET", "/users/current.json")
        if "Date" in answer.headers:
            self._clock.witness(answer.at, began)
        user = answer.object().get("user")
        if not isinstance(user, dict) or "id" not in user:
            raise Unauthorised(self._http.tracker, "Redmine does not say who we are")
        return Account(person=read_person(user), admin=bool(user.get("admin")))

    def statuses(self) -> Mapping[str, int]:
        """Status name -> number, in Redmine's order."""
        return self._keeper.kept(
            "statuses", KEEP, lambda: self._names("/issue_statuses.json", "issue_statuses")
        )

    def priorities(self) -> Mapping[str, int]:
        """Priority name -> number, of those in use."""
        return self._keeper.kept(
            "priorities", KEEP, lambda: self._names("/enumerations/issue_priorities.json", "issue_priorities")
        )

    def types(self) -> Mapping[str, int]:
        """Type name -> number, of the whole Redmine."""
        return self._keeper.kept("types", KEEP, lambda: self._names("/trackers.json", "trackers"))

    def categories(self, project: str) -> Mapping[str, int]:
        """Category name -> number, of a project, as far as we may know them.

        Redmine lists them to those who may manage them; others learn them from the tickets that have one.
        """
        listed = self._keeper.kept(("categories", project), KEEP, lambda: self._list_categories(project))
        number = self.project(project).id
        with self._lock:
            return {**self._categories.get(number, {}), **listed}

    def _list_categories(self, project: str) -> Mapping[str, int]:
        try:
            return self._names("/projects/{key}/issue_categories.json", "issue_categories", key=project)
        except Refused:
            self._keeper.kept(("seen", project), KEEP, lambda: self._read_newest(project))
            return {}

    def versions(self, project: str) -> Mapping[str, int]:
        """Name -> number of the versions that a project's tickets may have, those shared with it among them."""
        path = "/projects/{key}/versions.json"
        return self._keeper.kept(
            ("versions", project), KEEP, lambda: self._names(path, "versions", key=project)
        )

    def project(self, key: str) -> Project:
        """A project by its identifier or number.

        Raises:
            Gone: no such project, or it is hidden from us.
        """
        return self._keeper.kept(("project", key), KEEP, lambda: self._ask_project(key))

    def _ask_project(self, key: str) -> Project:
        answer = self._http.call(
            "GET", "/projects/{key}.json", parts={"key": key}, query={"include": "trackers"}
        )
        found = answer.object().get("project")
        if not isinstance(found, dict):
            raise Unintelligible(self._http.tracker, "the answer lacks a project")
        types = {str(item["name"]): int(item["id"]) for item in found.get("trackers", ())}
        return Project(int(found["id"]), str(found["identifier"]), str(found["name"]), types)

    def project_key(self, ref: Json) -> str:
        """The identifier of the project that an issue refers to."""
        try:
            return self.project(str(ref["id"])).identifier
        except (Gone, Refused):
            return str(ref["id"])

    # Custom fields

    def learn(self, issue: Json) -> None:
        """Remember the custom fields and the category that an issue carries."""
        category = issue.get("category")
        if category:
            with self._lock:
                known = self._categories.setdefault(int(issue["project"]["id"]), {})
                known[str(category["name"])] = int(category["id"])
        for field in issue.get("custom_fields", ()):
            self.custom(field)

    def custom(self, field: Json) -> CustomField:
        """What is known of a custom field that an issue carries."""
        number, name = int(field["id"]), str(field["name"])
        with self._lock:
            known = self._fields.get(number)
            if known is None or known.name != name:
                known = CustomField(number, name, multiple=bool(field.get("multiple")))
                self._fields[number] = known
            return known

    def all_custom(self, project: str) -> tuple[CustomField, ...]:
        """All custom fields that can be learned for a project, by number."""
        self._keeper.kept("custom", KEEP, self._ask_custom)
        self._keeper.kept(("seen", project), KEEP, lambda: self._read_newest(project))
        with self._lock:
            return tuple(self._fields[number] for number in sorted(self._fields))

    def find_custom(self, name: str, project: str) -> CustomField | None:
        """A custom field by its name or as ``cf_<number>``; None when Redmine shows no such field to us."""
        found = self._known_custom(name, self.all_custom(project))
        if found is None and name.startswith("cf_") and name[3:].isdecimal():
            return CustomField(int(name[3:]), name)
        if found is None:
            number = self._keeper.kept(
                ("probed", project, name), KEEP_LOGIN, lambda: self._probe_names(name, project)
            )
            found = self.custom({"id": number, "name": name}) if number else None
        return found

    @staticmethod
    def _known_custom(name: str, fields: Iterable[CustomField]) -> CustomField | None:
        return next((field for field in fields if is_field({"id": field.id, "name": field.name}, name)), None)

    def _ask_custom(self) -> None:
        if not self.account().admin:
            return
        for item in self._http.call("GET", "/custom_fields.json").objects("custom_fields"):
            if item.get("customized_type") == "issue":
                field = CustomField(
                    id=int(item["id"]),
                    name=str(item["name"]),
                    format=str(item.get("field_format") or ""),
                    multiple=bool(item.get("multiple")),
                    required=bool(item.get("is_required")),
                    options=tuple(str(option["value"]) for option in item.get("possible_values") or ()),
                )
                with self._lock:
                    self._fields[field.id] = field

    def _read_newest(self, project: str) -> Sequence[Json]:
        query = {**in_project(project, {"status_id": "*"}), "sort": "id:desc", "limit": PAGE}
        issues = self._http.call("GET", "/issues.json", query=query).objects("issues")
        for issue in issues:
            self.learn(issue)
        return issues

    def types_without(self, field: CustomField, project: str) -> list[str]:
        """Types of a project's newest tickets that surely do not have a custom field: one of them comes without it."""
        issues = self._keeper.kept(("seen", project), KEEP, lambda: self._read_newest(project))
        carried: dict[str, bool] = {}
        for issue in issues:
            has = any(int(one["id"]) == field.id for one in issue.get("custom_fields", ()))
            kind = str(issue["tracker"]["name"])
            carried[kind] = carried.get(kind, True) and has
        return [kind for kind, has in carried.items() if not has]

    def _probe_names(self, name: str, project: str) -> int:
        """Find a custom field's number by the complaints of empty filters; 0 when none names it."""
        for start in range(1, _PROBED, _PROBED_AT_ONCE):
            numbers = range(start, start + _PROBED_AT_ONCE)
            if self._complains_of(name, project, numbers):
                return next((number for number in numbers if self._complains_of(name, project, [number])), 0)
        return 0

    def _complains_of(self, name: str, project: str, numbers: Iterable[int]) -> bool:
        """Whether empty filters on these custom fields make Redmine complain about a field of that name.

        Every complaint is the field's name and the same words in the account's language; the one about the
        ticket type, asked for as well, tells which part is the name.
        """
        complaints = self._complaints(project, ["tracker_id", *(f"cf_{number}" for number in numbers)])
        ends = [words[len(name) :] for words in complaints if words.startswith(f"{name} ")]
        return any(words.endswith(end) and words != name + end for end in ends for words in complaints)

    def _complaints(self, project: str, keys: Iterable[str]) -> list[str]:
        query = {**in_project(project, {"status_id": "*"}), "limit": 1, **dict.fromkeys(keys, "")}
        try:
            self._http.call("GET", "/issues.json", query=query)
        except Refused as refusal:
            if refusal.status != _UNPROCESSABLE:
                raise
            return refusal.words.split("; ")
        return []

    # Filters

    def is_filter(self, key: str, project: str) -> bool:
        """Whether Redmine filters the project's tickets by this key, instead of ignoring it in silence."""
        return self._keeper.kept(
            ("filter", project, key), KEEP, lambda: bool(self._complaints(project, [key]))
        )

    def require_filters(self, keys: Iterable[str], project: str) -> None:
        """See that Redmine heeds all these filters.

        Raises:
            Refused: it would ignore one of them and answer with tickets that were never meant.
        """
        for key in keys:
            if not self.is_filter(key, project):
                cause = "no such field, or not marked 'Used as a filter'"
                words = f"Redmine does not filter {project} by {key!r}: {cause}"
                raise Refused(self._http.tracker, words, status=_UNPROCESSABLE, fields={"select": words})

    # People

    def person(self, ref: Json | None) -> Person | None:
        """The person that an issue or journal refers to, with login and mail as far as we may see them."""
        if not ref or "id" not in ref:
            return None
        number, name = str(ref["id"]), str(ref.get("name") or "")
        return self._keeper.kept(("person", number), KEEP_PEOPLE, lambda: self._ask_person(number, name))

    def _ask_person(self, number: str, name: str) -> Person:
        try:
            user = self._http.call("GET", "/users/{id}.json", parts={"id": number}).object().get("user")
        except (Gone, Refused):  # a group, or somebody whom we may not look at
            return Person(number, name)
        return read_person(user, name) if isinstance(user, dict) and "id" in user else Person(number, name)

    def members(self, project: str) -> tuple[Member, ...]:
        """The people and groups of a project."""
        return self._keeper.kept(("members", project), KEEP, lambda: tuple(self._ask_members(project)))

    def _ask_members(self, project: str) -> list[Member]:
        members: list[Member] = []
        offset = 0
        while True:
            page = self._http.call(
                "GET",
                "/projects/{key}/memberships.json",
                parts={"key": project},
                query={"limit": PAGE, "offset": offset},
            ).objects("memberships")
            for item in page:
                principal = item.get("user") or item.get("group")
                if principal:
                    roles = tuple(int(role["id"]) for role in item.get("roles", ()))
                    members.append(Member(str(principal["id"]), str(principal["name"]), roles))
            if len(page) < PAGE:
                return members
            offset += PAGE

    def called(self, handle: str, project: str) -> frozenset[str]:
        """The numbers of those whom a configuration names by number, login, mail or name, as far as we can see."""
        members = self.members(project)
        if handle.isdecimal() and any(member.id == handle for member in members):
            return frozenset({handle})
        wanted = handle.strip().casefold()
        found = {member.id for member in members if member.name.casefold() == wanted}
        if not found:
            for member in members:
                person = self.person({"id": member.id, "name": member.name})
                if person and wanted in {other.casefold() for other in person.handles}:
                    found.add(member.id)
        if not found and self.account().admin:
            # Only an administrator sees every mail address; the member list has none.
            users = self._http.call("GET", "/users.json", query={"name": handle, "limit": PAGE}).objects(
                "users"
            )
            found = {
                person.id
                for person in map(read_person, users)
                if wanted in {other.casefold() for other in (person.name, *person.handles)}
            }
        return frozenset(found)

    def assignee(self, handle: str, project: str) -> str:
        """The number of the person whom a configuration names by number, login, mail or name.

        Raises:
            Refused: nobody, or more than one, in the project is called so.
        """
        found = self.called(handle, project)
        if len(found) == 1:
            return next(iter(found))
        trouble = "more than one member" if found else "no member that we can see"
        words = (
            f"{trouble} of project {project} is known as {handle!r}; name a number, login, mail or full name"
        )
        raise Refused(self._http.tracker, words, status=_UNPROCESSABLE, fields={"assignee": words})

    def permissions(self, project: str) -> frozenset[str] | None:
        """The permissions that our roles give us in a project; None for an administrator (all)."""
        account = self.account()
        if account.admin:
            return None
        roles = {
            role
            for member in self.members(project)
            if member.id == account.person.id
            for role in member.roles
        }
        granted: set[str] = set()
        for role in roles:
            answer = self._http.call("GET", "/roles/{id}.json", parts={"id": str(role)}).object()
            granted.update(map(str, (answer.get("role") or {}).get("permissions", ())))
        return frozenset(granted)

    def lacking(self, project: str, rights: Iterable[str]) -> tuple[str, ...]:
        """Those of the permissions that our roles in a project do not give us."""
        granted = self._keeper.kept(("rights", project), KEEP, lambda: self.permissions(project))
        return () if granted is None else tuple(right for right in rights if right not in granted)

    def mention(self, handle: str, project: str) -> Mention | None:
        """How a text mentions the person whom a configuration calls so: by the login, which is seldom shown to us."""
        try:
            number = self.assignee(handle, project)
        except Refused:
            # Without an administrator's rights a login can often not be looked up, but it may have been given.
            return Mention(handle, handle) if _LOGIN.fullmatch(handle) and not handle.isdecimal() else None
        person = self.person({"id": number})
        handles = person.handles if person is not None and person.active else ()
        login = next(
            (one for one in (*handles, handle) if _LOGIN.fullmatch(one) and not one.isdecimal()), None
        )
        return None if login is None or person is None else Mention(login, person.name)

    # Keeping

    def _names(self, path: str, name: str, **parts: str) -> Mapping[str, int]:
        return {
            str(item["name"]): int(item["id"])
            for item in self._http.call("GET", path, parts=parts).objects(name)
            if item.get("active", True)
        }


def read_person(user: Json, name: str = "") -> Person:
    """A user record as a person."""
    full = " ".join(str(user[part]) for part in ("firstname", "lastname") if user.get(part))
    handles = tuple(str(user[part]) for part in ("login", "mail") if user.get(part))
    return Person(str(user["id"]), full or name, handles, active=user.get("status", 1) == 1)
