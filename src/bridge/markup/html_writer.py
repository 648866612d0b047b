"""Writing HTML, and what it can say: a short list of harmless elements and nothing else.

Every character that could begin a tag or an entity is written as an entity. What a tracker looks for in the
finished text (``@name``, ``#123``, an address that nobody meant as a link) is broken by an invisible
character, which every reader takes away again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from bridge.markup.canonical import is_safe_link, titled
from bridge.markup.chars import BREAK, CHECKED, PANEL_COLORS, UNCHECKED
from bridge.markup.html_reader import ATTACHMENT
from bridge.markup.shape import Shape, as_text
from bridge.markup.tree import (
    Block,
    BulletList,
    CodeBlock,
    Date,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    MarkKind,
    Media,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
)

# From the outside in; a colour stands right inside a link.
_TAGS: tuple[tuple[MarkKind, str], ...] = (
    ("strong", "strong"),
    ("em", "em"),
    ("underline", "u"),
    ("strike", "s"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("code", "code"),
)
_LIVE = re.compile(r"(?<![\w@])@(?=\w)|#(?=\d)|(?<!\w)https?(?=://)", re.IGNORECASE)


class HtmlShape(Shape):
    """What HTML can say."""

    dialect = "html"

    def allows(self, block: Block, where: str) -> bool:
        """See Shape; everything may stand everywhere, what is only known to another tracker nowhere."""
        del where
        return not isinstance(block, UnknownBlock)

    def reread(self, node: UnknownBlock | UnknownInline) -> Document:
        """See Shape; the reader keeps nothing verbatim, so nothing comes back as itself."""
        del node
        return Document()

    def heading(self, children: tuple[Inline, ...]) -> tuple[Inline, ...]:
        """See Shape."""
        return children

    def box(self, block: Panel | Expand, where: str, depth: int) -> Iterator[Block]:
        """See Shape; a panel has no title of its own."""
        if isinstance(block, Panel) and block.title:
            block = Panel(block.kind, (*titled(block.title), *block.blocks))
        yield from super().box(block, where, depth)

    def inline(self, node: Inline, *, before: Inline | None, after: Inline | None, alone: bool) -> Inline:
        """See Shape."""
        del before, after, alone
        return node if isinstance(node, Text | HardBreak | Date | Media) else as_text(node)


_SHAPE = HtmlShape()


def write_html(document: Document) -> str:
    """Write a tree as HTML.

    Args:
        document: any tree; what HTML cannot say becomes words.

    Returns:
        The text to send: a run of block elements, no page around them.
    """
    return _blocks(_SHAPE.document(document).blocks)


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n".join(map(_block, blocks))


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return f"<p>{_inlines(children)}</p>"
        case Heading(level, children):
            return f"<h{level}>{_inlines(children)}</h{level}>"
        case BulletList() | OrderedList():
            return _list(block)
        case CodeBlock(text, language):
            name = f' class="language-{html.escape(language)}"' if language else ""
            return f"<pre><code{name}>{html.escape(text, quote=False)}</code></pre>"
        case Quote(blocks):
            return f"<blockquote>\n{_blocks(blocks)}\n</blockquote>"
        case Panel(kind, blocks, _):
            return f'<div style="background-color:{PANEL_COLORS[kind]}">\n{_blocks(blocks)}\n</div>'
        case Expand(title, blocks):
            return f"<details>\n<summary>{_text(title)}</summary>\n{_blocks(blocks)}\n</details>"
        case Table():
            return _table(block)
        case Rule():
            return "<hr>"
        case _:
            raise AssertionError(block)  # the shape lets nothing else through


def _list(block: BulletList | OrderedList) -> str:
    start = f' start="{block.start}"' if isinstance(block, OrderedList) and block.start != 1 else ""
    tag = "ol" if isinstance(block, OrderedList) else "ul"
    lines = [f"<{tag}{start}>"]
    for item in block.items:
        box = "" if item.checked is None else CHECKED if item.checked else UNCHECKED
        lines.append(f"<li>{box}{_held(item.blocks)}</li>")
    return "\n".join([*lines, f"</{tag}>"])


def _held(blocks: tuple[Block, ...]) -> str:
    # One paragraph, perhaps with lists under it, stands in an item or a cell without an element of its own.
    first, *rest = blocks or (Paragraph(()),)
    if isinstance(first, Paragraph) and all(isinstance(block, BulletList | OrderedList) for block in rest):
        return "\n".join([_inlines(first.children), *map(_block, rest)])
    return _blocks(blocks)


def _table(table: Table) -> str:
    lines = ["<table>"]
    for row in table.rows:
        cells = [("th" if cell.header else "td", _held(cell.blocks)) for cell in row]
        lines.append(f"<tr>{''.join(f'<{tag}>{words}</{tag}>' for tag, words in cells)}</tr>")
    return "\n".join([*lines, "</table>"])


# --- inline
# -----------------------------------------------------------------------------------------------------


def _inlines(children: Iterable[Inline]) -> str:
    return "".join(map(_inline, children))


def _inline(node: Inline) -> str:
    match node:
        case Text():
            return _run(node)
        case HardBreak():
            return "<br>"
        case Date(iso):
            return f'<time datetime="{iso}">{iso}</time>'
        case Media(ref, alt) if is_safe_link(ref) and not ref.lower().startswith("mailto:"):
            return f'<img src="{html.escape(ref)}" alt="{html.escape(alt)}">'
        case Media(ref, alt):
            return f'<span class="{ATTACHMENT}" title="{html.escape(ref)}">{_text(alt or ref)}</span>'
        case _:
            raise AssertionError(node)  # the shape lets nothing else through


def _run(node: Text) -> str:
    values = {mark.kind: mark.value for mark in node.marks}
    if "code" in values:
        out = _verbatim(node.text)
    else:
        out = html.escape(node.text, quote=False) if "link" in values else _text(node.text)
    for kind, tag in reversed(_TAGS):
        if kind in values:
            out = f"<{tag}>{out}</{tag}>"
    if "color" in values:
        out = f'<span style="color:{values["color"]}">{out}</span>'
    if "link" in values:
        out = f'<a href="{html.escape(values["link"])}">{out}</a>'
    return out


def _text(words: str) -> str:
    return html.escape(_LIVE.sub(rf"\g<0>{BREAK}", words), quote=False)


def _verbatim(words: str) -> str:
    # A browser would show several spaces as one.
    spaced = re.sub(r"^ | $|(?<= ) ", "\u00a0", words)
    return html.escape(spaced, quote=False)
