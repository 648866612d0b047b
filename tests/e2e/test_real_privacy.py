"""Private text against real servers: Redmine's private notes and issues, Request Tracker's comments for staff."""

from __future__ import annotations

import json
import secrets

import pytest
from test_real_redmine import bridged as with_redmine
from test_real_redmine import settle
from test_real_rt import bridged as with_rt
from test_real_rt import settle as settle_rt
from world import Person

from bridge.daemon.once import sync_once
from bridge.daemon.preflight import inspect, require
from bridge.errors import Refused
from bridge.markup import Document, Paragraph, Text
from bridge.simulator import SimulatorServer, make_home
from bridge.simulator.render import dump
from bridge.sync.agreement import Privacy

pytestmark = pytest.mark.real

MAPS = """
  type: {values: {Bug: Bug, Task: Feature}, otherwise: keep}
  priority: {values: {Highest: Urgent, High: High, Medium: Normal, Low: Low}, otherwise: keep}
comments: {private: as-private, mentions: live}
people: [{internal: ann, vendor: alice}]
"""
ROLE = {"visibility": {"type": "role", "value": "Developers"}}


def word() -> str:
    """A made-up word."""
    return "canary" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))


def ann_at(server: SimulatorServer) -> Person:
    return Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})


def link_of(house, key: str):
    with house.store.read() as tx:
        (link,) = tx.links.by_key(key)
    return link


def test_no_canary_crosses_between_jira_and_redmine(tmp_path, redmine):
    project = redmine.new_project()
    maps = MAPS[: MAPS.index("comments:")]
    with (
        SimulatorServer(make_home()) as server,
        with_redmine(tmp_path, server, redmine, project, maps) as house,
    ):
        ann, ours, theirs = ann_at(server), [], []

        def ours_new() -> str:
            ours.append(word())
            return ours[-1]

        def theirs_new() -> str:
            theirs.append(word())
            return theirs[-1]

        key = ann.create("OPS", "Shelf", environment=ours_new())
        ann.create("OPS", ours_new(), security={"name": "Staff only"})
        hidden = redmine.new_issue(project, theirs_new(), is_private=True, description=theirs_new())
        redmine.edit_issue(hidden, notes=theirs_new())
        settle(house)
        peer = link_of(house, key).vendor_id
        ann.comment(key, ours_new(), **ROLE)
        redmine.edit_issue(peer, notes=theirs_new(), private_notes=True)
        fields = (
            {"id": redmine.fields["Severity"], "value": "S1"},
            {"id": redmine.fields["Areas"], "value": ["Network"]},
        )
        redmine.edit_issue(peer, custom_fields=list(fields), notes="open word")
        said = ann.comment(key, "open, at first")
        settle(house)
        ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": ours_new(), **ROLE})
        settle(house)
        redmine.edit_issue(peer, is_private=True, notes=theirs_new(), subject=theirs_new())
        settle(house)
        there = json.dumps(redmine.call("admin", "GET", f"/issues/{peer}.json", include="journals"))
        all_there = json.dumps(
            redmine.call("admin", "GET", "/issues.json", project_id=project, status_id="*")
        )
        here = json.dumps(dump(server.site)) + json.dumps([call.json for call in server.calls.since(0)])
        assert [one for one in ours if one in there + all_there] == []
        assert [one for one in theirs if one in here] == []
        assert "open word" in here
        assert "open, at first" not in there


def test_private_notes_and_mentions_cross_between_jira_and_redmine(tmp_path, redmine):
    project = redmine.new_project()
    home = make_home(service_desk=True)
    with SimulatorServer(home) as server, with_redmine(tmp_path, server, redmine, project, MAPS) as house:
        require(house.terms)
        ann = ann_at(server)
        key = ann.create("OPS", "Shelf")
        settle(house)
        peer = link_of(house, key).vendor_id
        said = ann.comment(key, "between us, [~ann]", **ROLE)
        redmine.edit_issue(peer, notes="us, too, @alice", private_notes=True)
        redmine.edit_issue(peer, notes="for all")
        settle(house)
        notes = {
            one["notes"]: one["private_notes"] for one in redmine.read_issue(peer)["journals"] if one["notes"]
        }
        (copy,) = [note for note in notes if "between us" in note]
        assert notes[copy] is True
        assert "@alice" in copy, "the counterpart is mentioned"
        copies = [one for one in home.issue(key).comments if one.author == home.person("bridge").id]
        told = {str(one.body): "sd.public.comment" in one.properties for one in copies}
        assert sorted(told.values()) == [False, True]
        (private,) = [body for body, hidden in told.items() if hidden]
        assert "[~ann]" in private
        ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "between us, better said", **ROLE})
        settle(house)
        notes = {
            one["notes"]: one["private_notes"] for one in redmine.read_issue(peer)["journals"] if one["notes"]
        }
        assert [hidden for note, hidden in notes.items() if "better said" in note] == [True]
        ann.call("PUT", f"/issue/{key}/comment/{said}", {"body": "for everybody", "visibility": None})
        settle(house)
        notes = {
            one["notes"]: one["private_notes"] for one in redmine.read_issue(peer)["journals"] if one["notes"]
        }
        assert [hidden for note, hidden in notes.items() if "for everybody" in note] == [False]
        assert not [note for note in notes if "better said" in note]
        assert sync_once(house, census=True).writes == 0


def test_whoever_may_not_write_private_notes_in_redmine_writes_none(tmp_path, redmine):
    project = redmine.new_project(bridge="mute")
    home = make_home(service_desk=True)
    with SimulatorServer(home) as server, with_redmine(tmp_path, server, redmine, project, MAPS) as house:
        remarks = [problem.message for problem in inspect(house.terms).problems]
        assert any("set_notes_private" in message for message in remarks), remarks
        issue = redmine.new_issue(project, "Shelf")
        body = Document((Paragraph((Text("between us"),)),))
        with pytest.raises(Refused, match="may not write private notes here: it lacks set_notes_private"):
            house.terms.trackers["shop"].add_comment(issue, body, "", private=Privacy())
        assert "between us" not in json.dumps(redmine.read_issue(issue, who="admin"))


def test_comments_for_staff_cross_as_such_between_jira_and_request_tracker(tmp_path, rt):
    home, queue = make_home(service_desk=True), rt.new_queue()
    maps = "comments: {private: as-private}"
    with SimulatorServer(home) as server, with_rt(tmp_path, server, rt, queue, f"\n{maps}") as house:
        require(house.terms)
        ann = ann_at(server)
        key = ann.create("OPS", "Shelf")
        settle_rt(house)
        peer = link_of(house, key).vendor_id
        ann.comment(key, "between us", **ROLE)
        ann.comment(key, "for all")
        rt.remark(peer, "us, too")
        settle_rt(house)
        kinds = [one["Type"] for one in rt.history(peer, "Comment", "Correspond")]
        assert sorted(kinds) == ["Comment", "Comment", "Correspond"]
        copies = [one for one in home.issue(key).comments if one.author == home.person("bridge").id]
        (copy,) = copies
        assert "us, too" in str(copy.body)
        assert "sd.public.comment" in copy.properties
        assert sync_once(house, census=True).writes == 0
