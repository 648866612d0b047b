"""Writing Markdown, and what it can say.

Two layers look at such a text: the Markdown parser, against which a backslash helps, and the tracker, which
searches the finished text for ``#123``, ``@name``, ``{{macro}}`` or ``source:path``, against which only an
invisible character inside helps. The reader takes both away again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bridge.markup.canonical import titled
from bridge.markup.chars import BREAK, lowered, raised
from bridge.markup.markdown_reader import read_markdown
from bridge.markup.redmine_text import FILE, LOGIN, breakable
from bridge.markup.shape import Shape, as_text, free, has, without
from bridge.markup.tree import (
    Block,
    BulletList,
    Cell,
    CodeBlock,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    Media,
    Mention,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
)
from bridge.markup.walk import cell_line
from bridge.markup.wiki_inline import ENTITY
from bridge.markup.wiki_writer import IMAGE

_UNSAYABLE = ("underline", "color", "sub", "sup")
_ALWAYS = frozenset("\\`*[]<>~|#")
_NUMBER = re.compile(r"\d{1,9}(?=[.)])")
_TICKS = re.compile(r"`+")


class MarkdownShape(Shape):
    """What Markdown can say."""

    dialect = "markdown"

    def allows(self, block: Block, where: str) -> bool:
        """See Shape; everything may stand everywhere, a few things nowhere."""
        del where
        if isinstance(block, UnknownBlock):
            return self.keeps(block)
        return True

    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """See Shape."""
        return read_markdown(node.raw)

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """See Shape; every box is a quotation with its title in bold."""
        inner = (*titled(block.title), *block.blocks)
        yield Quote(tuple(self.blocks(inner, where, depth + 1)))

    def table(self, rows: Iterable[tuple[Cell, ...]], depth: int) -> Iterator[Block]:
        """See Shape; the first row is the head, a cell is one line."""
        del depth
        yield Table(
            tuple(
                tuple(Cell((Paragraph(self.inlines(cell_line(cell))),), header=not number) for cell in row)
                for number, row in enumerate(rows)
            )
        )

    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """See Shape."""
        del alone
        match node:
            case Text(text):
                words = raised(text) if has(node, "sup") else lowered(text) if has(node, "sub") else text
                return without(Text(words, node.marks), _UNSAYABLE)
            case Mention(person, text):
                live = LOGIN.fullmatch(person) and free(before, after)
                return Mention(person, person) if live else Text(f"@{text or person}")
            case Media(ref, alt):
                sayable = IMAGE.fullmatch(ref) or (not alt and free(before, after) and FILE.fullmatch(ref))
                return node if sayable and not ref.startswith("<") else as_text(node)
            case UnknownInline():
                return node if free(before, after) and self.keeps(node) else as_text(node)
            case HardBreak():
                return node
            case _:
                return as_text(node)


_SHAPE = MarkdownShape()


def write_markdown(document: Document) -> str:
    """Write a tree as Markdown.

    Args:
        document: any tree; what Markdown cannot say becomes words.

    Returns:
        The text to send.
    """
    return "\n".join(_lines(_SHAPE.document(document).blocks))


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(children):
            yield from _inlines(children).split("\n")
        case Heading(level, children):
            yield f"{'#' * level} {_inlines(children)}"
        case BulletList() | OrderedList():
            yield from _list(block)
        case CodeBlock(text, language):
            fence = "`" * max(3, 1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=0))
            yield from (fence + language, *text.split("\n"), fence)
        case Quote(blocks):
            yield from (f"> {line}".rstrip() if not line else f"> {line}" for line in _lines(blocks))
        case Table(rows):
            yield from _table(rows)
        case UnknownBlock(_, raw, _):
            yield from raw.split("\n")
        case _:
            yield "***"


def _list(block: BulletList | OrderedList) -> Iterator[str]:
    for number, item in enumerate(block.items):
        sign = f"{block.start + number}. " if isinstance(block, OrderedList) else "- "
        box = "" if item.checked is None else "[x] " if item.checked else "[ ] "
        for index, line in enumerate(_item_lines(item.blocks)):
            if index:
                yield f"{' ' * len(sign)}{line}" if line else ""
            else:
                yield f"{sign}{box}{line}"


def _item_lines(blocks: tuple[Block, ...]) -> Iterator[str]:
    # A list right under the words of its item, without an empty line, as people type it.
    for number, block in enumerate(blocks):
        tight = isinstance(block, BulletList) and isinstance(blocks[number - 1], Paragraph)
        if number and not tight:
            yield ""
        yield from _block(block)


def _table(rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        cells = [
            " ".join(
                _inlines(block.children, in_cell=True)
                for block in cell.blocks
                if isinstance(block, Paragraph)
            )
            for cell in row
        ]
        yield f"| {' | '.join(cells)} |"
        if not number:
            yield f"|{' --- |' * len(cells)}"


# --- inline
# -----------------------------------------------------------------------------------------------------


def _inlines(children: Iterable[Inline], *, in_cell: bool = False) -> str:
    out = ""
    first = True
    for node in children:
        match node:
            case Text():
                out += _run(node, out, first=first, in_cell=in_cell)
            case HardBreak():
                out += "\\\n"
            case Mention(person, _):
                out += f"@{person}"
            case Media(ref, alt):
                out += _media(ref, alt)
            case UnknownInline(_, raw, _):
                out += raw.replace("|", "\\|") if in_cell else raw
            case _:
                raise AssertionError(node)  # the shape lets nothing else through
        first = isinstance(node, HardBreak)
    return out


def _media(ref: str, alt: str) -> str:
    if IMAGE.fullmatch(ref):
        return f"![{escape(alt)}]({_target(ref)})"
    return f'attachment:"{ref}"'


def _target(address: str) -> str:
    """A link's address: bare when nothing in it could mean something else, for people read Markdown as it is."""
    if re.fullmatch(r"[A-Za-z0-9:/?=._~%#,;+@-]+", address):
        return address
    escaped = re.sub(r"[\\<>&|]", r"\\\g<0>", address)
    return f"<{escaped}>"


