"""What becomes of one field, in sight of who may change it: the merge, and the holds around it.

The merge says what would cross; here stands whether it may. A change that its author may not make is held for people,
undone, or marked and let through; a decision of people covers the values that it was about and no others; and what was
undone twice and comes back is left alone, for a machine that insists would otherwise be fought for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from bridge.sync.agreement import Agreement, FieldRule, Rule
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.mapping import agree, same
from bridge.sync.merge import MISSING, Agreed, Cross, Now, Outcome, Quiet, Stuck, Why, changed, cross, told
from bridge.sync.ownership import Authorship, approver, at_issue, authorship, entitled, grants
from bridge.sync.plan import LinkView
from bridge.sync.roles import Unentitled
from bridge.sync.ticket import SECOND, Side, Value

MOST_ROUNDS = 2
"""How often a change is undone before it is left to people."""

LATELY = 24 * 3_600 * SECOND
"""Within what time those are counted: somebody who tries once a month is no machine."""

NOTHING: Final = Quiet()

Merge = Callable[[Now], Outcome]


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a field.

    Attributes:
        outcome: what to do; Quiet when it waits for people or for the history.
        hold: the field's hold as it is from now on, where that is new.
        held: why something of it waits for people; also beside an outcome that lets the rest of a set cross.
        asks: sides whose history is needed before anything can be said, or to say who it was.
        by: who decided, of a hold that is carried out.
        made: who made the change that a hold let through; None for everything else.
        flagged: the change that crosses was not its author's to make.
    """

    outcome: Outcome
    hold: Hold | None = None
    held: Stuck | None = None
    asks: frozenset[Side] = frozenset()
    by: str = ""
    made: Authorship | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """One field with all that its judgement rests on: its live hold, and the merge as it would be without rights."""

    agreement: Agreement
    link: LinkView
    rule: FieldRule
    now: Now
    merge: Merge
    hold: Hold | None

    def cross(self, source: Side, why: Why, *, lost: bool = False) -> Outcome:
        """The source's value stands."""
        return cross(self.agreement, self.rule, self.now, source, why, lost=lost)

    def entitled(self, side: Side) -> bool | None:
        """Whether a side's change was its author's to make; None when only the history can tell."""
        return entitled(self.agreement, self.link, self.rule, self.now, side)

    @property
    def by_members(self) -> bool:
        """Whether both sides' changes of the field go together, member by member."""
        now = self.now
        values = (now.internal, now.vendor, now.base_internal, now.base_vendor)
        return self.rule.rule is Rule.MERGE and all(isinstance(value, frozenset) for value in values)


def judge(agreement: Agreement, link: LinkView, rule: FieldRule, now: Now, merge: Merge) -> Judged:
    """Decide what becomes of one field.

    Args:
        agreement: the terms.
        link: both sides, the link's holds, and the histories asked so far.
        rule: the field's rule.
        now: the field.
        merge: what would become of it if everybody might change everything.
    """
    hold = next((one for one in link.holds if one.field == rule.name and one.state.live), None)
    case = _Case(agreement, link, rule, now, merge, hold)
    if agree(agreement, rule, now.internal, now.vendor):
        ended = None if hold is None else _over(case, hold)
        # Recorded as agreed once more: what a hold led to is over together with its field's base.
        return Judged(merge(now) if ended is None else Agreed(), ended)
    if hold is not None and _unmoved(case, hold):
        known = _known(case, _timed(case, hold))
        if known is not None:
            return known
    return _fresh(case)


# --- a change that is known ----------------------------------------------------------------------


def _known(case: _Case, hold: Hold) -> Judged | None:
    """The field whose values are those that its hold is about; None when it has to be judged anew."""
    match hold.state:
        case HoldState.OPEN:
            beside = _beside(case, hold)
            if beside is None:
                return Judged(NOTHING, held=_told_held(case, hold), asks=frozenset({hold.side.other}))
            if hold.kind is not HoldKind.CONFLICT and case.entitled(hold.side) is None:
                return Judged(NOTHING, held=_told_held(case, hold), asks=frozenset({hold.side}))
            return None if _moot(case, hold) or not beside else _wait(case, hold)
        case HoldState.APPROVED:
            return _carried_out(case, hold, hold.winner or hold.side)
        case HoldState.REJECTED:
            again = _made_again(case, hold)
            if again is None:
                return Judged(NOTHING, held=_told_held(case, hold), asks=frozenset({hold.side}))
            return None if again else _carried_out(case, hold, hold.side.other)
        case _:
            return None


