"""Clocks against an oracle that walks minute by minute, over random histories around the clock changes of many zones.

``BRIDGE_EXAMPLES`` is the number of histories over all zones; ``BRIDGE_SEED`` begins them elsewhere. A failure tells
the zone and the number of its history, which are the seed.
"""

from __future__ import annotations

import os
from itertools import pairwise
from random import Random

import pytest
from clock_histories import story
from clock_worlds import WEEKS, Days, a_goal, a_policy, a_timeline
from oracle_clock import told, when
from walking import MINUTE, ZONES

from bridge.sla.attribution import counted, minutes, of_cycle
from bridge.sla.calendar import calendars_of
from bridge.sla.clock import evaluate, reach

HISTORIES = int(os.environ.get("BRIDGE_EXAMPLES", "20160")) // len(ZONES)
SEED = os.environ.get("BRIDGE_SEED", "0")


def compare(plain: dict, days: Days, now: int, random: Random) -> None:
    """Everything that the two say of a story at a minute."""
    policy, timeline = a_policy(plain, days), a_timeline(plain, days)
    calendars = calendars_of(policy)
    verdict, truth = evaluate(timeline, policy, calendars, days.at(now)), told(plain, days.tables, now)
    until = now if plain["ended"] is None else min(now, plain["ended"])
    owners = [
        (span.owner, span.why) for span in verdict.ball for _ in range((span.until - span.since) // MINUTE)
    ]
    assert owners == truth["owners"]
    assert len(verdict.cycles) == len(truth["cycles"])
    upcoming = set()
    for mine, theirs in zip(verdict.cycles, truth["cycles"], strict=True):
        names = ("clock", "number", "state", "start_event", "stop_event")
        assert [getattr(mine, name) for name in names] == [theirs[name] for name in names]
        assert (mine.started_at, mine.stopped_at) == (days.at(theirs["started"]), days.at(theirs["stopped"]))
        goal = theirs["goal"]
        assert mine.goal == (goal and a_goal(goal))
        assert mine.goal_since == days.at(theirs["goal_since"])
        assert mine.breached_at == days.at(theirs["breached"])
        assert mine.warned_at == days.at(theirs["warned"])
        assert mine.elapsed == sum(theirs["counted"].values()) * MINUTE
        assert counted(mine) == {name: count * MINUTE for name, count in theirs["counted"].items()}
        assert of_cycle(mine) == {name: count * MINUTE for name, count in theirs["wall"].items()}
        check_segments(mine, days.at(until))
        due = None
        if goal and theirs["breached"] is None:
            due = when(theirs, days.tables, goal[1], until) if theirs["state"] == "running" else None
            same_moment(mine.due_at, due, days)
        else:
            assert mine.due_at is None
        if theirs["state"] == "running" and goal:
            quarters = next(one["warn"] for one in plain["clocks"] if one["name"] == theirs["clock"])
            if theirs["warned"] is None and quarters:
                upcoming.add(when(theirs, days.tables, goal[1] * quarters // 4, until))
            if theirs["breached"] is None:
                upcoming.add(due)
        amount = random.randrange(300)
        same_moment(reach(mine, calendars, amount * MINUTE), when(theirs, days.tables, amount, until), days)
    known = [one for one in upcoming if one != "beyond"]
    if known or not upcoming:
        assert verdict.next_at == (days.at(min(known)) if known else None)
    total = minutes(verdict.ball, timeline.born, days.at(until))
    assert sum(total.values()) == days.at(until) - timeline.born


def same_moment(mine: int | None, theirs: int | str | None, days: Days) -> None:
    """What the tables do not reach must lie behind them."""
    if theirs == "beyond":
        assert mine is not None
        assert mine > days.at(days.size)
    else:
        assert mine == days.at(theirs)


def check_segments(cycle, until: int) -> None:
    """They have no gaps, do not overlap, are not empty, and neighbours differ."""
    edges = [cycle.started_at]
    for one in cycle.segments:
        assert one.since == edges[-1]
        assert one.until > one.since
        edges.append(one.until)
    assert edges[-1] == (until if cycle.stopped_at is None else cycle.stopped_at)
    looks = [(one.owner, one.runs, one.why) for one in cycle.segments]
    assert all(one != other for one, other in pairwise(looks))


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_say_what_a_walk_minute_by_minute_says(zone):
    print(f"seed {SEED}/{zone}: {HISTORIES} histories")  # noqa: T201 - seen to have run
    days = [Days(zone, Random(f"{SEED}/{zone}/days/{number}")) for number in range(2)]
    for number in range(HISTORIES):
        random = Random(f"{SEED}/{zone}/{number}")
        some = random.choice(days)
        plain = story(random, random.randrange(5 * 1440), [*WEEKS, "always"])
        now = plain["born"] + random.randrange(plain["length"] + 120)
        try:
            compare(plain, some, now, random)
        except AssertionError as error:
            raise AssertionError(
                f"history {number} of {zone}, seed {SEED}, at minute {now}: {plain}"
            ) from error
