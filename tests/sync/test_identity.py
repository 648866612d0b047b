"""The mark of a mirrored ticket."""

from __future__ import annotations

import re
from itertools import product

from bridge.sync.identity import PREFIX, marker_for
from bridge.sync.ticket import Side


def test_a_mark_is_a_function_of_the_origin_alone() -> None:
    assert marker_for("acme", Side.INTERNAL, "10") == marker_for("acme", Side.INTERNAL, "10")
    assert marker_for("acme", Side.INTERNAL, "10") == "bridge-7b5acca49d9f3cec"


def test_a_mark_is_fit_for_a_label_and_tells_no_name() -> None:
    mark = marker_for("secret customer", Side.VENDOR, "10 20")
    assert re.fullmatch(PREFIX + "[0-9a-f]{16}", mark)


def test_different_origins_have_different_marks() -> None:
    names, tickets = ("a", "ab", "internal"), ("1", "11", "b")
    marks = {marker_for(*origin) for origin in product(names, Side, tickets)}
    assert len(marks) == len(names) * len(Side) * len(tickets)
