"""Whatever stands in the files, the answer is settings or a list of problems, never another error."""

from __future__ import annotations

import random

import pytest

from bridge.config import load
from bridge.errors import ConfigError

PIECES = [
    "\t",
    "\n",
    " ",
    ":",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "&a ",
    "*a",
    "!x ",
    "#",
    "~",
    "<<: ",
    "\x00",
    "é",
]
OTHERS = ["", "~", "[]", "{}", "[1, [2]]", "{a: {b: c}}", "{a: [b]}", "text", "0", "''", "[~]", "{a: ~}"]


@pytest.fixture(autouse=True)
def whole(timed):
    """Every key of roles, rights and clocks is there to be damaged, too."""
    timed.load()


def found(folder):
    """The problems; none when the files are sound all the same."""
    try:
        load(folder.path, environ={}, secrets=False)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("seed", range(150))
def test_files_with_random_damage(folder, seed):
    chance = random.Random(seed)
    for file in (folder.bridge, folder.acme):
        text = file.read_text()
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(text))
            gone = chance.choice([0, 0, 1, 5, 60])
            text = text[:place] + chance.choice([*PIECES, ""]) + text[place + gone :]
        file.write_text(text)
    for problem in found(folder):
        file = folder.bridge if problem.file == str(folder.bridge) else folder.acme
        assert 0 <= problem.line <= len(file.read_text().split("\n"))
        assert problem.message
        assert problem.fix


@pytest.mark.parametrize("seed", range(60))
def test_files_with_values_of_the_wrong_shape(folder, seed):
    """Any value may be replaced by any other kind of value."""
    chance = random.Random(seed)
    for file in (folder.bridge, folder.acme):
        lines = file.read_text().splitlines()
        for _ in range(2):
            place = chance.randrange(len(lines))
            key, colon, _ = lines[place].partition(":")
            lines[place] = f"{key}{colon} {chance.choice(OTHERS)}"
        file.write_text("\n".join(lines))
    assert all(problem.fix and problem.line > 0 for problem in found(folder))
