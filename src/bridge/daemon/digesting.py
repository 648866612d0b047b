"""Sends the digests of the agreements when they are due: each once, to each of its roles.

That a digest was sent is noted in the transaction that puts its mails into the outbox, and the key of each mail names
the digest and the role: so a restart, a reload or a kill at any point neither loses nor doubles one. What was missed
while the bridge was down is sent at the next start, the newest one only. Between two digests nothing is looked at.
"""

from __future__ import annotations

import structlog

from bridge.clock import SECOND
from bridge.config.settings import Digest, Settings
from bridge.daemon.house import House
from bridge.errors import StoreError
from bridge.report.digest import digest_letter
from bridge.report.facts import Period
from bridge.report.gathering import gather
from bridge.report.schedule import following, latest, name, preceding
from bridge.store.rows import Letter
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

PAUSE = 60 * SECOND
"""Microseconds after which a digest that failed is tried again."""

NOTE = "digest/"
"""How the notes begin that say up to when an agreement's digest was sent: ``until``, microseconds."""


class Digesting:
    """Sends what is due, when it is asked to.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: Settings | None = None
        self._next: dict[str, int] = {}

    def step(self, now: int) -> None:
        """Put every digest that is due into the outbox; at once back when none is.

        Raises:
            StoreError: our own database failed.
        """
        settings = self._house.terms.settings
        if settings is not self._known:
            self._known = settings
            self._next = dict.fromkeys(self._wanted(settings), now)
        for agreement in settings.agreements:
            due = self._next.get(agreement.name)
            if due is not None and due <= now:
                rule = self._wanted(settings)[agreement.name]
                self._next[agreement.name] = now + PAUSE
                try:
                    self._send(agreement, rule, now)
                except StoreError:
                    raise
                except Exception:  # one agreement's digest stops no other's, nor what else this thread does
                    log.exception("digest_failed", agreement=agreement.name)
                else:
                    self._next[agreement.name] = following(rule, now)

    @staticmethod
    def _wanted(settings: Settings) -> dict[str, Digest]:
        pledges = settings.pledges.items()
        return {agreement: pledge.digest for agreement, pledge in pledges if pledge.digest is not None}

    def _send(self, agreement: Agreement, rule: Digest, now: int) -> None:
        """Send the newest digest unless it was. The first one of an agreement is sent when it is next due."""
        until = latest(rule, now)
        key = f"{NOTE}{agreement.name}"
        with self._house.store.read() as tx:
            note = tx.cursors.get_note(key)
        letters: list[Letter] = []
        if note is not None:
            if note["until"] >= until:
                return
            # After a change of the schedule it begins where the one before ended: nothing is told twice.
            period = Period(max(preceding(rule, until), note["until"]), until)
            letters = self._letters(agreement, rule, period, now)
        with self._house.store.write() as tx:
            queued = sum([tx.outbox.put(letter) for letter in letters])
            tx.cursors.set_note(key, {"until": until})
        if note is not None:
            log.info("digest_queued", agreement=agreement.name, letters=queued, until=until)

    def _letters(self, agreement: Agreement, rule: Digest, period: Period, now: int) -> list[Letter]:
        with self._house.store.read() as tx:
            gathered = gather(tx, agreement, period, now)
        figures = {side: gathered.figures(side, rule.goals) for side in Side}
        roles = [role for role in agreement.roles if role.name in rule.to and role.mail]
        return [
            digest_letter(
                agreement,
                role,
                figures[role.side],
                name=name(rule, period.until),
                zone=rule.zone,
                now=now,
            )
            for role in roles
        ]
