"""What a rule finds is in nothing that goes out, however it was dressed up; what goes out is marked, and stays so."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import agreement, doc

from bridge.config.detectors import built_in, dictionary, person_numbers
from bridge.markup import (
    BulletList,
    Card,
    Cell,
    CodeBlock,
    Document,
    Emoji,
    Expand,
    HardBreak,
    Heading,
    ListItem,
    Mark,
    Mention,
    Panel,
    Paragraph,
    Quote,
    Status,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
    plain,
    read,
    settle,
    write,
)
from bridge.sync.agreement import FieldRule
from bridge.sync.fitting import fit_text
from bridge.sync.mapping import Carried, Unmapped, carry, carry_text, crossing
from bridge.sync.redacted_files import Stream, encodings
from bridge.sync.redacting import hidden, redact, redacted_blocks, with_name_redacted
from bridge.sync.redaction import Detector, Redaction, RedactionRule, compiled, places, redact_line
from bridge.sync.ticket import Side

EXAMPLES = int(os.environ.get("BRIDGE_EXAMPLES", "0")) or 90
VENDOR, INTERNAL = Side.VENDOR, Side.INTERNAL

AWS, CPR, MAIL, IP, CUSTOMER = (
    "AKIAQ3EGU7RZ2LMNOP4X",
    "211062-5629",
    "ann.owner@home.example",
    "10.20.30.40",
    "Nordlys Shipping",
)
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(
    f"MIIEpAIBAAKCAQEA{number}b8Zk3QxTqv9fYwLr2sHn6uPd" for number in range(4)
)
RULES = Redaction(
    (
        RedactionRule("secrets", "[redacted: secret]", built_in("secrets")),
        RedactionRule("addresses", "[redacted: address]", built_in("addresses")),
        RedactionRule("person-numbers", "[redacted: person number]", person_numbers(["dk", "nl", "se"])),
        RedactionRule(
            "[internal address]",
            "[internal address]",
            (Detector(r"\b10\.\d+\.\d+\.\d+"),),
            frozenset({VENDOR}),
        ),
        RedactionRule("[customer]", "[customer]", dictionary([CUSTOMER, "Project Falcon"])),
    )
)
SECRETS = [AWS, CPR, MAIL, IP, CUSTOMER]


def terms(dialect="adf", rules=RULES, **more):
    return replace(agreement(dialects=("adf", dialect)), redaction=rules, **more)


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "crosses"),
    [
        (f"use {AWS}, please", "use [redacted: secret], please"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345.", "[redacted: secret]."),
        ("password: Hunter2!", "password: [redacted: secret]"),
        ("The password is wrong.", "The password is wrong."),
        ("postgres://bob:pa55w0rd@database/x", "postgres://bob:[redacted: secret]@database/x"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted: secret]"),
        (f"ask {MAIL}.", "ask [redacted: address]."),
        (f"CPR {CPR}, order 1234567890", "CPR [redacted: person number], order 1234567890"),
        ("BSN 111222333, not 111222334", "BSN [redacted: person number], not 111222334"),
        ("personnummer 880320-0016", "personnummer [redacted: person number]"),
        (f"at {IP}:8080", "at [internal address]:8080"),
        ("project  FALCON and Falconry", "[customer] and Falconry"),
        ("java.lang.Error: key=com.example.Bar", "java.lang.Error: key=com.example.Bar"),
        (
            "commit 3f2a9c0d1e4b5a6978877665544332211009abcd",
            "commit 3f2a9c0d1e4b5a6978877665544332211009abcd",
        ),
        ("AKIA\u200bQ3EGU7RZ\u00ad2LMNOP4X", "[redacted: secret]"),
        ("\uff21KIAQ3EGU7RZ2LMNOP4X", "[redacted: secret]"),
        ("Project\u00a0Falcon", "[customer]"),
        ("password: [redacted: secret]", "password: [redacted: secret]"),
    ],
)
def test_what_goes_from_a_line(said, crosses) -> None:
    assert redact_line(RULES, VENDOR, said) == crosses


@pytest.mark.parametrize(
    ("said", "crosses"),
    [
        ("10.0.0.1, fe80::1, ::1", "[x], [x], [x]"),
        ("version 1.2.3.4.5 of 12:30:45", "version 1.2.3.4.5 of 12:30:45"),
        ("see 10.0.0.1.", "see [x]."),
        ("999.1.1.1", "999.1.1.1"),
    ],
)
def test_addresses_of_networks(said, crosses) -> None:
    rules = Redaction((RedactionRule("ip-addresses", "[x]", built_in("ip-addresses")),))
    assert redact_line(rules, VENDOR, said) == crosses


def test_every_pattern_of_gitleaks_is_ready_to_use() -> None:
    detectors = built_in("secrets")
    assert len(detectors) > 200
    for detector in detectors:
        for pattern in (detector.pattern, detector.must, *detector.unless):
            compiled(pattern)


def test_a_rule_works_towards_its_own_side_alone() -> None:
    assert redact_line(RULES, INTERNAL, f"at {IP}") == f"at {IP}"


def test_a_pattern_that_hangs_others_does_not_hang_this_one() -> None:
    rules = Redaction((RedactionRule("x", "[x]", (Detector(r"(a+)+$"), Detector(r"(?:.*a){12}b"))),))
    redact_line(rules, VENDOR, "a" * 30_000 + "!")


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from([*SECRETS, "[customer]", " ", "x", "password: "]), st.text(max_size=6))
    )
)
def test_redacting_twice_is_redacting_once(parts) -> None:
    once = redact_line(RULES, VENDOR, "".join(parts))
    assert redact_line(RULES, VENDOR, once) == once
    assert places(RULES, VENDOR, once) == ()


# --- documents ------------------------------------------------------------------------------------

MARKS = st.sampled_from(
    [(), (Mark("strong"),), (Mark("em"),), (Mark("code"),), (Mark("link", "https://a.example/b"),)]
)


@st.composite
def dressed(draw):
    """A line with a secret in it, cut into pieces of different kinds."""
    secret = draw(st.sampled_from(SECRETS))
    cuts = sorted(draw(st.lists(st.integers(1, len(secret) - 1), max_size=3, unique=True)))
    edges = [0, *cuts, len(secret)]
    nodes = [Text(draw(st.sampled_from(["see ", "(", "\u201c", ""])))]
    for start, end in pairwise(edges):
        piece = secret[start:end]
        ways = [
            st.builds(Text, st.just(piece), MARKS),
            st.just(UnknownInline("adf", '{"type":"thing"}', piece)),
        ]
        if piece.strip() == piece:
            ways.append(st.just(Status(piece)))
        nodes.append(draw(st.one_of(ways)))
    nodes.append(Text(draw(st.sampled_from([" there", ")", ".", ""]))))
    return tuple(nodes)


ASIDE = st.sampled_from(SECRETS).flatmap(
    lambda secret: st.sampled_from(
        [
            (Text("here", (Mark("link", f"https://a.example/?q={secret.replace(' ', '%20')}"),)),),
            (Card(f"https://a.example/{secret.replace(' ', '%20')}"),),
            (Text("her", (Mark("link", f"mailto:{MAIL}"),)), Text("e", (Mark("link", f"mailto:{MAIL}"),))),
            (Mention("u1", secret),),
            (Emoji(":x:", secret),),
        ]
    )
)
WORDS = st.text("abc xyz.,()[]*_{}|#!", max_size=12)
LINES = st.one_of(dressed(), dressed(), ASIDE, st.builds(lambda text: (Text(text),), WORDS))
FLAT = st.one_of(
    st.builds(Paragraph, LINES),
    st.builds(Heading, st.integers(1, 4), LINES),
    st.builds(CodeBlock, st.sampled_from([*SECRETS, KEY, "x = 1"]), st.sampled_from(["", "python"])),
    st.builds(
        lambda text: UnknownBlock("adf", '{"type":"box"}', text), st.sampled_from([*SECRETS, "nothing here"])
    ),
    st.just(Paragraph(tuple(node for row in KEY.split("\n") for node in (Text(row), HardBreak())))),
)
BLOCKS = st.recursive(
    FLAT,
    lambda inner: st.one_of(
        st.builds(Quote, st.lists(inner, min_size=1, max_size=2).map(tuple)),
        st.builds(
            Panel,
            st.just("info"),
            st.lists(inner, min_size=1, max_size=2).map(tuple),
            st.sampled_from(SECRETS),
        ),
        st.builds(Expand, st.sampled_from(SECRETS), st.lists(inner, min_size=1, max_size=2).map(tuple)),
        st.builds(
            lambda parts: BulletList(tuple(ListItem((one,)) for one in parts)),
            st.lists(inner, min_size=1, max_size=2),
        ),
        st.builds(
            lambda parts: Table((tuple(Cell((one,)) for one in parts),)),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=5,
)
TEXTS = st.lists(BLOCKS, min_size=1, max_size=4).map(tuple).map(Document)
DIALECTS = st.sampled_from(["adf", "wiki", "markdown", "textile", "html"])


def searchable(native) -> str:
    """A text in a tracker's form, as one string in which a planted word would be found."""
    text = native if isinstance(native, str) else json.dumps(native, ensure_ascii=False)
    return text.replace("\\", "").replace("%20", " ")


