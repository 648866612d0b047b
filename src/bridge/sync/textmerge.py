"""Merging two edits of one text, block by block.

The two sides' trees of the same text differ a little, because each was read from its own markup. So the other side's
edit is expressed as "blocks a..b of their base became these", and carried to our tree through the one-to-one alignment
of the two bases; our own blocks stay as they are, with everything in them that may not cross. Where the bases do not
align, or both sides edited the same or touching blocks, there is no merge, and the field's rule falls back to the
newest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

from bridge.markup import Block, Document, words

Fit = Callable[[Document], Document]
"""Makes a text fit to cross to one side."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """Blocks ``start:end`` of the base became ``blocks``, which begin at ``first`` in the new text."""

    start: int
    end: int
    blocks: tuple[Block, ...]
    first: int

    def touches(self, other: _Edit) -> bool:
        """Whether the two meet: they overlap, or one inserts at the border of the other, where the order is unknown."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.end and other.start <= self.end
        return self.start < other.end and other.start < self.end


def merge_blocks(
    our_base: Document,
    our_text: Document,
    their_base: Document,
    their_text: Document,
    fit: Fit,
    *,
    fit_theirs: Fit,
    kept: Collection[int] = (),
) -> Document | None:
    """Both edits applied to our base, theirs made fit for our side; None when they cannot be told apart.

    Args:
        our_base: our text as both last knew it.
        our_text: our text now.
        their_base: the same text on the other side, as both last knew it.
        their_text: theirs now.
        fit: makes their text fit for our side.
        fit_theirs: makes our text fit for theirs.
        kept: blocks of our base that hold words which they have not been shown: their edit must not touch them.
    """
    shown, fitted = fit_theirs(our_base), fit(their_text)
    if not _aligned(shown, fit(their_base)) or len(shown.blocks) != len(our_base.blocks):
        return None
    if len(fit(their_base).blocks) != len(their_base.blocks) or len(fitted.blocks) != len(their_text.blocks):
        return None
    ours = _edits(our_base, our_text)
    theirs = _edits(their_base, their_text)
    if any(mine.touches(other) for mine in ours for other in theirs):
        return None
    if any(edit.start <= number < edit.end for edit in theirs for number in kept):
        return None
    # From the whole as it crosses: what must not leave may reach from one block into the next.
    crossing = [
        _Edit(edit.start, edit.end, fitted.blocks[edit.first : edit.first + len(edit.blocks)], edit.first)
        for edit in theirs
    ]
    blocks = list(our_base.blocks)
    for edit in sorted((*ours, *crossing), key=lambda edit: edit.start, reverse=True):
        blocks[edit.start : edit.end] = edit.blocks
    return Document(tuple(blocks))


def _aligned(left: Document, right: Document) -> bool:
    """Whether the two bases are one text, block for block: a reader may have split one block and dropped another."""
    return len(left.blocks) == len(right.blocks) and all(
        words(Document((one,))) == words(Document((other,)))
        for one, other in zip(left.blocks, right.blocks, strict=True)
    )


def _edits(base: Document, text: Document) -> tuple[_Edit, ...]:
    # autojunk would call frequent blocks noise in texts over 200 blocks and make the result depend on length.
    matcher = SequenceMatcher(None, base.blocks, text.blocks, autojunk=False)
    return tuple(
        _Edit(start, end, text.blocks[first:last], first)
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    )
