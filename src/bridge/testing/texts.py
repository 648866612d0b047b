"""Rich texts: what is written is read back as foretold, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bridge.errors import Refused
from bridge.markup import Dialect, Document, Mention, Text, transform, words, write
from bridge.markup.tree import CodeBlock, Inline, Media, UnknownInline
from bridge.testing.corpus import HOSTILE, SCRIPTS, STRUCTURES, line, lorem
from bridge.testing.desk import Desk, mark, said


class Texts:
    """Promises about texts: ``bridge.markup.settle`` tells how the tracker will show them."""

    @pytest.mark.parametrize("name", STRUCTURES)
    def test_a_description_is_read_back_as_foretold(self, desk: Desk, name: str) -> None:
        """A text with this kind of node is shown exactly as ``settle`` says, so nothing is ever sent twice."""
        document = STRUCTURES[name]
        seen = desk.read(desk.create(description=document).id).fields["description"]
        assert seen == desk.settled(document)

    def test_comments_are_read_back_as_foretold(self, desk: Desk) -> None:
        """The same holds of comments, all kinds of nodes in one."""
        document = _all_structures()
        ticket = desk.filed()
        comment, _ = desk.tracker.add_comment(ticket, document, mark())
        assert desk.comment(ticket, comment).body == desk.settled(document)

    def test_what_was_read_can_be_written(self, desk: Desk) -> None:
        """A text that was read is written and read again without a change: no two trackers correct each other."""
        desk.needs_edits()
        ticket = desk.create(description=_all_structures()).id
        seen = desk.read(ticket).fields["description"]
        assert isinstance(seen, Document)
        desk.update(ticket, {"summary": "again", "description": seen})
        assert desk.read(ticket).fields["description"] == seen

    def test_hostile_words_stay_words(self, desk: Desk) -> None:
        """What looks like markup becomes no mention, macro, image or link; not a word is lost."""
        document = Document(tuple(line(text) for text in HOSTILE))
        ticket = desk.create(description=document).id
        comment, _ = desk.tracker.add_comment(ticket, document, mark())
        seen = desk.read(ticket).fields["description"]
        for shown in (seen, desk.comment(ticket, comment).body):
            assert isinstance(shown, Document)
            assert shown == desk.settled(document)
            assert words(shown) == words(document)
            assert [
                node for node in _inlines(shown) if isinstance(node, Mention | Media | UnknownInline)
            ] == []
            links = {mark.value for node in _inlines(shown) if isinstance(node, Text) for mark in node.marks}
            assert not any(link.startswith(("javascript:", "data:", "file:", "smb:")) for link in links)

    def test_a_hostile_summary_stays_as_it_is(self, desk: Desk) -> None:
        """A summary is plain words; what looks like markup comes back to the letter."""
        for summary in ("<b>&amp;</b> *x* {code} [~admin] \\ \"q\" 'q' #1 %s", *SCRIPTS[:5]):
            assert desk.read(desk.create(summary=summary).id).fields["summary"] == summary

    def test_scripts_of_the_world(self, desk: Desk) -> None:
        """Emoji, right-to-left and joined characters arrive whole, in texts and comments."""
        document = said(*SCRIPTS)
        ticket = desk.create(description=document).id
        comment, _ = desk.tracker.add_comment(ticket, document, mark())
        assert desk.read(ticket).fields["description"] == desk.settled(document)
        assert desk.comment(ticket, comment).body == desk.settled(document)

    def test_line_ends_are_all_the_same(self, desk: Desk) -> None:
        """CR LF and LF, sent or received, make no difference between two texts."""
        document = Document((line("one\r\ntwo\rthree\nfour"), CodeBlock("a\r\n  b\r\n\r\nc\r\n", "sql")))
        ticket = desk.create(description=document).id
        seen = desk.read(ticket).fields["description"]
        assert seen == desk.settled(document)
        assert "\r" not in repr(seen)

    def test_a_long_text_arrives_whole(self, desk: Desk) -> None:
        """32 kB of native text, or what the abilities say is the limit, is neither cut nor changed."""
        limit = min(desk.abilities.text_limit, 32_000)
        document = lorem(limit)
        while _native_size(desk.abilities.dialect, document) > limit:
            document = Document(document.blocks[:-1])
        ticket = desk.create(description=document).id
        assert desk.read(ticket).fields["description"] == desk.settled(document)
        comment, _ = desk.tracker.add_comment(ticket, document, mark())
        assert desk.comment(ticket, comment).body == desk.settled(document)

    def test_a_text_over_the_limit_is_never_cut(self, desk: Desk) -> None:
        """It is refused, or it is there to the last word."""
        document = lorem(min(desk.abilities.text_limit, 200_000) + 1_000)
        try:
            ticket = desk.create(description=document).id
        except Refused:
            return
        assert desk.read(ticket).fields["description"] == desk.settled(document)

    def test_a_summary_up_to_the_limit_arrives_whole(self, desk: Desk) -> None:
        """As many characters as the abilities promise."""
        summary = ("Long " * desk.abilities.summary_limit)[: desk.abilities.summary_limit - 1] + "."
        assert desk.read(desk.create(summary=summary).id).fields["summary"] == summary


def _native_size(dialect: Dialect, document: Document) -> int:
    native = write(dialect, document)
    return len(native if isinstance(native, str) else json.dumps(native))


def _all_structures() -> Document:
    """All structures in one text, a word between them so that none runs into the next."""
    blocks = [block for text in STRUCTURES.values() for block in (*text.blocks, line("And then:"))]
    return Document(tuple(blocks))


def _inlines(document: Document) -> Iterator[Inline]:
    found: list[Inline] = []

    def note(node: Inline) -> Inline:
        found.append(node)
        return node

    transform(document, note)
    yield from found
