"""Holds: what waits, what goes on meanwhile, what a decision covers, and when undoing stops."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, link, ticket

from bridge.sync.agreement import Agreement, FieldRule, Rule
from bridge.sync.base import CommentPair, PairState
from bridge.sync.decide import decide
from bridge.sync.holding import Hold, HoldKind, HoldState, decode_hold
from bridge.sync.holdnotes import HOLDS
from bridge.sync.plan import LinkView, Plan, SetStatus, UpdateFields, WriteNote
from bridge.sync.roles import Grant, HoldRule, Role, Unentitled
from bridge.sync.ticket import FieldChange, Person, Side

DAY = 86_400_000_000
ROLES = (
    Role("service-owner", Side.INTERNAL, people=("ann@home.example",)),
    Role("delivery-manager", Side.VENDOR, people=("bo@acme.example",)),
    Role("mediator", Side.INTERNAL, people=("board@home.example",)),
)
PRIORITY = FieldRule(
    "priority", Rule.OWNER, Side.INTERNAL, values=(("High", "P1"), ("Medium", "P2"), ("Low", "P3"))
)
SUMMARY = FieldRule("summary")
LABELS = FieldRule("labels", Rule.MERGE, may={Side.VENDOR: (Grant("seen"),)})
HISTORY = {
    Side.INTERNAL: (FieldChange("i1", 70, ANN, "priority", "", ""),),
    Side.VENDOR: (
        FieldChange("v1", 80, BO, "priority", "P2", "P1"),
        FieldChange("v2", 81, BO, "labels", "", ""),
    ),
}


def terms(*rules: FieldRule, roles=ROLES, **holds) -> Agreement:
    approvers = {Side.INTERNAL: "service-owner", Side.VENDOR: "delivery-manager"} if roles else {}
    rule = HoldRule(approvers, "mediator" if roles else "", **holds)
    return replace(agreement(*(rules or (PRIORITY, SUMMARY))), roles=roles, holds=rule)


def seen(ours, theirs, bases=("Medium", "P2"), *, field="priority", **more) -> LinkView:
    """A link of which one field moved, and in which the vendor has a new summary."""
    more = {"histories": HISTORY, "now": 1_000, **more}
    return link(
        ticket(Side.INTERNAL, {field: ours, "summary": "a"}),
        ticket(Side.VENDOR, {field: theirs, "summary": "b"}),
        bases=({field: bases[0], "summary": "a"}, {field: bases[1], "summary": "a"}),
        **more,
    )


def writes(plan: Plan) -> dict[Side, dict]:
    return {one.side: dict(one.values) for one in plan.actions if isinstance(one, UpdateFields)}


def only(plan: Plan) -> Hold:
    (hold,) = plan.holds
    return hold


def stored(plan: Plan, **changes) -> tuple[Hold, ...]:
    """A plan's hold as the store gives it back."""
    hold = replace(only(plan), id=7, **changes)
    return (
        decode_hold(
            hold.id, hold.field, hold.side, hold.kind, hold.state, hold.since, hold.closed_at, hold.detail()
        ),
    )


def test_a_change_that_its_author_may_not_make_waits_and_the_others_go_on() -> None:
    plan = decide(terms(), seen("Medium", "P1"))
    hold = only(plan)
    assert (hold.id, hold.field, hold.side, hold.kind, hold.state) == (
        0, "priority", Side.VENDOR, HoldKind.UNENTITLED, HoldState.OPEN,
    )  # fmt: skip
    assert (hold.before, hold.value, hold.other) == ("P2", "P1", "Medium")
    assert (hold.actor, hold.event, hold.since, hold.approver) == (BO, "v1", 80, "service-owner")
    assert writes(plan) == {Side.INTERNAL: {"summary": "b"}}
    assert "priority" not in plan.settled
    (finding,) = plan.findings
    assert (finding.kind, finding.field, finding.side) == ("held", "priority", Side.VENDOR)
    assert "P2 -> P1" in finding.message
    assert "Bo" not in finding.message
    assert plan.deferred


