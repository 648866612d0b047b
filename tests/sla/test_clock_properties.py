"""What holds of every clock: nobody who evaluates at another moment, or more often, finds anything else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from clock_histories import story
from clock_worlds import WEEKS, Days, a_policy, a_timeline
from walking import MINUTE

from bridge.sla.attribution import minutes, office
from bridge.sla.ball import ball
from bridge.sla.calendar import Calendar, calendars_of
from bridge.sla.clock import evaluate, reach
from bridge.sla.policy import Owner, Policy
from bridge.sla.serial import policy_from_json, policy_to_json, timeline_from_json, timeline_to_json
from bridge.sla.timeline import Timeline
from bridge.sla.verdict import BallSpan, ClockState, Segment, Verdict
from bridge.sync.ticket import Side

EXAMPLES = int(os.environ.get("BRIDGE_EXAMPLES", "20160")) // 300
SEED = os.environ.get("BRIDGE_SEED", "0")
ZONES = ("Europe/Copenhagen", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu")

Tale = tuple[Timeline, Policy, dict[str, Calendar], list[int], Random]


@pytest.fixture(scope="module", params=ZONES)
def days(request) -> Days:
    return Days(request.param, Random(f"{SEED}/{request.param}"))


def tales(days: Days, what: str) -> Iterator[Tale]:
    """Random stories, each with some moments in their order at which somebody looks; also between the minutes."""
    for number in range(EXAMPLES):
        random = Random(f"{SEED}/{what}/{number}")
        plain = story(random, random.randrange(5 * 1440), [*WEEKS, "always"])
        policy, timeline = a_policy(plain, days), a_timeline(plain, days)
        last = timeline.born + plain["length"] * MINUTE
        looks = sorted(random.randrange(timeline.born, last) for _ in range(6))
        looks += [one.at for one in random.sample(timeline.entries, min(3, len(timeline.entries)))]
        yield timeline, policy, dict(calendars_of(policy)), sorted(looks), random


def known_at(timeline: Timeline, now: int) -> Timeline:
    """What was known of a history at a moment."""
    entries = tuple(one for one in timeline.entries if one.at <= now)
    ended = timeline.ended if timeline.ended is not None and timeline.ended <= now else None
    return replace(timeline, entries=entries, ended=ended)


def test_what_happens_later_changes_nothing_that_was_said(days):
    for timeline, policy, calendars, looks, _ in tales(days, "later"):
        for now in looks:
            early = evaluate(known_at(timeline, now), policy, calendars, now)
            assert evaluate(timeline, policy, calendars, now) == early


def test_a_breach_and_whose_minutes_they_were_are_the_same_at_every_later_moment(days):
    for timeline, policy, calendars, looks, _ in tales(days, "again"):
        verdicts = [evaluate(timeline, policy, calendars, now) for now in looks]
        final = verdicts[-1]
        for early in verdicts:
            assert [one for one in before(final.ball, early.at) if one.until > one.since] == list(early.ball)
            later = {(one.clock, one.number): one for one in final.cycles}
            for one in early.cycles:
                same = later.pop((one.clock, one.number))
                breached = same.breached_at if (same.breached_at or early.at) <= early.at else None
                assert breached == one.breached_at
                assert (same.started_at, same.start_event) == (one.started_at, one.start_event)
                seen = [(two.since, two.until, two.owner, two.runs) for two in one.segments]
                cut = before(same.segments, early.at if one.open else one.stopped_at)
                assert [(two.since, two.until, two.owner, two.runs) for two in cut] == seen
            assert all(one.started_at > early.at for one in later.values())


def before(spans: tuple[BallSpan, ...] | tuple[Segment, ...], end: int) -> list:
    """Spans as they were at a moment."""
    return [replace(one, until=min(one.until, end)) for one in spans if one.since < end]


def test_what_counted_never_shrinks_under_one_goal_and_adds_up_over_any_split(days):
    for timeline, policy, calendars, looks, _ in tales(days, "adding"):
        earlier: dict[tuple[str, int], tuple[int, object]] = {}
        for now in looks:
            for one in evaluate(timeline, policy, calendars, now).cycles:
                terms = one.goal and (one.goal.budget, one.goal.calendar)
                elapsed, then = earlier.get((one.clock, one.number), (0, terms))
                assert then != terms or one.elapsed >= elapsed
                earlier[one.clock, one.number] = (one.elapsed, terms)
                split = one.started_at + (now - one.started_at) // 3
                halves = 0
                for segment in one.segments:
                    for since, until in ((segment.since, split), (split, segment.until)):
                        begin, end = max(since, segment.since), min(until, segment.until)
                        if segment.runs and begin < end:
                            calendar = one.goal and calendars[one.goal.calendar]
                            halves += calendar.elapsed(begin, end) if calendar else end - begin
                assert halves == one.elapsed


def test_entries_of_one_instant_may_be_collected_in_any_order(days):
    for timeline, policy, calendars, looks, random in tales(days, "shuffled"):
        # Everything within a quarter of an hour becomes simultaneous.
        entries = [replace(one, at=one.at - one.at % (15 * MINUTE)) for one in timeline.entries]
        simultaneous = replace(timeline, entries=tuple(entries))
        first = [evaluate(simultaneous, policy, calendars, now) for now in looks]
        random.shuffle(entries)
        shuffled = replace(timeline, entries=tuple(entries))
        assert [evaluate(shuffled, policy, calendars, now) for now in looks] == first


def marks(verdict: Verdict) -> list[tuple[int | None, int | None]]:
    return [(one.warned_at, one.breached_at) for one in verdict.cycles]


def test_the_next_instant_is_the_first_at_which_anything_changes_by_itself(days):
    seen = 0
    for timeline, policy, calendars, looks, random in tales(days, "next"):
        for now in looks:
            known = known_at(timeline, now)
            verdict = evaluate(known, policy, calendars, now)
            then = verdict.next_at
            if then is None:
                much_later = evaluate(known, policy, calendars, now + 400 * 1440 * MINUTE)
                assert marks(much_later) == marks(verdict)
                continue
            seen += 1
            assert then > now
            for quiet in (then - 1, random.randrange(now, then)):
                assert marks(evaluate(known, policy, calendars, quiet)) == marks(verdict)
            changed = marks(evaluate(known, policy, calendars, then))
            assert changed != marks(verdict)
            assert then in {moment for pair in changed for moment in pair}
    assert seen > EXAMPLES


def test_a_breach_comes_at_the_due_instant_and_never_before(days):
    for timeline, policy, calendars, looks, _ in tales(days, "due"):
        for now in looks:
            known = known_at(timeline, now)
            for place, one in enumerate(evaluate(known, policy, calendars, now).cycles):
                if one.due_at is None:
                    continue
                assert one.due_at > now
                assert one.due_at == reach(one, calendars, one.goal.budget)
                just_before = evaluate(known, policy, calendars, one.due_at - 1).cycles[place]
                assert (just_before.breached_at, just_before.due_at) == (None, one.due_at)
                at_last = evaluate(known, policy, calendars, one.due_at).cycles[place]
                assert (at_last.breached_at, at_last.due_at) == (one.due_at, None)


def test_an_amount_is_reached_at_the_least_instant_at_which_it_counted(days):
    for timeline, policy, calendars, looks, random in tales(days, "reach"):
        for one in evaluate(timeline, policy, calendars, looks[-1]).cycles:
            amounts = sorted(random.randrange(1, 600 * MINUTE) for _ in range(3))
            moments = [reach(one, calendars, amount) for amount in amounts]
            known = [moment for moment in moments if moment is not None]
            assert known == sorted(known)
            assert moments[: len(known)] == known
            for amount, moment in zip(amounts, moments, strict=True):
                if moment is not None:
                    assert moment >= one.goal_since
                if one.elapsed >= amount:
                    assert moment is not None
                elif one.state is not ClockState.RUNNING:
                    assert moment is None


def test_the_minutes_of_the_parties_are_the_whole(days):
    for timeline, policy, calendars, looks, random in tales(days, "whole"):
        working = replace(policy, office={Side.INTERNAL: "office", Side.VENDOR: "nights"})
        end = looks[-1]
        verdict = evaluate(timeline, working, calendars, end)
        assert verdict.ball == ball(timeline, working, end)
        last = end if timeline.ended is None else min(end, timeline.ended)
        since, until = sorted(random.randrange(timeline.born, end + 1) for _ in range(2))
        told = minutes(verdict.ball, since, until)
        assert sum(told.values()) == max(0, min(until, last) - min(since, last))
        parts = [minutes(verdict.ball, timeline.born, since), told, minutes(verdict.ball, until, end)]
        whole = minutes(verdict.ball, 0, end)
        assert {owner: sum(part[owner] for part in parts) for owner in Owner} == whole
        desks = office(verdict.ball, calendars, working, since, until)
        assert desks.keys() == {Owner.INTERNAL, Owner.VENDOR}
        assert all(0 <= count <= told[owner] for owner, count in desks.items())
        assert office(verdict.ball, calendars, policy, since, until) == {}


def test_what_is_stored_comes_back_as_it_was(days):
    for timeline, policy, _, _, _ in tales(days, "stored"):
        assert policy_from_json(json.loads(json.dumps(policy_to_json(policy)))) == policy
        assert timeline_from_json(json.loads(json.dumps(timeline_to_json(timeline)))) == timeline
