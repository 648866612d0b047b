"""Reading Jira's wiki markup, as Jira Data Center (and Cloud's API v2) stores it: macros first, then lines.

Jira itself takes macros out before it looks at lines, which is why a code block may stand in a list item or
a table cell. So does this: every macro becomes a short token, then the lines are read, then tokens turn
into blocks. Each pass goes over the text once.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from bridge.markup.canonical import canonical, titled
from bridge.markup.chars import CHECKED, PANEL_COLORS, UNCHECKED, tidy
from bridge.markup.marked_lists import MarkedLists
from bridge.markup.tree import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Heading,
    ListItem,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Table,
    UnknownBlock,
)
from bridge.markup.wiki_inline import UNKNOWN, read_inline

_KIND_OF_COLOR = {shade: kind for kind, shade in PANEL_COLORS.items()}
_MARK = "\x00"  # cannot be in a text: tidy drops it
_TOKEN = re.compile(r"\x00(\d+)\x00")
_MACRO = re.compile(r"\{(code|noformat|quote|panel)(?::([^{}\n]*))?\}")
_VERBATIM = frozenset({"code", "noformat"})
_HEADING = re.compile(r"\s*h([1-6])\.(?:\s+|$)(.*)")
_QUOTED = re.compile(r"\s*bq\.\s+(.*)")
_RULE = re.compile(r"\s*-{4,5}\s*")
_LIST = re.compile(r"\s*([*#]+-*|-)[ \t]+(\S.*)")
_CELL = re.compile(
    r"\\.|\|\|?|\[[^\[\]\n]*\]|!(?:https?://[^\s!|]+|[^!|\n]*\.\w{1,5})(?:\|[^!|\n]*)?!|\{\{(?:[^\\{}\n]|\\.|\{(?!\{)|\}(?!\}))+\}\}"
)


def read_wiki(native: str | None) -> Document:
    """Read a text in Jira's wiki markup.

    Args:
        native: the text; None for an empty field.

    Returns:
        The canonical tree. Macros that Jira does not have itself are kept with their source.
    """
    source = _Source()
    text = source.take_macros(tidy(native or ""))
    return canonical(Document(tuple(source.blocks(text, frozenset()))))


class _Source:
    """A text with its macros taken out: what each token stands for, and its own source."""

    def __init__(self) -> None:
        self._raw: list[str] = []
        self._code: list[tuple[Block, ...] | None] = []

    # --- macros
    # -------------------------------------------------------------------------------------------------

    def take_macros(self, text: str) -> str:
        """Replace code and noformat, whose insides are never looked at, by tokens."""
        tags = [tag for tag in _MACRO.finditer(text) if not _is_escaped(text, tag.start())]
        closers: dict[str, list[int]] = defaultdict(list)
        for number, tag in enumerate(tags):
            if tag[2] is None:
                closers[tag[1]].append(number)
        pieces: list[str] = []
        here = number = 0
        while number < len(tags):
            tag = tags[number]
            number += 1
            places = closers[tag[1]]
            index = bisect_left(places, number)
            if tag[1] not in _VERBATIM or index == len(places):
                continue
            closing = tags[places[index]]
            pieces += [
                text[here : tag.start()],
                self._token(text[tag.start() : closing.end()], _code(tag, text, closing)),
            ]
            here = closing.end()
            number = places[index] + 1
        return "".join([*pieces, text[here:]])

    def _token(self, raw: str, code: tuple[Block, ...] | None) -> str:
        self._raw.append(raw)
        self._code.append(code)
        return f"{_MARK}{len(self._raw) - 1}{_MARK}"

    def _restored(self, text: str) -> str:
        return _TOKEN.sub(lambda found: self._raw[int(found[1])], text)

    def blocks(self, text: str, active: frozenset[str]) -> Iterator[Block]:
        """Read what is between macros and, going down, what is inside them."""
        here = 0
        for start, end, made in self._boxes(text, active):
            yield from self.unboxed(text[here:start])
            yield made
            here = end
        yield from self.unboxed(text[here:])

    def _boxes(self, text: str, active: frozenset[str]) -> Iterator[tuple[int, int, Block]]:
        tags = [tag for tag in UNKNOWN.finditer(text) if not _is_escaped(text, tag.start())]
        closers: dict[str, list[int]] = defaultdict(list)
        for number, tag in enumerate(tags):
            if ":" not in tag[0]:
                closers[tag[1]].append(number)
        number = 0
        while number < len(tags):
            tag = tags[number]
            number += 1
            places = closers[tag[1]]
            index = bisect_left(places, number)
            if index == len(places) or tag[1] in active | _VERBATIM | {"color"}:
                continue
            closing = tags[places[index]]
            if tag[1] in {"quote", "panel"}:
                inner = tuple(self.blocks(text[tag.end() : closing.start()], active | {tag[1]}))
                yield tag.start(), closing.end(), Quote(inner) if tag[1] == "quote" else _panel(tag[0], inner)
            elif (
                _stands_alone(text, tag.start(), closing.end())
                and text.find("\n", tag.end(), closing.start()) > 0
            ):
                raw = self._restored(text[tag.start() : closing.end()])
                yield tag.start(), closing.end(), UnknownBlock("wiki", raw, raw)
            else:
                continue
            number = places[index] + 1

    # --- lines
    # --------------------------------------------------------------------------------------------------

    def unboxed(self, text: str) -> Iterator[Block]:
        """Read lines that hold no other macros than the tokens of code."""
        words: list[str] = []
        listed: MarkedLists | None = None
        lines = text.split("\n")
        number = 0
        while number < len(lines):
            row = lines[number]
            number += 1
            found = _LIST.fullmatch(row) if not _RULE.fullmatch(row) else None
            if found:
                yield from self._paragraphs(words)
                listed = listed or MarkedLists()
                listed.add(found[1], self._item(found[2], found[1]))
                continue
            special = _starts_block(row)
            if listed and row.strip() and not special:
                listed.extend(tuple(self._paragraphs([row])))
                continue
            if listed:
                yield from listed.done()
                listed = None
            if row.strip() and not special:
                words.append(row)
                continue
            yield from self._paragraphs(words)
            if _is_row(row):
                rows, number = _table_rows(lines, number - 1)
                yield Table(tuple(tuple(self._cells(cells)) for cells in rows))
            elif special:
                yield from self._special(row)
        yield from self._paragraphs(words)
        if listed:
            yield from listed.done()

    def _special(self, row: str) -> Iterator[Block]:
        if heading := _HEADING.fullmatch(row):
            first, *rest = self._paragraphs([heading[2]]) or [Paragraph(())]
            if isinstance(first, Paragraph):
                yield Heading(int(heading[1]), first.children)
            else:
                yield first
            yield from rest
        elif quoted := _QUOTED.fullmatch(row):
            yield Quote(tuple(self._paragraphs([quoted[1]])))
        else:
            yield Rule()

    def _paragraphs(self, rows: list[str]) -> list[Block]:
        """The lines so far as paragraphs with the code that stands between them; empties the list."""
        text = "\n".join(rows)
        rows.clear()
        out: list[Block] = []
        for number, part in enumerate(_TOKEN.split(text)):
            if number % 2:
                out += self._code[int(part)] or ()
            elif part.strip():
                out.append(Paragraph(read_inline(part)))
        return out

    def _item(self, text: str, markers: str) -> ListItem:
        checked = None
        for box, state in ((CHECKED, True), (UNCHECKED, False)):
            if text.startswith(box) and not markers.endswith("#"):
                checked = state
                text = text.removeprefix(box)
                break
        return ListItem(tuple(self._paragraphs([text])), checked)

    def _cells(self, cells: list[tuple[bool, str]]) -> Iterator[Cell]:
        for header, text in cells:
            inside = text.strip()
            yield Cell(tuple(self.unboxed(inside)), header)


def _is_escaped(text: str, here: int) -> bool:
    start = here
    while start and text[start - 1] == "\\":
        start -= 1
    return (here - start) % 2 == 1


def _stands_alone(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] in {"", "\n"} and text[end : end + 1] in {"", "\n"}


def _starts_block(row: str) -> bool:
    return _is_row(row) or any(kind.fullmatch(row) for kind in (_HEADING, _QUOTED, _RULE))


def _is_row(row: str) -> bool:
    return row.lstrip().startswith("|") and row.strip() != "|"


def _settings(tag: str) -> Iterator[tuple[str, str]]:
    for part in tag.split("|"):
        name, equals, value = part.partition("=")
        yield (name.strip().lower(), value.strip()) if equals else ("", name.strip())


def _code(tag: re.Match[str], text: str, closing: re.Match[str]) -> tuple[Block, ...]:
    settings = dict(_settings(tag[2] or ""))
    name = settings.get("", settings.get("language", "")) if tag[1] == "code" else ""
    return (*titled(settings.get("title", "")), CodeBlock(text[tag.end() : closing.start()], name))


def _panel(tag: str, inner: tuple[Block, ...]) -> Panel:
    settings = dict(_settings(tag[1:-1].partition(":")[2]))
    kind = _KIND_OF_COLOR.get(settings.get("bgcolor", "").lower(), "info")
    return Panel(kind, inner, settings.get("title", ""))


def _table_rows(lines: list[str], number: int) -> tuple[list[list[tuple[bool, str]]], int]:
    """The rows of a table from a line on, and the number of the first line behind it.

    A cell may go on over several lines, until one ends with a bar.
    """
    rows: list[list[tuple[bool, str]]] = []
    while number < len(lines) and _is_row(lines[number]):
        row = [lines[number].strip()]
        number += 1
        while number < len(lines) and not row[-1].endswith("|") and _goes_on(lines[number]):
            row.append(lines[number].rstrip())
            number += 1
        rows.append(_split_cells("\n".join(row)))
    return rows, number


def _goes_on(row: str) -> bool:
    return bool(row.strip()) and not row.lstrip().startswith("|") and not _HEADING.fullmatch(row)


def _split_cells(row: str) -> list[tuple[bool, str]]:
    cells: list[tuple[bool, str]] = []
    start = -1
    header = False
    for found in _CELL.finditer(row):
        if not found[0].startswith("|"):
            continue
        if start >= 0:
            cells.append((header, row[start : found.start()]))
        start = found.end()
        header = found[0] == "||"
    if row[start:].strip():
        cells.append((header, row[start:]))
    return cells
