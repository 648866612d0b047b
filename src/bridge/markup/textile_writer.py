"""Writing Textile for Redmine, and what it can say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from bridge.markup.canonical import titled
from bridge.markup.chars import BREAK, CHECKED, UNCHECKED, lowered, raised
from bridge.markup.redmine_text import FILE, LINK_TAIL, LOGIN
from bridge.markup.shape import Shape, as_text, free, has, merged_breaks, without
from bridge.markup.textile_inline import is_word
from bridge.markup.textile_reader import read_textile
from bridge.markup.textile_words import SIGNS, closes_in, escape, is_sayable, risky_signs, verbatim
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
from bridge.markup.wiki_writer import IMAGE, gathered

_STYLES = frozenset(kind for kind, _ in SIGNS)
_AFTER_MARKED = re.compile(r"[ .,;:)]|[!?](?:\s|$)")
_AFTER_LINK = re.compile(r"\)?[.,:!?]*(?:\s|$)")
_PLAIN_ALT = re.compile(r"[\w ./'-]+")
_ADDRESS = re.compile(r"https?://[^\s!(|]+")
_LANGUAGE = re.compile(r"\w+", re.ASCII)
_LANGUAGES = {"c++": "cpp", "c#": "csharp"}
_VERBATIM_TAG = re.compile(r"<(?=/?(?:pre|code|kbd|notextile)\b)|<(?=!--)", re.IGNORECASE)
_SEAM = "<notextile></notextile>"  # shows nothing, and ends an address that words follow without a space


class TextileShape(Shape):
    """What Redmine's Textile can say."""

    dialect = "textile"

    def allows(self, block: Block, where: str) -> bool:
        """See Shape; an item holds little."""
        if isinstance(block, UnknownBlock):
            return False
        return where != "item" or isinstance(block, Paragraph | CodeBlock | BulletList | OrderedList)

    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """See Shape."""
        return read_textile(node.raw)

    def code(self, block: CodeBlock) -> Iterator[Block]:
        """See Shape; the name of a language is one word."""
        name = _LANGUAGES.get(block.language, block.language)
        yield CodeBlock(block.text, name if _LANGUAGE.fullmatch(name) else "")

    def start(self, start: int) -> int:
        """See Shape; lists always start at one."""
        del start
        return 1

    def items(self, items: Iterable[ListItem], depth: int) -> Iterator[ListItem]:
        """See Shape; lines cannot follow a nested list but as part of it."""
        for item in super().items(items, depth):
            yield ListItem(gathered(item.blocks), item.checked)

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """See Shape; every box is a quotation with its title in bold."""
        inner = (*titled(block.title), *block.blocks)
        yield Quote(tuple(self.blocks(inner, where, depth + 1)))

    def table(self, rows: Iterable[tuple[Cell, ...]], depth: int) -> Iterator[Block]:
        """See Shape; a cell is one paragraph."""
        del depth
        yield Table(
            tuple(
                tuple(
                    Cell((Paragraph(self.inlines(merged_breaks(cell.blocks))),), cell.header) for cell in row
                )
                for row in rows
            )
        )

    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """See Shape."""
        del alone
        match node:
            case Text():
                return _sayable(node, before, after)
            case Mention(person, text):
                live = LOGIN.fullmatch(person) and free(before, after)
                return Mention(person, person) if live else Text(f"@{text or person}")
            case Media(ref, alt):
                return node if free(before, after) and _shows(ref, alt) else as_text(node)
            case UnknownInline():
                return node if free(before, after) and self.keeps(node) else as_text(node)
            case Card():
                return _sayable(as_text(node), before, after)
            case HardBreak():
                return node
            case _:
                return as_text(node)


def _sayable(node: Text, before: Inline | None, after: Inline | None) -> Text:
    """A run with the marks that can be said where it stands: a phrase needs space or punctuation around it."""
    url = next((mark.value for mark in node.marks if mark.kind == "link"), "")
    if url and not is_sayable(url):
        return Text(f"{node.text} ({url})" if node.text != url else url)
    used = {mark.kind for mark in node.marks} & _STYLES
    if used and not (_may_open(before) and _may_close(after) and not closes_in(url, used)):
        text = (
            raised(node.text) if has(node, "sup") else lowered(node.text) if has(node, "sub") else node.text
        )
        node = without(Text(text, node.marks), _STYLES)
    return node


def _may_open(before: Inline | None) -> bool:
    if isinstance(before, Text):
        return not before.marks and before.text[-1] in " ("
    return before is None or isinstance(before, HardBreak)


def _may_close(after: Inline | None) -> bool:
    if isinstance(after, Text):
        return not after.marks and _AFTER_MARKED.match(after.text) is not None
    return after is None or isinstance(after, HardBreak)


def _shows(ref: str, alt: str) -> bool:
    if not IMAGE.fullmatch(ref):
        return not alt and FILE.fullmatch(ref) is not None
    if alt and not _PLAIN_ALT.fullmatch(alt):
        return False
    return _ADDRESS.fullmatch(ref) is not None or ("/" not in ref and ":" not in ref)


_SHAPE = TextileShape()


