"""A change held and approved, and one held and rejected, between a Jira and a real Redmine or Request Tracker."""

from __future__ import annotations

import pytest
import test_real_redmine as with_redmine
import test_real_rt as with_rt
from holding_world import NOTES
from world import Person, plain

from bridge.clock import SystemClock
from bridge.daemon.deciding import Verdict, decide_hold
from bridge.daemon.once import sync_once
from bridge.simulator import SimulatorServer, make_home

pytestmark = pytest.mark.real

ROLES = """
roles:
  service-owner: {side: internal, people: [ann@home.example], mail: [ops@home.example]}
"""


def settle(house):
    """Passes until one writes nothing; a change within the second of our own write is seen by the next."""
    for _ in range(8):
        done = sync_once(house)
        if not done.writes and not done.ended("postponed"):
            return
    raise AssertionError("still writing")


def the_hold(house):
    with house.store.read() as tx:
        return [hold for link in tx.links.list() for hold in tx.holds.list(link.id)][-1]


def decide(house, *, approve, reason=""):
    """Ann decides about the newest hold, and the bridge carries it out."""
    agreements = {one.name: one for one in house.terms.settings.agreements}
    verdict = Verdict(approve, "ann@home.example", reason)
    decide_hold(house.store, agreements, the_hold(house).id, verdict, SystemClock().now())
    settle(house)
    return the_hold(house)


def test_a_story_with_a_real_redmine(tmp_path, redmine):
    project = redmine.new_project()
    priority = "priority: {owner: internal, values: {High: High, Medium: Normal, Low: Low}}"
    with (
        SimulatorServer(make_home()) as server,
        with_redmine.bridged(tmp_path, server, redmine, project, priority, more=ROLES) as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create("OPS", "Held there", priority={"name": "Medium"})
        settle(house)
        with house.store.read() as tx:
            peer = tx.links.by_key(key)[0].vendor_id

        def shown():
            issue = redmine.read_issue(peer)
            told = [one["notes"] for one in issue["journals"] if one.get("notes", "").startswith("**")]
            return issue["priority"]["name"], told

        numbers = {
            one["name"]: one["id"]
            for one in redmine.call("admin", "GET", "/enumerations/issue_priorities.json")["issue_priorities"]
        }
        redmine.edit_issue(peer, who="bob", priority_id=numbers["High"])
        settle(house)
        hold = the_hold(house)
        assert (hold.state, hold.value) == ("open", "High")
        assert hold.actor.id == str(redmine.people["bob"])
        assert hold.event
        assert ann.field(key, "priority") == "Medium"
        assert len(shown()[1]) == 1
        assert decide(house, approve=True).state == "crossed"
        assert ann.field(key, "priority") == "High"
        redmine.edit_issue(peer, who="bob", priority_id=numbers["Low"])
        settle(house)
        assert decide(house, approve=False, reason="it is urgent").state == "restored"
        name, told = shown()
        assert name == "High"
        assert len(told) == 1, "one note, changed in place"
        assert "it is urgent" in told[0]
        ours = [plain(one["body"]) for one in ann.comments(key)]
        assert len([one for one in ours if one.startswith(NOTES)]) == len(ours) == 1


def test_a_story_with_a_real_request_tracker(tmp_path, rt):
    queue = rt.new_queue()
    maps = 'priority: {owner: internal, values: {High: "70", Medium: "50", Low: "20"}}'
    with (
        SimulatorServer(make_home()) as server,
        with_rt.bridged(tmp_path, server, rt, queue, maps, more=ROLES) as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create("OPS", "Held there", priority={"name": "Medium"})
        settle(house)
        with house.store.read() as tx:
            peer = tx.links.by_key(key)[0].vendor_id

        def replies():
            return [text for one in rt.history(peer, "Correspond") for text in one["texts"]]

        rt.edit_ticket(peer, who="bob", Priority=70)
        settle(house)
        hold = the_hold(house)
        assert (hold.state, hold.value) == ("open", "70")
        assert hold.actor.id == "bob"
        assert hold.event
        assert ann.field(key, "priority") == "Medium"
        assert len(replies()) == 1
        rt.edit_ticket(peer, who="bob", Priority=20)
        settle(house)
        assert the_hold(house).value == "20"
        assert len(replies()) == 1, "other values alone are no reason for one more reply"
        assert decide(house, approve=True).state == "crossed"
        assert ann.field(key, "priority") == "Low"
        assert len(replies()) == 2
        rt.edit_ticket(peer, who="bob", Priority=70)
        settle(house)
        assert decide(house, approve=False, reason="it is not urgent").state == "restored"
        assert int(rt.read_ticket(peer)["Priority"]) == 20
        assert any("it is not urgent" in one for one in replies())
        ours = [plain(one["body"]) for one in ann.comments(key)]
        assert len([one for one in ours if one.startswith(NOTES)]) == len(ours) == 1
        settle(house)
        assert sync_once(house).writes == 0
