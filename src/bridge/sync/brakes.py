"""When to stop and ask: too much changed at once, a side that suddenly looks empty, a tracker from its backup.

Pure judgement over numbers and stamps (decision 14). Each of these mishaps looks like ordinary changes, ticket by
ticket; only all of them together tell. What is done about it is ``daemon/brakes.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.sync.moments import to_second
from bridge.sync.plan import (
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    EditComment,
    EditWorklog,
    Plan,
    RemoveRelation,
    SetParent,
    SetStatus,
    UpdateFields,
)

SECOND = 1_000_000

BEHIND = 10 * SECOND
"""How far a stamp may lie behind the one that we have seen: whole seconds, and a replica that trails."""

APART = 300 * SECOND
"""How far two times of creation may lie apart and still be those of one ticket: we note when a create was answered."""

FEWEST = 5
"""Tickets that must have been there before their absence says anything of their side as a whole."""

NEARLY_ALL = 0.9
"""Part of them that must be missing."""

VANISHED = 3
"""Tickets above all that are still there, whose absence alone looks like a backup and not like deletes."""

SHOWN = 3
"""Tickets named in a reason; there may be thousands."""


class Cause(StrEnum):
    """Why a brake is pulled."""

    SHARE = "share"
    """More tickets would be changed at once than the agreement's brake lets through."""
    EMPTY = "empty"
    """A side whose linked tickets are nearly all out of sight."""
    TRACKER = "tracker-restored"
    """A tracker that went back in time."""
    STORE = "store-restored"
    """Our own database went back in time."""


@dataclass(frozen=True, slots=True)
class BrakeRule:
    """How much may be changed at once.

    Attributes:
        share: part of an agreement's links that may be changed within the window; None for no limit.
        least: so many may be, however few links there are.
        within: the window, microseconds.
    """

    share: float | None = 0.3
    least: int = 50
    within: int = 600 * SECOND

    def most(self, links: int) -> int | None:
        """How many of so many links may be changed within the window; None for no limit."""
        return None if self.share is None else max(self.least, int(self.share * links))


def alters(plan: Plan) -> bool:
    """Whether a plan changes or takes away what is there; a new ticket, comment, file or worklog does not."""
    return any(
        isinstance(
            action,
            UpdateFields
            | SetStatus
            | EditComment
            | DeleteComment
            | DeleteAttachment
            | SetParent
            | RemoveRelation
            | EditWorklog
            | DeleteWorklog,
        )
        for action in plan.actions
    )


def begins(plan: Plan) -> bool:
    """Whether all that a plan changes are fields that never were in agreement: what follows from a new mirror."""
    return all(
        (isinstance(action, UpdateFields) and all(one.why == "initial" for one in action.decisions))
        or (isinstance(action, SetStatus) and action.decision.why == "initial")
        or not alters(Plan(actions=(action,)))
        for action in plan.actions
    )


def recent(changed: Mapping[int, int], now: int, within: int) -> dict[int, int]:
    """Of links and the times when they were changed, those that are within the window."""
    return {link: at for link, at in changed.items() if now - at < within}


@dataclass(frozen=True, slots=True)
class Sight:
    """A linked ticket as it was known, and as a read by id shows it now.

    Attributes:
        key: what people call it.
        number: its id as a number; 0 where it is none.
        seen: the newest stamp of it that was dealt with, microseconds; 0 for none.
        born: when it was created, as far as that is known; 0 when it is not.
        there: it can be seen.
        updated: its stamp now.
        created: when it was created, as its tracker says now.
    """

    key: str
    number: int
    seen: int
    born: int
    there: bool
    updated: int = 0
    created: int = 0

    @property
    def another(self) -> bool:
        """Whether this is another ticket under the same id. A tracker gives an id out twice only after a restore.

        Its marks do not tell: people copy tickets with their labels, and link others that were mirrors before.
        """
        return self.there and self.born != 0 and abs(self.created - self.born) > APART

    @property
    def back(self) -> bool:
        """Whether its stamp lies before one that we have seen."""
        return self.there and not self.another and self.updated < self.seen - BEHIND

    @property
    def steady(self) -> bool:
        """Whether it is as we have seen it: nothing that was restored since can be."""
        return self.there and not self.another and abs(self.updated - self.seen) <= BEHIND


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is wrong with a side as a whole, and how that was seen."""

    cause: Cause
    words: str


def examine(sights: Sequence[Sight]) -> Suspicion | None:
    """What a sample of a side's linked tickets says of the side; None when nothing is wrong with it.

    The sample holds the tickets that changed last, the youngest and the oldest: a restore shows on the first two, and
    not on the last. A ticket that is as we have seen it, newer than one that went back, speaks against a restore.
    """
    others = [one for one in sights if one.another]
    if others:
        return Suspicion(
            Cause.TRACKER, f"{_named(others)}: another ticket than the one that was linked, under the same id"
        )
    missing = [one for one in sights if not one.there]
    if len(sights) >= FEWEST and len(missing) >= NEARLY_ALL * len(sights):
        return Suspicion(
            Cause.EMPTY,
            f"{len(missing)} of {len(sights)} linked tickets cannot be seen any more, {_named(missing)}",
        )
    newest_steady = max((one.seen for one in sights if one.steady), default=0)
    back = [one for one in sights if one.back]
    if back and newest_steady < min(one.seen for one in back):
        first = max(back, key=lambda one: one.seen)
        return Suspicion(
            Cause.TRACKER,
            f"{first.key} was changed {to_second(first.seen)}, and now says that it was last changed "
            f"{to_second(first.updated)}{_besides(len(back) - 1, missing)}",
        )
    return _cut_off(sights, missing, newest_steady)


def _cut_off(sights: Sequence[Sight], missing: Sequence[Sight], newest_steady: int) -> Suspicion | None:
    """Whether the youngest tickets are gone and all older ones are there."""
    highest = max((one.number for one in sights if one.there), default=0)
    if len(missing) < VANISHED or not highest or any(one.number <= highest for one in missing):
        return None
    born = [one.born for one in missing if one.born]
    if born and newest_steady > min(born):
        return None
    return Suspicion(
        Cause.TRACKER,
        f"the {len(missing)} youngest linked tickets are gone, {_named(missing)}, and all older are there",
    )


def _named(sights: Sequence[Sight]) -> str:
    more = len(sights) - SHOWN
    return ", ".join(one.key for one in sights[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _besides(back: int, missing: Sequence[Sight]) -> str:
    told = [f"{back} more went back as well"] if back else []
    told += [f"{len(missing)} are gone, {_named(missing)}"] if missing else []
    return "".join(f"; {one}" for one in told)