def _timed(case: _Case, hold: Hold) -> Hold:
    """The hold, decided by time if that is agreed and has come. Between two sides time takes none."""
    terms, now = case.agreement.holds, case.link.now
    overdue = terms.expire is not None and hold.state is HoldState.OPEN and now >= hold.since + terms.expire
    if not overdue or terms.then == "wait" or hold.kind is HoldKind.CONFLICT:
        return hold
    state = HoldState.APPROVED if terms.then == "approve" else HoldState.REJECTED
    return replace(hold, state=state, decided_at=now, reason="nobody decided in time")


def _moot(case: _Case, hold: Hold) -> bool:
    """Whether the agreement, changed since, leaves nothing to hold."""
    sides = tuple(Side) if hold.kind is HoldKind.CONFLICT else (hold.side,)
    if not all(case.entitled(side) for side in sides):
        return False
    return hold.kind is not HoldKind.CONFLICT or not _is_conflict(case.merge(case.now))


def _made_again(case: _Case, hold: Hold) -> bool | None:
    """Whether the same value stands there by another change than the one that was decided about.

    Somebody who may could have set it since, and their change is not what was rejected. None: its history can tell.
    """
    if not hold.event:
        return False
    made = authorship(case.link, case.rule, hold.side)
    return None if made is None else bool(made.event) and made.event != hold.event


def _carried_out(case: _Case, hold: Hold, source: Side) -> Judged:
    """A hold that was decided: the chosen side's value stands."""
    approved = hold.state is HoldState.APPROVED
    if approved and case.by_members and hold.kind is not HoldKind.CONFLICT:
        beside = _beside(case, hold)
        if beside is None:
            return Judged(NOTHING, asks=frozenset({hold.side.other}))
        outcome = _members(case, () if beside else (hold.side.other,))
        if isinstance(outcome, Cross):
            outcome = replace(outcome, why="approved", winner=hold.side)
    elif approved:
        outcome = case.cross(source, "approved", lost=hold.kind is HoldKind.CONFLICT)
    else:
        outcome = _put_back(case, hold, source)
    if not isinstance(outcome, Cross):
        return Judged(outcome)
    state = HoldState.CROSSED if approved else HoldState.RESTORED
    ended = replace(hold, state=state, closed_at=case.link.now)
    made = Authorship(hold.actor, hold.since, hold.event)
    theirs = approved and source is hold.side
    return Judged(outcome, ended, by=hold.decided_by, made=made if theirs else None)


def _put_back(case: _Case, hold: Hold, source: Side) -> Outcome:
    """The value of the other side, or of a set only the members that were held."""
    return (
        _revert(case, hold.side, "rejected") if case.by_members else case.cross(source, "rejected", lost=True)
    )


def _beside(case: _Case, hold: Hold) -> bool | None:
    """Whether what the other side did to the same set is its own to do; None when only its history can tell."""
    if not case.by_members or hold.kind is HoldKind.CONFLICT:
        return True
    other = hold.side.other
    return case.entitled(other) if any(at_issue(case.rule, case.now, other)) else True


# --- a change that is new ------------------------------------------------------------------------


def _fresh(case: _Case) -> Judged:
    """The field as if nobody had looked at it before; a hold that it has is about other values."""
    suspects = _suspects(case)
    if suspects is None:
        return Judged(NOTHING, asks=frozenset(side for side in Side if case.now.base(side) is MISSING))
    verdicts = {side: case.entitled(side) for side in suspects}
    unknown = frozenset(side for side, verdict in verdicts.items() if verdict is None)
    if unknown:
        return Judged(NOTHING, asks=unknown)
    bad = [side for side in suspects if not verdicts[side]]
    if not bad:
        return _lawful(case, suspects)
    good = [side for side in suspects if side not in bad]
    asks = frozenset(side for side in bad if side not in case.link.histories)
    judged = _unlawful(case, bad, good)
    return replace(judged, asks=judged.asks | asks)


def _suspects(case: _Case) -> list[Side] | None:
    """Sides that changed the field since both were in agreement; None when only the history of a side can tell.

    What stands on a mirror that has been looked at never since it was made may be what its tracker filled in by
    itself, which is nobody's change; a value that its history knows is somebody's.
    """
    rule, now = case.rule, case.now
    lacking = [side for side in Side if now.base(side) is MISSING]
    if not lacking:
        return [side for side in Side if changed(rule, now, side)]
    outcome = case.merge(now)
    if not isinstance(outcome, Cross):
        return []
    if len(lacking) == len(Side):
        # Linked by hand, or newly agreed: where only the time would choose, the later value needs its side's right.
        return [outcome.winner] if outcome.winner is not None and outcome.why == "newest" else []
    fresh, origin = lacking[0], lacking[0].other
    moved = [origin] if fresh in outcome.writes and changed(rule, now, origin) else []
    overruled = bool(moved) and case.entitled(origin) is False
    if not overruled and (origin not in outcome.writes or grants(rule, fresh) is None):
        return moved
    made = authorship(case.link, rule, fresh)
    if made is None:
        return None
    return [*moved, fresh] if made.at else moved


