"""Deliberately broken configurations: each is told completely, at once, with file, line, path and what would be right.

Every folder under ``broken`` is one; without a ``bridge.yaml`` of its own it gets the usual one. What must be reported
stands as a remark on the very line: ``#! path -> part of the fix``, for each mistake there.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from bridge.cli import main

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(case.name for case in BROKEN.iterdir())
MARK = re.compile(r"#! ?(\S.*?)?-> (.*?)(?=\s*#!|$)")


def expected(folder: Path) -> list[tuple[str, int, str, str]]:
    """File, line, path and a part of the fix of every mistake that the files say they hold."""
    return [
        (str(file), number, (path or "").strip(), fix)
        for file in sorted(folder.rglob("*.yaml"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for path, fix in MARK.findall(line)
    ]


@pytest.fixture
def broken(folder, request):
    """A copy of one case, beside the usual ``bridge.yaml`` where it has none."""
    folder.acme.unlink()
    shutil.copytree(BROKEN / request.param, folder.path, dirs_exist_ok=True)
    return folder


def test_there_are_thirty_and_some_hold_many():
    counts = [len(expected(BROKEN / case)) for case in CASES]
    assert len(counts) >= 30
    assert all(counts)
    assert all(fix for case in CASES for *_, fix in expected(BROKEN / case))
    assert max(counts) >= 20
    assert sum(count > 1 for count in counts) >= 20


@pytest.mark.parametrize("broken", CASES, indirect=True)
def test_every_mistake_is_reported_at_once(broken):
    problems = broken.problems()
    wanted = expected(broken.path)
    places = Counter((problem.file, problem.line, problem.path) for problem in problems)
    assert places == Counter((file, line, path) for file, line, path, _ in wanted)
    for file, line, path, fix in wanted:
        here = [p.fix for p in problems if (p.file, p.line, p.path) == (file, line, path)]
        assert any(fix in told for told in here), (fix, here)
    assert all(problem.message and problem.fix for problem in problems)


@pytest.mark.parametrize("broken", ["whole-agreement-gone-wrong"], indirect=True)
def test_the_command_tells_them_all(broken, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check", "--offline", "--config", str(broken.bridge)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    wanted = expected(broken.path)
    assert told.startswith(f"{len(wanted)} mistakes in the configuration")
    for file, line, path, fix in wanted:
        assert re.search(rf"^  {re.escape(f'{file}:{line}: {path}: ')}.*{re.escape(fix)}", told, re.MULTILINE)
