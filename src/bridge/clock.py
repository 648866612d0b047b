"""Time as something that is handed in, never reached for, so that a virtual clock can run the whole house.

All instants in the house are integer microseconds UTC since 1970; all durations that people configure are seconds.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

SECOND = 1_000_000
"""Microseconds in a second."""


class Clock(Protocol):
    """The present, and waiting."""

    def now(self) -> int:
        """Microseconds UTC since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds, or earlier when the process is shutting down."""
        ...


class SystemClock:
    """The machine's clock. ``stop`` ends every sleep at once and makes later ones return immediately."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> int:
        """See :class:`Clock`."""
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        """See :class:`Clock`."""
        if seconds > 0:
            self._stopped.wait(seconds)

    def stop(self) -> None:
        """End all sleeps: the process is going down."""
        self._stopped.set()
