"""Time spent, end to end: both directions, edits and deletes, private ones, lost answers."""

from __future__ import annotations

import pytest
from world import eventually, open_world, plain

from bridge.simulator import Fault

BOTH = '\nworklogs: {cross: both, attribute: "{author}, {company}"}\n'
STARTED = "2026-11-20T09:00:00.000+0100"


def book(person, key, spent, words="", **more):
    """Somebody books time; the worklog's id."""
    body = {"timeSpent": spent, "started": STARTED, **more}
    if words:
        body["comment"] = person.text(words)
    return person.call("POST", f"/issue/{key}/worklog", body)["id"]


def booked(person, key):
    """The time booked on a ticket: minutes, when, what was said."""
    listed = person.call("GET", f"/issue/{key}/worklog")["worklogs"]
    return [(one["timeSpentSeconds"] // 60, one["started"], plain(one.get("comment"))) for one in listed]


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path, more=BOTH) as opened:
        yield opened


def mirrored(world):
    """One mirrored ticket: its keys."""
    key = world.at_home().create("OPS", "Work")
    world.settle()
    return key, world.peer(key)


def test_time_crosses_both_ways_with_its_author_and_follows(world):
    key, peer = mirrored(world)
    ann, bo = world.at_home(), world.at_acme()
    mine = book(ann, key, "1h 30m", "Looked into it")
    world.settle()
    assert booked(bo, peer) == [
        (90, "2026-11-20T08:00:00.000+0000", "Ann Owner, Example Corp Looked into it")
    ]
    theirs = book(bo, peer, "2h")
    world.settle()
    assert booked(ann, key)[1][0] == 120
    assert "Bo Manager, Acme" in booked(ann, key)[1][2]
    assert world.sync().writes == 0
    ann.call("PUT", f"/issue/{key}/worklog/{mine}", {"timeSpent": "45m"})
    world.settle()
    assert booked(bo, peer)[0][0] == 45
    bo.call("DELETE", f"/issue/{peer}/worklog/{theirs}")
    world.settle()
    assert len(booked(ann, key)) == 1
    events = [entry["event"] for entry in world.journal(key) if entry["event"].startswith("worklog")]
    assert events == ["worklog.added", "worklog.added", "worklog.edited", "worklog.deleted"]
    told = world.bridge("explain", key).stdout
    assert "booked on the vendor side as" in told


def test_time_that_is_private_does_not_cross_and_is_taken_back(world):
    key, peer = mirrored(world)
    ann, bo = world.at_home(), world.at_acme()
    inside = {"type": "role", "value": "Developers"}
    book(ann, key, "1h", "For us alone", visibility=inside)
    said = book(ann, key, "2h", "For all, at first")
    world.settle()
    assert [minutes for minutes, _, _ in booked(bo, peer)] == [120]
    ann.call("PUT", f"/issue/{key}/worklog/{said}", {"visibility": inside})
    world.settle()
    assert booked(bo, peer) == []
    assert "For us alone" not in str([call.json for call in world.acme.calls.since(0)])


def test_a_copy_that_others_change_is_put_back_and_one_they_delete_stays_deleted(world):
    key, peer = mirrored(world)
    ann = world.at_home()
    book(ann, key, "1h")
    world.settle()
    admin = world.at_acme("admin")
    (copy,) = admin.call("GET", f"/issue/{peer}/worklog")["worklogs"]
    admin.call("PUT", f"/issue/{peer}/worklog/{copy['id']}", {"timeSpent": "8h"})
    world.settle()
    assert booked(admin, peer)[0][0] == 60
    admin.call("DELETE", f"/issue/{peer}/worklog/{copy['id']}")
    world.settle()
    assert booked(admin, peer) == []
    assert len(booked(ann, key)) == 1


@pytest.mark.parametrize("to", ["home", "acme"])
def test_a_lost_answer_books_once(tmp_path, to):
    """Data Center keeps no mark of ours on a worklog: there it is known by its time and text."""
    with open_world(tmp_path, more=BOTH, tracker="read-timeout: 1s") as world:
        key, peer = mirrored(world)
        server = world.home if to == "home" else world.acme
        server.faults.add(Fault("apply-then-drop", "POST", r"/worklog$"))
        author, here = (world.at_acme(), peer) if to == "home" else (world.at_home(), key)
        reader, there = (world.at_home(), key) if to == "home" else (world.at_acme(), peer)
        book(author, here, "1h", "Once")
        eventually(
            lambda: world.sync() and not any(one.due_at for one in world.links()), every=0.5, seconds=60
        )
        world.settle()
        assert len(booked(reader, there)) == 1
        assert len(booked(author, here)) == 1


def test_many_worklogs_are_read_to_the_last(world):
    key, peer = mirrored(world)
    ann, bo = world.at_home(), world.at_acme()
    for number in range(23):
        book(ann, key, f"{number + 1}m")
    world.settle()
    assert sorted(minutes for minutes, _, _ in booked(bo, peer)) == list(range(1, 24))
    assert world.sync(census=True).writes == 0


def test_no_time_crosses_unless_the_agreement_says_so(tmp_path):
    with open_world(tmp_path) as world:
        key, peer = mirrored(world)
        book(world.at_home(), key, "1h")
        assert world.settle() == 0
        assert booked(world.at_acme(), peer) == []
