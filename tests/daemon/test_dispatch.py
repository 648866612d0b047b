"""The dispatcher: every wake-up leads to work, never two workers on one link, and an end within the grace."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from world import eventually

from bridge.daemon.dispatch import QueueDispatcher


class Bench:
    """A handler that counts, and can be made to wait."""

    def __init__(self):
        self.calls, self.at_once, self.most, self.twice = Counter(), Counter(), 0, False
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()

    def __call__(self, link):
        with self.lock:
            self.calls[link] += 1
            self.at_once[link] += 1
            self.twice |= self.at_once[link] > 1
            self.most = max(self.most, sum(self.at_once.values()))
        try:
            self.gate.wait(20)
            time.sleep(0.002)
        finally:
            with self.lock:
                self.at_once[link] -= 1


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def dispatcher(bench):
    made = QueueDispatcher(bench, threads=8)
    yield made
    bench.gate.set()
    made.stop(5)


def test_a_thousand_wake_ups_are_all_worked_on(bench, dispatcher):
    dispatcher.wake(range(1000))
    eventually(lambda: len(bench.calls) == 1000, 90)
    assert set(bench.calls.values()) == {1}
    assert bench.most <= 8


def test_wake_ups_of_one_link_coalesce_while_it_waits_and_never_work_on_it_twice_at_once(bench, dispatcher):
    bench.gate.clear()
    dispatcher.wake(range(8))
    eventually(lambda: len(bench.calls) == 8)
    for _ in range(50):
        dispatcher.wake([3, 100])
    time.sleep(0.3)
    bench.gate.set()
    eventually(lambda: bench.calls[100] and not sum(bench.at_once.values()))
    time.sleep(0.3)
    assert not bench.twice
    assert bench.calls[100] <= 2
    assert bench.calls[3] <= 3


def test_a_link_that_was_done_can_be_woken_again(bench, dispatcher):
    for count in range(1, 4):
        dispatcher.wake([5])
        eventually(lambda wanted=count: bench.calls[5] == wanted and not bench.at_once[5])
        time.sleep(0.3)  # a wake-up during the work may be dropped: the store has counted it


def test_a_link_woken_during_its_work_is_worked_on_once_more_and_one_swept_up_is_not(bench, dispatcher):
    bench.gate.clear()
    dispatcher.wake([3, 4])
    eventually(lambda: len(bench.calls) == 2)
    for _ in range(5):
        dispatcher.wake([3])
        dispatcher.wake([4], swept=True)
    bench.gate.set()
    eventually(lambda: bench.calls[3] == 2 and not sum(bench.at_once.values()))
    time.sleep(0.3)
    assert (bench.calls[3], bench.calls[4]) == (2, 1)
    assert not bench.twice


def test_wake_ups_from_many_threads_all_arrive(bench, dispatcher):
    threads = [threading.Thread(target=dispatcher.wake, args=(range(at, 400, 8),)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(bench.calls) == 400, 90)
    assert not bench.twice


def test_a_handler_that_fails_harms_nobody():
    seen = Counter()

    def handle(link):
        seen[link] += 1
        raise RuntimeError("a bug")

    dispatcher = QueueDispatcher(handle, threads=2)
    dispatcher.wake(range(20))
    eventually(lambda: len(seen) == 20)
    dispatcher.wake([7])
    eventually(lambda: seen[7] == 2)
    assert dispatcher.alive
    assert dispatcher.stop(5)
    assert not dispatcher.alive


def test_stop_waits_for_what_is_under_way_and_takes_nothing_more(bench, dispatcher):
    bench.gate.clear()
    dispatcher.wake(range(100))
    eventually(lambda: len(bench.calls) == 8)
    threading.Timer(0.5, bench.gate.set).start()
    begun = time.monotonic()
    assert dispatcher.stop(10) is True
    assert 0.4 < time.monotonic() - begun < 5
    dispatcher.wake([500])
    time.sleep(0.2)
    assert len(bench.calls) == 8
    assert sum(bench.at_once.values()) == 0


def test_stop_gives_up_when_the_grace_is_over(bench, dispatcher):
    bench.gate.clear()
    dispatcher.wake([1])
    eventually(lambda: bench.calls[1])
    begun = time.monotonic()
    assert dispatcher.stop(0.3) is False
    assert time.monotonic() - begun < 6


def test_an_empty_wake_up_is_nothing(bench, dispatcher):
    dispatcher.wake([])
    time.sleep(0.05)
    assert not bench.calls
