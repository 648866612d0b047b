"""What a feed makes of tickets while workers are at work beside it."""

from __future__ import annotations

from bridge.daemon.feed import Feed
from bridge.daemon.house import field_specs
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
        found = feed._discover(tx, agreement, mirror, house.account(tracker).id)  # the second half of _take
    assert found is not None
    assert found.id == link.id
    assert not [entry for entry in world.journal(key) if entry["event"] == "stray.found"]
