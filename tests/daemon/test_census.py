"""The safety net finds what polls cannot: changes and tickets that they missed, tickets that are out of view."""

from __future__ import annotations

import time

from world import open_world

from bridge.clock import SECOND
from bridge.daemon.census import census_due, take_census
from bridge.daemon.feed import Feed
from bridge.daemon.once import sync_once
from bridge.simulator import add_project, move
from bridge.simulator.model import Issue
from bridge.sync.ticket import Side


def settled(world, **fields):
    """A linked ticket whose latest change is a person's: the polls' sightings of it are trusted."""
    key = world.at_home().create("OPS", "Here", **fields)
    world.settle()
    time.sleep(2.1)
    world.at_acme().edit(world.peer(key), duedate="2027-01-01")
    world.settle()
    world.sync()
    return key, world.peer(key)


def test_a_change_and_a_ticket_that_the_polls_missed_are_found(world):
    key, peer = settled(world)
    # The index held these back until the polls' overlap had passed them by.
    world.acme.site.set_lag(3_600_000)
    world.at_acme().edit(peer, summary="Missed")
    late = world.at_acme().create("CUST", "Never seen")
    time.sleep(1.2)
    world.sync()
    time.sleep(1.2)
    world.sync()
    world.acme.site.set_lag(0)
    world.acme.site.settle()
    world.sync()
    assert world.at_home().field(key, "summary") == "Here", "the polls have missed it"
    done = world.sync(census=True)
    assert done.failures == ()
    world.settle()
    assert world.at_home().field(key, "summary") == "Missed"
    assert world.at_home().field(world.peer(late), "summary") == "Never seen"
    assert world.judge() == 2


def test_a_deleted_ticket_is_not_deleted_on_the_other_side_but_parked_with_a_reason(world):
    key, peer = settled(world)
    world.at_acme("admin").call("DELETE", f"/issue/{peer}")
    world.sync(census=True)
    (link,) = world.links()
    assert link.state == "parked"
    assert link.reason == "the vendor ticket cannot be seen any more; nothing is written to its peer"
    world.at_home().edit(key, summary="Still mine")
    world.sync()
    assert world.at_home().read(key)["fields"]["summary"] == "Still mine"
    assert len(world.home.site.issues) == 1
    assert world.acme.site.issues == {}, "and it is not made anew"


def test_a_project_that_is_hidden_for_a_while_parks_its_tickets_and_they_go_on_when_it_is_seen_again(world):
    key, peer = settled(world)
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")
    (failure,) = world.sync(census=True).failures
    assert failure.tracker == "acme"
    assert world.house.health.trouble("acme") is None, "the query is refused, the tracker is well"
    world.at_home().edit(key, summary="Meanwhile")
    world.sync()
    (link,) = world.links()
    assert link.state == "parked"
    assert "the vendor ticket cannot be seen any more" in link.reason
    world.acme.site.restore("bridge", "BROWSE_PROJECTS")
    world.at_home().edit(key, labels=["woken"])
    world.settle()
    assert world.links()[0].state == "active"
    assert world.judge() == 1
    assert world.at_acme().field(peer, "summary") == "Meanwhile"


def test_a_ticket_moved_to_another_project_is_seen_to_have_left_whatever_the_polls_have_missed(world):
    _, peer = settled(world)
    add_project(world.acme.site, "ELSE")
    world.acme.site.set_lag(3_600_000)  # the index never tells
    moved = move(world.acme.site, peer, "ELSE", "bo")
    assert isinstance(moved, Issue)
    world.sync()
    assert world.links()[0].vendor_key == peer
    world.acme.site.set_lag(0)
    with world.acme.site.lock:
        world.acme.site.index.pop(moved.id)
    world.sync(census=True)
    (link,) = world.links()
    assert (link.vendor_key, link.state) == (moved.key, "parked")
    assert [one["kind"] for one in link.findings] == ["moved-out"]


def test_a_census_over_peace_writes_nothing_and_wakes_nobody(world):
    settled(world)
    done = world.sync(census=True)
    assert done.writes == 0
    assert done.reports == ()


def test_linked_tickets_that_leave_the_selection_are_still_followed(tmp_path):
    with open_world(tmp_path, select="labels = out", create="to-vendor") as world:
        key = world.at_home().create("OPS", "Selected", labels=["out"])
        world.at_home().create("OPS", "Not selected")
        world.settle()
        assert len(world.acme.site.issues) == 1
        world.at_home().edit(key, labels=[], summary="Left the selection")
        world.settle()
        assert world.at_acme().field(world.peer(key), "summary") == "Left the selection"
        assert sync_once(world.house, census=True).writes == 0
        assert world.links()[0].state == "active"


def test_a_restart_does_not_put_the_census_off(world):
    feed = Feed(world.house, "acme", Side.INTERNAL, lambda _: None)
    assert not census_due(world.house, feed), "the first poll reads everything"
    day_ago = world.house.clock.now() - 25 * 3600 * SECOND
    with world.house.store.write() as tx:
        tx.cursors.put("acme", Side.INTERNAL, "census", day_ago)
    world.restart()
    feed = Feed(world.house, "acme", Side.INTERNAL, lambda _: None)
    assert census_due(world.house, feed)
    take_census(world.house, feed, lambda _: None)
    assert not census_due(world.house, feed)
