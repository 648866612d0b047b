"""Redacting a document: what must go is found across bold words, links, breaks, table cells and blocks.

The whole document is laid out as one text, searched once, and written anew with marks. What is no text of it (the
address of a link, a card, a code block's language) is searched by itself. The tree keeps its form but for blocks and
nodes of which nothing is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import unquote

from bridge.markup import (
    Block,
    BulletList,
    Card,
    Cell,
    CodeBlock,
    Date,
    Dialect,
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
    canonical,
    settle,
)
from bridge.sync.redaction import OBJECT, Place, Redaction, count_marks, fold, hidden_in, places, redact_line
from bridge.sync.ticket import Side

_LONGEST_EXTENSION = 5

MOST_LOOKS = 3
"""Times at most that a text is looked over as its tracker would show it."""


def redact(redaction: Redaction, to: Side, text: Document, dialect: Dialect | None = None) -> Document:
    """A document with marks for all that must go before it goes to a side; the same one where nothing must.

    Args:
        redaction: the rules.
        to: the side that it goes to.
        text: a document whose unknown nodes have become words already.
        dialect: the markup that it will be written in: what that markup cannot say becomes words, and those are
            looked into as well.
    """
    if not redaction.toward(to):
        return text
    return _redacted(redaction, to, text, dialect)


@lru_cache(maxsize=256)
def _redacted(redaction: Redaction, to: Side, text: Document, dialect: Dialect | None) -> Document:
    done = _once(redaction, to, text)
    for _ in range(MOST_LOOKS if dialect else 0):
        assert dialect is not None
        shown = settle(dialect, done)
        again = _once(redaction, to, shown)
        if again is shown:
            break
        done = again
    return done


def hidden(redaction: Redaction, to: Side, text: Document) -> Counter[str]:
    """The words that must go from a document before it goes to a side."""
    if not redaction.toward(to):
        return Counter()
    found = _search(redaction, to, text)
    whole = "".join(_laid_out(text.blocks))
    words = Counter[str]()
    for place in found:
        words[fold(whole[place.start : place.end])] += 1
    for aside in _asides(text.blocks):
        words += _hidden_aside(redaction, to, aside)
    return words


def redacted_blocks(redaction: Redaction, to: Side, text: Document) -> frozenset[int]:
    """The top-level blocks out of which something must go."""
    if not redaction.toward(to):
        return frozenset()
    found = _search(redaction, to, text)
    touched: set[int] = set()
    at = 0
    for number, block in enumerate(text.blocks):
        length = len("".join(_block_words(block)))
        if any(place.start < at + length and place.end > at for place in found) or any(
            _hidden_aside(redaction, to, aside) for aside in _asides((block,))
        ):
            touched.add(number)
        at += length
    return frozenset(touched)


def marks_in(redaction: Redaction, to: Side, text: Document) -> Counter[str]:
    """How often each rule's mark stands in a document."""
    return Counter(count_marks(redaction, to, "".join(_laid_out(text.blocks))))


def shows_mark(redaction: Redaction, text: Document) -> bool:
    """Whether a mark of any rule stands in a document."""
    whole = "".join(_laid_out(text.blocks))
    return any(mark in whole for mark in redaction.marks)


def _search(redaction: Redaction, to: Side, text: Document) -> tuple[Place, ...]:
    return places(redaction, to, "".join(_laid_out(text.blocks)))


def _once(redaction: Redaction, to: Side, text: Document) -> Document:
    """The document with marks; the very same one where there is nothing to mark."""
    found = _search(redaction, to, text)
    if not found and not any(_hidden_aside(redaction, to, aside) for aside in _asides(text.blocks)):
        return text
    pen = _Pen(redaction, to, found)
    return canonical(Document(tuple(pen.blocks(text.blocks))))


# --- the layout: every string of a document, in the order in which the pen passes it


