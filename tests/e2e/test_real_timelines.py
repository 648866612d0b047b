"""Timelines from the histories of a real Redmine and a real Request Tracker: who did what when, with its evidence."""

from __future__ import annotations

import pytest
import test_real_redmine as with_redmine
import test_real_rt as with_rt
from world import Person

from bridge.clock import SECOND
from bridge.daemon.chronicle import Chronicler, rebuild
from bridge.simulator import SimulatorServer, make_home
from bridge.sla.serial import timeline_from_json
from bridge.sla.timeline import EntryKind
from bridge.trackers.rt_values import instant as rt_instant

pytestmark = pytest.mark.real

CLOCKS = """
clocks:
  resolve: {start: created, stop: resolved, goals: {Highest: 1h, default: 4h}, calendar: always}
"""


def timeline_of(house, key):
    with house.store.read() as tx:
        (link,) = tx.links.by_key(key)
        row = tx.chronicles.get(link.id)
    assert row.stale_at is None
    return link, timeline_from_json(row.timeline)


def told(timeline):
    return [
        f"{one.side} {one.field}: {one.before} -> {one.after}"
        if one.kind is EntryKind.FIELD
        else f"{one.side} {one.kind}{'' if one.public else ' (private)'}"
        for one in timeline.entries
    ]


def check(house, link, timeline):
    """Nothing is certain beyond the reading, and reading again tells the same."""
    assert timeline.born - 1_000_000 < timeline.certain_until <= house.clock.now()
    assert rebuild(house, link.id).differences == ()


def test_a_day_in_redmine(tmp_path, redmine):
    maps = """
  type: {values: {Bug: Bug, Task: Feature, Incident: Support}, otherwise: keep}
  priority: {values: {Highest: Urgent, High: High, Medium: Normal, Low: Low}, otherwise: keep}
  status:
    values: {Open: New, In Progress: In Progress, Resolved: Resolved, Closed: Closed}
    fill: {internal: {Resolved: {resolution: Fixed}}}
"""
    project = redmine.new_project()
    with (
        SimulatorServer(make_home()) as server,
        with_redmine.bridged(tmp_path, server, redmine, project, maps, more=CLOCKS) as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create("OPS", "Shelf is empty", kind="Bug", priority={"name": "High"})
        with_redmine.settle(house)
        link, _ = timeline_of(house, key)
        peer = link.vendor_id
        statuses = redmine.call("alice", "GET", "/issue_statuses.json")["issue_statuses"]
        number = {one["name"]: one["id"] for one in statuses}
        redmine.edit_issue(peer, status_id=number["In Progress"], notes="We look into it.")
        redmine.edit_issue(peer, assigned_to_id=redmine.people["alice"])
        with_redmine.settle(house)
        ann.edit(key, priority={"name": "Highest"})
        ann.comment(key, "Thanks\nacknowledged")
        with_redmine.settle(house)
        redmine.edit_issue(peer, status_id=number["Resolved"], notes="staff only", private_notes=True)
        with_redmine.settle(house)
        before = len(server.calls.since(0))
        link, timeline = timeline_of(house, key)
        assert told(timeline) == [
            "internal created",
            "vendor status: Open -> In Progress",
            "vendor comment",
            "vendor assignee:  -> Alice Agent",
            "internal priority: High -> Highest",
            "internal comment",
            "internal acknowledged",
            "vendor status: In Progress -> Resolved",
            "vendor comment (private)",
        ]
        journals = {str(one["id"]): one for one in redmine.read_issue(peer)["journals"]}
        for one in timeline.entries:
            if one.side == "vendor":
                journal = journals[one.event.rpartition("/")[2]]
                assert journal["user"]["name"] == one.who == "Alice Agent"
                assert one.at % SECOND == 0, "Redmine tells whole seconds"
        assert timeline.entries[1].event.startswith("vendor:history/")
        check(house, link, timeline)
        assert len(server.calls.since(0)) - before == 2


def test_a_day_in_request_tracker(tmp_path, rt):
    queue = rt.new_queue()
    with (
        SimulatorServer(make_home()) as server,
        with_rt.bridged(tmp_path, server, rt, queue, more=CLOCKS) as house,
    ):
        ann = Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})
        key = ann.create("OPS", "Lamp is broken", priority={"name": "High"})
        with_rt.settle(house)
        link, _ = timeline_of(house, key)
        peer = link.vendor_id
        rt.edit_ticket(peer, Status="open")
        rt.reply(peer, "We look into it #ack")
        rt.edit_ticket(peer, Owner="bob")
        rt.remark(peer, "for staff only")
        with_rt.settle(house)
        ann.edit(key, priority={"name": "Highest"})
        with_rt.settle(house)
        rt.edit_ticket(peer, Status="resolved")
        with_rt.settle(house)
        assert Chronicler(house).flush() == 0
        link, timeline = timeline_of(house, key)
        names = {one["id"]: one for one in rt.history(peer)}
        vendor = [one for one in timeline.entries if one.side == "vendor"]
        assert [line for line in told(timeline) if line.startswith("internal")] == [
            "internal created",
            "internal assignee:  -> Ann Owner",
            "internal priority: High -> Highest",
        ]
        assert [line for line in told(timeline) if line.startswith("vendor")] == [
            "vendor status: Open -> In Progress",
            "vendor comment",
            "vendor acknowledged",
            "vendor assignee:  -> Bob Builder",
            "vendor comment (private)",
            "vendor status: In Progress -> Resolved",
        ]
        for one in vendor:
            transaction = names[one.event.rpartition("/")[2]]
            assert one.at == rt_instant(transaction["Created"])
        check(house, link, timeline)
