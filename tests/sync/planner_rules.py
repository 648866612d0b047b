"""What an agreement promises, said a second time and without the planner's code; and the checks of a world by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from planner_world import CALM, TOKEN, Weather, World, tokens

from bridge.markup import Document, plain
from bridge.sync.agreement import Agreement, FieldRule, Rule
from bridge.sync.echo import is_echo
from bridge.sync.plan import Plan
from bridge.sync.ticket import Person, Side, Value

STUCK = object()
"""What becomes of a value that may not cross."""


def void(value: Value) -> bool:
    """Whether a value says nothing."""
    return value in (None, "", frozenset(), Document())


def pairs_of(rule: FieldRule, side: Side) -> list[tuple[str, str]]:
    """The value map, seen from a side."""
    return [(inner, outer) if side is Side.INTERNAL else (outer, inner) for inner, outer in rule.values]


def becomes(agreement: Agreement, rule: FieldRule, value: Value, side: Side) -> object:
    """What a side's single value should be on the other side, or STUCK."""
    if void(value):
        return None
    if rule.name == "assignee":
        assert isinstance(value, Person)
        for inner, outer in agreement.people:
            here, there = (inner, outer) if side is Side.INTERNAL else (outer, inner)
            if here in (value.id, *value.handles):
                return there
        return rule.otherwise.values[side.other] if rule.otherwise.kind == "value" else STUCK
    if not rule.values:
        return value
    for here, there in pairs_of(rule, side):
        if here == value:
            return there
    match rule.otherwise.kind:
        case "same":
            return value
        case "value":
            return rule.otherwise.values[side.other]
        case _:
            return STUCK


def partners(rule: FieldRule, side: Side, label: str) -> set[str]:
    """The labels of the other side that mean the same as this one."""
    if not rule.values:
        return {label}
    found = {there for here, there in pairs_of(rule, side) if here == label}
    return found or ({label} if rule.otherwise.kind == "same" else set())


def crossing_labels(rule: FieldRule, side: Side, value: Value) -> set[str]:
    """The labels of a side that the agreement lets cross."""
    members = value if isinstance(value, frozenset) else frozenset()
    return {
        label
        for label in members
        if (others := partners(rule, side, label))
        and (not rule.only or any(fnmatchcase(one, glob) for one in {label, *others} for glob in rule.only))
    }


def means_same(agreement: Agreement, name: str, internal: Value, vendor: Value) -> bool:
    """Whether two values mean the same under the agreement."""
    rule = agreement.field(name)
    assert rule is not None
    if isinstance(internal, frozenset) or isinstance(vendor, frozenset):
        return all(matched(rule, side, internal, vendor) for side in Side)
    if void(internal) or void(vendor):
        return void(internal) and void(vendor)
    if isinstance(internal, Document):
        return tokens(internal) == tokens(vendor)
    if isinstance(internal, Person) and isinstance(vendor, Person):
        return (
            any(
                inner in (internal.id, *internal.handles) and outer in (vendor.id, *vendor.handles)
                for inner, outer in agreement.people
            )
            or becomes(agreement, rule, internal, Side.INTERNAL) in (vendor.id, *vendor.handles)
            or becomes(agreement, rule, vendor, Side.VENDOR) in (internal.id, *internal.handles)
        )
    return (
        (internal, vendor) in rule.values
        or becomes(agreement, rule, internal, Side.INTERNAL) == vendor
        or becomes(agreement, rule, vendor, Side.VENDOR) == internal
    )


def matched(rule: FieldRule, side: Side, internal: Value, vendor: Value) -> bool:
    """Whether every label of this side that may cross has a partner on the other side."""
    here, there = (internal, vendor) if side is Side.INTERNAL else (vendor, internal)
    others = crossing_labels(rule, side.other, there)
    return all(related(rule, side, label, others) for label in crossing_labels(rule, side, here))


def related(rule: FieldRule, side: Side, label: str, others: set[str]) -> bool:
    """Whether any of these labels of the other side means the same as this one."""
    return any(
        other in partners(rule, side, label) or label in partners(rule, side.other, other) for other in others
    )


