"""Parents and links between mirrored tickets, end to end: both directions, late peers, removal, lost answers."""

from __future__ import annotations

import pytest
from world import FIELDS, eventually, open_world

from bridge.daemon.remembering import renew
from bridge.simulator import Fault

RELATIONS = """
relations:
  parent: true
  links: {Blocks: Blocks, Relates: Relates, Duplicate: {vendor: Cloners, reversed: true}}
"""
TYPES = FIELDS.replace("Task: Task,", "Task: Task, Sub-task: Sub-task,")


def link(person, kind, source, target):
    """Somebody links two tickets."""
    body = {"type": {"name": kind}, "inwardIssue": {"key": source}, "outwardIssue": {"key": target}}
    person.call("POST", "/issueLink", body)


def links(person, key):
    """The links of a ticket: (what it does, to which)."""
    found = []
    for one in person.read(key)["fields"]["issuelinks"]:
        end = "outward" if "outwardIssue" in one else "inward"
        found.append((one["type"][end], one[f"{end}Issue"]["key"]))
    return sorted(found)


def unlink(person, key):
    """Somebody takes all links of a ticket away."""
    for one in person.read(key)["fields"]["issuelinks"]:
        person.call("DELETE", f"/issueLink/{one['id']}")


def parent(person, key):
    """The key of a ticket's parent."""
    return (person.read(key)["fields"].get("parent") or {}).get("key")


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path, fields=TYPES, more=RELATIONS) as opened:
        yield opened


def pair(world, *summaries):
    """Mirrored tickets: their keys at home and at the vendor's."""
    ann = world.at_home()
    keys = [ann.create("OPS", summary) for summary in summaries]
    world.settle()
    return keys, [world.peer(key) for key in keys]


def test_links_cross_both_ways_with_their_direction_and_go_when_they_are_taken_away(world):
    (one, two, three), (first, second, third) = pair(world, "One", "Two", "Three")
    ann, bo = world.at_home(), world.at_acme()
    link(ann, "Blocks", two, one)
    link(ann, "Duplicate", one, three)
    link(bo, "Relates", third, second)
    world.settle()
    assert links(bo, second) == [("blocks", first), ("relates to", third)]
    assert links(bo, first) == [("is blocked by", second), ("is cloned by", third)]
    assert links(ann, two) == [("blocks", one), ("relates to", three)]
    assert world.sync().writes == 0
    unlink(bo, second)
    world.settle()
    assert links(ann, two) == []
    assert links(ann, one) == [("duplicates", three)]
    unlink(ann, one)
    world.settle()
    assert links(bo, third) == []
    link(ann, "Blocks", two, one)
    world.settle()
    assert links(bo, second) == [("blocks", first)], "and again"
    events = [entry["event"] for entry in world.journal(one)]
    assert events.count("relation.added") == 3
    assert events.count("relation.removed") == 2


def test_a_link_that_both_sides_made_pairs_up_and_other_types_stay(world):
    (one, two), (first, second) = pair(world, "One", "Two")
    ann, bo = world.at_home(), world.at_acme()
    link(ann, "Blocks", one, two)
    link(bo, "Blocks", first, second)
    link(ann, "Cloners", one, two)
    assert world.settle() == 0, "nothing to write"
    assert links(bo, first) == [("blocks", second)]
    unlink(bo, first)
    world.settle()
    assert links(ann, one) == [("clones", two)]


def test_our_own_links_come_back_as_echoes_and_cost_no_call(world):
    (one, two), _ = pair(world, "One", "Two")
    link(world.at_home(), "Blocks", one, two)
    world.settle()
    before = [server.calls.since(0)[-1].seq for server in (world.home, world.acme)]
    assert world.sync().writes == 0
    asked = [
        call.path
        for server, number in zip((world.home, world.acme), before, strict=True)
        for call in server.calls.since(number)
    ]
    assert all("search" in path or "myself" in path for path in asked), asked


def test_a_link_waits_for_its_peer_without_naming_it_and_follows_when_it_is_mirrored(tmp_path):
    with open_world(tmp_path, fields=TYPES, more=RELATIONS, select="labels = shared") as world:
        ann, bo = world.at_home(), world.at_acme()
        hidden = ann.create("OPS", "Do not tell")
        seen = ann.create("OPS", "Seen", labels=["shared"])
        link(ann, "Blocks", hidden, seen)
        world.settle()
        peer = world.peer(seen)
        assert links(bo, peer) == []
        told = world.bridge("explain", seen)
        assert (
            "a link of the type 'Blocks' on the internal side does not cross: its peer is not mirrored"
            in told.stdout
        )
        assert hidden not in told.stdout
        assert "peer is not mirrored" in world.bridge("status").stdout
        sent = [call for call in world.acme.calls.since(0) if call.method in {"POST", "PUT"}]
        assert sent
        for call in sent:
            assert "Do not tell" not in str(call)
        ann.edit(hidden, labels=["shared"])
        world.settle()
        assert links(bo, peer) == [("is blocked by", world.peer(hidden))]
        assert "peer is not mirrored" not in world.bridge("status").stdout


def test_a_sub_task_is_created_below_its_parents_mirror(world):
    ann, bo = world.at_home(), world.at_acme()
    above = ann.create("OPS", "Above")
    below = ann.create("OPS", "Below", kind="Sub-task", parent={"key": above})
    theirs = bo.create("CUST", "Theirs")
    part = bo.create("CUST", "Part", kind="Sub-task", parent={"key": theirs})
    eventually(lambda: world.sync() and not any(one.state == "parked" for one in world.links()), every=1.0)
    world.settle()
    assert parent(bo, world.peer(below)) == world.peer(above)
    assert parent(ann, world.peer(part)) == world.peer(theirs)
    assert world.sync().writes == 0


