"""Which links wait until a ticket is mirrored, because their own ticket is related to it.

Kept among the notes: there are few, and a lost one costs no more than a look that comes later.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from bridge.store.columns import insert
from bridge.store.tables import notes
from bridge.sync.ticket import Side

N = notes.c


def _key(agreement: str, side: Side, ticket: str) -> str:
    return f"waits/{agreement}/{side.value}/{ticket}/"


class Waits:
    """The waiting links, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, agreement: str, side: Side, ticket: str, link_id: int) -> None:
        """Note that a link waits for that side's ticket; repeating it is harmless."""
        statement = insert(self._connection, notes).values(
            key=f"{_key(agreement, side, ticket)}{link_id}", value=link_id
        )
        self._connection.execute(statement.on_conflict_do_nothing())

    def take(self, agreement: str, side: Side, ticket: str) -> list[int]:
        """The links that waited for that side's ticket, which do so no longer."""
        mine = N.key.startswith(_key(agreement, side, ticket), autoescape=True)
        links = sorted(self._connection.scalars(select(N.value).where(mine)))
        if links:
            self._connection.execute(delete(notes).where(mine))
        return links
