"""How far each feed has read, and small facts worth remembering (a feed's last result, for ``status``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from bridge.store.columns import chunks, insert
from bridge.store.tables import cursors, notes
from bridge.sync.ticket import Side

C = cursors.c
N = notes.c


class Cursors:
    """The cursors and notes, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, agreement: str, side: Side, kind: str) -> int | None:
        """How far that feed has read; None before its first time."""
        query = select(C.value).where(C.agreement == agreement, C.side == side, C.kind == kind)
        value: int | None = self._connection.scalar(query)
        return value

    def put(self, agreement: str, side: Side, kind: str, value: int) -> None:
        """Note how far that feed has read; never before the wake-ups it stands for."""
        statement = insert(self._connection, cursors).values(
            agreement=agreement, side=side, kind=kind, value=value
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[C.agreement, C.side, C.kind], set_={"value": value}
            )
        )

    def get_note(self, key: str) -> Any:
        """A remembered fact; None when there is none."""
        return self._connection.scalar(select(N.value).where(N.key == key))

    def get_notes(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those of the remembered facts that there are, by key."""
        found: dict[str, Any] = {}
        for portion in chunks(keys):
            rows = self._connection.execute(select(N.key, N.value).where(N.key.in_(portion)))
            found.update((key, value) for key, value in rows)
        return found

    def set_note(self, key: str, value: Any) -> None:
        """Remember a fact, as JSON, in the place of the one before."""
        statement = insert(self._connection, notes).values(key=key, value=value)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=[N.key], set_={"value": value})
        )

    def keep_note(self, key: str, value: Any) -> None:
        """Remember a fact, or no more: None is nothing to remember."""
        if value is None:
            self.drop_note(key)
        else:
            self.set_note(key, value)

    def drop_note(self, key: str) -> None:
        """Remember a fact no more; harmless when it is not known."""
        self._connection.execute(notes.delete().where(N.key == key))

    def notes(self, prefix: str = "") -> dict[str, Any]:
        """All remembered facts whose key begins so."""
        begun = N.key.startswith(prefix, autoescape=True)  # in any case, on SQLite
        rows = self._connection.execute(select(N.key, N.value).where(begun).order_by(N.key))
        return {key: value for key, value in rows if key.startswith(prefix)}
