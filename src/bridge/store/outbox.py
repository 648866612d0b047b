"""The outbox: mails that are owed, in the same transaction as what they tell of (decision 10).

A letter stays queued until a mail server has taken it for everybody it is for, so a process that is killed between
handing over and noting it sends it again, with the same Message-ID: at least once, never silently not at all. What a
letter says is forgotten some time after it is over; that it was sent, and under which id, is not.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, Row, func, select, type_coerce, update

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
        references=tuple(content["references"]),
        owed=tuple(content["owed"]),
    )


def _content(letter: Letter, owed: Sequence[str]) -> dict[str, Any]:
    return {
        "to": builtins.list(letter.to),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "references": builtins.list(letter.references),
        "owed": builtins.list(owed),
    }


_FORGOTTEN: Mapping[str, Any] = {
    "to": [],
    "subject": "",
    "text": "",
    "html": "",
    "references": [],
    "owed": [],
}


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
                content=_content(letter, letter.to),
                created_at=letter.created_at,
                sent_at=letter.sent_at,
                channel=letter.channel,
            )
            .on_conflict_do_nothing()
            .returning(C.id)
        )
        return self._connection.execute(statement).one_or_none() is not None

    def due(self, now: int, limit: int, channel: str = "mail") -> builtins.list[Letter]:
        """Letters that are to be handed over by that channel by now, the longest overdue first."""
        due = select(outbox).where(C.due_at <= now, C.channel == channel)
        query = due.order_by(C.due_at, C.id).limit(limit)
        return [_letter(row) for row in self._connection.execute(query)]

    def next_due(self, channel: str = "mail") -> int | None:
        """When the next letter is to be handed over by that channel; None when none is queued."""
        query = select(func.min(C.due_at)).where(C.channel == channel)
        earliest: int | None = self._connection.execute(query).scalar_one()
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

    def counts(self) -> dict[LetterState, int]:
        """How many letters there are in each state."""
        rows = self._connection.execute(select(C.state, func.count()).group_by(C.state))
        return dict.fromkeys(LetterState, 0) | {row[0]: row[1] for row in rows}

    def oldest(self) -> int | None:
        """When the oldest letter was put here that is still queued; None when none is."""
        query = select(func.min(C.created_at)).where(C.state == LetterState.QUEUED)
        earliest: int | None = self._connection.execute(query).scalar_one()
        return earliest

    def waiting_since(self, now: int) -> int | None:
        """When the oldest letter was put here that should have been handed over by now; None when none is.

        One that was tried and is tried again later is among them, one that waits for its hour is not.
        """
        owed = (C.due_at <= now) | (C.due_at.is_not(None) & (C.attempts > 0))
        earliest: int | None = self._connection.execute(
            select(func.min(C.created_at)).where(owed)
        ).scalar_one()
        return earliest

    def claim(self, letter_id: int, message_id: str) -> None:
        """It is about to be handed over, under this id; from now on it may have been.

        The id is kept for good: were the process killed or ``from`` changed before the outcome is known, the second
        sending must have the same.
        """
        self._change(letter_id, {"message_id": message_id, "attempts": C.attempts + 1})

    def sent(self, letter_id: int, now: int) -> None:
        """The mail server has taken it for everybody."""
        self._change(letter_id, {"state": LetterState.SENT, "sent_at": now, "due_at": None, "reason": ""})

    def failed(self, letter_id: int, reason: str, next_try: int) -> None:
        """It was not taken, or nobody knows; it is tried again."""
        self._change(letter_id, {"reason": reason, "due_at": next_try})

    def dead(self, letter_id: int, reason: str) -> None:
        """It will not be taken, or is not wanted any more."""
        self._change(letter_id, {"state": LetterState.DEAD, "due_at": None, "reason": reason})

    def narrow(self, letter: Letter, owed: Sequence[str]) -> None:
        """The mail server has taken it for some; only these are still owed it."""
        self._change(letter.id, {"content": _content(letter, owed)})

    def retry(self, letter_id: int, now: int) -> bool:
        """Hand it over at once, also if it was given up; False when it was sent, is forgotten or never was."""
        row = self._connection.execute(select(outbox).where(C.id == letter_id)).one_or_none()
        if row is None or row.state is LetterState.SENT or not _letter(row).owed:
            return False
        values = {"state": LetterState.QUEUED, "due_at": now}
        self._connection.execute(update(outbox).where(C.id == letter_id).values(values))
        return True

    def bring_back(self, now: int, by: int) -> int:
        """The clock was set back: what was put here later than now is due so much sooner; returns how many."""
        ahead = update(outbox).where(C.state == LetterState.QUEUED, C.created_at > now)
        return self._connection.execute(ahead.values(due_at=C.due_at - by)).rowcount

    def forget(self, before: int) -> int:
        """Forget what letters say that are over and were put here before that; returns how many."""
        told = type_coerce(C.content, JSON)["data", "subject"].as_string() != ""
        over = update(outbox).where(C.due_at.is_(None), C.created_at < before, told)
        return self._connection.execute(over.values(content=dict(_FORGOTTEN))).rowcount

    def _change(self, letter_id: int, values: dict[str, Any]) -> None:
        self._connection.execute(
            update(outbox).where(C.id == letter_id, C.state == LetterState.QUEUED).values(values)
        )
