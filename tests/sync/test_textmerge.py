"""Two edits of one text: told apart, or left to the rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import doc

from bridge.markup import Document, Heading, Paragraph, Text, plain
from bridge.sync.textmerge import merge_blocks


def as_it_is(text: Document) -> Document:
    """Every text is fit."""
    return text


def merged(base: str, ours: str, theirs: str) -> str | None:
    """Letters are paragraphs."""
    found = merge_blocks(doc(*base), doc(*ours), doc(*base), doc(*theirs), as_it_is, fit_theirs=as_it_is)
    return None if found is None else "".join(plain(found).split())


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("abc", "Abc", "abC", "AbC"),
        ("abc", "abc", "abC", "abC"),
        ("abc", "xabc", "abcy", "xabcy"),
        ("abc", "bc", "abC", "bC"),
        ("abc", "ac", "abc", "ac"),
        ("abcd", "xbcd", "abcdy", "xbcdy"),
        ("abc", "Abc", "Bbc", None),
        ("abc", "Abc", "aBc", "ABc"),
        ("abc", "axbc", "aybc", None),
        ("abc", "axbc", "aBc", None),
        ("abc", "abcx", "abcy", None),
        ("", "a", "b", None),
        ("ab", "", "ab", ""),
    ],
)
def test_edits_are_merged_where_they_do_not_touch(base, ours, theirs, expected) -> None:
    assert merged(base, ours, theirs) == expected
    if expected is not None:
        assert merged(base, theirs, ours) == expected


def test_bases_of_different_length_do_not_align() -> None:
    assert (
        merge_blocks(doc("a"), doc("b"), doc("a", "c"), doc("a", "c"), as_it_is, fit_theirs=as_it_is) is None
    )


def test_bases_that_split_the_words_differently_do_not_align() -> None:
    ours, theirs = doc("one two", "three"), doc("one", "two three")
    assert (
        merge_blocks(ours, doc("one two", "3"), theirs, doc("1", "two three"), as_it_is, fit_theirs=as_it_is)
        is None
    )


def test_only_the_other_side_s_blocks_are_made_fit() -> None:
    def fit(text: Document) -> Document:
        return Document(tuple(Paragraph(block.children) for block in text.blocks))

    ours = Document((Heading(1, (Text("a"),)), *doc("b").blocks))
    theirs = Document((*doc("a").blocks, Heading(2, (Text("B"),))))
    found = merge_blocks(ours, ours, doc("a", "b"), theirs, fit, fit_theirs=fit)
    assert found == Document((ours.blocks[0], *doc("B").blocks))


@settings(max_examples=300, deadline=None, database=None)
@given(*[st.text("abcdef", max_size=6)] * 3)
def test_a_merge_keeps_every_added_block_and_no_removed_one(base, ours, theirs) -> None:
    found = merged(base, ours, theirs)
    assert merged(base, theirs, ours) == found
    assert merged(base, ours, base) == ours
    if found is not None:
        for letter in set(base + ours + theirs):
            count = ours.count(letter) + theirs.count(letter) - base.count(letter)
            assert found.count(letter) == count
