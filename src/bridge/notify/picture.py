"""The picture of a ticket's time: who had to act when, whether a clock ran, and where its goal was missed.

Three forms of the same strips. SVG for pages and files; a table of coloured cells for mail, because most mail programs
drop SVG and many show no images, while cells need nothing; and a line of letters for plain text. Colours never say
anything alone: each party has a letter and a pattern of its own as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bridge.sla.policy import Owner
from bridge.sla.verdict import BallSpan, Cycle, Verdict

CELLS = 48
"""Cells of a strip in a mail: enough to see an hour of two days, few enough for a phone."""

_COLOURS = {Owner.INTERNAL: "#2b6cb0", Owner.VENDOR: "#c05621", Owner.NOBODY: "#a0aec0"}
"""Apart in lightness too, so that they can be told without seeing colours."""

_LETTERS = {Owner.INTERNAL: "I", Owner.VENDOR: "V", Owner.NOBODY: "-"}
_RUNS, _STANDS, _BREACH = "#2f855a", "#e2e8f0", "#c53030"

_WIDTH, _BAR, _LEFT = 640, 26, 10


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of a picture, in the reader's language.

    Attributes:
        title: what it shows, e.g. ``OPS-7: who had to act when``.
        owners: what each party is called.
        runs: word for a clock that runs.
        stands: word for a clock that stands.
        breach: word for the moment at which the goal was missed.
        moment: how a moment is written.
    """

    title: str
    owners: Mapping[Owner, str]
    runs: str
    stands: str
    breach: str
    moment: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a strip: from where to where (microseconds), its colour, its letter, and what it says."""

    since: int
    until: int
    colour: str
    letter: str
    says: str


def as_svg(verdict: Verdict, cycle: Cycle | None, caption: Caption) -> str:
    """The picture as an SVG document that stands alone: no scripts, no fonts or images from elsewhere."""
    begin, end = _bounds(verdict, cycle)
    strips = _strips(verdict, cycle, caption)
    height = 30 + len(strips) * (_BAR + 24) + 24
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {height}" '
            'aria-labelledby="title desc" font-family="sans-serif" font-size="12">'
        ),
        f'<title id="title">{escape(caption.title)}</title>',
        f'<desc id="desc">{escape(_told(strips, caption))}</desc>',
        (
            '<defs><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect width="2" height="6" fill="#fff" fill-opacity=".35"/></pattern>'
            '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
            '<circle cx="2" cy="2" r="1.2" fill="#fff" fill-opacity=".5"/></pattern></defs>'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14" fill="#1a202c">{escape(caption.title)}</text>',
    ]
    top = 30
    for strip in strips:
        for piece in strip:
            left, width = _across(piece.since, begin, end), 0.0
            width = max(0.5, _across(piece.until, begin, end) - left)
            place = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}"'
            parts.append(f'<g><title>{escape(piece.says)}</title><rect {place} fill="{piece.colour}"/>')
            pattern = {"V": "stripes", "-": "dots"}.get(piece.letter)
            if pattern:
                parts.append(f'<rect {place} fill="url(#{pattern})"/>')
            parts.append("</g>")
        top += _BAR + 6
        parts.append(_legend(strip, top + 8))
        top += 18
    if cycle is not None and cycle.breached_at is not None:
        left = _across(cycle.breached_at, begin, end)
        words = escape(f"{caption.breach}: {caption.moment(cycle.breached_at)}")
        parts.append(
            f'<g><title>{words}</title><line x1="{left:.1f}" x2="{left:.1f}" y1="26" y2="{top - 18}" '
            f'stroke="{_BREACH}" stroke-width="2" stroke-dasharray="4 2"/></g>'
        )
    bottom = height - 8
    parts.append(f'<text x="{_LEFT}" y="{bottom}" fill="#4a5568">{escape(caption.moment(begin))}</text>')
    parts.append(
        f'<text x="{_WIDTH - _LEFT}" y="{bottom}" text-anchor="end" fill="#4a5568">'
        f"{escape(caption.moment(end))}</text></svg>"
    )
    return "\n".join(parts) + "\n"


def as_cells(verdict: Verdict, cycle: Cycle | None, caption: Caption) -> str:
    """The picture as HTML tables of coloured cells, for mail."""
    begin, end = _bounds(verdict, cycle)
    rows = []
    for strip in _strips(verdict, cycle, caption):
        cells = [
            f'<td bgcolor="{piece.colour}" width="{round(100 * many / CELLS)}%" title="{escape(piece.says)}" '
            f'style="background:{piece.colour};color:#fff;font-size:11px;text-align:center;padding:4px 0">'
            f"{escape(piece.letter)}</td>"
            for piece, many in _shared(strip, begin, end)
        ]
        legend = " &nbsp; ".join(
            f'<span style="color:{colour}">&#9632;</span> {escape(says)}' for colour, says in _kinds(strip)
        )
        rows.append(
            '<table role="presentation" width="100%" cellspacing="0" cellpadding="0" '
            f'style="width:100%;border-collapse:collapse;table-layout:fixed"><tr>{"".join(cells)}</tr></table>'
            f'<p style="margin:2px 0 8px;font-size:13px;color:#4a5568">{legend}</p>'
        )
    ends = f"{escape(caption.moment(begin))} &ndash; {escape(caption.moment(end))}"
    mark = ""
    if cycle is not None and cycle.breached_at is not None:
        words = escape(f"{caption.breach}: {caption.moment(cycle.breached_at)}")
        mark = f'<p style="margin:2px 0;color:{_BREACH}"><b>{words}</b></p>'
    return (
        f'<div role="img" aria-label="{escape(_told(_strips(verdict, cycle, caption), caption))}">'
        f"{''.join(rows)}</div>{mark}"
        f'<p style="margin:2px 0;font-size:13px;color:#4a5568">{ends}</p>'
    )


def as_line(verdict: Verdict, cycle: Cycle | None, caption: Caption) -> str:
    """The picture as lines of letters, one for each part of the time, with what they mean."""
    begin, end = _bounds(verdict, cycle)
    lines = []
    for strip in _strips(verdict, cycle, caption):
        bar = "".join(piece.letter * many for piece, many in _shared(strip, begin, end))
        meanings = ", ".join(
            f"{letter} {says}"
            for letter, says in dict.fromkeys((piece.letter, _kind(piece)) for piece in strip)
        )
        lines += [f"|{bar}|", f" {meanings}"]
    lines.append(f" {caption.moment(begin)} - {caption.moment(end)}")
    return "\n".join(lines)


def _bounds(verdict: Verdict, cycle: Cycle | None) -> tuple[int, int]:
    if cycle is not None and cycle.segments:
        begin, end = cycle.segments[0].since, cycle.segments[-1].until
    elif verdict.ball:
        begin, end = verdict.ball[0].since, verdict.ball[-1].until
    else:
        begin, end = verdict.at, verdict.at
    return begin, max(end, begin + 1)


def _strips(verdict: Verdict, cycle: Cycle | None, caption: Caption) -> list[list[_Piece]]:
    """Who had to act, and where a clock is shown, whether it ran."""
    begin, end = _bounds(verdict, cycle)
    strips = [[_ball(one, caption) for one in _within(verdict.ball, begin, end)]]
    if cycle is not None:
        strips.append(
            [
                _Piece(
                    one.since,
                    one.until,
                    _RUNS if one.runs else _STANDS,
                    "=" if one.runs else ".",
                    f"{caption.runs if one.runs else caption.stands}: {_ends(one.since, one.until, caption)}",
                )
                for one in cycle.segments
            ]
        )
    return [strip for strip in strips if strip]


def _within(ball: Sequence[BallSpan], begin: int, end: int) -> list[BallSpan]:
    return [
        BallSpan(max(one.since, begin), min(one.until, end), one.owner, one.why, one.event)
        for one in ball
        if one.until > begin and one.since < end
    ]


def _ball(one: BallSpan, caption: Caption) -> _Piece:
    says = f"{caption.owners[one.owner]}: {_ends(one.since, one.until, caption)}"
    return _Piece(one.since, one.until, _COLOURS[one.owner], _LETTERS[one.owner], says)


def _ends(since: int, until: int, caption: Caption) -> str:
    return f"{caption.moment(since)} - {caption.moment(until)}"


def _kind(piece: _Piece) -> str:
    return piece.says.partition(": ")[0]


def _kinds(strip: Sequence[_Piece]) -> list[tuple[str, str]]:
    """What a strip's colours mean, each once."""
    return list(dict.fromkeys((piece.colour, _kind(piece)) for piece in strip))


