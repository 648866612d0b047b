"""The brakes, against whole trackers: too much at once, a side out of sight, trackers and databases from backups."""

from __future__ import annotations

import json
import shutil
import socket
import time

import pytest
import requests
from world import FIELDS, eventually, open_world

from bridge.daemon.brakes import all_pulled
from bridge.simulator import make_acme, make_home
from bridge.simulator.state import real_clock

HOUR = 3_600_000
"""Milliseconds: the simulators' clocks are in those."""

OWNER = """
roles:
  service-owner: {side: internal, people: [ann@home.example], mail: [ops@home.example]}
  delivery-manager: {side: vendor, people: [bo@acme.example], mail: [bo@acme.example]}
"""


@pytest.fixture
def tight(tmp_path):
    """A world whose brake lets three tickets be changed at once."""
    with open_world(tmp_path, more="brakes: {share: 10%, least: 3, within: 10m}") as opened:
        yield opened


def linked(world, count, **fields):
    """Mirrored tickets at peace; their keys at home."""
    ann = world.at_home()
    keys = [ann.create("OPS", f"Ticket {number}", **fields) for number in range(count)]
    world.settle()
    return keys


def marks(world):
    """How many calls each tracker has had so far, for :func:`written`."""
    return {server: len(server.calls.since(0)) for server in (world.home, world.acme)}


def written(world, before):
    """Writes of the bridge, since ``marks``."""
    return [
        f"{call.method} {call.path}"
        for server, count in before.items()
        for call in server.calls.since(0)[count:]
        if call.kind == "write" and (call.user or "bridge").startswith("bridge")
    ]


def brakes(world):
    """Agreement -> cause, of the brakes that are pulled."""
    with world.records() as tx:
        return {one.agreement: one.cause.value for one in all_pulled(tx)}


def events(world):
    """The journal entries that are about no link."""
    with world.records() as tx:
        return [entry for entry in tx.journal.recent(500) if entry.link_id is None]


def test_a_script_that_changes_every_ticket_is_stopped_at_the_line(tight):
    keys = linked(tight, 12)
    bo = tight.at_acme()
    for key in keys:
        bo.edit(tight.peer(key), priority={"name": "P1"})
    before = marks(tight)
    done = tight.sync()
    assert len([one for one in written(tight, before) if one.startswith("PUT")]) == 3
    assert len(written(tight, before)) == 3, "and nothing beyond"
    assert len(done.ended("withheld")) == 9
    assert brakes(tight) == {"acme": "share"}
    bo.comment(tight.peer(keys[0]), "Sorry, that was our script")
    late = tight.at_home().create("OPS", "Made meanwhile")
    before = marks(tight)
    tight.restart()
    tight.sync()
    assert written(tight, before) == [], "it stays, over a restart as well, and for everything"
    (pulled,) = [one for one in events(tight) if one.event == "brake.pulled"]
    assert pulled.data["reason"] == (
        "4 of 12 tickets would have been changed within 600 s, and 3 are let through"
    )
    shown = tight.typed("brakes")
    assert shown.returncode == 1
    assert "acme: pulled since" in shown.stdout
    assert "4 of 12 tickets" in tight.typed("status").stdout
    assert tight.typed("brakes", "release", "acme", "--reason", "It was meant", "--for", "1h").returncode == 0
    assert tight.typed("brakes").returncode == 0
    tight.settle()
    assert tight.judge() == 13
    assert tight.at_home().field(keys[11], "priority") == "Highest"
    assert tight.peer(late)
    (released,) = [one for one in events(tight) if one.event == "brake.released"]
    assert released.data["reason"] == "It was meant"
    assert released.data["by"]


def test_a_release_without_a_time_lets_as_many_through_again(tight):
    keys = linked(tight, 12)
    bo = tight.at_acme()
    for key in keys:
        bo.edit(tight.peer(key), priority={"name": "P1"})
    tight.sync()
    tight.restart()
    before = marks(tight)
    assert tight.typed("brakes", "release", "acme").returncode == 0
    tight.sync()
    assert len(written(tight, before)) == 3
    assert brakes(tight) == {"acme": "share"}
    assert tight.typed("brakes", "release", "acme", "--for", "90").returncode == 2
    assert tight.typed("brakes", "release", "other").returncode == 1


