"""A lost database, and an agreement that has changed."""

from __future__ import annotations


def test_a_lost_database_does_not_mirror_everything_once_more(world):
    ann = world.at_home()
    for number in range(3):
        ann.create("OPS", f"Known {number}")
    world.settle()
    world.restart()
    for path in world.folder.glob("bridge.db*"):
        path.unlink()
    refused = world.bridge("sync", "--once")
    assert refused.returncode == 1
    assert "CUST-1, CUST-2, CUST-3 are mirrors that this agreement has made" in refused.stderr
    assert "Restore the database" in refused.stderr
    with world.daemon() as daemon:
        assert daemon.wait(timeout=30) == 1
    assert len(world.acme.site.issues) == 3
    assert world.bridge("sync", "--once", "--anew").returncode == 0
    assert len(world.acme.site.issues) == 6, "only when told to"


def test_a_first_start_among_tickets_of_others_is_no_lost_database(world):
    world.at_home().create("OPS", "New", labels=["bridge-not-ours"])
    assert world.bridge("sync", "--once").returncode == 0
    assert len(world.acme.site.issues) == 1


def test_a_changed_agreement_reaches_links_that_are_there(world):
    path = world.folder / "agreements" / "acme.yaml"
    full = path.read_text()
    path.write_text(full.replace("  due: {}\n", "").replace("  summary: {}", "  summary: {rule: hold}"))
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Before", duedate="2027-03-04")
    assert world.bridge("sync", "--once").returncode == 0
    peer = world.peer(key)
    assert bo.field(peer, "duedate") is None
    ann.edit(key, summary="Ours")
    bo.edit(peer, summary="Theirs")
    world.restart()
    world.bridge("sync", "--once")
    assert ann.field(key, "summary") != bo.field(peer, "summary"), "held"
    path.write_text(full)
    assert world.bridge("sync", "--once").returncode == 0
    assert bo.field(peer, "duedate") == "2027-03-04", "a field that is new in the agreement"
    assert ann.field(key, "summary") == bo.field(peer, "summary") == "Theirs", "a rule that has changed"


def test_looking_makes_no_database(world):
    world.at_home().create("OPS", "Only looked at")
    assert world.bridge("plan").returncode == 1
    assert not (world.folder / "bridge.db").exists()
    assert world.acme.site.issues == {}
