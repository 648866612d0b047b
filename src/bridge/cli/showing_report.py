"""A report as rows for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.clock import SECOND
from bridge.report.facts import Case, Figures, Waiting
from bridge.sla.policy import Owner
from bridge.sync.moments import for_programs
from bridge.sync.ticket import Side


def as_rows(figures: Figures, cases: Sequence[Case]) -> dict[str, Any]:
    """The figures and the evidence."""
    return {
        "agreement": figures.agreement,
        "since": for_programs(figures.period.since),
        "until": for_programs(figures.period.until),
        "certain_until": None if figures.certain_until is None else for_programs(figures.certain_until),
        "tickets": {"new": figures.born, "resolved": figures.resolved, "open": figures.open},
        "crossed": {
            f"to_{side.value}": {what: count for (to, what), count in figures.crossed.items() if to is side}
            for side in Side
        },
        "clocks": [
            {
                "clock": one.name,
                "owner": None if one.owner is None else one.owner.value,
                "met": one.met,
                "breached": one.breached,
                "share_met": one.share,
                "agreed": one.target,
                "reached": one.kept,
                "open": one.running,
                "at_risk": one.at_risk,
            }
            for one in figures.clocks
        ],
        "seconds": {owner.value: figures.minutes.get(owner, 0) // SECOND for owner in Owner},
        "office_seconds": {owner.value: amount // SECOND for owner, amount in figures.office.items()},
        "held": [_waiting(one) for one in figures.held],
        "parked": [_waiting(one) for one in figures.parked],
        "alerts": figures.alerts,
        "audit": {"seq": figures.head.seq, "hash": figures.head.hash},
        "evidence": [_case(one) for one in cases],
    }


def _waiting(one: Waiting) -> dict[str, Any]:
    return {
        **_keys(one.keys),
        "since": None if one.since is None else for_programs(one.since),
        **({"field": one.field} if one.field else {}),
    }


def _case(one: Case) -> dict[str, Any]:
    cycle = one.cycle
    return {
        **_keys(one.keys),
        "clock": cycle.clock,
        "cycle": cycle.number,
        "standing": one.standing.value,
        "goal_seconds": None if cycle.goal is None else cycle.goal.budget // SECOND,
        "calendar": None if cycle.goal is None else cycle.goal.calendar,
        "started": for_programs(cycle.started_at),
        "start_event": cycle.start_event,
        "stopped": None if cycle.stopped_at is None else for_programs(cycle.stopped_at),
        "stop_event": cycle.stop_event or None,
        "breached": None if cycle.breached_at is None else for_programs(cycle.breached_at),
        "counted_seconds": cycle.elapsed // SECOND,
        "seconds": {owner.value: amount // SECOND for owner, amount in one.minutes.items()},
    }


def _keys(keys: Mapping[Side, str]) -> dict[str, str]:
    return {side.value: keys.get(side, "") for side in Side}
