"""Tickets that are both there already: linked and unlinked by hand, one pair or many, with or without a daemon."""

from __future__ import annotations

import json

import pytest
from world import eventually, open_world, plain

from bridge.store.rows import LinkState


@pytest.fixture
def apart(tmp_path):
    """A world whose agreement makes no mirrors by itself."""
    with open_world(tmp_path, create="none") as opened:
        yield opened


def two(world, summary="Theirs", **fields):
    """A ticket on each side that nobody has linked."""
    return world.at_home().create("OPS", "Ours", **fields), world.at_acme().create("CUST", summary)


def words(site, key):
    """What a ticket's comments say."""
    return [plain(comment.body) for comment in site.issue(key).comments]


@pytest.mark.parametrize(("source", "summary"), [("internal", "Ours"), ("vendor", "Theirs")])
def test_the_values_of_the_named_side_stand_at_first_and_later_changes_cross_both_ways(
    apart, source, summary
):
    ann, bo = apart.at_home(), apart.at_acme()
    key, peer = two(apart, priority={"name": "High"})
    bo.edit(peer, duedate="2027-01-01")
    shown = apart.typed("link", key, peer, "--from", source, "--yes")
    assert shown.returncode == 0, shown.stderr
    assert f"{key} = {peer}: linked" in shown.stdout
    assert "Ours  |  Theirs" in shown.stdout
    apart.settle()
    assert ann.field(key, "summary") == bo.field(peer, "summary") == summary
    assert ann.field(key, "duedate") == bo.field(peer, "duedate") == "2027-01-01", "silence is no value"
    assert bo.field(peer, "priority") == ("P2" if source == "internal" else "P3")
    ann.edit(key, summary="Afterwards")
    bo.edit(peer, priority={"name": "P1"})
    apart.settle()
    assert bo.field(peer, "summary") == "Afterwards"
    assert ann.field(key, "priority") == "Highest"
    assert len(apart.links()) == 1


def test_without_a_source_the_rules_of_the_fields_decide_as_for_a_conflict(tmp_path):
    fields = """
  summary: {rule: hold}
  priority: {owner: vendor, values: {High: P2, Medium: P3, Low: P4}}
"""
    with open_world(tmp_path, create="none", fields=fields) as world:
        key, peer = two(world, priority={"name": "High"})
        assert world.typed("link", key, peer, "--yes").returncode == 0
        world.settle()
        assert world.at_home().field(key, "priority") == "Medium", "the owner's value"
        assert world.at_acme().field(peer, "summary") == "Theirs"
        (link,) = world.links()
        assert [(one["kind"], one["field"]) for one in link.findings] == [("held", "summary")]


def test_a_person_is_asked_and_may_say_no(apart):
    key, peer = two(apart)
    assert apart.typed("link", key, peer).returncode == 1  # no answer is no
    assert apart.links() == []


def test_what_is_private_or_may_not_cross_is_not_shown_to_whoever_links(tmp_path):
    fields = '\n  summary: {}\n  labels: {only: ["shared-*"]}\n'
    with open_world(tmp_path, create="none", fields=fields) as world:
        shown = world.typed("link", *two(world, labels=["shared-a", "inside"])).stdout
        assert "shared-a  |  (none)" in shown
        assert "inside" not in shown
        shown = world.typed("link", *two(world, security={"name": "Staff only"})).stdout
        assert "(private)  |  Theirs" in shown
        assert "Ours" not in shown


def test_the_journal_tells_of_labels_only_those_that_may_cross(tmp_path):
    with open_world(
        tmp_path, fields='\n  summary: {}\n  type: {}\n  labels: {only: ["shared-*"]}\n'
    ) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Ours")
        world.settle()
        bo.edit(world.peer(key), labels=["inside"])
        ann.edit(key, labels=["shared-a"])
        world.settle()
        assert sorted(bo.field(world.peer(key), "labels")) == ["inside", "shared-a"]
        told = world.typed("explain", key, "--json").stdout
        assert "shared-a" in told
        assert "inside" not in told


