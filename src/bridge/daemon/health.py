"""Which trackers are out of reach, and until when they are left alone.

One tracker that is down must cost one probe now and then, not one time-out per link, and must not touch the agreements
of other trackers. Throttling is kept here too: the wait that a tracker asked for holds for every link.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bridge.clock import SECOND
from bridge.errors import Throttled, TrackerError

FIRST_WAIT = 2.0
"""Seconds before the first new try."""

LONGEST_WAIT = 60.0
"""Seconds between tries at most: a tracker that comes back is noticed within a minute."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a tracker is left alone. ``until``: microseconds; ``tries`` in a row that failed."""

    words: str
    since: int
    until: int
    tries: int


class Health:
    """Troubles by tracker name."""

    def __init__(self) -> None:
        self._troubles: dict[str, Trouble] = {}
        self._lock = threading.Lock()

    def trouble(self, tracker: str) -> Trouble | None:
        """What is wrong with a tracker, or None."""
        with self._lock:
            return self._troubles.get(tracker)

    def blocked_until(self, tracker: str, now: int) -> int | None:
        """Until when a tracker is left alone, or None when it may be asked."""
        trouble = self.trouble(tracker)
        return trouble.until if trouble and trouble.until > now else None

    def failed(self, error: TrackerError, now: int, jitter: float) -> tuple[Trouble, bool]:
        """Record a failure.

        Args:
            error: what happened.
            now: microseconds.
            jitter: 0..1, spreads the tries of several nodes.

        Returns:
            The trouble, and whether it is new.
        """
        with self._lock:
            known = self._troubles.get(error.tracker)
            tries = known.tries + 1 if known and known.until <= now else (known.tries if known else 1)
            if isinstance(error, Throttled):
                wait = error.retry_after
            else:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (tries - 1)) * (0.7 + 0.6 * jitter)
            until = now + int(wait * SECOND)
            if known is not None and known.until > now:
                # Several threads met the same failure: one wait for all, unless the tracker asked for a longer one.
                until = max(known.until, until) if isinstance(error, Throttled) else known.until
            trouble = Trouble(error.words, known.since if known else now, until, tries)
            self._troubles[error.tracker] = trouble
            return trouble, known is None

    def answered(self, tracker: str) -> Trouble | None:
        """Record a success; returns the trouble that it ends."""
        with self._lock:
            return self._troubles.pop(tracker, None)
