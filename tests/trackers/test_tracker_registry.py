"""Opening trackers by kind."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest
from jira_house import QuickClock
from pydantic import SecretStr

from bridge.config.settings import TrackerSettings
from bridge.errors import ConfigError
from bridge.trackers import registry


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The entry points as the installed package declares them."""
    points = EntryPoints(
        EntryPoint(name, f"bridge.trackers.{module}:open_tracker", registry.GROUP)
        for name, module in (
            ("jira-cloud", "jira_cloud"),
            ("jira-datacenter", "jira_datacenter"),
            ("odd", "no_such_module"),
        )
    )
    monkeypatch.setattr(registry, "entry_points", points.select)


def settings(kind: str) -> TrackerSettings:
    return TrackerSettings("home", kind, "https://jira.example.com", SecretStr("x"))


@pytest.mark.parametrize("kind", ["jira-cloud", "jira-datacenter"])
def test_a_kind_is_opened_without_a_request(kind):
    tracker = registry.open_tracker(settings(kind), QuickClock())
    assert (tracker.name, tracker.kind) == ("home", kind)
    tracker.close()


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(ConfigError) as error:
        registry.open_tracker(settings("jira"), QuickClock())
    assert "unknown kind of tracker 'jira'" in str(error.value)
    assert "jira-cloud, jira-datacenter" in str(error.value)
    assert error.value.problems[0].path == "trackers.home.kind"


def test_a_kind_whose_package_is_broken_says_so():
    with pytest.raises(ConfigError, match="cannot be loaded"):
        registry.open_tracker(settings("odd"), QuickClock())


def test_known_kinds():
    assert registry.known_kinds() == ("jira-cloud", "jira-datacenter", "odd")
