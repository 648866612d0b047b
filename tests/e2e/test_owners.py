"""Somebody must be accountable on each side, within the time that was agreed; else a finding and a letter say so."""

from __future__ import annotations

import json
from contextlib import contextmanager

from holding_world import letters
from test_holds_undone import LaterClock
from world import FIELDS, open_world

from bridge.clock import SECOND
from bridge.daemon.rosters import RosterDesk

HOUR = 3_600 * SECOND

ROLES = """
roles:
  service-owner:
    {side: internal, people: [ann@home.example], groups: [ops-leads], field: assignee, required-within: 4h,
     mail: [ops@home.example]}
  delivery-manager: {side: vendor, people: [bo@acme.example], mail: [desk@acme.example]}
"""
OWN = "\n".join(line for line in FIELDS.splitlines() if "assignee" not in line) + "\n"
"""Fields that cross; the assignee does not."""


@contextmanager
def owned_world(folder):
    with open_world(folder, fields=OWN, more=ROLES) as world:
        world.home.site.change_user("bridge", admin=True, groups=frozenset({"ops-leads"}))
        world.home.site.change_user("ivan", groups=frozenset({"ops-leads"}))
        yield world


def found(world):
    """The findings about owners, as the status shows them."""
    told = json.loads(world.typed("status", "--json").stdout)["findings"]
    return [one["reason"] for one in told if "accountable" in one["reason"]]


def hours_pass(world, hours):
    """As if so many hours had passed; rosters are asked for anew."""
    house = world.house
    house.clock = LaterClock(house.clock, hours / 24)
    house.rosters = RosterDesk()
    world.settle()


def test_nobody_is_accountable_for_too_long_and_then_somebody_is(tmp_path):
    with owned_world(tmp_path) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Nobody's")
        created = world.home.site.issue(key).created * 1000
        world.settle()
        assert found(world) == letters(world) == []
        (link,) = world.links()
        assert link.due_at == created + 4 * HOUR, "since its creation, as the tracker has it"
        hours_pass(world, 3.9)
        assert found(world) == letters(world) == []
        hours_pass(world, 0.2)
        (told,) = found(world)
        assert "no service-owner is accountable on the internal side" in told
        assert "nobody is named" in told
        (letter,) = letters(world)
        assert letter.to == ("ops@home.example",)
        hours_pass(world, 5)
        assert len(letters(world)) == 1, "told once"
        ann.edit(key, assignee={"name": "ivan"})
        world.settle()
        assert found(world) == []
        with world.records() as tx:
            assert tx.cursors.notes("unowned/") == {}
        # The next time is another time, and the history knows since when.
        ann.edit(key, assignee=None)
        world.settle()
        hours_pass(world, 4.1)
        assert len(found(world)) == 1
        assert len(letters(world)) == 2


def test_a_deactivated_account_and_one_that_left_the_group_count_as_none(tmp_path):
    with owned_world(tmp_path) as world:
        ann = world.at_home()
        for login in ("ann", "ivan"):
            ann.create("OPS", f"{login}'s", assignee={"name": login})
        world.settle()
        assert [link.due_at for link in world.links()] == [None, None]
        world.home.site.change_user("ann", active=False)
        world.home.site.change_user("ivan", groups=frozenset())
        hours_pass(world, 1.1)
        assert found(world) == []
        hours_pass(world, 4.1)
        first, second = found(world)
        assert "deactivated" in first
        assert "not of this role" in second
        assert len(letters(world)) == 2
        world.home.site.change_user("ann", active=True)
        world.home.site.change_user("ivan", groups=frozenset({"ops-leads"}))
        hours_pass(world, 1.1)
        assert found(world) == []


def test_a_change_of_the_owner_alone_is_seen_although_the_field_does_not_cross(tmp_path):
    with owned_world(tmp_path) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Handed on", assignee={"name": "ann"})
        world.settle()
        ann.edit(key, assignee={"name": "admin"})
        world.settle()
        (link,) = world.links()
        assert link.due_at is not None
        assert world.at_acme().read(world.peer(key))["fields"]["assignee"] is None


def test_a_link_that_is_taken_up_again_begins_with_its_owner_anew(tmp_path):
    with owned_world(tmp_path) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Nobody's")
        world.settle()
        peer = world.peer(key)
        with world.records() as tx:
            (before,) = tx.cursors.notes("unowned/").values()
        assert before["since"] == world.home.site.issue(key).created * 1000
        assert world.typed("unlink", key).returncode == 0
        ann.edit(key, assignee={"name": "ann"})
        ann.edit(key, assignee=None)
        assert world.typed("link", key, peer, "--yes").returncode == 0
        world.settle()
        with world.records() as tx:
            (after,) = tx.cursors.notes("unowned/").values()
        assert after["since"] > before["since"]
