"""Promises that hold for every text and every tree."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markup_trees import DOCUMENT, WORDS

from bridge.markup import (
    Document,
    HardBreak,
    Paragraph,
    Text,
    canonical,
    digest,
    from_json,
    plain,
    read,
    settle,
    to_json,
    transform,
    words,
    write,
)

DIALECTS = ("adf", "wiki", "markdown", "textile", "html")
many = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.one_of(
                    inner,
                    st.sampled_from(
                        [
                            "doc",
                            "paragraph",
                            "heading",
                            "text",
                            "codeBlock",
                            "bulletList",
                            "orderedList",
                            "listItem",
                            "taskList",
                            "taskItem",
                            "table",
                            "tableRow",
                            "tableCell",
                            "panel",
                            "expand",
                            "blockquote",
                            "mediaSingle",
                            "media",
                            "mention",
                            "emoji",
                            "date",
                            "status",
                            "rule",
                            "inlineCard",
                            "blockCard",
                            "extension",
                            "hardBreak",
                            "mediaInline",
                        ]
                    ),
                ),
                "content": st.lists(inner, max_size=4),
                "attrs": inner,
                "marks": inner,
                "text": inner,
                "id": inner,
                "url": inner,
                "shortName": inner,
                "timestamp": inner,
                "colspan": inner,
                "level": inner,
                "order": inner,
            },
        ),
    ),
    max_leaves=20,
)


def only_text(document):
    nodes = [node for block in document.blocks for node in block.children]
    return all(isinstance(block, Paragraph) for block in document.blocks) and all(
        isinstance(node, HardBreak) or (isinstance(node, Text) and not node.marks) for node in nodes
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@many
@given(text=st.one_of(st.text(), WORDS))
def test_words_from_elsewhere_never_become_markup(dialect, text):
    document = Document((Paragraph((Text(text),)),))
    back = settle(dialect, document)
    assert only_text(back)
    assert back == canonical(document)


@pytest.mark.parametrize("dialect", DIALECTS)
@many
@given(document=DOCUMENT)
def test_settling_twice_is_settling_once(dialect, document):
    once = settle(dialect, document)
    assert settle(dialect, once) == once


@pytest.mark.parametrize("dialect", DIALECTS)
@many
@given(document=DOCUMENT)
def test_no_word_is_lost_on_the_way(dialect, document):
    assert not Counter(words(document)) - Counter(words(settle(dialect, document)))


@pytest.mark.parametrize("first", DIALECTS)
@pytest.mark.parametrize("second", DIALECTS)
@settings(many, max_examples=25)
@given(document=DOCUMENT)
def test_no_word_is_lost_between_two_dialects(first, second, document):
    here = settle(first, document)
    assert not Counter(words(here)) - Counter(words(settle(second, here)))


@pytest.mark.parametrize("dialect", ["wiki", "markdown", "textile", "html"])
@many
@given(
    text=st.one_of(
        st.text(), st.lists(WORDS, max_size=6).map("\n".join), st.lists(WORDS, max_size=6).map("".join)
    )
)
def test_any_string_can_be_read(dialect, text):
    document = read(dialect, text)
    assert canonical(document) == document
    for other in DIALECTS:
        once = settle(other, document)
        assert settle(other, once) == once
        assert not Counter(words(document)) - Counter(words(once))


@many
@given(data=JSON)
def test_any_json_can_be_read(data):
    document = read("adf", data)
    assert canonical(document) == document
    for other in DIALECTS:
        assert not Counter(words(document)) - Counter(words(settle(other, document)))
    once = settle("adf", document)
    assert settle("adf", once) == once


@many
@given(document=DOCUMENT)
def test_the_canonical_form_is_stable_and_survives_the_store(document):
    normal = canonical(document)
    assert canonical(normal) == normal
    assert words(normal) == words(document)
    assert from_json(json.loads(json.dumps(to_json(document)))) == document
    assert digest(document) == digest(normal)
    assert transform(document, lambda node: node, lambda block: block) == normal
    assert isinstance(plain(document), str)


@many
@given(document=DOCUMENT)
def test_adf_is_plain_json(document):
    native = write("adf", document)
    assert read("adf", json.loads(json.dumps(native))) == settle("adf", document)
