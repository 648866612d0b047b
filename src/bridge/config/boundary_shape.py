"""The keys of what must not leave: redaction, and tickets that are classified."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bridge.config.form import Shape, word_or_pair
from bridge.config.words import Text, TextList, Texts


class RedactShape(Shape):
    """One rule: what is cut out, and what stands there instead."""

    find: Texts = ()
    """what is looked for: secrets, addresses or ip-addresses"""
    person_numbers: TextList = ()
    """countries whose person numbers are looked for, e.g. [dk, nl, se]"""
    pattern: Text = ""
    """pattern of one's own, in the syntax of RE2"""
    words: TextList = ()
    """words and names that are looked for, whole and in any case"""
    dictionary: Text = ""
    """file with such words, one a line, relative to this file"""
    instead: Text = Field(default="", alias="as")
    """what stands there instead, e.g. [customer]"""
    to: Literal["vendor", "internal", "both"] = "both"
    """side towards which it is cut out"""


def _word_alone(value: Any) -> Any:
    return {"find": value} if isinstance(value, str) else value


Redactions = Annotated[RedactShape, BeforeValidator(_word_alone)]
"""A rule, or the word for what it looks for."""


class LevelShape(Shape):
    """The name of a field, for each side that has one."""

    internal: Text = ""
    """its name in the internal tracker"""
    vendor: Text = ""
    """its name in the vendor's tracker"""


class ClassifiedShape(Shape):
    """What keeps a whole ticket from crossing."""

    labels: TextList = ()
    """patterns of labels of such tickets, on either side"""
    field: (
        Annotated[
            Annotated[Text, Tag("word")] | Annotated[LevelShape, Tag("pair")], Discriminator(word_or_pair)
        ]
        | None
    ) = None
    """field that says how secret a ticket is"""
    values: TextList = ()
    """patterns of its values for tickets that do not cross"""
