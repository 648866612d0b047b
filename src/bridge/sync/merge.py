"""The three-way merge of one field.

A side changed a field when its value differs from its own base. One side changed: it crosses, unless the field has
an owner and the change is not the owner's; then it is undone. Both changed the same way: agreement. Both changed
differently: the field's rule decides, and the losing value is part of the outcome, so that it reaches the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from bridge.markup import Document, settle
from bridge.sync.agreement import TEXT_FIELDS, Agreement, FieldRule, Rule
from bridge.sync.fitting import fit_text
from bridge.sync.mapping import (
    NAMED_FIELDS,
    Carried,
    Unmapped,
    agree,
    carry,
    carry_set,
    carry_text,
    crossing,
    empty,
    partnered,
    same,
    show,
)
from bridge.sync.originals import adds_mark, bears_mark, keeps_back, kept_blocks, taken_back
from bridge.sync.shortening import surely_short
from bridge.sync.textmerge import Fit, merge_blocks
from bridge.sync.ticket import Side, Value


class _Missing:
    """Marks a value that a side never had in agreement (a new field, a ticket just created or just linked)."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
Known = Value | _Missing

Why = Literal["changed", "owner", "newest", "merged", "initial", "reverted", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Now:
    """One field as both sides show it now, beside what each showed when they last agreed.

    Attributes:
        internal: present value.
        vendor: present value.
        base_internal: value at the last agreement, or MISSING.
        base_vendor: likewise.
        changed_at: (internal, vendor) times of its last change, microseconds; needed only where the newest counts.
        created: (internal, vendor) times at which the tickets were created.
    """

    internal: Value
    vendor: Value
    base_internal: Known = MISSING
    base_vendor: Known = MISSING
    changed_at: tuple[int, int] | None = None
    created: tuple[int, int] = (0, 0)

    def value(self, side: Side) -> Value:
        """The present value of a side."""
        return self.internal if side is Side.INTERNAL else self.vendor

    def base(self, side: Side) -> Known:
        """The value of a side at the last agreement."""
        return self.base_internal if side is Side.INTERNAL else self.base_vendor


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
        kind: ``unmapped``: a value has no pair. ``held``: left to people. ``fixed``: the other side's tracker keeps the
            text as it was written.
        side: the side whose value is the cause.
        message: for the operator; holds no text of the ticket.
        conflict: both sides changed the field differently, and its rule leaves that to people.
    """

    kind: Literal["unmapped", "held", "fixed"]
    side: Side
    message: str
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class NeedTimes:
    """The rule is ``newest`` and both sides changed: the histories are needed to decide."""


Outcome = Quiet | Agreed | Cross | Stuck | NeedTimes


def merge(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    """Decide what becomes of one field."""
    if agree(agreement, rule, now.internal, now.vendor):
        recorded = _same_as_base(now.internal, now.base_internal) and _same_as_base(
            now.vendor, now.base_vendor
        )
        return Quiet() if recorded else Agreed()
    if rule.rule is Rule.MERGE and (isinstance(now.internal, frozenset) or isinstance(now.vendor, frozenset)):
        return _merge_sets(rule, now)
    return _merge_values(agreement, rule, now)


def _merge_values(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    fresh_internal, fresh_vendor = now.base_internal is MISSING, now.base_vendor is MISSING
    if fresh_internal and fresh_vendor:
        # Never in agreement (just linked, or newly mapped): a side that says nothing gives way, never deletes.
        if _silent(rule, now, Side.INTERNAL) != _silent(rule, now, Side.VENDOR):
            source = Side.VENDOR if _silent(rule, now, Side.INTERNAL) else Side.INTERNAL
            return cross(agreement, rule, now, source, "initial")
        return _conflict(agreement, rule, now)
    if fresh_internal or fresh_vendor:
        return _created(agreement, rule, now, Side.INTERNAL if fresh_internal else Side.VENDOR)
    changed_internal, changed_vendor = changed(rule, now, Side.INTERNAL), changed(rule, now, Side.VENDOR)
    if changed_internal and changed_vendor:
        return _conflict(agreement, rule, now)
    if not changed_internal and not changed_vendor:
        # They differ as they did when last recorded (the agreement's map changed since): nobody asked for a write.
        return Quiet()
    source = Side.INTERNAL if changed_internal else Side.VENDOR
    if rule.owner is not None and source is not rule.owner:
        return cross(agreement, rule, now, rule.owner, "owner", lost=True)
    return cross(agreement, rule, now, source, "changed")


def _created(agreement: Agreement, rule: FieldRule, now: Now, fresh: Side) -> Outcome:
    """One side was created from the other: what its tracker filled in by itself gives way.

    But a side that says nothing, and never did, gives way here as well; and where the original's value has no pair,
    it must not keep what people do on the new side from crossing.
    """
    origin = fresh.other
    base = now.base(origin)
    if _silent(rule, now, origin) and not isinstance(base, _Missing) and empty(base):
        return cross(agreement, rule, now, fresh, "initial")
    first = cross(agreement, rule, now, origin, "initial", lost=not _silent(rule, now, fresh))
    if isinstance(first, Cross) or rule.owner is origin:
        return first
    both = changed(rule, now, origin)
    if both and rule.rule is Rule.HOLD:
        return first
    if now.changed_at is None:
        return NeedTimes()
    index = tuple(Side).index(fresh)
    here, there = now.changed_at[index], now.changed_at[1 - index]
    by_people = here > now.created[index]
    if by_people and (not both or rule.owner is fresh or here > there):
        return cross(agreement, rule, now, fresh, "newest" if both else "changed", lost=True)
    return first


def _conflict(agreement: Agreement, rule: FieldRule, now: Now) -> Outcome:
    match rule.rule:
        case Rule.OWNER:
            assert rule.owner is not None, "the configuration gives every OWNER rule its owner"
            return cross(agreement, rule, now, rule.owner, "owner", lost=True)
        case Rule.HOLD:
            both = f"({told(rule, now.internal)} / {told(rule, now.vendor)})"
            message = f"both sides changed '{rule.name}' differently {both}"
            return Stuck("held", Side.VENDOR, message, conflict=True)
        case Rule.MERGE if isinstance(now.internal, Document) and isinstance(now.vendor, Document):
            merged = _merge_texts(agreement, now)
            if merged is not None:
                return merged
    if now.changed_at is None:
        return NeedTimes()
    internal_at, vendor_at = now.changed_at
    # A tie goes to the organisation itself, so that the answer does not depend on the order of reading.
    source = Side.VENDOR if vendor_at > internal_at else Side.INTERNAL
    return cross(agreement, rule, now, source, "newest", lost=True)


def cross(
    agreement: Agreement, rule: FieldRule, now: Now, source: Side, why: Why, *, lost: bool = False
) -> Outcome:
    """The source's value stands, on both sides; ``lost`` when the other side's gives way."""
    value, to = now.value(source), source.other
    if rule.name in TEXT_FIELDS and not agreement.scope(to).edits_texts:
        message = f"the {to} side's tracker keeps the {rule.name} as it was written first; the two differ now"
        return Stuck("fixed", to, message)
    kept = _with_kept_words(agreement, rule, now, source)
    if isinstance(kept, Stuck):
        return kept
    if isinstance(value, frozenset) or isinstance(now.value(to), frozenset):
        target = _replaced(rule, now, source)
        carried: Carried | Unmapped = Carried(target, target)
    elif kept is not None:
        carried = kept
    elif (edited := _edited_text(agreement, now, source)) is not None:
        carried = Carried(edited, settle(agreement.scope(to).dialect, edited))
    else:
        carried = carry(agreement, rule, value, to)
    if isinstance(carried, Unmapped):
        if carried.silent:
            return Quiet()
        return Stuck(
            "unmapped", source, f"'{rule.name}' has no pair for the {source} value '{carried.value}'"
        )
    base = (value, carried.shown) if source is Side.INTERNAL else (carried.shown, value)
    loser = (to, now.value(to)) if lost else None
    return Cross(writes={to: carried.value}, base=base, winner=source, why=why, loser=loser)


def _with_kept_words(agreement: Agreement, rule: FieldRule, now: Now, source: Side) -> Carried | Stuck | None:
    """What to write where words stand that the source has never been shown; None where there are none at stake.

    Its edit goes in around them. Where it cannot, it is left to people: a mark is no answer to somebody's words.
    """
    to = source.other
    value, base, present, other = now.value(source), now.base(source), now.value(to), now.base(to)
    if not keeps_back(agreement, rule, to, present):
        return None
    if not isinstance(other, _Missing) and _same_as_base(value, base):
        # What is restored is the side's own text, and not the copy of it.
        shown = settle(agreement.scope(to).dialect, other) if isinstance(other, Document) else other
        return Carried(other, shown)
    edited = _edited_text(agreement, now, source)
    if edited is not None and not adds_mark(agreement, other, edited):
        return Carried(edited, settle(agreement.scope(to).dialect, edited))
    crossed = not isinstance(other, _Missing) and keeps_back(agreement, rule, to, other)
    if not crossed and not bears_mark(agreement, value):
        return None
    message = (
        f"the {to} side's '{rule.name}' holds words that are redacted towards the {source} side, and the edit there"
        " touches them; it does not replace the original"
    )
    return Stuck("held", source, message)


def taken_back_later(agreement: Agreement, rule: FieldRule, now: Now, source: Side) -> Outcome | None:
    """What becomes of words that crossed before there was a rule against it; None when there are none."""
    to = source.other
    text = taken_back(agreement, rule, source, now.value(source), now.value(to))
    if text is False:
        return None
    if rule.name in TEXT_FIELDS and not agreement.scope(to).edits_texts:
        message = f"the {rule.name} crossed before a rule redacted it; the {to} side's tracker lets nobody change it"
        return Stuck("fixed", to, message)
    shown = settle(agreement.scope(to).dialect, text) if isinstance(text, Document) else text
    value = now.value(source)
    base = (value, shown) if source is Side.INTERNAL else (shown, value)
    return Cross({to: text}, base, source, "changed", (to, now.value(to)))


def _edited_text(agreement: Agreement, now: Now, source: Side) -> Document | None:
    """The other side's own text with only the source's edit in it, or None when the edit cannot be told apart.

    A text that crossed has lost on the way what may not cross (an image, a mention). Sending the whole of it back for
    the sake of one corrected word would take that from the side where it still lives.
    """
    value, base, other = now.value(source), now.base(source), now.base(source.other)
    if not (isinstance(value, Document) and isinstance(base, Document) and isinstance(other, Document)):
        return None
    if value == base or _too_long(agreement, source.other, value, base):
        return None
    fit, fit_theirs = _fits(agreement, source.other)
    kept = kept_blocks(agreement, source.other, other)
    edited = merge_blocks(other, other, base, value, fit, fit_theirs=fit_theirs, kept=kept)
    return None if edited is None or _too_long(agreement, source.other, edited) else edited


def _too_long(agreement: Agreement, to: Side, *texts: Document) -> bool:
    """Whether only the beginning of any of these texts fits on a side: such ones are not merged, but shortened."""
    limit = agreement.scope(to).text_limit
    return any(
        not surely_short(text, limit) and carry_text(agreement, text, to).whole is not None for text in texts
    )


def _replaced(rule: FieldRule, now: Now, source: Side) -> frozenset[str]:
    """The other side's set once the source's stands: what may not cross stays, and so does what already agrees."""
    to = source.other
    present, theirs = _members(now.value(to)), crossing(rule, now.value(to), to)
    ours = crossing(rule, now.value(source), source)
    kept = frozenset(name for name in theirs if partnered(rule, name, to, ours))
    new = frozenset(name for name in ours if not partnered(rule, name, source, theirs))
    return (present - theirs) | kept | carry_set(rule, new, to)


def _merge_sets(rule: FieldRule, now: Now) -> Outcome:
    """Both sides' additions and removals, applied together; what was added anywhere stays.

    Looked at member by member, because several may share a pair. A member without its partner on the other side was
    added here, or its partner was removed there. Those that may not cross stay on their own side.
    """
    first = now.base_internal is MISSING or now.base_vendor is MISSING
    present = {side: crossing(rule, now.value(side), side) for side in Side}
    before = {side: _members(now.base(side)) for side in Side}
    gone: dict[Side, frozenset[str]] = {}
    new: dict[Side, frozenset[str]] = {}
    for side in Side:
        alone = [name for name in present[side] if not partnered(rule, name, side, present[side.other])]
        added = frozenset(name for name in alone if first or name not in before[side])
        gone[side] = frozenset(
            name for name in alone if name not in added and partnered(rule, name, side, before[side.other])
        )
        new[side.other] = carry_set(rule, added, side.other)
    after = {side: (_members(now.value(side)) - gone[side]) | new[side] for side in Side}
    writes: dict[Side, Value] = {
        side: after[side] for side in Side if after[side] != _members(now.value(side))
    }
    if not writes:
        return Quiet()
    return Cross(writes=writes, base=(after[Side.INTERNAL], after[Side.VENDOR]), winner=None, why="merged")


def _merge_texts(agreement: Agreement, now: Now) -> Outcome | None:
    """Both sides' edits of a text, block by block; None when they touched the same place."""
    sides = (now.base_internal, now.internal, now.base_vendor, now.vendor)
    if not all(isinstance(text, Document) for text in sides):
        return None
    if not all(agreement.scope(side).edits_texts for side in Side):
        return None
    base_internal, internal, base_vendor, vendor = sides
    assert isinstance(base_internal, Document)
    assert isinstance(internal, Document)
    assert isinstance(base_vendor, Document)
    assert isinstance(vendor, Document)
    # Each side keeps its own blocks as they are; only what the other side wrote is made fit to cross.
    fit, fit_theirs = _fits(agreement, Side.INTERNAL)
    kept = kept_blocks(agreement, Side.INTERNAL, base_internal)
    ours = merge_blocks(base_internal, internal, base_vendor, vendor, fit, fit_theirs=fit_theirs, kept=kept)
    kept = kept_blocks(agreement, Side.VENDOR, base_vendor)
    theirs = merge_blocks(base_vendor, vendor, base_internal, internal, fit_theirs, fit_theirs=fit, kept=kept)
    if ours is None or theirs is None:
        return None
    if _too_long(agreement, Side.VENDOR, internal, theirs) or _too_long(
        agreement, Side.INTERNAL, vendor, ours
    ):
        return None
    shown = [
        settle(agreement.scope(side).dialect, text) for side, text in zip(Side, (ours, theirs), strict=True)
    ]
    return Cross(
        writes={Side.INTERNAL: ours, Side.VENDOR: theirs},
        base=(shown[0], shown[1]),
        winner=None,
        why="merged",
    )


def _fits(agreement: Agreement, to: Side) -> tuple[Fit, Fit]:
    """What makes a text fit for a side, and what makes that side's own text fit for the other one."""

    def here(text: Document) -> Document:
        return fit_text(agreement, text, to)

    def there(text: Document) -> Document:
        return fit_text(agreement, text, to.other)

    return here, there


def told(rule: FieldRule, value: Value) -> str:
    """A value as a finding may tell it: findings reach logs, so nothing that could be somebody's words."""
    if isinstance(value, str) and value and not rule.values and rule.name not in NAMED_FIELDS:
        return "(text)"
    return show(value)


def _silent(rule: FieldRule, now: Now, side: Side) -> bool:
    """Whether a side says nothing that could cross."""
    value = now.value(side)
    return not crossing(rule, value, side) if isinstance(value, frozenset) else empty(value)


def changed(rule: FieldRule, now: Now, side: Side) -> bool:
    """Whether a side changed what may cross."""
    value, base = now.value(side), now.base(side)
    if isinstance(value, frozenset) and isinstance(base, frozenset):
        return crossing(rule, value, side) != crossing(rule, base, side)
    return not _same_as_base(value, base)


def _members(value: Known) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _same_as_base(value: Value, base: Known) -> bool:
    return not isinstance(base, _Missing) and same(value, base)
