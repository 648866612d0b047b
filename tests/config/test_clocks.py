"""Calendars, clocks, ball, ladder, alerts and digest: what the files say becomes a policy and a pledge."""

from __future__ import annotations

import datetime as dt

import pytest

from bridge.clock import SECOND
from bridge.config import Settings
from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import BallRule, Goal, Happening, Owner, Pause, Policy, Step, Trigger
from bridge.sync.roles import Quiet
from bridge.sync.ticket import Side

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND


def policy(settings: Settings) -> Policy:
    return settings.policies["acme"]


def test_a_calendar_becomes_hours_closures_and_worked_holidays(timed):
    rule = timed.load().calendars["office"]
    monday, friday = ((480, 720), (750, 960)), ((480, 930),)
    assert rule.hours == (monday, monday, monday, monday, friday, (), ())
    assert (rule.name, rule.zone, rule.holidays) == ("office", "Europe/Copenhagen", "DK")
    days = [dt.date(2026, 12, day) for day in (24, 27, 28, 29, 30)]
    assert rule.added == frozenset(days)
    assert rule.removed == frozenset({dt.date(2026, 4, 2)})


def test_always_is_there_without_being_written(folder):
    settings = folder.load()
    assert settings.calendars == {"always": CalendarRule("always", "UTC", (((0, 1440),),) * 7)}
    assert (settings.hooks, settings.heartbeat) == ({}, None)
    assert policy(settings).clocks == ()
    assert policy(settings).resolved == {"Resolved", "Closed"}
    assert settings.pledges["acme"].digest is None


def test_goals_are_in_the_internal_words_and_days_are_those_of_the_calendar(timed):
    acknowledge, resolve, update = policy(timed.load()).clocks
    assert acknowledge.goals == (
        Goal({"priority": frozenset({"High"})}, 15 * MINUTE, "always", "P1: 15m"),
        Goal({"priority": frozenset({"Low"})}, HOUR, "office", "Low: 1h"),
        Goal({}, 4 * HOUR, "office", "default: 4h"),
    )
    assert [goal.budget for goal in resolve.goals] == [4 * HOUR, (4 * 450 + 450) * MINUTE]
    assert [(goal.budget, goal.calendar) for goal in update.goals] == [(HOUR, "always")]


def test_triggers_pauses_and_what_cancels(timed):
    acknowledge, resolve, update = policy(timed.load()).clocks
    comment = (Trigger(Happening.COMMENT, Side.VENDOR, words="first-vendor-comment"),)
    assert acknowledge.start == (Trigger(Happening.CREATED, words="created"),)
    assert acknowledge.stop == comment
    assert [one.what for one in acknowledge.cancel] == [Happening.RESOLVED]
    assert resolve.cancel == ()
    assert resolve.pause == (Pause(Owner.INTERNAL, words="ball: internal"),)
    assert (resolve.owner, resolve.warn, resolve.reopen, resolve.goal_change) == (
        Side.VENDOR,
        (0.8,),
        "new",
        "whole",
    )
    assert [one.what for one in update.cancel] == [Happening.RESOLVED]


def test_the_ball(timed):
    assert policy(timed.load()).ball == (
        BallRule(
            Owner.INTERNAL,
            frozenset({"Resolved"}),
            Side.VENDOR,
            words="status Resolved, last comment by vendor",
        ),
        BallRule(Owner.VENDOR, assigned={Side.VENDOR: False}, words="nobody assigned on the vendor side"),
    )


def test_the_ladder(timed):
    first, second, third = policy(timed.load()).ladder
    assert first == Step("50%", 0.5, None, ("delivery-manager",))
    assert (second.share, second.tell, second.comment) == (
        1.0,
        ("delivery-manager", "service-owner"),
        {*Side},
    )
    assert (second.label, second.priority, second.webhook) == ("breached", "High", "chat")
    assert (third.name, third.share, third.after, third.every) == ("+2h", None, 2 * HOUR, HOUR)
    assert third.urgent
    assert third.clocks == {"resolve"}


