"""How often in a row a link has met the same trouble: what tells a sick ticket from a sick tracker.

Only a memory of this process: after a restart a sick ticket is given another chance.
"""

from __future__ import annotations

import threading

TOO_OFTEN = 2
"""Times in a row after which trouble is the link's own: it is parked, and the tracker is not blamed for it."""


class Stumbles:
    """Counts by link and kind of trouble."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}
        self._lock = threading.Lock()

    def again(self, link: int, what: str) -> int:
        """Count one more; returns how many in a row that makes."""
        with self._lock:
            counts = self._counts.setdefault(link, {})
            counts[what] = counts.get(what, 0) + 1
            return counts[what]

    def forget(self, link: int) -> None:
        """The link has been brought into agreement."""
        with self._lock:
            self._counts.pop(link, None)
