"""Time spent: whose crosses, what follows, what is taken back, what stays deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, doc, link, ticket

from bridge.markup import plain
from bridge.sync.agreement import WorklogRule
from bridge.sync.base import Base, PairState
from bridge.sync.decide import decide
from bridge.sync.echo import is_echo, part_keys, parts_digest
from bridge.sync.plan import AddWorklog, DeleteWorklog, EditWorklog
from bridge.sync.ticket import Side, Worklog
from bridge.sync.worklogs import worklog_key

MINUTE = 60
TERMS = replace(agreement(), worklogs=WorklogRule(frozenset(Side), "{author} of {company}"))


def spent(number, minutes=30, words="done", **more):
    return Worklog(number, ANN, 1_000_000, minutes * MINUTE, doc(words), 2_000_000, **more)


def view(internal=(), vendor=(), parts=(), *, complete=True):
    sides = (
        replace(ticket(side, {}), worklogs=tuple(logs), worklogs_complete=complete)
        for side, logs in ((Side.INTERNAL, internal), (Side.VENDOR, vendor))
    )
    return replace(link(*sides), parts=tuple(parts))


def carried(one):
    """The pair of a worklog that was just carried over, as the planner made it."""
    (action,) = decide(TERMS, view([one])).actions
    assert isinstance(action, AddWorklog)
    return replace(action.pair, id=3, copy_id="c1"), replace(one, id="c1", author=BO, body=action.body)


def test_time_crosses_under_its_authors_name_and_rests_on_a_strong_read_of_their_side():
    plan = decide(TERMS, view([spent("1")]))
    (action,) = plan.actions
    assert isinstance(action, AddWorklog)
    assert (action.side, action.started, action.seconds) == (Side.VENDOR, 1_000_000, 1_800)
    assert plain(action.body).split("\n")[0] == "Ann of Home"
    assert plan.rests_on(Side.INTERNAL)
    assert not plan.rests_on(Side.VENDOR)


@pytest.mark.parametrize(
    ("rule", "private"),
    [(WorklogRule(), False), (WorklogRule(frozenset({Side.VENDOR})), False), (TERMS.worklogs, True)],
)
def test_what_may_not_cross_stays(rule, private):
    plan = decide(replace(TERMS, worklogs=rule), view([spent("1", private=private)]))
    assert (plan.actions, plan.findings) == ((), ())


def test_a_copy_is_no_original_and_what_is_agreed_is_quiet():
    pair, copy = carried(spent("1"))
    plan = decide(TERMS, view([spent("1")], [copy], [pair]))
    assert (plan.actions, plan.parts, plan.findings) == ((), (), ())


@pytest.mark.parametrize("other", [spent("1", minutes=45), spent("1", words="half done")])
def test_the_copy_follows_its_original(other):
    pair, copy = carried(spent("1"))
    (action,) = decide(TERMS, view([other], [copy], [pair])).actions
    assert isinstance(action, EditWorklog)
    assert (action.why, action.seconds) == ("changed", other.seconds)
    renewed = replace(copy, seconds=other.seconds, body=action.body)
    assert decide(TERMS, view([other], [renewed], [action.pair])).actions == ()


def test_a_copy_whose_time_others_change_is_put_back():
    pair, copy = carried(spent("1"))
    (action,) = decide(TERMS, view([spent("1")], [replace(copy, seconds=9 * MINUTE)], [pair])).actions
    assert isinstance(action, EditWorklog)
    assert (action.why, action.seconds) == ("restored", 1_800)


def test_seconds_that_a_tracker_drops_are_nobodys_change():
    odd = replace(spent("1"), seconds=95)
    pair, copy = carried(odd)
    assert decide(TERMS, view([odd], [replace(copy, seconds=60)], [pair])).actions == ()
    short = replace(spent("1"), seconds=20)
    pair, copy = carried(short)
    assert decide(TERMS, view([short], [replace(copy, seconds=60)], [pair])).actions == ()


@pytest.mark.parametrize(("internal", "why"), [((), "deleted"), ((spent("1", private=True),), "private")])
def test_a_copy_is_taken_back_with_its_original_or_when_that_becomes_private(internal, why):
    pair, copy = carried(spent("1"))
    plan = decide(TERMS, view(internal, [copy], [pair]))
    assert plan.actions == (DeleteWorklog(Side.VENDOR, pair, copy, why),)
    assert plan.destroys
    gone = decide(TERMS, view(internal, [], [pair]))
    assert [part.state for part in gone.parts] == [PairState.ORIGIN_DELETED]
    again = replace(pair, state=PairState.ORIGIN_DELETED)
    (action,) = decide(TERMS, view([spent("1")], [], [again])).actions
    assert isinstance(action, AddWorklog)
    assert action.pair.id == 3


def test_half_an_answer_proves_no_deletion():
    pair, copy = carried(spent("1"))
    assert decide(TERMS, view([], [copy], [pair], complete=False)).actions == ()


def test_a_copy_that_others_delete_stays_deleted():
    pair, _ = carried(spent("1"))
    plan = decide(TERMS, view([spent("1")], [], [pair]))
    assert plan.actions == ()
    assert [part.state for part in plan.parts] == [PairState.COPY_DELETED]
    assert [finding.kind for finding in plan.findings] == ["copy-deleted"]
    assert decide(TERMS, view([spent("1", minutes=5)], [], plan.parts)).actions == ()


def test_an_echo_shows_the_time_that_is_known():
    seen = replace(ticket(Side.VENDOR, {}), worklogs=(spent("1"),), worklogs_complete=True)
    base = Base(parts=parts_digest(frozenset({worklog_key(spent("1"))})))
    assert part_keys(TERMS, Side.VENDOR, seen) == {worklog_key(spent("1"))}
    assert is_echo(TERMS, Side.VENDOR, seen, base, ())
    for other in (spent("1", minutes=31), spent("1", words="x"), spent("1", private=True)):
        assert not is_echo(TERMS, Side.VENDOR, replace(seen, worklogs=(other,)), base, ())
    assert not is_echo(TERMS, Side.VENDOR, replace(seen, worklogs_complete=False), base, ())
