"""Comments: added once, found after a lost answer, edited, deleted; private ones read as private."""

from __future__ import annotations

import pytest

from bridge.errors import Gone, Refused
from bridge.markup import plain
from bridge.testing.desk import Desk, mark, said


class Talking:
    """Promises of the methods about comments."""

    def test_a_comment_is_added(self, desk: Desk) -> None:
        """It has the id that was returned, our text, our account, and is public; its time is the tracker's."""
        ticket, marker = desk.filed(), mark()
        with desk.moment() as moment:
            comment, at = desk.tracker.add_comment(ticket, said("Two", "paragraphs"), marker)
        seen = desk.comment(ticket, comment)
        assert seen.body == desk.settled(said("Two", "paragraphs"))
        assert seen.author == desk.tracker.whoami()
        assert not seen.private
        assert seen.marker in {"", marker}
        assert moment.holds(at)
        assert moment.holds(seen.created)

    def test_equal_comments_are_two(self, desk: Desk) -> None:
        """The same words twice are two comments with an id each."""
        ticket = desk.filed()
        first, second = (desk.tracker.add_comment(ticket, said("Me too"), mark())[0] for _ in range(2))
        assert first != second
        assert [one.id for one in desk.read(ticket).comments] == [first, second]

    def test_the_mark_of_a_comment_is_not_in_its_text(self, desk: Desk) -> None:
        """People read the comment as it was meant."""
        ticket, marker = desk.filed(), mark()
        comment, _ = desk.tracker.add_comment(ticket, said("Hello"), marker)
        assert marker not in plain(desk.comment(ticket, comment).body)

    def test_a_comment_is_found_after_a_lost_answer(self, desk: Desk) -> None:
        """``find_comment`` returns the id of what we wrote, and nothing for what we did not."""
        ticket, marker = desk.filed(), mark()
        began = desk.tracker.now()
        desk.person.comment(ticket, "By the person")
        comment, _ = desk.tracker.add_comment(ticket, said("By us"), marker)
        find = desk.tracker.find_comment
        assert find(ticket, said("By us"), marker, began) == comment
        assert find(ticket, said("Never said"), mark(), began) is None
        assert find(ticket, said("By the person"), mark(), began) is None

    def test_a_comment_is_edited(self, desk: Desk) -> None:
        """The id stays, the text is the new one; twice is the same as once."""
        desk.needs_edits()
        ticket = desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("before"), mark())
        for _ in range(2):
            with desk.moment() as moment:
                at = desk.tracker.edit_comment(ticket, comment, said("after"))
            assert desk.comment(ticket, comment).body == desk.settled(said("after"))
            assert moment.holds(at)
        assert len(desk.read(ticket).comments) == 1

    def test_an_edited_comment_is_still_ours(self, desk: Desk) -> None:
        """An edit changes neither the author nor the order, and makes nothing private or public."""
        desk.needs_edits()
        ticket = desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("before"), mark())
        later = desk.person.comment(ticket, "later")
        desk.tracker.edit_comment(ticket, comment, said("after"))
        seen = desk.read(ticket).comments
        assert [one.id for one in seen] == [comment, later]
        assert seen[0].author == desk.tracker.whoami()
        assert not seen[0].private

    def test_a_comment_that_is_not_there_cannot_be_edited(self, desk: Desk) -> None:
        """``edit_comment`` raises Gone for what was deleted."""
        desk.needs_edits()
        ticket = desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("short-lived"), mark())
        desk.tracker.delete_comment(ticket, comment)
        with pytest.raises(Gone):
            desk.tracker.edit_comment(ticket, comment, said("again"))
        assert desk.read(ticket).comments == ()

    def test_a_comment_is_deleted_and_again(self, desk: Desk) -> None:
        """Deleting what is gone is fine; the others stay."""
        desk.needs_edits()
        ticket = desk.filed()
        kept, _ = desk.tracker.add_comment(ticket, said("kept"), mark())
        dead, _ = desk.tracker.add_comment(ticket, said("dead"), mark())
        with desk.moment() as moment:
            stamps = [desk.tracker.delete_comment(ticket, dead) for _ in range(2)]
        assert [one.id for one in desk.read(ticket).comments] == [kept]
        assert all(moment.holds(at) for at in stamps)

    def test_a_comment_that_cannot_be_changed_stays(self, desk: Desk) -> None:
        """Where texts stay as they were written, an edit and a deletion are refused and change nothing."""
        if desk.kind.edits_texts:
            pytest.skip(f"a tracker of kind {desk.tracker.kind} lets comments be changed")
        ticket = desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, said("as it was"), mark())
        with pytest.raises(Refused):
            desk.tracker.edit_comment(ticket, comment, said("as it is"))
        with pytest.raises(Refused):
            desk.tracker.delete_comment(ticket, comment)
        assert desk.comment(ticket, comment).body == desk.settled(said("as it was"))

    def test_a_comment_on_nothing_is_refused(self, desk: Desk) -> None:
        """``add_comment`` on a ticket that is not there raises Gone or Refused."""
        with pytest.raises((Gone, Refused)):
            desk.tracker.add_comment(desk.samples.absent, said("Hello?"), mark())

    def test_private_comments_are_read_as_private(self, desk: Desk) -> None:
        """Whatever restricts the readers of a comment makes it private: it never crosses as public."""
        ticket = desk.filed()
        public = desk.person.comment(ticket, "for all")
        private = desk.person.comment(ticket, "for us", private=True)
        again = desk.person.comment(ticket, "for all again")
        seen = {one.id: one.private for one in desk.read(ticket).comments}
        assert seen.pop(private, True), "a private comment is shown as public"
        assert seen == {public: False, again: False}

    def test_private_comments_stay_private_in_a_poll(self, desk: Desk) -> None:
        """A ticket from a poll never shows a private comment as public."""
        ticket = desk.filed()
        private = desk.person.comment(ticket, "for us", private=True)
        since = desk.read(ticket).updated

        def look() -> bool:
            return any(one.id == ticket and one.updated >= since for one in desk.poll(since))

        desk.eventually(look, bool, "the commented ticket in a poll")
        shown = [one for seen in desk.poll(since) if seen.id == ticket for one in seen.comments]
        assert [one.id for one in shown if one.id == private and not one.private] == []

    def test_an_edited_private_comment_stays_private(self, desk: Desk) -> None:
        """A person's edit of a private comment does not make it public to us."""
        desk.needs_edits()
        ticket = desk.filed()
        private = desk.person.comment(ticket, "for us", private=True)
        desk.person.edit_comment(ticket, private, "still for us")
        seen = {one.id: one for one in desk.read(ticket).comments}
        assert private not in seen or seen[private].private

    def test_empty_words_are_told_truly(self, desk: Desk) -> None:
        """An empty comment is refused, or is there and empty; it is never silently lost."""
        ticket = desk.filed()
        try:
            comment, _ = desk.tracker.add_comment(ticket, said(""), mark())
        except Refused:
            assert desk.read(ticket).comments == ()
        else:
            assert plain(desk.comment(ticket, comment).body).strip() == ""