def test_what_people_have_reviewed_is_not_counted_and_not_stopped_at_the_line(tight):
    keys = linked(tight, 6)
    for key in keys:
        tight.at_home().edit(key, priority={"name": "Highest"})
    tight.sync()
    assert brakes(tight) == {"acme": "share"}
    tight.restart()
    path = tight.folder / "plan.jsonl"
    assert tight.typed("plan", "-o", str(path)).returncode == 1
    assert tight.typed("apply", str(path)).returncode == 0
    assert [tight.at_acme().field(tight.peer(key), "priority") for key in keys] == ["P1"] * 6
    assert brakes(tight) == {"acme": "share"}, "it stays for everything else"


def test_what_was_counted_is_remembered_over_a_restart(tight):
    keys = linked(tight, 6)
    bo = tight.at_acme()
    for key in keys[:3]:
        bo.edit(tight.peer(key), priority={"name": "P1"})
        tight.sync()
        time.sleep(2.1)  # it is stored every two seconds
    assert brakes(tight) == {}
    tight.restart()
    bo.edit(tight.peer(keys[0]), priority={"name": "P2"})
    tight.sync()
    assert brakes(tight) == {}, "a ticket counts once, however often it is changed"
    bo.edit(tight.peer(keys[3]), priority={"name": "P1"})
    tight.sync()
    assert brakes(tight) == {"acme": "share"}


def test_a_first_sync_of_any_size_is_let_through(tight):
    ann = tight.at_home()
    keys = [ann.create("OPS", f"Old {number}", priority={"name": "High"}) for number in range(8)]
    for key in keys:
        ann.move(key, "In Progress")
    tight.settle()
    assert brakes(tight) == {}
    assert tight.judge() == 8


def test_nothing_is_stopped_where_the_share_is_off(tmp_path):
    with open_world(tmp_path, more="brakes: {share: off}") as world:
        keys = linked(world, 25)
        for key in keys:
            world.at_home().edit(key, priority={"name": "Highest"})
        world.settle()
        assert brakes(world) == {}
        assert world.judge() == 25


@pytest.mark.parametrize("census", [False, True])
def test_a_project_that_lost_its_permission_concludes_nothing(world, census):
    keys = linked(world, 6)
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")
    before = marks(world)
    world.sync(census=census)
    assert brakes(world) == {"acme": "empty"}
    world.at_home().edit(keys[0], summary="Meanwhile")
    world.later(3_600)
    world.sync()
    world.later(3_600)
    world.sync()
    assert written(world, before) == []
    assert [len(world.at_home().comments(key)) for key in keys] == [0] * 6, "no ticket counts as deleted"
    assert {link.state.value for link in world.links()} <= {"active", "parked"}
    world.acme.site.restore("bridge", "BROWSE_PROJECTS")
    world.sync()
    assert written(world, before) == [], "a person says go on, not the tracker"
    assert world.typed("brakes", "release", "acme").returncode == 0
    world.settle()
    assert world.judge() == 6
    assert brakes(world) == {}


@pytest.fixture
def aged(tmp_path):
    """A world whose trackers' clocks are an hour late, until a test sets them right: an hour goes by at once."""
    home, acme = make_home(), make_acme()
    home.clock = acme.clock = lambda: real_clock() - HOUR
    with open_world(tmp_path, home, acme) as opened:
        yield opened


def go_back(world):
    """The database is as it was when it was copied."""
    world.restart()
    for path in world.folder.glob("bridge.db*"):
        path.unlink()
    shutil.copy(world.folder / "backup.db", world.folder / "bridge.db")


def set_right(world):
    """An hour goes by: for the trackers, and for links that are too young to be watched."""
    with world.house.store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE links SET created_at = created_at - 3600000000")
    world.home.site.clock = world.acme.site.clock = real_clock


