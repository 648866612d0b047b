"""Both sides change a ticket before the bridge looks: each field ends as its rule says, and no words are lost."""

from __future__ import annotations

import json
import time

import pytest
from world import FIELDS, eventually, open_world, plain

from bridge.simulator import Fault


def linked(world, **fields):
    """A ticket and its mirror, in agreement."""
    key = world.at_home().create("OPS", "Start", **fields)
    world.settle()
    return key, world.peer(key)


def open_with(folder, **rules):
    """A world whose agreement has other rules for some fields."""
    lines = FIELDS
    for name, rule in rules.items():
        (old,) = [line for line in FIELDS.splitlines() if line.startswith(f"  {name}:")]
        lines = lines.replace(old, f"  {name}: {rule}")
    return open_world(folder, fields=lines)


def lost(world, key, field):
    """What gave way in a field, as the journal and ``bridge explain`` tell it: (value, side)."""
    entries = [one for one in world.journal(key) if one["event"] in ("field.written", "status.moved")]
    losers = [entry["loser"] for entry in entries if entry["field"] == field and "loser" in entry]
    told = json.loads(world.bridge("explain", key, "--json").stdout)[0]["journal"]
    assert [one["loser"] for one in told if one.get("field") == field and "loser" in one] == losers
    return [(one["value"], one["side"]) for one in losers]


def test_different_fields_cross_both_ways_at_once(world):
    key, peer = linked(world)
    world.at_home().edit(key, summary="ours", duedate="2027-05-05")
    world.at_acme().edit(peer, priority={"name": "P1"}, labels=["theirs"])
    world.settle()
    assert world.judge() == 1
    assert world.at_home().field(key, "priority") == "Highest"
    assert world.at_acme().field(peer, "summary") == "ours"
    assert world.at_acme().field(peer, "duedate") == "2027-05-05"
    assert world.at_home().field(key, "labels")[-1:] == ["theirs"]
    assert lost(world, key, "summary") == lost(world, key, "priority") == []


def test_the_same_change_on_both_sides_is_agreement_and_writes_nothing(world):
    key, peer = linked(world)
    world.at_home().edit(key, summary="same", priority={"name": "Low"})
    world.at_acme().edit(peer, summary="same", priority={"name": "P4"})
    world.home.site.settle()
    assert world.sync().writes == 0
    assert world.judge() == 1
    # And it is the new base: the next change crosses as a change, not as a conflict.
    world.at_acme().edit(peer, summary="later")
    world.settle()
    assert world.at_home().field(key, "summary") == "later"
    assert lost(world, key, "summary") == []


@pytest.mark.parametrize("last", ["home", "acme"])
def test_the_newest_of_two_changes_wins_and_the_older_is_in_the_journal(world, last):
    key, peer = linked(world)
    ann, bo = world.at_home(), world.at_acme()
    steps = [lambda: ann.edit(key, summary="of home"), lambda: bo.edit(peer, summary="of acme")]
    for step in steps if last == "acme" else reversed(steps):
        step()
        time.sleep(0.05)
    # A later change of another field makes nobody the newest in this one.
    (bo if last == "home" else ann).edit(peer if last == "home" else key, duedate="2027-01-01")
    world.settle()
    assert world.judge() == 1
    assert ann.field(key, "summary") == f"of {last}"
    loser, side = ("of acme", "vendor") if last == "home" else ("of home", "internal")
    assert lost(world, key, "summary") == [(loser, side)]
    assert f"gave way: {loser} of the {side} side" in world.bridge("explain", peer).stdout


