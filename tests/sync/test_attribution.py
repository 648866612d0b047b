"""Nobody can put words into somebody else's mouth: neither by a text nor by a name."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import agreement, comment, doc

from bridge.markup import (
    BulletList,
    Cell,
    CodeBlock,
    Document,
    Expand,
    HardBreak,
    Heading,
    ListItem,
    Mark,
    Mention,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Status,
    Table,
    Text,
    plain,
    settle,
    words,
)
from bridge.sync.agreement import CommentRule
from bridge.sync.attribution import author_name, guarded
from bridge.sync.comments import attributed
from bridge.sync.naming import LONGEST_NAME, told_name
from bridge.sync.ticket import Person, Side

TERMS = agreement()
EXAMPLES = int(os.environ.get("BRIDGE_EXAMPLES", "0")) or 400


# --- what a reader sees, said without the product's code --------------------------------------------------------------


def lines_of(blocks) -> list[str]:
    """The lines of a text that are not code, as they are laid out."""
    found: list[str] = []
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                line = ""
                for node in children:
                    if isinstance(node, HardBreak):
                        found.append(line)
                        line = ""
                    else:
                        line += getattr(node, "text", "")
                found.append(line)
            case BulletList(items) | OrderedList(items):
                for item in items:
                    found += lines_of(item.blocks)
            case Quote(inner):
                found += lines_of(inner)
            case Panel(_, inner, title) | Expand(title, inner):
                found += [title, *lines_of(inner)]
            case Table(rows):
                for row in rows:
                    for cell in row:
                        found += lines_of(cell.blocks)
            case _:
                pass
    return found


LOOKS = str.maketrans("\u0430\u0441\u0435\u043e\u043d\u043c", "aceohm")
SIGNED = re.compile(rf"[^\u201c].{{0,{LONGEST_NAME}}}\((?:acme|home)\)(?:wrote)?:?")
"""A name longer than any that is shown is nobody's."""


def signed(line: str) -> bool:
    """Whether a line reads like an attribution, at a glance."""
    seen = unicodedata.normalize("NFKC", line).casefold().translate(LOOKS)
    seen = seen.translate(str.maketrans("[]{}<>", "()()()"))
    shown = "".join(one for one in seen if unicodedata.category(one) not in {"Cf", "Mn", "Zs", "Cc"})
    return SIGNED.fullmatch(shown) is not None


# --- forgers ----------------------------------------------------------------------------------------------------------


def disguise(text: str):
    """The same words in other clothes."""
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)
    alike = text.translate(str.maketrans("aceo", "\u0430\u0441\u0435\u043e"))
    veiled = "\u200b".join(text)
    spaced = text.replace(" ", "\u2003")
    return st.sampled_from(
        [text, text.upper(), wide, alike, veiled, spaced, f"\u2066{text}", f"{text}\u00ad"]
    )


COMPANIES = st.sampled_from(["Acme", "Home"]).flatmap(disguise)
NAMES = st.sampled_from(["Bo", "Bo Manager", "Ann Owner", "Somebody", ""]).flatmap(disguise)
BRACKETS = st.sampled_from(["()", "[]", "{}", "<>", "\uff08\uff09"])
TAILS = st.sampled_from(["", ":", " wrote:", " wrote", ": I pay for all of it."])
GAPS = st.sampled_from([" ", "  ", "\u00a0", ""])
SIGNATURES = st.builds(
    lambda name, gap, pair, company, tail: f"{name}{gap}{pair[0]}{company}{pair[1]}{tail}",
    NAMES,
    GAPS,
    BRACKETS,
    COMPANIES,
    TAILS,
)
WORDS = st.one_of(
    SIGNATURES, SIGNATURES, st.text(max_size=12), st.sampled_from(["(Acme)", "Bo", "(", ")", "|"])
)
MARKS = st.sampled_from([(), (Mark("strong"),), (Mark("em"),), (Mark("link", "https://a.example"),)])
INLINES = st.one_of(
    st.builds(Text, WORDS, MARKS),
    st.builds(Text, WORDS, MARKS),
    st.just(HardBreak()),
    st.builds(Status, WORDS),
    st.builds(Mention, st.sampled_from(["u1", "bo"]), WORDS),
)
RUNS = st.lists(INLINES, min_size=1, max_size=4).map(tuple)
FLAT = st.one_of(
    st.builds(Paragraph, RUNS), st.builds(Heading, st.integers(1, 6), RUNS), st.builds(CodeBlock, WORDS)
)
BLOCKS = st.recursive(
    FLAT,
    lambda inner: st.one_of(
        st.builds(Quote, st.lists(inner, max_size=2).map(tuple)),
        st.builds(Panel, st.just("info"), st.lists(inner, max_size=2).map(tuple), WORDS),
        st.builds(Expand, WORDS, st.lists(inner, max_size=2).map(tuple)),
        st.builds(
            lambda parts: BulletList(tuple(ListItem((one,)) for one in parts)), st.lists(inner, max_size=2)
        ),
        st.builds(lambda parts: Table((tuple(Cell((one,)) for one in parts),)), st.lists(inner, max_size=3)),
    ),
    max_leaves=6,
)
TEXTS = st.lists(BLOCKS, max_size=4).map(tuple).map(Document)
DIALECTS = st.sampled_from(["adf", "wiki", "markdown"])


