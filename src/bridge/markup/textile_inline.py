"""Reading the inline part of Redmine's Textile: phrases, code, links, pictures, colours.

The rules are those of Redmine's own ``redcloth3.rb``: a sign opens a phrase only behind a space, an opening
parenthesis or ``>``, and closes it only in front of a space or punctuation. There is no escape character; an
HTML entity or an invisible character does the work. What can close a phrase is looked up once per text, so
hostile texts cost no more than long ones.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from bridge.markup.redmine_text import live_nodes
from bridge.markup.tree import Inline, Mark, MarkKind, Media, Text
from bridge.markup.wiki_inline import decode

SIGNS: dict[str, MarkKind] = {
    "**": "strong",
    "*": "strong",
    "__": "em",
    "_": "em",
    "??": "em",  # a citation, which looks like one
    "-": "strike",
    "+": "underline",
    "^": "sup",
    "~": "sub",
    "%": "color",  # a span of any style; only its colour says something
}
# Alignment, class, style and language, as they may stand in front of nearly everything.
ATTRIBUTES = r"(?:[<>=()~^-]|\([^()\"\n]+\)|\{[^{}\"\n]+\}|\[[a-z_-]+\])*"
MARK = "\x00"  # around the number of a part that was taken out before; cannot be in a text
TOKEN = re.compile(r"\x00(\d+)\x00")
LINK = re.compile(
    r"\"(?P<text>[^\"\n\x00]+)\":(?P<url>(?:/|[a-zA-Z]{1,20}://|www\.|mailto:)[\w/][^\s<\x00]*)"
)
PICTURE = re.compile(r"!(?P<url>[^\s(!\x00]+)\s?(?:\((?P<alt>[^()\n\x00]+)\))?!")

_PICTURE_ATTRIBUTES = re.compile(rf"[<>=]?{ATTRIBUTES}(?:\. )?")
_TITLE = re.compile(r"\(([^()]+)\)$")
_LEADING = re.compile(r"(?:\([^()\"\n]+\)|\{[^{}\"\n]+\}|\[[a-z_-]+\])+")
_COLOR = re.compile(r"\{(?:[^{}\"]*;)?\s*color:\s*([^;{}\"]+)")
_CODE = re.compile(r"(?:\|(\w+)\|)?(.+)", re.DOTALL)
_URL_TAIL = re.compile(r"[^\w=/;()-]+$")
_PLAIN = re.compile(r"[^\x00@!\"*_?+^~%-]+")


def read_inline(text: str, parts: Sequence[tuple[Inline, ...]] = ()) -> tuple[Inline, ...]:
    """Read a paragraph, a cell or the words of a heading.

    Args:
        text: the source; line ends in it are breaks, as Redmine shows them.
        parts: what the tokens in it stand for.
    """
    return tuple(_Run(text, (), frozenset(), parts).read())


class _Run:
    """A text, or the inside of a phrase, with what can close a phrase in it."""

    def __init__(
        self,
        source: str,
        marks: tuple[Mark, ...],
        active: frozenset[str],
        parts: Sequence[tuple[Inline, ...]],
    ) -> None:
        self.source = source
        self.marks = marks
        self.active = active
        self.parts = parts
        self.out: list[Inline] = []
        self.said: list[str] = []
        self.behind = 0  # where the last phrase ended: behind it another one may open at once
        self.code = dict(_code_spans(source))
        self.closers = self._closers()
        self.rules: dict[str, Callable[[int], int]] = {
            "\x00": self._part,
            "@": self._code,
            "!": self._picture,
            '"': self._link,
            **dict.fromkeys("*_?-+^~%", self._phrase),
        }

    def read(self) -> list[Inline]:
        here = 0
        while here < len(self.source):
            if plain := _PLAIN.match(self.source, here):
                self.said.append(plain[0])
                here = plain.end()
                continue
            rest = self.rules[self.source[here]](here)
            if rest == here:
                self.said.append(self.source[here])
                rest = here + 1
            here = rest
        self._flush()
        return self.out

    def _closers(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        here = 0
        while here < len(self.source):
            char = self.source[here]
            if here in self.code:
                here = self.code[here]
                continue
            if char in "*_?-+^~%" and here and not self.source[here - 1].isspace():
                for sign in (char, char * 2):
                    if sign in SIGNS and self.source.startswith(sign, here) and self._ends(here + len(sign)):
                        places[sign].append(here)
            here += 1
        return places

    def _ends(self, here: int) -> bool:
        after = self.source[here : here + 1]
        return not after or after.isspace() or is_punctuation(after)

    def _flush(self) -> None:
        text = "".join(self.said)
        self.said.clear()
        if not text:
            return
        if "link" in self.active:
            self.out.append(Text(decode(text), self.marks))
        else:
            self.out += live_nodes(text, self.marks, "textile", decode)

    def _opens(self, here: int) -> bool:
        # One other sign may stand between, a row of them not.
        return self._begins(here) or any(
            self.source[here - len(sign) : here] == sign and self._begins(here - len(sign)) for sign in SIGNS
        )

    def _begins(self, here: int) -> bool:
        return here in {0, self.behind} or (here > 0 and self.source[here - 1] in " \t\n(>")

    # Each rule below is given the place of its first character and returns where to go on, or the same
    # place when what stands there is an ordinary character.

    def _part(self, here: int) -> int:
        found = TOKEN.match(self.source, here)
        if not found or int(found[1]) >= len(self.parts):
            return here
        self._flush()
        for node in self.parts[int(found[1])]:
            self.out.append(Text(node.text, (*node.marks, *self.marks)) if isinstance(node, Text) else node)
        return found.end()

    def _code(self, here: int) -> int:
        end = self.code.get(here, -1)
        found = _CODE.fullmatch(self.source, here + 1, end - 1) if end > 0 else None
        if not found:
            return here
        self._flush()
        self.out.append(Text(decode(TOKEN.sub("", found[2])), (*self.marks, Mark("code"))))
        return end

    def _picture(self, here: int) -> int:
        if here and self.source[here - 1] not in " \t\n>":
            return here
        found = PICTURE.match(self.source, here)
        if not found:
            return here
        url = found["url"]
        if attributes := _PICTURE_ATTRIBUTES.match(url):
            url = url[attributes.end() :]
        if not url:
            return here
        self._flush()
        named = "/" not in url and ":" not in url
        self.out.append(Media(unquote(url) if named else decode(url), decode(found["alt"] or "")))
        return found.end()

    def _link(self, here: int) -> int:
        found = LINK.match(self.source, here) if "link" not in self.active else None
        if not found:
            return here
        url = address_of(found["url"])
        text = found["text"]
        if leading := _LEADING.match(text):
            text = text[leading.end() :] or text
        title = _TITLE.search(text)
        if title and title.start():
            text = text[: title.start()].rstrip()
        self._flush()
        mark = Mark("link", decode(url))
        self.out += _Run(text, (*self.marks, mark), self.active | {"link"}, self.parts).read()
        if title and title.start():
            self.said.append(f" ({title[1]})")
        self.behind = found.start("url") + len(url)
        return self.behind

    def _phrase(self, here: int) -> int:
        source = self.source
        if not self._opens(here) or source.startswith("--", here):
            return here
        for sign in (source[here] * 2, source[here]):
            if sign not in SIGNS or sign in self.active or not source.startswith(sign, here):
                continue
            start = here + len(sign)
            after = source[start : start + 1]
            if not after or after.isspace() or after == sign[0]:
                continue
            places = self.closers[sign]
            # Redmine wants a letter or at least two characters between the signs.
            shortest = 1 if is_word(after) else 2
            index = bisect_left(places, start + shortest)
            if index == len(places):
                continue
            end = places[index]
            self._flush()
            self._inside(source[start:end], sign)
            self.behind = end + len(sign)
            return self.behind
        return here

    def _inside(self, content: str, sign: str) -> None:
        marks = self.marks
        if SIGNS[sign] != "color":
            marks = (*marks, Mark(SIGNS[sign]))
        leading = _LEADING.match(content)
        if leading and leading.end() < len(content):
            content = content[leading.end() :]
            if color := _COLOR.search(leading[0]):
                marks = (*(mark for mark in marks if mark.kind != "color"), Mark("color", color[1]))
        self.out += _Run(content, marks, self.active | {sign}, self.parts).read()


def address_of(url: str) -> str:
    """The part of what follows a link's colon that Redmine takes for its address."""
    url = _URL_TAIL.sub("", url)
    if url.endswith(")") and url.count("(") < url.count(")"):
        url = url[:-1]
    return url


def is_word(char: str) -> bool:
    """Whether Ruby's ``[[:word:]]`` has a character."""
    kind = unicodedata.category(char)
    return kind[0] in "LM" or kind in {"Nd", "Pc"}


def is_punctuation(char: str) -> bool:
    """Whether Ruby's ``[[:punct:]]`` has a character."""
    return unicodedata.category(char)[0] == "P" or char in "$+<=>^`|~"


def _code_spans(source: str) -> list[tuple[int, int]]:
    """The places of ``@code@``: where each begins, and where the text goes on behind it."""
    spans: list[tuple[int, int]] = []
    closers = [
        found.start()
        for found in re.finditer(r"@(?![A-Za-z0-9_])", source)
        if source[found.start() - 1] != "\n"
    ]
    here = 0
    while (here := source.find("@", here)) >= 0:
        word = here and source[here - 1].isascii() and (source[here - 1].isalnum() or source[here - 1] == "_")
        index = bisect_left(closers, here + 2)
        if word or index == len(closers):
            here += 1
            continue
        spans.append((here, closers[index] + 1))
        here = closers[index] + 1
    return spans
