"""What the live check finds in deliberately wrong projects: each with file, line and fix, on Data Center and Cloud.

The organisation's side of the world is a Data Center, the vendor's a Cloud. Lines are told by a word that is in them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from world import FIELDS, World, open_world

from bridge.clock import SystemClock
from bridge.daemon.checking.report import Check, Finding, Place
from bridge.daemon.preflight import inspect, require
from bridge.errors import ConfigError, Unauthorised
from bridge.simulator import make_acme, make_home
from bridge.simulator.model import Project, Transition
from bridge.simulator.presets import EXTERNAL_ID
from bridge.simulator.state import real_clock
from bridge.sync.ticket import Side

PROJECTS = {Side.INTERNAL: "OPS", Side.VENDOR: "CUST"}
SIDES = pytest.mark.parametrize("side", list(Side))
HELD_PEOPLE = FIELDS.replace("assignee: {otherwise: keep}", "assignee: {}")


def lint(world: World, check: Check, words: str) -> Finding:
    """The one finding of a kind that says so."""
    every = inspect(world.house.terms).findings
    found = [one for one in every if one.check is check and words in one.problem.message]
    assert len(found) == 1, [str(one.problem) for one in every]
    return found[0]


def quiet(world: World, check: Check) -> bool:
    """Whether a kind of check found nothing anywhere."""
    return not [one for one in inspect(world.house.terms).findings if one.check is check]


def stands_at(world: World, finding: Finding, words: str, file: str = "agreements/acme.yaml") -> bool:
    """Whether a finding points at the first line of a file that holds these words."""
    path = world.folder / file
    lines = path.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if words in text)
    assert (finding.problem.file, finding.problem.line) == (str(path), line)
    return True


def server(world: World, side: Side):
    """The simulator of a side."""
    return world.home if side is Side.INTERNAL else world.acme


def project(world: World, side: Side) -> Project:
    """The mirrored project of a side."""
    return server(world, side).site.projects[PROJECTS[side]]


def person(world: World, side: Side):
    """Somebody who works on a side."""
    return world.at_home() if side is Side.INTERNAL else world.at_acme()


MORE = """
attachments: {cross: both}
worklogs: {cross: both}
relations: {links: {Blocks: Blocks}}
comments: {cross: public}
"""


RIGHTS = [
    ("CREATE_ISSUES", "to mirror the {other} side's tickets", "{side}: {{tracker"),
    ("EDIT_ISSUES", "to keep summary, description, type and 4 more fields equal", "{side}: {{tracker"),
    ("TRANSITION_ISSUES", "to follow the status", "{side}: {{tracker"),
    ("ASSIGN_ISSUES", "to set the assignee", "{side}: {{tracker"),
    ("ADD_COMMENTS", "for the {other} side's comments and to tell that the peer", "{side}: {{tracker"),
    ("EDIT_OWN_COMMENTS", "to follow comments that are edited", "{side}: {{tracker"),
    ("DELETE_OWN_COMMENTS", "to take back comments that are deleted", "{side}: {{tracker"),
    ("LINK_ISSUES", "for the link to the peer and for links between tickets", "{side}: {{tracker"),
    ("CREATE_ATTACHMENTS", "for the {other} side's files", "attachments:"),
    ("DELETE_OWN_ATTACHMENTS", "to take back files that are deleted", "attachments:"),
    ("WORK_ON_ISSUES", "for the {other} side's worklogs", "worklogs:"),
    ("EDIT_OWN_WORKLOGS", "to follow worklogs that are edited", "worklogs:"),
    ("DELETE_OWN_WORKLOGS", "to take back worklogs that are deleted", "worklogs:"),
]


@SIDES
def test_a_missing_right_is_told_with_what_it_is_needed_for(tmp_path, side):
    with open_world(tmp_path, more=MORE) as world:
        for right, _, _ in RIGHTS:
            server(world, side).site.revoke("bridge", right)
        lacking = [one for one in inspect(world.house.terms).findings if one.check is Check.RIGHTS]
        assert len(lacking) == len(RIGHTS)
        for right, purpose, line in RIGHTS:
            shown = right.replace("_", " ").capitalize()
            words = f"lacks the right {shown} in {PROJECTS[side]}, which it needs {purpose.format(other=side.other)}"
            (found,) = [one for one in lacking if words in one.problem.message]
            assert found.mistake
            assert found.problem.fix == f"ask the administrator of '{found.place.tracker}' to grant it"
            assert stands_at(world, found, line.format(side=side))


def test_a_right_that_the_agreement_has_no_use_for_may_be_missing(tmp_path):
    fields = FIELDS.replace("summary: {}", "summary: {owner: vendor}")
    with open_world(
        tmp_path, fields=fields, create="to-vendor", more="comments: {cross: to-vendor}\ndeleted: keep"
    ) as world:
        for right in ("CREATE_ATTACHMENTS", "WORK_ON_ISSUES"):
            world.home.site.revoke("bridge", right)
            world.acme.site.revoke("bridge", right)
        for right in ("CREATE_ISSUES", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS"):
            world.home.site.revoke("bridge", right)
        assert quiet(world, Check.RIGHTS)


@SIDES
def test_a_site_that_takes_no_files_is_told_where_files_are_to_cross(tmp_path, side):
    with open_world(tmp_path, more="attachments: {cross: both}") as world:
        server(world, side).site.attachments_enabled = False
        found = lint(world, Check.RIGHTS, "the whole site has them switched off")
        assert found.mistake
        assert stands_at(world, found, "attachments:")


@SIDES
def test_an_account_that_may_look_nobody_up_is_remarked_and_keeps_nobody_from_starting(tmp_path, side):
    with open_world(tmp_path) as world:
        server(world, side).site.revoke("bridge", "USER_PICKER")
        found = lint(world, Check.RIGHTS, "to find the people of the people map")
        assert not found.mistake
        assert stands_at(world, found, "people:")
        require(world.house.terms)


@SIDES
@pytest.mark.parametrize(
    ("seconds", "said", "mistake"),
    [(0, None, False), (-42, "4# seconds behind", False), (3_600, "## minutes ahead of", True)],
)
def test_a_clock_that_is_off_is_told_with_what_it_does_to_us(tmp_path, side, seconds, said, mistake):
    def off() -> int:
        return real_clock() + 1000 * seconds

    home, acme = (make_home(off), None) if side is Side.INTERNAL else (None, make_acme(off))
    with open_world(tmp_path, home, acme) as world:
        if said is None:
            assert quiet(world, Check.CLOCK)
            return
        name = "home" if side is Side.INTERNAL else "acme"
        found = lint(world, Check.CLOCK, f"the clock of '{name}' is")
        assert said.split(" ", 1)[1] + " ours" in found.problem.message
        assert "the later change may be taken for the earlier one" in found.problem.message
        assert "time server (NTP)" in found.problem.fix
        assert stands_at(world, found, f"{name}: {{kind", "bridge.yaml")
        assert found.mistake is mistake
        if mistake:
            assert "may be made twice" in found.problem.message
            with pytest.raises(ConfigError, match="clock of"):
                require(world.house.terms)


@SIDES
def test_dates_in_a_selection_are_read_in_the_zone_of_the_account(tmp_path, side):
    with open_world(tmp_path) as world:
        path = tmp_path / "agreements" / "acme.yaml"
        project_key = f"project: {PROJECTS[side]}"
        chosen = f"{project_key}, select: 'updated >= \"2026-01-01\"'"
        path.write_text(path.read_text().replace(project_key, chosen))
        site = server(world, side).site
        assert quiet(world, Check.PROJECT), "in UTC there is nothing to misunderstand"
        me = site.person("bridge")
        site.users[me.id] = replace(me, time_zone="America/New_York")
        found = lint(world, Check.PROJECT, "in the time zone of our account, America/New_York")
        assert not found.mistake
        assert "mean that zone" in found.problem.fix
        assert stands_at(world, found, f"{side}: {{tracker")


@SIDES
def test_a_create_screen_without_labels_has_no_room_for_our_mark(tmp_path, side):
    with open_world(tmp_path) as world:
        shown = frozenset(
            {"summary", "description", "issuetype", "project", "priority", "duedate", "assignee"}
        )
        project(world, side).create_screen = shown
        every = [one for one in inspect(world.house.terms).findings if one.check is Check.MARK]
        assert (
            "the create screen of 'Bug' has no labels, and the bridge's mark is one"
            in every[0].problem.message
        )
        assert every[0].problem.fix == "put the field Labels on the create screen of 'Bug'"
        assert all(one.mistake and stands_at(world, one, f"{side}: {{tracker") for one in every)
        found = lint(world, Check.CREATION, "does not show 'labels': new tickets come without it")
        assert not found.mistake
        assert found.problem.fix == "put the field on the create screen"
        assert stands_at(world, found, "labels: {rule")


@SIDES
def test_a_required_field_is_filled_under_its_id_as_well(tmp_path, side):
    with open_world(tmp_path) as world:
        site = server(world, side).site
        site.custom[EXTERNAL_ID] = replace(site.custom[EXTERNAL_ID], required=True)
        found = lint(world, Check.CREATION, "must have 'External id', which nothing fills")
        assert found.mistake
        assert "map the field, or add it to on-create" in found.problem.fix
        assert stands_at(world, found, f"{side}: {{tracker")
        path = tmp_path / "agreements" / "acme.yaml"
        rule = f"  reference: {{internal: {EXTERNAL_ID}, vendor: {EXTERNAL_ID}}}\n"
        path.write_text(path.read_text().replace("  due: {}\n", f"  due: {{}}\n{rule}"))
        world.restart()
        assert quiet(world, Check.CREATION)
        assert quiet(world, Check.FIELDS)


def cut(world: World, side: Side, *steps: str) -> None:
    """Take steps out of a project's workflow."""
    one = project(world, side)
    kept = tuple(step for step in one.workflow.transitions if step.id not in steps)
    one.workflow = replace(one.workflow, transitions=kept)


