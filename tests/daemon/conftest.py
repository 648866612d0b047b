"""Fixtures of the daemon's own tests: the end-to-end world, and a clock that is turned by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from world import open_world


@pytest.fixture
def world(tmp_path):
    """Two empty trackers and an agreement between them."""
    with open_world(tmp_path) as opened:
        yield opened
