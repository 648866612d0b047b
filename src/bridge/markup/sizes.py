"""How long a text is in a tracker's own form, and the beginning of it that fits.

Trackers refuse a text over their limit as a whole, so what is too long must be cut before it is sent; the
caller says what became of the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from bridge.markup.canonical import canonical
from bridge.markup.dialects import Dialect, write
from bridge.markup.tree import (
    Block,
    BulletList,
    CodeBlock,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Table,
    Text,
)
from bridge.markup.walk import block_lines

_WORD = re.compile(r"\s*\S+\s*")
_CHARACTER = re.compile(r".", re.DOTALL)


def native_length(dialect: Dialect, document: Document) -> int:
    """The length of a document in a dialect.

    Args:
        dialect: how it would be written.
        document: any tree.

    Returns:
        Characters of the text; for ADF of its compact JSON, because Jira Cloud counts the serialised text
        and does not say how, so this is on the safe side.
    """
    native = write(dialect, document)
    if isinstance(native, str):
        return len(native)
    return len(json.dumps(native, separators=(",", ":"), ensure_ascii=False))


def shorten(dialect: Dialect, document: Document, limit: int) -> Document:
    """The beginning of a document that a tracker with a limit takes.

    Args:
        dialect: how it will be written.
        document: any tree.
        limit: the most that ``native_length`` may be.

    Returns:
        The document in canonical form when it fits; else as many whole blocks from its start as fit; else
        as many whole items, rows, lines or inner blocks of the first one; else as many of its words; else
        as many characters of its first word. Empty when not even one fits.
    """
    whole = canonical(document)
    if not whole or native_length(dialect, whole) <= limit:
        return whole
    first = whole.blocks[0]
    for count, beginning in (
        (len(whole.blocks), lambda number: whole.blocks[:number]),
        (_parts(first), lambda number: (_begun(first, number),)),
        _said(first, _WORD),
        _said(first, _CHARACTER),
    ):
        number = _most(
            count,
            lambda number, beginning=beginning: (  # type: ignore[misc]
                native_length(dialect, Document(beginning(number))) <= limit
            ),
        )
        if kept := canonical(Document(beginning(number) if number else ())):
            return kept
    return Document()


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number of pieces that fits, 0 when not even one does."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _parts(block: Block) -> int:
    match block:
        case BulletList(items) | OrderedList(items):
            return len(items)
        case Table(rows):
            return len(rows)
        case Quote(blocks) | Panel(_, blocks) | Expand(_, blocks):
            return len(blocks)
        case CodeBlock(text):
            return text.count("\n") + 1
        case _:
            return 0


def _begun(block: Block, number: int) -> Block:
    match block:
        case BulletList(items):
            return BulletList(items[:number])
        case OrderedList(items, start):
            return OrderedList(items[:number], start)
        case Table(rows):
            return Table(rows[:number])
        case Quote(blocks):
            return Quote(blocks[:number])
        case Panel(kind, blocks, title):
            return Panel(kind, blocks[:number], title)
        case Expand(title, blocks):
            return Expand(title, blocks[:number])
        case CodeBlock(text, language):
            return CodeBlock("\n".join(text.split("\n")[:number]), language)
        case _:
            return block


def _said(block: Block, piece: re.Pattern[str]) -> tuple[int, Callable[[int], tuple[Block, ...]]]:
    """The words of a block in pieces: how many, and the block that a number of them make."""
    if isinstance(block, CodeBlock):
        texts = piece.findall(block.text)
        return len(texts), lambda number: (CodeBlock("".join(texts[:number]), block.language),)
    nodes: list[Inline] = []
    for words in [block.children] if isinstance(block, Heading) else block_lines(block):
        nodes += [HardBreak()] if nodes else []
        for node in words:
            nodes += _cut(node, piece)
    if isinstance(block, Heading):
        return len(nodes), lambda number: (Heading(block.level, tuple(nodes[:number])),)
    return len(nodes), lambda number: (Paragraph(tuple(nodes[:number])),)


def _cut(node: Inline, piece: re.Pattern[str]) -> Iterator[Inline]:
    if isinstance(node, Text):
        yield from (Text(part, node.marks) for part in piece.findall(node.text))
    else:
        yield node
