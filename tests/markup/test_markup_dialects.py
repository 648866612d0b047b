"""One example for every kind of node in every dialect, and what is said where it cannot be written."""

import pytest

from bridge.errors import StoreError
from bridge.markup import (
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
    digest,
    from_json,
    plain,
    read,
    settle,
    to_json,
    transform,
    words,
    write,
)

FILE = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


def para(*nodes):
    return Paragraph(tuple(Text(node) if isinstance(node, str) else node for node in nodes))


def doc(*blocks):
    return Document(tuple(para(block) if isinstance(block, str) else block for block in blocks))


def marked(text, *kinds, link="", color=""):
    marks = [Mark(kind) for kind in kinds]
    marks += [Mark("link", link)] * bool(link) + [Mark("color", color)] * bool(color)
    return Text(text, tuple(sorted(marks)))


def item(*blocks, checked=None):
    return ListItem(tuple(para(block) if isinstance(block, str) else block for block in blocks), checked)


def cell(*nodes, header=False):
    return Cell((para(*nodes),), header)


LISTS = doc(BulletList((item("a", OrderedList((item("b"), item("c")))), item("d"))))
TABLE = doc(Table(((cell("h", header=True), cell("i", header=True)), (cell("a|b"), cell("c")))))

# Source text in a dialect and the tree that it is, both ways.
BOTH_WAYS = [
    ("wiki", "h2. Title", doc(Heading(2, (Text("Title"),)))),
    ("wiki", "one\ntwo\n\nthree", doc(para("one", HardBreak(), "two"), "three")),
    ("wiki", "a *b* c", doc(para("a ", marked("b", "strong"), " c"))),
    ("wiki", "a{*}b{*}c", doc(para("a", marked("b", "strong"), "c"))),
    ("wiki", "*_b_*", doc(para(marked("b", "strong", "em")))),
    (
        "wiki",
        "-b- +c+ x{^}2{^} H{~}2{~}O",
        doc(
            para(
                marked("b", "strike"),
                " ",
                marked("c", "underline"),
                " x",
                marked("2", "sup"),
                " H",
                marked("2", "sub"),
                "O",
            )
        ),
    ),
    (
        "wiki",
        r"{{a_b  c\}}}",
        doc(para(marked("a_b  c}", "code"))),
    ),
    ("wiki", "{color:#ff0000}x{color} y", doc(para(marked("x", color="#ff0000"), " y"))),
    ("wiki", "[text|http://e.org/x]", doc(para(marked("text", link="http://e.org/x")))),
    (
        "wiki",
        "see http://e.org/x_y now",
        doc(para("see ", marked("http://e.org/x_y", link="http://e.org/x_y"), " now")),
    ),
    ("wiki", "[~bob] did", doc(para(Mention("bob", "bob"), " did"))),
    ("wiki", "[~accountid:557058:ab]", doc(para(Mention("557058:ab", "557058:ab")))),
    ("wiki", "[^log.txt]", doc(para(Media("log.txt")))),
    ("wiki", "!my shot.png|alt=a picture!", doc(para(Media("my shot.png", "a picture")))),
    (
        "wiki",
        "good (/) bad (x)",
        doc(para("good ", Emoji(":check_mark:", "\u2705"), " bad ", Emoji(":cross_mark:", "\u274c"))),
    ),
    ("wiki", "* a\n*# b\n*# c\n* d", LISTS),
    ("wiki", "* \u2611 a\n* \u2610 b", doc(BulletList((item("a", checked=True), item("b", checked=False))))),
    ("wiki", "* a\n{code:java}\nint x;\n{code}", doc(BulletList((item("a", CodeBlock("int x;", "java")),)))),
    ("wiki", "|| h || i ||\n| a\\|b | c |", TABLE),
    ("wiki", "{code:java}\n  if (a) {\n\n  }\n{code}", doc(CodeBlock("  if (a) {\n\n  }", "java"))),
    ("wiki", "{noformat}\n*x* {code}\n{noformat}", doc(CodeBlock("*x* {code}"))),
    ("wiki", "{quote}\na\n\nb\n{quote}", doc(Quote((para("a"), para("b"))))),
    ("wiki", "{panel:title=T|bgColor=#fffae6}\na\n{panel}", doc(Panel("warning", (para("a"),), "T"))),
    ("wiki", "a\n\n----\n\nb", doc("a", Rule(), "b")),
    (
        "wiki",
        "{odd:a=b}\nx *y*\n{odd}",
        doc(UnknownBlock("wiki", "{odd:a=b}\nx *y*\n{odd}", "{odd:a=b}\nx *y*\n{odd}")),
    ),
    ("wiki", "a {odd}b{odd} c", doc(para("a ", UnknownInline("wiki", "{odd}b{odd}", "{odd}b{odd}"), " c"))),
    ("markdown", "## Title", doc(Heading(2, (Text("Title"),)))),
    ("markdown", "one\\\ntwo\n\nthree", doc(para("one", HardBreak(), "two"), "three")),
    (
        "markdown",
        "a **b** *c* ~~d~~ ***e***",
        doc(
            para(
                "a ",
                marked("b", "strong"),
                " ",
                marked("c", "em"),
                " ",
                marked("d", "strike"),
                " ",
                marked("e", "strong", "em"),
            )
        ),
    ),
    ("markdown", "`a`", doc(para(marked("a", "code")))),
    ("markdown", "``a`b``", doc(para(marked("a`b", "code")))),
    ("markdown", "[text](http://e.org/x)", doc(para(marked("text", link="http://e.org/x")))),
    ("markdown", "<http://e.org/x>", doc(para(marked("http://e.org/x", link="http://e.org/x")))),
    ("markdown", "![a picture](<my shot.png>)", doc(para(Media("my shot.png", "a picture")))),
    ("markdown", 'attachment:"log.txt"', doc(para(Media("log.txt")))),
    ("markdown", "@bob did", doc(para(Mention("bob", "bob"), " did"))),
    ("markdown", "- a\n\n  1. b\n  2. c\n- d", LISTS),
    ("markdown", "- [x] a\n- [ ] b", doc(BulletList((item("a", checked=True), item("b", checked=False))))),
    ("markdown", "7. a\n8. b", doc(OrderedList((item("a"), item("b")), 7))),
    ("markdown", "| h | i |\n| --- | --- |\n| a\\|b | c |", TABLE),
    ("markdown", "```java\n  if (a) {\n\n  }\n```", doc(CodeBlock("  if (a) {\n\n  }", "java"))),
    ("markdown", "````\n```\n````", doc(CodeBlock("```"))),
    ("markdown", "> a\n>\n> b", doc(Quote((para("a"), para("b"))))),
    ("markdown", "a\n\n***\n\nb", doc("a", Rule(), "b")),
    (
        "markdown",
        "see {{toc}} and [[Page|it]]",
        doc(
            para(
                "see ",
                UnknownInline("markdown", "{{toc}}", "{{toc}}"),
                " and ",
                UnknownInline("markdown", "[[Page|it]]", "[[Page|it]]"),
            )
        ),
    ),
    ("html", "<h2>Title</h2>", doc(Heading(2, (Text("Title"),)))),
    ("html", "<p>one<br>two</p>\n<p>three</p>", doc(para("one", HardBreak(), "two"), "three")),
    (
        "html",
        "<p><strong><em>a</em></strong> <s>b</s> <u>c</u> x<sup>2</sup> H<sub>2</sub>O</p>",
        doc(
            para(
                marked("a", "strong", "em"),
                " ",
                marked("b", "strike"),
                " ",
                marked("c", "underline"),
                " x",
                marked("2", "sup"),
                " H",
                marked("2", "sub"),
                "O",
            )
        ),
    ),
    ("html", "<p><code>a_b \u00a0c&lt;</code></p>", doc(para(marked("a_b  c<", "code")))),
    ("html", '<p><span style="color:#ff0000">x</span> y</p>', doc(para(marked("x", color="#ff0000"), " y"))),
    (
        "html",
        '<p><a href="http://e.org/x?a=1&amp;b">t</a></p>',
        doc(para(marked("t", link="http://e.org/x?a=1&b"))),
    ),
    (
        "html",
        '<p>see <a href="http://e.org/x_y">http://e.org/x_y</a> now</p>',
        doc(para("see ", marked("http://e.org/x_y", link="http://e.org/x_y"), " now")),
    ),
    ("html", '<p>on <time datetime="2024-01-01">2024-01-01</time></p>', doc(para("on ", Date("2024-01-01")))),
    ("html", '<p><span class="attachment" title="log.txt">log.txt</span></p>', doc(para(Media("log.txt")))),
    (
        "html",
        '<p><img src="https://e.org/a.png" alt="a &quot;shot&quot;"></p>',
        doc(para(Media("https://e.org/a.png", 'a "shot"'))),
    ),
    ("html", "<ul>\n<li>a\n<ol>\n<li>b</li>\n<li>c</li>\n</ol></li>\n<li>d</li>\n</ul>", LISTS),
    ("html", '<ol start="7">\n<li>a</li>\n</ol>', doc(OrderedList((item("a"),), 7))),
    (
        "html",
        "<ul>\n<li>\u2611 a</li>\n<li>\u2610 b</li>\n</ul>",
        doc(BulletList((item("a", checked=True), item("b", checked=False)))),
    ),
    (
        "html",
        "<table>\n<tr><th>h</th><th>i</th></tr>\n<tr><td>a|b</td><td>c</td></tr>\n</table>",
        TABLE,
    ),
    (
        "html",
        "<table>\n<tr><td><p>a</p>\n<p>b</p></td><td></td></tr>\n</table>",
        doc(Table(((Cell((para("a"), para("b"))), Cell(())),))),
    ),
    (
        "html",
        '<pre><code class="language-java">  if (a &lt; b) {\n\n  }</code></pre>',
        doc(CodeBlock("  if (a < b) {\n\n  }", "java")),
    ),
    ("html", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>", doc(Quote((para("a"), para("b"))))),
    ("html", '<div style="background-color:#fffae6">\n<p>a</p>\n</div>', doc(Panel("warning", (para("a"),)))),
    ("html", "<details>\n<summary>T</summary>\n<p>a</p>\n</details>", doc(Expand("T", (para("a"),)))),
    ("html", "<p>a</p>\n<hr>\n<p>b</p>", doc("a", Rule(), "b")),
]


@pytest.mark.parametrize(("dialect", "source", "tree"), BOTH_WAYS, ids=range(len(BOTH_WAYS)))
def test_source_and_tree_are_the_same_thing(dialect, source, tree):
    assert read(dialect, source) == tree
    assert write(dialect, tree) == source


ONLY_READ = [
    ("wiki", "bq. said", doc(Quote((para("said"),)))),
    ("wiki", "??said??", doc(para(marked("said", "em")))),
    ("wiki", r"a\\b", doc(para("a", HardBreak(), "b"))),
    ("wiki", r"\*a\* \{b} &lt;c&gt; C:\temp", doc("*a* {b} <c> C:\\temp")),
    ("wiki", "- a\n- b", doc(BulletList((item("a"), item("b"))))),
    (
        "wiki",
        "{code:title=A.java|java}x{code}",
        doc(para(marked("A.java", "strong")), CodeBlock("x", "java")),
    ),
    ("wiki", "text {quote}said{quote} more", doc("text", Quote((para("said"),)), "more")),
    ("wiki", "|a|{code}x|y{code}|", doc(Table(((cell("a"), Cell((CodeBlock("x|y"),))),)))),
    ("wiki", "|a\n* b|", doc(Table(((Cell((para("a"), BulletList((item("b"),)))),),)))),
    (
        "wiki",
        "{color:red}one\ntwo{color}",
        doc(para(marked("one", color="#ff0000"), HardBreak(), marked("two", color="#ff0000"))),
    ),
    (
        "wiki",
        "[http://e.org|http://e.org|smart-link]",
        doc(para(marked("http://e.org", link="http://e.org"))),
    ),
    ("wiki", "[x|javascript:alert(1)]", doc("[x|javascript:alert(1)]")),
    ("wiki", "[x|ftp://e.org]", doc("x (ftp://e.org)")),
    ("wiki", "count(*) f(x) /{id}/x wow!a!", doc("count(*) f(x) /{id}/x wow!a!")),
    ("wiki", "{quote}never closed", doc("{quote}never closed")),
    ("wiki", "a\r\nb", doc(para("a", HardBreak(), "b"))),
    ("markdown", "a\nb", doc(para("a", HardBreak(), "b"))),
    ("markdown", "<b>x</b>", doc("<b>x</b>")),
    ("markdown", "[x](javascript:alert(1))", doc("x (javascript:alert(1))")),
    (
        "markdown",
        "see http://e.org/x.",
        doc(para("see ", marked("http://e.org/x", link="http://e.org/x"), ".")),
    ),
    ("markdown", "Title\n===", doc(Heading(1, (Text("Title"),)))),
    ("markdown", "@\u2060bob #\u2060123", doc("@bob #123")),
    ("markdown", "bob@e.org", doc("bob@e.org")),
    ("markdown", "| a<br>b |\n|---|", doc(Table(((cell("a", HardBreak(), "b", header=True),),)))),
    ("textile", "|/2. a|b|\n|c|", doc(Table(((cell("a"), cell("b")), (Cell(()), cell("c")))))),
    (
        "html",
        "<table><tr><td rowspan=2>a<th>b<tr><td>c</table>",
        doc(Table(((cell("a"), cell("b", header=True)), (Cell(()), cell("c"))))),
    ),
    ("html", "plain &lt;words&gt;\n and more", doc("plain <words> and more")),
    ("html", "<p>a<p>b", doc("a", "b")),
    ("html", "<div>a<div>b</div>c</div>", doc("a", "b", "c")),
    ("html", "a<script>alert(1)</script><style>p {}</style>b<!-- c -->", doc("ab")),
    ("html", "a <!-- never closed", doc("a <!-- never closed")),
    ("html", "From <ann@e.org>: a < b", doc("From <ann@e.org>: a < b")),
    ("html", '<a href="javascript:alert(1)">x</a>', doc("x (javascript:alert(1))")),
    ("html", '<p onclick="alert(1)">x<object>y</object></p>', doc("xy")),
    ("html", "see http://e.org/x.", doc(para("see ", marked("http://e.org/x", link="http://e.org/x"), "."))),
    (
        "html",
        "<ul><li>a<ul><li>b</ul><li>c</ul>",
        doc(BulletList((item("a", BulletList((item("b"),))), item("c")))),
    ),
    (
        "html",
        "<ul><li>a</li><ul><li>b</li></ul></ul>",
        doc(BulletList((item("a", BulletList((item("b"),))),))),
    ),
    (
        "html",
        '<ul><li><input type="checkbox" checked> a</li><li><input type="checkbox"> b</li></ul>',
        doc(BulletList((item("a", checked=True), item("b", checked=False)))),
    ),
    ("html", '<img src="cid:a.png"> <img src="data:x" alt="b">', doc(para(Media("a.png"), " b"))),
    (
        "html",
        '<span style="color: rgb(255, 0, 0); font-weight: bold">x</span>',
        doc(para(marked("x", "strong", color="#ff0000"))),
    ),
    (
        "html",
        "<b><p>a</p><i>b</b>c</i>",
        doc(para(marked("a", "strong")), para(marked("b", "strong", "em"), "c")),
    ),
    ("html", "<pre>a\n  b<br>c</pre>", doc(CodeBlock("a\n  b\nc"))),
    (
        "html",
        "<table><tr><th colspan=2>a<tr><td>b<td>c</table>",
        doc(Table(((cell("a", header=True), Cell((), header=True)), (cell("b"), cell("c"))))),
    ),
    ("html", "<dl><dt>a<dd>b</dl>", doc(para(marked("a", "strong")), "b")),
]


@pytest.mark.parametrize(("dialect", "source", "tree"), ONLY_READ, ids=range(len(ONLY_READ)))
def test_what_people_type_is_understood(dialect, source, tree):
    assert read(dialect, source) == tree


def adf(*content):
    return {"version": 1, "type": "doc", "content": list(content)}


def node(kind, *content, **attrs):
    out = {"type": kind}
    if attrs:
        out["attrs"] = attrs
    if content:
        out["content"] = [
            {"type": "text", "text": part} if isinstance(part, str) else part for part in content
        ]
    return out


def styled(text, *marks):
    return {
        "type": "text",
        "text": text,
        "marks": [{"type": mark} if isinstance(mark, str) else mark for mark in marks],
    }


def p(*content):
    return node("paragraph", *content)


ODD = {"attrs": {"extensionKey": "toc"}, "content": [{"text": "hi", "type": "text"}], "type": "extension"}
ADF = [
    (node("heading", "T", level=3), Heading(3, (Text("T"),))),
    (p("a", node("hardBreak"), "b"), para("a", HardBreak(), "b")),
    (
        p(styled("a", "em", "strike", "strong", "underline")),
        para(marked("a", "em", "strike", "strong", "underline")),
    ),
    (p(styled("a", "code")), para(marked("a", "code"))),
    (p(styled("a", {"type": "subsup", "attrs": {"type": "sup"}})), para(marked("a", "sup"))),
    (
        p(styled("a", {"type": "textColor", "attrs": {"color": "#ff0000"}})),
        para(marked("a", color="#ff0000")),
    ),
    (
        p(styled("a", {"type": "link", "attrs": {"href": "https://e.org"}})),
        para(marked("a", link="https://e.org")),
    ),
    (p(node("mention", id="5b1", text="@Bo B")), para(Mention("5b1", "Bo B"))),
    (p(node("emoji", shortName=":smile:", text="\U0001f604")), para(Emoji(":smile:", "\U0001f604"))),
    (p(node("date", timestamp="1704067200000")), para(Date("2024-01-01"))),
    (p(node("status", text="DONE", color="green")), para(Status("DONE", "green"))),
    (p("see ", node("inlineCard", url="https://e.org/x")), para("see ", Card("https://e.org/x"))),
    (p(node("mediaInline", type="file", id=FILE, collection=""), " x"), para(Media(FILE), " x")),
    (
        node("mediaSingle", node("media", type="file", id=FILE, collection="", alt="a"), layout="center"),
        para(Media(FILE, "a")),
    ),
    (
        node("bulletList", node("listItem", p("a"), node("orderedList", node("listItem", p("b")), order=3))),
        BulletList((item("a", OrderedList((item("b"),), 3)),)),
    ),
    (
        node("taskList", node("taskItem", "a", localId="task-2", state="DONE"), localId="task-1"),
        BulletList((item("a", checked=True),)),
    ),
    (node("codeBlock", "x\n y", language="sql"), CodeBlock("x\n y", "sql")),
    (node("blockquote", p("a")), Quote((para("a"),))),
    (node("panel", p("a"), panelType="note"), Panel("note", (para("a"),))),
    (node("expand", p("a"), title="T"), Expand("T", (para("a"),))),
    (
        node("table", node("tableRow", node("tableHeader", p("h")), node("tableCell", p("a"), p("b")))),
        Table(((cell("h", header=True), Cell((para("a"), para("b")))),)),
    ),
    ({"type": "rule"}, Rule()),
    (
        ODD,
        UnknownBlock(
            "adf",
            '{"attrs":{"extensionKey":"toc"},"content":[{"text":"hi","type":"text"}],"type":"extension"}',
            "hi",
        ),
    ),
]


@pytest.mark.parametrize(("native", "block"), ADF, ids=range(len(ADF)))
def test_adf_and_tree_are_the_same_thing(native, block):
    assert read("adf", adf(native)) == doc(block)
    assert write("adf", doc(block)) == adf(native)


def test_a_card_of_a_whole_line_becomes_one_in_a_line():
    card = p(node("inlineCard", url="https://e.org"))
    for native in (card, node("blockCard", url="https://e.org"), node("embedCard", url="https://e.org")):
        assert write("adf", read("adf", adf(native))) == adf(card)


@pytest.mark.parametrize("dialect", ["adf", "wiki", "markdown", "html"])
def test_the_empty_text(dialect):
    assert read(dialect, None) == Document()
    assert settle(dialect, Document()) == Document()
    assert not Document()


# What a dialect cannot say, and what it says instead.
INSTEAD = [
    ("wiki", doc(para("see ", Card("https://e.org/x"))), "see https://e.org/x"),
    ("markdown", doc(para("see ", Card("https://e.org/x"))), "see <https://e.org/x>"),
    ("textile", doc(para("see ", Card("https://e.org/x"))), "see https://e.org/x"),
    (
        "html",
        doc(para("see ", Card("https://e.org/x"))),
        '<p>see <a href="https://e.org/x">https://e.org/x</a></p>',
    ),
    ("wiki", doc(para(Status("DONE", "green"), " on ", Date("2024-01-01"))), "DONE on 2024-01-01"),
    ("wiki", doc(Expand("T", (para("a"),))), "{panel:title=T|bgColor=#deebff}\na\n{panel}"),
    ("wiki", doc(Table(((Cell((para("a"), BulletList((item("b"),)))),),))), "| a\\\\ \u2022 b |"),
    ("wiki", doc(Quote((Quote((para("a"),)),))), "{quote}\na\n{quote}"),
    ("wiki", doc(OrderedList((item("a"),), 7)), "# a"),
    ("wiki", doc(CodeBlock("x", "typescript")), "{noformat}\nx\n{noformat}"),
    ("wiki", doc(UnknownBlock("adf", "{}", "some words")), "some words"),
    ("markdown", doc(para(marked("a", "underline", color="#ff0000"), " x", marked("2", "sup"))), "a x\u00b2"),
    ("markdown", doc(Panel("info", (para("a"),), "T")), "> **T**\n>\n> a"),
    ("markdown", doc(Table(((Cell((para("a"), para("b"))),),))), "| a / b |\n| --- |"),
    ("markdown", doc(para(Mention("557058:ab", "Bo B"), " did")), "@\u2060Bo B did"),
    (
        "html",
        doc(para(Status("DONE", "green"), " by ", Mention("5b1", "Bo B"))),
        "<p>DONE by @\u2060Bo B</p>",
    ),
    (
        "html",
        doc(Panel("info", (para("a"),), "T")),
        '<div style="background-color:#deebff">\n<p><strong>T</strong></p>\n<p>a</p>\n</div>',
    ),
    (
        "adf",
        doc(Panel("info", (para("a"),), "T")),
        adf(node("panel", p(styled("T", "strong")), p("a"), panelType="info")),
    ),
    ("adf", doc(para("see ", Media("a.png", "shot"))), adf(p("see shot (a.png)"))),
    ("adf", doc(Quote((Heading(1, (Text("T"),)),))), adf(node("blockquote", p(styled("T", "strong"))))),
    ("adf", doc(para(marked("x", link="javascript:alert(1)"))), adf(p("x (javascript:alert(1))"))),
]


@pytest.mark.parametrize(("dialect", "tree", "native"), INSTEAD, ids=range(len(INSTEAD)))
def test_what_cannot_be_said_is_there_as_words(dialect, tree, native):
    assert write(dialect, tree) == native


HOSTILE = [
    ("wiki", "[~admin] !x.png! {code} h1. x", r"\[\~admin\] \!x.png! \{code\} h1. x"),
    ("wiki", "h1. x", r"h1\. x"),
    ("wiki", "(!) :) http://e.org", r"\(\!) \:) http\://e.org"),
    ("wiki", "a_b 2024-01-02 a - b", "a_b 2024-01-02 a - b"),
    (
        "wiki",
        r"C:\temp \\server",
        r"C:\temp &#92;&#92;server",
    ),
    (
        "markdown",
        "@admin #12 {{x}} r12 source:a",
        "@\u2060admin \\#\u206012 {\u2060{x}} r\u206012 source\u2060:a",
    ),
    ("markdown", "<b> [x](y) https://e.org", "\\<b\\> \\[x\\](y) https\u2060://e.org"),
    ("markdown", "1. x", "1\\. x"),
    ("markdown", "snake_case &lt;", "snake_case \\&lt;"),
    ("html", "<b> &lt; @admin #12", "<p>&lt;b&gt; &amp;lt; @\u2060admin #\u206012</p>"),
    ("html", "https://e.org a@e.org", "<p>https\u2060://e.org a@e.org</p>"),
]


@pytest.mark.parametrize(("dialect", "text", "native"), HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_signs_are_escaped(dialect, text, native):
    assert write(dialect, doc(text)) == native
    assert read(dialect, native) == doc(text)


@pytest.mark.parametrize(
    ("dialect", "raw"),
    [
        ("wiki", "[~admin]"),
        ("markdown", "@admin"),
        ("adf", '{"type":"mention","attrs":{"id":"admin"}}'),
        ("adf", "not json"),
    ],
)
def test_live_markup_does_not_pass_as_an_unknown_node(dialect, raw):
    for tree in (doc(para(UnknownInline(dialect, raw, "words"))), doc(UnknownBlock(dialect, raw, "words"))):
        assert settle(dialect, tree) == doc("words")


def test_transform_replaces_mentions():
    tree = doc(para("ask ", Mention("bob", "Bob")))

    def swap(inline):
        return [Text("the "), Mention("x", "Ann")] if isinstance(inline, Mention) else inline

    assert transform(tree, swap) == doc(para("ask the ", Mention("x", "Ann")))
    assert transform(tree, lambda inline: inline, lambda block: [block, Rule()]) == doc(*tree.blocks, Rule())


def test_the_store_keeps_trees_and_refuses_others():
    assert from_json(to_json(TABLE)) == TABLE
    assert digest(TABLE) != digest(LISTS)
    for damaged in ({"v": 99, "blocks": []}, {"v": 1}, {"v": 1, "blocks": [{"is": "Nothing"}]}):
        with pytest.raises(StoreError):
            from_json(damaged)


def test_words_and_plain_text():
    tree = doc(
        Heading(1, (Text("Top"),)), para("x", marked("2", "sup"), " ", Mention("b", "Bob")), *LISTS.blocks
    )
    assert words(tree) == ["Top", "x2", "a", "b", "c", "d"]
    assert plain(tree) == "Top\n\nx2 @Bob\n\n\u2022 a\n1. b\n2. c\n\u2022 d"


def test_canonical_details():
    assert canonical(doc(para("a  b\u00a0", marked("c ", "strong"), "d"))) == doc(
        para("a b ", marked("c", "strong"), " d")
    )
    assert canonical(doc(para("e\u0301\u200b"), para(" "), Quote(()))) == doc("\u00e9")
    assert canonical(doc("a\r\nb\n\nc")) == doc(para("a", HardBreak(), "b"), "c")
    assert canonical(doc(BulletList((item(BulletList((item("a"),)), "b"),)))) == doc(
        BulletList((item("a"), item("b")))
    )
