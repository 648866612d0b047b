"""Files between a Jira and a real Request Tracker: both ways, once, and only those that may."""

from __future__ import annotations

import pytest
from test_attachments import PNG, attach, count, files
from test_real_rt import bridged, link_of, settle
from test_rt_files import part, say
from world import Person, pass_time

from bridge.daemon.once import sync_once
from bridge.simulator import SimulatorServer, make_home
from bridge.testing.wire import Fault, Wire
from bridge.trackers.rt_files import LARGEST

pytestmark = pytest.mark.real

CROSS = "attachments: {cross: both, max: 20MB, types: ['*/*']}"
DETAIL = "TransactionId,Filename,Headers"


class Lossy(Wire):
    """Loses the first answers to replies."""

    losses = 0

    def hit(self, method, path):
        if path.endswith("/correspond") and self.losses:
            self.losses -= 1
            return Fault("lose")
        return super().hit(method, path)


class Cutting(Wire):
    """Cuts what goes up."""

    def forward(self, method, path, headers, body):
        return super().forward(method, path, headers, body.replace(b"words to be cut", b"words"))


@pytest.fixture
def home():
    with SimulatorServer(make_home()) as server:
        yield server


def person(home) -> Person:
    return Person(home.url, 2, headers={"Authorization": "Bearer ann-token"})


def names(rt, ticket) -> list[str]:
    """The names of the files on a ticket, as its staff sees them, oldest first."""
    items = rt.call("alice", "GET", f"/ticket/{ticket}/attachments", fields=DETAIL, per_page=100)["items"]
    named = [one for one in items if one["Filename"]]
    return [one["Filename"] for one in sorted(named, key=lambda one: int(one["id"]))]


def told(house, key) -> list[tuple[str, str]]:
    return [(one["kind"], one["message"]) for one in link_of(house, key).findings]


def test_files_cross_both_ways_once_and_private_ones_stay(tmp_path, rt, home):
    queue = rt.new_queue()
    with bridged(tmp_path, home, rt, queue, more=CROSS) as house:
        ann = person(home)
        key = ann.create("OPS", "Shelf plan")
        attach(ann, key, "plan \u6f22.txt", "gr\u00fc\u00df".encode("latin-1"))
        attach(ann, key, "empty.txt", b"")
        settle(house)
        peer = link_of(house, key).vendor_id
        assert sorted(names(rt, peer)) == ["empty.txt", "plan \u6f22.txt"]
        say(rt, peer, "correspond", part("answer.png", PNG, "image/png"), text="Like this", who="bob")
        say(rt, peer, "correspond", part("bare.txt", b"b"))
        say(rt, peer, "comment", part("prices.txt", b"secret"), text="for us")
        settle(house)
        there = files(home, key)
        assert set(there) == {"plan \u6f22.txt", "empty.txt", "answer.png", "bare.txt"}
        assert there["answer.png"] == PNG
        assert [one["body"].rpartition("\n")[2] for one in ann.comments(key)] == ["Like this"]
        assert rt.read_ticket(peer)["Status"] == "open", "as bob's reply left it"
        done = sync_once(house, census=True)
        assert (done.writes, done.failures) == (0, ())
        assert told(house, key) == []
        # A text that shows a file waits for it, and names it in its reply.
        attach(ann, key, "shot.png", PNG, "image/png")
        ann.comment(key, "look: !shot.png!")
        settle(house)
        assert names(rt, peer)[-1] == "shot.png"
        assert "shot.png" in rt.history(peer, "Correspond")[-1]["texts"][0]
        # What is deleted stays there, and that is told; so does what becomes private.
        (first,) = [one for one in home.site.issue(key).attachments if one["filename"] == "empty.txt"]
        ann.call("DELETE", f"/attachment/{first['id']}")
        settle(house)
        ((kind, words),) = told(house, key)
        assert kind == "fixed"
        assert "'empty.txt' was deleted" in words
        assert sorted(names(rt, peer))[:2] == ["answer.png", "bare.txt"]
        assert "empty.txt" in names(rt, peer)


def test_a_lost_answer_makes_one_file(tmp_path, rt, home):
    queue = rt.new_queue()
    with Lossy(rt.url) as wire, bridged(tmp_path, home, rt, queue, more=CROSS, url=wire.url) as house:
        ann = person(home)
        key = ann.create("OPS", "Once")
        settle(house)
        wire.losses = 1
        attach(ann, key, 'say "once".txt', b"words")
        for _ in range(4):
            sync_once(house)
            pass_time(house.store, 3_600)
        assert wire.losses == 0
        peer = link_of(house, key).vendor_id
        assert len(names(rt, peer)) == 1
        assert count(home, key) == 1
        assert told(house, key) == []


def test_a_broken_copy_that_stays_is_told_and_not_sent_again(tmp_path, rt, home):
    queue = rt.new_queue()
    with Cutting(rt.url) as wire, bridged(tmp_path, home, rt, queue, more=CROSS, url=wire.url) as house:
        ann = person(home)
        key = ann.create("OPS", "Cut")
        attach(ann, key, "cut.txt", b"words to be cut")
        settle(house)
        peer = link_of(house, key).vendor_id
        ann.edit(key, summary="Cut, still")
        settle(house)
        assert names(rt, peer) == ["cut.txt"]
        assert count(home, key) == 1, "nor does it come back"
        ((kind, words),) = told(house, key)
        assert kind == "failed"
        assert "lets us not remove it" in words


def test_a_file_that_request_tracker_is_not_made_for_stays_and_is_named(tmp_path, rt, home):
    queue = rt.new_queue()
    with bridged(tmp_path, home, rt, queue, more=f"{CROSS[:-1]}, deletes: keep}}") as house:
        ann = person(home)
        home.site.attachment_limit = 2 * LARGEST
        key = ann.create("OPS", "Large")
        attach(ann, key, "large.txt", b"x" * (LARGEST + 1))
        small = attach(ann, key, "small.txt", b"x")
        settle(house)
        peer = link_of(house, key).vendor_id
        assert names(rt, peer) == ["small.txt"]
        ((kind, words),) = told(house, key)
        assert kind == "left-behind"
        assert "large.txt" in words
        ann.call("DELETE", f"/attachment/{small}")
        settle(house)
        assert names(rt, peer) == ["small.txt"]
        assert len(told(house, key)) == 1, "the agreement keeps copies"
