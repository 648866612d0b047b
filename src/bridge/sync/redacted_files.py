"""Redacting a file that is a text: in portions, so that its size does not matter, with an overlap between them.

A file is a text when it decodes as one: by its byte order mark, as UTF-8, or else as Latin-1, where every byte is a
letter. What holds a zero byte or the like is none, whatever it calls itself.
"""

from __future__ import annotations

import re
from collections import Counter

from bridge.sync.filetypes import BINARY, is_textual, sniff
from bridge.sync.redaction import Place, Redaction, pieces, places
from bridge.sync.ticket import Side

OVERLAP = 16 * 1024
"""Characters that are looked at once more with the next portion: what is longer may be cut in two unseen."""

_BACK = 4 * 1024
"""Characters within which a portion is rather ended at the end of a line."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def is_text_file(kind: str, head: bytes) -> bool:
    """Whether a file is looked into: its type or its first bytes are those of a text."""
    shown = sniff(head)
    return bool(head) and (is_textual(kind) or (shown != BINARY and is_textual(shown)))


def encodings(head: bytes) -> tuple[str, ...]:
    """What a file may be written in, by its first bytes, the likeliest first. The mark itself counts as a letter."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return (name,)
    return ("utf-8", "latin-1")


def is_text(portion: str) -> bool:
    """Whether decoded bytes are a text, and not whatever else decodes without an error."""
    return _NO_TEXT.search(portion) is None


class Stream:
    """Redacts a text that comes in portions.

    Args:
        redaction: the rules.
        to: the side that it goes to.

    Attributes:
        counts: rule -> what was cut out under it so far.
    """

    def __init__(self, redaction: Redaction, to: Side) -> None:
        self._redaction = redaction
        self._to = to
        self._rest = ""
        self.counts: Counter[str] = Counter()

    def feed(self, portion: str) -> str:
        """Take the next portion; returns what of the text so far is ready to go."""
        self._rest += portion
        end = len(self._rest) - OVERLAP
        if end <= 0:
            return ""
        found = places(self._redaction, self._to, self._rest)
        end = self._cut(end, found)
        return self._ready(end, found)

    def finish(self) -> str:
        """What is left at the end."""
        return self._ready(len(self._rest), places(self._redaction, self._to, self._rest))

    def _cut(self, end: int, found: tuple[Place, ...]) -> int:
        """Where to cut: not within what must go, at the end of a line where one is near."""
        line = self._rest.rfind("\n", max(0, end - _BACK), end) + 1
        for at in (line, end):
            if at > 0 and not any(one.start < at < one.end for one in found):
                return at
        within = next(one for one in found if one.start < end < one.end)
        # What is as long as that goes on growing; so it is cut at its beginning, or ends as a whole.
        return within.start or within.end

    def _ready(self, end: int, found: tuple[Place, ...]) -> str:
        gone = [one for one in found if one.end <= end]
        self.counts.update(one.rule.name for one in gone)
        text, self._rest = self._rest[:end], self._rest[end:]
        return "".join(pieces(text, gone))
