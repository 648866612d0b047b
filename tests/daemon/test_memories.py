"""What the daemon keeps in its head: sick trackers, sick links, sightings, workflow steps, and who listens."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.clock import SECOND
from bridge.daemon.health import FIRST_WAIT, LONGEST_WAIT, Health
from bridge.daemon.sightings import Sightings
from bridge.daemon.steps import StepMemory
from bridge.daemon.stumbles import Stumbles
from bridge.daemon.systemd import Notifier
from bridge.errors import Throttled, Unreachable
from bridge.sync.ticket import Ticket, Transition

DOWN = Unreachable("acme", "connection refused")


def ticket(number, updated, **fields):
    return Ticket(str(number), f"K-{number}", "", "K", 0, updated, fields)


# --- Health --------------------------------------------------------------------------------------------------------


def test_a_healthy_tracker_is_not_left_alone():
    assert Health().blocked_until("acme", 0) is None
    assert Health().trouble("acme") is None
    assert Health().answered("acme") is None


def test_waits_double_to_a_minute_and_begin_anew_after_an_answer():
    health, now, waits = Health(), 0, []
    for _ in range(9):
        trouble, _ = health.failed(DOWN, now, 0.5)
        waits.append((trouble.until - now) / SECOND)
        assert health.blocked_until("acme", trouble.until - 1) == trouble.until
        assert health.blocked_until("acme", trouble.until) is None
        now = trouble.until
    assert waits[:3] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT
    ended = health.answered("acme")
    assert (ended.since, ended.tries) == (0, 9)
    assert health.failed(DOWN, now, 0.5)[0].until - now == FIRST_WAIT * SECOND


def test_trouble_is_new_once_and_threads_that_meet_it_together_count_once():
    health = Health()
    news = [health.failed(DOWN, 0, 0.5)[1] for _ in range(20)]
    assert news == [True] + [False] * 19
    assert health.trouble("acme").tries == 1
    assert health.trouble("acme").until == FIRST_WAIT * SECOND


def test_the_wait_that_a_tracker_asks_for_is_honoured_in_full_and_never_cut():
    health = Health()
    assert health.failed(Throttled("acme", "429", 3600), 0, 0.0)[0].until == 3600 * SECOND
    assert health.failed(Throttled("acme", "429", 5), SECOND, 0.0)[0].until == 3600 * SECOND
    assert health.failed(DOWN, SECOND, 0.0)[0].until == 3600 * SECOND


def test_one_trackers_trouble_is_not_anothers():
    health = Health()
    health.failed(DOWN, 0, 0.5)
    assert health.blocked_until("home", 1) is None


# --- Stumbles ------------------------------------------------------------------------------------------------------


def test_stumbles_are_counted_by_link_and_kind_until_the_link_is_well():
    stumbles = Stumbles()
    assert [stumbles.again(1, "acme"), stumbles.again(1, "acme"), stumbles.again(1, "home")] == [1, 2, 1]
    assert stumbles.again(2, "acme") == 1
    stumbles.forget(1)
    assert (stumbles.again(1, "acme"), stumbles.again(2, "acme")) == (1, 2)


# --- Sightings -----------------------------------------------------------------------------------------------------


def test_an_older_sighting_never_replaces_a_newer_one():
    seen = Sightings()
    seen.put("acme", ticket(1, 20, summary="new"), "a", seen.moment())
    seen.put("acme", ticket(1, 10, summary="old"), "a", seen.moment())
    assert seen.get("acme", "1", "a").fields["summary"] == "new"
    seen.put("acme", ticket(1, 20, summary="same stamp, read later"), "a", seen.moment())
    assert seen.get("acme", "1", "a").fields["summary"] == "same stamp, read later"


def test_sightings_are_kept_by_tracker_and_forgotten_when_written():
    seen = Sightings()
    seen.put("acme", ticket(1, 1), "a", seen.moment())
    assert seen.get("home", "1", "a") is None
    seen.forget("acme", "1")
    seen.forget("acme", "1")
    assert seen.get("acme", "1", "a") is None


def test_an_answer_to_a_question_from_before_the_ticket_was_dropped_is_not_remembered():
    seen = Sightings()
    asked = seen.moment()
    seen.forget("acme", "1")  # a hint came, or a write of ours went, while the tracker was answering
    seen.put("acme", ticket(1, 20), "a", asked)
    seen.put("acme", ticket(2, 20), "a", asked)
    assert seen.get("acme", "1", "a") is None
    assert seen.get("acme", "2", "a") is not None
    seen.put("acme", ticket(1, 20), "a", seen.moment())
    assert seen.get("acme", "1", "a") is not None


def test_what_one_agreement_has_seen_says_nothing_about_the_fields_of_another():
    seen = Sightings()
    seen.put("home", ticket(1, 10, summary="as acme maps it"), "acme", seen.moment())
    seen.put("home", ticket(1, 10, note="as beta maps it"), "beta", seen.moment())
    assert "note" not in seen.get("home", "1", "acme").fields
    seen.forget("home", "1")
    assert seen.get("home", "1", "acme") is None
    assert seen.get("home", "1", "beta") is None


def test_the_memory_of_sightings_is_bounded_and_the_longest_unseen_goes_first():
    seen = Sightings(limit=3)
    for number in (1, 2, 3):
        seen.put("acme", ticket(number, 1), "a", seen.moment())
    seen.put("acme", ticket(1, 2), "a", seen.moment())
    seen.put("acme", ticket(4, 1), "a", seen.moment())
    assert [number for number in (1, 2, 3, 4) if seen.get("acme", str(number), "a")] == [1, 3, 4]


def test_many_threads_may_put_and_forget_at_once():
    seen = Sightings(limit=50)

    def work(start):
        for number in range(start, start + 300):
            seen.put("acme", ticket(number % 97, number), "a", seen.moment())
            seen.get("acme", str(number % 31), "a")
            seen.forget("acme", str(number % 13))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(seen._tickets) <= 50


# --- StepMemory ----------------------------------------------------------------------------------------------------

FLOW = ("acme", "CUST", "Bug")
START = Transition("11", "Start", "In Progress")


def test_steps_are_remembered_per_workflow_until_they_prove_untrue():
    steps = StepMemory()
    steps.learn(FLOW, "To Do", [START])
    assert steps.seen(FLOW) == {"To Do": (START,)}
    assert steps.seen(("acme", "CUST", "Task")) == {}
    steps.forget(FLOW, "To Do")
    steps.forget(("no", "such", "flow"), "To Do")
    assert steps.seen(FLOW) == {}


def test_nothing_offered_is_not_remembered_for_it_may_be_a_missing_right():
    steps = StepMemory()
    steps.learn(FLOW, "To Do", [START])
    steps.learn(FLOW, "To Do", [])
    assert steps.seen(FLOW) == {"To Do": (START,)}


def test_what_was_handed_out_does_not_change_afterwards():
    steps = StepMemory()
    before = steps.seen(FLOW)
    steps.learn(FLOW, "To Do", [START])
    assert before == {}


# --- Notifier ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears_each_word(tmp_path, abstract):
    name = f"@bridge-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if abstract else name)
        ear.settimeout(5)
        notify = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
        assert notify.watchdog == 30
        for say in (notify.ready, notify.alive, notify.stopping, lambda: notify.status("well")):
            say()
        assert [ear.recv(100).decode() for _ in range(4)] == [
            "READY=1",
            "WATCHDOG=1",
            "STOPPING=1",
            "STATUS=well",
        ]
        notify.reloading()
        assert ear.recv(100).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_without_a_service_manager_nothing_happens_and_a_dead_one_is_no_trouble(tmp_path):
    Notifier({}).ready()
    assert Notifier({"WATCHDOG_USEC": "30000000"}).watchdog is None
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
    assert Notifier({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "soon"}).watchdog is None
