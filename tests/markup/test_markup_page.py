"""The page docs/markup.md is made here and held against the code: BRIDGE_WRITE_DOCS=1 writes it anew."""

import os
from collections import Counter
from pathlib import Path

import pytest

from bridge.markup import (
    DIALECTS,
    BulletList,
    Card,
    Cell,
    CodeBlock,
    Date,
    Document,
    Emoji,
    Expand,
    HardBreak,
    Heading,
    ListItem,
    Mark,
    Media,
    Mention,
    OrderedList,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Status,
    Table,
    Text,
    UnknownBlock,
    UnknownInline,
    canonical,
    plain,
    settle,
    words,
    write,
)

PAGE = Path(__file__).parents[2] / "docs" / "markup.md"
FILE_ID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
NAMES = {
    "adf": "ADF (Jira Cloud)",
    "wiki": "wiki (Jira Data Center)",
    "markdown": "Markdown (Redmine)",
    "textile": "Textile (Redmine)",
    "html": "HTML (Request Tracker)",
}


def para(*nodes):
    return Paragraph(tuple(Text(node) if isinstance(node, str) else node for node in nodes))


def marked(text, kind, value=""):
    return para("a ", Text(text, (Mark(kind, value),)), " b")


def item(*blocks, checked=None):
    return ListItem(tuple(para(block) if isinstance(block, str) else block for block in blocks), checked)


def table(*rows, head=True):
    return Table(
        tuple(
            tuple(
                Cell(cell if isinstance(cell, tuple) else (para(cell),), header=head and not number)
                for cell in row
            )
            for number, row in enumerate(rows)
        )
    )


SAMPLES = [
    ("paragraph with a line break", para("a", HardBreak(), "b")),
    ("heading", Heading(2, (Text("a"),))),
    ("line break in a heading", Heading(2, (Text("a"), HardBreak(), Text("b")))),
    ("bold", marked("x", "strong")),
    ("italic", marked("x", "em")),
    ("struck out", marked("x", "strike")),
    ("underlined", marked("x", "underline")),
    ("raised, digits", marked("2", "sup")),
    ("raised, letters", marked("th", "sup")),
    ("lowered, digits", marked("2", "sub")),
    ("coloured", marked("x", "color", "#ff0000")),
    ("code in a line", marked("x()", "code")),
    ("bold code", para("a ", Text("x()", (Mark("code"), Mark("strong"))), " b")),
    ("bold inside a word", para("a", Text("x", (Mark("strong"),)), "b")),
    ("link with words", marked("x", "link", "https://e.org/x")),
    ("bare link", para("see ", Text("https://e.org/x", (Mark("link", "https://e.org/x"),)), " now")),
    ("smart link", para("see ", Card("https://e.org/x"), " now")),
    ("mention of a mapped person", para("ask ", Mention("bob", "bob"), " now")),
    ("emoji", para("a ", Emoji(":wink:", "\U0001f609"), " b")),
    ("emoji of one's own", para("a ", Emoji(":party:"), " b")),
    ("date", para("on ", Date("2026-11-30"), " or")),
    ("status lozenge", para("is ", Status("DONE", "green"), " now")),
    ("picture by file name", para("see ", Media("shot.png", "a shot"), " now")),
    ("picture by Jira Cloud's file id", para(Media(FILE_ID, "a shot"))),
    ("picture by address", para(Media("https://e.org/shot.png", "a shot"))),
    ("attached file", para("see ", Media("log.txt"), " now")),
    ("mixed nested list", BulletList((item("a", OrderedList((item("b"), item("c")))), item("d")))),
    ("numbered list from 7 on", OrderedList((item("a"), item("b")), 7)),
    ("list item of two paragraphs", BulletList((item("a", "b"),))),
    ("list item with code", BulletList((item("a", CodeBlock("x = 1")),))),
    ("list item with a quotation", BulletList((item("a", Quote((para("b"),))),))),
    ("paragraph behind a nested list", BulletList((item("a", BulletList((item("b"),)), "c"),))),
    ("task list", BulletList((item("a", checked=True), item("b", checked=False)))),
    ("code block with a language", CodeBlock("x = 1", "python")),
    ("code block of a rare language", CodeBlock("x = 1", "cobol")),
    ("code with ``` and {noformat}", CodeBlock("```\n{noformat}")),
    ("quotation", Quote((para("a"), para("b")))),
    ("quotation in a quotation", Quote((para("a"), Quote((para("b"),))))),
    ("heading in a quotation", Quote((Heading(2, (Text("a"),)),))),
    ("panel", Panel("warning", (para("a"),))),
    ("panel with a title", Panel("warning", (para("a"),), "T")),
    ("expand", Expand("T", (para("a"),))),
    ("rule", Rule()),
    ("table with a head", table(("h", "i"), ("a", "b"))),
    ("table without a head", table(("a", "b"), ("c", "d"), head=False)),
    ("head in the first column", Table(((Cell((para("h"),), header=True), Cell((para("a"),))),))),
    ("a|b in a cell", table(("h", "i"), ("a|b", "c"))),
    ("cell of two paragraphs", table(("h",), ((para("a"), para("b")),))),
    ("cell with a list", table(("h",), ((para("a"), BulletList((item("b"), item("c")))),))),
    ("cell with code", table(("h",), ((CodeBlock("x\ny"),),))),
    ("macro of Jira Data Center", UnknownBlock("wiki", "{odd}\na\n{odd}", "{odd}\na\n{odd}")),
    ("macro of Redmine", para("see ", UnknownInline("textile", "{{toc}}", "{{toc}}"), " now")),
    (
        "extension of Jira Cloud",
        UnknownBlock("adf", '{"attrs":{"text":"a chart"},"type":"extension"}', "a chart"),
    ),
]

