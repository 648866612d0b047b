"""What people change on a ticket between the moment its mirror is made and the bridge's next look at the two."""

from __future__ import annotations

import pytest
from holding_world import holds, roles_world

LABELS = "{rule: merge, vendor-may: [seen]}"
STATUS = """
    values: {Open: To Do, In Progress: In Progress, Resolved: In Review, Closed: Done}
    vendor-may: [In Progress]
    via: {internal: {Closed: [Resolved]}, vendor: {In Review: [In Progress], Done: [In Progress, In Review]}}
    fill: {internal: {Resolved: {resolution: Fixed}}}
"""


def vendors_ticket(world):
    """A ticket of the vendor whose mirror has just been made; both keys."""
    peer = world.at_acme().create("CUST", "Start", priority={"name": "P3"})
    world.sync()
    return world.peer(peer), peer


def test_a_first_value_is_its_owners_to_set_also_on_a_young_mirror(tmp_path):
    with roles_world(tmp_path, due="{owner: vendor}") as world:
        ann, bo = world.at_home(), world.at_acme()
        mine = ann.create("OPS", "Start", priority={"name": "Medium"})
        theirs, _ = vendors_ticket(world)
        for key in (mine, theirs):
            ann.edit(key, duedate="2027-05-05")
        world.settle()
        assert [bo.field(world.peer(key), "duedate") for key in (mine, theirs)] == [None, None]
        assert [(hold.field, hold.side, hold.state) for hold in holds(world)] == [
            ("due", "internal", "open"),
            ("due", "internal", "open"),
        ]
        bo.edit(world.peer(mine), duedate="2027-06-06")
        world.typed("holds", "reject", str(holds(world)[1].id), "--by", "bo@acme.example", "--reason", "no")
        world.settle()
        assert sorted(str(ann.field(key, "duedate")) for key in (mine, theirs)) == ["2027-06-06", "None"]


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_status_and_a_label_wait_on_a_young_mirror(tmp_path, word):
    with roles_world(tmp_path, status=STATUS, labels=LABELS) as world:
        ann, bo = world.at_home(), world.at_acme()
        key, peer = vendors_ticket(world)
        for status in ("In Progress", "In Review", "Done"):
            bo.move(peer, status)
        bo.edit(peer, labels=[*bo.read(peer)["fields"]["labels"], "urgent"])
        world.settle()
        assert ann.field(key, "status") == "Open"
        assert "urgent" not in ann.read(key)["fields"]["labels"]
        waiting = holds(world)
        assert sorted((hold.field, hold.side) for hold in waiting) == [
            ("labels", "vendor"),
            ("status", "vendor"),
        ]
        reason = ("--reason", "no") if word == "reject" else ()
        world.typed("holds", word, *(str(hold.id) for hold in waiting), "--by", "ann@home.example", *reason)
        world.settle()
        expected = ("Closed", "Done", True, True) if word == "approve" else ("Open", "To Do", False, False)
        shown = (ann.field(key, "status"), bo.field(peer, "status"))
        labelled = ("urgent" in one.read(name)["fields"]["labels"] for one, name in ((ann, key), (bo, peer)))
        assert (*shown, *labelled) == expected


def test_what_is_lawful_crosses_from_a_young_mirror_and_what_a_tracker_fills_in_is_no_ones_change(tmp_path):
    with roles_world(tmp_path, due="{owner: vendor}", labels=LABELS) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Start", priority={"name": "Medium"})
        world.sync()
        peer = world.peer(key)
        bo.edit(peer, duedate="2027-05-05", labels=[*bo.read(peer)["fields"]["labels"], "seen"])
        world.settle()
        assert ann.field(key, "duedate") == "2027-05-05"
        assert "seen" in ann.read(key)["fields"]["labels"]
        assert not holds(world)
