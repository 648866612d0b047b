"""Pairs of comments that mirror each other. The database refuses a second pair for the same comment."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from bridge.errors import StoreError
from bridge.store.tables import comments
from bridge.sync.base import CommentPair

C = comments.c


def _values(pair: CommentPair) -> dict[str, Any]:
    return {
        "origin": pair.origin,
        "origin_id": pair.origin_id,
        "copy_id": pair.copy_id,
        "origin_digest": pair.origin_digest,
        "copy_digest": pair.copy_digest,
        "state": pair.state,
    }


class Comments:
    """The pairs of comments, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, link_id: int) -> builtins.list[CommentPair]:
        """A link's pairs, in the order in which they came to be."""
        query = (
            select(C.id, C.origin, C.origin_id, C.copy_id, C.origin_digest, C.copy_digest, C.state)
            .where(C.link_id == link_id)
            .order_by(C.id)
        )
        return [CommentPair(*row) for row in self._connection.execute(query)]

    def add(self, link_id: int, pair: CommentPair) -> CommentPair:
        """Store a new pair: the same with its row id.

        Raises:
            StoreError: one of the two comments already belongs to a pair, or there is no such link.
        """
        statement = comments.insert().values(link_id=link_id, **_values(pair)).returning(C.id)
        try:
            return replace(pair, id=self._connection.execute(statement).scalar_one())
        except IntegrityError as error:
            raise _clash(pair) from error

    def update(self, pair: CommentPair) -> None:
        """Store a pair as it is now.

        Raises:
            StoreError: it was never stored, or one of its comments belongs to another pair.
        """
        try:
            changed = self._connection.execute(
                update(comments).where(C.id == pair.id).values(_values(pair))
            ).rowcount
        except IntegrityError as error:
            raise _clash(pair) from error
        if not changed:
            raise StoreError(f"The pair of comments {pair.id} does not exist.")


def _clash(pair: CommentPair) -> StoreError:
    return StoreError(
        f"The {pair.origin} comment {pair.origin_id or '-'} or its copy {pair.copy_id or '-'} already "
        "belongs to another pair, or the link does not exist."
    )
