"""What the clocks of a link say at a moment: a function of its timeline, its policy and that moment.

One walk over the timeline, in which every clock follows along. What happens in one instant is taken together: a stop, a
new goal or a pause counts from the end of the instant, so an entry at exactly the due instant is in time. See
docs/clocks.md for the rules in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.sla.ball import Watch
from bridge.sla.calendar import Calendar
from bridge.sla.policy import ClockRule, Goal, Happening, Owner, Policy
from bridge.sla.running import Run, choose, share_of, stands
from bridge.sla.state import Deed, State, in_order
from bridge.sla.timeline import EntryKind, Timeline
from bridge.sla.verdict import BallSpan, ClockState, Cycle, Verdict

__all__ = ["evaluate", "reach", "share_of"]


def evaluate(timeline: Timeline, policy: Policy, calendars: Mapping[str, Calendar], now: int) -> Verdict:
    """What the clocks say.

    Args:
        timeline: the history of the link.
        policy: the version that the link is measured by.
        calendars: those that the policy names (``calendars_of``).
        now: the moment of evaluation, microseconds; what happened at that very moment is part of it.
    """
    until = now if timeline.ended is None else min(now, timeline.ended)
    state, watch = State(timeline, policy), Watch(policy)
    courses = [Course(rule, calendars) for rule in policy.clocks]
    entries = in_order(timeline, until)
    for number, entry in enumerate(entries, 1):
        deed = state.apply(entry)
        watch.look(state, entry.event)
        for course in courses:
            course.meet(deed, state, watch.owner)
        if number == len(entries) or entries[number].at > deed.at:
            watch.settle(deed.at)
            for course in courses:
                # What happens in the instant in which the link ends changes no clock any more.
                if deed.at != timeline.ended:
                    course.settle(deed.at, state)
    if until == timeline.ended:
        for course in courses:
            course.end(until, state)
    ball = watch.spans(until)
    told = [one for course in courses for one in course.cycles(until, ball)]
    return Verdict(
        at=now,
        policy=policy.version,
        cycles=tuple(cycle for cycle, _ in told),
        ball=ball,
        certain_until=timeline.certain_until,
        next_at=min((upcoming for _, upcoming in told if upcoming is not None), default=None),
    )


def reach(cycle: Cycle, calendars: Mapping[str, Calendar], amount: int) -> int | None:
    """When what counted in a cycle reached an amount, or will if nothing changes.

    Never before the goal counted that it is a part of: whoever asks for half of a new goal gets the moment of the
    change, if half of it was over then.

    Args:
        cycle: the cycle.
        calendars: those of the policy.
        amount: microseconds on the calendar of the cycle's goal.

    Returns:
        Microseconds; None when it was not reached and will not be: the cycle stands, or it ended before.
    """
    left, at = amount, cycle.started_at
    if left <= 0:
        return cycle.goal_since
    for segment in cycle.segments:
        if segment.counted >= left:
            reached = _due(cycle, calendars, segment.since, left)
            return None if reached is None else max(reached, cycle.goal_since)
        left, at = left - segment.counted, segment.until
    return _due(cycle, calendars, at, left) if cycle.state is ClockState.RUNNING else None


def _due(cycle: Cycle, calendars: Mapping[str, Calendar], since: int, amount: int) -> int | None:
    return since + amount if cycle.goal is None else calendars[cycle.goal.calendar].due(since, amount)


class Course:
    """The cycles of one clock, as one walk over the timeline makes them."""

    __slots__ = ("_calendars", "_goal", "_open", "_outdated", "_rule", "_runs")

    def __init__(self, rule: ClockRule, calendars: Mapping[str, Calendar]) -> None:
        self._rule = rule
        self._calendars = calendars
        self._runs: list[Run] = []
        self._open: Run | None = None
        self._goal: Goal | None = None
        self._outdated = True

    def meet(self, deed: Deed, state: State, owner: Owner) -> None:
        """Stop, cancel, resume or begin a cycle, as a deed has it; ``state`` and ``owner`` are those after it."""
        self._outdated = self._outdated or deed.tells
        self._close(deed, state)
        if self._open is None:
            self._begin(deed)
        if deed.entry.kind is EntryKind.CREATED:
            # A ticket may be born in a state that stops what its birth starts: resolved, or with an owner.
            self._close(deed, state)
        if self._open is not None:
            self._open.look(stands(self._rule.pause, state, owner), deed.entry.event)

    def settle(self, at: int, state: State) -> None:
        """All that happened at a moment is told."""
        if self._open is not None:
            self._open.settle(at, self._fitting(state))

    def end(self, at: int, state: State) -> None:
        """The link ends, and what is open with it."""
        if self._open is not None:
            self._open.stop(at, "", ClockState.CANCELLED, self._fitting(state), by_resolving=False)
            self._open = None

    def cycles(self, until: int, ball: Sequence[BallSpan]) -> list[tuple[Cycle, int | None]]:
        """Its cycles as they are at a moment, each with the next instant at which it changes by itself."""
        return [run.cycle(until, ball) for run in self._runs]

    def _close(self, deed: Deed, state: State) -> None:
        if self._open is None:
            return
        meeting = [trigger for trigger in self._rule.stop if deed.meets(trigger)]
        if not meeting and not deed.meets_any(self._rule.cancel):
            return
        self._open.stop(
            deed.at,
            deed.entry.event,
            ClockState.STOPPED if meeting else ClockState.CANCELLED,
            self._fitting(state),
            by_resolving=any(trigger.what is Happening.RESOLVED for trigger in meeting),
        )
        self._open = None

    def _begin(self, deed: Deed) -> None:
        last = self._runs[-1] if self._runs else None
        reopened = last is not None and last.by_resolving and Happening.REOPENED in deed.happenings
        if last is not None and reopened and self._rule.reopen == "resume":
            last.resume(deed.at, deed.entry.event)
            self._open = last
        elif (reopened and self._rule.reopen == "new") or deed.meets_any(self._rule.start):
            self._open = Run(self._rule, self._calendars, len(self._runs) + 1, deed.at, deed.entry.event)
            self._runs.append(self._open)

    def _fitting(self, state: State) -> Goal | None:
        if self._outdated:
            self._goal, self._outdated = choose(self._rule.goals, state), False
        return self._goal
