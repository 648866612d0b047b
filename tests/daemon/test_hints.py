"""What follows a hint inside the daemon: polls out of turn, pauses cut short, and whether the hooks still speak."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from bridge.clock import SECOND, SystemClock
from bridge.daemon.alarm import Alarm
from bridge.daemon.listening import ENOUGH, HookWatch
from bridge.daemon.nudges import MOST, Nudges

T = 1_000_000 * SECOND
PAUSE = 15.0


class Bell:
    """Notes when a pause is to end."""

    def __init__(self):
        self.moments = []

    def at(self, moment):
        self.moments.append(moment)

    def last(self):
        return (self.moments[-1] - T) / SECOND if self.moments else None


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def nudges(bell):
    return Nudges(bell)


def test_an_unknown_ticket_is_polled_for_at_once_and_until_the_search_must_have_caught_up(bell, nudges):
    now = T
    nudges.nudge(now, ["1"], 30)
    polls = []
    while bell.moments:
        now = max(now, bell.moments.pop())
        bell.moments.clear()
        polls.append((now - T) / SECOND)
        nudges.polled(now, [], PAUSE)
    assert polls[0] == 0
    assert all(later - earlier >= 1 for earlier, later in pairwise(polls))
    assert 4 <= len(polls) <= 6
    assert polls[-1] >= 30, "the last one is after the lag"


def test_a_ticket_that_has_become_known_is_not_polled_for_again(bell, nudges):
    nudges.nudge(T, ["1", "2"], 120)
    nudges.polled(T, ["1"], PAUSE)
    assert nudges.unknown() == ("2",)
    bell.moments.clear()
    nudges.polled(T + SECOND, ["2"], PAUSE)
    assert bell.moments == []
    assert nudges.unknown() == ()


def test_a_hint_that_names_nothing_is_polled_for_too(bell, nudges):
    nudges.nudge(T, [], 10)
    assert bell.last() == 0
    assert nudges.unknown() == ()
    nudges.polled(T, [], PAUSE)
    assert bell.last() > 0


def test_a_storm_of_foreign_tickets_costs_no_more_than_ordinary_polls(bell, nudges):
    now, polls = T, 0
    for number in range(3_000):  # ten minutes, five hints a second
        now = T + number * SECOND // 5
        nudges.nudge(now, [str(number)], 120)
        if bell.moments and min(bell.moments) <= now:
            bell.moments.clear()
            nudges.polled(now, [], PAUSE)
            polls += 1
    assert polls <= 600 / PAUSE + 8
    assert len(nudges.unknown()) <= MOST


def test_after_a_quiet_time_an_unknown_ticket_is_polled_for_at_once_again(bell, nudges):
    for number in range(10):
        nudges.nudge(T + number * SECOND, [str(number)], 5)
        nudges.polled(T + number * SECOND, [], PAUSE)
    later = T + 600 * SECOND
    nudges.polled(later - 100 * SECOND, [], PAUSE)
    bell.moments.clear()
    nudges.nudge(later, ["x"], 5)
    assert bell.moments == [later]


def test_a_pause_ends_at_the_moment_that_was_set_or_by_itself_or_when_closed():
    clock = SystemClock()
    alarm = Alarm(clock)
    alarm.at(clock.now())
    alarm.wait(60)  # was set before the pause: the test's own time limit would fail it
    began = time.monotonic()
    alarm.wait(0.2)
    assert time.monotonic() - began >= 0.19, "used up: this pause is a whole one"
    for cut in (lambda: alarm.at(clock.now()), alarm.close):
        thread = threading.Thread(target=alarm.wait, args=(60,))
        thread.start()
        cut()
        thread.join(timeout=30)
        assert not thread.is_alive()
    alarm.wait(60)


def test_each_moment_that_was_set_ends_a_pause():
    clock = SystemClock()
    alarm = Alarm(clock)
    now = clock.now()
    alarm.at(now + SECOND // 5)
    alarm.at(now + SECOND // 10)
    alarm.wait(60)
    assert now + SECOND // 10 <= clock.now()
    alarm.wait(60)
    assert now + SECOND // 5 <= clock.now()


@pytest.fixture
def watch():
    watch = HookWatch()
    watch.begin(T, {})
    return watch


def missed(watch, count, start=T + SECOND):
    """Changes that a poll is the first to see, and the time when all were waited for long enough."""
    for number in range(count):
        watch.found("home", str(number), start, start + SECOND)
    return start + 62 * SECOND


def test_a_hook_that_misses_changes_is_silent_once_and_recovers_once(watch):
    later = missed(watch, ENOUGH)
    assert watch.review(later - 10 * SECOND) == {}, "not before they were waited for"
    assert watch.review(later) == {"home": ENOUGH}
    assert watch.review(later) == {}, "told once"
    assert watch.report("home").silent_since == later
    assert watch.spoke("home", ("7",), later + SECOND, "accepted") is True
    assert watch.spoke("home", ("7",), later + SECOND, "accepted") is False
    assert watch.report("home").silent_since is None


def test_fewer_missed_changes_with_a_word_in_between_are_no_silence(watch):
    for round_ in range(5):
        start = T + round_ * 100 * SECOND + SECOND
        later = missed(watch, ENOUGH - 1, start)
        assert watch.review(later) == {}
        watch.spoke("home", (), later, "accepted")


def test_a_change_announced_before_or_after_the_poll_was_not_missed(watch):
    watch.spoke("home", ("0", "1"), T + 2 * SECOND, "accepted")
    for number in range(4):
        watch.found("home", str(number), T + SECOND, T + 3 * SECOND)
    watch.spoke("home", ("2", "3"), T + 50 * SECOND, "accepted")
    assert watch.review(T + 100 * SECOND) == {}
    watch.found("home", "0", T + 90 * SECOND, T + 95 * SECOND)
    watch.found("home", "1", T + 90 * SECOND, T + 95 * SECOND)
    watch.found("home", "2", T + 90 * SECOND, T + 95 * SECOND)
    assert watch.review(T + 200 * SECOND) == {"home": 3}, "an old word announces no new change"


def test_what_happened_while_the_bridge_was_down_is_no_silence(watch):
    later = missed(watch, 10, T - 60 * SECOND)
    assert watch.review(later + 100 * SECOND) == {}


def test_silence_is_remembered_over_a_restart(watch):
    watch.review(missed(watch, ENOUGH))
    notes = watch.notes()
    assert watch.notes() == {}, "only what has changed"
    again = HookWatch()
    again.begin(T + 1_000 * SECOND, notes)
    assert again.report("home").silent_since is not None
    assert again.review(T + 2_000 * SECOND) == {}, "not told a second time"
    assert again.spoke("home", (), T + 3_000 * SECOND, "repeated") is True
