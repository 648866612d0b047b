"""Texts for the suite: every kind of node, and words that mean something in some markup.

Each is written through the adapter and must be read back as ``settle`` foretells. What a dialect cannot say
``settle`` turns into words, so the same corpus serves all.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.markup import (
    Block,
    BulletList,
    Cell,
    CodeBlock,
    Date,
    Document,
    Emoji,
    Expand,
    HardBreak,
    Heading,
    Inline,
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
)


def line(*nodes: Inline | str) -> Paragraph:
    """A paragraph; strings are plain words."""
    return Paragraph(tuple(Text(node) if isinstance(node, str) else node for node in nodes))


def item(*blocks: Block | str, checked: bool | None = None) -> ListItem:
    """An item of a list; strings are plain paragraphs."""
    return ListItem(tuple(line(block) if isinstance(block, str) else block for block in blocks), checked)


def cell(*words: str, header: bool = False) -> Cell:
    """A table cell with a paragraph for each string."""
    return Cell(tuple(line(word) for word in words), header)


def marked(*kinds: str) -> Text:
    """The names of some marks, carrying them."""
    return Text("and ".join(kinds), tuple(Mark(kind) for kind in sorted(kinds)))  # type: ignore[arg-type]


STRUCTURES: Mapping[str, Document] = {
    "paragraphs": Document((line("One."), line("Two, with a break", HardBreak(), "in it."))),
    "marks": Document(
        (
            line(
                "a ",
                marked("strong"),
                " b ",
                marked("em"),
                " c ",
                marked("strike"),
                " d ",
                marked("code"),
                " e",
            ),
            line("a ", marked("underline"), " b ", marked("sub"), " c ", marked("sup"), " d"),
            line("a ", marked("em", "strong"), " b ", Text("red", (Mark("color", "#ff0000"),)), " c"),
        )
    ),
    "links": Document(
        (
            line(
                "See ", Text("the page", (Mark("link", "https://example.org/a_b?c=d&e=f#g"),)), " for more."
            ),
            line("Or ", Text("https://example.org/", (Mark("link", "https://example.org/"),)), " itself."),
        )
    ),
    "headings": Document(tuple(Heading(level, (Text(f"Level {level}"),)) for level in range(1, 7))),
    "lists": Document(
        (
            BulletList((item("one"), item("two", BulletList((item("two a"), item("two b")))), item("three"))),
            line("between"),
            OrderedList((item("first"), item("second", BulletList((item("mixed"),))), item("third"))),
        )
    ),
    "counting from five": Document((OrderedList((item("fifth"), item("sixth")), 5),)),
    "tasks": Document((BulletList((item("done", checked=True), item("to do", checked=False))),)),
    "code": Document((CodeBlock("def f(x):\n    return x  # {code} `` ``` <b>\n\n\treturn\n", "python"),)),
    "code without a language": Document((CodeBlock("  two  spaces\n*stars*\n"),)),
    "quote": Document((Quote((line("Said."), line("And said again."))), line("after"))),
    "panels": Document(
        (Panel("info", (line("For your information."),)), Panel("warning", (line("Mind."),), "A title"))
    ),
    "expand": Document((Expand("More", (line("Folded away."), BulletList((item("a list"),)))),)),
    "table": Document(
        (
            Table(
                (
                    (cell("Name", header=True), cell("Value", header=True)),
                    (cell("a | b"), cell("two", "paragraphs")),
                    (cell(""), cell("x")),
                )
            ),
        )
    ),
    "rule": Document((line("above"), Rule(), line("below"))),
    "mention": Document((line("Ask ", Mention("nobody-in-particular", "Ann Owner"), " about it."),)),
    "emoji": Document((line("Well done ", Emoji(":tada:", "\U0001f389"), " and ", Emoji(":custom:"), "."),)),
    "date": Document((line("By ", Date("2031-02-28"), " at the latest."),)),
    "status": Document((line("It is ", Status("IN REVIEW", "yellow"), " now."),)),
    "image by address": Document((line(Media("https://example.org/a.png", "A picture")),)),
    "unknown nodes": Document(
        (
            UnknownBlock("elsewhere", "<macro/>", "words of a macro"),
            line("a ", UnknownInline("elsewhere", "{gadget}", "gadget"), " b"),
        )
    ),
}
"""Name -> a text with that kind of node."""

HOSTILE: tuple[str, ...] = (
    "*not bold* _not em_ -not struck- +not under+ ^up^ ~down~ ??cite??",
    "**not bold** __nor this__ ~~nor~~ `nor code` <u>nor this</u>",
    "{code}not code{code} {color:red}not red{color} {panel:title=x}no panel{panel}",
    "{{toc}} {{include(Page)}} {{> x}} {html}<b>x</b>{html}",
    '[not a link|https://evil.example] [nor this](https://evil.example) "nor this":https://evil.example',
    "[~admin] @admin [~accountid:123] user:admin",
    "!https://evil.example/x.png! ![x](https://evil.example/x.png) [^file.txt]",
    '<script>alert(1)</script> <img src=x onerror=alert(1)> <a href="javascript:alert(1)">x</a>',
    "javascript:alert(1) data:text/html,x file:///etc/passwd smb://host/share",
    "h1. Not a heading",
    "# Not a heading",
    "* not an item",
    "- not an item",
    "1. not an item",
    "bq. not a quote",
    "> not a quote",
    "||not||a||table||",
    "| not | a | table |",
    "----",
    "#1 #note-1 r1 source:x attachment:x commit:abc ABC-1",
    "&lt;b&gt; &amp; &#42; &nbsp; &copy",
    "\\ \\* \\\\ \\{ C:\\temp\\new",
    "a  b   c",
    ":) :( ;) (!) (/) (x) :tada:",
)
"""Words that look like markup in some dialect; each must stay words."""

SCRIPTS: tuple[str, ...] = (
    "Zoë façade naïve — “quoted” … ½ €",
    "日本語のテキスト、全角スペース。",
    "עברית: שלום עולם 123 (abc)",
    "العربية: مرحبا بالعالم ١٢٣",
    "\U0001f642 \U0001f469\u200d\U0001f4bb \U0001f1e9\U0001f1f0 \U0001f44d\U0001f3fd",
    "Ещё кириллица и Ελληνικά",
)
"""Words in scripts that some trackers lose: outside the basic plane, right to left, joined."""


def lorem(size: int) -> Document:
    """About so many characters of plain words, in paragraphs, no two alike."""
    blocks: list[Block] = []
    length = 0
    while length < size:
        words = " ".join(f"word{length + number}" for number in range(40))
        blocks.append(line(words))
        length += len(words) + 2
    return Document(tuple(blocks))
