"""What a feed makes of tickets while workers are at work beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import open_world

from bridge.daemon.feed import WALK, Feed
from bridge.daemon.house import field_specs
from bridge.errors import Unreachable
from bridge.simulator import Fault, make_home
from bridge.sync.base import Base
from bridge.sync.ticket import Side


def test_a_mirror_that_a_worker_adopts_while_the_feed_looks_at_it_is_no_stray(world):
    """The feed reads which tickets are linked, a worker stores the new peer, the feed writes: all under load."""
    key = world.at_home().create("OPS", "Just made")
    world.settle()
    house = world.house
    (agreement,) = house.terms.settings.agreements
    tracker = house.terms.trackers["acme"]
    (link,) = world.links()
    mirror = tracker.fetch([link.vendor_id], field_specs(agreement, Side.VENDOR))[link.vendor_id]
    feed = Feed(house, agreement.name, Side.VENDOR, lambda _links: None)
    with house.store.write() as tx:
        found = feed._discover(tx, agreement, mirror, house.account(tracker).id, [])  # second half of _take
    assert found is not None
    assert found.id == link.id
    assert not [entry for entry in world.journal(key) if entry["event"] == "stray.found"]


def test_a_first_poll_that_was_broken_off_goes_on_where_it_stopped(world):
    """A project of thousands takes minutes to hours, and a restart must not begin it all over again."""
    for number in range(120):
        world.at_home().create("OPS", f"ticket {number:03}")
    world.home.site.settle()
    for minutes, issue in enumerate(reversed(world.home.site.issues.values()), 1):
        issue.updated -= minutes * 60_000  # or all of them lie within the overlap
        world.home.site.reindex(issue)
    world.home.faults.add(Fault("error", "POST", "/search$", times=None, status=500, after=1))
    feed = Feed(world.house, "acme", Side.INTERNAL, lambda _links: None)
    with pytest.raises(Unreachable):
        feed.poll()
    with world.records() as tx:
        assert tx.cursors.get("acme", Side.INTERNAL, "poll") is None
        walked = tx.cursors.get("acme", Side.INTERNAL, WALK)
    first_page = sorted(issue.updated for issue in world.home.site.issues.values())[:100]
    assert walked == first_page[-1] * 1000
    world.home.faults.clear()
    world.restart()
    before = world.home.calls.last
    caught = Feed(world.house, "acme", Side.INTERNAL, lambda _links: None).poll()
    assert (caught.new, caught.hits) == (20, 21)
    query, *_ = [call.json["jql"] for call in world.home.calls.since(before) if call.endpoint == "/search"]
    assert f"updated >= {walked // 1000 - 1000}" in query
    assert len(world.links()) == 120


def test_tickets_from_before_the_agreement_s_beginning_get_no_mirror_unless_linked_by_hand(tmp_path):
    old = make_home(lambda: 1_780_000_000_000)  # 2026-05-28
    with open_world(tmp_path, home=old, more="since: 2026-06-01") as world:
        key = world.at_home().create("OPS", "Old")
        by_hand = world.at_home().create("OPS", "Old, but wanted")
        peer = world.at_acme().create("CUST", "New")
        world.settle()
        world.sync(census=True)
        assert [link.vendor_key for link in world.links()] == [peer]
        assert len(world.acme.site.issues) == 1
        assert (
            world.typed(
                "link", by_hand, world.at_acme().create("CUST", "Wanted"), "--from", "internal", "--yes"
            ).returncode
            == 0
        )
        world.settle()
        assert world.at_acme().field(world.peer(by_hand), "summary") == "Old, but wanted"
        assert {link.internal_key for link in world.links()} == {by_hand, world.peer(peer)}
        assert key not in {link.internal_key for link in world.links()}


@pytest.mark.parametrize("change", [{"private": True}, {"archived": True}, {"project": "ELSEWHERE"}])
def test_a_ticket_that_is_hidden_or_moved_within_the_second_of_our_look_is_looked_at_again(world, change):
    world.at_home().create("OPS", "Open to all")
    world.settle()
    house = world.house
    (agreement,) = house.terms.settings.agreements
    tracker = house.terms.trackers["home"]
    (link,) = world.links()
    seen = tracker.fetch([link.internal_id], field_specs(agreement, Side.INTERNAL))[link.internal_id]
    house.sightings.put(tracker.name, seen, agreement.name, house.clock.now())
    feed = Feed(house, agreement.name, Side.INTERNAL, lambda _links: None)
    base = Base(seen=seen.updated)
    assert not feed._restamped(tracker, seen, base)
    assert feed._restamped(tracker, replace(seen, **change), base)
