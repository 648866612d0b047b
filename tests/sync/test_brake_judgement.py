"""When to stop and ask: pure judgement over counts and stamps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.sync.base import PartKind, PartPair
from bridge.sync.brakes import BEHIND, SECOND, BrakeRule, Cause, Sight, alters, examine, recent
from bridge.sync.plan import CreateTicket, DeleteAttachment, LinkBack, Plan, UpdateFields
from bridge.sync.ticket import Side

HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def sight(number: int, *, seen: int | None = None, **given) -> Sight:
    """A ticket as it was known: created on day ``number``, changed an hour later, and still so."""
    stamp = number * DAY + HOUR if seen is None else seen
    known = {"there": True, "updated": stamp, "created": number * DAY, **given}
    return Sight(f"T-{number}", number, stamp, number * DAY, **known)


def gone(number: int, **given) -> Sight:
    return sight(number, there=False, updated=0, created=0, **given)


PEACE = [sight(number) for number in range(1, 21)]


@pytest.mark.parametrize(
    ("rule", "links", "most"),
    [
        (BrakeRule(), 10, 50),
        (BrakeRule(), 250, 75),
        (BrakeRule(share=0.1, least=1), 19, 1),
        (BrakeRule(share=1.0, least=1), 8, 8),
        (BrakeRule(share=None), 8, None),
    ],
)
def test_the_line_is_a_share_of_the_links_but_never_below_the_least(rule, links, most):
    assert rule.most(links) == most


def test_what_makes_something_new_changes_nothing_that_is_there():
    made = Plan(actions=(CreateTicket(Side.VENDOR, {}, {}, {}), LinkBack(Side.VENDOR)))
    assert not alters(made)
    assert alters(Plan(actions=(*made.actions, UpdateFields(Side.VENDOR, {"due": None}, {}))))
    pair = PartPair(1, PartKind.ATTACHMENT, Side.INTERNAL, "7", "8")
    assert alters(Plan(actions=(DeleteAttachment(Side.VENDOR, pair, "deleted"),)))


def test_changes_leave_the_window_one_by_one():
    assert recent({1: 0, 2: 5, 3: 9}, now=10, within=10) == {2: 5, 3: 9}


def test_a_side_at_peace_raises_no_alarm():
    assert examine([]) is None
    assert examine(PEACE) is None
    later = [replace(one, updated=one.updated + DAY) for one in PEACE]
    assert examine(later) is None, "changed by people meanwhile"


@pytest.mark.parametrize("visible", [0, 1, 2])
def test_a_side_is_empty_when_nearly_all_its_tickets_are_missing(visible):
    sights = PEACE[:visible] + [gone(number) for number in range(visible + 1, 21)]
    found = examine(sights)
    assert found is not None
    assert found.cause is Cause.EMPTY
    assert f"{20 - visible} of 20 linked tickets cannot be seen any more" in found.words


def test_a_few_tickets_say_nothing_of_their_side():
    assert examine([gone(number) for number in range(1, 5)]) is None


def test_tickets_that_were_deleted_here_and_there_are_no_alarm():
    sights = [gone(one.number) if one.number in {3, 8, 15, 20} else one for one in PEACE]
    assert examine(sights) is None


def test_one_ticket_that_went_back_is_enough_when_nothing_newer_contradicts():
    back = replace(PEACE[-1], updated=PEACE[-1].seen - HOUR)
    found = examine([*PEACE[:-1], back])
    assert found is not None
    assert found.cause is Cause.TRACKER
    assert "T-20 was changed 1970-01-21 01:00:00 UTC" in found.words
    assert "last changed 1970-01-21 00:00:00 UTC" in found.words


def test_a_ticket_that_was_changed_after_the_restore_does_not_hide_it():
    touched = replace(PEACE[-1], updated=PEACE[-1].seen + DAY)
    back = replace(PEACE[-2], updated=PEACE[-2].seen - HOUR)
    found = examine([*PEACE[:-2], back, touched])
    assert found is not None
    assert found.cause is Cause.TRACKER


def test_a_single_odd_stamp_below_a_newer_steady_ticket_is_no_restore():
    odd = replace(PEACE[4], updated=PEACE[4].seen - HOUR)
    assert examine([odd if one is PEACE[4] else one for one in PEACE]) is None


def test_whole_seconds_and_a_trailing_replica_are_no_restore():
    sights = [replace(one, updated=one.seen - BEHIND) for one in PEACE]
    assert examine(sights) is None


def test_an_id_under_which_another_ticket_is_found_is_a_restore_whatever_else_is_there():
    other = replace(PEACE[4], created=PEACE[4].created + 30 * DAY, updated=PEACE[4].seen + 30 * DAY)
    found = examine([other if one is PEACE[4] else one for one in PEACE])
    assert found is not None
    assert found.cause is Cause.TRACKER
    assert "T-5: another ticket than the one that was linked" in found.words


def test_where_nobody_knows_when_a_ticket_was_created_it_is_taken_for_the_same():
    unknown = replace(PEACE[4], born=0, created=40 * DAY)
    assert examine([unknown if one is PEACE[4] else one for one in PEACE]) is None


def test_the_youngest_tickets_gone_together_and_all_older_ones_there_are_a_restore():
    found = examine([*PEACE[:15], *(gone(number) for number in range(16, 21))])
    assert found is not None
    assert found.cause is Cause.TRACKER
    assert "the 5 youngest linked tickets are gone, T-16, T-17, T-18 and 2 more" in found.words


def test_young_tickets_that_were_deleted_in_a_busy_project_are_no_restore():
    busy = replace(PEACE[0], seen=30 * DAY, updated=30 * DAY)
    assert examine([busy, *PEACE[1:15], *(gone(number) for number in range(16, 21))]) is None
    assert examine([*PEACE[:18], gone(19), gone(20)]) is None, "two may be chance"
