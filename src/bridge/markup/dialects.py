"""The dialects by name: reading one, writing one, and how a tracker will show what is written.

``settle`` tells how a tracker will show what we write; comparing with that, a lossy dialect can never make
two trackers correct each other for ever.
"""

from __future__ import annotations

from typing import Any, Literal, assert_never, get_args

from bridge.markup.adf_reader import read_adf
from bridge.markup.adf_writer import write_adf
from bridge.markup.canonical import canonical
from bridge.markup.html_reader import read_html
from bridge.markup.html_writer import write_html
from bridge.markup.markdown_reader import read_markdown
from bridge.markup.markdown_writer import write_markdown
from bridge.markup.textile_reader import read_textile
from bridge.markup.textile_writer import write_textile
from bridge.markup.tree import Document
from bridge.markup.wiki_reader import read_wiki
from bridge.markup.wiki_writer import write_wiki

Dialect = Literal["adf", "wiki", "markdown", "textile", "html"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)


def read(dialect: Dialect, native: Any) -> Document:
    """Read what a tracker gave us.

    Args:
        dialect: how it is written.
        native: a decoded JSON object for ADF, a string otherwise; None for an empty field.

    Returns:
        The canonical tree. Nothing makes this fail: what is not known is kept with its source and its words.
    """
    match dialect:
        case "adf":
            return read_adf(native)
        case "wiki":
            return read_wiki(native if isinstance(native, str) else None)
        case "markdown":
            return read_markdown(native if isinstance(native, str) else None)
        case "textile":
            return read_textile(native if isinstance(native, str) else None)
        case "html":
            return read_html(native if isinstance(native, str) else None)
        case _:
            assert_never(dialect)


def write(dialect: Dialect, document: Document) -> Any:
    """Write a tree for a tracker.

    Args:
        dialect: how to write it.
        document: any tree.

    Returns:
        A JSON object for ADF, a string otherwise. What the dialect cannot say is there as words.
    """
    match dialect:
        case "adf":
            return write_adf(document)
        case "wiki":
            return write_wiki(document)
        case "markdown":
            return write_markdown(document)
        case "textile":
            return write_textile(document)
        case "html":
            return write_html(document)
        case _:
            assert_never(dialect)


def settle(dialect: Dialect, document: Document) -> Document:
    """The tree as a tracker will show it once it was written there. Idempotent."""
    return canonical(read(dialect, write(dialect, document)))
