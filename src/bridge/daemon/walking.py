"""Walking a ticket through its workflow to a status, one offered step at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.daemon.run import Run
from bridge.errors import Refused
from bridge.sync.plan import SetStatus
from bridge.sync.ticket import Transition
from bridge.sync.workflow import Unreachable, next_step

LONGEST_WALK = 10
"""Steps at most: longer ways do not occur in workflows that people can use."""


@dataclass(slots=True)
class Trail:
    """How far a walk has come; right at every moment, also when the walk ends in an error.

    Attributes:
        start: the status it began at.
        passed: statuses entered, in order.
        at: the tracker's time of the last step, 0 when none was taken.
        refused: answers to steps that were only remembered, and that this ticket does not offer.
    """

    start: str
    passed: list[str] = field(default_factory=list)
    at: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def present(self) -> str:
        """The status that the ticket has now."""
        return self.passed[-1] if self.passed else self.start


def walk(run: Run, action: SetStatus, trail: Trail) -> str:
    """Move the ticket to the goal, or as far as the way is known.

    Returns:
        Why the goal was not reached; "" when it was.

    Raises:
        Refused, Clashed: the tracker refuses a step that it had offered.
        OutcomeUnknown: a step may or may not have been taken.
        TrackerError: the tracker cannot be worked with now.
    """
    side = action.side
    ticket = run.read(side).ticket
    assert ticket is not None
    tracker, steps = run.tracker(side), run.house.steps
    workflow = (tracker.name, ticket.project, str(ticket.fields.get("type", "")))
    while trail.present != action.goal and len(trail.passed) < LONGEST_WALK:
        seen = steps.seen(workflow)
        offered: tuple[Transition, ...] = seen.get(trail.present, ())
        remembered = any(step.to == action.goal for step in offered)
        if not remembered:
            offered = tuple(tracker.transitions(ticket.id))
            steps.learn(workflow, trail.present, offered)
        left = [status for status in (trail.start, *trail.passed) if status != trail.present]
        step = next_step(
            trail.present, action.goal, offered, seen=seen, via=action.via, fill=action.fill, passed=left
        )
        if isinstance(step, Unreachable):
            return step.message
        try:
            trail.at = tracker.transition(ticket.id, step.transition, step.fields)
        except Refused as error:
            steps.forget(workflow, trail.present)
            if not remembered:
                raise
            trail.refused.append(error)
            continue  # remembered from another ticket, not offered to this one: ask
        trail.passed.append(step.transition.to)
    return "" if trail.present == action.goal else f"'{action.goal}' was not reached in {LONGEST_WALK} steps"
