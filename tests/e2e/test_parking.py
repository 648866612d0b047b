"""One ticket that cannot proceed delays nobody, says why in the tracker's own words, and goes through once mended."""

from __future__ import annotations

import json
import time

import pytest
from world import eventually

from bridge.simulator import Fault

WORDS = "Severity is required for this kind of ticket."
UNPROCESSABLE = {"errorMessages": [WORDS], "errors": {}}


def backlog(world, count):
    """Tickets that are there before the bridge ever looks."""
    for number in range(count):
        world.at_home().create("OPS", f"ticket {number:03}")


@pytest.mark.slow
def test_one_ticket_of_250_that_is_always_refused_delays_none_of_the_others(world):
    backlog(world, 250)
    rule = world.acme.faults.add(
        Fault("error", "POST", "/issue$", body_regex="ticket 117", times=None, status=422, body=UNPROCESSABLE)
    )
    with world.daemon():
        eventually(lambda: len(world.acme.site.issues) == 249, 90)
        assert 1 <= rule.fired <= 4, "tried at once, after 15 s, after 30 s more: never hammered at"
        told = json.loads(world.bridge("status", "--json").stdout)
        (parked,) = told["parked"]
        assert (parked["internal"], parked["vendor"]) == ("OPS-118", "")
        assert WORDS in parked["reason"]
        assert parked["next_try_seconds"] is not None
        # A new change of a parked ticket is a reason to try at once; here the cause is mended first.
        world.acme.faults.clear()
        world.at_home().edit("OPS-118", summary="ticket 117, mended")
        eventually(lambda: len(world.acme.site.issues) == 250, 60)
        eventually(lambda: json.loads(world.bridge("status", "--json").stdout)["parked"] == [], 60)
    assert world.judge() == 250


def test_a_parked_ticket_goes_through_by_itself_when_its_next_try_comes(world):
    key = world.at_home().create("OPS", "refused once")
    world.acme.faults.add(Fault("error", "POST", "/issue$", status=422, body=UNPROCESSABLE))
    world.sync()
    (link,) = world.links()
    assert link.state == "parked"
    assert WORDS in link.reason
    assert 13 <= (link.next_try - link.reason_since) / 1e6 <= 17
    shown = world.bridge("status")
    assert shown.returncode == 1
    assert f"{key}: creating the ticket: {WORDS} (next try in" in shown.stdout
    with world.house.store.write() as tx:
        tx.links.wake([link.id], 1)  # as if the time had come
    world.settle()
    assert world.judge() == 1
    assert world.links()[0].state == "active"
    opened, closed = (
        [entry for entry in world.journal(key) if entry["event"] == event]
        for event in ("finding.opened", "finding.closed")
    )
    assert len(opened) == len(closed) == 1


def test_one_refused_field_stops_neither_the_other_fields_nor_the_comments(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Fields")
    world.settle()
    peer = world.peer(key)
    words = {"errorMessages": [], "errors": {"duedate": "Due dates are set by the vendor."}}
    world.acme.faults.add(
        Fault("error", "PUT", "/issue/", body_regex="duedate", times=None, status=400, body=words)
    )
    ann.edit(key, duedate="2027-03-01", summary="Fields, changed", priority={"name": "High"})
    ann.comment(key, "and said")
    ann.move(key, "In Progress")
    world.sync()
    assert bo.field(peer, "summary") == "Fields, changed"
    assert bo.field(peer, "priority") == "P2"
    assert bo.field(peer, "status") == "In Progress"
    assert len(bo.comments(peer)) == 1
    (link,) = world.links()
    assert link.state == "parked"
    assert "Due dates are set by the vendor." in link.reason
    world.acme.faults.clear()
    ann.edit(key, labels=["woken"])
    world.settle()
    assert world.judge() == 1


def test_a_ticket_whose_writes_always_fail_inside_the_tracker_delays_no_other_and_is_told(world):
    """Real Jira answers 500 for a single ticket: a broken script field, a workflow with a bug."""
    ann = world.at_home()
    backlog(world, 20)
    world.settle()
    poison = world.acme.site.issue(world.peer("OPS-5")).id
    rule = world.acme.faults.add(Fault("error", "PUT", f"/issue/{poison}", times=None, status=500))
    world.restart()
    with world.daemon():
        ann.edit("OPS-5", summary="ticket 004, poisoned")
        eventually(lambda: rule.fired >= 2)
        for number in range(1, 21):
            if number != 5:
                started = time.monotonic()
                ann.edit(f"OPS-{number}", summary=f"edited {number}")
                time.sleep(0.2)
        eventually(
            lambda: (
                sum(one.values["summary"].startswith("edited") for one in world.acme.site.issues.values())
                == 19
            ),
            15,
        )
        assert time.monotonic() - started < 8, "a failing ticket must not make the whole tracker look dead"
        eventually(
            lambda: [one["internal"] for one in json.loads(world.bridge("status", "--json").stdout)["parked"]]
        )
        assert rule.fired < 15, "and is not hammered at"
        world.acme.faults.clear()
        ann.edit("OPS-5", summary="ticket 004, mended")
        eventually(lambda: world.judge() == 20)


def test_a_create_that_always_fails_inside_the_tracker_is_told_and_not_tried_for_ever_at_full_speed(tmp_path):
    from world import open_world

    with open_world(tmp_path, lag="0s", tracker="read-timeout: 300ms") as world:
        key = world.at_home().create("OPS", "never")
        rule = world.acme.faults.add(Fault("error", "POST", "/issue$", times=None, status=500))
        with world.daemon():
            eventually(lambda: rule.fired >= 2)
            parked = eventually(lambda: json.loads(world.bridge("status", "--json").stdout)["parked"])
            assert parked[0]["internal"] == key
            time.sleep(3)
            assert rule.fired <= 4
            world.acme.faults.clear()
            world.at_home().edit(key, labels=["woken"])
            eventually(lambda: world.judge() == 1)
