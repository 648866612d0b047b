"""What the brakes of an agreement become."""

from __future__ import annotations

import pytest

from bridge.sync.brakes import BrakeRule

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("", BrakeRule(0.3, 50, 10 * MINUTE)),
        ("brakes: {share: 2.5%, least: 1, within: 1h}\n", BrakeRule(0.025, 1, 60 * MINUTE)),
        ("brakes: {share: off}\n", BrakeRule(None, 50, 10 * MINUTE)),
        ("brakes: {least: 100}\n", BrakeRule(0.3, 100, 10 * MINUTE)),
    ],
)
def test_brakes(folder, words, rule):
    folder.replace(folder.acme, "create: both\n", f"create: both\n{words}")
    assert folder.load().agreements[0].brakes == rule
