"""The decision for one link, case by case."""

from __future__ import annotations

from dataclasses import replace

from makings import ANN, agreement, comment, doc, link, ticket

from bridge.markup import Document, Heading, Mark, Paragraph, Text
from bridge.sync.agreement import FieldRule, Otherwise, Rule, Scope
from bridge.sync.base import Base
from bridge.sync.decide import decide
from bridge.sync.plan import (
    AddComment,
    CreateTicket,
    Decision,
    Finding,
    LinkBack,
    LinkView,
    Plan,
    SetStatus,
    UpdateFields,
    View,
)
from bridge.sync.ticket import Side

SUMMARY = FieldRule("summary")
STATUS = FieldRule(
    "status",
    values=(("Open", "New"), ("Resolved", "Done")),
    via={Side.VENDOR: {"Done": ("Doing",)}},
    fill={Side.VENDOR: {"Done": {"resolution": "Fixed"}}},
)


def test_a_ticket_that_cannot_be_seen_stops_every_write() -> None:
    view = link(ticket(Side.INTERNAL, {"summary": "a"}), ticket(Side.VENDOR, {"summary": "b"}))
    plan = decide(agreement(SUMMARY), replace(view, vendor=View(None)))
    assert plan == Plan(findings=(plan.findings[0],))
    assert (plan.findings[0].kind, plan.findings[0].side) == ("gone", Side.VENDOR)


def test_what_has_left_the_project_or_was_archived_crosses_in_neither_direction() -> None:
    ours, theirs = ticket(Side.INTERNAL, {"summary": "a"}), ticket(Side.VENDOR, {"summary": "b"})
    for change, kind in (({"project": "SECRET"}, "moved-out"), ({"archived": True}, "archived")):
        for pair, side in (
            ((replace(ours, **change), theirs), Side.INTERNAL),
            ((ours, replace(theirs, **change)), Side.VENDOR),
            ((replace(ours, **change), None), Side.INTERNAL),
        ):
            plan = decide(agreement(SUMMARY), link(*pair))
            assert plan == Plan(findings=plan.findings)
            (finding,) = plan.findings
            assert (finding.kind, finding.side) == (kind, side)
            assert "SECRET" not in finding.message
    assert decide(agreement(SUMMARY), link(replace(ours, project="ops"), theirs)).unsure == {"summary"}


def test_the_peer_is_created_with_everything_that_maps() -> None:
    terms = agreement(
        SUMMARY,
        STATUS,
        FieldRule("priority", values=(("High", "P1"),)),
        FieldRule("type", values=(("Bug", "Incident"),), otherwise=Otherwise("keep")),
        FieldRule("labels", only=("sev-*",)),
        FieldRule("due"),
        FieldRule("Impact"),
    )
    terms = replace(
        terms, vendor=Scope("acme", "CUST", "Acme", "adf", on_create={"type": "Task", "due": "never"})
    )
    fields = {
        "summary": "Fire",
        "status": "Open",
        "priority": "odd",
        "type": "odd",
        "labels": frozenset({"sev-1", "own"}),
        "due": None,
    }
    plan = decide(terms, link(ticket(Side.INTERNAL, fields), None))
    (action,) = plan.actions
    assert action == CreateTicket(
        Side.VENDOR,
        {"summary": "Fire", "labels": frozenset({"sev-1"}), "type": "Task", "due": "never"},
        {"summary": "Fire", "labels": frozenset({"sev-1"})},
        fields,
    )
    message = "'priority' has no pair for the internal value 'odd'"
    assert plan.findings == (Finding("unmapped", Side.INTERNAL, "priority", message),)