def test_without_its_history_a_change_waits_all_the_same_and_the_history_is_asked_for() -> None:
    plan = decide(terms(), seen("Medium", "P1", histories={}))
    assert plan.asks == {Side.VENDOR}
    assert writes(plan) == {Side.INTERNAL: {"summary": "b"}}


def test_a_hold_that_is_known_asks_nothing_more() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    again = decide(terms(), seen("Medium", "P1", holds=stored(first), histories={}))
    assert again.holds == ()
    assert again.asks == {Side.VENDOR}, "for the summary alone"
    assert [one.kind for one in again.findings] == ["held"]


def test_a_further_change_of_the_same_kind_renews_the_hold() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    plan = decide(terms(), seen("Medium", "P3", holds=stored(first, state=HoldState.APPROVED)))
    hold = only(plan)
    assert (hold.id, hold.state, hold.value, hold.decided_by) == (7, HoldState.OPEN, "P3", "")
    assert Side.VENDOR not in writes(plan)


def test_what_was_approved_crosses_under_the_approvers_name() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    holds = stored(first, state=HoldState.APPROVED, decided_by="ann@home.example")
    plan = decide(terms(), seen("Medium", "P1", holds=holds))
    assert writes(plan) == {Side.INTERNAL: {"priority": "High", "summary": "b"}}
    (update,) = [one for one in plan.actions if isinstance(one, UpdateFields)]
    decision = next(one for one in update.decisions if one.field == "priority")
    assert (decision.why, decision.by, decision.who, decision.event) == (
        "approved",
        "ann@home.example",
        BO,
        "v1",
    )
    assert decision.as_json()["by"] == "ann@home.example"
    hold = only(plan)
    assert hold.state is HoldState.CROSSED
    assert hold.state.owed, "it is over only once the write is"


def test_what_was_rejected_is_put_back() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    holds = stored(first, state=HoldState.REJECTED, reason="not now")
    plan = decide(terms(), seen("Medium", "P1", holds=holds))
    assert writes(plan) == {Side.VENDOR: {"priority": "P2"}, Side.INTERNAL: {"summary": "b"}}
    decisions = [one for act in plan.actions if isinstance(act, UpdateFields) for one in act.decisions]
    assert [(one.why, one.loser) for one in decisions if one.field == "priority"] == [
        ("rejected", (Side.VENDOR, "P1"))
    ]
    assert only(plan).state is HoldState.RESTORED


def test_the_owners_later_change_overtakes_the_hold_whatever_was_decided() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    for state in (HoldState.OPEN, HoldState.APPROVED, HoldState.REJECTED):
        plan = decide(terms(), seen("Low", "P1", holds=stored(first, state=state)))
        assert writes(plan)[Side.VENDOR] == {"priority": "P3"}
        assert only(plan).state is HoldState.OVERTAKEN
        loser = [one.loser for act in plan.actions if isinstance(act, UpdateFields) for one in act.decisions]
        assert (Side.VENDOR, "P1") in loser, "what was held is kept in the journal"


def test_the_same_value_set_by_somebody_who_may_is_not_what_was_rejected() -> None:
    rule = replace(
        PRIORITY, rule=Rule.NEWEST, owner=None, may={Side.VENDOR: (Grant(by=("delivery-manager",)),)}
    )
    cy = Person("v2", "Cy", ("cy@acme.example",))
    before = {Side.VENDOR: (FieldChange("v1", 80, cy, "priority", "P2", "P1"),)}
    since = {Side.VENDOR: (*before[Side.VENDOR], FieldChange("v3", 90, BO, "priority", "P2", "P1"))}
    first = decide(terms(rule, SUMMARY), seen("Medium", "P1", histories=before))
    for state in (HoldState.OPEN, HoldState.REJECTED):
        holds = stored(first, state=state)
        asked = decide(terms(rule, SUMMARY), seen("Medium", "P1", holds=holds, histories={}))
        assert (asked.asks, asked.holds) == ({Side.VENDOR}, ())
        assert Side.VENDOR not in writes(asked)
        plan = decide(terms(rule, SUMMARY), seen("Medium", "P1", holds=holds, histories=since))
        assert writes(plan)[Side.INTERNAL]["priority"] == "High"
        assert only(plan).state is HoldState.OVERTAKEN
    back = decide(terms(rule, SUMMARY), seen("Medium", "P1", holds=holds, histories=before))
    assert writes(back)[Side.VENDOR] == {"priority": "P2"}


