"""Letting go of a brake: a person's word, in the journal, and everything that follows from it in one transaction."""

from __future__ import annotations

import structlog

from bridge.clock import SECOND
from bridge.daemon.brakes import COUNTED, LET, LET_FOR, PULLED, Brake, let_through, pulled
from bridge.daemon.restraint import WITHHELD
from bridge.daemon.witness import Witness
from bridge.store.database import Store, Tx
from bridge.store.rows import LinkState
from bridge.sync.brakes import Cause

log = structlog.get_logger(__name__)


def release(
    store: Store, witness: Witness, agreement: str, now: int, *, who: str, reason: str = "", lasting: int = 0
) -> Brake | None:
    """Let go of an agreement's brake: what was planned meanwhile is looked at again and written.

    After a side was out of sight or went back in time, every link of the agreement is compared anew, by what both
    tickets are now. Sides that were let through as they are raise no alarm for a day.

    Args:
        store: our database; a daemon may be working on it.
        witness: what remembers our database's past; after a restore it is told to take the database as it is.
        agreement: the agreement's name.
        now: microseconds.
        who: who says so.
        reason: why, in their words.
        lasting: for so long nothing is counted and no alarm goes off, microseconds.

    Returns:
        The brake that was pulled; None when none was: then only ``lasting`` has an effect.

    Raises:
        StoreError: our own database failed, or the witness cannot be written.
    """
    with store.write() as tx:
        brake, before = pulled(tx, agreement), let_through(tx, agreement)
        if brake is None and not lasting:
            return None
        cause = brake.cause if brake is not None else Cause.SHARE
        causes = {one.value: until for one, until in before.causes if until > now}
        if cause is not Cause.SHARE:
            causes[cause.value] = now + LET_FOR
        let = {
            "at": now,
            "until": max(before.until, now + lasting if lasting else 0),
            "causes": causes,
            "forgotten": now if cause is Cause.STORE else before.forgotten,
        }
        tx.cursors.set_note(LET + agreement, let)
        tx.cursors.drop_note(PULLED + agreement)
        tx.cursors.drop_note(COUNTED + agreement)
        if cause in {Cause.TRACKER, Cause.EMPTY}:
            tx.bases.unsee(agreement)
        if brake is not None:
            tx.links.wake(_withheld(tx, agreement) if cause is Cause.SHARE else _all(tx, agreement), now)
        data = {
            "cause": cause.value if brake else "",
            "by": who,
            "reason": reason,
            "seconds": lasting // SECOND,
        }
        tx.journal.add(now, agreement, None, "brake.released", data)
    if brake is not None and cause is Cause.STORE:
        witness.accept(store, now)
    log.info("brake_released", agreement=agreement, cause=data["cause"], seconds=data["seconds"])
    return brake


def _withheld(tx: Tx, agreement: str) -> list[int]:
    """Links whose newest run was not allowed to write."""
    notes = tx.cursors.notes(WITHHELD).items()
    return [int(key.removeprefix(WITHHELD)) for key, note in notes if note["agreement"] == agreement]


def _all(tx: Tx, agreement: str) -> list[int]:
    return [link.id for link in tx.links.list(agreement) if link.state is not LinkState.CLOSED]
