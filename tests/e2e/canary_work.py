"""What else happens on a day full of secrets: files, time, ties between tickets, journeys, and links made by hand.

Each party does the same with tickets of its own. Beside each secret stands a word that may cross, in the same kind of
place: the search has to find that one, or it would not find the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from canaries import Canaries
from canary_day import GROUP, INTERNAL, ROLE, SECURED, Day
from test_attachments import LONG, PNG, attach
from test_relating import link
from test_time_spent import book
from world import Person, World

from bridge.simulator import SimulatorServer, add_project, move
from bridge.simulator.presets import CONTACT, WATCHED_BY

HOUR = 3_600
AGREED = """
attachments: {cross: both}
worklogs: {cross: both}
relations: {parent: true, links: {Blocks: Blocks}}
"""


@dataclass(frozen=True)
class Party:
    """One side's people and tracker.

    Attributes:
        scope: what puts a new ticket into the agreement's scope.
    """

    name: str
    person: Person
    admin: Person
    server: SimulatorServer
    project: str
    scope: dict[str, list[str]]
    secrets: Canaries
    words: Canaries

    def new(self, place: str) -> str:
        """A canary."""
        return self.secrets.new(f"{self.name}: {place}")

    def open(self, place: str) -> str:
        """A word that may cross."""
        return self.words.new(f"{self.name}: {place}")

    def create(self, summary: str, **fields) -> str:
        """A ticket in scope; its key."""
        return self.person.create(self.project, summary, **{**self.scope, **fields})


def parties(day: Day, world: World) -> Iterator[Party]:
    """Both of them."""
    ann, bo = day.at_home(world), day.at_acme(world)
    scope = {"labels": ["vendor-acme"]}
    yield Party("home", ann, day.at_home(world, "admin"), world.home, "OPS", scope, day.ours, day.open)
    yield Party("acme", bo, day.at_acme(world, "admin"), world.acme, "CUST", {}, day.theirs, day.open)


def work(day: Day, world: World) -> dict[str, str]:
    """Everything; returns the keys of tickets by their part in it."""
    both, keys = list(parties(day, world)), {}
    for party in both:
        for part in ("desk", "nomad", "goner"):
            keys[f"{party.name} {part}"] = party.create(f"A {part}")
    for party in both:
        set_parts(party, keys[f"{party.name} desk"], world)
        watch_over(party, keys[f"{party.name} desk"], day.hidden[party.name])
    booked = {party.name: book(party.person, keys[f"{party.name} desk"], "5m", "For all") for party in both}
    world.settle()
    for party in both:
        show_files(party, keys[f"{party.name} desk"])
        book_time(party, keys[f"{party.name} desk"], booked[party.name])
        tie(party, keys[f"{party.name} desk"], keys[f"{party.name} nomad"])
    world.settle()
    for party in both:
        leave(party, keys[f"{party.name} nomad"], keys[f"{party.name} goner"])
    world.sync(census=True)
    for _ in range(2):
        world.later(HOUR)
        world.sync()
    keys |= by_hand(day, world, *both)
    world.settle()
    return keys


def set_parts(party: Party, key: str, world: World) -> None:
    """Components and versions: those that the agreement lets cross, and others."""
    project = party.server.site.projects[party.project]
    hidden = [party.new(place) for place in ("component", "version", "affected version")]
    shared = f"shared-{party.open('fields: a component')}"
    for server, name in ((world.home, "OPS"), (world.acme, "CUST")):
        held = server.site.projects[name]
        held.components[f"77{party.name}"] = shared
    project.components["771"] = hidden[0]
    project.versions |= {"772": hidden[1], "773": hidden[2]}
    party.person.edit(
        key,
        components=[{"name": hidden[0]}, {"name": shared}],
        fixVersions=[{"name": hidden[1]}],
        versions=[{"name": hidden[2]}],
    )


def watch_over(party: Party, key: str, stranger: str) -> None:
    """A field of people, web links and properties that tell of our own affairs; the stranger's handles are secrets."""
    person, cloud = party.person, party.name == "acme"
    who = {"accountId": party.server.site.person(stranger).id} if cloud else {"name": stranger}
    person.edit(key, **{WATCHED_BY: [who], CONTACT: who})
    page = {"url": "https://wiki.example/x", "title": party.new("title of a web link")}
    person.call("POST", f"/issue/{key}/remotelink", {"object": page})
    person.call("PUT", f"/issue/{key}/properties/ours", {"word": party.new("property of a ticket")})


