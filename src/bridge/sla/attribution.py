"""Whose minutes they were: every microsecond of a stretch goes to one party, and the parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bridge.sla.calendar import Calendar
from bridge.sla.policy import Owner, Policy
from bridge.sla.verdict import BallSpan, Cycle
from bridge.sync.ticket import Side

SIDES: Final = {Side.INTERNAL: Owner.INTERNAL, Side.VENDOR: Owner.VENDOR}


def minutes(ball: Sequence[BallSpan], since: int, until: int) -> dict[Owner, int]:
    """Whose the time of a stretch was, by the wall clock.

    Args:
        ball: who had it when.
        since: beginning of the stretch, microseconds; what lies before birth is nobody's and is left out.
        until: its end; what lies after the end of the link or the moment of evaluation is left out.

    Returns:
        Microseconds for every owner, summing to the part of the stretch in which the link was there.
    """
    return _sum((span.owner, end - begin) for span, begin, end in _within(ball, since, until))


def office(
    ball: Sequence[BallSpan], calendars: Mapping[str, Calendar], policy: Policy, since: int, until: int
) -> dict[Owner, int]:
    """Whose the time of a stretch was, on each side's own calendar.

    Returns:
        Microseconds of the time in which a side had the ball and was at work, for each side of which the policy names
        the calendar. Nobody has no calendar.
    """
    named = {SIDES[side]: calendars[name] for side, name in policy.office.items()}
    told = dict.fromkeys(named, 0)
    for span, begin, end in _within(ball, since, until):
        if span.owner in named:
            told[span.owner] += named[span.owner].elapsed(begin, end)
    return told


def of_cycle(cycle: Cycle) -> dict[Owner, int]:
    """Whose the time of a cycle was, by the wall clock, also while it stood; summing to the time since its start."""
    return _sum((segment.owner, segment.until - segment.since) for segment in cycle.segments)


def counted(cycle: Cycle) -> dict[Owner, int]:
    """Whose the time was that counted in a cycle; summing to its ``elapsed``."""
    return _sum((segment.owner, segment.counted) for segment in cycle.segments)


def _sum(parts: Iterable[tuple[Owner, int]]) -> dict[Owner, int]:
    told = dict.fromkeys(Owner, 0)
    for owner, amount in parts:
        told[owner] += amount
    return told


def _within(ball: Sequence[BallSpan], since: int, until: int) -> Iterator[tuple[BallSpan, int, int]]:
    for span in ball:
        begin, end = max(span.since, since), min(span.until, until)
        if begin < end:
            yield span, begin, end