def spread(world: World, side: Side) -> None:
    """One ticket in each status of a project, and none that nothing has happened to."""
    one, people = project(world, side), person(world, side)
    site = server(world, side).site
    for status in site.statuses:
        key = people.create(PROJECTS[side], f"In {status}")
        ticket = next(issue for issue in site.issues.values() if issue.key == key)
        ticket.status = status
        people.edit(key, summary=f"In {status}, edited")
    assert one.workflow.transitions


@SIDES
def test_a_status_that_no_step_leads_to_is_told_once_all_steps_were_seen(tmp_path, side):
    goal, step = ("In Progress", "4") if side is Side.INTERNAL else ("Done", "31")
    with open_world(tmp_path) as world:
        cut(world, side, step)
        place = Place("home" if side is Side.INTERNAL else "acme", "acme", side)
        assert "no ticket in" in inspect(world.house.terms).unseen[place, Check.WORKFLOW]
        person(world, side).create(PROJECTS[side], "Only one")
        some = inspect(world.house.terms)
        assert some.found(place, Check.WORKFLOW) == 0, "there may be a way that nobody has seen"
        spread(world, side)
        found = lint(world, Check.WORKFLOW, f"no step leads to '{goal}' for tickets of the type 'Task'")
        assert not found.mistake, "what tickets there are is no reason not to start"
        assert f"({PROJECTS[side]}-" in found.problem.message
        assert "pair another status" in found.problem.fix
        assert found.problem.path.startswith("fields.status.values.")
        assert stands_at(world, found, "values: {Open")


