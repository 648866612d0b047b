"""The rules of docs/clocks.md, each in a small story."""

from __future__ import annotations

import pytest
from sla_making import (
    CREATED,
    HOUR,
    INTERNAL,
    MINUTE,
    REOPENED,
    RESOLVED,
    VENDOR,
    VENDOR_COMMENT,
    History,
    clock,
    goal,
    moment,
    policy,
)

from bridge.sla.attribution import counted, minutes, office
from bridge.sla.calendar import CalendarRule, calendars_of
from bridge.sla.clock import evaluate, reach
from bridge.sla.policy import BallRule, Happening, Owner, Pause, Trigger
from bridge.sla.timeline import EntryKind
from bridge.sla.verdict import ClockState, Verdict
from bridge.sync.ticket import Side

BORN = moment("2026-06-01 09:00")
ALWAYS = CalendarRule("always", "UTC", (((0, 1440),),) * 7)
MORNINGS = CalendarRule("mornings", "UTC", (((540, 720),),) * 7)
CALENDARS = {"always": ALWAYS, "mornings": MORNINGS}
OWNED = Trigger(Happening.OWNED, side=VENDOR, words="vendor-owner")
ACKNOWLEDGED = Trigger(Happening.ACKNOWLEDGED, side=VENDOR, words="vendor-acknowledged")
CRITICAL = Trigger(Happening.FIELD, field="severity", values=frozenset({"Critical"}))
TOUCHED = Trigger(Happening.FIELD, field="severity")
MET, LATE, OPEN = (ClockState.STOPPED, True), (ClockState.STOPPED, False), (ClockState.RUNNING, False)


def asked(history: History, *clocks, minutes: float, ended: float | None = None, **more) -> Verdict:
    agreed = policy(*clocks, calendars=CALENDARS, **more)
    now = BORN + round(minutes * MINUTE)
    return evaluate(history.timeline(ended), agreed, calendars_of(agreed), now)


def states(verdict: Verdict) -> list[tuple[ClockState, bool]]:
    return [(one.state, one.met) for one in verdict.cycles]


def at(minutes: float) -> int:
    return BORN + round(minutes * MINUTE)


def test_there_is_nothing_to_say_before_birth():
    verdict = asked(History(BORN), clock(goals=[goal(HOUR)]), minutes=-1)
    assert (verdict.cycles, verdict.ball, verdict.next_at) == ((), (), None)


@pytest.mark.parametrize(("stopped", "outcome"), [(59, MET), (60, MET), (60 + 1 / MINUTE, LATE)])
def test_what_happens_at_the_due_instant_is_in_time(stopped, outcome):
    history = History(BORN, status="Open").becomes(stopped, status="Resolved")
    assert states(asked(history, clock(goals=[goal(HOUR)]), minutes=200)) == [outcome]


def test_a_pause_or_a_longer_goal_at_the_due_instant():
    waiting = (Pause(statuses=frozenset({"Waiting"})),)
    history = History(BORN, status="Open", priority="P1").becomes(60, status="Waiting")
    (cycle,) = asked(history, clock(goals=[goal(HOUR)], pause=waiting), minutes=90).cycles
    assert (cycle.state, cycle.breached_at) == (ClockState.PAUSED, at(60))
    goals = [goal(HOUR, priority="P1"), goal(2 * HOUR)]
    history = History(BORN, priority="P1").becomes(60, priority="P2")
    (cycle,) = asked(history, clock(goals=goals), minutes=90).cycles
    assert (cycle.breached_at, cycle.due_at, cycle.goal_since) == (None, at(120), at(60))


def test_the_link_ends_and_so_does_every_clock():
    (cycle,) = asked(History(BORN), clock(goals=[goal(HOUR)]), minutes=500, ended=60).cycles
    assert (cycle.state, cycle.stopped_at, cycle.breached_at) == (ClockState.CANCELLED, at(60), None)
    (cycle,) = asked(History(BORN), clock(goals=[goal(HOUR)]), minutes=500, ended=61).cycles
    assert (cycle.state, cycle.breached_at) == (ClockState.CANCELLED, at(60))


