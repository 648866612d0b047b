"""Whether a value of the journal is a person, or speaks of one: what an erasure looks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import Any

from bridge.markup import from_json, plain


class Mention(IntEnum):
    """How a value has to do with a person; the greater, the more."""

    NONE = 0
    TEXT = 1
    """A text that contains one of the person's names."""
    PERSON = 2
    """The person as the value of a field, or nothing but one of their names."""


def mention(value: Any, names: Collection[str]) -> Mention:
    """How a value has to do with a person.

    Args:
        value: as the journal keeps it.
        names: what the person is called: ids, logins, addresses, names. Capitals make no difference.
    """
    wanted = {name.casefold() for name in names if name}
    within = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in wanted]
    found = Mention.NONE
    for text, whole in _texts(value):
        folded = text.casefold()
        if whole and folded in wanted:
            return Mention.PERSON
        if any(pattern.search(folded) for pattern in within):
            found = Mention.TEXT
    return found


def _texts(value: Any, *, whole: bool = True) -> Iterator[tuple[str, bool]]:
    """The texts in a value, and whether each stands for itself; of a rich text, also what a reader sees of it."""
    match value:
        case str():
            yield value, whole
        case {"doc": dict() as document}:
            yield plain(from_json(document)), False
            for one in document.values():
                yield from _texts(one, whole=False)  # the ids in its mentions, too
        case dict():
            for one in value.values():
                yield from _texts(one, whole=whole)
        case list():
            for one in value:
                yield from _texts(one, whole=whole)
        case _:
            return
