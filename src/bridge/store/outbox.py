"""The outbox: mails that are owed, in the same transaction as what they tell of (decision 10).

A letter stays queued until a mail server has taken it, so a process that is killed between handing over and noting it
sends it again, with the same Message-ID: at least once, never silently not at all.
"""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from bridge.store.columns import insert
from bridge.store.rows import Letter, LetterState
from bridge.store.tables import outbox

C = outbox.c


def _letter(row: Row[Any]) -> Letter:
    values = dict(row._mapping)  # noqa: SLF001 - public in SQLAlchemy, the underscore only avoids column names
    content = values.pop("content")
    return Letter(
        **values,
        to=tuple(content["to"]),
        subject=content["subject"],
        text=content["text"],
        html=content["html"],
    )


class Outbox:
    """The letters, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, letter: Letter) -> bool:
        """Queue a letter; False when one with its key is there already, whatever became of that one."""
        statement = (
            insert(self._connection, outbox)
            .values(
                key=letter.key,
                agreement=letter.agreement,
                link_id=letter.link_id,
                state=letter.state,
                due_at=letter.due_at if letter.due_at is not None else letter.created_at,
                attempts=letter.attempts,
                reason=letter.reason,
                message_id=letter.message_id,
                content={
                    "to": builtins.list(letter.to),
                    "subject": letter.subject,
                    "text": letter.text,
                    "html": letter.html,
                },
                created_at=letter.created_at,
                sent_at=letter.sent_at,
            )
            .on_conflict_do_nothing()
            .returning(C.id)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def due(self, now: int, limit: int) -> builtins.list[Letter]:
        """Letters that are to be handed over by now, the longest overdue first."""
        query = select(outbox).where(C.due_at <= now).order_by(C.due_at, C.id).limit(limit)
        return [_letter(row) for row in self._connection.execute(query)]

    def next_due(self) -> int | None:
        """When the next letter is to be handed over; None when none is queued."""
        earliest: int | None = self._connection.execute(select(func.min(C.due_at))).scalar_one()
        return earliest

    def get(self, key: str) -> Letter | None:
        """The letter with that key."""
        row = self._connection.execute(select(outbox).where(C.key == key)).one_or_none()
        return None if row is None else _letter(row)

    def list(self, state: LetterState | None = None, limit: int | None = None) -> builtins.list[Letter]:
        """The letters, newest first; those in one state, if so asked."""
        query = select(outbox).order_by(C.id.desc()).limit(limit)
        if state is not None:
            query = query.where(C.state == state)
        return [_letter(row) for row in self._connection.execute(query)]

    def sent(self, letter_id: int, now: int) -> None:
        """The mail server has taken it."""
        self._change(letter_id, {"state": LetterState.SENT, "sent_at": now, "due_at": None, "reason": ""})

    def failed(self, letter_id: int, reason: str, next_try: int) -> None:
        """It was not taken; it is tried again."""
        self._change(letter_id, {"reason": reason, "due_at": next_try, "attempts": C.attempts + 1})

    def dead(self, letter_id: int, reason: str) -> None:
        """It will not be taken, or is not wanted any more."""
        self._change(letter_id, {"state": LetterState.DEAD, "due_at": None, "reason": reason})

    def _change(self, letter_id: int, values: dict[str, Any]) -> None:
        self._connection.execute(
            update(outbox).where(C.id == letter_id, C.state == LetterState.QUEUED).values(values)
        )
