"""What sound roles, holds, rights and modes become, and what is no mistake although it looks like one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config import BUILT_IN_KINDS, load
from bridge.errors import ConfigError
from bridge.sync.roles import Grant, HoldRule, Mode, Pilot, Role, Unentitled
from bridge.sync.ticket import Side

INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
HOUR = 3_600_000_000

ROLES = """\
roles:
  mediator: {side: internal, people: [board@example.com]}
  service-owner:
    side: internal
    people: [ann@example.com, chris]
    groups: [ops-leads]
    project-roles: [Developers]
    field: assignee
    required-within: 4h
  delivery-manager: {side: vendor, people: [bo@acme.example], field: assignee, mail: [desk@acme.example]}
  expert: {side: vendor, field: lead}
  watcher: {side: vendor, field: Second Pair of Eyes}
"""
LEAD = "  lead: {field: Lead}\n"


@pytest.fixture
def staffed(folder):
    """The usual folder, its agreement with roles on both sides."""
    folder.replace(folder.acme, "comments:\n", f"{LEAD}{ROLES}comments:\n")
    return folder


def may(folder, field):
    """What the file gives to the sides for a field."""
    return folder.load().agreements[0].field(field).may


def test_roles_with_everything(staffed):
    assert staffed.load().agreements[0].roles == (
        Role("mediator", INTERNAL, ("board@example.com",), mail=("board@example.com",)),
        Role(
            "service-owner",
            INTERNAL,
            people=("ann@example.com", "chris"),
            groups=("ops-leads",),
            project_roles=("Developers",),
            field="assignee",
            required_within=4 * HOUR,
            mail=("ann@example.com",),
        ),
        Role("delivery-manager", VENDOR, ("bo@acme.example",), field="assignee", mail=("desk@acme.example",)),
        Role("expert", VENDOR, field="lead"),
        Role("watcher", VENDOR, field="Second Pair of Eyes"),
    )


def test_without_a_word_the_first_roles_decide_and_the_mediator_between_them(staffed):
    assert staffed.load().agreements[0].holds == HoldRule(
        approvers={INTERNAL: "service-owner", VENDOR: "delivery-manager"}, mediator="mediator"
    )


def test_a_mediator_alone_on_its_side_decides_for_it(folder):
    folder.replace(
        folder.acme,
        "comments:\n",
        "roles:\n  board: {side: internal, people: [a@example.com]}\n  desk: {side: vendor, groups: [desk]}\n"
        "holds: {mediator: board}\ncomments:\n",
    )
    holds = folder.load().agreements[0].holds
    assert holds == HoldRule(approvers={INTERNAL: "board", VENDOR: "desk"}, mediator="board")


def test_holds_with_everything(staffed):
    staffed.replace(
        staffed.acme,
        "comments:\n",
        "holds:\n  approvers: {internal: mediator, vendor: expert}\n  mediator: service-owner\n"
        "  expire: 14d\n  then: reject\ncomments:\n",
    )
    assert staffed.load().agreements[0].holds == HoldRule(
        approvers={INTERNAL: "mediator", VENDOR: "expert"},
        mediator="service-owner",
        expire=14 * 24 * HOUR,
        then="reject",
    )


def test_without_roles_nothing_is_named(folder):
    agreement = folder.load().agreements[0]
    assert (agreement.roles, agreement.holds, agreement.mode) == ((), HoldRule(), Mode.LIVE)
    assert all(not rule.may and rule.unentitled is None for rule in agreement.fields)


def test_rights_by_value_change_and_person(staffed):
    staffed.replace(
        staffed.acme,
        "    via: {vendor: {Done: [In Progress]}}",
        "    vendor-may: [Open, {to: Resolved, from: Open, by: [delivery-manager, chris]}]\n"
        "    internal-may: any\n    unentitled: revert",
    )
    assert may(staffed, "status") == {
        VENDOR: (Grant("Open"), Grant("Resolved", "Open", ("delivery-manager", "chris"))),
        INTERNAL: (Grant(),),
    }
    assert staffed.load().agreements[0].field("status").unentitled is Unentitled.REVERT


@pytest.mark.parametrize(
    ("text", "grants"),
    [
        ("any", (Grant(),)),
        ("none", ()),
        ("[{by: delivery-manager}]", (Grant(by=("delivery-manager",)),)),
        ("[{by: somebody@acme.example}]", (Grant(by=("somebody@acme.example",)),)),
        ("[{from: Low}]", (Grant(before="Low"),)),
        ('["*"]', (Grant(),)),
    ],
)
def test_rights_in_every_form(staffed, text, grants):
    staffed.replace(staffed.acme, "    owner: internal\n    values: {High", "    values: {High")
    staffed.replace(staffed.acme, "    otherwise: hold", f"    otherwise: hold\n    vendor-may: {text}")
    assert may(staffed, "priority") == {VENDOR: grants}


@pytest.mark.parametrize(
    "keys",
    [
        "{owner: internal, vendor-may: [P3], values: {P1: A, P3: C}}",  # exceptions to what an owner decides
        "{owner: internal, internal-may: [{by: service-owner}]}",  # which of the owner's people
        "{values: {High: P1}, otherwise: same, vendor-may: [Odd]}",  # the map lets it cross under its own name
        "{values: {High: P1}, otherwise: keep, internal-may: [Odd]}",  # it does not cross, and that is agreed
        "{values: {High: P1}, otherwise: {internal: Odd, vendor: P9}, vendor-may: [Odd]}",  # the stand-in
        "{values: {any: P1, none: P2}, vendor-may: [any, none]}",  # words that somebody does use
        "{vendor-may: [Whatever, {to: Else, from: Whatever}]}",  # without a map nobody knows the values
        "{vendor-may: [{to: A, by: expert}, {to: A, from: B}, {to: A, by: service-owner}]}",  # three rights
    ],
)
def test_rights_that_make_sense(staffed, keys):
    text = staffed.acme.read_text()
    start, end = text.index("  priority:"), text.index("  status:")
    staffed.acme.write_text(f"{text[:start]}  priority: {keys}\n{text[end:]}")
    assert may(staffed, "priority")


def test_members_of_a_set_have_rights_of_their_own(staffed):
    staffed.replace(staffed.acme, '{only: ["sev-*"]}', '{only: ["sev-*"], vendor-may: [sev-2, sev-3]}')
    assert may(staffed, "labels") == {VENDOR: (Grant("sev-2"), Grant("sev-3"))}


def test_one_status_that_nobody_may_set_is_the_one_where_tickets_start(staffed):
    staffed.replace(
        staffed.acme,
        "    via: {vendor: {Done: [In Progress]}}",
        "    vendor-may: [Resolved]\n    internal-may: [Closed]",
    )
    assert may(staffed, "status")


def test_a_login_may_be_somebody_on_each_side(staffed):
    staffed.replace(staffed.acme, "people: [bo@acme.example]", "people: [bo@acme.example, chris]")
    assert len(staffed.load().agreements[0].roles) == 5


def test_roles_of_one_side_are_enough_where_nothing_is_held_for_the_other(folder):
    folder.replace(folder.acme, "comments:\n", "roles:\n  desk: {side: vendor, groups: [desk]}\ncomments:\n")
    folder.replace(folder.acme, "{owner: internal}", "{owner: internal, unentitled: flag}")
    folder.replace(folder.acme, "    otherwise: hold", "    otherwise: hold\n    unentitled: revert")
    assert folder.load().agreements[0].holds.approvers == {VENDOR: "desk"}
    folder.replace(folder.acme, "unentitled: revert", "unentitled: hold")
    (problem,) = folder.problems()
    assert (problem.line, problem.path) == (folder.line(folder.acme, "roles:"), "roles")
    assert "the vendor side changes in 'priority' without a right to" in problem.message


@pytest.mark.parametrize("mode", Mode)
def test_modes(folder, mode):
    pilot = '\npilot: {tickets: [OPS-1, CUST-7], labels: ["pilot-*"]}' if mode is Mode.PILOT else ""
    folder.replace(folder.acme, "create: both", f"create: both\nmode: {mode}{pilot}")
    agreement = folder.load().agreements[0]
    assert agreement.mode is mode
    assert agreement.pilot == (Pilot(("OPS-1", "CUST-7"), ("pilot-*",)) if pilot else Pilot())


def test_a_kind_of_tracker_without_groups_and_project_roles(staffed):
    bare = {**BUILT_IN_KINDS, "jira-datacenter": replace(BUILT_IN_KINDS["jira-datacenter"], groups=False)}
    bare["jira-datacenter"] = replace(bare["jira-datacenter"], project_roles=())
    with pytest.raises(ConfigError) as caught:
        load(staffed.path, environ={}, secrets=False, kinds=bare)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (staffed.line(staffed.acme, "    groups:"), "roles.service-owner.groups"),
        (staffed.line(staffed.acme, "    project-roles:"), "roles.service-owner.project-roles"),
    ]
    assert all("under 'people'" in problem.fix for problem in caught.value.problems)


def test_the_fragments_on_the_page_fit_together(folder):
    parts = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[2:]
    starts = [part.split(":", 1)[0] for part in parts]
    assert {"fields", "roles", "mode"} <= set(starts)
    text = folder.acme.read_text()
    head = text[: text.index("fields:")]
    chosen = {
        start: part for start, part in zip(starts, parts, strict=True) if start in {"fields", "roles", "mode"}
    }
    chosen["fields"] += "  summary: {}\n"
    folder.acme.write_text(head + "".join(chosen.values()))
    agreement = folder.load().agreements[0]
    assert agreement.mode is Mode.PILOT
    assert [role.name for role in agreement.roles] == ["service-owner", "delivery-manager", "mediator"]
    assert agreement.field("status").may[VENDOR][2] == Grant(
        "Closed", "Resolved", ("delivery-manager", "bo@acme.example")
    )
