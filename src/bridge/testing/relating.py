"""Structure: links between tickets, parents, and time spent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from bridge.clock import SECOND
from bridge.errors import Gone, OutcomeUnknown, Refused, TrackerError
from bridge.sync.ticket import Relation
from bridge.testing.desk import Desk, mark, said
from bridge.testing.failing import wired
from bridge.trackers.structure import TimeSpent

HOUR = 3_600


def between(desk: Desk, one: str, other: str) -> list[Relation]:
    """The links of one ticket to another, as a read shows them."""
    seen = desk.read(one)
    assert seen.relations_complete
    return [relation for relation in seen.relations if relation.other == other]


def spent(desk: Desk, words: str = "Looked into it", seconds: int = HOUR) -> TimeSpent:
    """Time to be booked, on a whole day of the past: some trackers keep no more of it."""
    day = 86_400 * SECOND
    return TimeSpent(desk.tracker.now() // day * day - 2 * day + day // 2, seconds, said(words))


class Relating:
    """Promises of ``structure``."""

    @pytest.fixture
    def linked(self, desk: Desk) -> Desk:
        """The desk, where tickets can be linked."""
        if not desk.abilities.relations:
            pytest.skip(f"the adapter for {desk.tracker.kind} knows no links between tickets")
        return desk

    @pytest.fixture
    def timed(self, desk: Desk) -> Desk:
        """The desk, where time can be booked."""
        if not desk.abilities.worklogs:
            pytest.skip(f"the adapter for {desk.tracker.kind} books no time")
        return desk

    def test_a_link_is_made_once(self, linked: Desk) -> None:
        """Both ends show it, one outward and one inward; making it again adds nothing."""
        kind = linked.tracker.structure.link_types()[0]
        source, target = linked.filed("source"), linked.filed("target")
        for _ in range(2):
            linked.tracker.structure.add_relation(kind, source, target)
        (out,), (back,) = between(linked, source, target), between(linked, target, source)
        assert out.kind == back.kind == kind
        assert out.symmetric == back.symmetric
        if not out.symmetric:
            assert (out.outward, back.outward) == (True, False)

    def test_every_type_of_link_can_be_made(self, linked: Desk) -> None:
        """What ``link_types`` names can be used, and metadata names the same."""
        kinds = linked.tracker.structure.link_types()
        assert set(linked.tracker.metadata(linked.stand.project).link_types) == set(kinds)
        ticket = linked.filed()
        for kind in kinds:
            other = linked.filed(kind)
            linked.tracker.structure.add_relation(kind, ticket, other)
            assert [one.kind for one in between(linked, ticket, other)] == [kind]

    def test_a_link_is_taken_away_and_again(self, linked: Desk) -> None:
        """Both ends lose it; taking away what is gone is fine."""
        kind = linked.tracker.structure.link_types()[0]
        source, target = linked.filed("source"), linked.filed("target")
        linked.tracker.structure.add_relation(kind, source, target)
        (made,) = between(linked, source, target)
        for _ in range(2):
            linked.tracker.structure.remove_relation(made.id)
        assert between(linked, source, target) == between(linked, target, source) == []

    def test_a_link_to_nothing_is_refused(self, linked: Desk) -> None:
        """One of the tickets is not there, or there is no such type: an error of our tree."""
        kind = linked.tracker.structure.link_types()[0]
        ticket, other = linked.filed("source"), linked.filed("target")
        with pytest.raises((Gone, Refused)):
            linked.tracker.structure.add_relation(kind, ticket, linked.samples.absent)
        with pytest.raises((Gone, Refused)):
            linked.tracker.structure.add_relation("No such type", ticket, other)
        assert between(linked, ticket, other) == []

    def test_a_ticket_gets_its_parent_when_it_is_created(self, linked: Desk) -> None:
        """A draft with a parent becomes a part of it; a ticket without one says that it has none."""
        part = linked.samples.part
        if part is None:
            pytest.skip("tickets of this stand have no parts")
        parent = linked.create()
        draft = replace(linked.draft(mark(), **part), parent=parent.id)
        made = linked.tracker.create(draft, linked.specs)
        assert linked.read(made.id).parent == parent.id
        assert linked.read(parent.id).parent == ""

    def test_a_ticket_gets_another_parent(self, linked: Desk) -> None:
        """``set_parent`` leaves the parent that was meant, or is refused and changes nothing; twice is as once."""
        part = linked.samples.part
        if part is None:
            pytest.skip("tickets of this stand have no parts")
        present, other = linked.create().id, linked.create().id
        draft = replace(linked.draft(mark(), **part), parent=present)
        ticket = linked.tracker.create(draft, linked.specs).id
        for meant in (other, other, ""):
            with suppress(Refused):
                linked.tracker.structure.set_parent(ticket, meant)
                present = meant
            assert linked.read(ticket).parent == present
        with pytest.raises((Gone, Refused)):
            linked.tracker.structure.set_parent(ticket, linked.samples.absent)

    def test_time_is_booked(self, timed: Desk) -> None:
        """It has the id that was returned, our time, length and text; a read shows it or says that it does not."""
        ticket, meant = timed.filed(), spent(timed)
        with timed.moment() as moment:
            worklog, at = timed.tracker.structure.add_worklog(ticket, meant, mark())
        assert moment.holds(at)
        (seen,) = timed.tracker.structure.worklogs(ticket)
        assert (seen.id, seen.seconds) == (worklog, meant.seconds)
        assert abs(seen.started - meant.started) <= 86_400 * SECOND
        assert seen.body == timed.settled(meant.body)
        assert seen.author == timed.tracker.whoami()
        whole = timed.read(ticket)
        assert not whole.worklogs_complete or [one.id for one in whole.worklogs] == [worklog]

    def test_time_is_found_after_a_lost_answer(self, timed: Desk) -> None:
        """It was booked once, and is found; what was not booked is not."""
        meant, marker = spent(timed), mark()
        with wired(timed) as (far, wire, ticket):
            with suppress(OutcomeUnknown), wire.losing(times=100) as fault:
                far.tracker.structure.add_worklog(ticket, meant, marker)
            assert fault.fired, "no write went through the wire"
        (booked,) = timed.tracker.structure.worklogs(ticket)
        assert timed.tracker.structure.find_worklog(ticket, meant, marker) == booked.id
        assert timed.tracker.structure.find_worklog(ticket, spent(timed, "Never", 60), mark()) is None

    def test_time_is_changed_and_deleted(self, timed: Desk) -> None:
        """An edit keeps the id; deleting what is gone is fine."""
        ticket = timed.filed()
        worklog, _ = timed.tracker.structure.add_worklog(ticket, spent(timed), mark())
        changed = spent(timed, "Thought about it", 2 * HOUR)
        for _ in range(2):
            timed.tracker.structure.edit_worklog(ticket, worklog, changed)
        (seen,) = timed.tracker.structure.worklogs(ticket)
        assert (seen.id, seen.seconds, seen.body) == (worklog, 2 * HOUR, timed.settled(changed.body))
        for _ in range(2):
            timed.tracker.structure.delete_worklog(ticket, worklog)
        assert list(timed.tracker.structure.worklogs(ticket)) == []
        with pytest.raises(TrackerError):
            timed.tracker.structure.edit_worklog(ticket, worklog, changed)
