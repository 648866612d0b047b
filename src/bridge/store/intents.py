"""Intents: the durable note before every write that a tracker cannot undo or recognise twice (decision 4).

``plan`` -> commit -> ``sent`` -> commit -> request -> ``done``. After a crash, whatever is still open is
looked up in the tracker first. There is never more than one open intent for the same thing: the database
refuses it.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from bridge.errors import StoreError
from bridge.store.columns import insert
from bridge.store.rows import Intent, IntentKind, IntentState
from bridge.store.tables import OPEN_INTENT, intents
from bridge.sync.ticket import Side

C = intents.c


def _intent(row: Row[Any]) -> Intent:
    return Intent(**row._mapping)  # noqa: SLF001 - public in SQLAlchemy, the underscore only avoids column names


class Intents:
    """The intents, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def plan(  # noqa: PLR0917 - the columns of the row, in the order of the table
        self,
        link_id: int,
        kind: IntentKind,
        side: Side,
        marker: str,
        subject: str,
        detail: Mapping[str, Any],
        now: int,
    ) -> Intent:
        """Note that something is about to be written.

        Raises:
            StoreError: the same is already planned and its outcome still owed: resolve that one first.
        """
        statement = (
            insert(self._connection, intents)
            .values(
                link_id=link_id,
                kind=kind,
                side=side,
                marker=marker,
                subject=subject,
                state=IntentState.PLANNED,
                created_at=now,
                result="",
                detail=dict(detail),
                attempts=0,
                reason="",
            )
            .on_conflict_do_nothing()
            .returning(*C)
        )
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            what = f"{kind} {subject}".strip()
            raise StoreError(f"Link {link_id} already has an open intent for {what!r} on the {side} side.")
        return _intent(row)

    def get(self, intent_id: int) -> Intent | None:
        """The intent with that row id."""
        row = self._connection.execute(select(intents).where(C.id == intent_id)).one_or_none()
        return None if row is None else _intent(row)

    def sent(self, intent_id: int, now: int) -> None:
        """Note that the request leaves now; once more when it is repeated."""
        self._change(intent_id, {"state": IntentState.SENT, "sent_at": now, "attempts": C.attempts + 1})

    def unknown(self, intent_id: int) -> None:
        """Note that the answer was lost."""
        self._change(intent_id, {"state": IntentState.UNKNOWN})

    def done(self, intent_id: int, result: str, now: int) -> None:
        """Note that it happened, and the tracker's id of what came of it; what it held of the ticket is forgotten."""
        self._change(
            intent_id, {"state": IntentState.DONE, "result": result, "resolved_at": now, "detail": {}}
        )

    def dead(self, intent_id: int, reason: str, now: int) -> None:
        """Note that it surely did not happen and is not wanted any more, and why; its detail is forgotten."""
        self._change(
            intent_id, {"state": IntentState.DEAD, "reason": reason, "resolved_at": now, "detail": {}}
        )

    def open(self, link_id: int) -> builtins.list[Intent]:
        """A link's intents whose outcome is still owed, oldest first."""
        query = select(intents).where(C.link_id == link_id, OPEN_INTENT).order_by(C.id)
        return [_intent(row) for row in self._connection.execute(query)]

    def tried(self, link_id: int, kind: IntentKind, subject: str, but: str = "") -> bool:
        """Whether such a write was ever intended, other than the one that came to that result."""
        query = select(C.id).where(C.link_id == link_id, C.kind == kind, C.subject == subject)
        if but:
            query = query.where(C.result != but)
        return self._connection.execute(query.limit(1)).first() is not None

    def all_open(self) -> builtins.list[Intent]:
        """All intents whose outcome is still owed, oldest first."""
        rows = self._connection.execute(select(intents).where(OPEN_INTENT))
        return sorted((_intent(row) for row in rows), key=lambda intent: intent.id)

    def _change(self, intent_id: int, values: Mapping[str, Any]) -> None:
        """Change an open intent; one that is done or dead is history and stays as it is."""
        statement = update(intents).where(C.id == intent_id, OPEN_INTENT).values(values)
        if not self._connection.execute(statement).rowcount:
            raise StoreError(
                f"Intent {intent_id} is not open: it does not exist, or its outcome is already known."
            )
