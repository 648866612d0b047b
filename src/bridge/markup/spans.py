"""Cells that reach over several columns or rows, which the tree does not have: empty cells stand in for the rest.

So every word stays under the head that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bridge.markup.tree import Cell

MAX_SPAN = 50
MAX_FILLED = 20_000


@dataclass(frozen=True, slots=True)
class SpanningCell:
    """A cell and how many columns and rows it reaches over."""

    cell: Cell
    columns: int = 1
    rows: int = 1


def spread(rows: Iterable[Iterable[SpanningCell]]) -> Iterator[tuple[Cell, ...]]:
    """The rows of a table with an empty cell wherever one from the left or from above reaches.

    A table that would get more than ``MAX_FILLED`` of those is read as if its other cells reached nowhere.
    """
    above: dict[int, tuple[int, Cell]] = {}
    left = MAX_FILLED
    for row in rows:
        out: list[Cell] = []
        below: dict[int, tuple[int, Cell]] = {}
        for spanning in row:
            left -= _fill(out, above, below)
            columns = min(max(spanning.columns, 1), MAX_SPAN) if left > 0 else 1
            empty = Cell((), spanning.cell.header)
            for number in range(columns):
                if spanning.rows > 1 and left > 0:
                    below[len(out)] = (min(spanning.rows, MAX_SPAN) - 1, empty)
                out.append(empty if number else spanning.cell)
            left -= columns - 1
        left -= _fill(out, above, below)
        yield tuple(out)
        above = below if left > 0 else {}


def _fill(out: list[Cell], above: Mapping[int, tuple[int, Cell]], below: dict[int, tuple[int, Cell]]) -> int:
    """Go on in a row over the places that cells from above reach; returns how many."""
    start = len(out)
    while (reaching := above.get(len(out))) is not None:
        rows, empty = reaching
        if rows > 1:
            below[len(out)] = (rows - 1, empty)
        out.append(empty)
    return len(out) - start
