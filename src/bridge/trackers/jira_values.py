"""Jira's JSON for single values, both ways: people, times, texts, and every type of field that may cross.

A field's *kind* is read off its schema in ``GET /field``; :func:`decode` and :func:`encode` are driven by
it, so that a custom field needs no code. What cannot be written is refused with the field's name.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.markup import Dialect, Document, plain, read, write
from bridge.markup.tree import Paragraph, Text
from bridge.sync.ticket import Person, Value

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_SECONDS_UNTIL_5138 = 100_000_000_000


BELOW = " > "
"""Between the two levels of a cascading choice: ``Hardware > Printer``."""


class Kind(StrEnum):
    """What shape a field's value has on the wire."""

    STRING = "string"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    OPTION = "option"
    OPTIONS = "options"
    CASCADE = "cascade"
    NAMED = "named"
    NAMES = "names"
    WORDS = "words"
    PERSON = "person"
    PEOPLE = "people"
    OTHER = "other"


_SINGLE = {
    "string": Kind.STRING,
    "number": Kind.NUMBER,
    "date": Kind.DATE,
    "datetime": Kind.MOMENT,
    "option": Kind.OPTION,
    "option-with-child": Kind.CASCADE,
    "user": Kind.PERSON,
    "priority": Kind.NAMED,
    "issuetype": Kind.NAMED,
    "status": Kind.NAMED,
    "resolution": Kind.NAMED,
    "version": Kind.NAMED,
    "component": Kind.NAMED,
    "securitylevel": Kind.NAMED,
    "group": Kind.NAMED,
}
_SEVERAL = {
    "string": Kind.WORDS,
    "option": Kind.OPTIONS,
    "user": Kind.PEOPLE,
    "version": Kind.NAMES,
    "component": Kind.NAMES,
    "group": Kind.NAMES,
}
_RICH_SYSTEM_FIELDS = frozenset({"description", "environment"})


def kind_of(field: str, schema: Mapping[str, Any]) -> Kind:
    """The kind of a field, from its id and the schema that Jira gives for it.

    Only ``textarea`` custom fields and two system fields are rich text; ``textfield`` is plain in every
    version of the API (Atlassian's REST v3 description, "Create issue").
    """
    if field in _RICH_SYSTEM_FIELDS or str(schema.get("custom", "")).endswith(":textarea"):
        return Kind.TEXT
    kind = schema.get("type")
    if kind == "array":
        return _SEVERAL.get(str(schema.get("items")), Kind.OTHER)
    return _SINGLE.get(str(kind), Kind.OTHER)


class WrongValue(Exception):
    """This value cannot be written into a field of this kind; says why."""


