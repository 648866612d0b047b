"""The promises over real texts: set BRIDGE_DATA to a folder with ``apache-issues.jsonl`` to run these."""

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from bridge.markup import DIALECTS, read, settle, words, write

PARTS = 4  # so that several workers share the texts


@cache
def texts():
    """Every description and comment, each once."""
    folder = os.environ.get("BRIDGE_DATA")
    if not folder:
        pytest.skip("BRIDGE_DATA is not set: no real texts to read")
    found = []
    for line in (Path(folder) / "apache-issues.jsonl").read_text("utf-8").splitlines():
        fields = json.loads(line)["fields"]
        found += [fields.get("description"), *(comment["body"] for comment in fields["comment"]["comments"])]
    assert len(found) > 100
    return tuple(dict.fromkeys(text for text in found if text))


def missing(source, target):
    """The words of one tree that another one lacks."""
    return Counter(words(source)) - Counter(words(target))


@pytest.mark.parametrize("part", range(PARTS))
def test_every_word_crosses_between_every_two_formats_and_settles_at_once(part):
    """Source -> tree -> first tracker -> read -> second tracker -> read: nothing is lost, nothing echoes.

    What the first tracker shows is a tree that it can say, so writing it there again gives the same tree;
    and the same holds on the other side, so two trackers never correct each other.
    """
    for text in texts()[part::PARTS]:
        source = read("wiki", text)
        first = {dialect: settle(dialect, source) for dialect in DIALECTS}
        shown = {tree: dialect for dialect, tree in first.items()}
        for tree, dialect in shown.items():
            assert not missing(source, tree), (dialect, text)
            for other in DIALECTS:
                there = settle(other, tree)
                assert not missing(source, there), (dialect, other, text)
                assert other != dialect or there == tree, (dialect, text)
                assert there == tree or settle(other, there) == there, (dialect, other, text)


def test_real_wiki_texts_are_read_back_as_they_were_read():
    odd = [text for text in texts() if read("wiki", write("wiki", read("wiki", text))) != read("wiki", text)]
    assert not odd


def named_in_braces(text):
    inside = " ".join(tag.split("}")[0] for tag in text.split("{")[1:])
    return set("".join(char if char.isalpha() else " " for char in inside).split())


def test_the_words_a_person_sees_in_the_wiki_are_in_the_tree():
    # Only the names of macros and their settings may be gone from the source; one letter may be a smiley.
    for text in texts():
        document = read("wiki", text)
        here = " ".join(words(document)) + str(document)
        gone = {"bq", "thumbnail", "width", "height"} | named_in_braces(text)
        for word in "".join(char if char.isalpha() else " " for char in text).split():
            assert len(word) == 1 or word in here or word in gone, word
