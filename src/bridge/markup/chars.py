"""What characters may stand in a tree, and the small alphabets and colours that several dialects share.

Trackers, databases and XML each refuse or silently change some characters. The tree holds none of those, so
a text that was written and read again can be compared with what was meant.
"""

from __future__ import annotations

import re
import unicodedata

# Invisible, joins nothing, breaks nothing: put inside "#123" or "@name" it stops a tracker from making a
# link of foreign text. Every such character is removed on reading, so it never reaches the tree.
BREAK = "\u2060"

# Jira's own colours for what Cloud calls the kinds of a panel.
PANEL_COLORS = {
    "info": "#deebff",
    "note": "#eae6ff",
    "tip": "#e6fcff",
    "success": "#e3fcef",
    "warning": "#fffae6",
    "error": "#ffebe6",
}

CHECKED = "\u2611 "
UNCHECKED = "\u2610 "

# Controls that act as white space become a space; the others are dropped, like the invisible joints. A lone
# surrogate (JSON can carry one) cannot be encoded and becomes the replacement character.
_TABLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),
    **dict.fromkeys([0x0B, 0x0C, *range(0x1C, 0x20), 0x85, 0x2028, 0x2029], " "),
    **dict.fromkeys([0x200B, ord(BREAK), 0xFEFF]),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    0x09: "\t",
    0x0A: "\n",
}
_SOURCE_TABLE = {code: to for code, to in _TABLE.items() if code not in {0x200B, ord(BREAK), 0xFEFF}}
_SPACES = re.compile(r"\s+")
_NEWLINE = re.compile(r"\r\n?")
_EDGE_NEWLINES = re.compile(r"\A(?:[ \t]*\n)+|\s+\Z")

_SUP = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUB = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


def newlines(text: str) -> str:
    """Make every line end a single line feed."""
    return _NEWLINE.sub("\n", text)


def tidy(text: str) -> str:
    """Drop what no tracker keeps; tabs and line feeds stay."""
    return newlines(text).translate(_TABLE)


def readable_source(text: str) -> str:
    """Like ``tidy``, for a dialect in which an invisible character keeps its neighbours from being markup."""
    return newlines(text).translate(_SOURCE_TABLE)


def line(text: str) -> str:
    """Make one line of words of a text: NFC, single spaces, no space at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", tidy(text))).strip()


def preformatted(text: str) -> str:
    """Keep a text as it stands except for empty lines at its ends and space after its last word."""
    return _EDGE_NEWLINES.sub("", tidy(text))


def raised(text: str) -> str:
    """Write a superscript with Unicode's own raised digits when all of it can be, else as it is."""
    return _all(text, _SUP)


def lowered(text: str) -> str:
    """Write a subscript with Unicode's own lowered digits when all of it can be, else as it is."""
    return _all(text, _SUB)


def _all(text: str, table: dict[int, int]) -> str:
    return text.translate(table) if all(ord(char) in table for char in text) else text


# The short names that Jira Cloud uses, the character, and the sign that Jira's wiki has for it.
SMILEYS: tuple[tuple[str, str, str], ...] = (
    (":)", ":slight_smile:", "\U0001f642"),
    (":(", ":disappointed:", "\U0001f61e"),
    (":P", ":stuck_out_tongue:", "\U0001f61b"),
    (":D", ":smiley:", "\U0001f603"),
    (";)", ":wink:", "\U0001f609"),
    ("(y)", ":thumbsup:", "\U0001f44d"),
    ("(n)", ":thumbsdown:", "\U0001f44e"),
    ("(i)", ":info:", "\u2139"),
    ("(/)", ":check_mark:", "\u2705"),
    ("(x)", ":cross_mark:", "\u274c"),
    ("(!)", ":warning:", "\u26a0"),
    ("(+)", ":plus:", "\u2795"),
    ("(-)", ":minus:", "\u2796"),
    ("(?)", ":question:", "\u2753"),
    ("(on)", ":light_bulb_on:", "\U0001f4a1"),
    ("(*)", ":yellow_star:", "\u2b50"),
)
SMILEY_NAMES = {name: sign for sign, name, _ in SMILEYS}
SMILEY_TEXTS = {name: text for _, name, text in SMILEYS}
# More signs than we read are broken when written: Jira would turn all of these into pictures.
SMILEY = re.compile(r"[:;][()PpDd|]|\((?:y|n|i|/|x|!|\+|-|\?|on|off|\*[rgby]?|flag|flagoff)\)")
