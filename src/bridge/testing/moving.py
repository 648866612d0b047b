"""Steps through a workflow: only those that are offered, and the status is what the adapter says it is."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bridge.errors import Clashed, Gone, Refused
from bridge.sync.ticket import Transition
from bridge.testing.desk import Desk


class Moving:
    """Promises of ``transitions`` and ``transition``."""

    def test_the_steps_are_offered(self, desk: Desk) -> None:
        """Each has an id and leads to a status of the project; none leads to where the ticket is."""
        ticket = desk.filed()
        steps = desk.tracker.transitions(ticket)
        assert all(step.id and step.name and step.to for step in steps)
        assert len({step.id for step in steps}) == len(steps)
        assert desk.samples.step[1] in {step.to for step in steps}
        assert desk.samples.step[0] not in {step.to for step in steps}

    def test_a_step_is_taken(self, desk: Desk) -> None:
        """The status is the step's, and the time of the write is the tracker's."""
        ticket = desk.filed()
        desk.next_second()
        with desk.moment() as moment:
            at = desk.tracker.transition(ticket, desk.step(ticket, desk.samples.step[1]), {})
        seen = desk.read(ticket)
        assert seen.fields["status"] == desk.samples.step[1]
        assert moment.holds(at)
        assert moment.holds(seen.updated)

    def test_offers_follow_the_status(self, desk: Desk) -> None:
        """After a step, the step to the status that was reached is not offered any more."""
        ticket = desk.filed()
        desk.tracker.transition(ticket, desk.step(ticket, desk.samples.step[1]), {})
        assert desk.samples.step[1] not in {step.to for step in desk.tracker.transitions(ticket)}

    def test_a_step_says_what_it_asks_for(self, desk: Desk) -> None:
        """Screen fields without a default are named; without them the step is refused, with them it is taken."""
        asking = desk.samples.asking
        if asking is None:
            pytest.skip("no step of this workflow asks for anything")
        ticket = desk.filed()
        step = desk.step(ticket, asking.to)
        assert {name.casefold() for name in step.required} <= {name.casefold() for name in asking.give}
        assert step.required
        with pytest.raises(Refused) as refusal:
            desk.tracker.transition(ticket, step, {})
        assert refusal.value.words
        assert desk.read(ticket).fields["status"] == desk.samples.step[0]
        desk.tracker.transition(ticket, step, asking.give)
        assert desk.read(ticket).fields["status"] == asking.to

    def test_a_step_that_does_not_exist_is_refused(self, desk: Desk) -> None:
        """Aloud, or found out by reading back; the status stays."""
        ticket = desk.filed()
        with pytest.raises((Refused, Clashed)):
            desk.tracker.transition(ticket, Transition("987654", "Nowhere", "Nowhere"), {})
        assert desk.read(ticket).fields["status"] == desk.samples.step[0]

    def test_a_step_that_came_too_late_is_told_truly(self, desk: Desk) -> None:
        """Somebody was quicker: either the step is refused, or the status is what it leads to."""
        ticket = desk.filed()
        step = desk.step(ticket, desk.samples.step[1])
        desk.person.move(ticket, desk.samples.step[1])
        with suppress(Refused, Clashed):
            desk.tracker.transition(ticket, step, {})
        assert desk.read(ticket).fields["status"] == step.to

    def test_a_ticket_that_is_not_there_offers_nothing(self, desk: Desk) -> None:
        """``transitions`` of an unknown ticket raises Gone."""
        with pytest.raises(Gone):
            desk.tracker.transitions(desk.samples.absent)
