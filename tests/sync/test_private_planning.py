"""What the planner makes of privacy: who crosses as what, what is taken back, what is not tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, comment, doc, link, ticket

from bridge.markup import Document, Mention, Paragraph, Text, digest, plain, settle
from bridge.sync.agreement import CommentRule, FieldRule, Privacy, WorklogRule
from bridge.sync.base import CommentPair, PairState, PartKind, PartPair
from bridge.sync.comments import attributed, plan_comments
from bridge.sync.decide import decide
from bridge.sync.echo import is_echo
from bridge.sync.mapping import Carried, agree, carry_text
from bridge.sync.plan import (
    AddComment,
    CreateTicket,
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    EditComment,
    Plan,
)
from bridge.sync.privacy import inherited, tried
from bridge.sync.ticket import Attachment, Person, Side, Worklog

NEVER = agreement()
ALLOWED = agreement(comments=CommentRule(private=True))
SAID = comment("10", doc("hello"), private=True)
COPY = replace(
    comment("90", settle("adf", attributed(ALLOWED, Side.INTERNAL, SAID)), author=Person("bot", "Bridge")),
    private=True,
)
PAIR = CommentPair(
    1, Side.INTERNAL, "10", "90", digest(SAID.body), digest(COPY.body), state=PairState.PRIVATE
)


def planned(internal, vendor=(), pairs=(), terms=ALLOWED, **view):
    sides = ticket(Side.INTERNAL, comments=internal), ticket(Side.VENDOR, comments=vendor, **view)
    return plan_comments(terms, link(*sides, pairs=pairs))


def echoes(internal, pairs, terms=ALLOWED) -> bool:
    """Whether the internal side alone shows nothing new."""
    seen = ticket(Side.INTERNAL, comments=internal)
    return is_echo(terms, Side.INTERNAL, seen, link(seen, None).internal.base, pairs)


def test_a_private_comment_crosses_as_one_where_it_may() -> None:
    (action,), _, _ = planned([SAID])
    assert isinstance(action, AddComment)
    assert action.private
    assert planned([SAID], terms=NEVER) == ([], [], [])
    assert not echoes([SAID], [])
    assert echoes([SAID], [], NEVER)


def test_a_public_comment_is_not_private() -> None:
    (action,), _, _ = planned([replace(SAID, private=False)])
    assert not action.private


def test_a_private_pair_in_order_needs_nothing() -> None:
    assert planned([SAID], [COPY], [PAIR]) == ([], [], [])
    assert echoes([SAID], [PAIR])
    assert not Plan(pairs=(PAIR,)).destroys


def test_an_edited_private_comment_is_followed() -> None:
    changed = replace(SAID, body=doc("hello again"))
    (action,), _, _ = planned([changed], [COPY], [PAIR])
    assert isinstance(action, EditComment)
    assert not echoes([changed], [PAIR])


@pytest.mark.parametrize(
    ("said", "state", "copy", "why"),
    [
        (SAID, PairState.PAIRED, replace(COPY, private=False), "private"),
        (replace(SAID, private=False), PairState.PRIVATE, COPY, "public"),
        (SAID, PairState.PRIVATE, replace(COPY, private=False), "exposed"),
    ],
)
def test_a_copy_that_is_not_what_its_original_is_is_taken_back(said, state, copy, why) -> None:
    pair = replace(PAIR, state=state)
    assert planned([said], [copy], [pair])[0] == [DeleteComment(Side.VENDOR, pair, why)]
    cleared = replace(pair, state=PairState.ORIGIN_DELETED)
    (action,), _, _ = planned([said], [], [cleared])
    assert isinstance(action, AddComment)
    assert action.private is said.private
    assert not echoes([said], [cleared])


def test_a_copy_of_the_wrong_kind_that_is_gone_already_is_written_anew() -> None:
    """We deleted it, and a crash kept that from the books."""
    (action,), _, pairs = planned([replace(SAID, private=False)], [], [PAIR])
    assert isinstance(action, AddComment)
    assert pairs == []


def test_a_copy_that_the_agreement_allows_no_more_is_taken_back() -> None:
    assert planned([SAID], [COPY], [PAIR], NEVER)[0] == [DeleteComment(Side.VENDOR, PAIR, "private")]


def test_an_exposed_copy_is_no_echo() -> None:
    loud = ticket(Side.VENDOR, comments=[replace(COPY, private=False)])
    quiet = ticket(Side.VENDOR, comments=[COPY])
    base = link(quiet, None).internal.base
    assert not is_echo(ALLOWED, Side.VENDOR, loud, base, [PAIR])
    assert is_echo(ALLOWED, Side.VENDOR, quiet, base, [PAIR])


def test_a_withdrawn_comment_is_tried_again_only_when_something_has_changed() -> None:
    pair = replace(PAIR, state=PairState.WITHDRAWN, copy_digest=tried(ALLOWED, Side.VENDOR))
    actions, (finding,), pairs = planned([SAID], [], [pair])
    assert (actions, pairs, finding.kind) == ([], [], "not-kept-private")
    assert "hello" not in finding.message
    assert echoes([SAID], [pair])
    edited, opened = replace(SAID, body=doc("again")), replace(SAID, private=False)
    elsewhere = replace(ALLOWED, vendor=replace(ALLOWED.vendor, privacy=Privacy(role="Staff")))
    for said, terms in ((edited, ALLOWED), (opened, ALLOWED), (SAID, elsewhere)):
        (action,), findings, _ = planned([said], [], [pair], terms)
        assert isinstance(action, AddComment)
        assert findings == []
        assert not echoes([said], [pair], terms)
    assert planned([], [], [pair]) == ([], [], [replace(pair, state=PairState.ORIGIN_DELETED)])


def test_a_child_of_a_private_comment_is_private() -> None:
    child = replace(comment("11", doc("and so")), parent="10")
    grandchild = replace(comment("12", doc("and on")), parent="11")
    public = comment("13", doc("hello all"))
    assert [one.private for one in inherited([SAID, child, grandchild, public])] == [True, True, True, False]
    circle = [replace(comment("1", doc("a")), parent="2"), replace(comment("2", doc("b")), parent="1")]
    assert [one.private for one in inherited(circle)] == [False, False]
    assert planned([SAID, child, grandchild], terms=NEVER) == ([], [], [])
    assert echoes([SAID, child], [], NEVER)


def test_an_answer_names_whom_it_answers_only_if_that_crosses() -> None:
    asked = comment("10", doc("who?"), author=Person("u2", "Ivan"))
    answer = replace(comment("11", doc("me"), created=61), parent="10")
    _, second = planned([asked, answer])[0]
    assert plain(second.body).startswith("Ann (Home), in reply to Ivan\n")
    assert second.answers == ""
    threads = replace(NEVER, vendor=replace(NEVER.vendor, threads=True))
    _, second = planned([asked, answer], terms=threads)[0]
    assert (plain(second.body), second.answers) == ("Ann (Home)\n\nme", "10")
    marked = replace(asked, marker="bridge-0/internal/5")
    (only,), _, _ = planned([marked, answer])
    assert plain(only.body) == "Ann (Home)\n\nme"


def test_a_private_answer_to_a_public_comment_stands_outside_of_the_thread() -> None:
    terms = replace(ALLOWED, vendor=replace(ALLOWED.vendor, threads=True))
    asked, answer = comment("9", doc("who?"), created=59), replace(SAID, parent="9")
    _, second = planned([asked, answer], terms=terms)[0]
    assert (second.private, second.answers) == (True, "")
    assert "in reply to Ann" in plain(second.body)


def test_an_answer_to_a_copy_names_the_author_of_its_original() -> None:
    theirs, copy = (
        comment("91", doc("who?"), author=BO),
        comment("20", doc("copy"), author=Person("bot", "Bridge")),
    )
    pair = CommentPair(2, Side.VENDOR, "91", "20", digest(theirs.body), digest(copy.body))
    answer = replace(comment("21", doc("me"), author=ANN), parent="20")
    (action,), _, _ = planned([copy, answer], [theirs], [pair])
    assert "in reply to Bo" in plain(action.body)


# --- private tickets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
def test_nothing_crosses_while_a_ticket_is_private(side) -> None:
    rule = FieldRule("summary")
    said, gone = (
        comment("10", doc("hello")),
        replace(PAIR, id=2, origin_id="11", copy_id="91", state=PairState.PAIRED),
    )
    tickets = {
        Side.INTERNAL: ticket(Side.INTERNAL, {"summary": "a"}, [said]),
        Side.VENDOR: ticket(Side.VENDOR, {"summary": "b"}, [replace(COPY, id="91")]),
    }
    tickets[side] = replace(tickets[side], private=True)
    plan = decide(agreement(rule), link(*tickets.values(), pairs=[gone]))
    assert plan.actions == (DeleteComment(Side.VENDOR, gone, "deleted"),), "what is taken back is taken back"
    assert [(one.kind, one.side) for one in plan.findings] == [("private-ticket", side)]


def test_time_and_files_of_what_is_made_private_are_taken_back_while_the_ticket_is_private() -> None:
    file, spent = (
        Attachment("30", "a.txt", 5, 60, private=True),
        Worklog("40", ANN, 60, 3600, doc("hello"), 60, private=True),
    )
    parts = [
        PartPair(1, PartKind.ATTACHMENT, Side.INTERNAL, "30", "80"),
        PartPair(2, PartKind.WORKLOG, Side.INTERNAL, "40", "81"),
        PartPair(3, PartKind.ATTACHMENT, Side.INTERNAL, "text:comment/9", "82"),
    ]
    internal = replace(
        ticket(Side.INTERNAL),
        private=True,
        attachments=(file,),
        attachments_complete=True,
        worklogs=(spent,),
        worklogs_complete=True,
    )
    vendor = ticket(Side.VENDOR)
    terms = replace(agreement(), worklogs=WorklogRule(frozenset(Side)))
    plan = decide(terms, replace(link(internal, vendor), parts=tuple(parts)))
    taken = {one.pair.copy_id for one in plan.actions if isinstance(one, DeleteAttachment | DeleteWorklog)}
    assert taken == {"80", "81", "82"}
    assert len(plan.actions) == len(taken)


def test_a_private_ticket_gets_no_peer() -> None:
    rule = FieldRule("summary")
    origin = ticket(Side.INTERNAL, {"summary": "a"})
    (create,) = decide(agreement(rule), link(origin, None)).actions
    assert isinstance(create, CreateTicket)
    plan = decide(agreement(rule), link(replace(origin, private=True), None))
    assert plan.actions == ()
    assert plan.findings[0].kind == "private-ticket"


# --- mentions ---------------------------------------------------------------------------------------------------------

KNOWN = replace(NEVER, mentionable=((Mention("u1", "Ann"), Mention("v1", "Bo")),))


def mentioning(*nodes) -> Document:
    return Document((Paragraph((*nodes, Text(" look"))),))


def test_a_mention_of_somebody_who_agreed_is_their_counterpart_s() -> None:
    carried = carry_text(KNOWN, mentioning(Mention("U1", "Ann Owner")), Side.VENDOR)
    assert carried.value == mentioning(Mention("v1", "Bo"))
    back = carry_text(KNOWN, mentioning(Mention("v1", "Bo")), Side.INTERNAL)
    assert back.value == mentioning(Mention("u1", "Ann"))


@pytest.mark.parametrize(
    ("node", "shown"),
    [
        (Mention("u2", "Ivan"), "@Ivan look"),
        (Mention("ivan", "ivan"), "@somebody look"),
        (Mention("u2", "ivan@home.example"), "@somebody look"),
        (Mention("v1", "Bo"), "@Bo look"),
    ],
)
def test_everybody_else_is_a_plain_name(node, shown) -> None:
    carried = carry_text(KNOWN, mentioning(node), Side.VENDOR)
    assert isinstance(carried, Carried)
    assert plain(carried.value) == shown


def test_texts_with_mirrored_mentions_agree() -> None:
    rule = FieldRule("description")
    ours, theirs = mentioning(Mention("u1", "Ann")), mentioning(Mention("v1", "Bo"))
    assert agree(KNOWN, rule, ours, theirs)
    assert not agree(NEVER, rule, ours, theirs)
