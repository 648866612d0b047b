"""Bases: what each side of a link looked like when the link was last in agreement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, case, literal, select, update

from bridge.errors import StoreError
from bridge.store.columns import chunks, insert
from bridge.store.tables import bases, links
from bridge.sync.base import Base, decode_base, encode_base, encode_fields
from bridge.sync.ticket import Side

C = bases.c


class Bases:
    """The bases, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, link_id: int) -> dict[Side, Base]:
        """Both bases of a link; a side that never was in agreement has an empty one."""
        return self.many([link_id])[link_id]

    def many(self, link_ids: Iterable[int]) -> dict[int, dict[Side, Base]]:
        """Both bases of each of those links.

        Raises:
            StoreError: a base was written by a newer version, or is damaged.
        """
        found: dict[int, dict[Side, Base]] = {}
        for portion in chunks(link_ids):
            found.update({link_id: {side: Base() for side in Side} for link_id in portion})
            query = select(C.link_id, C.side, C.fields, C.seen, C.written).where(C.link_id.in_(portion))
            for link_id, side, data, seen, written in self._connection.execute(query):
                try:
                    found[link_id][side] = decode_base(data, seen=seen, written=written)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise StoreError(
                        f"The {side} base of link {link_id} cannot be read: {error or type(error).__name__}"
                    ) from error
        return found

    def put(self, link_id: int, side: Side, base: Base) -> None:
        """Store a side's base in the place of the one before."""
        values = {"fields": encode_base(base), "seen": base.seen, "written": base.written}
        statement = insert(self._connection, bases).values(link_id=link_id, side=side, **values)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=[C.link_id, C.side], set_=values)
        )

    def touch(self, link_id: int, side: Side, seen: int | None = None, written: int | None = None) -> None:
        """Move a side's stamps forward, never back, and leave its fields alone."""
        statement = insert(self._connection, bases).values(
            link_id=link_id, side=side, fields=encode_fields({}), seen=seen or 0, written=written or 0
        )
        newest = {
            name: _later(C[name], stamp)
            for name, stamp in (("seen", seen), ("written", written))
            if stamp is not None
        }
        if newest:
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=[C.link_id, C.side], set_=newest)
            )

    def unsee(self, agreement: str) -> None:
        """Forget up to which stamp the tickets of an agreement were dealt with: every one counts as changed."""
        chosen = select(links.c.id).where(links.c.agreement == agreement)
        self._connection.execute(update(bases).where(C.link_id.in_(chosen)).values(seen=0))


def _later(column: ColumnElement[int], stamp: int) -> ColumnElement[Any]:
    """The later of both; the databases have no function for it in common."""
    return case((column < stamp, literal(stamp, BigInteger)), else_=column)
