"""Business calendars against an oracle that walks minute by minute, and the mistakes that others made with theirs."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, date, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from walking import MINUTE, ZONES, changes, open_minutes, zone

from bridge.sla.calendar import HORIZON, Calendar, CalendarRule, calendars_of, holidays_of, zone_of
from bridge.sla.policy import Policy

HOUR = 60 * MINUTE
DAY = 24 * HOUR
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
ALL_DAY = ((0, 1440),)
WORKDAYS = (*[NINE_TO_FIVE] * 5, (), ())
EXAMPLE = (*[((480, 720), (750, 960))] * 4, ((480, 930),), (), ())


def calendar(zone="Europe/Copenhagen", hours=WORKDAYS, **more):
    return Calendar(CalendarRule("office", zone, tuple(hours), **more))


def at(text, zone_name="Europe/Copenhagen", fold=0):
    """A moment on the wall, in microseconds."""
    shown = datetime.fromisoformat(text).replace(tzinfo=zone(zone_name), fold=fold)
    return int(shown.timestamp()) * 1_000_000


def plain(rule):
    """The rule as the oracle reads it."""
    closed = {day.isoformat() for day in rule.added}
    if rule.holidays:
        days = set().union(*(holidays_of(rule.holidays, year) for year in range(2019, 2037)))
        closed |= {day.isoformat() for day in days - rule.removed}
    return {"zone": rule.zone, "week": dict(enumerate(rule.hours)), "closed": closed}


def agree(made, first, last, dice, tries=40):
    """Compare a calendar with the oracle over the minutes [first, last)."""
    marks = open_minutes(plain(made.rule), first, last)
    before = [0, *accumulate(marks)]
    for offset, mark in enumerate(marks):
        assert made.is_open((first + offset) * MINUTE) == bool(mark)
        assert made.is_open((first + offset + 1) * MINUTE - 1) == bool(mark)
    for _ in range(tries):
        one, two = sorted(dice.randrange(len(before)) for _ in range(2))
        start, end = (first + one) * MINUTE, (first + two) * MINUTE
        open_here = before[two] - before[one]
        assert made.elapsed(start, end) == open_here * MINUTE
        assert sum(until - since for since, until in made.spans(start, end)) == open_here * MINUTE
        middle = dice.randrange(start, end + 1)
        assert made.elapsed(start, middle) + made.elapsed(middle, end) == open_here * MINUTE
        if open_here:
            budget = dice.randint(1, open_here)
            least = next(place for place in range(one, len(before)) if before[place] - before[one] >= budget)
            assert made.due(start, budget * MINUTE) == (first + least) * MINUTE
            late = dice.randrange(1, MINUTE)
            assert made.due(start, budget * MINUTE - late) == (first + least) * MINUTE - late


def random_rule(dice, name):
    week = []
    for _ in range(7):
        marks = sorted(dice.sample(range(0, 1441, 15), dice.choice((0, 2, 2, 4))))
        week.append(tuple(zip(marks[::2], marks[1::2], strict=True)))
    if dice.random() < 0.2:
        week = [ALL_DAY] * 7
    week[dice.randrange(7)] = dice.choice((ALL_DAY, NINE_TO_FIVE))
    added = frozenset(
        date(2026, dice.randint(1, 12), dice.randint(1, 28)) for _ in range(dice.randint(0, 60))
    )
    return CalendarRule("any", name, tuple(week), added=added)


@pytest.mark.parametrize("name", ZONES)
def test_it_counts_as_one_who_walks_minute_by_minute(name):
    dice = random.Random(f"calendar {name}")
    turns = changes(name, 2024, 2027)
    for _ in range(12):
        made = Calendar(random_rule(dice, name))
        around = (
            dice.choice(turns) if turns and dice.random() < 0.7 else dice.randrange(28_400_000, 30_000_000)
        )
        first = around - dice.randint(0, 3_000)
        agree(made, first, first + 4_000, dice)


@pytest.mark.parametrize("name", ["Europe/Copenhagen", "UTC", "America/New_York", "Asia/Beirut"])
def test_every_change_of_the_clocks_from_2020_to_2035_minute_by_minute(name):
    dice = random.Random(name)
    turns = changes(name, 2020, 2035)
    assert len(turns) >= (0 if name == "UTC" else 31)
    for hours in (EXAMPLE, (ALL_DAY,) * 7, (((0, 150), (165, 1440)),) * 7):
        made = Calendar(CalendarRule("any", name, hours, "DK"))
        for turn in turns or [26_300_000]:
            agree(made, turn - 200, turn + 200, dice, tries=4)


def test_the_example_deadlines_over_easter_and_both_changes_of_the_clocks():
    office = calendar(
        hours=(*[((480, 960),)] * 5, (), ()), holidays="DK", added=frozenset({date(2026, 12, 24)})
    )
    for start, due in (
        ("2026-03-27T16:00", "2026-03-30T16:00"),
        ("2026-10-23T16:00", "2026-10-26T16:00"),
        ("2026-04-01T15:00", "2026-04-07T15:00"),
        ("2026-12-23T15:00", "2026-12-28T15:00"),
    ):
        assert office.due(at(start), 8 * HOUR) == at(due)
    always = calendar(hours=(ALL_DAY,) * 7)
    assert always.due(at("2026-03-28T12:00"), 24 * HOUR) == at("2026-03-29T13:00"), "that day has 23 hours"


def test_a_budget_that_ends_exactly_at_closing_is_due_at_closing():
    assert calendar().due(at("2026-11-25T09:00"), 8 * HOUR) == at("2026-11-25T17:00")
    assert calendar().due(at("2026-11-25T09:00"), 8 * HOUR + 1) == at("2026-11-26T09:00") + 1


def test_what_starts_outside_of_the_hours_counts_from_the_next_opening():
    assert calendar().due(at("2026-11-27T18:00"), HOUR) == at("2026-11-30T10:00")
    assert calendar().due(at("2026-11-27T18:00"), 0) == at("2026-11-27T18:00")


def test_a_lunch_break_does_not_count():
    lunch = calendar(hours=(((480, 720), (750, 960)),) * 7)
    assert lunch.due(at("2026-11-25T11:30"), HOUR) == at("2026-11-25T13:00")


def test_more_closed_days_never_make_anything_due_sooner():
    """django-helpdesk's excluded days make tickets escalate sooner."""
    dice = random.Random(1)
    for _ in range(40):
        start, budget = at("2026-11-02T00:00") + dice.randrange(20 * DAY), dice.randrange(1, 60 * HOUR)
        days = [date(2026, 11, dice.randint(2, 30)) for _ in range(3)]
        dues = [calendar(added=frozenset(days[:many])).due(start, budget) for many in range(4)]
        assert dues == sorted(dues)


@pytest.mark.timeout(60)
def test_an_empty_week_is_refused_and_a_calendar_that_closes_for_ever_ends():
    """frappe/helpdesk never ends on an empty work week; Znuny stops after five seconds."""
    with pytest.raises(ValueError, match="never open"):
        calendar(hours=((),) * 7)
    shut = calendar(added=frozenset(date.fromordinal(day) for day in range(738_000, 745_000)))
    assert shut.due(at("2026-01-01T00:00"), HOUR) is None
    assert shut.elapsed(at("2026-01-01T00:00"), at("2030-01-01T00:00")) == 0


def test_public_holidays_can_be_added_and_worked():
    """A calendar feed surprised a user of Zammad; the public set for Denmark lacks 24 December."""
    christmas, labour = date(2026, 12, 24), date(2026, 5, 14)
    assert christmas not in holidays_of("DK", 2026)
    assert labour in holidays_of("DK", 2026)
    made = calendar(holidays="DK", added=frozenset({christmas}), removed=frozenset({labour}))
    assert not made.is_open(at("2026-12-24T10:00"))
    assert made.is_open(at("2026-05-14T10:00"))
    assert not made.is_open(at("2026-12-25T10:00"))


def test_an_addition_outweighs_a_removal():
    day = date(2026, 12, 25)
    made = calendar(holidays="DK", added=frozenset({day}), removed=frozenset({day}))
    assert not made.is_open(at("2026-12-25T10:00"))


def test_a_part_of_a_country_has_its_own_holidays_and_an_unknown_one_is_refused():
    assert date(2026, 1, 6) in holidays_of("DE-BY", 2026)
    assert date(2026, 1, 6) not in holidays_of("DE", 2026)
    for code in ("XX", "DE-XX"):
        with pytest.raises(ValueError, match=code):
            holidays_of(code, 2026)


def test_round_the_clock_every_hour_counts():
    """GLPI knew nothing but 24/7 calendars after 10.0.9; such a calendar must work as well as any other."""
    always = calendar("UTC", (ALL_DAY,) * 7)
    assert always.elapsed(at("2026-01-01T00:00", "UTC"), at("2027-01-01T00:00", "UTC")) == 365 * DAY
    assert len(always.spans(at("2026-01-01T00:00", "UTC"), at("2027-01-01T00:00", "UTC"))) == 1


def test_it_counts_on_over_the_end_of_the_year_whatever_years_were_asked_before():
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        made = calendar(hours=(ALL_DAY,) * 7)
        asked = [("2026-12-31T12:00", 24), ("2019-12-31T23:00", 2), ("2031-06-01T00:00", 1)]
        for place in order:
            start, hours = asked[place]
            assert made.due(at(start), hours * HOUR) == at(start) + hours * HOUR
        assert made.elapsed(at("2019-12-31T12:00"), at("2032-01-01T12:00")) == (12 * 365 + 4) * DAY


def test_beyond_what_it_knows_it_is_closed_and_a_deadline_has_a_horizon():
    made = calendar(hours=(ALL_DAY,) * 7)
    assert made.due(at("2026-01-01T00:00"), (HORIZON + 2) * 366 * DAY) is None
    assert made.elapsed(-(10**17), -(10**17) + DAY) == 0
    assert made.elapsed(10**18, 10**18 + DAY) == 0
    assert made.due(10**18, HOUR) is None
    assert not made.is_open(10**18)


def test_the_horizon_is_the_same_whatever_was_asked_before():
    """A table that somebody had made longer once told deadlines beyond the horizon."""
    start = at("2026-01-01T00:00")
    asked, fresh = calendar(hours=(ALL_DAY,) * 7), calendar(hours=(ALL_DAY,) * 7)
    assert asked.elapsed(start, start + 40 * 366 * DAY) == 40 * 366 * DAY
    for days in (9 * 365, HORIZON * 366, HORIZON * 366 + 1, 15 * 365):
        want = start + days * DAY if days <= HORIZON * 366 else None
        assert asked.due(start, days * DAY) == want
        assert fresh.due(start, days * DAY) == want


def test_the_zone_of_the_process_is_neither_asked_nor_changed(monkeypatch):
    """Request Tracker sets TZ for the whole process while it counts."""
    want = calendar().due(at("2026-11-27T16:00"), 2 * HOUR)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert calendar().due(at("2026-11-27T16:00"), 2 * HOUR) == want
        assert os.environ["TZ"] == "Pacific/Auckland"
        assert time.tzname[0] == "NZST"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_zone_that_does_not_exist_is_refused_and_none_leads_out_of_the_package():
    for name in ("Europe/Kopenhagen", "", "../tzdata/zones", "/etc/passwd", "Europe"):
        with pytest.raises(ValueError, match="time zone"):
            zone_of(name)


def test_a_working_day_is_the_open_time_of_the_week_by_its_open_days():
    assert CalendarRule("a", "UTC", (ALL_DAY,) * 7).workday == DAY
    assert CalendarRule("a", "UTC", WORKDAYS).workday == 8 * HOUR
    assert CalendarRule("a", "UTC", EXAMPLE).workday == (4 * 450 + 450) * MINUTE // 5


def test_the_calendars_of_a_policy_are_made_once():
    rule = CalendarRule("office", "UTC", WORKDAYS)
    one, two = (calendars_of(Policy(calendars={"office": rule})) for _ in range(2))
    assert one["office"] is two["office"]


def test_zone_rules_come_from_the_package_and_not_from_the_system():
    assert zone_of("Europe/Copenhagen") is not ZoneInfo("Europe/Copenhagen")
    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone_of("Europe/Copenhagen")).hour == 2
