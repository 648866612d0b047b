"""The simulator's own small idea of the Atlassian Document Format: is this a document, and what does it say.

Kept apart from the product's reader and writer on purpose: if both were one code, a mistake in it would
agree with itself. It checks shapes that Jira really refuses, not the whole schema.
"""

from __future__ import annotations

import json
from typing import Any

from bridge.simulator.model import Json, words

TEXT_LIMIT = 32_767

BLOCKS = words(
    """
    blockquote bodiedExtension bulletList codeBlock decisionList embedCard expand extension blockCard heading
    layoutSection mediaGroup mediaSingle nestedExpand orderedList panel paragraph rule table taskList
    """,
)
CHILDREN: dict[str, frozenset[str]] = {
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "taskList": frozenset({"taskItem", "taskList", "blockTaskItem"}),
    "decisionList": frozenset({"decisionItem"}),
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableCell", "tableHeader"}),
    "mediaSingle": frozenset({"media", "caption"}),
    "mediaGroup": frozenset({"media"}),
    "layoutSection": frozenset({"layoutColumn"}),
    "codeBlock": frozenset({"text"}),
}
INLINE = words(
    "date emoji hardBreak inlineCard inlineExtension mediaInline mention placeholder status text",
)
INLINE_HOLDERS = frozenset({"paragraph", "heading", "taskItem", "decisionItem", "caption"})
BLOCK_HOLDERS = words(
    """
    doc blockquote bodiedExtension expand nestedExpand panel listItem tableCell tableHeader layoutColumn
    blockTaskItem
    """,
)
LEAVES = frozenset(
    {"rule", "media", "extension", "blockCard", "embedCard"} | (INLINE - {"text"}),
)
MARKS = words(
    """
    alignment annotation backgroundColor border breakout code dataConsumer em fontSize fragment indentation
    link strike strong subsup textColor underline
    """,
)
NEEDS_ATTRS = {
    "mention": "id",
    "emoji": "shortName",
    "heading": "level",
    "panel": "panelType",
    "date": "timestamp",
}
MAX_HEADING = 6


def problem(doc: Any) -> str | None:
    """Say what is wrong with a document, or None when Jira would take it."""
    if not isinstance(doc, dict):
        return "not an object"
    if doc.get("type") != "doc":
        return "the root is not a doc"
    if doc.get("version") != 1:
        return "version is not 1"
    if not isinstance(doc.get("content"), list):
        return "content is not a list"
    if set(doc) - {"type", "version", "content"}:
        return "unknown property of the root"
    return _children_problem("doc", doc["content"])


def _children_problem(parent: str, content: list[Any]) -> str | None:
    for node in content:
        found = _node_problem(parent, node)
        if found:
            return found
    return None


def _node_problem(parent: str, node: Any) -> str | None:  # noqa: PLR0911 - one line per refusal
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return f"a child of {parent} is not a node"
    kind = node["type"]
    if kind not in _allowed(parent):
        return f"{kind} is not allowed in {parent}"
    if set(node) - {"type", "content", "attrs", "marks", "text", "version"}:
        return f"unknown property of {kind}"
    attrs = node.get("attrs", {})
    if not isinstance(attrs, dict) or (kind in NEEDS_ATTRS and NEEDS_ATTRS[kind] not in attrs):
        return f"{kind} lacks its attributes"
    if kind == "heading" and attrs["level"] not in range(1, MAX_HEADING + 1):
        return "heading level out of range"
    if kind == "text":
        return _text_problem(node)
    if "text" in node:
        return f"{kind} carries text"
    content = node.get("content", [])
    if not isinstance(content, list) or (content and kind in LEAVES):
        return f"content of {kind} is wrong"
    if not content and kind in CHILDREN and kind != "codeBlock":
        return f"{kind} is empty"
    if not content and kind == "listItem":
        return "listItem is empty"
    return _children_problem(kind, content)


def _text_problem(node: Json) -> str | None:
    if not isinstance(node.get("text"), str) or not node["text"]:
        return "a text node needs non-empty text"
    marks = node.get("marks", [])
    if not isinstance(marks, list):
        return "marks is not a list"
    for mark in marks:
        if not isinstance(mark, dict) or mark.get("type") not in MARKS:
            return "unknown mark"
        if mark["type"] == "link" and not isinstance(mark.get("attrs", {}).get("href"), str):
            return "a link needs href"
    names = {mark["type"] for mark in marks}
    if "code" in names and names - {"code", "link", "annotation"}:
        return "code cannot be combined with other marks"
    return None


def _allowed(parent: str) -> frozenset[str]:
    if parent in CHILDREN:
        return CHILDREN[parent]
    if parent in INLINE_HOLDERS:
        return INLINE
    if parent in BLOCK_HOLDERS:
        return BLOCKS
    return frozenset()


def too_long(value: Any) -> bool:
    """Tell whether a text or a document passes Jira's limit (a document counts as serialised)."""
    size = len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))
    return size > TEXT_LIMIT


def from_text(text: str) -> Json:
    """Wrap plain or wiki text: a paragraph per blank-line-separated block, a hard break per line."""
    paragraphs: list[Json] = []
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        if not block.strip():
            continue
        inline: list[Json] = []
        for number, line in enumerate(block.strip("\n").split("\n")):
            if number:
                inline.append({"type": "hardBreak"})
            if line:
                inline.append({"type": "text", "text": line})
        paragraphs.append({"type": "paragraph", "content": inline})
    return {"type": "doc", "version": 1, "content": paragraphs}


def to_text(node: Any) -> str:
    """Return what a document says, as plain text: what v2 of a Cloud site shows, and what ``~`` searches."""
    if not isinstance(node, dict):
        return str(node or "")
    kind, attrs = node.get("type"), node.get("attrs", {})
    if kind == "text":
        return str(node.get("text", ""))
    if kind == "hardBreak":
        return "\n"
    if kind in {"mention", "emoji", "status"}:
        return str(attrs.get("text") or attrs.get("shortName") or "")
    if kind in {"inlineCard", "blockCard", "embedCard"}:
        return str(attrs.get("url", ""))
    if kind == "rule":
        return "----"
    parts = [to_text(child) for child in node.get("content", [])]
    if kind == "doc":
        return "\n\n".join(parts)
    if kind in INLINE_HOLDERS or kind == "codeBlock":
        return "".join(parts)
    return "\n".join(parts)
