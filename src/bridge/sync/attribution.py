"""The line that says who wrote a comment: made of facts, and not to be imitated from within a text or a name.

A copy begins with its author's name and company. If a text could hold a second line of that kind, its author could put
words into somebody else's mouth. Quoting the whole text would cost its headings, tables and panels, which no quotation
can hold; so only lines that read like an attribution of either company are put in quotation marks. The words stay, and
the same text always becomes the same copy.

Lines are compared as a reader sees them: compatibility forms, capitals, accents, look-alike letters, invisible
characters, spaces and kinds of brackets make no difference. Code blocks are left alone: they look like code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bridge.markup import (
    Block,
    Document,
    Expand,
    HardBreak,
    Heading,
    Inline,
    Mark,
    Panel,
    Paragraph,
    Text,
    said,
    transform,
)
from bridge.sync.agreement import Agreement
from bridge.sync.naming import LONGEST_NAME, invisible, told_name
from bridge.sync.redaction import redact_line
from bridge.sync.ticket import Person, Side

SOMEBODY = "Somebody"
"""The author whom the tracker hides, or of whom it tells nothing but an address or a login."""

OPEN, CLOSE = "\u201c", "\u201d"
"""Marks around a line that would read like an attribution."""

_PLACEHOLDER = re.compile(r"(\{author\}|\{company\})")
_COMPANY = re.compile(r"[(\[<{]\s*\{company\}\s*[)\]>}]")
_TAIL = 12
"""Letters that may follow the company in an attribution: "wrote", "commented", "a écrit"."""

_CAPITALS = (
    "\u0410A \u0412B \u0421C \u0415E \u041dH \u0406I \u0408J \u041aK \u041cM \u041eO \u0420P "
    "\u0405S \u0422T \u0423Y \u0425X \u0391A \u0392B \u0395E \u0396Z \u0397H \u0399I \u039aK "
    "\u039cM \u039dN \u039fO \u03a1P \u03a4T \u03a5Y \u03a7X"
)
_SMALL = (
    "\u0430a \u0432b \u0441c \u0435e \u0456i \u0458j \u043ak \u043cm \u043eo \u0440p \u0455s "
    "\u0442t \u0443y \u0445x \u0501d \u04bbh \u043dh \u051bq \u051dw \u04cfl \u03b1a \u03b5e "
    "\u03b7n \u03b9i \u03bak \u03bdv \u03bfo \u03c1p \u03c4t \u03c5u \u03c7x \u0131i \u0142l "
    "\u00f8o 0o 1l il |l"
)
_LOOKALIKES = tuple(
    str.maketrans({pair[0]: pair[1] for pair in table.split()}) for table in (_CAPITALS, _SMALL)
)
"""Letters of other scripts that look like Latin ones, and signs that look alike in most fonts."""

_OPENING, _CLOSING = (
    r"(\[{<\uff08\uff3b\uff5b\uff1c\u3010\u3014\u3008\u300a",
    r")\]}>\uff09\uff3d\uff5d\uff1e\u3011\u3015\u3009\u300b",
)
_BRACKETED = re.compile(rf"[{_OPENING}][^{_CLOSING}]*[{_CLOSING}]?")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that make a line be shown in another direction than it is stored."""

_QUOTES = frozenset("\u201a\u201e")
"""Quotation marks that Unicode counts among the brackets."""


def banner(
    agreement: Agreement, side: Side, author: Person | None, answers: str = "", *, when: str = ""
) -> Paragraph:
    """The first line of a copy.

    Args:
        agreement: its template, and what the parties are called.
        side: the side on which the comment was written.
        author: who wrote it; None when the tracker hides it.
        answers: the name of whose comment it answers, where the other side has no threads; else "".
        when: its date, where that is to be told.
    """
    name, template = _called(agreement, author, side), agreement.comments.attribute
    if not name:
        name, template = team(agreement, side), _without_company(template)
    told = {"{author}": name, "{company}": agreement.scope(side).company}
    # In one go: a name that looks like a placeholder stays that name.
    parts = _PLACEHOLDER.split(template)
    line = "".join(told.get(part, part) for part in parts)
    line += (f", in reply to {answers}" if answers else "") + (f", {when}" if when else "")
    return Paragraph((Text(line, (Mark("strong"),)),))


def shown_name(agreement: Agreement, person: Person | None, side: Side) -> str:
    """What somebody of a side is called where the other side reads it, with the company: ``Bo (Acme)``, ``Acme team``.

    By the agreement a name, a role or the company alone; never an address, a login or an id.

    Args:
        agreement: the terms.
        person: who; None when the tracker hides it.
        side: the side that the person belongs to.
    """
    name = _called(agreement, person, side)
    if not name or name == SOMEBODY:
        return team(agreement, side)
    return f"{name} ({agreement.scope(side).company})"


def answered_name(agreement: Agreement, person: Person | None, side: Side) -> str:
    """What somebody is called in the middle of a line that names the company already."""
    return _called(agreement, person, side) or team(agreement, side)


def mentioned(agreement: Agreement, side: Side, person: Person) -> str:
    """What stands for a mention of somebody of a side whom the other side does not know."""
    if agreement.show_people != "name":
        return answered_name(agreement, person, side)
    return _redacted(agreement, told_name(person.name, (person.id,)), side) or "somebody"


def team(agreement: Agreement, side: Side) -> str:
    """What everybody of a side is called together."""
    return f"{agreement.scope(side).company} team"


