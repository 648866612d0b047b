"""Which field of a Jira site a name means: built-in names, ids, and the names that people see.

Names of custom fields are neither fixed nor unique, and ids differ from site to site, so names are looked
up in ``GET /field``, which is kept for a while. A name that means nothing, or two fields, is refused when
it is to be written; when it is only to be read the field is absent from the ticket, so that the other
fields still cross.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.clock import SECOND, Clock
from bridge.errors import Refused
from bridge.sync.ticket import Value
from bridge.trackers.jira_values import Kind, Values, WrongValue, kind_of
from bridge.trackers.protocol import FieldSpec

log = structlog.get_logger(__name__)

JIRA_NAMES: Mapping[str, str] = {
    "summary": "summary",
    "description": "description",
    "type": "issuetype",
    "priority": "priority",
    "status": "status",
    "labels": "labels",
    "due": "duedate",
    "assignee": "assignee",
    "components": "components",
    "fix-versions": "fixVersions",
    "affects-versions": "versions",
}
"""Canonical built-in fields and Jira's ids for them."""

CANONICAL_NAMES: Mapping[str, str] = {field: name for name, field in JIRA_NAMES.items()}
"""Jira's ids of the built-in fields and our names for them."""

_BUILT_IN_KINDS: Mapping[str, Kind] = {
    "summary": Kind.STRING,
    "description": Kind.TEXT,
    "issuetype": Kind.NAMED,
    "priority": Kind.NAMED,
    "status": Kind.NAMED,
    "labels": Kind.WORDS,
    "duedate": Kind.DATE,
    "assignee": Kind.PERSON,
    "components": Kind.NAMES,
    "fixVersions": Kind.NAMES,
    "versions": Kind.NAMES,
}

_CROSSING_NOT: Mapping[Kind, str] = {
    Kind.PEOPLE: "a field with several people cannot cross yet",
    Kind.OTHER: "fields of this type cannot cross",
}
"""Kinds whose values are not read, because nothing the other side could understand is in them, and why."""

_REFRESH_AFTER = 300 * SECOND
"""How long a name that was not found stays unknown before the list of fields is read again."""


@dataclass(frozen=True, slots=True)
class JiraField:
    """One field of a site: the id that requests use, the name that people see, the shape of its value."""

    id: str
    name: str
    kind: Kind


class Catalogue:
    """The fields of one site. Shared by all threads.

    Args:
        tracker: the tracker's name, for messages.
        load: reads ``GET /field``.
        clock: the time.
    """

    def __init__(self, tracker: str, load: Callable[[], Sequence[Mapping[str, Any]]], clock: Clock) -> None:
        self._tracker = tracker
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._fields: tuple[JiraField, ...] = ()
        self._loaded_at: int | None = None
        self._reported: set[str] = set()

    def all(self) -> tuple[JiraField, ...]:
        """All fields of the site, read anew."""
        return self._read()

    def find(self, canonical: str, native: str) -> JiraField:
        """The field that a name means.

        Args:
            canonical: our name.
            native: the name in this tracker: a canonical built-in name, an id, or what people see.

        Raises:
            Refused: no field is called so, or several are.
        """
        built_in = JIRA_NAMES.get(native)
        if built_in is not None:
            return JiraField(built_in, native, _BUILT_IN_KINDS[built_in])
        found = self._matches(self._known(), native)
        if not found and self._stale():
            found = self._matches(self._read(), native)
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(field.id for field in found)
            words = f"several fields are called {native!r}: name one by its id ({ids})"
        else:
            words = f"there is no field called {native!r}"
        raise Refused(self._tracker, words, status=400, fields={canonical: words})

    def unfit(self, specs: Iterable[FieldSpec]) -> dict[str, str]:
        """Why names that an agreement uses cannot be used, by name: ambiguous, or of a type that cannot cross."""
        reasons: dict[str, str] = {}
        known = self._known()
        for spec in specs:
            if self._matches(known, spec.native):
                try:
                    self._crossing(spec)
                except Refused as refusal:
                    reasons[spec.native] = refusal.words
        return reasons

    def readable(self, specs: Iterable[FieldSpec]) -> dict[str, JiraField]:
        """Canonical name -> field, for those that can be found; the others are reported once in the log."""
        fields: dict[str, JiraField] = {}
        for spec in specs:
            try:
                fields[spec.canonical] = self._crossing(spec)
            except Refused as refusal:
                if spec.native not in self._reported:
                    self._reported.add(spec.native)
                    log.warning("field_not_read", tracker=self._tracker, field=spec.native, why=refusal.words)
        return fields

    def _crossing(self, spec: FieldSpec) -> JiraField:
        """The field that an agreement maps.

        Raises:
            Refused: no field is called so, or several are, or its values would mean nothing on the other side.
        """
        field = self.find(spec.canonical, spec.native)
        if field.kind in _CROSSING_NOT:
            words = _CROSSING_NOT[field.kind]
            raise Refused(self._tracker, words, status=400, fields={spec.canonical: words})
        return field

    def _known(self) -> tuple[JiraField, ...]:
        with self._lock:
            loaded, fields = self._loaded_at, self._fields
        return self._read() if loaded is None else fields

    def _stale(self) -> bool:
        with self._lock:
            return self._loaded_at is None or self._clock.now() - self._loaded_at > _REFRESH_AFTER

    def _read(self) -> tuple[JiraField, ...]:
        rows = self._load()
        fields = tuple(
            JiraField(
                str(row["id"]), str(row.get("name", "")), kind_of(str(row["id"]), row.get("schema") or {})
            )
            for row in rows
            if row.get("id")
        )
        with self._lock:
            self._fields, self._loaded_at = fields, self._clock.now()
        return fields

    @staticmethod
    def _matches(fields: Sequence[JiraField], native: str) -> list[JiraField]:
        """By id, else by exact name, else by name in any case."""
        wanted = native.casefold()
        for same in (
            [field for field in fields if field.id == native],
            [field for field in fields if field.name == native],
            [field for field in fields if field.name.casefold() == wanted],
        ):
            if same:
                return same
        return []


