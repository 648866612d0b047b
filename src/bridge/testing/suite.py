"""The whole suite as one class."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.clock import SystemClock
from bridge.testing.attaching import Attaching
from bridge.testing.desk import Desk
from bridge.testing.failing import Failing
from bridge.testing.finding import Finding
from bridge.testing.hushing import Hushing
from bridge.testing.knowing import Knowing
from bridge.testing.moving import Moving
from bridge.testing.reading import Reading
from bridge.testing.relating import Relating
from bridge.testing.stand import Stand
from bridge.testing.talking import Talking
from bridge.testing.texts import Texts
from bridge.testing.writing import Writing
from bridge.trackers.protocol import Tracker


class TrackerConformance(
    Knowing, Finding, Reading, Writing, Moving, Talking, Hushing, Texts, Relating, Attaching, Failing
):
    """Every promise of :class:`bridge.trackers.protocol.Tracker`, as tests.

    Inherit from it in a class whose name begins with ``Test``, and give it a fixture ``stand``
    (of any scope) that returns a :class:`bridge.testing.Stand`. What the adapter cannot do by its own ``abilities``,
    and what the stand has no sample of, is skipped with the reason.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls) -> Iterator[list[tuple[Stand, Tracker]]]:
        """The adapter that is open, and its stand: one that serves many tests need not learn names anew for each."""
        latest: list[tuple[Stand, Tracker]] = []
        yield latest
        for _, tracker in latest:
            tracker.close()

    @pytest.fixture
    def tracker(self, stand: Stand, opened: list[tuple[Stand, Tracker]]) -> Tracker:
        """The adapter under test, logged in as the integration account."""
        if not opened or opened[0][0] is not stand:
            while opened:
                opened.pop()[1].close()
            opened.append((stand, stand.open(stand.settings, SystemClock())))
        return opened[0][1]

    @pytest.fixture
    def desk(self, stand: Stand, tracker: Tracker) -> Desk:
        """One test's place of work."""
        return Desk(tracker, stand)
