"""Rights and holds in random worlds: whatever people do, and whoever decides when, nothing crosses that may not.

The rights are said here a second time, in a few lines and without the planner's code (:func:`allowed`). People of
several roles edit both sides in fair and bad weather while approvers decide, change their minds, or let time decide.
"""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from planner_rules import means_same
from planner_world import BOT, TICK, Tracker, World
from planner_worlds import CHANCES, Maker

from bridge.sync.agreement import Agreement, FieldRule, Rule, Scope
from bridge.sync.base import CommentPair, PairState
from bridge.sync.decide import decide
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.holdnotes import HOLDS
from bridge.sync.plan import WriteNote
from bridge.sync.roles import Grant, HoldRule, Role, Unentitled
from bridge.sync.ticket import FieldChange, Person, Side

EXAMPLES = int(os.environ.get("BRIDGE_EXAMPLES", "10000"))
LETTERS = ("a", "b", "c")
STAFF = {
    side: tuple(
        Person(f"{side[0]}{number}", name, (f"{name.lower()}@{side}.example",))
        for number, name in enumerate(("Ann", "Bo"))
    )
    for side in Side
}
LEAD = {side: Role(f"{side}-lead", side, people=(f"ann@{side}.example",)) for side in Side}
BY = ((), ("internal-lead",), ("vendor-lead",), ("bo@vendor.example",), ("bo@internal.example",))
ENDED = {HoldState.CROSSED, HoldState.RESTORED, HoldState.OVERTAKEN, HoldState.WITHDRAWN}


class Recorder(Tracker):
    """A ticket that knows who changed what."""

    def __init__(self, side: Side) -> None:
        super().__init__(side, "adf", STAFF[side], marks=True, flattens=False)
        self.author = BOT[side]
        self.events: list[FieldChange] = []

    def history(self) -> tuple[FieldChange, ...]:
        return tuple(self.events)

    def set(self, name, value, now) -> None:
        before = self.fields.get(name)
        super().set(name, value, now)
        if self.fields[name] != before:
            event = f"{self.side[0]}{len(self.events)}"
            self.events.append(FieldChange(event, now, self.author, name, str(before), str(value)))


class Court(World):
    """A world with rights, approvers and a store for holds."""

    def __init__(self, agreement: Agreement) -> None:
        trackers = {side: Recorder(side) for side in Side}
        super().__init__(agreement, trackers, decide, means_same)
        self.holds: dict[int, Hold] = {}
        self.approved: set[tuple[str, str]] = set()
        self.undone: dict[tuple[str, Side, str], int] = {}
        self.notes = dict.fromkeys(Side, 0)

    def look(self, views, times=None):
        seen = super().look(views, times)
        return replace(seen, holds=tuple(self.holds.values()), now=self.now)

    def edit(self, side: Side, name: str, value, who: Person) -> None:
        """Somebody changes a field."""
        self.trackers[side].author = who
        self.give(side, name, value)
        self.story[-1] += f" by {who.handles}"
        self.trackers[side].author = BOT[side]

    def _store(self, views, settled, pairs, written) -> None:
        super()._store(views, settled, pairs, written)
        for hold in self.last.holds:
            if hold.state.owed and hold.field not in settled:
                continue
            number = hold.id or len(self.holds) + 1
            live = [one for one in self.holds.values() if one.state.live and one.field == hold.field]
            assert all(one.id == number for one in live), "one live hold for each field"
            self.holds[number] = replace(hold, id=number)

    def _apply(self, action, refused):
        if isinstance(action, WriteNote):
            self.notes[action.side] += action.pair is None
            number = action.pair.id if action.pair else len(self.pairs) + 1
            self.pairs[number] = CommentPair(
                number, action.side.other, "", f"note{number}", HOLDS, action.said, PairState.NOTE
            )
            return frozenset(), ""
        return super()._apply(action, refused)

    def _write(self, decision, value) -> None:
        self._judge(decision)
        super()._write(decision, value)

    def _judge(self, decision) -> None:
        rule = self.agreement.field(decision.field)
        source = self.trackers[decision.to.other]
        if decision.why in {"owner", "reverted", "rejected"} and decision.loser is not None:
            here, there = self.trackers[decision.to].fields[decision.field], source.fields[decision.field]
            if decision.why == "reverted":
                key = (decision.field, decision.to, repr(there))
                self.undone[key] = self.undone.get(key, 0) + 1
            assert isinstance(here, frozenset) or decision.after == there
            return
        if decision.why == "approved":
            present = source.fields[decision.field]
            if isinstance(present, str):
                assert (decision.field, present) in self.approved, "approved by nobody"
                return
            here = self.trackers[decision.to].fields[decision.field]
            for member in decision.after ^ here:
                lawful = any(allowed(rule, source.side, None, member, who) for who in STAFF[source.side])
                assert lawful or (decision.field, member) in self.approved, "approved by nobody"
            return
        if decision.flagged:
            assert self.agreement.unentitled(rule) is Unentitled.FLAG
            return
        base = self.bases[source.side].fields.get(decision.field)
        # A set may have been written on the other side by this very plan.
        made = [
            one for one in source.events if one.field == decision.field and one.author is not BOT[source.side]
        ]
        if made and isinstance(decision.after, str):
            assert allowed(rule, source.side, base, decision.after, made[-1].author), decision
        if made and isinstance(decision.after, frozenset):
            here = self.trackers[decision.to].fields[decision.field]
            for member in decision.after ^ here:
                assert allowed(rule, source.side, None, member, made[-1].author), decision


