"""Request Tracker's JSON as canonical values, and canonical values as RT takes them. Pure: no request is made here.

RT tells times in whole seconds UTC, and an unset one as 1970. A due date is a moment there: the day is that of the
account's time zone. A text is HTML or plain, as its content type says; plain text is never taken for markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, Final
from urllib.parse import quote

from bridge.clock import SECOND
from bridge.errors import Unintelligible
from bridge.markup import Document, canonical, plain, read, write
from bridge.sync.ticket import Attachment, Comment, Person, Ticket, Value

Json = Mapping[str, Any]

DIALECT: Final = "html"

ATTRIBUTES: Mapping[str, str] = {
    "summary": "Subject",
    "priority": "Priority",
    "status": "Status",
    "due": "Due",
    "assignee": "Owner",
}
"""Canonical built-in field -> attribute in RT's requests. The description is a transaction, not an attribute."""

CANONICAL: Mapping[str, str] = {attribute: name for name, attribute in ATTRIBUTES.items()}
"""The reverse of ATTRIBUTES."""

NOBODY = "Nobody"
"""RT's owner of tickets that nobody owns."""

_LINES = re.compile(r"\r\n?")
_LENGTH = re.compile(r"^Content-Length:\s*([0-9]{1,15})\s*$", re.MULTILINE | re.IGNORECASE)
_PUBLIC = frozenset({"Create", "Correspond"})
_BLANK = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field. ``kind`` is RT's type, e.g. ``Freeform``, ``Select``, ``HTML``; "" when it is not told."""

    id: int
    name: str
    kind: str = ""
    multiple: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A text on a ticket: what created it, a reply that everybody reads, or a comment among staff.

    Attributes:
        id: its transaction.
        ticket: the ticket's number.
        kind: ``Create``, ``Correspond`` or ``Comment``.
        author: who wrote it.
        created: microseconds UTC.
        body: the text.
        files: the parts with a name, as RT lists them.
    """

    id: str
    ticket: str
    kind: str
    author: Person | None
    created: int
    body: Document
    files: tuple[Json, ...] = ()


def instant(text: str | None) -> int:
    """RT's ``2026-11-22T04:27:45Z`` as microseconds UTC; 0 when unset."""
    if not text:
        return 0
    when = datetime.fromisoformat(text)
    return int(when.replace(tzinfo=when.tzinfo or UTC).timestamp()) * SECOND


def second(at: int) -> int:
    """A moment, rounded down to the whole second, as RT keeps it."""
    return at // SECOND * SECOND