@dataclass(frozen=True)
class Before:
    """One field as it was before the bridge looked."""

    internal: Value
    vendor: Value
    base_internal: object
    base_vendor: object
    times: tuple[int, int]

    def of(self, side: Side) -> Value:
        """That side's value."""
        return self.internal if side is Side.INTERNAL else self.vendor


MISSING = object()
"""No base."""


def outcome(agreement: Agreement, rule: FieldRule, was: Before) -> tuple[Value, Value]:
    """What both sides should show in the end, if nobody touches them any more: the table of the rules.

    For single values only.
    """
    unchanged = (was.internal, was.vendor)
    if means_same(agreement, rule.name, *unchanged):
        return unchanged
    fresh_internal, fresh_vendor = was.base_internal is MISSING, was.base_vendor is MISSING
    if fresh_internal or fresh_vendor:
        if void(was.internal) != void(was.vendor):
            return _moved(agreement, rule, was, Side.VENDOR if void(was.internal) else Side.INTERNAL)
        if fresh_internal != fresh_vendor:
            return _moved(agreement, rule, was, Side.VENDOR if fresh_internal else Side.INTERNAL)
        return _conflict(agreement, rule, was)
    changed_internal, changed_vendor = was.base_internal != was.internal, was.base_vendor != was.vendor
    if changed_internal and changed_vendor:
        return _conflict(agreement, rule, was)
    if not changed_internal and not changed_vendor:
        return unchanged
    if rule.owner is not None:
        return _moved(agreement, rule, was, rule.owner)
    return _moved(agreement, rule, was, Side.INTERNAL if changed_internal else Side.VENDOR)


def _conflict(agreement: Agreement, rule: FieldRule, was: Before) -> tuple[Value, Value]:
    if rule.rule is Rule.HOLD:
        return was.internal, was.vendor
    if rule.owner is not None:
        return _moved(agreement, rule, was, rule.owner)
    internal_at, vendor_at = was.times
    return _moved(agreement, rule, was, Side.VENDOR if vendor_at > internal_at else Side.INTERNAL)


def _moved(agreement: Agreement, rule: FieldRule, was: Before, source: Side) -> tuple[Value, Value]:
    there = becomes(agreement, rule, was.of(source), source)
    if there is STUCK:
        return was.internal, was.vendor
    assert there is None or isinstance(there, str)
    return (was.internal, there) if source is Side.INTERNAL else (there, was.vendor)


# -- checks of a world --


def calm_down(world: World, orders: Sequence[int] = ()) -> int:
    """Rounds without faults until nothing is left; returns how many had something to do (a), (f)."""
    bound = len(world.agreement.fields) + sum(len(one.comments) for one in world.trackers.values()) + 3
    for number in range(bound + 1):
        order = orders[number % len(orders)] if orders else 0
        plan = world.round(Weather(order=order))
        if quiet(plan):
            again = world.round(CALM)
            assert quiet(again), f"a second look finds something after all: {again}"
            assert again == plan
            return number
    raise AssertionError(f"no peace after {bound} rounds; the last plan: {world.last}")


def quiet(plan: Plan) -> bool:
    """Whether a plan has nothing to do and nothing to record."""
    return not (plan.actions or plan.settled or plan.pairs)


def check_peace(world: World, *, moved_map: bool = False) -> None:
    """Everything that must hold once nothing is left to do."""
    check_always(world)
    for rule in world.agreement.fields:
        check_field(world, rule, moved_map=moved_map)
    check_comments(world)
    check_echo(world)


def check_always(world: World) -> None:
    """What holds at any moment (c), (d), (e)."""
    ledger = world.ledger
    assert not ledger.owners, f"an owner's field was written: {ledger.owners}"
    assert not ledger.silent, f"a person's value gave way and nobody kept it: {ledger.silent}"
    assert not ledger.double, f"comments with two copies: {ledger.double}"
    assert not ledger.leaks, f"private words crossed: {ledger.leaks}"
    for side, tracker in world.trackers.items():
        for name, origin in ledger.copies[side].items():
            copy = tracker.comments.get(name)
            if copy is None or (side, name) in ledger.gone:
                continue
            if ledger.secret & set(tokens(copy.body)):
                raise AssertionError(f"the copy of {origin} holds words that were never public")


