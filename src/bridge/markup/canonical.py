"""The one form of a tree: two texts that people would call the same are the same value.

Everything that compares, stores or hashes a text does so on this form, and every writer starts from it; so
a rule that all dialects need (which links are safe, that a list item does not begin with a list) is kept
here, once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from urllib.parse import quote

from bridge.markup.chars import CHECKED, SMILEY_TEXTS, UNCHECKED, line, preformatted, tidy
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

PANEL_KINDS = frozenset({"info", "note", "tip", "success", "warning", "error"})
STATUS_COLORS = frozenset({"neutral", "purple", "blue", "red", "yellow", "green"})
MAX_START = 99_999_999  # CommonMark stops reading list numbers at nine digits
MAX_HEADING = 6
MAX_PADDING = 20_000  # cells that a ragged table may have when its rows are made equally long

_COLOR_NAMES = {
    "black": "#000000",
    "blue": "#0000ff",
    "brown": "#a52a2a",
    "cyan": "#00ffff",
    "darkgreen": "#006400",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "lime": "#00ff00",
    "magenta": "#ff00ff",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "orange": "#ffa500",
    "pink": "#ffc0cb",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_SAFE_LINK = re.compile(r"(?:https?://[^/?#]|mailto:[^?]).*", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_UNSAFE_CHARACTERS = re.compile(r"[\s<>\"\\^`{|}\[\]]")
_SHORTNAME = re.compile(r":[\w+-]+:", re.ASCII)
_LANGUAGE = re.compile(r"[a-z0-9+#._-]{1,40}")
_SPACES = re.compile(r"\s+")
_SHORT_HEX = 4


def canonical(document: Document) -> Document:
    """Give the tree its one form; see the module. Idempotent.

    Args:
        document: any tree, however odd.

    Returns:
        The same words with every node in its normal form.
    """
    return Document(canonical_blocks(document.blocks))


def canonical_blocks(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The canonical form of a run of sibling blocks: normal nodes, neighbouring lists joined."""
    out: list[Block] = []
    for block in blocks:
        for normal in _block(block):
            last = out[-1] if out else None
            if isinstance(last, OrderedList) and isinstance(normal, OrderedList):
                out[-1] = OrderedList(last.items + normal.items, last.start)
            elif isinstance(last, BulletList) and isinstance(normal, BulletList) and _alike(last, normal):
                out[-1] = BulletList(last.items + normal.items)
            else:
                out.append(normal)
    return tuple(out)


def color(value: str) -> str:
    """The colour as ``#rrggbb``, or the empty string when it is none."""
    name = value.strip().lower()
    name = _COLOR_NAMES.get(name, name)
    if not _HEX.fullmatch(name):
        return ""
    return "#" + "".join(char * 2 for char in name[1:]) if len(name) == _SHORT_HEX else name


def address(value: str) -> str:
    """The address with every character encoded that a dialect might take for markup."""
    return _UNSAFE_CHARACTERS.sub(lambda found: quote(found[0], safe=""), tidy(value).strip())


def is_safe_link(value: str) -> bool:
    """Whether people may be given this address to click: http, https and mailto only."""
    return _SAFE_LINK.fullmatch(value) is not None


def language(value: str) -> str:
    """The name of a programming language as code blocks carry it; the empty string when it is none."""
    name = value.strip().lower()
    return name if _LANGUAGE.fullmatch(name) and name != "none" else ""


# --- blocks
# -----------------------------------------------------------------------------------------------------


def _block(block: Block) -> Iterator[Block]:
    match block:
        case Paragraph(children):
            yield from (Paragraph(part) for part in _paragraphs(children))
        case Heading(level, children):
            if inside := join_lines(_lines(children), HardBreak()):
                yield Heading(min(max(level, 1), MAX_HEADING), inside)
        case BulletList(items):
            for _, group in groupby(_items(items), key=lambda item: item.checked is None):
                yield BulletList(tuple(group))
        case OrderedList(items, start):
            if numbered := tuple(map(_written_out, _items(items))):
                yield OrderedList(numbered, start if 0 <= start <= MAX_START else 1)
        case CodeBlock(text, name):
            if code := preformatted(text):
                yield CodeBlock(code, language(name))
        case Quote(blocks):
            if inner := canonical_blocks(blocks):
                yield Quote(inner)
        case Rule():
            yield block
        case _:
            yield from _boxed(block)


def _boxed(block: Panel | Expand | Table | UnknownBlock) -> Iterator[Block]:
    match block:
        case Panel(kind, blocks, title):
            if inner := canonical_blocks(blocks):
                yield Panel(kind if kind in PANEL_KINDS else "info", inner, line(title))
            else:
                yield from titled(title)
        case Expand(title, blocks):
            if inner := canonical_blocks(blocks):
                yield Expand(line(title), inner)
            else:
                yield from titled(title)
        case Table(rows):
            yield from _table(rows)
        case UnknownBlock(dialect, raw, text):
            kept = _encodable(raw)
            yield from [UnknownBlock(dialect, kept, preformatted(text))] if kept else words_as_blocks(text)


