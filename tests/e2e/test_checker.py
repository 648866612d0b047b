"""No write of the bridge is one that the agreement forbids, over many random histories, by an independent judge.

The judge (``checker``) goes by the simulators' call logs and by a restatement of the agreement (``restated``).
``BRIDGE_HISTORIES`` says how many histories there are; ``make soak`` asks for 10,000, and tries every mutant.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import checker
import pytest
import restated
from histories import run_histories
from mutants import MUTANTS, QUICK

HISTORIES = int(os.environ.get("BRIDGE_HISTORIES", "100"))
SEED = os.environ.get("BRIDGE_SEED", "1")
SOAKING = "BRIDGE_HISTORIES" in os.environ
AT_MOST = 300
"""Within so many histories a mutant must be caught."""


def story(town) -> str:
    """What was wrong, and how it came to that."""
    token, words = town.checker.faults[0]
    told = "\n".join(town.checker.story[token])
    more = "".join(f"\n{one}: {what}" for one, what in town.checker.faults[1:10])
    return f"seed {town.seed}, {town.talk}, {token}: {words}\n{told}{more}"


def test_the_judge_shares_no_code_with_what_it_judges():
    for module in (checker, restated):
        tree = ast.parse(Path(module.__file__).read_text())
        named = [one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
        named += [name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names]
        assert not [one for one in named if one.split(".")[0] in {"bridge", "histories", "world"}], named
        assert not any(isinstance(one, ast.Name) and one.id == "__import__" for one in ast.walk(tree))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_write_breaks_the_agreement(tmp_path):
    lived = writes = 0
    each = min(100, -(-HISTORIES // 2))  # in two worlds at least: the next agrees on another way to talk
    for town in run_histories(tmp_path, SEED, HISTORIES, each=each):
        assert not town.checker.faults, story(town)
        assert all(one.edits >= 3 for one in town.histories)
        lived, writes = lived + len(town.histories), writes + town.checker.writes
        print(f"seed {SEED}: {lived} histories, {writes} writes judged", flush=True)  # noqa: T201 - seen to have run
    assert lived == HISTORIES
    assert writes > 3 * HISTORIES


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", MUTANTS if SOAKING else QUICK)
def test_a_core_with_one_thing_wrong_is_caught(tmp_path, monkeypatch, name):
    monkeypatch.setattr(*MUTANTS[name])
    lived = 0
    for town in run_histories(tmp_path, SEED, AT_MOST, each=20):
        lived += len(town.histories)
        if town.checker.faults:
            caught = f"'{name}' is caught within {lived} histories: {town.checker.faults[0][1]}"
            print(caught, flush=True)  # noqa: T201 - seen to have run
            return
    raise AssertionError(f"'{name}' is not caught in {lived} histories of seed {SEED}")
