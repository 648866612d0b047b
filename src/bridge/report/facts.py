"""What an agreement came to over a period: figures and cases, from what the clocks say. Pure.

A cycle counts once over all periods: as met in the period in which it was stopped, as breached in the one in which its
goal was breached. Only links count that have a ticket on the reader's side: of the others the reader knows nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.report.measuring import Measured
from bridge.sla.attribution import minutes, of_cycle, office
from bridge.sla.policy import Owner
from bridge.sla.timeline import EntryKind, Timeline
from bridge.sla.verdict import ClockState, Cycle
from bridge.store.rows import Alert, Link, LinkState
from bridge.sync.chain import Head
from bridge.sync.holding import Hold, HoldState
from bridge.sync.ticket import Side


class Standing(StrEnum):
    """Where a cycle stands, in one word for people."""

    MET = "met"
    BREACHED = "breached"
    AT_RISK = "at-risk"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, [since, until), microseconds."""

    since: int
    until: int

    def holds(self, moment: int | None) -> bool:
        """Whether a moment lies in it."""
        return moment is not None and self.since <= moment < self.until


@dataclass(frozen=True, slots=True)
class Case:
    """One cycle of a clock, and whose it is.

    Attributes:
        link: row id.
        keys: side -> key of its ticket.
        cycle: what the clock says.
        minutes: whose the time since its start was, by the wall clock, microseconds.
    """

    link: int
    keys: Mapping[Side, str]
    cycle: Cycle
    minutes: Mapping[Owner, int]

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return standing(self.cycle)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A link that waits for people, or cannot proceed.

    Attributes:
        keys: side -> key of its ticket.
        since: microseconds; None when unknown.
        field: which field is held; "" of a parked link.
    """

    keys: Mapping[Side, str]
    since: int | None
    field: str = ""


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """How one clock fared in a period.

    Attributes:
        name: of the clock.
        owner: the side that misses its goals; None: nobody's in particular.
        met: cycles that were stopped in time.
        breached: cycles whose goal was breached in the period.
        running: cycles that are open at its end.
        at_risk: those of them that are at risk and not breached.
        target: the share that should be met; None when the agreement states none.
    """

    name: str
    owner: Side | None
    met: int = 0
    breached: int = 0
    running: int = 0
    at_risk: int = 0
    target: float | None = None

    @property
    def share(self) -> float | None:
        """The share of its verdicts that were met; None without any."""
        whole = self.met + self.breached
        return self.met / whole if whole else None

    @property
    def kept(self) -> bool | None:
        """Whether the target was reached; None without a target or a verdict."""
        share = self.share
        return None if self.target is None or share is None else share >= self.target


@dataclass(frozen=True, slots=True)
class Figures:
    """What an agreement came to.

    Attributes:
        agreement: its name.
        period: over which time.
        at: the moment of evaluation, microseconds.
        born: tickets that came into being in the period.
        open: tickets that are not resolved at its end.
        resolved: tickets that were resolved in the period and still are.
        crossed: (side that it crossed to, what) -> how often.
        at_risk: open cycles that are at risk, the first due first.
        breached: cycles that were breached in the period, or are open and breached, the oldest breach first.
        held: changes that wait for people now.
        parked: links that cannot proceed now.
        minutes: whose the time of the period was, by the wall clock, of tickets that were open in it.
        office: side -> the same on that side's own calendar; sides without one are absent.
        clocks: how each clock fared.
        alerts: steps of the ladder that were taken.
        certain_until: what happened before is surely in it; None without any timeline.
        head: the newest record of the audit chain.
    """

    agreement: str
    period: Period
    at: int
    born: int
    open: int
    resolved: int
    crossed: Mapping[tuple[Side, str], int]
    at_risk: tuple[Case, ...]
    breached: tuple[Case, ...]
    held: tuple[Waiting, ...]
    parked: tuple[Waiting, ...]
    minutes: Mapping[Owner, int]
    office: Mapping[Owner, int]
    clocks: tuple[ClockFigures, ...]
    alerts: int
    certain_until: int | None
    head: Head


def standing(cycle: Cycle) -> Standing:
    """Where a cycle stands: a breach outweighs everything, a risk what is open."""
    if cycle.breached_at is not None:
        return Standing.BREACHED
    if cycle.state is ClockState.STOPPED:
        return Standing.MET
    if cycle.state is ClockState.CANCELLED:
        return Standing.CANCELLED
    if cycle.warned_at is not None:
        return Standing.AT_RISK
    return Standing.PAUSED if cycle.state is ClockState.PAUSED else Standing.RUNNING


def known_to(link: Link, reader: Side) -> bool:
    """Whether the reader's side knows of a link: it has a ticket of its own there."""
    return link.ticket(reader) is not None


def cases(measured: Iterable[Measured], reader: Side, period: Period) -> tuple[Case, ...]:
    """The cycles that have to do with a period: ended or breached in it, or open at its end; by link and clock."""
    return tuple(
        case
        for one in measured
        if known_to(one.link, reader)
        for case in _cases(one)
        if _touches(case.cycle, period)
    )