def test_a_step_that_asks_for_what_nothing_gives_is_told(tmp_path):
    fields = FIELDS.replace("    fill: {internal: {Resolved: {resolution: Fixed}}}\n", "")
    with open_world(tmp_path, fields=fields) as world:
        one = project(world, Side.VENDOR)
        review = next(step for step in one.workflow.transitions if step.id == "21")
        steps = tuple(
            replace(step, screen=((EXTERNAL_ID, True),)) if step is review else step
            for step in one.workflow.transitions
        )
        one.workflow = replace(one.workflow, transitions=steps)
        spread(world, Side.INTERNAL)
        spread(world, Side.VENDOR)
        asked = lint(world, Check.WORKFLOW, "to 'Resolved' asks for 'Resolution'")
        assert "the step 'Resolve Issue' from '" in asked.problem.message
        assert asked.problem.fix == "add to status fill: {internal: {Resolved: {Resolution: ...}}}"
        assert stands_at(world, asked, "values: {Open")
        waypoint = lint(world, Check.WORKFLOW, "to 'In Review' asks for 'External id'")
        assert waypoint.problem.fix == "add to status fill: {vendor: {In Review: {External id: ...}}}"
        assert stands_at(world, waypoint, "via: {vendor")


@SIDES
def test_a_type_whose_workflow_lacks_a_status_is_told(tmp_path, side):
    with open_world(tmp_path) as world:
        one, site = project(world, side), server(world, side).site
        bug = next(kind.id for kind in site.types.values() if kind.name == "Bug")
        first, second = ("1", "3") if side is Side.INTERNAL else ("10000", "10001")
        there = Transition("900", "Go", second, frozenset({first}))
        one.workflows[bug] = replace(one.workflow, transitions=(there,))
        goal = "Resolved" if side is Side.INTERNAL else "Done"
        found = lint(world, Check.WORKFLOW, f"tickets of the type 'Bug' cannot be '{goal}'")
        assert "pair a status that all types have" in found.problem.fix
        assert stands_at(world, found, "values: {Open")


