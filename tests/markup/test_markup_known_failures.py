"""What other converters were seen to lose or to break, each as a promise here."""

import pytest

from bridge.markup import (
    DIALECTS,
    BulletList,
    Cell,
    CodeBlock,
    Document,
    HardBreak,
    ListItem,
    Mark,
    OrderedList,
    Paragraph,
    Quote,
    Table,
    Text,
    plain,
    read,
    settle,
    words,
    write,
)

TEXTUAL = [dialect for dialect in DIALECTS if dialect != "adf"]


def para(*nodes):
    return Paragraph(tuple(Text(node) if isinstance(node, str) else node for node in nodes))


def doc(*blocks):
    return Document(tuple(para(block) if isinstance(block, str) else block for block in blocks))


def item(*blocks):
    return ListItem(tuple(para(block) if isinstance(block, str) else block for block in blocks))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_words_inside_a_colour_are_not_lost(dialect):
    tree = doc(para("a ", Text("red words", (Mark("color", "#ff0000"),)), " b"))
    assert words(settle(dialect, tree)) == ["a", "red", "words", "b"]
    if dialect != "markdown":
        assert settle(dialect, tree) == tree


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_paragraphs_of_a_cell_are_not_run_together(dialect):
    tree = doc(Table(((Cell((para("head"),), header=True),), (Cell((para("one"), para("two"))),))))
    assert words(settle(dialect, tree)) == ["head", "one", "two"]
    assert "onetwo" not in plain(settle(dialect, tree))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("cell", ["a|b", "a||b", "|", "a\\|b", "[[a|b]]"])
def test_a_bar_does_not_split_a_cell(dialect, cell):
    rows = tuple(
        (Cell((para(text),), header=number == 0), Cell((para("x"),), header=number == 0))
        for number, text in enumerate(["h", cell])
    )
    assert settle(dialect, doc(Table(rows))) == doc(Table(rows))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_bar_in_code_does_not_split_a_cell(dialect):
    code = para(Text("a|b", (Mark("code"),)))
    tree = doc(Table(((Cell((para("h"),), header=True),), (Cell((code,)),))))
    assert settle(dialect, tree) == tree


@pytest.mark.parametrize("dialect", DIALECTS)
def test_two_lines_stay_two_lines(dialect):
    tree = doc(para("one", HardBreak(), "two"))
    assert settle(dialect, tree) == tree


@pytest.mark.parametrize("dialect", ["wiki", "markdown", "textile"])
def test_a_line_end_that_a_person_typed_is_a_break(dialect):
    assert read(dialect, "one\ntwo") == doc(para("one", HardBreak(), "two"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_mixed_lists_keep_their_levels_and_kinds(dialect):
    tree = doc(
        BulletList(
            (
                item("a", OrderedList((item("b", BulletList((item("c"),))), item("d")))),
                item("e", BulletList((item("f"),))),
            )
        )
    )
    assert settle(dialect, tree) == tree


@pytest.mark.parametrize("dialect", ["wiki", "textile"])
def test_mixed_lists_are_read_as_they_are_typed(dialect):
    tree = doc(BulletList((item("a", OrderedList((item("b"), item("c")))), item("d"))))
    assert read(dialect, "* a\n*# b\n*# c\n* d") == tree


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "code",
    [
        "```\nx\n```",
        "````",
        "~~~",
        "{noformat}",
        "{code}",
        "{code:java}\nx\n{code}",
        "</pre>",
        "</code></pre><b>x</b>",
        '<pre><code class="ruby">\nx\n</code></pre>',
        "</notextile>",
        "<!-- x -->",
        "]]>",
        "* a\n# b\n| c |\n> d\nh1. e",
        "  indented\n\n\n\ttab",
        "&lt;b&gt; &amp;",
    ],
)
def test_code_is_verbatim_whatever_it_holds(dialect, code):
    assert settle(dialect, doc(CodeBlock(code))) == doc(CodeBlock(code))
    inside = doc("a", CodeBlock(code), "b")
    assert settle(dialect, inside) == inside


@pytest.mark.parametrize("dialect", DIALECTS)
def test_code_that_holds_the_ends_of_all_code_is_words(dialect):
    code = "{code}\n{noformat}\n```\n</pre>"
    assert words(settle(dialect, doc(CodeBlock(code)))) == words(doc(CodeBlock(code)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_quotation_does_not_leak_its_signs(dialect):
    tree = doc("a", Quote((para("b"), para("c"))), "d")
    assert settle(dialect, tree) == tree
    assert plain(settle(dialect, tree)) == "a\n\nb\nc\n\nd"


@pytest.mark.parametrize(
    ("dialect", "source"),
    [
        ("wiki", "said {quote}b{quote} so"),
        ("wiki", "said\n{quote}\nb\n{quote}\nso"),
        ("markdown", "said\n\n> b\n\nso"),
        ("textile", "said\n\nbq. b\n\nso"),
        ("html", "said<blockquote>b</blockquote>so"),
    ],
)
def test_a_quotation_ends_where_it_ends(dialect, source):
    assert read(dialect, source) == doc("said", Quote((para("b"),)), "so")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "code", ["x", "x y", "a  b", "`", "@", "}}", "a\\b", "*x*", "<b>", "&amp;", "|", "a@b", "{{x}}"]
)
def test_code_in_a_line_stays_in_its_line(dialect, code):
    tree = doc(para("see ", Text(code, (Mark("code"),)), " now"))
    assert settle(dialect, tree) == tree


@pytest.mark.parametrize(
    ("dialect", "source"),
    [("wiki", "a {{x}} b"), ("markdown", "a `x` b"), ("textile", "a @x@ b"), ("html", "a <code>x</code> b")],
)
def test_code_in_a_line_is_no_block(dialect, source):
    assert read(dialect, source) == doc(para("a ", Text("x", (Mark("code"),)), " b"))


@pytest.mark.parametrize("dialect", TEXTUAL)
def test_nothing_changed_means_nothing_sent(dialect):
    """What a tracker shows, written once more, is what the tracker has."""
    source = write(
        dialect,
        read(
            "wiki",
            "h1. a\n\n* b\n*# *c* {{d}}\n\n||e||f||\n|g|h\\\\i|\n\n{quote}\nj\n{quote}\n\n{code:java}\nk\n{code}",
        ),
    )
    assert write(dialect, read(dialect, source)) == source
