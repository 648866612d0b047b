"""``bridge sla``: the list, the explained ticket, acknowledging, what-if; none of them changes a verdict."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from measured_links import DAY, HOUR, MINUTE, fill, history, put_link, put_policy

from bridge.clock import SystemClock
from bridge.report.measuring import measure
from bridge.sla.serial import version_of


def now() -> int:
    return SystemClock().now()


@pytest.fixture
def three(desk):
    """One ticket that is missed, one at risk, one that is fine, and one that is resolved."""
    present = now()
    with desk.store.write() as tx:
        put_policy(tx, desk.policy)
        for number, (age, *deeds) in enumerate(
            (
                (9 * HOUR, (30 * MINUTE, "comment"), (HOUR, "Waiting"), (90 * MINUTE, "Open")),
                (7 * HOUR, (30 * MINUTE, "comment")),
                (2 * HOUR, (30 * MINUTE, "comment")),
                (9 * HOUR, (30 * MINUTE, "comment"), (2 * HOUR, "Resolved")),
            ),
            1,
        ):
            put_link(tx, number, history(present - age, *deeds, certain=present), desk.policy)
    return desk


def test_the_list_has_what_is_missed_or_due_first_and_ends_with_1(three):
    rows = three.run("sla", "--json")
    assert rows.code == 1
    assert [(row["internal"], row["standing"]) for row in rows.json] == [
        ("OPS-1", "breached"),
        ("OPS-2", "at-risk"),
        ("OPS-3", "running"),
    ]
    first, second, _ = rows.json
    assert -31 * 60 <= first["due_seconds"] <= -29 * 60
    assert 59 * 60 <= second["due_seconds"] <= 60 * 60
    text = three.run("sla").out
    assert text.index("OPS-1 = CUST-1") < text.index("OPS-2 = CUST-2") < text.index("OPS-3 = CUST-3")
    assert "missed 30 min ago" in text
    assert three.run("sla", "--clock", "acknowledge").out == "no clock runs\n"


def test_one_history_that_cannot_be_read_keeps_no_other_from_the_list(three):
    with three.store.write() as tx:
        row = tx.chronicles.get(1)
        tx.chronicles.put(replace(row, timeline={"v": 99}), row.stale_at)
    assert [row["internal"] for row in three.run("sla", "--json").json] == ["OPS-2", "OPS-3"]


def test_a_list_without_trouble_ends_with_0(desk):
    assert desk.run("sla").code == 0
    assert desk.run("sla", "--json").json == []


def test_a_ticket_is_explained_segment_by_segment_with_its_evidence(three, tmp_path):
    picture = tmp_path / "ticket.svg"
    said = three.run("sla", "CUST-1", "--svg", str(picture))
    assert said.code == 1
    assert re.search(r"vendor +runs +1 h .*\[internal:issue/1\]", said.out)
    assert re.search(r"internal +stands +0 s +ball: internal \[internal:history/101\]", said.out)
    assert re.search(r"vendor +runs +7 h 30 min .*\[internal:history/102\]", said.out)
    assert "Example Corp: 30 min, of it" in said.out
    assert "on its calendar 'office'" in said.out
    assert "certain until" in said.out
    assert ET.parse(picture).getroot().tag.endswith("svg")
    (story,) = three.run("sla", "OPS-1", "--json").json
    sides = {name: side["seconds"] for name, side in story["sides"].items()}
    assert sides["internal"] == 1_800
    assert abs(sum(sides.values()) - 9 * 3_600) < 60
    resolve = story["clocks"][1]
    assert sum(part["counted_seconds"] for part in resolve["segments"]) == resolve["counted_seconds"]
    assert resolve["segments"][0]["since"] == story["born"]


def test_a_ticket_that_is_fine_ends_with_0_and_one_that_is_unknown_with_1(three):
    assert three.run("sla", "OPS-3").code == 0
    unknown = three.run("sla", "OPS-99")
    assert (unknown.code, "no clock knows the ticket OPS-99" in unknown.out) == (1, True)
    assert three.run("sla", "--svg", "x.svg").code == 2


def test_acknowledging_by_command_is_kept_once_under_the_name_that_was_given(three):
    said = three.run("sla", "ack", "OPS-1", "--by", "Ann", "--json")
    assert (said.code, [row["clocks"] for row in said.json]) == (0, [["resolve"]])
    assert three.run("sla", "ack", "CUST-1", "--by", "Bo").out.strip().endswith("somebody had before")
    with three.store.read() as tx:
        (link,) = tx.links.by_key("OPS-1")
        (word,) = tx.alerts.acknowledged(link.id)
    assert (word.detail["who"], word.detail["how"], word.clock) == ("Ann", "command", "resolve")
    assert "acknowledged" in three.run("sla", "OPS-1").out
    assert three.run("sla", "ack", "OPS-4").code == 1
    assert three.run("sla", "ack", "OPS-1", "--clock", "acknowledge").code == 1


def test_an_edit_of_the_policy_changes_no_verdict_of_a_ticket_born_before_it(three):
    def verdicts():
        with three.store.read() as tx:
            return {
                one.link.internal_key: (one.policy.version, one.verdict.cycles)
                for one in measure(tx, "acme", moment)
            }

    moment = now()
    before = verdicts()
    stricter = replace(three.policy, clocks=three.policy.clocks[:1], resolved=frozenset())
    stricter = replace(stricter, version=version_of(stricter))
    with three.store.write() as tx:
        put_policy(tx, stricter, since=moment - HOUR)
        put_link(tx, 5, history(moment - 50 * MINUTE), stricter)
    after = verdicts()
    assert {key: after[key] for key in before} == before
    assert after["OPS-5"][0] == stricter.version != before["OPS-1"][0]


SECTION = """
clocks:
  resolve: {start: created, stop: resolved, goals: {default: 1h}, owner: vendor}
