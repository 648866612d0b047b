"""What a person is called on the other side of an agreement: a name to read, and nothing that identifies an account.

Trackers fill the display name with whatever they have: a customer's e-mail address, the login of somebody who has left.
Neither may cross. And a name is foreign text: it must not turn the line it stands in around, nor break it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST_NAME = 60
"""Characters of a name that are told; longer ones are cut."""

LONGEST_LINE = 200
"""Characters of foreign words on a line of ours; longer ones are cut."""

_ADDRESS = re.compile(r"[<(\[]?[^\s<>()\[\]@]+@[^\s<>()\[\]@]+[>)\]]?")
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
"""Characters that show nothing although Unicode counts them among letters and marks."""


def told_name(name: str, handles: Iterable[str] = ()) -> str:
    """A display name as the other side may read it; "" when there is nothing to tell.

    Args:
        name: as the tracker shows it.
        handles: the account's id, login, e-mail: where the name is one of these, it is none.
    """
    visible = "".join(one for one in name if not invisible(one) or one.isspace())
    line = " ".join(_ADDRESS.sub(" ", visible).split())[:LONGEST_NAME].rstrip()
    if line in set(handles):
        return ""
    return line if any(one.isalnum() for one in line) else ""


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Any text as one line that shows all that it is: no line breaks, no invisible characters."""
    visible = "".join(one if not invisible(one) else " " if one.isspace() else "" for one in text)
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def invisible(character: str) -> bool:
    """Whether a character shows nothing by itself: controls, joiners, direction marks, variation selectors, fillers."""
    if (
        character in _FILLERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    ):
        return True
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}
