"""How many links of each agreement were changed lately: what the brake on the share goes by.

Counted in memory, before each change, so that no number of threads gets across the line. A copy goes into the store
every few seconds: a restart goes on from there, and forgets at most the changes of the last seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from bridge.clock import SECOND
from bridge.sync.brakes import recent

SAVING = 2 * SECOND
"""Time between two copies at least."""


class Tally:
    """Links by agreement, each with the time of its latest change, the one that was changed longest ago first."""

    def __init__(self) -> None:
        self._changed: dict[str, dict[int, int]] = {}
        self._saved: dict[str, int] = {}
        self._lock = threading.Lock()

    def knows(self, agreement: str) -> bool:
        """Whether counting has begun."""
        with self._lock:
            return agreement in self._changed

    def begin(self, agreement: str, changed: Mapping[int, int]) -> None:
        """Begin with what was counted before a restart; void when counting has begun already."""
        with self._lock:
            self._changed.setdefault(agreement, dict(sorted(changed.items(), key=lambda one: one[1])))

    def count(self, agreement: str, link: int, *, now: int, after: int, most: int) -> bool:
        """Count a link that is about to be changed, unless that is one too many; whether it may be.

        Args:
            agreement: its agreement; counting must have begun.
            link: the link.
            now: microseconds.
            after: changes up to this moment count no more, microseconds.
            most: how many links may be counted.
        """
        with self._lock:
            changed = self._changed[agreement]
            while changed and changed[oldest := next(iter(changed))] <= after:
                del changed[oldest]
            if link not in changed and len(changed) >= most:
                return False
            changed.pop(link, None)
            changed[link] = now
            return True

    def to_save(self, agreement: str, now: int, within: int) -> dict[int, int] | None:
        """What is to be stored, when it is time for that; else None."""
        with self._lock:
            if now - self._saved.get(agreement, -SAVING) < SAVING:
                return None
            self._saved[agreement] = now
            return recent(self._changed[agreement], now, within)
