"""A pause that can be cut short: until so many seconds have passed, or until a moment that somebody else has set."""

from __future__ import annotations

import heapq
import threading

from bridge.clock import SECOND, Clock

MOST = 1_000
"""Moments that are kept; what is set beyond them waits for the ordinary end of a pause."""


class Alarm:
    """The pauses of one thread between its rounds.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = threading.Condition()
        self._moments: list[int] = []
        self._closed = False

    def at(self, moment: int) -> None:
        """Let a pause end at that moment (microseconds): the present one, or the one that it falls into."""
        with self._turn:
            if moment not in self._moments and len(self._moments) < MOST:
                heapq.heappush(self._moments, moment)
                if self._moments[0] == moment:
                    self._turn.notify_all()

    def wait(self, seconds: float) -> None:
        """Pause; a moment that has passed by the end is used up."""
        pause = int(seconds * SECOND)
        end = self._clock.now() + pause
        with self._turn:
            while not self._closed:
                now = self._clock.now()
                end = min(end, now + pause)  # a clock that was set back must not make it an hour
                until = min(end, self._moments[0]) if self._moments else end
                if until <= now:
                    break
                self._turn.wait((until - now) / SECOND)
            while self._moments and self._moments[0] <= self._clock.now():
                heapq.heappop(self._moments)

    def close(self) -> None:
        """End the present pause and all later ones at once."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
