"""The ladder: which steps are to be told now, and when to look again. Pure: what was told before is handed in.

A step has a moment: a share of the goal, or so long after the breach. It is told once when that moment has come,
however late that is noticed, and never before. What was missed while nobody looked is one alert that says so, not many.
A breach is never silent: its steps are told even of a cycle that has ended since, as long as it lasted to the moment of
the step; a warning of what is over warns nobody. See docs/alerts.md for the rules in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bridge.sla.calendar import Calendar
from bridge.sla.clock import reach, share_of
from bridge.sla.policy import Policy, Step
from bridge.sla.verdict import Cycle, Verdict
from bridge.sync.ticket import SECOND

LATE: Final = 120 * SECOND
"""An alert that comes more than so long after its moment says that it is late, microseconds."""

NEAR: Final = 60 * SECOND
"""A cycle that begins this close to one that was told of is it: its history was read more exactly. Microseconds."""

CycleKey = tuple[str, int]
"""Name of a clock, and when a cycle of it began (microseconds)."""

StepKey = tuple[str, int, str]
"""The same, and the name of a step."""


@dataclass(frozen=True, slots=True)
class Told:
    """How far a step was told.

    Attributes:
        round: the highest round; 0 when it was told once.
        at: when that was, microseconds of our clock.
    """

    round: int
    at: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One step that is to be told now.

    Attributes:
        clock: of which clock.
        cycle: when its cycle began, microseconds.
        step: which step.
        round: 0 for the first time, then counting the moments at which it is repeated.
        at: its moment, microseconds: never after now.
        late: microseconds since then.
        missed: earlier repetitions, or those since its moment, that nobody told and this one stands for.
    """

    clock: str
    cycle: int
    step: Step
    round: int
    at: int
    late: int
    missed: int = 0


def claims(  # noqa: PLR0917 - a function of six things, named in the order in which they come to be
    verdict: Verdict,
    policy: Policy,
    calendars: Mapping[str, Calendar],
    told: Mapping[StepKey, Told],
    acknowledged: Mapping[CycleKey, int],
    now: int,
) -> tuple[tuple[Claim, ...], int | None]:
    """The steps that are to be told now, and when to look again if nothing happens until then.

    Args:
        verdict: what the clocks say now.
        policy: the version by which they do.
        calendars: those of the policy.
        told: what was told, by the cycles' own beginnings (``recognised``).
        acknowledged: since when a cycle is acknowledged, microseconds: nothing of it is repeated from then on.
        now: microseconds.

    Returns:
        The claims in the order of their moments, and the least moment after now at which there would be others.
    """
    made: list[Claim] = []
    upcoming: list[int] = []
    for cycle in verdict.cycles:
        key = (cycle.clock, cycle.started_at)
        for step in _steps_of(policy, cycle.clock):
            moment = _moment(cycle, step, calendars)
            if moment is None:
                continue
            before = told.get((*key, step.name))
            found = _turn(cycle, step, moment, before, acknowledged.get(key), now=now)
            if isinstance(found, Claim):
                made.append(found)
                before = Told(found.round, now)
                found = _turn(cycle, step, moment, before, acknowledged.get(key), now=now)
            if isinstance(found, int):
                upcoming.append(found)
    made.sort(key=lambda claim: claim.at)
    return tuple(made), min(upcoming, default=None)


def recognised(
    verdict: Verdict, known: Iterable[CycleKey], events: Mapping[CycleKey, str] | None = None
) -> dict[CycleKey, CycleKey]:
    """Which cycles that were told of are which of these, by what they are called now.

    A cycle is known by its beginning. Should the history be read again and tell it a little differently (a clock's skew
    is measured anew), the cycle must not count as one that nobody was told of; nor should it be told much differently,
    for the machine's clock was set: then it is known by the trackers' own entry that began it.

    Args:
        verdict: what the clocks say now.
        known: what cycles were called when they were told of.
        events: by which entries those began, as far as that is known.
    """
    present = {(cycle.clock, cycle.started_at): cycle.start_event for cycle in verdict.cycles}
    stored, events = set(known), events or {}
    found = {key: key for key in present.keys() & stored}
    for clock, began in sorted(stored - present.keys()):
        free = [key for key in present.keys() - found.keys() if key[0] == clock]
        event = events.get((clock, began))
        same = [key for key in free if event and present[key] == event]
        near = same or [key for key in free if abs(key[1] - began) <= NEAR]
        if near:
            found[min(near, key=lambda key: abs(key[1] - began))] = (clock, began)
    return found


