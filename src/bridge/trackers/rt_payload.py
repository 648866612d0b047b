"""What we mean to write to a ticket, and whether it is there afterwards.

RT answers 200 to a PUT whatever becomes of it: refusals are sentences, in the account's language, among the sentences
about what was done. So every write is kept as a payload that can be held against the ticket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.sync.agreement import BUILT_IN_FIELDS
from bridge.sync.ticket import Person, Value
from bridge.trackers.protocol import FieldSpec
from bridge.trackers.rt_catalog import Catalog
from bridge.trackers.rt_values import (
    ATTRIBUTES,
    CANONICAL,
    NOBODY,
    CustomField,
    Json,
    day,
    instant,
    midnight,
    person,
    raw_custom,
    same_custom,
)

WATCHERS = {"requestor": "Requestor", "cc": "Cc", "admincc": "AdminCc"}
"""What ``on-create`` may give beside fields, in small letters -> RT's role."""


@dataclass(frozen=True, slots=True)
class Payload:
    """Values on their way to a ticket.

    Attributes:
        attributes: RT's attribute -> value.
        custom: custom field -> value.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    custom: Mapping[CustomField, str | list[str]] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The payload as a request's body."""
        body: dict[str, Any] = dict(self.attributes)
        if self.custom:
            body["CustomFields"] = {str(custom.id): value for custom, value in self.custom.items()}
        return body

    def only(self, names: Sequence[str] | Mapping[str, Any]) -> Payload:
        """The part of the payload that concerns these fields, by RT's names."""
        return Payload(
            {name: value for name, value in self.attributes.items() if name in names},
            {custom: value for custom, value in self.custom.items() if custom.name in names},
        )

    def unmet(self, item: Json) -> dict[str, str]:
        """The fields that do not hold what we meant, by RT's name, with what they hold."""
        missing = {
            name: _held(name, item)
            for name, meant in self.attributes.items()
            if not _same(name, meant, _held(name, item))
        }
        present = {int(one["id"]): one.get("values") or () for one in item.get("CustomFields") or ()}
        for custom, meant in self.custom.items():
            if not same_custom(meant, present.get(custom.id, ())):
                missing[custom.name] = ", ".join(str(value) for value in present.get(custom.id, ()) if value)
        return missing

    def clashes(self, before: Json, now: Json) -> bool:
        """Whether somebody else changed any of these fields between two readings, to something we did not mean."""
        held = self.unmet(before)
        return any(held.get(name) != value for name, value in self.unmet(now).items())

    def events(self) -> dict[str, str]:
        """RT's name of each field -> what a transaction calls the field."""
        return {name: name for name in self.attributes} | {one.name: str(one.id) for one in self.custom}


class Payloads:
    """Makes payloads out of canonical values.

    Args:
        catalog: names and numbers.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def make(
        self, values: Mapping[str, Value], specs: Sequence[FieldSpec], fields: Mapping[str, int]
    ) -> Payload:
        """Translate values.

        Args:
            values: canonical name, or the name of a custom field -> value in RT's vocabulary.
            specs: the custom fields behind canonical names.
            fields: the custom fields of the queue or ticket, name -> number.

        Raises:
            Refused: RT has no such field, value or person.
        """
        natives = {spec.canonical: spec.native for spec in specs}
        attributes: dict[str, str] = {}
        custom: dict[CustomField, str | list[str]] = {}
        for name, value in values.items():
            if name in ATTRIBUTES:
                attributes[ATTRIBUTES[name]] = self._attribute(name, value)
            elif name in BUILT_IN_FIELDS:
                raise self._catalog.refuse(name, f"Request Tracker has no {name} that could be set")
            else:
                one = self.field(natives.get(name, name), fields)
                raw = raw_custom(value, one)
                self._insist_on_options(name, one, raw)
                custom[one] = raw
        return Payload(attributes, custom)

    def field(self, name: str, fields: Mapping[str, int]) -> CustomField:
        """A custom field by its name.

        Raises:
            Refused: RT shows no such field to us.
        """
        if name not in fields:
            words = f"there is no custom field {name!r} on tickets of this queue that our account may see"
            raise self._catalog.refuse(name, words)
        # The name as agreements write it, whatever RT calls it meanwhile.
        return replace(self._catalog.field({"id": fields[name], "name": name}), name=name)

    def _insist_on_options(self, name: str, one: CustomField, raw: str | list[str]) -> None:
        """RT creates a ticket without a value that is not among the options, in silence."""
        if one.kind != "Select" or not one.options:
            return
        known = {option.casefold() for option in one.options}
        for value in [raw] if isinstance(raw, str) else raw:
            if value and value.casefold() not in known:
                words = f"{value!r} is no value of {one.name!r}; there are {', '.join(one.options)}"
                raise self._catalog.refuse(name, words)

    def _attribute(self, name: str, value: Value) -> str:
        if name == "assignee":
            if isinstance(value, Person):
                return value.id
            return self._catalog.owner(str(value)) if value else NOBODY
        if name == "due":
            return self._due(value)
        if name == "priority":
            # RT takes any other text for 0, or for no change.
            if value is None or not str(value).strip().isdecimal():
                raise self._catalog.refuse(name, f"a priority of Request Tracker is a number, not {value!r}")
            return str(int(str(value)))
        if isinstance(value, str) or value is None:
            return " ".join((value or "").split())
        raise self._catalog.refuse(name, f"RT's {name} takes text, not {type(value).__name__}")

    def _due(self, value: Value) -> str:
        if not value:
            return ""
        try:
            return midnight(str(value), self._catalog.account().days)
        except ValueError:
            raise self._catalog.refuse("due", f"{value!r} is no date") from None

    def same_day(self, payload: Payload, item: Json) -> Payload:
        """The payload without a due date that is another moment of the day the ticket shows."""
        zone, meant = self._catalog.account().days, payload.attributes.get("Due")
        if not meant or day(item["Due"], zone) != day(f"{meant.replace(' ', 'T')}Z", zone):
            return payload
        return replace(payload, attributes={n: v for n, v in payload.attributes.items() if n != "Due"})


def canonical_name(name: str) -> str:
    """The canonical name of one of RT's attributes; a custom field keeps its own."""
    return CANONICAL.get(name, name)


def _held(name: str, item: Json) -> str:
    """What an attribute of a ticket holds, as RT shows it."""
    value = item.get(name)
    if name == "Owner":
        owner = person(value)
        return owner.id if owner else NOBODY
    if name == "Due":
        return str(value) if instant(value) > 0 else ""
    return "" if value is None else str(value)


def _same(name: str, meant: str, held: str) -> bool:
    if name == "Due":
        return (not meant and not held) or instant(held) == instant(
            f"{meant.replace(' ', 'T')}Z" if meant else None
        )
    if name in {"Owner", "Status"}:
        return meant.casefold() == held.casefold()
    return " ".join(held.split()) == meant
