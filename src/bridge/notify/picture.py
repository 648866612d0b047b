"""The picture of a ticket's time: who had to act when, whether a clock ran, and where its goal was missed.

Three forms of the same strips. SVG for pages and files; a table of coloured cells for mail, because most mail programs
drop SVG and many show no images, while cells need nothing; and a line of letters for plain text. Colours never say
anything alone: each party has a letter and a pattern of its own as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

from bridge.sla.policy import Owner
from bridge.sla.verdict import BallSpan, Cycle, Verdict

CELLS = 48
"""Cells of a strip in a mail: enough to see an hour of two days, few enough for a phone."""

LONGEST = 20
"""Stretches of a strip that are told in words, the latest ones: a mail beyond 100 kB is cut off by its readers."""

_COLOURS = {Owner.INTERNAL: "#2b6cb0", Owner.VENDOR: "#c05621", Owner.NOBODY: "#cbd5e0"}
"""Apart in lightness too, so that they can be told without seeing colours."""

_LETTERS = {Owner.INTERNAL: "I", Owner.VENDOR: "V", Owner.NOBODY: "-"}
_RUNS, _STANDS, _BREACH = "#2f855a", "#e2e8f0", "#c53030"
_DARK, _LIGHT = "#1a202c", "#fff"
_PALE = frozenset({_COLOURS[Owner.NOBODY], _STANDS})
"""Colours on which letters and patterns are dark."""

_PATTERNS = {"V": "stripes", "-": "dots", ".": "rules"}
"""Letter -> the pattern of its stretches; the others are plain."""

_NAMED = 24
"""Characters of a party's name under the picture; its stretches say it in full."""

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
    """A stretch of a strip: from where to where (microseconds), its colour, its letter, and what it stands for."""

    since: int
    until: int
    colour: str
    letter: str
    kind: str

    @property
    def ink(self) -> str:
        """The colour of what is written on it."""
        return _DARK if self.colour in _PALE else _LIGHT

    def says(self, caption: Caption) -> str:
        """It in words."""
        return f"{self.kind}: {caption.moment(self.since)} - {caption.moment(self.until)}"


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
            f'<circle cx="2" cy="2" r="1.2" fill="{_DARK}" fill-opacity=".5"/></pattern>'
            '<pattern id="rules" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect width="1" height="6" fill="{_DARK}" fill-opacity=".35"/></pattern></defs>'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14" fill="#1a202c">{escape(caption.title)}</text>',
    ]
    top = 30
    for strip in strips:
        for piece in strip:
            left = _across(piece.since, begin, end)
            width = max(0.5, _across(piece.until, begin, end) - left)
            place = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}"'
            parts.append(f"<g><title>{escape(piece.says(caption))}</title>{_filled(place, piece)}</g>")
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
            f'<td bgcolor="{piece.colour}" width="{round(100 * many / CELLS)}%" title="{escape(piece.says(caption))}" '
            f'style="background:{piece.colour};color:{piece.ink};font-size:11px;text-align:center;padding:4px 0">'
            f"{escape(piece.letter)}</td>"
            for piece, many in _shared(strip, begin, end)
        ]
        legend = " &nbsp; ".join(
            f'<span style="background:{one.colour};color:{one.ink};padding:0 4px">{escape(one.letter)}</span> '
            f"{escape(one.kind)}"
            for one in _kinds(strip)
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
        before = round(100 * (_cell(cycle.breached_at, begin, end) + 1) / CELLS)
        mark = (
            '<table role="presentation" width="100%" cellspacing="0" cellpadding="0" '
            'style="width:100%;border-collapse:collapse;table-layout:fixed"><tr>'
            f'<td width="{before}%" style="color:{_BREACH};text-align:right;line-height:1">&#9650;</td><td></td>'
            f'</tr></table><p style="margin:2px 0;color:{_BREACH}"><b>&#9650; {words}</b></p>'
        )
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
        meanings = ", ".join(f"{one.letter} {one.kind}" for one in _kinds(strip))
        lines += [f"|{bar}|", f" {meanings}"]
    if cycle is not None and cycle.breached_at is not None:
        lines.append(f"{' ' * (1 + _cell(cycle.breached_at, begin, end))}^")
        lines.append(f" ^ {caption.breach}: {caption.moment(cycle.breached_at)}")
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
                    caption.runs if one.runs else caption.stands,
                )
                for one in cycle.segments
            ]
        )
    return [_joined(strip) for strip in strips if strip]


def _joined(strip: Sequence[_Piece]) -> list[_Piece]:
    """Neighbours that look the same are one: what they differ in is told elsewhere."""
    joined: list[_Piece] = []
    for piece in strip:
        if joined and (joined[-1].letter, joined[-1].until) == (piece.letter, piece.since):
            joined[-1] = replace(joined[-1], until=piece.until)
        else:
            joined.append(piece)
    return joined


def _within(ball: Sequence[BallSpan], begin: int, end: int) -> list[BallSpan]:
    return [
        BallSpan(max(one.since, begin), min(one.until, end), one.owner, one.why, one.event)
        for one in ball
        if one.until > begin and one.since < end
    ]


def _ball(one: BallSpan, caption: Caption) -> _Piece:
    owner = one.owner
    return _Piece(one.since, one.until, _COLOURS[owner], _LETTERS[owner], caption.owners[owner])


def _kinds(strip: Sequence[_Piece]) -> list[_Piece]:
    """What a strip's colours and letters mean, each once."""
    return list({piece.letter: piece for piece in strip}.values())


def _filled(place: str, piece: _Piece) -> str:
    """A box in the colour and the pattern of a stretch."""
    plain = f'<rect {place} fill="{piece.colour}"/>'
    pattern = _PATTERNS.get(piece.letter)
    return plain if pattern is None else f'{plain}<rect {place} fill="url(#{pattern})"/>'


def _cell(at: int, begin: int, end: int) -> int:
    """In which cell a moment lies."""
    return min(CELLS - 1, (min(max(at, begin), end) - begin) * CELLS // (end - begin))


def _across(at: int, begin: int, end: int) -> float:
    return _LEFT + (_WIDTH - 2 * _LEFT) * (min(max(at, begin), end) - begin) / (end - begin)


def _legend(strip: Sequence[_Piece], top: int) -> str:
    left, parts = _LEFT, []
    for one in _kinds(strip):
        says = one.kind if len(one.kind) <= _NAMED else one.kind[: _NAMED - 1] + "…"
        box = _filled(f'x="{left}" y="{top - 9}" width="14" height="10"', one)
        parts.append(f'{box}<text x="{left + 19}" y="{top}" fill="{_DARK}">{escape(says)}</text>')
        left += 44 + 7 * len(says)
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
    told = [caption.title]
    for strip in strips:
        latest = [piece.says(caption) for piece in strip[-LONGEST:]]
        told.append("; ".join(latest if len(latest) == len(strip) else ["…", *latest]))
    return ". ".join(told)
