"""Creating tickets and setting their fields: what was meant is there afterwards, or it is refused by name."""

from __future__ import annotations

import pytest

from bridge.errors import Gone, Refused
from bridge.markup import Document, Mark, Paragraph, Text
from bridge.sync.ticket import Person, Value
from bridge.testing.desk import Desk, mark, said
from bridge.trackers.protocol import FieldSpec, PeerLink, TakesLinkBack

NOWHERE = "nobody@nowhere.invalid"


def same(desk: Desk, meant: Value, seen: Value) -> bool:
    """Whether a field holds what was meant, as this tracker shows it."""
    if isinstance(meant, Document):
        return seen == desk.settled(meant)
    if isinstance(seen, Person):
        return meant in {seen.id, seen.name, *seen.handles}
    if isinstance(seen, float) or isinstance(meant, float):
        # A tracker that does not tell the kind of a field shows a number as the words that it keeps.
        return seen is not None and float(str(seen)) == float(str(meant))
    return seen == meant


def wrong(desk: Desk, ticket: str, meant: dict[str, Value]) -> dict[str, tuple[Value, Value]]:
    """The fields that do not hold what was meant: name -> (meant, seen)."""
    seen = desk.read(ticket).fields
    return {
        name: (value, seen.get(name))
        for name, value in meant.items()
        if not same(desk, value, seen.get(name))
    }


def values(desk: Desk, which: int) -> dict[str, Value]:
    """The first value of every field that can be set, or the second of every field that can be changed."""
    samples = desk.samples
    found: dict[str, Value] = {
        "summary": ("It breaks", "It breaks, and <b>how</b>: 100 % & more")[which],
        "description": said(("The disk is full.", "It is full again.")[which], "Nobody knows why."),
        "type": samples.types[which],
        "priority": samples.priorities[which],
        "labels": (frozenset({"red", "sev-1"}), frozenset({"sev-1", "blue"}))[which],
        "due": ("2031-02-28", "2032-02-29")[which],
        "assignee": samples.people[which],
    }
    if which and not desk.kind.edits_texts:
        del found["description"]
    built_in = {name: value for name, value in found.items() if name in desk.abilities.fields}
    return built_in | {spec.canonical: pair[which] for spec, pair in samples.custom.items()}


