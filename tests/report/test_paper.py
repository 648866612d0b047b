"""Hostile words in every cell: no markup, no formula, no second line."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from measured_links import AGREEMENT, HOUR, at, history, policy

from bridge.report.facts import Case
from bridge.report.paper import Paper, Table, as_csv, as_html, as_text
from bridge.report.scorecard import COLUMNS, scorecard_csv
from bridge.sla.attribution import of_cycle
from bridge.sla.calendar import calendars_of
from bridge.sla.clock import evaluate
from bridge.sync.ticket import Side

HOSTILE = (
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\u200b=1+1",
    " =1+1",
    "\r\n=1+1",
    "\uff1d1+1",
    "\u202e=1",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_no_cell_of_a_csv_is_a_formula(words):
    (_, (cell, other)) = csv.reader(io.StringIO(as_csv(("a", "b"), [(words, 'fine, "quoted"')])))
    assert cell.startswith("'")
    assert "\n" not in cell
    assert other == 'fine, "quoted"'


def test_what_begins_harmlessly_stays_as_it_is():
    assert as_csv(("a",), [("OPS-1",), ("a=b",), ("",)]) == '"a"\r\n"OPS-1"\r\n"a=b"\r\n""\r\n'


class Seen(HTMLParser):
    """The tags and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)

    def handle_data(self, data):
        self.words += data


def test_hostile_words_stay_words_in_html_and_on_one_line_of_text():
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>" onload="x'
    paper = Paper(
        evil, (evil,), (Table(evil, (evil, "b"), ((evil, "x\ny"),)), Table("t", ("a",), (), evil)), evil
    )
    seen = Seen()
    seen.feed(as_html(paper))
    assert not {"script", "img"} & set(seen.tags)
    assert seen.words.count(evil) == 8
    assert "x y" in as_text(paper)
    assert "\u202e" not in as_text(Paper("a\u202eb", (), ()))


def test_a_wide_table_is_told_row_by_row_in_text():
    text = as_text(Paper("t", (), (Table("h", ("one", "two"), (("x" * 60, "y" * 60), ("", ""))),)))
    assert f"* one: {'x' * 60}\n  two: {'y' * 60}\n* one: " in text


def test_the_csv_of_a_scorecard_has_its_columns_and_the_keys_of_trackers_do_no_harm():
    terms, born = policy(), at("2026-11-02 08:00")
    told = evaluate(history(born, (2 * HOUR, "comment")), terms, calendars_of(terms), born + 3 * HOUR)
    cycle = replace(told.cycles[0], start_event="=cmd|' /C calc'!A0")
    case = Case(1, {Side.INTERNAL: "@OPS-1", Side.VENDOR: "CUST-1"}, cycle, of_cycle(cycle))
    (head, row) = csv.reader(io.StringIO(scorecard_csv(AGREEMENT, [case])))
    found = dict(zip(head, row, strict=True))
    assert tuple(head) == COLUMNS
    assert found["internal_ticket"] == "'@OPS-1"
    assert found["start_event"].startswith("'=")
    assert (found["standing"], found["started"]) == ("breached", "2026-11-02 08:00:00Z")
    assert (found["breached"], found["stopped"]) == ("2026-11-02 09:00:00Z", "2026-11-02 10:00:00Z")
    assert (found["goal_seconds"], found["counted_seconds"], found["vendor_seconds"]) == (
        "3600",
        "7200",
        "7200",
    )
