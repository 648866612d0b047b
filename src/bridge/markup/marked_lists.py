"""Lists whose lines begin with one sign per level (``*``, ``*#``): Jira's wiki and Textile have them alike."""

from __future__ import annotations

from bridge.markup.tree import Block, BulletList, HardBreak, ListItem, OrderedList, Paragraph

MAX_LIST_DEPTH = 40


class MarkedLists:
    """The list that is being read: one open item per level."""

    def __init__(self) -> None:
        self._finished: list[Block] = []
        self._kinds = ""
        self._levels: list[list[tuple[list[Block], bool | None]]] = []

    def add(self, markers: str, item: ListItem) -> None:
        """Begin an item at the level and of the kind that its signs tell."""
        kinds = markers[:MAX_LIST_DEPTH].replace("-", "*")
        common = 0
        while common < min(len(kinds), len(self._kinds)) and kinds[common] == self._kinds[common]:
            common += 1
        self._close(common)
        while len(self._levels) < len(kinds):
            self._levels.append([])
            if len(self._levels) < len(kinds):
                self._levels[-1].append(([], None))
        self._kinds = kinds
        self._levels[-1].append((list(item.blocks), item.checked))

    def extend(self, blocks: tuple[Block, ...]) -> None:
        """Add a line that goes on in the last item."""
        into = self._levels[-1][-1][0]
        for block in blocks:
            if into and isinstance(into[-1], Paragraph) and isinstance(block, Paragraph):
                into[-1] = Paragraph((*into[-1].children, HardBreak(), *block.children))
            else:
                into.append(block)

    def done(self) -> list[Block]:
        """End all lists and take them."""
        self._close(0)
        return self._finished

    def _close(self, depth: int) -> None:
        while len(self._levels) > depth:
            items = tuple(ListItem(tuple(blocks), checked) for blocks, checked in self._levels.pop())
            numbered = self._kinds[len(self._levels)] == "#"
            made = OrderedList(items) if numbered else BulletList(items)
            if self._levels:
                self._levels[-1][-1][0].append(made)
            else:
                self._finished.append(made)
        self._kinds = self._kinds[:depth]