def day(text: str | None, zone: tzinfo) -> str | None:
    """The day that a moment falls on in the account's zone, ISO; None when unset."""
    at = instant(text)
    return datetime.fromtimestamp(at // SECOND, zone).date().isoformat() if at > 0 else None


def midnight(iso: str, zone: tzinfo) -> str:
    """The beginning of a day of the account's zone, as RT takes a date: UTC, and no ``T``.

    Raises:
        ValueError: it is no ISO date.
    """
    began = datetime.combine(date.fromisoformat(iso), time(), zone)
    return began.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def person(ref: Any) -> Person | None:
    """A user reference, with name and mail where they were asked for; None for nobody."""
    if not isinstance(ref, Mapping) or not ref.get("id") or ref["id"] == NOBODY:
        return None
    login = str(ref.get("Name") or ref["id"])
    mail = ref.get("EmailAddress")
    return Person(login, str(ref.get("RealName") or login), (str(mail),) if mail else ())


def from_plain(text: str) -> Document:
    """Plain text: paragraphs at empty lines, line breaks within them; nothing in it is markup.

    Addresses in it are links, as in HTML: RT shows both so.
    """
    parts = _BLANK.split(_LINES.sub("\n", text).strip("\n"))
    return read(DIALECT, "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in parts))


def body_of(parts: Sequence[Json]) -> Document:
    """The text of a transaction from its nameless parts, in order.

    A mail may hold several: the first text counts, as in RT itself. Where it is one of several forms of the same text
    (``multipart/alternative``), its HTML form is taken.
    """
    kinds = [str(part.get("ContentType") or "").lower() for part in parts]
    first = next((place for place, kind in enumerate(kinds) if kind.startswith("text/")), None)
    if first is None:
        return Document()
    chosen = first
    if "multipart/alternative" in kinds[:first]:
        chosen = next((place for place in range(first, len(kinds)) if kinds[place] == "text/html"), first)
    content = str(parts[chosen].get("Content") or "")
    return read(DIALECT, content) if kinds[chosen] == "text/html" else from_plain(content)


def native(body: Document) -> str:
    """A document as HTML."""
    return str(write(DIALECT, body))


def same_text(one: Document, other: Document) -> bool:
    """Whether two texts say the same once both have been on a Request Tracker."""
    return canonical(one) == canonical(other) or read(DIALECT, native(one)) == canonical(other)


def custom_value(raw: Sequence[Any], field: CustomField) -> Value:
    """A custom field's value. Numbers and flags are texts in RT."""
    values = [_LINES.sub("\n", str(value)) for value in raw if value not in (None, "")]
    if field.multiple:
        return frozenset(values)
    if not values:
        return None
    return read(DIALECT, values[0]) if field.kind == "HTML" else values[0]


def raw_custom(value: Value, field: CustomField) -> str | list[str]:
    """A canonical value as RT takes it for a custom field; "" and an empty list clear it."""
    match value:
        case frozenset():
            texts = sorted(value)
        case None:
            texts = []
        case bool():
            texts = ["1" if value else "0"]
        case Document():
            texts = [native(value) if field.kind == "HTML" else plain(value)]
        case Person():
            texts = [value.id]
        case str():
            texts = [value] if value else []
        case _:
            texts = [f"{value:.15g}"]
    if field.multiple:
        return texts
    return ", ".join(texts)


def same_custom(meant: str | list[str], found: Sequence[Any]) -> bool:
    """Whether a custom field now holds what we meant to write."""
    wanted = {_LINES.sub("\n", item).strip() for item in ([meant] if isinstance(meant, str) else meant)} - {
        ""
    }
    present = {_LINES.sub("\n", str(item)).strip() for item in found if item is not None} - {""}
    return wanted == present


@dataclass(frozen=True, slots=True)
class Shape:
    """What turning RT's ticket into ours needs beside it.

    Attributes:
        tracker: the tracker's name, for messages.
        url: base address.
        custom: canonical name -> name of the custom field behind it.
        marker: name of the custom field with the bridge's mark.
        zone: the account's time zone.
        field: what is known of a custom field beyond the ticket.
    """

    tracker: str
    url: str
    custom: Mapping[str, str]
    marker: str
    zone: tzinfo
    field: Callable[[Json], CustomField]


def mark_of(item: Json, marker: str) -> str:
    """The bridge's mark on a ticket; "" when there is none."""
    for field in item.get("CustomFields") or ():
        if field["name"] == marker:
            return str((field.get("values") or [""])[0] or "")
    return ""


def to_ticket(item: Json, shape: Shape, messages: Sequence[Message] | None = None) -> Ticket:
    """RT's ticket as ours. Without its messages the description is absent and the comments are incomplete.

    Raises:
        Unintelligible: the answer lacks what every ticket has.
    """
    try:
        fields: dict[str, Value] = {
            "summary": str(item["Subject"] or ""),
            "priority": str(item["Priority"]),
            "status": str(item["Status"]),
            "due": day(item["Due"], shape.zone),
            "assignee": person(item["Owner"]),
        }
        for canonical_name, name in shape.custom.items():
            for field in item.get("CustomFields") or ():
                if field["name"] == name and not any(isinstance(value, dict) for value in field["values"]):
                    fields[canonical_name] = custom_value(field["values"], shape.field(field))
        if messages is not None:
            fields["description"] = next((one.body for one in messages if one.kind == "Create"), Document())
        return Ticket(
            id=str(item["id"]),
            key=str(item["id"]),
            url=f"{shape.url}/Ticket/Display.html?id={item['id']}",
            project=str(item["Queue"]["Name"]),
            created=instant(item["Created"]),
            updated=instant(item["LastUpdated"]),
            fields=fields,
            comments=tuple(
                _comment(one)
                for one in messages or ()
                if one.kind != "Create" and (one.body.blocks or not one.files)
            ),
            comments_complete=messages is not None,
            attachments=tuple(
                _attachment(raw, one, shape.url) for one in messages or () for raw in one.files
            ),
            attachments_complete=messages is not None,
            creator=person(item["Creator"]),
            marker=mark_of(item, shape.marker),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise Unintelligible(
            shape.tracker, f"a ticket is not as Request Tracker describes it: {problem!r}"
        ) from problem


def file_size(raw: Json) -> int:
    """A file's size in bytes. RT puts it among the headers of the part; 0 where there is none."""
    told = _LENGTH.findall(str(raw.get("Headers") or ""))
    return int(told[-1]) if told else 0


def file_url(url: str, raw: Json) -> str:
    """Where a person can open a file."""
    return (
        f"{url}/Ticket/Attachment/{raw['TransactionId']}/{raw['id']}/{quote(str(raw['Filename']), safe='')}"
    )


def _attachment(raw: Json, message: Message, url: str) -> Attachment:
    """A file is as public as what it was sent with: for everybody with a ticket or a reply, else for staff alone."""
    return Attachment(
        id=str(raw["id"]),
        name=str(raw["Filename"]),
        size=file_size(raw),
        created=message.created,
        author=message.author,
        media_type=str(raw.get("ContentType") or ""),
        private=message.kind not in _PUBLIC,
        url=file_url(url, raw),
    )


def _comment(message: Message) -> Comment:
    """A message as a comment: a reply is for everybody, RT's "comment" for staff alone. Neither can change in RT 5."""
    return Comment(
        id=message.id,
        author=message.author,
        body=message.body,
        created=message.created,
        updated=message.created,
        private=message.kind != "Correspond",
    )
