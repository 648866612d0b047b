"""Calendars, clocks, ball, ladder, alerts and digest: what the files say becomes a policy and a pledge."""

# ruff: noqa: E501 - the files under test have long lines

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

TIME = """\
mail: {server: "smtp://localhost:25", from: bridge@example.com}
calendars:
  office: {zone: Europe/Copenhagen, holidays: DK, hours: {mon-thu: "08:00-12:00, 12:30-16:00", fri: "08:00-15:30"}, closed: [2026-12-24, 2026-12-27..2026-12-30], open: [2026-04-02]}
hooks: {chat: {url: "https://chat.example.com/in?room=7", secret: {secret: chat_secret}}}
heartbeat: {file: alive, url: https://hc.example.com/5f1, mail: ops@example.com}
"""

CLOCKS = """\
roles:
  service-owner: {side: internal, people: [ann@example.com], language: da, quiet: "20:00-07:00 Europe/Copenhagen"}
  delivery-manager: {side: vendor, people: [bo@acme.example], field: assignee}
  mediator: {side: internal, people: [board@example.com]}
office: {internal: office, vendor: always}
ball:
  - {status: [Resolved], comment: vendor, owner: internal}
  - {assigned: {vendor: false}, owner: vendor}
clocks:
  acknowledge: {start: created, stop: first-vendor-comment, goals: {P1: 15m, Low: 1h, default: 4h}, calendar: {P1: always, default: office}}
  resolve:
    start: created
    stop: resolved
    pause: {ball: internal}
    goals: {High: 4h, default: 5d}
    calendar: office
    owner: vendor
  update: {start: last-vendor-comment, stop: next-vendor-comment, goals: {P1: 1h}, calendar: always}
ladder:
  - {at: 50%, tell: delivery-manager}
  - {at: 100%, tell: [delivery-manager, service-owner], comment: true, label: breached, priority: P1, hook: chat}
  - {at: +2h, tell: mediator, until: acknowledged, every: 1h, urgent: true, clocks: [resolve]}
alerts: {most-per-hour: 7, gather: 2m}
digest: {to: [service-owner, delivery-manager], every: friday 16:30, goals: {resolve: 95%}}
clocks-from: 2026-11-01
"""


@pytest.fixture
def timed(folder):
    """The sound configuration with everything about time."""
    folder.replace(folder.bridge, "threads: 64\n", f"threads: 64\n{TIME}")
    folder.replace(folder.acme, "fields:\n", f"{CLOCKS}fields:\n")
    return folder


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
    owner = settings.agreements[0].role("service-owner")
    assert (owner.language, owner.quiet) == ("da", Quiet(1200, 420, "Europe/Copenhagen"))
    assert settings.hooks["chat"].url == "https://chat.example.com/in?room=7"
    assert "room" not in repr(settings)
    beat = settings.heartbeat
    assert (beat.file, beat.url, beat.mail, beat.every) == (
        str(timed.path / "alive"), "https://hc.example.com/5f1", "ops@example.com", 60.0,
    )  # fmt: skip
