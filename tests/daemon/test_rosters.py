"""Who is in a role: learned from the trackers, remembered over outages and restarts, never empty by mistake."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from world import open_world

from bridge.clock import SECOND
from bridge.daemon.preflight import inspect
from bridge.daemon.rosters import KEEP, RosterDesk
from bridge.errors import Refused, Unreachable
from bridge.simulator import Fault

ROLES = """
roles:
  service-owner: {side: internal, people: [ivan@home.example], groups: [ops-leads], project-roles: [Approvers]}
  delivery-manager: {side: vendor, people: [cy@acme.example]}
"""


@contextmanager
def with_roles(folder):
    """A world with roles, of which the bridge may see who is in them."""
    with open_world(folder, more=ROLES) as world:
        world.home.site.change_user("bridge", admin=True)
        for login in ("ann", "bridge"):
            world.home.site.change_user(login, groups=frozenset({"ops-leads"}))
        world.home.site.change_user("admin", roles=frozenset({"Approvers"}))
        yield world


def empty(world):
    """Take the group away."""
    for login in ("ann", "bridge"):
        world.home.site.change_user(login, groups=frozenset())


def members(world, name, *, later=0):
    """The roles' members by login, as the bridge knows them after so many seconds."""
    house = world.house
    (agreement,) = house.terms.settings.agreements
    now = house.clock.now() + later * SECOND
    made = house.rosters.made(agreement, agreement, house.terms.trackers, house.store, now)
    site = world.home.site if made.role(name).side == "internal" else world.acme.site
    return {site.user_called(one.id).name for one in made.role(name).members if one.active}


def test_a_role_has_its_people_its_groups_and_its_project_roles(tmp_path):
    with with_roles(tmp_path) as world:
        assert members(world, "service-owner") == {"ivan", "ann", "admin", "bridge"}


def test_answers_are_believed_for_some_minutes_and_then_asked_for_again(tmp_path):
    with with_roles(tmp_path) as world:
        members(world, "service-owner")
        world.home.site.change_user("ann", groups=frozenset())
        before = len(world.calls())
        assert "ann" in members(world, "service-owner")
        assert len(world.calls()) == before
        assert "ann" not in members(world, "service-owner", later=KEEP // SECOND + 1)


def test_a_deactivated_person_is_no_active_member(tmp_path):
    with with_roles(tmp_path) as world:
        world.home.site.change_user("ann", active=False)
        assert members(world, "service-owner") == {"ivan", "admin", "bridge"}


@pytest.mark.parametrize("trouble", ["outage", "right taken", "group gone"])
def test_the_last_known_roster_stays_over_trouble_and_a_restart(tmp_path, trouble):
    with with_roles(tmp_path) as world:
        known = members(world, "service-owner")
        if trouble == "outage":
            world.home.faults.add(Fault("error", "GET", "/group/member", times=None, status=503))
        elif trouble == "right taken":
            world.home.site.change_user("bridge", admin=False)
        else:
            empty(world)
        assert members(world, "service-owner", later=3600) == known
        world.restart()
        assert members(world, "service-owner", later=3600) == known


def test_a_roster_that_was_never_known_is_an_error_and_never_empty(tmp_path):
    with with_roles(tmp_path) as world:
        world.home.faults.add(Fault("error", "GET", "/group/member", times=None, status=503))
        with pytest.raises(Unreachable):
            members(world, "service-owner")
        world.home.faults.clear()
        world.home.site.change_user("bridge", admin=False)
        with pytest.raises(Refused, match="service-owner"):
            members(world, "service-owner")


def test_a_changed_roster_has_the_links_looked_at(tmp_path):
    with with_roles(tmp_path) as world:
        world.at_home().create("OPS", "Somebody's")
        world.settle()
        (link,) = world.links()
        assert link.due_at is None
        world.home.site.change_user("ann", groups=frozenset())
        house = world.house
        house.rosters = RosterDesk()
        (agreement,) = house.terms.settings.agreements
        house.rosters.review(agreement, house.terms.trackers, house.store, house.clock.now())
        (link,) = world.links()
        assert link.due_at is not None


def test_a_group_that_cannot_be_read_is_a_finding_of_the_check(tmp_path):
    with with_roles(tmp_path) as world:
        assert inspect(world.house.terms).problems == ()
        empty(world)
        world.home.site.change_user("admin", roles=frozenset())
        told = {one.path: one.message for one in inspect(world.house.terms).problems}
        assert set(told) == {"roles.service-owner.groups[0]", "roles.service-owner.project-roles[0]"}
        assert "ops-leads" in told["roles.service-owner.groups[0]"]
        assert "Approvers" in told["roles.service-owner.project-roles[0]"]
        world.home.site.change_user("bridge", admin=False)
        assert all(one.line and one.fix for one in inspect(world.house.terms).problems)
