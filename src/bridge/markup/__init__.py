"""Rich text: one document tree, and readers and writers for the dialects that trackers speak.

A text is read into the tree, decided about there, and written out of it, so it never crosses as foreign
markup.
"""

from __future__ import annotations

from bridge.markup.canonical import canonical
from bridge.markup.dialects import DIALECTS, Dialect, read, settle, write
from bridge.markup.serial import digest, from_json, to_json
from bridge.markup.tree import (
    Block,
    BulletList,
    Card,
    Cell,
    CodeBlock,
    Date,
    Document,
    Emoji,
    Expand,
    HardBreak,
    Heading,
    Inline,
    ListItem,
    Mark,
    MarkKind,
    Media,
    Mention,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Status,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
)
from bridge.markup.walk import plain, said, transform, words

__all__ = [
    "DIALECTS",
    "Block",
    "BulletList",
    "Card",
    "Cell",
    "CodeBlock",
    "Date",
    "Dialect",
    "Document",
    "Emoji",
    "Expand",
    "HardBreak",
    "Heading",
    "Inline",
    "ListItem",
    "Mark",
    "MarkKind",
    "Media",
    "Mention",
    "OrderedList",
    "Panel",
    "Paragraph",
    "Quote",
    "Rule",
    "Status",
    "Table",
    "Text",
    "UnknownBlock",
    "UnknownInline",
    "canonical",
    "digest",
    "from_json",
    "plain",
    "read",
    "said",
    "settle",
    "to_json",
    "transform",
    "words",
    "write",
]
