"""A plan in a file, and carrying it out: exactly what was planned, line by line, or nothing."""

from __future__ import annotations

import json
import os
import stat
import time
from collections import Counter
from pathlib import Path

import pytest
from holding_world import holds, letters, linked, notes, roles_world
from test_real_issues import FIELDS as REAL_FIELDS
from world import FIELDS, open_world

from bridge.daemon.applying import carry_out
from bridge.daemon.brakes import pull
from bridge.daemon.foresee import foresee
from bridge.daemon.planfile import load, save
from bridge.simulator import Fault, make_acme, make_home
from bridge.simulator import load as load_issues
from bridge.simulator import read as read_issues
from bridge.sync.brakes import Cause


def planned(world, *more):
    """Save a plan; the file and its lines."""
    path = world.folder / "plan.jsonl"
    done = world.typed("plan", "-o", str(path), *more)
    assert done.returncode == 1, done.stderr
    heading, *lines = [json.loads(row) for row in path.read_text().splitlines()]
    assert heading["lines"] == len(lines)
    return path, lines


def applied(world, path):
    """Carry a plan out; the exit code and what was told, as JSON."""
    done = world.typed("apply", str(path), "--json")
    return done.returncode, json.loads(done.stdout)


def writes(world):
    """All writes of the bridge so far."""
    return [call for call in world.calls() if call.kind == "write"]


@pytest.mark.slow
def test_of_a_plan_for_250_tickets_all_is_carried_out_but_what_was_changed_behind_its_back(tmp_path):
    home, folder = make_home(), os.environ.get("BRIDGE_DATA")
    if folder:
        load_issues(home, read_issues(Path(folder) / "apache-issues.jsonl"), project="OPS")
    fields = REAL_FIELDS if folder else FIELDS
    with open_world(tmp_path, home, make_acme(), fields=fields, create="to-vendor") as world:
        ann, path = world.at_home("admin"), tmp_path / "plan.jsonl"
        for number in range(0 if folder else 250):
            ann.comment(ann.create("OPS", f"Ticket {number}", description=f"Words {number}"), "Said of it.")
        save(path, {}, [one.line for one in foresee(world.house, firm=True) if one.line is not None])
        assert writes(world) == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        lines = load(path)
        assert len(lines) == 250
        changed = lines[100].internal
        ann.edit(changed.key, summary="Changed behind its back")
        outcomes = list(carry_out(world.house, lines))
        ends = Counter(one.result for one in outcomes)
        assert ends == {"done": 249, "refused": 1}, [one.reason for one in outcomes if one.reason]
        (refused,) = [one for one in outcomes if one.result == "refused"]
        assert refused.line.internal == changed
        assert refused.reason == "the internal ticket has changed since: summary"
        # No write at all is about another ticket than those of the plan, and none about the refused one.
        assert len(world.acme.site.issues) == 249
        assert len(writes(world)) >= sum(one.writes for one in outcomes) > 3 * 249
        assert touched(world.home) == {one.internal.key for one in lines} - {changed.key}
        assert touched(world.acme) == {link.vendor_key for link in world.links()} | {""}
        assert sum(call.path.endswith("/issue") for call in writes(world)) == 249
        # The second time there is nothing left to do, and what was refused is refused again.
        before = writes(world)
        again = Counter((one.result, one.writes) for one in carry_out(world.house, lines))
        assert again == {("already", 0): 249, ("refused", 0): 1}
        assert writes(world) == before


def touched(server):
    """The keys of the tickets that the bridge has written to; "" for a call that names none."""
    keys = {str(one.id): one.key for one in server.site.issues.values()}
    found = set()
    for call in server.calls.since(0):
        if call.user == "bridge" and call.kind == "write":
            names = [part for part in call.path.split("/") if part in keys or part in keys.values()]
            found.add(keys.get(names[0], names[0]) if names else "")
    return found


@pytest.fixture
def observing(tmp_path):
    """A world whose agreement only observes."""
    with open_world(tmp_path, more="mode: observe") as world:
        yield world


@pytest.fixture
def hasty(tmp_path):
    """The same, and a lost write is soon known not to have come."""
    with open_world(tmp_path, more="mode: observe", tracker="read-timeout: 3s") as world:
        yield world


