"""What all shapes of the files have in common: how keys are written, and which of them must be there."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def needed() -> Any:
    """A key that must be there."""
    return Field(default="", json_schema_extra={"needed": True})


class Shape(BaseModel):
    """What all parts of the files share: no unknown keys, hyphens in keys, inputs never printed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


def word_or_pair(value: Any) -> str:
    """Which of two forms a value has, for the discriminator of a union with these tags."""
    return "pair" if isinstance(value, dict) else "word"