def test_the_owner_wins_a_conflict_and_a_change_by_the_other_alone_is_undone(tmp_path):
    with open_with(tmp_path, summary="{owner: internal}", due="{owner: vendor}") as world:
        key, peer = linked(world, duedate="2027-01-01")
        ann, bo = world.at_home(), world.at_acme()
        ann.edit(key, summary="the owner's")
        bo.edit(peer, summary="the other's", duedate="2027-02-02")
        ann.edit(key, duedate="2027-03-03")
        world.settle()
        assert world.judge() == 1
        assert bo.field(peer, "summary") == "the owner's"
        assert ann.field(key, "duedate") == "2027-02-02"
        assert lost(world, key, "summary") == [("the other's", "vendor")]
        assert lost(world, key, "due") == [("2027-03-03", "internal")]
        bo.edit(peer, summary="again")
        world.settle()
        assert bo.field(peer, "summary") == "the owner's"
        assert lost(world, key, "summary") == [("the other's", "vendor"), ("again", "vendor")]


def test_sets_merge_member_by_member(world):
    key, peer = linked(world, labels=["keep", "gone-here", "gone-there", "gone-both"])
    mark = [one for one in world.at_acme().field(peer, "labels") if one.startswith("bridge-")]
    world.at_home().edit(key, labels=["keep", "gone-there", "new-here", "new-both"])
    world.at_acme().edit(peer, labels=[*mark, "keep", "gone-here", "new-there", "new-both"])
    world.settle()
    assert world.judge() == 1
    assert sorted(world.at_home().field(key, "labels")) == ["keep", "new-both", "new-here", "new-there"]
    assert mark[0] in world.at_acme().field(peer, "labels")


def test_texts_merge_paragraph_by_paragraph_where_both_edits_can_stand(tmp_path):
    with open_with(tmp_path, description="{rule: merge}") as world:
        key, peer = linked(world, description="one\n\ntwo\n\nthree")
        ann, bo = world.at_home(), world.at_acme()
        ann.edit(key, description="one, by ann\n\ntwo\n\nthree")
        text = bo.read(peer)["fields"]["description"]
        text["content"][2]["content"][0]["text"] = "three, by bo"
        bo.edit(peer, description=text)
        world.settle()
        assert ann.field(key, "description").split() == ["one,", "by", "ann", "two", "three,", "by", "bo"]
        assert plain(bo.field(peer, "description")).split() == [
            "one,",
            "by",
            "ann",
            "two",
            "three,",
            "by",
            "bo",
        ]


def test_texts_that_cannot_be_merged_fall_back_to_the_newest_and_keep_the_other_in_the_journal(tmp_path):
    with open_with(tmp_path, description="{rule: merge}") as world:
        key, peer = linked(world, description="one")
        ann, bo = world.at_home(), world.at_acme()
        ann.edit(key, description="one, by ann")
        time.sleep(0.05)
        bo.edit(peer, description=bo.text("one, by bo"))
        world.settle()
        assert ann.field(key, "description") == "one, by bo"
        ((value, side),) = lost(world, key, "description")
        assert side == "internal"
        assert "one, by ann" in json.dumps(value)


def test_a_held_conflict_waits_for_people_and_stops_no_other_field(tmp_path):
    with open_with(tmp_path, summary="{rule: hold}") as world:
        key, peer = linked(world)
        ann, bo = world.at_home(), world.at_acme()
        ann.edit(key, summary="ours", duedate="2027-05-05")
        bo.edit(peer, summary="theirs")
        bo.comment(peer, "meanwhile")
        world.settle()
        assert (ann.field(key, "summary"), bo.field(peer, "summary")) == ("ours", "theirs")
        assert bo.field(peer, "duedate") == "2027-05-05"
        assert [one for one in map(plain, (one["body"] for one in ann.comments(key))) if "meanwhile" in one]
        (held,) = json.loads(world.bridge("status", "--json").stdout)["held"]
        assert held["internal"] == key
        assert "both sides changed 'summary' differently" in held["reason"]
        world.sync()
        assert sum(entry["event"] == "finding.opened" for entry in world.journal(key)) == 1, "told once"
        # Somebody decides, by making one side say what the other says.
        bo.edit(peer, summary="ours")
        world.settle()
        assert world.judge() == 1
        assert json.loads(world.bridge("status", "--json").stdout)["held"] == []
        assert world.links()[0].state == "active"
        bo.edit(peer, summary="goes on")
        world.settle()
        assert ann.field(key, "summary") == "goes on"