def three(world):
    """Three mirrored pairs, by plan and apply."""
    ann = world.at_home()
    keys = [ann.create("OPS", f"Ticket {number}", description="Long words") for number in range(3)]
    ann.comment(keys[0], "Said before it was mirrored")
    ann.move(keys[1], "In Progress")
    path, lines = planned(world)
    assert len(lines) == 3
    status, told = applied(world, path)
    assert (status, told["done"]) == (0, 3), told
    return keys, [world.peer(key) for key in keys]


def test_what_was_planned_is_carried_out_though_the_agreement_only_observes(observing):
    world = observing
    ann, bo = world.at_home(), world.at_acme()
    keys, peers = three(world)
    assert bo.field(peers[1], "status") == "In Progress", "what follows from a creation is part of its line"
    assert len(bo.comments(peers[0])) == 1
    assert world.judge() == 3
    assert world.typed("plan").returncode == 0, "nothing is left to do"
    ann.edit(keys[0], summary="Not for the file: SECRET-1", priority={"name": "High"})
    bo.comment(peers[0], "Not for the file: SECRET-2")
    bo.move(peers[2], "In Progress")
    path, lines = planned(world)
    assert "SECRET" not in path.read_text()
    said = [action["what"] for line in lines for action in line["actions"]]
    assert "summary: (text) -> (text) (changed); priority: P3 -> P2 (changed)" in said
    assert "status: Open -> In Progress (changed)" in said
    before = writes(world)
    world.sync()
    world.restart()  # which lets go of the database
    assert writes(world) == before, "the daemon's own work goes on observing"
    status, told = applied(world, path)
    assert (status, told["done"], told["writes"]) == (0, 2, 3)
    assert world.judge() == 3
    before = writes(world)
    status, told = applied(world, path)
    assert (status, told["done"], told["already"], told["writes"]) == (0, 0, 2, 0)
    assert writes(world) == before
    assert [one["event"] for one in world.journal(keys[2])].count("plan.applied") == 2


def test_each_line_that_cannot_be_carried_out_says_why_and_the_others_are(observing):
    world = observing
    ann, bo = world.at_home(), world.at_acme()
    keys, peers = three(world)
    for key in keys:
        ann.edit(key, duedate="2027-03-01")
    new = [ann.create("OPS", f"New {number}") for number in range(2)]
    path, lines = planned(world)
    assert len(lines) == 5
    bo.comment(peers[0], "Said since")
    bo.edit(peers[0], summary="Changed since")
    world.typed("unlink", keys[1])
    refusal = {"errorMessages": [], "errors": {"duedate": "Not on Sundays."}}
    world.acme.faults.add(
        Fault("error", "PUT", "/issue/", body_regex="duedate", times=None, status=400, body=refusal)
    )
    world.acme.faults.add(Fault("error", "POST", "/issue$", body_regex="New 1", status=422, body=refusal))
    status, told = applied(world, path)
    assert (status, told["done"], told["refused"]) == (1, 1, 4)
    why = {line["internal"]: line["reason"] for line in told["lines"]}
    assert why == {
        keys[0]: "the vendor ticket has changed since: comments, summary",
        keys[1]: "its link has ended",
        keys[2]: "setting due: due: Not on Sundays.",
        new[0]: "",
        new[1]: "creating the ticket: duedate: Not on Sundays.",
    }
    assert bo.field(peers[1], "duedate") is None
    assert ann.field(keys[0], "summary") == "Ticket 0"
    # Another plan by now, and nothing of it was planned.
    world.acme.faults.clear()
    text = world.typed("apply", str(path)).stdout
    assert (
        f"acme  {keys[2]} = {peers[2]}  refused: its link is parked: setting due: due: Not on Sundays."
        in text
    )
    assert text.endswith("0 done, 4 refused, 1 done already; 0 writes\n")


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("apply-then-drop", "POST", "/issue$"),
        ("apply-then-drop", "POST", "/comment$"),
        ("apply-then-drop", "POST", "/transitions$"),
        ("drop", "POST", "/transitions$"),
        ("throttle", "POST", "/comment$"),
        ("error", "POST", "/comment$"),
    ],
)
def test_a_line_whose_write_has_no_clear_answer_is_finished_all_the_same(hasty, kind, method, path):
    world = hasty
    ann = world.at_home()
    key = ann.create("OPS", "New", description="Words")
    ann.comment(key, "Said before it was mirrored")
    ann.comment(key, "And this")
    ann.move(key, "In Progress")
    world.typed("plan", "-o", str(world.folder / "plan.jsonl"))
    lines = load(world.folder / "plan.jsonl")
    status = 503 if kind == "error" else 0
    fault = world.acme.faults.add(Fault(kind, method, path, status=status))
    (outcome,) = carry_out(world.house, lines)
    assert fault.fired == 1
    assert (outcome.result, outcome.reason) == ("done", "")
    bo, peer = world.at_acme(), world.peer(key)
    assert len(world.acme.site.issues) == 1
    assert bo.field(peer, "status") == "In Progress"
    assert len(bo.comments(peer)) == 2
    assert [one["event"] for one in world.journal(key)].count("plan.applied") == 1
    (again,) = carry_out(world.house, lines)
    assert (again.result, again.writes) == ("already", 0)


