"""Going over a whole tree: its words, its readable text, and rewriting its nodes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from bridge.markup.canonical import canonical
from bridge.markup.chars import CHECKED, UNCHECKED
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
    Table,
    Text,
    UnknownBlock,
)

InlineRewrite = Callable[[Inline], Inline | Iterable[Inline]]
BlockRewrite = Callable[[Block], Block | Iterable[Block]]
Line = tuple[Inline, ...]

_WORD = re.compile(r"\w+")
_RULE = "\u2014\u2014\u2014"


def words(document: Document) -> list[str]:
    """Every word of the text in reading order, compatibility forms folded (a raised 2 is a 2).

    A mention adds none: what it shows is its tracker's business. A code block's language, a link's address
    and the signs of lists are no words either.
    """
    return [word for part in _spoken(canonical(document).blocks) for word in _WORD.findall(_folded(part))]


def plain(document: Document) -> str:
    """The text as a person would type it without any markup: for mails, lists and logs."""
    return "\n\n".join(
        "\n".join(said(words).strip() for words in block_lines(block)) for block in canonical(document).blocks
    )


def transform(document: Document, inline: InlineRewrite, block: BlockRewrite | None = None) -> Document:
    """Rewrite the nodes of a tree, innermost first.

    Args:
        document: the tree.
        inline: given each inline node, returns what stands there: the same, another, several or none.
        block: likewise for blocks, whose insides are already rewritten; None keeps them.

    Returns:
        The new tree in canonical form.
    """
    return canonical(Document(_rewritten(document.blocks, inline, block)))


def said(nodes: Iterable[Inline]) -> str:
    """The readable text of inline nodes, breaks as line feeds."""
    return "".join(node.text if isinstance(node, Text) else readable(node) for node in nodes)


def readable(node: Inline) -> str:
    """What any inline node says to a reader who sees only characters."""
    match node:
        case Mention(person, text):
            return f"@{text or person}"
        case Emoji(shortname, text):
            return text or shortname
        case Date(iso):
            return iso
        case Media(ref, alt):
            return f"{alt} ({ref})" if alt else ref
        case Card(url):
            return url
        case HardBreak():
            return "\n"
        case _:
            return node.text


def block_lines(block: Block) -> Iterator[Line]:
    """A block as lines of inline nodes with every word in them: what is left where no block may stand."""
    match block:
        case Paragraph(children):
            yield from _split(children)
        case Heading(_, children):
            yield from (tuple(map(_bold, words)) for words in _split(children))
        case CodeBlock(text):
            yield from ((Text(row, (Mark("code"),)),) for row in text.split("\n") if row.strip())
        case BulletList() | OrderedList():
            yield from _list_lines(block)
        case Quote(blocks):
            yield from _lines(blocks)
        case Panel(_, blocks, title) | Expand(title, blocks):
            if title:
                yield (Text(title, (Mark("strong"),)),)
            yield from _lines(blocks)
        case Rule():
            yield (Text(_RULE),)
        case Table(rows):
            yield from (_joined((cell_line(cell) for cell in row), " | ") for row in rows)
        case UnknownBlock(_, _, text):
            yield from ((Text(row),) for row in text.split("\n") if row.strip())


def cell_line(cell: Cell) -> Line:
    """A table cell as one line, its paragraphs divided by slashes."""
    return _joined(_lines(cell.blocks), " / ")


def _lines(blocks: Iterable[Block]) -> Iterator[Line]:
    for block in blocks:
        yield from block_lines(block)


def _list_lines(block: BulletList | OrderedList) -> Iterator[Line]:
    for number, item in enumerate(block.items):
        sign = f"{block.start + number}. " if isinstance(block, OrderedList) else "\u2022 "
        if item.checked is not None:
            sign = CHECKED if item.checked else UNCHECKED
        for index, words in enumerate(_lines(item.blocks)):
            yield words if index else (Text(sign), *words)


def _joined(lines: Iterable[Line], glue: str) -> Line:
    out: list[Inline] = []
    for number, words in enumerate(lines):
        if number:
            out.append(Text(glue))
        out += words
    return tuple(out)


def _split(children: Iterable[Inline]) -> Iterator[Line]:
    words: list[Inline] = []
    for node in children:
        if isinstance(node, HardBreak):
            yield tuple(words)
            words = []
        else:
            words.append(node)
    yield tuple(words)


def _bold(node: Inline) -> Inline:
    return Text(node.text, (*node.marks, Mark("strong"))) if isinstance(node, Text) else node


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _spoken(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                yield "".join(map(_heard, children))
            case BulletList(items) | OrderedList(items):
                for item in items:
                    yield from _spoken(item.blocks)
            case CodeBlock(text) | UnknownBlock(_, _, text):
                yield text
            case Quote(inner):
                yield from _spoken(inner)
            case Panel(_, inner, title) | Expand(title, inner):
                yield title
                yield from _spoken(inner)
            case Table(rows):
                for row in rows:
                    for cell in row:
                        yield from _spoken(cell.blocks)
            case Rule():
                pass


def _heard(node: Inline) -> str:
    if isinstance(node, Text):
        return node.text
    return " " if isinstance(node, Mention) else f" {readable(node)} "


def _rewritten(
    blocks: Iterable[Block], inline: InlineRewrite, block: BlockRewrite | None
) -> tuple[Block, ...]:
    out: list[Block] = []
    for old in blocks:
        new = _inside(old, inline, block)
        result = block(new) if block else new
        out += result if isinstance(result, Iterable) else [result]
    return tuple(out)


def _inside(node: Block, inline: InlineRewrite, block: BlockRewrite | None) -> Block:
    def words(children: Iterable[Inline]) -> tuple[Inline, ...]:
        out: list[Inline] = []
        for child in children:
            result = inline(child)
            out += result if isinstance(result, Iterable) else [result]
        return tuple(out)

    def inner(blocks: Iterable[Block]) -> tuple[Block, ...]:
        return _rewritten(blocks, inline, block)

    def items(old: Iterable[ListItem]) -> tuple[ListItem, ...]:
        return tuple(ListItem(inner(item.blocks), item.checked) for item in old)

    match node:
        case Paragraph(children):
            return Paragraph(words(children))
        case Heading(level, children):
            return Heading(level, words(children))
        case BulletList(old):
            return BulletList(items(old))
        case OrderedList(old, start):
            return OrderedList(items(old), start)
        case Quote(blocks):
            return Quote(inner(blocks))
        case Panel(kind, blocks, title):
            return Panel(kind, inner(blocks), title)
        case Expand(title, blocks):
            return Expand(title, inner(blocks))
        case Table(rows):
            return Table(tuple(tuple(Cell(inner(cell.blocks), cell.header) for cell in row) for row in rows))
        case _:
            return node
