"""Private text against real servers: Redmine's private notes and issues, Request Tracker's comments for staff."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import pytest
import requests
import structlog
from canaries import Canaries
from canary_day import Uploads
from test_attachments import attach
from test_real_redmine import bridged as with_redmine
from test_real_redmine import settle
from test_real_rt import MAPS as RT_MAPS
from test_real_rt import bridged as with_rt
from test_real_rt import settle as settle_rt
from test_redmine_files import upload
from test_time_spent import book
from world import Person, World

from bridge.daemon.once import sync_once
from bridge.daemon.preflight import inspect, require
from bridge.errors import Refused
from bridge.log import configure
from bridge.markup import Document, Paragraph, Text
from bridge.simulator import SimulatorServer, make_home
from bridge.simulator.presets import IMPACT
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


def ann_at(server: SimulatorServer) -> Person:
    return Person(server.url, 2, headers={"Authorization": "Bearer ann-token"})


def link_of(house, key: str):
    with house.store.read() as tx:
        (link,) = tx.links.by_key(key)
    return link


class Hunt:
    """Canaries of both sides, words that may cross, and a log at its most talkative.

    Attributes:
        log: where everything is written that the bridge logs.
    """

    def __init__(self, server: SimulatorServer) -> None:
        self.server, self.log = server, io.StringIO()
        self.ours, self.theirs, self.open = Canaries(), Canaries(), Canaries()
        self.uploads = Uploads()
        server.site.blobs = self.uploads

    def at_home(self) -> str:
        """A ticket at home with secrets around it; its key."""
        ann, new = ann_at(self.server), self.ours.new
        key = ann.create("OPS", "Shelf", environment=new("environment"), **{IMPACT: new("a field")})
        ann.create("OPS", new("secured"), description=new("secured text"), security={"name": "Staff only"})
        return key

    def talk_at_home(self, key: str, *, files: bool = True) -> str:
        """Private comments, files and time on it; returns the id of a comment that is public until it is edited."""
        ann, new = ann_at(self.server), self.ours.new
        ann.comment(key, new("role"), **ROLE)
        name = new("name of a private file")
        attach(ann, key, f"{name}.txt", new("content of a private file").encode())
        ann.comment(key, f"see [^{name}.txt]", **ROLE)
        if files:
            attach(ann, key, "open.txt", self.open.new("home: file").encode())
        ann.comment(key, self.open.new("home: comment"))
        book(ann, key, "1h", new("private worklog"), **ROLE)
        return ann.comment(key, "open, at first")

    def close(self, key: str, comment: str) -> None:
        """The public comment becomes a private one with a secret."""
        body = {"body": self.ours.new("flipped"), **ROLE}
        ann_at(self.server).call("PUT", f"/issue/{key}/comment/{comment}", body)

    def judge(self, folder: Path, key: str, there: str) -> None:
        """Look for everything: in all that is on the other side (``there``), here, in the log, in what is told."""
        site = self.server.site
        here = json.dumps(dump(site)) + json.dumps([asdict(call) for call in self.server.calls.since(0)])
        here += b"\n".join(self.uploads.all).decode(errors="replace")
        world = World(folder, self.server, self.server, {})
        told = [
            world.typed(*command)
            for command in (["status", "--json"], ["explain", key], ["explain", key, "--json"])
        ]
        printed = self.log.getvalue() + "".join(one.stdout + one.stderr for one in told)
        assert self.ours.found(there) == set()
        assert self.theirs.found(here) == set()
        assert self.ours.found(printed) | self.theirs.found(printed) == set()
        assert self.open.found(here) == self.open.found(there) == set(self.open.words.values()), "these cross"
        assert "tracker_call" in printed
        assert key in told[0].stdout + told[1].stdout


@contextmanager
def heard(hunt: Hunt) -> Iterator[None]:
    """Log to the hunt."""
    configure("debug", stream=hunt.log)
    try:
        yield
    finally:
        structlog.reset_defaults()


def all_of_redmine(redmine, project: str) -> str:
    """Everything in a project: issues with all their parts, and the contents of files."""
    listed = redmine.call("admin", "GET", "/issues.json", project_id=project, status_id="*", limit=100)[
        "issues"
    ]
    found = []
    for one in listed:
        more = "journals,attachments,relations,watchers,children"
        issue = redmine.call("admin", "GET", f"/issues/{one['id']}.json", include=more)["issue"]
        found.append(json.dumps(issue))
        for file in issue["attachments"]:
            key = {"X-Redmine-API-Key": redmine.keys["admin"]}
            found.append(requests.get(file["content_url"], headers=key, timeout=60).text)
    return "\n".join(found)


def test_no_canary_crosses_between_jira_and_redmine(tmp_path, redmine):
    project = redmine.new_project()
    maps = MAPS[: MAPS.index("comments:")]
    more = "attachments: {cross: both}\nrelations: {parent: true, links: {Relates: relates}}"
    with (
        SimulatorServer(make_home()) as server,
        with_redmine(tmp_path, server, redmine, project, maps, more=more) as house,
    ):
        hunt = Hunt(server)
        new, call = hunt.theirs.new, redmine.call
        with heard(hunt):
            key = hunt.at_home()
            watcher = new("login of a watcher")
            person = {
                "login": watcher,
                "firstname": new("a watcher")[:30],
                "lastname": "W",
                "password": watcher,
            }
            mail = f"{new('mail of a watcher')}@tests.example"
            made = call("admin", "POST", "/users.json", {"user": {**person, "mail": mail}})["user"]["id"]
            version = {"version": {"name": new("version")}}
            version = call("admin", "POST", f"/projects/{project}/versions.json", version)["version"]["id"]
            category = {"issue_category": {"name": new("category")}}
            category = call("admin", "POST", f"/projects/{project}/issue_categories.json", category)
            hidden = redmine.new_issue(
                project, new("hidden"), is_private=True, description=new("hidden text")
            )
            redmine.edit_issue(hidden, notes=new("note on a hidden issue"))
            upload(redmine, hidden, f"{new('file of a hidden issue')}.txt", new("its content").encode())
            settle(house)
            peer = link_of(house, key).vendor_id
            said = hunt.talk_at_home(key)
            redmine.edit_issue(peer, notes=new("private note"), private_notes=True)
            note = {"notes": new("private note with a file"), "private_notes": True}
            upload(redmine, peer, f"{new('name of a file')}.txt", new("content of a file").encode(), **note)
            fields = (
                {"id": redmine.fields["Severity"], "value": "S1"},
                {"id": redmine.fields["Remark"], "value": new("a custom field")},
            )
            redmine.edit_issue(
                peer,
                custom_fields=list(fields),
                fixed_version_id=version,
                category_id=category["issue_category"]["id"],
                notes=hunt.open.new("redmine: note"),
            )
            upload(redmine, peer, "theirs.txt", hunt.open.new("redmine: file").encode(), who="bob")
            call("alice", "POST", f"/issues/{peer}/relations.json", {"relation": {"issue_to_id": hidden}})
            call("admin", "POST", f"/issues/{peer}/watchers.json", {"user_id": made})
            settle(house)
            hunt.close(key, said)
            settle(house)
            redmine.edit_issue(
                peer, is_private=True, notes=new("on a private issue"), subject=new("its subject")
            )
            settle(house)
            there = all_of_redmine(redmine, project)
            assert {"private note with a file", "content of a file", "a custom field", "its subject"} <= (
                hunt.theirs.found(there)
            ), "the secrets are where they were put"
            assert "open, at first" not in there, "taken back"
            hunt.judge(tmp_path, key, there)


def all_of_rt(rt, queue: str) -> str:
    """Everything in a queue: tickets, all transactions with their attachments, and every mail that was sent."""
    asked = {"query": f"Queue = '{queue.replace(chr(39), chr(92) + chr(39))}'", "per_page": 100}
    found = []
    for one in rt.call("root", "GET", "/tickets", **asked)["items"]:
        found.append(json.dumps(rt.read_ticket(one["id"], who="root")))
        fields = "Type,Field,OldValue,NewValue,Data"
        history = rt.call("root", "GET", f"/ticket/{one['id']}/history", fields=fields, per_page=100)["items"]
        found.append(json.dumps(history))
        for entry in history:
            path, fields = f"/transaction/{entry['id']}/attachments", "Subject,Filename,Headers,Content"
            for part in rt.call("root", "GET", path, fields=fields)["items"]:
                found.append(json.dumps(part))
                with suppress(ValueError):  # files come in base64, texts as they are
                    found.append(base64.b64decode(part["Content"], validate=True).decode(errors="replace"))
    found += [one.read_text(errors="replace") for one in (rt.folder / "mail").rglob("*") if one.is_file()]
    return "\n".join(found)


def test_no_canary_crosses_between_jira_and_request_tracker(tmp_path, rt):
    queue, terms = rt.new_queue(), f"{RT_MAPS}\nattachments: {{cross: both}}"
    with SimulatorServer(make_home()) as server, with_rt(tmp_path, server, rt, queue, terms) as house:
        hunt = Hunt(server)
        new = hunt.theirs.new
        with heard(hunt):
            key = hunt.at_home()
            settle_rt(house)
            peer = link_of(house, key).vendor_id
            said = hunt.talk_at_home(key)
            rt.remark(peer, new("comment for staff"))
            name, content = (
                f"{new('name of a file')}.txt",
                base64.b64encode(new("its content").encode()).decode(),
            )
            file = {"FileName": name, "FileType": "text/plain", "FileContent": content}
            body = {"Content": new("comment with a file"), "ContentType": "text/plain", "Attachments": [file]}
            rt.call("alice", "POST", f"/ticket/{peer}/comment", body)
            fields = {"Effort": new("a custom field"), "Sealed": new("a field that we may not see")}
            admin, cc = f"{new('admin cc')}@customer.example", f"{new('cc')}@customer.example"
            rt.edit_ticket(peer, who="root", CustomFields=fields, AdminCc=[admin], Cc=[cc])
            rt.reply(peer, hunt.open.new("rt: reply"))
            asked = f"{new('requestor')}@customer.example"
            other = rt.new_ticket(queue, "From a customer", "Help", Requestor=[asked], CustomFields=fields)
            settle_rt(house)
            assert link_of(house, f"{other}").internal_key
            hunt.close(key, said)
            settle_rt(house)
            there = all_of_rt(rt, queue)
            assert hunt.theirs.found(there) == set(hunt.theirs.words.values()), (
                "the secrets are where they were put"
            )
            hunt.judge(tmp_path, key, there)


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