def test_a_tracker_that_cannot_be_read_for_a_moment_is_waited_for(observing):
    world = observing
    keys = [world.at_home().create("OPS", f"New {number}") for number in range(2)]
    world.typed("plan", "-o", str(world.folder / "plan.jsonl"))
    lines = load(world.folder / "plan.jsonl")
    attempts = 4 * len(keys)  # a read that is in vain, for each line
    fault = world.home.faults.add(Fault("error", "*", "/(search|issue)", times=attempts, status=503))
    assert [(one.result, one.reason) for one in carry_out(world.house, lines)] == [("done", "")] * 2
    assert fault.fired == attempts
    assert world.judge() == 2


def test_what_is_left_of_a_change_after_a_lost_answer_is_only_what_was_reviewed(observing):
    world = observing
    ann, bo = world.at_home(), world.at_acme()
    keys, peers = three(world)
    ann.comment(keys[0], "One more")
    ann.move(keys[0], "In Progress")
    ann.comment(keys[1], "One more")
    world.typed("plan", "-o", str(world.folder / "plan.jsonl"))
    lines = load(world.folder / "plan.jsonl")
    world.acme.faults.add(Fault("apply-then-drop", "POST", "/comment$"))
    world.acme.faults.add(Fault("apply-then-drop", "POST", "/transitions$"))
    assert [one.result for one in carry_out(world.house, lines)] == ["done", "done"]
    assert bo.field(peers[0], "status") == "In Progress"
    assert [len(bo.comments(peer)) for peer in peers] == [2, 1, 0]
    assert world.judge() == 3


def test_a_plan_made_under_other_terms_or_of_a_ticket_that_is_out_of_scope_is_refused(tmp_path):
    with open_world(tmp_path, select="labels = shared", more="mode: observe") as world:
        ann = world.at_home()
        kept, taken = (ann.create("OPS", name, labels=["shared"]) for name in ("Kept", "Taken out"))
        path, lines = planned(world)
        assert [line["internal"]["key"] for line in lines] == [kept, taken]
        file = tmp_path / "agreements" / "acme.yaml"
        terms = file.read_text()
        file.write_text(terms.replace("due: {}", "due: {owner: vendor}"))
        status, told = applied(world, path)
        assert (status, told["refused"]) == (1, 2)
        assert {line["reason"] for line in told["lines"]} == {
            "the terms of agreement 'acme' have changed since"
        }
        # Its mode says who may write, not what was agreed.
        file.write_text(terms.replace("mode: observe", "mode: live"))
        ann.edit(taken, labels=[])
        time.sleep(1.5)  # until the search knows it
        status, told = applied(world, path)
        assert [(line["internal"], line["result"], line["reason"]) for line in told["lines"]] == [
            (kept, "done", ""),
            (taken, "refused", "the internal ticket is not in the agreement's scope any more"),
        ]
        assert len(world.acme.site.issues) == 1


