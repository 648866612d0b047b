"""Finding tickets: polls that miss nothing, a census of everything in view, and the search for our marks."""

from __future__ import annotations

import time

import pytest

from bridge.clock import SECOND
from bridge.errors import Refused, TrackerError
from bridge.sync.agreement import TEXT_FIELDS, Scope
from bridge.testing.desk import Desk, mark
from bridge.trackers.protocol import Watch

LATER = 60 * SECOND


class Finding:
    """Promises of ``changes``, ``census`` and ``find_marked``."""

    def test_a_poll_shows_what_changed_oldest_first(self, desk: Desk) -> None:
        """Tickets come in the order of their stamps, to the second: search indexes keep no more."""
        began = desk.tracker.now()
        first, second, third = (desk.filed(f"number {number}") for number in range(3))
        time.sleep(1.1)
        desk.person.edit(first, {"summary": "number 0, changed"})
        ours = {first, second, third}

        def look() -> list[tuple[int, str]]:
            return [
                (one.updated // SECOND, one.id) for one in desk.poll(began - 2 * SECOND) if one.id in ours
            ]

        def in_order(seen: list[tuple[int, str]]) -> bool:
            # While the index trails, a ticket may stand in its old place and show its new stamp.
            stamps = [stamp for stamp, _ in seen]
            return (
                stamps == sorted(stamps) and {ticket for _, ticket in seen} == ours and seen[-1][1] == first
            )

        desk.eventually(look, in_order, "a poll with all three tickets, the changed one last")

    def test_the_lower_bound_is_inclusive(self, desk: Desk) -> None:
        """A poll from the very stamp of a ticket shows it, and everything behind it: no second is a gap."""
        tickets = [desk.filed(f"number {number}") for number in range(4)]
        stamps = {ticket: desk.read(ticket).updated for ticket in tickets}
        for at, bound in enumerate(stamps.values()):
            wanted = set(tickets[at:])
            desk.eventually(
                lambda bound=bound: {ticket.id for ticket in desk.poll(bound)},  # type: ignore[misc]
                lambda seen, wanted=wanted: wanted <= seen,  # type: ignore[misc]
                f"a poll from {bound} with all of {wanted}",
            )

    def test_a_poll_leaves_out_what_is_older(self, desk: Desk) -> None:
        """What did not change since the bound is not shown, so that a quiet tracker costs nothing."""
        ticket = desk.filed()
        desk.eventually(
            lambda: {one.id for one in desk.poll(desk.read(ticket).updated)},
            lambda seen: ticket in seen,
            "a poll with the ticket",
        )
        assert ticket not in {one.id for one in desk.poll(desk.read(ticket).updated + LATER)}

    def test_a_poll_may_be_repeated(self, desk: Desk) -> None:
        """The same bound shows the same again: polls overlap, and nothing is used up by looking."""
        ticket = desk.filed()
        since = desk.read(ticket).updated
        for _ in range(2):
            desk.eventually(
                lambda: {one.id for one in desk.poll(since)}, lambda seen: ticket in seen, "the ticket"
            )

    def test_a_ticket_from_a_poll_is_no_less_than_it_says(self, desk: Desk) -> None:
        """A ticket from a poll equals the fetched one, as far as the abilities and itself say it is whole."""
        ticket = desk.filed()
        desk.person.comment(ticket, "Hello")
        whole = desk.read(ticket)

        def look() -> bool:
            found = [one for one in desk.poll(whole.updated) if one.id == ticket]
            return bool(found) and found[-1].updated == whole.updated

        desk.eventually(look, bool, "the commented ticket in a poll")
        seen = [one for one in desk.poll(whole.updated) if one.id == ticket][-1]
        left_out = set(whole.fields) - set(seen.fields)
        assert dict(seen.fields) == {name: whole.fields[name] for name in seen.fields}
        assert left_out <= (set() if desk.abilities.search_has_comments else TEXT_FIELDS)
        assert (seen.id, seen.key, seen.url) == (whole.id, whole.key, whole.url)
        assert (seen.project, seen.created, seen.marker) == (whole.project, whole.created, whole.marker)
        if desk.abilities.search_has_comments and seen.comments_complete:
            assert seen.comments == whole.comments
        elif not seen.comments_complete:
            assert set(seen.comments) <= set(whole.comments)
        else:
            pytest.fail("a poll without comments must say that they are incomplete")

    def test_a_selection_narrows_and_followed_tickets_stay_in_view(self, desk: Desk) -> None:
        """Only selected tickets are in view, and the linked ones, whether or not they are selected any more."""
        selection = desk.samples.selection
        if selection is None:
            pytest.skip("this stand has no selection")
        began = desk.tracker.now() - 2 * SECOND
        inside = desk.filed("inside", **selection.inside)
        outside = desk.filed("outside", **selection.outside)
        linked = desk.filed("linked", **selection.outside)
        follow = (linked, desk.samples.absent, inside)

        def polled() -> set[str]:
            return {one.id for one in desk.poll(began, select=selection.query, follow=follow)}

        seen = desk.eventually(polled, lambda seen: {inside, linked} <= seen, "a poll with both")
        assert outside not in seen

        def counted() -> set[str]:
            return set(desk.counted(select=selection.query, follow=follow))

        seen = desk.eventually(counted, lambda seen: {inside, linked} <= seen, "a census with both")
        assert outside not in seen

    def test_a_followed_ticket_that_was_deleted_stops_nothing(self, desk: Desk) -> None:
        """One dead link must not blind the whole feed."""
        selection = desk.samples.selection
        if selection is None:
            pytest.skip("this stand has no selection")
        began = desk.tracker.now() - 2 * SECOND
        # The newest ticket is not the one to delete: a tracker on SQLite gives its number to the next.
        dead = desk.filed("dead", **selection.outside)
        inside = desk.filed("inside", **selection.inside)
        desk.person.delete(dead)
        seen = desk.eventually(
            lambda: {one.id for one in desk.poll(began, select=selection.query, follow=[dead, inside])},
            lambda seen: inside in seen and dead not in seen,
            "a poll without the dead",
        )
        assert dead not in seen
        assert inside in desk.counted(select=selection.query, follow=[dead, inside])

    def test_the_canary_is_no_burden(self, desk: Desk) -> None:
        """With a living login a poll with a canary works, even where the canary itself is gone."""
        ticket = desk.filed()
        since = desk.read(ticket).updated
        for canary in (ticket, desk.samples.absent):
            desk.eventually(
                lambda canary=canary: {one.id for one in desk.poll(since, canary=canary)},  # type: ignore[misc]
                lambda seen: ticket in seen,
                "a poll with the ticket",
            )
        desk.poll(since + LATER, canary=ticket)

    def test_nonsense_is_refused(self, desk: Desk) -> None:
        """A selection that the tracker cannot mean raises Refused: an empty answer would look like peace."""
        if not desk.samples.nonsense:
            pytest.skip("this stand has no nonsensical selections")
        desk.filed()
        for select in desk.samples.nonsense:
            with pytest.raises(Refused):
                desk.poll(0, select=select)
            with pytest.raises(Refused):
                desk.counted(select=select)

    def test_an_unknown_project_is_not_peace(self, desk: Desk) -> None:
        """A poll of a project that is not there raises an error of our tree; it never shows simply nothing."""
        elsewhere = Watch(Scope(desk.stand.settings.name, "nosuchproject", "X", desk.abilities.dialect))
        with pytest.raises(TrackerError):
            list(desk.tracker.changes(elsewhere, 0))

    def test_a_census_counts_everything_whatever_its_age(self, desk: Desk) -> None:
        """Every ticket is in it once, with the stamp that a read shows."""
        tickets = [desk.filed(f"number {number}") for number in range(3)]
        stamps = {ticket: desk.read(ticket).updated for ticket in tickets}
        pages = list(desk.tracker.census(desk.watch()))
        ids = [stamp.id for page in pages for stamp in page]
        assert len(ids) == len(set(ids))
        desk.eventually(desk.counted, lambda seen: stamps.items() <= seen.items(), "a census with all three")

    def test_a_deleted_ticket_leaves_the_census(self, desk: Desk) -> None:
        """What is gone is not counted."""
        dead, kept = desk.filed("dead"), desk.filed("kept")
        desk.person.delete(dead)
        seen = desk.eventually(
            desk.counted, lambda seen: kept in seen and dead not in seen, "a census without the dead"
        )
        assert dead not in seen

    def test_a_marked_ticket_is_found(self, desk: Desk) -> None:
        """By its mark, wherever it lies among others; a mark that nothing carries finds nothing."""
        began = desk.tracker.now()
        one, other = mark(), mark()
        made = desk.create(one)
        desk.create(other)
        found = desk.eventually(
            lambda: desk.tracker.find_marked(desk.scope(), one, began), bool, "the marked ticket"
        )
        assert [(stamp.id, stamp.key) for stamp in found] == [(made.id, made.key)]
        assert list(desk.tracker.find_marked(desk.scope(), mark(), began)) == []

    def test_the_mark_survives_what_people_do(self, desk: Desk) -> None:
        """An edit of the ticket's texts and labels leaves it findable, so that it is not created again."""
        began, marker = desk.tracker.now(), mark()
        made = desk.create(marker)
        changed = {"summary": "Called something else"}
        if "labels" in desk.abilities.fields:
            changed["labels"] = "quite-others"
        desk.person.edit(made.id, changed)
        desk.eventually(
            lambda: [stamp.id for stamp in desk.tracker.find_marked(desk.scope(), marker, began)],
            lambda ids: ids == [made.id],
            "the marked ticket",
        )
