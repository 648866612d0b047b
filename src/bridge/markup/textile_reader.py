"""Reading Textile as Redmine understands it: what is verbatim first, then quotations, then lines.

Redmine takes ``<pre>`` and ``<code>`` out before it looks at anything else, which is why code may stand in a
list or a quotation. So does this: each becomes a short token that turns into a block at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bridge.markup.canonical import canonical
from bridge.markup.chars import CHECKED, UNCHECKED, readable_source
from bridge.markup.marked_lists import MarkedLists
from bridge.markup.spans import SpanningCell, spread
from bridge.markup.textile_inline import ATTRIBUTES, MARK, TOKEN, read_inline
from bridge.markup.tree import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Heading,
    Inline,
    ListItem,
    Mark,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)
from bridge.markup.wiki_inline import decode

MAX_QUOTES = 40

_VERBATIM = re.compile(r"<(?P<end>/)?(?P<tag>pre|code|kbd|notextile)\b(?P<rest>[^<>]*)>", re.IGNORECASE)
_INNER_CODE = re.compile(r"\s*<code\b([^<>]*)>\n?", re.IGNORECASE)
_CODE_END = re.compile(r"</code>\s*\Z", re.IGNORECASE)
_CLASS = re.compile(r"class=[\"']?([\w+#.-]+)", re.IGNORECASE)
_NOTEXTILE = re.compile(r"(?<!\S)==([^=\n][^\n]*?)==")
_COMMENT_START = "<!--"
_PREFIXED = re.compile(rf"(h[1-6]|p|bq|bc|fn\d+){ATTRIBUTES}\.(?::\S+)? (.*)")
_RULE = re.compile(r" ?(?:(?:\* ?){3,}|(?:- ?){3,}|(?:_ ?){3,})")
_LIST = re.compile(rf"\s*([*#]+){ATTRIBUTES} (.*)")
_QUOTED = re.compile(r"(>[> ]*)(.*)")
_ROW = re.compile(rf"\s*(?:{ATTRIBUTES}\. ?)?\|")
_TABLE_HEAD = re.compile(rf"\s*table{ATTRIBUTES}\. ?")
_CELL = re.compile(r"\[\[[^|\]\n]*\|[^|\]\n]*\]\]|\|")
_MODIFIER = re.compile(rf"(_?)((?:[\\/]\d+){{0,2}}){ATTRIBUTES}\. ?")
_SPAN = re.compile(r"([\\/])(\d{1,3})")


def read_textile(native: str | None) -> Document:
    """Read a text in Redmine's Textile.

    Args:
        native: the text; None for an empty field.

    Returns:
        The canonical tree. A line end is a break, as Redmine shows it; a macro or wiki page is kept with
        its source.
    """
    source = _Source()
    text = source.take_verbatim(_without_comments(readable_source(native or "")))
    return canonical(Document(tuple(source.quoted(text.split("\n"), 0))))


def _without_comments(text: str) -> str:
    pieces: list[str] = []
    here = 0
    while (start := text.find(_COMMENT_START, here)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        pieces.append(text[here:start])
        here = end + 3
    return "".join([*pieces, text[here:]])


class _Source:
    """A text with its verbatim parts taken out, and what each token stands for."""

    def __init__(self) -> None:
        self._code: list[CodeBlock | None] = []
        self._inline: list[tuple[Inline, ...]] = []

    # --- what is verbatim
    # -------------------------------------------------------------------------------------------------

    def take_verbatim(self, text: str) -> str:
        """Replace code, whose inside is never looked at, by tokens."""
        pieces: list[str] = []
        here = 0
        opened: re.Match[str] | None = None
        depth = 0
        for tag in _VERBATIM.finditer(text):
            if opened is None:
                if not tag["end"]:
                    pieces.append(text[here : tag.start()])
                    opened, depth = tag, 1
                continue
            if tag["tag"].lower() != opened["tag"].lower():
                continue
            depth += -1 if tag["end"] else 1
            if not depth:
                pieces.append(self._taken(opened, text[opened.end() : tag.start()]))
                here = tag.end()
                opened = None
        if opened is not None:
            pieces.append(self._taken(opened, text[opened.end() :]))
        else:
            pieces.append(text[here:])
        return _NOTEXTILE.sub(lambda found: self._token(None, (Text(decode(found[1])),)), "".join(pieces))

    def _taken(self, tag: re.Match[str], inside: str) -> str:
        if tag["tag"].lower() == "pre":
            name = _CLASS.search(tag["rest"])
            if inner := _INNER_CODE.match(inside):
                name = _CLASS.search(inner[1]) or name
                inside = _CODE_END.sub("", inside[inner.end() :])
            return self._token(CodeBlock(inside, name[1] if name else ""), ())
        marks = () if tag["tag"].lower() == "notextile" else (Mark("code"),)
        return self._token(None, (Text(inside, marks),))

    def _token(self, block: CodeBlock | None, nodes: tuple[Inline, ...]) -> str:
        self._code.append(block)
        self._inline.append(nodes)
        return f"{MARK}{len(self._code) - 1}{MARK}"

    # --- blocks
    # -------------------------------------------------------------------------------------------------

    def quoted(self, lines: list[str], depth: int) -> Iterator[Block]:
        """Read lines, those that begin with ``>`` as quotations."""
        plain: list[str] = []
        inner: list[str] = []
        for row in [*lines, None]:
            found = _QUOTED.fullmatch(row) if row is not None and depth < MAX_QUOTES else None
            if found:
                yield from self.unquoted(plain)
                inner.append(">" * (found[1].count(">") - 1) + found[2])
                continue
            if inner:
                yield Quote(tuple(self.quoted(inner, depth + 1)))
                inner = []
            if row is not None:
                plain.append(row)
        yield from self.unquoted(plain)

    def unquoted(self, lines: list[str]) -> Iterator[Block]:
        """Read lines that hold no quotation; empties the list."""
        taken = list(lines)
        lines.clear()
        words: list[str] = []
        number = 0
        while number < len(taken):
            row = taken[number]
            if not row.strip():
                yield from self._paragraphs(words)
                number += 1
            elif _LIST.fullmatch(row) and not _RULE.fullmatch(row):
                yield from self._paragraphs(words)
                end = _end_of_part(taken, number)
                yield from self._lists(taken[number:end])
                number = end
            elif _is_row(row) or (
                _TABLE_HEAD.fullmatch(row) and number + 1 < len(taken) and _is_row(taken[number + 1])
            ):
                yield from self._paragraphs(words)
                end = _end_of_part(taken, number)
                yield from self._table(taken[number:end])
                number = end
            elif _RULE.fullmatch(row):
                yield from self._paragraphs(words)
                yield Rule()
                number += 1
            elif prefixed := _PREFIXED.fullmatch(row):
                yield from self._paragraphs(words)
                end = _end_of_part(taken, number)
                yield from self._prefixed(prefixed[1], [prefixed[2], *taken[number + 1 : end]])
                number = end
            else:
                words.append(row)
                number += 1
        yield from self._paragraphs(words)

    def _prefixed(self, name: str, rows: list[str]) -> Iterator[Block]:
        if name == "bc":
            yield CodeBlock("\n".join(rows))
            return
        blocks = self._paragraphs(rows)
        if name == "bq":
            yield Quote(tuple(blocks))
            return
        for block in blocks:
            if name[0] == "h" and isinstance(block, Paragraph):
                yield Heading(int(name[1]), block.children)
            else:
                yield block

    def _lists(self, rows: list[str]) -> Iterator[Block]:
        listed = MarkedLists()
        for row in rows:
            if found := _LIST.fullmatch(row):
                listed.add(found[1], self._item(found[2], found[1]))
            else:
                listed.extend(tuple(self._paragraphs([row])))
        yield from listed.done()

    def _item(self, text: str, markers: str) -> ListItem:
        for box, state in ((CHECKED, True), (UNCHECKED, False)):
            if text.startswith(box) and not markers.endswith("#"):
                return ListItem(tuple(self._paragraphs([text.removeprefix(box)])), state)
        return ListItem(tuple(self._paragraphs([text])))

    def _table(self, rows: list[str]) -> Iterator[Block]:
        made: list[list[SpanningCell]] = []
        pending: list[str] = []
        for row in rows[1:] if _TABLE_HEAD.fullmatch(rows[0]) else rows:
            pending.append(row)
            if row.rstrip().endswith("|"):
                made.append(list(self._cells("\n".join(pending))))
                pending = []
        if made:
            yield Table(tuple(spread(made)))
        yield from self._paragraphs(pending)

    def _cells(self, row: str) -> Iterator[SpanningCell]:
        bars = [found.start() for found in _CELL.finditer(row) if found[0] == "|"]
        for start, end in pairwise(bars):
            text = row[start + 1 : end]
            header = False
            spans = (1, 1)
            if modifier := _MODIFIER.match(text):
                text = text[modifier.end() :]
                header = bool(modifier[1])
                found = dict(_SPAN.findall(modifier[2]))
                spans = (int(found.get("\\", 1)), int(found.get("/", 1)))
            yield SpanningCell(Cell(tuple(self._paragraphs([text.strip()])), header), *spans)

    def _paragraphs(self, rows: list[str]) -> list[Block]:
        """The lines so far as paragraphs with the code that stands between them; empties the list."""
        text = "\n".join(rows)
        rows.clear()
        out: list[Block] = []
        here = 0
        for token in TOKEN.finditer(text):
            if code := self._code[int(token[1])]:
                out += self._words(text[here : token.start()])
                out.append(code)
                here = token.end()
        out += self._words(text[here:])
        return out

    def _words(self, text: str) -> list[Block]:
        return [Paragraph(read_inline(text, self._inline))] if text.strip() else []


def _end_of_part(lines: list[str], number: int) -> int:
    while number < len(lines) and lines[number].strip():
        number += 1
    return number


def _is_row(row: str) -> bool:
    return _ROW.match(row) is not None and row.strip() != "|"
