"""Writing Atlassian Document Format, and what its schema lets stand where.

Jira Cloud refuses a whole text for one node in a wrong place, so the table of places below follows the
published schema, on the narrow side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from bridge.markup.adf_reader import DAY_MS, EPOCH, MARKS, read_adf
from bridge.markup.canonical import is_safe_link, titled
from bridge.markup.shape import MAX_DEPTH, Shape, as_text, is_tasks, merged_breaks, without
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

_FILE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FLOW = (Paragraph, CodeBlock, BulletList, OrderedList)
_PLACES: dict[str, tuple[type, ...]] = {
    "doc": (*_FLOW, Heading, Rule, Quote, Panel, Expand, Table),
    "item": _FLOW,
    "quote": _FLOW,
    "panel": (*_FLOW, Heading, Rule),
    "cell": (*_FLOW, Heading, Rule, Quote, Panel, Expand),
    "expand": (*_FLOW, Heading, Rule, Quote, Panel, Expand, Table),
    "task": (BulletList,),
    "nested": (*_FLOW, Heading, Rule, Quote, Panel),
}
_NO_TASKS = frozenset({"item", "quote"})
_NAMES: dict[str, str] = {kind: name for name, kind in MARKS.items()}


class AdfShape(Shape):
    """What ADF can say."""

    dialect = "adf"

    def allows(self, block: Block, where: str) -> bool:
        """See Shape."""
        if isinstance(block, UnknownBlock):
            return self.keeps(block)
        return isinstance(block, _PLACES[where]) and not (where in _NO_TASKS and is_tasks(block))

    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """See Shape."""
        try:
            native = json.loads(node.raw)
        except (ValueError, RecursionError):
            return Document()
        inner = native if isinstance(node, UnknownBlock) else {"type": "paragraph", "content": [native]}
        return read_adf({"type": "doc", "content": [inner]})

    def inside(self, block: Block, where: str) -> str:
        """See Shape."""
        if isinstance(block, Expand) and where != "doc":
            return "nested"
        return super().inside(block, where)

    def heading(self, children: tuple[Inline, ...]) -> tuple[Inline, ...]:
        """See Shape."""
        return children

    def items(self, items: Iterable[ListItem], depth: int) -> Iterator[ListItem]:
        """See Shape; a task holds one paragraph and tasks under it."""
        for item in items:
            if item.checked is None:
                yield ListItem(tuple(self.blocks(item.blocks, "item", depth + 1)))
                continue
            under = [block for block in item.blocks if is_tasks(block) and depth + 1 < MAX_DEPTH]
            words = merged_breaks(block for block in item.blocks if block not in under)
            tasks = tuple(self.blocks(under, "task", depth + 1))
            yield ListItem((Paragraph(self.inlines(words)), *tasks), item.checked)

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """See Shape; a panel has no title of its own."""
        if isinstance(block, Panel) and block.title:
            block = Panel(block.kind, (*titled(block.title), *block.blocks))
        yield from super().box(block, where, depth)

    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """See Shape."""
        del before, after
        match node:
            case Text(_, marks) if any(mark.kind == "code" for mark in marks):
                return without(node, {mark.kind for mark in marks} - {"code", "link"})
            case Media(ref):
                if _FILE_ID.fullmatch(ref) or (alone and is_safe_link(ref) and not ref.startswith("mailto")):
                    return node
                marks = (Mark("link", ref),) if is_safe_link(ref) else ()
                return Text(as_text(node).text, marks)
            case UnknownInline():
                return node if self.keeps(node) else as_text(node)
            case _:
                return node


_SHAPE = AdfShape()


def write_adf(document: Document) -> dict[str, Any]:
    """Write a tree as an ADF document.

    Args:
        document: any tree; what ADF cannot say becomes words.

    Returns:
        The JSON to send, valid under Jira Cloud's schema as far as we know it.
    """
    shaped = _SHAPE.document(document)
    return {"version": 1, "type": "doc", "content": _blocks(shaped.blocks, _Ids())}


class _Ids:
    """Task lists must have ids that are unique in their text; counting keeps a text equal to itself."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        self._last += 1
        return f"task-{self._last}"


def _blocks(blocks: Iterable[Block], ids: _Ids, *, nested: bool = False) -> list[dict[str, Any]]:
    return [_block(block, ids, nested=nested) for block in blocks]


