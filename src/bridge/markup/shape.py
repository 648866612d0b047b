"""What each dialect can say: a tree cut down to that, with everything else turned into readable words.

A writer is given only such trees, so it is a plain transcription, and reading its output gives the same
tree again: that is what makes ``settle`` idempotent. Nothing is dropped here. What may not stand somewhere
is taken out of its box, or becomes a paragraph, or a line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from bridge.markup.canonical import canonical, join_lines, titled, words_as_blocks
from bridge.markup.tree import (
    Block,
    BulletList,
    Card,
    Cell,
    CodeBlock,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    ListItem,
    Mark,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
)
from bridge.markup.walk import block_lines, readable

MAX_DEPTH = 16  # boxes in boxes; every reader goes deeper than this, so what is written is read whole


class Shape(ABC):
    """The limits of one dialect.

    Attributes:
        dialect: its name.
    """

    dialect: str

    def document(self, document: Document) -> Document:
        """Cut a whole tree down to what the dialect can say."""
        return canonical(Document(tuple(self.blocks(canonical(document).blocks, "doc", 0))))

    @abstractmethod
    def allows(self, block: Block, where: str) -> bool:
        """Whether this kind of block may stand in a place: doc, item, cell, or the inside of a box."""

    @abstractmethod
    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """The node as the dialect can say it; ``alone`` when it is all of its paragraph."""

    def inside(self, block: Block, where: str) -> str:
        """The name of the place inside a box that stands somewhere."""
        del where
        return type(block).__name__.lower()

    def blocks(self, blocks: Iterable[Block], where: str, depth: int) -> Iterator[Block]:
        """Shape the blocks of one place."""
        for block in blocks:
            yield from self.block(block, where, depth)

    def block(self, block: Block, where: str, depth: int) -> Iterator[Block]:
        """Shape one block; one that may not stand here is unpacked."""
        box = not isinstance(block, Paragraph | Heading | CodeBlock | Rule | UnknownBlock)
        if (depth >= MAX_DEPTH and box) or not self.allows(block, where):
            yield from self._unpacked(block, where, depth)
            return
        match block:
            case Paragraph(children):
                yield Paragraph(self.inlines(children, paragraph=True))
            case Heading(level, children):
                yield Heading(level, self.inlines(self.heading(children)))
            case CodeBlock():
                yield from self.code(block)
            case BulletList(items):
                yield BulletList(tuple(self.items(items, depth)))
            case OrderedList(items, start):
                yield OrderedList(tuple(self.items(items, depth)), self.start(start))
            case Quote(blocks):
                yield Quote(tuple(self.blocks(blocks, self.inside(block, where), depth + 1)))
            case Panel() | Expand():
                yield from self.box(block, where, depth)
            case Table(rows):
                yield from self.table(rows, depth)
            case UnknownBlock():
                yield block
            case Rule():
                yield block

    def _unpacked(self, block: Block, where: str, depth: int) -> Iterator[Block]:
        inner: Iterable[Block] | None = None
        match block:
            case Quote(blocks) if depth < MAX_DEPTH:
                inner = blocks
            case Panel(_, blocks, title) | Expand(title, blocks) if depth < MAX_DEPTH:
                inner = (*titled(title), *blocks)
            case UnknownBlock(_, _, text):
                inner = words_as_blocks(text)
            case BulletList(items) if depth < MAX_DEPTH:
                # Only tasks are refused where other lists may stand: their boxes become characters.
                inner = (BulletList(tuple(ListItem(tuple(self._boxed_task(item))) for item in items)),)
            case _:
                words = join_lines(block_lines(block), HardBreak())
                yield Paragraph(self.inlines(words, paragraph=True))
        if inner is not None:
            yield from self.blocks(canonical(Document(tuple(inner))).blocks, where, depth)

    def _boxed_task(self, item: ListItem) -> Iterator[Block]:
        first = next(block_lines(BulletList((ListItem(item.blocks[:1], item.checked),))))[0]
        for number, block in enumerate(item.blocks):
            yield (
                Paragraph((first, *block.children)) if not number and isinstance(block, Paragraph) else block
            )

    def heading(self, children: tuple[Inline, ...]) -> tuple[Inline, ...]:
        """The words of a heading; most dialects have no break in one."""
        return tuple(Text(" ") if isinstance(node, HardBreak) else node for node in children)

    def code(self, block: CodeBlock) -> Iterator[Block]:
        """A code block as the dialect can say it."""
        yield block

    def start(self, start: int) -> int:
        """The first number that a list may have."""
        return start

    def items(self, items: Iterable[ListItem], depth: int) -> Iterator[ListItem]:
        """Shape the items of a list."""
        for item in items:
            yield ListItem(tuple(self.blocks(item.blocks, "item", depth + 1)), item.checked)

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """Shape a panel or expand."""
        inner = tuple(self.blocks(block.blocks, self.inside(block, where), depth + 1))
        if isinstance(block, Panel):
            yield Panel(block.kind, inner, block.title)
        else:
            yield Expand(block.title, inner)

    def table(self, rows: Iterable[tuple[Cell, ...]], depth: int) -> Iterator[Block]:
        """Shape a table."""
        yield Table(
            tuple(
                tuple(Cell(tuple(self.blocks(cell.blocks, "cell", depth + 1)), cell.header) for cell in row)
                for row in rows
            )
        )

    def inlines(self, children: tuple[Inline, ...], *, paragraph: bool = False) -> tuple[Inline, ...]:
        """Shape the inline nodes of one paragraph or heading."""
        out: list[Inline] = []
        for number, old in enumerate(children):
            before = children[number - 1] if number else None
            after = children[number + 1] if number + 1 < len(children) else None
            node = self.inline(old, before=before, after=after, alone=paragraph and len(children) == 1)
            if isinstance(node, Text) and not isinstance(old, Text):
                node = _apart(node, out[-1] if out else None, after)
            out.append(node if not isinstance(node, Text) or node.text else Text(" "))
        return tuple(out)

    @abstractmethod
    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """Read the source of a node kept verbatim again."""

    def keeps(self, node: UnknownBlock | UnknownInline) -> bool:
        """Whether a node kept verbatim is ours and would come back as itself, not as live markup.

        A tree can come from the store or from a mapping; what claims to be an unknown node is believed only
        when the reader agrees.
        """
        if node.dialect != self.dialect:
            return False
        back = self.reread(node).blocks
        return back == ((node,) if isinstance(node, UnknownBlock) else (Paragraph((node,)),))


def as_text(node: Inline) -> Text:
    """A node that the dialect cannot say, as the words that it shows."""
    return Text(readable(node), (Mark("link", node.url),) if isinstance(node, Card) else ())


def is_tasks(block: Block) -> bool:
    """Whether a block is a task list."""
    return isinstance(block, BulletList) and block.items[0].checked is not None


def has(node: Text, kind: str) -> bool:
    """Whether a run carries a mark of a kind."""
    return any(mark.kind == kind for mark in node.marks)


def without(node: Text, kinds: Iterable[str]) -> Text:
    """A run without the marks of some kinds."""
    dropped = set(kinds)
    return Text(node.text, tuple(mark for mark in node.marks if mark.kind not in dropped))


def free(before: Inline | None, after: Inline | None) -> bool:
    """Whether a node between these two stands by itself, with space or an end on both sides."""
    left = (
        before is None
        or isinstance(before, HardBreak)
        or (isinstance(before, Text) and before.text[-1] == " ")
    )
    right = (
        after is None or isinstance(after, HardBreak) or (isinstance(after, Text) and after.text[0] == " ")
    )
    return left and right


def _apart(node: Text, before: Inline | None, after: Inline | None) -> Text:
    # What was a node of its own must not run into the words beside it.
    left = (
        " " if isinstance(before, Text) and _is_wordy(before.text[-1:]) and _is_wordy(node.text[:1]) else ""
    )
    right = " " if isinstance(after, Text) and _is_wordy(after.text[:1]) and _is_wordy(node.text[-1:]) else ""
    return Text(f"{left}{node.text}{right}", node.marks)


def _is_wordy(char: str) -> bool:
    return char.isalnum() or char in {"_", "@", "("} or not char.isascii()


def merged_breaks(blocks: Iterable[Block]) -> tuple[Inline, ...]:
    """The lines of some blocks as the inline nodes of one paragraph."""
    return join_lines((words for block in blocks for words in block_lines(block)), HardBreak())
