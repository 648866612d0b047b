"""Reaching a status through a workflow, one step at a time, without guessing.

A tracker shows only the steps from the present status. So the way is found by what is offered now, by steps seen
before on other tickets, and by the way that the agreement names; if none of these reaches the goal, that is a finding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.sync.ticket import Transition


@dataclass(frozen=True, slots=True)
class Step:
    """Take this transition, giving these screen fields."""

    transition: Transition
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No known way leads to the goal; ``message`` says what was offered and what the agreement could name."""

    message: str


def next_step(
    present: str,
    goal: str,
    offered: Sequence[Transition],
    *,
    seen: Mapping[str, Sequence[Transition]],
    via: Sequence[str] = (),
    fill: Mapping[str, Mapping[str, str]] | None = None,
    passed: Sequence[str] = (),
) -> Step | Unreachable:
    """The next step from ``present`` towards ``goal``.

    Args:
        present: the ticket's status now.
        goal: the status to reach.
        offered: the steps offered from ``present``.
        seen: status -> steps once offered from it to tickets of the same project and type.
        via: statuses that the agreement names as the way to the goal.
        fill: status -> screen field -> value to give on the step into it.
        passed: statuses this walk has already left; they are not entered again.
    """
    filled = fill or {}
    open_steps = [step for step in offered if _missing(step, filled) == () and step.to not in passed]
    chosen = next((step for step in open_steps if step.to == goal), None)
    if chosen is None:
        # The way that people have written down comes before one that was merely seen to exist.
        waypoints = list(via[via.index(present) + 1 :] if present in via else via)
        chosen = next((step for stop in waypoints for step in open_steps if step.to == stop), None)
    if chosen is None:
        chosen = _first_of_known_way(open_steps, goal, seen, filled, {present, *passed})
    if chosen is not None:
        return Step(chosen, dict(filled.get(chosen.to, {})))
    return Unreachable(_explain(present, goal, offered, filled))


def _first_of_known_way(
    offered: Sequence[Transition],
    goal: str,
    seen: Mapping[str, Sequence[Transition]],
    fill: Mapping[str, Mapping[str, str]],
    closed: set[str],
) -> Transition | None:
    """The first step of the shortest way through steps seen before, or None."""
    queue = deque((step.to, step) for step in offered if step.to not in closed)
    known = set(closed)
    while queue:
        status, first = queue.popleft()
        if status == goal:
            return first
        if status in known:
            continue
        known.add(status)
        queue.extend((step.to, first) for step in seen.get(status, ()) if _missing(step, fill) == ())
    return None


def _missing(step: Transition, fill: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    given = {name.casefold() for name in fill.get(step.to, {})}
    return tuple(name for name in step.required if name.casefold() not in given)


def _explain(
    present: str, goal: str, offered: Sequence[Transition], fill: Mapping[str, Mapping[str, str]]
) -> str:
    if not offered:
        return f"no step is offered from '{present}'; the account may lack the right to move tickets"
    lacking = [step for step in offered if step.to == goal and _missing(step, fill)]
    if lacking:
        fields = ", ".join(_missing(lacking[0], fill))
        return f"the step '{lacking[0].name}' to '{goal}' asks for {fields}: name them under 'fill' of the status"
    ways = ", ".join(f"'{step.name}' to '{step.to}'" for step in offered)
    return (
        f"no known way from '{present}' to '{goal}'; offered: {ways}. Name the way under 'via' of the status"
    )