@dataclass(frozen=True, slots=True)
class Values:
    """Reads and writes values of one flavour of Jira.

    Attributes:
        dialect: markup of rich texts.
        person_key: what names a person in JSON: ``accountId`` on Cloud, ``name`` on Data Center.
    """

    dialect: Dialect
    person_key: str

    def person(self, raw: Any) -> Person | None:
        """A person; None when there is none or Jira hides who it is."""
        if not isinstance(raw, dict) or not raw.get(self.person_key):
            return None
        handles = (raw.get(key) for key in ("emailAddress", "name", "key"))
        known = dict.fromkeys(str(handle) for handle in handles if handle)
        return Person(
            id=str(raw[self.person_key]),
            name=str(raw.get("displayName") or ""),
            handles=tuple(handle for handle in known if handle != raw[self.person_key]),
            active=bool(raw.get("active", True)),
        )

    def text(self, raw: Any) -> Document:
        """A rich text; the empty document when there is none."""
        return Document() if raw is None or raw == "" else read(self.dialect, raw)

    def write_text(self, value: Document) -> Any:
        """A rich text as Jira wants it."""
        return write(self.dialect, value)

    def decode(self, kind: Kind, raw: Any) -> Value:
        """A field's value from its JSON."""
        value: Value
        if kind is Kind.TEXT:
            value = self.text(raw)
        elif kind in _SET_KINDS:
            items = raw if isinstance(raw, list) else []
            value = frozenset(name for item in items if (name := self._name(item)))
        elif raw is None:
            value = None
        elif kind is Kind.PERSON:
            value = self.person(raw)
        elif kind is Kind.NUMBER:
            value = float(raw)
        elif kind is Kind.MOMENT:
            value = _utc(str(raw))
        elif isinstance(raw, bool | int | float):
            value = raw
        else:
            value = self._name(raw) or None
        return value

    def encode(self, kind: Kind, value: Value, find_person: Callable[[str], str]) -> Any:
        """The JSON for a field's value.

        Args:
            kind: the field's kind.
            value: its new value; None or an empty one clears the field.
            find_person: turns a handle (e-mail, login) into the id of a person.

        Raises:
            WrongValue: it does not fit.
        """
        encoded: Any
        if kind in {Kind.PERSON, Kind.PEOPLE}:
            # A Person is of this tracker already: nothing to look up.
            ids = [value.id] if isinstance(value, Person) else map(find_person, sorted(_as_set(value)))
            people = [{self.person_key: one} for one in ids]
            encoded = people if kind is Kind.PEOPLE else _only(people)
        elif kind in _SET_KINDS:
            encoded = [self._member(kind, name) for name in sorted(_as_set(value))]
        elif kind is Kind.TEXT:
            document = value if isinstance(value, Document) else lines(_as_text(value))
            encoded = self.write_text(document) if document else None
        elif kind is Kind.NUMBER:
            encoded = _as_number(value)
        elif kind in {Kind.DATE, Kind.MOMENT}:
            encoded = _time(kind, _as_text(value))
        elif kind is Kind.OTHER:
            raise WrongValue("fields of this type cannot be written")
        else:
            # A line break in a single line is refused by Jira; white space is what it means there.
            text = " ".join(_as_text(value).split("\n"))
            encoded = self._member(kind, text) if text else None
        return encoded

    def _name(self, raw: Any) -> str:
        """How people call one member: an option's value, a version's name, a person's id."""
        if not isinstance(raw, dict):
            return str(raw)
        if raw.get(self.person_key) and "displayName" in raw:
            return str(raw[self.person_key])
        name = str(raw.get("value") or raw.get("name") or "")
        child = raw.get("child")
        return f"{name}{BELOW}{self._name(child)}" if isinstance(child, dict) else name

    def _member(self, kind: Kind, name: str) -> Any:
        match kind:
            case Kind.OPTION | Kind.OPTIONS:
                return {"value": name}
            case Kind.CASCADE:
                parent, below, child = name.partition(BELOW)
                return {"value": parent, "child": {"value": child}} if below else {"value": name}
            case Kind.NAMED | Kind.NAMES:
                return {"name": name}
            case _:
                return name


_SET_KINDS = frozenset({Kind.OPTIONS, Kind.NAMES, Kind.WORDS, Kind.PEOPLE})


def moment(raw: Any) -> int:
    """Microseconds UTC of a Jira time: ISO with offset, or (milli)seconds as in bulk changelogs."""
    if isinstance(raw, int):
        return raw * (1_000 if raw > _SECONDS_UNTIL_5138 else 1_000_000)
    return (dt.datetime.fromisoformat(str(raw)) - _EPOCH) // _MICROSECOND


def _utc(raw: str) -> str:
    """A moment as ISO text in UTC and whole seconds: sites print one moment in different zones."""
    return f"{dt.datetime.fromisoformat(raw).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _time(kind: Kind, text: str) -> str | None:
    """A date or a moment as Jira takes it; one is no stand-in for the other.

    Raises:
        WrongValue: it is the other one, or neither.
    """
    if not text:
        return None
    try:
        if kind is Kind.DATE:
            return dt.date.fromisoformat(text).isoformat()
        if "T" in text:
            return f"{dt.datetime.fromisoformat(text).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
    except ValueError:
        pass
    due = "a date (year-month-day)" if kind is Kind.DATE else "a date with a time of day"
    raise WrongValue(f"takes {due}, got {text!r}")


def lines(text: str) -> Document:
    """Plain text as a document, a paragraph for each line."""
    words = (line.strip() for line in text.splitlines())
    return Document(tuple(Paragraph((Text(line),)) for line in words if line))


def _as_text(value: Value) -> str:
    if isinstance(value, Document):
        return plain(value)
    if isinstance(value, Person):
        return value.id
    if isinstance(value, frozenset):
        if len(value) > 1:
            raise WrongValue("takes one value, got several")
        return next(iter(value), "")
    return "" if value is None else str(value)


def _as_set(value: Value) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    text = _as_text(value)
    return frozenset({text}) if text else frozenset()


def _only(members: Sequence[Any]) -> Any:
    if len(members) > 1:
        raise WrongValue("takes one value, got several")
    return members[0] if members else None


def _as_number(value: Value) -> float | None:
    text = _as_text(value)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise WrongValue(f"takes a number, got {text!r}") from None
    if not math.isfinite(number):
        raise WrongValue(f"takes a number, got {text!r}")
    return int(number) if number.is_integer() else number
