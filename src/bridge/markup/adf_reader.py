"""Reading Atlassian Document Format, the JSON that Jira Cloud's API v3 speaks.

Editors add attributes that say nothing about the text (``localId``, widths); they are left out of the tree.
A node of a type not listed here is kept as its JSON. Nothing in a payload may make this fail: what has the
wrong shape is read as far as it makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from bridge.markup.canonical import canonical
from bridge.markup.spans import SpanningCell, spread
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

MAX_DEPTH = (
    40  # nodes below this become their words: real texts stay under ten, recursion stays far from its limit
)
EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000
MARKS: dict[str, MarkKind] = {
    "strong": "strong",
    "em": "em",
    "code": "code",
    "strike": "strike",
    "underline": "underline",
}
_INLINE = frozenset(
    {
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "mediaInline",
        "inlineExtension",
        "placeholder",
    }
)


def read_adf(native: Any) -> Document:
    """Read an ADF document.

    Args:
        native: the decoded JSON; None for an empty field. A bare node is read as a document that holds it.

    Returns:
        The canonical tree.
    """
    if not isinstance(native, dict):
        return Document()
    if _kind(native) == "doc":
        return canonical(Document(tuple(_blocks(native, 0))))
    return canonical(Document(tuple(_run([native], 0))))


def _children(node: dict[str, Any]) -> list[dict[str, Any]]:
    content = node.get("content")
    return [child for child in content if isinstance(child, dict)] if isinstance(content, list) else []


def _attrs(node: dict[str, Any]) -> dict[str, Any]:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _kind(node: dict[str, Any]) -> str:
    return _string(node.get("type"))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 1e9 else otherwise  # noqa: PLR2004 - not nan, not inf


def _blocks(node: dict[str, Any], depth: int) -> Iterator[Block]:
    yield from _run(_children(node), depth + 1)


def _run(nodes: list[dict[str, Any]], depth: int) -> Iterator[Block]:
    # Inline nodes where blocks should be (task items hold them so) make up one paragraph.
    loose: list[Inline] = []
    for node in nodes:
        if _kind(node) in _INLINE:
            loose.append(_inline(node))
            continue
        if loose:
            yield Paragraph(tuple(loose))
            loose = []
        yield from _block(node, depth)
    if loose:
        yield Paragraph(tuple(loose))


def _block(node: dict[str, Any], depth: int) -> Iterator[Block]:
    if depth > MAX_DEPTH:
        yield Paragraph((Text(" ".join(_words(node))),))
        return
    attrs = _attrs(node)
    match _kind(node):
        case "paragraph":
            yield Paragraph(_inlines(node))
        case "heading":
            yield Heading(_number(attrs.get("level"), 1), _inlines(node))
        case "codeBlock":
            text = "".join(_string(child.get("text")) for child in _children(node))
            yield CodeBlock(text, _string(attrs.get("language")))
        case "rule":
            yield Rule()
        case "bulletList":
            yield BulletList(tuple(_items(node, depth)))
        case "orderedList":
            yield OrderedList(tuple(_items(node, depth)), _number(attrs.get("order"), 1))
        case "taskList":
            yield BulletList(tuple(_tasks(node, depth)))
        case _:
            yield from _box(node, attrs, depth)


def _box(node: dict[str, Any], attrs: dict[str, Any], depth: int) -> Iterator[Block]:
    match _kind(node):
        case "blockquote":
            yield Quote(tuple(_blocks(node, depth)))
        case "panel":
            yield Panel(_string(attrs.get("panelType")), tuple(_blocks(node, depth)))
        case "expand" | "nestedExpand":
            yield Expand(_string(attrs.get("title")), tuple(_blocks(node, depth)))
        case "table":
            yield Table(tuple(spread(_cells(row, depth) for row in _children(node))))
        case "mediaSingle" | "mediaGroup":
            yield from _media_box(node, depth)
        case "blockCard" | "embedCard" if url := _string(attrs.get("url")):
            yield Paragraph((Card(url),))
        case _:
            yield _unknown_block(node)


def _items(node: dict[str, Any], depth: int) -> Iterator[ListItem]:
    for child in _children(node):
        inside = _blocks(child, depth + 1) if _kind(child) == "listItem" else _run([child], depth + 1)
        yield ListItem(tuple(inside))


def _tasks(node: dict[str, Any], depth: int) -> Iterator[ListItem]:
    # A nested task list is a sibling that follows the task it belongs to.
    pending: ListItem | None = None
    for child in _children(node):
        if _kind(child) in {"taskItem", "blockTaskItem"}:
            if pending:
                yield pending
            pending = ListItem(tuple(_blocks(child, depth + 1)), _attrs(child).get("state") == "DONE")
        else:
            inside = tuple(_run([child], depth + 1))
            pending = (
                ListItem(pending.blocks + inside, pending.checked)
                if pending
                else ListItem(inside, checked=False)
            )
    if pending:
        yield pending


def _cells(row: dict[str, Any], depth: int) -> Iterator[SpanningCell]:
    for cell in _children(row):
        attrs = _attrs(cell)
        inside = Cell(tuple(_blocks(cell, depth + 1)), _kind(cell) == "tableHeader")
        yield SpanningCell(inside, _number(attrs.get("colspan"), 1), _number(attrs.get("rowspan"), 1))


def _media_box(node: dict[str, Any], depth: int) -> Iterator[Block]:
    shown = tuple(_inline(child) for child in _children(node) if _kind(child) == "media")
    if shown:
        yield Paragraph(shown)
    for child in _children(node):
        if _kind(child) != "media":
            yield from _run([{"type": "paragraph", "content": child.get("content")}], depth + 1)


def _inlines(node: dict[str, Any]) -> tuple[Inline, ...]:
    return tuple(_inline(child) for child in _children(node))


def _inline(node: dict[str, Any]) -> Inline:
    attrs = _attrs(node)
    match _kind(node):
        case "text":
            return Text(_string(node.get("text")), tuple(_marks(node)))
        case "hardBreak":
            return HardBreak()
        case "mention" if person := _string(attrs.get("id")):
            return Mention(person, _string(attrs.get("text")).removeprefix("@"))
        case "emoji" if name := _string(attrs.get("shortName")):
            return Emoji(name, _string(attrs.get("text")))
        case "status":
            return Status(_string(attrs.get("text")), _string(attrs.get("color")))
        case "inlineCard" if url := _string(attrs.get("url")):
            return Card(url)
        case "media" | "mediaInline" if ref := _string(attrs.get("url")) or _string(attrs.get("id")):
            return Media(ref, _string(attrs.get("alt")))
        case "date" if iso := _date(attrs.get("timestamp")):
            return Date(iso)
        case _:
            return _unknown_inline(node)


def _date(stamp: Any) -> str:
    try:
        return (EPOCH + timedelta(days=int(stamp) // DAY_MS)).isoformat()
    except (TypeError, ValueError, OverflowError):
        return ""


def _marks(node: dict[str, Any]) -> Iterator[Mark]:
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else []:
        if not isinstance(mark, dict):
            continue
        attrs = _attrs(mark)
        match _kind(mark):
            case "link":
                yield Mark("link", _string(attrs.get("href")))
            case "textColor":
                yield Mark("color", _string(attrs.get("color")))
            case "subsup":
                yield Mark("sup" if attrs.get("type") == "sup" else "sub")
            case str(name) if name in MARKS:
                yield Mark(MARKS[name])


def _unknown_block(node: dict[str, Any]) -> Block:
    text = "\n".join(_words(node))
    raw = _json(node)
    return UnknownBlock("adf", raw, text) if raw else Paragraph((Text(text),))


def _unknown_inline(node: dict[str, Any]) -> Inline:
    text = " ".join(_words(node))
    raw = _json(node)
    return UnknownInline("adf", raw, text) if raw else Text(text)


def _json(node: dict[str, Any]) -> str:
    try:
        return json.dumps(node, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return ""  # not JSON at all: only its words can be kept


def _words(node: dict[str, Any]) -> list[str]:
    # What people see of a node we do not know: its texts and the attributes that editors show. No
    # recursion, the node may be as deep as a parser allows.
    words: list[str] = []
    stack: list[Any] = [node]
    seen: set[int] = set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        if isinstance(value, list):
            seen.add(id(value))
            stack += reversed(value)
        elif isinstance(value, dict):
            seen.add(id(value))
            attrs = _attrs(value)
            shown = [
                value.get("text"),
                *(attrs.get(name) for name in ("title", "text", "alt", "url", "shortName")),
            ]
            words += [word for word in shown if isinstance(word, str) and word.strip()]
            stack.append(value.get("content"))
    return words
