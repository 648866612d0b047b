"""What lists show of the clocks of a link without evaluating them anew."""

from __future__ import annotations

from typing import Any

from bridge.sla.verdict import Cycle, Verdict


def glance(verdict: Verdict) -> dict[str, Any]:
    """The open cycles and the breached ones as plain JSON, as they were at ``at``; moments are microseconds."""
    told = [one for one in verdict.cycles if one.open or one.breached_at is not None]
    return {"at": verdict.at, "certain": verdict.certain_until, "clocks": [_clock(one) for one in told]}


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
