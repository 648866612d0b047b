"""Words and addresses in Textile such that they stay what they are.

Textile has no escape character. A sign of foreign text is kept from being markup by an invisible character
at the place where Redmine's rules look (``redcloth3.rb``, ``application_helper.rb``), and by an HTML entity
where no place helps. Signs that can do nothing stay as they are, because people read and edit these texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bridge.markup.chars import BREAK
from bridge.markup.redmine_text import breakable
from bridge.markup.shape import has
from bridge.markup.textile_inline import LINK, address_of
from bridge.markup.tree import Inline, MarkKind, Text
from bridge.markup.wiki_inline import ENTITY

# From the outside in, the order in which Redmine looks for them.
SIGNS: tuple[tuple[MarkKind, str], ...] = (
    ("strong", "*"),
    ("strike", "-"),
    ("em", "_"),
    ("color", "%"),
    ("underline", "+"),
    ("sup", "^"),
    ("sub", "~"),
)
_UNSAFE_IN_ADDRESS = re.compile(r"&#?\w+;|[(>][*_+^~%?-]|(?<!\w)@|x%x%|==")
_CLOSING = re.compile(r"(?<!\s)([*_?+^~%-])(?![A-Za-z0-9])")
_BLOCK_NAME = re.compile(r"(?:h[1-6]|p|bq|bc|pre|notextile|clear|table|fn\d+|dl)(?=[.(\[{<>=~^:/\\-])")
# Places in foreign words that mean something wherever they stand.
_INSIDE = re.compile(
    r"(?P<quote>\"(?=:))"
    r"|(?P<caps>(?<![^\W_])[A-Z][A-Z0-9]+(?=\())"
    r"|(?P<note>(?<=\w)\[(?=\d+\]))"
    r"|(?P<notextile>(?<!\S)=(?==))"
    r"|(?P<shelf>x%(?=x%))"
)


def is_sayable(url: str) -> bool:
    """Whether Redmine would read this address, written behind a link's words, as it is."""
    found = LINK.fullmatch(f'"x":{url}')
    return found is not None and address_of(url) == url and not _UNSAFE_IN_ADDRESS.search(url)


def closes_in(url: str, kinds: set[MarkKind]) -> bool:
    """Whether a sign of these marks would find its end inside an address."""
    signs = {sign for kind, sign in SIGNS if kind in kinds}
    return ("%" in signs and "&" in url) or any(found[1] in signs for found in _CLOSING.finditer(url))


def risky_signs(children: Iterable[Inline]) -> frozenset[str]:
    """The signs that something in a paragraph could close; the others open nothing.

    Redmine keeps ``&`` as ``x%x%`` for a while, so it closes what a ``%`` opened.
    """
    texts = [node for node in children if isinstance(node, Text)]
    urls = [mark.value for node in texts for mark in node.marks if mark.kind == "link"]
    found = {sign for words in (*urls, *(node.text for node in texts)) for sign in _CLOSING.findall(words)}
    found |= {sign for node in texts for kind, sign in SIGNS if has(node, kind)}
    if any("&" in url for url in urls):
        found.add("%")
    if "%" in found or any("%" in node.text for node in texts):
        found.add("&")
    return frozenset(found)


def verbatim(text: str) -> str:
    """Words between two ``@``: nothing means anything there but what would end it, or is looked for earlier."""
    out = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    out = re.sub(r"<(?=[\w/!])", "&lt;", out)
    out = re.sub(r"@(?![A-Za-z0-9_])", "&#64;", out)
    out = re.sub(r"^\|", "&#124;", out)
    out = re.sub(r"(?<!\S)=(?==)", "&#61;", out)
    return f"@{re.sub(r'(?<=[ >])!', '&#33;', out)}@"


def escape(text: str, *, risky: frozenset[str], before: str = "", first: bool = False) -> str:
    """Write words so that neither Textile nor Redmine takes them for markup.

    Args:
        text: the words, without line ends.
        risky: the signs that something around could close.
        before: the character in front of them in the same line, if any.
        first: whether they begin a line, where more characters mean something.
    """
    out: list[str] = []
    broken = {found.end() for found in _INSIDE.finditer(text)}
    broken |= {place for place in breakable(text) if text[place - 1] != "@"}
    mail = "@" in text
    opening = True  # whether a phrase may begin here; a row of signs passes that on
    for here, char in enumerate(text):
        before = text[here - 1] if here else before
        after = text[here + 1 : here + 2]
        opening = before in " (>" or (opening and before in "*_-+^~%?")
        closing = before != " " and not (after.isascii() and after.isalnum())
        # The "x" that "&" is for a while would become part of a mail address before it.
        if char == "&" and ("&" in risky or ENTITY.match(text, here) or (before.isalnum() and mail)):
            out.append("&amp;")
        elif char == "<" and after and not after.isspace():
            out.append("&lt;")
        elif char == "@" and (here in broken or not (before.isascii() and before.isalnum())):
            out.append("&#64;")
        elif char in risky and char in "*_-+^~%?" and (char != "?" or "?" in {before, after}):
            left = BREAK if opening and after != " " else ""
            out.append(f"{left}{char}{BREAK if closing and after != ' ' else ''}")
        elif char == "!" and (not before or before in " >") and after != " ":
            out.append(f"{BREAK}!")
        else:
            out.append(char)
        if here + 1 in broken:
            out.append(BREAK)
    words = "".join(out)
    return _at_line_start(words) if first else words


def _at_line_start(words: str) -> str:
    if name := _BLOCK_NAME.match(words):
        return words[: name.end()] + BREAK + words[name.end() :]
    return words if words[0].isalnum() or words[0] in f"&{BREAK}" else BREAK + words
