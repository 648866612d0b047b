"""An agreement that observes, one that pilots a few tickets, and the day they go live."""

from __future__ import annotations

import json

from world import open_world

from bridge.daemon.feed import Feed
from bridge.daemon.worker import Worker
from bridge.simulator import Fault
from bridge.sync.ticket import Side


def writes(world):
    """What the bridge has written so far, told by the trackers themselves."""
    return [(call.method, call.path) for call in world.calls() if call.kind == "write"]


def agree(world, mode):
    """Put these lines in the place of the agreement's mode; whoever reads the files next goes by them."""
    path = world.folder / "agreements" / "acme.yaml"
    text = path.read_text().split("mode:")[0]
    path.write_text(f"{text}mode: {mode}\n")
    world.restart()


def passed(world, *more):
    """A pass as cron makes it, which looks again at everything when the agreement has changed."""
    world.restart()
    done = world.typed("sync", "--once", "--json", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def standing(world):
    """What 'bridge status' says of the agreement."""
    (one,) = json.loads(world.typed("status", "--json").stdout)["agreements"]
    return one


def bases(world):
    """What each side looked like at the last agreement, of all links."""
    with world.records() as tx:
        return [
            {side: base.fields for side, base in tx.bases.get(link.id).items()} for link in tx.links.list()
        ]


def test_an_agreement_that_observes_writes_nothing_over_a_day_and_catches_up_when_it_is_live(tmp_path):
    with open_world(tmp_path, more="attachments: {cross: both}\nmode: live") as world:
        ann, bo = world.at_home(), world.at_acme()
        keys = [ann.create("OPS", f"Ticket {number}", description="First words") for number in range(4)]
        first = ann.comment(keys[2], "To be taken back")
        world.settle()
        peers = [world.peer(key) for key in keys]
        world.acme.faults.add(Fault("apply-then-drop", "POST", "/comment$"))
        ann.comment(keys[3], "Its copy got no answer")
        Feed(world.house, "acme", Side.INTERNAL, lambda _: None).poll()
        with world.records() as tx:
            (owing,) = tx.links.by_key(keys[3])
        assert Worker(world.house).sync(owing.id).ending == "postponed"
        agree(world, "observe")
        before, known = writes(world), bases(world)
        # The day: fields, texts, comments, steps, files, new tickets, a ticket that disappears; on both sides.
        ann.edit(keys[0], summary="Ours", priority={"name": "High"}, labels=["x"])
        bo.edit(peers[0], duedate="2027-03-01")
        passed(world)
        bo.comment(peers[1], "Theirs")
        ann.move(keys[1], "In Progress")
        ann.call("DELETE", f"/issue/{keys[2]}/comment/{first}")
        passed(world)
        ann.create("OPS", "New at home")
        bo.create("CUST", "New at the vendor")
        done = passed(world, "--census")
        gone = ann.create("OPS", "Gone again")
        passed(world)
        world.at_home("admin").call("DELETE", f"/issue/{gone}")
        world.typed("sync", "--once", "--census")
        assert writes(world) == before
        assert bases(world)[:4] == known
        assert done["withheld"] > 0
        told = standing(world)
        assert told["mode"] == "observe"
        (rest,) = told["withheld"]
        assert rest["why"] == "the agreement only observes"
        assert rest["links"] >= 6
        assert rest["actions"] >= 8
        assert "writes planned and not made: the agreement only observes" in world.typed("status").stdout
        world.typed("unlink", gone)
        # Nothing has changed since the last look: nothing is looked at again.
        world.sync()  # its first poll since it was started looks at what has no peer yet
        assert world.sync().reports == ()
        assert writes(world) == before
        agree(world, "live")
        passed(world)
        world.settle()
        assert world.judge() == 6
        assert bo.field(peers[0], "summary") == "Ours"
        assert ann.field(keys[0], "duedate") == "2027-03-01"
        assert standing(world)["withheld"] == []


def test_a_pilot_writes_for_the_tickets_that_it_names_and_observes_the_others(tmp_path):
    pilot = "pilot\npilot: {tickets: [OPS-1], labels: [pilot-*]}"
    with open_world(tmp_path, more=f"mode: {pilot}") as world:
        ann, bo = world.at_home(), world.at_acme()
        named = ann.create("OPS", "Named by its key")
        labelled = ann.create("OPS", "Named by a label", labels=["pilot-1"])
        other = ann.create("OPS", "Not named")
        theirs = bo.create("CUST", "Of the vendor, not named")
        passed(world)
        passed(world)
        assert {link.internal_key for link in world.links() if link.vendor_key and link.internal_key} == {
            named,
            labelled,
        }
        (rest,) = standing(world)["withheld"]
        assert (rest["why"], rest["links"], rest["actions"]) == ("the pilot does not name it", 2, 2)
        bo.comment(world.peer(named), "Said by the vendor")
        ann.edit(labelled, labels=[])
        passed(world)
        assert len(ann.comments(named)) == 1
        # A ticket that leaves the pilot is observed from then on; one that joins it is caught up with.
        assert bo.field(world.peer(labelled), "labels") != []
        bo.edit(theirs, labels=["pilot-2"])
        ann.comment(other, "Not yet")
        passed(world)
        passed(world)
        assert world.peer(theirs)
        assert world.peer(other) == ""
        agree(world, "live")
        passed(world)
        world.settle()
        assert world.judge() == 4
