"""How fast we may talk to one tracker: our own rate, its Retry-After, how many requests at once.

The rate is the generic cell rate algorithm (GCRA, the leaky bucket as a meter): one number per tracker, the
theoretical arrival time of the next request, decides everything. :func:`gcra` is pure, so that the same rule
can run over one row of a shared table when several nodes keep one budget. One :class:`Limiter` is shared by
all threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.clock import SECOND, Clock

SET_BACK = SECOND
"""A step back by more than this is somebody setting our clock; less is noise."""


def gcra(arrival: int, now: int, *, interval: int, burst: int) -> tuple[int, int]:
    """Place one request on the schedule.

    Args:
        arrival: theoretical arrival time of this request, as the previous call left it; 0 at the start.
        now: microseconds.
        interval: microseconds between requests at the steady rate.
        burst: requests that may follow each other at once after a silence, at least 1.

    Returns:
        The arrival time to store, and the microseconds that this request has to wait.
    """
    start = max(arrival, now)
    wait = max(0, start - now - (burst - 1) * interval)
    return start + interval, wait


class Limiter:
    """The budget of one tracker, shared by all threads.

    Args:
        clock: the time.
        rate: requests per second.
        burst: requests that may follow each other at once after a silence.
        concurrency: requests under way at once.
    """

    def __init__(self, clock: Clock, *, rate: float, burst: int, concurrency: int) -> None:
        self._clock = clock
        self._interval = round(SECOND / rate)
        self._burst = max(1, burst)
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._arrival = 0
        self._blocked_until = 0
        self._last_now = 0

    def reserve(self) -> float:
        """Take the next place on the schedule.

        Returns:
            Seconds to wait before sending. Our own pace may make a long queue wait long; that is no trouble of the
            tracker's, and the threads that wait have nothing better to do.
        """
        with self._lock:
            now = self._now()
            start = max(now, self._blocked_until)
            self._arrival, wait = gcra(self._arrival, start, interval=self._interval, burst=self._burst)
            return (start - now + wait) / SECOND

    def block(self, seconds: float) -> None:
        """Let nobody send for that long: the tracker said so. A shorter block never cuts a longer one."""
        with self._lock:
            now = self._now()
            self._blocked_until = max(self._blocked_until, now + round(seconds * SECOND))

    def blocked(self) -> float:
        """Seconds until the tracker's last Retry-After has passed; 0 when there is none."""
        with self._lock:
            now = self._now()
            return max(0, self._blocked_until - now) / SECOND

    def _now(self) -> int:
        """The time. Where our clock was set back, the schedule moves back with it: nobody waits for the old time.

        To be called with the lock held.
        """
        now = self._clock.now()
        back = self._last_now - now
        if back > SET_BACK:
            self._arrival = max(0, self._arrival - back)
            self._blocked_until = max(0, self._blocked_until - back)
        self._last_now = now
        return now

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the concurrent places while a request is under way."""
        with self._slots:
            yield
