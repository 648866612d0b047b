"""A change that its author may not make: held, told, decided by people, whatever happens meanwhile."""

from __future__ import annotations

from holding_world import holds, letters, linked, notes, roles_world


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