def _node(kind: str, content: list[dict[str, Any]], **attrs: Any) -> dict[str, Any]:
    node: dict[str, Any] = {"type": kind}
    if attrs:
        node["attrs"] = attrs
    if content:
        node["content"] = content
    return node


def _block(block: Block, ids: _Ids, *, nested: bool) -> dict[str, Any]:
    match block:
        case Paragraph((Media() as media,)):
            return _node("mediaSingle", [_media(media, "media")], layout="center")
        case Paragraph(children):
            return _node("paragraph", _inlines(children))
        case Heading(level, children):
            return _node("heading", _inlines(children), level=level)
        case CodeBlock(text, language):
            return _node(
                "codeBlock", [{"type": "text", "text": text}], **({"language": language} if language else {})
            )
        case BulletList(items) if is_tasks(block):
            return _tasks(items, ids)
        case BulletList(items):
            return _node("bulletList", [_node("listItem", _blocks(item.blocks, ids)) for item in items])
        case OrderedList(items, start):
            return _node(
                "orderedList", [_node("listItem", _blocks(item.blocks, ids)) for item in items], order=start
            )
        case Rule():
            return {"type": "rule"}
        case _:
            return _box(block, ids, nested=nested)


def _box(block: Quote | Panel | Expand | Table | UnknownBlock, ids: _Ids, *, nested: bool) -> dict[str, Any]:
    match block:
        case Quote(blocks):
            return _node("blockquote", _blocks(blocks, ids))
        case Panel(kind, blocks, _):
            return _node("panel", _blocks(blocks, ids), panelType=kind)
        case Expand(title, blocks):
            kind = "nestedExpand" if nested else "expand"
            return _node(kind, _blocks(blocks, ids, nested=True), title=title)
        case Table(rows):
            return _node("table", [_node("tableRow", [_cell(cell, ids) for cell in row]) for row in rows])
        case UnknownBlock(_, raw, _):
            return _verbatim(raw)


def _cell(cell: Cell, ids: _Ids) -> dict[str, Any]:
    content = _blocks(cell.blocks, ids, nested=True) or [{"type": "paragraph"}]
    return _node("tableHeader" if cell.header else "tableCell", content)


def _tasks(items: Iterable[ListItem], ids: _Ids) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    name = ids.next()
    for item in items:
        first, *under = item.blocks
        assert isinstance(first, Paragraph)
        state = "DONE" if item.checked else "TODO"
        content.append(_node("taskItem", _inlines(first.children), localId=ids.next(), state=state))
        content += _blocks(under, ids)
    return _node("taskList", content, localId=name)


def _verbatim(raw: str) -> dict[str, Any]:
    node = json.loads(raw)
    assert isinstance(node, dict)
    return node


def _inlines(children: Iterable[Inline]) -> list[dict[str, Any]]:
    return [_inline(node) for node in children]


def _inline(node: Inline) -> dict[str, Any]:
    match node:
        case Text(text, marks):
            out: dict[str, Any] = {"type": "text", "text": text}
            if marks:
                out["marks"] = [_mark(mark) for mark in marks]
            return out
        case HardBreak():
            return {"type": "hardBreak"}
        case Mention(person, text):
            return _node("mention", [], id=person, **({"text": f"@{text}"} if text else {}))
        case Emoji(shortname, text):
            return _node("emoji", [], shortName=shortname, **({"text": text} if text else {}))
        case Date(iso):
            return _node("date", [], timestamp=str((date.fromisoformat(iso) - EPOCH).days * DAY_MS))
        case Status(text, color):
            return _node("status", [], text=text, color=color)
        case Media():
            return _media(node, "mediaInline")
        case Card(url):
            return _node("inlineCard", [], url=url)
        case UnknownInline(_, raw, _):
            return _verbatim(raw)


def _media(media: Media, kind: str) -> dict[str, Any]:
    words = {"alt": media.alt} if media.alt else {}
    if is_safe_link(media.ref):
        return _node(kind, [], type="external", url=media.ref, **words)
    return _node(kind, [], type="file", id=media.ref, collection="", **words)


def _mark(mark: Mark) -> dict[str, Any]:
    match mark.kind:
        case "link":
            return {"type": "link", "attrs": {"href": mark.value}}
        case "color":
            return {"type": "textColor", "attrs": {"color": mark.value}}
        case "sub" | "sup":
            return {"type": "subsup", "attrs": {"type": mark.kind}}
        case _:
            return {"type": _NAMES[mark.kind]}
