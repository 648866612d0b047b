"""Bases as they are stored: what goes in comes out, and what a newer program wrote is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import doc

from bridge.markup import BulletList, CodeBlock, Document, ListItem, Mark, Mention, Paragraph, Text
from bridge.sync.base import Base, decode_fields, decode_value, encode_fields, encode_value
from bridge.sync.ticket import Person

MARKS = st.lists(st.sampled_from([Mark("strong"), Mark("em"), Mark("link", "http://e.org")]), max_size=2).map(
    tuple
)
INLINE = st.one_of(
    st.builds(Text, st.text(max_size=5), MARKS),
    st.builds(Mention, st.text(max_size=5), st.text(max_size=5)),
)
BLOCK = st.one_of(
    st.builds(Paragraph, st.lists(INLINE, max_size=3).map(tuple)),
    st.builds(CodeBlock, st.text(max_size=5), st.text(max_size=3)),
    st.just(BulletList((ListItem(doc("x").blocks, checked=True), ListItem(())))),
)
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=8),
    st.floats(allow_nan=False, allow_infinity=False),
    st.frozensets(st.text(max_size=4), max_size=4),
    st.builds(Person, st.text(max_size=4), st.text(max_size=4)),
    st.lists(BLOCK, max_size=3).map(lambda blocks: Document(tuple(blocks))),
)


@settings(max_examples=400, deadline=None, database=None)
@given(st.dictionaries(st.text(max_size=6), VALUE, max_size=4))
def test_what_is_stored_is_what_comes_back(fields) -> None:
    stored = json.loads(json.dumps(encode_fields(fields)))
    back = decode_fields(stored)
    assert back == fields
    assert [type(back[name]) for name in fields] == [type(value) for value in fields.values()]
    assert encode_fields(back) == encode_fields(fields)


def test_a_person_keeps_id_and_name_and_nothing_else() -> None:
    stored = encode_value(Person("u1", "Ann", ("ann@home.example",), active=False))
    assert stored == {"person": "u1", "name": "Ann"}
    assert decode_value({"person": "u1"}) == Person("u1")


@pytest.mark.parametrize("data", [{"v": 2, "fields": {}}, {"fields": {}}])
def test_another_version_is_refused(data) -> None:
    with pytest.raises(ValueError, match="this program reads version 1"):
        decode_fields(data)


@pytest.mark.parametrize(("data", "what"), [({"odd": 1}, "the keys \\['odd'\\]"), ([1], "of type list")])
def test_a_value_of_another_form_is_refused(data, what) -> None:
    with pytest.raises(ValueError, match=what):
        decode_value(data)


def test_an_observation_is_fresh_when_it_contains_our_own_writes() -> None:
    second = 1_000_000
    assert Base(seen=5).fresh(5)
    assert not Base(seen=5).fresh(4)
    assert not Base(seen=5, written=5).fresh(5 + second)
    assert Base(seen=5, written=5).fresh(6 + second)