@pytest.mark.parametrize("history", [False, True])
def test_old_comments_cross_only_where_that_is_asked_for_with_their_dates_and_none_twice(apart, history):
    ann, bo = apart.at_home(), apart.at_acme()
    key, peer = two(apart)
    for said in ("first", "copied by hand"):
        ann.comment(key, said)
    ann.comment(key, "inside", visibility={"type": "role", "value": "Developers"})
    bo.comment(peer, "copied by hand")
    bo.comment(peer, "theirs")
    flags = ["--history"] if history else []
    assert apart.typed("link", key, peer, "--yes", *flags).returncode == 0
    ann.comment(key, "new")
    apart.settle()
    apart.restart()
    apart.sync(census=True)
    apart.settle()
    at_home, at_acme = words(apart.home.site, key), words(apart.acme.site, peer)
    assert at_home[:3] == ["first", "copied by hand", "inside"]
    assert at_acme[:2] == ["copied by hand", "theirs"]
    if not history:
        assert [at_home[3:], at_acme[2:]] == [["new"], ["Ann Owner (Example Corp) new"]]
        return
    (carried,) = [one for one in at_home if "theirs" in one]
    assert carried.startswith("Bo Manager (Acme), 20")
    assert carried.split(" UTC")[0].count(":") == 1
    first, last = at_acme[2:]
    assert first.startswith("Ann Owner (Example Corp), 20")
    assert first.endswith("first")
    assert last == "Ann Owner (Example Corp) new"


