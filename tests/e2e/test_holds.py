"""A change that its author may not make: held, told, decided by people, whatever happens meanwhile."""

from __future__ import annotations

import pytest
from holding_world import holds, letters, linked, notes, roles_world
from world import facts


def test_an_unauthorised_change_is_held_and_told_and_the_rest_goes_on(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, bo, cy = world.at_home(), world.at_acme(), world.at_acme("cy")
        cy.edit(peer, priority={"name": "P1"}, summary="Also renamed", duedate="2027-05-05")
        world.settle()
        assert ann.field(key, "priority") == "Medium"
        assert bo.field(peer, "priority") == "P1"
        assert ann.field(key, "summary") == "Also renamed"
        assert ann.field(key, "duedate") == "2027-05-05"
        (hold,) = holds(world)
        assert (hold.field, hold.side, hold.state, hold.value) == ("priority", "vendor", "open", "P1")
        assert hold.actor.id == world.acme.site.person("cy").id
        assert hold.event
        for person, ticket in ((ann, key), (bo, peer)):
            (note,) = notes(person, ticket)
            assert "Cy Engineer" in note
        (letter,) = letters(world)
        assert letter.to == ("ops@home.example",)
        assert world.links()[0].state == "held"
        bo.comment(peer, "meanwhile")
        world.settle()
        assert any("meanwhile" in str(one["body"]) for one in ann.comments(key))
        assert len(notes(ann, key)) == 1


def decide(world, word, hold, *more, by="ann@home.example"):
    """Decide about a hold at the command line."""
    reason = () if "--reason" in more or word == "approve" else ("--reason", "not agreed")
    done = world.typed("holds", word, str(hold.id), "--by", by, *reason, *more)
    assert done.returncode == 0, done.stderr
    return done


EDITS = {
    "nothing": lambda _world, _key, _peer: None,
    "the vendor edits on": lambda world, _key, peer: world.at_acme("cy").edit(peer, summary="vendor's news"),
    "we edit on": lambda world, key, _peer: world.at_home().edit(key, summary="our news"),
    "both edit on": lambda world, key, peer: (
        world.at_home().edit(key, summary="our news"),
        world.at_acme("cy").edit(peer, duedate="2027-07-07"),
    ),
}


@pytest.mark.parametrize("restart", [False, True], ids=["", "restart"])
@pytest.mark.parametrize("edits", EDITS)
@pytest.mark.parametrize("word", ["approve", "reject"])
def test_approve_and_reject_both_end_clean(tmp_path, word, edits, restart):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        EDITS[edits](world, key, peer)
        world.settle()
        if restart:
            world.restart()
        (hold,) = holds(world)
        decide(world, word, hold)
        EDITS[edits](world, key, peer)
        world.settle()
        (hold,) = holds(world)
        expected = ("Highest", "P1", "crossed") if word == "approve" else ("Medium", "P3", "restored")
        assert (ann.field(key, "priority"), bo.field(peer, "priority"), hold.state) == expected
        assert hold.decided_by == "ann@home.example"
        assert facts(world.home.site, world.home.site.issue(key)) == facts(
            world.acme.site, world.acme.site.issue(peer)
        )
        assert world.links()[0].state == "active"
        for person, ticket in ((ann, key), (bo, peer)):
            (note,) = notes(person, ticket)
            assert note.startswith("Settled:")
            assert ("not agreed" in note) == (word == "reject")
        events = [one["event"] for one in world.journal(key) if one["event"].startswith("hold.")]
        assert events == ["hold.opened", "hold.decided", "hold.closed"]
        written = [one for one in world.journal(key) if one.get("field") == "priority" and "after" in one]
        assert [one.get("by") for one in written] == ["ann@home.example"]
        assert world.sync().writes == 0
