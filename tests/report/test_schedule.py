"""A weekly report is due once in each week, also when the wall clock skips its time or shows it twice."""

from __future__ import annotations

from measured_links import DAY, HOUR, at

from bridge.config.settings import Digest
from bridge.report.schedule import following, latest, name, preceding

MONDAY = Digest((), 0, 480, "Europe/Copenhagen")
NIGHT = Digest((), 6, 150, "Europe/Copenhagen")
"""Sunday 02:30, which is skipped in March and comes twice in October."""


def test_eight_in_the_morning_is_another_moment_in_summer():
    assert latest(MONDAY, at("2026-10-20 12:00")) == at("2026-10-19 06:00")
    assert following(MONDAY, at("2026-10-20 12:00")) == at("2026-10-26 07:00")
    assert latest(MONDAY, at("2026-10-26 07:00")) == at("2026-10-26 07:00")
    assert latest(MONDAY, at("2026-10-26 07:00") - 1) == at("2026-10-19 06:00")
    assert preceding(MONDAY, at("2026-10-26 07:00")) == at("2026-10-19 06:00")
    assert name(MONDAY, at("2026-10-26 07:00")) == "2026-10-26"


def test_a_time_that_is_skipped_or_comes_twice_is_taken_once():
    assert latest(NIGHT, at("2026-03-29 12:00")) == at("2026-03-29 01:30")
    assert latest(NIGHT, at("2026-10-25 12:00")) == at("2026-10-25 00:30")
    assert following(NIGHT, at("2026-10-25 00:30")) == at("2026-11-01 01:30")


def test_there_is_one_in_each_week_for_ten_years_in_hard_zones():
    for zone in (
        "Europe/Copenhagen",
        "Asia/Beirut",
        "America/Santiago",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ):
        for minute in (0, 15, 120, 1_439):
            rule = Digest((), 6, minute, zone)
            moment = latest(rule, at("2025-01-01 00:00"))
            names = set()
            for _ in range(520):
                names.add(name(rule, moment))
                upcoming = following(rule, moment)
                assert 7 * DAY - 2 * HOUR <= upcoming - moment <= 7 * DAY + 2 * HOUR
                assert preceding(rule, upcoming) == moment
                assert latest(rule, upcoming - 1) == moment
                moment = upcoming
            assert len(names) == 520
