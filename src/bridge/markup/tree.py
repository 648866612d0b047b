"""The one document tree that every rich text passes through.

Trackers speak ADF, Jira wiki, Markdown, ...; each has a reader into this tree and a writer out of it, so
that a text never crosses as foreign markup. Nodes are frozen values. What a reader does not know it keeps
verbatim in ``UnknownBlock`` / ``UnknownInline`` together with the words in it: the same tracker can be
given the node back, and another tracker gets the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MarkKind = Literal["strong", "em", "code", "strike", "underline", "sub", "sup", "color", "link"]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A property of a run of text. ``value`` is the colour (``#rrggbb``) or a link's address; else empty."""

    kind: MarkKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A run of characters with one set of marks, sorted by kind. Never holds a line break; see HardBreak."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class HardBreak:
    """A line break inside a paragraph."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A live reference to a person of the tracker that the text is in.

    ``person`` is that tracker's id; ``text`` the name to show. Mapping turns it into the peer's person or
    into Text.
    """

    person: str
    text: str


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji: ``:shortname:`` and, when known, the character itself in ``text``."""

    shortname: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date, ISO ``YYYY-MM-DD``."""

    iso: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status lozenge: a coloured word."""

    text: str
    color: str = "neutral"


@dataclass(frozen=True, slots=True)
class Media:
    """An image or file in the text. ``ref`` is a file name, an id or an address; ``alt`` the words."""

    ref: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A smart link: an address that the tracker shows as the title of what is there."""

    url: str


@dataclass(frozen=True, slots=True)
class UnknownInline:
    """A node that the reader does not know. ``raw`` is canonical JSON or source text in ``dialect``."""

    dialect: str
    raw: str
    text: str = ""


Inline = Text | HardBreak | Mention | Emoji | Date | Status | Media | Card | UnknownInline


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class ListItem:
    """An item of a list. ``checked`` is None in an ordinary list, else the state of the task."""

    blocks: tuple[Block, ...]
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class BulletList:
    """An unordered list; a list whose items have ``checked`` set is a task list."""

    items: tuple[ListItem, ...]


@dataclass(frozen=True, slots=True)
class OrderedList:
    """A numbered list."""

    items: tuple[ListItem, ...]
    start: int = 1


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Preformatted text, verbatim, with an optional language name. ``{noformat}`` has the language ``""``."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quotation."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A framed note. ``kind`` is info, note, tip, success, warning or error."""

    kind: str
    blocks: tuple[Block, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Expand:
    """A part that is folded away under its title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal rule."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell."""

    blocks: tuple[Block, ...]
    header: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: rows of cells."""

    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class UnknownBlock:
    """A block that the reader does not know, kept verbatim; see UnknownInline."""

    dialect: str
    raw: str
    text: str = ""


Block = (
    Paragraph
    | Heading
    | BulletList
    | OrderedList
    | CodeBlock
    | Quote
    | Panel
    | Expand
    | Rule
    | Table
    | UnknownBlock
)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text. The empty text is ``Document(())``."""

    blocks: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)
