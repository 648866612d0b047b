"""The values of an agreement's fields as clocks name them: either side's words, told apart from slips of the pen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from bridge.config.agreement_checks import Draft
from bridge.config.findings import Path, did_you_mean
from bridge.config.source import Source
from bridge.sync.agreement import PERSON_FIELDS, FieldRule
from bridge.sync.ticket import Side

_ALWAYS_READ = ("status", "priority", "assignee")
"""Fields whose history is read whether they cross or not."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields of one agreement and their values.

    Attributes:
        draft: the agreement.
    """

    draft: Draft

    @property
    def source(self) -> Source:
        """The agreement's file."""
        return self.draft.source

    def field(self, name: str, at: Path, *, key: bool = False) -> FieldRule | None:
        """The rule of a field, an empty one for a field that is read without crossing; None with a finding."""
        rule = self.draft.agreement.field(name)
        if rule is not None:
            return rule
        if name in _ALWAYS_READ:
            return FieldRule(name)
        if self.source.sound(("fields", name), ("fields",)):
            known = dict.fromkeys((*(rule.name for rule in self.draft.agreement.fields), *_ALWAYS_READ))
            self.source.problem(
                at,
                f"'{name}' is no field that crosses, so no clock sees it",
                did_you_mean(name, known),
                key=key,
            )
        return None

    def values(self, field: str, words: Iterable[str], at: Path) -> frozenset[str]:
        """Values of a field in the internal side's words.

        Args:
            field: a known field.
            words: what the file says, in either side's words.
            at: where it says so.
        """
        found: set[str] = set()
        for position, word in enumerate(words):
            here: Path = (*at, position)
            found |= self.value(field, word, here if here in self.source.lines else at)
        return frozenset(found)

    def value(self, field: str, word: str, at: Path, *, key: bool = False) -> frozenset[str]:
        """The values that one word names. A word of both sides means what the internal side means by it."""
        rule = self.draft.agreement.field(field)
        if rule is None or not rule.values or field in PERSON_FIELDS or rule.otherwise.kind == "same":
            return frozenset({word})
        if any(word == inner for inner, _ in rule.values) or word == rule.otherwise.values.get(Side.INTERNAL):
            return frozenset({word})
        meant = frozenset(inner for inner, outer in rule.values if outer == word)
        if meant:
            return meant
        known = list(
            dict.fromkeys((*(inner for inner, _ in rule.values), *(outer for _, outer in rule.values)))
        )
        # What is kept on its own side has no pair, and may be named all the same: but not by a near miss.
        near = get_close_matches(word.casefold(), [one.casefold() for one in known], n=1, cutoff=0.85)
        if rule.otherwise.kind == "keep" and not near:
            return frozenset({word})
        if self.source.sound(("fields", field, "values")):
            self.source.problem(
                at, f"'{word}' is no {field} that the map of values knows", did_you_mean(word, known), key=key
            )
        return frozenset()
