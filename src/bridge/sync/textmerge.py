"""Merging two edits of one text, block by block.

The two sides' trees of the same text differ a little, because each was read from its own markup. So the vendor's edit
is expressed as "blocks a..b of the vendor's base became these", and carried to the internal tree through the one-to-one
alignment of the two bases. Where the bases do not align, or both sides edited the same or touching blocks, there is no
merge, and the field's rule falls back to the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from bridge.markup import Block, Document


@dataclass(frozen=True, slots=True)
class _Edit:
    """Blocks ``start:end`` of the base became ``blocks``."""

    start: int
    end: int
    blocks: tuple[Block, ...]

    def touches(self, other: _Edit) -> bool:
        """Whether the two meet: they overlap, or one inserts at the border of the other, where the order is unknown."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.end and other.start <= self.end
        return self.start < other.end and other.start < self.end


def merge_blocks(
    base_internal: Document, internal: Document, base_vendor: Document, vendor: Document
) -> Document | None:
    """Both edits applied to the internal base, or None when they cannot be told apart."""
    if len(base_internal.blocks) != len(base_vendor.blocks):
        return None
    ours = _edits(base_internal, internal)
    theirs = _edits(base_vendor, vendor)
    if any(mine.touches(other) for mine in ours for other in theirs):
        return None
    blocks = list(base_internal.blocks)
    for edit in sorted((*ours, *theirs), key=lambda edit: edit.start, reverse=True):
        blocks[edit.start : edit.end] = edit.blocks
    return Document(tuple(blocks))


def _edits(base: Document, text: Document) -> tuple[_Edit, ...]:
    # autojunk would call frequent blocks noise in texts over 200 blocks and make the result depend on length.
    matcher = SequenceMatcher(None, base.blocks, text.blocks, autojunk=False)
    return tuple(
        _Edit(start, end, text.blocks[first:last])
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    )
