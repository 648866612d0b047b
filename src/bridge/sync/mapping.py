"""Translating values between the two vocabularies of an agreement, and saying whether two values already agree.

A value map may be many-to-one (two internal statuses for one vendor status), so agreement is a relation, not
equality after translation: Closed and Done agree when any pair says so, and nothing is written.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bridge.markup import (
    Block,
    Document,
    Inline,
    Media,
    Mention,
    Paragraph,
    Text,
    UnknownBlock,
    UnknownInline,
    canonical,
    settle,
    transform,
)
from bridge.sync.agreement import PERSON_FIELDS, Agreement, FieldRule
from bridge.sync.ticket import Person, Side, Value

SUMMARY_LIMIT = 255
"""Longest summary that every supported tracker takes (Jira, Redmine: 255 characters)."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A value ready to be written on the other side.

    Attributes:
        value: what to write; a person as the handle that the people map names.
        shown: what that side will show afterwards, which becomes its base.
    """

    value: Value
    shown: Value


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A value that may not cross. ``silent`` when the agreement says to keep quiet about it."""

    value: str
    silent: bool = False


def empty(value: Value) -> bool:
    """Whether a value says nothing: None, "", no labels, an empty text."""
    return value is None or value in ("", frozenset()) or (isinstance(value, Document) and not value.blocks)


def same(left: Value, right: Value) -> bool:
    """Whether two values of one side are the same value, whatever spaces a tracker trimmed on the way."""
    if empty(left) or empty(right):
        return empty(left) and empty(right)
    if isinstance(left, Document) and isinstance(right, Document):
        return canonical(left) == canonical(right)
    if isinstance(left, str) and isinstance(right, str):
        return _line(left) == _line(right)
    return left == right


def names(person: Person, handle: str) -> bool:
    """Whether a handle from the people map means this person."""
    wanted = handle.casefold()
    return any(wanted == known.casefold() for known in (person.id, *person.handles) if known)


def crossing(rule: FieldRule, value: Value) -> frozenset[str]:
    """The members of a set that the agreement lets cross."""
    members = value if isinstance(value, frozenset) else frozenset()
    if not rule.only:
        return members
    return frozenset(name for name in members if any(fnmatchcase(name, pattern) for pattern in rule.only))


def carry(agreement: Agreement, rule: FieldRule, value: Value, to: Side) -> Carried | Unmapped:
    """What this value of one side becomes on the other.

    Sets are not handled here but by :func:`carry_set`, which needs the receiver's present members.
    """
    if isinstance(value, Document):
        return carry_text(agreement, value, to)
    if rule.name in PERSON_FIELDS:
        return _carry_person(agreement, rule, value, to)
    if empty(value):
        return Carried(None, None)
    if not rule.values:
        if isinstance(value, str) and rule.name == "summary":
            value = _line(value)[:SUMMARY_LIMIT].rstrip()
        return Carried(value, value)
    found = _lookup(rule, str(value), to)
    if found is not None:
        return Carried(found, found)
    return _stand_in(rule, str(value), to)


def carry_text(agreement: Agreement, text: Document, to: Side) -> Carried:
    """A text made fit to cross: nothing live, nothing foreign; ``shown`` is how the other tracker will show it."""
    fit = transform(text, inline=_inert, block=_inert_block)
    return Carried(fit, settle(agreement.scope(to).dialect, fit))


def carry_set(rule: FieldRule, members: frozenset[str], to: Side) -> frozenset[str]:
    """Set members in the other side's vocabulary; those without a pair are left out unless the rule lets them."""
    if not rule.values:
        return members
    carried = {name: _lookup(rule, name, to) for name in members}
    if rule.otherwise.kind == "same":
        return frozenset(found or name for name, found in carried.items())
    return frozenset(found for found in carried.values() if found is not None)


def agree(agreement: Agreement, rule: FieldRule, internal: Value, vendor: Value) -> bool:
    """Whether the two present values mean the same, so that nothing needs to be written."""
    if isinstance(internal, frozenset) or isinstance(vendor, frozenset):
        ours, theirs = crossing(rule, internal), crossing(rule, vendor)
        return carry_set(rule, ours, Side.VENDOR) == theirs or carry_set(rule, theirs, Side.INTERNAL) == ours
    if empty(internal) or empty(vendor):
        return empty(internal) and empty(vendor)
    if rule.name in PERSON_FIELDS:
        return _same_person(agreement, internal, vendor)
    if rule.values:
        pair = (str(internal), str(vendor))
        if pair in rule.values:
            return True
    over = carry(agreement, rule, internal, Side.VENDOR)
    if isinstance(over, Carried) and same(over.shown, vendor):
        return True
    back = carry(agreement, rule, vendor, Side.INTERNAL)
    return isinstance(back, Carried) and same(back.shown, internal)


def show(value: Value) -> str:
    """A value in short, for findings. Never the words of a text: findings reach logs."""
    if isinstance(value, Document):
        return "(text)"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "(none)"
    if isinstance(value, Person):
        return value.name or value.id
    return "(none)" if empty(value) else str(value)


def _lookup(rule: FieldRule, value: str, to: Side) -> str | None:
    if to is Side.VENDOR:
        return next((vendor for internal, vendor in rule.values if internal == value), None)
    return next((internal for internal, vendor in rule.values if vendor == value), None)


def _stand_in(rule: FieldRule, value: str, to: Side) -> Carried | Unmapped:
    match rule.otherwise.kind:
        case "same":
            return Carried(value, value)
        case "value" if to in rule.otherwise.values:
            instead = rule.otherwise.values[to]
            return Carried(instead, instead)
        case kind:
            return Unmapped(value, silent=kind == "keep")


def _carry_person(agreement: Agreement, rule: FieldRule, value: Value, to: Side) -> Carried | Unmapped:
    if not isinstance(value, Person):
        return Carried(None, None)
    for internal, vendor in agreement.people:
        here, there = (internal, vendor) if to is Side.VENDOR else (vendor, internal)
        if names(value, here):
            return Carried(there, Person(id=there))
    if rule.otherwise.kind == "value" and to in rule.otherwise.values:
        instead = rule.otherwise.values[to]
        return Carried(instead, Person(id=instead))
    # "same" is no answer for people: the two trackers' accounts have nothing to do with each other.
    return Unmapped(value.name or value.id, silent=rule.otherwise.kind == "keep")


def _same_person(agreement: Agreement, internal: Value, vendor: Value) -> bool:
    if not isinstance(internal, Person) or not isinstance(vendor, Person):
        return False
    return any(names(internal, ours) and names(vendor, theirs) for ours, theirs in agreement.people)


def _line(text: str) -> str:
    """A one-line text as every tracker stores it: one line, single spaces, composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _inert(node: Inline) -> Inline:
    """An inline node without anything that would be live or foreign on the other side."""
    match node:
        case Mention(text=text, person=person):
            name = (text or person).lstrip("@")
            return Text(f"@{name}")
        case Media(ref=ref, alt=alt):
            # Attachments do not cross yet; the reader must still learn that something was here.
            return Text(f"[{alt or ref}]")
        case UnknownInline(text=text):
            return Text(text)
        case _:
            return node


def _inert_block(node: Block) -> Block:
    match node:
        case UnknownBlock(text=text):
            return Paragraph((Text(text),))
        case _:
            return node
