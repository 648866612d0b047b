"""The note about what is held is one comment: whatever is lost on the way, whoever dies; and the mail arrives."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from holding_world import holds, letters, linked, notes, roles_world
from post_office import open_post_office
from world import eventually

from bridge.daemon.acting import WHAT
from bridge.simulator import Fault
from bridge.sync.plan import Action

LOST = {
    "applied-then-500": {"kind": "apply-then-500"},
    "applied-then-dropped": {"kind": "apply-then-drop"},
    "never-arrived": {"kind": "drop"},
}


@pytest.mark.parametrize("way", LOST)
def test_a_note_whose_answer_is_lost_stands_once(tmp_path, way):
    with roles_world(tmp_path, tracker="read-timeout: 2s") as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        rules = [
            server.faults.add(Fault(method=method, path_regex=path, body_regex="hold:|Settled", **LOST[way]))
            for server in (world.home, world.acme)
            for method, path in (("POST", "/comment$"), ("PUT", "/comment/"))
        ]
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        eventually(lambda: world.sync() and len(notes(ann, key)) == len(notes(bo, peer)) == 1)
        world.settle(12)
        (hold,) = holds(world)
        assert world.typed("holds", "approve", str(hold.id), "--by", "ann").returncode == 0
        eventually(
            lambda: world.sync() and all("Settled" in one for one in notes(ann, key) + notes(bo, peer))
        )
        world.settle(12)
        assert [rule.fired for rule in rules] == [1] * len(rules)
        assert len(notes(ann, key)) == len(notes(bo, peer)) == 1
        assert len(ann.comments(key)) == len(bo.comments(peer)) == 1, "and it crossed to nobody"


def test_a_note_that_somebody_deleted_comes_back_when_there_is_news(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, admin = world.at_home(), world.at_home("admin")
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        (note,) = admin.comments(key)
        admin.call("DELETE", f"/issue/{key}/comment/{note['id']}")
        ann.edit(key, summary="goes on")
        world.settle()
        assert notes(ann, key) == []
        (hold,) = holds(world)
        assert world.typed("holds", "approve", str(hold.id), "--by", "ann").returncode == 0
        world.settle()
        (note,) = notes(ann, key)
        assert note.startswith("Settled")
        assert len(notes(world.at_acme(), peer)) == 1


def told(office):
    """The mails that arrived; one that the killed process had handed over and not noted comes twice, as the same."""
    return list({one.message["Message-ID"]: one for one in office.mails}.values())


def test_kill_9_around_the_note_the_decision_beside_the_daemon_and_the_mail(tmp_path):
    with open_post_office() as office, roles_world(tmp_path, tracker="read-timeout: 2s") as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        world.restart()
        mail = f'\nmail: {{server: "smtp://127.0.0.1:{office.port}", from: bridge@home.example}}\n'
        path = tmp_path / "bridge.yaml"
        path.write_text(path.read_text() + mail)
        world.home.faults.add(Fault("slow", "POST", "/comment$", "hold:", when="after", delay_ms=60_000))
        with world.daemon() as daemon:
            world.at_acme("cy").edit(peer, priority={"name": "P1"}, summary="crosses meanwhile")
            eventually(lambda: notes(ann, key))
            daemon.kill()
            daemon.wait()
        world.home.faults.clear()
        assert ann.field(key, "priority") == "Medium"
        with world.daemon():
            eventually(lambda: len(notes(bo, peer)) == 1 and ann.field(key, "summary") == "crosses meanwhile")
            (sent,) = eventually(lambda: [one for one in told(office) if "ops@home.example" in one.to])
            assert "Decision needed: priority" in sent.message["Subject"]
            (waiting,) = json.loads(world.bridge("holds", "--json").stdout)
            done = world.bridge("holds", "approve", waiting["id"], "--by", "ann@home.example")
            assert done.returncode == 0, done.stderr
            eventually(lambda: ann.field(key, "priority") == "Highest")
            eventually(lambda: all(one.startswith("Settled") for one in notes(ann, key) + notes(bo, peer)))
            eventually(lambda: len(told(office)) == 2)
        assert len(notes(ann, key)) == len(notes(bo, peer)) == 1
        assert [letter.state for letter in letters(world)] == ["sent", "sent"]


def test_every_action_has_a_word_for_the_request_that_failed():
    assert set(WHAT) == set(get_args(Action))
