"""Redmine's JSON as canonical values, and canonical values as Redmine's JSON. Pure: no request is made here.

Names and people come from outside, through small functions, because Redmine's JSON holds numbers where people
write names. Redmine stores line ends as CRLF and tells the time in whole seconds; both are made uniform here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.clock import SECOND
from bridge.errors import Unintelligible
from bridge.markup import Dialect, Document, plain, read, write
from bridge.sync.ticket import Attachment, Comment, Person, Relation, Ticket, Value
from bridge.trackers.files import with_private

Json = Mapping[str, Any]

ATTRIBUTES: Mapping[str, str] = {
    "summary": "subject",
    "description": "description",
    "type": "tracker_id",
    "priority": "priority_id",
    "status": "status_id",
    "due": "due_date",
    "assignee": "assigned_to_id",
    "components": "category_id",
    "fix-versions": "fixed_version_id",
}
"""Canonical built-in field -> attribute in Redmine's requests and journals."""

CANONICAL: Mapping[str, str] = {attribute: name for name, attribute in ATTRIBUTES.items()}
"""The reverse of ATTRIBUTES."""


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field. ``format`` is known to administrators only; "" otherwise."""

    id: int
    name: str
    format: str = ""
    multiple: bool = False
    required: bool = False
    options: tuple[str, ...] = ()


def instant(text: str) -> int:
    """Redmine's ``2026-11-22T04:27:45Z`` as microseconds UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND


def stamp(at: int) -> str:
    """Microseconds as Redmine's filters want them: whole seconds UTC, rounded down."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lines(text: str | None) -> str:
    """Redmine's text with uniform line ends."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def document(text: str | None, dialect: Dialect) -> Document:
    """Redmine's text as a document."""
    return read(dialect, lines(text))


def native(body: Document, dialect: Dialect) -> str:
    """A document as Redmine's text."""
    return str(write(dialect, body))


def same_text(one: str | None, other: str | None, dialect: Dialect) -> bool:
    """Whether two native texts say the same: but for line ends and outer space, or as documents."""
    first, second = lines(one).strip(), lines(other).strip()
    return first == second or read(dialect, first) == read(dialect, second)


def named(ref: Json | None) -> str:
    """The name in Redmine's ``{"id": 1, "name": "Bug"}``; "" when there is none."""
    return str(ref["name"]) if ref else ""


def _single(ref: Json | None) -> frozenset[str]:
    """A set of at most one name: Redmine has one category and one target version for a ticket."""
    return frozenset({named(ref)} if ref else ())


def is_field(field: Json, name: str) -> bool:
    """Whether a custom field is the one that a configuration names: by its name, or as ``cf_<number>``."""
    return bool(field["name"] == name) or f"cf_{field['id']}" == name


def custom_value(raw: Any, field: CustomField, person: Callable[[Json | None], Person | None]) -> Value:
    """A custom field's value.

    Without an administrator's rights Redmine does not tell of which kind a field is: flags, numbers and people stay
    the strings it sends, a person the number of their account.
    """
    if isinstance(raw, list):
        return frozenset(str(item) for item in raw if item not in (None, ""))
    if raw is None or raw == "":
        return None
    text = lines(str(raw))
    match field.format:
        case "bool":
            return text == "1"
        case "user":
            return person({"id": text})
        case "int" | "float":
            try:
                return float(text)
            except ValueError:
                return text
        case _:
            return text


