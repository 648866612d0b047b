"""What kept the bridge from telling in time: when it was down, which tracker could not be read, a clock that jumped.

Each tick passes by here; twice a minute its moment is noted. A gap between two ticks is a time in which nobody could be
told anything, and an alert whose moment lies in it says so.
"""

from __future__ import annotations

from typing import Any, Final

from bridge.clock import SECOND
from bridge.daemon.house import House
from bridge.notify.clock_letters import Late
from bridge.store.database import Tx
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side

NOTE: Final = "tick"
"""The note: ``at``, and the last ``outages`` and troubles of ``trackers`` as (from, to), microseconds."""

GAP: Final = 90 * SECOND
"""Ticks that are further apart have a time between them in which the bridge was down."""

JUMP: Final = 5 * SECOND
"""A clock that shows so much less than at the tick before was set back."""

NOTING: Final = 30 * SECOND
KEPT: Final = 20


class Outages:
    """What is remembered of them.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, Any] | None = None
        self._at = self._noted_at = 0

    def pass_by(self, now: int) -> int:
        """A tick begins; returns by how much the clock was set back since the last one, microseconds, mostly 0.

        Raises:
            StoreError: our own database failed.
        """
        known = self._known
        if known is None:
            with self._house.store.read() as tx:
                known = self._known = tx.cursors.get_note(NOTE) or {}
            self._at = known.get("at", now)
        back = self._at - now if self._at - now > JUMP else 0
        if now - self._at > GAP:
            known["outages"] = [*known.get("outages", []), [self._at, now]][-KEPT:]
        self._at = now
        if back or abs(now - self._noted_at) >= NOTING:
            self._noted_at = now
            self._look_at_trackers(known, now)
            with self._house.store.write(durable=False) as tx:
                self.keep(tx)
        return back

    def keep(self, tx: Tx) -> None:
        """Note when the last tick was."""
        if self._known is not None:
            self._known["at"] = self._at
            tx.cursors.set_note(NOTE, self._known)

    def why(self, agreement: Agreement, at: int) -> Late:
        """Why something that was to be told at a moment is told only now."""
        known = self._known or {}
        if any(since <= at <= until for since, until in known.get("outages", ())):
            return "down"
        spans = known.get("trackers", {})
        for side in Side:
            for since, until in spans.get(agreement.scope(side).tracker, ()):
                if since - GAP <= at <= until + GAP:
                    return "unread"
        return "unknown"

    def _look_at_trackers(self, known: dict[str, Any], now: int) -> None:
        spans = known.setdefault("trackers", {})
        for name in self._house.terms.settings.trackers:
            trouble = self._house.health.trouble(name)
            if trouble is None:
                continue
            before = [span for span in spans.get(name, []) if span[0] != trouble.since]
            spans[name] = [*before, [trouble.since, max(now, trouble.since)]][-KEPT:]