def test_what_cannot_be_linked_is_refused_with_the_reason(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Mirrored")
    world.settle()
    peer, other = world.peer(key), bo.create("CUST", "Another")
    world.settle()
    for pair, reason in (
        ((key, "CUST-99"), "'acme' shows no ticket CUST-99"),
        (("OPS-99", peer), "'home' shows no ticket OPS-99"),
        ((key, other), f"{key} is linked with {peer} already; 'bridge unlink {key}' ends that"),
    ):
        refused = world.typed("link", *pair, "--yes")
        assert refused.returncode == 1, pair
        assert reason in refused.stderr
    assert world.typed("link", key, peer, "--yes").stdout == f"{key} = {peer}: linked already\n"
    assert world.typed("link", key, peer, "--agreement", "emca", "--yes").returncode == 2
    assert len(world.links()) == 2


def test_unlinking_ends_the_mirroring_and_linking_again_goes_on_where_it_stopped(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Mirrored")
    world.settle()
    peer = world.peer(key)
    done = world.typed("unlink", peer.lower())
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{key} = {peer}: unlinked; both tickets stay\n"
    for site, name in ((world.home.site, key), (world.acme.site, peer)):
        assert site.issue(name).remote_links == [], "the links to each other are off"
    ann.edit(key, summary="Mine")
    ann.comment(key, "said alone")
    world.restart()
    world.sync(census=True)
    world.settle()
    assert bo.field(peer, "summary") == "Mirrored"
    assert len(world.home.site.issues) == len(world.acme.site.issues) == 1, "and neither gets a new mirror"
    again = world.typed("unlink", key)
    assert again.returncode == 1
    assert f"the link of {key} has ended already" in again.stderr
    assert world.typed("link", key, peer, "--yes").returncode == 0
    world.settle()
    assert bo.field(peer, "summary") == "Mine"
    assert words(world.acme.site, peer) == [], "what was said meanwhile stays where it was said"
    assert [
        len(site.issue(name).remote_links) for site, name in ((world.home.site, key), (world.acme.site, peer))
    ] == [1, 1]
    (link,) = world.links()
    assert link.state is LinkState.ACTIVE
    told = world.typed("explain", key).stdout
    assert "the link has ended: unlinked" in told
    assert "linked again by hand" in told


def test_a_ticket_may_get_another_partner_after_its_link_has_ended(world):
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Ours")
    world.settle()
    first = world.peer(key)
    second = bo.create("CUST", "Second")
    world.settle()
    orphan = world.peer(second)
    for name in (key, second):
        assert world.typed("unlink", name).returncode == 0
    for partner in (second, first, second):
        done = world.typed("link", key, partner, "--from", "internal", "--yes")
        assert done.returncode == 0, done.stderr
        ann.edit(key, summary=f"With {partner}")
        world.settle()
        assert bo.field(partner, "summary") == f"With {partner}"
        assert world.typed("unlink", key).returncode == 0
    world.sync(census=True)
    world.settle()
    assert sorted(world.acme.site.issue(one).key for one in (first, second)) == sorted({first, second})
    assert len(world.acme.site.issues) == 2
    assert ann.field(orphan, "summary") == "Second"
    assert len(world.home.site.issues) == 2


def test_tickets_that_wait_for_mirrors_are_linked_with_each_other_instead(world):
    key, peer = two(world)
    for server in (world.home, world.acme):
        server.site.revoke("bridge", "CREATE_ISSUES")
    world.sync()
    assert [link.state for link in world.links()] == [LinkState.PARKED, LinkState.PARKED]
    assert world.typed("link", key, peer, "--from", "internal", "--yes").returncode == 0
    for server in (world.home, world.acme):
        server.site.restore("bridge", "CREATE_ISSUES")
    world.later(0)
    world.settle()
    assert len(world.home.site.issues) == len(world.acme.site.issues) == 1
    assert world.at_acme().field(peer, "summary") == "Ours"


def test_a_running_daemon_takes_up_what_is_linked_beside_it(apart):
    ann, bo = apart.at_home(), apart.at_acme()
    with apart.daemon():
        eventually(lambda: any(one["event"] == "daemon_started" for one in apart.log()), 30)
        key, peer = two(apart)
        assert apart.bridge("link", key, peer, "--from", "vendor", "--yes").returncode == 0
        eventually(lambda: ann.field(key, "summary") == "Theirs", 30)
        assert apart.typed("unlink", key).returncode == 0
        assert bo.field(peer, "summary") == "Theirs"


def pairs_file(world, *lines):
    """A file of pairs; its path."""
    path = world.folder / "pairs.csv"
    path.write_text("\n".join(("internal,vendor,remark", *lines)) + "\n")
    return str(path)


def test_many_pairs_are_linked_from_a_file_and_a_second_run_links_nothing(apart):
    made = [two(apart, f"Theirs {number}") for number in range(3)]
    file = pairs_file(apart, *(f"{key},{peer}," for key, peer in made), "")
    dry = apart.typed("import", file, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    told = json.loads(dry.stdout)
    assert [(one["internal"], one["vendor"]) for one in told["pairs"]] == made
    assert apart.links() == []
    done = apart.typed("import", file, "--from", "vendor")
    assert (done.returncode, done.stdout) == (0, "3 pairs linked, 0 linked already, 0 mistakes\n"), (
        done.stderr
    )
    again = apart.typed("import", file)
    assert (again.returncode, again.stdout) == (0, "0 pairs linked, 3 linked already, 0 mistakes\n")
    apart.settle()
    assert {apart.at_home().field(key, "summary") for key, _ in made} == {f"Theirs {n}" for n in range(3)}


def test_every_mistake_in_a_file_is_told_with_its_line_and_then_nothing_is_linked(apart):
    (key, peer), (other, third) = two(apart), two(apart)
    file = pairs_file(
        apart,
        f"{key},{peer},good",
        f"OPS-99,{third},",
        f"{other},,half",
        f"{key},{third},twice",
        f"{other},{third},good",
    )
    done = apart.typed("import", file)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{file}:4: no vendor ticket is named",
        f"{file}:3: 'home' shows no ticket OPS-99",
        f"{file}:5: {key} is already paired in {file}:2",
    ]
    assert apart.links() == []
    headless = apart.folder / "headless.csv"
    headless.write_text(f"{key},{peer}\n")
    assert (
        "the first line must name the columns internal and vendor"
        in apart.typed("import", str(headless)).stderr
    )
    assert apart.typed("import").returncode == 2
    assert apart.typed("import", file, "--match", "External id").returncode == 2


@pytest.mark.parametrize("field", ["External id", "External id=External id"])
def test_pairs_are_found_by_a_field_that_names_the_other_ticket_or_that_both_share(apart, field):
    (key, peer), (other, third) = two(apart), two(apart)
    two(apart)
    shared = "=" in field
    for ours, theirs in ((key, peer), (other, third)):
        value = f"X-{ours}" if shared else theirs.lower()
        apart.at_home().edit(ours, customfield_10042=value)
        if shared:
            apart.at_acme().edit(theirs, customfield_10042=value)
    done = apart.typed("import", "--match", field)
    assert (done.returncode, done.stdout) == (0, "2 pairs linked, 0 linked already, 0 mistakes\n"), (
        done.stderr
    )
    assert [(link.internal_key, link.vendor_key) for link in apart.links()] == [(key, peer), (other, third)]
    apart.at_home().edit(
        apart.at_home().create("OPS", "Double"), customfield_10042=f"X-{key}" if shared else peer
    )
    double = apart.typed("import", "--match", field)
    assert double.returncode == 1
    assert "would pair" in double.stderr


@pytest.mark.parametrize(("flags", "there"), [((), [7200]), (("--history",), [3600, 7200])])
def test_time_that_was_booked_before_stays_where_it_is_unless_the_history_is_wanted(tmp_path, flags, there):
    with open_world(tmp_path, create="none", more="worklogs: {cross: both}") as world:
        ann, bo = world.at_home(), world.at_acme()
        key, peer = two(world)
        ann.call(
            "POST", f"/issue/{key}/worklog", {"timeSpent": "1h", "started": "2026-11-20T08:00:00.000+0000"}
        )
        assert world.typed("link", key, peer, "--yes", *flags).returncode == 0
        world.settle()
        ann.call(
            "POST", f"/issue/{key}/worklog", {"timeSpent": "2h", "started": "2026-11-21T08:00:00.000+0000"}
        )
        world.settle()
        booked = bo.call("GET", f"/issue/{peer}/worklog")["worklogs"]
        assert sorted(one["timeSpentSeconds"] for one in booked) == there
