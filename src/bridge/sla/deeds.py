"""Which changes of a field are deeds of the side in whose tracker they stand, and which only follow from another's.

What the bridge carries over is a copy, and so is each step of the way on which it takes a status there: they tell
nothing of their own, or an outage of the bridge would move somebody's deed by a day. Only a value that the other side
showed since this side changed last can be a copy: people who use the bridge's account are heard like anyone else.
What the bridge undid without its ever having crossed, and what is held or was refused, never happened as far as clocks
go: or a vendor could stop one by closing what only the other side may close.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.mapping import Carried, agree, carry, word
from bridge.sync.ticket import Person, Side, Value

IGNORED_SKEW = 2_000_000
"""Microseconds by which two clocks may differ without anybody minding: an answer takes as long."""

SLACK = IGNORED_SKEW + 1_000_000
"""Microseconds by which a copy may seem older than its original: clocks differ, some trackers tell whole seconds."""

STRIDE = 60_000_000
"""Microseconds between two steps of one walk of the bridge through a workflow, at most."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A field that is followed.

    Attributes:
        rule: what the agreement says of it.
        personal: its values are people: each side has its own, and nothing of it is a copy.
        sides: where it is looked at.
    """

    rule: FieldRule
    personal: bool = False
    sides: frozenset[Side] = frozenset(Side)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A change of a field.

    Attributes:
        at: microseconds of our clock.
        side: where it stands.
        tracked: of which field.
        before: the value before, in that side's own words.
        after: the value since, likewise; "" of a settled change, whose words are known only as ``value``.
        value: the value since, in the internal side's words.
        who: who did it.
        own: our own account did.
        event: evidence.
        number: id in that tracker's history, as holds name it; "" for none.
        raw_at: microseconds of the tracker's clock.
        observed: the bridge saw it; no history tells it.
        settled: it counted when the timeline was built last, and the tracker does not tell it any more.
    """

    at: int
    side: Side
    tracked: Tracked
    before: str
    after: str
    value: str
    who: str
    own: bool
    event: str
    number: str = ""
    raw_at: int = 0
    observed: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Birth:
    """What a side's ticket showed in a field when it came into being."""

    at: int
    raw: str
    value: str