def test_the_rest(timed):
    settings = timed.load()
    assert {*policy(settings).calendars} == {"office", "always"}
    assert policy(settings).office == {Side.INTERNAL: "office", Side.VENDOR: "always"}
    since = int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp()) * SECOND
    pledge = settings.pledges["acme"]
    assert policy(settings).since == pledge.clocks_from == since
    assert (pledge.most_per_hour, pledge.gather) == (7, 120.0)
    assert (pledge.digest.to, pledge.digest.weekday, pledge.digest.minute) == (
        ("service-owner", "delivery-manager"),
        4,
        990,
    )
    assert (pledge.digest.zone, pledge.digest.goals) == ("Europe/Copenhagen", {"resolve": 0.95})
    assert settings.hooks["chat"].url == "https://chat.example.com/in?room=7"
    assert "room" not in repr(settings)
    beat = settings.heartbeat
    assert (beat.file, beat.url, beat.mail, beat.every) == (
        str(timed.path / "alive"), "https://hc.example.com/5f1", "ops@example.com", 60.0,
    )  # fmt: skip


def changed(folder, old, new):
    folder.replace(folder.acme if old in folder.acme.read_text() else folder.bridge, old, new)
    return folder.load()


RESOLVE = """\
  resolve:
    start: created
    stop: resolved
    pause: {ball: internal}
    goals: {High: 4h, default: 5d}
    calendar: office
    owner: vendor
"""


def resolve(folder, text):
    """The clock ``resolve``, rewritten."""
    settings = changed(folder, RESOLVE, f"  resolve: {{{text}}}\n")
    return next(clock for clock in policy(settings).clocks if clock.name == "resolve")


def test_hours_that_touch_are_one_span_and_weeks_wrap(timed):
    hours = '{mon-thu: "08:00-12:00, 12:30-16:00", fri: "08:00-15:30"}'
    rule = changed(timed, hours, '{sat-mon: "12:00-24:00, 0:00-12:00", "wed, thu": "9:05-10:00"}').calendars
    day, morning = ((0, 1440),), ((545, 600),)
    assert rule["office"].hours == (day, (), morning, morning, (), day, day)


def test_holidays_of_a_part_of_a_country(timed):
    assert changed(timed, "holidays: DK", "holidays: DE-BY").calendars["office"].holidays == "DE-BY"


def test_goals_in_a_list_fit_any_field_that_crosses(timed):
    clock = resolve(
        timed,
        "start: created, stop: resolved, calendar: office, goals: "
        "[{when: {type: [Bug, Fault], priority: P1}, goal: 1d, calendar: always}, {goal: 1w2h}]",
    )
    assert clock.goals == (
        Goal(
            {"type": frozenset({"Bug"}), "priority": frozenset({"High"})},
            24 * HOUR,
            "always",
            "Bug or Fault, P1: 1d",
        ),
        Goal({}, 2_250 * MINUTE + 2 * HOUR, "office", "default: 1w2h"),
    )


def test_a_priority_with_a_calendar_of_its_own_has_the_default_goal(timed):
    clock = resolve(
        timed, "start: created, stop: resolved, goals: 1d, calendar: {P1: always, default: office}"
    )
    assert [(goal.when, goal.budget, goal.calendar) for goal in clock.goals] == [
        ({"priority": frozenset({"High"})}, 24 * HOUR, "always"),
        ({}, 450 * MINUTE, "office"),
    ]


@pytest.mark.parametrize(
    ("word", "what", "side"),
    [
        ("resolved", Happening.RESOLVED, None),
        ("reopened", Happening.REOPENED, None),
        ("comment", Happening.COMMENT, None),
        ("next-internal-comment", Happening.COMMENT, Side.INTERNAL),
        ("last-comment", Happening.COMMENT, None),
        ("acknowledged", Happening.ACKNOWLEDGED, None),
        ("vendor-acknowledged", Happening.ACKNOWLEDGED, Side.VENDOR),
    ],
)
def test_words_that_stop_a_clock(timed, word, what, side):
    clock = resolve(timed, f"start: created, stop: [{word}, vendor-owner], goals: 4h, owner: vendor")
    assert clock.stop == (
        Trigger(what, side, words=word),
        Trigger(Happening.OWNED, Side.VENDOR, "assignee", words="vendor-owner"),
    )


def test_changes_that_start_and_stop_a_clock(timed):
    clock = resolve(
        timed,
        "start: {field: severity, becomes: Worse, by: internal}, stop: [{status: Done}, {field: priority}], "
        "goals: 4h, cancel: none, warn: off",
    )
    assert clock.start == (
        Trigger(
            Happening.FIELD,
            Side.INTERNAL,
            "severity",
            frozenset({"Bad"}),
            "severity becomes Worse by the internal side",
        ),
    )
    assert [(one.field, one.values) for one in clock.stop] == [
        ("status", {"Resolved", "Closed"}),
        ("priority", frozenset()),
    ]
    assert (clock.cancel, clock.warn) == ((), ())


