"""Groups and roles of a real Redmine and a real Request Tracker, as the adapters tell who is in them."""

from __future__ import annotations

import secrets

import pytest

from bridge.clock import SystemClock
from bridge.errors import Gone, Refused
from bridge.trackers import redmine as redmine_adapter
from bridge.trackers import rt_tracker
from bridge.trackers.rosters import rosters_of


def named(prefix):
    return f"{prefix}-{secrets.token_hex(4)}"


def locked_user(redmine):
    """A person who was locked; returns the number."""
    login = named("left")
    user = {"login": login, "firstname": "Lou", "lastname": "Left", "mail": f"{login}@x.test"}
    made = redmine.call("admin", "POST", "/users.json", {"user": {**user, "password": "secret-1234"}})
    number = made["user"]["id"]
    redmine.call("admin", "PUT", f"/users/{number}.json", {"user": {"status": 3}})
    return number


@pytest.fixture
def in_redmine(redmine):
    tracker = redmine_adapter.open_tracker(redmine.settings(), SystemClock())
    yield rosters_of(tracker)
    tracker.close()


def test_a_redmine_group_is_read_without_an_administrators_key(redmine, in_redmine):
    project, name, left = redmine.new_project(), named("leads"), locked_user(redmine)
    people = [redmine.people["alice"], left]
    group = redmine.call("admin", "POST", "/groups.json", {"group": {"name": name, "user_ids": people}})
    number = group["group"]["id"]
    with pytest.raises(Gone, match="no group"):
        in_redmine.group_members(name, project)
    membership = {"user_id": number, "role_ids": [redmine.roles["bob"]]}
    redmine.call("admin", "POST", f"/projects/{project}/memberships.json", {"membership": membership})
    for asked in (name, str(number)):
        found = {one.id: one.active for one in in_redmine.group_members(asked, project)}
        assert found == {str(redmine.people["alice"]): True, str(left): False}


def test_a_redmine_role_has_its_members_in_the_project(redmine, in_redmine):
    project = redmine.new_project()
    found = in_redmine.project_role_members(project, "manager")
    assert [one.id for one in found] == [str(redmine.people["alice"])]
    assert found[0].active
    assert found[0].handles
    nobody = in_redmine.project_role_members(redmine.new_project(people=["bridge"]), "Manager")
    assert nobody == ()
    with pytest.raises(Gone, match="no role"):
        in_redmine.project_role_members(project, "Nobodies")


def test_redmine_finds_people_and_says_whether_they_are_in_use(redmine, in_redmine):
    project = redmine.new_project()
    alice = in_redmine.person("alice", project)
    assert alice is not None
    assert in_redmine.active(alice)
    assert in_redmine.person("nobody", project) is None
    left = locked_user(redmine)
    assert not in_redmine.active(type(alice)(str(left)))


@pytest.fixture
def in_rt(rt):
    tracker = rt_tracker.open_tracker(rt.settings(), SystemClock())
    yield rosters_of(tracker)
    tracker.close()


def rt_group(rt, *people, see=True):
    """A group of these people; returns its name."""
    name = named("leads")
    number = rt.call("root", "POST", "/group", {"Name": name})["id"]
    members = [str(rt.people.get(one, one)) for one in people]
    rt.call("root", "PUT", f"/group/{number}/members", members)
    return name, number


def test_a_group_of_request_tracker_is_read_by_whoever_may_see_it(rt, in_rt):
    name, number = rt_group(rt, "alice", "bob")
    with pytest.raises((Gone, Refused)):
        in_rt.group_members(name, "ci")
    as_root = rt_tracker.open_tracker(rt.settings(who="root"), SystemClock())
    try:
        rosters = rosters_of(as_root)
        outer, _ = rt_group(rt, number)
        for asked in (name, str(number), outer):
            found = {one.id: one.active for one in rosters.group_members(asked, "ci")}
            assert found == {"alice": True, "bob": True}, asked
        with pytest.raises(Gone):
            rosters.group_members("nobody-here", "ci")
    finally:
        as_root.close()


def test_watchers_of_a_queue_stand_for_a_role_in_a_project(rt, in_rt):
    queue = rt.new_queue()
    number = rt.call("root", "POST", "/queues", [{"field": "Name", "value": queue}])["items"][0]["id"]
    rt.call("root", "PUT", f"/queue/{number}", {"AdminCc": ["alice"]})
    assert [one.id for one in in_rt.project_role_members(queue, "admincc")] == ["alice"]
    with pytest.raises(Gone):
        in_rt.project_role_members(queue, "Developers")


def test_a_disabled_account_of_request_tracker_is_not_active(rt, in_rt):
    login = named("left")
    made = rt.call(
        "root", "POST", "/user", {"Name": login, "EmailAddress": f"{login}@x.test", "Privileged": 1}
    )
    person = in_rt.person(login, "ci")
    assert person is not None
    assert in_rt.active(person)
    rt.call("root", "DELETE", f"/user/{made['id']}")
    assert not in_rt.active(person)
