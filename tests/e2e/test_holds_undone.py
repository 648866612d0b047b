"""Changes that are undone at once, machines that insist, and what time decides when nobody else does."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from holding_world import PRIORITY, ROLES, holds, letters, linked, notes, roles_world
from world import FIELDS, open_world

from bridge.clock import SECOND
from bridge.simulator import make_acme
from bridge.simulator.model import Status, Transition

STATUS = """
    values: {Open: To Do, Reopened: To Do, In Progress: In Progress, Resolved: Done, Closed: Closed}
    via: {vendor: {Done: [In Progress, In Review]}}
    fill: {internal: {Resolved: {resolution: Fixed}}}
    vendor-may: [In Progress, Resolved]
    unentitled: """

DAYS = 86_400


def acme_with_closed():
    """The vendor's site, whose tickets can be closed, and opened again as done by one step of an odd name."""
    site = make_acme()
    site.statuses["10004"] = Status("10004", "Closed", "done")
    project = site.projects["CUST"]
    steps = (
        Transition("51", "Close", "10004", frozenset({"10003"})),
        Transition("61", "Not closed after all", "10003", frozenset({"10004"}), sets_resolution="10000"),
    )
    project.workflow = replace(project.workflow, transitions=(*project.workflow.transitions, *steps))
    return site


def resolved_by_the_vendor(world):
    """A ticket that the vendor has resolved, which they may."""
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Theirs to resolve")
    world.settle()
    peer = world.peer(key)
    for status in ("In Progress", "In Review", "Done"):
        bo.move(peer, status)
    world.settle()
    assert ann.field(key, "status") == "Resolved"
    return key, peer


def closing_world(folder, mode):
    start = FIELDS.index("\n  status:") + 1
    end = FIELDS.index("\n  labels:") + 1
    fields = f"{FIELDS[:start]}  status:{STATUS}{mode}\n{FIELDS[end:]}"
    return open_world(folder, acme=acme_with_closed(), fields=fields, more=ROLES)


def test_the_vendor_may_resolve_but_closing_is_held(tmp_path):
    with closing_world(tmp_path, "hold") as world:
        key, peer = resolved_by_the_vendor(world)
        ann, bo = world.at_home(), world.at_acme()
        bo.move(peer, "Closed")
        world.settle()
        (hold,) = holds(world)
        assert (hold.field, hold.state, hold.value) == ("status", "open", "Closed")
        assert (ann.field(key, "status"), bo.field(peer, "status")) == ("Resolved", "Closed")
        done = world.typed("holds", "reject", str(hold.id), "--reason", "not yet", "--by", "ann@home.example")
        assert done.returncode == 0, done.stderr
        world.settle()
        assert bo.field(peer, "status") == "Done"
        taken = [
            call.json["transition"]["id"]
            for call in world.calls()
            if call.endpoint.endswith("/transitions") and call.json
        ]
        assert taken[-1] == "61", "the step that the workflow really offers"
        assert holds(world)[0].state == "restored"
        assert "not yet" in notes(bo, peer)[0]
        bo.move(peer, "Closed")
        world.settle()
        second = holds(world)[-1]
        assert second.id != hold.id
        assert world.typed("holds", "approve", str(second.id), "--by", "ann@home.example").returncode == 0
        world.settle()
        assert ann.field(key, "status") == "Closed"
        assert world.judge() == 1
        assert world.sync().writes == 0


def test_closing_is_undone_at_once_where_the_rule_says_so(tmp_path):
    with closing_world(tmp_path, "revert") as world:
        key, peer = resolved_by_the_vendor(world)
        ann, bo = world.at_home(), world.at_acme()
        bo.move(peer, "Closed")
        world.settle()
        assert (ann.field(key, "status"), bo.field(peer, "status")) == ("Resolved", "Done")
        (hold,) = holds(world)
        assert (hold.state, hold.rounds) == ("reverted", 1)
        (note,) = notes(bo, peer)
        assert "put back" in note
        assert world.links()[0].state == "active"
        assert world.sync().writes == 0
        ann.move(key, "Closed")
        world.settle()
        assert bo.field(peer, "status") == "Closed"


