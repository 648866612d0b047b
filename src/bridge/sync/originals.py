"""Words of a side that the other side has never been shown, and what must not happen to them.

What crosses redacted is a copy with marks in it. An edit of that copy goes into the original around those words; where
it touches them, it is left to people, for a mark must never stand where somebody's words stood. And what crossed
before a rule was made is looked over once the rule is there.
"""

from __future__ import annotations

from typing import Literal

from bridge.markup import Document
from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.mapping import NAMED_FIELDS, word
from bridge.sync.redacting import hidden, redact, redacted_blocks, shows_mark
from bridge.sync.redaction import hidden_in, holds_mark, places, redact_line
from bridge.sync.ticket import Side, Value


def keeps_back(agreement: Agreement, rule: FieldRule, side: Side, value: Value) -> bool:
    """Whether something in a side's value is not for the other side."""
    if isinstance(value, Document):
        return bool(hidden(agreement.redaction, side.other, value))
    if not isinstance(value, str | float) or not _free(rule):
        return False
    return bool(places(agreement.redaction, side.other, word(value)))


def bears_mark(agreement: Agreement, value: Value) -> bool:
    """Whether a mark stands in a value: it was made from a copy, or somebody has typed one."""
    if isinstance(value, Document):
        return shows_mark(agreement.redaction, value)
    return isinstance(value, str) and holds_mark(agreement.redaction, value)


def adds_mark(agreement: Agreement, before: object, after: Document) -> bool:
    """Whether a mark stands in a text's new blocks."""
    known = before.blocks if isinstance(before, Document) else ()
    return bears_mark(agreement, Document(tuple(block for block in after.blocks if block not in known)))


def kept_blocks(agreement: Agreement, side: Side, text: Document) -> frozenset[int]:
    """The blocks of a side's text that an edit from the other side must leave alone."""
    return redacted_blocks(agreement.redaction, side.other, text)


def taken_back(
    agreement: Agreement, rule: FieldRule, source: Side, original: Value, present: Value
) -> Value | Literal[False]:
    """What must stand on the other side, in place of what crossed before a rule was made; False when nothing must.

    Only words that the source has as well: the other side's own words are its own, whatever the rules say of them.

    Args:
        agreement: the terms.
        rule: the field's.
        source: the side whose words they are.
        original: its value.
        present: what stands on the other side.
    """
    redaction, to = agreement.redaction, source.other
    if not redaction.toward(to) or not _free(rule):
        return False
    if isinstance(original, Document) and isinstance(present, Document):
        shown = hidden(redaction, to, present)
        if shown and shown <= hidden(redaction, to, original):
            return redact(redaction, to, present, agreement.scope(to).dialect)
    if isinstance(original, str) and isinstance(present, str):
        shown = hidden_in(redaction, to, present)
        if shown and shown <= hidden_in(redaction, to, original):
            return redact_line(redaction, to, present)
    return False


def exposes(agreement: Agreement, to: Side, copy: Document) -> bool:
    """Whether a copy of ours shows what is not for that side, because it is older than the rule."""
    return bool(hidden(agreement.redaction, to, copy))


def _free(rule: FieldRule) -> bool:
    """Whether a field's value can be somebody's words."""
    return not rule.values and rule.name not in NAMED_FIELDS
