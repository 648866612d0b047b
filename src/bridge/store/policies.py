"""Versions of the policies: what was agreed about time, and from when on. Versions are added and never changed."""

from __future__ import annotations

import builtins

from sqlalchemy import Connection, select

from bridge.store.columns import insert
from bridge.store.rows import PolicyRow
from bridge.store.tables import policies

C = policies.c


class Policies:
    """The versions, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, row: PolicyRow) -> bool:
        """Keep a version; False when it is known already, whose ``since`` then stays."""
        statement = (
            insert(self._connection, policies)
            .values(
                agreement=row.agreement,
                version=row.version,
                since=row.since,
                seen_at=row.seen_at,
                content=dict(row.content),
            )
            .on_conflict_do_nothing()
            .returning(C.version)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def list(self, agreement: str) -> builtins.list[PolicyRow]:
        """All versions of an agreement, in the order in which they were first seen: the newest word counts most."""
        query = select(policies).where(C.agreement == agreement).order_by(C.seen_at, C.since)
        return [PolicyRow(**row._mapping) for row in self._connection.execute(query)]  # noqa: SLF001 - public in SQLAlchemy
