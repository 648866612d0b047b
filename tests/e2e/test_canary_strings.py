"""Private text stays private: a canary in every private place of every tracker, looked for in all that comes out.

Each canary is a made-up word that stands in one place only, where the other side may not see it. A day's work is done
around them, with edits, changes between public and private, conflicts, and trackers that quote our requests in their
complaints. Then everything that left is searched: each request to the other tracker with its address and headers, what
that tracker stored, the logs at their most talkative, what the commands print.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import structlog
from world import World, eventually, open_world

from bridge.log import configure
from bridge.simulator import make_acme, make_home
from bridge.simulator.presets import EXTERNAL_ID, IMPACT, add_person, add_project
from bridge.simulator.render import dump

FIELDS = """
  summary: {}
  description: {}
  type: {values: {Bug: Bug, Task: Task, Incident: Incident, Improvement: Service Request}}
  priority: {values: {Highest: P1, High: P2, Medium: P3, Low: P4, Lowest: P4}}
  labels: {rule: merge, only: ["release-*", vendor-acme]}
  assignee: {otherwise: hold}
"""
INTERNAL = {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
ROLE = {"visibility": {"type": "role", "value": "Developers"}}
GROUP = {"visibility": {"type": "group", "value": "staff"}}
SECURED = {"security": {"name": "Staff only"}}


class Canaries:
    """Made-up words, each with the one place where it stands."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def new(self, place: str) -> str:
        """A word for a place; letters only, so that no markup changes it."""
        word = "canary" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(14))
        self.words[word] = place
        return word

    def found(self, text: str) -> set[str]:
        """The places whose words are in a text, however it is written down."""
        plain = re.sub("[\u2060\u200b]", "", text)
        return {place for word, place in self.words.items() if word in plain}


