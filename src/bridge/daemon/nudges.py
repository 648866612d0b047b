"""When a feed polls out of turn, because a webhook named a ticket that no link knows.

The ticket may be new in scope; only the agreement's selection can tell, and that is the tracker's search, which trails
the truth. So the poll comes at once, and again after a second, two, four ... until the ticket is known or the search
must have caught up. But most unknown tickets of a busy project are none of ours: as long as such polls bring nothing,
the least distance between them grows up to the ordinary one, so that a storm of hints costs no more than the polls
would cost anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from bridge.clock import SECOND
from bridge.daemon.alarm import Alarm

CLOSEST = 1 * SECOND
"""Microseconds between two polls out of turn at least."""

MOST = 1_000
"""Unknown tickets that are remembered; one more of them makes one poll come early, and no second one."""

UNNAMED = ""
"""Stands for a hint that names no ticket."""


class Nudges:
    """The polls out of turn of one feed.

    Args:
        alarm: ends the pause between the feed's polls.
    """

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm
        self._lock = threading.Lock()
        self._last = 0
        self._gap = CLOSEST
        self._step = CLOSEST
        self._unknown: dict[str, int] = {}

    def nudge(self, now: int, tickets: Collection[str], lag: float) -> None:
        """Tickets that no link knows were named; none where the hint named nothing.

        Args:
            now: the present, microseconds.
            tickets: their ids.
            lag: seconds by which the tracker's search may trail.
        """
        with self._lock:
            if now - self._last > 4 * self._gap:
                self._gap = CLOSEST
            self._step = CLOSEST
            for ticket in tickets or (UNNAMED,):
                if len(self._unknown) < MOST:
                    self._unknown[ticket] = now + int(lag * SECOND)
            due = max(now, self._last + self._gap)
        self._alarm.at(due)

    def unknown(self) -> tuple[str, ...]:
        """The tickets that are still looked for."""
        with self._lock:
            return tuple(ticket for ticket in self._unknown if ticket != UNNAMED)

    def polled(self, now: int, known: Collection[str], pause: float) -> None:
        """A poll has ended.

        Args:
            now: the present, microseconds.
            known: those of :meth:`unknown` that have a link by now.
            pause: seconds between ordinary polls.
        """
        with self._lock:
            self._last = now
            if not self._unknown:
                return
            self._gap = CLOSEST if known else min(2 * self._gap, max(CLOSEST, int(pause * SECOND)))
            for ticket in known:
                self._unknown.pop(ticket, None)
            self._unknown = {ticket: until for ticket, until in self._unknown.items() if until > now}
            if not self._unknown:
                return
            due = now + max(self._step, self._gap)
            self._step *= 2
        self._alarm.at(due)
