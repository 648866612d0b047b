"""What a text says, as a list of words: wiki text and ADF, read apart from the product's own markup.

The proof compares texts of two trackers. If it read them with the code that wrote them, a mistake in that
code would agree with itself; so this is a second, much smaller reader. It keeps words, numbers and the
targets of links, in order, and forgets how they look.
"""

from __future__ import annotations

import re
from typing import Any

WORD = re.compile(r"[^\W_]+")
_LABELLED_LINK = re.compile(r"\[([^|\]\n]+)\|([^|\]\n]+)\]")
_TAG = re.compile(r"\{(?:code|noformat|quote|panel|color)(?::[^}\n]*)?\}")
_HEADING = re.compile(r"^\s*h[1-6]\.\s", re.MULTILINE)
_QUOTE_LINE = re.compile(r"^\s*bq\.\s", re.MULTILINE)
_FILE = re.compile(r"/attachment/content/\d+$")
"""Where a link leads that stands for a file: the file's name is what it says."""

_BLOCKS = ("paragraph", "heading", "codeBlock", "listItem", "tableCell", "tableHeader")


def words(text: Any) -> list[str]:
    """The words of a text as its tracker keeps it: wiki text, an ADF document, or nothing at all."""
    if text is None:
        return []
    return WORD.findall(_of_document(text) if isinstance(text, dict) else _of_wiki(str(text)))


def said(document: Any) -> str:
    """What an ADF document says, on one line, for people."""
    return " ".join(_of_document(document).split())


def is_note(text: Any) -> bool:
    """Whether a comment's text is the bridge's own note about a change that waits, or waited, for a person."""
    return " ".join(words(text)).startswith(("On hold ", "Settled "))


def _of_wiki(text: str) -> str:
    plain = _QUOTE_LINE.sub("", _HEADING.sub("", _TAG.sub(" ", text)))
    # A link that is labelled with its own address is a bare one.
    return _LABELLED_LINK.sub(lambda link: link[2] if link[1] == link[2] else f"{link[1]} {link[2]}", plain)


def _of_document(node: Any) -> str:
    if node.get("type") == "text":
        return _of_text(node)
    if node.get("type") == "hardBreak":
        return "\n"
    if node.get("type") in {"inlineCard", "blockCard", "embedCard"}:
        return str(node["attrs"]["url"])
    inside = "".join(_of_document(child) for child in node.get("content", ()))
    return f"{inside}\n" if node.get("type") in _BLOCKS else inside


def _of_text(node: Any) -> str:
    said = str(node["text"])
    for mark in node.get("marks", ()):
        target = mark["attrs"]["href"] if mark["type"] == "link" else said
        if target != said and not _FILE.search(target):
            return f"{said} {target}"
    return said
