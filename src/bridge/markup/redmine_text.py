"""What Redmine itself finds in a text, whichever markup it is set to: both its dialects need it.

Redmine searches the finished text for ``#123``, ``@login``, ``{{macro}}``, ``[[page]]``, ``attachment:file``
and more (``app/helpers/application_helper.rb``). Against that only an invisible character inside helps; the
readers take it away again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bridge.markup.canonical import is_safe_link
from bridge.markup.tree import Inline, Mark, Media, Mention, Text, UnknownInline

LOGIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
LINK_TAIL = ".,;:!?)'*_~"
FILE = re.compile(r"[^\"\n\\<>&`|]+")

_LIVE = re.compile(
    r"(?P<macro>\{\{\w+(?:\([^(){}\n]*\))?\}\})"
    r"|(?P<page>\[\[[^\[\]\n|]+(?:\|[^\[\]\n|]+)?\]\])"
    r"|(?<!\w)attachment:(?:\"(?P<quoted>[^\"\n]+)\"|(?P<file>[\w-]+(?:\.[\w-]+)+))"
    r"|(?<![\w@])@(?P<person>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
    r"|(?<!\w)(?P<link>https?://[^\s<>\"\\^`{|}\[\]]+)"
)
_TRACKER = re.compile(
    r"(?P<hash>#)(?=[#\d]|note)"
    r"|(?P<at>@)"
    r"|(?P<brace>\{)(?=\{)"
    r"|(?P<bracket>\[)(?=\[)"
    r"|(?<![^\W_])(?P<revision>r)(?=\d)"
    r"|(?<![^\W_])(?P<word>attachment|document|version|forum|news|message|project|commit|source|export|user|sprint"
    r"|https?|ftps?|sftp|mailto|www)(?=[:.@])",
    re.IGNORECASE,
)


def live_nodes(
    text: str, marks: tuple[Mark, ...], dialect: str, plain: Callable[[str], str] = str
) -> Iterator[Inline]:
    """Read what Redmine makes of words that carry no markup.

    Args:
        text: the words.
        marks: the marks they stand under.
        dialect: the markup around them, for nodes that are kept verbatim.
        plain: what turns the words between live parts into text.
    """
    here = 0
    for found in _LIVE.finditer(text):
        node, end = _live(found, marks, dialect)
        if node is None:
            continue
        yield Text(plain(text[here : found.start()]), marks)
        yield node
        here = end
    yield Text(plain(text[here:]), marks)


def _live(found: re.Match[str], marks: tuple[Mark, ...], dialect: str) -> tuple[Inline | None, int]:
    if person := found["person"]:
        login = person.rstrip(".-")
        return Mention(login, login), found.start() + 1 + len(login)
    if url := found["link"]:
        url = url.rstrip(LINK_TAIL)
        node = Text(url, (*marks, Mark("link", url))) if is_safe_link(url) else None
        return node, found.start() + len(url)
    if ref := found["quoted"] or found["file"]:
        return Media(ref), found.end()
    return UnknownInline(dialect, found[0], found[0]), found.end()


def breakable(text: str) -> Iterator[int]:
    """The places in foreign words where an invisible character keeps Redmine from making them live."""
    for found in _TRACKER.finditer(text):
        yield found.end()
