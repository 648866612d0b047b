"""Who is accountable on a side, and since when nobody is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import agreement, ticket

from bridge.sync.accountable import lack, vacancy
from bridge.sync.roles import Role
from bridge.sync.ticket import FieldChange, Person, Side

HOUR = 3_600_000_000
ANN = Person("ann", "Ann Owner", ("ann@home.example",))
ROLE = Role(
    "service-owner", Side.INTERNAL, people=("ann@home.example",), field="assignee", required_within=4 * HOUR
)
ANYBODY = replace(ROLE, people=())


def why(role, value, *, active=True, members=()):
    role = replace(role, members=members)
    terms = replace(agreement(), roles=(role,))
    return lack(terms, role, ticket(Side.INTERNAL, {"assignee": value}), value, active=active)


@pytest.mark.parametrize(
    ("role", "value", "active", "expected"),
    [
        (ROLE, ANN, True, None),
        (ROLE, None, False, "nobody"),
        (ROLE, ANN, False, "deactivated"),
        (ROLE, Person("ivan"), True, "left"),
        (ANYBODY, Person("ivan"), True, None),
        (ANYBODY, Person("ivan"), False, "deactivated"),
        (ANYBODY, None, False, "nobody"),
    ],
)
def test_an_active_person_of_the_role_is_accountable_and_nobody_else(role, value, active, expected):
    assert why(role, value, active=active) == expected


def test_a_member_of_the_group_counts_and_one_who_left_it_does_not():
    of_group = replace(ROLE, people=(), groups=("ops-leads",))
    ivan = Person("ivan")
    assert why(of_group, ivan, members=(ivan,)) is None
    assert why(of_group, ivan, members=(ANN,)) == "left"
    assert why(of_group, ivan, members=(replace(ivan, active=False),)) == "left"


def changes(*times, field="assignee"):
    return [FieldChange(str(at), at, None, field, "ann", "") for at in times]


@pytest.mark.parametrize(
    ("reason", "known", "history", "since"),
    [
        ("nobody", None, [], "created"),
        ("nobody", None, changes(5 * HOUR, 7 * HOUR), 7 * HOUR),
        ("nobody", None, changes(5 * HOUR, field="summary"), "created"),
        ("nobody", 3 * HOUR, changes(7 * HOUR), 3 * HOUR),
        ("deactivated", None, changes(7 * HOUR), 9 * HOUR),
        ("left", 2 * HOUR, [], 2 * HOUR),
    ],
)
def test_since_when_nobody_is(reason, known, history, since):
    one = ticket(Side.INTERNAL)
    expected = one.created if since == "created" else since
    found = vacancy(ROLE, one, reason, known=known, history=history, now=9 * HOUR)
    assert (found.why, found.since, found.due_at) == (reason, expected, expected + 4 * HOUR)
