"""Timelines in a running world: a day on both sides, outages, restarts, versions of the policy, and what it costs."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import replace

from world import eventually, open_world

from bridge.clock import SECOND
from bridge.daemon import chronicle
from bridge.daemon.chronicle import Chronicler, rebuild, store_rebuilt
from bridge.daemon.reading import read_sides
from bridge.daemon.worker import record_failure
from bridge.errors import Unreachable
from bridge.simulator.faults import Fault
from bridge.sla.serial import timeline_from_json, timeline_to_json
from bridge.sla.timeline import EntryKind
from bridge.store.rows import LinkState

CLOCKS = """
clocks:
  resolve: {start: created, stop: resolved, goals: {Highest: 1h, default: 4h}, calendar: always}
"""


@contextmanager
def clocked(folder, more=CLOCKS, **config):
    with open_world(folder, more=more, **config) as world:
        yield world


def row_of(world, key):
    with world.records() as tx:
        (link,) = tx.links.by_key(key)
        return tx.chronicles.get(link.id)


def timeline_of(world, key):
    return timeline_from_json(row_of(world, key).timeline)


def told(timeline):
    """What happened, in short: of a field its values, of a comment whether it is public."""
    return [
        f"{one.side} {one.field}: {one.before} -> {one.after} by {one.who}"
        if one.kind is EntryKind.FIELD
        else f"{one.side} {one.kind}{'' if one.public else ' (private)'} by {one.who}"
        for one in timeline.entries
    ]


def terms_become(world, old, new):
    """Change the agreement's file, as people do, and start anew."""
    path = world.folder / "agreements" / "acme.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    world.restart()


def down():
    """The vendor's tracker tells no histories."""
    return Fault("error", "POST", "/changelog/bulkfetch", times=None, status=500)


def add_clocks(world):
    with (world.folder / "agreements" / "acme.yaml").open("a") as file:
        file.write(CLOCKS)
    world.restart()


def moments(server, key):
    """Id of each entry of a ticket's history, and of each comment -> its time, as the tracker itself keeps it."""
    issue = server.site.issue(key)
    return {str(one.id): one.created * 1000 for one in (*issue.history, *issue.comments)}