def _run(node: Text, out: str, *, first: bool, in_cell: bool) -> str:
    values = {mark.kind: mark.value for mark in node.marks}
    link = values.get("link", "")
    if "code" in values:
        inner = _code(node.text)
        if in_cell:
            inner = inner.replace("|", "\\|")
    elif link and link == node.text and "|" not in link:
        inner = f"<{link}>"
    else:
        inner = escape(node.text, first=first and not node.marks)
    if link and not inner.startswith("<"):
        inner = f"[{inner}]({_target(link)})"
    signs = (
        "~~" if "strike" in values else "",
        "**" if "strong" in values else "",
        "*" if "em" in values else "",
    )
    opening = f"{signs[0]}{BREAK if signs[0] and (signs[1] or signs[2]) else ''}{signs[1]}{signs[2]}"
    if not opening:
        joint = BREAK if out.endswith("`") and inner.startswith("`") else ""
        return joint + inner
    left = "" if inner[0].isalnum() else BREAK
    right = "" if inner[-1].isalnum() else BREAK
    joint = BREAK if out and not out[-1].isalnum() and out[-1] not in " \n" else ""
    closing = opening[::-1]
    return f"{joint}{opening}{left}{inner}{right}{closing}"


def _code(text: str) -> str:
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    padded = text[0] == "`" or text[-1] == "`" or (text[0] == " " and text[-1] == " ")
    return f"{ticks} {text} {ticks}" if padded else f"{ticks}{text}{ticks}"


def escape(text: str, *, first: bool = False) -> str:
    """Write words so that neither Markdown nor the tracker behind it takes them for markup.

    Args:
        text: the words, without line ends.
        first: whether they begin a line, where more characters mean something.
    """
    number = _NUMBER.match(text) if first else None
    out: list[str] = []
    here = 0
    for place in breakable(text):
        out.append(_escaped(text, here, place, first=first, number=number))
        out.append(BREAK)
        here = place
    out.append(_escaped(text, here, len(text), first=first, number=number))
    return "".join(out)


def _escaped(text: str, start: int, end: int, *, first: bool, number: re.Match[str] | None) -> str:
    return "".join(
        f"\\{text[here]}" if _is_special(text, here, first=first, number=number) else text[here]
        for here in range(start, end)
    )


def _is_special(text: str, here: int, *, first: bool, number: re.Match[str] | None) -> bool:
    char = text[here]
    if char in _ALWAYS or (number and here == number.end()):
        return True
    if char == "_":
        return not (here and text[here - 1].isalnum() and text[here + 1 : here + 2].isalnum())
    if char == "!":
        return here + 1 == len(text)
    if char == "&":
        return ENTITY.match(text, here) is not None
    return not here and (char == "(" or (first and char in "-+=:"))
