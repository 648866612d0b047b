"""What the clocks ask of a calendar, and all that they know of it."""

from __future__ import annotations

from typing import Protocol


class Hours(Protocol):
    """The time that counts. Moments and durations are microseconds."""

    def elapsed(self, start: int, end: int) -> int:
        """How much of [start, end) counts; 0 when it ends before it starts."""
        ...

    def due(self, start: int, budget: int) -> int | None:
        """The least moment from ``start`` on by which the budget has counted; None beyond the calendar's horizon."""
        ...