class Day:
    """A day's work on both trackers, full of secrets.

    Attributes:
        ours: secrets of the internal side.
        theirs: secrets of the vendor's side.
        mapped: handles of people in the agreement: for their own tracker and the configuration alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours, self.theirs, self.mapped = Canaries(), Canaries(), Canaries()
        self.ann_mail, self.bo_mail = self.mapped.new("home: mail"), self.mapped.new("acme: mail")
        self.home, self.acme = make_home(service_desk=True), make_acme(service_desk=True)
        for site, login, mail in ((self.home, "ann", self.ann_mail), (self.acme, "bo", self.bo_mail)):
            person = site.person(login)
            site.users[person.id] = replace(person, email=f"{mail}@{site.name}.example")
        self.hidden = {site.name: self._stranger(site) for site in (self.home, self.acme)}
        add_project(self.home, "HR")
        self.prints: list[str] = []

    def _stranger(self, site) -> str:
        """Somebody whom the agreement does not know, whose login and address are secrets; returns the login."""
        canaries = self.ours if site is self.home else self.theirs
        login = canaries.new(f"{site.name}: login")
        person = add_person(site, login, "Zoe Stranger")
        mail, key = canaries.new(f"{site.name}: mail"), canaries.new(f"{site.name}: account")
        del site.users[person.id]
        site.add_user(replace(person, id=key, email=f"{mail}@{site.name}.example"), f"{login}-token")
        shown_mail = canaries.new(f"{site.name}: a name that is an address")
        other = add_person(site, f"customer-{site.name}", f"{shown_mail}@{site.name}.example")
        assert other.display_name.startswith(shown_mail)
        return login

    # --- people ---------------------------------------------------------------------------------------------------

    def at_home(self, world: World, login: str = "ann"):
        return world.at_home(login)

    def at_acme(self, world: World, login: str = "bo"):
        person = world.at_acme(login)
        person.auth = (self.acme.person(login).email, f"{login}-token")
        return person

    # --- the day --------------------------------------------------------------------------------------------------

    def morning(self, world: World) -> dict[str, str]:
        """Tickets on both sides, and secrets in everything that is not for the other one."""
        ann, bo = self.at_home(world), self.at_acme(world)
        here, there = self.ours.new, self.theirs.new
        key = ann.create(
            "OPS",
            "Printer",
            labels=["vendor-acme", f"x-{here('home: a label')}"],
            environment=here("home: environment"),
            **{IMPACT: here("home: a field"), EXTERNAL_ID: here("home: another field")},
        )
        ann.create("OPS", here("home: a ticket out of scope"), description=here("home: its text"))
        ann.create("HR", here("home: another project"), labels=["vendor-acme"])
        secured = ann.create(
            "OPS",
            here("home: secured"),
            description=here("home: secured text"),
            labels=["vendor-acme"],
            **SECURED,
        )
        ann.comment(secured, here("home: secured comment"))
        lamp = ann.create("OPS", "Lamp", labels=["vendor-acme"])
        world.settle()
        peer = world.peer(key)
        labels = [*bo.read(peer)["fields"]["labels"], f"y-{there('acme: a label')}"]
        bo.edit(peer, labels=labels)
        ann.edit(key, labels=["vendor-acme", "release-2", f"x-{here('home: another label')}"])
        world.settle()
        bo.edit(peer, **{IMPACT: bo.text(there("acme: a field")), EXTERNAL_ID: there("acme: another field")})
        hidden = bo.create(
            "CUST", there("acme: secured"), description=bo.text(there("acme: secured text")), **SECURED
        )
        bo.comment(hidden, there("acme: secured comment"))
        return {"home": key, "acme": peer, "lamp": lamp, "bulb": world.peer(lamp)}

    def noon(self, world: World, keys: dict[str, str]) -> None:
        """Talk: public, private, and from one to the other."""
        ann, bo = self.at_home(world), self.at_acme(world)
        for person, key, new, side in (
            (ann, keys["home"], self.ours.new, "home"),
            (bo, keys["acme"], self.theirs.new, "acme"),
        ):
            person.comment(key, "good morning")
            person.comment(key, new(f"{side}: role"), **ROLE)
            person.comment(key, new(f"{side}: group"), **GROUP)
            note = person.comment(key, new(f"{side}: internal note"), **INTERNAL)
            flips = person.comment(key, "for all, at first")
            opens = person.comment(key, new(f"{side}: before it was opened"), **ROLE)
            going = person.comment(key, new(f"{side}: deleted"), **GROUP)
            admin = self.at_home(world, "admin") if side == "home" else self.at_acme(world, "admin")
            admin.comment(key, new(f"{side}: admins"), visibility={"type": "role", "value": "Administrators"})
            if side == "acme":
                person.comment(key, new("acme: child of a note"), parentId=int(note))
            world.settle()
            place = f"/issue/{key}/comment"
            person.call("PUT", f"{place}/{note}", {"body": person.text(new(f"{side}: note, edited"))})
            person.call("PUT", f"{place}/{flips}", {"body": person.text(new(f"{side}: flipped")), **ROLE})
            person.call("PUT", f"{place}/{opens}", {"body": person.text("opened"), "visibility": None})
            person.call("DELETE", f"{place}/{going}")
            world.settle()
        ann.call("POST", f"/issue/{keys['home']}/comment", {"body": f"[~{self.hidden['home']}] knows"})
        account = self.acme.person(self.hidden["acme"]).id
        node = {"type": "mention", "attrs": {"id": account, "text": "@Zoe Stranger"}}
        body = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [node]}]}
        bo.call("POST", f"/issue/{keys['acme']}/comment", {"body": body})
        for person, key, site in ((ann, keys["home"], self.home), (bo, keys["acme"], self.acme)):
            stranger = self.hidden[site.name]
            who = {"name": stranger} if site is self.home else {"accountId": account}
            person.edit(key, assignee=who)
            for login in (stranger, f"customer-{site.name}"):
                one = self.at_home(world, login) if site is self.home else self.at_acme(world, login)
                one.comment(key, "a stranger's word")
        world.settle()

    def evening(self, world: World, keys: dict[str, str]) -> None:
        """Conflicts, tickets that become private, and trackers in trouble."""
        ann, bo = self.at_home(world), self.at_acme(world)
        ann.edit(keys["home"], summary="Printer burns")
        bo.edit(keys["acme"], summary="Printer smokes")
        world.settle()
        ann.edit(keys["home"], summary=self.ours.new("home: summary of a ticket made private"), **SECURED)
        ann.comment(keys["home"], self.ours.new("home: public comment on a ticket made private"))
        world.settle()

    def trouble(self, world: World) -> None:
        """Both trackers fall into trouble, and quote what they were asked."""
        for server in (world.home, world.acme):
            echo = {"kind": "echo", "status": 400, "method": "POST", "path_regex": "/comment"}
            broken = {"kind": "truncated", "path_regex": r"/issue/([0-9]+|bulkfetch)(\?|$)"}
            failing = {"kind": "echo", "status": 500, "path_regex": broken["path_regex"]}
            for fault in (echo, failing if server is world.home else broken):
                server.faults.add_json({**fault, "user": "bridge"})

    def listen(self, world: World, keys: dict[str, str]) -> None:
        """The daemon with its most talkative log, in good times and bad; and everything that commands print."""
        world.restart()
        with world.daemon(BRIDGE_LOG_LEVEL="debug"):
            eventually(lambda: any(line["event"] == "daemon_started" for line in world.log()), seconds=60)
            self.trouble(world)
            ivan, cy = self.at_home(world, "ivan"), self.at_acme(world, "cy")
            ivan.comment(keys["lamp"], self.ours.new("home: a note in bad times"), **INTERNAL)
            ivan.comment(keys["lamp"], "a word in bad times")
            cy.comment(keys["bulb"], self.theirs.new("acme: a note in bad times"), **INTERNAL)
            cy.comment(keys["bulb"], "a word in bad times")
            eventually(lambda: not (world.home.faults.rules or world.acme.faults.rules), seconds=90)
        self.prints.append((self.folder / "daemon.log").read_text())
        commands = [["status"], ["status", "--json"], ["plan"], ["check"]]
        commands += [["explain", keys[name]] for name in ("home", "lamp")]
        for command in commands:
            done: subprocess.CompletedProcess[str] = world.bridge(*command)
            self.prints.append(done.stdout + done.stderr)

    # --- looking --------------------------------------------------------------------------------------------------

    def leaks(self, world: World) -> dict[str, set[str]]:
        """Where a secret came out."""
        sent = {
            side: "\n".join(
                json.dumps(asdict(call), ensure_ascii=False)
                for call in server.calls.since(0)
                if call.user == "bridge" and call.kind != "unknown"
            )
            for side, server in (("home", world.home), ("acme", world.acme))
        }
        stored = {"home": json.dumps(dump(self.home)), "acme": json.dumps(dump(self.acme))}
        printed = "\n".join(self.prints)
        found = {
            "requests to acme": self.ours.found(sent["acme"]),
            "acme's store": self.ours.found(stored["acme"]),
            "requests to home": self.theirs.found(sent["home"]),
            "home's store": self.theirs.found(stored["home"]),
            "prints": self.ours.found(printed) | self.theirs.found(printed),
            "handles at acme": {place for place in self.mapped.found(sent["acme"]) if "home" in place},
            "handles at home": {place for place in self.mapped.found(sent["home"]) if "acme" in place},
            "handles in logs": self.mapped.found(self.prints[0]) if self.prints else set(),
        }
        return {where: places for where, places in found.items() if places}


def spend(folder: Path, *, comments: str, listen: bool) -> tuple[Day, dict[str, set[str]]]:
    """A whole day under an agreement about comments; returns it with what leaked."""
    day = Day(folder)
    with open_world(
        folder, day.home, day.acme, fields=FIELDS, more=comments, select="labels = vendor-acme"
    ) as world:
        path = folder / "agreements" / "acme.yaml"
        text = path.read_text().replace("ann@home.example", f"{day.ann_mail}@home.example")
        path.write_text(text.replace("bo@acme.example", f"{day.bo_mail}@acme.example"))
        keys = day.morning(world)
        day.noon(world, keys)
        day.evening(world, keys)
        if listen:
            day.listen(world, keys)
        assert day.ours.found(json.dumps(dump(day.home))), "the secrets are where they were put"
        assert day.theirs.found(json.dumps(dump(day.acme)))
        return day, day.leaks(world)


@pytest.mark.timeout(300)
def test_no_canary_comes_out(tmp_path) -> None:
    with (tmp_path / "passes.log").open("w") as log:
        configure("debug", stream=log)
        try:
            day, leaks = spend(tmp_path, comments="comments: {mentions: live}", listen=True)
        finally:
            structlog.reset_defaults()
    assert leaks == {}
    heard = (tmp_path / "passes.log").read_text()
    assert "tracker_call" in heard, "the log of the passes was listened to as well"
    assert day.ours.found(heard) | day.theirs.found(heard) | day.mapped.found(heard) == set()


@pytest.mark.timeout(300)
def test_the_search_would_find_them(tmp_path) -> None:
    """With an agreement that lets private comments cross, their canaries are found: the test can fail."""
    _, leaks = spend(tmp_path, comments="comments: {private: as-private}", listen=False)
    assert leaks.keys() == {"requests to acme", "acme's store", "requests to home", "home's store"}
    assert {"home: role", "home: internal note", "home: flipped", "home: note, edited"} <= leaks[
        "requests to acme"
    ]
    assert {"acme: group", "acme: internal note", "acme: child of a note"} <= leaks["requests to home"]
    every = set().union(*leaks.values())
    assert not [place for place in every if "secured" in place or "mail" in place or "login" in place]
