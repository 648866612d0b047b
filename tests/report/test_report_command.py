"""``bridge report``: the scorecard as text, page, table and mail; for the reader's side only what it may see."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from measured_links import DAY, HOUR, MINUTE, at, history, put_link, put_policy

from bridge.store.rows import LetterState

OCTOBER = at("2026-10-05 08:00")


@pytest.fixture
def october(desk):
    with desk.store.write() as tx:
        put_policy(tx, desk.policy)
        put_link(tx, 1, history(OCTOBER, (2 * HOUR, "comment"), (3 * HOUR, "Resolved")), desk.policy)
        put_link(
            tx, 2, history(OCTOBER, (MINUTE, "comment"), (40 * DAY, "Resolved")), desk.policy, mirrored=False
        )
        put_link(tx, 3, history(at("2026-11-20 08:00"), (MINUTE, "comment")), desk.policy)
    return desk


def test_a_month_is_told_as_it_was_then_and_in_the_digest_s_zone(october):
    said = october.run("report", "acme", "--month", "2026-10", "--json")
    assert said.code == 1
    found = said.json
    assert (found["since"], found["until"]) == ("2026-09-30 22:00:00Z", "2026-10-31 23:00:00Z")
    assert found["tickets"] == {"new": 2, "resolved": 1, "open": 1}
    resolve = next(one for one in found["clocks"] if one["clock"] == "resolve")
    assert (resolve["met"], resolve["breached"], resolve["reached"]) == (1, 1, False)
    assert {one["internal"] for one in found["evidence"]} == {"OPS-1", "OPS-2"}
    text = october.run("report", "acme", "--month", "2026-10").out
    assert text.startswith("Scorecard of Acme: Thu 1 Oct 2026 00:00 CEST to Sun 1 Nov 2026 00:00 CET\n")
    assert "internal:issue/1 → internal:history/101" in text


def test_the_vendor_s_side_reads_only_of_tickets_that_it_has(october, tmp_path):
    page, table = tmp_path / "card.html", tmp_path / "card.csv"
    words = ("report", "--month", "2026-10", "--side", "vendor", "--html", str(page), "--csv", str(table))
    assert october.run(*words).out == ""
    assert "OPS-1" in page.read_text()
    assert "OPS-2" not in page.read_text() + table.read_text()
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode())))
    assert [(row["clock"], row["standing"], row["vendor_seconds"]) for row in rows] == [
        ("acknowledge", "breached", "7200"),
        ("resolve", "met", "10800"),
    ]


def test_a_report_is_mailed_once_to_each_role_of_the_digest_in_its_language(october):
    assert october.run("report", "--month", "2026-10", "--send").out.count("queued for") == 2
    assert "nothing to send" in october.run("report", "--month", "2026-10", "--send").out
    with october.store.read() as tx:
        letters = {one.to[0]: one for one in tx.outbox.list(LetterState.QUEUED)}
    assert letters["ann@example.com"].subject.startswith("Resultatkort for Acme")
    assert letters["bo@acme.example"].subject.startswith("Scorekaart van Acme")
    assert "OPS-2" in letters["ann@example.com"].text
    assert "OPS-2" not in letters["bo@acme.example"].text


def test_a_report_writes_nothing_to_the_database_unless_it_is_sent(october):
    before = october.dump()
    october.run("report", "acme")
    october.run("report", "--since", "2026-10-01", "--until", "2026-11-01", "--json")
    assert october.dump() == before


@pytest.mark.parametrize(
    "words",
    [
        ("globex",),
        ("--month", "October"),
        ("--month", "2026-10", "--since", "2026-10-01"),
        ("--since", "2026-11-01", "--until", "2026-10-01"),
        ("--until", "soon"),
    ],
)
def test_wrong_use_ends_with_2(desk, words):
    assert desk.run("report", *words).code == 2


def test_an_agreement_without_any_history_is_told_so(desk):
    said = desk.run("report")
    assert (said.code, "No clock ran in this period." in said.out) == (0, True)
    assert datetime.now(UTC).strftime("%Y") in said.out
