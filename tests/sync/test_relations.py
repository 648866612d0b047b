"""Parents and links: what crosses, what waits, what is taken away, and which of two links looks after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import agreement, link, ticket

from bridge.sync.agreement import LinkRule, RelationRule
from bridge.sync.base import Base, PairState, PartKind, PartPair
from bridge.sync.decide import decide
from bridge.sync.echo import is_echo, part_keys, parts_digest
from bridge.sync.plan import AddRelation, CreateTicket, Neighbour, RemoveRelation, SetParent
from bridge.sync.ticket import Relation, Side

RULES = RelationRule(
    parent=True,
    links=(
        LinkRule("Blocks", "blocks"),
        LinkRule("Relates", "relates"),
        LinkRule("Duplicate", "Cloners", reversed=True),
    ),
)
TERMS = replace(agreement(), relations=RULES)

OTHER = Neighbour(9, {Side.INTERNAL: "29", Side.VENDOR: "39"}, {Side.INTERNAL: "i-9", Side.VENDOR: "v-9"})
OLDER = Neighbour(2, {Side.INTERNAL: "22", Side.VENDOR: "32"}, {Side.INTERNAL: "i-2", Side.VENDOR: "v-2"})
KNOWN = {side: {one.ticket(side): one for one in (OTHER, OLDER)} for side in Side}


def side_of(side, *relations, parent="", complete=True):
    return replace(
        ticket(side, {"type": "Task"}), parent=parent, relations=relations, relations_complete=complete
    )


def view(internal=(), vendor=(), parts=(), parents=("", ""), *, number=5, complete=True, known=None):
    sides = (
        side_of(Side.INTERNAL, *internal, parent=parents[0]),
        side_of(Side.VENDOR, *vendor, parent=parents[1], complete=complete),
    )
    return replace(link(*sides), id=number, parts=tuple(parts), neighbours=KNOWN if known is None else known)


def row(name, state=PairState.PAIRED, **more):
    return PartPair(7, PartKind.RELATION, Side.INTERNAL, name, name, state=state, **more)


HERE = Relation("1", "Blocks", "29")
THERE = Relation("2", "blocks", "39")


def test_a_new_link_is_made_on_the_other_side_between_the_peers():
    plan = decide(TERMS, view([HERE]))
    assert plan.actions == (
        AddRelation(
            Side.VENDOR,
            "blocks",
            "39",
            "v-9",
            outward=True,
            pair=PartPair(0, PartKind.RELATION, Side.INTERNAL, "link Blocks > 9", "link Blocks > 9"),
        ),
    )
    assert plan.rests_on(Side.VENDOR)
    assert not plan.destroys


def test_a_type_that_reads_the_other_way_round_is_turned():
    (action,) = decide(TERMS, view([Relation("1", "Duplicate", "29")])).actions
    assert isinstance(action, AddRelation)
    assert (action.kind, action.outward) == ("Cloners", False)
    turned = Relation("2", "Cloners", "39", outward=False)
    assert decide(TERMS, view([Relation("1", "Duplicate", "29")], [turned])).actions == ()


def test_a_link_on_both_sides_is_recorded_without_a_write_and_then_is_quiet():
    plan = decide(TERMS, view([HERE], [THERE]))
    assert plan.actions == ()
    assert [part.origin_id for part in plan.parts] == ["link Blocks > 9"]
    quiet = decide(TERMS, view([HERE], [THERE], [row("link Blocks > 9")]))
    assert (quiet.actions, quiet.parts, quiet.findings) == ((), (), ())


@pytest.mark.parametrize(
    ("internal", "vendor", "side"), [((HERE,), (), Side.INTERNAL), ((), (THERE,), Side.VENDOR)]
)
def test_a_link_that_was_taken_away_on_one_side_goes_on_the_other(internal, vendor, side):
    plan = decide(TERMS, view(internal, vendor, [row("link Blocks > 9")]))
    (action,) = plan.actions
    assert isinstance(action, RemoveRelation)
    assert action.side is side
    assert action.relation in (*internal, *vendor)
    assert plan.destroys, "both sides are read by id before something is taken away"


def test_a_link_that_both_sides_took_away_is_forgotten_and_may_come_back():
    plan = decide(TERMS, view(parts=[row("link Blocks > 9")]))
    assert [part.state for part in plan.parts] == [PairState.ORIGIN_DELETED]
    (action,) = decide(TERMS, view([HERE], parts=[row("link Blocks > 9", PairState.ORIGIN_DELETED)])).actions
    assert isinstance(action, AddRelation)
    assert (action.pair.id, action.pair.state) == (7, PairState.PAIRED)


def test_nothing_is_concluded_from_half_an_answer():
    assert decide(TERMS, view([HERE], parts=[row("link Blocks > 9")], complete=False)).actions == ()


def test_the_older_link_looks_after_it():
    assert decide(TERMS, view([Relation("1", "Blocks", "22")])).actions == ()
    assert decide(TERMS, view([Relation("1", "Blocks", "22")], number=1)).actions


def test_a_link_without_direction_is_one_on_both_sides():
    rows = [Relation("1", "Relates", "29", outward=False, symmetric=True)]
    (action,) = decide(TERMS, view(rows)).actions
    assert isinstance(action, AddRelation)
    peer = Relation("2", "relates", "39", outward=False, symmetric=True)
    assert decide(TERMS, view(rows, [peer])).actions == ()
    # Where one side knows a direction and the other does not, that one counts.
    terms = replace(TERMS, relations=RelationRule(links=(LinkRule("Blocks", "relates"),)))
    backwards = Relation("1", "Blocks", "29", outward=False)
    assert decide(terms, view([backwards], [peer])).actions == ()
    assert decide(terms, view([backwards], [peer], [row("link Blocks < 9")])).parts == ()


def test_a_link_to_a_ticket_without_a_mirror_waits_and_does_not_name_it():
    plan = decide(TERMS, view([HERE, Relation("3", "Blocks", "77")], [THERE], known={}))
    assert plan.actions == ()
    assert plan.waits == {(Side.INTERNAL, "29"), (Side.INTERNAL, "77"), (Side.VENDOR, "39")}
    kinds = {finding.kind for finding in plan.findings}
    assert kinds == {"peer-not-mirrored"}
    assert len(plan.findings) == 2, "once a side and type"
    assert not any(word in finding.message for finding in plan.findings for word in ("29", "77", "i-9"))


def test_types_that_the_agreement_does_not_name_stay():
    strange = Relation("1", "Causes", "29")
    plan = decide(TERMS, view([strange]))
    assert (plan.actions, plan.findings, plan.waits) == ((), (), frozenset())
    assert decide(agreement(), view([HERE], parents=("29", ""))).actions == ()


def test_a_parent_is_carried_over_and_recorded():
    (action,) = decide(TERMS, view(parents=("29", ""))).actions
    assert isinstance(action, SetParent)
    assert (action.side, action.parent, action.key) == (Side.VENDOR, "39", "v-9")
    assert [pair.origin_id for pair in action.pairs] == ["parent 9"]
    plan = decide(TERMS, view(parents=("29", "39")))
    assert (plan.actions, [part.origin_id for part in plan.parts]) == ((), ["parent 9"])


def test_another_parent_takes_the_place_of_the_first_and_none_takes_it_away():
    (action,) = decide(TERMS, view(parents=("29", "32"), parts=[row("parent 9")])).actions
    assert isinstance(action, SetParent)
    assert (action.side, action.parent) == (Side.INTERNAL, "22")
    assert [(pair.origin_id, pair.state) for pair in action.pairs] == [
        ("parent 9", PairState.ORIGIN_DELETED),
        ("parent 2", PairState.PAIRED),
    ]
    (action,) = decide(TERMS, view(parents=("29", ""), parts=[row("parent 9")])).actions
    assert isinstance(action, SetParent)
    assert (action.side, action.parent) == (Side.INTERNAL, "")
    (action,) = decide(TERMS, view(parents=("22", "39"))).actions
    assert isinstance(action, SetParent)
    assert action.side is Side.VENDOR, "two parents at once: the organisation's stands"


def test_a_refused_parent_is_not_tried_again_until_the_type_is_another():
    refused = row("parent 9", PairState.ORIGIN_DELETED, detail={"refused": "no", "type": "Task"})
    plan = decide(TERMS, view(parents=("29", ""), parts=[refused]))
    assert plan.actions == ()
    assert [finding.kind for finding in plan.findings] == ["refused"]
    elsewhere = replace(refused, detail={"refused": "no", "type": "Story"})
    assert decide(TERMS, view(parents=("29", ""), parts=[elsewhere])).actions


def test_a_parent_of_the_other_sides_own_is_left_alone():
    plan = decide(TERMS, view(parents=("29", "77")))
    assert plan.actions == ()
    assert {finding.kind for finding in plan.findings} == {"peer-not-mirrored", "parent-differs"}


def test_a_new_ticket_is_created_below_its_parents_mirror_if_there_is_one():
    origin = side_of(Side.INTERNAL, parent="29")
    known = replace(link(origin, None), id=5, neighbours=KNOWN)
    (create,) = decide(TERMS, known).actions
    assert isinstance(create, CreateTicket)
    assert create.parent == "39"
    plan = decide(TERMS, replace(known, neighbours={}))
    (create,) = plan.actions
    assert isinstance(create, CreateTicket)
    assert create.parent == ""
    assert plan.waits == {(Side.INTERNAL, "29")}


def test_an_echo_shows_the_relations_that_are_known():
    seen = side_of(Side.VENDOR, THERE, Relation("3", "causes", "39"), parent="39")
    keys = part_keys(TERMS, Side.VENDOR, seen)
    assert keys == {"blocks > 39", "parent 39"}
    assert is_echo(TERMS, Side.VENDOR, seen, Base(parts=parts_digest(keys)), ())
    assert not is_echo(TERMS, Side.VENDOR, replace(seen, parent=""), Base(parts=parts_digest(keys)), ())
    assert not is_echo(TERMS, Side.VENDOR, replace(seen, relations=()), Base(parts=parts_digest(keys)), ())
    assert not is_echo(TERMS, Side.VENDOR, replace(seen, relations_complete=False), Base(), ())
    assert is_echo(agreement(), Side.VENDOR, seen, Base(), ()), "an agreement without relations does not look"
