"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import open_world


@pytest.fixture
def world(tmp_path):
    """Two empty trackers and an agreement between them."""
    with open_world(tmp_path) as opened:
        yield opened
