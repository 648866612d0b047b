"""Who may change what: grants by side, value, step, role and person, and whose change it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, link, ticket

from bridge.sync.agreement import FieldRule, Rule
from bridge.sync.merge import Now
from bridge.sync.ownership import approver, authorship, entitled, in_role
from bridge.sync.roles import Grant, HoldRule, Role
from bridge.sync.ticket import FieldChange, Person, Side

OWNER = Role("service-owner", Side.INTERNAL, people=("ann@home.example",))
MANAGER = Role("delivery-manager", Side.VENDOR, people=("bo@acme.example",))
CY = Person("v2", "Cy", ("cy@acme.example",))
STATUS = FieldRule(
    "status",
    values=(("Open", "New"), ("Doing", "Doing"), ("Resolved", "Done"), ("Closed", "Closed")),
    may={
        Side.VENDOR: (
            Grant("Doing"),
            Grant("Resolved", before="Doing"),
            Grant("Closed", by=("delivery-manager",)),
        )
    },
)


def changed_by(who: Person | None, *, field: str = "status", at: int = 90) -> tuple[FieldChange, ...]:
    return (FieldChange("h1", at, who, field, "a", "b"),)


def ask(
    rule: FieldRule, now: Now, side: Side, who: Person | str | None = "not asked", roles=(OWNER, MANAGER)
):
    terms = replace(agreement(rule), roles=roles)
    histories = {} if who == "not asked" else {side: changed_by(who, field=rule.name)}
    fields = ({rule.name: now.internal}, {rule.name: now.vendor})
    view = link(ticket(Side.INTERNAL, fields[0]), ticket(Side.VENDOR, fields[1]), histories=histories)
    return entitled(terms, view, rule, now, side)


def vendor_went(before: str, after: str) -> Now:
    inner = {"New": "Open", "Done": "Resolved"}.get(before, before)
    return Now(inner, after, inner, before)


@pytest.mark.parametrize(
    ("before", "after", "who", "may"),
    [
        ("New", "Doing", "not asked", True),
        ("Doing", "Done", "not asked", True),
        ("New", "Done", "not asked", False),
        ("Doing", "Closed", "not asked", None),
        ("Doing", "Closed", BO, True),
        ("Doing", "Closed", CY, False),
        ("Doing", "Closed", None, False),
        ("Doing", "New", BO, False),
    ],
)
def test_a_side_may_what_it_was_granted_from_where_and_by_whom(before, after, who, may) -> None:
    assert ask(STATUS, vendor_went(before, after), Side.VENDOR, who) is may


def test_what_a_side_may_is_named_in_the_internal_sides_words() -> None:
    # Resolved and Closed are both Done there: what reaches the internal side is the first of them.
    rule = FieldRule(
        "status",
        values=(("Open", "New"), ("Resolved", "Done"), ("Closed", "Done")),
        may={Side.VENDOR: (Grant("Resolved"),)},
    )
    assert ask(rule, Now("Open", "Done", "Open", "New"), Side.VENDOR, BO) is True
    closed = replace(rule, may={Side.VENDOR: (Grant("Closed"),)})
    assert ask(closed, Now("Open", "Done", "Open", "New"), Side.VENDOR, BO) is False


def test_the_other_side_of_an_owner_may_nothing_unless_it_is_granted() -> None:
    rule = FieldRule("priority", Rule.OWNER, Side.INTERNAL, values=(("High", "P1"), ("Low", "P3")))
    now = Now("High", "P3", "High", "P1")
    assert ask(rule, now, Side.VENDOR, BO) is False
    assert ask(rule, now, Side.VENDOR, roles=()) is False
    assert ask(replace(rule, may={Side.VENDOR: (Grant("Low"),)}), now, Side.VENDOR, BO) is True
    assert ask(replace(rule, may={Side.VENDOR: (Grant("High"),)}), now, Side.VENDOR, BO) is False
    assert ask(rule, Now("Low", "P1", "High", "P1"), Side.INTERNAL, ANN) is True


def test_a_member_that_came_or_went_needs_its_grant() -> None:
    rule = FieldRule("labels", Rule.MERGE, may={Side.VENDOR: (Grant("seen"), Grant("fixed"))})
    none = frozenset[str]()
    assert ask(rule, Now(none, frozenset({"seen"}), none, none), Side.VENDOR, BO) is True
    assert ask(rule, Now(none, frozenset({"seen", "sev-1"}), none, none), Side.VENDOR, BO) is False
    before = frozenset({"sev-1"})
    assert ask(rule, Now(before, none, before, before), Side.VENDOR, BO) is False


def test_a_persons_name_in_a_grant_is_that_person_alone() -> None:
    rule = FieldRule("due", may={Side.VENDOR: (Grant(by=("cy@acme.example",)),)})
    now = Now("2026-01-01", "2026-02-02", "2026-01-01", "2026-01-01")
    assert ask(rule, now, Side.VENDOR, CY) is True
    assert ask(rule, now, Side.VENDOR, BO) is False


def test_the_other_sides_people_may_not_do_here_what_they_may_not_do_there() -> None:
    rule = FieldRule("due", Rule.OWNER, Side.INTERNAL)
    now = Now("2026-02-02", "2026-01-01", "2026-01-01", "2026-01-01")
    guest = Person("u9", "Bo (guest)", ("bo@acme.example",))
    assert ask(rule, now, Side.INTERNAL) is None, "whoever it was has to be known first"
    assert ask(rule, now, Side.INTERNAL, ANN) is True
    assert ask(rule, now, Side.INTERNAL, guest) is False


def test_nobody_speaks_for_the_other_company_in_ones_own_tracker() -> None:
    # Whoever runs a tracker can give any of its accounts any address.
    rule = FieldRule("due", Rule.OWNER, Side.INTERNAL)
    forged = Person("v9", "Ann", ("ann@home.example",))
    now = Now("2026-01-01", "2026-02-02", "2026-01-01", "2026-01-01")
    assert ask(rule, now, Side.VENDOR, forged) is False


def test_a_role_is_its_people_its_groups_and_failing_those_whom_its_field_names() -> None:
    terms, seen = agreement(), ticket(Side.VENDOR, {"assignee": BO})
    gone = Person("v3", "Di", ("di@acme.example",), active=False)
    members = replace(MANAGER, people=(), groups=("leads",), members=(CY, gone))
    assert in_role(terms, MANAGER, BO, Side.VENDOR, seen)
    assert not in_role(terms, MANAGER, CY, Side.VENDOR, seen)
    assert in_role(terms, members, CY, Side.VENDOR, seen)
    assert not in_role(terms, members, gone, Side.VENDOR, seen), "who was deactivated is nobody"
    assert not in_role(terms, members, BO, Side.VENDOR, seen)
    nobody_named = Role("owner", Side.VENDOR, field="assignee")
    assert in_role(terms, nobody_named, BO, Side.VENDOR, seen)
    assert not in_role(terms, nobody_named, CY, Side.VENDOR, seen)
    assert not in_role(terms, nobody_named, BO, Side.VENDOR, None)


def test_the_author_is_the_last_who_changed_it_before_the_ticket_was_seen() -> None:
    history = (
        FieldChange("h1", 80, ANN, "status", "a", "b"),
        FieldChange("h2", 90, BO, "status", "b", "c"),
        FieldChange("h3", 95, CY, "summary", "b", "c"),
        FieldChange("h4", 5_000_000, ANN, "status", "c", "d"),
    )
    view = link(ticket(Side.INTERNAL, {}), ticket(Side.VENDOR, {}), histories={Side.VENDOR: history})
    made = authorship(view, STATUS, Side.VENDOR)
    assert made is not None
    assert (made.person, made.at, made.event) == (BO, 90, "h2")
    assert authorship(view, STATUS, Side.INTERNAL) is None
    nobody = authorship(view, FieldRule("due"), Side.VENDOR)
    assert nobody is not None
    assert nobody.person is None


def test_who_decides() -> None:
    terms = replace(
        agreement(STATUS),
        roles=(OWNER, MANAGER, Role("mediator", Side.INTERNAL)),
        holds=HoldRule({Side.INTERNAL: "service-owner", Side.VENDOR: "delivery-manager"}, "mediator"),
    )
    assert approver(terms, STATUS, Side.VENDOR) == "delivery-manager", "who might have done it"
    plain = FieldRule("priority", Rule.OWNER, Side.INTERNAL)
    assert approver(terms, plain, Side.VENDOR) == "service-owner"
    assert approver(terms, replace(plain, owner=Side.VENDOR), Side.INTERNAL) == "delivery-manager"
    assert approver(terms, plain, Side.VENDOR, conflict=True) == "mediator"
    assert approver(agreement(plain), plain, Side.VENDOR) == ""
