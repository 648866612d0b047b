"""One cycle of a clock in the making: when it ran, what counted, and when its goal was reached.

Only what changes a cycle costs anything: a stretch in which it runs is counted once, when it ends, on the calendar of
its goal. A goal with another calendar counts the stretches anew, each once per calendar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bridge.sla.calendar import Calendar
from bridge.sla.policy import ClockRule, Goal, Owner, Pause
from bridge.sla.state import STATUS, State
from bridge.sla.verdict import BallSpan, ClockState, Cycle, Segment

RESOLVED: Final = "resolved"
"""Why the clock of a ticket that was reopened later stood meanwhile."""


def share_of(goal: Goal, share: float) -> int:
    """So many microseconds are a share of a goal's budget."""
    return round(goal.budget * share)


class Run:
    """A cycle while the walk is in it.

    Attributes:
        rule: of which clock.
        number: which cycle of it.
        started_at: microseconds.
        stopped_at: microseconds; None while it is open.
        by_resolving: ``RESOLVED`` stopped it.
    """

    __slots__ = (
        "_breached",
        "_calendars",
        "_goal",
        "_goal_since",
        "_phases",
        "_seen",
        "_since",
        "_spans",
        "_start_event",
        "_state",
        "_stop_event",
        "_sums",
        "_warned",
        "by_resolving",
        "number",
        "rule",
        "started_at",
        "stopped_at",
    )

    def __init__(
        self, rule: ClockRule, calendars: Mapping[str, Calendar], number: int, at: int, event: str
    ) -> None:
        self.rule = rule
        self.number = number
        self.started_at = at
        self.stopped_at: int | None = None
        self.by_resolving = False
        self._calendars = calendars
        self._start_event = event
        self._stop_event = ""
        self._state = ClockState.RUNNING
        self._goal: Goal | None = None
        self._goal_since = at
        self._breached: int | None = None
        self._warned: int | None = None
        # (since, why it stands or None while it runs, evidence): what was true when a moment was over.
        self._phases: list[tuple[int, str | None, str]] = []
        # The same as seen after the latest entry, whose moment may not be over.
        self._seen: tuple[str | None, str] = (None, event)
        self._since: int | None = None
        self._spans: list[tuple[int, int]] = []
        self._sums: dict[str, tuple[int, int]] = {}

    def look(self, why: str | None, event: str) -> None:
        """See whether it stands after an entry, and why."""
        if why != self._seen[0]:
            self._seen = (why, event)

    def settle(self, at: int, goal: Goal | None) -> None:
        """All that happened at a moment is told: from then on it runs or stands, under this goal."""
        fresh = not self._phases
        if fresh:
            self._goal = goal
        kept = self.rule.goal_change == "keep" and self._goal is not None
        changed = not fresh and not kept and goal is not self._goal
        why, event = self._seen
        if fresh or changed or why != self._phases[-1][1]:
            self._count(at)
            if fresh or why != self._phases[-1][1]:
                self._phases.append((at, why, event))
            self._since = at if why is None else None
            if changed:
                if _terms(goal) != _terms(self._goal):
                    self._goal_since = at
                self._goal = goal
            self._judge(at, anew=changed)

    def stop(self, at: int, event: str, state: ClockState, goal: Goal | None, *, by_resolving: bool) -> None:
        """It ends at a moment, with a verdict or cancelled: what is reached only then is in time."""
        if self._phases:
            self._count(at)
        else:
            self._goal = goal
        self._since = None
        self.stopped_at, self._stop_event, self._state = at, event, state
        self.by_resolving = by_resolving

    def resume(self, at: int, event: str) -> None:
        """The ticket was reopened: the same cycle goes on, and what lies between does not count."""
        assert self.stopped_at is not None
        if self._phases or self.stopped_at < at:
            self._phases.append((self.stopped_at, RESOLVED, self._stop_event))
        self._seen = (None, event)
        self.stopped_at, self._stop_event, self.by_resolving = None, "", False

    def cycle(self, until: int, ball: Sequence[BallSpan]) -> tuple[Cycle, int | None]:
        """The cycle as it is at a moment, and the next instant at which it changes by itself."""
        due = upcoming = None
        state, end = self._state, self.stopped_at
        if end is None:
            self._count(until, closing=True)
            state = ClockState.RUNNING if self._phases[-1][1] is None else ClockState.PAUSED
        segments = self._segments(until if end is None else end, ball)
        elapsed = sum(one.counted for one in segments)
        if state is ClockState.RUNNING and self._goal is not None:
            calendar = self._calendars[self._goal.calendar]
            if self._breached is None:
                due = upcoming = calendar.due(until, self._goal.budget - elapsed)
            if self._warned is None and self.rule.warn:
                warning = calendar.due(until, self._amount(self._goal) - elapsed)
                upcoming = warning if due is None or (warning is not None and warning < due) else due
        cycle = Cycle(
            clock=self.rule.name,
            number=self.number,
            state=state,
            started_at=self.started_at,
            start_event=self._start_event,
            stopped_at=end,
            stop_event=self._stop_event,
            goal=self._goal,
            elapsed=elapsed,
            due_at=due,
            breached_at=self._breached,
            warned_at=self._warned,
            segments=segments,
            goal_since=self._goal_since,
        )
        return cycle, upcoming

    def _amount(self, goal: Goal) -> int:
        """What puts it at risk, microseconds."""
        return share_of(goal, min(self.rule.warn)) if self.rule.warn else goal.budget

    def _count(self, until: int, *, closing: bool = False) -> None:
        """Let it run up to a moment. What is reached before that is noted; what is reached then, only on closing."""
        since, goal = self._since, self._goal
        if since is None or since == until:
            return
        if goal is not None and (self._breached is None or self._warned is None):
            calendar, done = self._calendars[goal.calendar], self._elapsed()
            after = done + calendar.elapsed(since, until)

            def reached(amount: int) -> int | None:
                at = calendar.due(since, amount - done) if after >= amount else None
                return at if at is not None and (closing or at < until) else None

            if self._breached is None:
                self._breached = reached(goal.budget)
            if self._warned is None and self.rule.warn:
                self._warned = reached(self._amount(goal))
        self._spans.append((since, until))
        self._since = until

    def _judge(self, at: int, *, anew: bool) -> None:
        """Note what is reached at a moment that is over; a new goal may also put it out of danger again."""
        goal = self._goal
        elapsed = self._elapsed()
        if self._breached is None and goal is not None and elapsed >= goal.budget:
            self._breached = at
        risky = goal is not None and bool(self.rule.warn) and elapsed >= self._amount(goal)
        if self._warned is None and risky:
            self._warned = at
        elif anew and not risky and self._breached is None:
            self._warned = None

    def _elapsed(self) -> int:
        """What has counted in the stretches so far, on the calendar of the goal."""
        goal = self._goal
        name = "" if goal is None else goal.calendar
        number, total = self._sums.get(name, (0, 0))
        if number < len(self._spans):
            for since, until in self._spans[number:]:
                total += self._counted(since, until)
            self._sums[name] = (len(self._spans), total)
        return total

    def _segments(self, end: int, ball: Sequence[BallSpan]) -> tuple[Segment, ...]:
        """Its stretches, cut where it began to run or to stand and where the ball changed hands."""
        merged: list[tuple[int, int, Owner, bool, str, str]] = []
        for since, until, owner, stands, event in self._pieces(end, ball):
            runs, why = stands is None, f"{owner} has the ball" if stands is None else stands
            if merged and merged[-1][2:5] == (owner, runs, why):
                begun, *_, evidence = merged.pop()
                merged.append((begun, until, owner, runs, why, evidence))
            else:
                merged.append((since, until, owner, runs, why, event))
        return tuple(
            Segment(since, until, owner, runs, self._counted(since, until) if runs else 0, why, event)
            for since, until, owner, runs, why, event in merged
        )

    def _pieces(
        self, end: int, ball: Sequence[BallSpan]
    ) -> Iterator[tuple[int, int, Owner, str | None, str]]:
        """(since, until, whose, why it stands, evidence) of every stretch in which neither changed."""
        place = max(bisect_right(ball, self.started_at, key=_since) - 1, 0)
        for number, (begins, stands, event) in enumerate(self._phases, 1):
            at, ends = begins, self._phases[number][0] if number < len(self._phases) else end
            while at < ends:
                span = ball[place]
                if span.until > at:
                    until = min(span.until, ends)
                    yield at, until, span.owner, stands, event if at == begins else span.event
                    at = until
                else:
                    place += 1

    def _counted(self, since: int, until: int) -> int:
        """How much of a stretch counts, microseconds; without a goal there is no calendar, and all of it does."""
        goal = self._goal
        return until - since if goal is None else self._calendars[goal.calendar].elapsed(since, until)


def choose(goals: tuple[Goal, ...], state: State) -> Goal | None:
    """The first goal that fits; None when none does."""
    for goal in goals:
        if all(state.values.get(name, "") in values for name, values in goal.when.items()):
            return goal
    return None


def stands(pauses: tuple[Pause, ...], state: State, owner: Owner) -> str | None:
    """Why a clock stands, in the file's words; None while it runs."""
    for pause in pauses:
        if (
            (pause.ball is None or pause.ball is owner)
            and (not pause.statuses or state.values.get(STATUS) in pause.statuses)
            and (not pause.held or state.held)
        ):
            return pause.words or "paused"
    return None


def _terms(goal: Goal | None) -> tuple[int, str] | None:
    """What a goal means; whom it is for makes no difference to a cycle."""
    return None if goal is None else (goal.budget, goal.calendar)


def _since(span: BallSpan) -> int:
    return span.since
