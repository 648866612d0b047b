"""A small world for the planner: two trackers, people who type, and a shell that fails.

The shell keeps its books as the daemon promises to (what is stored when, what a crash forgets, which intents are
found again), but is written anew here, so that the planner is judged by the rules and not by their first reader.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random

from bridge.markup import Block, Dialect, Document, Heading, Paragraph, plain, settle
from bridge.sync.agreement import Agreement
from bridge.sync.base import Base, CommentPair, PairState
from bridge.sync.plan import (
    Action,
    AddComment,
    CreateTicket,
    Decision,
    DeleteComment,
    EditComment,
    LinkBack,
    LinkView,
    Plan,
    SetStatus,
    UpdateFields,
    View,
)
from bridge.sync.ticket import Comment, FieldChange, Person, Side, Ticket, Value

Decide = Callable[[Agreement, LinkView], Plan]

TICK = 10_000_000
"""Microseconds between any two things that happen: more than the granularity of a tracker's clock."""

BOT = {side: Person(f"bot-{side[0]}", "Bridge", (f"bridge@{side}.example",)) for side in Side}
TOKEN = re.compile(r"\bw\d+\b")


@lru_cache(maxsize=50_000)
def shown(dialect: Dialect, document: Document) -> Document:
    """What a tracker of this dialect shows of a text."""
    return settle(dialect, document)


@lru_cache(maxsize=50_000)
def tokens(value: Value) -> tuple[str, ...]:
    """The made-up words of a text, in order."""
    return tuple(TOKEN.findall(plain(value))) if isinstance(value, Document) else ()


def flat(document: Document) -> Document:
    """What a tracker without headings makes of a text: the same words in another tree."""
    return Document(tuple(_flat(block) for block in document.blocks))


def _flat(block: Block) -> Block:
    return Paragraph(block.children) if isinstance(block, Heading) else block


class Tracker:
    """One ticket in one tracker, with everything that ever was on it.

    Args:
        side: which of the two.
        dialect: its markup.
        people: whom it knows.
        marks: whether it can carry a marker on a comment.
        flattens: whether it turns headings into paragraphs, whoever wrote them.
    """

    def __init__(
        self, side: Side, dialect: Dialect, people: Sequence[Person], *, marks: bool, flattens: bool
    ) -> None:
        self.side = side
        self.dialect: Dialect = dialect
        self.people = people
        self.marks = marks
        self.flattens = flattens
        self.exists = True
        self.fields: dict[str, Value] = {}
        self.comments: dict[str, Comment] = {}
        self.changed: dict[str, int] = {}
        self.created = self.updated = 0
        self.born = 0
        self.past: list[Ticket] = []

    def kept(self, value: Value) -> Value:
        """A value as this tracker stores it."""
        if isinstance(value, Document):
            document = shown(self.dialect, value)
            return shown(self.dialect, flat(document)) if self.flattens else document
        return value

    def person(self, handle: Value) -> Value:
        """The person that a handle means here."""
        if not isinstance(handle, str):
            return handle
        return next(one for one in self.people if handle in (one.id, *one.handles))

    def set(self, name: str, value: Value, now: int) -> None:
        """Somebody sets a field."""
        kept = self.kept(self.person(value) if name == "assignee" else value)
        if name not in self.fields or self.fields[name] != kept:
            self.changed[name] = now
        self.fields[name] = kept
        self.touch(now)

    def say(
        self, author: Person, body: Document, now: int, *, private: bool = False, marker: str = ""
    ) -> str:
        """Somebody comments; returns the comment's id."""
        self.born += 1
        name = f"{self.side[0]}{self.born}"
        kept = self.kept(body)
        assert isinstance(kept, Document)
        self.comments[name] = Comment(name, author, kept, now, now, private, marker if self.marks else "")
        self.touch(now)
        return name

    def reword(self, name: str, body: Document, now: int) -> None:
        """Somebody rewrites a comment."""
        kept = self.kept(body)
        assert isinstance(kept, Document)
        self.comments[name] = replace(self.comments[name], body=kept, updated=now)
        self.touch(now)

    def touch(self, now: int) -> None:
        """Something changed: the state becomes part of the past that a search may still show."""
        self.updated = now
        self.past.append(self.ticket())

    def history(self) -> tuple[FieldChange, ...]:
        """The last change of each field since the ticket was made; by whom, nobody here asks."""
        return tuple(
            FieldChange(f"{name}/{at}", at, None, name, "", "")
            for name, at in sorted(self.changed.items(), key=lambda change: change[1])
            if at > self.created
        )

    def ticket(self) -> Ticket:
        """The ticket as it is."""
        return Ticket(
            id=f"1{self.side[0]}",
            key=f"{self.side[0].upper()}-1",
            url=f"https://{self.side}.example/1",
            project="P",
            created=self.created,
            updated=self.updated,
            fields=dict(self.fields),
            comments=tuple(self.comments.values()),
        )


