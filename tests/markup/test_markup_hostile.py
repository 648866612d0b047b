"""Reading and writing take time in proportion to the text, whatever the text."""

import time

import pytest

from bridge.markup import Document, Paragraph, Table, Text, read, settle, write

SIZE = 16_000
QUICK = 0.1
PIECES = [
    "[",
    "{",
    "*a ",
    "_a_ ",
    "!a",
    "!a.b ",
    "{color:red}",
    "{color:red}\n",
    "{a}",
    "{a:1}",
    "{a:1}\n",
    "{{",
    "{{a",
    "|{{a",
    "{quote}",
    "{quote}{panel}",
    "{panel:x}",
    "{code:a}",
    "{code}a\n",
    "\\",
    "\\{code",
    "|",
    "|a",
    "||a|\n",
    "|[a",
    "|!a",
    "* a\n",
    "** a\n*# b\n",
    "*" * 50 + " a\n",
    "&",
    "http://",
    "h1. a\n",
    "??a ",
    "- ",
    "[a|",
    "[a|http://b] ",
    "{*}a",
    "(x) ",
    "a\n\n",
    "> ",
    "- a\n",
    "`",
    "``a",
    "~~a",
    "**a",
    "*a **b ",
    "![",
    "[a](",
    "<",
    "<a",
    "1. ",
    "\t",
    "[a]: b\n",
    "|a\n",
    "|a|\n|-|\n",
]
TEXTILE_PIECES = [
    '"a":',
    '"a":http://b ',
    '"a":http://(b ',
    '"(a',
    "%a ",
    "%{color:red}a ",
    "@a ",
    "@ ",
    " ==a",
    "<pre>",
    "<pre><code>",
    "<code>a",
    "<notextile></notextile>",
    "<!-- ",
    "|_. a|\n",
    "|(a",
    "h1(a",
    "(a",
    "{a",
    "*(a)b* ",
    "*_-",
    "!a(b ",
    "bc. a\n",
    "> > a\n",
    "* a\n<pre>",
    "{{a(",
    "attachment:",
]
HTML_PIECES = [
    "<!--",
    "<!-- -->",
    "<![CDATA[",
    "<?",
    "</",
    "</a",
    "</a>",
    "</p>",
    "<p>",
    '<a b="',
    '<a b="c" ',
    "<a b='",
    "<a =",
    "<a/",
    "<b>",
    "<div>",
    "<p><b>a",
    "<li>a",
    "<ul><li>a",
    "<table>",
    "<td>",
    "<script>",
    "<style>a</style>",
    "<textarea>",
    "<title>",
    "<pre>\n",
    '<a style="a:b;',
    "&#",
    "&a",
]
PIECES_OF = {"textile": [*PIECES, *TEXTILE_PIECES], "html": HTML_PIECES}


@pytest.mark.parametrize("dialect", ["wiki", "markdown", "textile", "html"])
def test_four_times_the_text_is_about_four_times_the_work(dialect):
    slow = []
    for piece in PIECES_OF.get(dialect, PIECES):
        small = work(dialect, piece, SIZE // 4)
        # Quadratic work would be sixteen times; a short run may be off by a pause of the machine. What takes a tenth of
        # a second or less takes two at most for four times the text, however it grows: no need to try.
        if small > QUICK and (large := work(dialect, piece, SIZE)) > min(12 * small + 0.5, 8):
            slow.append((piece, small, large))
    assert not slow


def work(dialect, piece, size):
    """Seconds of work to read so much of a piece repeated, and to write it as plain words."""
    text = (piece * (size // len(piece) + 1))[:size] + (">" if dialect == "html" else "")
    start = time.process_time()
    read(dialect, text)
    write(dialect, Document((Paragraph((Text(text),)),)))
    return time.process_time() - start


def test_depth_is_no_danger():
    node = {"type": "text", "text": "deep"}
    for _ in range(3000):
        node = {"type": "bulletList", "content": [{"type": "listItem", "content": [node]}]}
    assert "deep" in str(settle("wiki", read("adf", {"type": "doc", "content": [node]})))
    unknown = {"type": "odd", "content": [node]}
    assert "deep" in str(settle("wiki", read("adf", {"type": "doc", "content": [unknown]})))
    for text in ("> " * 3000 + "deep", "- " * 3000 + "deep", "*" * 3000 + " deep", "**a *b " * 2000 + "deep"):
        for dialect in ("wiki", "markdown", "textile", "html"):
            assert "deep" in str(settle("adf", read(dialect, text)))


def test_a_text_of_the_largest_size_is_read():
    text = ("word *bold* [text|http://e.org/x] {{mono}} snake_case-9 (see @bob, `x`)\n" * 6000)[:300_000]
    for dialect in ("wiki", "markdown", "textile", "html"):
        start = time.process_time()
        assert read(dialect, text)
        assert time.process_time() - start < 60


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("wiki", "|a" * 1500 + "|\n" + "|a|\n" * 1500),
        ("markdown", "|a" * 1500 + "|\n" + "|-" * 1500 + "|\n" + "|a|\n" * 1500),
        ("textile", "|a" * 1500 + "|\n" + "|a|\n" * 1500),
        ("html", "<table><tr>" + "<td>a" * 1500 + "<tr><td>a" * 1500 + "</table>"),
        ("html", "<table>" + "<tr><td rowspan=50 colspan=50>a" * 1500 + "</table>"),
        ("textile", "|\\50/50. a|\n" * 1500),
    ],
    ids=range(6),
)
def test_a_table_does_not_grow_to_the_square_of_its_text(dialect, text):
    """A row of many cells and many rows of one cell: filled up, a few kilobytes would be millions of cells."""
    cells = [
        cell
        for block in read(dialect, text).blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    assert 1500 <= len(cells) < 100_000
    assert str(cells).count("'a'") >= 1500
