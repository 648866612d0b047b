"""Which files cross, which copies go, and what is told: the plan alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import ANN, BO, agreement, comment, doc, link, ticket

from bridge.markup import Document, Mark, Media, Paragraph, Text
from bridge.sync.agreement import AttachmentRule, CommentRule, FieldRule
from bridge.sync.attachments import files_known, left_behind, new_pair
from bridge.sync.base import Base, PairState, PartKind, PartPair
from bridge.sync.decide import decide
from bridge.sync.echo import is_echo
from bridge.sync.mapping import carry_text
from bridge.sync.plan import AddAttachment, AddComment, DeleteAttachment, EditComment, SpillText, UpdateFields
from bridge.sync.ticket import Attachment, Side

BOTH = AttachmentRule(frozenset(Side), 1_000, ("image/*", "text/*"), ("*secret*",))
DESCRIPTION = FieldRule("description")


def terms(rule=BOTH, *fields, **more):
    return replace(agreement(*fields, **more), attachments=rule)


def file(name, *, number=None, size=10, private=False):
    return Attachment(number or name, name, size, 100, ANN, private=private, url=f"https://home/{name}")


def with_files(one, *files, complete=True):
    return replace(one, attachments=tuple(files), attachments_complete=complete)


def sides(ours=(), theirs=(), *, fields=({}, {}), comments=((), ()), **more):
    return link(
        with_files(ticket(Side.INTERNAL, fields[0], comments[0]), *ours),
        with_files(ticket(Side.VENDOR, fields[1], comments[1]), *theirs),
        **more,
    )


def pair(origin_id, copy_id, *, origin=Side.INTERNAL, number=1, name="", state=PairState.PAIRED):
    detail = {"name": name or origin_id, "copy": name or origin_id, "url": f"https://home/{origin_id}"}
    detail["copy_url"] = f"https://acme/{copy_id}"
    return PartPair(number, PartKind.ATTACHMENT, origin, origin_id, copy_id, state=state, detail=detail)


def stayed(name, rule):
    return left_behind(new_pair(Side.INTERNAL, name), rule, "left-behind", "too odd")


def kinds(plan):
    return [type(action) for action in plan.actions]


def test_files_of_both_sides_cross_in_the_order_in_which_they_came():
    plan = decide(terms(), sides([file("a.png"), file("b.txt")], [file("c.txt")]))
    assert [(one.side, one.file.name) for one in plan.actions] == [
        (Side.VENDOR, "a.png"),
        (Side.VENDOR, "b.txt"),
        (Side.INTERNAL, "c.txt"),
    ]


def test_nothing_crosses_without_a_word_in_the_agreement():
    plan = decide(agreement(), sides([file("a.png")], [file("c.txt")]))
    assert (plan.actions, plan.findings, plan.parts) == ((), (), ())


def test_an_incomplete_list_proves_nothing():
    here = with_files(ticket(Side.INTERNAL), file("a.png"), complete=False)
    there = with_files(ticket(Side.VENDOR), complete=False)
    plan = decide(terms(), link(here, there, parts=(pair("b.png", "9"),)))
    assert (plan.actions, plan.parts) == ((), ())


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (file("big.txt", size=1_001), "larger"),
        (file("Secret plan.txt"), "a name"),
        (file("a.pdf"), "application/pdf"),
        (file("a.svg"), "image/svg+xml"),
    ],
)
def test_what_may_not_cross_is_told_and_recorded_and_judged_once(one, words):
    first = decide(terms(), sides([one]))
    (told,) = first.findings
    (record,) = first.parts
    assert not first.actions
    assert words in told.message
    again = decide(terms(), sides([one], parts=(replace(record, id=1),)))
    assert again.findings == first.findings
    assert (again.actions, again.parts) == ((), ())
    wider = terms(replace(BOTH, most=10_000, types=("image/svg+xml", "application/*", "text/*"), names=()))
    assert kinds(decide(wider, sides([one], parts=(replace(record, id=1),)))) == [AddAttachment]


def test_a_private_file_stays_without_a_word():
    plan = decide(terms(), sides([file("a.png", private=True)]))
    assert (plan.actions, plan.findings, plan.parts) == ((), (), ())


def test_a_file_that_became_private_is_taken_back_and_one_that_became_public_crosses_again():
    known = pair("a.png", "9")
    copy = file("a.png", number="9")
    plan = decide(terms(), sides([file("a.png", private=True)], [copy], parts=(known,)))
    assert plan.actions == (DeleteAttachment(Side.VENDOR, known, "private"),)
    assert plan.destroys
    back = replace(known, state=PairState.ORIGIN_DELETED)
    assert kinds(decide(terms(), sides([file("a.png")], parts=(back,)))) == [AddAttachment]
    assert decide(terms(), sides([file("a.png", private=True)], parts=(back,))).actions == ()


def test_a_deleted_original_takes_its_copy_along_or_leaves_it():
    known, copy = pair("a.png", "9"), file("a.png", number="9")
    plan = decide(terms(), sides([], [copy], parts=(known,)))
    assert plan.actions == (DeleteAttachment(Side.VENDOR, known, "deleted"),)
    kept = decide(terms(replace(BOTH, deletes="keep")), sides([], [copy], parts=(known,)))
    assert kept.actions == ()
    (record,) = kept.parts
    assert record.state is PairState.ORIGIN_DELETED
    later = decide(terms(replace(BOTH, deletes="keep")), sides([], [copy], parts=(record,)))
    assert (later.actions, later.parts) == ((), ())


@pytest.mark.parametrize(
    ("ours", "words"),
    [((file("a.png", private=True),), "'a.png' was made private"), ((), "'a.png' was deleted")],
)
def test_where_nothing_can_be_taken_back_that_the_copy_stays_is_told(ours, words):
    known, copy = pair("a.png", "9"), file("a.png", number="9")
    keeping = replace(terms(), vendor=replace(terms().vendor, edits_texts=False))
    plan = decide(keeping, sides(ours, [copy], parts=(known,)))
    assert (plan.actions, plan.parts) == ((), ())
    ((kind, said),) = [(one.kind, one.message) for one in plan.findings]
    assert kind == "fixed"
    assert words in said
    assert decide(keeping, sides([file("a.png")], [copy], parts=(known,))).findings == ()


def test_a_deleted_copy_is_told_and_not_forced_on_anybody():
    plan = decide(terms(), sides([file("a.png")], parts=(pair("a.png", "9"),)))
    assert plan.actions == ()
    assert [one.kind for one in plan.findings] == ["copy-deleted"]
    (record,) = plan.parts
    assert record.state is PairState.COPY_DELETED
    assert decide(terms(), sides([file("a.png")], parts=(record,))).actions == ()


def test_copies_and_leftovers_of_ours_are_nobodys_files():
    known = pair("a.png", "9")
    known = replace(known, detail={**known.detail, "older": ["7"]})
    files = [file("a.png", number="9"), file("a.png", number="7")]
    assert decide(terms(), sides([file("a.png")], files, parts=(known,))).actions == ()


def test_where_files_cannot_be_moved_a_finding_says_so():
    plan = decide(terms(), replace(sides([file("a.png")]), files_move=False))
    assert plan.actions == ()
    assert [one.kind for one in plan.findings] == ["left-behind"]


def test_a_file_rests_on_a_strong_read_of_its_own_side():
    plan = decide(terms(), sides([file("a.png")]))
    assert plan.rests_on(Side.INTERNAL)
    assert not plan.rests_on(Side.VENDOR)


# --- echoes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "files", "parts", "known"),
    [
        (Side.INTERNAL, [], [], True),
        (Side.INTERNAL, [file("a.png")], [], False),
        (Side.INTERNAL, [file("a.png", private=True)], [], True),
        (Side.INTERNAL, [file("a.png")], [pair("a.png", "9")], True),
        (Side.INTERNAL, [file("a.png", private=True)], [pair("a.png", "9")], False),
        (Side.INTERNAL, [], [pair("a.png", "9")], False),
        (Side.VENDOR, [file("a.png", number="9")], [pair("a.png", "9")], True),
        (Side.VENDOR, [], [pair("a.png", "9")], False),
        (Side.VENDOR, [], [pair("a.png", "9", state=PairState.COPY_DELETED)], True),
        (Side.INTERNAL, [file("a.png")], [stayed("a.png", BOTH)], True),
        (Side.INTERNAL, [file("a.png")], [stayed("a.png", AttachmentRule())], False),
    ],
)
def test_an_echo_shows_exactly_the_files_that_are_known(side, files, parts, known):
    shown = with_files(ticket(side), *files)
    assert files_known(terms(), side, shown, parts) is known
    assert is_echo(terms(), side, shown, Base(), (), parts=parts) is known


def test_without_files_in_the_agreement_an_incomplete_list_is_no_news():
    assert is_echo(agreement(), Side.INTERNAL, with_files(ticket(Side.INTERNAL), complete=False), Base(), ())


# --- texts that show files -----------------------------------------------------------------------------------------


def shown(ref, alt=""):
    return Document((Paragraph((Text("see "), Media(ref, alt))),))


@pytest.mark.parametrize(
    "dialects", [("wiki", "adf"), ("wiki", "markdown"), ("adf", "wiki"), ("markdown", "adf")]
)
def test_a_shown_file_goes_there_and_comes_back_the_same(dialects):
    from bridge.sync.attachments import twins

    known = replace(terms(dialects=dialects), twins=twins([pair("5", "9", name="a.png")]))
    there = carry_text(known, shown("a.png"), Side.VENDOR).shown
    back = carry_text(known, there, Side.INTERNAL).shown
    again = carry_text(known, back, Side.VENDOR).shown
    assert again == there
    if dialects[0] != "adf":
        assert back == shown("a.png")
    if dialects[1] == "adf":
        assert there.blocks[0].children[1] == Text("a.png", (Mark("link", "https://acme/9"),))


def test_a_text_waits_for_the_file_that_it_shows():
    here, there = ({"description": shown("a.png")}, {"description": doc("old")})
    view = sides([file("a.png")], fields=(here, there), bases=({"description": doc("old")}, there))
    plan = decide(terms(BOTH, DESCRIPTION, dialects=("wiki", "wiki")), view)
    assert kinds(plan) == [AddAttachment]
    assert plan.deferred
    later = replace(view, parts=(pair("a.png", "9"),))
    later = replace(
        later, vendor=replace(later.vendor, ticket=with_files(later.vendor.ticket, file("a.png", number="9")))
    )
    plan = decide(terms(BOTH, DESCRIPTION, dialects=("wiki", "wiki")), later)
    (update,) = plan.actions
    assert isinstance(update, UpdateFields)
    assert update.values["description"] == shown("a.png")


def test_a_comment_waits_for_its_file_but_not_for_one_that_failed():
    said = comment("1", shown("a.png"))
    plan = decide(terms(), sides([file("a.png")], comments=((said,), ())))
    assert (kinds(plan), plan.deferred) == ([AddAttachment], True)
    failed = replace(left_behind(new_pair(Side.INTERNAL, "a.png"), BOTH, "failed", "x", again=True), id=1)
    plan = decide(terms(), sides([file("a.png")], comments=((said,), ()), parts=(failed,)))
    assert (kinds(plan), plan.deferred) == ([AddAttachment, AddComment], False)


def test_a_text_that_crossed_before_its_file_is_completed_once():
    known = terms(BOTH, DESCRIPTION, dialects=("wiki", "wiki"))
    before = carry_text(known, shown("a.png"), Side.VENDOR).shown
    fields = ({"description": shown("a.png")}, {"description": before})
    copy, record = file("a.png", number="9"), pair("a.png", "9")
    view = sides([file("a.png")], [copy], fields=fields, bases=fields, parts=(record,))
    (update,) = decide(known, view).actions
    assert update.values["description"] == shown("a.png")
    after = ({"description": shown("a.png")}, {"description": update.values["description"]})
    for bases in (fields, after):
        assert (
            decide(known, sides([file("a.png")], [copy], fields=after, bases=bases, parts=(record,))).actions
            == ()
        )


def test_a_vendors_edit_beside_a_shown_file_leaves_it_shown():
    known = terms(BOTH, DESCRIPTION, dialects=("wiki", "adf"))
    view = sides(parts=(pair("a.png", "9"),))
    agreed = replace(known, twins={})
    from bridge.sync.attachments import twins

    agreed = replace(known, twins=twins(view.parts))
    there = carry_text(agreed, shown("a.png"), Side.VENDOR).shown
    edited = Document((*there.blocks, Paragraph((Text("more"),))))
    base = ({"description": shown("a.png")}, {"description": there})
    files = ([file("a.png")], [file("a.png", number="9")])
    fields = (base[0], {"description": edited})
    (update,) = decide(known, sides(*files, fields=fields, bases=base, parts=view.parts)).actions
    assert update.values["description"] == Document((*shown("a.png").blocks, Paragraph((Text("more"),))))


# --- long texts ----------------------------------------------------------------------------------------------------

LONG = doc(*(f"Part {number} " + "word " * 60 for number in range(40)))


def small(*fields, cross=BOTH):
    limited = terms(cross, *fields, dialects=("wiki", "wiki"))
    return replace(limited, vendor=replace(limited.vendor, text_limit=4_000))


def test_a_long_text_spills_and_is_at_rest_afterwards():
    known = small(DESCRIPTION)
    base = ({"description": doc("old")}, {"description": doc("old")})
    view = sides(fields=({"description": LONG}, base[1]), bases=base)
    plan = decide(known, view)
    spill, update = plan.actions
    assert isinstance(spill, SpillText)
    assert spill.name == "description-full.md"
    assert "Part 39" in spill.text
    short = update.values["description"]
    assert "Part 39" not in str(short)
    assert "Shortened" in str(short)
    record = replace(pair(spill.pair.origin_id, "9"), digest=spill.digest)
    after = ({"description": LONG}, {"description": short})
    copy = file("description-full.md", number="9")
    rest = decide(known, sides([], [copy], fields=after, bases=after, parts=(record,)))
    assert (rest.actions, rest.findings) == ((), ())
    longer = ({"description": Document((*LONG.blocks, *doc("tail").blocks))}, {"description": short})
    renewed = decide(known, sides([], [copy], fields=longer, bases=after, parts=(record,)))
    assert kinds(renewed) == [SpillText]
    fits = ({"description": doc("brief")}, {"description": short})
    gone = decide(known, sides([], [copy], fields=fits, bases=after, parts=(record,)))
    assert kinds(gone) == [DeleteAttachment, UpdateFields]


def test_where_no_file_crosses_a_long_text_is_told():
    known = small(DESCRIPTION, cross=AttachmentRule())
    view = sides(fields=({"description": LONG}, {"description": doc("old")}), bases=({}, {}))
    assert [one.kind for one in decide(known, view).findings] == ["shortened"]


def test_a_long_comment_spills():
    known = small()
    plan = decide(known, sides(comments=((comment("7", LONG),), ())))
    assert {SpillText, AddComment} == set(kinds(plan))
    assert (
        decide(
            replace(known, comments=CommentRule(frozenset())), sides(comments=((comment("7", LONG),), ()))
        ).actions
        == ()
    )


def test_an_edit_of_the_shortened_copy_is_held():
    known = small(DESCRIPTION)
    short = carry_text(known, LONG, Side.VENDOR).shown
    base = ({"description": LONG}, {"description": short})
    view = sides(fields=({"description": LONG}, {"description": doc("cut")}), bases=base)
    plan = decide(known, view)
    assert not any(isinstance(one, UpdateFields) for one in plan.actions)
    assert "held" in [one.kind for one in plan.findings]


@given(
    st.lists(st.text(alphabet="ab cd\n*_!", max_size=300), max_size=30),
    st.sampled_from(["wiki", "markdown", "adf"]),
)
def test_whatever_is_shortened_fits_and_is_a_beginning(parts, dialect):
    from bridge.markup import canonical, plain, write
    from bridge.sync.shortening import native_length, shorten

    text = canonical(doc(*parts))
    short = shorten(dialect, text, 1_500, "[cut]")
    assert native_length(write(dialect, short)) <= 1_500
    assert plain(short).rstrip().endswith("[cut]")


def test_editing_a_comment_adds_what_it_shows():
    said = comment("1", shown("a.png"), author=BO)
    known = terms(dialects=("wiki", "wiki"))
    first = decide(replace(known, attachments=AttachmentRule()), sides(comments=((said,), ())))
    (added,) = first.actions
    from bridge.sync.base import CommentPair

    record = CommentPair(1, Side.INTERNAL, "1", "8", added.origin_digest, added.copy_digest)
    copy = comment("8", added.body)
    view = sides(
        [file("a.png")],
        [file("a.png", number="9")],
        comments=((said,), (copy,)),
        pairs=(record,),
        parts=(pair("a.png", "9"),),
    )
    (edit,) = decide(known, view).actions
    assert isinstance(edit, EditComment)
    assert edit.body.blocks[-1] == shown("a.png").blocks[0]