@dataclass(frozen=True)
class Weather:
    """What goes wrong in one round.

    Attributes:
        outcomes: for the actions in turn: ``ok``, ``refused`` (not done, the others go on), ``partly`` (one field of
            an update is refused), ``crash`` (done, but nothing of the round's books is stored).
        order: seed of the shuffle.
        stale: sides that are first seen through a search that may trail.
    """

    outcomes: tuple[str, ...] = ()
    order: int = 0
    stale: frozenset[Side] = frozenset()


CALM = Weather()


@dataclass
class Ledger:
    """What the world remembers, to judge the bridge by.

    Attributes:
        decisions: every decision that reached a tracker.
        losers: texts of people's that gave way, out of comments.
        unsent: (side, field) whose present value a person gave and the other side never had.
        met: field -> (internal, vendor) when they last agreed.
        writes: side -> how many writes of the bridge.
        copies: side -> copy's id -> original's id.
        owners: every write to an owner's side that was no first filling.
        silent: a person's words were overwritten and nobody kept them.
        leaks: private words seen on the other side.
        typed: tokens that people typed into texts, and did not take out again.
        secret: tokens that people typed into private comments.
        hidden: comments that were private at some time.
        gone: copies that people deleted.
        rewritten: copy -> words that people typed into it since the bridge last wrote it.
        double: originals that had two copies at once.
    """

    decisions: list[Decision] = field(default_factory=list)
    losers: list[str] = field(default_factory=list)
    unsent: set[tuple[Side, str]] = field(default_factory=set)
    met: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    writes: Counter[Side] = field(default_factory=Counter)
    copies: dict[Side, dict[str, str]] = field(default_factory=lambda: {side: {} for side in Side})
    owners: list[Decision] = field(default_factory=list)
    silent: list[Decision] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)
    secret: set[str] = field(default_factory=set)
    hidden: set[tuple[Side, str]] = field(default_factory=set)
    gone: set[tuple[Side, str]] = field(default_factory=set)
    rewritten: dict[tuple[Side, str], set[str]] = field(default_factory=dict)
    double: list[str] = field(default_factory=list)


