"""Looking at links that are due: from what is stored of them to what is to be told. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bridge.clock import SECOND
from bridge.config.settings import Pledge
from bridge.daemon.acknowledging import entry_of
from bridge.daemon.alerting import Looked
from bridge.daemon.house import House
from bridge.daemon.outages import Outages
from bridge.errors import StoreError
from bridge.sla.calendar import calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.glance import glance
from bridge.sla.ladder import LATE, CycleKey, StepKey, Told, called_now, claims, recognised, spoke_at
from bridge.sla.policy import Policy
from bridge.sla.serial import policy_from_json, timeline_from_json
from bridge.sla.timeline import EntryKind, Timeline
from bridge.sla.verdict import Verdict
from bridge.store.database import Tx
from bridge.store.rows import Acknowledgement, Alert, Chronicle, Link
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

POLLS: Final = 2
"""Polls that a step waits for after its moment."""

MOST_SETTLE: Final = 60.0
"""Seconds for which it waits at most, where the agreement does not say how long."""


class Look:
    """Looks, and remembers the policies that it has read: versions never change.

    Args:
        house: the running parts.
        outages: why something is late.
    """

    def __init__(self, house: House, outages: Outages) -> None:
        self._house = house
        self._outages = outages
        self._policies: dict[tuple[str, str], Policy] = {}

    def at(self, tx: Tx, rows: Sequence[Chronicle], now: int) -> tuple[list[Looked], list[Chronicle]]:
        """What there is to tell of these links now, and the rows that cannot be understood.

        Raises:
            StoreError: our own database failed.
        """
        ids = [row.link_id for row in rows]
        told, words, links = tx.alerts.of(ids), tx.alerts.acknowledged_of(ids), tx.links.of(ids)
        found: list[Looked] = []
        broken: list[Chronicle] = []
        for row in rows:
            try:
                of = row.link_id
                one = self._look(tx, row, links.get(of), told.get(of, ()), words.get(of, ()), now)
            except Exception:  # one bad row stops no other
                log.exception("tick_row_failed", link=row.link_id)
                broken.append(row)
            else:
                found.append(one)
        return found, broken

    def policy(self, tx: Tx, agreement: str, version: str) -> Policy:
        """A version of an agreement's policy.

        Raises:
            StoreError: it is not in the database.
        """
        if (agreement, version) not in self._policies:
            for one in tx.policies.list(agreement):
                self._policies[agreement, one.version] = policy_from_json(one.content)
        try:
            return self._policies[agreement, version]
        except KeyError:
            raise StoreError(
                f"version {version[:12]} of the clocks of '{agreement}' is not in the database; "
                "'bridge sla rebuild' reads the histories anew"
            ) from None

    def verdict(
        self, tx: Tx, row: Chronicle, now: int, words: Sequence[Acknowledgement] = ()
    ) -> tuple[Policy, Timeline, Verdict]:
        """What the clocks of a link say, by its stored history and by who has acknowledged since it was read.

        Raises:
            StoreError: what is stored of it cannot be read.
        """
        policy, timeline = self.policy(tx, row.agreement, row.policy), timeline_from_json(row.timeline)
        there = {one.event for one in timeline.entries}
        more = [entry_of(one) for one in words if one.detail.get("how") != "comment"]
        new = [one for one in more if one.event not in there]
        if new:
            entries = sorted((*timeline.entries, *new), key=lambda one: one.at)
            timeline = replace(timeline, entries=tuple(entries))
        return policy, timeline, evaluate(timeline, policy, calendars_of(policy), now)

    def _settle(self, agreement: Agreement) -> int:
        """How long a step waits after its moment for deeds that no poll has told yet, microseconds."""
        settings = self._house.terms.settings
        pledge = settings.pledges.get(agreement.name, Pledge())
        if pledge.settle is not None:
            return round(pledge.settle * SECOND)
        names = {agreement.scope(side).tracker for side in Side} & settings.trackers.keys()
        polls = max((settings.trackers[name].poll for name in names), default=0.0)
        return round(min(MOST_SETTLE, POLLS * polls) * SECOND)

    def _look(  # noqa: PLR0917 - all that is stored of a link
        self,
        tx: Tx,
        row: Chronicle,
        link: Link | None,
        alerts: Sequence[Alert],
        words: Sequence[Acknowledgement],
        now: int,
    ) -> Looked:
        agreement = self._house.terms.agreement(row.agreement)
        if link is None or agreement is None or not row.timeline:
            return Looked(row, None, row.summary)
        policy, timeline, verdict = self.verdict(tx, row, now, words)
        known = {(one.clock, one.cycle) for one in alerts} | {(one.clock, one.cycle) for one in words}
        events = {(one.clock, one.cycle): str(one.detail.get("event", "")) for one in alerts}
        names = recognised(verdict, known, events)
        own, settle = called_now(verdict, known, events), self._settle(agreement)
        calendars = calendars_of(policy)
        spoke = {(one.clock, one.started_at): spoke_at(one, policy, calendars) for one in verdict.cycles}
        fresh = tuple(_said(link, verdict, timeline, names, spoke))
        steps, upcoming = claims(
            verdict,
            policy,
            calendars,
            _told(alerts, own, settle),
            _acknowledged(verdict, (*words, *fresh), own),
            now - settle,
        )
        upcoming = None if upcoming is None else upcoming + settle
        # A tracker's clock may be ahead of ours by little enough to be left as it is: what it tells comes true then.
        ahead = [at for at in (*(one.at for one in timeline.entries), timeline.ended or 0) if at > now]
        moments = [*ahead, *(max(at, now + 1) for at in (verdict.next_at, upcoming) if at is not None)]
        next_at = min(moments, default=None)
        summary = {**glance(verdict), **{key: value for key, value in row.summary.items() if key == "urls"}}
        late = {
            claim: self._outages.why(agreement, claim.at) if claim.late > LATE else None for claim in steps
        }
        return Looked(
            row, next_at, summary, link, agreement, policy, verdict, tuple(late.items()), names, fresh
        )


def _told(alerts: Iterable[Alert], own: dict[CycleKey, CycleKey], settle: int) -> dict[StepKey, Told]:
    """How far each step was told, by the same time as its moments: less what a step waits."""
    told: dict[StepKey, Told] = {}
    for one in alerts:
        clock, began = own.get((one.clock, one.cycle), (one.clock, one.cycle))
        before = told.get((clock, began, one.step))
        if before is None or before.round < one.round:
            told[clock, began, one.step] = Told(one.round, one.claimed_at - settle)
    return told


def _acknowledged(
    verdict: Verdict, words: Iterable[Acknowledgement], own: dict[CycleKey, CycleKey]
) -> dict[CycleKey, int]:
    """Since when each cycle is acknowledged; a word about the whole ticket is about all that had begun by then."""
    found: dict[CycleKey, int] = {}
    for word in words:
        key = own.get((word.clock, word.cycle), (word.clock, word.cycle))
        began = [(one.clock, one.started_at) for one in verdict.cycles if one.started_at <= word.at]
        for cycle in [key] if word.clock else began:
            found[cycle] = min(word.at, found.get(cycle, word.at))
    return found


def _said(
    link: Link,
    verdict: Verdict,
    timeline: Timeline,
    names: dict[CycleKey, CycleKey],
    spoke: Mapping[CycleKey, int | None],
) -> Iterable[Acknowledgement]:
    """What the history says of acknowledgements: each is about the cycles that were open then.

    And of which there was something to acknowledge: a vendor's first answer often says no more than that word.
    """
    for entry in timeline.entries:
        if entry.kind is not EntryKind.ACKNOWLEDGED or entry.at > verdict.at:
            continue
        detail = {"who": entry.who, "side": entry.side.value, "how": "comment"}
        for cycle in verdict.cycles:
            lasted = cycle.started_at <= entry.at and (
                cycle.stopped_at is None or entry.at <= cycle.stopped_at
            )
            key = (cycle.clock, cycle.started_at)
            since = spoke[key]
            heard = since is not None and since <= entry.at
            if lasted and heard and not entry.event.startswith("bridge:"):
                clock, began = names.get(key, key)
                yield Acknowledgement(link.id, clock, began, entry.at, detail)
