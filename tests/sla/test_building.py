"""From two trackers' histories to one timeline: what is somebody's deed, when it was done, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.markup import Document, Paragraph, Text
from bridge.sla.building import Source, Subject, build
from bridge.sla.comparing import differences
from bridge.sla.serial import timeline_from_json, timeline_to_json
from bridge.sla.timeline import Entry, EntryKind
from bridge.sync.agreement import Agreement, CommentRule, FieldRule, Otherwise, Scope
from bridge.sync.base import CommentPair, PairState
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.roles import Role
from bridge.sync.ticket import SECOND, Comment, FieldChange, Person, Side, Ticket

MINUTE = 60 * SECOND
BORN = 1_800_000_000 * SECOND
MARK = "bridge-0123456789abcdef"
INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR
OURS = {side: Person(f"bridge-{side}", "Bridge") for side in Side}
ANN, BO = Person("ann", "Ann Owner"), Person("bo", "Bo Manager")

STATUS = FieldRule(
    "status",
    values=(
        ("Open", "To Do"),
        ("In Progress", "Doing"),
        ("Resolved", "Done"),
        ("Closed", "Done"),
    ),
    via={VENDOR: {"Done": ("Doing", "Checking")}},
)
PRIORITY = FieldRule("priority", values=(("High", "P1"), ("Low", "P2")))
SEVERITY = FieldRule("severity", names={INTERNAL: "Severity", VENDOR: "Sev"})
AGREEMENT = Agreement(
    name="acme",
    internal=Scope("home", "OPS", "Example Corp", "wiki"),
    vendor=Scope("acme", "CUST", "Acme", "adf"),
    fields=(FieldRule("summary"), FieldRule("description"), STATUS, PRIORITY, SEVERITY, FieldRule("labels")),
)


def at(minutes):
    return BORN + round(minutes * MINUTE)


def words(text):
    return Document(tuple(Paragraph((Text(line),)) for line in text.splitlines()))


def say(number, minutes, text="Something", who=ANN, **more):
    return Comment(str(number), who, words(text), at(minutes), at(minutes), **more)


class World:
    """Two tickets with their histories. People's deeds carry their name; the bridge's are done under its account."""

    def __init__(self, **start):
        first = {"status": "Open", "priority": "Low", "assignee": None, **start}
        self.now = {INTERNAL: dict(first), VENDOR: {"status": "To Do", "priority": "P2", "assignee": None}}
        self.created = {INTERNAL: BORN, VENDOR: at(0.1)}
        self.history = {INTERNAL: [], VENDOR: []}
        self.comments = {INTERNAL: [], VENDOR: []}
        self.number = 100
        self.marked = True

    def change(self, side, minutes, field, after, who=None):
        """``who`` None: the bridge."""
        self.number += 1
        person = OURS[side] if who is None else who
        before = self.now[side].get(field)
        self.now[side][field] = after
        shown = [one.name if isinstance(one, Person) else one or "" for one in (before, after)]
        self.history[side].append(FieldChange(str(self.number), at(minutes), person, field, *shown))
        return str(self.number)

    def source(self, side, **more):
        ticket = Ticket(
            id="1",
            key="X-1",
            url="",
            project="X",
            created=self.created[side],
            updated=at(1000),
            fields=dict(self.now[side]),
            comments=tuple(self.comments[side]),
            creator=ANN if side is INTERNAL else OURS[VENDOR],
            marker=MARK if side is VENDOR and self.marked else "",
        )
        made = Source(ticket, tuple(self.history[side]), OURS[side].id, 0, at(1000))
        return replace(made, **more)

    def timeline(self, *, sources=None, **more):
        given = {"agreement": AGREEMENT, "origin": INTERNAL, "marker": MARK, **more}
        both = {side: self.source(side) for side in Side} | (sources or {})
        timeline = build(Subject(**given), both)
        assert timeline is not None
        assert timeline_from_json(timeline_to_json(timeline)) == timeline
        assert timeline.entries[0].kind is EntryKind.CREATED
        moments = [one.at for one in timeline.entries[1:]]
        assert moments == sorted(moments)
        return timeline


def told(timeline, *kinds):
    """Side, minutes since birth, and what: of changes the field with both values, of the rest its evidence."""
    wanted = kinds or (EntryKind.FIELD,)
    return [
        (one.side.value, (one.at - BORN) / MINUTE, f"{one.field}: {one.before} -> {one.after}")
        if one.kind is EntryKind.FIELD
        else (one.side.value, (one.at - BORN) / MINUTE, one.event)
        for one in timeline.entries
        if one.kind in wanted
    ]


# --- changes and their copies -----------------------------------------------------------------------------------------


def test_each_deed_stands_at_its_own_trackers_time_in_the_internal_words_and_copies_are_nothing():
    world = World()
    first = world.change(VENDOR, 5, "status", "Doing", BO)
    world.change(INTERNAL, 65, "status", "In Progress")  # the bridge was down for an hour
    world.change(INTERNAL, 70, "priority", "High", ANN)
    world.change(VENDOR, 70.1, "priority", "P1")
    world.change(VENDOR, 80, "status", "Done", BO)
    world.change(INTERNAL, 80.1, "status", "Resolved")
    timeline = world.timeline()
    assert timeline.start == {"status": "Open", "priority": "Low", "assignee": ""}
    assert told(timeline) == [
        ("vendor", 5, "status: Open -> In Progress"),
        ("internal", 70, "priority: Low -> High"),
        ("vendor", 80, "status: In Progress -> Resolved"),
    ]
    assert timeline.entries[1].event == f"vendor:history/{first}"
    assert timeline.entries[1].who == "Bo Manager"
    assert timeline.entries[0] == Entry(
        BORN, INTERNAL, EntryKind.CREATED, who="Ann Owner", event="internal:created"
    )


def test_a_value_that_is_one_word_to_the_vendor_is_no_news_from_there():
    world = World()
    world.change(INTERNAL, 10, "status", "Closed", ANN)
    world.change(VENDOR, 10.1, "status", "Done")
    assert told(world.timeline()) == [("internal", 10, "status: Open -> Closed")]


def test_people_who_use_the_bridges_account_are_heard():
    world = World()
    world.change(INTERNAL, 10, "status", "Resolved", ANN)
    world.change(VENDOR, 10.1, "status", "Done")
    # Somebody reopens under the integration account; the internal side showed "Open" once, but not since.
    world.change(VENDOR, 20, "status", "To Do")
    world.change(INTERNAL, 20.01, "status", "Open")
    assert told(world.timeline()) == [
        ("internal", 10, "status: Open -> Resolved"),
        ("vendor", 20, "status: Resolved -> Open"),
    ]


def test_a_copy_within_the_second_in_which_clocks_may_differ_is_a_copy_still():
    world = World()
    world.change(INTERNAL, 10, "status", "In Progress", ANN)
    world.change(VENDOR, 10 - 1 / 60, "status", "Doing")  # its tracker's clock is a second behind
    assert told(world.timeline()) == [("internal", 10, "status: Open -> In Progress")]


def test_what_was_changed_back_before_the_bridge_looked_counts_all_the_same():
    world = World()
    world.change(VENDOR, 5, "status", "Done", BO)
    world.change(VENDOR, 6, "status", "To Do", BO)
    assert told(world.timeline()) == [
        ("vendor", 5, "status: Open -> Resolved"),
        ("vendor", 6, "status: Resolved -> Open"),
    ]


def test_the_bridges_way_through_a_workflow_is_nobodys_deed():
    world = World()
    world.change(INTERNAL, 10, "status", "Resolved", ANN)
    world.change(VENDOR, 10.1, "status", "Doing")
    world.change(VENDOR, 10.2, "status", "Checking")
    world.change(VENDOR, 10.3, "status", "Done")
    assert told(world.timeline()) == [("internal", 10, "status: Open -> Resolved")]
    # Nor is a walk that stopped halfway, where the agreement names its steps.
    world.history[VENDOR].pop()
    world.now[VENDOR]["status"] = "Checking"
    assert told(world.timeline()) == [("internal", 10, "status: Open -> Resolved")]


def test_steps_that_no_agreement_names_are_a_walk_when_they_are_followed_at_once():
    world = World()
    world.change(INTERNAL, 10, "status", "Resolved", ANN)
    world.change(VENDOR, 10.1, "status", "Unheard of")
    world.change(VENDOR, 10.2, "status", "Done")
    assert told(world.timeline()) == [("internal", 10, "status: Open -> Resolved")]


def test_what_the_bridge_takes_back_never_happened_but_what_was_overtaken_did():
    world = World()
    world.change(VENDOR, 10, "priority", "P1", BO)  # not theirs to change: undone by the field's rule
    world.change(VENDOR, 10.2, "priority", "P2")
    assert told(world.timeline()) == []
    # Here the other side said something later: what stood until then stood.
    world = World()
    world.change(VENDOR, 10, "status", "Doing", BO)
    world.change(INTERNAL, 15, "status", "Resolved", ANN)
    world.change(VENDOR, 20, "status", "Done")
    assert told(world.timeline()) == [
        ("vendor", 10, "status: Open -> In Progress"),
        ("internal", 15, "status: In Progress -> Resolved"),
    ]


def test_a_value_without_a_pair_stays_as_it_is():
    world = World()
    world.change(VENDOR, 10, "status", "Waiting for parts", BO)
    assert told(world.timeline()) == [("vendor", 10, "status: Open -> Waiting for parts")]
    stand_in = replace(STATUS, otherwise=Otherwise("value", {INTERNAL: "Blocked"}))
    agreement = replace(AGREEMENT, fields=(stand_in, PRIORITY))
    assert told(world.timeline(agreement=agreement)) == [("vendor", 10, "status: Open -> Blocked")]


def test_texts_and_labels_are_not_followed_and_other_fields_only_when_clocks_ask_for_them():
    world = World(severity="Minor")
    world.now[VENDOR]["severity"] = "Minor"
    world.change(INTERNAL, 5, "summary", "New words", ANN)
    world.change(INTERNAL, 5, "labels", "a b", ANN)
    world.history[VENDOR].append(FieldChange("7", at(8), BO, "Sev", "Minor", "Critical"))
    world.now[VENDOR]["severity"] = "Critical"
    assert told(world.timeline()) == []
    timeline = world.timeline(fields=frozenset({"severity"}))
    assert told(timeline) == [("vendor", 8, "severity: Minor -> Critical")]
    assert timeline.start["severity"] == "Minor"


def test_the_account_may_be_unknown_and_copies_still_change_nothing():
    world = World()
    world.change(INTERNAL, 10, "status", "In Progress", ANN)
    world.change(VENDOR, 10.1, "status", "Doing")
    sources = {side: world.source(side, account="") for side in Side}
    assert told(world.timeline(sources=sources)) == [("internal", 10, "status: Open -> In Progress")]


# --- people -----------------------------------------------------------------------------------------------------------


def test_each_side_has_its_own_people_from_the_mirrors_beginning_on():
    world = World(assignee=ANN)
    world.now[VENDOR]["assignee"] = BO
    world.change(INTERNAL, 10, "assignee", None, ANN)
    world.change(VENDOR, 12, "assignee", None)  # under the bridge's account: it is a fact there all the same
    timeline = world.timeline()
    assert timeline.start["assignee"] == "Ann Owner"
    assert told(timeline) == [
        ("vendor", 0.1, "assignee:  -> Bo Manager"),
        ("internal", 10, "assignee: Ann Owner -> "),
        ("vendor", 12, "assignee: Bo Manager -> "),
    ]


def test_a_login_in_a_history_becomes_the_name_that_people_know():
    world = World(assignee=ANN)
    world.history[INTERNAL].append(FieldChange("9", at(3), BO, "assignee", "", "ann"))
    assert told(world.timeline()) == [("internal", 3, "assignee:  -> Ann Owner")]


def test_a_field_of_those_who_are_accountable_is_followed_on_its_side():
    role = Role("service-owner", INTERNAL, field="Owner", required_within=None)
    agreement = replace(AGREEMENT, roles=(role,))
    world = World(Owner=None)
    world.change(INTERNAL, 4, "Owner", ANN, BO)
    world.change(VENDOR, 6, "Owner", BO, BO)
    assert told(world.timeline(agreement=agreement)) == [("internal", 4, "Owner:  -> Ann Owner")]


# --- holds ------------------------------------------------------------------------------------------------------------


def held(event="", state=HoldState.OPEN, *, since=10, **more):
    return Hold(
        id=5,
        field="status",
        side=VENDOR,
        kind=more.pop("kind", HoldKind.UNENTITLED),
        state=state,
        since=at(since),
        before="To Do",
        value="Done",
        other=more.pop("other", "Open"),
        actor=BO,
        event=event,
        **more,
    )


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (HoldState.OPEN, False),
        (HoldState.APPROVED, True),
        (HoldState.CROSSED, True),
        (HoldState.REJECTED, False),
        (HoldState.RESTORED, False),
        (HoldState.REVERTED, False),
        (HoldState.OVERTAKEN, False),
    ],
)
def test_a_change_that_waits_or_was_refused_does_not_count_and_an_approved_one_counts_from_its_own_time(
    state, counts
):
    world = World()
    event = world.change(VENDOR, 10, "status", "Done", BO)
    decided = {
        HoldState.APPROVED: {"decided_at": at(30), "winner": VENDOR, "decided_by": "ann"},
        HoldState.CROSSED: {"decided_at": at(30), "winner": VENDOR, "closed_at": at(31)},
        HoldState.REJECTED: {"decided_at": at(30), "winner": INTERNAL},
        HoldState.RESTORED: {"decided_at": at(30), "winner": INTERNAL, "closed_at": at(31)},
        HoldState.OVERTAKEN: {"closed_at": at(30)},
    }
    hold = held(event, state, **decided.get(state, {}))
    timeline = world.timeline(holds=[hold])
    assert told(timeline) == ([("vendor", 10, "status: Open -> Resolved")] if counts else [])
    waited = told(timeline, EntryKind.HELD, EntryKind.RELEASED)
    if state is HoldState.REVERTED:
        assert waited == [], "undone at once: nobody waited"
    else:
        over = [] if state is HoldState.OPEN else [("vendor", 30, "bridge:hold/5")]
        assert waited == [("vendor", 10, "bridge:hold/5"), *over]


def test_a_rejected_change_is_not_counted_when_it_is_restored_either():
    world = World()
    event = world.change(VENDOR, 10, "status", "Done", BO)
    world.change(VENDOR, 40, "status", "To Do")
    hold = held(event, HoldState.RESTORED, decided_at=at(30), winner=INTERNAL, closed_at=at(40))
    assert told(world.timeline(holds=[hold])) == []


def test_a_hold_whose_change_no_history_names_is_known_by_its_value():
    world = World()
    world.change(VENDOR, 10, "status", "Done", BO)
    rejected = held("", HoldState.RESTORED, since=11, decided_at=at(30), winner=INTERNAL, closed_at=at(40))
    assert told(world.timeline(holds=[rejected])) == []
    world.change(VENDOR, 50, "status", "To Do", BO)
    world.change(VENDOR, 60, "status", "Done", BO)  # a new one, which nobody has held
    assert told(world.timeline(holds=[rejected])) == [("vendor", 60, "status: Open -> Resolved")]


def test_such_a_hold_leaves_alone_what_was_set_to_the_same_value_long_before():
    world = World()
    world.change(VENDOR, 5, "status", "Done", BO)
    world.change(VENDOR, 7, "status", "To Do", BO)
    world.change(VENDOR, 10, "status", "Done", BO)
    rejected = held("", HoldState.RESTORED, since=11, decided_at=at(30), winner=INTERNAL, closed_at=at(40))
    assert told(world.timeline(holds=[rejected])) == [
        ("vendor", 5, "status: Open -> Resolved"),
        ("vendor", 7, "status: Resolved -> Open"),
    ]


def test_of_a_conflict_the_side_that_was_chosen_counts():
    world = World()
    event = world.change(VENDOR, 10, "status", "Done", BO)
    world.change(INTERNAL, 9, "status", "In Progress", ANN)
    conflict = held(event, kind=HoldKind.CONFLICT, other="In Progress")
    assert told(world.timeline(holds=[conflict])) == []
    won = replace(conflict, state=HoldState.APPROVED, winner=VENDOR, decided_at=at(30))
    assert told(world.timeline(holds=[won])) == [("vendor", 10, "status: Open -> Resolved")]
    lost = replace(won, winner=INTERNAL)
    assert told(world.timeline(holds=[lost])) == [("internal", 9, "status: Open -> In Progress")]


def test_a_hold_that_ended_without_a_word_counts_if_the_change_crossed_after_all():
    world = World()
    event = world.change(VENDOR, 10, "status", "Done", BO)
    gone = held(event, HoldState.WITHDRAWN, closed_at=at(20))
    assert told(world.timeline(holds=[gone])) == []
    world.change(INTERNAL, 20, "status", "Resolved")
    assert told(world.timeline(holds=[gone])) == [("vendor", 10, "status: Open -> Resolved")]


# --- comments ---------------------------------------------------------------------------------------------------------


def test_comments_count_on_the_side_on_which_they_were_written_and_copies_not_at_all():
    world = World()
    world.comments[INTERNAL] = [say(1, 5), say(2, 11, "copied", OURS[INTERNAL]), say(3, 20, private=True)]
    world.comments[VENDOR] = [
        say(1, 5.1, "copied", OURS[VENDOR]),
        say(2, 10, who=BO),
        say(3, 12, "link", OURS[VENDOR], marker="bridge-x"),
        say(4, 30, who=BO, private=True),
        say(5, 31, "an answer to what is private", BO, parent="4"),
        say(6, 40, "by somebody who uses the account", OURS[VENDOR]),
    ]
    pairs = [CommentPair(1, INTERNAL, "1", "1"), CommentPair(2, VENDOR, "2", "2")]
    timeline = world.timeline(pairs=pairs)
    assert told(timeline, EntryKind.COMMENT) == [
        ("internal", 5, "internal:comment/1"),
        ("vendor", 10, "vendor:comment/2"),
        ("internal", 20, "internal:comment/3"),
        ("vendor", 30, "vendor:comment/4"),
        ("vendor", 31, "vendor:comment/5"),
        ("vendor", 40, "vendor:comment/6"),
    ]
    public = [one.event for one in timeline.entries if one.kind is EntryKind.COMMENT and one.public]
    assert public == ["internal:comment/1", "vendor:comment/2", "vendor:comment/6"]


def test_a_note_of_the_bridge_is_no_comment():
    world = World()
    world.comments[VENDOR] = [say(8, 5, "On hold: ...", OURS[VENDOR])]
    note = CommentPair(1, INTERNAL, "", "8", state=PairState.NOTE)
    assert told(world.timeline(pairs=[note]), EntryKind.COMMENT) == []


def test_what_does_not_cross_is_nothing_that_the_other_side_could_read():
    world = World()
    world.comments[VENDOR] = [say(1, 5, who=BO), say(2, 6, who=BO)]
    old = CommentPair(1, VENDOR, "1", "", state=PairState.SKIPPED)
    assert [one.public for one in world.timeline(pairs=[old]).entries[1:]] == [False, True]
    agreement = replace(AGREEMENT, comments=CommentRule(cross=frozenset({INTERNAL})))
    assert [one.public for one in world.timeline(agreement=agreement).entries[1:]] == [False, False]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("#ack", True),
        ("On it. #ack", True),
        ("Acknowledged", True),
        ("Thanks.\nacknowledged.\nBo", True),
        ("It was acknowledged by mail", False),
        ("#acknowledge", False),
        ("see #ack-17", False),
    ],
)
def test_who_acknowledges_by_a_comment(text, counts):
    world = World()
    world.comments[VENDOR] = [say(1, 5, text, BO)]
    timeline = world.timeline()
    found = told(timeline, EntryKind.ACKNOWLEDGED)
    assert found == ([("vendor", 5, "vendor:comment/1")] if counts else [])
    assert len(told(timeline, EntryKind.COMMENT)) == 1, "it is a comment as well"


def test_a_copied_acknowledgement_is_one_once_and_those_by_mail_come_along():
    world = World()
    world.comments[INTERNAL] = [say(1, 5, "#ack")]
    world.comments[VENDOR] = [say(1, 5.1, "#ack", OURS[VENDOR])]
    mailed = Entry(at(7), VENDOR, EntryKind.ACKNOWLEDGED, event="bridge:acknowledged/all/0")
    timeline = world.timeline(pairs=[CommentPair(1, INTERNAL, "1", "1")], acknowledged=[mailed])
    assert told(timeline, EntryKind.ACKNOWLEDGED) == [
        ("internal", 5, "internal:comment/1"),
        ("vendor", 7, "bridge:acknowledged/all/0"),
    ]


def test_a_deleted_comment_was_made_all_the_same_but_a_copy_found_out_later_was_not():
    world = World()
    world.comments[VENDOR] = [say(1, 5, who=BO), say(2, 6, "copied", OURS[VENDOR])]
    first = world.timeline()
    assert len(told(first, EntryKind.COMMENT)) == 2, "the pair was not stored yet"
    world.comments[VENDOR] = []
    pairs = [CommentPair(1, INTERNAL, "9", "2")]
    later = world.timeline(earlier=first, pairs=pairs)
    assert told(later, EntryKind.COMMENT) == [("vendor", 5, "vendor:comment/1")]
    assert told(world.timeline(earlier=later, pairs=pairs)) == told(later)


# --- clocks of the trackers -------------------------------------------------------------------------------------------


def test_a_trackers_clock_is_corrected_beyond_two_seconds_and_left_alone_below():
    world = World()
    world.change(VENDOR, 10, "status", "Doing", BO)
    wrong = world.source(VENDOR, skew=-5 * MINUTE)  # five minutes behind ours
    timeline = world.timeline(sources={VENDOR: wrong})
    assert told(timeline) == [("vendor", 15, "status: Open -> In Progress")]
    little = world.source(VENDOR, skew=1_900_000)
    assert told(world.timeline(sources={VENDOR: little})) == [("vendor", 10, "status: Open -> In Progress")]


def test_it_is_certain_until_the_side_that_was_asked_first_was_asked():
    world = World()
    early = world.source(VENDOR, read_at=at(900) + 300_000)
    assert world.timeline(sources={VENDOR: early}).certain_until == at(900), "in whole seconds"
    behind = world.source(VENDOR, read_at=at(900), skew=-1_500_000)
    assert world.timeline(sources={VENDOR: behind}).certain_until == at(900) - 2 * SECOND
    none_yet = Source(None)
    assert world.timeline(sources={VENDOR: none_yet}).certain_until == at(1000)


def test_deeds_of_the_second_of_birth_do_not_come_before_it():
    world = World()
    world.change(VENDOR, -0.01, "status", "Doing", BO)
    assert told(world.timeline()) == [("vendor", 0, "status: Open -> In Progress")]


def test_of_two_tickets_that_were_linked_by_hand_the_older_one_is_the_beginning():
    world = World()
    world.marked = False
    world.created = {INTERNAL: BORN, VENDOR: at(-60)}
    timeline = world.timeline()
    assert (timeline.origin, timeline.born) == (VENDOR, at(-60))
    assert timeline.start["status"] == "Open", "in the internal words"
    world.marked = True  # a mirror is never the first, whatever its clock says
    assert world.timeline().origin is INTERNAL


# --- what is not told -------------------------------------------------------------------------------------------------


def test_a_tracker_that_keeps_no_history_is_observed_until_it_tells():
    world = World()
    silent = {"history": None}
    first = world.timeline(sources={VENDOR: world.source(VENDOR, read_at=at(10), **silent)})
    assert told(first) == []
    event = world.change(VENDOR, 15, "status", "Doing", BO)
    second = world.timeline(sources={VENDOR: world.source(VENDOR, read_at=at(20), **silent)}, earlier=first)
    assert told(second) == [("vendor", 20, "status: Open -> In Progress")]
    (seen,) = second.entries[1:]
    assert seen.observed
    assert seen.event == f"vendor:observed/{at(20)}"
    third = world.timeline(sources={VENDOR: world.source(VENDOR, read_at=at(30), **silent)}, earlier=second)
    assert told(third) == told(second), "seen once"
    fourth = world.timeline(earlier=third)
    assert told(fourth) == [("vendor", 15, "status: Open -> In Progress")], (
        "the tracker's own word replaces it"
    )
    assert fourth.entries[1].event == f"vendor:history/{event}"
    assert not fourth.entries[1].observed


def test_what_is_observed_of_a_copy_is_no_deed():
    world = World()
    silent = {"history": None}
    first = world.timeline(sources={VENDOR: world.source(VENDOR, read_at=at(10), **silent)})
    world.change(INTERNAL, 12, "status", "In Progress", ANN)
    world.now[VENDOR]["status"] = "Doing"
    second = world.timeline(sources={VENDOR: world.source(VENDOR, read_at=at(20), **silent)}, earlier=first)
    assert told(second) == [("internal", 12, "status: Open -> In Progress")]


def test_a_change_that_a_told_history_leaves_out_is_observed_too():
    world = World()
    first = world.timeline(sources={side: world.source(side, read_at=at(10)) for side in Side})
    world.now[VENDOR]["priority"] = "P1"  # by a rule of the tracker that writes no history
    second = world.timeline(
        sources={side: world.source(side, read_at=at(20)) for side in Side}, earlier=first
    )
    assert told(second) == [("vendor", 20, "priority: Low -> High")]
    assert second.entries[1].observed
    third = world.timeline(
        sources={side: world.source(side, read_at=at(30)) for side in Side}, earlier=second
    )
    assert told(third) == told(second)


def test_a_ticket_that_was_read_before_its_history_is_not_observed():
    world = World()
    first = world.timeline(sources={side: world.source(side, read_at=at(10)) for side in Side})
    world.change(VENDOR, 20.05, "status", "Doing", BO)
    ticket = world.source(VENDOR).ticket
    world.change(VENDOR, 20.1, "status", "Done", BO)  # between the two answers
    torn = world.source(VENDOR, ticket=ticket, read_at=at(20))
    second = world.timeline(
        sources={VENDOR: torn, INTERNAL: world.source(INTERNAL, read_at=at(20))}, earlier=first
    )
    assert [one.observed for one in second.entries] == [False, False, False]


def test_a_history_that_is_refused_for_a_while_is_remembered():
    world = World()
    world.change(VENDOR, 5, "status", "Doing", BO)
    first = world.timeline()
    dark = world.source(VENDOR, history=None)
    assert told(world.timeline(sources={VENDOR: dark}, earlier=first)) == told(first)


def test_a_ticket_that_cannot_be_seen_any_more_keeps_what_was_done_in_it():
    world = World()
    world.change(VENDOR, 5, "status", "Doing", BO)
    world.change(INTERNAL, 5.1, "status", "In Progress")
    world.comments[VENDOR] = [say(1, 6, "#ack", BO)]
    first = world.timeline()
    gone = Source(None, None, OURS[VENDOR].id, 0, at(1000))
    second = world.timeline(sources={VENDOR: gone}, earlier=first, ended=at(1000))
    assert second.entries == first.entries
    assert second.ended == at(1000)
    both = dict.fromkeys(Side, gone)
    assert world.timeline(sources=both, earlier=second, ended=at(1000)).entries == first.entries


def test_without_a_ticket_there_is_no_timeline():
    assert build(Subject(AGREEMENT, INTERNAL), {side: Source(None) for side in Side}) is None


def test_the_mirror_may_still_be_to_come():
    world = World()
    world.change(INTERNAL, 3, "status", "In Progress", ANN)
    timeline = world.timeline(sources={VENDOR: Source(None)})
    assert told(timeline) == [("internal", 3, "status: Open -> In Progress")]


# --- comparing --------------------------------------------------------------------------------------------------------


def test_differences_in_words():
    world = World()
    world.change(VENDOR, 10, "status", "Doing", BO)
    old = world.timeline()
    assert differences(old, old) == ()
    assert differences(None, old) == ("there was no timeline; now there is one of 2 entries",)
    world.change(VENDOR, 20, "status", "Done", BO)
    world.comments[INTERNAL] = [say(1, 5, private=True)]
    (added, spoken) = sorted(differences(old, world.timeline()))
    assert added.startswith("new: 20")
    assert "internal private comment (internal:comment/1)" in added
    assert "vendor status: In Progress -> Resolved (vendor:history/102)" in spoken
    moved = replace(old, entries=(old.entries[0], replace(old.entries[1], at=at(11))))
    (line,) = differences(old, moved)
    assert line.startswith("otherwise: ")
    assert differences(world.timeline(), old)[0].startswith("gone: ")