@SIDES
def test_people_who_are_not_there_are_told(tmp_path, side):
    with open_world(tmp_path) as world:
        assert quiet(world, Check.PEOPLE)
        name = "ann" if side is Side.INTERNAL else "bo"
        path = tmp_path / "agreements" / "acme.yaml"
        path.write_text(path.read_text().replace(f"{side}: {name}@", f"{side}: nobody@"))
        world.restart()
        found = lint(
            world, Check.PEOPLE, f"answers to 'nobody@{'home' if name == 'ann' else 'acme'}.example'"
        )
        assert not found.mistake
        assert found.problem.path == f"people[0].{side}"
        assert "name a login, an id or the whole mail address" in found.problem.fix
        assert stands_at(world, found, "people:")


def test_somebody_who_has_left_is_told(tmp_path):
    with open_world(tmp_path) as world:
        path = tmp_path / "agreements" / "acme.yaml"
        site = world.acme.site
        boss = site.person("bo")
        path.write_text(path.read_text().replace("bo@acme.example", boss.id))
        for one in (boss, world.home.site.person("ann")):
            users = site.users if one is boss else world.home.site.users
            users[one.id] = replace(one, active=False)
        for handle, tracker in ((boss.id, "acme"), ("ann@home.example", "home")):
            found = lint(world, Check.PEOPLE, f"the account '{handle}' on '{tracker}' was deactivated")
            assert found.problem.fix == "name whoever has taken over"
            assert stands_at(world, found, "people:")


ROLES = """
roles:
  owner:
    side: internal
    field: Contakt
    people: [ann@home.example, ghost@home.example]
    groups: [ops-leads]
"""