def test_who_is_accountable_is_read_from_the_field_of_that_sides_role(timed):
    timed.replace(
        timed.acme, "    mail: [desk@acme.example]\n", "    mail: [desk@acme.example]\n    field: lead\n"
    )
    timed.replace(timed.acme, "  severity:\n", "  lead: {field: Lead}\n  severity:\n")
    clock = resolve(timed, "start: created, stop: vendor-owner, goals: 4h")
    assert clock.stop[0].field == "lead"


def test_a_value_that_stays_on_its_own_side_may_be_named_but_not_misspelt(timed):
    timed.replace(
        timed.acme,
        "    values: {Open: To Do, Resolved: Done, Closed: Done}\n",
        "    values: {Open: To Do, Resolved: Done, Closed: Done}\n    otherwise: keep\n",
    )
    timed.replace(timed.acme, "{status: [Resolved], comment: vendor,", "{status: [Waiting, Resolvd],")
    (problem,) = timed.problems()
    assert (problem.path, problem.fix) == ("ball[0].status[1]", "did you mean 'Resolved'?")


def test_without_a_map_of_statuses_the_usual_ones_are_resolved(timed):
    text = timed.acme.read_text()
    start, end = text.index("  status:\n"), text.index("  labels:")
    timed.acme.write_text(f"{text[:start]}  status: {{}}\n{text[end:]}")
    assert {"Resolved", "Closed", "Done", "Cancelled", "Rejected"} <= policy(timed.load()).resolved


def test_steps_at_one_point_are_told_apart_by_their_clocks(timed):
    steps = "  - {at: +2h, label: late, clocks: update}\n  - {at: +2h, tell: service-owner, until"
    settings = changed(timed, "  - {at: +2h, tell: service-owner, until", steps)
    assert [step.name for step in policy(settings).ladder] == ["50%", "100%", "+2h update", "+2h resolve"]


def test_quiet_hours_and_language_of_a_role(timed):
    settings = changed(
        timed,
        "    mail: [desk@acme.example]\n",
        '    mail: [desk@acme.example]\n    language: da\n    quiet: "20:00-07:00 Europe/Copenhagen"\n',
    )
    role = settings.agreements[0].role("delivery-manager")
    assert (role.language, role.quiet) == ("da", Quiet(1200, 420, "Europe/Copenhagen"))
    other = settings.agreements[0].role("service-owner")
    assert (other.language, other.quiet) == ("en", None)


def test_whatever_is_said_of_time_makes_another_version_but_not_when_it_begins(timed):
    first = policy(timed.load()).version
    assert len(first) == 64
    assert policy(changed(timed, "clocks-from: 2026-11-01", "clocks-from: 2026-12-01")).version == first
    assert policy(changed(timed, "2026-12-27..2026-12-30", "2026-12-27..2026-12-31")).version != first


def test_signatures_of_outgoing_webhooks_need_a_long_secret(timed):
    environ = {f"BRIDGE_SECRET_{name}": "x" * 32 for name in ("HOME_TOKEN", "ACME_TOKEN", "SHOP_KEY")}
    settings = timed.load(secrets=True, environ=environ | {"BRIDGE_SECRET_CHAT_SECRET": "y" * 16})
    assert settings.hooks["chat"].secret.get_secret_value() == "y" * 16
    (problem,) = timed.problems(secrets=True, environ=environ | {"BRIDGE_SECRET_CHAT_SECRET": "y" * 15})
    assert problem.path == "hooks.chat.secret.secret"
    assert "too short" in problem.message


def test_a_pasted_secret_of_a_hook_is_not_repeated(timed):
    timed.replace(timed.bridge, "{secret: chat_secret}", "hunter2hunter2hunter2")
    timed.replace(timed.bridge, "https://hc.example.com/5f1", "http://hc.example.com/hunter2")
    problems = timed.problems()
    assert [problem.path for problem in problems] == ["hooks.chat.secret", "heartbeat.url"]
    assert not any("hunter2" in str(problem) for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("urgent: true", "urgent: [true]", "ladder[2].urgent"),
        ("urgent: true", "urgent: {a: b}", "ladder[2].urgent"),
        ("comment: true", "comment: [internal, vendor]", "ladder[1].comment"),
    ],
)
def test_lists_and_mappings_are_refused_where_one_word_stands(timed, old, new, path):
    timed.replace(timed.acme, old, new)
    (problem,) = timed.problems()
    assert (problem.path, problem.message) == (path, "must be one word")
    assert problem.fix
