"""The daemon as a process: start, feeds, sweep, census, reload, watchdog, shutdown.

A skeleton without decisions: every thread is a loop around one call, sleeps through the clock so that a shutdown ends
it at once, and survives whatever that call raises. SIGTERM finishes what is in flight; SIGHUP reads the configuration
again and, if it is bad, keeps the old one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Protocol

import structlog

from bridge import __version__
from bridge.clock import SECOND, SystemClock
from bridge.config.settings import Settings
from bridge.daemon.alarm import Alarm
from bridge.daemon.census import census_due, take_census
from bridge.daemon.chronicle import Chronicler
from bridge.daemon.control import tell_heads
from bridge.daemon.digesting import Digesting
from bridge.daemon.dispatch import QueueDispatcher
from bridge.daemon.feed import Feed
from bridge.daemon.heartbeat import Heart
from bridge.daemon.hints import HintDesk
from bridge.daemon.hooker import Hooker
from bridge.daemon.house import House
from bridge.daemon.mailer import Mailer
from bridge.daemon.nudges import Nudges
from bridge.daemon.opening import close_house, close_trackers, greet, open_terms
from bridge.daemon.preflight import expiring, require
from bridge.daemon.remembering import check_sites, renew
from bridge.daemon.retaining import retain
from bridge.daemon.systemd import Notifier
from bridge.daemon.ticking import Ticker
from bridge.daemon.worker import Worker, record_answer, record_failure
from bridge.errors import BridgeError, ConfigError, Refused, TrackerError
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

GRACE = 30.0
"""Seconds that a shutdown waits for links that are being worked on."""

SWEEP = 1.0
"""Seconds between looks into the due index."""

SWEPT = 2_000
"""Links put into the queue by one sweep at most: the queue in memory is slow when long."""

MOST_NARROW = 4
"""Threads of an agreement at least, however many agreements share the configured number."""

STALLED = 120.0
"""Seconds without a sweep after which the watchdog is no longer fed: systemd then restarts us."""


HOOK_REVIEW = 2.0
"""Seconds between looks at whether webhooks still speak."""

FORGETTING = 3_600.0
"""Seconds between two times that old ids of deliveries are forgotten, and old values of the journal."""

KEEPING = 5.0
"""Seconds between two notes of the witness."""


class Listener(Protocol):
    """What listens for hints from outside: a room above this one, handed in."""

    def open(self, desk: HintDesk, ready: Callable[[], bool]) -> None:
        """Begin to listen. ``ready`` tells whether the daemon does its work."""

    def close(self) -> None:
        """Take nothing more, and return when what was taken is stored."""


@dataclass(slots=True)
class _Loop:
    """One feed's thread, the flag that ends it, what cuts its pause short, and its polls out of turn."""

    thread: threading.Thread
    over: threading.Event
    alarm: Alarm
    nudges: Nudges


