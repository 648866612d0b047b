"""What we write for few eyes, answers to comments, and people who are mentioned."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bridge.errors import Gone, OutcomeUnknown
from bridge.markup import Document, Mention, Paragraph, Text
from bridge.sync.agreement import Privacy
from bridge.testing.desk import Desk, mark, said
from bridge.testing.failing import wired


def privacy(desk: Desk) -> Privacy:
    """Who may read what we write in private; skips where the stand has nobody."""
    if desk.samples.private is None:
        pytest.skip("this stand has no way to write private comments")
    return desk.samples.private


class Hushing:
    """Promises about private comments that we write, threads and mentions."""

    def test_a_private_comment_is_written_as_private(self, desk: Desk) -> None:
        """From the first moment, with our text; the tracker shows it so when asked anew."""
        who, ticket = privacy(desk), desk.filed()
        with desk.moment() as moment:
            comment, at = desk.tracker.add_comment(ticket, said("for us"), mark(), private=who)
        assert desk.tracker.is_private(ticket, comment)
        seen = desk.comment(ticket, comment)
        assert seen.private
        assert seen.body == desk.settled(said("for us"))
        assert seen.author == desk.tracker.whoami()
        assert moment.holds(at)

    def test_a_public_comment_is_not_private(self, desk: Desk) -> None:
        """``is_private`` is no for a public comment, ours or a person's, and yes for a person's private one."""
        ticket = desk.filed()
        ours, _ = desk.tracker.add_comment(ticket, said("for all"), mark())
        theirs = desk.person.comment(ticket, "for all")
        hushed = desk.person.comment(ticket, "for us", private=True)
        assert not desk.tracker.is_private(ticket, ours)
        assert not desk.tracker.is_private(ticket, theirs)
        assert desk.tracker.is_private(ticket, hushed)

    def test_the_privacy_of_what_is_gone_is_not_guessed(self, desk: Desk) -> None:
        """``is_private`` of a comment that is not there raises Gone."""
        with pytest.raises(Gone):
            desk.tracker.is_private(desk.filed(), desk.samples.absent)

    def test_a_private_comment_is_found_after_a_lost_answer(self, desk: Desk) -> None:
        """``find_comment`` looks among private comments too, and what it finds is private."""
        who, began, marker = privacy(desk), desk.tracker.now(), mark()
        with wired(desk) as (far, wire, ticket):
            with suppress(OutcomeUnknown), wire.losing(times=100) as fault:
                far.tracker.add_comment(ticket, said("for us"), marker, private=who)
            assert fault.fired, "no write went through the wire"
        found = desk.tracker.find_comment(ticket, said("for us"), marker, began, private=True)
        assert found is not None
        assert [one.id for one in desk.read(ticket).comments] == [found]
        assert desk.tracker.is_private(ticket, found)

    def test_our_edit_leaves_a_private_comment_private(self, desk: Desk) -> None:
        """``edit_comment`` changes the text alone."""
        desk.needs_edits()
        who, ticket = privacy(desk), desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("for us"), mark(), private=who)
        desk.tracker.edit_comment(ticket, comment, said("still for us"))
        seen = desk.comment(ticket, comment)
        assert seen.private
        assert seen.body == desk.settled(said("still for us"))

    def test_a_private_comment_is_taken_back(self, desk: Desk) -> None:
        """``delete_comment`` takes private comments away as well: what came out public by mistake can be withdrawn."""
        desk.needs_edits()
        who, ticket = privacy(desk), desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("for us"), mark(), private=who)
        desk.tracker.delete_comment(ticket, comment)
        assert desk.read(ticket).comments == ()

    def test_an_answer_is_an_answer_or_a_comment(self, desk: Desk) -> None:
        """Where there are threads the answer names what it answers; elsewhere it is a comment like others."""
        ticket = desk.filed()
        asked = desk.person.comment(ticket, "Why?")
        answer, _ = desk.tracker.add_comment(ticket, said("Because."), mark(), parent=asked)
        seen = desk.comment(ticket, answer)
        assert seen.parent in {"", asked}
        assert seen.body == desk.settled(said("Because."))
        assert not seen.private
        assert desk.comment(ticket, asked).parent == ""

    def test_a_person_is_mentioned_as_this_tracker_does_it(self, desk: Desk) -> None:
        """A mention that ``find_mention`` gives is still that person once it was written; nobody is None."""
        assert desk.tracker.find_mention("nobody@nowhere.invalid", desk.stand.project) is None
        mention = desk.tracker.find_mention(desk.samples.people[0], desk.stand.project)
        if mention is None:
            pytest.skip(f"texts of a tracker of kind {desk.tracker.kind} mention nobody")
        ticket = desk.filed()
        body = Document((Paragraph((Text("Ask "), mention, Text(" about it."))),))
        comment, _ = desk.tracker.add_comment(ticket, body, mark())
        shown = desk.comment(ticket, comment).body
        assert [node.person for node in _mentions(shown)] == [mention.person]


def _mentions(body: Document) -> list[Mention]:
    return [
        node
        for block in body.blocks
        if isinstance(block, Paragraph)
        for node in block.children
        if isinstance(node, Mention)
    ]