def _lawful(case: _Case, suspects: list[Side]) -> Judged:
    """Nobody did what they may not: the merge stands, and what was held about other values is over."""
    outcome = case.merge(case.now)
    if len(suspects) == 1 and isinstance(outcome, Cross) and outcome.winner is suspects[0].other:
        # Somebody other than the owner, whom the agreement lets do this.
        outcome = case.cross(suspects[0], "changed")
    if _is_conflict(outcome):
        return _disputed(case)
    if case.hold is not None and not suspects and isinstance(outcome, Quiet):
        taken_back = replace(case.hold, state=HoldState.WITHDRAWN, closed_at=case.link.now)
        return Judged(outcome, None if case.hold.state is HoldState.REVERTED else taken_back)
    return Judged(outcome, _overtaken(case, outcome))


def _unlawful(case: _Case, bad: list[Side], good: list[Side]) -> Judged:
    """Somebody did what they may not."""
    mode = case.agreement.unentitled(case.rule)
    if good and not case.by_members:
        # The other side's change is lawful and reaches this one, which settles it.
        outcome = case.cross(good[0], "owner", lost=True)
        return Judged(outcome, _overtaken(case, outcome))
    if mode is Unentitled.FLAG:
        together = bool(good) or len(bad) > 1
        outcome = case.merge(case.now) if together else case.cross(bad[0], "changed")
        if _is_conflict(outcome):
            return _disputed(case)
        return Judged(outcome, _overtaken(case, outcome), flagged=True)
    if len(bad) > 1:
        return _disputed(case)
    if mode is Unentitled.REVERT:
        return _undone(case, bad[0])
    opened = _opened(case, bad[0], HoldKind.UNENTITLED)
    return replace(_wait(case, opened), hold=opened)


def _disputed(case: _Case) -> Judged:
    """Two values between which people have to decide."""
    asks = frozenset(side for side in Side if side not in case.link.histories)
    opened = _opened(case, Side.VENDOR, HoldKind.CONFLICT)
    return Judged(NOTHING, opened, _told_conflict(case), asks)


def _undone(case: _Case, side: Side) -> Judged:
    """A change that is undone at once, unless it was undone often enough."""
    before = _rounds(case, side)
    if before >= MOST_ROUNDS:
        opened = replace(_opened(case, side, HoldKind.PING_PONG), rounds=before)
        return replace(_wait(case, opened), hold=opened)
    outcome = _revert(case, side, "owner" if case.rule.owner is side.other else "reverted")
    if not isinstance(outcome, Cross):
        return Judged(outcome)
    undone = _opened(case, side, HoldKind.UNENTITLED)
    return Judged(outcome, replace(undone, state=HoldState.REVERTED, rounds=before + 1))


def _rounds(case: _Case, side: Side) -> int:
    """How often this side's changes were undone of late, against the same value of the other side."""
    hold = case.hold
    if hold is None or hold.side is not side or not _alike(hold.other, case.now.value(side.other)):
        return 0
    if hold.kind is HoldKind.PING_PONG:
        return hold.rounds
    lately = case.link.now < hold.since + LATELY
    return hold.rounds if hold.state is HoldState.REVERTED and lately else 0


def _revert(case: _Case, side: Side, why: Why) -> Outcome:
    now, present = case.now, case.now.value(side)
    ours, theirs = now.base_internal, now.base_vendor
    if case.by_members and isinstance(ours, frozenset) and isinstance(theirs, frozenset):
        # What else has happened to the set is merged at the next look, against what was agreed before.
        return Cross({side: _calm(case, side)}, (ours, theirs), side.other, why, (side, present))
    return case.cross(side.other, why, lost=True)


# --- holds ---------------------------------------------------------------------------------------


def _opened(case: _Case, side: Side, kind: HoldKind) -> Hold:
    """The hold about the present values: a new one, or the one that the field has, with what was decided undone."""
    made = authorship(case.link, case.rule, side) or Authorship()
    base = case.now.base(side)
    before: Value = None if base is MISSING else base  # type: ignore[assignment]  # MISSING is excluded
    if case.by_members:
        before = _calm(case, side)
    return Hold(
        id=case.hold.id if case.hold is not None else 0,
        field=case.rule.name,
        side=side,
        kind=kind,
        state=HoldState.OPEN,
        since=made.at or case.link.now,
        before=before,
        value=case.now.value(side),
        other=case.now.value(side.other),
        actor=made.person,
        event=made.event,
        approver=approver(case.agreement, case.rule, side, conflict=kind is HoldKind.CONFLICT),
    )


