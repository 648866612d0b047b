"""Policies and timelines as they are stored, and the fingerprint that is a policy's version."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date

import pytest

from bridge.errors import StoreError
from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import BallRule, ClockRule, Goal, Happening, Owner, Pause, Policy, Step, Trigger
from bridge.sla.serial import (
    policy_from_json,
    policy_to_json,
    timeline_from_json,
    timeline_to_json,
    version_of,
)
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.ticket import Side

OFFICE = CalendarRule(
    name="office",
    zone="Europe/Copenhagen",
    hours=(((480, 720), (750, 960)), (), (), (), (), (), ((0, 1440),)),
    holidays="DK",
    added=frozenset({date(2026, 12, 24), date(2026, 12, 27)}),
    removed=frozenset({date(2026, 5, 14)}),
)
TRIGGER = Trigger(Happening.FIELD, Side.VENDOR, "severity", frozenset({"High", "Low"}), "severity: High")
CLOCK = ClockRule(
    name="resolve",
    start=(TRIGGER,),
    stop=(TRIGGER, TRIGGER),
    cancel=(TRIGGER,),
    pause=(Pause(Owner.NOBODY, frozenset({"Waiting"}), held=True, words="held"),),
    goals=(Goal({"priority": frozenset({"P1", "P2"})}, 900_000_000, "office", "P1: 15m"),),
    reopen="resume",
    goal_change="keep",
    warn=(0.1, 0.85),
    owner=Side.INTERNAL,
)
STEP = Step(
    name="+2h",
    share=1.5,
    after=7_200_000_000,
    tell=("mediator", "service-owner"),
    clocks=frozenset({"resolve"}),
    comment=frozenset(Side),
    label="breached",
    priority="P1",
    webhook="chat",
    every=3_600_000_000,
    urgent=True,
)
BALL = BallRule(
    Owner.INTERNAL,
    frozenset({"Waiting"}),
    Side.VENDOR,
    {Side.VENDOR: False, Side.INTERNAL: True},
    "status: Waiting",
)
POLICY = Policy(
    version="abc",
    since=1_700_000_000_000_000,
    clocks=(CLOCK,),
    ladder=(STEP,),
    ball=(BALL,),
    resolved=frozenset({"Done", "Closed"}),
    calendars={"office": OFFICE},
    office={Side.INTERNAL: "office"},
)
ENTRY = Entry(
    at=1_700_000_000_000_001,
    side=Side.VENDOR,
    kind=EntryKind.FIELD,
    field="status",
    before="Åben",
    after="\ud83d",  # half of an emoji, as trackers do send them
    who="Bo",
    event="vendor:history/1",
    public=False,
    observed=True,
)
TIMELINE = Timeline(
    born=1_700_000_000_000_000,
    origin=Side.INTERNAL,
    start={"status": "Open", "v": ""},
    entries=(Entry(1_700_000_000_000_000, Side.INTERNAL, EntryKind.CREATED), ENTRY),
    certain_until=1_700_000_000_000_002,
    ended=1_700_000_000_000_003,
    shown={Side.VENDOR: {"status": "Open"}},
)
WHOLE = (POLICY, CLOCK, STEP, BALL, TRIGGER, OFFICE, CLOCK.pause[0], CLOCK.goals[0], ENTRY, TIMELINE)


def kinds(value: object) -> object:
    """The types that a value is made of, all the way down."""
    if is_dataclass(value):
        return type(value), [kinds(getattr(value, one.name)) for one in fields(value)]
    if isinstance(value, dict):
        return dict, sorted((key, str(type(key)), str(kinds(one))) for key, one in value.items())
    if isinstance(value, tuple):
        return tuple, [kinds(one) for one in value]
    if isinstance(value, frozenset):
        return frozenset, {type(one) for one in value}
    return type(value)


@pytest.mark.parametrize("value", WHOLE, ids=lambda value: type(value).__name__)
def test_the_examples_leave_nothing_out(value):
    for one in fields(value):
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        assert getattr(value, one.name) != default, f"{one.name} is as by default: give it another value here"


def test_a_policy_comes_back_as_it_was():
    back = policy_from_json(json.loads(json.dumps(policy_to_json(POLICY))))
    assert back == POLICY
    assert kinds(back) == kinds(POLICY)
    assert policy_from_json(policy_to_json(Policy())) == Policy()


def test_a_timeline_comes_back_as_it_was():
    back = timeline_from_json(json.loads(json.dumps(timeline_to_json(TIMELINE))))
    assert back == TIMELINE
    assert kinds(back) == kinds(TIMELINE)


def test_what_is_by_default_takes_no_room():
    assert timeline_to_json(Timeline(5, Side.VENDOR)) == {"v": 1, "born": 5, "origin": "vendor"}


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"v": 2, "born": 1, "origin": "vendor"},
        {"v": 1, "origin": "vendor"},
        {"v": 1, "born": 1, "origin": "nobody"},
        {"v": 1, "born": 1, "origin": "vendor", "entries": [{"at": 1, "side": "vendor", "kind": "sung"}]},
        {"v": 1, "born": 1, "origin": "vendor", "entries": [7]},
        {"v": 1, "born": 1, "origin": "vendor", "more": 1},
    ],
)
def test_what_is_damaged_or_of_another_version_is_refused(damage):
    with pytest.raises(StoreError, match="a stored timeline"):
        timeline_from_json(damage)


def test_a_version_is_what_a_policy_says_however_it_was_put_together():
    version = version_of(POLICY)
    assert len(version) == 64
    assert version_of(replace(POLICY, version="", since=0)) == version
    turned = replace(BALL, assigned=dict(reversed(BALL.assigned.items())))
    assert version_of(replace(POLICY, ball=(turned,))) == version
    assert version_of(policy_from_json(policy_to_json(POLICY))) == version


@pytest.mark.parametrize(
    "other",
    [
        replace(POLICY, resolved=frozenset({"Done"})),
        replace(POLICY, clocks=(replace(CLOCK, warn=(0.1, 0.86)),)),
        replace(POLICY, ladder=(replace(STEP, urgent=False),)),
        replace(POLICY, calendars={"office": replace(OFFICE, added=frozenset())}),
        replace(POLICY, office={Side.VENDOR: "office"}),
    ],
)
def test_another_agreement_is_another_version(other):
    assert version_of(other) != version_of(POLICY)
