"""Walking a ticket through its workflow to a status, one offered step at a time."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.daemon.run import Run
from bridge.errors import Refused
from bridge.sync.plan import SetStatus
from bridge.sync.ticket import Transition
from bridge.sync.workflow import Unreachable, next_step

LONGEST_WALK = 10
"""Steps at most: longer ways do not occur in workflows that people can use."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk came.

    Attributes:
        passed: statuses entered, in order.
        at: the tracker's time of the last step, 0 when none was taken.
        unreachable: why the goal was not reached; "" when it was.
    """

    passed: tuple[str, ...]
    at: int
    unreachable: str = ""


def walk(run: Run, action: SetStatus) -> Walk:
    """Move the ticket to the goal, or as far as the way is known.

    Raises:
        Refused, Clashed: the tracker refuses a step that it had offered.
        OutcomeUnknown: a step may or may not have been taken.
        TrackerError: the tracker cannot be worked with now.
    """
    side = action.side
    ticket = run.read(side).ticket
    assert ticket is not None
    tracker = run.tracker(side)
    workflow = (tracker.name, ticket.project, str(ticket.fields.get("type", "")))
    present, at = str(ticket.fields["status"]), 0
    passed: list[str] = []
    while present != action.goal and len(passed) < LONGEST_WALK:
        seen = run.house.steps.seen(workflow)
        offered: tuple[Transition, ...] = seen.get(present, ())
        remembered = any(step.to == action.goal for step in offered)
        if not remembered:
            offered = tuple(tracker.transitions(ticket.id))
            run.house.steps.learn(workflow, present, offered)
        step = next_step(
            present, action.goal, offered, seen=seen, via=action.via, fill=action.fill, passed=passed
        )
        if isinstance(step, Unreachable):
            return Walk(tuple(passed), at, step.message)
        try:
            at = tracker.transition(ticket.id, step.transition, step.fields)
        except Refused:
            run.house.steps.forget(workflow, present)
            if not remembered:
                raise
            continue  # remembered from another ticket, not offered to this one: ask
        present = step.transition.to
        passed.append(present)
    if present != action.goal:
        return Walk(tuple(passed), at, f"'{action.goal}' was not reached in {LONGEST_WALK} steps")
    return Walk(tuple(passed), at)