class Service:
    """The running daemon.

    Args:
        house: the running parts, not yet started.
        clock: the same clock as the house's, whose sleeps this service ends.
        load: reads the configuration again, for a reload.
        environ: the environment, for the service manager.
        listener: takes hints from outside; None when nobody listens.
    """

    def __init__(
        self,
        house: House,
        clock: SystemClock,
        load: Callable[[], Settings],
        environ: Mapping[str, str] | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._house = house
        self._clock = clock
        self._load = load
        self._notify = Notifier(os.environ if environ is None else environ)
        self._worker = Worker(house)
        self._mailer = Mailer(house)
        self._chronicler = Chronicler(house)
        self._ticker = Ticker(house)
        self._hooker = Hooker(house)
        self._heart = Heart(house)
        self._digesting = Digesting(house)
        self._lanes: dict[str, QueueDispatcher] = {}
        self._failed = False
        self._loops: dict[tuple[str, Side], _Loop] = {}
        self._over = threading.Event()
        self._reload = threading.Event()
        self._wake = threading.Event()
        self._swept_at = clock.now()
        self._listener = listener
        self._sweeping = Alarm(clock)
        self._keeping = Alarm(clock)
        self._desk = HintDesk(house, wake=self._wake_links, later=self._sweeping.at, nudge=self._nudge)
        self._hooks_at = self._forgot_at = 0
        self._begun = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            TrackerError: at the start, a tracker cannot be reached or refuses the login.
        """
        self._mailer.start()  # before any tracker is spoken to: mail goes out whatever they do
        self._ticker.start()
        self._hooker.start()
        try:
            greet(self._house)
            renew(self._house)
        except BaseException:
            self._ticker.stop()
            self._hooker.stop()
            self._ticker.join()
            self._hooker.join()
            self._mailer.stop()
            self._mailer.join()
            raise
        self._tell("bridge.started")
        self._sign_up()
        self._open_lanes()
        log.info("daemon_started", agreements=[one.name for one in self._house.terms.settings.agreements])
        for tracker, days in expiring(self._house.terms, self._clock.now()):
            log.warning("token_expiring", tracker=tracker, days=days)
        self._hear()
        self._house.pulse.beat("sweep")
        sweeper = self._thread("sweep", self._sweep_forever)
        keeper = self._thread("journal", self._keep_forever)
        self._start_feeds()
        self._chronicler.start()
        self._heart.start()
        try:
            if self._listener is not None:
                self._listener.open(self._desk, self._ready)
            self._begun = True
            self._notify.ready()
            self._watch()
        finally:
            self._shut_down(sweeper, keeper)
        if self._failed:
            raise SystemExit(1)  # so that the service manager starts us again

    def stop(self) -> None:
        """Ask for the shutdown; safe from any thread and from a signal handler."""
        self._over.set()
        self._wake.set()

    # --- signals -------------------------------------------------------------------------------------------------

    def _sign_up(self) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_stop)
            signal.signal(signal.SIGINT, self._on_stop)
            signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload.set()
        self._wake.set()

    def _watch(self) -> None:
        """The main thread: reloads, and feeds the watchdog as long as the sweep and the dispatcher live."""
        pause = min(self._notify.watchdog / 3, 10.0) if self._notify.watchdog else 10.0
        while not self._over.is_set():
            if self._reload.is_set():
                self._reload.clear()
                self._read_again()
            stalled, alive = self._stalled(), self._alive()
            if alive and not stalled:
                self._notify.alive()
            elif not alive:
                log.error("dispatcher_gone")
                self._failed = True
                self.stop()
            self._wake.wait(pause)
            self._wake.clear()

    def _stalled(self) -> bool:
        return (self._clock.now() - self._swept_at) / SECOND > STALLED

    def _alive(self) -> bool:
        return all(lane.alive for lane in list(self._lanes.values()))

    def _ready(self) -> bool:
        return self._begun and not self._over.is_set() and self._alive() and not self._stalled()

    # --- hints ---------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Begin to watch whether the webhooks speak, with what is remembered of them."""
        with self._house.store.read() as tx:
            notes = tx.cursors.notes("hook/")
        self._house.hooks.begin(
            self._clock.now(), {key.removeprefix("hook/"): note for key, note in notes.items()}
        )

    def _wake_links(self, agreement: str, links: Sequence[int]) -> None:
        lane = self._lanes.get(agreement)
        if lane is not None:
            lane.wake(links)

    def _nudge(self, tracker: str, tickets: Collection[str]) -> None:
        """Have the feeds of a tracker poll soon."""
        terms = self._house.terms
        for (name, side), loop in list(self._loops.items()):
            agreement = terms.agreement(name)
            if agreement is not None and agreement.scope(side).tracker == tracker:
                lag = terms.settings.trackers[tracker].search_lag
                loop.nudges.nudge(self._clock.now(), tickets, lag)

    def _answer_nudges(self, feed: Feed, nudges: Nudges, pause: float) -> None:
        """After a poll: which of the tickets that it was nudged for have a link by now."""
        unknown = nudges.unknown()
        known: Collection[str] = ()
        if unknown:
            with self._house.store.read() as tx:
                known = tx.links.by_ticket(feed.agreement, feed.side, unknown).keys()
        nudges.polled(self._clock.now(), known, pause)

    def _mind_hooks(self) -> None:
        """Notice webhooks that have fallen silent, remember how they fare, forget old deliveries."""
        now = self._clock.now()
        if (now - self._hooks_at) / SECOND < HOOK_REVIEW:
            return
        self._hooks_at = now
        hooks = self._house.hooks
        for tracker, missed in hooks.review(now).items():
            log.warning("webhook_silent", tracker=tracker, missed=missed)
        notes = hooks.notes()
        if notes:
            with self._house.store.write(durable=False) as tx:
                for tracker, note in notes.items():
                    tx.cursors.set_note(f"hook/{tracker}", note)
        if (now - self._forgot_at) / SECOND >= FORGETTING:
            self._forgot_at = now
            self._desk.forget_old()

    # --- feeds ---------------------------------------------------------------------------------------------------

    def _start_feeds(self) -> None:
        wanted = {(one.name, side) for one in self._house.terms.settings.agreements for side in Side}
        for key in sorted(self._loops.keys() - wanted):
            loop = self._loops.pop(key)
            loop.over.set()
            loop.alarm.close()
        self._open_lanes()
        for name, side in sorted(wanted - self._loops.keys()):
            over, alarm = threading.Event(), Alarm(self._clock)
            nudges = Nudges(alarm)
            feed = Feed(self._house, name, side, self._lanes[name].wake)
            thread = self._thread(
                f"feed-{name}-{side}", partial(self._feed_forever, feed, over, alarm, nudges)
            )
            self._loops[name, side] = _Loop(thread, over, alarm, nudges)

    def _open_lanes(self) -> None:
        """A dispatcher with threads of its own for each agreement: one vendor that hangs must not use up all threads.

        Lanes of agreements that are gone stay open for their last links.
        """
        names = {one.name for one in self._house.terms.settings.agreements}
        threads = max(MOST_NARROW, self._house.terms.settings.threads // len(names))
        for name in sorted(names - self._lanes.keys()):
            self._lanes[name] = QueueDispatcher(self._worker.sync, threads)

    def _feed_forever(self, feed: Feed, over: threading.Event, alarm: Alarm, nudges: Nudges) -> None:
        while not over.is_set() and not self._over.is_set():
            terms = self._house.terms
            agreement = terms.agreement(feed.agreement)
            if agreement is None:
                return
            settings = terms.settings.trackers[agreement.scope(feed.side).tracker]
            pause = settings.poll
            try:
                feed.poll()
                self._house.rosters.review(agreement, terms.trackers, self._house.store, self._clock.now())
                self._answer_nudges(feed, nudges, pause)
                if census_due(self._house, feed):
                    take_census(self._house, feed, self._lanes[feed.agreement].wake)
                record_answer(self._house, settings.name)
                self._note(feed, "")
            except Refused as error:
                log.error("feed_refused", agreement=feed.agreement, side=feed.side.value, words=error.words)
                self._note(feed, error.words)
                pause = max(pause, 60.0)
            except TrackerError as error:
                until = record_failure(self._house, error)
                self._note(feed, error.words)
                self._sit_out(settings.name, until)
                continue
            except Exception as error:  # a feed must outlive any failure, our own bugs included
                log.exception("feed_failed", agreement=feed.agreement, side=feed.side.value)
                self._note(feed, f"internal error ({type(error).__name__}); see the log")
            alarm.wait(pause)

    def _sit_out(self, tracker: str, until: int) -> None:
        """Wait until a tracker may be asked again, but no longer than its trouble lasts: others may see it recover."""
        self._clock.sleep(0.5)
        while not self._over.is_set() and self._clock.now() < until and self._house.health.trouble(tracker):
            self._clock.sleep(min(1.0, max(0.05, (until - self._clock.now()) / SECOND)))

    def _note(self, feed: Feed, trouble: str) -> None:
        try:
            feed.note(trouble)
        except BridgeError as error:
            log.error("store_failed", words=str(error))

    # --- sweep ---------------------------------------------------------------------------------------------------

    def _sweep_forever(self) -> None:
        while not self._over.is_set():
            try:
                for name, due in self._due().items():
                    self._lanes[name].wake(due, swept=True)
                self._swept_at = self._clock.now()
                self._house.pulse.beat("sweep")
                self._mind_hooks()
            except BridgeError as error:
                log.error("store_failed", words=str(error))
            except Exception:  # the sweep is what makes everything else recover
                log.exception("sweep_failed")
            self._sweeping.wait(SWEEP)

    def _due(self) -> dict[str, list[int]]:
        """What is due, by lane: one agreement's long queue keeps no other one waiting.

        Links of an agreement that is gone stay due until it comes back.
        """
        now = self._clock.now()
        with self._house.store.read() as tx:
            return {name: tx.links.due(now, SWEPT, name) for name in list(self._lanes)}

    # --- journal -------------------------------------------------------------------------------------------------

    def _keep_forever(self) -> None:
        """Have the witness, the control tickets and the digests follow the journal, and have it forget what is old."""
        retained = 0
        while not self._over.is_set():
            now = self._clock.now()
            try:
                if self._house.witness is not None:
                    self._house.witness.note(self._house.store, now)
                if (now - retained) / SECOND >= FORGETTING:
                    retain(self._house)
                    retained = now
                self._digesting.step(now)
                tell_heads(self._house)
            except BridgeError as error:
                log.error("store_failed", words=str(error))
            except Exception:  # a witness must outlive our own bugs
                log.exception("journal_failed")
            self._keeping.wait(KEEPING)

    def _tell(self, event: str) -> None:
        """Note in the bridge's own chain when it worked, and as which version."""
        try:
            with self._house.store.write() as tx:
                tx.journal.add(self._clock.now(), "", None, event, {"version": __version__})
        except BridgeError as error:
            log.error("store_failed", words=str(error))

    # --- reload and shutdown -------------------------------------------------------------------------------------

    def _read_again(self) -> None:
        self._notify.reloading()
        before = self._house.terms
        try:
            settings = self._load()
            terms = open_terms(settings, self._clock, before)
            try:
                check_sites(self._house, terms)
                require(terms)
            except BridgeError:
                close_trackers(terms.trackers, keep=before.trackers)
                raise
        except ConfigError as error:
            log.error("reload_refused", problems=[str(problem) for problem in error.problems])
        except BridgeError as error:
            log.error("reload_refused", problems=[str(error)])
        else:
            if settings.database != before.settings.database:
                log.warning("reload_partial", kept="database", needs="a restart")
            if settings.web != before.settings.web:
                log.warning("reload_partial", kept="web", needs="a restart")
            self._house.terms = terms
            renew(self._house)
            self._start_feeds()
            self._chronicler.start()
            close_trackers(before.trackers, keep=terms.trackers)
            log.info("reload_done", agreements=[one.name for one in settings.agreements])
        self._notify.ready()

    def _shut_down(self, sweeper: threading.Thread, keeper: threading.Thread) -> None:
        self._notify.stopping()
        log.info("daemon_stopping")
        self._over.set()
        self._heart.stop()
        self._ticker.stop()
        self._hooker.stop()
        self._mailer.stop()
        self._chronicler.stop()
        if self._listener is not None:
            self._listener.close()
        with ThreadPoolExecutor(len(self._lanes)) as pool:
            finished = all(pool.map(lambda lane: lane.stop(GRACE), list(self._lanes.values())))
        self._clock.stop()
        for alarm in (self._sweeping, self._keeping, *(loop.alarm for loop in self._loops.values())):
            alarm.close()
        for thread in (sweeper, keeper, *(loop.thread for loop in self._loops.values())):
            thread.join(timeout=5)
        self._ticker.join()
        self._hooker.join()
        self._mailer.join()
        self._chronicler.join()
        self._tell("bridge.stopped")
        close_house(self._house)
        log.info("daemon_stopped", clean=finished)

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread
