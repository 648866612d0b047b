"""Stories of ``clock_histories`` in the product's words, and the days of a zone in which they happen."""

from __future__ import annotations

from random import Random

from walking import MINUTE, changes, open_minutes

from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import BallRule, ClockRule, Goal, Happening, Owner, Pause, Policy, Trigger
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.ticket import Side

DAYS = 9
EARLY_AND_LATE = ((0, 210), (1380, 1440))
WEEKS = {
    "office": (*[((480, 720), (750, 960))] * 4, ((480, 930),), (), ()),
    "nights": (EARLY_AND_LATE,) * 7,
}


class Days:
    """Some days of a zone around a change of its clocks, or a year's end: as a table, and as calendars."""

    def __init__(self, zone: str, random: Random) -> None:
        year = random.randrange(2020, 2035)
        eve = (
            year * 365 + year // 4
        ) * 1440 - 719_527 * 1440  # about the end of some year; no day in particular
        turns = changes(zone, year, year) or [eve]
        self.first = random.choice(turns) - random.randrange(1440, 4 * 1440)
        self.size = DAYS * 1440
        last = self.first + self.size
        self.tables = {
            name: open_minutes(
                {"zone": zone, "week": dict(enumerate(week)), "closed": set()}, self.first, last
            )
            for name, week in WEEKS.items()
        }
        self.tables["always"] = bytes([1]) * self.size
        rules = {name: CalendarRule(name, zone, week) for name, week in WEEKS.items()}
        self.rules = rules | {"always": CalendarRule("always", "UTC", (((0, 1440),),) * 7)}

    def at(self, minute: int | None) -> int | None:
        """A minute of these days in microseconds."""
        return None if minute is None else (self.first + minute) * MINUTE


def a_policy(plain: dict, days: Days) -> Policy:
    """The policy of a story in the product's words."""
    return Policy(
        clocks=tuple(
            ClockRule(
                name=one["name"],
                start=tuple(_trigger(trigger) for trigger in one["start"]),
                stop=tuple(_trigger(trigger) for trigger in one["stop"]),
                cancel=tuple(_trigger(trigger) for trigger in one["cancel"]),
                pause=tuple(
                    Pause(pause["ball"] and Owner(pause["ball"]), frozenset(pause["statuses"]), pause["held"])
                    for pause in one["pause"]
                ),
                goals=tuple(a_goal(goal) for goal in one["goals"]),
                reopen=one["reopen"],
                goal_change=one["goal_change"],
                warn=(one["warn"] / 4, 0.95) if one["warn"] else (),
            )
            for one in plain["clocks"]
        ),
        ball=tuple(
            BallRule(
                Owner(one["owner"]),
                frozenset(one["statuses"]),
                one["comment"] and Side(one["comment"]),
                {Side(side): wanted for side, wanted in one["assigned"].items()},
                one["words"],
            )
            for one in plain["ball"]
        ),
        resolved=frozenset(plain["resolved"]),
        calendars=days.rules,
    )


def _trigger(plain: dict) -> Trigger:
    side = plain["side"] and Side(plain["side"])
    return Trigger(Happening(plain["what"]), side, plain["field"], frozenset(plain["values"]))


def a_goal(plain: tuple) -> Goal:
    when, budget, calendar = plain
    return Goal({name: frozenset(values) for name, values in when.items()}, budget * MINUTE, calendar)


def a_timeline(plain: dict, days: Days) -> Timeline:
    """The history of a story in the product's words."""
    entries = tuple(
        Entry(
            days.at(one["at"]),
            Side(one["side"]),
            EntryKind(one["kind"]),
            field=one["field"],
            before=one["before"],
            after=one["after"],
            event=one["event"],
            public=one["public"],
        )
        for one in plain["entries"]
    )
    start, ended = dict(plain["start"]), days.at(plain["ended"])
    return Timeline(days.at(plain["born"]), Side(plain["origin"]), start, entries, ended=ended)
