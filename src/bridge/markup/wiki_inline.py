"""Reading the inline part of Jira's wiki markup: phrases, links, mentions, pictures, colours, escapes.

A line is looked over once for everything that can close a phrase; then each opener asks for the first
closer behind it. So hostile lines cost no more than long ones. A phrase never holds itself, which bounds
the recursion by the number of kinds.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable

from bridge.markup.canonical import is_safe_link
from bridge.markup.chars import SMILEYS
from bridge.markup.tree import Emoji, HardBreak, Inline, Mark, MarkKind, Media, Mention, Text, UnknownInline

PHRASES: dict[str, MarkKind] = {
    "*": "strong",
    "_": "em",
    "-": "strike",
    "+": "underline",
    "^": "sup",
    "~": "sub",
    "??": "em",  # a citation, which looks like one
}
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
BARE_LINK = re.compile(r"(?:https?://|mailto:)[^\s|\[\]{}<>\"\\^]+", re.IGNORECASE)
LINK_TAIL = ".,;:!?)'*_"
ACCOUNT = re.compile(r"accountid:.*|[0-9a-f]{24}|[^:]+:.+")
PERSON = re.compile(r"[^\[\]|{}\\\s^~!*?]{1,255}")
PICTURE = re.compile(r"https?://[^\s!|\[\]{}\\]+|[^\s!|\[\]{}\\^][^!|\n\[\]{}\\^]*\.\w{1,5}")
FILE = re.compile(r"[^\s!|\[\]{}\\^](?:[^!|\n\[\]{}\\^]*[^\s!|\[\]{}\\^])?")
UNKNOWN = re.compile(r"\{([A-Za-z][\w-]*)(?::[^{}\n]*)?\}")

_COLOR = re.compile(r"\{color(?::([^{}\n]{0,40}))?\}")
_BRACED = re.compile(r"\{([*_\-+^~]|\?\?)\}")
_MONO = re.compile(r"\{\{((?:[^\\}]|\\.|\}(?!\}))+)\}\}")
_PLAIN = re.compile(r"[^\\{\[!*_\-+^~?&:;(hHmM]+")
_ALT = re.compile(r"(?:^|,)\s*alt=\"?([^,\"]*)")
_SMILEY_SIGNS = {sign: Emoji(name, text) for sign, name, text in SMILEYS}
_PART = re.compile(r"(?:[^\\|]|\\.|\\$)+")
_LONGEST_SMILEY = 4
_KNOWN = frozenset({"color", "code", "noformat", "quote", "panel"})


def read_inline(text: str) -> tuple[Inline, ...]:
    """Read a paragraph, a cell or the words of a heading; line ends in it are breaks, as Jira shows them."""
    out: list[Inline] = []
    for number, row in enumerate(_colors_by_line(text).split("\n")):
        if number:
            out.append(HardBreak())
        out += _Line(row, (), frozenset()).read()
    return tuple(out)


def decode(text: str) -> str:
    """Resolve the HTML entities that Jira lets through."""
    return ENTITY.sub(lambda found: html.unescape(found[0]), text)


def _colors_by_line(text: str) -> str:
    # A colour may go on over several lines; everything else ends with its line.
    if "\n" not in text or "{color" not in text:
        return text
    pieces: list[str] = []
    here = 0
    opened: re.Match[str] | None = None
    for tag in _COLOR.finditer(text):
        if opened and tag[1] is None:
            inside = text[opened.end() : tag.start()]
            pieces.append(text[here : opened.end()] + inside.replace("\n", "{color}\n" + opened[0]) + tag[0])
            here, opened = tag.end(), None
        elif tag[1] is not None and not opened:
            opened = tag
    return "".join([*pieces, text[here:]])


class _Line:
    """One line, or the inside of a phrase, with what can close a phrase in it."""

    def __init__(self, source: str, marks: tuple[Mark, ...], active: frozenset[str]) -> None:
        self.source = source
        self.marks = marks
        self.active = active
        self.out: list[Inline] = []
        self.closers: dict[str, list[int]] = defaultdict(list)
        self.brackets: list[int] = []
        self.mono: dict[int, re.Match[str]] = {}
        self.tags: dict[str, list[int]] = defaultdict(list)
        self._scan()
        self._rules: dict[str, Callable[[int], int]] = {
            "\\": self._escape,
            "{": self._brace,
            "[": self._bracket,
            "!": self._picture,
            "&": self._entity,
            ":": self._smiley,
            ";": self._smiley,
            "(": self._smiley,
            **dict.fromkeys("hHmM", self._bare_link),
            **dict.fromkeys("*_-+^~?", self._phrase),
        }

    def read(self) -> list[Inline]:
        here = 0
        while here < len(self.source):
            if plain := _PLAIN.match(self.source, here):
                self._say(plain[0])
                here = plain.end()
                continue
            rest = self._rules[self.source[here]](here)
            if rest == here:
                self._say(self.source[here])
                rest = here + 1
            here = rest
        return self.out

    def _scan(self) -> None:
        source = self.source
        self._find_brackets()
        here = 0
        mono_left = True
        while (here := self._next_special(here)) >= 0:
            char = source[here]
            step = 1
            if char == "\\":
                step = 2
            elif char == "[":
                step = max(self._pair(here) - here + 1, 1)
            elif char == "{":
                if mono_left and source.startswith("{{", here):
                    if found := _MONO.match(source, here):
                        self.mono[here] = found
                    else:
                        mono_left = False
                if found := self.mono.get(here) or _BRACED.match(source, here):
                    step = found.end() - here
                    if here not in self.mono:
                        self.closers[found[0]].append(here)
                elif tag := UNKNOWN.match(source, here):
                    if ":" not in tag[0]:
                        self.tags[tag[1]].append(here)
                    step = tag.end() - here
            else:
                sign = "??" if char == "?" else char
                if source.startswith(sign, here) and self._may_close(here, here + len(sign)):
                    self.closers[sign].append(here)
                    step = len(sign)
            here += step

    _SPECIAL = re.compile(r"[\\\[{*_\-+^~?]")

    def _next_special(self, here: int) -> int:
        found = self._SPECIAL.search(self.source, here)
        return found.start() if found else -1

    def _find_brackets(self) -> None:
        self.brackets = [
            found.start() for found in re.finditer(r"\\.|[\[\]]", self.source) if len(found[0]) == 1
        ]

    def _pair(self, here: int) -> int:
        """The place of the bracket that closes this one, -1 when another one opens first."""
        index = bisect_left(self.brackets, here + 1)
        if index < len(self.brackets) and self.source[self.brackets[index]] == "]":
            return self.brackets[index]
        return -1

    def _may_close(self, start: int, end: int) -> bool:
        return (
            start > 0
            and not self.source[start - 1].isspace()
            and not (end < len(self.source) and self.source[end].isalnum())
        )

    def _closer(self, sign: str, after: int) -> int:
        places = self.closers[sign]
        index = bisect_left(places, after)
        return places[index] if index < len(places) else -1

    def _say(self, text: str) -> None:
        self.out.append(Text(text, self.marks))

    def _inside(self, start: int, end: int, mark: Mark, key: str) -> None:
        self.out += _Line(self.source[start:end], (*self.marks, mark), self.active | {key}).read()

    # Each rule below is given the place of its first character and returns where to go on, or the same
    # place when what stands there is an ordinary character.

    def _escape(self, here: int) -> int:
        after = self.source[here + 1 : here + 2]
        if after == "\\":
            self.out.append(HardBreak())
            return here + 2
        if after and after.isascii() and not after.isalnum() and not after.isspace():
            self._say(after)
            return here + 2
        return here

    def _entity(self, here: int) -> int:
        if found := ENTITY.match(self.source, here):
            self._say(decode(found[0]))
            return found.end()
        return here

    def _smiley(self, here: int) -> int:
        source = self.source
        if here and not source[here - 1].isspace():
            return here
        for size in range(2, _LONGEST_SMILEY + 1):
            sign = source[here : here + size]
            after = source[here + size : here + size + 1]
            if sign in _SMILEY_SIGNS and (not after or after.isspace()):
                self.out.append(_SMILEY_SIGNS[sign])
                return here + size
        return here

    def _bare_link(self, here: int) -> int:
        source = self.source
        if "link" in self.active or (here and (source[here - 1].isalnum() or source[here - 1] == "\\")):
            return here
        found = BARE_LINK.match(source, here)
        url = found[0].rstrip(LINK_TAIL) if found else ""
        if not is_safe_link(url):
            return here
        self.out.append(Text(url, (*self.marks, Mark("link", url))))
        return here + len(url)

    def _phrase(self, here: int) -> int:
        source = self.source
        sign = "??" if source[here] == "?" else source[here]
        start = here + len(sign)
        after = source[start : start + 1]
        if (
            not source.startswith(sign, here)
            or sign in self.active
            or (here and source[here - 1].isalnum())
            or not after
            or after.isspace()
            or after == sign[0]
        ):
            return here
        end = self._closer(sign, start + 1)
        if end < 0:
            return here
        self._inside(start, end, Mark(PHRASES[sign]), sign)
        return end + len(sign)

    def _brace(self, here: int) -> int:
        source = self.source
        if mono := self.mono.get(here):
            self._mono(mono[1])
            return mono.end()
        if braced := _BRACED.match(source, here):
            end = self._closer(braced[0], braced.end())
            if end < 0 or braced[1] in self.active:
                return here
            self._inside(braced.end(), end, Mark(PHRASES[braced[1]]), braced[1])
            return end + len(braced[0])
        tag = UNKNOWN.match(source, here)
        if not tag:
            return here
        places = self.tags[tag[1]]
        index = bisect_left(places, tag.end())
        end = places[index] if index < len(places) else -1
        if tag[1] == "color":
            if end < 0 or ":" not in tag[0] or "color" in self.active:
                return here
            self._inside(tag.end(), end, Mark("color", tag[0][7:-1]), "color")
            return end + len("{color}")
        if end < 0 or tag[1] in _KNOWN or "link" in self.active:
            return here
        end += len(tag[1]) + 2
        raw = source[here:end]
        self.out.append(UnknownInline("wiki", raw, raw))
        return end

    def _mono(self, inside: str) -> None:
        parts = re.split(r"(\\[!-/:-@\[-`{-~])", inside)
        text = "".join(part[1] if number % 2 else decode(part) for number, part in enumerate(parts))
        self._say_code(text)

    def _say_code(self, text: str) -> None:
        self.out.append(Text(text, (*self.marks, Mark("code"))))

    def _picture(self, here: int) -> int:
        source = self.source
        end = source.find("!", here + 1)
        if end < 0 or (here and source[here - 1].isalnum()):
            return here
        ref, _, rest = source[here + 1 : end].partition("|")
        if not PICTURE.fullmatch(ref):
            return here
        alt = _ALT.search(rest)
        self.out.append(Media(ref, decode(alt[1]) if alt else ""))
        return end + 1

    def _bracket(self, here: int) -> int:
        end = self._pair(here)
        if end < 0 or "link" in self.active:
            return here
        body = self.source[here + 1 : end]
        parts = _PART.findall(body)
        if not parts:
            return here
        target = parts[1] if len(parts) > 1 else parts[0]
        node = _reference(target.strip(), parts[0] if len(parts) > 1 else "")
        if node:
            self.out.append(node)
        elif _is_link(target):
            self._link(parts[0], target.strip(), parts[2] if len(parts) > 2 else "")  # noqa: PLR2004 - text, address, tooltip
        else:
            return here
        return end + 1

    def _link(self, text: str, target: str, tip: str) -> None:
        mark = Mark("link", target)
        if text.strip() == target:
            self.out.append(Text(target, (*self.marks, mark)))
            return
        inside = _Line(text, (*self.marks, mark), self.active | {"link"}).read()
        self.out += inside
        if not any(isinstance(node, Text) and node.text.strip() for node in inside):
            self.out.append(Text(f" {target}", (*self.marks, mark)))
        if tip and not tip.startswith("smart-"):
            self._say(f" ({decode(tip)})")


def _is_link(target: str) -> bool:
    return re.match(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*://|mailto:)\S", target) is not None


def _reference(target: str, text: str) -> Inline | None:
    if target.startswith("~"):
        person = target[1:]
        inner = person.removeprefix("accountid:")
        person = inner if inner != person and ACCOUNT.fullmatch(inner) else person
        return Mention(person, text or person) if PERSON.fullmatch(person) else None
    if target.startswith("^") and FILE.fullmatch(target[1:]):
        return Media(target[1:], decode(text))
    return None
