"""One pass for cron, and the live check before it: what they do, what they tell, what they end with."""

from __future__ import annotations

import json

import pytest

from bridge.daemon.once import sync_once
from bridge.daemon.preflight import inspect
from bridge.simulator import CustomField, Fault


def test_a_pass_tells_what_it_saw_and_wrote(world):
    for number in range(5):
        world.at_home().create("OPS", f"Ticket {number}")
    told = []
    done = world.sync()
    assert done.hits == 5
    assert len(done.reports) == 5
    assert done.writes == 15, "a ticket and two links each"
    world.settle()
    world.at_home().edit("OPS-1", summary="Again")
    done = sync_once(world.house, progress=lambda made, total: told.append((made, total)))
    assert told == [(1, 1)]
    assert [report.ending for report in done.reports] == ["synced"]


def test_a_pass_by_hand_ends_with_0_1_or_3(world):
    world.at_home().create("OPS", "Ticket")
    done = world.bridge("sync", "--once")
    assert (done.returncode, done.stdout) == (0, "1 links looked at, 3 writes, 0 parked\n")
    world.acme.faults.add(
        Fault("error", "POST", "/issue$", status=422, body={"errorMessages": ["No."], "errors": {}})
    )
    world.at_home().create("OPS", "Refused")
    done = world.bridge("sync", "--once", "--json")
    assert done.returncode == 1
    assert [one["reason"] for one in json.loads(done.stdout)["parked"]] == ["creating the ticket: No."]
    world.home.faults.add(Fault("drop", "POST", "/search", times=None))
    done = world.bridge("sync", "--once")
    assert done.returncode == 3
    assert "home: " in done.stderr


def test_one_side_that_cannot_be_polled_does_not_stop_the_other(world):
    world.at_acme().create("CUST", "From the vendor")
    world.home.faults.add(Fault("drop", "POST", "/search", times=4))
    done = world.sync()
    assert [one.tracker for one in done.failures] == ["home"]
    assert done.hits == 1
    world.settle()
    assert world.judge() == 1


@pytest.mark.parametrize("right", ["Create issues", "Add comments", "Transition issues", "Edit issues"])
def test_a_right_that_the_account_lacks_is_told_with_the_line_of_the_project(world, right):
    world.acme.site.revoke("bridge", right.upper().replace(" ", "_"))
    problem = inspect(world.house.terms).problems[0]
    assert problem.line == 4
    assert f"lacks the right {right} in CUST" in problem.message
    assert "administrator of 'acme'" in problem.fix


def test_a_required_field_that_nothing_fills_is_told_with_a_value_that_would_do(world):
    severity = CustomField("customfield_10999", "Tier", "select", (("1", "Gold"),), required=True)
    world.acme.site.custom[severity.id] = severity
    (problem,) = inspect(world.house.terms).problems
    assert "must have 'Tier', which nothing fills" in problem.message
    assert problem.fix.endswith("e.g. Tier: Gold")


def test_a_selection_that_the_tracker_refuses_is_told_in_its_own_words(world):
    path = world.folder / "agreements" / "acme.yaml"
    path.write_text(
        path.read_text().replace("company: Example Corp", 'company: Example Corp, select: "nonsense = 1"')
    )
    (problem,) = inspect(world.house.terms).problems
    assert (problem.line, problem.path) == (3, "internal.select")
    assert "nonsense" in problem.message


def test_values_without_a_pair_are_a_remark_and_no_mistake(world):
    found = inspect(world.house.terms)
    assert found.problems == ()
    (remark,) = [one for one in found.remarks if "the internal side also has 'Sub-task'" in one.message]
    assert "will not cross" in remark.message
