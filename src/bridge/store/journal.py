"""The journal: what the bridge did and found, in order. It is only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from bridge.store.rows import JournalEntry
from bridge.store.tables import journal

C = journal.c


class Journal:
    """The journal, within one transaction. What it returns is in the order in which it was written."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, now: int, agreement: str, link_id: int | None, event: str, data: Mapping[str, Any]) -> None:
        """Write one entry."""
        self.add_many(
            [JournalEntry(id=0, at=now, agreement=agreement, link_id=link_id, event=event, data=data)]
        )

    def add_many(self, entries: Iterable[JournalEntry]) -> None:
        """Write several entries at once; their ``id`` is ignored."""
        values = [
            {
                "at": entry.at,
                "agreement": entry.agreement,
                "link_id": entry.link_id,
                "event": entry.event,
                "data": dict(entry.data),
            }
            for entry in entries
        ]
        if values:
            self._connection.execute(journal.insert(), values)

    def for_link(self, link_id: int, limit: int | None = None) -> list[JournalEntry]:
        """A link's whole story, or its newest entries only."""
        return self._newest(select(journal).where(C.link_id == link_id), limit)

    def recent(self, limit: int) -> list[JournalEntry]:
        """The newest entries of all."""
        return self._newest(select(journal), limit)

    def _newest(self, query: Select[Any], limit: int | None) -> list[JournalEntry]:
        rows = self._connection.execute(query.order_by(C.id.desc()).limit(limit)).all()
        return [JournalEntry(*row) for row in reversed(rows)]
