"""Writing Jira's wiki markup, and what it can say.

Every character that Jira could take for markup is escaped, so no text from elsewhere becomes a link, a
macro or a mention. Signs inside a word (``snake_case``, ``2024-01-02``) open nothing in Jira and stay as
they are, because people read and edit these texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bridge.markup.canonical import titled
from bridge.markup.chars import CHECKED, PANEL_COLORS, SMILEY, SMILEY_NAMES, SMILEY_TEXTS, UNCHECKED
from bridge.markup.shape import Shape, as_text, free, has, merged_breaks
from bridge.markup.tree import (
    Block,
    BulletList,
    Cell,
    CodeBlock,
    Document,
    Emoji,
    Expand,
    HardBreak,
    Heading,
    Inline,
    ListItem,
    MarkKind,
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
from bridge.markup.wiki_inline import ACCOUNT, BARE_LINK, ENTITY, FILE, LINK_TAIL, PERSON, PICTURE
from bridge.markup.wiki_reader import read_wiki

# Jira shows an error above code in any other language.
LANGUAGES = frozenset(
    [
        "actionscript",
        "actionscript3",
        "ada",
        "applescript",
        "bash",
        "c",
        "c#",
        "c++",
        "cpp",
        "css",
        "erlang",
        "go",
        "groovy",
        "haskell",
        "html",
        "java",
        "javascript",
        "js",
        "json",
        "lua",
        "nyan",
        "objc",
        "perl",
        "php",
        "python",
        "r",
        "rainbow",
        "ruby",
        "scala",
        "sh",
        "sql",
        "swift",
        "visualbasic",
        "xml",
        "yaml",
    ]
)
IMAGE = re.compile(r".*\.(?:png|jpe?g|gif|bmp|svg|webp|tiff?)", re.IGNORECASE)

_PLAIN_TITLE = re.compile(r"[^|{}\[\]\\=&\x00]+")
_PLAIN_ALT = re.compile(r"[\w ./()'-]+")
_LINE_START = re.compile(r"h[1-6]\.|bq\.")
_ALWAYS = frozenset("{}[]|^~")
_INSIDE_WORDS = frozenset("*_-+")
# From the outside in; a link must be inside, its text may hold only what Jira calls basic phrases.
_SIGNS: tuple[tuple[MarkKind, str], ...] = (
    ("strong", "*"),
    ("em", "_"),
    ("strike", "-"),
    ("underline", "+"),
    ("sub", "~"),
    ("sup", "^"),
)


class WikiShape(Shape):
    """What Jira's wiki markup can say."""

    dialect = "wiki"

    def allows(self, block: Block, where: str) -> bool:
        """See Shape; a macro cannot stand in itself, and an item holds little."""
        if isinstance(block, UnknownBlock):
            return where != "item" and self.keeps(block)
        if where == "item":
            return isinstance(block, Paragraph | CodeBlock | BulletList | OrderedList)
        if isinstance(block, Quote):
            return where in {"doc", "panel"}
        return not isinstance(block, Panel | Expand) or where in {"doc", "quote"}

    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """See Shape."""
        return read_wiki(node.raw)

    def inside(self, block: Block, where: str) -> str:
        """See Shape."""
        name = "quote" if isinstance(block, Quote) else "panel"
        return name if where == "doc" else "both"

    def code(self, block: CodeBlock) -> Iterator[Block]:
        """See Shape; code that holds the end of its own macro takes the other one."""
        language = block.language if block.language in LANGUAGES else ""
        if "{code}" in block.text:
            language = ""
        if "{code}" in block.text and "{noformat}" in block.text:
            yield Paragraph(self.inlines(merged_breaks([block])))
        else:
            yield CodeBlock(block.text, language)

    def start(self, start: int) -> int:
        """See Shape; lists always start at one."""
        del start
        return 1

    def items(self, items: Iterable[ListItem], depth: int) -> Iterator[ListItem]:
        """See Shape; lines cannot follow a nested list but as part of it."""
        for item in super().items(items, depth):
            yield ListItem(gathered(item.blocks), item.checked)

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """See Shape; what folds becomes a panel."""
        if block.title and not _PLAIN_TITLE.fullmatch(block.title):
            block = Panel(_kind(block), (*titled(block.title), *block.blocks))
        yield from super().box(Panel(_kind(block), block.blocks, block.title), where, depth)

    def table(self, rows: Iterable[tuple[Cell, ...]], depth: int) -> Iterator[Block]:
        """See Shape; a cell is one paragraph."""
        del depth
        made = []
        for row in rows:
            cells = []
            for cell in row:
                words = tuple(map(_without_bars, merged_breaks(cell.blocks)))
                cells.append(Cell((Paragraph(self.inlines(words)),), cell.header))
            made.append(tuple(cells))
        yield Table(tuple(made))

    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """See Shape."""
        del alone
        match node:
            case Mention(person, text):
                return Mention(person, person) if PERSON.fullmatch(person) else Text(f"@{text or person}")
            case Emoji(name, text) if (
                name in SMILEY_NAMES and text == SMILEY_TEXTS[name] and free(before, after)
            ):
                return node
            case Media(ref, alt):
                known = PICTURE if _is_picture(ref) else FILE
                sayable = known.fullmatch(ref) and (
                    not alt or (_is_picture(ref) and _PLAIN_ALT.fullmatch(alt))
                )
                return node if sayable else as_text(node)
            case UnknownInline():
                return node if self.keeps(node) else as_text(node)
            case Text() | HardBreak():
                return node
            case _:
                return as_text(node)