def test_a_change_taken_back_by_its_author_ends_the_hold() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    plan = decide(terms(), seen("Medium", "P2", holds=stored(first)))
    assert only(plan).state is HoldState.WITHDRAWN
    adopted = decide(terms(), seen("High", "P1", holds=stored(first)))
    assert only(adopted).state is HoldState.WITHDRAWN
    assert adopted.settled["priority"] == ("High", "P1")


def test_a_decided_hold_whose_write_was_never_noted_is_over_once_both_agree() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    for state, values, end in (
        (HoldState.APPROVED, ("High", "P1"), HoldState.CROSSED),
        (HoldState.REJECTED, ("Medium", "P2"), HoldState.RESTORED),
    ):
        assert only(decide(terms(), seen(*values, holds=stored(first, state=state)))).state is end


def test_an_agreement_that_asks_no_more_lets_it_cross() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    open_to_all = terms(replace(PRIORITY, rule=Rule.NEWEST, owner=None), SUMMARY)
    plan = decide(open_to_all, seen("Medium", "P1", holds=stored(first)))
    assert writes(plan)[Side.INTERNAL]["priority"] == "High"
    assert only(plan).state is HoldState.OVERTAKEN


def test_flagged_it_crosses_and_is_marked() -> None:
    flag = terms(replace(PRIORITY, unentitled=Unentitled.FLAG))
    plan = decide(flag, seen("Medium", "P1"))
    (update,) = [one for one in plan.actions if isinstance(one, UpdateFields)]
    (decision,) = update.decisions
    assert (update.side, decision.after, decision.flagged, decision.who) == (Side.INTERNAL, "High", True, BO)
    assert plan.holds == ()
    assert writes(decide(flag, seen("Low", "P1")))[Side.VENDOR] == {"priority": "P3"}


def revert(rounds: int = 0, **more) -> tuple[Plan, tuple[Hold, ...]]:
    """A change that is undone, after so many rounds of the same."""
    rule = terms(replace(PRIORITY, unentitled=Unentitled.REVERT))
    holds: tuple[Hold, ...] = ()
    plan = decide(rule, seen("Medium", "P1"))
    for _ in range(rounds):
        holds = stored(plan)
        plan = decide(rule, seen("Medium", "P1", holds=holds, **more))
    return plan, holds


def test_undone_twice_and_then_left_to_people() -> None:
    first, _ = revert()
    assert writes(first)[Side.VENDOR] == {"priority": "P2"}
    assert (only(first).state, only(first).rounds) == (HoldState.REVERTED, 1)
    second, _ = revert(1)
    assert writes(second)[Side.VENDOR] == {"priority": "P2"}
    assert only(second).rounds == 2
    third, _ = revert(2)
    assert Side.VENDOR not in writes(third)
    hold = only(third)
    assert (hold.state, hold.kind, hold.rounds) == (HoldState.OPEN, HoldKind.PING_PONG, 2)
    assert "put back 2 times" in third.findings[0].message
    fourth, _ = revert(3)
    assert Side.VENDOR not in writes(fourth)
    assert fourth.holds == ()


def test_an_automation_that_insists_on_other_values_is_left_alone_as_well() -> None:
    _, holds = revert(3)
    plan = decide(terms(replace(PRIORITY, unentitled=Unentitled.REVERT)), seen("Medium", "P3", holds=holds))
    assert Side.VENDOR not in writes(plan)
    assert (only(plan).kind, only(plan).value) == (HoldKind.PING_PONG, "P3")


