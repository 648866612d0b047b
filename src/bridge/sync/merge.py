"""The three-way merge of one field.

A side changed a field when its value differs from its own base. One side changed: it crosses, unless the field has
an owner and the change is not the owner's; then it is undone. Both changed the same way: agreement. Both changed
differently: the field's rule decides, and the losing value is part of the outcome, so that it reaches the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from bridge.markup import Document
from bridge.sync.agreement import Agreement, FieldRule, Rule
from bridge.sync.mapping import Carried, Unmapped, agree, carry, carry_set, crossing, empty, same, show
from bridge.sync.textmerge import merge_blocks
from bridge.sync.ticket import Side, Value


class _Missing:
    """Marks a value that a side never had in agreement (a new field, a ticket just created or just linked)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
Known = Value | _Missing

Why = Literal["changed", "owner", "newest", "merged", "initial"]


@dataclass(frozen=True, slots=True)
class Now:
    """One field as both sides show it now, beside what each showed when they last agreed.

    Attributes:
        internal: present value.
        vendor: present value.
        base_internal: value at the last agreement, or MISSING.
        base_vendor: likewise.
        changed_at: side -> when this field last changed there, microseconds; needed only for ``newest``.
    """

    internal: Value
    vendor: Value
    base_internal: Known = MISSING
    base_vendor: Known = MISSING
    changed_at: tuple[int, int] | None = None

    def value(self, side: Side) -> Value:
        """The present value of a side."""
        return self.internal if side is Side.INTERNAL else self.vendor


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing to do, nothing to record."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Both sides mean the same: record it as the new base."""


@dataclass(frozen=True, slots=True)
class Cross:
    """Write a value on one side (or, for merges, on both).

    Attributes:
        writes: side -> what to write there; holds one or both sides, never none.
        base: (internal, vendor) values that both sides will show afterwards.
        winner: the side whose value stands; None when both contributed.
        loser: the value that gives way in a conflict or by ownership; None when nothing is lost.
        why: the reason, for the journal.
    """

    writes: dict[Side, Value]
    base: tuple[Value, Value]
    winner: Side | None
    why: Why
    loser: tuple[Side, Value] | None = None


@dataclass(frozen=True, slots=True)
class Stuck:
    """The field cannot or may not cross now; the others go on.

    Attributes:
        kind: ``unmapped``: a value has no pair. ``held``: a conflict that the rule leaves to people.
        side: the side whose value is the cause.
        message: for the operator; holds no text of the ticket.
    """

    kind: Literal["unmapped", "held"]
    side: Side
    message: str


@dataclass(frozen=True, slots=True)
class NeedTimes:
    """The rule is ``newest`` and both sides changed: the histories are needed to decide."""


Outcome = Quiet | Agreed | Cross | Stuck | NeedTimes