def test_a_parent_that_the_same_plan_mirrors_is_left_for_the_next_plan(tmp_path):
    fields = FIELDS.replace("Task: Task", "Task: Task, Sub-task: Task")
    with open_world(tmp_path, fields=fields, more="relations: {parent: true}\nmode: observe") as world:
        ann = world.at_home()
        parent = ann.create("OPS", "Parent")
        child = ann.create("OPS", "Child", kind="Sub-task", parent={"key": parent})
        path, _ = planned(world)
        status, told = applied(world, path)
        assert (status, told["done"]) == (0, 2), [line["reason"] for line in told["lines"]]
        text = world.typed("plan").stdout
        assert f"make it a part of {world.peer(parent)}" in text
        assert world.peer(child)


def test_a_file_that_is_no_whole_plan_is_refused_as_a_whole(observing):
    world = observing
    for number in range(3):
        world.at_home().create("OPS", f"Ticket {number}")
    path, _ = planned(world)
    rows = path.read_text().splitlines(keepends=True)
    newer = json.dumps({**json.loads(rows[0]), "version": 2}) + "\n"
    for text, said in (
        ("".join(rows[:-1]), "is cut off: 2 of 3 lines are there"),
        ("".join(rows)[:-40], "is not a plan, or is cut off"),
        ("".join([newer, *rows[1:]]), "has version 2; this program reads version 1"),
        ('{"a": 1}\n', "is not a plan of 'bridge plan -o'"),
    ):
        path.write_text(text)
        done = world.typed("apply", str(path))
        assert done.returncode == 2
        assert said in done.stderr
    assert writes(world) == []


def test_a_plan_counts_what_there_is_to_do(observing):
    world = observing
    keys, peers = three(world)
    world.at_home().edit(keys[0], summary="Changed")
    world.at_acme().comment(peers[0], "Said")
    world.at_home().comment(world.at_home().create("OPS", "New"), "Said of the new one")
    told = json.loads(world.typed("plan", "--json").stdout)
    assert told["counts"] == {
        "tickets": 4,
        "busy": 2,
        "create": 1,
        "change": 1,
        "comments": 2,
        "files": 0,
        "worklogs": 0,
        "actions": 3,
        "findings": 0,
        "holds": 0,
    }
    text = world.typed("plan").stdout
    assert "summary: Ticket 0 -> Changed (changed)" in text
    assert "  vendor    then status: To Do, if it begins elsewhere (initial)\n" in text
    assert text.endswith(
        "4 tickets in view, 2 with something to do, 3 actions; nothing was written\n"
        "  1 to create, 1 to change, 2 comments\n"
    )


def test_a_hold_is_part_of_the_plan_and_its_note_of_the_next(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        world.at_acme("cy").edit(peer, priority={"name": "P1"}, duedate="2027-05-05")
        world.restart()
        path, (line,) = planned(world)
        assert line["holds"] == ["priority (vendor): P3 -> P1: unentitled, open, service-owner decides"]
        assert [one["what"] for one in line["actions"]] == ["due: (none) -> 2027-05-05 (changed)"]
        status, told = applied(world, path)
        assert (status, told["done"], told["writes"]) == (0, 1, 1), told
        (hold,) = holds(world)
        assert (hold.field, hold.state) == ("priority", "open")
        assert len(letters(world)) == 1
        assert notes(ann, key) == notes(bo, peer) == []
        path, (line,) = planned(world)
        assert [one["what"] for one in line["actions"]] == ["tell what is held, and what became of it"] * 2
        assert applied(world, path)[1]["done"] == 1
        assert len(notes(ann, key)) == len(notes(bo, peer)) == 1
        assert applied(world, path)[1]["already"] == 1
        assert ann.field(key, "priority") == "Medium"


def test_a_line_that_a_brake_stops_does_not_count_as_carried_out(observing):
    world = observing
    world.at_home().create("OPS", "Stopped")
    path, _ = planned(world)
    pull(world.house, [world.house.terms.agreement("acme")], Cause.TRACKER, "it went back in time")
    world.restart()
    status, told = applied(world, path)
    assert (status, told["refused"], told["writes"]) == (1, 1, 0)
    assert "it went back in time" in told["lines"][0]["reason"]
    assert writes(world) == []
    assert world.typed("brakes", "release", "acme", "--reason", "Looked into.").returncode == 0
    assert applied(world, path)[1]["done"] == 1
    assert world.judge() == 1
