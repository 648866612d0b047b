"""Tickets as the latest polls saw them: a read that was already paid for.

Only a memory of this process, bounded, and never trusted blindly: the worker uses a sighting when it is provably
newer than all that is known of the ticket (``Base.fresh``), and reads by id before it writes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from bridge.sync.ticket import Ticket


class Sightings:
    """The newest complete sighting per ticket and agreement; the longest unseen ticket is forgotten first.

    Per agreement, because each maps other fields: what one agreement's feed has read of a ticket says nothing about
    the fields of another.

    Args:
        limit: how many tickets are kept.
    """

    def __init__(self, limit: int = 5_000) -> None:
        self._limit = limit
        self._tickets: OrderedDict[tuple[str, str], dict[str, Ticket]] = OrderedDict()
        self._forgotten: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def moment(self) -> int:
        """The present, for :meth:`put`: to be asked before the tracker is."""
        with self._lock:
            return self._count

    def put(self, tracker: str, ticket: Ticket, agreement: str, asked: int) -> None:
        """Remember a ticket, unless something newer of it is known.

        Args:
            tracker: its tracker.
            ticket: as it was seen.
            agreement: under which agreement.
            asked: the moment before the tracker was asked. If the ticket was dropped since (it was written, a hint
                spoke of it), the answer may be older than that, and is not remembered.
        """
        key = (tracker, ticket.id)
        with self._lock:
            if self._forgotten.get(key, 0) > asked:
                return
            known = self._tickets.setdefault(key, {})
            before = known.get(agreement)
            if before is None or before.updated <= ticket.updated:
                known[agreement] = ticket
                self._tickets.move_to_end(key)
            while len(self._tickets) > self._limit:
                self._tickets.popitem(last=False)

    def get(self, tracker: str, ticket: str, agreement: str) -> Ticket | None:
        """The newest sighting, or None."""
        with self._lock:
            return self._tickets.get((tracker, ticket), {}).get(agreement)

    def forget(self, tracker: str, ticket: str) -> None:
        """Drop a ticket under every agreement, because it was just written."""
        key = (tracker, ticket)
        with self._lock:
            self._tickets.pop(key, None)
            self._count += 1
            self._forgotten[key] = self._count
            self._forgotten.move_to_end(key)
            while len(self._forgotten) > self._limit:
                self._forgotten.popitem(last=False)