INTRODUCTION = """\
# What each markup can say

Every text passes through one document tree (`src/bridge/markup/tree.py`). A tracker is given as much of it
as its markup can say; the rest is there as readable words, never left out. What the other side changes comes
back in its own markup's form; what it does not change is never sent back, so nothing wears out by crossing.

This page is made by `tests/markup/test_markup_page.py`, which fails when it is out of date; set
`BRIDGE_WRITE_DOCS=1` for that test to write it anew. **exact**: what is read back is the same tree.
Otherwise the cell shows what stands there instead, in the markup itself (for ADF, as people see it; `⏎` is
a line end).

What stands in a text from the other side is words and stays words. It never becomes a macro, a mention, a
tag, a link to a ticket or a wiki page, or a link with another scheme than `http`, `https` and `mailto` (such an
address stays readable behind its words). Most markups have an escape for that; where none helps, an invisible
character (U+2060) stands inside, which is taken away again on reading. Textile has no escape at all, so there it
is that character or an HTML entity.

"""


def shown(dialect, document):
    once = settle(dialect, document)
    if once == canonical(document):
        return "exact"
    native = plain(once) if dialect == "adf" else write(dialect, document)
    text = native.replace("\u2060", "").replace("|", "\\|").replace("\n", "\u23ce")
    ticks = "`" * (1 + max(map(len, "".join(c if c == "`" else " " for c in text).split()), default=0))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def page():
    rows = [
        "| | " + " | ".join(NAMES[dialect] for dialect in DIALECTS) + " |",
        "|---" * (1 + len(DIALECTS)) + "|",
    ]
    for name, block in SAMPLES:
        title = name.replace("|", "\\|").replace("```", "```` ``` ````")
        cells = [shown(dialect, Document((block,))) for dialect in DIALECTS]
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return INTRODUCTION + "\n".join(rows) + "\n"


def test_the_page_says_what_the_code_does():
    made = page()
    if os.environ.get("BRIDGE_WRITE_DOCS"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, (
        "docs/markup.md is out of date: BRIDGE_WRITE_DOCS=1 makes it anew"
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "block"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_nothing_on_the_page_vanishes(dialect, name, block):
    document = Document((block,))
    once = settle(dialect, document)
    assert not Counter(words(document)) - Counter(words(once))
    assert settle(dialect, once) == once