def titled(title: str) -> Iterator[Paragraph]:
    """The title of a box as a bold paragraph of its own, for where there is no box."""
    if words := line(title):
        yield Paragraph((Text(words, (Mark("strong"),)),))


def words_as_blocks(text: str) -> Iterator[Paragraph]:
    """Plain words as paragraphs: an empty line between two paragraphs, any other line end a break."""
    yield from (Paragraph(part) for part in _paragraphs((Text(text),)))


def _alike(one: BulletList, other: BulletList) -> bool:
    return (one.items[0].checked is None) == (other.items[0].checked is None)


def _items(items: Iterable[ListItem]) -> Iterator[ListItem]:
    # An item that begins with a list has no words of its own: what is in that list moves up beside it. Wiki
    # and ADF cannot say such an item, and in Markdown nobody means it.
    for item in items:
        blocks = canonical_blocks(item.blocks)
        while blocks and isinstance(blocks[0], BulletList | OrderedList):
            yield from blocks[0].items
            blocks = blocks[1:]
        if blocks:
            yield ListItem(blocks, item.checked if isinstance(blocks[0], Paragraph) else None)


def _written_out(item: ListItem) -> ListItem:
    # No tracker has numbered tasks: the box becomes a character.
    if item.checked is None:
        return item
    box = Text(CHECKED if item.checked else UNCHECKED)
    return ListItem(canonical_blocks(with_prefix(item.blocks, (box,))))


def with_prefix(blocks: tuple[Block, ...], prefix: tuple[Inline, ...]) -> tuple[Block, ...]:
    """Put something before the first words of some blocks."""
    if blocks and isinstance(blocks[0], Paragraph):
        return (Paragraph(prefix + blocks[0].children), *blocks[1:])
    return (Paragraph(prefix), *blocks)


def _table(rows: Iterable[Sequence[Cell]]) -> Iterator[Table]:
    clean = [[Cell(canonical_blocks(cell.blocks), cell.header) for cell in row] for row in rows if row]
    if any(cell.blocks for row in clean for cell in row):
        width = max(map(len, clean))
        if width * len(clean) > max(MAX_PADDING, 4 * sum(map(len, clean))):
            # Filling it up would take the square of its size. Nobody means such a table; its rows stay.
            yield from (Table(tuple(map(tuple, rows))) for _, rows in groupby(clean, key=len))
            return
        yield Table(
            tuple((*row, *(Cell((), row[-1].header) for _ in range(width - len(row)))) for row in clean)
        )


# --- inline
# -----------------------------------------------------------------------------------------------------


def join_lines(lines: Iterable[Sequence[Inline]], glue: Inline) -> tuple[Inline, ...]:
    """Lines that hold something, with the glue between each two."""
    out: list[Inline] = []
    for words in lines:
        if words:
            out += [glue, *words] if out else words
    return tuple(out)


def canonical_inlines(children: Iterable[Inline]) -> tuple[Inline, ...]:
    """The canonical form of inline nodes that share one paragraph; empty lines in it are lost."""
    return join_lines(_lines(children), HardBreak())


def _paragraphs(children: Iterable[Inline]) -> Iterator[tuple[Inline, ...]]:
    # An empty line inside a paragraph is what people type to begin the next one.
    for full, lines in groupby(_lines(children), key=bool):
        if full:
            yield join_lines(lines, HardBreak())


def _lines(children: Iterable[Inline]) -> list[list[Inline]]:
    lines: list[list[Inline]] = [[]]
    for node in _without_unsafe_links(_pieces(children)):
        if isinstance(node, HardBreak):
            lines.append([])
        else:
            lines[-1].append(node)
    return [_spaced(words) for words in lines]


def _pieces(children: Iterable[Inline]) -> Iterator[Inline]:
    for node in children:
        if isinstance(node, Text):
            marks = _marks(node.marks)
            for number, part in enumerate(tidy(node.text).split("\n")):
                if number:
                    yield HardBreak()
                if part:
                    yield Text(part, marks)
        elif isinstance(node, HardBreak):
            yield node
        elif normal := _node(node):
            yield normal