def test_a_day_on_both_flavours_is_one_story_with_its_evidence(tmp_path):
    with clocked(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Down", priority={"name": "High"})
        world.settle()
        peer = world.peer(key)
        bo.move(peer, "In Progress")
        bo.comment(peer, "Looking into it")
        world.settle()
        ann.comment(key, "for us only #ack", visibility={"type": "role", "value": "Developers"})
        world.settle()
        # The bridge rests while people work on; who did what when is told by their trackers.
        ann.edit(key, priority={"name": "Highest"})
        bo.edit(peer, assignee={"accountId": world.acme.site.person("bo").id})
        ann.comment(key, "Please hurry")
        bo.move(peer, "In Review")
        bo.move(peer, "Done")
        world.settle()
        ann.move(key, "Reopened")
        world.settle()
        timeline = timeline_of(world, key)
        assert told(timeline) == [
            "internal created by Ann Owner",
            "vendor status: Open -> In Progress by Bo Manager",
            "vendor comment by Bo Manager",
            "internal comment (private) by Ann Owner",
            "internal acknowledged (private) by Ann Owner",
            "internal priority: High -> Highest by Ann Owner",
            "vendor assignee:  -> Bo Manager by Bo Manager",
            "internal comment by Ann Owner",
            "vendor status: In Progress -> In Review by Bo Manager",
            "vendor status: In Review -> Resolved by Bo Manager",
            "internal assignee:  -> Ann Owner by Bridge",
            "internal status: Resolved -> Reopened by Ann Owner",
        ]
        assert timeline.start["priority"] == "High"
        assert timeline.born == world.home.site.issue(key).created * 1000
        truth = {"internal": moments(world.home, key), "vendor": moments(world.acme, peer)}
        for one in timeline.entries[1:]:
            side, _, number = one.event.partition(":")
            assert one.at == truth[side][number.rpartition("/")[2]], (
                "to the millisecond, and its evidence is there"
            )
        row = row_of(world, key)
        assert row.stale_at is None
        assert row.summary["urls"] == {
            "internal": f"{world.home.url}/browse/{key}",
            "vendor": f"{world.acme.url}/browse/{peer}",
        }
        *_, clock = row.summary["clocks"]
        assert (clock["clock"], clock["state"]) == ("resolve", "running")
        # Certain in whole seconds, by a skew that trackers tell in whole seconds.
        assert timeline.born - 2_000_000 < timeline.certain_until <= row.read_at


def test_the_vendors_ticket_may_be_the_first(tmp_path):
    with clocked(tmp_path) as world:
        bo = world.at_acme()
        key = bo.create("CUST", "Theirs", priority={"name": "P1"})
        bo.move(key, "In Progress")
        world.settle()
        world.at_home().comment(world.peer(key), "Thanks")
        world.settle()
        timeline = timeline_of(world, key)
        assert told(timeline) == [
            "vendor created by Bo Manager",
            "vendor status: Open -> In Progress by Bo Manager",
            "internal comment by Ann Owner",
        ]
        assert timeline.start["priority"] == "Highest", "in the internal side's words"


def test_reading_fifty_changed_tickets_takes_two_calls_of_a_cloud_and_two_for_each_of_a_data_center(tmp_path):
    with clocked(tmp_path) as world:
        ann = world.at_home()
        keys = [ann.create("OPS", f"ticket {number}") for number in range(12)]
        world.settle()
        with world.house.store.write() as tx:
            for link in tx.links.list():
                tx.chronicles.touch(link.id, "acme", world.house.clock.now())
        before = {server: len(server.calls.since(0)) for server in (world.home, world.acme)}
        assert Chronicler(world.house).flush() == len(keys)
        spent = {server: len(server.calls.since(0)) - count for server, count in before.items()}
        assert spent[world.acme] == 2
        assert spent[world.home] == 2 * len(keys)
        assert Chronicler(world.house).flush() == 0
        assert len(world.acme.calls.since(0)) - before[world.acme] == 2, "what is not stale costs nothing"


def test_while_a_tracker_is_down_its_timelines_stay_stale_and_nothing_is_lost(tmp_path):
    with clocked(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Down")
        world.settle()
        peer, before = world.peer(key), row_of(world, key)
        bo.move(peer, "In Progress")
        ann.comment(key, "Hello?")
        rule = world.acme.faults.add(down())
        world.sync()
        stuck = row_of(world, key)
        assert stuck.stale_at is not None
        assert (stuck.timeline, stuck.read_at) == (before.timeline, before.read_at)
        fired = rule.fired
        Chronicler(world.house).flush()
        assert rule.fired == fired, "left alone, not hammered at"
        assert stuck.stale_at > world.house.clock.now() - SECOND, "asked again when the tracker may be asked"
        world.acme.faults.clear()
        world.restart()
        with world.house.store.write() as tx:
            tx.chronicles.later(stuck.link_id, 1)  # the wait is over
        world.settle()
        assert row_of(world, key).stale_at is None
        assert told(timeline_of(world, key)) == [
            "internal created by Ann Owner",
            "vendor status: Open -> In Progress by Bo Manager",
            "internal comment by Ann Owner",
        ]


def test_what_was_stale_when_the_bridge_was_killed_is_read_after_its_start(tmp_path):
    with clocked(tmp_path) as world:
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Down")
        world.settle()
        peer = world.peer(key)
        world.restart()
        with world.daemon() as daemon:
            # Histories are refused for so long that the kill surely comes first.
            world.acme.faults.add(down())
            bo.move(peer, "In Progress")
            eventually(lambda: row_of(world, key).stale_at)
            daemon.send_signal(signal.SIGKILL)
            daemon.wait(timeout=30)
        assert len(timeline_of(world, key).entries) == 1
        bo.comment(peer, "Meanwhile")
        world.acme.faults.clear()
        with world.daemon():
            eventually(
                lambda: row_of(world, key).stale_at is None and len(timeline_of(world, key).entries) == 3
            )
        assert told(timeline_of(world, key))[1:] == [
            "vendor status: Open -> In Progress by Bo Manager",
            "vendor comment by Bo Manager",
        ]
        assert not [one for one in world.log() if one["event"] in {"timeline_failed", "timelines_failed"}]


def test_what_changes_while_a_timeline_is_read_is_read_again(tmp_path, monkeypatch):
    with clocked(tmp_path) as world:
        key = world.at_home().create("OPS", "Busy")
        world.settle()
        row, house = row_of(world, key), world.house
        with house.store.write() as tx:
            tx.chronicles.touch(row.link_id, "acme", house.clock.now())
        readings = []

        def read(*given):
            read = read_sides(*given)
            readings.append(read)
            if len(readings) == 1:  # too late for this reading
                world.at_home().comment(key, "One more thing")
                with house.store.write() as tx:
                    tx.chronicles.touch(row.link_id, "acme", house.clock.now())
            return read

        monkeypatch.setattr(chronicle, "read_sides", read)
        Chronicler(house).flush()
        assert len(timeline_of(world, key).entries) == 1
        assert row_of(world, key).stale_at is not None
        Chronicler(house).flush()
        assert len(readings) == 2
        assert told(timeline_of(world, key))[1:] == ["internal comment by Ann Owner"]


def test_clocks_that_are_added_later_measure_what_was_there_before(tmp_path):
    with clocked(tmp_path, more="") as world:
        ann = world.at_home()
        key, done = ann.create("OPS", "Old"), ann.create("OPS", "Unlinked")
        world.settle()
        assert world.typed("unlink", done).returncode == 0
        assert row_of(world, key) is None
        add_clocks(world)
        world.settle()
        row = row_of(world, key)
        assert row.policy
        assert timeline_of(world, key).born == world.home.site.issue(key).created * 1000
        assert row_of(world, done) is None, "what had ended before has no clocks"


def test_a_ticket_keeps_the_policy_that_it_was_born_under(tmp_path):
    with clocked(tmp_path) as world:
        ann = world.at_home()
        old = ann.create("OPS", "Old")
        world.settle()
        terms_become(world, "default: 4h", "default: 2h")
        world.settle()
        new = ann.create("OPS", "New")
        ann.comment(old, "Still here")
        world.settle()
        first, second = row_of(world, old).policy, row_of(world, new).policy
        assert first != second
        # Back to the former words: a version again, which holds from now on.
        terms_become(world, "default: 2h", "default: 4h")
        world.settle()
        newest = ann.create("OPS", "Newest")
        for key in (old, new):
            ann.comment(key, "Still here")
        world.settle()
        assert (row_of(world, old).policy, row_of(world, new).policy) == (first, second)
        assert row_of(world, newest).policy == f"{first}-2"
        with world.records() as tx:
            rows = tx.policies.list("acme")
        assert [row.since > 0 for row in rows] == [False, True, True]
        # Clocks that are taken away run on for those who were born under them.
        terms_become(world, CLOCKS, "")
        ann.comment(old, "And now?")
        none = ann.create("OPS", "Without clocks")
        world.settle()
        assert row_of(world, old).policy == first
        assert timeline_of(world, old).entries[-1].kind is EntryKind.COMMENT
        assert row_of(world, none) is None


def test_tickets_from_before_the_day_that_the_file_names_have_no_clocks(tmp_path):
    with clocked(tmp_path, more=f"{CLOCKS}\nclocks-from: 2099-01-01\n") as world:
        key = world.at_home().create("OPS", "Too early")
        world.settle()
        row = row_of(world, key)
        assert (row.policy, row.next_at, row.summary) == ("", None, {})
        assert row.timeline, "its history is there for whoever asks what would have been"
        terms_become(world, "clocks-from: 2099-01-01", "clocks-from: 2020-01-01")
        terms_become(world, "default: 4h", "default: 3h")
        world.settle()
        assert row_of(world, key).policy, "the new version says that it holds for this one as well"


def test_a_link_that_was_ended_ends_its_clocks_even_while_a_tracker_is_down(tmp_path):
    with clocked(tmp_path) as world:
        key = world.at_home().create("OPS", "Over")
        world.settle()
        record_failure(world.house, Unreachable("acme", "no connection"))
        assert world.typed("unlink", key).returncode == 0
        assert timeline_of(world, key).ended is None
        Chronicler(world.house).flush()
        assert row_of(world, key).stale_at > world.house.clock.now(), "to be read once more"
        timeline = timeline_of(world, key)
        with world.records() as tx:
            (link,) = tx.links.by_key(key)
            (closed,) = [entry for entry in tx.journal.for_link(link.id) if entry.event == "link.closed"]
        assert link.state is LinkState.CLOSED
        assert timeline.ended == closed.at
        assert row_of(world, key).next_at is not None, "the tick is to see it"
        eventually(lambda: Chronicler(world.house).flush() and row_of(world, key).stale_at is None)
        assert timeline_of(world, key).ended == closed.at


def test_rebuilding_shows_what_would_change_before_it_is_stored(tmp_path):
    with clocked(tmp_path) as world:
        key = world.at_home().create("OPS", "Down")
        world.settle()
        peer = world.peer(key)
        world.at_acme().move(peer, "In Progress")
        world.settle()
        row, right = row_of(world, key), timeline_of(world, key)
        house = world.house
        untouched = rebuild(house, row.link_id)
        assert untouched.differences == ()
        # Damage, as a bug would: a deed is missing, another is at the wrong time.
        wrong = replace(right, born=right.born - SECOND, entries=right.entries[:1])
        with house.store.write() as tx:
            tx.chronicles.put(replace(row, timeline=timeline_to_json(wrong)), None)
        found = rebuild(house, row.link_id)
        assert found.old == wrong
        assert [line.partition(":")[0] for line in found.differences[1:]] == ["new"]
        assert "vendor status: Open -> In Progress" in found.differences[1]
        assert timeline_of(world, key) == wrong, "nothing is stored yet"
        store_rebuilt(house, found)
        assert timeline_of(world, key).entries == right.entries
        assert rebuild(house, 99) is None


def test_one_links_trouble_keeps_no_other_timeline_waiting(tmp_path, monkeypatch):
    with clocked(tmp_path) as world:
        ann = world.at_home()
        first, second = ann.create("OPS", "Odd"), ann.create("OPS", "Even")
        world.settle()
        odd = row_of(world, first).link_id
        with world.house.store.write() as tx:
            for key in (first, second):
                tx.chronicles.touch(row_of(world, key).link_id, "acme", 1)
            # As a newer version of the program would have left it.
            tx.chronicles.put(replace(row_of(world, first), timeline={"v": 99}), None)
        assert Chronicler(world.house).flush() == 1
        assert row_of(world, second).stale_at is None
        assert row_of(world, first).stale_at > world.house.clock.now()
        assert row_of(world, first).timeline == {"v": 99}, "not overwritten by somebody who cannot read it"
        assert odd != row_of(world, second).link_id
        assert chronicle.AGAIN > 60 * SECOND
