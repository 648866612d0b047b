"""``bridge audit`` in a world with trackers: what is recorded, exported, verified without us, erased, and forgotten."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import get_args

import pytest
from world import eventually, open_world

from bridge.daemon import acting
from bridge.simulator import Fault
from bridge.sync.plan import Action


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A world in which a little has happened under one agreement; the tests below only read, or work on copies."""
    with open_world(tmp_path_factory.mktemp("audit")) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Printer on fire", labels=["vendor-acme"], priority={"name": "High"})
        world.settle()
        ann.edit(key, summary="Printer in flames")
        ann.comment(key, "It smells of smoke.")
        bo.move(world.peer(key), "In Progress")
        world.settle()
        world.acme.faults.add(Fault(method="PUT", path_regex="/issue/", kind="error", status=400, times=1))
        ann.edit(key, summary="Printer is ashes")
        world.settle()
        world.restart()
        yield world


def events(world, event):
    with world.records() as tx:
        return [one for one in tx.journal.recent(1_000) if one.event == event]


def test_the_chain_tells_what_was_done(told):
    with told.records() as tx:
        names = {one.event for one in tx.journal.recent(1_000)}
    assert names >= {
        "chain.begun",
        "link.found",
        "ticket.created",
        "link.shown",
        "field.written",
        "comment.added",
        "status.moved",
        "request.refused",
    }
    (refused,) = events(told, "request.refused")
    assert dict(refused.data) == {"side": "vendor", "what": "update", "error": "refused", "http": 400}
    (link,) = told.links()
    assert "changed nothing: refused, status 400" in told.typed("explain", link.internal_key).stdout


def test_every_action_has_a_name_for_the_journal():
    assert set(acting.WHAT) == set(get_args(Action))


def test_a_walk_that_ends_on_the_way_is_recorded_with_the_steps_that_were_taken(tmp_path):
    with open_world(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "On the way", labels=["vendor-acme"])
        world.settle()
        refusal = Fault(method="POST", path_regex="/transitions", kind="error", status=400, after=1)
        world.acme.faults.add(refusal)
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
        world.settle()
        told = {one["event"]: one for one in world.journal(key)}
        assert refusal.fired
        assert told["status.passed"]["steps"] == ["In Progress"]
        assert told["request.refused"]["what"] == "transition"
        assert bo.field(world.peer(key), "status") == "In Progress"


def export(world, *options):
    path = world.folder / "export.jsonl"
    done = world.typed("audit", "export", *options, "-o", str(path))
    assert done.returncode == 0, done.stderr
    return path


def verify(*arguments, folder):
    """As the other company does: no configuration, no store, an empty environment."""
    command = [sys.executable, "-m", "bridge.cli", "audit", "verify", *arguments]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)


def test_an_export_is_verified_where_there_is_neither_store_nor_configuration(told, tmp_path):
    head = json.loads(told.typed("audit", "head", "--json").stdout)[-1]
    assert told.typed("audit", "head", "acme").stdout.strip().endswith(head["hash"])
    path = export(told, "--sealed")
    for word in ("Printer", "smoke", "flames"):
        assert word not in path.read_text()
    assert "Printer in flames" in export(told, "acme").read_text()
    done = verify(str(path), "--seq", str(head["seq"]), "--head", head["hash"], folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{head['seq']} records in order, head {head['hash']}" in done.stdout
    written = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*written[:4], written[5], written[4], *written[6:]]))
    done = verify(str(path), "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["flaw"]["seq"] == 4


def test_the_store_is_verified_and_its_first_bad_record_named(told):
    done = told.typed("audit", "verify")
    assert done.returncode == 0, done.stdout
    assert "the bridge itself" not in done.stdout, "it has done nothing by itself in this world"
    wrong = told.typed("audit", "verify", "--head", "ab" * 32)
    assert wrong.returncode == 1
    assert "no record has the hash that was given" in wrong.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "--seq", "3"],
        ["verify", "--agreement", "nobody"],
        ["export", "nobody"],
        ["export", "--bridge"],
        ["erase"],
    ],
)
def test_wrong_usage_is_said(told, arguments):
    done = told.typed("audit", *arguments)
    assert done.returncode == 2, done.stdout