def test_a_parent_moves_and_goes_where_the_tracker_allows_it_and_is_a_finding_elsewhere(world):
    (_, two), (first, second) = pair(world, "One", "Two")
    ann, bo = world.at_home(), world.at_acme()
    bo.edit(second, parent={"key": first})
    world.settle()
    assert parent(ann, two) is None, "Data Center has parents for sub-tasks alone"
    told = world.bridge("explain", two).stdout
    assert "the parent is refused on the internal side" in told
    (state,) = {one.state for one in world.links()}
    assert state == "active", "a finding, not a parked link"
    ann.edit(two, summary="Two more")
    before = world.home.calls.since(0)[-1].seq
    world.settle()
    assert bo.field(second, "summary") == "Two more"
    assert parent(bo, second) == first
    tried = [
        call for call in world.home.calls.since(before) if call.method == "PUT" and call.user == "bridge"
    ]
    assert tried == [], "not tried again at every look"
    bo.call("PUT", f"/issue/{second}", {"update": {"parent": [{"set": {"none": True}}]}})
    world.settle()
    assert "parent" not in world.bridge("status").stdout


def test_a_ticket_is_created_without_a_parent_where_its_type_may_have_none(world):
    ann, bo = world.at_home(), world.at_acme()
    above = bo.create("CUST", "Above")
    world.settle()
    below = bo.create("CUST", "Below", parent={"key": above})
    world.settle()
    mirror = world.peer(below)
    assert ann.field(mirror, "summary") == "Below"
    assert parent(ann, mirror) is None
    assert "the parent is refused on the internal side" in world.bridge("explain", below).stdout
    assert len(world.twins()) == 2, "a refused request has made nothing"


def test_a_link_that_goes_with_its_ticket_is_left_on_the_other_side(world):
    """A ticket that is deleted, or hidden from us, takes its links out of our sight: nobody took them away."""
    (one, two), (first, second) = pair(world, "One", "Two")
    ann, bo = world.at_home(), world.at_acme()
    link(ann, "Blocks", one, two)
    world.settle()
    ann.call("DELETE", f"/issue/{two}")
    ann.edit(one, summary="Still here")
    world.sync()
    world.sync()
    assert bo.field(first, "summary") == "Still here"
    assert links(bo, first) == [("blocks", second)]
    (kept,) = [one for one in world.links() if one.vendor_key == first]
    assert "peer-gone" in {finding["kind"] for finding in kept.findings}


def test_a_restart_leaves_links_alone_that_wait_for_a_peer(tmp_path):
    with open_world(tmp_path, fields=TYPES, more=RELATIONS, select="labels = shared") as world:
        ann = world.at_home()
        seen = ann.create("OPS", "Seen", labels=["shared"])
        link(ann, "Blocks", ann.create("OPS", "Hidden"), seen)
        world.settle()
        world.restart()
        renew(world.house)
        (waiting,) = world.links()
        assert [finding["kind"] for finding in waiting.findings] == ["peer-not-mirrored"]
        assert waiting.due_at is None


@pytest.mark.parametrize("fault", ["apply-then-drop", "drop"])
def test_a_lost_answer_makes_one_link(world, fault):
    (one, two), (first, second) = pair(world, "One", "Two")
    world.acme.faults.add(Fault(fault, "POST", r"/issueLink$"))
    link(world.at_home(), "Blocks", one, two)
    eventually(lambda: world.sync() and links(world.at_acme(), first), every=0.5)
    world.settle()
    assert links(world.at_acme(), first) == [("blocks", second)]
    assert len(world.acme.site.issue(first).links) == 1
    assert links(world.at_home(), one) == [("blocks", two)]


def test_nothing_crosses_unless_the_agreement_says_so(tmp_path):
    with open_world(tmp_path) as world:
        (one, two), (first, second) = pair(world, "One", "Two")
        link(world.at_home(), "Blocks", one, two)
        world.at_acme().edit(second, parent={"key": first})
        assert world.settle() == 0
        assert links(world.at_acme(), first) == []
        assert all(one.findings == () for one in world.links())


def test_the_plan_says_what_it_would_relate(world):
    (one, two), (first, second) = pair(world, "One", "Two")
    link(world.at_home(), "Blocks", one, two)
    told = world.bridge("plan").stdout
    assert f"link it to {second} (Blocks)" in told
    assert links(world.at_acme(), first) == []


def test_the_check_knows_the_types_of_links(tmp_path):
    with open_world(tmp_path, more="\nrelations: {links: {Blocks: Bloks}}\n") as world:
        said = world.bridge("check")
        assert said.returncode == 1
        assert "'acme' has no type of link 'Bloks'" in said.stdout + said.stderr
        assert "did you mean 'Blocks'?" in said.stdout + said.stderr


def test_a_link_to_a_ticket_that_is_linked_again_by_hand_crosses_by_itself(world):
    (one, two), (first, second) = pair(world, "One", "Two")
    assert world.typed("unlink", two).returncode == 0
    link(world.at_home(), "Blocks", one, two)
    world.settle()
    assert links(world.at_acme(), first) == []
    assert world.typed("link", two, second, "--yes").returncode == 0
    world.settle()
    assert links(world.at_acme(), first) == [("blocks", second)]