def test_a_machine_that_insists_is_let_be_after_two_rounds_and_people_are_told(tmp_path):
    with roles_world(tmp_path, priority=f"{{{PRIORITY}, unentitled: revert}}") as world:
        key, peer = linked(world)
        ann, bo, cy = world.at_home(), world.at_acme(), world.at_acme("cy")
        over = threading.Event()

        def automation():
            while not over.wait(0.05):
                if bo.field(peer, "priority") != "P1":
                    cy.edit(peer, priority={"name": "P1"})

        machine = threading.Thread(target=automation)
        machine.start()
        try:
            for _ in range(30):
                world.sync()
                if any(hold.kind == "ping-pong" for hold in holds(world)):
                    break
                over.wait(0.2)
            world.settle()
        finally:
            over.set()
            machine.join()
        (hold,) = holds(world)
        assert (hold.kind, hold.state, hold.rounds) == ("ping-pong", "open", 2)
        undone = [
            one for one in world.journal(key) if one["event"] == "field.written" and one["to"] == "vendor"
        ]
        assert len(undone) == 2
        assert (ann.field(key, "priority"), bo.field(peer, "priority")) == ("Medium", "P1")
        assert letters(world)[-1].to == ("ops@home.example",)
        for person, ticket in ((ann, key), (bo, peer)):
            (note,) = notes(person, ticket)
            assert "put back 2 times" in note
        assert world.sync().writes == 0


def test_a_change_that_is_flagged_crosses_and_is_recorded(tmp_path):
    with roles_world(tmp_path, priority=f"{{{PRIORITY}, unentitled: flag}}") as world:
        key, peer = linked(world)
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        assert world.at_home().field(key, "priority") == "Highest"
        assert holds(world) == []
        (written,) = [one for one in world.journal(key) if one.get("field") == "priority" and "after" in one]
        assert written["flagged"] is True
        assert written["who"]["name"] == "Cy Engineer"
        assert "its author may not" in world.typed("explain", key).stdout


class LaterClock:
    """The real time, and some days more."""

    def __init__(self, clock, days):
        self._clock, self._later = clock, days * DAYS * SECOND

    def now(self):
        return self._clock.now() + self._later

    def sleep(self, seconds):
        self._clock.sleep(seconds)


@pytest.mark.parametrize(
    ("then", "ours", "theirs", "state"),
    [
        ("reject", "Medium", "P3", "restored"),
        ("approve", "Highest", "P1", "crossed"),
        ("wait", "Medium", "P1", "open"),
    ],
)
def test_what_time_decides(tmp_path, then, ours, theirs, state):
    rules = f"{ROLES}holds: {{expire: 14d, then: {then}}}\n"
    with roles_world(tmp_path, roles=rules) as world:
        key, peer = linked(world)
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        (link,) = world.links()
        (hold,) = holds(world)
        assert link.due_at == hold.since + 14 * DAYS * SECOND, "looked at when it expires"
        world.house.clock = LaterClock(world.house.clock, 13)
        world.settle()
        assert holds(world)[0].state == "open"
        world.house.clock = LaterClock(world.house.clock, 2)
        world.settle()
        (hold,) = holds(world)
        assert hold.state == state
        assert (world.at_home().field(key, "priority"), world.at_acme().field(peer, "priority")) == (
            ours,
            theirs,
        )
        told = [letter.key.split("/")[2] for letter in letters(world)]
        assert told == ["opened", "overdue" if then == "wait" else "decided"]
        world.sync()
        assert len(letters(world)) == 2, "told once"
        if then != "wait":
            events = [one["event"] for one in world.journal(key) if one["event"].startswith("hold.")]
            assert events == ["hold.opened", "hold.decided", "hold.closed"]