def _node(node: Inline) -> Inline | None:
    normal: Inline | None = None
    words = ""
    match node:
        case Mention(person, text):
            name = _SPACES.sub("", tidy(person))
            words = line(text).removeprefix("@").strip()
            normal = Mention(name, words) if name else None
            words = f"@{words}" if words else ""
        case Emoji(shortname, text):
            words = line(text) or SMILEY_TEXTS.get(shortname, "")
            words = "" if words == shortname else words
            normal = Emoji(shortname, words) if _SHORTNAME.fullmatch(shortname) else None
            words = words or line(shortname)
        case Date(iso):
            words = line(iso)
            normal = Date(words) if _is_date(words) else None
        case Status(text, shade):
            words = line(text)
            normal = Status(words, shade if shade in STATUS_COLORS else "neutral") if words else None
        case Media(ref, alt):
            words = line(alt)
            target = line(ref)
            if _SCHEME.match(target) and not is_safe_link(target):
                words = f"{words} ({target})" if words else target
            elif target:
                normal = Media(target, "" if words == target else words)
        case Card(url):
            words = address(url)
            normal = Card(words) if is_safe_link(words) else None
        case UnknownInline(dialect, raw, text):
            words = line(text)
            kept = _encodable(raw)
            normal = UnknownInline(dialect, kept, words) if kept else None
    return normal or (Text(words) if words else None)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _encodable(raw: str) -> str:
    return raw.encode("utf-8", "replace").decode("utf-8")


def _marks(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    kinds: dict[str, Mark] = {}
    for mark in sorted(marks):
        if mark.kind == "color":
            mark = Mark("color", color(mark.value))  # noqa: PLW2901 - the same mark in its normal form
            if not mark.value:
                continue
        elif mark.kind == "link":
            mark = Mark("link", address(mark.value))  # noqa: PLW2901 - the same mark in its normal form
            if not mark.value:
                continue
        elif mark.value:
            mark = Mark(mark.kind)  # noqa: PLW2901 - only colours and links have a value
        kinds.setdefault(mark.kind, mark)
    if "sub" in kinds:
        kinds.pop("sup", None)  # no text is both
    return tuple(sorted(kinds.values()))


def _without_unsafe_links(nodes: Iterable[Inline]) -> Iterator[Inline]:
    # The address of a link that nobody may click stays readable, once, behind the words that carried it.
    pending = ""
    said = ""
    for node in nodes:
        target = _unsafe(node)
        if pending and target != pending:
            if said.strip() != pending:
                yield Text(f" ({pending})")
            said = ""
        pending = target
        if target and isinstance(node, Text):
            said += node.text
            yield Text(node.text, tuple(mark for mark in node.marks if mark.kind != "link"))
        else:
            yield node
    if pending and said.strip() != pending:
        yield Text(f" ({pending})")


def _unsafe(node: Inline) -> str:
    if isinstance(node, Text):
        for mark in node.marks:
            if mark.kind == "link" and not is_safe_link(mark.value):
                return mark.value
    return ""


def _spaced(nodes: list[Inline]) -> list[Inline]:
    """One line: runs merged, single spaces, none at the ends, and none inside a mark's edges.

    Most dialects cannot say a bold space at the edge of a bold word, so the tree does not either.
    """
    out: list[Inline] = []
    for node in _merged(nodes):
        if not isinstance(node, Text):
            out.append(node)
            continue
        text = unicodedata.normalize("NFC", node.text)
        if any(mark.kind == "code" for mark in node.marks) and not text.isspace():
            _push(out, Text(re.sub(r"\s", " ", text), node.marks))
            continue
        text = _SPACES.sub(" ", text)
        core = text.strip(" ")
        if text.startswith(" "):
            _push_space(out)
        if core:
            _push(out, Text(core, node.marks))
        if core and text.endswith(" "):
            _push_space(out)
    if out and isinstance(out[-1], Text) and not _is_code(out[-1]) and out[-1].text.endswith(" "):
        last = out.pop()
        assert isinstance(last, Text)
        if trimmed := last.text.rstrip(" "):
            out.append(Text(trimmed, last.marks))
    return out


def _merged(nodes: Iterable[Inline]) -> Iterator[Inline]:
    for (is_text, _), group in groupby(
        nodes, key=lambda node: (isinstance(node, Text), getattr(node, "marks", ()))
    ):
        if is_text:
            texts = [node for node in group if isinstance(node, Text)]
            yield Text("".join(node.text for node in texts), texts[0].marks)
        else:
            yield from group


def _is_code(node: Inline) -> bool:
    return isinstance(node, Text) and any(mark.kind == "code" for mark in node.marks)


def _push_space(out: list[Inline]) -> None:
    last = out[-1] if out else None
    if last is None or (isinstance(last, Text) and not _is_code(last) and last.text.endswith(" ")):
        return
    _push(out, Text(" "))


def _push(out: list[Inline], node: Text) -> None:
    last = out[-1] if out else None
    if isinstance(last, Text) and last.marks == node.marks:
        out[-1] = Text(last.text + node.text, node.marks)
    else:
        out.append(node)
