"""The ladder: each step once, never early, late rather than never; against a walk minute by minute."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sla_making import (
    DAY,
    HOUR,
    INTERNAL,
    MINUTE,
    RESOLVED,
    VENDOR,
    VENDOR_COMMENT,
    History,
    clock,
    goal,
    moment,
    policy,
)

from bridge.sla.calendar import CalendarRule, calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.ladder import NEAR, Told, claims, recognised
from bridge.sla.policy import Pause, Step

BORN = moment("2026-11-02 09:00")
ALWAYS = CalendarRule("always", "UTC", (((0, 1440),),) * 7)


def step(name: str, *, every: int | None = None, clocks: str = "") -> Step:
    """``80%`` or ``+2h``-like steps, the offset in minutes: ``+120``."""
    share = float(name.rstrip("%")) / 100 if name.endswith("%") else None
    after = None if share is not None else int(name.lstrip("+")) * MINUTE
    return Step(name, share, after, ("dm",), clocks=frozenset(clocks.split()), every=every)


def made(*clocks, ladder, **more):
    return policy(*clocks, ladder=tuple(ladder), calendars={"always": ALWAYS}, **more)


HOUR_CLOCK = clock(goals=[goal(60 * MINUTE)], reopen="new")
THREE = (step("50%"), step("100%"), step("+120"))


class Bridge:
    """Ticks over one link and remembers what it told."""

    def __init__(self, rules, timeline):
        self.rules, self.timeline = rules, timeline
        self.calendars = calendars_of(rules)
        self.told: dict[tuple[str, int, str], Told] = {}
        self.acknowledged: dict[tuple[str, int], int] = {}
        self.made = []
        self.next_at = None

    def tick(self, minute: float):
        now = BORN + round(minute * MINUTE)
        verdict = evaluate(self.timeline, self.rules, self.calendars, now)
        found, self.next_at = claims(verdict, self.rules, self.calendars, self.told, self.acknowledged, now)
        for claim in found:
            assert claim.at <= now, "never before the moment"
            assert claim.late == now - claim.at
            self.told[claim.clock, claim.cycle, claim.step.name] = Told(claim.round, now)
        self.made += [(minute, claim) for claim in found]
        return [(claim.step.name, claim.round) for claim in found]

    def acknowledge(self, minute: float):
        at = BORN + round(minute * MINUTE)
        for cycle in evaluate(self.timeline, self.rules, self.calendars, at).cycles:
            if cycle.open:
                self.acknowledged.setdefault((cycle.clock, cycle.started_at), at)


def test_each_step_at_its_moment_and_once():
    bridge = Bridge(made(HOUR_CLOCK, ladder=THREE), History(BORN).timeline())
    told = {minute: found for minute in range(400) if (found := bridge.tick(minute))}
    assert told == {30: [("50%", 0)], 60: [("100%", 0)], 180: [("+120", 0)]}


def test_next_at_is_the_next_moment_exactly():
    bridge = Bridge(made(HOUR_CLOCK, ladder=THREE), History(BORN).timeline())
    seen = []
    bridge.tick(0)
    while bridge.next_at is not None:
        at = (bridge.next_at - BORN) / MINUTE
        assert bridge.tick(at - 1 / MINUTE) == []
        assert bridge.tick(at)
        seen.append(at)
    assert seen == [30, 60, 180]


def test_a_step_whose_moment_passed_while_the_bridge_was_down_is_told_once_and_late():
    bridge = Bridge(made(HOUR_CLOCK, ladder=THREE), History(BORN).timeline())
    bridge.tick(10)
    assert bridge.tick(1440) == [("50%", 0), ("100%", 0), ("+120", 0)]
    assert [claim.late // MINUTE for _, claim in bridge.made] == [1410, 1380, 1260]
    assert bridge.tick(1441) == []


@pytest.mark.parametrize(("stopped", "told"), [(20, []), (45, []), (60, []), (61, ["100%"]), (180, ["100%"])])
def test_of_a_cycle_that_has_ended_breaches_are_told_late_and_warnings_not(stopped, told):
    history = History(BORN, status="Open").becomes(stopped, status="Resolved")
    bridge = Bridge(made(HOUR_CLOCK, ladder=THREE), history.timeline())
    assert [name for name, _ in bridge.tick(1440)] == told


def test_repetitions_go_on_until_acknowledged():
    ladder = [step("100%"), step("+30", every=HOUR), step("200%")]
    bridge = Bridge(made(HOUR_CLOCK, ladder=ladder), History(BORN).timeline())
    told = {}
    for minute in range(60, 400):
        if minute == 215:
            bridge.acknowledge(minute)
        if found := bridge.tick(minute):
            told[minute] = found
    assert told == {
        60: [("100%", 0)],
        90: [("+30", 0)],
        120: [("200%", 0)],
        150: [("+30", 1)],
        210: [("+30", 2)],
    }
    assert bridge.next_at is None


def test_repetitions_end_with_the_cycle():
    history = History(BORN, status="Open").becomes(200, status="Resolved")
    bridge = Bridge(made(HOUR_CLOCK, ladder=[step("+30", every=HOUR)]), history.timeline())
    assert [found for minute in range(400) if (found := bridge.tick(minute))] == [[("+30", 0)], [("+30", 1)]]


def test_an_acknowledgement_stops_repeating_steps_to_come_and_no_other_step():
    ladder = [step("100%"), step("+30", every=HOUR), step("200%")]
    bridge = Bridge(made(HOUR_CLOCK, ladder=ladder), History(BORN).timeline())
    bridge.acknowledge(40)
    assert [found for minute in range(400) if (found := bridge.tick(minute))] == [
        [("100%", 0)],
        [("200%", 0)],
    ]


def test_repetitions_missed_in_an_outage_are_one_alert_that_says_how_many():
    bridge = Bridge(made(HOUR_CLOCK, ladder=[step("+30", every=HOUR)]), History(BORN).timeline())
    for minute in (90, 150, 600, 601, 629, 630):
        bridge.tick(minute)
    assert [(minute, claim.round, claim.missed) for minute, claim in bridge.made] == [
        (90, 0, 0),
        (150, 1, 0),
        (600, 8, 6),  # those of 210, 270, ... 510
        (630, 9, 0),
    ]


def test_a_repeating_step_that_was_missed_as_a_whole_is_one_alert_too():
    bridge = Bridge(made(HOUR_CLOCK, ladder=[step("+30", every=HOUR)]), History(BORN).timeline())
    for minute in (300, 301, 329, 330):
        bridge.tick(minute)
    assert [(minute, claim.round, claim.missed) for minute, claim in bridge.made] == [
        (300, 0, 3),
        (330, 4, 0),
    ]


def test_a_clock_that_jumps_back_repeats_nothing_and_one_that_jumps_ahead_tells_once():
    bridge = Bridge(made(HOUR_CLOCK, ladder=[*THREE, step("+10", every=HOUR)]), History(BORN).timeline())
    told = [bridge.tick(minute) for minute in (130, 70, 71, 129, 131, 190, 130, 190)]
    assert told[:4] == [[("50%", 0), ("100%", 0), ("+10", 0)], [], [], []]
    counted = Counter((claim.step.name, claim.round) for _, claim in bridge.made)
    assert set(counted.values()) == {1}
    assert {name for name, _ in counted} == {"50%", "100%", "+10", "+120"}


def test_a_longer_goal_after_the_breach_warns_of_nothing():
    goals = [goal(60 * MINUTE, priority="P1"), goal(600 * MINUTE)]
    history = History(BORN, priority="P1").becomes(90, INTERNAL, priority="P3")
    bridge = Bridge(made(clock(goals=goals), ladder=THREE), history.timeline())
    told = [name for minute in range(0, 900, 5) for name, _ in bridge.tick(minute)]
    assert told == ["50%", "100%", "+120"]


def test_a_goal_that_is_taken_away_leaves_the_breach():
    history = History(BORN, priority="P1").becomes(90, INTERNAL, priority="P3")
    bridge = Bridge(made(clock(goals=[goal(60 * MINUTE, priority="P1")]), ladder=THREE), history.timeline())
    assert [name for name, _ in bridge.tick(1000)] == ["100%", "+120"]


def test_steps_are_for_the_clocks_that_they_name():
    rules = made(
        HOUR_CLOCK,
        clock("other", goals=[goal(30 * MINUTE)]),
        ladder=[step("100%", clocks="other"), step("+0")],
    )
    bridge = Bridge(rules, History(BORN).timeline())
    bridge.tick(100)
    assert [(claim.clock, claim.step.name) for _, claim in bridge.made] == [
        ("other", "100%"),
        ("other", "+0"),
        ("resolve", "+0"),
    ]


def test_a_cycle_whose_beginning_is_known_more_exactly_is_the_same_one():
    rules = made(HOUR_CLOCK, ladder=THREE)
    verdict = evaluate(History(BORN).timeline(), rules, calendars_of(rules), BORN + HOUR)
    own = ("resolve", BORN)
    assert recognised(verdict, [own]) == {own: own}
    assert recognised(verdict, [("resolve", BORN - 5_000)]) == {own: ("resolve", BORN - 5_000)}
    assert recognised(verdict, [("resolve", BORN - NEAR - 1)]) == {}
    assert recognised(verdict, [("other", BORN)]) == {}
    assert recognised(verdict, [own, ("resolve", BORN + 5)]) == {own: own}


# --- against a walk, five minutes at a time --------------------------------------------------------------------------

SHARES = ("50%", "75%", "100%", "150%")
WALK = 5
PAUSED = Pause(statuses=frozenset({"Waiting"}), words="Waiting")


@st.composite
def lives(draw):
    """(policy, timeline, minutes of ticks, minute of an acknowledgement or None). Moments are multiples of WALK."""
    history = History(BORN, status="Open")
    for turn in sorted(draw(st.lists(st.integers(1, 80), max_size=6))):
        minute = turn * WALK
        if draw(st.booleans()):
            history.becomes(minute, status=draw(st.sampled_from(["Open", "Waiting", "Resolved"])))
        else:
            history.comment(minute, draw(st.sampled_from([INTERNAL, VENDOR])))
    budget = draw(st.sampled_from([20, 60, 100])) * MINUTE
    rules = [
        clock(
            goals=[goal(budget)], pause=(PAUSED,), reopen=draw(st.sampled_from(["new", "resume", "ignore"]))
        ),
        clock("update", [VENDOR_COMMENT], [VENDOR_COMMENT], [goal(40 * MINUTE)], cancel=(RESOLVED,)),
    ]
    every = draw(st.sampled_from([None, 30 * MINUTE]))
    ladder = [*map(step, SHARES), step("+0"), step("+45", every=every)]
    ticks = sorted(draw(st.lists(st.integers(0, 600), min_size=1, max_size=60)))
    acknowledged = draw(st.none() | st.integers(0, 500))
    return made(*rules, ladder=ladder), history.timeline(), ticks, acknowledged


def walked(rules, timeline, until):
    """By going through the minutes alone: (clock, began) -> [minute at which each share was there], and its end."""
    calendars = calendars_of(rules)
    lasted: dict[tuple[str, int], dict[str, int]] = {}
    for minute in range(0, until + 1, WALK):
        for cycle in evaluate(timeline, rules, calendars, BORN + minute * MINUTE).cycles:
            seen = lasted.setdefault((cycle.clock, cycle.started_at), {})
            if not cycle.open:
                seen.setdefault("end", minute)
                continue
            seen.pop("end", None)  # resumed
            for name in SHARES:
                if cycle.elapsed * 100 >= cycle.goal.budget * int(name.rstrip("%")):
                    seen.setdefault(name, minute)
    for seen in lasted.values():
        if "100%" in seen:
            seen["+0"], seen["+45"] = seen["100%"], seen["100%"] + 45
    return lasted


@settings(max_examples=300, deadline=None)
@given(lives())
def test_every_step_is_told_once_and_never_early_whenever_the_bridge_ticks(life):
    rules, timeline, ticks, acknowledged = life
    bridge = Bridge(rules, timeline)
    open_at: dict[int, set[tuple[str, int]]] = {}
    for minute in ticks:
        if acknowledged is not None and acknowledged <= minute:
            bridge.acknowledge(acknowledged)
        verdict = evaluate(timeline, rules, bridge.calendars, BORN + minute * MINUTE)
        open_at[minute] = {(one.clock, one.started_at) for one in verdict.cycles if one.open}
        bridge.tick(minute)
    first = [(one.clock, one.cycle, one.step.name) for _, one in bridge.made if one.round == 0]
    assert len(first) == len(set(first))
    expected = set()
    walks = walked(rules, timeline, ticks[-1])
    for (name, began), seen in walks.items():
        key = (name, began)
        for each in rules.ladder:
            if each.name not in seen:
                continue
            at = seen[each.name]
            stopped = (
                each.every is not None
                and key in bridge.acknowledged
                and (bridge.acknowledged[key] <= BORN + at * MINUTE)
            )
            for minute in ticks:
                if minute < at or stopped:
                    continue
                lasted = key in open_at[minute] or at < seen.get("end", at)
                if key in open_at[minute] or (lasted and each.name not in ("50%", "75%")):
                    expected.add((*key, each.name))
    assert set(first) == expected
    rounds = [(one.clock, one.cycle, one.step.name, one.round) for _, one in bridge.made]
    assert len(rounds) == len(set(rounds))
    for minute, claim in bridge.made:
        begins = (
            walks[claim.clock, claim.cycle][claim.step.name] + claim.round * (claim.step.every or 0) // MINUTE
        )
        assert claim.at == BORN + begins * MINUTE <= BORN + minute * MINUTE


@settings(max_examples=300, deadline=None)
@given(lives())
def test_between_next_at_and_the_tick_before_it_nothing_is_missed(life):
    rules, timeline, ticks, _ = life
    bridge = Bridge(rules, timeline)
    bridge.tick(ticks[0])
    upcoming, at = bridge.next_at, BORN + ticks[0] * MINUTE
    entries = [entry.at for entry in timeline.entries if entry.at > at]
    until = min([one for one in (upcoming, *entries) if one is not None], default=BORN + DAY)
    for minute in range(ticks[0] + 1, min(-(-(until - BORN) // MINUTE), 700)):
        assert bridge.tick(minute) == []
