"""How long a text is over there, and what of it fits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markup_trees import DOCUMENT

from bridge.markup import DIALECTS, Document, canonical, native_length, read, shorten, words, write


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(document=DOCUMENT, limit=st.integers(0, 300))
def test_what_is_kept_fits_and_is_a_beginning(dialect, document, limit):
    short = shorten(dialect, document, limit)
    assert not short or native_length(dialect, short) <= limit
    assert canonical(short) == short
    if native_length(dialect, canonical(document)) <= limit:
        assert short == canonical(document)
    said = " ".join(words(short))
    assert len(said) <= len(" ".join(words(document)))


def test_the_length_is_that_of_what_is_sent():
    document = read("wiki", "h1. \u00e9\n\n* a")
    assert native_length("wiki", document) == len("h1. \u00e9\n\n* a")
    assert native_length("markdown", document) == len("# \u00e9\n\n- a")
    compact = json.dumps(write("adf", document), separators=(",", ":"), ensure_ascii=False)
    assert native_length("adf", document) == len(compact)


LONG = "one two three\n\n* four\n* five\n\n{code}\nsix\n{code}"


@pytest.mark.parametrize(
    ("source", "limit", "kept"),
    [
        (LONG, 1000, LONG),
        (LONG, 35, "one two three\n\n* four\n* five"),
        (LONG, 14, "one two three"),
        (LONG, 12, "one two"),
        (LONG, 2, "on"),
        (LONG, 0, ""),
        ("* four\n* five\n* six", 13, "* four\n* five"),
        ("* four five", 10, "\u2022 four"),
        ("{code:java}\none\ntwo\n{code}", 24, "{code:java}\none\n{code}"),
        ("{code:java}\none two\n{code}", 24, "{code:java}\none\n{code}"),
        ("{quote}\none\n\ntwo\n{quote}", 20, "{quote}\none\n{quote}"),
        ("||a||\n|b|\n|c|", 14, "|| a ||\n| b |"),
        ("h1. one two", 8, "h1. one"),
        ("*bold words* here", 7, "*bold*"),
    ],
)
def test_whole_blocks_then_parts_then_words(source, limit, kept):
    assert shorten("wiki", read("wiki", source), limit) == read("wiki", kept)


def test_an_empty_text_fits_anywhere():
    assert shorten("adf", Document(), 0) == Document()
