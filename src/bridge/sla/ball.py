"""Who has the ball when: the party that has to act now, by the rules of the agreement."""

from __future__ import annotations

from bridge.sla.policy import BallRule, Owner, Policy
from bridge.sla.state import STATUS, State, in_order
from bridge.sla.timeline import Timeline
from bridge.sla.verdict import BallSpan


class Watch:
    """Follows the ball through one walk over a timeline.

    Attributes:
        owner: who has it now.
    """

    __slots__ = ("_policy", "_seen", "_since", "_spans", "_told", "owner")

    def __init__(self, policy: Policy) -> None:
        self.owner = Owner.NOBODY
        self._policy = policy
        self._since = 0
        self._spans: list[BallSpan] = []
        self._seen: tuple[Owner, str, str] | None = None
        self._told: tuple[Owner, str, str] | None = None

    def look(self, state: State, event: str) -> None:
        """See who has it after an entry, of which ``event`` is the evidence."""
        now = holder(state, self._policy)
        if self._seen is None or self._seen[:2] != now:
            self.owner = now[0]
            self._seen = (*now, event)

    def settle(self, at: int) -> None:
        """All that happened at a moment is told: whoever has the ball now has it from then on."""
        assert self._seen is not None
        if self._told is not None:
            if self._told[:2] == self._seen[:2]:
                return
            self._spans.append(BallSpan(self._since, at, *self._told))
        self._since, self._told = at, self._seen

    def spans(self, until: int) -> tuple[BallSpan, ...]:
        """Who had it up to a moment."""
        if self._told is None or until <= self._since:
            return tuple(self._spans)
        return (*self._spans, BallSpan(self._since, until, *self._told))


def ball(timeline: Timeline, policy: Policy, until: int) -> tuple[BallSpan, ...]:
    """Who had the ball from birth to a moment (microseconds), or to the end of the link if that came earlier."""
    until = until if timeline.ended is None else min(until, timeline.ended)
    state, watch = State(timeline, policy), Watch(policy)
    entries = in_order(timeline, until)
    for number, entry in enumerate(entries, 1):
        at = state.apply(entry).at
        watch.look(state, entry.event)
        if number == len(entries) or entries[number].at > at:
            watch.settle(at)
    return watch.spans(until)


def holder(state: State, policy: Policy) -> tuple[Owner, str]:
    """Who has to act now, and by which rule, in the file's words."""
    for rule in policy.ball:
        if _fits(rule, state):
            return rule.owner, rule.words
    return (Owner.NOBODY, "resolved") if state.resolved else (Owner.VENDOR, "not resolved")


def _fits(rule: BallRule, state: State) -> bool:
    return (
        (not rule.statuses or state.values.get(STATUS) in rule.statuses)
        and (rule.comment is None or rule.comment is state.comment)
        and all(state.assigned(side) is wanted for side, wanted in rule.assigned.items())
    )