@settings(max_examples=EXAMPLES, deadline=None)
@given(TEXTS, DIALECTS)
def test_nothing_that_a_rule_finds_goes_out_in_any_dialect(body, dialect) -> None:
    out = carry_text(terms(dialect), body, VENDOR)
    assert isinstance(out.value, Document)
    native = write(dialect, out.value)
    for secret in SECRETS:
        assert secret not in searchable(native)
        assert secret not in plain(read(dialect, native))
    assert "MIIEpAIBAAKCAQEA" not in searchable(native)
    assert not hidden(RULES, VENDOR, settle(dialect, out.value))


@settings(max_examples=EXAMPLES, deadline=None)
@given(TEXTS, DIALECTS)
def test_a_document_that_was_redacted_stays_as_it_is(body, dialect) -> None:
    once = fit_text(terms(dialect), body, VENDOR)
    assert redact(RULES, VENDOR, once, dialect) == once
    assert fit_text(terms(dialect), once, VENDOR) == once


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(TEXTS)
def test_without_rules_nothing_changes(body) -> None:
    assert fit_text(terms(rules=Redaction()), body, VENDOR) == fit_text(agreement(), body, VENDOR)


def test_a_secret_over_several_nodes_leaves_one_mark() -> None:
    body = Document(
        (Paragraph((Text("the key AKIAQ3"), Text("EGU7RZ", (Mark("strong"),)), Text("2LMNOP4X, yes"))),)
    )
    assert fit_text(terms(), body, VENDOR) == doc("the key [redacted: secret], yes")
    assert redacted_blocks(RULES, VENDOR, Document((*doc("a").blocks, *body.blocks))) == {1}


