"""Values between two vocabularies: what crosses as what, and when two values already agree."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, doc

from bridge.markup import Document, Media, Mention, Paragraph, Text, UnknownBlock, UnknownInline, plain
from bridge.sync.agreement import FieldRule, Otherwise, Rule
from bridge.sync.mapping import (
    Carried,
    Unmapped,
    agree,
    carry,
    carry_set,
    carry_text,
    crossing,
    empty,
    partnered,
    same,
    show,
)
from bridge.sync.ticket import Person, Side

MANY = FieldRule(
    "status", values=(("Open", "New"), ("Resolved", "Done"), ("Closed", "Done"), ("Open", "Waiting"))
)
TERMS = agreement(MANY)
LIMIT = 255


def test_the_first_pair_wins_where_one_must_be_chosen() -> None:
    assert carry(TERMS, MANY, "Closed", Side.VENDOR) == Carried("Done", "Done")
    assert carry(TERMS, MANY, "Done", Side.INTERNAL) == Carried("Resolved", "Resolved")
    assert carry(TERMS, MANY, "Open", Side.VENDOR) == Carried("New", "New")


@pytest.mark.parametrize(
    ("internal", "vendor", "expected"),
    [
        ("Closed", "Done", True),
        ("Resolved", "Done", True),
        ("Open", "Waiting", True),
        ("Open", "Done", False),
        (None, None, True),
        (None, "Done", False),
        ("", None, True),
    ],
)
def test_values_agree_when_any_pair_says_so(internal, vendor, expected) -> None:
    assert agree(TERMS, MANY, internal, vendor) is expected


@pytest.mark.parametrize(
    ("otherwise", "to_vendor", "to_internal"),
    [
        (Otherwise("hold"), Unmapped("x"), Unmapped("x")),
        (Otherwise("keep"), Unmapped("x", silent=True), Unmapped("x", silent=True)),
        (Otherwise("same"), Carried("x", "x"), Carried("x", "x")),
        (Otherwise("value", {Side.INTERNAL: "i", Side.VENDOR: "v"}), Carried("v", "v"), Carried("i", "i")),
        (Otherwise("value", {Side.VENDOR: "v"}), Carried("v", "v"), Unmapped("x")),
    ],
)
def test_a_value_without_a_pair_does_what_otherwise_says(otherwise, to_vendor, to_internal) -> None:
    rule = FieldRule("priority", values=(("a", "b"),), otherwise=otherwise)
    assert carry(agreement(rule), rule, "x", Side.VENDOR) == to_vendor
    assert carry(agreement(rule), rule, "x", Side.INTERNAL) == to_internal


def test_a_stand_in_agrees_with_what_it_stands_for() -> None:
    rule = FieldRule("priority", values=(("a", "b"),), otherwise=Otherwise("value", {Side.VENDOR: "b"}))
    assert agree(agreement(rule), rule, "odd", "b")
    assert not agree(agreement(rule), rule, "a", "odd")


def test_a_summary_crosses_on_one_line_within_every_tracker_s_limit() -> None:
    rule = FieldRule("summary")
    carried = carry(agreement(rule), rule, " a\n b " + "x" * 300, Side.VENDOR)
    assert isinstance(carried, Carried)
    assert isinstance(carried.value, str)
    assert carried.value.startswith("a b x")
    assert len(carried.value) == LIMIT
    assert agree(agreement(rule), rule, " a\n b " + "x" * 300, carried.shown)


def test_a_summary_is_cut_where_its_tracker_would_cut_it() -> None:
    rule = FieldRule("summary")
    terms = agreement(rule)
    terms = replace(terms, vendor=replace(terms.vendor, summary_limit=200))
    assert carry(terms, rule, "x" * 255, Side.VENDOR) == Carried("x" * 200, "x" * 200)
    assert carry(terms, rule, "x" * 255, Side.INTERNAL) == Carried("x" * 255, "x" * 255)
    assert agree(terms, rule, "x" * 255, "x" * 200)


def test_a_cut_summary_never_ends_in_a_space() -> None:
    rule = FieldRule("summary")
    carried = carry(agreement(rule), rule, "x" * (LIMIT - 1) + " tail", Side.VENDOR)
    assert carried == Carried("x" * (LIMIT - 1), "x" * (LIMIT - 1))


def test_spaces_and_composed_characters_make_no_difference() -> None:
    assert same("Zoe\u0308  x ", "Zo\u00eb x")
    assert not same("a", "b")
    assert same(None, "")
    assert same(Document(), None)
    assert not same(doc("a"), None)
    assert same(3.0, 3)


def test_a_person_crosses_by_any_handle_of_the_people_map() -> None:
    rule = FieldRule("assignee")
    terms = agreement(rule, people=(("ANN@home.example", "bo@acme.example"),))
    assert carry(terms, rule, ANN, Side.VENDOR) == Carried("bo@acme.example", Person("bo@acme.example"))
    assert carry(terms, rule, BO, Side.INTERNAL) == Carried("ANN@home.example", Person("ANN@home.example"))
    assert agree(terms, rule, ANN, BO)
    assert carry(terms, rule, None, Side.VENDOR) == Carried(None, None)


def test_a_person_without_a_pair_never_crosses_under_their_own_name() -> None:
    rule = FieldRule("assignee", otherwise=Otherwise("same"))
    assert carry(agreement(rule), rule, ANN, Side.VENDOR) == Unmapped("Ann")
    keep = FieldRule("assignee", otherwise=Otherwise("keep"))
    assert carry(agreement(keep), keep, ANN, Side.VENDOR) == Unmapped("Ann", silent=True)


def test_a_person_that_we_wrote_by_handle_is_the_person_that_the_tracker_shows() -> None:
    assert same(BO, Person("bo@acme.example"))
    assert same(Person("BO@acme.example"), BO)
    assert not same(BO, Person("ann@acme.example"))


def test_a_stand_in_person_agrees_with_everybody_it_stands_for() -> None:
    rule = FieldRule("assignee", otherwise=Otherwise("value", dict.fromkeys(Side, "bo@acme.example")))
    terms = agreement(rule)
    assert agree(terms, rule, ANN, BO)
    assert not agree(terms, rule, ANN, Person("v2"))


def test_labels_that_match_no_pattern_or_have_no_pair_do_not_cross() -> None:
    rule = FieldRule("labels", only=("sev-*",))
    assert crossing(rule, frozenset({"sev-1", "own"}), Side.INTERNAL) == {"sev-1"}
    assert crossing(rule, None, Side.INTERNAL) == frozenset()
    mapped = FieldRule("labels", values=(("a", "x"),))
    assert crossing(mapped, frozenset({"a", "b"}), Side.INTERNAL) == {"a"}
    assert crossing(mapped, frozenset({"x", "y"}), Side.VENDOR) == {"x"}
    assert carry_set(mapped, frozenset({"a", "b"}), Side.VENDOR) == {"x"}
    both = FieldRule("labels", values=(("sev-1", "S1"),), only=("sev-*",))
    assert crossing(both, frozenset({"S1"}), Side.VENDOR) == {"S1"}, "a pattern speaks of the pair"


def test_labels_under_same_cross_with_and_without_a_pair() -> None:
    rule = FieldRule("labels", values=(("a", "x"),), otherwise=Otherwise("same"))
    assert carry_set(rule, frozenset({"a", "b"}), Side.VENDOR) == {"x", "b"}


def test_sets_agree_member_by_member() -> None:
    rule = FieldRule("labels", Rule.MERGE, values=(("a", "x"), ("b", "x"), ("c", "y"), ("c", "z")))
    terms = agreement(rule)
    assert agree(terms, rule, frozenset({"a", "b", "own"}), frozenset({"x", "theirs"}))
    assert agree(terms, rule, frozenset({"c"}), frozenset({"y", "z"}))
    assert not agree(terms, rule, frozenset({"a", "c"}), frozenset({"x"}))
    assert partnered(rule, "z", Side.VENDOR, frozenset({"c"}))
    assert not partnered(rule, "z", Side.VENDOR, frozenset({"a"}))


def test_what_is_live_or_foreign_crosses_as_words() -> None:
    text = Document(
        (
            Paragraph((Mention("u1", "@Ann"), Media("a.png", ""), UnknownInline("adf", "{}", "hi"))),
            UnknownBlock("wiki", "{foo}", "words"),
        )
    )
    carried = carry_text(agreement(), text, Side.VENDOR)
    assert isinstance(carried.value, Document)
    assert plain(carried.value) == "@Ann[a.png]hi\n\nwords"
    kinds = {type(node) for block in carried.value.blocks for node in block.children}
    assert kinds == {Text}


def test_what_is_empty() -> None:
    assert all(empty(value) for value in (None, "", frozenset(), Document()))
    assert not any(empty(value) for value in (0, False, "x", frozenset({"a"}), doc("a"), ANN))


def test_values_are_shown_in_short_and_texts_never() -> None:
    assert show(doc("secret")) == "(text)"
    assert show(frozenset({"b", "a"})) == "a, b"
    assert show(frozenset()) == "(none)"
    assert show(None) == "(none)"
    assert show(ANN) == "Ann"
    assert show(Person("u2")) == "u2"
    assert show(3.5) == "3.5"


def test_a_number_equals_its_words_but_two_words_are_no_numbers() -> None:
    assert same(3.0, "3")
    assert same("3.50", 3.5)
    assert same(left=True, right="1")
    assert not same("1.10", "1.1")
    assert not same(3.0, "three")


def test_a_text_that_a_plain_field_holds_is_the_same_text() -> None:
    assert same(doc("One", "two"), "One two")
    assert not same("One", doc("One", "two"))


def test_a_person_in_a_custom_field_crosses_by_the_people_map_alone() -> None:
    rule = FieldRule("contact", names={Side.INTERNAL: "Contact", Side.VENDOR: "Contact"})
    known = agreement(rule, people=(("ann@home.example", "bo@acme.example"),))
    assert carry(known, rule, ANN, Side.VENDOR) == Carried("bo@acme.example", Person("bo@acme.example"))
    assert agree(known, rule, ANN, BO)
    stranger = Person("u9", "Zoe", ("zoe@home.example",))
    assert carry(known, rule, stranger, Side.VENDOR) == Unmapped("Zoe")


def test_a_number_and_a_flag_have_names_for_the_value_map() -> None:
    rule = FieldRule("urgent", values=(("1", "Yes"), ("2.5", "Half")))
    assert carry(agreement(rule), rule, value=True, to=Side.VENDOR) == Carried("Yes", "Yes")
    assert carry(agreement(rule), rule, 2.5, Side.VENDOR) == Carried("Half", "Half")
    assert agree(agreement(rule), rule, 2.50, "Half")
