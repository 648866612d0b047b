"""The business calendars of ``bridge.yaml``: hours that make sense, zones, countries and days that exist."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bridge.config.calendar_shape import CalendarShape
from bridge.config.clock_words import DAYS, MIDNIGHT, dates_of, days_of, minute_of_day, span_of
from bridge.config.findings import Path, did_you_mean
from bridge.config.shape import BridgeShape
from bridge.config.source import Source
from bridge.config.zones import check_zone
from bridge.sla.calendar import CalendarRule

Spans = tuple[tuple[int, int], ...]

_WHOLE_DAY: Spans = ((0, MIDNIGHT),)

ALWAYS = CalendarRule("always", "UTC", (_WHOLE_DAY,) * 7)
"""The calendar that is always there, and never closed."""


def settle_calendars(shape: BridgeShape, source: Source) -> dict[str, CalendarRule]:
    """The calendars by name, flawed ones too; what is wrong goes to the source's findings."""
    calendars = {ALWAYS.name: ALWAYS}
    for name, calendar in shape.calendars.items():
        rule = _settle(name, calendar, source)
        if name == ALWAYS.name and (rule.hours != ALWAYS.hours or rule.holidays or rule.added):
            source.problem(
                ("calendars", name),
                "'always' is open day and night",
                "give this one another name",
                key=True,
            )
            continue
        calendars[name] = rule
    return calendars


def _settle(name: str, calendar: CalendarShape, source: Source) -> CalendarRule:
    at: Path = ("calendars", name)
    if calendar.zone:
        check_zone(calendar.zone, (*at, "zone"), source)
    added = _days(calendar.closed, (*at, "closed"), source)
    removed = _days(calendar.open, (*at, "open"), source)
    for day in sorted(added.keys() & removed.keys()):
        line = source.line(added[day])
        source.problem(removed[day], f"{day} is closed on line {line}", "keep it in one of the two lists")
    _check_holidays(calendar, removed, at, source)
    hours = _hours(calendar, (*at, "hours"), source)
    _check_worked(removed, hours, at, source)
    return CalendarRule(
        name=name,
        zone=calendar.zone,
        hours=hours,
        holidays=calendar.holidays,
        added=frozenset(added),
        removed=frozenset(removed),
    )


def _hours(calendar: CalendarShape, at: Path, source: Source) -> tuple[Spans, ...]:
    """The open spans of each day of the week."""
    week: dict[int, Spans] = {}
    said: dict[int, str] = {}
    for words, spans in calendar.hours.items():
        here = (*at, words)
        days = days_of(words)
        if days is None:
            nearest = did_you_mean(words, DAYS, otherwise="write e.g. mon, mon-thu, or 'sat, sun'")
            source.problem(here, f"'{words}' are no days of the week", nearest, key=True)
            continue
        for day in days:
            if day in said:
                twice = "in this line" if said[day] == words else f"under '{said[day]}'"
                source.problem(
                    here, f"{DAYS[day]} already has its hours {twice}", "give each day once", key=True
                )
                break
        opened = _spans(spans, here, source)
        for day in days:
            said.setdefault(day, words)
            week.setdefault(day, opened)
    if calendar.hours == {} and "hours" in calendar.model_fields_set and source.sound(at):
        source.problem(
            at, "it is never open: no clock could run on it", 'write e.g. {mon-fri: "08:00-16:00"}', key=True
        )
    return tuple(week.get(day, ()) for day in range(7))


def _spans(text: str, at: Path, source: Source) -> Spans:
    """The spans of a day, in order; those that touch are one."""
    spans: list[tuple[int, int]] = []
    for part in text.split(","):
        words = part.strip()
        span = span_of(words)
        if span is None:
            source.problem(at, f"'{words}' are no hours", _nearest(words))
            return _WHOLE_DAY
        if span[0] >= span[1]:
            since, _, until = (word.strip() for word in words.partition("-"))
            overnight = f"for a night, write {since}-24:00 here and 00:00-{until} on the next day"
            fix = overnight if 0 < span[1] < span[0] else f"write e.g. {since}-24:00"
            source.problem(at, f"'{words}' ends before it begins", fix)
            return _WHOLE_DAY
        spans.append(span)
    spans.sort()
    joined = spans[:1]
    for first, last in spans[1:]:
        if first < joined[-1][1]:
            source.problem(
                at,
                f"its spans overlap: the one from {_time(first)} begins before {_time(joined[-1][1])}",
                "write them one after the other, e.g. 08:00-12:00, 12:30-16:00",
            )
            return _WHOLE_DAY
        if first == joined[-1][1]:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return tuple(joined)


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _nearest(words: str) -> str:
    """What was probably meant by hours that are none."""
    parts = [part.strip().replace(".", ":") for part in words.split("-")]
    whole = [part if ":" in part else f"{part}:00" for part in parts]
    minutes = [minute_of_day(part) for part in whole]
    if len(minutes) == 2 and None not in minutes:  # noqa: PLR2004 - a beginning and an end
        return f"did you mean '{'-'.join(whole)}'?"
    return "write e.g. 08:00-12:00, 12:30-16:00; a day ends at 24:00"


def _days(given: Iterable[str], at: Path, source: Source) -> dict[date, Path]:
    """Each day of a list, and the place that names it."""
    days: dict[date, Path] = {}
    if not source.sound(at):
        return days  # what is left of the list has lost its places
    for position, words in enumerate(given):
        here: Path = (*at, position)
        for day in dates_of(words):
            if days.setdefault(day, here) != here:
                line = source.line(days[day])
                source.problem(here, f"{day} already stands on line {line}", "give each day once")
                break
    return days


def _check_holidays(calendar: CalendarShape, removed: dict[date, Path], at: Path, source: Source) -> None:
    """The country must be known; without one there is no holiday to be worked."""
    if not calendar.holidays:
        for place in dict.fromkeys(removed.values()):
            source.problem(
                place,
                "without 'holidays' no public holiday is closed: there is none to be worked",
                "name the country, e.g. 'holidays: DK', or remove it",
            )
        return
    import holidays  # noqa: PLC0415 - it takes a tenth of a second, and not every calendar has holidays

    country, _, part = calendar.holidays.partition("-")
    here: Path = (*at, "holidays")
    countries = holidays.registry.COUNTRIES
    if country not in {code for _, code, *_ in countries.values()}:
        known = {word.casefold(): names[1] for key, names in countries.items() for word in (key, *names)}
        meant = known.get(country.casefold().replace(" ", "_"))
        right = "write the country's two letters, e.g. DK, or DE-BY for a part of it"
        source.problem(
            here, f"no holidays of '{country}' are known", f"did you mean '{meant}'?" if meant else right
        )
        return
    parts = getattr(holidays, country).subdivisions
    if part and part not in parts:
        fix = did_you_mean(part.upper(), parts) if parts else f"write '{country}'"
        source.problem(here, f"'{country}' has no part '{part}'", fix)


def _check_worked(removed: dict[date, Path], hours: tuple[Spans, ...], at: Path, source: Source) -> None:
    """A holiday is worked in the hours of its day of the week: there must be some.

    Whether the day is a holiday is not asked: if it is none, it is open as it should be, and countries change theirs.
    """
    if not source.sound((*at, "hours")):
        return
    for place in dict.fromkeys(removed.values()):
        days = [day for day, where in removed.items() if where == place]
        if not any(hours[day.weekday()] for day in days):
            source.problem(
                place,
                f"no hours are given for {DAYS[days[0].weekday()]}: it stays closed",
                "give that day hours, or remove it",
            )
