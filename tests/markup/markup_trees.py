"""Random trees for the properties: every kind of node, hostile words, false claims to be unknown nodes."""

from hypothesis import strategies as st

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
)

SPECIAL = st.sampled_from(
    [
        *"*_-+^~?{}[]|#!\\`<>&@:;.()/= \n\t'\"",
        "a",
        "b1",
        "Zoë",
        "日本",
        "x²",
        "\u2060",
        "\u200b",
        "\u00a0",
        "\u0301",
        "\ud800",
        "\x00",
        "\x1b",
        "\u2028",
        "\U0001f642",
        "h1. ",
        "bq. ",
        "----",
        "---",
        "***",
        "# ",
        "* ",
        "- ",
        "1. ",
        "1) ",
        "> ",
        "|",
        "||",
        "\\\\",
        "\r\n",
        "{code}",
        "{noformat}",
        "{quote}",
        "{panel}",
        "{color:red}",
        "{color}",
        "{foo}",
        "{{",
        "}}",
        "{{toc}}",
        "[[Page]]",
        "[~bob]",
        "[^a.txt]",
        "!a.png!",
        "[x|http://e.org]",
        "[x](http://e.org)",
        "![x](y.png)",
        "<b>",
        "&lt;",
        "&#42;",
        "http://e.org/a_b",
        "https://e.org/?q=1&copy;=2.",
        "mailto:a@e.org",
        "www.e.org",
        "a@e.org",
        "@bob",
        "#123",
        "r12",
        "source:x",
        "attachment:a.txt",
        "commit:r1",
        ":)",
        "(!)",
        "(/)",
        ":D",
        "```",
        "~~~",
        "☑ ",
        "☐ ",
        "[ ] ",
        "[x] ",
        "===",
    ]
)
WORDS = st.one_of(st.lists(SPECIAL, max_size=8).map("".join), st.text(max_size=8))
LINKS = st.sampled_from(
    [
        "http://e.org",
        "https://e.org/a b(c)|d]?x=1&amp;y=*z*",
        "mailto:a@e.org",
        "javascript:alert(1)",
        "#top",
        "",
        "http://e.org/x!.)",
    ]
)
MARKS = st.lists(
    st.one_of(
        st.sampled_from(["strong", "em", "code", "strike", "underline", "sub", "sup"]).map(Mark),
        st.sampled_from(["red", "#ABC", "#12ab34", "blurple"]).map(lambda value: Mark("color", value)),
        LINKS.map(lambda value: Mark("link", value)),
    ),
    max_size=3,
).map(tuple)
REFS = st.one_of(
    st.sampled_from(
        [
            "a.png",
            "my file (1).png",
            "log.txt",
            "http://e.org/a.png",
            "b|c!.png",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "a]b",
        ]
    ),
    WORDS,
)
RAW_INLINE = st.one_of(
    st.sampled_from(
        [
            ("wiki", "{foo}a b{foo}"),
            ("wiki", "{foo:a|b}x{foo}"),
            ("wiki", "[~bob]"),
            ("wiki", "*x*"),
            ("wiki", "{quote}x"),
            ("markdown", "{{toc}}"),
            ("markdown", "[[Page|text]]"),
            ("markdown", "@bob"),
            ("adf", '{"attrs":{"text":"hi"},"type":"inlineExtension"}'),
            ("adf", '{"type":"mention","attrs":{"id":"bob"}}'),
            ("adf", "[1]"),
            ("adf", "{"),
        ]
    ),
    st.tuples(st.sampled_from(["adf", "wiki", "markdown", "rt"]), WORDS),
)
RAW_BLOCK = st.one_of(
    st.sampled_from(
        [
            ("wiki", "{foo:a=b}\nsome words\n{foo}"),
            ("wiki", "{foo}\nx\n{foo}\n* y"),
            ("wiki", "{quote}"),
            ("markdown", "# x"),
            (
                "adf",
                '{"attrs":{"extensionKey":"toc"},"content":[{"text":"hi","type":"text"}],"type":"extension"}',
            ),
            ("adf", '{"type":"paragraph","content":[{"type":"mention","attrs":{"id":"bob"}}]}'),
        ]
    ),
    RAW_INLINE,
)
INLINE = st.one_of(
    st.builds(Text, WORDS, MARKS),
    st.builds(Text, WORDS, MARKS),
    st.just(HardBreak()),
    st.builds(
        Mention, st.one_of(st.sampled_from(["bob", "557058:ab-12", "5b10ac8d82e05b22cc7d4ef5"]), WORDS), WORDS
    ),
    st.builds(
        Emoji,
        st.one_of(st.sampled_from([":wink:", ":check_mark:", ":custom_one:"]), WORDS),
        st.one_of(st.just(""), WORDS),
    ),
    st.builds(Date, st.one_of(st.dates().map(str), WORDS)),
    st.builds(Status, WORDS, st.sampled_from(["green", "odd"])),
    st.builds(Media, REFS, WORDS),
    st.builds(Card, LINKS),
    st.builds(lambda raw, text: UnknownInline(*raw, text), RAW_INLINE, WORDS),
    st.sampled_from(
        [
            UnknownInline("wiki", "{foo}a b{foo}", "{foo}a b{foo}"),
            UnknownInline("markdown", "{{toc}}", "{{toc}}"),
        ]
    ),
)
INLINES = st.lists(INLINE, max_size=5).map(tuple)
CODE = st.builds(
    CodeBlock,
    st.one_of(WORDS, st.sampled_from(["a {code} b", "{noformat}", "{code}{noformat}", "  x\n\n\ty  \n"])),
    st.sampled_from(["", "java", "C++", "odd name", "typescript"]),
)
LEAF = st.one_of(
    st.builds(Paragraph, INLINES),
    st.builds(Paragraph, INLINES),
    st.builds(Heading, st.integers(-1, 8), INLINES),
    CODE,
    st.just(Rule()),
    st.builds(lambda raw, text: UnknownBlock(*raw, text), RAW_BLOCK, WORDS),
    st.just(UnknownBlock("wiki", "{foo:a=b}\nsome words\n{foo}", "{foo:a=b}\nsome words\n{foo}")),
)


def _boxes(children):
    blocks = st.lists(children, max_size=3).map(tuple)
    items = st.lists(st.builds(ListItem, blocks, st.sampled_from([None, None, True, False])), max_size=3).map(
        tuple
    )
    cells = st.lists(st.builds(Cell, blocks, st.booleans()), max_size=3).map(tuple)
    return st.one_of(
        st.builds(BulletList, items),
        st.builds(OrderedList, items, st.sampled_from([1, 0, 7, -3, 10**12])),
        st.builds(Quote, blocks),
        st.builds(Panel, st.sampled_from(["info", "tip", "error", "odd"]), blocks, WORDS),
        st.builds(Expand, WORDS, blocks),
        st.builds(Table, st.lists(cells, max_size=3).map(tuple)),
    )


BLOCK = st.recursive(LEAF, _boxes, max_leaves=8)
DOCUMENT = st.lists(BLOCK, max_size=4).map(lambda blocks: Document(tuple(blocks)))
