"""Business calendars: when the clocks of an agreement can run at all.

A moment is open when a clock on the wall of the calendar's zone shows an open time of a day that is not closed. So an
hour that the wall clock skips does not exist, and one that it shows twice counts twice. That is a table of open
intervals in UTC with running sums, made for whole years as it is asked; every question is then a bisection. The rules
of all zones come from the ``tzdata`` package alone, and holidays from ``holidays``: every machine that runs this
version counts alike, whatever its system knows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from bridge.sla.policy import Policy

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Years that calendars know; nothing is open before or after."""

HORIZON = 10
"""Years (of 366 days) after its beginning within which a deadline is looked for."""

_MINUTE = 60_000_000
_DAY = 1_440 * _MINUTE
_SECOND = 1_000_000
_SAMPLE = 6 * 60 * _MINUTE
"""How often an offset is looked at for a change: no zone changes its own twice within so short a time."""

_FIRST_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """What a calendar is made of.

    Attributes:
        name: its name in bridge.yaml.
        zone: name of its time zone, e.g. ``Europe/Copenhagen``.
        hours: for Monday to Sunday the open spans of the day, (first minute, minute after the last), ascending and
            apart from each other; 24:00 is 1440.
        holidays: country, or country and subdivision (``DE-BY``), whose public holidays are closed; "" for none.
        added: further days that are closed: holidays of the house, closures.
        removed: public holidays that are not.
    """

    name: str
    zone: str
    hours: tuple[tuple[tuple[int, int], ...], ...]
    holidays: str = ""
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()

    @property
    def workday(self) -> int:
        """Microseconds of a working day: the open time of a week by the clock, shared out among its open weekdays."""
        open_days = [spans for spans in self.hours if spans]
        minutes = sum(end - begin for spans in open_days for begin, end in spans)
        return minutes * _MINUTE // len(open_days) if open_days else 0


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name, with the rules of the ``tzdata`` package.

    Raises:
        ValueError: there is no such zone.
    """
    *folders, last = name.split("/")
    place = resources.files("tzdata") / "zoneinfo"
    if not name or any(part in {"", ".", ".."} for part in (*folders, last)):
        raise ValueError(f"no time zone is called '{name}'")
    try:
        with place.joinpath(*folders, last).open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise ValueError(f"no time zone is called '{name}'") from None


def holidays_of(code: str, year: int) -> frozenset[date]:
    """The public holidays of a country (``DK``) or of a part of it (``DE-BY``) in a year.

    Raises:
        ValueError: the ``holidays`` package knows no such place.
    """
    import holidays  # noqa: PLC0415 - it takes a tenth of a second, and not every calendar has holidays

    country, _, part = code.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year).keys())
    except NotImplementedError:
        raise ValueError(f"no public holidays are known for '{code}'") from None


@dataclass(frozen=True, slots=True)
class _Table:
    """Open intervals of whole years, ascending and apart; ``sums``: what was open before each.

    ``first`` and ``last`` are the years, ``begin`` and ``end`` the moments at which they begin and end.
    """

    first: int
    last: int
    begin: int
    end: int
    since: tuple[int, ...]
    until: tuple[int, ...]
    sums: tuple[int, ...]

    def before(self, at: int) -> int:
        """Microseconds that are open from the table's beginning to that moment."""
        place = bisect_right(self.since, at) - 1
        return 0 if place < 0 else self.sums[place] + min(at, self.until[place]) - self.since[place]

    def due(self, start: int, budget: int) -> int | None:
        """The least instant by which so much was open since ``start``, if it is in the table."""
        goal = self.before(start) + budget
        place = bisect_left(self.sums, goal) - 1
        if place < 0:
            return None
        found = self.since[place] + goal - self.sums[place]
        return found if found <= self.until[place] else None


_EMPTY = _Table(0, -1, 0, 0, (), (), ())


