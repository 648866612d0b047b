"""Reading HTML, as Request Tracker and others store it: what people see of it, whoever wrote it.

An element that says nothing we know is looked through, so its words stay. Addresses that stand in the text
are links, because the trackers show them so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bridge.markup.canonical import canonical, is_safe_link
from bridge.markup.chars import CHECKED, PANEL_COLORS, UNCHECKED, newlines
from bridge.markup.html_elements import BLOCKS, Element, parse
from bridge.markup.spans import SpanningCell, spread
from bridge.markup.tree import (
    Block,
    BulletList,
    Cell,
    CodeBlock,
    Date,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    ListItem,
    Mark,
    MarkKind,
    Media,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)

ATTACHMENT = "attachment"  # the class of a span that names a file of the ticket
BARE_LINK = re.compile(r"(?<!\w)https?://[^\s<>\"\\^`{|}\[\]]+", re.IGNORECASE)
LINK_TAIL = ".,;:!?)'*_~"

_MARKS: dict[str, MarkKind] = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "cite": "em",
    "dfn": "em",
    "var": "em",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "strike": "strike",
    "del": "strike",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
}
_KIND_OF_COLOR = {shade: kind for kind, shade in PANEL_COLORS.items()}
_STYLE = re.compile(r"([a-z-]+)\s*:\s*([^;]*)")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_LANGUAGE = re.compile(r"(?:^|\s)lang(?:uage)?-(\S+)")
_SPACE = re.compile(r"[ \t\n\r\f]")
_BOLD = 600  # the font weight from which browsers take the bold face


def read_html(native: str | None) -> Document:
    """Read an HTML text.

    Args:
        native: the text, a whole page or a part of one; None for an empty field.

    Returns:
        The canonical tree. Scripts and styles are gone, every other word is there.
    """
    flow = _Flow()
    flow.add(parse(newlines(native or "")).children, ())
    return canonical(Document(tuple(flow.done())))


class _Flow:
    """Blocks as they come; loose words between them make up paragraphs."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._loose: list[Inline] = []

    def done(self) -> list[Block]:
        """End the last paragraph."""
        if self._loose:
            self._blocks.append(Paragraph(tuple(self._loose)))
            self._loose = []
        return self._blocks

    def add(self, nodes: Iterable[Element | str], marks: tuple[Mark, ...]) -> None:
        """Read some nodes, whose words carry the marks of the elements around them."""
        for node in nodes:
            if isinstance(node, str):
                self._loose += _words(node, marks)
            elif node.tag == "br":
                self._loose.append(HardBreak())
            elif node.tag in BLOCKS:
                self.done()
                self._block(node, marks)
                self.done()
            else:
                self._inline(node, marks)

    def _inline(self, node: Element, marks: tuple[Mark, ...]) -> None:
        match node.tag:
            case "img":
                self._loose += _image(node, marks)
            case "span" if node.attrs.get("class") == ATTACHMENT:
                words = node.text()
                self._loose.append(Media(node.attrs.get("title") or words, words))
            case "time" if node.attrs.get("datetime", "").strip() == node.text().strip():
                self._loose.append(Date(node.text().strip()))
            case "input":
                if node.attrs.get("type", "").lower() == "checkbox":
                    self._loose.append(Text(CHECKED if "checked" in node.attrs else UNCHECKED))
            case _:
                self.add(node.children, _marked(node, marks))

    def _block(self, node: Element, marks: tuple[Mark, ...]) -> None:
        match node.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._heading(node, marks)
            case "ul" | "menu" | "dir":
                self._blocks.append(BulletList(tuple(_items(node, marks))))
            case "ol":
                self._blocks.append(OrderedList(tuple(_items(node, marks)), _number(node, "start")))
            case "pre":
                self._blocks.append(CodeBlock(node.text(), _language(node)))
            case "hr":
                self._blocks.append(Rule())
            case "blockquote":
                self._blocks.append(Quote(tuple(_inside(node, marks))))
            case "details":
                self._blocks.append(_expand(node, marks))
            case "table":
                self._table(node, marks)
            case "dt":
                self.add(node.children, (*marks, Mark("strong")))
            case "div" if kind := _KIND_OF_COLOR.get(_styles(node).get("background-color", "")):
                self._blocks.append(Panel(kind, tuple(_inside(node, marks))))
            case _:
                self.add(node.children, _marked(node, marks))

    def _heading(self, node: Element, marks: tuple[Mark, ...]) -> None:
        for block in _inside(node, marks):
            if isinstance(block, Paragraph):
                self._blocks.append(Heading(int(node.tag[1]), block.children))
            else:
                self._blocks.append(block)

    def _table(self, node: Element, marks: tuple[Mark, ...]) -> None:
        rows: list[list[SpanningCell]] = []
        outside: list[Element | str] = []
        for part in _rows(node):
            if isinstance(part, Element) and part.tag == "tr":
                cells, loose = _cells(part, marks)
                rows.append(cells)
                outside += loose
            else:
                outside.append(part)
        self.add(outside, marks)
        self.done()
        self._blocks.append(Table(tuple(spread(rows))))


def _inside(node: Element, marks: tuple[Mark, ...]) -> list[Block]:
    flow = _Flow()
    flow.add(node.children, marks)
    return flow.done()


