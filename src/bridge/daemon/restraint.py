"""Whether a run may write at all, and what is remembered of a run that may not.

A run that is restrained reads and plans like any other. Then its plan is counted and thrown away: nothing goes to a
tracker, and no base moves, so that the day it may write it finds everything that it owes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.daemon.books import Withheld
from bridge.daemon.brakes import pulled, within_share
from bridge.daemon.lookout import before_writing
from bridge.daemon.run import Run
from bridge.store.database import Tx
from bridge.store.rows import Link
from bridge.sync.brakes import Cause
from bridge.sync.modes import may_write
from bridge.sync.plan import Plan
from bridge.sync.roles import Mode
from bridge.sync.ticket import Side

WITHHELD = "withheld/"
"""How the notes begin that say what a restrained run would have done."""


def restrained(run: Run, plan: Plan | None = None) -> str | None:
    """Why nothing of this run may be written, in words for people; None when it may.

    Args:
        run: the run.
        plan: what it is about to do; None where only the standing reasons are asked for. That nothing is odd about its
            sides, and that not too much is changed at once, is looked at with a plan alone.

    Raises:
        TrackerError: a pilot goes by labels, and a ticket cannot be read now; or something odd cannot be looked into.
        StoreError: our own database failed.
    """
    why = _by_mode(run) or _by_brake(run)
    if why is not None or plan is None:
        return why
    before_writing(run)
    why = _by_brake(run)
    # Asked last: what was counted is written. A brake that is pulled and released meanwhile has the count begin anew.
    while why is None and not within_share(run, plan):
        why = _by_brake(run)
    return why


def _by_mode(run: Run) -> str | None:
    agreement = run.agreement
    if agreement.mode is Mode.LIVE or run.warrant:
        return None  # what people have reviewed is carried out in every mode
    if agreement.mode is Mode.OBSERVE:
        return "the agreement only observes"
    keys = [run.link.key(side) for side in Side]
    tickets = [ticket for side in Side if (ticket := run.read(side).ticket) is not None]
    return None if may_write(agreement, keys, tickets) else "the pilot does not name it"


def _by_brake(run: Run) -> str | None:
    with run.house.store.read() as tx:
        brake = pulled(tx, run.agreement.name)
    if brake is None or (run.warrant and brake.cause is Cause.SHARE):
        return None  # people have reviewed just this change; that a tracker is what it was they cannot see
    return brake.stops


def note_withheld(tx: Tx, link: Link, withheld: Withheld | None, seen: Mapping[Side, int]) -> None:
    """Remember what a link's newest run would have done.

    Args:
        tx: the transaction that ends the run.
        link: its link.
        withheld: what it would have done; None when it was not restrained.
        seen: side -> up to which stamp of its ticket that holds, microseconds of the tracker's clock.

    Raises:
        StoreError: our own database failed.
    """
    key = f"{WITHHELD}{link.id}"
    if withheld is None:
        tx.cursors.drop_note(key)
        return
    note = {
        "agreement": link.agreement,
        "why": withheld.why,
        "actions": withheld.actions,
        "findings": withheld.findings,
        "seen": {side.value: stamp for side, stamp in seen.items()},
    }
    tx.cursors.set_note(key, note)


def looked_at(tx: Tx, links: Iterable[int], side: Side) -> dict[int, int]:
    """Row id of a link -> the stamp of its ticket on that side when a restrained run last looked at it.

    Raises:
        StoreError: our own database failed.
    """
    notes = tx.cursors.get_notes(f"{WITHHELD}{link}" for link in links)
    return {int(key.removeprefix(WITHHELD)): note["seen"].get(side.value, 0) for key, note in notes.items()}
