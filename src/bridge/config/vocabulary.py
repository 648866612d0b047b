"""The values of an agreement's fields as clocks name them: either side's words, told apart from slips of the pen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from bridge.config.agreement_checks import Draft
from bridge.config.findings import Path, did_you_mean
from bridge.config.source import Source
from bridge.sync.agreement import BUILT_IN_FIELDS, PERSON_FIELDS, SET_FIELDS, TEXT_FIELDS
from bridge.sync.ticket import Side

_SILENT = TEXT_FIELDS | SET_FIELDS | {"summary"}
"""Fields that no clock asks for: their values are texts, or several at once."""


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

    def field(self, name: str, at: Path, *, key: bool = False) -> bool:
        """Whether clocks see a field; one that they do not goes to the file's findings."""
        agreement = self.draft.agreement
        crossing = [rule.name for rule in agreement.fields if rule.name not in _SILENT]
        # Who is accountable is read whether it crosses or not.
        seen = dict.fromkeys(
            (*crossing, *sorted(PERSON_FIELDS), *(role.field for role in agreement.roles if role.field))
        )
        if name in seen:
            return True
        if name in _SILENT:
            self.source.problem(
                at, f"'{name}' says nothing to a clock", "name a field with one value, e.g. priority", key=key
            )
        elif self.source.sound(("fields", name)):
            add = f"add '{name}: ...' under 'fields'"
            fix = add if name in BUILT_IN_FIELDS else did_you_mean(name, seen)
            self.source.problem(at, f"'{name}' is no field that crosses, so no clock sees it", fix, key=key)
        return False

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
