"""What we mean to write to a Redmine issue, and whether it is there afterwards.

Redmine answers 201 and 204 to writes that it did not do: a field that the workflow makes read-only, a status
that it does not offer, a field that the issue's type lacks. So every write is kept as a payload that can be
held against the issue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import Refused
from bridge.markup import Dialect, Document
from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.sync.ticket import Person, Value
from bridge.trackers.protocol import FieldSpec
from bridge.trackers.redmine_catalog import Catalog
from bridge.trackers.redmine_values import (
    ATTRIBUTES,
    CustomField,
    Json,
    is_field,
    lines,
    native,
    raw_custom,
    same_attribute,
    same_custom,
    wrote,
)

UNPROCESSABLE = 422

_ENGLISH: Mapping[str, str] = {
    "subject": "Subject",
    "description": "Description",
    "tracker_id": "Tracker",
    "priority_id": "Priority",
    "status_id": "Status",
    "due_date": "Due date",
    "assigned_to_id": "Assignee",
    "category_id": "Category",
    "fixed_version_id": "Target version",
}
"""How Redmine's complaints begin for an account whose language is English."""


@dataclass(frozen=True, slots=True)
class Payload:
    """Values on their way to an issue.

    Attributes:
        attributes: Redmine's attribute -> value.
        custom: custom field -> value.
        dialect: the markup of its texts.
    """

    dialect: Dialect
    attributes: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[CustomField, str | list[str]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The payload as the part of a request that Redmine calls ``issue``."""
        body = dict(self.attributes)
        if self.custom:
            body["custom_fields"] = [
                {"id": custom.id, "value": value} for custom, value in self.custom.items()
            ]
        return body

    def unmet(self, issue: Json) -> dict[str, str]:
        """The fields that do not hold what we meant, by Redmine's name, with what they hold."""
        missing: dict[str, str] = {}
        for attribute, meant in self.attributes.items():
            if not same_attribute(attribute, meant, issue, self.dialect):
                missing[attribute] = lines(_shown(issue.get(attribute.removesuffix("_id"))))
        present = {item["id"]: item for item in issue.get("custom_fields", ())}
        for custom, meant in self.custom.items():
            if custom.id not in present:
                if meant not in ("", [""]):
                    missing[custom.name] = "no such field on this type of ticket"
            elif not same_custom(meant, present[custom.id].get("value")):
                missing[custom.name] = lines(_shown(present[custom.id].get("value")))
        return missing

    def overtaken(self, name: str, issue: Json, me: str, after: int) -> bool:
        """Whether journals later than ``after`` show that we wrote a field that somebody changed again."""
        if name in self.attributes:
            return wrote(issue, ("attr", name, str(self.attributes[name] or "")), me=me, after=after)
        return any(
            isinstance(meant, str) and wrote(issue, ("cf", str(custom.id), meant), me=me, after=after)
            for custom, meant in self.custom.items()
            if custom.name == name
        )

    def blame(self, refusal: Refused) -> Refused:
        """The refusal with Redmine's sentences assigned to the fields whose names they begin with."""
        names = {_ENGLISH.get(name, name): name for name in self.attributes}
        names |= {custom.name: custom.name for custom in self.custom}
        fields = {
            name: sentence
            for sentence in refusal.words.split("; ")
            for label, name in names.items()
            if sentence.startswith(f"{label} ")
        }
        return Refused(refusal.tracker, refusal.words, status=refusal.status, fields=fields)


class Payloads:
    """Makes payloads out of canonical values.

    Args:
        tracker: the tracker's name, for messages.
        catalog: names and numbers.
        dialect: the markup of its texts.
    """

    def __init__(self, tracker: str, catalog: Catalog, dialect: Dialect) -> None:
        self._tracker = tracker
        self._catalog = catalog
        self._dialect = dialect

    def make(
        self,
        values: Mapping[str, Value],
        specs: Sequence[FieldSpec],
        project: str,
        carried: Iterable[Json] = (),
    ) -> Payload:
        """Translate values.

        Args:
            values: canonical name, or the name of a custom field -> value in Redmine's vocabulary.
            specs: the custom fields behind canonical names.
            project: the issue's project.
            carried: the custom fields that the issue carries, where there is an issue.

        Raises:
            Refused: Redmine has no such field, type, priority or person.
        """
        natives = {spec.canonical: spec.native for spec in specs}
        attributes: dict[str, Any] = {}
        custom: dict[CustomField, str | list[str]] = {}
        present = list(carried)
        for name, value in values.items():
            if name in ATTRIBUTES:
                attributes[ATTRIBUTES[name]] = self._attribute(name, value, project)
            elif name in BUILT_IN_FIELDS:
                raise self.refuse(name, f"Redmine has no {name}")
            else:
                field_ = self.custom(natives.get(name, name), project, present)
                custom[field_] = self._custom_value(name, field_, value, project)
        return Payload(self._dialect, attributes, custom)

    def custom(self, name: str, project: str, carried: Iterable[Json] = ()) -> CustomField:
        """A custom field by its name.

        Raises:
            Refused: Redmine shows no such field to us.
        """
        for item in carried:
            if is_field(item, name):
                return self._catalog.custom(item)
        found = self._catalog.find_custom(name, project)
        if found is None:
            raise self.refuse(
                name,
                f"project {project} shows no custom field {name!r} to our account; Redmine tells the names to"
                " administrators, for fields that are used as a filter, and once a ticket carries the field:"
                " name it cf_<number>, or tick 'Used as a filter'",
            )
        return found

    def refuse(self, name: str, words: str) -> Refused:
        """A refusal that we can foretell."""
        return Refused(self._tracker, words, status=UNPROCESSABLE, fields={name: words})

    def _custom_value(self, name: str, known: CustomField, value: Value, project: str) -> str | list[str]:
        if known.format == "user" and isinstance(value, str) and value:
            try:
                return self._catalog.assignee(value, project)
            except Refused as refusal:
                raise self.refuse(name, refusal.words) from refusal
        return raw_custom(value)

    def _attribute(self, name: str, value: Value, project: str) -> Any:
        if name == "assignee":
            return self._assignee(value, project)
        if name == "type":
            return self._number(name, value, self._catalog.project(project).types, f" of project {project}")
        if name in {"priority", "status"}:
            known = self._catalog.priorities() if name == "priority" else self._catalog.statuses()
            return self._number(name, value, known)
        if name in {"components", "fix-versions"}:
            return self._one_of(name, value, project)
        if isinstance(value, Document):
            return native(value, self._dialect)
        if value is None or isinstance(value, str):
            return value or ""
        raise self.refuse(name, f"Redmine's {name} takes text, not {type(value).__name__}")

    def _one_of(self, name: str, value: Value, project: str) -> int | str:
        """The number of a category or version; "" for none."""
        members = value if isinstance(value, frozenset) else frozenset({str(value)} if value else ())
        if len(members) > 1:
            raise self.refuse(name, f"a Redmine ticket has one at most, not {', '.join(sorted(members))}")
        known = self._catalog.categories(project) if name == "components" else self._catalog.versions(project)
        return next((self._number(name, member, known, f" of project {project}") for member in members), "")

    def _number(self, name: str, value: Value, known: Mapping[str, int], where: str = "") -> int:
        if isinstance(value, str) and value in known:
            return known[value]
        raise self.refuse(name, f"{value!r} is no {name}{where}; there are {', '.join(known) or 'none'}")

    def _assignee(self, value: Value, project: str) -> int | str:
        if isinstance(value, Person):
            return int(value.id)
        if not value:
            return ""
        return int(self._catalog.assignee(str(value), project))


def _shown(value: Any) -> str:
    """A value of an issue as words."""
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
