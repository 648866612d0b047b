"""Whatever is written, only harmless things come out: judged by parsers and scans that are not ours."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markup_trees import DOCUMENT, WORDS

from bridge.markup import (
    DIALECTS,
    Card,
    CodeBlock,
    Document,
    Mark,
    Media,
    Mention,
    Paragraph,
    Rule,
    Text,
    UnknownBlock,
    UnknownInline,
    canonical,
    plain,
    settle,
    transform,
    write,
)

many = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</p><iframe src=javascript:alert(1)>",
    "<!-- <b>x</b> -->",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;b&gt; &#60;b&#62;",
    "[x](javascript:alert(1)) ![x](y.png) <javascript:alert(1)>",
    "[x]: javascript:alert(1)",
    "[x|javascript:alert(1)] [~admin] [^a.txt] !a.png! {toc} {code}",
    '"x":javascript:alert(1) "x":http://e.org !a.png! ==<b>x</b>== <pre><b>x</b></pre>',
    "{{toc}} {{include(x)}} [[Page]] #12 ##12 user#3 user:admin user@admin @admin attachment:a.txt r12",
    "www.e.org https://e.org ftp://e.org mailto:a@e.org a@e.org",
    "{color:red}x{color} {quote}x{quote} *x* _x_ -x- +x+ ^x^ ~x~ ??x?? %{color:red}x% @x@ **x** `x`",
    "h1. x",
    "# x",
    "> x",
    "|x|y|",
    "||x||",
    "* x",
    "- x",
    "1. x",
    "----",
    "bq. x",
    "bc. x",
    "p(evil). x",
    "table(evil). \n|x|",
    "x\u2028<b>\u0000y</b>",
]
TEXT = st.one_of(
    st.sampled_from(HOSTILE), st.text(), WORDS, st.lists(st.sampled_from(HOSTILE), max_size=3).map("\n".join)
)


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.words = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.words.append(" " if tag in {"p", "br", "li", "td", "th"} else "")

    def handle_comment(self, data):
        raise AssertionError(f"a comment came out: {data!r}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration came out: {decl!r}")

    def handle_data(self, data):
        self.words.append(data)


def of(text):
    return Document((Paragraph((Text(text),)),))


def only_text(tree):
    """The same tree without anything that is meant to be live."""

    def inline(node):
        return Text("live") if isinstance(node, Mention | Media | Card | UnknownInline) else node

    def block(node):
        return Paragraph((Text("live"),)) if isinstance(node, UnknownBlock) else node

    return transform(tree, inline, block)


# --- HTML

ELEMENTS = {
    **{
        tag: frozenset()
        for tag in (
            *("p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "li", "pre", "blockquote", "table"),
            *("tr", "td", "th", "strong", "em", "s", "u", "sub", "sup", "details", "summary"),
        )
    },
    "ol": {"start"},
    "code": {"class"},
    "a": {"href"},
    "img": {"src", "alt"},
    "div": {"style"},
    "span": {"style", "class", "title"},
    "time": {"datetime"},
}
ADDRESS = re.compile(r"(?:https?://|mailto:).*", re.IGNORECASE)


@many
@given(document=st.one_of(DOCUMENT, TEXT.map(of)))
def test_html_has_harmless_elements_only(document):
    for tag, attrs in Page(write("html", document)).elements:
        assert set(attrs) <= ELEMENTS[tag], (tag, attrs)
        assert re.fullmatch(r"(?:background-)?color:#[0-9a-f]{6}|", attrs.get("style", ""))
        assert re.fullmatch(r"language-[a-z0-9+#._-]+|attachment|", attrs.get("class", ""))
        for name in ("href", "src"):
            assert name not in attrs or ADDRESS.fullmatch(attrs[name]), attrs


@many
@given(text=TEXT)
def test_words_are_words_in_html(text):
    page = Page(write("html", of(text)))
    assert {tag for tag, _ in page.elements} <= {"p", "br"}
    assert " ".join("".join(page.words).replace("\u2060", "").split()) == " ".join(plain(of(text)).split())


# --- Markdown, as the most eager tracker shows it: HTML on, addresses made links

EAGER = MarkdownIt("gfm-like", {"html": True, "linkify": True})


@many
@given(text=TEXT)
def test_words_are_words_in_markdown(text):
    source = write("markdown", of(text))
    page = Page(EAGER.render(source))
    for tag, attrs in page.elements:
        # "e.org" alone becomes a link there, to the very thing that it says.
        assert tag in {"p", "br"} or (tag == "a" and ADDRESS.fullmatch(attrs["href"])), source
    assert " ".join("".join(page.words).replace("\u2060", "").split()) == " ".join(plain(of(text)).split())
    assert not LIVE_IN_REDMINE.search(source), source


@many
@given(document=DOCUMENT)
def test_markdown_lets_no_tag_and_no_other_scheme_through(document):
    for tag, attrs in Page(EAGER.render(write("markdown", document))).elements:
        assert tag in MARKDOWN_ELEMENTS, (tag, attrs)
        assert tag != "a" or ADDRESS.fullmatch(attrs["href"]), attrs
        assert tag != "img" or ADDRESS.fullmatch(attrs["src"]) or ":" not in attrs["src"], attrs


MARKDOWN_ELEMENTS = {
    *("p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "ol", "li", "pre", "code", "blockquote"),
    *("table", "thead", "tbody", "tr", "td", "th", "strong", "em", "s", "a", "img"),
}

# --- what a tracker finds in the finished text

LIVE_IN_REDMINE = re.compile(
    r"\{\{|\[\[|(?<![\w&])#\d|(?<!\w)@\w|(?<![^\W_])r\d|(?<![^\W_])(?:attachment|document|version|source|user|commit)[:@]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("dialect", ["markdown", "textile"])
@many
@given(document=DOCUMENT)
def test_nothing_becomes_live_in_redmine_by_itself(dialect, document):
    source = write(dialect, without_code(only_text(document)))
    # An address is a link as a whole, a colour is one of ours; nothing inside them is looked at.
    bare = re.sub(r"(?:https?://|mailto:)\S+|%\{color:#[0-9a-f]{6}\}", "", source)
    assert not LIVE_IN_REDMINE.search(bare), source


@many
@given(document=DOCUMENT)
def test_nothing_becomes_live_in_the_wiki_by_itself(document):
    source = write("wiki", without_code(only_text(document)))
    bare = re.sub(r"\\[^\w\s]", "", source)  # what is escaped is no markup
    assert not re.search(r"\[[~^]|![^\s!|]+\.\w+!|\{(?!color|quote|panel|\{|\*|_|-|\+|\^|~|\?)", bare), source
    for found in re.finditer(r"\[(?:[^\[\]|]*\|)?([^\[\]|]+)\]", bare):
        assert ADDRESS.fullmatch(found[1]), source


def without_code(tree):
    """Code is verbatim in every markup and nothing in it is live; a scan of the source cannot know that."""

    def inline(node):
        return Text("code") if isinstance(node, Text) and Mark("code") in node.marks else node

    return transform(tree, inline, lambda block: Rule() if isinstance(block, CodeBlock) else block)


@many
@given(document=st.one_of(DOCUMENT, TEXT.map(of)))
def test_adf_has_no_live_node_but_those_of_the_tree(document):
    def nodes(value):
        if isinstance(value, dict):
            yield value
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                yield from nodes(part)

    for node in nodes(write("adf", only_text(document))):
        assert node.get("type") not in {
            "mention",
            "inlineCard",
            "extension",
            "inlineExtension",
            "media",
            "mediaInline",
        }
        if node.get("type") == "link":
            assert ADDRESS.fullmatch(node["attrs"]["href"])


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "ref", ["javascript:alert(1)//a.png", "JavaScript:alert(1).png", "file:///etc/a.png"]
)
def test_a_picture_is_no_way_round_the_allowed_schemes(dialect, ref):
    tree = Document((Paragraph((Media(ref, "shot"),)),))
    assert settle(dialect, tree) == of(f"shot ({ref})")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_known_attacks_come_back_as_the_words_they_were(dialect, text):
    assert settle(dialect, of(text)) == canonical(of(text))