def check_field(world: World, rule: FieldRule, *, moved_map: bool) -> None:
    """At peace a field agrees, or a finding names it, or the agreement says to keep it (b)."""
    name = rule.name
    internal, vendor = (world.trackers[side].fields.get(name) for side in Side)
    if means_same(world.agreement, name, internal, vendor):
        return
    if any(finding.field == name for finding in world.last.findings):
        return
    if rule.otherwise.kind == "keep" and any(
        becomes(world.agreement, rule, world.trackers[side].fields.get(name), side) is STUCK for side in Side
    ):
        return
    if moved_map and name not in {one.field for one in world.ledger.decisions}:
        return
    raise AssertionError(f"'{name}' disagrees and nobody says so: {internal!r} / {vendor!r} under {rule}")


def check_words(world: World) -> None:
    """Words that people typed into a text, and never took out, are on both sides or in a loser (c)."""
    kept = set(TOKEN.findall(" ".join(world.ledger.losers)))
    for side, tracker in world.trackers.items():
        here = set(tokens(tracker.fields.get("description")))
        missing = world.ledger.typed - here - kept
        assert not missing, f"lost on the {side} side: {missing}"


def check_comments(world: World) -> None:
    """Every public comment of a person has its one copy, with its author's name and its words (c), (e)."""
    ledger = world.ledger
    for origin in Side:
        tracker, there = world.trackers[origin], world.trackers[origin.other]
        copied = {
            original: there.comments[name]
            for name, original in ledger.copies[origin.other].items()
            if name in there.comments
        }
        deleted = {
            original
            for name, original in ledger.copies[origin.other].items()
            if (origin.other, name) in ledger.gone
        }
        for original in copied.keys() - tracker.comments.keys():
            raise AssertionError(f"{original} was deleted and its copy is still there")
        for comment in tracker.comments.values():
            if comment.id in ledger.copies[origin]:
                continue
            copy = copied.get(comment.id)
            if comment.private:
                assert copy is None, f"{comment.id} is private and has a copy"
            elif copy is None:
                excused = (
                    origin not in world.agreement.comments.cross
                    or comment.id in deleted
                    or (origin, comment.id) in ledger.hidden
                )
                assert excused, f"{comment.id} has no copy"
            else:
                assert origin in world.agreement.comments.cross
                assert comment.author is not None
                line = world.agreement.comments.attribute.replace(
                    "{company}", world.agreement.scope(origin).company
                ).replace("{author}", comment.author.name)
                assert plain(copy.body).startswith(line), "a copy carries its author's name"
                assert tokens(copy.body) == tokens(comment.body), "a copy says what its author says"
        for (side, name), typed in ledger.rewritten.items():
            if side is origin and name in tracker.comments:
                kept = set(TOKEN.findall(" ".join(ledger.losers)))
                assert typed <= kept, f"words typed into the copy {name} are kept nowhere"


def check_echo(world: World) -> None:
    """In peace, a side in full agreement is recognised without a request; an echo is never work."""
    sides = {}
    for side, tracker in world.trackers.items():
        base, pairs = world.bases[side], list(world.pairs.values())
        sides[side] = is_echo(world.agreement, side, tracker.ticket(), base, pairs)
    if all(sides.values()):
        assert not world.decide(world.agreement, world.look(world.views())).actions
    if not world.last.findings and all(_mapped(world, rule) for rule in world.agreement.fields):
        assert all(sides.values()), f"everything agrees, yet it is no echo: {sides}"


def _mapped(world: World, rule: FieldRule) -> bool:
    internal, vendor = (world.trackers[side].fields.get(rule.name) for side in Side)
    return means_same(world.agreement, rule.name, internal, vendor)
