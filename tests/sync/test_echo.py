"""Recognising what shows nothing new."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, comment, doc, ticket

from bridge.markup import digest
from bridge.sync.agreement import CommentRule, FieldRule
from bridge.sync.base import Base, CommentPair, PairState
from bridge.sync.echo import is_echo, parts_differ
from bridge.sync.ticket import Person, Relation, Side, Worklog

TERMS = agreement(FieldRule("summary"), FieldRule("assignee"))
SAID, COPY = comment("10", doc("hello")), comment("11", doc("copy"))
PAIRS = (
    CommentPair(1, Side.INTERNAL, "10", "90", digest(SAID.body), "d"),
    CommentPair(2, Side.VENDOR, "91", "11", "d", digest(COPY.body)),
)
FIELDS = {"summary": "a", "assignee": ANN}
BASE = Base({"summary": "a", "assignee": Person("ann@home.example")})
SEEN = ticket(Side.INTERNAL, FIELDS, [SAID, COPY])


def test_what_we_know_is_an_echo() -> None:
    assert is_echo(TERMS, Side.INTERNAL, SEEN, BASE, PAIRS)
    assert is_echo(TERMS, Side.INTERNAL, replace(SEEN, fields={"summary": " a "}), BASE, PAIRS)
    other = {**FIELDS, "Unmapped": "x"}
    assert is_echo(TERMS, Side.INTERNAL, replace(SEEN, fields=other), BASE, PAIRS)


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {**FIELDS, "summary": "b"}},
        {"fields": {**FIELDS, "assignee": BO}},
        {"comments": (SAID,)},
        {"comments": (COPY,)},
        {"comments": (SAID, COPY, comment("12", doc("new")))},
        {"comments": (replace(SAID, body=doc("edited")), COPY)},
        {"comments": (SAID, replace(COPY, body=doc("edited")))},
        {"comments": (replace(SAID, private=True), COPY)},
        {"comments_complete": False},
    ],
)
def test_anything_new_is_none(change) -> None:
    assert not is_echo(TERMS, Side.INTERNAL, replace(SEEN, **change), BASE, PAIRS)


def test_a_field_that_never_was_in_agreement_is_news() -> None:
    assert not is_echo(TERMS, Side.INTERNAL, SEEN, Base({"summary": "a"}), PAIRS)


@pytest.mark.parametrize("state", [PairState.COPY_DELETED, PairState.NOTE])
def test_a_pair_that_is_settled_is_no_news(state) -> None:
    pairs = tuple(replace(pair, state=state) for pair in PAIRS)
    for comments in ((), (SAID,), (SAID, replace(COPY, body=doc("edited")))):
        assert is_echo(TERMS, Side.INTERNAL, replace(SEEN, comments=comments), BASE, pairs)


def test_a_comment_that_was_taken_back_is_news_once_it_is_public_again() -> None:
    pairs = tuple(replace(pair, state=PairState.ORIGIN_DELETED) for pair in PAIRS)
    still = replace(SEEN, comments=(replace(SAID, private=True),))
    assert is_echo(TERMS, Side.INTERNAL, still, BASE, pairs)
    assert not is_echo(TERMS, Side.INTERNAL, replace(SEEN, comments=(SAID,)), BASE, pairs)


def test_comments_that_do_not_cross_are_no_news() -> None:
    private = replace(SEEN, comments=(SAID, COPY, comment("12", doc("new"), private=True)))
    assert is_echo(TERMS, Side.INTERNAL, private, BASE, PAIRS)
    public = replace(SEEN, comments=(SAID, COPY, comment("12", doc("new"))))
    one_way = replace(TERMS, comments=CommentRule(frozenset({Side.VENDOR})))
    assert is_echo(one_way, Side.INTERNAL, public, BASE, PAIRS)


def test_a_ticket_that_has_left_the_project_or_was_archived_is_no_echo() -> None:
    assert not is_echo(TERMS, Side.INTERNAL, replace(SEEN, project="SECRET"), BASE, PAIRS)
    assert not is_echo(TERMS, Side.INTERNAL, replace(SEEN, archived=True), BASE, PAIRS)
    assert is_echo(TERMS, Side.INTERNAL, replace(SEEN, project="ops"), BASE, PAIRS)


def test_an_old_comment_that_is_to_cross_is_no_echo_and_one_that_is_to_stay_is() -> None:
    stays = replace(PAIRS[0], copy_id="", state=PairState.SKIPPED)
    assert is_echo(TERMS, Side.INTERNAL, SEEN, BASE, (stays, PAIRS[1]))
    owed = replace(stays, state=PairState.HISTORY)
    assert not is_echo(TERMS, Side.INTERNAL, SEEN, BASE, (owed, PAIRS[1]))


def test_what_a_list_leaves_out_of_relations_and_worklogs_is_no_difference() -> None:
    related = (Relation("1", "blocks", "9"),)
    read = replace(SEEN, parent="8", relations=related, relations_complete=True)
    listed = replace(SEEN, parent="8")
    assert not parts_differ(read, listed)
    assert not parts_differ(read, replace(listed, parent=None))
    assert parts_differ(read, replace(listed, parent=""))
    assert parts_differ(read, replace(read, relations=()))
    assert not parts_differ(read, replace(read, relations=related))
    spent = Worklog("3", None, 0, 60, doc("x"), 0)
    assert parts_differ(
        replace(read, worklogs=(spent,), worklogs_complete=True), replace(read, worklogs_complete=True)
    )
    assert not parts_differ(replace(read, worklogs=(spent,), worklogs_complete=True), read)