def _laid_out(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        yield from _block_words(block)


def _block_words(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(children) | Heading(_, children):
            yield from map(_inline_words, children)
            yield "\n"
        case CodeBlock(text) | UnknownBlock(_, _, text):
            yield text
            yield "\n"
        case BulletList(items) | OrderedList(items):
            for item in items:
                yield from _laid_out(item.blocks)
        case Quote(inner):
            yield from _laid_out(inner)
        case Panel(_, inner, title) | Expand(title, inner):
            yield title
            yield "\n"
            yield from _laid_out(inner)
        case Table(rows):
            for row in rows:
                for cell in row:
                    yield from _laid_out(cell.blocks)
                    yield "\n"
        case Rule():
            yield "\n"


def _inline_words(node: Inline) -> str:
    match node:
        case Text(text) | Status(text) | UnknownInline(_, _, text):
            return text
        case HardBreak():
            return "\n"
        case Emoji(shortname, text):
            return text or shortname
        case Date(iso):
            return iso
        case _:
            return OBJECT


def _asides(blocks: Iterable[Block]) -> Iterator[str]:
    """Strings of a document that are no words in its line."""
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                for node in children:
                    yield from _inline_asides(node)
            case CodeBlock(_, language):
                yield language
            case BulletList(items) | OrderedList(items):
                for item in items:
                    yield from _asides(item.blocks)
            case Quote(inner) | Panel(_, inner, _) | Expand(_, inner):
                yield from _asides(inner)
            case Table(rows):
                for row in rows:
                    for cell in row:
                        yield from _asides(cell.blocks)
            case _:
                pass


def _inline_asides(node: Inline) -> Iterator[str]:
    match node:
        case Text(_, marks):
            yield from (mark.value for mark in marks if mark.kind == "link")
        case Card(url):
            yield url
        case Media(_, alt):
            # The name of a file that stands on the other side already leads to it; words beside it do not.
            yield alt
        case Mention(_, text):
            yield text
        case _:
            pass


def _hidden_aside(redaction: Redaction, to: Side, text: str) -> Counter[str]:
    """What must go from such a string, also where an address says it in its own spelling."""
    if not text:
        return Counter()
    return hidden_in(redaction, to, text) or (
        hidden_in(redaction, to, unquote(text)) if "%" in text else Counter()
    )


class _Pen:
    """Writes a document anew. It passes the strings in the order of the layout, so that it knows where it is."""

    def __init__(self, redaction: Redaction, to: Side, found: Sequence[Place]) -> None:
        self._redaction = redaction
        self._to = to
        self._found = found
        self._at = 0
        self._next = 0

    def _pass(self, text: str) -> Iterator[tuple[str, bool]]:
        """The kept parts of the next string, and the marks that begin in it (True)."""
        start, end = self._at, self._at + len(text)
        self._at, at = end, start
        while self._next < len(self._found) and self._found[self._next].start < end:
            place = self._found[self._next]
            if place.start > at:
                yield text[at - start : place.start - start], False
            if place.start >= start:
                yield place.rule.mark, True
            at = min(max(place.end, at), end)
            if place.end > end:
                break
            self._next += 1
        if at < end:
            yield text[at - start :], False

    def _line(self, text: str) -> str:
        return "".join(part for part, _ in self._pass(text))

    def blocks(self, blocks: Iterable[Block]) -> Iterator[Block]:
        for block in blocks:
            yield self._block(block)

    def _block(self, block: Block) -> Block:  # noqa: PLR0911 - one return for each kind of block
        match block:
            case Paragraph(children):
                return Paragraph(self._line_of(children))
            case Heading(level, children):
                return Heading(level, self._line_of(children))
            case CodeBlock(text, language):
                new = self._line(text)
                self._line("\n")
                return CodeBlock(new, "" if self._aside(language) else language)
            case UnknownBlock(dialect, _, text):
                new = self._line(text)
                self._line("\n")
                return block if new == text else UnknownBlock(dialect, "", new)
            case BulletList(items):
                return BulletList(self._items(items))
            case OrderedList(items, start):
                return OrderedList(self._items(items), start)
            case Quote(inner):
                return Quote(tuple(self.blocks(inner)))
            case Panel(kind, inner, title):
                title = self._line(title)
                self._line("\n")
                return Panel(kind, tuple(self.blocks(inner)), title)
            case Expand(title, inner):
                title = self._line(title)
                self._line("\n")
                return Expand(title, tuple(self.blocks(inner)))
            case Table(rows):
                return Table(tuple(tuple(self._cell(cell) for cell in row) for row in rows))
            case Rule():
                self._line("\n")
                return block

    def _items(self, items: Iterable[ListItem]) -> tuple[ListItem, ...]:
        return tuple(ListItem(tuple(self.blocks(item.blocks)), item.checked) for item in items)

    def _cell(self, cell: Cell) -> Cell:
        new = Cell(tuple(self.blocks(cell.blocks)), cell.header)
        self._line("\n")
        return new

    def _line_of(self, children: Sequence[Inline]) -> tuple[Inline, ...]:
        out: list[Inline] = []
        for number, node in enumerate(children):
            out += self._inline(node, children[number + 1] if number + 1 < len(children) else None)
        self._line("\n")
        return tuple(out)

    def _inline(self, node: Inline, after: Inline | None) -> Iterator[Inline]:
        words = _inline_words(node)
        parts = list(self._pass(words))
        match node:
            case Text(_, marks):
                yield from self._text(parts, marks, after)
            case Card(url) if mark := self._aside(url):
                yield Text(mark)
            case Media(ref, alt) if self._aside(alt):
                yield Media(ref, redact_line(self._redaction, self._to, alt))
            case Mention(person, text) if mark := self._aside(text):
                yield Mention(person, mark)
            case _ if [(words, False)] == parts or not words:
                yield node
            case HardBreak():
                yield from (Text(part) for part, is_mark in parts if is_mark)
            case Status(_, color):
                yield from (Text(part) if is_mark else Status(part, color) for part, is_mark in parts)
            case _:
                yield from (Text(part) for part, _ in parts)

    def _text(
        self, parts: Iterable[tuple[str, bool]], marks: tuple[Mark, ...], after: Inline | None
    ) -> Iterator[Inline]:
        link = next((mark for mark in marks if mark.kind == "link"), None)
        gone = self._aside(link.value) if link is not None else ""
        kept = tuple(mark for mark in marks if mark is not link) if gone else marks
        said = False
        for part, is_mark in parts:
            yield Text(part) if is_mark else Text(part, kept)
            said = said or is_mark
        goes_on = isinstance(after, Text) and link in after.marks
        if gone and not said and not goes_on:
            yield Text(f" {gone}")

    def _aside(self, text: str) -> str:
        """The mark of the first rule that a string which is no word falls under; "" for none."""
        if not text:
            return ""
        found = places(self._redaction, self._to, text)
        if not found and "%" in text:
            found = places(self._redaction, self._to, unquote(text))
        return found[0].rule.mark if found else ""


def with_name_redacted(redaction: Redaction, to: Side, name: str) -> str:
    """A file's name with marks; its extension stays where nothing in it must go."""
    new = redact_line(redaction, to, name)
    _, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}"
    plain = len(extension) <= _LONGEST_EXTENSION and extension.isalnum()
    if not dot or not plain or new == name or new.endswith(ending) or places(redaction, to, ending):
        return new
    return f"{new}{ending}"
