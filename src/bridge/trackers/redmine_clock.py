"""What time it is at Redmine.

A web server in front of Redmine tells the time with every answer; Redmine's own application server does not.
Then the stamps that our writes get are the only witnesses: such a stamp was taken between sending the request
and having the answer, and is rounded down to the second.
"""

from __future__ import annotations

import threading

from bridge.clock import SECOND, Clock


class FarClock:
    """The tracker's clock: ours, corrected by what the tracker's stamps prove.

    Args:
        clock: our own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._skew = 0
        self._known = False

    def here(self) -> int:
        """Our own time: what to remember before a request that will be witnessed."""
        return self._clock.now()

    def now(self) -> int:
        """The tracker's time, microseconds."""
        return self._clock.now() + self._skew

    @property
    def known(self) -> bool:
        """Whether any stamp has told the tracker's time yet."""
        return self._known

    def witness(self, stamp: int, began: int) -> None:
        """Learn from a stamp that the tracker took after ``began`` (our time) and before now.

        The correction changes only as far as the stamp contradicts it, so rounding never makes it wander.
        """
        lowest, highest = stamp - self._clock.now(), stamp + SECOND - began
        with self._lock:
            self._known = True
            self._skew = min(max(self._skew, lowest), highest)
