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
