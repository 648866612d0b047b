"""A report before it is text, HTML or CSV: sentences and tables. All forms are made from the same paper.

Keys, names and words come from trackers and files: each cell stands on one line, shows itself in full and is escaped.
A spreadsheet takes a cell that begins with one of ``= + - @`` for a formula and runs it (OWASP: CSV injection), so
such a cell begins with an apostrophe in CSV.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bridge.sync.naming import one_line

_BODY = "font-family:sans-serif;font-size:15px;line-height:1.45;max-width:60em"
_CELL = "padding:2px 12px 2px 0;vertical-align:top;text-align:left"
_SMALL = "color:#666;font-size:13px"

WIDEST = 96
"""Characters of a line of text; a table that is wider is told row by row."""

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How cells begin that a spreadsheet may take for a formula; the last four are the full-width forms of the others."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading.

    Attributes:
        heading: what it shows.
        columns: their names.
        rows: one word for each column.
        empty: what is said when there is no row.
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a report says.

    Attributes:
        title: in one line.
        lead: the paragraphs that it begins with.
        tables: in order.
        closing: the small print.
        language: of its words, as HTML names it.
    """

    title: str
    lead: Sequence[str]
    tables: Sequence[Table]
    closing: str = ""
    language: str = "en"


def as_text(paper: Paper) -> str:
    """The paper as plain text."""
    blocks = [one_line(paper.title), *paper.lead]
    blocks += [
        "\n".join([table.heading, "-" * len(table.heading), *_text_rows(table)]) for table in paper.tables
    ]
    if paper.closing:
        blocks.append(f"-- \n{paper.closing}")
    return "\n\n".join(blocks) + "\n"


def as_html(paper: Paper) -> str:
    """The paper as HTML that stands alone: nothing to fetch, no scripts; a wide table scrolls by itself on a phone."""
    title = escape(one_line(paper.title))
    parts = [f'<h1 style="font-size:20px">{title}</h1>', *(f"<p>{escape(words)}</p>" for words in paper.lead)]
    for table in paper.tables:
        parts.append(f'<h2 style="font-size:16px">{escape(table.heading)}</h2>')
        parts.append(_html_table(table) if table.rows else f"<p>{escape(table.empty)}</p>")
    if paper.closing:
        parts.append(f'<p style="{_SMALL}">{escape(paper.closing)}</p>')
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(paper.language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body></html>\n'
    )


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table for spreadsheets and programs (RFC 4180), in which no cell is a formula."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_no_formula(cell) for cell in row])
    return file.getvalue()


def _no_formula(cell: str) -> str:
    shown = one_line(cell)  # first: what it takes away may hide how the cell begins
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _text_rows(table: Table) -> list[str]:
    if not table.rows:
        return [table.empty]
    rows = [[one_line(cell) for cell in row] for row in table.rows]
    grid = [list(table.columns), *rows]
    widths = [max(len(row[number]) for row in grid) for number in range(len(table.columns))]
    if sum(widths) + 2 * len(widths) <= WIDEST:
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in grid
        ]
    lines: list[str] = []
    for row in rows:
        (first, *others) = zip(table.columns, row, strict=True)
        lines += [f"* {first[0]}: {first[1]}", *(f"  {name}: {cell}" for name, cell in others if cell)]
    return lines


def _html_table(table: Table) -> str:
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in table.columns)
    rows = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(one_line(cell))}</td>' for cell in row) + "</tr>\n"
        for row in table.rows
    )
    return f'<div style="overflow-x:auto"><table style="border-collapse:collapse"><tr>{head}</tr>\n{rows}</table></div>'
