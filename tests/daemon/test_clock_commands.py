"""Commands about clocks in a running world: a history that is read anew, a digest by ``bridge sync``, ``status``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from world import open_world

from bridge.config import load
from bridge.sla.serial import timeline_from_json, timeline_to_json
from bridge.store.database import Store

CLOCKS = """
roles:
  service-owner: {side: internal, people: [ann@example.com], mail: [ann@example.com]}
  delivery-manager: {side: vendor, people: [bo@acme.example], mail: [bo@acme.example]}
clocks:
  resolve: {start: created, stop: resolved, goals: {default: 4h}, owner: vendor}
digest: {to: [service-owner, delivery-manager], every: monday 08:00}
"""
MAIL = 'mail: {server: "smtp://127.0.0.1:9", from: bridge@example.com, tls: none}'


@pytest.fixture
def mirrored(tmp_path):
    """A ticket with a history, mirrored; yields the world and its key."""
    with open_world(tmp_path, more=CLOCKS, top=MAIL) as world:
        key = world.at_home().create("OPS", "Down", priority={"name": "High"})
        world.settle()
        world.at_acme().comment(world.peer(key), "Looking into it")
        world.settle()
        world.restart()
        yield world, key


def change(world, work) -> None:
    store = Store.open(load(world.folder, environ=world.environ).database, migrate=False)
    try:
        with store.write() as tx:
            work(tx)
    finally:
        store.close()


def test_a_history_that_is_read_anew_is_shown_before_it_is_stored(mirrored):
    world, key = mirrored

    def row(tx):
        (link,) = tx.links.by_key(key)
        return tx.chronicles.get(link.id)

    def forget_comment(tx):
        kept = row(tx)
        timeline = timeline_from_json(kept.timeline)
        (created, *_) = timeline.entries
        tx.chronicles.put(
            replace(kept, timeline=timeline_to_json(replace(timeline, entries=(created,)))), None
        )

    def entries():
        with world.records() as tx:
            return timeline_from_json(row(tx).timeline).entries

    whole = entries()
    assert len(whole) > 1
    assert world.typed("sla", "rebuild").returncode == 0
    change(world, forget_comment)
    said = world.typed("sla", "rebuild", key)
    assert said.returncode == 1
    assert "new:" in said.stdout
    assert "nothing stored" in said.stdout
    assert len(entries()) == 1
    found = json.loads(world.typed("sla", "rebuild", "--json").stdout)
    assert (found["read"], found["stored"], len(found["differences"])) == (1, False, 1)
    assert len(entries()) == 1
    assert "1 are another; stored" in world.typed("sla", "rebuild", "--yes").stdout
    assert entries() == whole
    assert world.typed("sla", "rebuild", key).returncode == 0
    assert world.typed("sla", "rebuild", "OPS-99").returncode == 2


def test_a_tracker_that_cannot_be_asked_ends_a_rebuild_with_3(mirrored):
    world, key = mirrored
    file = world.folder / "bridge.yaml"
    file.write_text(file.read_text().replace(world.acme.url, "http://127.0.0.1:9"))
    said = world.typed("sla", "rebuild", key)
    assert (said.returncode, "0 read" in said.stdout) == (3, True)


def test_status_and_explain_tell_of_the_clocks(mirrored):
    world, key = mirrored
    assert "acme: 1 clocks run, 0 at risk, 0 missed: 'bridge sla'" in world.typed("status").stdout
    assert "clock resolve 1: running; goal " in world.typed("explain", key).stdout
    assert json.loads(world.typed("sla", "--json").stdout)[0]["internal"] == key


def test_one_pass_for_cron_sends_the_digest_that_is_due(mirrored):
    world, _ = mirrored
    change(world, lambda tx: tx.cursors.set_note("digest/acme", {"until": 0}))
    world.settle()
    world.settle()
    with world.records() as tx:
        keys = [letter.key for letter in tx.outbox.list() if letter.key.startswith("digest/")]
    assert sorted(key.rpartition("/")[2] for key in keys) == ["delivery-manager", "service-owner"]
