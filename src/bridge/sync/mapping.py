"""Translating values between the two vocabularies of an agreement, and saying whether two values already agree.

A value map may be many-to-one (two internal statuses for one vendor status), so agreement is a relation, not
equality after translation: Closed and Done agree when any pair says so, and nothing is written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from bridge.markup import Document, canonical, plain, read, settle, words, write
from bridge.sync.agreement import PERSON_FIELDS, Agreement, FieldRule
from bridge.sync.fitting import files_in, fit_text
from bridge.sync.redaction import places, redact_line
from bridge.sync.shortening import native_length, shorten
from bridge.sync.ticket import Person, Side, Value

SPILT = "[Shortened: this tracker takes no longer texts. The whole of it is attached as a file.]"
CUT = "[Shortened: this tracker takes no longer texts.]"
"""How a text ends of which only the beginning fits."""

NAMED_FIELDS = frozenset({"type", "priority", "status", "due"})
"""Fields whose values are names or dates even where no map lists them; other strings may be somebody's words."""

MOST_SHOWN = 50
"""Files in one text that are told apart when it is completed."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A value ready to be written on the other side.

    Attributes:
        value: what to write; a person as the handle that the people map names.
        shown: what that side will show afterwards, which becomes its base.
        whole: the whole text, where only the beginning of it fits.
    """

    value: Value
    shown: Value
    whole: Document | None = None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A value that may not cross. ``silent`` when the agreement says to keep quiet about it."""

    value: str
    silent: bool = False


def empty(value: Value) -> bool:
    """Whether a value says nothing: None, "", no labels, an empty text."""
    return value is None or value in ("", frozenset()) or (isinstance(value, Document) and not value.blocks)


def same(left: Value, right: Value) -> bool:
    """Whether two values of one side are the same value, whatever spaces a tracker trimmed on the way.

    A field may hold less than what was written into it: a rich text becomes plain, a number a word. That is no
    change by anybody, or each look would write it once more.
    """
    if empty(left) or empty(right):
        return empty(left) and empty(right)
    if isinstance(left, Document) and isinstance(right, Document):
        return canonical(left) == canonical(right)
    if isinstance(left, str | float | bool) and isinstance(right, str | float | bool):
        return _line(word(left)) == _line(word(right)) or _same_number(left, right)
    if isinstance(left, Document) and isinstance(right, str):
        return _line(plain(left)) == _line(right)
    if isinstance(left, str) and isinstance(right, Document):
        return _line(left) == _line(plain(right))
    if isinstance(left, Person) and isinstance(right, Person):
        # A base of our own making knows a person only by the handle that the people map names.
        return names(left, right.id) or names(right, left.id)
    return left == right


def word(value: str | float | bool) -> str:
    """How a value is called in a value map: a number without needless digits, a flag as 1 or 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else f"{value:.15g}"


def names(person: Person, handle: str) -> bool:
    """Whether a handle from the people map means this person."""
    wanted = handle.casefold()
    return any(wanted == known.casefold() for known in (person.id, *person.handles) if known)


def crossing(rule: FieldRule, value: Value, side: Side) -> frozenset[str]:
    """The members of a side's set that the agreement lets cross; the others stay on their own side, untouched.

    A member crosses when it has a pair (or needs none), and when a pattern matches its name on either side.
    """
    members = value if isinstance(value, frozenset) else frozenset()
    return frozenset(name for name in members if _may_cross(rule, name, side))


def partnered(rule: FieldRule, member: str, side: Side, others: frozenset[str]) -> bool:
    """Whether any of these members of the other side's set means the same as this member."""
    if _carry_member(rule, member, side.other) in others:
        return True
    return any(_pairs(rule, member, other, side) for other in others)


def carry(agreement: Agreement, rule: FieldRule, value: Value, to: Side) -> Carried | Unmapped:
    """What this value of one side becomes on the other.

    Sets are not handled here but by :func:`carry_set`, which needs the receiver's present members.
    """
    if isinstance(value, Document):
        return carry_text(agreement, value, to)
    if rule.name in PERSON_FIELDS or isinstance(value, Person):
        return _carry_person(agreement, rule, value, to)
    if empty(value):
        return Carried(None, None)
    assert isinstance(value, str | float | bool), "sets are carried member by member"
    if not rule.values:
        if rule.name not in NAMED_FIELDS:
            said = redact_line(agreement.redaction, to, word(value))
            if said != word(value):
                if not isinstance(value, str):
                    return Unmapped("(redacted)")
                value = said
        if isinstance(value, str) and rule.name == "summary":
            value = _line(value)[: agreement.scope(to).summary_limit].rstrip()
        return Carried(value, value)
    name = word(value)
    found = _lookup(rule, name, to)
    if found is not None:
        return Carried(found, found)
    return _stand_in(rule, name, to)


def carry_text(agreement: Agreement, text: Document, to: Side) -> Carried:
    """A text made fit to cross: nothing live, nothing foreign; ``shown`` is how the other tracker will show it."""
    return limited(agreement, fit_text(agreement, text, to), to)


