"""Timelines in a running world: a day of changes on both sides, outages, restarts, and what each costs."""

from __future__ import annotations

from contextlib import contextmanager

from world import open_world

from bridge.sla.serial import timeline_from_json

CLOCKS = """
clocks:
  resolve: {start: created, stop: resolved, goals: {default: 4h}, calendar: always}
"""


@contextmanager
def clocked(folder, **more):
    with open_world(folder, more=CLOCKS, **more) as world:
        yield world


def row_of(world, key):
    with world.records() as tx:
        (link,) = tx.links.by_key(key)
        return tx.chronicles.get(link.id)


def timeline_of(world, key):
    return timeline_from_json(row_of(world, key).timeline)


def story(timeline):
    """What happened, in short."""
    return [(one.side.value, one.kind.value, one.field, one.before, one.after) for one in timeline.entries]


def test_first(tmp_path):
    with clocked(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Down", priority={"name": "High"})
        world.settle()
        peer = world.peer(key)
        bo.move(peer, "In Progress")
        bo.comment(peer, "Looking into it")
        world.settle()
        ann.comment(key, "Please hurry")
        ann.edit(key, priority={"name": "Highest"})
        world.settle()
        bo.move(peer, "In Review")
        bo.move(peer, "Done")
        world.settle()
        for e in timeline_of(world, key).entries:
            print(e)
        print(row_of(world, key))
        print(timeline_of(world, key))
        assert 0
