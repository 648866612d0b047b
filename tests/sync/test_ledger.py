"""An exported chain: verified by this program and by ten lines of Python; any single mutation of it is found."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sync.chain import BEGUN, ERASED_VALUES, GENESIS, Head, hash_of, record, seal
from bridge.sync.ledger import lines, verify

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit.md"

VALUES = [
    {"field": "summary", "to": "vendor", "after": "Größe 🎫", "size": 7},
    {"field": "assignee", "side": "internal", "after": {"person": "5b10", "name": "Ann"}, "flagged": True},
    {"origin": "10001", "copy": "20002", "why": "changed", "before": None},
    {},
    {"after": 1.5, "before": [1, {"a": "b"}], "kind": "held"},
]


def chain(*events, agreement="acme", erased=()):
    """A chain of those events: its head and its entries; the values of the ``erased`` numbers are gone."""
    head, entries = Head(agreement), []
    counter = iter(range(10_000))
    for event, data in [(BEGUN, {"earlier": 0}), *events]:
        sealed = seal(data, lambda size: next(counter).to_bytes(size, "big"))
        one = record(head, at=1_000 + head.seq, link=head.seq or None, event=event, data=sealed.data)
        head = Head(agreement, head.seq + 1, hash_of(one), one["at"])
        entries.append((one, head.hash, {} if head.seq in erased else sealed.values))
    return head, entries


def export(*, sealed=False, erased=(), agreement="acme"):
    events = [("field.written", data) for data in VALUES]
    if erased:
        events.append((ERASED_VALUES, {"count": 1, "earlier": 0, "why": "person"}))
    head, entries = chain(*events, erased=erased, agreement=agreement)
    return head, list(lines(head, entries, sealed=sealed))


@pytest.mark.parametrize("sealed", [False, True])
def test_an_export_is_in_order(sealed):
    head, written = export(sealed=sealed)
    verdict = verify(written, head)
    assert verdict.flaw is None
    assert (verdict.head, verdict.sealed, verdict.missing) == (head, sealed, 5 if sealed else 0)
    assert verify(written, Head("", 0, head.hash)).flaw is None


def test_a_sealed_export_holds_nobodys_words():
    _, written = export(sealed=True)
    text = b"".join(written).decode()
    assert not re.search(r"Ann|Gr|5b10|held\b.*a.:.b", text)
    assert '"field":"summary"' in text


def test_what_was_erased_is_accounted_for():
    _, written = export(erased={2})
    assert verify(written).flaw is None
    assert verify(written).missing == 1
    _, wrong = export(erased={2, 4})
    assert "2 values are missing, and the chain accounts for 1" in verify(wrong).flaw.what


def test_equal_values_have_unequal_seals():
    _, entries = chain(("x", {"after": "same"}), ("x", {"after": "same"}))
    assert entries[1][0]["data"] != entries[2][0]["data"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("summary", "x"),
        ("before", 5),
        ("before", None),
        ("after", True),
        ("why", "because Ann said so"),
        ("side", "Ann"),
        ("origin", "ann"),
        ("copy", "5 words of mine"),
        ("kind", {"person": "5"}),
        ("event", ["1"]),
        ("size", "12"),
        ("count", 1.5),
        ("digest", "secret"),
        ("field", "a\nb"),
    ],
)
def test_whatever_is_not_known_to_be_harmless_is_sealed(key, value):
    sealed = seal({key: value}, bytes)
    assert sealed.values.keys() == {key}
    assert sealed.data[key].keys() == {"sealed"}
    assert json.loads(sealed.values[key][1]) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("why", "changed"),
        ("side", "vendor"),
        ("origin", "10001"),
        ("copy", ""),
        ("size", 12),
        ("anew", False),
    ],
)
def test_what_is_known_to_be_harmless_stays_clear(key, value):
    assert seal({key: value}, bytes).data == {key: value}


# --- tampering -----------------------------------------------------------------------


def test_a_missing_an_added_and_a_swapped_record_are_named():
    head, written = export()
    assert verify(written[:3] + written[4:]).flaw.seq == 3
    assert "record 4 is in its place" in verify(written[:3] + written[4:]).flaw.what
    assert verify([*written[:4], written[3], *written[4:]]).flaw.seq == 4
    assert verify([*written[:3], written[4], written[3], *written[5:]]).flaw.seq == 3
    assert verify(written[:-1]).flaw.what == "the last line is missing"
    assert "not what was exported" in verify([*written, b"\n"]).flaw.what
    assert verify([]).flaw.seq == 1
    assert verify(written, Head("", 3, GENESIS)).flaw.seq == 3
    assert head.seq == 6


def forged(events, agreement="acme"):
    """What somebody writes who knows the form, and makes everything anew."""
    head, entries = chain(*events, agreement=agreement)
    return head, list(lines(head, entries, sealed=False))


def test_a_forger_who_makes_everything_anew_is_found_by_a_head_that_others_hold():
    events = [("field.written", data) for data in VALUES]
    honest, _ = forged(events)
    cut, written = forged(events[:-1])
    assert verify(written).flaw is None, "by itself it is a chain"
    flaw = verify(written, honest).flaw
    assert (flaw.seq, "record 6" in flaw.what) == (cut.seq + 1, True)
    assert "no record has the hash" in verify(written, Head("", 0, honest.hash)).flaw.what
    _, other = forged([*events[:-1], ("field.written", {"after": "forged"})])
    assert "not the record whose head was given" in verify(other, honest).flaw.what


def test_a_record_of_another_agreement_is_found():
    _, ours = export()
    _, theirs = export(agreement="other")
    assert "another agreement" in verify([*ours[:3], theirs[3], *ours[4:]]).flaw.what


EXPORTS = [b"".join(export(**how)[1]) for how in ({}, {"sealed": True}, {"erased": {2}})]


@pytest.mark.parametrize("whole", EXPORTS)
def test_every_single_flipped_byte_is_found(whole):
    """All of them, one bit of each; more bits are the property below."""
    assert verify(whole.splitlines(keepends=True)).flaw is None
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        assert verify(bytes(changed).splitlines(keepends=True)).flaw is not None, place


@st.composite
def mutations(draw):
    """An export with one thing done to it: bytes replaced, put in or taken out, lines moved, doubled or dropped."""
    whole = draw(st.sampled_from(EXPORTS))
    if draw(st.booleans()):
        start = draw(st.integers(0, len(whole)))
        end = draw(st.integers(start, min(len(whole), start + 40)))
        return whole, whole[:start] + draw(st.binary(max_size=40)) + whole[end:]
    parts = whole.splitlines(keepends=True)
    one, other = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
    match draw(st.sampled_from(["swap", "double", "drop", "move"])):
        case "swap":
            parts[one], parts[other] = parts[other], parts[one]
        case "double":
            parts.insert(other, parts[one])
        case "drop":
            del parts[one]
        case "move":
            parts.insert(other, parts.pop(one))
    return whole, b"".join(parts)


@settings(max_examples=1_500, deadline=None)
@given(mutations())
def test_any_single_mutation_is_found(mutation):
    whole, changed = mutation
    verdict = verify(changed.splitlines(keepends=True))
    assert (verdict.flaw is None) == (whole == changed)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_anything_at_all_is_read_without_a_crash(raw):
    assert verify([*raw, b'{"end":1,"sha256":[]}\n']).flaw is not None
    assert verify([EXPORTS[0].splitlines(keepends=True)[0], *raw]).flaw is not None


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000 + b"\n",
        b'{"hash":"","record":{},"values":{}}\n',
        b'{"hash":"","record":{"v":1},"values":{"a":[1,2]}}\n',
        b'{"hash":"","record":{"v":1},"values":{"a":[]}}\n',
        b"[]\n",
        b"1\n",
        b'{"a":NaN}\n',
        b'{"end":7}\n',
        b'{"hash":"","record":{"agreement":"acme","at":true,"data":{},"event":"","link":{},"seq":1,"v":1},"values":{}}\n',
    ],
)
def test_lines_made_to_confuse_are_told_as_flaws(line):
    first = EXPORTS[0].splitlines(keepends=True)[0]
    assert verify([line]).flaw is not None
    assert verify([first, line]).flaw is not None


# --- by hand -------------------------------------------------------------------------


def test_the_ten_lines_of_the_page_verify_an_export(tmp_path):
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(script.strip().splitlines()) <= 12
    path = tmp_path / "acme.jsonl"

    def run(whole):
        path.write_bytes(whole)
        typed = f"FILE = {str(path)!r}\n{script}\nprint(prev)"
        ended = subprocess.run([sys.executable, "-c", typed], capture_output=True, text=True, check=False)
        return ended.stdout.strip() or ended.stderr

    for whole in EXPORTS:
        assert run(whole) == json.loads(whole.splitlines()[0])["hash"]
    for wrong in (
        EXPORTS[0].replace(b'"field":"summary"', b'"field":"summarz"'),
        EXPORTS[0].replace(b"1.5", b"2.5"),
    ):
        assert wrong != EXPORTS[0]
        assert "AssertionError" in run(wrong)


def test_the_hash_is_what_the_page_says():
    head, entries = chain(("field.written", VALUES[0]))
    spelt = json.dumps(entries[-1][0], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(spelt.encode()).hexdigest() == head.hash
