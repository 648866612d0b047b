"""Telling a role in one mail what was gathered for it, once its quiet hours or the gathering is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.daemon.alerting import for_reader, urls_of
from bridge.daemon.house import House
from bridge.daemon.looking import Look
from bridge.daemon.routing import NOTES, Routing, key_of
from bridge.notify.clock_letters import Alarm, alarm_letter, gathered_letter
from bridge.sla.ladder import recognised
from bridge.sla.policy import Policy, Step
from bridge.sla.verdict import ClockState, Cycle, Verdict
from bridge.store.database import Tx
from bridge.store.rows import Alert, Letter
from bridge.sync.agreement import Agreement
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

LATER = 600 * SECOND
"""After how long a role is tried again that is not there, or has no address."""


class Gathering:
    """What waits to be told together.

    Args:
        house: the running parts.
        look: reads what is stored of links.
    """

    def __init__(self, house: House, look: Look) -> None:
        self._house = house
        self._look = look
        self._waiting: dict[str, int] | None = None

    def heard(self, waiting: Mapping[str, int | None]) -> None:
        """By note: until when something is gathered, as it was just stored."""
        known = self._known()
        for key, until in waiting.items():
            if until is None:
                known.pop(key, None)
            else:
                known[key] = until

    def tell(self, now: int, secret: str) -> int:
        """Tell what has waited long enough; returns how many mails that makes.

        Raises:
            StoreError: our own database failed.
        """
        if not any(until <= now for until in self._known().values()):
            return 0
        made = 0
        for agreement in self._house.terms.settings.agreements:
            # Of a role that is gone by now there is no more than its name: nobody hears of it, and that is told.
            prefix = key_of(agreement.name, "")
            names = [key.removeprefix(prefix) for key in self._known() if key.startswith(prefix)]
            for role in [agreement.role(name) or Role(name, Side.INTERNAL) for name in names]:
                until = self._known().get(key_of(agreement.name, role.name))
                if until is not None and until <= now:
                    made += self._tell(agreement, role, now, secret)
        return made

    def bring_back(self, now: int, by: int) -> None:
        """The clock was set back: what waits, waits no longer for that."""
        with self._house.store.write() as tx:
            tx.outbox.bring_back(now, by)
            for key, note in tx.cursors.notes(NOTES).items():
                if note["until"] is not None:
                    note["until"] = min(note["until"], max(now, note["until"] - by))
                note["recent"] = [at - by for at in note["recent"]]
                tx.cursors.set_note(key, note)
        self._waiting = None

    def _known(self) -> dict[str, int]:
        if self._waiting is None:
            with self._house.store.read() as tx:
                notes = tx.cursors.notes(NOTES)
            self._waiting = {key: note["until"] for key, note in notes.items() if note["until"] is not None}
        return self._waiting

    def _tell(self, agreement: Agreement, role: Role, now: int, secret: str) -> int:
        key = key_of(agreement.name, role.name)
        with self._house.store.read() as tx:
            note: dict[str, Any] = tx.cursors.get_note(key)
            alerts = tx.alerts.gathered(agreement.name, role.name, note["after"])
            letter = self._letter(tx, agreement, role, alerts, note["after"], now, secret)
        with self._house.store.write() as tx:
            routing = Routing(tx, self._house.terms.settings, now)
            if letter is not None:
                tx.outbox.put(letter)
            if role.mail:
                routing.told(agreement.name, role.name)
            else:
                routing.later(agreement.name, role.name, now + LATER)
            waiting = routing.save()
        if not role.mail:
            for one in alerts:
                log.error(
                    "alert_unheard",
                    agreement=agreement.name,
                    link=one.link_id,
                    clock=one.clock,
                    roles=[role.name],
                )
        self.heard(waiting)
        return int(letter is not None)

    def _letter(  # noqa: PLR0917 - what a letter is made of
        self,
        tx: Tx,
        agreement: Agreement,
        role: Role,
        alerts: list[Alert],
        after: int,
        now: int,
        secret: str,
    ) -> Letter | None:
        if not alerts or not role.mail:
            return None
        settings = self._house.terms.settings
        rows = tx.chronicles.of({one.link_id for one in alerts})
        made: list[tuple[Alarm, Policy]] = []
        for one in alerts:
            link = tx.links.get(one.link_id)
            if link is None:
                continue
            policy, verdict = Policy(), Verdict(now, "", (), (), 0, None)
            row = rows.get(one.link_id)
            if row is not None and row.timeline:
                try:
                    policy, _, verdict = self._look.verdict(tx, row, now)
                except Exception:  # it is told all the same, and so are the others
                    log.exception("tick_row_failed", link=one.link_id)
            alarm = Alarm(
                agreement=agreement,
                link=link,
                verdict=verdict,
                cycle=_cycle(verdict, one),
                step=_step(policy, one),
                at=one.at,
                round=one.round,
                missed=one.detail.get("missed", 0),
                late=one.detail.get("why"),
                urls={} if row is None else urls_of(row),
            )
            made.append((for_reader(alarm, policy, role, settings, secret), policy))
        if len(made) == 1:
            return alarm_letter(made[0][0], role, now)
        key = f"alerts/{agreement.name}/{role.name}/{after}"
        return gathered_letter([alarm for alarm, _ in made], role, now, key)


def _cycle(verdict: Verdict, alert: Alert) -> Cycle:
    """The cycle of an alert; should its history be told otherwise by now, what was known of it then."""
    key = (alert.clock, alert.cycle)
    names = recognised(verdict, [key], {key: str(alert.detail.get("event", ""))})
    for one in verdict.cycles:
        if (one.clock, one.started_at) in names:
            return one
    return Cycle(
        clock=alert.clock,
        number=0,
        state=ClockState.CANCELLED,
        started_at=alert.cycle,
        start_event="",
        stopped_at=alert.claimed_at,
        stop_event="",
        goal=None,
        elapsed=0,
        due_at=None,
        breached_at=None,
        warned_at=alert.at,
        segments=(),
    )


def _step(policy: Policy, alert: Alert) -> Step:
    return next((one for one in policy.ladder if one.name == alert.step), Step(alert.step, 1.0, None))