@settings(max_examples=EXAMPLES, deadline=None)
@given(TEXTS, st.one_of(SIGNATURES, st.text(max_size=20), NAMES), DIALECTS)
def test_no_text_and_no_name_makes_a_second_attribution(body, name, dialect) -> None:
    terms = agreement(dialects=("adf", dialect))
    said = replace(comment("10", body), author=Person("u1", name, ("ann@home.example",)))
    shown = settle(dialect, attributed(terms, Side.INTERNAL, said))
    first, *rest = lines_of(shown.blocks)
    assert signed(first)
    assert first.endswith("(Home)")
    assert not signed(first.removesuffix("(Home)")), "the name holds a company of its own"
    assert [line for line in rest if signed(line)] == []


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(TEXTS, DIALECTS)
def test_what_is_guarded_stays_as_it_is_and_keeps_its_words(body, dialect) -> None:
    terms = agreement(dialects=("adf", dialect))
    once = guarded(terms, body)
    assert guarded(terms, once) == once
    assert words(once) == words(body)
    said = comment("10", body)
    copy = attributed(terms, Side.INTERNAL, said)
    assert copy == attributed(terms, Side.INTERNAL, said), "one text, one copy: nothing to send twice"


def test_the_forgers_would_succeed_without_the_guard() -> None:
    assert signed("Bo Manager (Acme)")
    assert signed("B\u043e [Acm\u0435] wrote:")
    assert not signed("\u201cBo Manager (Acme)\u201d")


@pytest.mark.parametrize(
    "line",
    [
        "We agreed with Bo (Acme) that the lamp is to be replaced",
        "Acme will pay",
        "Home sweet home",
        "\u201cBo (Acme)\u201d",
    ],
)
def test_other_lines_cross_as_they_are(line) -> None:
    assert plain(attributed(TERMS, Side.INTERNAL, comment("10", doc(line)))) == f"Ann (Home)\n\n{line}"


def test_a_forged_line_is_put_into_quotation_marks() -> None:
    body = Document((Heading(2, (Text("Bo (Acme)"),)), Paragraph((Text("I pay."),)), CodeBlock("Bo (Acme)")))
    copy = attributed(TERMS, Side.INTERNAL, comment("10", body))
    heading, words_, code = copy.blocks[1:]
    assert heading == Heading(2, (Text("\u201cBo (Acme)\u201d"),))
    assert (words_, code) == body.blocks[1:]


def test_a_line_that_is_stored_backwards_is_read_forwards() -> None:
    copy = attributed(TERMS, Side.INTERNAL, comment("10", doc("\u202e)emcA( oB")))
    assert plain(copy).endswith("\u201d")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Bo Manager", "Bo Manager"),
        ("Bo (Acme)", "Bo"),
        ("Bo \uff08\uff21\uff23\uff2d\uff25\uff09", "Bo"),
        ("Bo (she/her)", "Bo (she/her)"),
        ("Bo\n(Home", "Bo"),
        ("\u202eBo", "Bo"),
        ("bo@acme.example", "Somebody"),
        ("Bo <bo@acme.example>", "Bo"),
        ("bo.login", "Somebody"),
        ("v1", "Somebody"),
        ("\u3164", "Somebody"),
        ("x" * 200, "x" * 60),
        ("Former user", "Former user"),
    ],
)
def test_a_name_is_told_without_company_address_and_login(name, told) -> None:
    assert author_name(TERMS, Person("v1", name, ("bo.login", "bo@acme.example"))) == told


def test_an_answer_says_whom_it_answers() -> None:
    copy = attributed(TERMS, Side.INTERNAL, comment("10", doc("Yes.")), "Bo")
    assert plain(copy) == "Ann (Home), in reply to Bo\n\nYes."


def test_another_template_is_guarded_likewise() -> None:
    terms = agreement(comments=CommentRule(attribute="{company} / {author}"))
    copy = attributed(terms, Side.INTERNAL, comment("10", doc("Acme / Bo", "Acme or Bo")))
    assert plain(copy) == "Home / Ann\n\n\u201cAcme / Bo\u201d\n\nAcme or Bo"


def test_a_name_for_a_mention_is_no_account() -> None:
    assert told_name("ann", ("ann",)) == ""
    assert told_name("Ann", ("ann",)) == "Ann"
