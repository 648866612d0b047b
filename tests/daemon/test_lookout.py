"""Watching a side as a whole, where the polls show no ticket that must be there."""

from __future__ import annotations

import pytest
from world import open_world

from bridge.daemon.brakes import all_pulled
from bridge.daemon.lookout import Glance, after_poll, canary
from bridge.simulator import make_acme, make_home
from bridge.simulator.state import real_clock
from bridge.sync.ticket import Side

HOUR = 3_600_000


@pytest.fixture
def aged(tmp_path):
    """Six mirrored tickets, an hour old, of which one was changed just now; and the vendor's backup of an hour ago."""
    home, acme = make_home(), make_acme()
    home.clock = acme.clock = lambda: real_clock() - HOUR
    with open_world(tmp_path, home, acme) as world:
        for number in range(6):
            world.at_home().create("OPS", f"Ticket {number}")
        world.settle()
        backup = acme.backup()
        home.clock = acme.clock = real_clock
        world.at_acme().edit("CUST-3", summary="Changed last")
        world.settle()
        yield world, backup


def pulled(world):
    with world.house.store.read() as tx:
        return [one.cause.value for one in all_pulled(tx)]


def polled(world):
    """The end of a poll of a tracker that shows what has changed and nothing else."""
    world.restart()
    house = world.house
    (agreement,) = house.terms.settings.agreements
    with house.store.read() as tx:
        watched = canary(house, tx, "acme", Side.VENDOR, house.clock.now())
    after_poll(house, agreement, Side.VENDOR, Glance(canary=watched))
    return watched


def test_the_ticket_that_changed_last_is_read_by_id(aged):
    world, _ = aged
    with world.records() as tx:
        (link,) = tx.links.by_key("CUST-3")
    assert polled(world) == link.vendor_id
    assert pulled(world) == []


def test_a_restored_tracker_is_noticed_by_it(aged):
    world, backup = aged
    world.acme.site.restore_backup(backup)
    polled(world)
    assert pulled(world) == ["tracker-restored"]


def test_one_ticket_that_was_deleted_is_no_alarm(aged):
    world, _ = aged
    world.at_acme("admin").call("DELETE", "/issue/CUST-3")
    polled(world)
    assert pulled(world) == []
    world.sync()
    with world.records() as tx:
        (link,) = tx.links.by_key("CUST-3")
    assert link.state == "parked", "that it is gone is found out without a census"
