"""Pairs of parts that mirror each other: files, relations, worklogs. A second pair for the same part is refused."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreError
from bridge.store.tables import parts
from bridge.sync.base import PartKind, PartPair

C = parts.c
_COLUMNS = (C.id, C.kind, C.origin, C.origin_id, C.copy_id, C.digest, C.state, C.detail)


def _values(pair: PartPair) -> dict[str, Any]:
    return {
        "kind": pair.kind,
        "origin": pair.origin,
        "origin_id": pair.origin_id,
        "copy_id": pair.copy_id,
        "digest": pair.digest,
        "state": pair.state,
        "detail": dict(pair.detail),
    }


class Parts:
    """The pairs of parts, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, link_id: int, kind: PartKind | None = None) -> builtins.list[PartPair]:
        """A link's pairs, of one kind or of all, in the order in which they came to be."""
        query = select(*_COLUMNS).where(C.link_id == link_id).order_by(C.id)
        if kind is not None:
            query = query.where(C.kind == kind)
        return [PartPair(*row) for row in self._connection.execute(query)]

    def put(self, link_id: int, pair: PartPair) -> PartPair:
        """Store a pair, a new one (``id`` 0) or one that changed: the same with its row id.

        Raises:
            StoreError: one of the two parts belongs to another pair, or there is no such link or pair.
        """
        try:
            if pair.id == 0:
                statement = parts.insert().values(link_id=link_id, **_values(pair)).returning(C.id)
                return replace(pair, id=self._connection.execute(statement).scalar_one())
            changed = update(parts).where(C.id == pair.id, C.link_id == link_id).values(_values(pair))
            found = self._connection.execute(changed).rowcount
        except IntegrityError as error:
            raise StoreError(
                f"The {pair.origin} {pair.kind} {pair.origin_id or '-'} or its copy {pair.copy_id or '-'} already "
                "belongs to another pair, or the link does not exist."
            ) from error
        if not found:
            raise StoreError(f"The pair of parts {pair.id} does not exist.")
        return pair
