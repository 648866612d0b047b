"""A day's work on both trackers, full of secrets: what people do at their desks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from canaries import Canaries
from world import World

from bridge.simulator import make_acme, make_home
from bridge.simulator.presets import EXTERNAL_ID, IMPACT, add_person, add_project

INTERNAL = {"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
ROLE = {"visibility": {"type": "role", "value": "Developers"}}
GROUP = {"visibility": {"type": "group", "value": "staff"}}
SECURED = {"security": {"name": "Staff only"}}


class Uploads(dict[str, Any]):
    """The contents that a tracker holds, and all that it has held."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[bytes] = []

    def __setitem__(self, number: str, blob: Any) -> None:
        self.all.append(blob.read())
        super().__setitem__(number, blob)


class Day:
    """A day's work on both trackers, full of secrets.

    Attributes:
        ours: secrets of the internal side.
        theirs: secrets of the vendor's side.
        mapped: handles of people in the agreement: for their own tracker and the configuration alone.
        open: words that may cross, beside the secrets: the search must find them.
        prints: what commands printed.
        uploads: every content that each tracker was ever given, also of files that are gone again.
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
        self.open = Canaries()
        self.prints: list[str] = []
        self.uploads = {site.name: Uploads() for site in (self.home, self.acme)}
        self.home.blobs, self.acme.blobs = self.uploads["home"], self.uploads["acme"]

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

    def typed(self, world: World, *command: str) -> None:
        """Type a command, and keep what it prints."""
        done = world.typed(*command)
        self.prints.append(f"$ bridge {' '.join(command)}\n{done.stdout}{done.stderr}")

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
