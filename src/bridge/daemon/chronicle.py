"""Keeping the timelines: whatever was worked on is read again from both trackers, built anew and measured.

A row is marked stale in the transaction that ends a run, and stays so until both trackers have told everything: an
outage, a kill or a restart loses nothing. A tracker that cannot be asked delays the timelines of its own agreements
only. When anything is due is for the tick to find out: a timeline that was just read is due at once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bridge.clock import SECOND
from bridge.daemon.acknowledging import entry_of
from bridge.daemon.alarm import Alarm
from bridge.daemon.house import House, Terms
from bridge.daemon.policies import keep_policy, policy_for, policy_of, versions
from bridge.daemon.reading import Sides, read_sides
from bridge.daemon.worker import record_answer, record_failure
from bridge.errors import BridgeError, StoreError, TrackerError
from bridge.sla.building import Source, Subject, build
from bridge.sla.calendar import calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.comparing import differences
from bridge.sla.glance import glance
from bridge.sla.policy import Policy, asked_for
from bridge.sla.serial import timeline_from_json, timeline_to_json
from bridge.sla.timeline import Entry, Timeline
from bridge.store.database import Tx
from bridge.store.rows import Acknowledgement, Chronicle, Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.base import CommentPair
from bridge.sync.holding import Hold
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

BATCH = 50
"""Links whose tickets are read in one go."""

ROUND = 1.0
"""Seconds between looks at what is stale."""

UNDERWAY = 10 * SECOND
"""For how long a row is left alone that is being read: after a kill it is read again by then; microseconds."""

AGAIN = 900 * SECOND
"""After how long a link is read again that could not be understood, or shows no ticket; microseconds."""

GOODBYE = 5.0
"""Seconds that a shutdown waits for a batch."""


@dataclass(frozen=True, slots=True)
class Known:
    """What our own database knows of a link.

    Attributes:
        link: its row.
        row: what is kept for its clocks.
        pairs: its comment pairs.
        holds: all that it ever had.
        words: who acknowledged.
        ended: when it was closed; None while it goes on.
    """

    link: Link
    row: Chronicle
    pairs: tuple[CommentPair, ...]
    holds: tuple[Hold, ...]
    words: tuple[Acknowledgement, ...]
    ended: int | None

    @property
    def earlier(self) -> Timeline | None:
        """Its timeline as it was built last.

        Raises:
            StoreError: it was written by a newer version.
        """
        return timeline_from_json(self.row.timeline) if self.row.timeline else None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A link's timeline read anew, beside what is stored.

    Attributes:
        known: what our database knows of the link.
        old: the stored timeline; None when there is none.
        new: what the trackers tell now; None when they show no ticket.
        sources: what it was built from.
        differences: what is another, in words.
    """

    known: Known
    old: Timeline | None
    new: Timeline | None
    sources: Mapping[Side, Source]
    differences: tuple[str, ...]


