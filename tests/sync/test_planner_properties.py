"""The planner against random worlds: plan, act in any order in bad weather, plan again, until nothing is left.

After Dropbox's CanopyCheck: one state is perturbed twice, so that the two sides really meet; peace must come within
a bound; and what existed on one side only must exist on both in the end, so that a planner which does nothing, or
deletes everything, cannot pass. ``BRIDGE_EXAMPLES`` is the number of examples over all properties; ``test_canary.py``
shows that broken planners are caught.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings
from planner_rules import (
    STUCK,
    becomes,
    calm_down,
    check_always,
    check_peace,
    check_words,
    crossing_labels,
    outcome,
    partners,
    related,
    void,
)
from planner_world import World
from planner_worlds import CHANCES, PEOPLE, SINGLE, Maker

from bridge.markup import Document, Paragraph, Text
from bridge.sync.agreement import Rule
from bridge.sync.decide import decide
from bridge.sync.ticket import Side

EXAMPLES = int(os.environ.get("BRIDGE_EXAMPLES", "10000"))


def share(part: float):
    """Settings for a property that gets this part of all examples."""
    return settings(
        max_examples=max(1, round(EXAMPLES * part)),
        deadline=None,
        database=None,
        derandomize="BRIDGE_EXAMPLES" not in os.environ,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )


def live(property_, chances) -> None:
    """Let a property's world live; a failure tells its story."""
    maker = Maker(chances, decide)
    try:
        property_(maker)
    except AssertionError as error:
        if maker.made is not None:
            error.add_note("\n".join(maker.made.story))
        raise


@share(0.37)
@given(CHANCES)
def test_single_values_end_as_the_rules_say_whatever_fails_on_the_way(chances) -> None:
    live(single_values, chances)


def single_values(maker: Maker) -> None:
    names = maker.some(SINGLE, 3)
    world = maker.world(names, starts=("agreed", "linked"))
    expected = {
        rule.name: outcome(world.agreement, rule, maker.told[rule.name]) for rule in world.agreement.fields
    }
    trailed = False
    for _ in range(maker.number(3)):
        weather = maker.weather()
        trailed = trailed or bool(weather.stale)
        world.round(weather)
        check_always(world)
    calm_down(world, maker.orders())
    check_peace(world)
    for name, (internal, vendor) in expected.items():
        rule = world.agreement.field(name)
        if trailed and rule.owner is not None:
            # The owner's older value, seen late, may have crossed before its present one; that they agree is checked.
            owned(world, rule)
            continue
        for side, value in ((Side.INTERNAL, internal), (Side.VENDOR, vendor)):
            tracker = world.trackers[side]
            wanted = tracker.person(value) if name == "assignee" else value
            shown = tracker.fields[name]
            assert shown == wanted or (void(shown) and void(wanted)), f"{name} on the {side} side"


@share(0.18)
@given(CHANCES)
def test_labels_of_either_side_are_on_both_in_the_end(chances) -> None:
    live(labels, chances)


def labels(maker: Maker) -> None:
    world = maker.world(["labels"])
    (rule,) = world.agreement.fields
    for _ in range(maker.number(3)):
        world.round(maker.weather())
        check_always(world)
    before = {side: tracker.fields.get("labels", frozenset()) for side, tracker in world.trackers.items()}
    bases = {side: world.bases[side].fields.get("labels") for side in Side}
    calm_down(world, maker.orders())
    check_peace(world)
    after = {side: tracker.fields.get("labels", frozenset()) for side, tracker in world.trackers.items()}
    for side in Side:
        assert isinstance(after[side], frozenset)
        private = before[side] - crossing_labels(rule, side, before[side])
        assert private <= after[side], "labels that may not cross stay where they are"
        if rule.rule is Rule.MERGE:
            others = set(after[side.other])
            new = crossing_labels(rule, side, before[side]) - (bases[side] or frozenset())
            lost = {one for one in new if not related(rule, side, one, others)}
            assert not lost, f"added on the {side} side only, and missing on the other: {lost}"
        origin = before[side] | {
            one
            for label in before[side.other] | after[side.other]
            for one in partners(rule, side.other, label)
        }
        assert after[side] <= origin, "nobody asked for these labels"


@share(0.12)
@given(CHANCES)
def test_texts_lose_no_word_that_nobody_took_out(chances) -> None:
    live(texts, chances)


def texts(maker: Maker) -> None:
    world = maker.world(["description"])
    for _ in range(maker.number(3)):
        world.round(maker.weather())
        side = maker.pick(tuple(Side))
        if maker.chance(3) and world.trackers[side].exists:
            maker.edit_field(world, side, "description")
    calm_down(world, maker.orders())
    check_peace(world)
    if not world.last.findings:
        check_words(world)


@share(0.17)
@given(CHANCES)
def test_every_public_comment_has_one_copy_and_no_private_one_has_any(chances) -> None:
    live(comments, chances)


def comments(maker: Maker) -> None:
    world = maker.world(["summary"])
    for _ in range(1 + maker.number(4)):
        for _ in range(maker.number(4)):
            side = maker.pick(tuple(Side))
            if world.trackers[side].exists:
                maker.edit_comments(world, side)
        world.round(maker.weather())
        check_always(world)
    calm_down(world, maker.orders())
    check_peace(world)


