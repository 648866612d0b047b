"""Steps of the ladders that were taken, and who acknowledged: each step is claimed once (decision 10).

A claim stands in the same transaction as the letters that tell of it, so that a kill leaves both or neither.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from bridge.store.columns import chunks, insert
from bridge.store.rows import Acknowledgement, Alert
from bridge.store.tables import acknowledgements, alerts

GATHERED: Final = "gathered"
"""What ``roles`` in an alert's detail says of a role that is told of it together with others."""

C = alerts.c
A = acknowledgements.c


def _alert(row: Row[Any]) -> Alert:
    return Alert(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy, the underscore only avoids column names


class Alerts:
    """The claims and acknowledgements, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, alert: Alert) -> bool:
        """Claim a step; False when it was claimed before, by whomever."""
        statement = (
            insert(self._connection, alerts)
            .values(
                link_id=alert.link_id,
                agreement=alert.agreement,
                clock=alert.clock,
                cycle=alert.cycle,
                step=alert.step,
                round=alert.round,
                at=alert.at,
                claimed_at=alert.claimed_at,
                detail=dict(alert.detail),
            )
            .on_conflict_do_nothing()
            .returning(C.id)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def of(self, ids: Iterable[int]) -> dict[int, builtins.list[Alert]]:
        """All steps that were taken for these links, in the order in which they were, by link."""
        found: dict[int, builtins.list[Alert]] = {}
        for some in chunks(ids):
            query = select(alerts).where(C.link_id.in_(some)).order_by(C.id)
            for row in self._connection.execute(query):
                found.setdefault(row.link_id, []).append(_alert(row))
        return found

    def newest(self) -> int:
        """The id of the step that was taken last; 0 when none was."""
        found: int | None = self._connection.execute(select(func.max(C.id))).scalar_one()
        return found or 0

    def gathered(self, agreement: str, role: str, after: int) -> builtins.list[Alert]:
        """The steps with a greater id that a role is still to be told of, together in one mail."""
        query = select(alerts).where(C.agreement == agreement, C.id > after).order_by(C.id)
        rows = map(_alert, self._connection.execute(query))
        return [one for one in rows if one.detail.get("roles", {}).get(role) == GATHERED]

    def list(self, link_id: int) -> builtins.list[Alert]:
        """All steps that were taken for a link, in the order in which they were."""
        query = select(alerts).where(C.link_id == link_id).order_by(C.id)
        return [_alert(row) for row in self._connection.execute(query)]

    def between(self, agreement: str, since: int, until: int) -> builtins.list[Alert]:
        """The steps of an agreement that were taken in [since, until), in the order in which they were."""
        query = select(alerts).where(C.agreement == agreement, C.claimed_at >= since, C.claimed_at < until)
        return [_alert(row) for row in self._connection.execute(query.order_by(C.id))]

    def count(self, agreement: str, since: int) -> int:
        """How many steps of an agreement were taken since then."""
        query = select(func.count()).where(C.agreement == agreement, C.claimed_at >= since)
        found: int = self._connection.execute(query).scalar_one()
        return found

    def acknowledge(self, word: Acknowledgement) -> bool:
        """Keep that somebody acknowledged; False when somebody had before: the first word stands."""
        statement = (
            insert(self._connection, acknowledgements)
            .values(
                link_id=word.link_id, clock=word.clock, cycle=word.cycle, at=word.at, detail=dict(word.detail)
            )
            .on_conflict_do_nothing()
            .returning(A.link_id)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def acknowledged_of(self, ids: Iterable[int]) -> dict[int, builtins.list[Acknowledgement]]:
        """Who acknowledged what of these links, oldest first, by link."""
        found: dict[int, builtins.list[Acknowledgement]] = {}
        for some in chunks(ids):
            query = select(acknowledgements).where(A.link_id.in_(some)).order_by(A.at)
            for row in self._connection.execute(query):
                found.setdefault(row.link_id, []).append(Acknowledgement(**row._mapping))  # noqa: SLF001 - as above
        return found

    def acknowledged(self, link_id: int) -> builtins.list[Acknowledgement]:
        """Who acknowledged what of a link, oldest first."""
        query = select(acknowledgements).where(A.link_id == link_id).order_by(A.at)
        return [Acknowledgement(**row._mapping) for row in self._connection.execute(query)]  # noqa: SLF001 - as above
