"""What is kept of each link for its clocks, and the due index: the next instant at which anything changes.

A million running clocks cost nothing while nothing is due: the tick asks the index for what is due by now, and nobody
else looks. A row is stale when its link was worked on since its timeline was read.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, select, update

from bridge.store.columns import chunks, insert
from bridge.store.rows import Chronicle, LinkState
from bridge.store.tables import links, timelines

C = timelines.c

_AGREEMENT: ColumnElement[str] = func.coalesce(C.agreement, "")
"""As an expression: by the column SQLite takes its index, and goes through a million rows of which none is due."""


def _chronicle(row: Row[Any]) -> Chronicle:
    return Chronicle(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy, the underscore only avoids column names


class Chronicles:
    """The timelines, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, link_id: int) -> Chronicle | None:
        """What is kept of a link."""
        row = self._connection.execute(select(timelines).where(C.link_id == link_id)).one_or_none()
        return None if row is None else _chronicle(row)

    def touch(self, link_id: int, agreement: str, now: int) -> None:
        """The link was worked on: its timeline is to be read again, now; what is stale for longer stays so.

        By a microsecond more, though: whoever is reading it, for longer than was foreseen, must see that.
        """
        made = insert(self._connection, timelines).values(
            link_id=link_id, agreement=agreement, policy="", stale_at=now, timeline={}, summary={}
        )
        known = case((C.stale_at <= now, C.stale_at - 1), else_=now)
        self._connection.execute(
            made.on_conflict_do_update(index_elements=[C.link_id], set_={"stale_at": known})
        )

    def missing(self, agreement: str) -> builtins.list[int]:
        """The links of an agreement that go on and of which nothing is kept yet."""
        kept = select(C.link_id).where(C.link_id == links.c.id).exists()
        query = select(links.c.id).where(
            links.c.agreement == agreement, links.c.state != LinkState.CLOSED, ~kept
        )
        return list(self._connection.execute(query.order_by(links.c.id)).scalars())

    def renew(self, agreement: str, since: int, now: int) -> None:
        """A version of the policy came into force: those born since that moment are to be measured again."""
        touched = update(timelines).where(C.agreement == agreement, C.born >= since, C.stale_at.is_(None))
        self._connection.execute(touched.values(stale_at=now))

    def stale(self, now: int, limit: int, agreement: str) -> builtins.list[Chronicle]:
        """Those of an agreement that are to be read again by now, the longest stale first."""
        query = select(timelines).where(C.stale_at <= now, _AGREEMENT.in_([agreement]))
        return [_chronicle(row) for row in self._connection.execute(query.order_by(C.stale_at).limit(limit))]

    def due(self, now: int, limit: int, agreements: Iterable[str] | None = None) -> builtins.list[Chronicle]:
        """Those of which something changes by now, the earliest first; of these agreements alone, if so asked."""
        query = select(timelines).where(C.next_at <= now).order_by(C.next_at, C.link_id).limit(limit)
        if agreements is not None:
            query = query.where(_AGREEMENT.in_(builtins.list(agreements)))
        return [_chronicle(row) for row in self._connection.execute(query)]

    def next_due(self) -> int | None:
        """When anything changes next; None for never."""
        earliest: int | None = self._connection.execute(select(func.min(C.next_at))).scalar_one()
        return earliest

    def put(self, row: Chronicle, stale_at: int | None) -> None:
        """Keep what was read and found.

        Args:
            row: what to keep.
            stale_at: what ``later`` was told just before the reading began, a moment that was still to come: whoever
                touched the row since has set it earlier, and finds it stale still.
        """
        values = {
            "policy": row.policy,
            "born": row.born,
            "read_at": row.read_at,
            "next_at": row.next_at,
            "timeline": dict(row.timeline),
            "summary": dict(row.summary),
        }
        self._connection.execute(update(timelines).where(C.link_id == row.link_id).values(values))
        fresh = update(timelines).where(C.link_id == row.link_id, C.stale_at == stale_at)
        self._connection.execute(fresh.values(stale_at=None))

    def later(self, link_id: int, stale_at: int) -> None:
        """Its trackers are being asked, or cannot be; they are asked again at that moment."""
        self._connection.execute(update(timelines).where(C.link_id == link_id).values(stale_at=stale_at))

    def set_next(self, link_id: int, next_at: int | None, summary: dict[str, Any]) -> None:
        """When anything changes next, and what lists show until then."""
        changed = update(timelines).where(C.link_id == link_id)
        self._connection.execute(changed.values(next_at=next_at, summary=summary))

    def settle(self, row: Chronicle, next_at: int | None, summary: Mapping[str, Any]) -> bool:
        """The same, of a row as it was read; False when somebody has changed it since, and it stays as it is now."""
        unchanged = update(timelines).where(
            C.link_id == row.link_id,
            C.next_at.is_not_distinct_from(row.next_at),
            C.read_at.is_not_distinct_from(row.read_at),
        )
        done = self._connection.execute(unchanged.values(next_at=next_at, summary=dict(summary)))
        return done.rowcount == 1

    def amend(self, link_id: int, timeline: Mapping[str, Any], now: int) -> None:
        """Its history has one entry more that no tracker tells: its clocks are to be looked at now.

        Whoever is reading it at this moment does not know of that entry: it is stale from now on, not from before.
        """
        changed = update(timelines).where(C.link_id == link_id)
        self._connection.execute(changed.values(timeline=dict(timeline), next_at=now, stale_at=now))

    def bring_back(self, now: int) -> None:
        """The clock was set back: what was read later than now is looked at now, and what waits to be read is read."""
        ahead = update(timelines).where(C.read_at > now, C.next_at > now)
        self._connection.execute(ahead.values(next_at=now))
        self._connection.execute(update(timelines).where(C.stale_at > now).values(stale_at=now))

    def of(self, ids: Iterable[int]) -> dict[int, Chronicle]:
        """What is kept of these links, by link."""
        found: dict[int, Chronicle] = {}
        for some in chunks(ids):
            rows = self._connection.execute(select(timelines).where(C.link_id.in_(some)))
            found |= {row.link_id: _chronicle(row) for row in rows}
        return found

    def summaries(self, agreement: str) -> Iterator[Mapping[str, Any]]:
        """What lists show of the links of an agreement, without their timelines."""
        query = select(C.summary).where(C.agreement == agreement, C.read_at.is_not(None))
        yield from self._connection.scalars(query)

    def all(self, agreement: str) -> Iterator[Chronicle]:
        """Everything that is kept of an agreement, in the order of the links."""
        query = select(timelines).where(C.agreement == agreement).order_by(C.link_id)
        for row in self._connection.execute(query):
            yield _chronicle(row)
