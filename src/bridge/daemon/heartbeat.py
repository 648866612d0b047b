"""The dead-man's switch: signs of life to a file, an address and by mail, for as long as the bridge is really alive.

Whoever watches from outside is alarmed by silence. So a sign is given only while the threads that do the work make
progress: looking for what is due, the tick of the clocks, the mailer. A process that is there and does nothing is
silent, too. Each way has a thread of its own, for one that hangs must not silence the others; a way that still hangs
is not tried a second time beside the first.

What is found is also noted in the database, for ``bridge check --alive``.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests
import structlog

from bridge.clock import SECOND
from bridge.config.settings import Heartbeat
from bridge.daemon.alarm import Alarm
from bridge.daemon.house import House
from bridge.notify.page import Fact, Page, as_html, as_text
from bridge.store.rows import Letter
from bridge.sync.moments import for_programs, to_minute

log = structlog.get_logger(__name__)

NOTE = "alive"
"""The note that says how the bridge fares: ``at`` (microseconds), ``ages`` (seconds, by thread), ``hanging``."""

NONE = Heartbeat()
"""The configuration asks for no signs of life."""

LOOK = 20.0
"""Seconds between two looks at how the bridge fares, at most."""

CONNECT, ANSWER = 5.0, 10.0
"""Seconds to wait for a connection to the address, and for its answer."""

DAY = 86_400 * SECOND


@dataclass(slots=True)
class _Way:
    """One way of giving a sign: its thread while it is under way, and whether the last one failed."""

    thread: threading.Thread | None = None
    failed: bool = False


class Heart:
    """Gives the signs, in a thread of its own.

    Args:
        house: the running parts.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._alarm = Alarm(house.clock)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._ways = {"file": _Way(), "url": _Way(), "mail": _Way(), "store": _Way()}
        self._hanging: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._beat_forever, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give no further sign."""
        self._over.set()
        self._alarm.close()
        if self._thread is not None:
            self._thread.join(5)

    def _beat_forever(self) -> None:
        given: float | None = None
        while not self._over.is_set():
            settings = self._house.terms.settings.heartbeat or NONE
            try:
                if self.look() and (given is None or time.monotonic() - given >= settings.every):
                    given = time.monotonic()
                    self.give(settings)
            except Exception:  # whatever it is, the next beat must come
                log.exception("heartbeat_error")
            left = settings.every if given is None else given + settings.every - time.monotonic()
            self._alarm.wait(min(LOOK, settings.every, left if left > 0 else LOOK))

    def look(self) -> bool:
        """Note how the bridge fares; returns whether it is alive."""
        hanging = self._house.pulse.hanging()
        if hanging != self._hanging:
            self._hanging = hanging
            if hanging:
                log.error("heartbeat_withheld", hanging=hanging)
            else:
                log.info("heartbeat_resumed")
        ages = {name: round(age, 1) for name, age in self._house.pulse.ages().items()}
        fares = {"at": self._house.clock.now(), "ages": ages, "hanging": hanging}
        self._by("store", lambda: self._note(fares))
        return not hanging

    def give(self, settings: Heartbeat) -> None:
        """Give a sign by every way that is set up; none waits for another."""
        now = self._house.clock.now()
        ages = {name: round(age, 1) for name, age in self._house.pulse.ages().items()}
        if settings.file:
            self._by("file", lambda: write_file(Path(settings.file), now, ages))
        if settings.url:
            self._by("url", lambda: call(settings.url))
        if settings.mail:
            self._by("mail", lambda: self._mail(settings.mail, now))

    def _by(self, name: str, sign: Callable[[], object]) -> None:
        way = self._ways[name]
        if way.thread is not None and way.thread.is_alive():
            return
        way.thread = threading.Thread(
            target=self._give, args=(name, way, sign), name=f"heartbeat-{name}", daemon=True
        )
        way.thread.start()

    @staticmethod
    def _give(name: str, way: _Way, sign: Callable[[], object]) -> None:
        try:
            sign()
        except Exception as error:  # noqa: BLE001 - no sign may end the others; the address is a secret, so no trace
            if not way.failed:
                log.warning("heartbeat_failed", by=name, error=type(error).__name__)
            way.failed = True
        else:
            way.failed = False

    def _note(self, fares: dict[str, object]) -> None:
        with self._house.store.write(durable=False) as tx:
            tx.cursors.set_note(NOTE, fares)

    def _mail(self, address: str, now: int) -> None:
        """One mail a day: its key names the day."""
        letter = alive_letter(address, now)
        with self._house.store.read() as tx:
            known = tx.outbox.get(letter.key)
        if known is None:
            with self._house.store.write() as tx:
                tx.outbox.put(letter)


def write_file(path: Path, now: int, ages: dict[str, float]) -> None:
    """Write the file anew and put it into place as a whole: whoever reads it never sees half of it.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps({"at": for_programs(now), "pid": os.getpid(), "ages": ages}) + "\n")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def call(url: str) -> None:
    """Call the address once, and read no more of the answer than whether it is well.

    Raises:
        requests.RequestException: no answer in time, or not a good one.
    """
    with requests.get(url, timeout=(CONNECT, ANSWER), stream=True) as answer:
        answer.raise_for_status()


def alive_letter(address: str, now: int) -> Letter:
    """The mail that says that the bridge is alive; its key makes it one a day (UTC)."""
    day = for_programs(now // DAY * DAY)[:10]
    page = Page(
        lead=(
            "The bridge is alive: it looks for changes, its clocks tick, and its mail goes out.",
            "This mail comes once a day. When it does not come, somebody should look.",
        ),
        facts=(Fact("At", to_minute(now)),),
        closing="Sent by the bridge because its configuration says 'heartbeat: {mail: ...}'.",
    )
    return Letter(
        id=0,
        key=f"alive/{day}/{address}",
        agreement="",
        to=(address,),
        subject=f"The bridge is alive: {day}",
        text=as_text(page),
        html=as_html(page),
        message_id=f"bridge.alive.{day}",
        created_at=now,
    )
