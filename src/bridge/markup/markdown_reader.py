"""Reading Markdown: CommonMark with tables, strikethrough and task lists, and the live text of Redmine.

markdown-it-py finds the structure; HTML is off, so tags are words. Escaped characters are kept apart from
plain ones (its ``text_join`` rule is off), so that only what a person typed plainly can be a mention, a
link or a macro.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bridge.markup.canonical import canonical
from bridge.markup.chars import readable_source
from bridge.markup.redmine_text import live_nodes
from bridge.markup.tree import (
    Block,
    BulletList,
    Cell,
    CodeBlock,
    Document,
    HardBreak,
    Heading,
    Inline,
    ListItem,
    Mark,
    MarkKind,
    Media,
    OrderedList,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)

MAX_NESTING = 60

_MARKS: dict[str, MarkKind] = {"strong": "strong", "em": "em", "s": "strike"}
_LINE_END = re.compile(r"<br ?/?>", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\] ")


class _Markdown(MarkdownIt):
    """The parser with addresses left as they are: which links are allowed is the tree's own rule."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the parser's name
        return link

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the parser's name
        return bool(url)


_PARSER = _Markdown("commonmark", {"html": False, "maxNesting": MAX_NESTING}).enable(
    ["table", "strikethrough"]
)
_PARSER.disable(["text_join", "html_block", "html_inline"])


def read_markdown(native: str | None) -> Document:
    """Read a Markdown text.

    Args:
        native: the text; None for an empty field.

    Returns:
        The canonical tree. A line end is a break, as Redmine shows it; a macro or wiki page is kept with
        its source.
    """
    text = readable_source(native or "")
    tokens = _PARSER.parse(text)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        # The parser stops looking at that depth and would lose words; nobody means such a text.
        return canonical(Document((Paragraph((Text(text),)),)))
    return canonical(Document(tuple(_Tokens(tokens).blocks())))


class _Tokens:
    """A walk over the parser's flat list of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._here = 0

    def blocks(self, until: str = "") -> Iterator[Block]:
        """Read blocks up to the token that closes their box."""
        while self._here < len(self._tokens):
            token = self._tokens[self._here]
            self._here += 1
            if token.type == until:
                return
            yield from self._block(token)

    def _block(self, token: Token) -> Iterator[Block]:
        match token.type:
            case "paragraph_open":
                yield Paragraph(self._words("paragraph_close"))
            case "heading_open":
                yield Heading(int(token.tag[1:]), self._words("heading_close"))
            case "bullet_list_open":
                yield BulletList(tuple(self._items("bullet_list_close")))
            case "ordered_list_open":
                start = token.attrGet("start")
                yield OrderedList(
                    tuple(self._items("ordered_list_close")), 1 if start is None else int(start)
                )
            case "blockquote_open":
                yield Quote(tuple(self.blocks("blockquote_close")))
            case "fence" | "code_block":
                yield CodeBlock(token.content, (token.info.split() or [""])[0])
            case "hr":
                yield Rule()
            case "table_open":
                yield Table(tuple(self._rows()))
            case "inline":
                yield Paragraph(tuple(_inlines(token.children or [])))

    def _words(self, until: str) -> tuple[Inline, ...]:
        out: list[Inline] = []
        for token in self._until(until):
            out += _inlines(token.children or [])
        return tuple(out)

    def _until(self, kind: str) -> Iterator[Token]:
        while self._here < len(self._tokens):
            token = self._tokens[self._here]
            self._here += 1
            if token.type == kind:
                return
            yield token

    def _items(self, until: str) -> Iterator[ListItem]:
        for token in self._until(until):
            if token.type == "list_item_open":
                yield _task(tuple(self.blocks("list_item_close")))

    def _rows(self) -> Iterator[tuple[Cell, ...]]:
        row: list[Cell] = []
        for token in self._until("table_close"):
            if token.type == "tr_open":
                row = []
            elif token.type in {"th_open", "td_open"}:
                words = self._words(token.type.replace("open", "close"))
                row.append(Cell((Paragraph(words),), token.type == "th_open"))
            elif token.type == "tr_close":
                yield tuple(row)


def _task(blocks: tuple[Block, ...]) -> ListItem:
    first = blocks[0] if blocks else None
    if isinstance(first, Paragraph) and first.children and isinstance(first.children[0], Text):
        head = first.children[0]
        box = _TASK.match(head.text) if not head.marks else None
        if box:
            rest = Paragraph((Text(head.text[box.end() :]), *first.children[1:]))
            return ListItem((rest, *blocks[1:]), box[1] != " ")
    return ListItem(blocks)


def _inlines(tokens: Sequence[Token]) -> Iterator[Inline]:
    marks: list[Mark] = []
    linked = 0
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        match token.type:
            case "text":
                # "<br>" is the only way to begin a line in a table cell, so people and trackers write it.
                for number, text in enumerate(_LINE_END.split(token.content)):
                    if number:
                        yield HardBreak()
                    yield from (
                        live_nodes(text, tuple(marks), "markdown")
                        if not linked
                        else [Text(text, tuple(marks))]
                    )
            case "text_special":
                yield Text(token.content, tuple(marks))
            case "code_inline":
                yield Text(token.content, (*marks, Mark("code")))
            case "softbreak" | "hardbreak":
                yield HardBreak()
            case "image":
                yield Media(str(token.attrGet("src") or ""), _alt(token.children or []))
            case "link_open":
                linked += 1
                marks.append(Mark("link", str(token.attrGet("href") or "")))
            case "link_close":
                linked -= 1
                marks = [mark for mark in marks if mark.kind != "link"]
            case _ if name in _MARKS:
                mark = Mark(_MARKS[name])
                if token.nesting > 0:
                    marks.append(mark)
                else:
                    marks.reverse()
                    marks.remove(mark)
                    marks.reverse()


def _alt(tokens: Sequence[Token]) -> str:
    parts = []
    for token in tokens:
        if token.type == "image":
            parts.append(_alt(token.children or []))
        else:
            parts.append(" " if token.type in {"softbreak", "hardbreak"} else token.content)
    return "".join(parts)