def allowed(rule: FieldRule, side: Side, before, after: str, who: Person | None) -> bool:
    """The rights, once more: may this person of this side make that of a field?"""
    given = rule.may.get(side, () if rule.owner is side.other else None)
    if given is None:
        return True
    return any(
        grant.to in {"*", after}
        and grant.before in {"*", before}
        and (
            not grant.by
            or (who is not None and who.handles[0] in grant.by)
            or (who is not None and f"{side}-lead" in grant.by and who.handles[0].startswith("ann@"))
        )
        for grant in given
    )


def terms(maker: Maker) -> Agreement:
    """A random agreement with rights."""
    return Agreement(
        "acme",
        Scope("home", "P", "Home", "adf"),
        Scope("acme", "P", "Acme", "adf", edits_texts=not maker.chance(4)),
        fields=tuple(field(maker, name) for name in ("priority", "labels", "summary")),
        roles=tuple(LEAD.values()),
        holds=HoldRule(
            {side: f"{side}-lead" for side in Side},
            maker.pick(("", "internal-lead")),
            maker.pick((None, 20 * TICK)),
            maker.pick(("wait", "reject", "approve")),
        ),
    )


def field(maker: Maker, name: str) -> FieldRule:
    owner = maker.pick((None, *Side))
    rule = Rule.OWNER if owner else maker.pick((Rule.NEWEST, Rule.HOLD))
    if name == "labels":
        rule, owner = Rule.MERGE, None
    values = ("sev-1", "sev-2") if name == "labels" else LETTERS
    may = {}
    for side in Side:
        if maker.chance(2):
            may[side] = tuple(
                Grant(
                    maker.pick(("*", *values)),
                    "*" if name == "labels" else maker.pick(("*", *values)),
                    maker.pick(BY),
                )
                for _ in range(maker.number(3))
            )
    mode = maker.pick((None, *Unentitled))
    return FieldRule(name, rule, owner, may=may, unentitled=mode)


def value(maker: Maker, name: str):
    if name == "labels":
        chosen = maker.number(4)
        return frozenset(label for bit, label in enumerate(("sev-1", "sev-2")) if chosen >> bit & 1)
    return maker.pick(LETTERS)


def begin(maker: Maker) -> Court:
    court = Court(terms(maker))
    court.linked = set(Side)
    start = {"priority": "a", "summary": "a", "labels": frozenset({"sev-1"})}
    for tracker in court.trackers.values():
        tracker.created = court.tick()
        for name, one in start.items():
            tracker.set(name, one, court.now)
    for side in Side:
        court.bases[side] = replace(court.bases[side], fields=dict(start), seen=court.now)
    for name, one in start.items():
        court.ledger.met[name] = (one, one)
    court.tick()
    return court