class Calendar:
    """When clocks run; shared by all threads.

    Args:
        rule: what it is made of.

    Raises:
        ValueError: no day of its week is open, or its zone or country is not known.
    """

    def __init__(self, rule: CalendarRule) -> None:
        if not any(rule.hours):
            raise ValueError(f"calendar '{rule.name}' is never open")
        self.rule = rule
        self._zone = zone_of(rule.zone)
        self._table = _EMPTY
        if rule.holidays:
            holidays_of(rule.holidays, 2026)

    def elapsed(self, start: int, end: int) -> int:
        """Microseconds that are open in [start, end); 0 when that is empty."""
        if end <= start:
            return 0
        table = self._covering(start, end)
        return table.before(end) - table.before(start)

    def due(self, start: int, budget: int) -> int | None:
        """The least instant from ``start`` on by which ``budget`` microseconds were open.

        A budget that is used up at closing time is due then, not at the next opening. None: not within ten years,
        however far the table reaches by now: the answer must not depend on what was asked before.
        """
        if budget <= 0:
            return start
        horizon = start + HORIZON * 366 * _DAY
        found = self._covering(start, start).due(start, budget)
        if found is None:
            found = self._covering(start, horizon).due(start, budget)
        return found if found is not None and found <= horizon else None

    def is_open(self, at: int) -> bool:
        """Whether clocks run at that moment: an interval begins with its first instant and ends before its last."""
        table = self._covering(at, at)
        place = bisect_right(table.since, at) - 1
        return place >= 0 and at < table.until[place]

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The open intervals within [start, end), cut to it."""
        if end <= start:
            return []
        table = self._covering(start, end)
        places = range(bisect_right(table.until, start), bisect_left(table.since, end))
        return [(max(table.since[one], start), min(table.until[one], end)) for one in places]

    def _covering(self, start: int, end: int) -> _Table:
        """A table that has all years from ``start`` to ``end``, as far as calendars know years."""
        table = self._table
        if table.begin <= start and end < table.end:
            return table
        first, last = (max(FIRST_YEAR, min(_year(one), LAST_YEAR)) for one in (start, end))
        if table.first <= first and last <= table.last:
            return table
        if table.last >= table.first:
            first, last = min(first, table.first), max(last, table.last)
        # Two threads may both make one, and the smaller may be kept: it is made larger when somebody asks again.
        self._table = made = self._made(first, last)
        return made

    def _made(self, first: int, last: int) -> _Table:
        since: list[int] = []
        until: list[int] = []
        for begin, end in self._intervals(first, last):
            if until and until[-1] == begin:
                until[-1] = end
            else:
                since.append(begin)
                until.append(end)
        sums, total = [], 0
        for begin, end in zip(since, until, strict=True):
            sums.append(total)
            total += end - begin
        begin, end = _new_year(first), _new_year(last + 1)
        return _Table(first, last, begin, end, tuple(since), tuple(until), tuple(sums))

    def _intervals(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The open intervals of whole years, ascending; two may touch."""
        closed = self._closed(first - 1, last + 1)
        for begin, end, offset in self._stretches(_new_year(first), _new_year(last + 1)):
            day = (begin + offset) // _DAY
            while day * _DAY < end + offset:
                when = _FIRST_DAY + timedelta(days=day)
                midnight = day * _DAY - offset
                for opens, closes in () if when in closed else self.rule.hours[when.weekday()]:
                    since, until = midnight + opens * _MINUTE, midnight + closes * _MINUTE
                    if since < end and until > begin:
                        yield max(since, begin), min(until, end)
                day += 1

    def _stretches(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """[start, end) cut where the zone's offset changes: (since, until, offset in microseconds)."""
        begin, offset = start, self._offset(start)
        for sample in range(start + _SAMPLE, end + _SAMPLE, _SAMPLE):
            if self._offset(sample) == offset:
                continue
            early, late = sample - _SAMPLE, sample
            while late - early > _SECOND:  # rules change at whole seconds
                middle = (early + late) // 2 // _SECOND * _SECOND
                early, late = (middle, late) if self._offset(middle) == offset else (early, middle)
            if late >= end:
                break
            yield begin, late, offset
            begin, offset = late, self._offset(sample)
        yield begin, end, offset

    def _offset(self, at: int) -> int:
        shown = (_EPOCH + timedelta(microseconds=at)).astimezone(self._zone).utcoffset()
        assert shown is not None, "every zone has an offset"
        return round(shown.total_seconds()) * _SECOND

    def _closed(self, first: int, last: int) -> frozenset[date]:
        rule, days = self.rule, frozenset[date]()
        if rule.holidays:
            days = frozenset().union(*(holidays_of(rule.holidays, year) for year in range(first, last + 1)))
        return (days - rule.removed) | rule.added


def calendars_of(policy: Policy) -> Mapping[str, Calendar]:
    """The calendars of a policy by name; the same rule is the same calendar, whose table is made once."""
    return {name: _calendar(rule) for name, rule in policy.calendars.items()}


@lru_cache(maxsize=256)
def _calendar(rule: CalendarRule) -> Calendar:
    return Calendar(rule)


def _year(at: int) -> int:
    """The year of a moment, in UTC. A time beyond what a date can say is at the end of what is known."""
    try:
        return (_EPOCH + timedelta(microseconds=at)).year
    except OverflowError:
        return FIRST_YEAR if at < 0 else LAST_YEAR


def _new_year(year: int) -> int:
    """The first moment of a year, in UTC."""
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
