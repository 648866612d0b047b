"""Tickets as the latest polls saw them: a read that was already paid for.

Only a memory of this process, bounded, and never trusted blindly: the worker uses a sighting when it is provably
newer than all that is known of the ticket (``Base.fresh``), and reads by id before it writes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from bridge.sync.ticket import Ticket


class Sightings:
    """The newest complete sighting per ticket; the longest unseen is forgotten first.

    Args:
        limit: how many tickets are kept.
    """

    def __init__(self, limit: int = 5_000) -> None:
        self._limit = limit
        self._tickets: OrderedDict[tuple[str, str], Ticket] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, tracker: str, ticket: Ticket) -> None:
        """Remember a ticket, unless something newer of it is known."""
        key = (tracker, ticket.id)
        with self._lock:
            known = self._tickets.get(key)
            if known is None or known.updated <= ticket.updated:
                self._tickets[key] = ticket
                self._tickets.move_to_end(key)
            while len(self._tickets) > self._limit:
                self._tickets.popitem(last=False)

    def get(self, tracker: str, ticket: str) -> Ticket | None:
        """The newest sighting, or None."""
        with self._lock:
            return self._tickets.get((tracker, ticket))

    def forget(self, tracker: str, ticket: str) -> None:
        """Drop a ticket, because it was just written."""
        with self._lock:
            self._tickets.pop((tracker, ticket), None)