"""


def test_250_histories_are_simulated_in_seconds_and_no_row_is_another(desk, tmp_path):
    fill(desk.store, desk.policy, 250, now() - 40 * DAY)
    file = tmp_path / "stricter.yaml"
    file.write_text(SECTION)
    before, begun = desk.dump(), time.process_time()
    said = desk.run("sla", "simulate", str(file), "--over", "90d", "--json")
    assert time.process_time() - begun < 60
    assert desk.dump() == before
    assert said.code == 1
    found = said.json
    assert found["tickets"] == 250
    was, would = found["clocks"]["resolve"]["was"], found["clocks"]["resolve"]["would"]
    assert would["breached"] > was["breached"] > 0
    assert found["clocks"]["acknowledge"]["would"] is None
    changed = [one for one in found["differences"] if one["clock"] == "resolve"]
    assert len(changed) >= would["breached"] - was["breached"]
    assert {one["would"] for one in found["differences"] if one["clock"] == "acknowledge"} == {None}
    assert "as it was" in desk.run("sla", "simulate", str(file)).out
    assert desk.dump() == before


def test_the_policy_in_force_simulated_over_itself_changes_nothing(desk):
    fill(desk.store, desk.policy, 40, now() - 40 * DAY)
    said = desk.run("sla", "simulate", str(desk.folder / "agreements" / "acme.yaml"))
    assert (said.code, "0 cycles would have fared otherwise" in said.out) == (0, True)


def test_a_policy_with_mistakes_or_fields_that_no_history_tells_is_told_so(three, tmp_path):
    file = tmp_path / "tried.yaml"
    file.write_text(SECTION.replace("created", "craeted"))
    wrong = three.run("sla", "simulate", str(file))
    assert (wrong.code, "tried.yaml:3" in wrong.err) == (2, True)
    file.write_text(
        SECTION.replace("goals: {default: 1h}", "goals: [{when: {type: Incident}, goal: 1h}, {goal: 2h}]")
    )
    assert three.run("sla", "simulate", str(file), "--json").json["untold"] == ["type"]
    assert three.run("sla", "simulate", str(file), "--over", "soon").code == 2
