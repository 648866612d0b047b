"""The conformance suite is worth something: adapters with one fault each are caught, a whole one is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

CAUGHT = {
    "LosesTheMarker": "test_a_marked_ticket_is_found",
    "ReadsStale": "test_a_read_is_strong",
    "SwallowsRefusals": "test_an_unknown_value_is_refused_and_changes_nothing",
    "ShowsPrivateAsPublic": "test_private_comments_are_read_as_private",
    "WritesPrivateInPublic": "test_a_private_comment_is_written_as_private",
    "TellsTheWrongTime": "test_fields_are_set",
    "SkipsTheFirstSecond": "test_the_lower_bound_is_inclusive",
    "ShowsNewestFirst": "test_a_poll_shows_what_changed_oldest_first",
    "SendsTwice": "test_a_lost_create_is_done_once_and_found",
    "DropsLabelsOfOthers": "test_labels_that_others_add_stay",
    "CutsTexts": "test_a_long_text_arrives_whole",
    "MixesUpAuthors": "test_comments_come_whole_and_in_order",
}
"""Fault -> the test that must find it."""


def test_broken_adapters_are_caught_and_a_whole_one_is_not(tmp_path):
    outcomes = _run(
        [
            *(f"Test{fault}::{test}" for fault, test in CAUGHT.items()),
            *(f"TestWhole::{test}" for test in sorted(set(CAUGHT.values()))),
        ],
        tmp_path,
    )
    missed = [fault for fault, test in CAUGHT.items() if ("FAILED", f"Test{fault}", test) not in outcomes]
    assert missed == []
    whole = {(verdict, test) for verdict, name, test in outcomes if name == "TestWhole"}
    assert whole == {("PASSED", test) for test in CAUGHT.values()}
    assert not {outcome for outcome in outcomes if outcome[0] == "ERROR"}


def _run(tests: list[str], folder: Path) -> set[tuple[str, str, str]]:
    """Run tests of the broken adapters: the verdict, the class and the test without its parameters of each."""
    targets = [f"{HERE / 'broken_adapters.py'}::{test}" for test in tests]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "--tb=no", *targets],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes = set()
    for row in ran.stdout.splitlines():
        verdict, _, test = row.partition(" ")
        if verdict in {"PASSED", "FAILED", "ERROR"}:
            _, name, function = test.split(" - ")[0].split("::")
            outcomes.add((verdict, name, function.partition("[")[0]))
    assert outcomes, ran.stdout + ran.stderr
    return outcomes
