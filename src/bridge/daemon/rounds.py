"""A thread that does its round again and again: the frame of the tick, of the mailer and of the webhooks out.

Whatever a round raises, the next one comes. A thread that is watched gives a sign of life when it begins and after
every round that ended well: who fails in every round is not alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bridge.daemon.alarm import Alarm
from bridge.daemon.house import House
from bridge.daemon.pulse import LIMITS
from bridge.errors import BridgeError

log = structlog.get_logger(__name__)


class Rounds:
    """The thread.

    Args:
        house: the running parts.
        name: of the thread; one of ``pulse.LIMITS`` is watched.
        work: one round.
        every: seconds between two rounds.
    """

    def __init__(self, house: House, name: str, work: Callable[[], object], every: float) -> None:
        self._house = house
        self._name = name
        self._work = work
        self._every = every
        self._alarm = Alarm(house.clock)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def over(self) -> bool:
        """Whether nothing more is to be taken up."""
        return self._over.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._go_round, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take up nothing more."""
        self._over.set()
        self._alarm.close()

    def join(self, seconds: float) -> None:
        """Wait so long at most for the round that is under way."""
        if self._thread is not None:
            self._thread.join(seconds)

    def beat(self) -> None:
        """Give a sign of life in the middle of a long round; nothing where no thread was started."""
        if self._thread is not None and self._name in LIMITS:
            self._house.pulse.beat(self._name)

    def _go_round(self) -> None:
        self.beat()
        while not self._over.is_set():
            try:
                self._work()
                self.beat()
            except BridgeError as error:
                log.error("store_failed", words=str(error))
            except Exception:  # it must outlive any failure, our own bugs included
                log.exception("round_failed", thread=self._name)
            self._alarm.wait(self._every)
