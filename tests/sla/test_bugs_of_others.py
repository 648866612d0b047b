"""Mistakes that other systems shipped in their service clocks, each by its name: none of them is ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sla_making import (
    CREATED,
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
from bridge.sla.clock import evaluate, reach
from bridge.sla.policy import BallRule, Owner, Pause
from bridge.sla.verdict import ClockState, Cycle, Verdict

COPENHAGEN = "Europe/Copenhagen"
OFFICE = (*[((480, 720), (750, 960))] * 4, ((480, 930),), (), ())
EIGHT_TO_FOUR = (*[((480, 960),)] * 5, (), ())
CALENDARS = {
    "always": CalendarRule("always", "UTC", (((0, 1440),),) * 7),
    "local": CalendarRule("local", "America/Sao_Paulo", (((0, 1440),),) * 7),
    "office": CalendarRule("office", COPENHAGEN, OFFICE),
    "plain": CalendarRule("plain", COPENHAGEN, EIGHT_TO_FOUR),
    "danish": CalendarRule("danish", COPENHAGEN, EIGHT_TO_FOUR, holidays="DK"),
    "auckland": CalendarRule("auckland", "Pacific/Auckland", EIGHT_TO_FOUR),
}


def asked(history: History, *clocks, minutes: float, **more) -> Verdict:
    """What the clocks say some minutes after birth."""
    agreed = policy(*clocks, calendars=CALENDARS, **more)
    now = history.born + round(minutes * MINUTE)
    return evaluate(history.timeline(), agreed, calendars_of(agreed), now)


def only(verdict: Verdict) -> Cycle:
    (cycle,) = verdict.cycles
    return cycle


def after(history: History, minutes: float) -> int:
    return history.born + round(minutes * MINUTE)


def test_no_minute_is_lost_at_midnight_by_a_clock_that_always_runs():
    # zammad/zammad#3180: a calendar of 00:00-23:59 lost one minute a day
    history = History(moment("2026-06-01 13:07", COPENHAGEN))
    cycle = only(asked(history, clock(goals=[goal(30 * DAY)]), minutes=7 * 1440))
    assert cycle.elapsed == 7 * DAY
    assert cycle.due_at == history.born + 30 * DAY


def test_warnings_and_deadlines_fall_into_business_hours():
    # zammad/zammad#4432, #2157, #2366: reminders at midnight and at weekends despite business hours
    for hour in range(24 * 8):
        history = History(moment("2026-10-22 00:30", COPENHAGEN) + hour * HOUR)
        verdict = asked(history, clock(goals=[goal(5 * HOUR, calendar="office")]), minutes=0)
        calendar = calendars_of(policy(calendars=CALENDARS))["office"]
        for at in (verdict.next_at, only(verdict).due_at):
            assert calendar.is_open(at - 1), f"{at} is in the night"


def test_the_next_instant_moves_when_somebody_answers_first():
    # zammad/zammad#2082: escalation_at was not updated on the first reply
    clocks = (
        clock("reply", stop=(VENDOR_COMMENT,), goals=[goal(HOUR)], warn=()),
        clock("update", start=(VENDOR_COMMENT,), stop=(VENDOR_COMMENT,), goals=[goal(2 * HOUR)], warn=()),
    )
    history = History(moment("2026-06-01 09:00"))
    assert asked(history, *clocks, minutes=1).next_at == after(history, 60)
    history.comment(10)
    assert asked(history, *clocks, minutes=11).next_at == after(history, 130)


def test_nothing_is_due_any_more_once_it_was_answered():
    # zammad/zammad#3140: a ticket escalated after the agent had answered
    history = History(moment("2026-06-01 09:00")).comment(60)
    verdict = asked(history, clock("reply", stop=(VENDOR_COMMENT,), goals=[goal(HOUR)]), minutes=500)
    assert only(verdict).met
    assert (only(verdict).breached_at, verdict.next_at) == (None, None)


def test_a_long_update_goal_leaves_the_first_response_alone():
    # zammad/zammad#5177: the goal for updates overruled the one for the first response
    reply = clock("reply", stop=(VENDOR_COMMENT,), goals=[goal(HOUR)])
    update = clock("update", start=(CREATED, VENDOR_COMMENT), stop=(VENDOR_COMMENT,), goals=[goal(4 * HOUR)])
    history = History(moment("2026-06-01 09:00"))
    for clocks in ((reply, update), (update, reply)):
        told = {one.clock: one.due_at for one in asked(history, *clocks, minutes=5).cycles}
        assert told == {"reply": after(history, 60), "update": after(history, 240)}


def test_only_holidays_that_were_agreed_lengthen_a_clock():
    # zammad/zammad#390: holidays from a casual feed lengthened the clock
    history = History(moment("2026-04-01 15:00", COPENHAGEN))  # the Wednesday before Easter
    goals = {name: [goal(8 * HOUR, calendar=name)] for name in ("plain", "danish")}
    due = {name: only(asked(history, clock(goals=one), minutes=1)).due_at for name, one in goals.items()}
    assert due["plain"] == moment("2026-04-02 15:00", COPENHAGEN)
    assert due["danish"] == moment("2026-04-07 15:00", COPENHAGEN)
    worked = replace(CALENDARS["danish"], removed=frozenset({date(2026, 4, 2)}))
    agreed = policy(clock(goals=goals["danish"]), calendars=CALENDARS | {"danish": worked})
    kept = evaluate(history.timeline(), agreed, calendars_of(agreed), history.born + MINUTE)
    assert only(kept).due_at == due["plain"]


def test_a_midnight_that_does_not_exist_makes_no_difference():
    # OTRS bug 9884, PR #787: wrong solution time over the change of clocks in America/Sao_Paulo, a gap at midnight
    born = moment("2018-11-03 20:00", "America/Sao_Paulo")
    cycle = only(asked(History(born), clock(goals=[goal(10 * HOUR, calendar="local")]), minutes=6 * 60))
    assert cycle.elapsed == 6 * HOUR
    assert cycle.due_at == moment("2018-11-04 07:00", "America/Sao_Paulo") == born + 10 * HOUR


def test_a_warning_is_of_its_own_clock():
    # OTRS PR #1782, bug 12918: wrong notification about the solution time
    history = History(moment("2026-06-01 09:00")).comment(10)
    clocks = (
        clock("reply", stop=(VENDOR_COMMENT,), goals=[goal(HOUR)], warn=(0.5,)),
        clock("resolve", goals=[goal(10 * HOUR)], warn=(0.8,)),
    )
    told = {one.clock: one.warned_at for one in asked(history, *clocks, minutes=599).cycles}
    assert told == {"reply": None, "resolve": after(history, 480)}


def test_an_hour_before_due_is_found_across_a_lunch_break():
    # glpi-project/glpi#22678: "1 h before due" became 00:00 with a calendar of several segments a day
    history = History(moment("2026-06-01 08:00", COPENHAGEN))
    cycle = only(asked(history, clock(goals=[goal(5 * HOUR, calendar="office")]), minutes=1))
    calendars = calendars_of(policy(calendars=CALENDARS))
    assert cycle.due_at == moment("2026-06-01 13:30", COPENHAGEN)
    assert reach(cycle, calendars, 4 * HOUR) == moment("2026-06-01 12:00", COPENHAGEN)
    assert reach(cycle, calendars, 4 * HOUR + 1) == moment("2026-06-01 12:30", COPENHAGEN) + 1


def test_an_hour_before_due_is_found_on_a_calendar_of_another_zone():
    # glpi-project/glpi#15429: a negative offset was wrong with any calendar but the one that is always open
    history = History(moment("2026-06-01 15:30", "Pacific/Auckland"))
    cycle = only(asked(history, clock(goals=[goal(90 * MINUTE, calendar="auckland")]), minutes=1))
    calendars = calendars_of(policy(calendars=CALENDARS))
    assert cycle.due_at == moment("2026-06-02 09:00", "Pacific/Auckland")
    assert reach(cycle, calendars, 30 * MINUTE) == moment("2026-06-01 16:00", "Pacific/Auckland")


@pytest.mark.parametrize("friday", ["2026-03-27", "2026-10-23"])
def test_a_deadline_keeps_its_hour_on_the_wall_over_a_change_of_clocks(friday):
    # grafana/oncall#3261: schedules and escalations shifted by an hour after the end of summer time
    history = History(moment(f"{friday} 12:00", COPENHAGEN))
    cycle = only(asked(history, clock(goals=[goal(8 * HOUR, calendar="plain")]), minutes=1))
    monday = date.fromisoformat(friday).toordinal() + 3
    assert cycle.due_at == moment(f"{date.fromordinal(monday)} 12:00", COPENHAGEN)


def test_nothing_has_failed_right_after_creation():
    # frappe/erpnext#38745: an agreement showed as failed right after creation, by a time without a zone
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
        history = History(moment("2026-06-01 12:00", zone))
        cycle = only(asked(history, clock(goals=[goal(HOUR)]), minutes=0))
        assert (cycle.state, cycle.elapsed) == (ClockState.RUNNING, 0)
        assert (cycle.breached_at, cycle.warned_at, cycle.due_at) == (None, None, after(history, 60))


def test_a_pause_that_begins_on_a_holiday_holds_when_it_is_over():
    # Microsoft Dynamics, support article of 2023-05-23: on hold during a holiday did not pause
    born = moment("2026-04-01 15:00", COPENHAGEN)
    history = History(born, status="Open")
    history.becomes(3 * 1440, status="Waiting")  # Easter Saturday
    history.becomes(6 * 1440, INTERNAL, status="Open")  # the Tuesday after
    resolve = clock(
        goals=[goal(8 * HOUR, calendar="danish")], pause=(Pause(statuses=frozenset({"Waiting"})),)
    )
    cycle = only(asked(history, resolve, minutes=6 * 1440 + 30))
    assert cycle.elapsed == HOUR + 30 * MINUTE  # Wednesday from 15:00, Tuesday from 15:00
    assert cycle.due_at == moment("2026-04-08 14:00", COPENHAGEN)


@pytest.mark.parametrize(("eve", "hours"), [("2026-03-28", 23), ("2026-10-24", 25)])
def test_a_day_has_as_many_hours_as_passed(eve, hours):
    # mnemosyne-systems/billetsys#175: elapsed was taken from the clock on the wall instead of instants
    born = moment(f"{eve} 12:00", COPENHAGEN)
    noon = moment(f"{date.fromordinal(date.fromisoformat(eve).toordinal() + 1)} 12:00", COPENHAGEN)
    cycle = only(asked(History(born), clock(goals=[goal(30 * DAY)]), minutes=(noon - born) / MINUTE))
    assert cycle.elapsed == hours * HOUR


def test_a_goal_of_today_is_not_applied_to_what_was_over():
    # Atlassian's knowledge base: reconstructing applied today's goals to old tickets, met became breached
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(8 * HOUR)])
    history = History(moment("2026-06-01 09:00"), status="Open", priority="P3")
    history.becomes(120, status="Resolved")
    before = only(asked(history, resolve, minutes=130))
    history.becomes(140, priority="P1")
    assert only(asked(history, resolve, minutes=9000)) == before
    assert before.met


def test_a_new_goal_in_mid_run_breaches_no_earlier_than_it_came():
    # the same: a change of priority must not tell of a breach in the past
    resolve = clock(goals=[goal(HOUR, priority="P1"), goal(8 * HOUR)])
    history = History(moment("2026-06-01 09:00"), priority="P3").becomes(120, INTERNAL, priority="P1")
    assert only(asked(history, resolve, minutes=119)).breached_at is None
    assert only(asked(history, resolve, minutes=500)).breached_at == after(history, 120)


def test_elapsed_is_never_a_mixture_of_two_calendars():
    # ServiceNow KB0869748: a changed definition or schedule mixed old and new accumulations
    resolve = clock(goals=[goal(4 * HOUR, priority="P1"), goal(4 * HOUR, calendar="plain")])
    history = History(moment("2026-06-01 14:00", COPENHAGEN), priority="P3")
    history.becomes(10 * 60, INTERNAL, priority="P1")
    assert only(asked(history, resolve, minutes=10 * 60 - 1)).elapsed == 2 * HOUR
    cycle = only(asked(history, resolve, minutes=11 * 60))
    assert (cycle.elapsed, sum(one.counted for one in cycle.segments)) == (11 * HOUR, 11 * HOUR)
    assert cycle.breached_at == cycle.goal_since == after(history, 10 * 60)


def test_any_field_counts_by_its_own_history():
    # ServiceNow's replay ignored the history of fields that it reached over a reference
    resolve = clock(goals=[goal(HOUR, severity="Critical"), goal(8 * HOUR)], goal_change="keep")
    history = History(moment("2026-06-01 09:00"), severity="Critical").becomes(30, severity="Minor")
    assert only(asked(history, resolve, minutes=90)).breached_at == after(history, 60)


def test_a_clock_that_ended_keeps_what_it_took():
    # zammad/zammad#2579: close_in_min was never set
    history = History(moment("2026-06-01 09:00"), status="Open").becomes(95, status="Closed")
    cycle = only(asked(history, clock(goals=[goal(HOUR)]), minutes=9000))
    assert (cycle.state, cycle.elapsed) == (ClockState.STOPPED, 95 * MINUTE)
    assert (cycle.stopped_at, cycle.stop_event) == (after(history, 95), history.entries[-1].event)


def test_nothing_is_due_where_no_goal_fits_any_more():
    # zammad/zammad#4353: escalated tickets stayed escalated after their agreement was switched off
    resolve = clock(goals=[goal(HOUR, priority="P1")], warn=(0.5,))
    history = History(moment("2026-06-01 09:00"), priority="P1").becomes(40, INTERNAL, priority="P4")
    assert only(asked(history, resolve, minutes=35)).warned_at == after(history, 30)
    verdict = asked(history, resolve, minutes=500)
    cycle = only(verdict)
    assert (cycle.goal, cycle.due_at, cycle.warned_at, cycle.breached_at) == (None, None, None, None)
    assert verdict.next_at is None
    assert asked(history, minutes=500).cycles == ()


def test_a_reopened_ticket_goes_on_as_agreed():
    # zammad/zammad#188: reopened tickets were wrong
    history = History(moment("2026-06-01 09:00"), status="Open")
    history.becomes(60, status="Resolved").becomes(600, INTERNAL, status="Open")
    told = {
        rule: [
            (one.state, one.elapsed, one.due_at)
            for one in asked(history, clock(goals=[goal(2 * HOUR)], reopen=rule), minutes=630).cycles
        ]
        for rule in ("new", "resume", "ignore")
    }
    ended = (ClockState.STOPPED, HOUR, None)
    assert told == {
        "new": [ended, (ClockState.RUNNING, 30 * MINUTE, after(history, 720))],
        "resume": [(ClockState.RUNNING, 90 * MINUTE, after(history, 660))],
        "ignore": [ended],
    }


def test_time_that_did_not_count_stays_so_under_a_new_goal():
    # glpi-project/glpi#6902: pending time was lost when the agreement of a ticket changed
    resolve = clock(
        goals=[goal(3 * HOUR, priority="P1"), goal(8 * HOUR, calendar="plain")],
        pause=(Pause(ball=Owner.INTERNAL),),
    )
    history = History(moment("2026-06-01 09:00", COPENHAGEN), status="Open", priority="P3")
    history.becomes(30, status="Waiting").becomes(150, INTERNAL, status="Open")
    history.becomes(160, INTERNAL, priority="P1")
    waiting = (BallRule(Owner.INTERNAL, statuses=frozenset({"Waiting"})),)
    cycle = only(asked(history, resolve, minutes=170, ball=waiting))
    assert cycle.elapsed == 50 * MINUTE
    assert cycle.due_at == after(history, 120 + 180)


def test_a_breach_can_be_worked_out_by_hand():
    # ServiceNow users could not reproduce the time of a breach: here the segments add up to it, each with evidence
    resolve = clock(
        goals=[goal(6 * HOUR, calendar="office")], pause=(Pause(ball=Owner.INTERNAL, words="ball: internal"),)
    )
    history = History(moment("2026-06-01 09:00", COPENHAGEN))
    history.comment(60).comment(240, INTERNAL).comment(300).comment(330, INTERNAL)
    asking = (BallRule(Owner.INTERNAL, comment=VENDOR, words="comment: vendor"),)
    cycle = only(asked(history, resolve, minutes=3 * 1440, ball=asking))
    by_hand = 0
    calendar = calendars_of(policy(calendars=CALENDARS))["office"]
    for one in cycle.segments:
        assert one.event
        assert one.why in {"vendor has the ball", "ball: internal"}
        by_hand += calendar.elapsed(one.since, min(one.until, cycle.breached_at)) if one.runs else 0
    assert by_hand == cycle.goal.budget
    assert cycle.breached_at == moment("2026-06-02 10:30", COPENHAGEN)


def test_a_goal_that_is_never_reached_is_told_so_at_once():
    # frappe/helpdesk, hd_service_level_agreement.py:359: a loop without a bound
    verdict = asked(History(moment("2026-06-01 09:00")), clock(goals=[goal(30_000 * DAY)]), minutes=5)
    assert (only(verdict).due_at, verdict.next_at) == (None, None)


def test_closed_days_make_nothing_due_sooner():
    # django-helpdesk, escalate_tickets.py:69-72: excluded days made tickets escalate sooner
    for hour in range(24 * 7):
        history = History(moment("2026-06-01 00:00", COPENHAGEN) + hour * HOUR)
        clocks = [clock(goals=[goal(8 * HOUR, calendar=name)]) for name in ("always", "plain")]
        free, working = (only(asked(history, one, minutes=0)).due_at for one in clocks)
        assert free <= working


def test_a_resolved_ticket_owes_no_further_update():
    # zammad/zammad#188: the update clock of a closed ticket went on
    update = clock("update", (VENDOR_COMMENT,), (VENDOR_COMMENT,), [goal(HOUR)], cancel=(RESOLVED,))
    history = History(moment("2026-06-01 09:00"), status="Open").comment(10).becomes(30, status="Resolved")
    verdict = asked(history, update, minutes=500)
    assert (only(verdict).state, only(verdict).met, verdict.next_at) == (ClockState.CANCELLED, False, None)
