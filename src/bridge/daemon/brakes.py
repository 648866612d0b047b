"""The brakes of an agreement: pulled, asked, released (decision 14).

While a brake is pulled, the agreement's links are read and planned as ever, and nothing is written to a tracker. It is
a row in the store, so it outlives every restart, and only a person lets go of it. What is let through is remembered as
well: the same alarm would go off again at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.daemon.house import House, site
from bridge.daemon.run import Run
from bridge.notify.languages import Tongue, tongue
from bridge.notify.letters import brake_pulled
from bridge.store.database import Tx
from bridge.store.rows import Letter, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.brakes import Cause, alters, begins
from bridge.sync.plan import Plan
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

PULLED = "brake/"
"""How the notes begin that say which agreements' brakes are pulled."""

LET = "brake-let/"
"""How the notes begin that say what a person has let through."""

COUNTED = "brake-counted/"
"""How the notes begin that keep the counts over a restart."""

LET_FOR = 24 * 3_600 * SECOND
"""How long a side that was let through as it is raises no alarm again."""

WORDS = {
    Cause.SHARE: "more tickets would have been changed at once than the agreement lets through",
    Cause.EMPTY: "nearly all linked tickets of a side are out of sight",
    Cause.TRACKER: "a tracker went back in time, as if restored from a backup",
    Cause.STORE: "the bridge's own database went back in time, as if restored from a backup",
}
"""What each cause means, without the name of a ticket."""


@dataclass(frozen=True, slots=True)
class Brake:
    """A brake that is pulled.

    Attributes:
        agreement: of which agreement.
        cause: see :class:`bridge.sync.brakes.Cause`.
        reason: what was seen, for people who may see the agreement's tickets; holds keys.
        since: when it was pulled, microseconds.
    """

    agreement: str
    cause: Cause
    reason: str
    since: int

    @property
    def words(self) -> str:
        """What the cause means, without the name of a ticket."""
        return WORDS[self.cause]

    @property
    def stops(self) -> str:
        """Why nothing is written, for people."""
        return f"the brake is pulled ({self.cause.value}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Let:
    """What a person has let through.

    Attributes:
        at: when a brake was last released, microseconds; changes up to then count no more.
        until: until when nothing is counted and no alarm goes off, microseconds.
        causes: cause -> until when it raises no alarm, microseconds.
        forgotten: up to when the trackers may hold what our database does not know, microseconds.
    """

    at: int = 0
    until: int = 0
    causes: tuple[tuple[Cause, int], ...] = ()
    forgotten: int = 0

    def covers(self, cause: Cause, now: int) -> bool:
        """Whether an alarm for that cause is let through."""
        return now < max(self.until, dict(self.causes).get(cause, 0))


def pulled(tx: Tx, agreement: str) -> Brake | None:
    """An agreement's brake, if it is pulled.

    Raises:
        StoreError: our own database failed.
    """
    note = tx.cursors.get_note(PULLED + agreement)
    return None if note is None else _brake(agreement, note)


def all_pulled(tx: Tx) -> list[Brake]:
    """All brakes that are pulled, by agreement.

    Raises:
        StoreError: our own database failed.
    """
    notes = tx.cursors.notes(PULLED)
    return [_brake(key.removeprefix(PULLED), note) for key, note in notes.items()]


def let_through(tx: Tx, agreement: str) -> Let:
    """What a person has let through under an agreement.

    Raises:
        StoreError: our own database failed.
    """
    note: dict[str, Any] = tx.cursors.get_note(LET + agreement) or {}
    causes = tuple((Cause(cause), until) for cause, until in note.get("causes", {}).items())
    return Let(note.get("at", 0), note.get("until", 0), causes, note.get("forgotten", 0))


def pull(house: House, agreements: Iterable[Agreement], cause: Cause, reason: str) -> None:
    """Pull the brakes of agreements; one that is pulled already stays as it is, with its reason and its time.

    Nothing happens where a person has just let the same thing through.

    Raises:
        StoreError: our own database failed.
    """
    now = house.clock.now()
    for agreement in agreements:
        with house.braking, house.store.write() as tx:
            if pulled(tx, agreement.name) is not None or let_through(tx, agreement.name).covers(cause, now):
                continue
            tx.cursors.set_note(
                PULLED + agreement.name, {"cause": cause.value, "reason": reason, "since": now}
            )
            tx.journal.add(
                now, agreement.name, None, "brake.pulled", {"cause": cause.value, "reason": reason}
            )
            _tell(tx, agreement, cause, reason, now)
        log.error("brake_pulled", agreement=agreement.name, cause=cause.value, why=WORDS[cause])


