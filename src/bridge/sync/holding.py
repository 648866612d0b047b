"""Holds: a change that nobody was entitled to make, or that two sides made differently, kept for people to decide.

A hold belongs to one field of one link; while it is open that field stays as it is on both sides and the others go on.
It remembers the values it is about, so that a decision never covers a value that its author had not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.sync.base import decode_value, encode_value
from bridge.sync.ticket import Person, Side, Value


class HoldKind(StrEnum):
    """Why a change is held."""

    UNENTITLED = "unentitled"
    """Its author may not make it."""
    CONFLICT = "conflict"
    """Both sides changed the field differently, and the agreement leaves that to people."""
    PING_PONG = "ping-pong"
    """It was undone as often as is reasonable, and came back each time."""


class HoldState(StrEnum):
    """How far a hold has come."""

    OPEN = "open"
    """Waits for somebody to decide."""
    APPROVED = "approved"
    """Decided: it crosses, unless it is another change by then."""
    REJECTED = "rejected"
    """Decided: the other side's value is restored, unless it is another change by then."""
    REVERTED = "reverted"
    """Undone at once by the field's rule; kept to count how often."""
    CROSSED = "crossed"
    """Over: approved, and carried out."""
    RESTORED = "restored"
    """Over: rejected, and carried out."""
    OVERTAKEN = "overtaken"
    """Over: somebody who was entitled to it has changed the field since."""
    WITHDRAWN = "withdrawn"
    """Over: both sides agree by themselves, or the agreement does not ask any more."""

    @property
    def live(self) -> bool:
        """Whether it still stands in the way, or is still counted."""
        return self in {HoldState.OPEN, HoldState.APPROVED, HoldState.REJECTED, HoldState.REVERTED}

    @property
    def owed(self) -> bool:
        """Whether it only comes to pass together with a write of its field."""
        return self in {HoldState.REVERTED, HoldState.CROSSED, HoldState.RESTORED}


@dataclass(frozen=True, slots=True)
class Hold:
    """A change that waits.

    Attributes:
        id: row id in the store; 0 before it is stored.
        field: canonical name.
        side: where the change was made; of a conflict the vendor's, whose value is ``value``.
        kind: see HoldKind.
        state: see HoldState.
        since: when the change was made, microseconds of that tracker's clock; where its history does not say, when it
            was seen.
        before: what that side showed before.
        value: what it shows since.
        other: what the other side showed when the hold was last looked at.
        actor: who made the change, by the tracker's own history; None when it does not say.
        event: id of the entry in that history; "" when there is none.
        approver: role that may decide; "" when the agreement names none.
        rounds: how often it was undone, of a change that is undone at once.
        winner: whose value was chosen, of a conflict that is decided.
        decided_by: who decided, as they gave their name; "" when time did.
        decided_at: when, microseconds.
        reason: what they said; may be shown on both sides.
        closed_at: when it was over, microseconds; None while it is not.
    """

    id: int
    field: str
    side: Side
    kind: HoldKind
    state: HoldState
    since: int
    before: Value
    value: Value
    other: Value
    actor: Person | None = None
    event: str = ""
    approver: str = ""
    rounds: int = 0
    winner: Side | None = None
    decided_by: str = ""
    decided_at: int = 0
    reason: str = ""
    closed_at: int | None = None

    def detail(self) -> dict[str, Any]:
        """What the store keeps beside its columns, as JSON."""
        return {
            "before": encode_value(self.before),
            "value": encode_value(self.value),
            "other": encode_value(self.other),
            "actor": None if self.actor is None else encode_value(self.actor),
            "event": self.event,
            "approver": self.approver,
            "rounds": self.rounds,
            "winner": self.winner.value if self.winner else "",
            "decided_by": self.decided_by,
            "decided_at": self.decided_at,
            "reason": self.reason,
        }


def stamp(hold: Hold) -> str:
    """A short word for what a hold is about: it changes when the values do."""
    about = [encode_value(value) for value in (hold.before, hold.value, hold.other)]
    words = json.dumps([about, hold.side.value, hold.since], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:6]


def decode_hold(  # noqa: PLR0917 - the columns of the row, in the order of the table
    number: int,
    field: str,
    side: Side,
    kind: HoldKind,
    state: HoldState,
    since: int,
    closed_at: int | None,
    detail: Mapping[str, Any],
) -> Hold:
    """A hold from its columns and the JSON beside them.

    Raises:
        ValueError: not of this form.
    """
    actor = decode_value(detail["actor"])
    return Hold(
        id=number,
        field=field,
        side=side,
        kind=kind,
        state=state,
        since=since,
        before=decode_value(detail["before"]),
        value=decode_value(detail["value"]),
        other=decode_value(detail["other"]),
        actor=actor if isinstance(actor, Person) else None,
        event=detail["event"],
        approver=detail["approver"],
        rounds=detail["rounds"],
        winner=Side(detail["winner"]) if detail["winner"] else None,
        decided_by=detail["decided_by"],
        decided_at=detail["decided_at"],
        reason=detail["reason"],
        closed_at=closed_at,
    )
