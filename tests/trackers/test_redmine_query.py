"""Selections of Redmine tickets and the translation of values, without a server."""

from __future__ import annotations

import pytest

from bridge.errors import Refused
from bridge.sync.ticket import Person
from bridge.trackers.redmine_clock import FarClock
from bridge.trackers.redmine_query import by_number, in_project, parse_select
from bridge.trackers.redmine_values import (
    CustomField,
    custom_value,
    instant,
    lines,
    raw_custom,
    same_custom,
    same_text,
    stamp,
)

SECOND = 1_000_000


class StandingClock:
    """A clock that is moved by hand."""

    def __init__(self, now: int = 0) -> None:
        self.time = now

    def now(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += round(seconds * SECOND)


def test_an_empty_selection_is_everything_closed_tickets_included():
    assert parse_select("acme", "") == {"status_id": "*"}
    assert parse_select("acme", "  ") == {"status_id": "*"}


def test_a_selection_is_a_query_string():
    found = parse_select("acme", "tracker_id=1|2&cf_2=S%261&status_id=o")
    assert found == {"status_id": "o", "tracker_id": "1|2", "cf_2": "S&1"}


@pytest.mark.parametrize(
    ("select", "word"),
    [
        ("project_id=other", "project_id"),
        ("updated_on=>=2020-01-01", "updated_on"),
        ("issue_id=1", "issue_id"),
        ("f[]=tracker_id", "f[]"),
        ("set_filter=1", "set_filter"),
        ("limit=1", "limit"),
        ("key=stolen", "key"),
        ("cf_x=1", "cf_x"),
        ("tracker_id=1&tracker_id=2", "twice"),
        ("tracker_id=", "no value"),
        ("cf_2=a%0d%0ab", "no value"),
        ("tracker_id", "key=value"),
        ("labels = vendor", "labels "),
        ("cf_2=%ff", "key=value"),
    ],
)
def test_a_selection_that_could_widen_the_scope_is_refused(select, word):
    with pytest.raises(Refused) as refusal:
        parse_select("acme", select)
    assert word in refusal.value.words
    assert "select" in refusal.value.fields


def test_a_project_never_includes_its_subprojects():
    assert in_project("ci", {"status_id": "*"})["subproject_id"] == "!*"


def test_numbers_go_in_chunks_and_only_numbers_go():
    chunks = list(by_number([str(n) for n in range(5)] + ["1|2", "x", "-1"], size=2))
    assert [chunk["issue_id"] for chunk in chunks] == ["0,1", "2,3", "4"]


def test_times_are_whole_seconds_with_z():
    assert stamp(instant("2026-11-22T04:27:45Z") + 999_999) == "2026-11-22T04:27:45Z"


def test_line_ends_do_not_make_two_texts_differ():
    assert lines("a\r\nb\rc") == "a\nb\nc"
    assert same_text("one\r\n\r\ntwo\r\n", "one\n\ntwo", "markdown")
    assert not same_text("one", "two", "markdown")


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (2.0, "2"),
        (2.5, "2.5"),
        ("2026-12-01", "2026-12-01"),
        (frozenset({"b", "a"}), ["a", "b"]),
        (frozenset(), [""]),
        (Person("7"), "7"),
    ],
)
def test_custom_values_are_written_as_redmine_takes_them(value, raw):
    assert raw_custom(value) == raw


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("bool", "1", True),
        ("bool", "0", False),
        ("float", "2.50", 2.5),
        ("int", "3", 3.0),
        ("float", "odd", "odd"),
        ("", "1", "1"),
        ("string", "", None),
        ("string", None, None),
        ("list", ["a", "", "b"], frozenset({"a", "b"})),
        ("list", [], frozenset()),
        ("text", "a\r\nb", "a\nb"),
    ],
)
def test_custom_values_are_read_as_far_as_their_format_is_known(kind, raw, value):
    assert custom_value(raw, CustomField(1, "Field", kind), lambda _: None) == value


def test_read_back_compares_meaning():
    assert same_custom("2.5", "2.50")
    assert same_custom("", None)
    assert same_custom([""], [])
    assert same_custom(["a", "b"], ["b", "a"])
    assert not same_custom("S1", "S2")


def test_the_far_clock_believes_stamps_only_as_far_as_they_prove_something():
    here = StandingClock(100 * SECOND)
    far = FarClock(here)
    far.witness(100 * SECOND, 100 * SECOND)
    assert far.now() == here.now()
    # A stamp of 160, taken between our 100 and our 101, rounded down: there it is 59 to 61 seconds later.
    here.sleep(1)
    far.witness(160 * SECOND, 100 * SECOND)
    assert far.now() - here.now() == 59 * SECOND
    far.witness(40 * SECOND, 101 * SECOND)
    assert far.now() - here.now() == -60 * SECOND
