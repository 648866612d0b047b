"""Fingerprints of plans and agreements: the same for the same, another for any difference, and no words in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, agreement, doc, ticket

from bridge.sync.agreement import FieldRule, Rule
from bridge.sync.fingerprint import fingerprint, plan_print, terms_print, ticket_prints
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.plan import AddComment, Decision, Finding, LinkBack, Plan, UpdateFields
from bridge.sync.roles import Mode, Pilot
from bridge.sync.ticket import Person, Side


def update(**values):
    """A plan that sets these fields on the vendor's side."""
    decisions = tuple(
        Decision(name, Side.VENDOR, None, value, Side.INTERNAL, "changed") for name, value in values.items()
    )
    settles = {name: (value, value) for name, value in values.items()}
    return Plan((UpdateFields(Side.VENDOR, values, settles, decisions),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (update(summary="a"), update(summary="b")),
        (update(summary="1"), update(summary=1)),
        (update(summary=None), update(summary="None")),
        (update(summary=True), update(summary=1)),
        (update(summary=""), update(due="")),
        (update(labels=frozenset({"a"})), update(labels=frozenset({"a", "b"}))),
        (update(labels=frozenset({"a"})), update(labels="a")),
        (update(description=doc("a", "b")), update(description=doc("a b"))),
        (update(assignee=Person("1")), update(assignee=Person("2"))),
        (Plan((LinkBack(Side.VENDOR),)), Plan((LinkBack(Side.INTERNAL),))),
        (Plan((LinkBack(Side.VENDOR),)), Plan()),
        (
            Plan((AddComment(Side.VENDOR, "1", "d", doc("a"), "e"),)),
            Plan((AddComment(Side.VENDOR, "1", "d", doc("a"), "e", private=True),)),
        ),
    ],
)
def test_any_difference_is_seen(one, other):
    assert plan_print(one) != plan_print(other)
    assert plan_print(one, Plan()) != plan_print(one)


def test_the_same_is_the_same_in_whatever_order_it_was_made():
    labels = [f"label-{number}" for number in range(50)]
    assert plan_print(update(labels=frozenset(labels))) == plan_print(update(labels=frozenset(labels[::-1])))
    left, right = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert fingerprint(left) == fingerprint(right)
    # How a person is called is no part of who they are; what is found or only recorded is nothing to be written.
    assert plan_print(update(assignee=ANN)) == plan_print(update(assignee=replace(ANN, name="Ann B.")))
    told = replace(update(due="x"), findings=(Finding("held", None, "", "m"),), settled={"type": ("a", "b")})
    assert plan_print(told) == plan_print(update(due="x"))


def test_of_a_hold_it_counts_what_it_is_about_and_not_when_it_was_seen():
    hold = Hold(0, "priority", Side.VENDOR, HoldKind.UNENTITLED, HoldState.OPEN, 1, "P1", "P2", "High")
    plan = Plan(holds=(hold,))
    assert plan_print(plan) == plan_print(Plan(holds=(replace(hold, since=2),)))
    assert plan_print(plan) != plan_print(Plan(holds=(replace(hold, value="P3"),)))
    assert plan_print(plan) != plan_print(Plan())


def test_terms_are_everything_that_was_agreed_but_the_mode():
    terms = agreement(FieldRule("summary"))
    assert terms_print(terms, "a") == terms_print(replace(terms, mode=Mode.OBSERVE), "a")
    assert terms_print(terms, "a") == terms_print(
        replace(terms, mode=Mode.PILOT, pilot=Pilot(("OPS-1",))), "a"
    )
    assert terms_print(terms, "a") != terms_print(terms, "b")
    assert terms_print(terms, "a") != terms_print(agreement(FieldRule("summary", rule=Rule.HOLD)), "a")


def test_a_ticket_tells_which_of_its_parts_have_changed():
    terms = agreement(FieldRule("summary"), FieldRule("due"))
    before = ticket(Side.VENDOR, {"summary": "SECRET", "due": None, "priority": "P1"})
    after = replace(before, fields={"summary": "SECRET", "due": "2027-01-01", "priority": "P2"}, private=True)
    one, other = ticket_prints(terms, before), ticket_prints(terms, after)
    assert {name for name in one if one[name] != other[name]} == {"due", "place"}
    assert "SECRET" not in str(one)


def test_what_has_no_canonical_form_is_refused_and_not_guessed_at():
    with pytest.raises(TypeError, match="object has no canonical form"):
        fingerprint(Plan((object(),)))