def test_people_who_type_commands_are_recorded_and_can_be_erased(tmp_path):
    with open_world(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        left, right = ann.create("OPS", "Left", labels=[]), bo.create("CUST", "Ask Ann about it")
        world.restart()
        assert world.typed("link", left, right, "--yes", "--from", "vendor").returncode == 0
        world.settle()
        world.restart()
        (made,) = events(world, "link.made")
        who = made.data["who"]
        assert who == world.typed("explain", left).stdout.split("linked by hand by ")[1].split(",")[0]
        assert world.typed("unlink", left).returncode == 0
        assert events(world, "link.closed")[0].data == {"why": "unlinked", "who": who}
        assert {one.data["who"] for one in events(world, "link.hidden")} == {who}

        assert "values would be erased" in world.typed("audit", "erase", "--person", who, "--dry-run").stdout
        found = json.loads(world.typed("audit", "erase", "--person", "ANN", "--texts", "--json").stdout)
        assert found["erased"] == found["found"] > 0
        assert "(erased)" in world.typed("explain", left).stdout
        assert world.typed("audit", "erase", "--person", who).returncode == 0
        assert events(world, "link.made")[0].data["who"] == "(erased)"
        told = [one.data for one in events(world, "values.erased")]
        assert [(one["why"], one["who"]) for one in told] == [("person", "(erased)"), ("person", who)]
        assert "values erased" in world.typed("audit", "verify").stdout
        assert world.typed("audit", "verify").returncode == 0
        assert world.typed("explain", left).returncode == 0


def test_lost_answers_are_recorded_with_what_became_of_them(tmp_path):
    with open_world(tmp_path) as world:
        ann = world.at_home()
        key = ann.create("OPS", "Once", labels=["vendor-acme"])
        world.settle()
        world.acme.faults.add(Fault(method="POST", path_regex="/comment", kind="apply-then-500", times=1))
        ann.comment(key, "said once")
        eventually(lambda: not world.sync().ended("postponed") and world.at_acme().comments(world.peer(key)))
        eventually(lambda: not world.sync().writes)
        told = [one["event"] for one in world.journal(key) if one["event"].startswith("outcome.")]
        assert told == ["outcome.unknown", "outcome.found"]


def test_old_values_are_forgotten_by_the_configuration(tmp_path):
    with open_world(tmp_path) as world:
        main = world.folder / "bridge.yaml"
        main.write_text(main.read_text() + "retention: {values: 500ms}\n")
        ann = world.at_home()
        key = ann.create("OPS", "Forget me", labels=["vendor-acme"])
        world.settle()

        def key_of_the_mirror():
            with world.house.store.write() as tx:
                tx.cursors.drop_note("audit/retained")  # as if a day had passed
            world.sync()
            return next(one["key"] for one in world.journal(key) if one["event"] == "ticket.created")

        eventually(lambda: key_of_the_mirror() == "(erased)")
        assert {one.data["why"] for one in events(world, "values.erased")} == {"retention"}
        world.restart()
        assert world.typed("audit", "verify").returncode == 0


def test_the_daemon_tells_when_it_worked_and_leaves_a_witness(tmp_path):
    with open_world(tmp_path) as world:
        key = world.at_home().create("OPS", "Seen", labels=["vendor-acme"])
        with world.daemon():
            eventually(lambda: len(world.acme.site.issues) == 1, 60)
            eventually(lambda: world.peer(key), 60)
        with world.records() as tx:
            told = tx.journal.recent(1_000)
            own = [one.event for one in told if not one.agreement]
            heads = {head.agreement: [head.seq, head.hash, head.at] for head in tx.chains.heads()}
        assert own == ["chain.begun", "bridge.started", "bridge.stopped"]
        assert [one.event for one in told if one.agreement][:2] == ["chain.begun", "agreement.changed"]
        assert json.loads((world.folder / "spool" / "witness.json").read_text())["heads"] == heads