def _items(node: Element, marks: tuple[Mark, ...]) -> Iterator[ListItem]:
    # A list that stands beside the items, as old editors write it, belongs to the item before it.
    pending: list[Block] | None = None
    for child in node.children:
        if isinstance(child, str) and not child.strip():
            continue
        if isinstance(child, Element) and child.tag == "li":
            if pending is not None:
                yield _task(pending)
            pending = _inside(child, marks)
        else:
            flow = _Flow()
            flow.add([child], marks)
            pending = [*(pending or ()), *flow.done()]
    if pending is not None:
        yield _task(pending)


def _task(blocks: list[Block]) -> ListItem:
    first = blocks[0] if blocks else None
    if isinstance(first, Paragraph) and first.children:
        children = list(first.children)
        while children and isinstance(children[0], Text) and not children[0].text.strip():
            del children[0]
        head = children[0] if children else None
        for box, state in ((CHECKED, True), (UNCHECKED, False)):
            if isinstance(head, Text) and not head.marks and head.text.lstrip().startswith(box):
                words = Text(head.text.lstrip().removeprefix(box))
                return ListItem((Paragraph((words, *children[1:])), *blocks[1:]), state)
    return ListItem(tuple(blocks))


def _expand(node: Element, marks: tuple[Mark, ...]) -> Expand:
    title = " ".join(child.text() for child in node.elements() if child.tag == "summary")
    flow = _Flow()
    flow.add(
        [child for child in node.children if not (isinstance(child, Element) and child.tag == "summary")],
        marks,
    )
    return Expand(title, tuple(flow.done()))


def _rows(table: Element) -> Iterator[Element | str]:
    for child in table.children:
        if isinstance(child, Element) and child.tag in {"thead", "tbody", "tfoot"}:
            yield from child.children
        else:
            yield child


def _cells(row: Element, marks: tuple[Mark, ...]) -> tuple[list[SpanningCell], list[Element | str]]:
    cells: list[SpanningCell] = []
    loose: list[Element | str] = []
    for child in row.children:
        if isinstance(child, Element) and child.tag in {"td", "th"}:
            inside = Cell(tuple(_inside(child, marks)), child.tag == "th")
            cells.append(SpanningCell(inside, _number(child, "colspan"), _number(child, "rowspan")))
        else:
            loose.append(child)
    return cells, loose


def _number(node: Element, name: str) -> int:
    value = node.attrs.get(name, "")
    return int(value) if re.fullmatch(r"[0-9]{1,8}", value) else 1


# --- inline
# -----------------------------------------------------------------------------------------------------


def _words(text: str, marks: tuple[Mark, ...]) -> Iterator[Inline]:
    text = _SPACE.sub(" ", text)
    if any(mark.kind in {"code", "link"} for mark in marks):
        yield Text(text, marks)
        return
    here = 0
    for found in BARE_LINK.finditer(text):
        url = found[0].rstrip(LINK_TAIL)
        if is_safe_link(url):
            yield Text(text[here : found.start()], marks)
            yield Text(url, (*marks, Mark("link", url)))
            here = found.start() + len(url)
    yield Text(text[here:], marks)


def _image(node: Element, marks: tuple[Mark, ...]) -> Iterator[Inline]:
    source = node.attrs.get("src", "").strip()
    words = node.attrs.get("alt", "")
    if source and not source.lower().startswith(("data:", "javascript:")):
        yield Media(source[4:] if source.lower().startswith("cid:") else source, words)
    else:
        yield Text(words or node.attrs.get("title", ""), marks)


def _marked(node: Element, outer: tuple[Mark, ...]) -> tuple[Mark, ...]:
    # The innermost address or colour is the one that counts.
    inner = {mark.kind: mark for mark in _element_marks(node)}
    return (*(mark for mark in outer if mark.kind not in inner), *inner.values())


def _element_marks(node: Element) -> Iterator[Mark]:
    if node.tag in _MARKS:
        yield Mark(_MARKS[node.tag])
    if node.tag == "a" and (target := node.attrs.get("href", "").strip()):
        yield Mark("link", target)
    if node.tag == "font" and "color" in node.attrs:
        yield Mark("color", node.attrs["color"])
    styles = _styles(node)
    if "color" in styles:
        yield Mark("color", _hex(styles["color"]))
    weight = styles.get("font-weight", "")
    if weight.startswith("bold") or (weight.isdigit() and int(weight[:4]) >= _BOLD):
        yield Mark("strong")
    if styles.get("font-style", "").startswith(("italic", "oblique")):
        yield Mark("em")
    line = f"{styles.get('text-decoration', '')} {styles.get('text-decoration-line', '')}"
    if "line-through" in line:
        yield Mark("strike")
    if "underline" in line and node.tag != "a":
        yield Mark("underline")


def _styles(node: Element) -> dict[str, str]:
    style = node.attrs.get("style", "").lower()
    return {found[1]: found[2].strip() for found in _STYLE.finditer(style)}


def _hex(shade: str) -> str:
    found = _RGB.fullmatch(shade)
    return "#" + "".join(f"{min(int(part), 255):02x}" for part in found.groups()) if found else shade


def _language(node: Element) -> str:
    code = next((child for child in node.elements() if child.tag == "code"), None)
    for element in (code, node):
        if element is not None and (found := _LANGUAGE.search(element.attrs.get("class", ""))):
            return found[1]
    return node.attrs.get("lang", "")
