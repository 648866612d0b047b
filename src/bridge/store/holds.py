"""Holds: changes that wait for people. One live hold for each field of a link; what is over stays, as history."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreError
from bridge.store.rows import LinkState
from bridge.store.tables import LIVE_HOLD, holds, links
from bridge.sync.holding import Hold, HoldState, decode_hold

C = holds.c
_COLUMNS = (C.id, C.field, C.side, C.kind, C.state, C.since, C.closed_at, C.detail)


def _values(hold: Hold) -> dict[str, Any]:
    return {
        "field": hold.field,
        "side": hold.side,
        "kind": hold.kind,
        "state": hold.state,
        "since": hold.since,
        "closed_at": hold.closed_at,
        "detail": hold.detail(),
    }


class Holds:
    """The holds, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, hold_id: int) -> tuple[int, Hold] | None:
        """The row id of a hold's link, and the hold."""
        query = select(C.link_id, *_COLUMNS).where(C.id == hold_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row[0], decode_hold(*row[1:]))

    def list(self, link_id: int) -> builtins.list[Hold]:
        """All holds that a link ever had, oldest first."""
        query = select(*_COLUMNS).where(C.link_id == link_id).order_by(C.id)
        return [decode_hold(*row) for row in self._connection.execute(query)]

    def live(self) -> builtins.list[tuple[int, Hold]]:
        """All holds that are not over, each with the row id of its link, oldest first."""
        rows = self._connection.execute(select(C.link_id, *_COLUMNS).where(LIVE_HOLD))
        return sorted(((row[0], decode_hold(*row[1:])) for row in rows), key=lambda entry: entry[1].id)

    def all(self) -> builtins.list[tuple[int, Hold]]:
        """All holds that ever were, each with the row id of its link, oldest first."""
        rows = self._connection.execute(select(C.link_id, *_COLUMNS).order_by(C.id))
        return [(row[0], decode_hold(*row[1:])) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many holds wait for somebody to decide, by agreement; what there is none of is absent."""
        # Apart from the links, whose column bears the same name: the literal condition is what lets an index serve.
        waiting = select(C.link_id).where(LIVE_HOLD, C.state == HoldState.OPEN).subquery()
        query = (
            select(links.c.agreement, func.count())
            .join_from(waiting, links, waiting.c.link_id == links.c.id)
            .where(links.c.state != LinkState.CLOSED)
            .group_by(links.c.agreement)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def put(self, link_id: int, hold: Hold) -> Hold:
        """Store a hold, a new one (``id`` 0) or one that changed: the same with its row id.

        Raises:
            StoreError: the field has a live hold already, or there is no such link or hold.
        """
        try:
            if hold.id == 0:
                statement = holds.insert().values(link_id=link_id, **_values(hold)).returning(C.id)
                return replace(hold, id=self._connection.execute(statement).scalar_one())
            changed = update(holds).where(C.id == hold.id, C.link_id == link_id).values(_values(hold))
            found = self._connection.execute(changed).rowcount
        except IntegrityError as error:
            raise StoreError(
                f"'{hold.field}' of link {link_id} has a live hold already, or the link does not exist."
            ) from error
        if not found:
            raise StoreError(f"The hold {hold.id} of link {link_id} does not exist.")
        return hold