class Encoder:
    """Turns canonical values into Jira's ``fields``, and Jira's complaints back into canonical names.

    Args:
        tracker: the tracker's name, for messages.
        catalogue: the site's fields.
        values: the flavour's codec.
        find_person: turns a handle into a person's id.
    """

    def __init__(
        self, tracker: str, catalogue: Catalogue, values: Values, find_person: Callable[[str], str]
    ) -> None:
        self._tracker = tracker
        self._catalogue = catalogue
        self._values = values
        self._find_person = find_person

    def encode(
        self, given: Mapping[str, Value], specs: Iterable[FieldSpec]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Jira's ``fields`` for canonical values, and the canonical name of each id among them.

        Args:
            given: canonical (or native) name -> value.
            specs: the native names of canonical custom fields.

        Raises:
            Refused: names mean no field, or values do not fit their fields; all of them at once.
        """
        natives = {spec.canonical: spec.native for spec in specs}
        fields: dict[str, Any] = {}
        names: dict[str, str] = {}
        wrong: dict[str, str] = {}
        for name, value in given.items():
            try:
                field = self._catalogue.find(name, natives.get(name, name))
                fields[field.id] = self.one(field, name, value)
                names[field.id] = name
            except Refused as trouble:
                wrong |= trouble.fields
        if wrong:
            words = "; ".join(f"{name}: {why}" for name, why in wrong.items())
            raise Refused(self._tracker, words, status=400, fields=wrong)
        return fields, names

    def one(self, field: JiraField, name: str, value: Value) -> Any:
        """The JSON for one field's value.

        Raises:
            Refused: the value does not fit.
        """
        try:
            return self._values.encode(field.kind, value, self._find_person)
        except WrongValue as wrong:
            raise Refused(self._tracker, f"{name}: {wrong}", status=400, fields={name: str(wrong)}) from wrong

    def screen_field(self, name: str) -> JiraField:
        """The field of a screen that an agreement names.

        Raises:
            Refused: no field is called so, or several are.
        """
        return self._catalogue.find(name, name)


def canonical_refusal(refusal: Refused, names: Mapping[str, str]) -> Refused:
    """The same refusal, with its complaints under our names for the fields instead of Jira's ids."""
    known = {**CANONICAL_NAMES, **names}
    fields = {known.get(field, field): why for field, why in refusal.fields.items()}
    words = refusal.words
    for field, name in names.items():
        words = words.replace(f"{field}: ", f"{name}: ")
    return Refused(refusal.tracker, words, status=refusal.status, fields=fields)