def test_somebody_who_tries_again_another_day_is_no_machine() -> None:
    later, _ = revert(2, now=3 * DAY)
    assert writes(later)[Side.VENDOR] == {"priority": "P2"}
    assert only(later).rounds == 1


def test_the_owners_new_value_begins_the_count_anew() -> None:
    _, holds = revert(2)
    rule = terms(replace(PRIORITY, unentitled=Unentitled.REVERT))
    plan = decide(rule, seen("Low", "P1", bases=("Low", "P3"), holds=holds))
    assert (writes(plan)[Side.VENDOR], only(plan).rounds) == ({"priority": "P3"}, 1)


def test_an_agreement_without_roles_undoes_as_it_always_did() -> None:
    plan = decide(terms(roles=()), seen("Medium", "P1"))
    decisions = [one for act in plan.actions if isinstance(act, UpdateFields) for one in act.decisions]
    assert [(one.why, one.loser) for one in decisions if one.field == "priority"] == [
        ("owner", (Side.VENDOR, "P1"))
    ]
    told = decide(terms(roles=()), seen("Medium", "P2", holds=stored(plan)))
    assert not any(isinstance(act, WriteNote) for act in told.actions)


def test_of_a_set_only_what_is_held_waits() -> None:
    base = frozenset({"own"})
    view = seen(base | {"new"}, base | {"seen", "sev-1"}, bases=(base, base), field="labels")
    plan = decide(terms(LABELS), view)
    assert writes(plan) == {Side.VENDOR: {"labels": base | {"seen", "sev-1", "new"}}}
    assert only(plan).value == base | {"seen", "sev-1"}
    (update,) = [one for one in plan.actions if isinstance(one, UpdateFields)]
    assert update.settles["labels"] == (base | {"new"}, base | {"new"}), "what is held stays a change"
    settled = seen(
        base | {"new"}, base | {"seen", "sev-1", "new"}, bases=(base | {"new"},) * 2, field="labels"
    )
    after = decide(terms(LABELS), replace(settled, holds=stored(plan)))
    assert after.holds == ()
    assert writes(after) == {}
    approved = decide(terms(LABELS), replace(settled, holds=stored(plan, state=HoldState.APPROVED)))
    assert writes(approved) == {Side.INTERNAL: {"labels": base | {"seen", "sev-1", "new"}}}
    rejected = decide(terms(LABELS), replace(settled, holds=stored(plan, state=HoldState.REJECTED)))
    assert writes(rejected) == {Side.VENDOR: {"labels": base | {"new"}}}


@pytest.mark.parametrize("winner", list(Side))
def test_a_conflict_is_decided_between_the_sides(winner: Side) -> None:
    rule = replace(PRIORITY, rule=Rule.HOLD, owner=None)
    plan = decide(terms(rule), seen("Low", "P1"))
    hold = only(plan)
    assert (hold.kind, hold.side, hold.value, hold.other, hold.approver) == (
        HoldKind.CONFLICT, Side.VENDOR, "P1", "Low", "mediator",
    )  # fmt: skip
    known = decide(terms(rule), seen("Low", "P1", holds=stored(plan)))
    assert known.holds == ()
    assert [one.kind for one in known.findings] == ["held"]
    decided = decide(
        terms(rule), seen("Low", "P1", holds=stored(plan, state=HoldState.APPROVED, winner=winner))
    )
    expected = (
        {Side.VENDOR: {"priority": "P3"}}
        if winner is Side.INTERNAL
        else {Side.INTERNAL: {"priority": "High"}}
    )
    assert writes(decided) == expected
    assert only(decided).state is HoldState.CROSSED
    moved = decide(
        terms(rule),
        seen(
            "Low", "P2", bases=("Medium", "P1"), holds=stored(plan, state=HoldState.APPROVED, winner=winner)
        ),
    )
    assert (only(moved).state, only(moved).value) == (HoldState.OPEN, "P2"), "decided about another value"


def test_two_changes_that_nobody_may_make_are_a_conflict() -> None:
    rule = replace(PRIORITY, may={Side.INTERNAL: (), Side.VENDOR: ()}, rule=Rule.NEWEST, owner=None)
    plan = decide(terms(rule), seen("Low", "P1"))
    assert (only(plan).kind, writes(plan)) == (HoldKind.CONFLICT, {})


