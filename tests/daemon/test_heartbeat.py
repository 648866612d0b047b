"""Signs of life come while the bridge works, and stop when one of its threads does; no sign waits for another."""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from world import eventually

from bridge.clock import SECOND, SystemClock
from bridge.config.settings import Heartbeat, Settings
from bridge.daemon.heartbeat import Heart, alive_letter
from bridge.daemon.house import House, Terms
from bridge.daemon.lifesigns import OVERDUE, SILENT, UNSENT, life
from bridge.daemon.mailer import Mailer
from bridge.daemon.pulse import LIMITS, Pulse
from bridge.daemon.spool import Spool
from bridge.daemon.ticking import Ticker
from bridge.errors import StoreError
from bridge.store.database import Store
from bridge.store.rows import Chronicle, Letter
from bridge.sync.ticket import Side

HOUR = 3_600


class Turned(SystemClock):
    """The machine's clock and the time that a test has let pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0

    def now(self) -> int:
        return super().now() + self.passed * SECOND


class Seconds:
    """A monotonic clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bridge:
    """A house without trackers, whose threads beat when a test says so."""

    def __init__(self, folder) -> None:
        self.file = folder / "alive"
        self.seconds = Seconds()
        self.clock = Turned()
        self.house = House(
            terms=Terms(Settings("", {}, ()), {}),
            store=Store.open(f"sqlite:///{folder / 'bridge.db'}"),
            clock=self.clock,
            random=random.Random(1),
            spool=Spool(folder / "spool", 1_000),
            pulse=Pulse(self.seconds),
        )
        self.heart = Heart(self.house)

    def ask_for(self, **ways) -> None:
        """Change the settings, as a reload does."""
        asked = Heartbeat(every=0.05, **ways)
        self.house.terms = Terms(replace(self.house.terms.settings, heartbeat=asked), {})

    def live(self, but: str = "", seconds: float = 0.0) -> None:
        """Let time pass, in which every thread but one makes progress."""
        self.seconds.now += seconds
        for name in LIMITS:
            if name != but:
                self.house.pulse.beat(name)

    def life(self):
        with self.house.store.read() as tx:
            return life(tx, ["acme"], self.clock.now())

    def looks(self) -> bool:
        """Look until it is noted; returns whether it was found alive."""
        begun = self.clock.now()

        def noted():
            self.alive = self.heart.look()
            return (self.note() or {"at": 0})["at"] >= begun

        eventually(noted)
        return self.alive

    def letters(self):
        with self.house.store.read() as tx:
            return tx.outbox.list()

    def note(self):
        with self.house.store.read() as tx:
            return tx.cursors.get_note("alive")


@pytest.fixture
def bridge(tmp_path):
    opened = Bridge(tmp_path)
    opened.live()
    yield opened
    opened.heart.stop()
    eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("heartbeat")])
    opened.house.store.close()


