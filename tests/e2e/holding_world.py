"""A world whose agreement has roles: who may change what, who decides, and what stands in the trackers' notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from world import FIELDS, NOTES, World, open_world, plain

from bridge.store.rows import Letter
from bridge.sync.holding import Hold

ROLES = """
roles:
  service-owner: {side: internal, people: [ann@home.example], mail: [ops@home.example]}
  delivery-manager: {side: vendor, people: [bo@acme.example], mail: [desk@acme.example]}
  mediator: {side: internal, people: [admin@home.example], mail: [board@home.example]}
"""

PRIORITY = "owner: internal, values: {Highest: P1, High: P2, Medium: P3, Low: P4, Lowest: P4}"


@contextmanager
def roles_world(folder, *, roles: str = ROLES, tracker: str = "", **rules: str) -> Iterator[World]:
    """A world with roles; ``priority=...`` and the like give a field another rule."""
    lines = FIELDS
    for name, rule in {"priority": f"{{{PRIORITY}}}", **rules}.items():
        start = lines.index(f"\n  {name}:") + 1
        end = next(
            (
                at
                for at in range(start + 1, len(lines))
                if lines[at - 1] == "\n" and lines[at : at + 3] != "   "
            ),
            len(lines),
        )
        lines = f"{lines[:start]}  {name}: {rule}\n{lines[end:]}"
    with open_world(folder, fields=lines, more=roles, tracker=tracker) as world:
        yield world


def linked(world, **fields):
    """A ticket and its mirror, in agreement."""
    key = world.at_home().create("OPS", "Start", priority={"name": "Medium"}, **fields)
    world.settle()
    return key, world.peer(key)


def holds(world) -> list[Hold]:
    """All holds, oldest first."""
    with world.records() as tx:
        return [hold for link in tx.links.list() for hold in tx.holds.list(link.id)]


def notes(person, key) -> list[str]:
    """The bridge's own notes about holds on a ticket."""
    said = [plain(one["body"]) for one in person.comments(key)]
    return [one for one in said if one.startswith(NOTES)]


def letters(world) -> list[Letter]:
    """The letters in the outbox, oldest first."""
    with world.records() as tx:
        return list(reversed(tx.outbox.list()))