def limited(agreement: Agreement, fit: Document, to: Side, *, attached: bool = True) -> Carried:
    """A text that is fit to cross, or as much of its beginning as the other side's tracker takes.

    Args:
        agreement: the terms.
        fit: what ``fit_text`` made, and whatever the bridge has added to it.
        to: the side that it goes to.
        attached: whether the whole of it may go along as a file, where files cross; never with a private text.
    """
    scope = agreement.scope(to)
    native = write(scope.dialect, fit)
    if native_length(native) <= scope.text_limit:
        return Carried(fit, canonical(read(scope.dialect, native)))
    note = SPILT if attached and to.other in agreement.attachments.cross else CUT
    short = shorten(scope.dialect, fit, scope.text_limit, note)
    return Carried(short, settle(scope.dialect, short), fit)


def lacks_files(
    agreement: Agreement,
    text: Document,
    to: Side,
    present: Document,
    shown: Callable[[Agreement], Value] | None = None,
) -> bool:
    """Whether what stands on ``to`` is this text as it crossed before some of the files in it had.

    Then it is written again: files that have their twin by now are shown, where words stood for them.

    Args:
        agreement: the terms, with the twins of the link's files.
        text: what somebody wrote.
        to: the side that it goes to.
        present: what stands there.
        shown: how the text is shown there under given terms; by default as ``carry_text`` has it.
    """
    here = to.other
    known = agreement.twins.get(here, {})
    named = set(files_in(text)) if known else set()
    keys = [key for key in known if key in named]
    if not keys:
        return False
    render = shown or (lambda terms: carry_text(terms, text, to).shown)
    if same(render(agreement), present):
        return False
    for count in range(min(len(keys), MOST_SHOWN)):
        fewer = {key: twin for key, twin in known.items() if key not in keys[count:]}
        before = render(replace(agreement, twins={**agreement.twins, here: fewer}))
        assert isinstance(before, Document)
        if same(before, present) or words(before) == words(present):
            return True
    return False


def carry_set(rule: FieldRule, members: frozenset[str], to: Side) -> frozenset[str]:
    """Set members in the other side's vocabulary; those without a pair are left out unless the rule lets them."""
    carried = (_carry_member(rule, name, to) for name in members)
    return frozenset(name for name in carried if name is not None)


def agree(agreement: Agreement, rule: FieldRule, internal: Value, vendor: Value) -> bool:
    """Whether the two present values mean the same, so that nothing needs to be written."""
    if isinstance(internal, frozenset) or isinstance(vendor, frozenset):
        ours, theirs = crossing(rule, internal, Side.INTERNAL), crossing(rule, vendor, Side.VENDOR)
        return all(partnered(rule, name, Side.INTERNAL, theirs) for name in ours) and all(
            partnered(rule, name, Side.VENDOR, ours) for name in theirs
        )
    if empty(internal) or empty(vendor):
        return empty(internal) and empty(vendor)
    if _same_person(agreement, internal, vendor):
        return True
    if (
        isinstance(internal, str | float | bool)
        and isinstance(vendor, str | float | bool)
        and (word(internal), word(vendor)) in rule.values
    ):
        return True
    over = carry(agreement, rule, internal, Side.VENDOR)
    if isinstance(over, Carried) and same(over.shown, vendor):
        return True
    back = carry(agreement, rule, vendor, Side.INTERNAL)
    return isinstance(back, Carried) and same(back.shown, internal)


def show(value: Value) -> str:
    """A value in short, for people. Never the words of a text: findings reach logs."""
    if isinstance(value, Document):
        return "(text)"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "(none)"
    if isinstance(value, Person):
        return value.name or value.id
    if value is None or empty(value):
        return "(none)"
    return word(value)


def show_change(before: Value, after: Value) -> str:
    """A change in short, for people. Of a set only what comes and goes: the rest may not be for everybody."""
    if isinstance(before, frozenset) or isinstance(after, frozenset):
        old, new = (value if isinstance(value, frozenset) else frozenset() for value in (before, after))
        signed = [*(f"+{name}" for name in sorted(new - old)), *(f"-{name}" for name in sorted(old - new))]
        return ", ".join(signed) or "(none)"
    return f"{show(before)} -> {show(after)}"


def _lookup(rule: FieldRule, value: str, to: Side) -> str | None:
    if to is Side.VENDOR:
        return next((vendor for internal, vendor in rule.values if internal == value), None)
    return next((internal for internal, vendor in rule.values if vendor == value), None)


def _carry_member(rule: FieldRule, name: str, to: Side) -> str | None:
    if not rule.values:
        return name
    found = _lookup(rule, name, to)
    return name if found is None and rule.otherwise.kind == "same" else found


def _may_cross(rule: FieldRule, name: str, side: Side) -> bool:
    carried = _carry_member(rule, name, side.other)
    if carried is None or (not rule.values and places(rule.redaction, side.other, name)):
        return False
    return not rule.only or any(fnmatchcase(one, pattern) for one in (name, carried) for pattern in rule.only)


def _pairs(rule: FieldRule, member: str, other: str, side: Side) -> bool:
    pair = (member, other) if side is Side.INTERNAL else (other, member)
    return pair in rule.values or _carry_member(rule, other, side) == member


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


def _same_number(left: str | float | bool, right: str | float | bool) -> bool:
    """Whether a number equals what another tracker keeps as text; two texts are no numbers: 1.10 is not 1.1."""
    if isinstance(left, str) and isinstance(right, str):
        return False
    try:
        return float(left) == float(right)
    except ValueError:
        return False


def _line(text: str) -> str:
    """A one-line text as every tracker stores it: one line, single spaces, composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())