def merge(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    """Decide what becomes of one field."""
    if agree(agreement, rule, now.internal, now.vendor):
        recorded = _same_as_base(now.internal, now.base_internal) and _same_as_base(now.vendor, now.base_vendor)
        return Quiet() if recorded else Agreed()
    if rule.rule is Rule.MERGE and (isinstance(now.internal, frozenset) or isinstance(now.vendor, frozenset)):
        return _merge_sets(rule, now)
    return _merge_values(agreement, rule, now)


def _merge_values(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    fresh_internal, fresh_vendor = now.base_internal is MISSING, now.base_vendor is MISSING
    if fresh_internal and fresh_vendor:
        # Never in agreement (just linked, or newly mapped): a side that says nothing gives way, never deletes.
        if empty(now.internal) != empty(now.vendor):
            return _cross(agreement, rule, now, Side.VENDOR if empty(now.internal) else Side.INTERNAL, "initial")
        return _conflict(agreement, rule, now)
    if fresh_internal or fresh_vendor:
        # One side was created from the other: what its tracker filled in by itself gives way.
        return _cross(agreement, rule, now, Side.VENDOR if fresh_internal else Side.INTERNAL, "initial")
    changed_internal = not _same_as_base(now.internal, now.base_internal)
    changed_vendor = not _same_as_base(now.vendor, now.base_vendor)
    if changed_internal and changed_vendor:
        return _conflict(agreement, rule, now)
    if not changed_internal and not changed_vendor:
        # They differ as they did when last recorded (the agreement's map changed since): nobody asked for a write.
        return Quiet()
    source = Side.INTERNAL if changed_internal else Side.VENDOR
    if rule.owner is not None and source is not rule.owner:
        return _cross(agreement, rule, now, rule.owner, "owner", lost=True)
    return _cross(agreement, rule, now, source, "changed")


def _conflict(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    match rule.rule:
        case Rule.OWNER:
            assert rule.owner is not None, "the configuration gives every OWNER rule its owner"
            return _cross(agreement, rule, now, rule.owner, "owner", lost=True)
        case Rule.HOLD:
            message = f"both sides changed '{rule.name}' differently ({show(now.internal)} / {show(now.vendor)})"
            return Stuck("held", Side.VENDOR, message)
        case Rule.MERGE if isinstance(now.internal, Document) and isinstance(now.vendor, Document):
            merged = _merge_texts(agreement, now)
            if merged is not None:
                return merged
    if now.changed_at is None:
        return NeedTimes()
    internal_at, vendor_at = now.changed_at
    # A tie goes to the organisation itself, so that the answer does not depend on the order of reading.
    source = Side.VENDOR if vendor_at > internal_at else Side.INTERNAL
    return _cross(agreement, rule, now, source, "newest", lost=True)


def _cross(agreement: Agreement, rule: FieldRule, now: Now, source: Side, why: Why, *, lost: bool = False) -> Outcome:
    value, to = now.value(source), source.other
    if isinstance(value, frozenset) or isinstance(now.value(to), frozenset):
        present = now.value(to)
        members = present if isinstance(present, frozenset) else frozenset()
        target = (members - crossing(rule, present)) | carry_set(rule, crossing(rule, value), to)
        carried: Carried | Unmapped = Carried(target, target)
    else:
        carried = carry(agreement, rule, value, to)
    if isinstance(carried, Unmapped):
        if carried.silent:
            return Quiet()
        return Stuck("unmapped", source, f"'{rule.name}' has no pair for the {source} value '{carried.value}'")
    base = (value, carried.shown) if source is Side.INTERNAL else (carried.shown, value)
    loser = (to, now.value(to)) if lost else None
    return Cross(writes={to: carried.value}, base=base, winner=source, why=why, loser=loser)


def _merge_sets(rule: FieldRule, now: Now) -> Outcome:
    """Both sides' additions and removals, applied together; what was added anywhere stays.

    Members are compared in the internal vocabulary. Those that may not cross stay on their own side.
    """
    ours, theirs = crossing(rule, now.internal), carry_set(rule, crossing(rule, now.vendor), Side.INTERNAL)
    base_ours = frozenset() if isinstance(now.base_internal, _Missing) else crossing(rule, now.base_internal)
    base_theirs = (
        frozenset()
        if isinstance(now.base_vendor, _Missing)
        else carry_set(rule, crossing(rule, now.base_vendor), Side.INTERNAL)
    )
    added = (ours - base_ours) | (theirs - base_theirs)
    removed = (base_ours - ours) | (base_theirs - theirs)
    merged = ((base_ours | base_theirs) - removed) | added
    internal = _members(now.internal) - crossing(rule, now.internal) | merged
    vendor = _members(now.vendor) - crossing(rule, now.vendor) | carry_set(rule, merged, Side.VENDOR)
    writes: dict[Side, Value] = {}
    if internal != _members(now.internal):
        writes[Side.INTERNAL] = internal
    if vendor != _members(now.vendor):
        writes[Side.VENDOR] = vendor
    if not writes:
        return Quiet()
    return Cross(writes=writes, base=(internal, vendor), winner=None, why="merged")


def _merge_texts(agreement: Agreement, now: Now) -> Outcome | None:
    """Both sides' edits of a text, block by block; None when they touched the same place."""
    sides = (now.base_internal, now.internal, now.base_vendor, now.vendor)
    if not all(isinstance(text, Document) for text in sides):
        return None
    base_internal, internal, base_vendor, vendor = sides
    assert isinstance(base_internal, Document)
    assert isinstance(internal, Document)
    assert isinstance(base_vendor, Document)
    assert isinstance(vendor, Document)
    merged = merge_blocks(base_internal, internal, base_vendor, vendor)
    if merged is None:
        return None
    to_internal = carry(agreement, FieldRule("description"), merged, Side.INTERNAL)
    to_vendor = carry(agreement, FieldRule("description"), merged, Side.VENDOR)
    assert isinstance(to_internal, Carried)
    assert isinstance(to_vendor, Carried)
    return Cross(
        writes={Side.INTERNAL: to_internal.value, Side.VENDOR: to_vendor.value},
        base=(to_internal.shown, to_vendor.shown),
        winner=None,
        why="merged",
    )


def _members(value: Value) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _same_as_base(value: Value, base: Known) -> bool:
    return not isinstance(base, _Missing) and same(value, base)