def raw_custom(value: Value) -> str | list[str]:
    """A canonical value as Redmine takes it for a custom field."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case frozenset():
            return sorted(value) or [""]
        case Document():
            return plain(value)  # whether the field's format takes markup is told to administrators only
        case Person():
            return value.id
        case str():
            return value
        case _:
            return f"{value:.15g}"


def same_custom(meant: str | list[str], found: Any) -> bool:
    """Whether a custom field now holds what we meant to write."""
    wanted = {lines(item).strip() for item in ([meant] if isinstance(meant, str) else meant)} - {""}
    present = {
        lines(str(item)).strip()
        for item in (found if isinstance(found, list) else [found])
        if item is not None
    } - {""}
    if wanted == present:
        return True
    try:
        return sorted(map(float, wanted)) == sorted(map(float, present))
    except ValueError:
        return False


def same_attribute(attribute: str, meant: Any, issue: Json, dialect: Dialect) -> bool:
    """Whether a built-in attribute of an issue now holds what we meant to write."""
    if attribute.endswith("_id"):
        found = (issue.get(attribute.removesuffix("_id")) or {}).get("id")
        return str(meant or "") == str(found or "")
    if attribute == "description":
        return same_text(str(meant or ""), issue.get(attribute), dialect)
    return lines(str(meant or "")).strip() == lines(str(issue.get(attribute) or "")).strip()


def newest(issue: Json) -> int:
    """The number of the newest journal; 0 when there is none."""
    return max((int(journal["id"]) for journal in issue.get("journals", ())), default=0)


def wrote(issue: Json, detail: tuple[str, str, str], *, me: str, after: int) -> bool:
    """Whether we did write a value that somebody has changed again since.

    It tells a silent refusal, which leaves no trace, from a colleague who was quicker than our reading back.

    Args:
        issue: with its journals.
        detail: property, name and value, as a journal records them.
        me: our account.
        after: the newest journal before we wrote.
    """
    kind, name, meant = detail
    return any(
        entry.get("property") == kind
        and entry.get("name") == name
        and lines(str(entry.get("new_value") or "")).strip() == lines(meant).strip()
        for journal in issue.get("journals", ())
        if int(journal["id"]) > after and str((journal.get("user") or {}).get("id")) == me
        for entry in journal.get("details", ())
    )


def to_comments(
    journals: Sequence[Json], person: Callable[[Json | None], Person | None], dialect: Dialect
) -> tuple[Comment, ...]:
    """The journals that hold a note. Redmine 5 does not tell when a note was edited; later versions do."""
    return tuple(
        Comment(
            id=str(journal["id"]),
            author=person(journal.get("user")),
            body=document(journal["notes"], dialect),
            created=instant(journal["created_on"]),
            updated=instant(journal.get("updated_on") or journal["created_on"]),
            private=journal.get("private_notes", False) is not False,
        )
        for journal in sorted(journals, key=lambda journal: int(journal["id"]))
        if (journal.get("notes") or "").strip()
    )


def to_attachments(
    issue: Json, url: str, person: Callable[[Json | None], Person | None]
) -> tuple[Attachment, ...]:
    """The files of an issue, in order of creation; private where the note that they came with is.

    Redmine splits a private note with a file into two journals of one moment: the note alone is private. And a file
    that came after the issue is always recorded in a journal: where we see none, it is hidden from us.
    """
    hushed = [journal for journal in issue.get("journals", ()) if journal.get("private_notes")]
    told: dict[str, bool] = {}
    for journal in issue.get("journals", ()):
        private = bool(journal.get("private_notes")) or any(_together(journal, one) for one in hushed)
        for detail in journal.get("details", ()):
            if detail.get("property") == "attachment":
                number = str(detail.get("name"))
                told[number] = told.get(number, False) or private
    born = instant(issue["created_on"])
    return tuple(
        Attachment(
            id=str(raw["id"]),
            name=str(raw["filename"]),
            size=int(raw["filesize"]),
            created=instant(raw["created_on"]),
            author=person(raw.get("author")),
            media_type=str(raw.get("content_type") or ""),
            private=told.get(str(raw["id"]), instant(raw["created_on"]) > born),
            url=f"{url}/attachments/{raw['id']}",
        )
        for raw in sorted(issue.get("attachments", ()), key=lambda raw: int(raw["id"]))
    )


def _together(one: Json, other: Json) -> bool:
    """Whether two journals were written by one person in one moment."""
    apart = abs(instant(one["created_on"]) - instant(other["created_on"]))
    same = (one.get("user") or {}).get("id") == (other.get("user") or {}).get("id")
    return same and apart <= SECOND


def parent_of(issue: Json) -> str:
    """The number of the issue that this one is a part of; "" for none."""
    return str((issue.get("parent") or {}).get("id") or "")


def to_relations(issue: Json) -> tuple[Relation, ...]:
    """The relations of an issue that was asked for with them; Redmine leaves the list out when it is empty."""
    return tuple(
        Relation(
            id=str(raw["id"]),
            kind=str(raw["relation_type"]),
            other=str(raw["issue_to_id"] if outward else raw["issue_id"]),
            outward=outward,
            symmetric=raw["relation_type"] == "relates",
        )
        for raw in issue.get("relations", ())
        for outward in [raw["issue_id"] == issue["id"]]
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What turning an issue into a ticket needs beside the issue.

    Attributes:
        tracker: the tracker's name, for messages.
        url: base address.
        dialect: the markup of its texts.
        custom: canonical name -> the custom field behind it, by its name or as ``cf_<number>``.
        marker: the custom field with the bridge's mark, likewise; "" when there is none.
        format: what is known of a custom field beyond the issue.
        person: turns a user reference into a person.
        project: turns a project reference into the project's identifier.
    """

    tracker: str
    url: str
    dialect: Dialect
    custom: Mapping[str, str]
    marker: str
    format: Callable[[Json], CustomField]
    person: Callable[[Json | None], Person | None]
    project: Callable[[Json], str]


def to_ticket(issue: Json, shape: Shape) -> Ticket:
    """An issue as a ticket. Without journals in the answer its comments are incomplete.

    Raises:
        Unintelligible: the answer lacks what every issue has.
    """
    try:
        raw = issue.get("custom_fields", ())
        marked = [field.get("value") for field in raw if shape.marker and is_field(field, shape.marker)]
        fields: dict[str, Value] = {
            "summary": issue["subject"],
            "description": document(issue.get("description"), shape.dialect),
            "type": named(issue["tracker"]),
            "priority": named(issue.get("priority")),
            "status": named(issue["status"]),
            "due": issue.get("due_date") or None,
            "assignee": shape.person(issue.get("assigned_to")),
            "components": _single(issue.get("category")),
            "fix-versions": _single(issue.get("fixed_version")),
        }
        for canonical, name in shape.custom.items():
            for field in raw:
                if is_field(field, name):
                    fields[canonical] = custom_value(field.get("value"), shape.format(field), shape.person)
        comments = to_comments(issue.get("journals", ()), shape.person, shape.dialect)
        files = to_attachments(issue, shape.url, shape.person) if "journals" in issue else ()
        return Ticket(
            id=str(issue["id"]),
            key=str(issue["id"]),
            url=f"{shape.url}/issues/{issue['id']}",
            project=shape.project(issue["project"]),
            created=instant(issue["created_on"]),
            updated=instant(issue["updated_on"]),
            fields=fields,
            comments=comments,
            comments_complete="journals" in issue,
            creator=shape.person(issue.get("author")),
            marker=str(marked[0] or "") if marked else "",
            private=issue.get("is_private", False) is not False,
            attachments=with_private(files, comments),
            attachments_complete="journals" in issue and "attachments" in issue,
            parent=parent_of(issue),
            relations=to_relations(issue),
            relations_complete="journals" in issue,
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise Unintelligible(
            shape.tracker, f"an issue is not as Redmine describes it: {problem!r}"
        ) from problem
