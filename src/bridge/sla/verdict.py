"""What the clocks of a link say at a moment: the outcome of ``sla.clock``, read by ladder, letters, pages, reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.sla.policy import Goal, Owner


class ClockState(StrEnum):
    """Where a cycle of a clock stands. Whether its goal was breached is told by ``breached_at``, in every state."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """It ended with a verdict: met, unless it was breached before."""
    CANCELLED = "cancelled"
    """It ended without one."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a cycle in which nothing changed. The segments of a cycle have no gaps and do not overlap.

    Attributes:
        since: microseconds.
        until: microseconds; of the last one of an open cycle the moment of evaluation.
        owner: whose minutes these are.
        runs: whether the clock runs; whether time counts is up to the calendar, too.
        counted: microseconds that counted.
        why: for people, e.g. ``ball: internal`` for a clock that stands, ``vendor has the ball`` for one that runs.
        event: evidence of what began it.
    """

    since: int
    until: int
    owner: Owner
    runs: bool
    counted: int
    why: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of a clock from its start to its stop.

    Attributes:
        clock: name of the clock.
        number: 1 for the first cycle.
        state: see ClockState.
        started_at: microseconds.
        start_event: evidence.
        stopped_at: when it stopped or was cancelled; None while it is open.
        stop_event: evidence.
        goal: what counts now, or counted at the end; None: no goal fits.
        elapsed: microseconds that counted, on the goal's calendar.
        due_at: when the goal is breached if nothing changes; None without a goal, while paused, once stopped, and
            beyond the calendar's horizon. Of an open cycle that was breached: None.
        breached_at: since when the goal is breached, microseconds; None when it is not.
        warned_at: since when it is at risk (the first warn share), microseconds; None when it is not.
        segments: whose minutes, and why the clock ran or stood.
        goal_since: since when ``goal`` counts, microseconds: the start, or the change that brought it.
    """

    clock: str
    number: int
    state: ClockState
    started_at: int
    start_event: str
    stopped_at: int | None
    stop_event: str
    goal: Goal | None
    elapsed: int
    due_at: int | None
    breached_at: int | None
    warned_at: int | None
    segments: tuple[Segment, ...]
    goal_since: int = 0

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.stopped_at is None

    @property
    def met(self) -> bool:
        """Whether it ended within its goal."""
        return self.state is ClockState.STOPPED and self.breached_at is None


@dataclass(frozen=True, slots=True)
class BallSpan:
    """A stretch of a link's life in which one party had the ball; without gaps from birth to ``until`` of the last.

    Attributes:
        since: microseconds.
        until: microseconds.
        owner: who had to act.
        why: the rule, in the file's words.
        event: evidence of what began it.
    """

    since: int
    until: int
    owner: Owner
    why: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the clocks of a link say.

    Attributes:
        at: the moment of evaluation, microseconds.
        policy: version of the policy.
        cycles: of all clocks, in the policy's order, older cycles first.
        ball: who had the ball when, from birth to ``at`` (or to the end of the link).
        certain_until: as the timeline says; what the clocks say of later moments may yet change.
        next_at: the next instant at which anything here changes by itself: a warning, a breach; None for never.
    """

    at: int
    policy: str
    cycles: tuple[Cycle, ...]
    ball: tuple[BallSpan, ...]
    certain_until: int
    next_at: int | None
