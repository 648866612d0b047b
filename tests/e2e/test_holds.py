"""A change that its author may not make: held, told, decided by people, whatever happens meanwhile."""

from __future__ import annotations

import json

import pytest
from holding_world import holds, letters, linked, notes, roles_world
from world import facts

SERVICE = ["service-owner", "mediator"]


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


def held_of(world, key):
    """The only hold that a ticket's link ever had."""
    with world.records() as tx:
        (link,) = tx.links.by_key(key)
        (hold,) = tx.holds.list(link.id)
    return hold


def decide(world, word, hold, *more, by="ann@home.example"):
    """Decide about a hold at the command line."""
    reason = () if "--reason" in more or word == "approve" else ("--reason", "not agreed")
    done = world.typed("holds", word, str(hold.id), "--by", by, *reason, *more)
    assert done.returncode == 0, done.stderr
    return done


EDITS = {
    "nothing": lambda _world, _key, _peer: None,
    "the vendor": lambda world, _key, peer: world.at_acme("cy").edit(peer, summary="vendor's news"),
    "we": lambda world, key, _peer: world.at_home().edit(key, summary="our news"),
    "both": lambda world, key, peer: (
        world.at_home().edit(key, summary="our news"),
        world.at_acme("cy").edit(peer, duedate="2027-07-07"),
    ),
}


