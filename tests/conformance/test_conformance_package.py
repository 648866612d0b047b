"""The suite ships: a wheel holds it, the example of its page works with nothing else, and pytest is asked for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = (
    "test_a_ticket_is_read_with_every_field",
    "test_what_is_not_there_is_absent",
    "test_an_edited_comment_shows_its_new_text",
    "test_a_deleted_comment_is_gone",
    "test_private_comments_are_read_as_private",
    "test_labels_that_others_add_stay",
    "test_a_step_that_came_too_late_is_told_truly",
    "test_nonsense_is_refused",
)
"""Tests that use every part of the example."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """What a wheel of the project installs, and nothing else of it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = ["pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    _run(["-m", *build, "--wheel-dir", str(folder), str(source)], folder)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_example_of_the_page_works_with_the_wheel_alone(site, tmp_path):
    page = (ROOT / "docs/conformance.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "test_mine.py").write_text(example)
    where = _run(["-c", "import bridge.testing; print(bridge.testing.__file__)"], tmp_path, site)
    assert Path(where.strip()).is_relative_to(site)
    said = _run(
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", " or ".join(SAMPLE), "test_mine.py"],
        tmp_path,
        site,
    )
    assert f"{len(SAMPLE)} passed" in said, said


def test_without_pytest_it_says_what_to_install(tmp_path):
    hidden = "import sys; sys.modules['pytest'] = None; import bridge.testing"
    ran = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: bridge.testing is for tests and needs pytest: pip install 'bridge[testing]'"
    )


def _run(words: list[str], folder: Path, site: Path | None = None) -> str:
    """Run Python in a folder, with a site in front of all that is installed; returns what it prints."""
    path = {"PYTHONPATH": str(site)} if site else {}
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