class Chronicler:
    """Reads what is stale, by itself as threads (one for each agreement) or when asked.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._over = threading.Event()
        self._threads: dict[str, tuple[threading.Thread, Alarm]] = {}

    # --- as threads ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work, or take up the agreements that a reload has brought; for those that are gone it ends."""
        for agreement in self._house.terms.settings.agreements:
            name = agreement.name
            if name in self._threads and self._threads[name][0].is_alive():
                continue
            alarm = Alarm(self._house.clock)
            thread = threading.Thread(
                target=self._work_forever, args=(name, alarm), name=f"chronicle-{name}", daemon=True
            )
            self._threads[name] = (thread, alarm)
            thread.start()

    def stop(self) -> None:
        """Take up nothing more."""
        self._over.set()
        for _, alarm in self._threads.values():
            alarm.close()

    def join(self) -> None:
        """Wait a little for the batches that are being read; what is not stored stays stale."""
        for thread, _ in self._threads.values():
            thread.join(GOODBYE)

    def _work_forever(self, name: str, alarm: Alarm) -> None:
        surveyed: Terms | None = None
        while not self._over.is_set():
            terms = self._house.terms
            if terms.agreement(name) is None:
                return
            more = False
            try:
                if surveyed is not terms:
                    survey(self._house, name)
                    surveyed = terms
                more = self.review(name)
            except BridgeError as error:
                log.error("store_failed", words=str(error))
            except Exception:  # the clocks must outlive any failure, our own bugs included
                log.exception("timelines_failed", agreement=name)
            if not more:
                alarm.wait(ROUND)

    # --- one round -----------------------------------------------------------------------------------------------

    def flush(self) -> int:
        """Read everything that is stale and can be read now; returns how many timelines were stored.

        Raises:
            StoreError: our own database failed.
        """
        before = self._stored = 0
        for agreement in self._house.terms.settings.agreements:
            survey(self._house, agreement.name)
            while self.review(agreement.name):
                pass
        return self._stored - before

    def review(self, name: str) -> bool:
        """Read one batch of what is stale of an agreement; whether there may be more to read at once.

        Raises:
            StoreError: our own database failed.
        """
        house, terms = self._house, self._house.terms
        agreement, now = terms.agreement(name), self._house.clock.now()
        if agreement is None:
            return False
        with house.store.read() as tx:
            rows = tx.chronicles.stale(now, BATCH, name)
            known = [_known(tx, row) for row in rows]
        if not rows:
            return False
        blocked = [
            until
            for side in Side
            if (until := house.health.blocked_until(agreement.scope(side).tracker, now)) is not None
        ]
        if blocked:
            self._later(known, max(blocked))
            return True
        with house.store.write(durable=False) as tx:
            for row in rows:
                tx.chronicles.later(row.link_id, now + UNDERWAY)
        try:
            read = read_sides(house, terms, agreement, [one.link for one in known])
        except TrackerError as error:
            self._later(known, record_failure(house, error))
            return True
        for side in Side:
            if any(one.link.ticket(side) for one in known):
                record_answer(house, agreement.scope(side).tracker)
        with house.store.read() as tx:
            # Only now: a copy that stands in an answer must be known as one.
            known = [_known(tx, one.row) for one in known]
            policies = versions(tx, name)
        self._store(agreement, policies, known, read, now + UNDERWAY)
        log.debug("timelines_read", agreement=name, links=len(known), ms=(house.clock.now() - now) // 1000)
        return len(rows) == BATCH

    def _store(
        self,
        agreement: Agreement,
        policies: Sequence[Policy],
        known: Sequence[Known],
        read: Sides,
        underway: int,
    ) -> None:
        now = self._house.clock.now()
        done: list[Chronicle] = []
        later: list[Known] = []
        for one in known:
            try:
                timeline = None
                sources = read.sources[one.link.id]
                if one.link.id not in read.unclear:
                    timeline = build(_subject(agreement, policies, one), sources)
                if timeline is None:
                    later.append(one)
                else:
                    done.append(measured(one, timeline, policies, now, sources))
            except Exception:  # one link's oddity keeps no other one waiting
                log.exception("timeline_failed", agreement=agreement.name, link=one.link.id)
                later.append(one)
        with self._house.store.write(durable=False) as tx:
            for row in done:
                tx.chronicles.put(row, underway)
            for one in later:
                tx.chronicles.later(one.link.id, now + AGAIN)
        self._stored += len(done)

    def _later(self, known: Sequence[Known], until: int) -> None:
        """Leave these stale until a tracker may be asked again; what has ended has ended all the same."""
        with self._house.store.write(durable=False) as tx:
            for one in known:
                old = _readable(one) if one.ended is not None else None
                if old is not None and old.ended != one.ended:
                    told = timeline_to_json(replace(old, ended=one.ended))
                    now = self._house.clock.now()
                    tx.chronicles.put(replace(one.row, timeline=told, next_at=now), None)
                tx.chronicles.later(one.link.id, until)

    _stored = 0


def _readable(known: Known) -> Timeline | None:
    """The timeline as it was built last; None when what is stored makes no sense: it is built anew when it is read."""
    try:
        return known.earlier
    except StoreError:
        return None


def survey(house: House, name: str) -> None:
    """Keep the version of the policy that the configuration has now, and have everything read that it asks for.

    Raises:
        StoreError: our own database failed.
    """
    now = house.clock.now()
    with house.store.write(durable=False) as tx:
        new = keep_policy(tx, house.terms, name, now)
        if new is not None:
            log.info("policy_new", agreement=name, version=new.version[:12], since=new.since)
            tx.chronicles.renew(name, new.since, now)
        if policy_of(house.terms, name) is None:
            return
        for link in tx.chronicles.missing(name):
            tx.chronicles.touch(link, name, now)


def measured(
    known: Known, timeline: Timeline, policies: Sequence[Policy], now: int, sources: Mapping[Side, Source]
) -> Chronicle:
    """What is to be kept of a link.

    Args:
        known: what is known of it.
        timeline: its history.
        policies: all versions of its agreement's policy.
        now: microseconds.
        sources: what its timeline was built from.
    """
    policy = policy_for(policies, timeline.born)
    row = replace(
        known.row,
        policy="" if policy is None else policy.version,
        born=timeline.born,
        read_at=now,
        next_at=None,
        timeline=timeline_to_json(timeline),
        summary={},
    )
    if policy is None:
        return row
    verdict = evaluate(timeline, policy, calendars_of(policy), now)
    urls = dict(known.row.summary.get("urls", {})) | {
        side.value: source.ticket.url for side, source in sources.items() if source.ticket is not None
    }
    return replace(row, next_at=now, summary={**glance(verdict), "urls": urls})


def rebuild(house: House, link_id: int) -> Rebuilt | None:
    """Read a link's timeline anew from both trackers and compare it with what is stored, storing nothing.

    Returns:
        None when there is no such link, or its agreement is not in the configuration.

    Raises:
        TrackerError: a tracker cannot be asked now, or what it says makes no sense.
        StoreError: our own database failed.
    """
    terms = house.terms
    with house.store.read() as tx:
        link = tx.links.get(link_id)
        agreement = None if link is None else terms.agreement(link.agreement)
        if link is None or agreement is None:
            return None
        row = tx.chronicles.get(link_id)
        known = _known(tx, row or Chronicle(link_id, link.agreement))
        policies = versions(tx, link.agreement)
    read = read_sides(house, terms, agreement, [link])
    old, new, sources = known.earlier, None, read.sources[link_id]
    if link_id not in read.unclear:
        new = build(_subject(agreement, policies, known), sources)
    return Rebuilt(known, old, new, sources, differences(old, new) if new is not None else ())


def store_rebuilt(house: House, rebuilt: Rebuilt) -> None:
    """Store what ``rebuild`` has read; a link that is stale is read once more by the daemon all the same.

    Raises:
        StoreError: our own database failed.
    """
    if rebuilt.new is None:
        return
    now, known = house.clock.now(), rebuilt.known
    with house.store.write(durable=False) as tx:
        if tx.chronicles.get(known.link.id) is None:
            tx.chronicles.touch(known.link.id, known.link.agreement, now)
        policies = versions(tx, known.link.agreement)
        tx.chronicles.put(measured(known, rebuilt.new, policies, now, rebuilt.sources), None)


def _known(tx: Tx, row: Chronicle) -> Known:
    link = tx.links.get(row.link_id)
    assert link is not None, "links are never deleted"
    return Known(
        link=link,
        row=row,
        pairs=tuple(tx.comments.list(link.id)),
        holds=tuple(tx.holds.list(link.id)),
        words=tuple(tx.alerts.acknowledged(link.id)),
        ended=_ended(tx, link, row),
    )


def _ended(tx: Tx, link: Link, row: Chronicle) -> int | None:
    """When a closed link was closed, by the journal."""
    if link.state is not LinkState.CLOSED:
        return None
    closed = [entry.at for entry in tx.journal.for_link(link.id) if entry.event == "link.closed"]
    return max(closed, default=row.stale_at)


def _subject(agreement: Agreement, policies: Sequence[Policy], known: Known) -> Subject:
    return Subject(
        agreement=agreement,
        origin=known.link.origin,
        marker=known.link.marker,
        fields=asked_for(policies),
        pairs=known.pairs,
        holds=known.holds,
        acknowledged=_acknowledged(known.words),
        earlier=known.earlier,
        ended=known.ended,
    )


def _acknowledged(words: Sequence[Acknowledgement]) -> tuple[Entry, ...]:
    """Who acknowledged by mail or by a command; a comment stands in its tracker's own history.

    One word may be about several cycles: it is one entry.
    """
    told = [entry_of(word) for word in words if word.detail.get("how") != "comment"]
    return tuple({one.event: one for one in told}.values())
