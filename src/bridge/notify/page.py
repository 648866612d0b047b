"""What a letter says, before it is text or HTML: sentences, facts and commands.

Both forms are made from the same page, so that they cannot say different things. Whatever came from a tracker stands on
one line, shows itself in full (no characters that turn or hide text) and is escaped; only web addresses become links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from bridge.sync.naming import invisible

_STYLE = (
    "font-family:sans-serif;font-size:15px;line-height:1.45;max-width:40em;overflow-wrap:anywhere;"
    "background:#fff;color:#1a202c"
)
_CELL = "padding:2px 12px 2px 0;vertical-align:top;text-align:left"
_CODE = "background:#f2f2f2;padding:6px 8px;border-radius:4px;white-space:pre-wrap"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a table.

    Attributes:
        label: what it is about, in our words.
        value: what it is.
        url: where more can be seen; "" when unknown.
    """

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be typed.

    Attributes:
        meaning: what it does, in our words.
        line: what to type.
    """

    meaning: str
    line: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a letter says.

    Attributes:
        lead: the paragraphs that it begins with.
        facts: the table under them.
        commands: what the reader can do about it.
        closing: the small print.
        language: the code of its language.
        picture: a picture as HTML of our own making; "" for none.
        drawing: the same for plain text.
    """

    lead: Sequence[str]
    facts: Sequence[Fact] = ()
    commands: Sequence[Command] = ()
    closing: str = ""
    language: str = "en"
    picture: str = ""
    drawing: str = ""


def span(duration: int) -> str:
    """A duration for people, in its largest units.

    Args:
        duration: microseconds.
    """
    minutes = max(0, duration) // 60_000_000
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"


def as_text(page: Page) -> str:
    """The page as plain text."""
    blocks = [*page.lead]
    width = max((len(fact.label) for fact in page.facts), default=0) + 1
    if page.facts:
        blocks.append("\n".join(_text_fact(fact, width) for fact in page.facts))
    if page.drawing:
        blocks.append(page.drawing)
    blocks += [f"{command.meaning}\n\n    {command.line}" for command in page.commands]
    if page.closing:
        blocks.append(f"-- \n{page.closing}")
    return "\n\n".join(blocks) + "\n"


def as_html(page: Page) -> str:
    """The page as HTML that stands alone: no pictures, nothing to fetch, narrow enough for a phone."""
    parts = [f"<p>{escape(words)}</p>" for words in page.lead]
    if page.facts:
        rows = "".join(
            f'<tr><th style="{_CELL}">{escape(fact.label)}</th><td style="{_CELL}">{_html_value(fact)}</td></tr>'
            for fact in page.facts
        )
        parts.append(f'<table style="border-collapse:collapse">{rows}</table>')
    if page.picture:
        parts.append(page.picture)
    parts += [f"<p>{escape(command.meaning)}</p>{_html_line(command.line)}" for command in page.commands]
    if page.closing:
        parts.append(f'<p style="color:#666;font-size:13px">{escape(page.closing)}</p>')
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(page.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f'<body style="{_STYLE}">\n{body}\n</body></html>\n'
    )


def _text_fact(fact: Fact, width: int) -> str:
    label = f"{fact.label}:".ljust(width)
    url = _web_address(fact.url)
    return f"{label} {fact.value}" + (f"\n{' ' * width} {url}" if url else "")


def _html_value(fact: Fact) -> str:
    url = _web_address(fact.url)
    return f'<a href="{escape(url)}">{escape(fact.value)}</a>' if url else escape(fact.value)


def _html_line(line: str) -> str:
    """What can be typed, or clicked where it is an address."""
    url = _web_address(line)
    if url:
        return f'<p style="word-break:break-all"><a href="{escape(url)}">{escape(url)}</a></p>'
    return f'<pre style="{_CODE}">{escape(line)}</pre>'


def _web_address(url: str) -> str:
    """The address if it is one that may be clicked, else ""."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    sound = (
        parts.scheme in {"http", "https"}
        and parts.netloc
        and not any(one.isspace() or invisible(one) for one in url)
    )
    return url if sound else ""
