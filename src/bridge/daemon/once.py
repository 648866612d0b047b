"""One pass over everything, for cron and for tests: poll all feeds, work until nothing is owed, say how it went.

At its end timelines are read again, the clocks tick once, and the digests and the mail go out that are due then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog

from bridge.clock import SECOND
from bridge.daemon.census import take_census
from bridge.daemon.chronicle import Chronicler
from bridge.daemon.control import tell_heads
from bridge.daemon.digesting import Digesting
from bridge.daemon.feed import Feed
from bridge.daemon.hooker import Hooker
from bridge.daemon.house import House
from bridge.daemon.mailer import Mailed, Mailer
from bridge.daemon.retaining import retain
from bridge.daemon.ticking import Ticker
from bridge.daemon.worker import Report, Worker, record_failure
from bridge.errors import BridgeError, Refused, TrackerError
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

PATIENCE = 10 * SECOND
"""A link that is due again within this time (throttled, looking for an outcome) is waited for, in microseconds."""

Progress = Callable[[int, int], None]
"""Told how many links are done and how many there were to do."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did.

    Attributes:
        hits: tickets in the polls' answers.
        reports: one for each link looked at, the last one where it was looked at more than once.
        failures: feeds that could not be polled, with the reason.
        mailed: what became of the letters that were due.
    """

    hits: int
    reports: tuple[Report, ...]
    failures: tuple[TrackerError, ...] = ()
    mailed: Mailed = field(default_factory=Mailed)

    @property
    def writes(self) -> int:
        """Requests that changed something."""
        return sum(report.writes for report in self.reports)

    def ended(self, ending: str) -> tuple[Report, ...]:
        """The links whose run ended so."""
        return tuple(report for report in self.reports if report.ending == ending)


def sync_once(house: House, *, census: bool = False, progress: Progress | None = None) -> Pass:
    """Poll every feed once, work off what is due, and send the mail that is due then.

    Args:
        house: the running parts.
        census: compare everything in view as well.
        progress: told after each link.

    Raises:
        StoreError: our own database failed.
    """
    hits = 0
    failures: list[TrackerError] = []
    for agreement in house.terms.settings.agreements:
        house.rosters.review(agreement, house.terms.trackers, house.store, house.clock.now())
        for side in Side:
            feed = Feed(house, agreement.name, side, _nobody)
            trouble = ""
            try:
                hits += feed.poll().hits
                if census:
                    take_census(house, feed, _nobody)
            except Refused as error:
                failures.append(error)  # of the query; the tracker itself is well
                trouble = error.words
            except TrackerError as error:
                record_failure(house, error)
                failures.append(error)
                trouble = error.words
            feed.note(trouble)
    reports = tuple(work_off(house, progress))
    Chronicler(house).flush()
    tell_heads(house)
    retain(house)
    return Pass(hits, reports, tuple(failures), tell(house))


def tell(house: House) -> Mailed:
    """The clocks tick once, and all that people are owed by now goes out; no tracker is asked.

    Raises:
        StoreError: our own database failed.
    """
    Ticker(house).tick()
    Hooker(house).flush()
    Digesting(house).step(house.clock.now())
    return Mailer(house).flush()


@contextmanager
def tell_all_the_same(house: House) -> Iterator[None]:
    """A start that may fail: what people are owed goes out all the same.

    While a tracker is down, the service manager starts the daemon again and again, and each start ends here.
    """
    try:
        yield
    except BridgeError:
        try:
            tell(house)
        except BridgeError as error:
            log.error("store_failed", words=str(error))
        raise


def work_off(house: House, progress: Progress | None = None) -> list[Report]:
    """Work on every link that is due, until none is due within the patience.

    Raises:
        StoreError: our own database failed.
    """
    worker = Worker(house)
    reports: dict[int, Report] = {}
    writes: dict[int, int] = {}
    with ThreadPoolExecutor(house.terms.settings.threads) as pool:
        while True:
            with house.store.read() as tx:
                due = tx.links.due(house.clock.now(), 100_000)
            if not due:
                wait = _next_soon(house, reports)
                if wait is None:
                    break
                house.clock.sleep(wait)
                continue
            for done, report in enumerate(pool.map(worker.sync, due), 1):
                writes[report.link] = writes.get(report.link, 0) + report.writes
                reports[report.link] = report
                if progress is not None:
                    progress(done, len(due))
    return [replace(one, writes=writes[one.link]) for one in reports.values()]


def _next_soon(house: House, reports: dict[int, Report]) -> float | None:
    """Seconds until the next postponed link of this pass is due, if that is soon; else None."""
    now = house.clock.now()
    postponed = {report.link for report in reports.values() if report.ending == "postponed"}
    if not postponed:
        return None
    with house.store.read() as tx:
        soon = [link for link in tx.links.due(now + PATIENCE, 100_000) if link in postponed]
        times = [due for link in soon if (row := tx.links.get(link)) and (due := row.due_at) is not None]
    return max(0.05, (min(times) - now) / SECOND) if times else None


def _nobody(links: Sequence[int]) -> None:
    """Wake-ups are stored; this pass finds them there."""