@pytest.mark.parametrize(
    ("then", "state"), [("approve", HoldState.CROSSED), ("reject", HoldState.RESTORED), ("wait", None)]
)
def test_time_decides_as_agreed(then, state) -> None:
    rules = terms(expire=DAY, then=then)
    first = decide(rules, seen("Medium", "P1"))
    waiting = decide(rules, seen("Medium", "P1", holds=stored(first)))
    assert waiting.again == 80 + DAY
    late = decide(rules, seen("Medium", "P1", holds=stored(first), now=81 + DAY))
    assert late.again is None
    assert [one.state for one in late.holds] == ([state] if state else [])


def test_a_status_is_held_as_well_and_put_back_by_the_way_that_is_known() -> None:
    rule = FieldRule(
        "status",
        values=(("Open", "New"), ("Resolved", "Done"), ("Closed", "Closed")),
        may={Side.VENDOR: (Grant("Resolved"),)},
        via={Side.VENDOR: {"New": ("Reopened",)}},
    )
    rules = terms(rule)
    view = seen("Open", "Closed", bases=("Open", "New"), field="status")
    plan = decide(rules, view)
    assert not any(isinstance(act, SetStatus) for act in plan.actions)
    put_back = decide(rules, replace(view, holds=stored(plan, state=HoldState.REJECTED)))
    (step,) = [act for act in put_back.actions if isinstance(act, SetStatus)]
    assert (step.side, step.goal, step.via, step.decision.why) == (
        Side.VENDOR,
        "New",
        ("Reopened",),
        "rejected",
    )


STATUS = FieldRule(
    "status",
    values=(("Open", "New"), ("Resolved", "Done"), ("Closed", "Closed")),
    may={Side.VENDOR: (Grant("Resolved"),)},
)


def barely(theirs: str, bases: tuple[dict, dict], **more) -> LinkView:
    """A link whose status was never in agreement: the internal ticket is open."""
    tickets = [ticket(side, {"status": value}) for side, value in zip(Side, ("Open", theirs), strict=True)]
    return link(*tickets, bases=bases, histories=dict.fromkeys(Side, ()), now=1_000, **more)


@pytest.mark.parametrize(("theirs", "held"), [("Closed", True), ("Done", False)])
def test_a_mirror_that_was_never_in_step_takes_no_change_that_the_original_may_not_make(theirs, held) -> None:
    # Its first status had no way across, and stayed owed for days; what comes later is somebody's change all the same.
    plan = decide(terms(STATUS), barely(theirs, ({}, {"status": "New"})))
    assert [one.state for one in plan.holds] == ([HoldState.OPEN] if held else [])
    assert any(isinstance(act, SetStatus) for act in plan.actions) is not held


def test_what_a_ticket_was_created_with_crosses_as_its_beginning() -> None:
    plan = decide(terms(STATUS), barely("Closed", ({}, {"status": "Closed"})))
    assert not plan.holds
    assert [act.goal for act in plan.actions if isinstance(act, SetStatus)] == ["Closed"]


@pytest.mark.parametrize(("theirs", "held"), [("Closed", True), ("Done", False)])
def test_of_two_that_were_linked_by_hand_the_newer_value_stands_if_its_side_may_set_it(theirs, held) -> None:
    view = barely(theirs, ({}, {}), times={"status": (1, 2)})
    plan = decide(terms(STATUS), view)
    assert [(one.state, one.before) for one in plan.holds] == ([(HoldState.OPEN, None)] if held else [])
    assert any(isinstance(act, SetStatus) for act in plan.actions) is not held
    if held:
        approved = decide(terms(STATUS), replace(view, holds=stored(plan, state=HoldState.APPROVED)))
        assert [act.goal for act in approved.actions if isinstance(act, SetStatus)] == ["Closed"]
        rejected = decide(terms(STATUS), replace(view, holds=stored(plan, state=HoldState.REJECTED)))
        assert [act.goal for act in rejected.actions if isinstance(act, SetStatus)] == ["New"]


