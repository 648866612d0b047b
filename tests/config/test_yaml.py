"""Slips of YAML itself: the line is named, nothing is run, nothing typed is reinterpreted."""

# ruff: noqa: E501 - a case is a row of a table

from __future__ import annotations

import pytest

from bridge.config import load
from bridge.errors import ConfigError

SLIPS = {
    "tab": ("threads: 64", "trackers:\n\thome: x", 3, "a tab is used", "indent with spaces"),
    "colon in a text": ("threads: 64", "threads: a: b", 2, "a second ': '", "in quotes"),
    "open quote": ("threads: 64", "threads: '64", 2, "never ends", "close the quote"),
    "open bracket": ("threads: 64", "threads: [64", 3, "a list or mapping in brackets is broken (opened on line 2)", "close the bracket"),
    "reserved character": ("threads: 64", "threads: @many", 2, "YAML reserves", "in quotes"),
    "bare star": ("threads: 64", "threads: [*]", 2, "'*' or '&' starts a text", '"*"'),
    "unknown alias": ("threads: 64", "threads: *many", 2, "no '&' defines", "in quotes"),
    "unknown escape": ("threads: 64", 'threads: "\\d"', 2, "unknown escape", "single quotes"),
    "outdented": ("trackers:\n  home:", "trackers:\n   home: {}\n  hime:", 6, "indentation", "alike"),
    "two documents": ("threads: 64", "threads: 64\n---", 3, "a second document", "one document per file"),
    "control character": ("threads: 64", "threads: 6\x074", 2, "control character", "remove it"),
    "key without colon": ("threads: 64", "threads 64", 2, "a key without ': '", "write 'key: value'"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_reported_with_its_line(folder, slip):
    old, new, line, message, fix = SLIPS[slip]
    folder.replace(folder.bridge, old, new)
    (problem,) = folder.problems()
    assert (problem.file, problem.line) == (str(folder.bridge), line)
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize("text", ["", "# nothing but a remark\n", "\n\n"])
def test_empty_file(folder, text):
    folder.acme.write_text(text)
    (problem,) = folder.problems()
    assert (problem.file, problem.line, problem.message) == (str(folder.acme), 0, "the file is empty")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "~\n"])
def test_file_without_keys(folder, text):
    folder.acme.write_text(text)
    (problem,) = folder.problems()
    assert (problem.line, problem.message) == (1, "the file must hold keys and values")


def test_file_that_is_not_utf8(folder):
    folder.acme.write_bytes(b"name: acme\ncreate: both # \xe6\n")
    (problem,) = folder.problems()
    assert (problem.line, problem.message, problem.fix) == (
        2,
        "this line is not UTF-8",
        "save the file as UTF-8",
    )


def test_no_file(tmp_path, folder):
    folder.bridge.unlink()
    first, *rest = folder.problems()
    assert (first.file, first.line, first.message) == (str(folder.bridge), 0, "there is no such file")
    assert rest == []


def test_a_file_that_cannot_be_read(folder):
    with pytest.raises(ConfigError) as caught:
        load(folder.bridge / "bridge.yaml", environ={}, secrets=False)
    (problem,) = caught.value.problems
    assert (problem.line, problem.fix) == (0, "check its rights")
    assert "cannot be read: Not a directory" in problem.message


def test_every_key_that_stands_twice_is_reported(folder):
    folder.replace(folder.bridge, "threads: 64", "threads: 64\nthreads: 65\ncensus: 1h")
    assert [(p.line, p.path, p.message) for p in folder.problems()] == [
        (3, "threads", "'threads' stands twice; the first is on line 2"),
        (5, "census", "'census' stands twice; the first is on line 4"),
    ]


def test_tags_run_nothing(folder, tmp_path):
    trap = tmp_path / "trap"
    folder.replace(folder.bridge, "threads: 64", f"threads: !!python/object/apply:os.mkdir ['{trap}']")
    (problem,) = folder.problems()
    assert not trap.exists()
    assert (problem.line, problem.path) == (2, "threads")
    assert "YAML tags" in problem.message


def test_key_that_is_no_text(folder):
    folder.replace(folder.acme, "{High: P1, Low: P2}", "{[a]: P1, Low: P2}")
    (problem,) = folder.problems()
    assert (problem.path, problem.message) == ("fields.priority.values", "a key must be text")


def test_aliases_that_never_end(folder):
    folder.replace(folder.acme, "{High: P1, Low: P2}", "&loop {High: [*loop]}")
    assert folder.problems()[0].message == "aliases repeat without end"


def test_aliases_that_explode(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    folder.acme.write_text("\n".join(lines))
    assert "aliases repeat without end" in [p.message for p in folder.problems()]


def test_nesting_without_end(folder):
    folder.acme.write_text("a: " + "[" * 2000)
    (problem,) = folder.problems()
    assert problem.message == "brackets or indentation are nested too deeply"


def test_an_alias_may_share_a_part(folder):
    folder.replace(folder.acme, "values: {High: P1, Low: P2}", "values: &map {High: P1, Low: P2}")
    folder.replace(folder.acme, "values: {Bad: Worse}", "values: *map")
    agreement = folder.load().agreements[0]
    assert agreement.field("severity").values == (("High", "P1"), ("Low", "P2"))


def test_words_stay_as_they_were_typed(folder):
    folder.replace(
        folder.acme,
        "{High: P1, Low: P2}",
        "{No: on, 1.10: 007, true: null-ish, 2027-01-31: 0o14, 1e3: 'x: y'}",
    )
    values = folder.load().agreements[0].field("priority").values
    assert values == (
        ("No", "on"),
        ("1.10", "007"),
        ("true", "null-ish"),
        ("2027-01-31", "0o14"),
        ("1e3", "x: y"),
    )
