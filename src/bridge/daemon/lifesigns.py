"""Whether a daemon is alive and in time, as the database tells: for monitoring, beside a daemon that works."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bridge.clock import SECOND
from bridge.daemon.heartbeat import NOTE
from bridge.notify.page import span
from bridge.store.database import Tx

SILENT = 120 * SECOND
"""A daemon that has noted nothing for so long is not there, or its database is not."""

OVERDUE = 300 * SECOND
"""A clock that has been due for so long was not looked at."""

UNSENT = 1_800 * SECOND
"""A mail that has waited for so long does not go out. Greylisting alone takes some minutes."""


@dataclass(frozen=True, slots=True)
class Life:
    """What was found.

    Attributes:
        alive: all is well.
        why: in one line.
        looked: when the daemon last noted how it fares, microseconds; None: never.
        hanging: threads of it that make no progress.
        overdue: since when a clock is due that nobody looked at, microseconds; None when none is.
        unsent: since when a mail waits that should have gone out, microseconds; None when none does.
    """

    alive: bool
    why: str
    looked: int | None
    hanging: tuple[str, ...]
    overdue: int | None
    unsent: int | None


def life(tx: Tx, agreements: Collection[str], now: int) -> Life:
    """Whether the daemon that works on this database is alive and in time.

    Args:
        tx: a transaction that reads.
        agreements: names of those that are configured: nobody looks at the clocks of others.
        now: microseconds.
    """
    note = tx.cursors.get_note(NOTE)
    looked: int | None = None if note is None else note["at"]
    hanging = () if note is None else tuple(note["hanging"])
    late, unsent = tx.chronicles.due(now, 1, agreements), tx.outbox.waiting_since(now)
    overdue = late[0].next_at if late else None
    troubles = []
    if looked is None:
        troubles.append("no daemon has ever worked on this database")
    elif now - looked > SILENT:
        troubles.append(f"the daemon has given no sign for {span(now - looked)}")
    if hanging:
        troubles.append(f"it makes no progress: {', '.join(hanging)}")
    if overdue is not None and now - overdue > OVERDUE:
        troubles.append(f"a clock has been due for {span(now - overdue)} and was not looked at")
    if unsent is not None and now - unsent > UNSENT:
        troubles.append(f"a mail has waited for {span(now - unsent)}")
    ages = {} if note is None else note["ages"]
    well = ", ".join(f"{name} {age:g} s" for name, age in sorted(ages.items()))
    return Life(
        alive=not troubles,
        why="; ".join(troubles) or f"last progress when it last looked at itself: {well}",
        looked=looked,
        hanging=hanging,
        overdue=overdue,
        unsent=unsent,
    )
