"""A write whose answer is lost happens once: never twice, never not at all; whatever was lost, and whoever died."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import sleep

import pytest
from world import eventually, open_world

from bridge.daemon import health
from bridge.simulator import Fault

LOST = {
    "applied-then-500": {"kind": "apply-then-500"},
    "applied-then-504": {"kind": "apply-then-500", "status": 504},
    "applied-then-dropped": {"kind": "apply-then-drop"},
    "applied-answer-cut": {"kind": "truncated"},
    "applied-after-we-stopped-listening": {"kind": "slow", "when": "before", "delay_ms": 3000},
    "answered-too-late": {"kind": "slow", "when": "after", "delay_ms": 3000},
    "never-arrived": {"kind": "drop"},
    "not-done-500": {"kind": "error", "status": 500},
    "not-done-login-page": {"kind": "garbage"},
}
"""Ways to lose an answer. The last three have not done what they were asked."""
NOT_DONE = frozenset(list(LOST)[-3:])


def lose(server, way, path, word):
    """Have the answer to the first POST that carries a word lost in that way."""
    return server.faults.add(Fault(method="POST", path_regex=path, body_regex=re.escape(word), **LOST[way]))


def posts(server, path, word):
    """How often such a POST was sent."""
    return sum(word in str(call.json) for call in server.calls.matching("POST", path))


@pytest.fixture
def impatient(tmp_path):
    """A world whose search trails by 2.5 s and whose bridge listens to a request for 2 s."""
    with open_world(tmp_path, lag="3s", tracker="read-timeout: 2s") as world:
        world.home.site.set_lag(2500)
        world.acme.site.set_lag(2500)
        yield world


def settle(world, seconds=40):
    """Passes until one finds nothing to do and nothing is owed."""

    def quiet():
        done = world.sync()
        return (
            not done.writes
            and not done.ended("postponed")
            and all(link.due_at is None for link in world.links())
        )

    eventually(quiet, seconds)


def test_a_create_whose_answer_is_lost_makes_one_ticket(impatient):
    world, ann, bo = impatient, impatient.at_home(), impatient.at_acme()
    rules = {}
    for way in LOST:
        rules[f"inside {way}."] = lose(world.acme, way, "/issue$", f"inside {way}.")
        ann.create("OPS", f"inside {way}.")
        rules[f"outside {way}."] = lose(world.home, way, "/issue$", f"outside {way}.")
        bo.create("CUST", f"outside {way}.")
    world.home.site.settle()
    world.acme.site.settle()
    settle(world)
    assert {name for name, rule in rules.items() if rule.fired != 1} == set()
    assert world.judge() == 2 * len(LOST)
    for way in LOST:
        sent = posts(world.acme, "/issue$", f"inside {way}."), posts(world.home, "/issue$", f"outside {way}.")
        # People's own create is among those that were counted on their own side.
        assert sent == ((2, 2) if way in NOT_DONE else (1, 1)), way


def test_a_comment_whose_answer_is_lost_arrives_once(impatient):
    world, ann, bo = impatient, impatient.at_home(), impatient.at_acme()
    keys = {way: ann.create("OPS", f"talk {way}") for way in LOST}
    world.home.site.settle()
    settle(world)
    rules = []
    for way, key in keys.items():
        rules.append(lose(world.acme, way, "/comment$", f"inside {way}."))
        ann.comment(key, f"inside {way}.")
        rules.append(lose(world.home, way, "/comment$", f"outside {way}."))
        bo.comment(world.peer(key), f"outside {way}.")
    world.home.site.settle()
    world.acme.site.settle()
    settle(world)
    assert [rule.fired for rule in rules] == [1] * len(rules)
    assert world.judge() == len(LOST)
    assert {len(left.comments) for left, _ in world.twins()} == {2}


def test_a_step_whose_answer_is_lost_is_taken_once(impatient):
    world, ann = impatient, impatient.at_home()
    keys = [ann.create("OPS", f"step {number}") for number in range(len(LOST))]
    world.home.site.settle()
    settle(world)
    for key, way in zip(keys, LOST, strict=True):
        number = world.acme.site.issue(world.peer(key)).id
        # The middle one of the three steps to Done.
        world.acme.faults.add(
            Fault(method="POST", path_regex=f"/issue/{number}/transitions", after=1, **LOST[way])
        )
        ann.move(key, "Resolved", resolution={"name": "Fixed"})
    world.home.site.settle()
    settle(world)
    assert world.judge() == len(LOST)
    for _, mirror in world.twins():
        steps = [
            item["toString"]
            for change in mirror.history
            for item in change.items
            if item["field"] == "status"
        ]
        assert steps == ["In Progress", "In Review", "Done"], mirror.key


@pytest.mark.parametrize("when", ["after", "before"])
def test_kill_9_between_a_request_and_its_answer_doubles_nothing(impatient, when):
    world, ann, bo = impatient, impatient.at_home(), impatient.at_acme()
    talk = ann.create("OPS", "talk")
    world.home.site.settle()
    settle(world)
    peer = world.peer(talk)
    world.restart()
    slow = [
        server.faults.add(
            Fault(
                "slow",
                "POST",
                path,
                body_regex=word,
                when=when,
                delay_ms=1800 if when == "before" else 60_000,
            )
        )
        for server, path, word in (
            (world.acme, "/issue$", "from inside"),
            (world.home, "/issue$", "from outside"),
            (world.acme, "/comment$", "said inside"),
            (world.home, "/comment$", "said outside"),
        )
    ]
    with world.daemon() as daemon:
        eventually(lambda: "daemon_started" in {line["event"] for line in world.log()})
        ann.create("OPS", "from inside")
        bo.create("CUST", "from outside")
        ann.comment(talk, "said inside")
        bo.comment(peer, "said outside")
        eventually(lambda: sum(rule.fired for rule in slow) >= len(slow) - (when == "before"), 60)
        if when == "after":
            eventually(lambda: all(len(server.site.issues) == 3 for server in (world.home, world.acme)))
        daemon.kill()
        daemon.wait()
    world.acme.faults.clear()
    world.home.faults.clear()
    with world.daemon():
        eventually(lambda: world.judge() == 3 and len(ann.comments(talk)) == 2, 90)
        # Longer than all patience: a second one would have come by now.
        eventually(lambda: all(link.due_at is None for link in world.links()), 90)
    settle(world)
    assert world.judge() == 3
    assert [
        line["event"] for line in world.log() if line["event"] in ("duplicates_found", "stray_mirror")
    ] == []


def test_a_poll_that_meets_the_mirror_before_its_create_is_answered_changes_nothing(world):
    slow = world.acme.faults.add(Fault("slow", "POST", "/issue$", when="after", delay_ms=3500))
    with world.daemon():
        world.at_home().create("OPS", "seen early")
        eventually(lambda: slow.fired)
        eventually(lambda: world.judge() == 1 and world.links()[0].vendor_key)
        world.at_acme().edit(world.links()[0].vendor_key, summary="and edited")
        eventually(lambda: world.at_home().field("OPS-1", "summary") == "and edited")
    assert world.judge() == 1


@pytest.mark.slow
def test_one_ticket_although_the_search_trails_by_a_whole_minute(tmp_path):
    with open_world(tmp_path, lag="65s", tracker="read-timeout: 3s") as world:
        ann, bo = world.at_home(), world.at_acme()
        lose(world.acme, "applied-then-dropped", "/issue$", "lost")
        lose(world.acme, "never-arrived", "/issue$", "refused")
        slow = world.acme.faults.add(
            Fault("slow", "POST", "/issue$", "killed", when="after", delay_ms=60_000)
        )
        world.acme.site.set_lag(60_000)
        with world.daemon() as daemon:
            for word in ("lost", "refused", "killed"):
                ann.create("OPS", word)
            eventually(lambda: slow.fired and len(world.acme.site.issues) == 2)
            daemon.kill()
            daemon.wait()
        with world.daemon():
            key = ann.create("OPS", "meanwhile")
            eventually(lambda: bo.field(world.peer(key), "summary") == "meanwhile", 60)
            eventually(lambda: len([link for link in world.links() if link.vendor_key]) == 4, 120, every=1)
        with suppress(AssertionError):
            world.settle(1)
        assert world.judge() == 4


NO_DATE = {"errorMessages": [], "errors": {"duedate": "Field 'duedate' cannot be set."}}


@pytest.mark.parametrize("lost", [False, True])
def test_a_field_refused_at_creation_is_set_afterwards_and_never_cleared_at_the_origin(impatient, lost):
    world, ann = impatient, impatient.at_home()
    world.acme.faults.add(Fault("error", "POST", "/issue$", body_regex="duedate", status=400, body=NO_DATE))
    if lost:
        world.acme.faults.add(Fault("apply-then-drop", "POST", "/issue$"))
    ann.create("OPS", "Refused and lost", duedate="2027-01-31")
    world.home.site.settle()
    settle(world)
    world.acme.site.settle()
    settle(world)
    (issue,) = world.home.site.issues.values()
    assert issue.values["duedate"] == "2027-01-31", (
        "the vendor never had the date: that is no wish to clear it"
    )
    assert world.judge() == 1


# --- fail at operation n, for n = 1, 2, 3 ... until nothing fails any more -----------------------------------------

BROKEN = {
    "applied-then-500": {"kind": "apply-then-500"},
    "applied-then-dropped": {"kind": "apply-then-drop"},
    "dropped": {"kind": "drop"},
}


def story(world):
    """A ticket with a comment is made; then it is edited, commented and moved; then its mirror is."""
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Canonical", description="first", priority={"name": "High"}, labels=["one"])
    ann.comment(key, "at birth")
    yield
    ann.edit(key, summary="Canonical, edited", labels=["one", "two"])
    ann.move(key, "In Progress")
    ann.comment(key, "later")
    yield
    (peer,) = world.acme.site.issues.values()
    bo.edit(peer.key, priority={"name": "P1"}, description=bo.text("second"))
    bo.comment(peer.key, "answered")
    yield


def tell(folder, side, way, number):
    """The story with the n-th request of the bridge to one side broken; returns whether there was an n-th."""
    folder.mkdir()
    with open_world(folder, lag="0s", tracker="read-timeout: 300ms", top="threads: 4") as world:
        server = world.home if side == "home" else world.acme
        rule = server.faults.add(Fault(user="bridge", after=number - 1, **BROKEN[way]))
        for _ in story(world):
            world.sync()
            world.restart()
            world.sync()
        settle(world)
        fired = rule.fired > 0
        server.faults.clear()
        assert world.judge() == 1, f"request {number}"
        ((left, _),) = world.twins()
        assert len(left.comments) == 3, f"request {number}"
        assert left.values["summary"] == "Canonical, edited"
        counts = []
        for _ in range(6):  # within a second of our own last write, a poll's word is checked by a read
            before = len(world.calls())
            assert world.sync().writes == 0
            counts.append(len(world.calls()) - before)
            if counts[-1] == 2:
                break
            sleep(0.5)
        assert counts[-1] == 2, f"request {number}: a quiet pass asks each side once, not {counts}"
        return fired


@pytest.mark.slow
@pytest.mark.parametrize("side", ["home", "acme"])
@pytest.mark.parametrize("way", list(BROKEN))
def test_whichever_request_fails_the_story_ends_the_same(tmp_path, monkeypatch, way, side):
    monkeypatch.setattr(health, "FIRST_WAIT", 0.2)  # seconds that a failing tracker is left alone at first
    at_once = 6
    with ThreadPoolExecutor(at_once) as pool:
        for start in range(1, 1000, at_once):
            numbers = range(start, start + at_once)
            fired = list(pool.map(lambda number: tell(tmp_path / str(number), side, way, number), numbers))
            if not any(fired):
                break
    assert start > 12, "the story has more requests than that"
