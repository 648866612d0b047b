"""Both flavours of Jira keep every promise of the tracker protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jira_stand import JiraStand, jira_stand

from bridge.testing import TrackerConformance


class TestDataCenter(TrackerConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def stand(cls) -> Iterator[JiraStand]:
        with jira_stand(cloud=False) as stand:
            yield stand


class TestCloud(TrackerConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def stand(cls) -> Iterator[JiraStand]:
        with jira_stand(cloud=True) as stand:
            yield stand