def test_comments_wait_for_the_ticket_and_come_before_the_status() -> None:
    fields = {"summary": "a", "status": "Resolved"}
    said = [comment("10", doc("hello"))]
    view = link(
        ticket(Side.INTERNAL, fields, said),
        ticket(Side.VENDOR, {"summary": "b", "status": "New"}),
        bases=({"summary": "b", "status": "Open"}, {"summary": "b", "status": "New"}),
    )
    plan = decide(agreement(SUMMARY, STATUS), replace(view, linked=frozenset({Side.VENDOR})))
    assert [type(action) for action in plan.actions] == [LinkBack, UpdateFields, AddComment, SetStatus]
    status = plan.actions[-1]
    assert isinstance(status, SetStatus)
    assert (status.goal, status.via, status.fill) == ("Done", ("Doing",), {"Done": {"resolution": "Fixed"}})
    assert status.settles == ("Resolved", "Done")
    assert plan.rests_on(Side.VENDOR)
    assert plan.rests_on(Side.INTERNAL), "the comment's author may have made it private"


def test_a_field_that_a_tracker_did_not_send_is_left_alone() -> None:
    view = link(ticket(Side.INTERNAL, {"summary": "a"}), ticket(Side.VENDOR, {}))
    assert decide(agreement(SUMMARY), view) == Plan()


def test_one_field_s_conflict_never_stops_the_others() -> None:
    hold = FieldRule("due", Rule.HOLD)
    view = link(
        ticket(Side.INTERNAL, {"summary": "b", "due": "1"}),
        ticket(Side.VENDOR, {"summary": "a", "due": "2"}),
        bases=({"summary": "a", "due": "0"}, {"summary": "a", "due": "0"}),
    )
    plan = decide(agreement(hold, SUMMARY), view)
    (action,) = plan.actions
    assert isinstance(action, UpdateFields)
    assert action.values == {"summary": "b"}
    assert [finding.kind for finding in plan.findings] == ["held"]


def test_the_histories_are_asked_for_only_when_they_matter() -> None:
    view = link(
        ticket(Side.INTERNAL, {"summary": "b"}),
        ticket(Side.VENDOR, {"summary": "c"}),
        bases=({"summary": "a"}, {"summary": "a"}),
    )
    assert decide(agreement(SUMMARY), view) == Plan(unsure=frozenset({"summary"}))
    plan = decide(agreement(SUMMARY), replace(view, changed_at={"summary": (1, 2)}))
    (action,) = plan.actions
    assert isinstance(action, UpdateFields)
    decision = Decision("summary", Side.INTERNAL, "b", "c", Side.VENDOR, "newest", (Side.INTERNAL, "b"))
    assert action.decisions == (decision,)
    assert decision.as_json()["loser"] == {"side": "internal", "value": "b"}


def test_our_words_in_the_tracker_s_own_rendering_are_no_edit_of_theirs() -> None:
    ours = Document((Heading(1, (Text("Title"),)), *doc("text").blocks))
    theirs = doc("Title", "text")
    terms = agreement(FieldRule("description"))
    fields = {"description": ours}

    def view(written: int, seen: int) -> LinkView:
        base = Base(fields, seen, written)
        return replace(
            link(ticket(Side.INTERNAL, fields), None, bases=(fields, {})),
            vendor=View(ticket(Side.VENDOR, {"description": theirs}), base),
        )

    assert decide(terms, view(200, 100)) == Plan(settled={"description": (ours, theirs)})
    (action,) = decide(terms, view(100, 200)).actions
    assert isinstance(action, UpdateFields)
    assert action.side is Side.INTERNAL


def test_a_text_is_not_sent_again_for_its_formatting_in_another_dialect() -> None:
    bold = Document((Paragraph((Text("a", (Mark("underline"),)),)),))
    terms = agreement(FieldRule("description"), dialects=("adf", "markdown"))
    plan = decide(terms, link(ticket(Side.INTERNAL, {"description": bold}), None))
    (create,) = plan.actions
    assert isinstance(create, CreateTicket)
    view = link(
        ticket(Side.INTERNAL, {"description": bold}),
        ticket(Side.VENDOR, dict(create.shown)),
        bases=(dict(create.origin_base), dict(create.shown)),
    )
    assert decide(terms, view) == Plan()