class Writing:
    """Promises of ``create``, ``update`` and ``link_back``."""

    def test_a_ticket_is_created_as_it_was_meant(self, desk: Desk) -> None:
        """Every field holds what was given, texts as ``settle`` foretells; the mark is on it from the start."""
        meant, marker = values(desk, 0), mark()
        with desk.moment() as moment:
            made = desk.create(marker, **meant)
        assert wrong(desk, made.id, meant) == {}
        seen = desk.read(made.id)
        assert seen.marker == marker
        assert (seen.key, seen.url) == (made.key, made.url)
        assert seen.project == desk.stand.project
        assert moment.holds(made.at)
        assert moment.holds(seen.created)

    def test_the_answer_to_a_create_is_the_ticket(self, desk: Desk) -> None:
        """Where the answer carries the whole ticket, it is what a read shows."""
        made = desk.create(**values(desk, 0))
        if made.ticket is None:
            pytest.skip(f"a tracker of kind {desk.tracker.kind} answers a create without the ticket")
        seen = desk.read(made.id)
        assert dict(made.ticket.fields) == dict(seen.fields)
        assert (made.ticket.id, made.ticket.marker) == (seen.id, seen.marker)

    def test_the_mark_is_nobody_elses_business(self, desk: Desk) -> None:
        """The mark shows in ``marker`` alone: not among the labels, nor in any field that may cross."""
        marker = mark()
        seen = desk.read(desk.create(marker, summary="Made").id)
        assert marker not in repr(dict(seen.fields))
        assert marker not in repr(seen.comments)

    @pytest.mark.parametrize("name", ["type", "priority", "assignee"])
    def test_a_value_that_does_not_exist_is_refused_by_name(self, desk: Desk, name: str) -> None:
        """``create`` raises Refused with the field that is wrong; no ticket is there afterwards."""
        desk.needs(name)
        marker, began = mark(), desk.tracker.now()
        with pytest.raises(Refused) as refusal:
            desk.create(marker, **{name: NOWHERE})
        assert name in refusal.value.fields, f"the complaint names {sorted(refusal.value.fields)}"
        assert refusal.value.words
        assert list(desk.tracker.find_marked(desk.scope(), marker, began)) == []

    def test_fields_are_set(self, desk: Desk) -> None:
        """``update`` leaves every field as it was meant and returns the tracker's time of the write."""
        made = desk.create(**values(desk, 0))
        meant = values(desk, 1)
        desk.next_second()
        with desk.moment() as moment:
            at = desk.update(made.id, meant)
        assert wrong(desk, made.id, meant) == {}
        assert moment.holds(at)
        assert moment.holds(desk.read(made.id).updated)

    def test_an_update_touches_nothing_else(self, desk: Desk) -> None:
        """Fields that were not given stay."""
        meant = values(desk, 0)
        made = desk.create(**meant)
        desk.update(made.id, {"summary": "Another"})
        assert wrong(desk, made.id, meant | {"summary": "Another"}) == {}

    def test_an_update_may_be_repeated(self, desk: Desk) -> None:
        """Twice is the same as once."""
        made = desk.create(**values(desk, 0))
        meant = values(desk, 1)
        for _ in range(2):
            desk.update(made.id, meant)
            assert wrong(desk, made.id, meant) == {}

    def test_fields_are_cleared(self, desk: Desk) -> None:
        """An empty value empties a field that may be empty."""
        made = desk.create(**values(desk, 0))
        empty: dict[str, Value] = {
            "description": Document(),
            "due": None,
            "assignee": None,
            "labels": frozenset(),
        }
        if not desk.kind.edits_texts:
            del empty["description"]
        meant = {name: value for name, value in empty.items() if name in desk.abilities.fields}
        desk.update(made.id, meant)
        seen = desk.read(made.id).fields
        assert {name: seen[name] for name in meant} == meant

    @pytest.mark.parametrize("name", ["type", "priority", "assignee"])
    def test_an_unknown_value_is_refused_and_changes_nothing(self, desk: Desk, name: str) -> None:
        """``update`` raises Refused with the field's name, and the field keeps its value."""
        desk.needs(name)
        meant = values(desk, 0)
        made = desk.create(**meant)
        with pytest.raises(Refused) as refusal:
            desk.update(made.id, {name: NOWHERE})
        assert name in refusal.value.fields, f"the complaint names {sorted(refusal.value.fields)}"
        assert wrong(desk, made.id, {name: meant[name]}) == {}

    def test_a_field_that_does_not_exist_is_refused_by_name(self, desk: Desk) -> None:
        """A mapped field that the tracker lacks is refused when it is to be written, and not read otherwise."""
        made = desk.create()
        unknown = FieldSpec("severity", "No such field at all")
        with pytest.raises(Refused) as refusal:
            desk.tracker.update(made.id, {"severity": "S1"}, [unknown])
        assert {"severity", unknown.native} & set(refusal.value.fields)
        assert "severity" not in desk.tracker.fetch([made.id], [unknown])[made.id].fields

    def test_a_custom_value_that_does_not_exist_is_refused(self, desk: Desk) -> None:
        """A field with a closed list of values refuses another, aloud or found out by reading back."""
        made = desk.create()
        meta = desk.tracker.metadata(desk.stand.project, desk.specs)
        closed = {field.name for screen in meta.create.values() for field in screen if field.allowed}
        specs = [spec for spec in desk.specs if spec.native in closed]
        if not specs:
            pytest.skip("no field of this stand is known to have a closed list of values")
        with pytest.raises(Refused) as refusal:
            desk.update(made.id, {specs[0].canonical: "no such value"})
        assert {specs[0].canonical, specs[0].native} & set(refusal.value.fields)

    def test_a_text_that_cannot_be_changed_is_refused(self, desk: Desk) -> None:
        """Where texts stay as they were written, another description is refused and the same is fine."""
        if desk.kind.edits_texts:
            pytest.skip(f"a tracker of kind {desk.tracker.kind} lets texts be changed")
        made = desk.create(description=said("as it was"))
        desk.update(made.id, {"description": said("as it was")})
        with pytest.raises(Refused) as refusal:
            desk.update(made.id, {"description": said("as it is")})
        assert "description" in refusal.value.fields
        assert desk.read(made.id).fields["description"] == desk.settled(said("as it was"))

    def test_labels_that_others_add_stay(self, desk: Desk) -> None:
        """A set computed from an older one takes nothing away that came in between."""
        desk.needs("labels")
        made = desk.create(labels=frozenset({"kept", "dropped"}))
        desk.read(made.id)
        desk.person.edit(made.id, {"labels": "kept dropped theirs"})
        was = frozenset({"kept", "dropped"})
        desk.tracker.update(made.id, {"labels": frozenset({"kept", "ours"})}, desk.specs, was=was)
        assert desk.read(made.id).fields["labels"] == frozenset({"kept", "ours", "theirs"})

    def test_what_is_gone_cannot_be_written(self, desk: Desk) -> None:
        """``update`` of a ticket that is not there raises Gone."""
        with pytest.raises(Gone):
            desk.update(desk.samples.absent, {"summary": "Nobody reads this"})

    def test_the_way_back_is_put_once(self, desk: Desk) -> None:
        """A link to the peer that is put again adds nothing; where a comment carries it, its id is told."""
        made = desk.create()
        before = {one.id for one in desk.read(made.id).comments}
        peer = PeerLink("https://tracker.example/browse/CUST-7", "CUST-7 (Acme)", mark())
        first, second = (desk.tracker.link_back(made.id, peer) for _ in range(2))
        assert first == second
        added = [one for one in desk.read(made.id).comments if one.id not in before]
        assert [one.id for one in added] == ([first] if first else [])
        for comment in added:
            assert _links(comment.body, peer.url)
            assert not comment.private

    def test_the_way_back_is_taken_off_and_again(self, desk: Desk) -> None:
        """Harmless where there is no such link, or no such ticket; the link may be put again."""
        if not isinstance(desk.tracker, TakesLinkBack):
            pytest.skip(f"the link to the peer stays on a ticket of kind {desk.tracker.kind}")
        made, peer = desk.create(), PeerLink("https://tracker.example/browse/A-1", "A-1 (Acme)", mark())
        desk.tracker.link_back(made.id, peer)
        for ticket in (made.id, made.id, desk.samples.absent):
            desk.tracker.take_link_back(ticket, peer.marker)
        desk.tracker.link_back(made.id, peer)

    def test_a_ticket_can_be_written_after_its_link(self, desk: Desk) -> None:
        """Links, comments and fields do not get into each other's way."""
        made = desk.create()
        desk.tracker.link_back(made.id, PeerLink("https://tracker.example/browse/A-1", "A-1 (Acme)", mark()))
        comment, _ = desk.tracker.add_comment(made.id, said("Hello"), mark())
        meant = values(desk, 1)
        desk.update(made.id, meant)
        assert wrong(desk, made.id, meant) == {}
        assert desk.comment(made.id, comment).body == desk.settled(said("Hello"))


def _links(body: Document, url: str) -> bool:
    return any(
        isinstance(run, Text) and Mark("link", url) in run.marks
        for block in body.blocks
        if isinstance(block, Paragraph)
        for run in block.children
    )