def test_every_comment_of_the_vendor_ends_one_cycle_and_begins_the_next():
    update = clock("update", (VENDOR_COMMENT,), (VENDOR_COMMENT,), [goal(HOUR)])
    history = History(BORN).comment(10).comment(20, INTERNAL).comment(50, public=False).comment(100)
    verdict = asked(history, update, minutes=110)
    assert states(verdict) == [LATE, OPEN]
    assert [one.breached_at for one in verdict.cycles] == [at(70), None]
    assert verdict.cycles[0].stop_event == verdict.cycles[1].start_event


def test_an_owner_counts_on_the_side_where_somebody_named_them():
    accept = clock("accept", stop=(OWNED,), goals=[goal(HOUR)])
    history = History(BORN, assignee="Ann").becomes(10, INTERNAL, assignee="Bo")
    assert states(asked(history, accept, minutes=50)) == [OPEN]
    history.entry(20, EntryKind.FIELD, VENDOR, field="assignee", after="Bo")
    assert states(asked(history, accept, minutes=50)) == [MET]


def test_a_ticket_may_be_born_with_what_starts_or_stops_a_clock():
    history = History(BORN, VENDOR, status="Resolved", severity="Critical", assignee="Bo")
    (resolve,) = asked(history, clock(goals=[goal(HOUR)]), minutes=50).cycles
    assert (resolve.state, resolve.stopped_at, resolve.segments) == (ClockState.STOPPED, BORN, ())
    assert states(asked(history, clock(stop=(OWNED,), goals=[goal(HOUR)]), minutes=50)) == [MET]
    assert states(asked(history, clock(start=(CRITICAL,), stop=(), goals=[goal(HOUR)]), minutes=50)) == [OPEN]
    assert asked(history, clock(start=(TOUCHED,), stop=(), goals=[goal(HOUR)]), minutes=50).cycles == ()


def test_somebody_of_the_right_side_acknowledges():
    history = History(BORN).acknowledged(10, INTERNAL)
    assert states(asked(history, clock(stop=(ACKNOWLEDGED,)), minutes=50)) == [OPEN]
    assert states(asked(history.acknowledged(20), clock(stop=(ACKNOWLEDGED,)), minutes=50)) == [MET]


def test_only_what_resolving_stopped_is_reopened():
    history = (
        History(BORN, status="Open").comment(10).becomes(20, status="Resolved").becomes(30, status="Open")
    )
    by_comment = clock(stop=(VENDOR_COMMENT,), goals=[goal(HOUR)])
    cancelled = clock(stop=(OWNED,), cancel=(RESOLVED,), goals=[goal(HOUR)])
    asking = clock(stop=(VENDOR_COMMENT,), start=(CREATED, REOPENED), goals=[goal(HOUR)], reopen="ignore")
    assert states(asked(history, by_comment, minutes=40)) == [MET]
    assert states(asked(history, cancelled, minutes=40)) == [(ClockState.CANCELLED, False)]
    assert states(asked(history, asking, minutes=40)) == [MET, OPEN]


def test_a_clock_stands_while_a_change_is_held_and_says_why():
    resolve = clock(goals=[goal(HOUR)], pause=(Pause(held=True, words="held"),))
    history = History(BORN).held(10, until=40).held(20, until=30)
    (cycle,) = asked(history, resolve, minutes=50).cycles
    told = [(one.since, one.runs, one.why) for one in cycle.segments]
    running = "vendor has the ball"
    assert told == [(BORN, True, running), (at(10), False, "held"), (at(40), True, running)]
    assert (cycle.elapsed, cycle.due_at) == (20 * MINUTE, at(90))


def test_a_kept_goal_is_the_first_that_fitted():
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(2 * HOUR, priority="P2")], goal_change="keep")
    history = History(BORN, priority="").becomes(30, priority="P2").becomes(40, priority="P1")
    (cycle,) = asked(history, resolve, minutes=50).cycles
    assert (cycle.goal.budget, cycle.goal_since, cycle.due_at) == (2 * HOUR, at(30), at(120))


