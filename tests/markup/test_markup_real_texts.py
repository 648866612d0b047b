"""The promises over real texts: set BRIDGE_DATA to a folder with ``apache-issues.jsonl`` to run these."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from bridge.markup import read, settle, words, write

DIALECTS = ("adf", "wiki", "markdown", "textile", "html")


@pytest.fixture(scope="module")
def texts():
    folder = os.environ.get("BRIDGE_DATA")
    if not folder:
        pytest.skip("BRIDGE_DATA is not set: no real texts to read")
    found = []
    for line in (Path(folder) / "apache-issues.jsonl").read_text("utf-8").splitlines():
        fields = json.loads(line)["fields"]
        found += [fields.get("description"), *(comment["body"] for comment in fields["comment"]["comments"])]
    return [text for text in found if text]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_real_texts_keep_every_word_and_settle_at_once(dialect, texts):
    assert len(texts) > 100
    for text in texts:
        document = read("wiki", text)
        once = settle(dialect, document)
        assert not Counter(words(document)) - Counter(words(once)), text
        assert settle(dialect, once) == once, text


def test_real_wiki_texts_are_read_back_as_they_were_read(texts):
    odd = [text for text in texts if read("wiki", write("wiki", read("wiki", text))) != read("wiki", text)]
    assert not odd


def named_in_braces(text):
    inside = " ".join(tag.split("}")[0] for tag in text.split("{")[1:])
    return set("".join(char if char.isalpha() else " " for char in inside).split())


def test_the_words_a_person_sees_in_the_wiki_are_in_the_tree(texts):
    # Only the names of macros and their settings may be gone from the source; one letter may be a smiley.
    for text in texts:
        document = read("wiki", text)
        here = " ".join(words(document)) + str(document)
        gone = {"bq", "thumbnail", "width", "height"} | named_in_braces(text)
        for word in "".join(char if char.isalpha() else " " for char in text).split():
            assert len(word) == 1 or word in here or word in gone, word