@pytest.mark.parametrize("restart", [False, True], ids=["", "restart"])
def test_approve_and_reject_both_end_clean_whatever_is_edited_meanwhile(tmp_path, restart):
    with roles_world(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        cases = [(word, who) for word in ("approve", "reject") for who in EDITS]
        keys = [ann.create("OPS", f"{word} {who}", priority={"name": "Medium"}) for word, who in cases]
        world.settle()
        peers = [world.peer(key) for key in keys]
        for peer in peers:
            world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        for (_, who), key, peer in zip(cases, keys, peers, strict=True):
            EDITS[who](world, key, peer)
        world.settle()
        if restart:
            world.restart()
        waiting = {held_of(world, key).id: key for key in keys}
        assert len(waiting) == len(cases)
        for (word, who), key, peer in zip(cases, keys, peers, strict=True):
            decide(world, word, held_of(world, key))
            EDITS[who](world, key, peer)
        if restart:
            world.restart()
        world.settle()
        for (word, who), key, peer in zip(cases, keys, peers, strict=True):
            told, hold = f"{word}, {who} edited", held_of(world, key)
            expected = ("Highest", "P1", "crossed") if word == "approve" else ("Medium", "P3", "restored")
            assert (ann.field(key, "priority"), bo.field(peer, "priority"), hold.state) == expected, told
            assert hold.decided_by == "ann@home.example"
            ours, theirs = (
                facts(one.site, one.site.issue(name)) for one, name in ((world.home, key), (world.acme, peer))
            )
            assert ours == theirs, told
            for person, ticket in ((ann, key), (bo, peer)):
                (note,) = notes(person, ticket)
                assert note.startswith("Settled:"), told
                assert ("not agreed" in note) == (word == "reject"), told
            journal = world.journal(key)
            events = [one["event"] for one in journal if one["event"].startswith("hold.")]
            assert events == ["hold.opened", "hold.decided", "hold.closed"], told
            written = [one for one in journal if one.get("field") == "priority" and "after" in one]
            assert [one.get("by") for one in written] == ["ann@home.example"], told
        assert {link.state for link in world.links()} == {"active"}
        assert world.sync().writes == 0


def test_a_decision_covers_only_the_values_it_was_about(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, bo, cy = world.at_home(), world.at_acme(), world.at_acme("cy")
        cy.edit(peer, priority={"name": "P1"})
        world.settle()
        (listed,) = json.loads(world.typed("holds", "--json").stdout)
        assert (listed["change"], listed["who"], listed["decides"]) == ("P3 -> P1", "Cy Engineer", SERVICE)
        cy.edit(peer, priority={"name": "P2"})
        world.settle()
        refused = world.typed("holds", "approve", listed["id"], "--by", "ann@home.example")
        assert refused.returncode == 1
        assert "other values now" in refused.stderr
        assert ann.field(key, "priority") == "Medium"
        # And between the decision and the look that carries it out.
        decide(world, "approve", held_of(world, key))
        cy.edit(peer, priority={"name": "P4"})
        world.settle()
        hold = held_of(world, key)
        assert (hold.state, hold.value, hold.decided_by) == ("open", "P4", "")
        assert ann.field(key, "priority") == "Medium"
        told = [letter.key for letter in letters(world) if "opened" in letter.key]
        assert len(told) == 2, "the approver is asked again"
        decide(world, "reject", hold)
        world.settle()
        assert bo.field(peer, "priority") == "P3"
        assert world.sync().writes == 0


def test_who_may_decide_and_what_can_be_decided(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        world.at_acme("cy").edit(peer, priority={"name": "P1"})
        world.settle()
        number = str(held_of(world, key).id)
        for arguments, words in (
            (("approve", number, "--by", "bo@acme.example"), "'service-owner' or 'mediator'"),
            (("approve", number, "--by", "cy"), "'service-owner' or 'mediator'"),
            (("approve", number, "--by", ""), "--by"),
            (("approve", "99", "--by", "ann"), "no hold 99"),
            (("approve", number, "--from", "vendor", "--by", "ann"), "no conflict"),
        ):
            refused = world.typed("holds", *arguments)
            assert refused.returncode == 1, arguments
            assert words in refused.stderr
        assert world.typed("holds", "reject", number, "--by", "ann").returncode == 2, "a reason is owed"
        assert world.typed("holds", "approve", "x1").returncode == 2
        assert held_of(world, key).state == "open"
        listing = world.typed("holds")
        assert listing.returncode == 1
        assert "priority: P3 -> P1 by Cy Engineer on the vendor side" in listing.stdout
        assert world.typed("holds", "--agreement", "nope").returncode == 2
        done = world.typed("holds", "approve", number, "99", "--by", "admin")
        assert done.returncode == 1, "one of two was refused, the other stands"
        assert held_of(world, key).state == "approved"
        again = world.typed("holds", "reject", number, "--reason", "no", "--by", "ann")
        assert "does not wait any more: it is approved by admin" in again.stderr
        world.settle()
        assert world.at_home().field(key, "priority") == "Highest"
        assert world.typed("holds").returncode == 0
        (over,) = json.loads(world.typed("holds", "--all", "--json").stdout)
        assert (over["state"], over["decided_by"]) == ("crossed", "admin")
        story = world.typed("explain", key).stdout
        assert "changed by Cy Engineer; service-owner decides" in story
        assert "approved by admin" in story
        status = json.loads(world.typed("status", "--json").stdout)
        assert status["agreements"][0]["holds"] == 0


def test_a_hold_of_days_while_both_sides_keep_editing(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        ann, bo, cy = world.at_home(), world.at_acme(), world.at_acme("cy")
        cy.edit(peer, priority={"name": "P1"})
        world.settle()
        for day in range(4):
            ann.edit(key, summary=f"ours, day {day}")
            cy.edit(peer, duedate=f"2027-05-0{day + 1}")
            bo.comment(peer, f"day {day}")
            if day == 2:
                cy.edit(peer, priority={"name": "P2"})
            world.settle()
            world.later(24 * 3600)
            assert (ann.field(key, "priority"), ann.field(key, "duedate")) == (
                "Medium",
                f"2027-05-0{day + 1}",
            )
            assert bo.field(peer, "summary") == f"ours, day {day}"
        assert len(notes(ann, key)) == len(notes(bo, peer)) == 1
        assert held_of(world, key).value == "P2"
        # The owner of the field decides by changing it: that overtakes.
        ann.edit(key, priority={"name": "Low"})
        world.settle()
        assert bo.field(peer, "priority") == "P4"
        assert held_of(world, key).state == "overtaken"
        assert world.judge() == 1
        assert len(notes(ann, key)) == len(notes(bo, peer)) == 1


def test_a_change_that_is_taken_back_needs_no_decision(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        cy = world.at_acme("cy")
        cy.edit(peer, priority={"name": "P1"})
        world.settle()
        cy.edit(peer, priority={"name": "P3"})
        world.settle()
        assert held_of(world, key).state == "withdrawn"
        assert world.links()[0].state == "active"
        assert letters(world)[-1].subject.startswith("Withdrawn")
        assert world.sync().writes == 0


def test_a_hold_ends_with_its_link(tmp_path):
    with roles_world(tmp_path) as world:
        key, peer = linked(world)
        world.at_acme().edit(peer, priority={"name": "P1"})
        world.settle()
        number = held_of(world, key).id
        assert world.typed("unlink", key).returncode == 0
        assert [hold.state for hold in holds(world)] == ["withdrawn"]
        assert "nothing waits" in world.typed("holds").stdout.lower()
        assert world.typed("holds", "approve", str(number), "--by", "ann@home.example").returncode != 0


@pytest.mark.parametrize("stands", ["internal", "vendor"])
def test_the_mediator_decides_a_conflict(tmp_path, stands):
    with roles_world(tmp_path, summary="{rule: hold}") as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        ann.edit(key, summary="ours")
        bo.edit(peer, summary="theirs")
        world.settle()
        hold = held_of(world, key)
        assert (hold.kind, hold.approver) == ("conflict", "mediator")
        assert letters(world)[0].to == ("board@home.example",)
        refused = world.typed("holds", "approve", str(hold.id), "--from", stands, "--by", "ann@home.example")
        assert "'mediator'" in refused.stderr
        decide(world, "approve", hold, "--from", stands, by="admin@home.example")
        world.settle()
        expected = "ours" if stands == "internal" else "theirs"
        assert (ann.field(key, "summary"), bo.field(peer, "summary")) == (expected, expected)
        assert world.judge() == 1
        assert world.sync().writes == 0
