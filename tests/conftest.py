"""Fixtures for all tests: real servers, each started by the first test that wants it; and the order of the tests.

Hypothesis tries the same examples in every run, so that what passes here passes anywhere; ``BRIDGE_EXAMPLES``
(``make soak``) has it look for new ones.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

pytest_plugins = ("postgres_server", "redmine_server", "rt_server")

settings.register_profile("same", derandomize=True)
if not os.environ.get("BRIDGE_EXAMPLES"):
    settings.load_profile("same")


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command that a test runs within this process sets up logging, to a stream that ends with the test."""
    configured, kept = structlog.is_configured(), structlog.get_config()
    handlers = list(logging.root.handlers)
    yield
    if configured:
        structlog.configure(**kept)
    else:
        structlog.reset_defaults()
    logging.root.handlers[:] = handlers


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
