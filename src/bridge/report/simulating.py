"""What would have been met, at risk and missed under another policy, beside what was. Pure: nothing is stored.

Each ticket is measured twice from the same history: by the version that it was born under, and by the policy that is
tried. A verdict that stands is never touched by this: a restatement is a report of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bridge.report.facts import Period, Standing, standing
from bridge.report.measuring import Measured
from bridge.sla.calendar import calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.policy import Policy, asked_for
from bridge.sla.verdict import Cycle
from bridge.sync.ticket import Side

ALWAYS_TOLD = frozenset({"status", "priority", "assignee"})
"""Fields that every history tells, whether a policy asks for them or not."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the cycles of one clock fared in the period.

    Attributes:
        met: stopped in time.
        warned: at risk at some time in it, whatever became of them.
        breached: goals that were missed in it.
        running: open at its end.
    """

    met: int = 0
    warned: int = 0
    breached: int = 0
    running: int = 0

    def plus(self, cycle: Cycle, period: Period) -> Tally:
        """The same with one cycle more."""
        return Tally(
            self.met + (cycle.met and cycle.goal is not None and period.holds(cycle.stopped_at)),
            self.warned + period.holds(cycle.warned_at),
            self.breached + period.holds(cycle.breached_at),
            self.running + cycle.open,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one cycle.

    Attributes:
        standing: where it stands.
        breached_at: since when its goal was missed, microseconds; None when it was not.
    """

    standing: Standing
    breached_at: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A cycle that would have fared otherwise.

    Attributes:
        keys: side -> key of its ticket.
        clock: name of the clock.
        started_at: when it began, microseconds.
        was: what became of it; None where there was no such cycle.
        would: what would have become of it; None where there would be none.
    """

    keys: Mapping[Side, str]
    clock: str
    started_at: int
    was: Outcome | None
    would: Outcome | None


@dataclass(slots=True)
class Simulation:
    """What a policy would have made of the histories of a period.

    Attributes:
        tickets: how many were measured.
        was: clock -> how it fared.
        would: clock -> how it would have fared.
        differences: by ticket, clock and start.
        untold: fields that the policy asks for and no history tells, because no version in force asks for them.
    """

    tickets: int = 0
    was: dict[str, Tally] = field(default_factory=dict)
    would: dict[str, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    untold: tuple[str, ...] = ()


def simulate(measured: Iterable[Measured], policy: Policy, period: Period) -> Simulation:
    """Measure histories by another policy, whenever their tickets were born.

    Args:
        measured: what the clocks say, by the versions that the tickets were born under.
        policy: the one that is tried.
        period: cycles that ended, were missed or were open in it are told.
    """
    made = Simulation(was={}, would={rule.name: Tally() for rule in policy.clocks})
    calendars, told = calendars_of(policy), set(ALWAYS_TOLD)
    for one in measured:
        told |= one.timeline.start.keys()
        for rule in one.policy.clocks:
            made.was.setdefault(rule.name, Tally())
        tried = evaluate(one.timeline, policy, calendars, one.verdict.at)
        was, would = (_within(cycles, period) for cycles in (one.verdict.cycles, tried.cycles))
        if not was and not would:
            continue
        made.tickets += 1
        for tallies, cycles in ((made.was, was), (made.would, would)):
            for (clock, _), cycle in cycles.items():
                tallies[clock] = tallies.get(clock, Tally()).plus(cycle, period)
        made.differences += _differences(one, was, would)
    return replace(made, untold=tuple(sorted(asked_for([policy]) - told)) if made.tickets else ())


def _within(cycles: Iterable[Cycle], period: Period) -> dict[tuple[str, int], Cycle]:
    return {
        (cycle.clock, cycle.started_at): cycle
        for cycle in cycles
        if cycle.started_at < period.until
        and (cycle.open or period.holds(cycle.stopped_at) or period.holds(cycle.breached_at))
    }


def _differences(
    one: Measured, was: Mapping[tuple[str, int], Cycle], would: Mapping[tuple[str, int], Cycle]
) -> Iterator[Difference]:
    keys = {side: one.link.key(side) for side in Side}
    for clock, started in sorted(was.keys() | would.keys()):
        before, after = (_outcome(cycles.get((clock, started))) for cycles in (was, would))
        if before != after:
            yield Difference(keys, clock, started, before, after)


def _outcome(cycle: Cycle | None) -> Outcome | None:
    return None if cycle is None else Outcome(standing(cycle), cycle.breached_at)