class World:
    """A link between two trackers and the shell that works on it.

    Args:
        agreement: what the two parties agreed.
        trackers: the two tickets.
        decide: the planner under test.
        means_same: whether two values agree, by the test's own definition.
    """

    def __init__(
        self,
        agreement: Agreement,
        trackers: dict[Side, Tracker],
        decide: Decide,
        means_same: Callable[[Agreement, str, Value, Value], bool],
    ) -> None:
        self.agreement = agreement
        self.trackers = trackers
        self.decide = decide
        self.means_same = means_same
        self.now = 1_000 * TICK
        self.bases = {side: Base() for side in Side}
        self.pairs: dict[int, CommentPair] = {}
        self.linked: set[Side] = set()
        self.lost: tuple[Action, str] | None = None
        self.ledger = Ledger()
        self.last = Plan()
        self.story: list[str] = []

    def tick(self) -> int:
        """The next moment."""
        self.now += TICK
        return self.now

    # -- people --

    def give(self, side: Side, name: str, value: Value) -> None:
        """A person sets a field."""
        tracker = self.trackers[side]
        before = tracker.fields.get(name)
        tracker.set(name, value, self.tick())
        after = tracker.fields[name]
        self.story.append(f"{side} {name}: {before!r} -> {after!r}")
        self.ledger.typed -= set(tokens(before)) - set(tokens(after))
        self.ledger.typed |= set(tokens(after)) - set(tokens(before))
        if after != before:
            self.notice(side, name)

    def notice(self, side: Side, name: str) -> None:
        """Note whether a side's present value is news to the other side."""
        internal, vendor = (self.trackers[one].fields.get(name) for one in Side)
        present = self.trackers[side].fields.get(name)
        if self.means_same(self.agreement, name, internal, vendor):
            self.ledger.unsent -= {(Side.INTERNAL, name), (Side.VENDOR, name)}
            self.ledger.met[name] = (internal, vendor)
        elif name in self.ledger.met and present == self.ledger.met[name][side is Side.VENDOR]:
            self.ledger.unsent.discard((side, name))
        else:
            self.ledger.unsent.add((side, name))

    # -- the shell --

    def round(self, weather: Weather = CALM) -> Plan:
        """Read, decide, act, store: once. Returns the plan as it was carried out."""
        self._resolve()
        views = {side: self._view(side, stale=side in weather.stale) for side in Side}
        plan = self._plan(views)
        self.last = plan
        actions = list(plan.actions)
        Random(weather.order).shuffle(actions)
        self.story.append(
            f"bases {self.bases}\n  pairs {self.pairs}\n  {weather} -> {replace(plan, actions=tuple(actions))}"
        )
        settled = dict(plan.settled)
        pairs = list(plan.pairs)
        written: dict[Side, int] = {}
        pending = Counter(name for action in actions for name in _settling(action))
        for number, action in enumerate(actions):
            outcome = weather.outcomes[number] if number < len(weather.outcomes) else "ok"
            if outcome == "refused":
                continue
            refused = self._victim(action, weather.order) if outcome == "partly" else ""
            done, made = self._apply(action, refused)
            if outcome == "crash":
                if made:
                    self.lost = (action, made)
                if isinstance(action, LinkBack):
                    self.linked.add(action.side)
                return plan
            written[action.side] = self.now
            self._adopt(action, made, pairs)
            for name, base in _settling(action).items():
                pending[name] -= name in done
                if pending[name] == 0:
                    settled[name] = base
        self._store(views, settled, pairs, written)
        return plan

    def look(self, views: dict[Side, View], times: dict[str, tuple[int, int]] | None = None) -> LinkView:
        """The link as the planner is shown it."""
        return LinkView(
            origin=Side.INTERNAL if self.trackers[Side.INTERNAL].created else Side.VENDOR,
            marker="bridge-0",
            internal=views[Side.INTERNAL],
            vendor=views[Side.VENDOR],
            pairs=tuple(self.pairs.values()),
            linked=frozenset(self.linked),
            changed_at=times or {},
            histories={side: tracker.history() for side, tracker in self.trackers.items() if tracker.exists},
        )

    def views(self) -> dict[Side, View]:
        """Both sides as they are."""
        return {side: self._view(side, stale=False) for side in Side}

    def times(self, names: frozenset[str]) -> dict[str, tuple[int, int]]:
        """When each side last changed these fields."""
        return {
            name: (
                self.trackers[Side.INTERNAL].changed.get(name, self.trackers[Side.INTERNAL].created),
                self.trackers[Side.VENDOR].changed.get(name, self.trackers[Side.VENDOR].created),
            )
            for name in names
        }

    def _plan(self, views: dict[Side, View]) -> Plan:
        times: dict[str, tuple[int, int]] = {}
        while True:
            plan = self.decide(self.agreement, self.look(views, times))
            weak = [
                side
                for side in Side
                if not views[side].strong and (plan.destroys or plan.unsure or plan.rests_on(side))
            ]
            if not weak and not plan.unsure - times.keys():
                return plan
            for side in weak:
                views[side] = self._view(side, stale=False)
            if not weak:
                times = self.times(plan.unsure)

    def _view(self, side: Side, *, stale: bool) -> View:
        tracker, base = self.trackers[side], self.bases[side]
        if not tracker.exists:
            return View(None, base, strong=True, exists=False)
        if stale:
            # The oldest state that a search may show without the shell noticing.
            ticket = next((one for one in tracker.past if base.fresh(one.updated)), None)
            if ticket is not None:
                return View(ticket, base, strong=False)
        return View(tracker.ticket(), base)

    def _resolve(self) -> None:
        """What a crashed round made is found again by its mark."""
        if self.lost is not None:
            action, made = self.lost
            self.lost = None
            self._adopt(action, made, [])

    def _store(
        self,
        views: dict[Side, View],
        settled: dict[str, tuple[Value, Value]],
        pairs: list[CommentPair],
        written: dict[Side, int],
    ) -> None:
        for side in Side:
            base = self.bases[side]
            fields = dict(base.fields)
            for name, (internal, vendor) in settled.items():
                fields[name] = internal if side is Side.INTERNAL else vendor
            ticket = views[side].ticket
            seen = max(base.seen, ticket.updated) if ticket else base.seen
            self.bases[side] = Base(fields, seen, max(base.written, written.get(side, 0)))
        for pair in pairs:
            self.pairs[pair.id] = pair

    # -- carrying out --

    def _victim(self, action: Action, seed: int) -> str:
        match action:
            case UpdateFields(values=values) if len(values) > 1:
                return sorted(values)[seed % len(values)]
            case _:
                return ""

    def _apply(self, action: Action, refused: str) -> tuple[frozenset[str], str]:
        """Do it on the tracker; returns the fields it brought into agreement and the id of what it made."""
        tracker = self.trackers[action.side]
        self.ledger.writes[action.side] += 1
        match action:
            case CreateTicket():
                assert not tracker.exists, "a ticket is created once"
                tracker.exists = True
                tracker.created = self.tick()
                for name, value in action.values.items():
                    tracker.set(name, value, self.now)
                for rule in self.agreement.fields:
                    tracker.fields.setdefault(rule.name, born_with(rule.name))
                tracker.touch(self.now)
                return frozenset(), tracker.ticket().id
            case UpdateFields():
                assert action.values.keys() == action.settles.keys()
                assert [one.field for one in action.decisions] == list(action.values)
                self.tick()
                for decision in action.decisions:
                    if decision.field != refused:
                        assert decision.to is action.side
                        self._write(decision, action.values[decision.field])
                return frozenset(action.values.keys() - {refused}), ""
            case SetStatus():
                self.tick()
                self._write(action.decision, action.goal)
                return frozenset({"status"}), ""
            case AddComment():
                marker = f"bridge-0/{action.side}/{action.origin_id}"
                made = tracker.say(BOT[action.side], action.body, self.tick(), marker=marker)
                self._copied(action.side, made, action.origin_id)
                return frozenset(), made
            case EditComment():
                if action.pair.copy_id in tracker.comments:
                    if action.loser:
                        self.ledger.losers.append(action.loser)
                    tracker.reword(action.pair.copy_id, action.body, self.tick())
                return frozenset(), ""
            case DeleteComment():
                tracker.comments.pop(action.pair.copy_id, None)
                tracker.touch(self.tick())
                return frozenset(), ""
            case LinkBack():
                tracker.touch(self.tick())
                return frozenset(), ""

    def _write(self, decision: Decision, value: Value) -> None:
        side, name = decision.to, decision.field
        tracker, ledger = self.trackers[side], self.ledger
        ledger.decisions.append(decision)
        present = tracker.fields.get(name)
        assert decision.before == present, "a side is read by id before it is written"
        rule = self.agreement.field(name)
        assert rule is not None
        if rule.owner is side and decision.why != "initial":
            ledger.owners.append(decision)
        if (
            (side, name) in ledger.unsent
            and not isinstance(present, frozenset | Document)
            and present is not None
        ):
            base = self.bases[side].fields.get(name)
            news = present != (tracker.person(base.id) if isinstance(base, Person) else base)
            if news and decision.loser != (side, present):
                ledger.silent.append(decision)
        tracker.set(name, value, self.now)
        ledger.unsent.discard((side, name))
        self.notice(side.other, name)
        if decision.loser is not None:
            ledger.losers.append(" ".join(tokens(decision.loser[1])))

    def _copied(self, side: Side, made: str, origin: str) -> None:
        copies = self.ledger.copies[side]
        if any(known == origin and copy in self.trackers[side].comments for copy, known in copies.items()):
            self.ledger.double.append(origin)
        copies[made] = origin

    def _adopt(self, action: Action, made: str, pairs: list[CommentPair]) -> None:
        """What is noted at once, or at the end of the round."""
        match action:
            case CreateTicket():
                origin = self.trackers[action.side.other]
                self.bases[action.side] = Base(dict(action.shown))
                self.bases[action.side.other] = Base(
                    dict(action.origin_base), origin.updated, self.bases[action.side.other].written
                )
            case AddComment():
                number = len(self.pairs) + 1
                self.pairs[number] = CommentPair(
                    number,
                    action.side.other,
                    action.origin_id,
                    made,
                    action.origin_digest,
                    action.copy_digest,
                )
            case EditComment(pair=pair):
                there = pair.copy_id in self.trackers[action.side].comments
                pairs.append(
                    replace(pair, origin_digest=action.origin_digest, copy_digest=action.copy_digest)
                    if there
                    else replace(pair, state=PairState.COPY_DELETED)
                )
            case DeleteComment(pair=pair):
                pairs.append(replace(pair, state=PairState.ORIGIN_DELETED))
            case LinkBack():
                self.linked.add(action.side)


def _settling(action: Action) -> dict[str, tuple[Value, Value]]:
    match action:
        case UpdateFields(settles=settles):
            return dict(settles)
        case SetStatus(settles=base):
            return {"status": base}
        case _:
            return {}


def born_with(name: str) -> Value:
    """What a tracker fills in by itself on a new ticket."""
    if name == "labels":
        return frozenset()
    if name == "description":
        return Document()
    return "a" if name in {"status", "priority", "type"} else None