def test_a_step_of_a_new_goal_is_reached_no_earlier_than_it_came():
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(8 * HOUR)])
    history = History(BORN, priority="P3").becomes(40, priority="P1")
    (cycle,) = asked(history, resolve, minutes=50).cycles
    calendars = calendars_of(policy(calendars=CALENDARS))
    assert reach(cycle, calendars, 30 * MINUTE) == at(40)
    assert reach(cycle, calendars, 60 * MINUTE) == cycle.due_at == at(60)


def test_a_warning_is_taken_back_by_a_longer_goal_and_a_breach_is_not():
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(8 * HOUR)], warn=(0.5, 0.9))
    history = History(BORN, priority="P1").becomes(45, priority="P3")
    assert asked(history, resolve, minutes=44).cycles[0].warned_at == at(30)
    assert asked(history, resolve, minutes=46).cycles[0].warned_at is None
    late = History(BORN, priority="P1").becomes(75, priority="P3")
    (cycle,) = asked(late, resolve, minutes=80).cycles
    assert (cycle.breached_at, cycle.warned_at, cycle.due_at) == (at(60), at(30), None)


def test_every_minute_is_somebodys():
    rules = (
        BallRule(Owner.INTERNAL, comment=VENDOR, words="comment: vendor"),
        BallRule(Owner.NOBODY, assigned={VENDOR: False, INTERNAL: False}, words="nobody is named"),
    )
    history = History(BORN, status="Open").becomes(60, assignee="Bo").comment(90)
    history.comment(240, INTERNAL).becomes(300, status="Resolved")
    sides = {Side.INTERNAL: "mornings"}
    verdict = asked(history, clock(goals=[goal(HOUR)]), minutes=400, ball=rules, office=sides)
    assert [(one.since, one.owner, one.why) for one in verdict.ball] == [
        (BORN, Owner.NOBODY, "nobody is named"),
        (at(60), Owner.VENDOR, "not resolved"),
        (at(90), Owner.INTERNAL, "comment: vendor"),
        (at(240), Owner.VENDOR, "not resolved"),
        (at(300), Owner.NOBODY, "resolved"),
    ]
    whole = {Owner.NOBODY: 160 * MINUTE, Owner.VENDOR: 90 * MINUTE, Owner.INTERNAL: 150 * MINUTE}
    assert minutes(verdict.ball, BORN, at(400)) == whole
    agreed = policy(calendars=CALENDARS, office=sides)
    desks = office(verdict.ball, calendars_of(agreed), agreed, BORN, at(400))
    assert desks == {Owner.INTERNAL: 90 * MINUTE}
    (cycle,) = verdict.cycles
    assert counted(cycle) == {Owner.NOBODY: HOUR, Owner.VENDOR: 90 * MINUTE, Owner.INTERNAL: 150 * MINUTE}
    assert all(one.event for one in (*verdict.ball, *cycle.segments))


def test_without_a_goal_time_is_measured_and_nothing_is_missed():
    verdict = asked(History(BORN), clock(goals=[goal(HOUR, priority="P1")]), minutes=90)
    (cycle,) = verdict.cycles
    assert (cycle.goal, cycle.elapsed, cycle.due_at, verdict.next_at) == (None, 90 * MINUTE, None, None)


def test_a_value_that_only_a_later_entry_tells_of_chooses_the_goal_from_then_on():
    # Found by the oracle: a goal was not looked for again when an entry told a value but changed nothing.
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(8 * HOUR)])
    history = History(BORN).entry(20, EntryKind.FIELD, VENDOR, field="priority", before="P1", after="P1")
    (cycle,) = asked(history, resolve, minutes=30).cycles
    assert (cycle.goal.budget, cycle.due_at) == (HOUR, at(60))


def test_a_status_that_only_a_later_entry_tells_of_says_who_has_the_ball_from_then_on():
    # Found by the oracle: an entry that told "resolved" where nobody knew a status left the ball where it was.
    history = History(BORN).entry(
        20, EntryKind.FIELD, VENDOR, field="status", before="Closed", after="Closed"
    )
    assert [one.owner for one in asked(history, minutes=30).ball] == [Owner.VENDOR, Owner.NOBODY]
