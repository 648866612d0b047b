"""Fixtures for all tests: real servers, each started by the first test that wants it; and the order of the tests.

Hypothesis tries the same examples in every run, so that what passes here passes anywhere; ``BRIDGE_EXAMPLES``
(``make soak``) has it look for new ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest_plugins = ("postgres_server", "redmine_server", "rt_server")

settings.register_profile("same", derandomize=True)
if not os.environ.get("BRIDGE_EXAMPLES"):
    settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every worker begin with tests that take minutes, or the others wait for the one that met them last.

    Each worker is first given a stretch of the list; from whoever has more left, idle ones take tests of the end.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    share = -(-len(rest) // workers) if rest else 0
    items[:] = [
        item
        for number in range(workers)
        for item in (*slow[number::workers], *rest[number * share : (number + 1) * share])
    ]
