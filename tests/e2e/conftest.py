"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import pytest
from world import open_world


@pytest.fixture
def world(tmp_path):
    """Two empty trackers and an agreement between them."""
    with open_world(tmp_path) as opened:
        yield opened