def test_the_people_fields_and_groups_of_roles_are_looked_at_too(tmp_path):
    with open_world(tmp_path, more=ROLES) as world:
        ghost = lint(world, Check.PEOPLE, "answers to 'ghost@home.example'")
        assert (ghost.mistake, ghost.problem.path) == (False, "roles.owner.people[1]")
        assert stands_at(world, ghost, "ghost@home.example")
        misspelt = lint(world, Check.FIELDS, "the tracker 'home' has no field 'Contakt'")
        assert misspelt.mistake
        assert misspelt.problem.fix == "did you mean 'Contact'?"
        assert stands_at(world, misspelt, "field: Contakt")
        group = lint(world, Check.PEOPLE, "'home' does not tell who is in the group 'ops-leads'")
        assert group.mistake, "the daemon would wait for a roster that it never learns"
        assert "check the name" in group.problem.fix
        assert stands_at(world, group, "groups: [ops-leads]")


def test_a_role_that_is_to_hide_private_comments_and_is_not_there_is_told(tmp_path):
    with open_world(tmp_path, more="comments: {cross: public, private: as-private}") as world:
        path = tmp_path / "agreements" / "acme.yaml"
        text = path.read_text().replace(
            "company: Example Corp", "company: Example Corp, private-role: Wizards"
        )
        path.write_text(text.replace("company: Acme", "company: Acme, private-group: staff"))
        found = lint(world, Check.PEOPLE, "'home' does not tell who is in the project role 'Wizards' of OPS")
        assert found.mistake
        assert "check the name" in found.problem.fix
        assert stands_at(world, found, "internal: {tracker")


def test_a_token_that_expires_is_told_at_its_line(tmp_path):
    with open_world(tmp_path) as world:
        path = tmp_path / "bridge.yaml"
        path.write_text(
            path.read_text().replace("{secret: acme_token}", "{secret: acme_token}, expires: 2020-01-31")
        )
        found = lint(world, Check.LOGIN, "the token expired ")
        assert not found.mistake
        assert "make a new one in time" in found.problem.fix
        assert stands_at(world, found, "acme: {kind", "bridge.yaml")


def test_rights_to_write_are_no_reason_not_to_observe(tmp_path):
    with open_world(tmp_path, more="mode: observe") as world:
        world.acme.site.revoke("bridge", "CREATE_ISSUES")
        assert not lint(world, Check.RIGHTS, "lacks the right Create issues in CUST").mistake
        path = tmp_path / "agreements" / "acme.yaml"
        path.write_text(path.read_text().replace("mode: observe", "mode: live"))
        world.restart()
        assert lint(world, Check.RIGHTS, "lacks the right Create issues in CUST").mistake


def test_who_holds_tickets_without_a_pair_is_told_where_that_will_be_held(tmp_path):
    with open_world(tmp_path, fields=HELD_PEOPLE) as world:
        world.at_home().create("OPS", "Ann's", assignee={"name": "ann"})
        assert quiet(world, Check.PEOPLE)
        world.at_home().create("OPS", "Ivan's", assignee={"name": "ivan"})
        found = lint(
            world, Check.PEOPLE, "tickets in OPS are assigned to 'Ivan Duty', whom no pair under 'people'"
        )
        assert "pair them, or say under otherwise" in found.problem.fix
        assert stands_at(world, found, "people:")
        assert not found.mistake


@SIDES
def test_values_that_would_cross_as_they_are_and_be_refused_are_told(tmp_path, side):
    with open_world(tmp_path) as world:
        path = tmp_path / "agreements" / "acme.yaml"
        lax = "priority: {values: {Highest: P1, High: P2, Medium: P3}, otherwise: same}"
        text = path.read_text()
        line = next(one for one in text.splitlines() if "priority:" in one)
        path.write_text(text.replace(line.strip(), lax))
        values = "'Low', 'Lowest'" if side is Side.INTERNAL else "'P4'"
        found = lint(
            world, Check.VALUES, f"the {side} side also has {values}, which the {side.other} side does not"
        )
        assert found.problem.fix == "pair them"
        assert stands_at(world, found, "priority:")


