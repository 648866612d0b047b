"""The outcome table of one field, row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, doc

from bridge.markup import Document, Heading, Mention, Paragraph, Text, plain
from bridge.sync.agreement import FieldRule, Otherwise, Rule
from bridge.sync.merge import MISSING, Agreed, Cross, NeedTimes, Now, Quiet, Stuck, merge
from bridge.sync.ticket import Person, Side

HOME, ACME = Side.INTERNAL, Side.VENDOR
OURS = FieldRule("due", Rule.OWNER, HOME)
THEIRS = FieldRule("due", Rule.OWNER, ACME)
NEWEST = FieldRule("due", Rule.NEWEST)
HOLD = FieldRule("due", Rule.HOLD)


def decided(rule: FieldRule, now: Now, **more):
    return merge(agreement(rule, **more), rule, now)


@pytest.mark.parametrize(
    ("rule", "now", "to", "value", "because"),
    [
        (NEWEST, Now("b", "a", "a", "a"), ACME, "b", ("changed", None)),
        (NEWEST, Now("a", "b", "a", "a"), HOME, "b", ("changed", None)),
        (NEWEST, Now(None, "a", "a", "a"), ACME, None, ("changed", None)),
        (NEWEST, Now("b", "c", "a", "a", (2, 1)), ACME, "b", ("newest", (ACME, "c"))),
        (NEWEST, Now("b", "c", "a", "a", (1, 2)), HOME, "c", ("newest", (HOME, "b"))),
        (NEWEST, Now("b", "c", "a", "a", (1, 1)), ACME, "b", ("newest", (ACME, "c"))),
        (OURS, Now("b", "a", "a", "a"), ACME, "b", ("changed", None)),
        (OURS, Now("a", "b", "a", "a"), ACME, "a", ("owner", (ACME, "b"))),
        (OURS, Now("b", "c", "a", "a"), ACME, "b", ("owner", (ACME, "c"))),
        (THEIRS, Now("b", "c", "a", "a"), HOME, "c", ("owner", (HOME, "b"))),
        (THEIRS, Now("b", "a", "a", "a"), HOME, "a", ("owner", (HOME, "b"))),
        (HOLD, Now("b", "a", "a", "a"), ACME, "b", ("changed", None)),
        (NEWEST, Now("a", None), ACME, "a", ("initial", None)),
        (NEWEST, Now(None, "a"), HOME, "a", ("initial", None)),
        (OURS, Now(None, "a"), HOME, "a", ("initial", None)),
        (HOLD, Now(None, "a"), HOME, "a", ("initial", None)),
        (OURS, Now("b", "c"), ACME, "b", ("owner", (ACME, "c"))),
        (NEWEST, Now("a", "filled in", "a"), ACME, "a", ("initial", (ACME, "filled in"))),
        (THEIRS, Now("a", "filled in", "a"), ACME, "a", ("initial", (ACME, "filled in"))),
        (NEWEST, Now("filled in", "a", MISSING, "a"), HOME, "a", ("initial", (HOME, "filled in"))),
        (NEWEST, Now(None, "typed at once", None), HOME, "typed at once", ("initial", None)),
        (NEWEST, Now(None, "filled in", "taken out since"), ACME, None, ("initial", (ACME, "filled in"))),
    ],
)
def test_a_value_crosses(rule, now, to, value, because) -> None:
    found = decided(rule, now)
    assert isinstance(found, Cross)
    assert found.writes == {to: value}
    assert (found.why, found.loser) == because
    assert found.winner is to.other
    assert found.base[to is ACME] == value


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Now("a", "a", "a", "a"), Quiet()),
        (Now("b", "b", "a", "a"), Agreed()),
        (Now("a", "a"), Agreed()),
        (Now("a ", "a", "a", "a"), Quiet()),
        (Now("a", "b", "a", "b"), Quiet()),
        (Now("b", "c", "a", "a"), NeedTimes()),
        (Now("b", "c"), NeedTimes()),
    ],
)
def test_nothing_is_written(now, expected) -> None:
    assert decided(NEWEST, now) == expected


def test_a_conflict_that_nobody_may_decide_alone_is_held_and_says_what_it_is_about() -> None:
    found = decided(HOLD, Now("2026-01-01", "2026-02-02", "a", "a"))
    assert isinstance(found, Stuck)
    assert found.kind == "held"
    assert "(2026-01-01 / 2026-02-02)" in found.message


def test_a_finding_never_tells_the_words_of_a_summary() -> None:
    for name in ("summary", "Customer's words"):
        found = decided(FieldRule(name, Rule.HOLD), Now("secret one", "secret two", "a", "a"))
        assert isinstance(found, Stuck)
        assert "secret" not in found.message


def test_a_value_without_a_pair_is_stuck_or_kept() -> None:
    stuck = FieldRule("priority", values=(("a", "x"),))
    found = decided(stuck, Now("odd", "x", "a", "x"))
    assert found == Stuck("unmapped", HOME, "'priority' has no pair for the internal value 'odd'")
    keep = FieldRule("priority", values=(("a", "x"),), otherwise=Otherwise("keep"))
    assert decided(keep, Now("odd", "x", "a", "x")) == Quiet()


@pytest.mark.parametrize("otherwise", [Otherwise("hold"), Otherwise("keep")])
def test_a_first_value_without_a_pair_does_not_silence_the_new_side_for_ever(otherwise) -> None:
    """The ticket was created in a status that has no pair; then the vendor moves its mirror."""
    rule = FieldRule("status", values=(("Open", "New"), ("Resolved", "Done")), otherwise=otherwise)
    fresh = Now("Triage", "New", "Triage", changed_at=None, created=(10, 20))
    assert decided(rule, fresh) == NeedTimes()
    filled_in = Now("Triage", "New", "Triage", changed_at=(10, 20), created=(10, 20))
    assert isinstance(decided(rule, filled_in), Stuck | Quiet)
    moved = Now("Triage", "Done", "Triage", changed_at=(10, 30), created=(10, 20))
    found = decided(rule, moved)
    assert isinstance(found, Cross)
    assert found.writes == {HOME: "Resolved"}
    assert found.loser == (HOME, "Triage")
    hold = FieldRule("status", Rule.HOLD, values=rule.values, otherwise=otherwise)
    assert isinstance(decided(hold, moved), Cross)
    later = Now("Postponed", "Done", "Triage", changed_at=(40, 30), created=(10, 20))
    assert isinstance(decided(rule, later), Stuck | Quiet)
    assert isinstance(decided(hold, later), Stuck | Quiet)
    assert isinstance(decided(rule, replace(later, changed_at=(30, 40))), Cross)
    ours = FieldRule("status", Rule.OWNER, HOME, values=rule.values, otherwise=otherwise)
    assert isinstance(decided(ours, moved), Stuck | Quiet)


def test_a_person_written_by_handle_is_no_change_of_the_other_side() -> None:
    """Two edits in a row must not become a conflict with our own write."""
    rule = FieldRule("assignee", Rule.HOLD)
    people = (("ann@home.example", "bo@acme.example"), ("cy@home.example", "di@acme.example"))
    now = Now(Person("u3", "Cy", ("cy@home.example",)), BO, ANN, Person("bo@acme.example"))
    found = decided(rule, now, people=people)
    assert isinstance(found, Cross)
    assert found.writes == {ACME: "di@acme.example"}


LABELS = FieldRule("labels", Rule.MERGE)


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "internal", "vendor"),
    [
        ("ab", "a", "a", "ab", "ab"),
        ("a", "ab", "a", "ab", "ab"),
        ("", "a", "a", "", ""),
        ("ab", "ac", "a", "abc", "abc"),
        ("b", "ac", "a", "bc", "bc"),
        ("ab", "b", "a", "b", "b"),
    ],
)
def test_both_sides_labels_are_merged(ours, theirs, base, internal, vendor) -> None:
    found = decided(LABELS, Now(*(frozenset(one) for one in (ours, theirs, base, base))))
    assert isinstance(found, Cross)
    assert found.base == (frozenset(internal), frozenset(vendor))
    assert found.writes == {
        side: frozenset(after)
        for side, after, before in ((HOME, internal, ours), (ACME, vendor, theirs))
        if after != before
    }


def test_labels_never_in_agreement_are_united() -> None:
    found = decided(LABELS, Now(frozenset("a"), frozenset("b")))
    assert isinstance(found, Cross)
    assert found.base == (frozenset("ab"), frozenset("ab"))


def test_a_label_without_a_pair_stays_on_its_own_side() -> None:
    rule = FieldRule("labels", Rule.MERGE, values=(("a", "x"), ("b", "y")))
    now = Now(frozenset({"a", "b"}), frozenset({"x", "own"}), frozenset({"a"}), frozenset({"x", "own"}))
    found = decided(rule, now)
    assert isinstance(found, Cross)
    assert found.writes == {ACME: frozenset({"x", "y", "own"})}


def test_a_label_that_shares_its_pair_invents_no_other_label() -> None:
    rule = FieldRule("labels", Rule.MERGE, values=(("a", "x"), ("b", "x"), ("c", "y")))
    now = Now(frozenset({"b", "c"}), frozenset({"x"}), frozenset({"b"}), frozenset({"x"}))
    found = decided(rule, now)
    assert isinstance(found, Cross)
    assert found.writes == {ACME: frozenset({"x", "y"})}


@pytest.mark.parametrize("rule", [Rule.NEWEST, Rule.HOLD])
def test_a_label_that_may_not_cross_makes_no_conflict(rule) -> None:
    labels = FieldRule("labels", rule, only=("sev-*",))
    linked = Now(frozenset({"own"}), frozenset({"sev-1"}))
    found = decided(labels, linked)
    assert isinstance(found, Cross)
    assert found.writes == {HOME: frozenset({"own", "sev-1"})}
    edited = Now(frozenset({"own"}), frozenset({"sev-1"}), frozenset(), frozenset())
    found = decided(labels, edited)
    assert isinstance(found, Cross)
    assert found.writes == {HOME: frozenset({"own", "sev-1"})}


def test_an_owner_s_labels_replace_the_others_that_may_cross() -> None:
    rule = FieldRule("labels", Rule.OWNER, HOME, only=("sev-*",))
    now = Now(frozenset({"sev-1"}), frozenset({"sev-2", "own"}), frozenset({"sev-1"}), frozenset({"sev-1"}))
    found = decided(rule, now)
    assert isinstance(found, Cross)
    assert found.writes == {ACME: frozenset({"sev-1", "own"})}
    assert found.loser == (ACME, frozenset({"sev-2", "own"}))


TEXT = FieldRule("description", Rule.MERGE)


def test_edits_of_different_blocks_are_merged() -> None:
    base = doc("one", "two", "three")
    found = decided(TEXT, Now(doc("ONE", "two", "three"), doc("one", "two", "THREE"), base, base))
    assert isinstance(found, Cross)
    assert found.winner is None
    for side in Side:
        written = found.writes[side]
        assert isinstance(written, Document)
        assert plain(written) == "ONE\n\ntwo\n\nTHREE"


def test_edits_of_the_same_block_fall_back_to_the_newest_and_keep_the_loser() -> None:
    base = doc("one", "two")
    now = Now(doc("ONE", "two"), doc("uno", "two"), base, base)
    assert decided(TEXT, now) == NeedTimes()
    found = decided(TEXT, Now(now.internal, now.vendor, base, base, (1, 2)))
    assert isinstance(found, Cross)
    assert found.loser == (HOME, now.internal)


def test_a_merge_leaves_each_side_s_own_blocks_alive() -> None:
    """What may not cross in our own text, a mention say, is not taken out of it because they edited a paragraph."""
    ours = Document((Paragraph((Mention("u1", "Ann"), Text(" one"))), *doc("two", "three").blocks))
    theirs = Document((Paragraph((Text("@Ann one"),)), *doc("two", "three").blocks))
    now = Now(
        Document((*ours.blocks[:1], *doc("TWO", "three").blocks)),
        Document((*theirs.blocks[:2], Heading(1, (Mention("v1", "Bo"), Text(" four"))))),
        ours,
        theirs,
    )
    found = decided(TEXT, now)
    assert isinstance(found, Cross)
    internal, vendor = found.writes[HOME], found.writes[ACME]
    assert isinstance(internal, Document)
    assert isinstance(vendor, Document)
    assert internal.blocks[0] == ours.blocks[0]
    assert Mention("v1", "Bo") not in internal.blocks[2].children
    assert vendor.blocks[2] == now.vendor.blocks[2]
    assert vendor.blocks[0] == theirs.blocks[0]


def test_the_rule_merge_means_newest_where_nothing_can_be_merged() -> None:
    assert decided(FieldRule("due", Rule.MERGE), Now("b", "c", "a", "a")) == NeedTimes()
