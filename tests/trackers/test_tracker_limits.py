"""The budget of a tracker: its rate, its burst, its blocks, and how many requests are under way at once."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from bridge.trackers.limits import Limiter, gcra
from bridge.trackers.sessions import Sessions


class StillClock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.time = 1_000_000_000

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += round(seconds * 1e6)


def limiter(clock, rate=10.0, burst=3) -> Limiter:
    return Limiter(clock, rate=rate, burst=burst, concurrency=2)


def test_a_burst_passes_and_the_rest_queues():
    budget = limiter(StillClock())
    waits = [budget.reserve() for _ in range(6)]
    assert [round(wait, 3) for wait in waits] == [0, 0, 0, 0.1, 0.2, 0.3]


def test_our_own_pace_queues_however_long_the_queue():
    budget = limiter(StillClock(), rate=1, burst=1)
    assert [budget.reserve() for _ in range(8)] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_block_holds_everybody_back_and_they_come_back_at_the_rate():
    clock = StillClock()
    budget = limiter(clock, rate=1, burst=1)
    budget.block(3)
    budget.block(1)
    assert budget.blocked() == 3
    assert [budget.reserve() for _ in range(3)] == [3, 4, 5]
    clock.sleep(3)
    assert budget.blocked() == 0


def test_a_clock_that_is_set_back_freezes_nobody():
    clock = StillClock()
    budget = limiter(clock, rate=1, burst=1)
    assert [budget.reserve() for _ in range(3)] == [0, 1, 2]
    clock.sleep(-500)
    assert budget.reserve() == 3, "the queue is as long as it was"
    budget.block(30)
    clock.sleep(-300)
    assert budget.blocked() == 30
    assert budget.reserve() == 30
    clock.sleep(-0.5)
    assert budget.blocked() == 30.5, "noise is no step"


@given(
    st.lists(st.integers(0, 3_000_000), min_size=1, max_size=200),
    st.integers(1, 100),
    st.integers(1, 20),
)
def test_no_window_ever_holds_more_than_rate_and_burst_allow(gaps, rate, burst):
    interval = 1_000_000 // rate
    arrival, now, sent = 0, 0, []
    for gap in gaps:
        now += gap
        arrival, wait = gcra(arrival, now, interval=interval, burst=burst)
        sent.append(now + wait)
    sent.sort()
    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + (sent[last] - start) / interval + 1e-9


def test_only_so_many_requests_are_under_way():
    budget = limiter(StillClock())
    inside, most, gate = [], [], threading.Lock()
    go = threading.Barrier(6)

    def work() -> None:
        go.wait()
        with budget.slot():
            with gate:
                inside.append(1)
                most.append(len(inside))
            threading.Event().wait(0.02)
            with gate:
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_each_thread_has_its_session_and_dead_threads_leave_none_open():
    closed, made = [], []

    class Session:
        def __init__(self) -> None:
            made.append(self)

        def close(self) -> None:
            closed.append(self)

    held = Sessions(Session)
    mine = held.mine()
    assert held.mine() is mine
    other = threading.Thread(target=held.mine)
    other.start()
    other.join()
    assert len(made) == 2
    third = threading.Thread(target=held.mine)
    third.start()
    third.join()
    assert closed == [made[1]]
    held.close()
    assert set(closed) == set(made)