@contextmanager
def listening(answer):
    """A web server whose answers are given by ``answer(handler)``; yields its address and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answer(self)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ping/canary-uuid", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def well(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_signs_come_by_every_way_and_the_mail_once_a_day(bridge):
    with listening(well) as (url, asked):
        bridge.ask_for(file=str(bridge.file), url=url, mail="ops@example.com")
        bridge.heart.start()
        eventually(lambda: len(asked) >= 3)
        first = eventually(lambda: bridge.file.exists() and bridge.file.stat().st_mtime_ns)
        eventually(lambda: bridge.file.stat().st_mtime_ns > first)
        assert json.loads(bridge.file.read_text())["ages"].keys() == LIMITS.keys()
        assert not list(bridge.file.parent.glob(".alive.*[!0-9]"))
        (letter,) = eventually(bridge.letters)
        assert letter.to == ("ops@example.com",)
        bridge.clock.passed += 24 * HOUR
        eventually(lambda: len(bridge.letters()) == 2)


@pytest.mark.parametrize("name", LIMITS)
def test_signs_stop_when_one_thread_hangs_and_come_again_with_it(bridge, name):
    bridge.ask_for(file=str(bridge.file))
    assert bridge.heart.look()
    bridge.live(but=name, seconds=LIMITS[name] - 1)
    assert bridge.heart.look()
    bridge.live(but=name, seconds=2)
    with structlog.testing.capture_logs() as logs:
        assert not bridge.heart.look()
        assert not bridge.heart.look()
    assert [(one["event"], one["hanging"]) for one in logs] == [("heartbeat_withheld", [name])]
    assert not bridge.looks()
    assert not bridge.life().alive
    assert name in bridge.life().why
    bridge.live()
    assert bridge.looks()
    assert bridge.life().alive


def test_the_thread_that_gives_signs_gives_none_while_another_hangs(bridge):
    bridge.ask_for(file=str(bridge.file))
    bridge.live(but="tick", seconds=LIMITS["tick"] + 1)
    bridge.heart.start()
    eventually(lambda: bridge.note() is not None)
    assert not bridge.file.exists()
    bridge.live()
    eventually(bridge.file.exists)


def test_an_address_that_never_answers_holds_up_no_other_sign(bridge):
    over = threading.Event()
    with listening(lambda _handler: over.wait(60)) as (url, asked):
        try:
            bridge.ask_for(file=str(bridge.file), url=url)
            bridge.heart.start()
            eventually(lambda: asked)
            first = eventually(lambda: bridge.file.exists() and bridge.file.stat().st_mtime_ns)
            eventually(lambda: bridge.file.stat().st_mtime_ns > first)
            assert len(asked) == 1
        finally:
            over.set()


def test_a_sign_that_cannot_be_given_is_told_once_and_not_by_its_address(bridge, tmp_path):
    def ill(handler) -> None:
        handler.send_response(500)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with structlog.testing.capture_logs() as logs, listening(ill) as (url, asked):
        bridge.ask_for(file=str(tmp_path / "nowhere" / "alive"), url=url)
        bridge.heart.start()
        eventually(lambda: len(asked) >= 3)
        eventually(lambda: len(logs) >= 2)
        bridge.heart.stop()
    assert sorted(one["by"] for one in logs if one["event"] == "heartbeat_failed") == ["file", "url"]
    assert "canary" not in repr(logs)


def test_a_mailer_that_works_beats_and_one_that_is_stuck_does_not(bridge):
    mailer = Mailer(bridge.house)
    bridge.seconds.now += LIMITS["mailer"] + 1
    bridge.live(but="mailer")
    assert bridge.house.pulse.hanging() == ["mailer"]
    mailer.start()
    try:
        eventually(lambda: bridge.house.pulse.hanging() == [])
    finally:
        mailer.stop()
        mailer.join()


@pytest.mark.parametrize(("name", "work"), [("tick", (Ticker, "tick")), ("mailer", (Mailer, "flush"))])
def test_a_thread_that_fails_in_every_round_makes_no_progress(bridge, monkeypatch, name, work):
    made, does = work
    rounds = []

    def fails(_self):
        rounds.append(1)
        raise StoreError("the disk is full")

    monkeypatch.setattr(made, does, fails)
    thread = made(bridge.house)
    thread.start()
    try:
        eventually(lambda: rounds)
        bridge.live(but=name, seconds=LIMITS[name] + 1)
        before = len(rounds)
        eventually(lambda: len(rounds) >= before + 2)
        assert bridge.house.pulse.hanging() == [name]
    finally:
        thread.stop()
        thread.join()


def test_life_is_told_from_the_database_alone(bridge):
    assert not bridge.life().alive
    assert "no daemon has ever worked" in bridge.life().why
    assert bridge.looks()
    assert bridge.life().alive
    bridge.clock.passed += SILENT // SECOND + 1
    assert "given no sign for 2 min" in bridge.life().why


def test_a_clock_or_a_mail_that_is_overdue_is_no_life(bridge):
    now = bridge.clock.now()

    with bridge.house.store.write() as tx:
        link, _ = tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m1", now)
        tx.chronicles.touch(link.id, "acme", now)
        tx.chronicles.put(Chronicle(link.id, "acme", next_at=now), now)
        tx.outbox.put(
            Letter(
                0, "quiet", "acme", ("a@example.com",), "s", "t", "", "m1", now, due_at=now + 3_600 * SECOND
            )
        )
        other, _ = tx.links.add("gone", Side.INTERNAL, "1", "OPS-1", "m1", now)
        tx.chronicles.touch(other.id, "gone", now)
        tx.chronicles.put(Chronicle(other.id, "gone", next_at=now - 9_999 * SECOND), now)
    assert bridge.looks()
    assert bridge.life().alive
    bridge.clock.passed += OVERDUE // SECOND + 60
    assert bridge.looks()
    assert bridge.life().why == "a clock has been due for 6 min and was not looked at"
    with bridge.house.store.write() as tx:
        tx.chronicles.set_next(link.id, None, {})
        tx.outbox.put(Letter(0, "owed", "acme", ("a@example.com",), "s", "t", "", "m2", bridge.clock.now()))
        (letter,) = tx.outbox.due(bridge.clock.now(), 10)
        tx.outbox.claim(letter.id, "m2")
        tx.outbox.failed(letter.id, "451", bridge.clock.now() + 7_200 * SECOND)
    assert bridge.life().alive
    bridge.clock.passed += UNSENT // SECOND + 60
    assert bridge.looks()
    assert bridge.life().why == "a mail has waited for 31 min"


def test_the_daily_mail_is_one_a_day():
    day = 1_800_000_000 * SECOND // (24 * HOUR * SECOND) * 24 * HOUR * SECOND
    keys = {alive_letter("ops@example.com", day + hour * HOUR * SECOND).key for hour in range(24)}
    assert len(keys) == 1
    assert alive_letter("ops@example.com", day + 24 * HOUR * SECOND).key not in keys