def _called(agreement: Agreement, person: Person | None, side: Side) -> str:
    """A name or role, by the agreement; "" where only the company is to be told."""
    match agreement.show_people:
        case "name":
            return _redacted(agreement, author_name(agreement, person), side)
        case "role":
            return _role_of(agreement, person, side)
        case "company":
            return ""


def _role_of(agreement: Agreement, person: Person | None, side: Side) -> str:
    """The first role of a side that somebody has, in words; "" for none."""
    if person is None:
        return ""
    known = {handle.casefold() for handle in (person.id, *person.handles) if handle}
    for role in agreement.roles:
        if role.side is side and (
            person in role.members or any(one.casefold() in known for one in role.people)
        ):
            return " ".join(role.name.replace("-", " ").replace("_", " ").split())
    return ""


def _redacted(agreement: Agreement, name: str, side: Side) -> str:
    return redact_line(agreement.redaction, side.other, name)


def _without_company(template: str) -> str:
    """A template without the company, where the name holds it."""
    return " ".join(_COMPANY.sub(" ", template).split()) if "{author}" in template else template


def author_name(agreement: Agreement, author: Person | None) -> str:
    """The name of an author without anything that passes for a company's, an address or a login."""
    if author is None:
        return SOMEBODY
    name = told_name(author.name, (author.id, *author.handles))
    companies = [_folded(agreement.scope(side).company) for side in Side]
    # "Bo (Acme)" is called Bo: the company is not a matter of what people call themselves.
    for found in _BRACKETED.findall(name):
        if any(company and company in _folded(found) for company in companies):
            name = name.replace(found, " ")
    name = " ".join(name.split())
    return name if name and not _reads_like_one(agreement, name) else SOMEBODY


def guarded(agreement: Agreement, text: Document) -> Document:
    """A text in which no line reads like an attribution; the same text when there was none."""

    def guard(block: Block) -> Block:
        match block:
            case Paragraph(children):
                return Paragraph(_guarded(agreement, children))
            case Heading(level, children):
                return Heading(level, _guarded(agreement, children))
            case Panel(kind, blocks, title) if _reads_like_one(agreement, title):
                return Panel(kind, blocks, f"{OPEN}{title}{CLOSE}")
            case Expand(title, blocks) if _reads_like_one(agreement, title):
                return Expand(f"{OPEN}{title}{CLOSE}", blocks)
            case _:
                return block

    return transform(text, lambda node: node, guard)


def _guarded(agreement: Agreement, children: Sequence[Inline]) -> tuple[Inline, ...]:
    out: list[Inline] = []
    for number, line in enumerate(_lines(children)):
        if number:
            out.append(HardBreak())
        quoted = _reads_like_one(agreement, said(line))
        out += (Text(OPEN), *line, Text(CLOSE)) if quoted else line
    return tuple(out)


def _lines(children: Iterable[Inline]) -> Iterator[list[Inline]]:
    """The lines of a paragraph; a line feed within a run of text ends one too, for that is how it will be shown."""
    line: list[Inline] = []
    for node in children:
        if isinstance(node, HardBreak):
            yield line
            line = []
        elif isinstance(node, Text) and "\n" in node.text:
            first, *others = node.text.split("\n")
            line.append(replace(node, text=first))
            for other in others:
                yield line
                line = [replace(node, text=other)]
        else:
            line.append(node)
    yield line


def _reads_like_one(agreement: Agreement, line: str) -> bool:
    shown = "".join(one for one in line if not invisible(one)).strip()
    if shown.startswith(OPEN) and shown.endswith(CLOSE):
        return False
    companies = tuple(agreement.scope(side).company for side in Side)
    patterns = _patterns(agreement.comments.attribute, companies, agreement.show_people != "name")
    readings = [line, line[::-1]] if _TURNING.search(line) else [line]
    return any(pattern.fullmatch(_folded(one)) for pattern in patterns for one in readings)


@lru_cache(maxsize=256)
def _patterns(
    template: str,
    companies: tuple[str, ...],
    teams: bool,
) -> tuple[re.Pattern[str], ...]:
    """What an attribution of each company looks like, folded; with ``teams``, of a company as a whole as well."""
    found = []
    for company in filter(None, map(_folded, companies)):
        told = {"{author}": f".{{0,{LONGEST_NAME}}}", "{company}": re.escape(company)}
        parts = (told.get(part) or re.escape(_folded(part)) for part in _PLACEHOLDER.split(template))
        found.append(re.compile(rf"\W*{''.join(parts)}(?:\W.*|.{{0,{_TAIL}}})", re.DOTALL))
        if teams:
            told["{author}"] = re.escape(f"{company}{_folded('team')}")
            parts = (
                told.get(part) or re.escape(_folded(part))
                for part in _PLACEHOLDER.split(_without_company(template))
            )
            found.append(re.compile(rf"\W*{''.join(parts)}(?:\W.*|.{{0,{_TAIL}}})", re.DOTALL))
    return tuple(found)


def _folded(text: str) -> str:
    """A text as it looks at a glance: no spaces, one case, no accents, one kind of bracket and of dash."""
    capitals, small = _LOOKALIKES
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).translate(capitals).casefold())
    out = []
    for one in plain.translate(small):
        kind = unicodedata.category(one)
        if one.isspace() or kind.startswith("M") or invisible(one):
            continue
        bracket = (kind in {"Ps", "Pe"} and one not in _QUOTES) or one in "<>"
        out.append("(" if bracket else "-" if kind == "Pd" else one)
    return "".join(out)