@pytest.mark.parametrize("quiet", [True, False])
def test_a_tracker_from_its_backup_pulls_the_brake_before_its_old_values_cross(aged, quiet):
    keys = linked(aged, 6)
    peers = [aged.peer(key) for key in keys]
    backup = aged.acme.site.backup()
    set_right(aged)
    ann, bo = aged.at_home(), aged.at_acme()
    for peer in peers[:3]:
        bo.edit(peer, summary=f"Since the backup {peer}")
    young = ann.create("OPS", "Younger than the backup")
    aged.settle()
    aged.acme.site.restore_backup(backup)
    if not quiet:
        # The ticket that somebody works on is newer than ever, and shows its old values.
        bo.edit(peers[0], duedate="2027-05-01")
    before = marks(aged)
    aged.sync()
    assert brakes(aged) == {"acme": "tracker-restored"}
    aged.later(3_600)
    aged.sync(census=True)
    aged.later(3_600)
    aged.sync()
    assert written(aged, before) == []
    assert ann.field(keys[0], "summary") == f"Since the backup {peers[0]}"
    assert ann.comments(young) == []
    (pulled,) = [one for one in events(aged) if one.event == "brake.pulled"]
    assert "acme (vendor)" in pulled.data["reason"]


def test_an_id_that_another_ticket_has_now_is_never_written_to(aged):
    keys = linked(aged, 1)
    backup = aged.acme.site.backup()
    ann, bo = aged.at_home(), aged.at_acme()
    young = ann.create("OPS", "Younger than the backup")
    aged.settle()
    assert keys
    peer = aged.peer(young)
    aged.acme.site.restore_backup(backup)
    set_right(aged)
    other = bo.create("CUST", "Somebody else's")
    assert other == peer, "the number is given out again"
    before = marks(aged)
    ann.edit(young, summary="Changed at home")
    aged.sync()
    assert brakes(aged) == {"acme": "tracker-restored"}
    assert aged.typed("brakes", "release", "acme").returncode == 0
    aged.sync()
    aged.sync()
    assert bo.field(other, "summary") == "Somebody else's"
    assert ann.field(young, "summary") == "Changed at home"
    assert [one for one in written(aged, before) if other in one] == []
    (link,) = [one for one in aged.links() if one.internal_key == young]
    assert link.state == "parked"
    assert "another one than the one that was linked" in link.reason


def test_a_database_from_its_backup_stops_and_makes_no_doubles_when_it_is_let_go_on(world):
    ann, bo = world.at_home(), world.at_acme()
    keys = linked(world, 3)
    ann.comment(keys[0], "Before the backup")
    world.settle()
    world.restart()
    file = world.folder / "bridge.db"
    shutil.copy(file, world.folder / "backup.db")
    (world.folder / "spool" / "witness.json").unlink()  # lost as well: the trackers alone must tell
    ann.comment(keys[0], "Written at home since")
    bo.comment(world.peer(keys[1]), "Written at the vendor since")
    bo.edit(world.peer(keys[2]), summary="Changed since")
    ann.create("OPS", "Made at home since")
    bo.create("CUST", "Made at the vendor since")
    world.settle()
    assert world.judge() == 5
    go_back(world)
    before = marks(world)
    world.sync()
    world.sync()
    assert brakes(world) == {"acme": "store-restored"}
    assert written(world, before) == []
    assert world.typed("brakes", "release", "acme").returncode == 0
    world.settle()
    assert brakes(world) == {}
    assert world.judge() == 5
    assert [one for one in written(world, before) if one.endswith("/comment")] == []


def test_a_reviewed_plan_is_not_carried_out_on_a_restored_database(world):
    keys = linked(world, 2)
    world.restart()
    shutil.copy(world.folder / "bridge.db", world.folder / "backup.db")
    world.at_home().edit(keys[0], summary="Changed since")
    world.settle()
    go_back(world)
    world.at_home().edit(keys[1], summary="Not to cross yet")
    assert world.typed("plan", "-o", str(world.folder / "plan.jsonl")).returncode == 1
    before = marks(world)
    done = world.typed("apply", str(world.folder / "plan.jsonl"))
    assert done.returncode == 1
    assert "restored from a backup" in done.stdout
    assert written(world, before) == []
    assert brakes(world) == {"acme": "store-restored"}