def test_statuses_moved_apart_end_where_the_newest_move_went(world):
    key, peer = linked(world)
    ann, bo = world.at_home(), world.at_acme()
    ann.move(key, "In Progress")
    world.settle()
    ann.move(key, "Open")
    time.sleep(0.05)
    bo.move(peer, "In Review")
    bo.move(peer, "Done")
    world.settle()
    assert world.judge() == 1
    assert ann.field(key, "status") == "Resolved"
    assert lost(world, key, "status") == [("Open", "internal")]


def test_a_status_to_which_no_way_is_known_is_told_and_stops_nothing_else(world):
    key, peer = linked(world)
    ann, bo = world.at_home(), world.at_acme()
    ann.move(key, "Resolved", resolution={"name": "Fixed"})
    world.settle()
    bo.move(peer, "To Do")
    bo.edit(peer, summary="goes on")
    world.settle()
    assert ann.field(key, "summary") == "goes on"
    assert ann.field(key, "status") == "Resolved"
    (told,) = json.loads(world.bridge("status", "--json").stdout)["findings"]
    assert "Open" in told["reason"]


def test_a_comment_edited_by_its_author_while_somebody_rewrites_the_copy_ends_as_the_author_said(world):
    key, peer = linked(world)
    ann, admin = world.at_home(), world.at_acme("admin")
    mine = ann.comment(key, "mine")
    world.settle()
    (copy,) = admin.comments(peer)
    admin.call("PUT", f"/issue/{peer}/comment/{copy['id']}", {"body": admin.text("twisted")})
    ann.call("PUT", f"/issue/{key}/comment/{mine}", {"body": "mine, better"})
    world.settle()
    assert world.judge() == 1
    (copy,) = admin.comments(peer)
    assert "mine, better" in plain(copy["body"])
    admin.call("PUT", f"/issue/{peer}/comment/{copy['id']}", {"body": admin.text("twisted again")})
    world.settle()
    assert world.judge() == 1
    restored = [
        entry
        for entry in world.journal(key)
        if entry["event"] == "comment.edited" and entry["why"] == "restored"
    ]
    assert [entry["loser"] for entry in restored] == ["twisted again"]


def test_two_edits_within_one_second_of_a_tracker_that_stamps_seconds_are_both_seen(tmp_path):
    """Jira on MySQL and Redmine stamp whole seconds: the second edit has the stamp of the first."""
    from bridge.simulator import make_home

    def whole_seconds():
        return int(time.time()) * 1000

    with open_world(tmp_path, make_home(whole_seconds)) as world:
        key, peer = linked(world)
        time.sleep(2.2)  # past our own write
        time.sleep(1.02 - time.time() % 1)
        world.at_home().edit(key, summary="first")
        world.sync()
        world.at_home().edit(key, summary="second")
        stamps = {change.created for change in world.home.site.issue(key).history}
        assert len(stamps) == 1, "both within one second"
        time.sleep(1.1)
        world.settle()
        assert world.at_acme().field(peer, "summary") == "second"


def test_a_losing_value_is_on_the_disk_before_it_is_written_over(world):
    """Killed between the write and its books, the bridge still knows whose words gave way."""
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Agreed")
    world.settle()
    peer = world.peer(key)
    bo.edit(peer, summary="Bo's words")
    ann.edit(key, summary="Ann's words, later")
    world.acme.faults.add(Fault("slow", "PUT", f"/issue/{world.acme.site.issue(peer).id}", delay_ms=20_000))
    world.restart()
    with world.daemon() as daemon:
        eventually(lambda: bo.field(peer, "summary") == "Ann's words, later")
        daemon.kill()
        daemon.wait()
    with world.house.store.read() as tx:
        (link,) = tx.links.by_key(key)
        kept = [entry.data for entry in tx.journal.for_link(link.id) if entry.event == "value.kept"]
    assert kept == [{"field": "summary", "side": "vendor", "value": "Bo's words"}]