def rule_on_holds(maker: Maker, court: Court) -> None:
    """Somebody decides, for or against, and perhaps too late."""
    for number, hold in list(court.holds.items()):
        if hold.state is not HoldState.OPEN or maker.chance(2):
            continue
        winner = maker.pick(tuple(Side)) if hold.kind is HoldKind.CONFLICT else None
        approve = winner is not None or maker.chance(2)
        state = HoldState.APPROVED if approve else HoldState.REJECTED
        court.holds[number] = replace(
            hold, state=state, winner=winner, decided_by="ann", decided_at=court.now
        )
        court.story.append(f"hold {number} {state} {winner}")
        if approve:
            chosen = hold.other if winner is hold.side.other else hold.value
            other = hold.before if isinstance(chosen, frozenset) and winner is None else hold.other
            members = chosen ^ other | hold.value ^ hold.other if isinstance(chosen, frozenset) else {chosen}
            court.approved |= {(hold.field, member) for member in members}


def live(maker: Maker, court: Court) -> None:
    """People edit and decide; the bridge looks now and then, in any weather."""
    if court.agreement.holds.then == "approve":
        # Time may approve anything that was held.
        court.approved |= {(name, one) for name in ("priority", "summary") for one in LETTERS}
        court.approved |= {("labels", one) for one in ("sev-1", "sev-2")}
    for _ in range(1 + maker.number(6)):
        for _ in range(maker.number(4)):
            side, name = maker.pick(tuple(Side)), maker.pick(("priority", "labels", "summary"))
            court.edit(side, name, value(maker, name), maker.pick(STAFF[side]))
        court.round(maker.weather(stale=False))
        if maker.chance(2):
            rule_on_holds(maker, court)
        if maker.chance(4):
            court.now += 30 * TICK


def settle(court: Court) -> None:
    """Calm rounds until nothing is left to do."""
    for _ in range(12):
        before = dict(court.ledger.writes)
        plan = court.round()
        if not plan.holds and before == dict(court.ledger.writes) and not plan.settled:
            return
    raise AssertionError("no peace in 12 rounds")


@settings(
    max_examples=max(1, round(EXAMPLES * 0.2)),
    deadline=None,
    database=None,
    derandomize="BRIDGE_EXAMPLES" not in os.environ,
    print_blob=True,
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(CHANCES)
def test_nothing_crosses_that_its_author_may_not_change_and_peace_comes(chances) -> None:
    maker = Maker(chances, decide)
    court = begin(maker)
    try:
        live(maker, court)
        settle(court)
        for rule in court.agreement.fields:
            ours, theirs = (court.trackers[side].fields[rule.name] for side in Side)
            held = [
                one for one in court.holds.values() if one.field == rule.name and one.state is HoldState.OPEN
            ]
            told = [one for one in court.last.findings if one.field == rule.name]
            assert ours == theirs or (held and told), f"{rule.name} differs and nobody says so"
            assert len(held) == len(told), f"{rule.name}: {held} and {told}"
        for side in Side:
            if court.agreement.scope(side).edits_texts:
                assert court.notes[side] <= 1, "one note, updated in place"
        for count in court.undone.values():
            assert count <= 2 + len(court.story), "undoing has an end"
        for hold in court.holds.values():
            assert (hold.closed_at is not None) == (hold.state in ENDED)
    except AssertionError as error:
        error.add_note("\n".join([str(court.agreement), *court.story, str(court.holds)]))
        raise


@settings(max_examples=max(1, round(EXAMPLES * 0.02)), deadline=None, database=None, derandomize=True)
@given(CHANCES)
def test_a_machine_that_insists_is_undone_twice_and_no_more(chances) -> None:
    maker = Maker(chances, decide)
    court = begin(maker)
    rule = FieldRule("priority", Rule.NEWEST, may={Side.VENDOR: ()}, unentitled=Unentitled.REVERT)
    court.agreement = replace(
        court.agreement, fields=(rule,), holds=HoldRule({Side.INTERNAL: "internal-lead"})
    )
    for _ in range(8):
        court.edit(Side.VENDOR, "priority", maker.pick(("b", "c")), STAFF[Side.VENDOR][1])
        court.round()
        court.round()
    assert court.ledger.writes[Side.VENDOR] - court.notes[Side.VENDOR] <= 2 + 8  # the note is updated
    assert len([one for one in court.ledger.decisions if one.why == "reverted"]) == 2
    (hold,) = [one for one in court.holds.values() if one.state is HoldState.OPEN]
    assert hold.kind is HoldKind.PING_PONG
    assert court.trackers[Side.INTERNAL].fields["priority"] == "a"
