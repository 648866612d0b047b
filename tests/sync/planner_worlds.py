"""Random worlds: one state, perturbed twice, under a random agreement, in bad weather.

Values come from small sets, so that the two sides meet: on the same value, on each other's names, on the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import strategies as st
from planner_rules import MISSING, STUCK, Before, becomes, means_same
from planner_world import BOT, Decide, Tracker, Weather, World, tokens

from bridge.markup import (
    Block,
    BulletList,
    CodeBlock,
    Document,
    Heading,
    ListItem,
    Media,
    Mention,
    Panel,
    Paragraph,
    Quote,
    Text,
)
from bridge.sync.agreement import Agreement, CommentRule, FieldRule, Otherwise, Rule, Scope
from bridge.sync.base import Base
from bridge.sync.ticket import Person, Side, Value

LETTERS = ("a", "b", "c", "d")
LABELS = ("sev-1", "sev-2", "rel-1", "own-1")
DATES = (None, "2026-01-01", "2026-02-02")
PEOPLE = {
    side: tuple(
        Person(f"{side[0]}{number}", f"{name} {{company}}", (f"{name.lower()}@{side}.example",))
        for number, name in enumerate(("Ann", "Bo", "Cy"))
    )
    for side in Side
}
MAPS = (
    (),
    (("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")),
    (("a", "b"), ("b", "a")),
    (("a", "a"), ("b", "a"), ("c", "b")),
    (("a", "a"), ("a", "b"), ("b", "c")),
    (("a", "b"), ("b", "b"), ("b", "c"), ("d", "a")),
    (("d", "c"),),
)
LABEL_MAPS = (
    (),
    (),
    (("sev-1", "sev-2"), ("sev-2", "sev-1")),
    (("sev-1", "rel-1"), ("sev-2", "rel-1")),
    (("sev-1", "sev-1"), ("sev-1", "sev-2"), ("own-1", "rel-1")),
)
ONLY = ((), (), ("sev-*",), ("sev-*", "rel-*"))
OTHERWISE = (
    Otherwise("hold"),
    Otherwise("keep"),
    Otherwise("same"),
    Otherwise("value", {Side.INTERNAL: "a", Side.VENDOR: "b"}),
    Otherwise("value", {Side.INTERNAL: "d", Side.VENDOR: "d"}),
)
NOBODY = (
    Otherwise("hold"),
    Otherwise("keep"),
    Otherwise("value", {Side.INTERNAL: "ann@internal.example", Side.VENDOR: "v1"}),
)
TREATIES = (
    ((), "mapped"),
    ((("ann@internal.example", "bo@vendor.example"),), ""),
    ((("i0", "v0"), ("i1", "v1")), ""),
    ((("i0", "v0"), ("bo@internal.example", "ann@vendor.example"), ("i2", "v2")), ""),
)
RULINGS = (
    (Rule.OWNER, Side.INTERNAL),
    (Rule.OWNER, Side.VENDOR),
    (Rule.NEWEST, None),
    (Rule.MERGE, None),
    (Rule.HOLD, None),
)
DIALECTS = ("wiki", "adf", "markdown")
SINGLE = ("summary", "type", "priority", "status", "due", "assignee", "Impact")
OUTCOMES = ("ok", "ok", "refused", "partly", "crash")


CHANCES = st.binary(min_size=256, max_size=256)
"""What a world is made of."""


class Maker:
    """Makes one world, piece by piece, out of chance.

    Args:
        chances: one byte for every choice; when they are used up, the simplest choice is made. One draw of bytes in
            the place of a hundred small draws leaves the time to the planner, and shrinks as well.
        decide: the planner under test.
    """

    def __init__(self, chances: bytes, decide: Decide) -> None:
        self.chances = iter(chances)
        self.decide = decide
        self.words = 0
        self.told: dict[str, Before] = {}
        self.made: World | None = None

    def pick(self, options: Sequence[object]) -> object:
        """One of these; the first is the simplest."""
        return options[self.number(len(options))] if len(options) > 1 else options[0]

    def number(self, end: int) -> int:
        """A number below ``end``; 0 is the simplest."""
        return next(self.chances, 0) % end

    def some(self, options: Sequence[str], most: int) -> list[str]:
        """Some of these, one at least."""
        chosen = [one for one in options if self.chance(3)][:most]
        return chosen or [self.pick(options)]

    def chance(self, part: int) -> bool:
        """Once in ``part`` times; never is simplest."""
        return self.number(part) == part - 1

    # -- the agreement --

    def rule(self, name: str) -> FieldRule:
        """How one field crosses."""
        rule, owner = self.pick(RULINGS)
        values, otherwise, only = (), Otherwise(), ()
        if name in {"type", "priority", "status", "Impact"}:
            values = self.pick(MAPS)
            otherwise = self.pick(OTHERWISE)
        elif name == "assignee":
            otherwise = self.pick(NOBODY)
        elif name == "labels":
            values, only = self.pick(LABEL_MAPS), self.pick(ONLY)
            otherwise = self.pick(OTHERWISE[:3])
        return FieldRule(name, rule, owner, values=values, otherwise=otherwise, only=only)

    def agreement(self, names: Sequence[str], dialects: Sequence[str] = DIALECTS) -> Agreement:
        """All of it."""
        people, _ = self.pick(TREATIES) if "assignee" in names else TREATIES[0]
        return Agreement(
            "acme",
            Scope("home", "P", "Home", self.pick(dialects)),
            Scope("acme", "P", "Acme", self.pick(dialects)),
            fields=tuple(self.rule(name) for name in names),
            comments=CommentRule(
                self.pick(
                    (frozenset(Side), frozenset({Side.INTERNAL}), frozenset({Side.VENDOR}), frozenset())
                ),
                self.pick(("{author} ({company})", "{company}: {author}")),
            ),
            people=people,
        )

    # -- values --

    def word(self) -> str:
        """A word that nobody has used yet."""
        self.words += 1
        return f"w{self.words}"

    def block(self) -> Block:
        """A block with words of its own."""
        kind = self.number(8)
        text = Text(f"{self.word()} and {self.word()}")
        match kind:
            case 0 | 1:
                return Paragraph((text,))
            case 2:
                items = (Paragraph((text,)), Paragraph((Text(self.word()),)))
                return BulletList(tuple(ListItem((item,)) for item in items))
            case 3:
                return CodeBlock(f"{self.word()} = {{x}}")
            case 4:
                return Heading(2, (text,))
            case 5:
                return Quote((Paragraph((text,)),))
            case 6:
                return Panel("info", (Paragraph((text,)),))
            case _:
                return Paragraph((text, Text(" "), self.pick((Mention("i0", "Ann"), Media("a.png")))))

    def text(self) -> Document:
        """A small text."""
        return Document(tuple(self.block() for _ in range(self.number(4))))

    def edited(self, text: Document) -> Document:
        """A person's edit of a text: a block more, less or another; or all of it gone."""
        kind = self.number(6)
        blocks = list(text.blocks)
        at = self.number(len(blocks) + 1)
        match kind:
            case 0 | 1:
                blocks.insert(at, self.block())
            case 2 | 3 if at < len(blocks):
                blocks[at] = self.block()
            case 4 if at < len(blocks):
                del blocks[at]
            case 5:
                blocks = []
        return Document(tuple(blocks))

    def value(self, side: Side, name: str) -> Value:
        """Any value that a person may give."""
        match name:
            case "assignee":
                return self.pick((None, *PEOPLE[side]))
            case "due":
                return self.pick(DATES)
            case "Impact":
                return self.pick((None, *LETTERS))
            case "labels":
                chosen = self.number(16)
                return frozenset(label for bit, label in enumerate(LABELS) if chosen >> bit & 1)
            case "description":
                return self.text()
            case _:
                return self.pick(LETTERS)

    # -- the world --

    def world(
        self,
        names: Sequence[str],
        *,
        starts: Sequence[str] = ("agreed", "linked", "create"),
        dialects=DIALECTS,
    ) -> World:
        """A link, agreed upon or just made or still to be made, and what people did to it since."""
        agreement = self.agreement(names, dialects)
        trackers = {
            side: Tracker(
                side,
                agreement.scope(side).dialect,
                PEOPLE[side],
                marks=self.chance(2),
                flattens="description" in names and self.chance(4),
            )
            for side in Side
        }
        world = self.made = World(agreement, trackers, self.decide, means_same)
        world.story.append(str(agreement))
        start = self.pick(starts)
        for tracker in trackers.values():
            tracker.created = world.tick()
        if start == "create":
            self._one_side(world)
        else:
            self._two_sides(world, agreed=start == "agreed")
        return world

    def _one_side(self, world: World) -> None:
        side = self.pick(tuple(Side))
        world.trackers[side.other].exists = False
        world.trackers[side.other].created = 0
        for rule in world.agreement.fields:
            value = self.value(side, rule.name)
            world.trackers[side].set(rule.name, value, world.tick())
            world.ledger.typed |= set(tokens(world.trackers[side].fields[rule.name]))

    def _two_sides(self, world: World, *, agreed: bool) -> None:
        fields: dict[Side, dict[str, Value]] = {side: {} for side in Side}
        if agreed:
            world.linked = set(Side)
            for rule in world.agreement.fields:
                base = self._base(world, rule)
                for side in Side:
                    fields[side][rule.name] = base[side]
                    world.trackers[side].set(rule.name, base[side], world.now)
                if means_same(world.agreement, rule.name, *base.values()):
                    world.ledger.met[rule.name] = (base[Side.INTERNAL], base[Side.VENDOR])
                    continue
                for side in Side:
                    del fields[side][rule.name]
            for side, known in fields.items():
                stored = {name: world.trackers[side].fields[name] for name in known}
                world.bases[side] = Base(stored, world.now, 0)
            world.tick()
        sides = tuple(Side) if self.chance(2) else (Side.VENDOR, Side.INTERNAL)
        for rule in world.agreement.fields:
            for side in sides:
                tracker = world.trackers[side]
                if not agreed or not self.chance(2):
                    self.edit_field(world, side, rule.name)
                tracker.changed.setdefault(rule.name, tracker.created)
            self.told[rule.name] = Before(
                world.trackers[Side.INTERNAL].fields[rule.name],
                world.trackers[Side.VENDOR].fields[rule.name],
                world.bases[Side.INTERNAL].fields.get(rule.name, MISSING),
                world.bases[Side.VENDOR].fields.get(rule.name, MISSING),
                (
                    world.trackers[Side.INTERNAL].changed[rule.name],
                    world.trackers[Side.VENDOR].changed[rule.name],
                ),
            )

    def _base(self, world: World, rule: FieldRule) -> dict[Side, Value]:
        internal = self.value(Side.INTERNAL, rule.name)
        if rule.name == "labels":
            vendor: object = self.value(Side.VENDOR, rule.name)
        elif isinstance(internal, Document):
            vendor = internal
        else:
            vendor = becomes(world.agreement, rule, internal, Side.INTERNAL)
            if vendor is STUCK:
                vendor = self.value(Side.VENDOR, rule.name)
        if rule.name == "assignee":
            vendor = world.trackers[Side.VENDOR].person(vendor)
        return {Side.INTERNAL: internal, Side.VENDOR: vendor}

    def edit_field(self, world: World, side: Side, name: str) -> None:
        """A person gives a field a value."""
        tracker = world.trackers[side]
        present = tracker.fields.get(name)
        if isinstance(present, Document) and present.blocks:
            value: Value = self.edited(present)
        else:
            value = self.value(side, name)
        world.give(side, name, value)

    def edit_comments(self, world: World, side: Side) -> None:
        """A person does something to the comments of a side."""
        tracker, ledger = world.trackers[side], world.ledger
        kind = self.number(8)
        names = list(tracker.comments)
        world.story.append(f"{side} comments, kind {kind}, of {tracker.comments}")
        if kind <= 2 or not names:
            private = self.chance(4)
            body = Document((self.block(),))
            if private:
                ledger.secret |= set(tokens(body))
            author = BOT[side] if self.chance(6) else self.pick(PEOPLE[side])
            name = tracker.say(author, body, world.tick(), private=private)
            if private:
                ledger.hidden.add((side, name))
            return
        name = self.pick(names)
        comment = tracker.comments[name]
        copy = name in ledger.copies[side]
        match kind:
            case 3 | 4:
                body = (
                    Document((*comment.body.blocks[:1], self.block())) if copy else Document((self.block(),))
                )
                if comment.private and not copy:
                    ledger.secret |= set(tokens(body))
                tracker.reword(name, body, world.tick())
                if copy:
                    ledger.rewritten[side, name] = set(
                        tokens(body.blocks[-1:] and Document(body.blocks[-1:]))
                    )
            case 5:
                del tracker.comments[name]
                if copy:
                    ledger.gone.add((side, name))
                tracker.touch(world.tick())
            case 6 if not copy:
                self._private(world, tracker, name, private=True)
            case 7 if not copy and comment.private:
                # What becomes public was not secret after all.
                ledger.secret -= set(tokens(comment.body))
                self._private(world, tracker, name, private=False)

    def _private(self, world: World, tracker: Tracker, name: str, *, private: bool) -> None:
        tracker.comments[name] = replace(tracker.comments[name], private=private)
        if private:
            world.ledger.hidden.add((tracker.side, name))
        tracker.touch(world.tick())

    def weather(self, *, stale: bool = True) -> Weather:
        """What goes wrong in the next round."""
        outcomes = tuple(self.pick(OUTCOMES) for _ in range(self.number(5)))
        trailing = self.pick(((), (Side.INTERNAL,), (Side.VENDOR,), tuple(Side))) if stale else ()
        return Weather(outcomes, self.number(100), frozenset(trailing))

    def orders(self) -> list[int]:
        """Seeds of the shuffles of the calm rounds."""
        seed = self.number(256)
        return [Random(seed + number).randrange(1_000) for number in range(5)]