def test_an_agreement_that_both_sides_came_to_by_themselves_rests_on_strong_reads() -> None:
    sides = ticket(Side.INTERNAL, {"summary": "b"}), ticket(Side.VENDOR, {"summary": "b"})
    plan = decide(agreement(SUMMARY), link(*sides, bases=({"summary": "a"}, {"summary": "a"})))
    assert plan == Plan(settled={"summary": ("b", "b")}, coincided=frozenset({"summary"}))
    assert plan.destroys


def test_a_field_of_a_ticket_that_we_created_is_settled_without_another_read() -> None:
    sides = ticket(Side.INTERNAL, {"summary": "a"}), ticket(Side.VENDOR, {"summary": "a"})
    plan = decide(agreement(SUMMARY), link(*sides, bases=({"summary": "a"}, {})))
    assert plan == Plan(settled={"summary": ("a", "a")})
    assert not plan.destroys


def test_a_comment_rests_on_a_strong_read_of_its_authors_side() -> None:
    said = replace(ticket(Side.INTERNAL, {}), comments=(comment("5", doc("hello")),))
    plan = decide(agreement(), link(said, ticket(Side.VENDOR, {})))
    assert [type(action) for action in plan.actions] == [AddComment]
    assert plan.rests_on(Side.INTERNAL), "it may have been made private since the search saw it"
    assert not plan.rests_on(Side.VENDOR)


def test_a_walk_that_stopped_halfway_is_nobodys_change_and_is_taken_up_again() -> None:
    halfway = ticket(Side.INTERNAL, {"status": "Resolved"}), ticket(Side.VENDOR, {"status": "Doing"})
    bases = {"status": "Open"}, {"status": "New"}
    view = link(*halfway, bases=bases)
    stopped = replace(
        view, vendor=replace(view.vendor, base=replace(view.vendor.base, underway=("New", "Doing")))
    )
    for rule in (
        STATUS,
        replace(STATUS, rule=Rule.HOLD),
        replace(STATUS, rule=Rule.OWNER, owner=Side.INTERNAL),
    ):
        (action,) = decide(agreement(rule), stopped).actions
        assert isinstance(action, SetStatus)
        assert (action.side, action.goal) == (Side.VENDOR, "Done")
    back = replace(
        stopped, internal=replace(stopped.internal, ticket=ticket(Side.INTERNAL, {"status": "Open"}))
    )
    (action,) = decide(agreement(STATUS), back).actions
    assert isinstance(action, SetStatus)
    assert (action.side, action.goal) == (Side.VENDOR, "New"), "what the walk was for is gone: back again"


def test_a_ticket_is_not_created_where_the_agreement_says_so_no_more() -> None:
    view = link(ticket(Side.INTERNAL, {"summary": "a"}), None)
    assert decide(replace(agreement(SUMMARY), create_on=frozenset()), view) == Plan()


def test_findings_have_stable_names() -> None:
    assert Finding("held", None, "", "m").as_json() == {
        "kind": "held",
        "side": None,
        "field": "",
        "message": "m",
    }
    assert ANN.active


def test_a_description_stays_where_its_tracker_keeps_it_and_the_difference_is_told() -> None:
    rule = FieldRule("description", Rule.MERGE)
    terms = agreement(SUMMARY, rule)
    terms = replace(terms, vendor=replace(terms.vendor, edits_texts=False))
    before = {"summary": "a", "description": doc("first")}
    edited = {"summary": "b", "description": doc("second")}
    view = link(ticket(Side.INTERNAL, edited), ticket(Side.VENDOR, before), bases=(before, before))
    plan = decide(terms, view)
    (update,) = plan.actions
    assert isinstance(update, UpdateFields)
    assert update.values == {"summary": "b"}
    assert [(found.kind, found.side, found.field) for found in plan.findings] == [
        ("fixed", Side.VENDOR, "description")
    ]
    # Towards the side that can change its texts they cross as ever.
    back = link(ticket(Side.INTERNAL, before), ticket(Side.VENDOR, edited), bases=(before, before))
    (update,) = decide(terms, back).actions
    assert isinstance(update, UpdateFields)
    assert (update.side, update.values) == (Side.INTERNAL, edited)
