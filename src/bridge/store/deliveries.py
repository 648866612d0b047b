"""Ids of webhook deliveries, so that a repeated one costs nothing; kept for a while and then forgotten."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from bridge.store.columns import insert
from bridge.store.tables import deliveries

C = deliveries.c


class Deliveries:
    """The deliveries seen, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, hook: str, delivery: str, now: int) -> bool:
        """Note a delivery; False when it was noted before."""
        statement = (
            insert(self._connection, deliveries)
            .values(hook=hook, delivery=delivery, at=now)
            .on_conflict_do_nothing()
            .returning(C.at)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def forget(self, before: int) -> int:
        """Forget deliveries older than this (microseconds); returns how many."""
        return self._connection.execute(delete(deliveries).where(C.at < before)).rowcount
