"""docs/configuration.md names every key, with its default; the examples in it are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.config.form import Shape

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
SHAPES = [Shape, *Shape.__subclasses__()]
KEYS = sorted({(s.__name__, field.alias) for s in SHAPES for field in s.model_fields.values()})


@pytest.mark.parametrize(("owner", "key"), KEYS)
def test_every_key_has_a_row(owner, key):
    assert re.search(rf"^\| `(?:[\w*-]+\.)*{re.escape(key)}` \|", PAGE, re.MULTILINE), (
        f"{owner}.{key} is not explained"
    )


def test_every_key_has_a_meaning_for_the_one_who_forgot_it():
    for each in SHAPES:
        assert issubclass(each, BaseModel)
        for name, field in each.model_fields.items():
            assert field.description, f"{each.__name__}.{name}"


def test_the_examples_on_the_page_are_accepted(folder):
    main, agreement = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[:2]
    folder.bridge.write_text(main)
    folder.acme.write_text(agreement)
    assert folder.load().agreements[0].name == "acme"


def test_the_examples_of_clocks_are_accepted_together(folder):
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    main, agreement = blocks[:2]
    calendars, clocks, ball, ladder = (
        next(block for block in blocks if block.startswith(f"{key}:\n"))
        for key in ("calendars", "clocks", "ball", "ladder")
    )
    fields = """\
  type: {values: {Incident: Task}}
  severity: {field: Severity, values: {Critical: Extensive}}
"""
    mail = 'mail: {server: "smtp://localhost:25", from: bridge@example.com}\n'
    statuses = "Open: To Do, Workaround: Mitigated, Waiting for Customer: On Hold,"
    folder.bridge.write_text(f"{main}{mail}{calendars}")
    agreement = agreement.replace("values: {Open: To Do,", f"values: {{{statuses}")
    agreement = agreement.replace("vendor-may: [", "vendor-may: [Workaround, Waiting for Customer, ")
    folder.acme.write_text(f"{agreement}{fields}{clocks}{ball}{ladder}")
    policy = folder.load().policies["acme"]
    assert [clock.name for clock in policy.clocks] == ["acknowledge", "resolve", "update", "severe"]
    assert (len(policy.ball), len(policy.ladder)) == (3, 3)