def sharing(house: House, tracker: str) -> list[Agreement]:
    """The agreements that have a side at the same site as that tracker, under whatever name.

    Args:
        house: the running parts.
        tracker: a tracker's name in the configuration.
    """
    settings = house.terms.settings
    here = site(settings.trackers[tracker])
    return [
        one
        for one in settings.agreements
        if any(site(settings.trackers[one.scope(side).tracker]) == here for side in Side)
    ]


def within_share(run: Run, plan: Plan) -> bool:
    """Whether a run may change what it plans to; if that is one ticket too many, the brake is pulled.

    What belongs to a link's beginning is not counted: the peer was just made, or a person has linked the two. Nor is
    what people have reviewed.

    Raises:
        StoreError: our own database failed.
    """
    house, rule, name = run.house, run.agreement.brakes, run.agreement.name
    if rule.share is None or run.warrant or not alters(plan) or _beginning(run, plan):
        return True
    now = house.clock.now()
    with house.store.read() as tx:
        let = let_through(tx, name)
        if not house.tally.knows(name):
            counted: dict[str, int] = tx.cursors.get_note(COUNTED + name) or {}
            house.tally.begin(name, {int(link): at for link, at in counted.items()})
    if now < let.until:
        return True
    after = max(let.at, now - rule.within)
    if not house.tally.count(name, run.link.id, now=now, after=after, most=rule.least):
        with house.store.read() as tx:
            counts = tx.links.counts()
        links = sum(
            count for (one, state), count in counts.items() if one == name and state is not LinkState.CLOSED
        )
        most = rule.most(links)
        assert most is not None
        if not house.tally.count(name, run.link.id, now=now, after=after, most=most):
            reason = (
                f"{most + 1} of {links} tickets would have been changed within {rule.within // SECOND} s, "
                f"and {most} are let through"
            )
            pull(house, [run.agreement], Cause.SHARE, reason)
            return False
    counted_now = house.tally.to_save(name, now, rule.within)
    if counted_now is not None:
        with house.store.write(durable=False) as tx:
            tx.cursors.set_note(COUNTED + name, {str(link): at for link, at in counted_now.items()})
    return True


def _beginning(run: Run, plan: Plan) -> bool:
    """Whether a plan belongs to the beginning of a link: both were never in agreement, or the mirror is unseen yet."""
    if run.link.synced_at is None:
        return True
    return begins(plan) and any(run.bases[side].seen == 0 for side in Side)


def _brake(agreement: str, note: dict[str, Any]) -> Brake:
    return Brake(agreement, Cause(note["cause"]), note["reason"], note["since"])


def letter_about(agreement: Agreement, role: Role, cause: Cause, reason: str, now: int) -> Letter:
    """The letter to a role about a brake, in its language; what was seen stands in it as the audit trail has it.

    Args:
        agreement: whose brake it is.
        role: the role that is told.
        cause: why it was pulled.
        reason: what was seen, with counts and keys.
        now: when it was pulled, microseconds.
    """
    words = tongue(role.language)
    told = (_meaning(cause, words), words.say("What was seen: {reason}.", reason=reason))
    commands = (
        (words.say("To see what would be written"), "bridge plan"),
        (words.say("To let it go on"), f'bridge brakes release {agreement.name} --reason "..."'),
    )
    return brake_pulled(agreement, role, cause=cause.value, words=told, commands=commands, at=now, now=now)


def _meaning(cause: Cause, words: Tongue) -> str:
    """What a cause means, as a sentence for people; ``WORDS`` has it for logs."""
    match cause:
        case Cause.SHARE:
            return words.say("More tickets would have been changed at once than the agreement lets through.")
        case Cause.EMPTY:
            return words.say("Nearly all linked tickets of a side are out of sight.")
        case Cause.TRACKER:
            return words.say("A tracker went back in time, as if restored from a backup.")
        case Cause.STORE:
            return words.say("The bridge's own database went back in time, as if restored from a backup.")


def _tell(tx: Tx, agreement: Agreement, cause: Cause, reason: str, now: int) -> None:
    """A letter to the role that approves on the internal side, if it has an address."""
    role = agreement.role(agreement.holds.approvers.get(Side.INTERNAL, ""))
    if role is not None and role.mail:
        tx.outbox.put(letter_about(agreement, role, cause, reason, now))
