"""What Redmine's own formatter makes of our Textile: the judge that our reader is not.

Runs wherever Debian's package ``redmine`` is installed; no server is needed.
"""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markup_trees import DOCUMENT, SPECIAL, WORDS

from bridge.markup import (
    Document,
    Media,
    Mention,
    Paragraph,
    Text,
    UnknownInline,
    canonical,
    plain,
    read,
    settle,
    transform,
    write,
)

PACKAGE = Path("/usr/share/redmine")  # where Debian puts it
SCRIPT = Path(__file__).with_name("redcloth.rb")
# The patterns of Redmine's application_helper.rb (5.0) for what it makes live in the finished page.
MACRO = re.compile(r"\{\{(\w+)(\([^\n\r]*?\))?([\n\r].*?[\n\r])?\}\}", re.DOTALL)
WIKI_PAGE = re.compile(r"\[\[[^\n|]+?(?:\|[^\n|]+?)?\]\]")
REDMINE_LINK = re.compile(
    r"(?:[\s(,\-\[>]|^)(?:[a-z0-9_-]+:)?(?:attachment|document|version|forum|news|message|project|commit|source"
    r"|export|user)?(?:(?:##?|(?:[a-z0-9_-]+\|)?r)(?:\d+|note)(?:(?:#note)?-\d+)?|:(?:[^\"\s<>][^\s<>]*?|\"[^\"]+?\")"
    r"|@[A-Za-z0-9_\-@.]*?)(?=[!-/:-@\[-`{-~][^A-Za-z0-9_/]|,|\s|\]|<|$)",
    re.MULTILINE,
)
LIVE_PREFIX = re.compile(
    r"(?:attachment|document|version|forum|news|message|project|commit|source|export|user)[:#@]|[#@]|(?<![a-z])r\d"
)

pytestmark = pytest.mark.real


def rendered(texts):
    """The HTML that Redmine's formatter makes of some texts."""
    ruby = shutil.which("ruby")
    if ruby is None or not PACKAGE.is_dir():
        pytest.skip("Debian's package redmine is not installed: nobody to judge our Textile")
    done = subprocess.run(
        [ruby, str(SCRIPT), str(PACKAGE)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
        self.words.append(" " if tag in {"p", "br"} else "")

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).replace("\u2060", "").split())


def examples(strategy, count):
    """Some values of a strategy, always the same ones: one call of Ruby judges them all."""
    made = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(strategy)
    def collect(value):
        made.append(value)

    collect()
    return made


TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(SPECIAL, max_size=12).map("".join),
    st.lists(WORDS, max_size=6).map("\n".join),
    st.lists(WORDS, max_size=6).map(" ".join),
)


def test_foreign_words_stay_words_in_redmine():
    trees = [canonical(Document((Paragraph((Text(text),)),))) for text in examples(TEXTS, 400)]
    sources = [write("textile", tree) for tree in trees]
    for tree, source, html in zip(trees, sources, rendered(sources), strict=True):
        page = Page(html)
        for tag, attrs in page.elements:
            # A mail address may be clicked, as everywhere in Redmine.
            assert tag in {"p", "br"} or attrs["href"].startswith("mailto:"), (source, html)
        assert page.text == " ".join(plain(tree).split()), (source, html)
        assert not MACRO.search(source), source
        assert not WIKI_PAGE.search(html), source
        for found in REDMINE_LINK.finditer(re.sub(r"<a .*?</a>", "\ufffc", html)):
            assert not LIVE_PREFIX.match(found[0].lstrip(" \n\t(,-[>")), (source, found[0])


def flat(node):
    """A node as the formatter alone shows it: people, files and macros are looked up later."""
    match node:
        case Mention(person, _):
            return Text(f"@{person}")
        case UnknownInline(_, raw, _):
            return Text(raw)
        case Media(ref, alt):
            name = unquote(ref)
            shown = re.fullmatch(r".*\.(png|jpe?g|gif|bmp|svg|webp|tiff?)", name, re.IGNORECASE)
            return Media(name, alt) if shown else Text(f'attachment:"{name}"')
        case _:
            return node


def test_redmine_shows_the_tree_that_we_read_back():
    """Every tree, written, rendered by Redmine and read as HTML, is what our own reader says it is."""
    trees = [settle("textile", tree) for tree in examples(DOCUMENT, 150)]
    sources = [write("textile", tree) for tree in trees]
    for tree, source, html in zip(trees, sources, rendered(sources), strict=True):
        page = re.sub(r'<a class="email"[^>]*>(.*?)</a>', r"\1", html)
        page = re.sub(r'class="[^"]*syntaxhl" data-language="([^"]+)"', r'class="language-\1"', page)
        # Redmine shows a tab as four spaces; what it keeps is the tab.
        assert str(transform(tree, flat)).replace("\\t", "    ") == str(
            transform(read("html", page), flat)
        ), source
