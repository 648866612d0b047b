"""The simulator's own idea of ADF: what passes, what does not, and plain text there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_people import doc

from bridge.simulator.adf import from_text, problem, to_text

TEXT = {"type": "text", "text": "x"}


def whole(*content):
    return {"type": "doc", "version": 1, "content": list(content)}


def paragraph(*content):
    return {"type": "paragraph", "content": list(content)}


@pytest.mark.parametrize(
    "document",
    [
        whole(),
        doc("x"),
        whole(paragraph()),
        whole({"type": "heading", "attrs": {"level": 2}, "content": [TEXT]}),
        whole({"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph(TEXT)]}]}),
        whole({"type": "codeBlock", "attrs": {"language": "py"}, "content": [TEXT]}),
        whole(paragraph({"type": "mention", "attrs": {"id": "a", "text": "@a"}}, {"type": "hardBreak"})),
        whole(paragraph(TEXT | {"marks": [{"type": "link", "attrs": {"href": "https://x"}}]})),
        whole(
            {"type": "rule"}, {"type": "panel", "attrs": {"panelType": "info"}, "content": [paragraph(TEXT)]}
        ),
    ],
)
def test_jira_takes(document):
    assert problem(document) is None


@pytest.mark.parametrize(
    "document",
    [
        "plain",
        None,
        {},
        {"type": "doc", "content": []},
        {"type": "doc", "version": 2, "content": []},
        {"type": "doc", "version": 1},
        whole(TEXT),
        whole({"type": "nonsense"}),
        whole(paragraph({"type": "text", "text": ""})),
        whole(paragraph({"type": "text"})),
        whole(paragraph(paragraph())),
        whole({"type": "bulletList", "content": []}),
        whole({"type": "bulletList", "content": [paragraph(TEXT)]}),
        whole({"type": "heading", "content": [TEXT]}),
        whole({"type": "heading", "attrs": {"level": 7}, "content": [TEXT]}),
        whole(paragraph(TEXT | {"marks": [{"type": "nonsense"}]})),
        whole(paragraph(TEXT | {"marks": [{"type": "link"}]})),
        whole(paragraph(TEXT | {"marks": [{"type": "code"}, {"type": "strong"}]})),
        whole(paragraph(TEXT | {"colour": "red"})),
        whole({"type": "rule", "content": [TEXT]}),
        whole(paragraph({"type": "mention", "attrs": {}})),
    ],
)
def test_jira_refuses(document):
    assert problem(document) is not None


@given(st.text())
def test_any_text_becomes_a_valid_document(text):
    assert problem(from_text(text)) is None


@given(
    st.lists(st.lists(st.text("abc ", min_size=1).filter(str.strip), min_size=1).map("\n".join), min_size=1)
)
def test_paragraphs_come_back(blocks):
    text = "\n\n".join(blocks)
    assert to_text(from_text(text)) == text
