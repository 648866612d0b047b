"""HTML as a small tree of elements, however broken or hostile the text is.

The parser of the standard library takes time that grows with the square of some texts (many openings that
nothing closes), differently in every release. So what it is given was made harmless in one pass before:
comments and declarations are gone, and behind the last ``>`` there is no markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_NESTING = 90  # elements in elements; a writer's sixteen boxes need about sixty

BLOCKS = frozenset(
    [
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
        ),
        *("dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3"),
        *("h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol"),
        *("option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
        "ul",
    ]
)
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
# What people never see. "title" is a page's, not a text's.
HIDDEN = frozenset(["script", "style", "title"])

# An element that opens closes these, unless one of the others stands between.
_CLOSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu", "dir", "table"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl", "table"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl", "table"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "option": (frozenset({"option"}), frozenset({"table"})),
}
_ROOMS = frozenset({"table", "td", "th", "li", "blockquote", "details", "ul", "ol"})
_PARAGRAPH = frozenset({"p"})
_DECLARATION = re.compile(r"<[!?][^>]*>")


@dataclass(slots=True)
class Element:
    """An element: its name, its attributes and what is in it, texts as strings."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def elements(self) -> Iterator[Element]:
        """The children that are elements."""
        return (child for child in self.children if isinstance(child, Element))

    def text(self) -> str:
        """All text in it, breaks and the ends of blocks as line feeds."""
        parts: list[str] = []
        for child in self.children:
            if isinstance(child, str):
                parts.append(child)
            elif child.tag == "br":
                parts.append("\n")
            else:
                inside = child.text()
                parts.append(f"{inside}\n" if child.tag in BLOCKS and inside else inside)
        return "".join(parts)


def parse(source: str) -> Element:
    """Read HTML in time proportional to its length.

    Args:
        source: any text at all.

    Returns:
        An element without a name that holds everything; nothing is nested deeper than ``MAX_NESTING``.
    """
    parser = _Parser()
    parser.feed(_harmless(source))
    parser.close()
    return parser.root


def _harmless(source: str) -> str:
    text = "".join(_without_comments(source))
    end = text.rfind(">") + 1
    return _DECLARATION.sub("", text[:end]) + text[end:].replace("<", "&lt;")


def _without_comments(source: str) -> Iterator[str]:
    # A comment that nothing ends is text: what somebody wrote does not vanish.
    here = 0
    while (start := source.find("<!--", here)) >= 0 and (end := source.find("-->", start + 4)) >= 0:
        yield source[here:start]
        here = end + 3
    yield source[here:].replace("<!--", "&lt;!--")


class _Parser(HTMLParser):
    """The standard parser, building elements; it closes what HTML lets people leave open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [self.root]
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._hidden += 1
        if self._hidden:
            return
        if "@" in tag or "//" in tag:
            # "<ann@example.org>" is what a person typed, and no browser would show it.
            self.handle_data(self.get_starttag_text() or "")
            return
        if tag in _CLOSES:
            self._close(*_CLOSES[tag])
        elif tag in BLOCKS:
            self._close(_PARAGRAPH, _ROOMS)
        element = Element(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._open[-1].children.append(element)
        elif len(self._open) <= MAX_NESTING:
            self._open[-1].children.append(element)
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # "<div/>" opens a div in every browser.
        self.handle_starttag(tag, attrs)
        if tag in HIDDEN:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag == "br":
            self._open[-1].children.append(Element("br"))
        elif not self._hidden:
            self._close(frozenset({tag}), frozenset() if tag in _ROOMS else _ROOMS)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._open[-1].children.append(data)

    def _close(self, tags: frozenset[str], until: frozenset[str]) -> None:
        for number in range(len(self._open) - 1, 0, -1):
            tag = self._open[number].tag
            if tag in tags:
                del self._open[number:]
                return
            if tag in until:
                return
