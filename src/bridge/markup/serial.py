"""Trees as plain JSON for the store, and the hash that tells whether a text really changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

from bridge.errors import StoreError
from bridge.markup import tree
from bridge.markup.canonical import canonical
from bridge.markup.tree import Document

VERSION = 1
_CLASSES: dict[str, type] = {
    name: getattr(tree, name)
    for name in (
        "BulletList",
        "Card",
        "Cell",
        "CodeBlock",
        "Date",
        "Emoji",
        "Expand",
        "HardBreak",
        "Heading",
        "ListItem",
        "Mark",
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
    )
}


def to_json(document: Document) -> dict[str, Any]:
    """The tree as a dict of plain values, with the version of this form in ``v``."""
    return {"v": VERSION, "blocks": [_plain(block) for block in document.blocks]}


def from_json(data: dict[str, Any]) -> Document:
    """The tree that ``to_json`` wrote.

    Raises:
        StoreError: the data is of another version or damaged.
    """
    if data.get("v") != VERSION:
        raise StoreError(f"a stored text has the unknown version {data.get('v')!r}")
    try:
        return Document(tuple(_node(block) for block in data["blocks"]))
    except (KeyError, TypeError) as error:
        raise StoreError(f"a stored text is damaged: {error}") from error


def digest(document: Document) -> str:
    """The SHA-256 of the canonical tree, in hex: equal for equal texts, whatever dialect they came from."""
    data = json.dumps(to_json(canonical(document)), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(data.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if type(value).__name__ in _CLASSES:
        return {
            "is": type(value).__name__,
            **{field.name: _plain(getattr(value, field.name)) for field in fields(value)},
        }
    return value


def _node(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_node(part) for part in value)
    if isinstance(value, dict):
        return _CLASSES[value["is"]](**{name: _node(part) for name, part in value.items() if name != "is"})
    return value
