"""What lists show of the clocks of a link without evaluating them anew."""

from __future__ import annotations

from typing import Any

from bridge.sla.verdict import Cycle, Verdict


def glance(verdict: Verdict) -> dict[str, Any]:
    """The open cycles as plain JSON, and who has the ball, as it was ``at``; moments are microseconds."""
    return {
        "clocks": [_clock(one) for one in verdict.cycles if one.open],
        "ball": verdict.ball[-1].owner.value if verdict.ball else "",
        "at": verdict.at,
        "certain": verdict.certain_until,
    }


def _clock(cycle: Cycle) -> dict[str, Any]:
    return {
        "clock": cycle.clock,
        "cycle": cycle.number,
        "started": cycle.started_at,
        "state": cycle.state.value,
        "elapsed": cycle.elapsed,
        "budget": None if cycle.goal is None else cycle.goal.budget,
        "due": cycle.due_at,
        "warned": cycle.warned_at,
        "breached": cycle.breached_at,
    }