def test_a_link_that_holds_a_secret_keeps_its_words_and_tells() -> None:
    body = Document(
        (Paragraph((Text("write to "), Text("her", (Mark("link", f"mailto:{MAIL}"),)), Text(" now"))),)
    )
    assert fit_text(terms(), body, VENDOR) == doc("write to her [redacted: address] now")


def test_a_key_over_several_blocks_goes_as_a_whole() -> None:
    body = Document(
        (*doc("before").blocks, *doc(*KEY.split("\n"), "-----END RSA PRIVATE KEY-----", "after").blocks)
    )
    assert plain(fit_text(terms(), body, VENDOR)) == "before\n\n[redacted: secret]\n\nafter"


# --- other values ---------------------------------------------------------------------------------


def test_one_line_fields_numbers_and_labels() -> None:
    summary, number, labels = FieldRule("summary"), FieldRule("cost"), FieldRule("labels", redaction=RULES)
    assert carry(terms(), summary, f"down at {IP}", VENDOR) == Carried(
        "down at [internal address]", "down at [internal address]"
    )
    assert carry(terms(), summary, f"down at {IP}", INTERNAL) == Carried(f"down at {IP}", f"down at {IP}")
    assert carry(terms(), number, 2110625629.0, VENDOR) == Unmapped("(redacted)")
    assert carry(terms(), number, 12.5, VENDOR) == Carried(12.5, 12.5)
    assert crossing(labels, frozenset({"sev-1", "project falcon"}), INTERNAL) == {"sev-1"}
    mapped = FieldRule("severity", values=((CUSTOMER, "VIP"),))
    assert carry(terms(), mapped, CUSTOMER, VENDOR) == Carried("VIP", "VIP")


@pytest.mark.parametrize(
    ("name", "crosses"),
    [
        (f"log of {IP}.txt", "log of [internal address].txt"),
        (f"{MAIL}", "[redacted: address]"),
        ("plan.pdf", "plan.pdf"),
        ("Nordlys Shipping.pdf", "[customer].pdf"),
        ("Nordlys Shipping", "[customer]"),
    ],
)
def test_names_of_files(name, crosses) -> None:
    assert with_name_redacted(RULES, VENDOR, name) == crosses


# --- text files -----------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES // 6, deadline=None)
@given(
    st.lists(st.sampled_from([*SECRETS, "plain words ", "\n", "x" * 700, KEY + "\n"]), max_size=60),
    st.integers(1, 9_000),
)
def test_a_file_in_portions_is_redacted_like_a_whole(parts, size) -> None:
    text = " ".join(parts)
    stream = Stream(RULES, VENDOR)
    out = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size)) + stream.finish()
    assert out == redact_line(RULES, VENDOR, text)
    assert sum(stream.counts.values()) == len(places(RULES, VENDOR, text))


def test_a_file_is_kept_in_bounds_and_a_secret_at_an_edge_is_found() -> None:
    stream, out, most = Stream(RULES, VENDOR), [], 0
    for number in range(200):
        out.append(stream.feed("y" * 4_000 + (f" {AWS} " if number % 3 == 0 else "")))
        most = max(most, len(stream._rest))
    text = "".join(out) + stream.finish()
    assert AWS not in text
    assert text.count("[redacted: secret]") == stream.counts["secrets"] == 67
    assert most < 64 * 1024


def test_what_a_file_may_be_written_in() -> None:
    assert encodings(b"\xef\xbb\xbfa") == ("utf-8",)
    assert encodings("a".encode("utf-16")) == ("utf-16-le",)
    assert encodings(b"\xfe\xff\x00a") == ("utf-16-be",)
    assert encodings(b"abc") == ("utf-8", "latin-1")
