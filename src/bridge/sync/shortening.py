"""Texts longer than a tracker takes: how long one is in the tracker's own form, and a beginning of it that fits."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from bridge.markup import Block, CodeBlock, Dialect, Document, Mark, Paragraph, Text, plain, to_json, write

MOST_BLOWN_UP = 3
"""How many times longer a tracker's form may be than ours."""

SIGN = "\u2026"


def native_length(native: Any) -> int:
    """Characters of a text in a tracker's form, as trackers count them: a document as it is serialised."""
    text = native if isinstance(native, str) else json.dumps(native, ensure_ascii=False)
    return len(text) + sum(sign > "\uffff" for sign in text)  # Java and JavaScript count these double


def surely_short(text: Document, limit: int) -> bool:
    """Whether a text fits into any tracker's form, told without writing it: our own form is much the same length."""
    return MOST_BLOWN_UP * len(json.dumps(to_json(text), ensure_ascii=False)) < limit


@lru_cache(maxsize=64)
def shorten(dialect: Dialect, text: Document, limit: int, note: str) -> Document:
    """As much of the beginning of a text as fits, whole blocks if possible, and a note that there was more.

    Args:
        dialect: the form that counts.
        text: the whole text.
        limit: characters in that form.
        note: what to say at the end; must fit by itself.
    """
    end = Paragraph((Text(note, (Mark("em"),)),))

    def fits(blocks: tuple[Block, ...]) -> bool:
        return native_length(write(dialect, Document((*blocks, end)))) <= limit

    # Each block by itself tells nearly how long it is; so the whole is written once or twice, not many times.
    kept, room = 0, limit - native_length(write(dialect, Document((end,))))
    for block in text.blocks:
        room -= native_length(write(dialect, Document((block,))))
        if room < 0:
            break
        kept += 1
    while kept and not fits(text.blocks[:kept]):
        kept -= 1 + kept // 50
    blocks = text.blocks[:kept]
    if kept < len(text.blocks):
        rest = text.blocks[kept]
        words = rest.text if isinstance(rest, CodeBlock) else plain(Document((rest,)))

        def cut(count: int) -> Block:
            if isinstance(rest, CodeBlock):
                return CodeBlock(words[:count] + SIGN, rest.language)
            return Paragraph((Text(" ".join(words[:count].split()) + SIGN),))

        # A block that is cut loses its form; only where whole ones would leave the text nearly empty.
        if not blocks or len(plain(Document(blocks))) < limit // 8:
            count = _most(len(words), lambda count: fits((*blocks, cut(count))))
            if count:
                blocks = (*blocks, cut(count))
    return Document((*blocks, end))


def _most(top: int, fits: Any) -> int:
    """The largest number up to ``top`` that still fits."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