def test_a_dead_tracker_hides_nothing_of_the_other(tmp_path):
    with open_world(tmp_path) as world:
        world.acme.site.revoke("bridge", "ADD_COMMENTS")
        world.home.site.tokens.pop("bridge-token")
        found = inspect(world.house.terms, SystemClock())
        assert list(found.failures) == ["home"]
        assert isinstance(found.failures["home"], Unauthorised)
        (lacking,) = found.problems
        assert "lacks the right Add comments in CUST" in lacking.message
        with pytest.raises(ConfigError, match="Add comments"):
            require(world.house.terms)
        said = world.typed("check")
        assert said.returncode == 3
        assert "lacks the right Add comments in CUST" in said.stdout
        assert "not reached: home: " in said.stdout
        told = json.loads(world.typed("check", "--json").stdout)
        assert [one["tracker"] for one in told["unreachable"]] == ["home"]
        unseen = {(one["tracker"], one["agreement"]) for one in told["checks"] if one["unseen"]}
        assert {("home", None), ("home", "acme")} <= unseen
        world.acme.site.restore("bridge", "ADD_COMMENTS")
        with pytest.raises(Unauthorised):
            require(world.house.terms)


def test_the_table_tells_what_was_looked_at_and_the_code_what_came_of_it(tmp_path):
    fields = FIELDS.replace("type: {values", "type: {otherwise: keep, values")
    with open_world(tmp_path, fields=fields) as world:
        fine = world.typed("check")
        assert (fine.returncode, fine.stderr) == (0, "")
        header, home, acme, internal, *_ = fine.stdout.splitlines()
        assert header.split("  ")[-1] == "people"
        assert (home.split(), acme.split()) == (["home", "ok", "ok"], ["acme", "ok", "ok"])
        assert internal.split() == ["acme,", "internal", "(home)", *["ok"] * 5, "?", "ok", "ok"]
        assert "? workflow of acme, internal (home): no ticket in OPS yet" in fine.stdout
        world.acme.site.revoke("bridge", "ADD_COMMENTS")
        wrong = world.typed("check")
        assert wrong.returncode == 1
        path = str(tmp_path / "agreements" / "acme.yaml")
        assert f"mistake: {path}:4: vendor.project: our account lacks the right Add comments" in wrong.stdout
        told = json.loads(world.typed("check", "--json").stdout)
        (mistake,) = told["mistakes"]
        assert (mistake["file"], mistake["line"], mistake["check"]) == (path, 4, "rights")
        assert (mistake["tracker"], mistake["agreement"], mistake["side"]) == ("acme", "acme", "vendor")
        cells = {(one["side"], one["check"]): one["findings"] for one in told["checks"]}
        assert (cells["vendor", "rights"], cells["internal", "rights"]) == (1, 0)
        (tmp_path / "bridge.yaml").write_text("trackers: {}\n")
        assert world.typed("check", "--json").returncode == 2


def test_offline_asks_nobody(tmp_path):
    with open_world(tmp_path) as world:
        world.acme.site.revoke("bridge", "ADD_COMMENTS")
        asked = (world.acme.calls.last, world.home.calls.last)
        said = world.typed("check", "--offline")
        assert said.returncode == 0
        assert said.stdout == "the files are in order: 2 trackers, agreements: acme\n"
        assert (world.acme.calls.last, world.home.calls.last) == asked


def test_a_start_does_not_ask_what_only_remarks_come_from(tmp_path):
    with open_world(tmp_path) as world:
        world.at_home().create("OPS", "There")
        before = world.home.calls.last
        require(world.house.terms)
        paths = [one.path for one in world.home.calls.since(before)]
        assert not [path for path in paths if "/transitions" in path or "/user" in path]
        assert Path(world.house.terms.settings.file).name == "bridge.yaml"
