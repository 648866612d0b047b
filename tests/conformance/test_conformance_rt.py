"""The Request Tracker adapter keeps every promise of the tracker protocol, at a real Request Tracker."""

from __future__ import annotations

import pytest
from rt_stand import RtStand

from bridge.testing import TrackerConformance

pytestmark = pytest.mark.real


class TestRequestTracker(TrackerConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def stand(cls, rt) -> RtStand:
        return RtStand(rt)