def write_textile(document: Document) -> str:
    """Write a tree as Textile.

    Args:
        document: any tree; what Textile cannot say becomes words.

    Returns:
        The text to send.
    """
    return "\n".join(_lines(_SHAPE.document(document).blocks))


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    # Code is one line here, however long: in a quotation only its first line carries the sign.
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(children):
            yield from _inlines(children).split("\n")
        case Heading(level, children):
            yield f"h{level}. {_inlines(children, first=False)}"
        case BulletList() | OrderedList():
            yield from _list(block, "")
        case CodeBlock():
            yield _code(block)
        case Quote(blocks):
            yield from (
                f">{line}" if line.startswith(">") else f"> {line}".rstrip(" ") for line in _lines(blocks)
            )
        case Table(rows):
            for row in rows:
                yield from _row(row).split("\n")
        case _:
            yield "---"


def _code(block: CodeBlock) -> str:
    text = _VERBATIM_TAG.sub(rf"\g<0>{BREAK}", block.text)
    if block.language:
        return f'<pre><code class="{block.language}">\n{text}\n</code></pre>'
    return f"<pre>\n{text}\n</pre>"


def _list(block: BulletList | OrderedList, outer: str) -> Iterator[str]:
    markers = outer + ("#" if isinstance(block, OrderedList) else "*")
    for item in block.items:
        box = "" if item.checked is None else CHECKED if item.checked else UNCHECKED
        lead = f"{markers} {box}"
        for part in item.blocks:
            if isinstance(part, BulletList | OrderedList):
                yield from _list(part, markers)
            elif isinstance(part, Paragraph):
                yield from (lead + _inlines(part.children, first=not lead)).split("\n")
            else:
                yield from (lead + line for line in _block(part))
            lead = ""


def _row(row: Iterable[Cell]) -> str:
    out = "|"
    for cell in row:
        words = "".join(
            _inlines(block.children, first=False, in_cell=True)
            for block in cell.blocks
            if isinstance(block, Paragraph)
        )
        out += f"{'_.' if cell.header else ''} {words} |" if words else f"{'_.' if cell.header else ''} |"
    return out


# --- inline
# -----------------------------------------------------------------------------------------------------


def _inlines(children: tuple[Inline, ...], *, first: bool = True, in_cell: bool = False) -> str:
    risky = risky_signs(children)
    out = ""
    for number, node in enumerate(children):
        after = children[number + 1] if number + 1 < len(children) else None
        match node:
            case Text():
                out += _run(node, out, after, risky=risky, first=first and (not out or out[-1] == "\n"))
            case HardBreak():
                out += "\n"
                first = True
            case Mention(person, _):
                out += f"@{person}"
            case Media(ref, alt):
                out += _media(ref, alt)
            case UnknownInline(_, raw, _):
                out += raw
            case _:
                raise AssertionError(node)  # the shape lets nothing else through
    return out.replace("|", "&#124;") if in_cell else out


def _media(ref: str, alt: str) -> str:
    if not IMAGE.fullmatch(ref):
        return f'attachment:"{ref}"'
    target = ref if _ADDRESS.fullmatch(ref) else quote(ref, safe="")
    return f"!{target}({alt})!" if alt else f"!{target}!"


def _run(node: Text, out: str, after: Inline | None, *, risky: frozenset[str], first: bool) -> str:
    values = {mark.kind: mark.value for mark in node.marks}
    link = values.get("link", "")
    if "code" in values:
        inner = verbatim(node.text)
        if "em" in values:
            inner = f"{BREAK}{inner}{BREAK}"
    elif (
        link == node.text and link and set(values) == {"link"} and _links_itself(link) and _apart(out, after)
    ):
        return link
    else:
        before = "" if node.marks else out[-1:].strip("\n")
        inner = escape(node.text, risky=risky, before=before, first=first and not node.marks)
    if link:
        tail = BREAK if inner.endswith(")") else ""
        inner = f'"{_led(inner)}{tail}":{link}'
        if not set(values) & _STYLES and not _ends_address(after):
            inner += _SEAM
    for kind, sign in reversed(SIGNS):
        if kind in values:
            style = f"{{color:{values[kind]}}}" if kind == "color" else ""
            inner = f"{sign}{style}{_led(inner)}{sign}"
    if "code" in values:
        left = BREAK if out and out[-1] not in " \n" and inner[0] == "@" else ""
        right = BREAK if isinstance(after, Text) and after.text[0] != " " and inner[-1] == "@" else ""
        return f"{left}{inner}{right}"
    return inner


def _led(inner: str) -> str:
    # A class, style or language in front of the words would be taken off them, and one sign alone is no word.
    alone = len(inner) == 1 and not is_word(inner)
    return BREAK + inner if alone or inner[0] in "([{|" else inner


def _ends_address(after: Inline | None) -> bool:
    if isinstance(after, Text):
        return not after.marks and _AFTER_LINK.match(after.text) is not None
    return after is None or isinstance(after, HardBreak)


def _apart(out: str, after: Inline | None) -> bool:
    return (not out or out[-1] in " \n") and (
        after is None or isinstance(after, HardBreak) or (isinstance(after, Text) and after.text[0] == " ")
    )


def _links_itself(url: str) -> bool:
    return url.startswith(("http://", "https://")) and url.rstrip(LINK_TAIL) == url