def figures(
    name: str,
    reader: Side,
    period: Period,
    *,
    measured: Sequence[Measured],
    links: Iterable[Link],
    holds: Iterable[tuple[int, Hold]],
    alerts: Iterable[Alert],
    crossed: Mapping[tuple[Side, str], int],
    head: Head,
    targets: Mapping[str, float],
    now: int,
) -> Figures:
    """What an agreement came to over a period.

    Args:
        name: of the agreement.
        reader: the side that will read it.
        period: over which time.
        measured: what the clocks say at its end, of all links.
        links: all links of the agreement.
        holds: (link, hold) of those that are not over.
        alerts: steps that were taken in the period.
        crossed: what crossed in it.
        head: of the audit chain.
        targets: clock -> share that should be met.
        now: microseconds.
    """
    seen = {link.id: link for link in links if known_to(link, reader)}
    mine = [one for one in measured if one.link.id in seen]
    touching = [case for one in mine for case in _cases(one) if _touches(case.cycle, period)]
    ball: Counter[Owner] = Counter(dict.fromkeys(Owner, 0))
    desk: Counter[Owner] = Counter()
    for one in mine:
        if _over(one, period.since) and _over(one, period.until):
            continue
        ball.update(minutes(one.verdict.ball, period.since, period.until))
        desk.update(office(one.verdict.ball, one.calendars, one.policy, period.since, period.until))
    return Figures(
        agreement=name,
        period=period,
        at=now,
        born=sum(period.holds(one.timeline.born) for one in mine),
        open=sum(not _over(one, period.until) for one in mine),
        resolved=sum(_over(one, period.until) and not _over(one, period.since) for one in mine),
        crossed=dict(crossed),
        at_risk=tuple(
            sorted(
                (one for one in touching if one.standing is Standing.AT_RISK),
                key=lambda one: (one.cycle.due_at is None, one.cycle.due_at or 0, one.link),
            )
        ),
        breached=tuple(
            sorted(
                (one for one in touching if period.holds(one.cycle.breached_at) or _open_breach(one.cycle)),
                key=lambda one: (one.cycle.breached_at or 0, one.link),
            )
        ),
        held=tuple(
            Waiting(_keys(seen[link]), hold.since, hold.field)
            for link, hold in holds
            if link in seen
            and hold.state in {HoldState.OPEN, HoldState.APPROVED, HoldState.REJECTED}
            and seen[link].state is not LinkState.CLOSED
        ),
        parked=tuple(
            Waiting(_keys(link), link.reason_since)
            for link in seen.values()
            if link.state is LinkState.PARKED
        ),
        minutes=dict(ball),
        office=dict(desk),
        clocks=tuple(_clocks(mine, touching, period, targets)),
        alerts=sum(one.link_id in seen for one in alerts),
        certain_until=min(
            (one.timeline.certain_until for one in mine if one.timeline.ended is None), default=None
        ),
        head=head,
    )


def _cases(one: Measured) -> Iterator[Case]:
    keys = _keys(one.link)
    return (Case(one.link.id, keys, cycle, of_cycle(cycle)) for cycle in one.verdict.cycles)


def _keys(link: Link) -> dict[Side, str]:
    return {side: link.key(side) for side in Side}


def _touches(cycle: Cycle, period: Period) -> bool:
    return cycle.started_at < period.until and (
        cycle.open or period.holds(cycle.stopped_at) or period.holds(cycle.breached_at)
    )


def _open_breach(cycle: Cycle) -> bool:
    return cycle.open and cycle.breached_at is not None


def _clocks(
    measured: Sequence[Measured], touching: Sequence[Case], period: Period, targets: Mapping[str, float]
) -> Iterator[ClockFigures]:
    """How each clock fared; clocks of all versions of the policy, the newest one's word on the owner."""
    policies = {one.policy.version: one.policy for one in measured}.values()
    rules = {rule.name: rule for one in sorted(policies, key=lambda one: one.since) for rule in one.clocks}
    for name, rule in rules.items():
        mine = [case for case in touching if case.cycle.clock == name]
        yield ClockFigures(
            name,
            rule.owner,
            met=sum(case.cycle.met and case.cycle.goal is not None for case in mine),
            breached=sum(period.holds(case.cycle.breached_at) for case in mine),
            running=sum(case.cycle.open for case in mine),
            at_risk=sum(case.standing is Standing.AT_RISK for case in mine),
            target=targets.get(name),
        )


def _over(one: Measured, moment: int) -> bool:
    """Whether a ticket was resolved, or its link had ended, by a moment."""
    timeline = one.timeline
    if moment < timeline.born:
        return False
    if timeline.ended is not None and timeline.ended <= moment:
        return True
    return status_at(timeline, moment) in one.policy.resolved


def status_at(timeline: Timeline, moment: int) -> str:
    """The status that a ticket had at a moment, in the internal side's words; "" when unknown."""
    status = timeline.start.get("status", "")
    for entry in timeline.entries:
        if entry.at > moment:
            break
        if entry.kind is EntryKind.FIELD and entry.field == "status":
            status = entry.after
    return status
