"""What becomes of comments, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from makings import ANN, BO, agreement, comment, doc, link, ticket

from bridge.markup import Document, Mark, Paragraph, Text, digest, plain, settle
from bridge.sync.agreement import CommentRule
from bridge.sync.base import CommentPair, PairState
from bridge.sync.comments import attributed, plan_comments
from bridge.sync.plan import AddComment, DeleteComment, EditComment, Plan
from bridge.sync.ticket import Person, Side

TERMS = agreement()
SAID = comment("10", doc("hello"))
BODY = attributed(TERMS, Side.INTERNAL, SAID)
SHOWN = settle("adf", BODY)
COPY = comment("90", SHOWN, author=Person("bot"))
PAIR = CommentPair(1, Side.INTERNAL, "10", "90", digest(SAID.body), digest(SHOWN))


def planned(ours=(), theirs=(), pairs=(), terms=TERMS, complete=(True, True), **more):
    internal = ticket(Side.INTERNAL, {}, ours, complete=complete[0])
    vendor = ticket(Side.VENDOR, {}, theirs, complete=complete[1])
    return plan_comments(terms, link(internal, vendor, pairs=pairs, **more))


def test_a_new_comment_crosses_under_its_author_s_name() -> None:
    actions, findings, pairs = planned([SAID])
    assert actions == [AddComment(Side.VENDOR, "10", digest(SAID.body), BODY, digest(SHOWN))]
    assert plain(BODY) == "Ann (Home)\n\nhello"
    assert (findings, pairs) == ([], [])


def test_comments_cross_in_the_order_in_which_they_were_written() -> None:
    first, second = comment("11", doc("b"), created=5), comment("91", doc("a"), author=BO, created=4)
    actions, _, _ = planned([first], [second])
    assert [(act.side, act.origin_id) for act in actions] == [(Side.INTERNAL, "91"), (Side.VENDOR, "11")]


@pytest.mark.parametrize(
    ("said", "terms"),
    [
        (replace(SAID, private=True), TERMS),
        (replace(SAID, marker="bridge-0/internal/5"), TERMS),
        (SAID, agreement(comments=CommentRule(frozenset({Side.VENDOR})))),
    ],
)
def test_what_may_not_cross_does_not(said, terms) -> None:
    assert planned([said], terms=terms) == ([], [], [])


def test_an_author_whom_the_tracker_hides_is_somebody() -> None:
    actions, _, _ = planned([replace(SAID, author=None)])
    assert plain(actions[0].body).startswith("Somebody (Home)")


def test_a_name_that_looks_like_a_placeholder_stays_that_name() -> None:
    odd = comment("10", doc("hello"), author=Person("u9", "{company} {author}"))
    assert plain(attributed(TERMS, Side.INTERNAL, odd)).startswith("{company} {author} (Home)")


def test_a_pair_in_order_needs_nothing() -> None:
    assert planned([SAID], [COPY], [PAIR]) == ([], [], [])


def test_a_note_of_the_bridge_itself_does_not_cross() -> None:
    note = CommentPair(2, Side.INTERNAL, "", "91", state=PairState.NOTE)
    assert planned([], [comment("91", doc("see OPS-1"))], [note]) == ([], [], [])


def test_a_changed_comment_renews_its_copy() -> None:
    changed = replace(SAID, body=doc("hello again"))
    (action,), _, _ = planned([changed], [COPY], [PAIR])
    assert isinstance(action, EditComment)
    assert (action.why, action.loser) == ("changed", "")
    assert plain(action.body) == "Ann (Home)\n\nhello again"


def test_a_changed_comment_renews_its_copy_also_when_the_copy_is_out_of_sight() -> None:
    changed = replace(SAID, body=doc("hello again"))
    (action,), _, pairs = planned([changed], [], [PAIR], complete=(True, False))
    assert isinstance(action, EditComment)
    assert pairs == []
    assert planned([SAID], [], [PAIR], complete=(True, False)) == ([], [], [])


def test_a_rewritten_copy_is_put_back_and_the_words_are_kept() -> None:
    (action,), _, _ = planned([SAID], [replace(COPY, body=doc("I never said that"))], [PAIR])
    assert isinstance(action, EditComment)
    assert (action.why, action.loser) == ("restored", "I never said that")
    assert action.body == BODY


def test_words_typed_into_a_copy_are_kept_also_when_its_original_changed_as_well() -> None:
    changed = replace(SAID, body=doc("hello again"))
    (action,), _, _ = planned([changed], [replace(COPY, body=doc("I never said that"))], [PAIR])
    assert isinstance(action, EditComment)
    assert (action.why, action.loser) == ("changed", "I never said that")


def test_a_copy_that_its_tracker_renders_in_another_way_is_ours_all_the_same() -> None:
    rendered = Document((Paragraph((Text("Ann (Home)"),)), *doc("hello").blocks))
    actions, _, pairs = planned([SAID], [replace(COPY, body=rendered)], [PAIR])
    assert actions == []
    assert pairs == [replace(PAIR, copy_digest=digest(rendered))]


def test_a_rewrite_that_a_crash_kept_from_the_books_is_not_written_twice() -> None:
    changed = replace(SAID, body=doc("hello again"))
    now = settle("adf", attributed(TERMS, Side.INTERNAL, changed))
    actions, _, pairs = planned([changed], [replace(COPY, body=now)], [PAIR])
    assert actions == []
    assert pairs == [replace(PAIR, origin_digest=digest(changed.body), copy_digest=digest(now))]


def test_new_formatting_of_the_same_words_crosses() -> None:
    bold = replace(SAID, body=Document((Paragraph((Text("hello", (Mark("strong"),)),)),)))
    (action,), _, _ = planned([bold], [COPY], [PAIR])
    assert isinstance(action, EditComment)


def test_a_deleted_copy_is_not_forced_on_them_again() -> None:
    gone = replace(PAIR, state=PairState.COPY_DELETED)
    actions, (finding,), pairs = planned([SAID], [], [PAIR])
    assert (actions, pairs, finding.kind) == ([], [gone], "copy-deleted")
    assert planned([replace(SAID, body=doc("new"))], [], [gone]) == ([], [], [])
    assert planned([], [], [gone]) == ([], [], [replace(PAIR, state=PairState.ORIGIN_DELETED)])


@pytest.mark.parametrize(("ours", "why"), [([], "deleted"), ([replace(SAID, private=True)], "private")])
def test_what_its_author_takes_back_is_taken_back(ours, why) -> None:
    actions, _, pairs = planned(ours, [COPY], [PAIR])
    assert actions == [DeleteComment(Side.VENDOR, PAIR, why)]
    assert pairs == []
    assert Plan(tuple(actions)).destroys


@pytest.mark.parametrize("ours", [[], [replace(SAID, private=True)]])
def test_what_is_gone_on_both_sides_is_only_noted(ours) -> None:
    assert planned(ours, [], [PAIR]) == ([], [], [replace(PAIR, state=PairState.ORIGIN_DELETED)])


def test_absence_from_a_partial_list_proves_nothing() -> None:
    assert planned([], [COPY], [PAIR], complete=(False, True)) == ([], [], [])


def test_a_pair_is_given_up_only_on_strong_reads() -> None:
    _, _, pairs = planned([SAID], [], [PAIR])
    assert Plan(pairs=tuple(pairs)).destroys
    assert not Plan(pairs=(PAIR,)).destroys


def test_new_words_stay_where_they_are_once_the_agreement_says_so() -> None:
    """The agreement was narrowed after the comment had crossed."""
    terms = agreement(comments=CommentRule(frozenset({Side.VENDOR})))
    changed = replace(SAID, body=doc("not for them"))
    assert planned([changed], [COPY], [PAIR], terms) == ([], [], [])
    assert planned([changed], [replace(COPY, body=doc("x"))], [PAIR], terms) == ([], [], [])
    (action,), _, _ = planned([replace(changed, private=True)], [COPY], [PAIR], terms)
    assert isinstance(action, DeleteComment)


def test_people_who_work_under_our_account_are_heard() -> None:
    said = comment("10", doc("hello"), author=Person("bot", "Bridge"))
    (action,), _, _ = planned([said])
    assert isinstance(action, AddComment)
    assert said.author != ANN


def test_what_was_there_before_a_link_made_by_hand_stays_or_crosses_with_its_date() -> None:
    old = replace(SAID, created=1_800_000_000_000_000)
    skipped = CommentPair(1, Side.INTERNAL, "10", "", state=PairState.SKIPPED)
    assert planned([old], pairs=[skipped]) == ([], [], [])
    owed = replace(skipped, state=PairState.HISTORY)
    ((act,), _, _) = planned([old], pairs=[owed])
    assert isinstance(act, AddComment)
    assert plain(act.body) == "Ann (Home), 2027-01-15 08:00 UTC\n\nhello"
    assert planned([replace(old, private=True)], pairs=[owed]) == ([], [], [])
    assert planned([], pairs=[owed]) == ([], [], []), "deleted before it could cross"


# A tracker that keeps every text as it was written (Request Tracker)

KEPT = replace(TERMS, vendor=replace(TERMS.vendor, edits_texts=False))


def test_a_corrected_comment_stands_beside_its_first_copy_where_copies_cannot_change() -> None:
    edited = replace(SAID, body=doc("hello again"))
    actions, findings, pairs = planned([edited], [COPY], [PAIR], terms=KEPT)
    (add,) = actions
    assert isinstance(add, AddComment)
    assert (add.side, add.origin_id, add.origin_digest) == (Side.VENDOR, "10", digest(edited.body))
    assert plain(add.body) == "Ann (Home) (edited)\n\nhello again"
    assert (findings, pairs) == ([], [])
    # Once it is there, it is the copy; the first one is a note of ours that mirrors nothing.
    second = comment("91", add.body, author=Person("bot"))
    renewed = replace(PAIR, copy_id="91", origin_digest=add.origin_digest, copy_digest=add.copy_digest)
    first = CommentPair(2, Side.INTERNAL, "", "90", state=PairState.NOTE)
    assert planned([edited], [COPY, second], [renewed, first], terms=KEPT) == ([], [], [])


@pytest.mark.parametrize("ours", [[], [replace(SAID, private=True)]])
def test_what_cannot_be_taken_back_is_told_as_long_as_it_stands_there(ours) -> None:
    actions, findings, pairs = planned(ours, [COPY], [PAIR], terms=KEPT)
    assert (actions, pairs) == ([], [])
    assert [(found.kind, found.side) for found in findings] == [("fixed", Side.VENDOR)]
    # Gone after all (an administrator can): the pair is over, or known as deleted there.
    _, findings, pairs = planned(ours, [], [PAIR], terms=KEPT)
    assert not findings
    assert [pair.state for pair in pairs] == [PairState.ORIGIN_DELETED]


def test_a_copy_that_shows_other_words_is_let_be_where_it_cannot_change() -> None:
    odd = replace(COPY, body=doc("cut short by its tracker"))
    actions, findings, pairs = planned([SAID], [odd], [PAIR], terms=KEPT)
    assert (actions, findings) == ([], [])
    assert [pair.copy_digest for pair in pairs] == [digest(odd.body)]


def test_the_side_that_can_change_its_texts_still_does() -> None:
    theirs = comment("95", doc("hej"), author=BO)
    body = attributed(KEPT, Side.VENDOR, theirs)
    pair = CommentPair(3, Side.VENDOR, "95", "15", digest(doc("hi")), digest(settle("adf", body)))
    actions, _, _ = planned([comment("15", settle("adf", body))], [theirs], [pair], terms=KEPT)
    assert [type(act) for act in actions] == [EditComment]
