"""The Redmine adapter keeps every promise of the tracker protocol, at a real Redmine."""

from __future__ import annotations

import pytest
from redmine_stand import RedmineStand

from bridge.testing import TrackerConformance

pytestmark = pytest.mark.real


class TestRedmine(TrackerConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def stand(cls, redmine) -> RedmineStand:
        return RedmineStand(redmine)
