"""The tick: once a second, whatever is due by the index of what changes next is looked at, and told.

It knows the stored histories and our own database, and asks no tracker: alerts go out while trackers are down or the
sync hangs. What is due is looked at in portions, each stored in one transaction with its claims and what tells of them.
A row that fails is put off and stops no other. Moments are the clock's own, so one that is set back tells nothing
early, and a claim is unique, so it tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.clock import SECOND
from bridge.config.settings import Settings
from bridge.daemon.acknowledging import secret_of, told_to_journal
from bridge.daemon.alerting import Looked, claim_all
from bridge.daemon.gathering import Gathering
from bridge.daemon.house import House
from bridge.daemon.looking import Look
from bridge.daemon.outages import Outages
from bridge.daemon.rounds import Rounds
from bridge.daemon.routing import Routing
from bridge.errors import BridgeError, StoreError
from bridge.store.database import Tx
from bridge.store.rows import Chronicle

log = structlog.get_logger(__name__)

ROUND: Final = 1.0
"""Seconds between two ticks."""

PORTION: Final = 50
"""Links that are looked at and stored together."""

PUT_OFF: Final = 300 * SECOND
"""After how long a row is looked at again that failed, microseconds."""

GOODBYE: Final = 10.0
"""Seconds that a shutdown waits for the portion that is being stored."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick did.

    Attributes:
        looked: links that were due.
        claimed: steps of ladders that were claimed.
        failed: rows that were put off.
        gathered: mails that tell of several alerts.
    """

    looked: int = 0
    claimed: int = 0
    failed: int = 0
    gathered: int = 0


class Ticker:
    """Ticks, by itself as a thread or when asked.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._rounds = Rounds(house, "tick", self.tick, ROUND)
        self._outages = Outages(house)
        self._look = Look(house, self._outages)
        self._gathering = Gathering(house, self._look)
        self._secret = ""

    # --- as a thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to tick, in a thread of its own."""
        self._rounds.start()

    def stop(self) -> None:
        """Take up no further portion."""
        self._rounds.stop()

    def join(self) -> None:
        """Wait for the portion that is being stored, and note when the last tick was."""
        self._rounds.join(GOODBYE)
        try:
            with self._house.store.write() as tx:
                self._outages.keep(tx)
        except BridgeError as error:
            log.error("store_failed", words=str(error))

    # --- one tick ------------------------------------------------------------------------------------------------

    def tick(self) -> Ticked:
        """Look at every link that is due, and tell what there is to tell.

        Raises:
            StoreError: our own database failed.
        """
        now = self._house.clock.now()
        back = self._outages.pass_by(now)
        if back:
            log.warning("clock_set_back", seconds=back // SECOND)
            with self._house.store.write() as tx:
                tx.chronicles.bring_back(now)
            self._gathering.bring_back(now, back)
        looked = claimed = failed = 0
        while not self._rounds.over():
            settings = self._house.terms.settings
            with self._house.store.read() as tx:
                due = tx.chronicles.due(now, PORTION, [one.name for one in settings.agreements])
                found, broken = self._look.at(tx, due, now)
            if any(one.claims for one in found) and not self._secret and settings.web is not None:
                self._secret = secret_of(self._house.store)
            done, more = self._store(found, settings, now)
            broken += more
            self._put_off(broken, now)
            self._rounds.beat()
            looked, claimed, failed = looked + len(due), claimed + done, failed + len(broken)
            if len(due) < PORTION:
                break
        return Ticked(looked, claimed, failed, self._gathering.tell(now, self._secret))

    def _store(self, found: Sequence[Looked], settings: Settings, now: int) -> tuple[int, list[Chronicle]]:
        """Store a portion; should that fail, each row by itself. Returns how many claims, and which rows failed."""
        if not found:
            return 0, []
        try:
            return self._commit(found, settings, now), []
        except StoreError:
            raise
        except Exception:  # one bad row stops no other
            if len(found) > 1:
                parts = [self._store([one], settings, now) for one in found]
                return sum(done for done, _ in parts), [row for _, rows in parts for row in rows]
            log.exception("tick_row_failed", link=found[0].row.link_id)
            return 0, [found[0].row]

    def _commit(self, found: Sequence[Looked], settings: Settings, now: int) -> int:
        told = any(one.claims or one.acknowledged for one in found)
        claimed = 0
        with self._house.store.write(durable=told) as tx:
            routing = Routing(tx, settings, now)
            for one in found:
                # Whoever stored a newer history meanwhile has made it due again.
                if tx.chronicles.settle(one.row, one.next_at, one.summary):
                    _keep_words(tx, one, now)
                    claimed += claim_all(tx, one, routing, settings, self._secret, now)
            waiting = routing.save()
        self._gathering.heard(waiting)
        return claimed

    def _put_off(self, rows: Sequence[Chronicle], now: int) -> None:
        if not rows:
            return
        with self._house.store.write(durable=False) as tx:
            for row in rows:
                tx.chronicles.settle(row, now + PUT_OFF, row.summary)


def _keep_words(tx: Tx, looked: Looked, now: int) -> None:
    """Keep the acknowledgements that a link's history tells of."""
    if looked.link is None:
        return
    for word in looked.acknowledged:
        if tx.alerts.acknowledge(word):
            told_to_journal(tx, looked.link, [(word.clock, word.cycle)], dict(word.detail), now)
