"""Reading tickets by id: the present truth, whole, and their history."""

from __future__ import annotations

import pytest

from bridge.errors import TrackerError
from bridge.markup import plain
from bridge.testing.desk import Desk, mark, said
from bridge.trackers.protocol import TellsHidden


class Reading:
    """Promises of ``fetch`` and ``histories``."""

    def test_a_ticket_is_read_with_every_field(self, desk: Desk) -> None:
        """Every built-in field that the adapter claims is there, in the tracker's own vocabulary."""
        ticket = desk.filed("Disk", description="It is full.")
        with desk.moment() as moment:
            desk.person.edit(ticket, {"summary": "Disk full"})
        seen = desk.read(ticket)
        assert (seen.id, seen.project) == (ticket, desk.stand.project)
        assert seen.url.startswith(desk.stand.settings.url)
        assert seen.key
        assert set(seen.fields) >= desk.abilities.fields
        assert seen.fields["summary"] == "Disk full"
        assert seen.fields["description"] == desk.settled(said("It is full."))
        assert seen.fields["status"] == desk.samples.step[0]
        assert moment.holds(seen.updated)
        assert seen.created <= seen.updated
        assert seen.marker == ""

    def test_a_read_is_strong(self, desk: Desk) -> None:
        """What was written a moment ago, by us or by a person, is in the very next read by id."""
        ticket = desk.filed()
        for number in range(3):
            desk.person.edit(ticket, {"summary": f"by the person {number}"})
            assert desk.read(ticket).fields["summary"] == f"by the person {number}"
            desk.update(ticket, {"summary": f"by us {number}"})
            assert desk.read(ticket).fields["summary"] == f"by us {number}"

    def test_what_is_not_there_is_absent(self, desk: Desk) -> None:
        """Ids of deleted and unknown tickets, and words that are no ids, are left out of the answer."""
        dead, kept = desk.filed(), desk.filed()
        desk.person.delete(dead)
        assert set(desk.tracker.fetch([kept, dead, desk.samples.absent, "nonsense"], ())) == {kept}
        assert dict(desk.tracker.fetch([], ())) == {}

    def test_a_merged_ticket_is_read_as_what_is_left(self, desk: Desk) -> None:
        """In its place stands the ticket that it was merged into, under that one's id; nothing is written under it."""
        merged, left = desk.filed("merged"), desk.filed("left")
        desk.person.merge(merged, left)
        assert desk.read(merged).id == left
        with pytest.raises(TrackerError):
            desk.update(merged, {"summary": "written to the wrong ticket"})
        assert desk.read(left).fields["summary"] == "left"

    def test_what_can_be_seen_is_not_hidden(self, desk: Desk) -> None:
        """Neither a visible ticket nor an unknown one is said to be there and hidden."""
        if not isinstance(desk.tracker, TellsHidden):
            pytest.skip(f"a tracker of kind {desk.tracker.kind} does not tell a hidden ticket from none")
        assert not desk.tracker.hidden(desk.filed())
        assert not desk.tracker.hidden(desk.samples.absent)

    def test_many_tickets_are_read_at_once(self, desk: Desk) -> None:
        """All that were asked for, each under its own id, also where one is asked for twice."""
        tickets = {desk.filed(f"number {number}"): f"number {number}" for number in range(6)}
        found = desk.tracker.fetch([*tickets, next(iter(tickets))], desk.specs)
        assert {one: ticket.fields["summary"] for one, ticket in found.items()} == tickets

    def test_comments_come_whole_and_in_order(self, desk: Desk) -> None:
        """All comments, oldest first, each with its author, its text and its time."""
        ticket = desk.filed()
        with desk.moment() as moment:
            ids = [desk.person.comment(ticket, f"comment {number}") for number in range(6)]
            ours, _ = desk.tracker.add_comment(ticket, said("ours"), mark())
        seen = desk.read(ticket)
        assert seen.comments_complete
        assert [one.id for one in seen.comments] == [*ids, ours]
        assert [plain(one.body) for one in seen.comments] == [f"comment {n}" for n in range(6)] + ["ours"]
        assert [one.created for one in seen.comments] == sorted(one.created for one in seen.comments)
        assert all(moment.holds(one.created) for one in seen.comments)
        assert seen.comments[-1].author == desk.tracker.whoami()
        assert {one.author for one in seen.comments[:-1]} == {seen.creator}

    def test_an_edited_comment_shows_its_new_text(self, desk: Desk) -> None:
        """A read shows it at once; the ticket's stamp moves exactly where the abilities say so."""
        desk.needs_edits()
        ticket = desk.filed()
        comment = desk.person.comment(ticket, "before")
        stamp = desk.read(ticket).updated
        desk.next_second()
        desk.person.edit_comment(ticket, comment, "after")
        seen = desk.read(ticket)
        assert plain(desk.comment(ticket, comment).body) == "after"
        if desk.abilities.comment_edits_bump:
            assert seen.updated > stamp

    def test_a_deleted_comment_is_gone(self, desk: Desk) -> None:
        """It is left out of the very next read, which still says that it is complete."""
        desk.needs_edits()
        ticket = desk.filed()
        kept, dead = desk.person.comment(ticket, "kept"), desk.person.comment(ticket, "dead")
        desk.person.delete_comment(ticket, dead)
        seen = desk.read(ticket)
        assert [one.id for one in seen.comments] == [kept]
        assert seen.comments_complete

    def test_every_write_moves_the_stamp(self, desk: Desk) -> None:
        """``updated`` moves with every change of a ticket, so that a poll cannot overlook it."""
        names = ["summary", "comment", "status"]
        if desk.kind.edits_texts:
            names.append("description")
        if "priority" in desk.abilities.fields:
            names.append("priority")
        tickets = {name: desk.filed(name) for name in names}
        before = {name: desk.read(ticket).updated for name, ticket in tickets.items()}
        desk.next_second()
        desk.person.edit(tickets["summary"], {"summary": "changed"})
        desk.person.comment(tickets["comment"], "said")
        desk.person.move(tickets["status"], desk.samples.step[1])
        if "description" in tickets:
            desk.person.edit(tickets["description"], {"description": "changed"})
        if "priority" in tickets:
            current = desk.read(tickets["priority"]).fields["priority"]
            other = next(name for name in desk.samples.priorities if name != current)
            desk.person.edit(tickets["priority"], {"priority": other})
        after = {name: desk.read(ticket).updated for name, ticket in tickets.items()}
        assert [name for name in names if after[name] <= before[name]] == []

    def test_the_history_tells_who_changed_what_when(self, desk: Desk) -> None:
        """Changes of fields, oldest first, with old and new value, author, time and evidence."""
        ticket = desk.filed("busy")
        with desk.moment() as moment:
            desk.person.edit(ticket, {"summary": "busier"})
            desk.update(ticket, {"summary": "busiest"})
            desk.person.move(ticket, desk.samples.step[1])
        history = desk.tracker.histories([ticket, desk.samples.absent])
        assert set(history) == {ticket}
        changes = [one for one in history[ticket] if one.field in {"summary", "status"}]
        assert [(one.field, one.before, one.after) for one in changes] == [
            ("summary", "busy", "busier"),
            ("summary", "busier", "busiest"),
            ("status", *desk.samples.step),
        ]
        assert all(one.event and moment.holds(one.at) for one in changes)
        assert [one.at for one in history[ticket]] == sorted(one.at for one in history[ticket])
        me, creator = desk.tracker.whoami(), desk.read(ticket).creator
        assert [one.author for one in changes] == [creator, me, creator]
        assert len({one.event for one in changes}) == len(changes)