def _across(at: int, begin: int, end: int) -> float:
    return _LEFT + (_WIDTH - 2 * _LEFT) * (min(max(at, begin), end) - begin) / (end - begin)


def _legend(strip: Sequence[_Piece], top: int) -> str:
    left, parts = _LEFT, []
    for colour, says in _kinds(strip):
        parts.append(
            f'<rect x="{left}" y="{top - 9}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{left + 15}" y="{top}" fill="#1a202c">{escape(says)}</text>'
        )
        left += 40 + 7 * len(says)
    return "".join(parts)


def _shared(strip: Sequence[_Piece], begin: int, end: int) -> list[tuple[_Piece, int]]:
    """How many of the cells each piece gets. The middle of a cell decides; short pieces may have none."""
    counts: list[tuple[_Piece, int]] = []
    place = 0
    for cell in range(CELLS):
        middle = begin + (2 * cell + 1) * (end - begin) // (2 * CELLS)
        while place < len(strip) - 1 and strip[place].until <= middle:
            place += 1
        if counts and counts[-1][0] is strip[place]:
            counts[-1] = (strip[place], counts[-1][1] + 1)
        else:
            counts.append((strip[place], 1))
    return counts


def _told(strips: Sequence[Sequence[_Piece]], caption: Caption) -> str:
    """The picture in words, for those who cannot see it."""
    return ". ".join([caption.title, *("; ".join(piece.says for piece in strip) for strip in strips)])
