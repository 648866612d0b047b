"""Quiet hours by the wall clock of their zone."""

from __future__ import annotations

import pytest
from sla_making import moment

from bridge.sla.quiet import quiet_until
from bridge.sync.roles import Quiet

COPENHAGEN = "Europe/Copenhagen"
NIGHT = Quiet(20 * 60, 7 * 60, COPENHAGEN)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, "2026-11-02 19:59", None),
        (NIGHT, "2026-11-02 20:00", "2026-11-03 07:00"),
        (NIGHT, "2026-11-03 00:00", "2026-11-03 07:00"),
        (NIGHT, "2026-11-03 06:59", "2026-11-03 07:00"),
        (NIGHT, "2026-11-03 07:00", None),
        (NIGHT, "2026-12-31 23:00", "2027-01-01 07:00"),
        (NIGHT, "2026-03-28 22:00", "2026-03-29 07:00"),  # the night that is an hour shorter
        (NIGHT, "2026-10-24 22:00", "2026-10-25 07:00"),  # and the one that is longer
        (Quiet(12 * 60, 13 * 60, COPENHAGEN), "2026-11-02 12:30", "2026-11-02 13:00"),
        (Quiet(22 * 60, 1440, COPENHAGEN), "2026-11-02 23:00", "2026-11-03 00:00"),
        (None, "2026-11-02 23:00", None),
    ],
)
def test_until_when_it_is_quiet(quiet, now, until):
    expected = None if until is None else moment(until, COPENHAGEN)
    assert quiet_until(quiet, moment(now, COPENHAGEN)) == expected


def test_an_end_in_an_hour_that_the_clock_skips():
    """At 02:30 on that night the clock shows 03:30."""
    quiet = Quiet(20 * 60, 150, COPENHAGEN)
    assert quiet_until(quiet, moment("2026-03-28 22:00", COPENHAGEN)) == moment("2026-03-29 01:30")
