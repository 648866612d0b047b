"""What of a change the reader of a mail, or of the note on a ticket, may see.

A mail is less protected than a tracker, whoever reads it, and a note stands where nobody looks for words. So those of
texts (summary, description, fields of free text) never stand in one, only that they changed. A value that has a name
(a status, a priority, a label, a person) is shown in the reader's own vocabulary, and only if the agreement would let
it cross to the reader's side.
"""

from __future__ import annotations

from bridge.sync.agreement import LISTED_FIELDS, Agreement, FieldRule
from bridge.sync.attribution import answered_name, author_name
from bridge.sync.mapping import Carried, carry, carry_set, crossing, empty, names, show, word
from bridge.sync.naming import one_line
from bridge.sync.ticket import Person, Side, Value

NAMED_FIELDS = frozenset({"status", "priority", "type", "due", "labels", "assignee", *LISTED_FIELDS})
"""Built-in fields whose values are names. Of a custom field only the values that the agreement itself names are."""

UNSEEN = "(not shown in mails)"
NOTHING = "(none)"


def value_for(agreement: Agreement, rule: FieldRule | None, value: Value, side: Side, reader: Side) -> str:
    """A value as the reader may see it.

    Args:
        agreement: the terms.
        rule: of the field that it is a value of; None when the field does not cross (any more).
        value: in the vocabulary of ``side``.
        side: where it stands.
        reader: the side of whoever reads.
    """
    if rule is None:
        return UNSEEN
    if isinstance(value, frozenset):
        return _joined(_members(rule, value, side, reader)) if rule.name in NAMED_FIELDS else UNSEEN
    if isinstance(value, Person):
        return _person(agreement, value, side, reader)
    if not isinstance(value, str | float | bool) and value is not None:
        return UNSEEN
    if rule.name not in NAMED_FIELDS and not _mapped(rule, value, side):
        return UNSEEN
    if value is None or empty(value):
        return NOTHING
    if side is reader:
        return one_line(word(value))
    over = carry(agreement, rule, value, reader)
    return one_line(show(over.shown)) if isinstance(over, Carried) else UNSEEN


def change_for(
    agreement: Agreement, rule: FieldRule | None, change: tuple[Value, Value], side: Side, reader: Side
) -> str:
    """A change as the reader may see it; of a set only what came and went.

    Args:
        agreement: the terms.
        rule: as in :func:`value_for`.
        change: the value before and the one after, in the vocabulary of ``side``.
        side: where the change was made.
        reader: the side of whoever reads.
    """
    of_sets = any(isinstance(one, frozenset) for one in change)
    if rule is not None and rule.name in NAMED_FIELDS and of_sets:
        old, new = (_members(rule, one, side, reader) for one in change)
        signed = [*(f"+{name}" for name in sorted(new - old)), *(f"-{name}" for name in sorted(old - new))]
        return one_line(", ".join(signed)) if signed else UNSEEN
    old_words, new_words = (value_for(agreement, rule, one, side, reader) for one in change)
    if UNSEEN in {old_words, new_words} and old_words == new_words:
        return UNSEEN
    return f"{old_words} → {new_words}"


def field_for(rule: FieldRule | None, name: str, reader: Side) -> str:
    """What the reader's side calls a field."""
    if rule is None:
        return one_line(name) if reader is Side.INTERNAL else "a field"
    return one_line(rule.name_on(reader))


def _mapped(rule: FieldRule, value: str | float | bool | None, side: Side) -> bool:
    """Whether the agreement itself names this value, or there is none; a field without a map is free text."""
    if not rule.values:
        return False
    if value is None or empty(value):
        return True
    return any(word(value) == (ours if side is Side.INTERNAL else theirs) for ours, theirs in rule.values)


def _members(rule: FieldRule, value: Value, side: Side, reader: Side) -> frozenset[str]:
    members = value if isinstance(value, frozenset) else frozenset()
    return members if side is reader else carry_set(rule, crossing(rule, members, side), reader)


def _joined(members: frozenset[str]) -> str:
    return one_line(", ".join(sorted(members))) or NOTHING


def _person(agreement: Agreement, person: Person, side: Side, reader: Side) -> str:
    """A person without addresses and logins; to the other side only those who are paired, as it shows them."""
    known = any(names(person, ours if side is Side.INTERNAL else theirs) for ours, theirs in agreement.people)
    if side is reader:
        return author_name(agreement, person)
    return answered_name(agreement, person, side) if known else UNSEEN