def test_a_note_that_a_restored_database_has_forgotten_is_no_comment_and_is_there_once(tmp_path):
    fields = FIELDS.replace("priority: {values", "priority: {owner: internal, unentitled: hold, values")
    with open_world(tmp_path, fields=fields, more=OWNER) as world:
        (key,) = linked(world, 1)
        peer = world.peer(key)
        world.restart()
        shutil.copy(world.folder / "bridge.db", world.folder / "backup.db")
        (world.folder / "spool" / "witness.json").unlink()
        world.at_acme().edit(peer, priority={"name": "P1"})
        world.settle()
        sides = (world.at_home(), key), (world.at_acme(), peer)
        assert [len(person.comments(one)) for person, one in sides] == [1, 1], "what is held is told"
        go_back(world)
        before = marks(world)
        world.sync()
        assert brakes(world) == {"acme": "store-restored"}
        assert written(world, before) == []
        assert world.typed("brakes", "release", "acme").returncode == 0
        world.settle()
        assert [len(person.comments(one)) for person, one in sides] == [1, 1]


def test_the_witness_tells_at_the_start_that_the_database_is_from_its_backup(tmp_path):
    with open_world(tmp_path, more=OWNER) as world:
        keys = linked(world, 2)
        world.restart()
        shutil.copy(world.folder / "bridge.db", world.folder / "backup.db")
        world.at_home().edit(keys[0], summary="Changed since")
        world.settle()
        go_back(world)
        world.at_home().edit(keys[1], summary="Not to cross yet")
        before = marks(world)
        done = world.typed("sync", "--once")
        assert done.returncode == 1
        assert (
            "acme: the brake is pulled (store-restored): the database was restored from a backup"
            in done.stdout
        )
        assert written(world, before) == []
        with world.records() as tx:
            (letter,) = tx.outbox.list()
        assert letter.to == ("ops@home.example",), "the approver of the internal side, and nobody else"
        assert "bridge brakes release acme" in letter.text
        shown = json.loads(world.typed("brakes", "--json").stdout)
        assert [(one["agreement"], one["cause"]) for one in shown] == [("acme", "store-restored")]
        assert world.typed("brakes", "release", "acme", "--reason", "Restored on purpose").returncode == 0
        assert world.typed("sync", "--once").returncode == 0, "the witness has taken the database as it is"
        world.settle()
        assert world.judge() == 2


def test_a_running_daemon_says_that_a_brake_is_pulled_and_goes_on_when_it_is_released(tmp_path):
    port = free_port()
    top = f'web: {{listen: "127.0.0.1:{port}"}}'
    with open_world(tmp_path, top=top, more="brakes: {share: 1%, least: 1}") as world:
        keys = linked(world, 3)
        world.restart()
        with world.daemon():
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: reached(address) == "ready\n")
            for key in keys:
                world.at_home().edit(key, priority={"name": "Highest"})
            ready = eventually(lambda: next((text for text in [said(address)] if "brake" in text), ""))
            assert "brake pulled: acme, since 20" in ready
            assert "more tickets would have been changed at once" in ready
            assert (
                'bridge_brake_pulled{agreement="acme"} 1'
                in requests.get(f"{address}/metrics", timeout=10).text
            )
            assert world.typed("brakes", "release", "acme", "--for", "1h").returncode == 0
            eventually(
                lambda: all(world.at_acme().field(world.peer(key), "priority") == "P1" for key in keys)
            )
            assert said(address) == "ready\n"
        assert [one["cause"] for one in world.log() if one["event"] == "brake_pulled"] == ["share"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reached(address):
    """The same, "" while nobody listens yet."""
    try:
        return said(address)
    except requests.ConnectionError:
        return ""


def said(address):
    """What the daemon says of its health."""
    return requests.get(f"{address}/health/ready", timeout=10).text
