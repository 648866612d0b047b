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
    assert len(world.acme.site.issues) == 3, "adopted by their marks"


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


def test_another_site_is_not_taken_for_the_one_where_the_links_were_made(world):
    world.at_home().create("OPS", "Here")
    assert world.bridge("sync", "--once").returncode == 0
    path = world.folder / "bridge.yaml"
    same = path.read_text().replace("127.0.0.1", "localhost")
    path.write_text(same)
    refused = world.bridge("sync", "--once")
    assert refused.returncode == 2
    assert "agreement 'acme' has links on its internal side" in refused.stderr
    assert "--moved" in refused.stderr
    assert world.bridge("sync", "--once", "--moved").returncode == 0
    assert world.bridge("sync", "--once").returncode == 0


def test_mirrors_that_a_restored_database_has_forgotten_are_adopted(world):
    """The backup was taken after the ticket was found and before its mirror was made."""
    ann, bo = world.at_home(), world.at_acme()
    old = ann.create("OPS", "Old")
    world.settle()
    with world.house.store.write() as tx:
        (link,) = tx.links.by_key(old)
        tx.connection.exec_driver_sql("UPDATE links SET vendor_id=NULL, vendor_key='', state='new'")
        tx.connection.exec_driver_sql("DELETE FROM bases")
        tx.connection.exec_driver_sql("DELETE FROM cursors")
    world.restart()
    world.settle()
    assert len(world.acme.site.issues) == 1
    assert world.peer(old) == link.vendor_key
    ann.edit(old, summary="Old and known again")
    world.settle()
    assert bo.field(link.vendor_key, "summary") == "Old and known again"