@dataclass(slots=True)
class Course:
    """One field on both sides.

    Attributes:
        agreement: the terms.
        tracked: the field.
        births: what each side began with; a side without a ticket is absent.
        lanes: each side's changes, oldest first.
    """

    agreement: Agreement
    tracked: Tracked
    births: Mapping[Side, Birth]
    lanes: Mapping[Side, Sequence[Change]]
    _followed: set[Change] = field(default_factory=set)

    def counting(self, holds: Sequence[Hold]) -> set[Change]:
        """The changes that are deeds.

        Args:
            holds: all holds that the link ever had.
        """
        every = {one for lane in self.lanes.values() for one in lane}
        if self.tracked.personal:
            return every
        for lane in self.lanes.values():
            for number, one in enumerate(lane):
                if self._copied(number, one):
                    self._followed.add(one)
        for lane in self.lanes.values():
            self._walked(lane)
        undone = {one for lane in self.lanes.values() for one in self._undone(lane)}
        refused = {
            one for hold in holds if hold.field == self.tracked.rule.name for one in self._kept_back(hold)
        }
        return {one for one in every if one.settled or one not in self._followed | undone | refused}

    def _copied(self, number: int, one: Change) -> bool:
        """Whether a change made the ticket show what the other side showed at some time since it changed last."""
        if one.settled or not (one.own or one.observed):
            return False
        return any(self._alike(one, raw, value) for raw, value in self._other(number, one))

    def _other(self, number: int, one: Change) -> Iterator[tuple[str, str]]:
        """What the other side showed between the change before this one and this one."""
        lane, birth = self.lanes[one.side], self.births.get(one.side)
        since = lane[number - 1].at if number else birth.at if birth is not None else 0
        yield from self._showed(one.side.other, since, one.at)
        for later in self.lanes[one.side.other]:
            # Of the bridge's own two writes the later one is the copy, however close they are.
            if one.at < later.at <= one.at + SLACK and not later.own:
                yield later.after, later.value

    def _showed(self, side: Side, since: int, until: int) -> Iterator[tuple[str, str]]:
        """What a side showed at any time from one moment to another, in its words and in the internal side's."""
        lane, birth = self.lanes[side], self.births.get(side)
        before = list(takewhile(lambda one: one.at <= since, lane))
        if before:
            yield before[-1].after, before[-1].value
        elif birth is not None:
            yield birth.raw, birth.value
        for one in lane[len(before) :]:
            if one.at > until:
                return
            yield one.after, one.value

    def _alike(self, one: Change, raw: str, value: str) -> bool:
        """Whether a change's value is, to the agreement, what the other side shows."""
        if one.value == value:
            return True
        ours, theirs = (value, one.after) if one.side is Side.VENDOR else (one.value, raw)
        return bool(theirs) and agree(self.agreement, self.tracked.rule, ours or None, theirs)

    def _met(self, one: Change, until: int) -> bool:
        """Whether the other side showed the value as well, from its time on up to a moment."""
        shown = self._showed(one.side.other, one.at, until)
        return any(self._alike(one, raw, value) for raw, value in shown)

    def _walked(self, lane: Sequence[Change]) -> None:
        """Find the steps of the bridge's own walks: each is followed at once by the next one, or named as a way."""
        following: Change | None = None
        for number in range(len(lane) - 1, -1, -1):
            one = lane[number]
            if one.own and not one.settled and one not in self._followed:
                went_on = following in self._followed and following is not None and following.own
                if (
                    went_on
                    and following is not None
                    and following.at - one.at <= STRIDE
                    and not self._met(one, following.at)
                ) or self._on_the_way(number, one):
                    self._followed.add(one)
            following = one

    def _on_the_way(self, number: int, one: Change) -> bool:
        """Whether the agreement names it as a step towards what the other side showed."""
        ways = self.tracked.rule.via.get(one.side, {})
        goals = [goal for goal, steps in ways.items() if one.after in steps]
        shown = list(self._other(number, one)) if goals else []
        for goal in goals:
            meant = internal_word(self.agreement, self.tracked.rule, goal, one.side)
            if any(
                meant == value
                or agree(
                    self.agreement,
                    self.tracked.rule,
                    *((value, goal) if one.side is Side.VENDOR else (goal, raw)),
                )
                for raw, value in shown
            ):
                return True
        return False

    def _undone(self, lane: Sequence[Change]) -> Iterator[Change]:
        """Changes that the bridge took back before they had crossed, while the other side did nothing."""
        run: list[Change] = []
        for one in lane:
            if not (one.own or one.settled or one.observed):
                run.append(one)
                continue
            if run and one.own and one in self._followed:
                elsewhere = self.lanes[one.side.other]
                moved = any(run[0].at < other.at <= one.at and not other.own for other in elsewhere)
                if not moved and not any(self._met(former, one.at) for former in run):
                    yield from run
            run = []

    def _kept_back(self, hold: Hold) -> Iterator[Change]:
        """The changes that a hold keeps from counting, or kept for good."""
        winner = (
            hold.winner
            if hold.winner is not None
            else (hold.side if hold.state in {HoldState.APPROVED, HoldState.CROSSED} else None)
        )
        mine = self._of(hold)
        if hold.state is HoldState.WITHDRAWN:
            # Settled without anybody's word: it stands if it was carried over after all.
            yield from (one for one in mine if not self._carried(one))
        elif winner is not hold.side:
            yield from mine
        undecided = hold.state is HoldState.OPEN or winner is hold.side
        if hold.kind is HoldKind.CONFLICT and undecided:
            theirs = [
                one for one in self.lanes[hold.side.other] if told(hold.other) in {one.after, one.value}
            ]
            yield from theirs[-1:]

    def _of(self, hold: Hold) -> list[Change]:
        """The changes on its side that a hold is about."""
        lane = [one for one in self.lanes[hold.side] if not one.own]
        open_still = hold.closed_at is None and hold.state is not HoldState.REVERTED
        sure = [
            one
            for one in lane
            if (hold.event and hold.event == one.number) or (open_still and one.raw_at >= hold.since)
        ]
        if hold.event:
            return sure
        # Where no history told its author, the hold knows only when it was seen: the change came last before that.
        over = hold.closed_at if hold.closed_at is not None else hold.since
        alike = [one for one in lane if told(hold.value) in {one.after, one.value} and one not in sure]
        before = [one for one in alike if one.raw_at < hold.since]
        during = [one for one in alike if hold.since <= one.raw_at <= over]
        return [*before[-1:], *during, *sure]

    def _carried(self, one: Change) -> bool:
        """Whether the bridge wrote this value on the other side later."""
        later = [other for other in self.lanes[one.side.other] if other.own and other.at >= one.at - SLACK]
        return any(self._alike(one, other.after, other.value) for other in later)


def told(value: Value) -> str:
    """A value as a history prints it; "" for what no clock looks at."""
    if isinstance(value, Person):
        return value.name or value.id
    return word(value) if isinstance(value, str | float | bool) else ""


def internal_word(agreement: Agreement, rule: FieldRule, value: str, side: Side) -> str:
    """A value in the internal side's words; as it is where it has no pair there."""
    if side is Side.INTERNAL or not value or not rule.values:
        return value
    carried = carry(agreement, rule, value, Side.INTERNAL)
    shown = carried.shown if isinstance(carried, Carried) else value
    return word(shown) if isinstance(shown, str | float | bool) else value