@share(0.11)
@given(CHANCES)
def test_whole_tickets_come_to_peace_while_people_go_on_working(chances) -> None:
    live(whole_tickets, chances)


def whole_tickets(maker: Maker) -> None:
    every = (*SINGLE, "labels", "description")
    names = maker.some(every, 5)
    world = maker.world(names)
    for _ in range(1 + maker.number(4)):
        for _ in range(maker.number(4)):
            side = maker.pick(tuple(Side))
            if not world.trackers[side].exists:
                continue
            if maker.chance(3):
                maker.edit_comments(world, side)
            else:
                maker.edit_field(world, side, maker.pick(names))
        world.round(maker.weather())
        check_always(world)
    calm_down(world, maker.orders())
    check_peace(world)
    for rule in world.agreement.fields:
        owned(world, rule)


def owned(world: World, rule) -> None:
    """An owner's value is everybody's value, unless it may not cross."""
    if rule.owner is None or rule.name in {"labels", "description"}:
        return
    if any(finding.field == rule.name for finding in world.last.findings):
        return
    mine, other = (world.trackers[side].fields[rule.name] for side in (rule.owner, rule.owner.other))
    if rule.otherwise.kind == "keep" and becomes(world.agreement, rule, other, rule.owner.other) is STUCK:
        return
    there = becomes(world.agreement, rule, mine, rule.owner)
    if there is None or isinstance(there, str):
        tracker = world.trackers[rule.owner.other]
        there = tracker.person(there) if rule.name == "assignee" else there
        internal, vendor = (mine, other) if rule.owner is Side.INTERNAL else (other, mine)
        assert other == there or world.means_same(world.agreement, rule.name, internal, vendor)


@share(0.05)
@given(CHANCES)
def test_one_edit_is_one_write_to_the_other_side(chances) -> None:
    live(one_edit, chances)


def one_edit(maker: Maker) -> None:
    """The length of the ping-pong: 1 (g)."""
    names = maker.some((*SINGLE, "labels", "description"), 4)
    world = maker.world(names, starts=("agreed", "create"))
    calm_down(world)
    if world.last.findings:
        return
    world.ledger.writes.clear()
    side = maker.pick(tuple(Side))
    kind = maker.number(3)
    if kind == 0:
        world.trackers[side].say(PEOPLE[side][0], Document((Paragraph((Text(maker.word()),)),)), world.tick())
        writes = {side.other: 1} if side in world.agreement.comments.cross else {}
    else:
        name = maker.pick(names)
        rule = world.agreement.field(name)
        before = world.trackers[side].fields[name]
        first = any(name not in base.fields for base in world.bases.values())
        apart = not world.means_same(
            world.agreement, name, *(one.fields[name] for one in world.trackers.values())
        )
        maker.edit_field(world, side, name)
        changed = world.trackers[side].fields[name] != before
        cleared = void(world.trackers[side].fields[name])
        pair = [world.trackers[one].fields[name] for one in Side]
        if world.means_same(world.agreement, name, *pair):
            writes = {}
        elif rule.owner is side.other:
            writes = {side: 1}
        else:
            writes = {side.other: 1}
    calm_down(world)
    if world.last.findings:
        return
    if kind and first and (rule.owner is side.other or cleared):
        # They never agreed: a side that says nothing is filled for the first time, even the owner's.
        assert sum(world.ledger.writes.values()) <= 1
        return
    if kind and apart and not first:
        # A value kept back, given up again, lets the other side's older change pass: one write, either way.
        assert sum(world.ledger.writes.values()) <= 1
        return
    for one in Side:
        assert world.ledger.writes[one] <= writes.get(one, 0), (
            f"{dict(world.ledger.writes)}, expected {writes}"
        )
    if kind == 0:
        return
    present = [world.trackers[one].fields[name] for one in Side]
    if world.means_same(world.agreement, name, *present):
        assert dict(world.ledger.writes) == writes
    elif rule.owner is not side.other and not isinstance(present[0], frozenset):
        value = world.trackers[side].fields[name]
        stuck = becomes(world.agreement, rule, value, side) is STUCK
        # A side that says nothing gives way as long as the two never agreed.
        stuck = stuck or (void(value) and name not in world.bases[side].fields)
        assert stuck or not changed, f"{name} did not cross from the {side} side"


@share(0.02)
@given(CHANCES)
def test_deciding_is_a_function(chances) -> None:
    live(deciding, chances)


def deciding(maker: Maker) -> None:
    """The same view gives the same plan, and is left as it was (f)."""
    world = maker.world(["summary", "priority", "labels", "description", "assignee"])
    for side in Side:
        if world.trackers[side].exists:
            maker.edit_comments(world, side)
    if maker.chance(2):
        world.round(maker.weather())
    look = world.look(world.views())
    before = repr(look)
    first = decide(world.agreement, look)
    assert decide(world.agreement, look) == first
    assert repr(look) == before
    assert decide(world.agreement, world.look(world.views())) == first
