"""Whether the threads that matter make progress: each says so after every round, and somebody else looks.

Time is the machine's monotonic one: a clock that is set to another time neither hides a thread that hangs nor makes one
look as if it did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMITS = {"sweep": 120.0, "tick": 120.0, "mailer": 300.0}
"""Thread -> seconds without a round after which it counts as hanging. The mailer waits for mail servers."""


class Pulse:
    """When each thread that is watched has last made progress.

    Args:
        monotonic: seconds of a clock that is never set.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beats: dict[str, float] = {}
        self._lock = threading.Lock()

    def beat(self, name: str) -> None:
        """A thread of ``LIMITS`` begins, or has made progress; from its first beat on it is watched."""
        with self._lock:
            self._beats[name] = self._monotonic()

    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each thread that is watched."""
        with self._lock:
            now = self._monotonic()
            return {name: now - beat for name, beat in self._beats.items()}

    def hanging(self) -> list[str]:
        """The threads that have made no progress for too long."""
        return sorted(name for name, age in self.ages().items() if age > LIMITS[name])