def _kind(block: Panel | Expand) -> str:
    return block.kind if isinstance(block, Panel) else "info"


def _without_bars(node: Inline) -> Inline:
    return as_text(node) if isinstance(node, UnknownInline) and "|" in node.raw else node


def _is_picture(ref: str) -> bool:
    return IMAGE.fullmatch(ref) is not None or ref.startswith(("http://", "https://"))


def gathered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks of an item where nothing can follow a nested list but as part of its last item."""
    out: list[Block] = []
    for block in blocks:
        last = out[-1] if out else None
        if isinstance(last, BulletList | OrderedList) and not isinstance(block, BulletList | OrderedList):
            *items, item = last.items
            item = ListItem(gathered((*item.blocks, block)), item.checked)
            out[-1] = type(last)((*items, item))
        elif isinstance(last, Paragraph) and isinstance(block, Paragraph):
            out[-1] = Paragraph((*last.children, HardBreak(), *block.children))
        else:
            out.append(block)
    return tuple(out)


_SHAPE = WikiShape()


def write_wiki(document: Document) -> str:
    """Write a tree in Jira's wiki markup.

    Args:
        document: any tree; what the markup cannot say becomes words.

    Returns:
        The text to send.
    """
    return "\n\n".join(map(_block, _SHAPE.document(document).blocks))


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return _inlines(children, "\n")
        case Heading(level, children):
            return f"h{level}. {_inlines(children)}"
        case BulletList() | OrderedList():
            return "\n".join(_list(block, ""))
        case CodeBlock():
            return _code(block)
        case Quote(blocks):
            return _boxed("quote", "", blocks)
        case Panel(kind, blocks, title):
            name = f"title={title}|" if title else ""
            return _boxed("panel", f":{name}bgColor={PANEL_COLORS[kind]}", blocks)
        case Table(rows):
            return "\n".join(map(_row, rows))
        case UnknownBlock(_, raw, _):
            return raw
        case _:
            return "----"


def _boxed(name: str, settings: str, blocks: Iterable[Block]) -> str:
    inside = "\n\n".join(map(_block, blocks))
    return f"{{{name}{settings}}}\n{inside}\n{{{name}}}"


def _code(block: CodeBlock) -> str:
    if block.language:
        return f"{{code:{block.language}}}\n{block.text}\n{{code}}"
    if "{noformat}" in block.text:
        return f"{{code:none}}\n{block.text}\n{{code}}"
    return f"{{noformat}}\n{block.text}\n{{noformat}}"


def _list(block: BulletList | OrderedList, outer: str) -> Iterator[str]:
    markers = outer + ("#" if isinstance(block, OrderedList) else "*")
    for item in block.items:
        box = "" if item.checked is None else CHECKED if item.checked else UNCHECKED
        lead = f"{markers} {box}"
        for part in item.blocks:
            if isinstance(part, BulletList | OrderedList):
                yield from _list(part, markers)
            else:
                yield lead + (_inlines(part.children) if isinstance(part, Paragraph) else _block(part))
            lead = ""


def _row(row: Iterable[Cell]) -> str:
    out = ""
    bar = "|"
    for cell in row:
        bar = "||" if cell.header else "|"
        words = " ".join(_inlines(block.children) for block in cell.blocks if isinstance(block, Paragraph))
        out += f"{bar} {words} " if words else f"{bar} "
    return out + bar


# --- inline
# -----------------------------------------------------------------------------------------------------


def _inlines(children: tuple[Inline, ...], line_end: str = r"\\ ") -> str:
    out: list[str] = []
    for number, node in enumerate(children):
        before = children[number - 1] if number else None
        after = children[number + 1] if number + 1 < len(children) else None
        match node:
            case Text():
                alone = free(before, after)
                first = before is None or isinstance(before, HardBreak)
                out.append(_run(node, alone=alone, first=first))
            case HardBreak():
                out.append(line_end)
            case Mention(person, _):
                account = ACCOUNT.fullmatch(person) and not person.startswith("accountid:")
                out.append(f"[~accountid:{person}]" if account else f"[~{person}]")
            case Emoji(name, _):
                out.append(SMILEY_NAMES[name])
            case Media(ref, alt):
                words = f"|alt={alt}" if alt else ""
                out.append(f"!{ref}{words}!" if _is_picture(ref) else f"[^{ref}]")
            case UnknownInline(_, raw, _):
                out.append(raw)
            case _:
                raise AssertionError(node)  # the shape lets nothing else through
    return "".join(out)


def _run(node: Text, *, alone: bool, first: bool) -> str:
    values = {mark.kind: mark.value for mark in node.marks}
    if alone and set(values) == {"link"} and node.text == values["link"] and _links_itself(node.text):
        return node.text
    inner = escape(node.text, first=first)
    if has(node, "code"):
        inner = f"{{{{{inner}}}}}"
    if "link" in values:
        url = values["link"]
        inner = f"[{url}]" if node.text == url and "code" not in values else f"[{inner}|{url}]"
    color = values.get("color", "")
    for kind, sign in reversed(_SIGNS):
        if kind in values:
            mark = sign if alone or color else f"{{{sign}}}"
            inner = f"{mark}{inner}{mark}"
    return f"{{color:{color}}}{inner}{{color}}" if color else inner


def _links_itself(url: str) -> bool:
    return BARE_LINK.fullmatch(url) is not None and url.rstrip(LINK_TAIL) == url and "!" not in url


def escape(text: str, *, first: bool = False) -> str:
    """Write words so that Jira takes none of their characters for markup.

    Args:
        text: the words, without line ends.
        first: whether they begin a line, where more characters mean something.
    """
    out: list[str] = []
    start = _LINE_START.match(text) if first else None
    for here, char in enumerate(text):
        before = text[here - 1 : here] if here else ""
        after = text[here + 1 : here + 2]
        if char == "\\":
            plain = after.isascii() and after.isalnum() and before != "\\"
            out.append("\\" if plain else "&#92;")
        elif char == "&" and ENTITY.match(text, here):
            out.append("&amp;")
        elif (
            _is_special(text, here, before, after)
            or (start and here == start.end() - 1)
            or (first and not here and char == "#")
        ):
            out.append(f"\\{char}")
        else:
            out.append(char)
    return "".join(out)


def _is_special(text: str, here: int, before: str, after: str) -> bool:
    char = text[here]
    if char in _ALWAYS:
        return True
    if char in _INSIDE_WORDS:
        spaced = before == after == " "
        return not spaced and not (before.isalnum() and after.isalnum())
    if char == "!":
        return after != " "
    if char == "?":
        return "?" in {before, after}
    if char == ":" and (text.startswith("//", here + 1) or text[max(here - 6, 0) : here].lower() == "mailto"):
        return True
    return char in ":;(" and SMILEY.match(text, here) is not None