# --- the notes -----------------------------------------------------------------------------------


def notes(plan: Plan) -> dict[Side, str]:
    """What the notes of a plan say."""
    return {
        act.side: "\n".join("".join(run.text for run in block.children) for block in act.body.blocks)
        for act in plan.actions
        if isinstance(act, WriteNote)
    }


def test_both_tickets_say_what_is_held_each_in_its_own_words() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    assert notes(first) == {}, "nothing is told before it is stored"
    told = notes(decide(terms(), seen("Medium", "P1", holds=stored(first))))
    assert told[Side.VENDOR] == (
        "On hold: priority was changed from 'P2' to 'P1' by Bo (Acme), 1970-01-01 00:00 UTC; it does not cross until "
        "the service owner (Home) has decided."
    )
    assert "from 'Medium' to 'High' by Bo (Acme)" in told[Side.INTERNAL]


def test_a_note_is_written_again_only_when_it_says_something_else() -> None:
    first = decide(terms(), seen("Medium", "P1"))
    written = [
        act
        for act in decide(terms(), seen("Medium", "P1", holds=stored(first))).actions
        if isinstance(act, WriteNote)
    ]
    pairs = [
        CommentPair(number, act.side.other, "", f"n{number}", HOLDS, act.said, PairState.NOTE)
        for number, act in enumerate(written, 1)
    ]
    quiet = decide(terms(), seen("Medium", "P1", holds=stored(first), pairs=pairs))
    assert notes(quiet) == {}
    over = stored(first, state=HoldState.RESTORED, reason="not now", decided_by="ann@home.example")
    after = decide(terms(), seen("Medium", "P2", holds=over, pairs=pairs))
    assert (
        "Settled: priority was changed from 'P2' to 'P1'; not approved by the service owner (Home), and put back "
        in notes(after)[Side.VENDOR]
    )
    assert "not now" in notes(after)[Side.VENDOR]
    assert not any("ann" in text for text in notes(after).values()), "who decided is in the journal"
    assert [act.pair for act in after.actions if isinstance(act, WriteNote)] == pairs[::-1] or [
        act.pair for act in after.actions if isinstance(act, WriteNote)
    ] == pairs


def test_where_a_note_cannot_be_changed_another_value_makes_no_further_one() -> None:
    fixed = terms()
    fixed = replace(fixed, vendor=replace(fixed.vendor, edits_texts=False))
    first = decide(fixed, seen("Medium", "P1"))
    written = {
        act.side: act
        for act in decide(fixed, seen("Medium", "P1", holds=stored(first))).actions
        if isinstance(act, WriteNote)
    }
    pair = CommentPair(1, Side.INTERNAL, "", "n1", HOLDS, written[Side.VENDOR].said, PairState.NOTE)
    other_value = stored(first, value="P3")
    assert Side.VENDOR not in notes(decide(fixed, seen("Medium", "P3", holds=other_value, pairs=[pair])))
    ended = stored(first, state=HoldState.WITHDRAWN, closed_at=5)
    assert Side.VENDOR in notes(decide(fixed, seen("Medium", "P2", holds=ended, pairs=[pair])))


def test_a_note_holds_nobodys_words() -> None:
    rule = FieldRule("summary", Rule.OWNER, Side.INTERNAL)
    view = link(
        ticket(Side.INTERNAL, {"summary": "calm"}),
        ticket(Side.VENDOR, {"summary": "secret words"}),
        bases=({"summary": "calm"}, {"summary": "calm"}),
        histories={Side.VENDOR: (FieldChange("v9", 80, BO, "summary", "", ""),)},
        now=1_000,
    )
    first = decide(terms(rule), view)
    told = notes(decide(terms(rule), replace(view, holds=stored(first))))
    assert all("secret" not in text and "calm" not in text for text in told.values())
    assert all("summary was changed from a text to a text by Bo (Acme)" in text for text in told.values())