def show_files(party: Party, key: str) -> None:
    """Files of private comments, files that are refused, a long private comment, and a file for all."""
    person, name, content = (
        party.person,
        party.new("name of a private file"),
        party.new("content of a private file"),
    )
    attach(person, key, f"{name}.txt", content.encode())
    attach(person, key, f"{name}.png", PNG + content.encode(), "image/png")
    said = party.new("private comment that shows a file")
    if party.name == "home":
        person.comment(key, f"{said} [^{name}.txt] !{name}.png!", **INTERNAL)
        person.comment(key, f"{LONG}\n\n{party.new('end of a long private comment')}", **INTERNAL)
    else:
        body = person.text(f"{said} {name}.txt")
        media = {
            "type": "file",
            "id": "0f0f0f0f-0000-4000-8000-000000000000",
            "collection": "",
            "alt": f"{name}.png",
        }
        body["content"].append({"type": "mediaSingle", "content": [{"type": "media", "attrs": media}]})
        person.call("POST", f"/issue/{key}/comment", {"body": body, **INTERNAL})
    refused = party.new("name of a refused file")
    program = b"MZ\x90\x00" + party.new("content of a refused file").encode()
    attach(person, key, f"{refused}.exe", program)
    attach(person, key, f"{refused}.png", program, "image/png")
    attach(person, key, f"{party.open('files: a name')}.txt", party.open("files: a content").encode())


def book_time(party: Party, key: str, booked: str) -> None:
    """Time that a role or a group may see, time for all, and time that was for all."""
    said = party.person.text(party.new("worklog, made private"))
    party.person.call("PUT", f"/issue/{key}/worklog/{booked}", {"comment": said, **ROLE})
    book(party.person, key, "1h", party.new("private worklog"), **ROLE)
    book(party.person, key, "2h", party.new("worklog of a group"), **GROUP)
    book(party.person, key, "3h", party.open("time: a worklog"))


def tie(party: Party, key: str, other: str) -> None:
    """Links with tickets that the other side may not know, and a sub-task of one."""
    person = party.person
    elsewhere = add_project(party.server.site, party.new("key of a linked ticket").upper()).key
    link(person, "Blocks", person.create(elsewhere, party.new("title of a linked ticket elsewhere")), key)
    secured = person.create(party.project, party.new("title of a secured linked ticket"), **SECURED)
    link(person, "Blocks", key, secured)
    parent = person.create(party.project, party.new("title of a secured parent"), **SECURED)
    party.create("Part", kind="Sub-task", parent={"key": parent})
    person.edit(other, summary=party.open("ties: title of a linked ticket"))
    link(person, "Blocks", key, other)


def leave(party: Party, nomad: str, goner: str) -> None:
    """A ticket goes to another project, where work on it goes on; another one is deleted after a last change."""
    person, site = party.person, party.server.site
    add_project(site, party.new("key after moving out").upper())
    away = move(site, nomad, list(site.projects)[-1], "admin").key
    person.edit(away, summary=party.new("summary after moving out"))
    person.comment(away, party.new("comment after moving out"))
    attach(person, away, "away.txt", party.new("file after moving out").encode())
    book(person, away, "1h", party.new("worklog after moving out"))
    person.comment(goner, party.new("private comment of a deleted ticket"), **ROLE)
    person.edit(goner, summary=party.new("last words before a deletion"))
    party.admin.call("DELETE", f"/issue/{goner}")


def by_hand(day: Day, world: World, home: Party, acme: Party) -> dict[str, str]:
    """Tickets that were there before are linked with their history, private ones are tried; returns their keys."""
    label = f"x-{home.new('label of a ticket to be linked')}"
    ours = home.create("Ours", labels=[label])
    theirs = acme.create("Theirs")
    for party, key in ((home, ours), (acme, theirs)):
        party.person.comment(key, party.new("old private comment"), **INTERNAL)
        party.person.comment(key, party.open("by hand: an old comment"))
    secured = home.person.create(
        "OPS", home.new("private ticket to be linked"), description=home.new("its description"), **SECURED
    )
    other = acme.create("Another")
    pairs = world.folder / "pairs.csv"
    pairs.write_text(f"internal,vendor\n{secured},{other}\n{ours},{theirs}\nOPS-999,{other}\n")
    for command in (
        ["import", str(pairs), "--dry-run"],
        ["import", str(pairs), "--dry-run", "--json"],
        ["link", ours, theirs],
        ["link", ours, theirs, "--history", "--yes"],
        ["link", secured, other],
        ["link", secured, other, "--history", "--yes"],
    ):
        day.typed(world, *command)
    return {"linked": ours, "secured": secured}
