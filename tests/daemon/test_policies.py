"""Which version of the clocks a ticket is measured by, whatever is written into the file later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from belfry import Belfry
from sla_making import HOUR, MINUTE, clock, goal, moment

from bridge.daemon.house import Terms
from bridge.daemon.policies import keep_policy, policy_for, versions

NOW = moment("2026-11-20 12:00")
FROM = moment("2026-11-01 00:00")


@pytest.fixture
def belfry(tmp_path):
    made = Belfry(tmp_path)
    yield made
    made.kill()


def becomes(belfry, hours: int, at: int, since: int | None = None) -> None:
    """The file says another goal from a moment on, and perhaps since when it holds."""
    rules = replace(belfry.rules, clocks=(clock(goals=[goal(hours * HOUR)]),), since=since or 0)
    terms = Terms(replace(belfry.settings, policies={"acme": rules}), {})
    with belfry.store.write() as tx:
        keep_policy(tx, terms, "acme", at)


def goal_of(belfry, born: int) -> float:
    with belfry.store.read() as tx:
        found = policy_for(versions(tx, "acme"), born)
    return found.clocks[0].goals[0].budget / HOUR


def test_an_edit_below_a_date_that_was_there_before_holds_from_the_edit_on(belfry):
    """A date that stayed in the file made every later edit change the verdicts of all tickets since that day."""
    becomes(belfry, 4, NOW, FROM)
    becomes(belfry, 2, NOW + HOUR, FROM)
    assert [goal_of(belfry, at) for at in (FROM - 1, FROM, NOW + MINUTE, NOW + HOUR)] == [1, 4, 4, 2]


def test_an_edit_below_a_date_that_is_still_to_come_does_not_hold_sooner(belfry):
    later = NOW + 9 * HOUR
    becomes(belfry, 4, NOW, later)
    becomes(belfry, 2, NOW + HOUR, later)
    assert [goal_of(belfry, at) for at in (NOW + 2 * HOUR, later - 1, later)] == [1, 1, 2]


def test_a_date_in_the_past_holds_for_all_that_is_born_since(belfry):
    """Tickets of today kept the version before, for that one began later than the date in the file."""
    becomes(belfry, 4, NOW)
    becomes(belfry, 2, NOW + HOUR, FROM)
    assert [goal_of(belfry, at) for at in (FROM - 1, FROM, NOW + MINUTE, NOW + 2 * HOUR)] == [1, 2, 2, 2]
