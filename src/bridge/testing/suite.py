"""The whole suite as one class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bridge.clock import SystemClock
from bridge.testing.desk import Desk
from bridge.testing.failing import Failing
from bridge.testing.finding import Finding
from bridge.testing.knowing import Knowing
from bridge.testing.moving import Moving
from bridge.testing.reading import Reading
from bridge.testing.stand import Stand
from bridge.testing.talking import Talking
from bridge.testing.texts import Texts
from bridge.testing.writing import Writing
from bridge.trackers.protocol import Tracker


class TrackerConformance(Knowing, Finding, Reading, Writing, Moving, Talking, Texts, Failing):
    """Every promise of :class:`bridge.trackers.protocol.Tracker`, as tests.

    Inherit from it in a class whose name begins with ``Test``, and give it a fixture ``stand``
    (of any scope) that returns a :class:`bridge.testing.Stand`. What the adapter cannot do by its own ``abilities``,
    and what the stand has no sample of, is skipped with the reason.
    """

    @pytest.fixture
    def tracker(self, stand: Stand) -> Iterator[Tracker]:
        """The adapter under test, logged in as the integration account."""
        with closing(stand.open(stand.settings, SystemClock())) as tracker:
            yield tracker

    @pytest.fixture
    def desk(self, stand: Stand, tracker: Tracker) -> Desk:
        """One test's place of work."""
        return Desk(tracker, stand)
