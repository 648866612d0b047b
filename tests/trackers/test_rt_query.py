"""Selections of Request Tracker's tickets and the translation of values, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import Refused, Unintelligible
from bridge.markup import Document, Text, plain, read
from bridge.sync.ticket import Person
from bridge.trackers.rt_queries import bound, by_number, check_select, holds, in_queue, quote
from bridge.trackers.rt_values import (
    CustomField,
    Shape,
    body_of,
    custom_value,
    day,
    from_plain,
    instant,
    midnight,
    native,
    person,
    raw_custom,
    same_custom,
    same_text,
    to_ticket,
)

SECOND = 1_000_000
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def test_an_empty_selection_is_the_whole_queue():
    assert check_select("desk", "  ") == ""
    assert in_queue(3) == "Queue = 3 AND Type = 'ticket' AND Status != 'deleted'"


@pytest.mark.parametrize(
    "select",
    [
        "Status = 'new'",
        "(Status = 'new' OR Status = 'open') AND Priority > 10",
        "Subject LIKE 'a) OR (b'",
        'Subject LIKE "it\'s ("',
        r"Subject = 'it\'s)'",
        r"Subject = 'ends in \\' AND (id > 1)",
        "'CF.{External ID}' IS NOT NULL",
    ],
)
def test_a_selection_that_is_whole_in_itself_stands_in_parentheses(select):
    assert in_queue(3, check_select("desk", f" {select} ")) == f"{in_queue(3)} AND ({select})"


@pytest.mark.parametrize(
    ("select", "word"),
    [
        ("Status = 'new') OR (Queue = 'Secret'", "closes"),
        ("Status = 'new')", "closes"),
        ("(Status = 'new'", "parenthesis open"),
        ("Status = 'new", "' open"),
        ('Status = "new', '" open'),
        (r"Subject = 'x\') OR (id > 0 AND Subject = 'y'", "' open"),
        ("Status = 'new' \\", "\\ open"),
        ("Status = 'new'\nOR id > 0", "control"),
        ("Status = 'new'\0", "control"),
    ],
)
def test_a_selection_that_could_leave_its_parentheses_is_refused(select, word):
    with pytest.raises(Refused) as refusal:
        check_select("desk", select)
    assert word in refusal.value.words
    assert list(refusal.value.fields) == ["select"]


def test_texts_stay_within_their_quotes():
    assert quote("it's a \\ b") == r"'it\'s a \\ b'"
    assert holds(7, "m' OR id > '0") == r"CF.{7} = 'm\' OR id > \'0'"


def test_numbers_go_in_portions_and_only_numbers_go():
    queries = list(by_number(["1", "02", "3", "4 OR id > 0", "x", "-5", "\u0663"], size=2))
    assert [query.rpartition("(")[2] for query in queries] == ["id = 1 OR id = 2)", "id = 3)"]


def test_a_bound_is_written_in_the_accounts_zone():
    at = instant("2026-11-22T04:27:45Z")
    assert bound(at + 999_999, UTC) == "'2026-11-22 04:27:45'"
    assert bound(at, COPENHAGEN) == "'2026-11-22 05:27:45'"
    assert bound(0, UTC) == "'1970-01-08 00:00:00'"
    assert instant("") == instant("1970-01-01T00:00:00Z") == 0


def read_by_rt(text, zone):
    """How RT's own date parser reads a date: as UTC, then shifted by the zone's offset at that hour."""
    read = datetime.strptime(text, "'%Y-%m-%d %H:%M:%S'").replace(tzinfo=UTC)
    return read - read.astimezone(zone).utcoffset()


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Copenhagen", "America/New_York", "Pacific/Kiritimati", "Australia/Lord_Howe"]
)
def test_a_bound_is_never_later_than_meant(name):
    zone = ZoneInfo(name)
    for step in range(366 * 24):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1) * step
        micros = int(at.timestamp()) * SECOND
        exact, anywhere = read_by_rt(bound(micros, zone), zone), read_by_rt(bound(micros, None), zone)
        assert at - timedelta(hours=3) <= exact <= at
        assert at - timedelta(hours=30) <= anywhere <= at
        if name == "UTC":
            assert exact == at


def test_a_due_date_is_a_day_of_the_accounts_zone():
    assert midnight("2026-12-01", COPENHAGEN) == "2026-11-30 23:00:00"
    assert midnight("2026-07-01", COPENHAGEN) == "2026-06-30 22:00:00"
    assert day("2026-11-30T23:00:00Z", COPENHAGEN) == "2026-12-01"
    assert day("2026-11-30T23:00:00Z", UTC) == "2026-11-30"
    assert day("1970-01-01T00:00:00Z", UTC) is None


def test_plain_text_is_never_markup():
    text = from_plain(
        "Dear <b>all</b>, *see* http://x.example/1\r\nnext &amp; line\r\n\r\n\r\n# no heading\n"
    )
    first, second = text.blocks
    assert plain(Document((first,))) == "Dear <b>all</b>, *see* http://x.example/1\nnext &amp; line"
    assert second == read("html", "<p># no heading</p>").blocks[0]
    assert from_plain(" \n") == from_plain("") == Document()
    assert from_plain(native(text)).blocks != text.blocks, "HTML as plain text shows its tags"


def part(kind, content=""):
    return {"ContentType": kind, "Content": content}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], ""),
        ([part("text/plain", "a *b*")], "a *b*"),
        ([part("text/html", "<p>a <b>b</b></p>")], "a b"),
        (
            [part("multipart/alternative"), part("text/plain", "poor"), part("text/html", "<i>rich</i>")],
            "rich",
        ),
        ([part("multipart/alternative"), part("text/plain", "alone")], "alone"),
        (
            [part("multipart/mixed"), part("text/plain", "mine"), part("text/html", "<p>forwarded</p>")],
            "mine",
        ),
        ([part("multipart/mixed"), part("application/pdf")], ""),
    ],
)
def test_the_text_of_a_mail_is_its_first_in_the_richest_form(parts, words):
    assert plain(body_of(parts)) == words


def test_texts_are_compared_as_request_tracker_shows_them():
    text = read("html", "<p>a <b>b</b></p>")
    assert same_text(text, read("html", native(text)))
    assert not same_text(text, from_plain("a b"))


SINGLE, SEVERAL, RICH = (
    CustomField(1, "One", "Freeform"),
    CustomField(2, "Many", "Select", multiple=True),
    CustomField(3, "Rich", "HTML"),
)


@pytest.mark.parametrize(
    ("value", "field", "raw"),
    [
        (None, SINGLE, ""),
        ("S1", SINGLE, "S1"),
        (True, SINGLE, "1"),
        (2.0, SINGLE, "2"),
        (Person("bob"), SINGLE, "bob"),
        (frozenset({"b", "a"}), SEVERAL, ["a", "b"]),
        (frozenset(), SEVERAL, []),
        (None, SEVERAL, []),
        ("a", SEVERAL, ["a"]),
        (frozenset({"b", "a"}), SINGLE, "a, b"),
        (Document(), SINGLE, ""),
        (read("html", "<b>x</b>"), SINGLE, "x"),
        (read("html", "<b>x</b>"), RICH, native(read("html", "<b>x</b>"))),
    ],
)
def test_custom_values_are_written_as_request_tracker_takes_them(value, field, raw):
    assert raw_custom(value, field) == raw


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ([], SINGLE, None),
        ([None], SINGLE, None),
        (["a\r\nb"], SINGLE, "a\nb"),
        (["a", "", "b"], SEVERAL, frozenset({"a", "b"})),
        ([], SEVERAL, frozenset()),
        (["<b>x</b>"], RICH, read("html", "<b>x</b>")),
    ],
)
def test_custom_values_are_read(raw, field, value):
    assert custom_value(raw, field) == value


def test_read_back_compares_meaning():
    assert same_custom("", [None])
    assert same_custom(["a", "b"], ["b", "a"])
    assert same_custom(" a ", ["a"])
    assert not same_custom("S1", ["S2"])
    assert not same_custom("", ["S2"])


def test_nobody_is_nobody():
    assert person({"id": "Nobody", "type": "user"}) is None
    assert person({"id": "bob", "RealName": "Bob Builder", "EmailAddress": "b@x.example"}) == Person("bob")
    assert person({"id": "bob", "RealName": None}).name == "bob"


def test_an_answer_that_is_no_ticket_is_unintelligible():
    shape = Shape("desk", "https://rt.example", {}, "", UTC, lambda _: SINGLE)
    with pytest.raises(Unintelligible, match="desk"):
        to_ticket({"id": 1, "Subject": "x"}, shape)


def test_words_stay_words():
    assert read("html", native(Document(from_plain("<script>x</script>").blocks))).blocks[0].children == (
        Text("<script>x</script>"),
    )
