"""A link whose ticket was merged into another one follows it, unless that has a mirror of its own."""

from __future__ import annotations

from dataclasses import replace

from bridge.daemon.house import field_specs
from bridge.daemon.moving import follow_survivors
from bridge.daemon.run import Run
from bridge.sync.plan import View
from bridge.sync.ticket import Side


def merged_run(world, survivor):
    """A run over the first link, whose vendor ticket the tracker now answers for with the survivor."""
    house = world.house
    (agreement,) = house.terms.settings.agreements
    link = world.links()[0]
    with house.store.read() as tx:
        run = Run(
            house, house.terms, agreement, link, tx.bases.get(link.id), tuple(tx.comments.list(link.id))
        )
    found = run.tracker(Side.VENDOR).fetch([survivor], field_specs(agreement, Side.VENDOR))
    (ticket,) = found.values()
    run.views[Side.VENDOR] = View(ticket, run.bases[Side.VENDOR])
    return run


def test_the_link_follows_the_ticket_that_is_left(world):
    key = world.at_home().create("OPS", "Mirrored")
    world.settle()
    world.acme.site.revoke("bridge", "BROWSE_PROJECTS")  # the feed does not know of the other one yet
    survivor = world.at_acme().create("CUST", "Survivor")
    world.acme.site.restore("bridge", "BROWSE_PROJECTS")
    before = world.peer(key)
    run = merged_run(world, survivor)
    assert follow_survivors(run) is None
    assert follow_survivors(run) is None, "once is enough"
    (link,) = world.links()
    assert link == replace(run.link, epoch=link.epoch)
    assert link.vendor_key == survivor
    told = [entry for entry in world.journal(key) if entry["event"] == "ticket.merged"]
    assert told == [{"event": "ticket.merged", "side": "vendor", "from": before, "to": survivor}]
    world.restart()
    world.at_home().edit(key, labels=["after"])
    world.settle()
    assert world.at_acme().field(survivor, "labels") == ["after"]
    assert world.at_home().field(key, "summary") == "Survivor", "what is left differs from the base: a change"


def test_a_survivor_with_a_mirror_of_its_own_is_left_alone_and_told(world):
    for summary in ("First", "Second"):
        world.at_home().create("OPS", summary)
    world.settle()
    first, second = world.links()
    run = merged_run(world, second.vendor_key)
    finding = follow_survivors(run)
    assert finding is not None
    assert (finding.kind, finding.side) == ("merged", Side.VENDOR)
    assert finding.message.endswith("unlink one of the two")
    assert world.links() == [first, second]


def test_a_survivor_whose_own_link_has_ended_is_followed(world):
    for summary in ("First", "Second"):
        world.at_home().create("OPS", summary)
    world.settle()
    first, second = world.links()
    assert world.typed("unlink", second.vendor_key).returncode == 0
    assert follow_survivors(merged_run(world, second.vendor_key)) is None
    again, ended = world.links()
    assert (again.id, again.vendor_id) == (first.id, second.vendor_id)
    assert (ended.vendor_id, ended.vendor_key) == (None, second.vendor_key)
