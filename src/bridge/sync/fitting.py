"""What makes a text fit to cross: nothing foreign in it, and nothing live but what both sides agreed to.

Unknown nodes become the words in them, mentions become names unless both sides know the person and want it so, and
files are shown by the name or address of their twin on the other side, once they have one. What the agreement redacts
goes last, from what is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from bridge.markup import (
    Block,
    Dialect,
    Document,
    Inline,
    Mark,
    Media,
    Mention,
    Paragraph,
    Text,
    UnknownBlock,
    UnknownInline,
    transform,
)
from bridge.sync.agreement import Agreement
from bridge.sync.attribution import mentioned
from bridge.sync.redacting import redact
from bridge.sync.ticket import Person, Side, Value

_FILE = re.compile(r"^.*/")
"""What stands before a file's bare name."""

Twins = Mapping[str, Mapping[str, str]]
"""A file's name or address on one side -> ``name`` and ``url`` of its twin on the other."""


def fit_text(agreement: Agreement, text: Document, to: Side) -> Document:
    """A text without anything foreign on the other side, and nothing live but mentions of people who agreed to it."""
    people = {
        (internal if to is Side.VENDOR else vendor).person.casefold(): vendor
        if to is Side.VENDOR
        else internal
        for internal, vendor in agreement.mentionable
    }
    files = agreement.twins.get(to.other, {})
    dialect = agreement.scope(to).dialect
    called = partial(mentioned, agreement, to.other)
    inert = partial(_inert, people, called, files, dialect)
    return redact(agreement.redaction, to, transform(text, inline=inert, block=_inert_block), dialect)


def shows(text: Value, names: Collection[str]) -> bool:
    """Whether a text shows any of these files."""
    return bool(names) and isinstance(text, Document) and any(key in names for key in files_in(text))


def files_in(text: Document) -> list[str]:
    """Names and addresses by which a text shows files."""
    found: list[str] = []

    def look(node: Inline) -> Inline:
        match node:
            case Media(ref=ref, alt=alt):
                found.extend((ref, alt))
            case Text(marks=marks):
                found.extend(mark.value for mark in marks if mark.kind == "link")
        return node

    transform(text, inline=look)
    return found


def _inert(
    people: Mapping[str, Mention],
    called: Callable[[Person], str],
    files: Twins,
    dialect: Dialect,
    node: Inline,
) -> Inline:
    """An inline node without anything foreign or live on the other side, but for the people and files known there."""
    match node:
        case Mention(person=person) if person.casefold() in people:
            return people[person.casefold()]
        case Mention(text=text, person=person):
            # The name that people see; never the account's id, which is a login or an e-mail address on some trackers.
            return Text(f"@{called(Person(person, text.lstrip('@')))}")
        case Media(ref=ref, alt=alt) if files and (twin := files.get(ref) or files.get(alt)):
            return _shown_file(twin, alt, dialect)
        case Text(text=text, marks=marks) if files and (twin := _linked(marks, files)):
            return _shown_file(twin, text, dialect)
        case Media(ref=ref, alt=alt):
            # The file has not crossed; the reader must still learn that something was here, but no address.
            return Text(f"[{alt or (_FILE.sub('', ref) if '://' not in ref else 'image')}]")
        case UnknownInline(text=text):
            return Text(text)
        case _:
            return node


def _shown_file(twin: Mapping[str, str], alt: str, dialect: Dialect) -> Inline:
    """A file of the other side, as its own dialect shows it.

    In ADF a file is shown by an id that no API tells; a link to it is the next best.
    """
    name, url = twin["name"], twin["url"]
    if dialect != "adf":
        return Media(name, alt if alt != name else "")
    return Text(alt or name, (Mark("link", url),)) if url else Text(f"[{alt or name}]")


def _linked(marks: Iterable[Mark], known: Twins) -> Mapping[str, str] | None:
    """The twin of the file that a link leads to."""
    return next((known[mark.value] for mark in marks if mark.kind == "link" and mark.value in known), None)


def _inert_block(node: Block) -> Block:
    match node:
        case UnknownBlock(text=text):
            return Paragraph((Text(text),))
        case _:
            return node