def _wait(case: _Case, hold: Hold) -> Judged:
    """A field that waits; of a set, only what is held does."""
    if hold.kind is HoldKind.CONFLICT:
        return Judged(NOTHING, held=_told_conflict(case))
    held = _told_held(case, hold)
    if not case.by_members:
        return Judged(NOTHING, held=held)
    return Judged(_members(case, (hold.side,)), held=held)


def _members(case: _Case, held: Collection[Side]) -> Outcome:
    """The merge of a set, but for what is at issue on these sides: that stays where it is."""
    now = case.now
    calm = {side: _calm(case, side) for side in held}
    apart = replace(
        now, internal=calm.get(Side.INTERNAL, now.internal), vendor=calm.get(Side.VENDOR, now.vendor)
    )
    outcome = case.merge(apart)
    if isinstance(outcome, Cross):
        writes = {
            side: _with_change(after, calm[side], now.value(side)) if side in calm else after
            for side, after in outcome.writes.items()
        }
        return replace(outcome, writes=writes)
    return NOTHING if held and isinstance(outcome, Agreed) else outcome


def _over(case: _Case, hold: Hold) -> Hold | None:
    """A hold once both sides agree: on what was decided, or by themselves."""
    if hold.state is HoldState.REVERTED:
        # It stays for the count; agreement is what undoing leads to.
        return None
    stands = _alike(hold.value, case.now.value(hold.side))
    state = HoldState.WITHDRAWN
    if hold.state is HoldState.APPROVED and (stands or hold.kind is HoldKind.CONFLICT):
        state = HoldState.CROSSED
    elif hold.state is HoldState.REJECTED and not stands:
        state = HoldState.RESTORED
    return replace(hold, state=state, closed_at=case.link.now)


def _overtaken(case: _Case, outcome: Outcome) -> Hold | None:
    """The field's hold once somebody who may has changed the field."""
    if case.hold is None or not isinstance(outcome, Cross | Agreed):
        return None
    return replace(case.hold, state=HoldState.OVERTAKEN, closed_at=case.link.now)


def _unmoved(case: _Case, hold: Hold) -> bool:
    """Whether the field still shows what its hold is about."""
    if case.by_members and hold.kind is not HoldKind.CONFLICT:
        # Others may come and go beside the members that are held.
        return at_issue(case.rule, case.now, hold.side) == _moved(hold)
    return _alike(hold.value, case.now.value(hold.side)) and _alike(
        hold.other, case.now.value(hold.side.other)
    )


def _moved(hold: Hold) -> tuple[frozenset[str], frozenset[str]]:
    """What came into a set and what went, of that which a hold is about."""
    old = hold.before if isinstance(hold.before, frozenset) else frozenset[str]()
    new = hold.value if isinstance(hold.value, frozenset) else frozenset[str]()
    return new - old, old - new


def _calm(case: _Case, side: Side) -> frozenset[str]:
    """A side's set without what is at issue in it."""
    came, went = at_issue(case.rule, case.now, side)
    present = case.now.value(side)
    assert isinstance(present, frozenset)
    return (present - came) | went


def _with_change(onto: Value, before: Value, after: Value) -> frozenset[str]:
    """A set with the change from one set to another made to it."""
    assert isinstance(onto, frozenset)
    assert isinstance(before, frozenset)
    assert isinstance(after, frozenset)
    return (onto | (after - before)) - (before - after)


def _is_conflict(outcome: Outcome) -> bool:
    """Whether both sides changed the field differently and its rule leaves that to people."""
    return isinstance(outcome, Stuck) and outcome.conflict


def _alike(left: Value, right: Value) -> bool:
    return left == right if isinstance(left, frozenset) else same(left, right)


# --- words for the operator; findings reach logs, so nothing of the ticket's texts, nobody's name -----


def _told_held(case: _Case, hold: Hold) -> Stuck:
    rule, name = case.rule, case.rule.name
    change = f"{told(rule, hold.before)} -> {told(rule, hold.value)}"
    if isinstance(hold.before, frozenset) or isinstance(hold.value, frozenset):
        new, old = _moved(hold)
        change = ", ".join([*(f"+{one}" for one in sorted(new)), *(f"-{one}" for one in sorted(old))])
    asked = f"'{hold.approver}' decides" if case.agreement.role(hold.approver) else "it waits for a decision"
    if hold.kind is HoldKind.PING_PONG:
        message = (
            f"'{name}' was put back {hold.rounds} times on the {hold.side} side and changed again each time "
            f"({change}): it is left alone now, {asked}"
        )
    else:
        message = f"the {hold.side} side changed '{name}' ({change}), which its author may not: {asked}"
    return Stuck("held", hold.side, message)


def _told_conflict(case: _Case) -> Stuck:
    both = f"({told(case.rule, case.now.internal)} / {told(case.rule, case.now.vendor)})"
    message = f"both sides changed '{case.rule.name}' differently {both}"
    return Stuck("held", Side.VENDOR, message, conflict=True)