def called_now(
    verdict: Verdict, known: Iterable[CycleKey], events: Mapping[CycleKey, str]
) -> dict[CycleKey, CycleKey]:
    """What cycles that were told of are called now; one may have been told of under several names."""
    found = {stored: present for present, stored in recognised(verdict, known, events).items()}
    for clock, began in sorted(set(known) - found.keys()):
        # Near to what it is called now, or to what it was called when it was told of.
        near = [pair for pair in found.items() if pair[0][0] == clock and _apart(began, pair) <= NEAR]
        if near:
            found[clock, began] = min(near, key=lambda pair: _apart(began, pair))[1]
    return found


def _apart(began: int, pair: tuple[CycleKey, CycleKey]) -> int:
    return min(abs(key[1] - began) for key in pair)


def spoke_at(cycle: Cycle, policy: Policy, calendars: Mapping[str, Calendar]) -> int | None:
    """Since when there is something about a cycle to acknowledge: its first step, or its breach; None: nothing yet."""
    steps = (_moment(cycle, step, calendars) for step in _steps_of(policy, cycle.clock))
    return min((at for at in (*steps, cycle.breached_at) if at is not None), default=None)


def _moment(cycle: Cycle, step: Step, calendars: Mapping[str, Calendar]) -> int | None:
    """When a step of a cycle is reached, or will be if nothing changes; None when it is not."""
    breach = cycle.breached_at if cycle.breached_at is not None else cycle.due_at
    if step.share is None:
        return None if breach is None else breach + (step.after or 0)
    if step.share == 1.0:
        return breach
    if cycle.goal is None:
        return None
    moment = reach(cycle, calendars, share_of(cycle.goal, step.share))
    if moment is not None and step.share < 1.0 and breach is not None and moment > breach:
        return None  # a later, longer goal: nobody is warned of what has happened
    return moment


def _turn(
    cycle: Cycle, step: Step, moment: int, before: Told | None, acknowledged: int | None, *, now: int
) -> Claim | int | None:
    """What is to be told of a step now; or when it is next; or nothing, for good as far as is known."""
    if before is None:
        if not _owed(cycle, step, moment, acknowledged):
            return None
        if moment > now:
            return moment
        missed = (now - moment) // step.every if step.every and _goes_on(cycle, acknowledged) else 0
        return Claim(cycle.clock, cycle.started_at, step, 0, moment, now - moment, missed)
    if not step.every or not _goes_on(cycle, acknowledged):
        return None
    # What was told late stood for all that was missed until then.
    turn = max(before.round, (before.at - moment) // step.every) + 1
    if moment + turn * step.every > now:
        return moment + turn * step.every
    last = (now - moment) // step.every
    at = moment + last * step.every
    return Claim(cycle.clock, cycle.started_at, step, last, at, now - at, last - turn)


def _owed(cycle: Cycle, step: Step, moment: int, acknowledged: int | None) -> bool:
    """Whether a step that nobody was told of is to be told at its moment, or still."""
    if step.every and acknowledged is not None and acknowledged <= moment:
        return False
    if cycle.stopped_at is None:
        return True
    return moment < cycle.stopped_at and (step.share is None or step.share >= 1.0)


def _goes_on(cycle: Cycle, acknowledged: int | None) -> bool:
    return cycle.open and acknowledged is None


def _steps_of(policy: Policy, clock: str) -> Iterator[Step]:
    """The steps of the ladder that are for a clock."""
    return (step for step in policy.ladder if not step.clocks or clock in step.clocks)
