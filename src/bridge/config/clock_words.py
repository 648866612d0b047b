"""The sorts of text that calendars, clocks and ladders take: times of day, days, goals, points, triggers, shares.

As in ``words``, each refuses in the operator's words. What a value means only together with others (a working day of
a calendar, a value of a field) is worked out by the checks; here it is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from bridge.clock import SECOND
from bridge.config.findings import did_you_mean
from bridge.config.words import Text, misfit
from bridge.sla.policy import Happening, Trigger
from bridge.sync.ticket import Side

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week, as hours name them."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""The same in full, as a digest names them."""

MIDNIGHT = 1_440
"""Minutes of a day; written 24:00 as the end of a span."""

_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_PART = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}
_WALL = _UNITS | {"d": 86_400 * SECOND, "w": 604_800 * SECOND}
_LONGEST_CLOSURE = 366
_HIGHEST_POINT = 1_000
"""Per cent of a goal at which a step of the ladder may still be taken."""

_SIDED = r"(?:(?P<side>vendor|internal)-)?"
_COMMENT = re.compile(rf"(?:(?:first|last|next)-)?{_SIDED}comment")
_OWNER = re.compile(rf"{_SIDED}owner")
_ACKNOWLEDGED = re.compile(rf"{_SIDED}acknowledged")
_PLAIN = {word: Happening(word) for word in ("created", "resolved", "reopened")}
_TRIGGERS = (
    *_PLAIN,
    "acknowledged",
    *(
        f"{order}{side}comment"
        for order in ("first-", "next-", "last-", "")
        for side in ("vendor-", "internal-", "")
    ),
    *(f"{side}owner" for side in ("vendor-", "internal-", "")),
)


def minute_of_day(text: str) -> int | None:
    """Minutes since midnight, at most 1440; None for what is no time of day."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2])
    total = hours * 60 + minutes
    return total if minutes < 60 and total <= MIDNIGHT else None  # noqa: PLR2004 - minutes of an hour


def span_of(text: str) -> tuple[int, int] | None:
    """Two times of day with a dash between them; None for anything else."""
    since, dash, until = text.partition("-")
    first, last = minute_of_day(since), minute_of_day(until)
    return (first, last) if dash and first is not None and last is not None else None


def days_of(text: str) -> tuple[int, ...] | None:
    """The days that ``mon``, ``mon-thu``, ``sat-mon`` or ``mon, wed`` name, Monday 0; None for anything else."""
    days: list[int] = []
    for part in text.casefold().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            return None
        start, end = DAYS.index(first), DAYS.index(last) if dash else DAYS.index(first)
        days.extend((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(days)


def dates_of(text: str) -> Iterator[date]:
    """The dates of ``2026-12-24`` or ``2026-12-27..2026-12-30``, a text that has been checked."""
    first, _, last = text.partition("..")
    day = date.fromisoformat(first)
    end = date.fromisoformat(last) if last else day
    while day <= end:
        yield day
        day += timedelta(days=1)


def _dates(value: str) -> str:
    first, dots, last = (part.strip() for part in value.partition(".."))
    try:
        since, until = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise misfit(
            f"'{value}' is not a date", "write e.g. 2026-12-24, or 2026-12-27..2026-12-30 for several"
        ) from None
    if until < since:
        raise misfit(f"'{value}' ends before it begins", f"did you mean {last}..{first}?")
    if (until - since).days >= _LONGEST_CLOSURE:
        raise misfit(f"'{value}' is longer than a year", "write a span of days, e.g. 2026-12-27..2026-12-30")
    return f"{since}..{until}" if dots else str(since)


def amounts(text: str) -> list[tuple[float, str]]:
    """The parts of a duration, (amount, unit); a text that has been checked."""
    return [(float(amount), unit) for amount, unit in _PART.findall(text)]


def on_calendar(text: str, day: int, week: int) -> int:
    """Microseconds of a goal on a calendar.

    Args:
        text: the goal, checked.
        day: microseconds of one of the calendar's working days.
        week: microseconds that it is open in a week.
    """
    units = _UNITS | {"d": day, "w": week}
    return round(sum(amount * units[unit] for amount, unit in amounts(text)))


def _goal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        raise misfit(f"'{value}' has no unit", f"did you mean '{text}h'?")
    if not re.fullmatch(rf"(?:{_PART.pattern})+", text):
        raise misfit(
            f"'{value}' is not a time to reach", "write e.g. 15m, 4h, 1h30m, or 5d for five working days"
        )
    if not any(amount for amount, _ in amounts(text)):
        raise misfit("must be longer than nothing", "write e.g. 15m")
    return text


def point_of(text: str) -> tuple[float | None, int | None]:
    """Where a step of the ladder is: (share of the goal, None) or (None, microseconds after it); a checked text."""
    if found := _PERCENT.fullmatch(text):
        return float(found[1]) / 100, None
    return None, round(sum(amount * _WALL[unit] for amount, unit in amounts(text)))


def _point(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = "".join(value.split())
    right = "write a share of the goal, e.g. 80%, or a time after it, e.g. +2h"
    if found := _PERCENT.fullmatch(text):
        if not 0 < float(found[1]) <= _HIGHEST_POINT:
            raise misfit(f"{value} is out of range", "write more than 0% and at most 1000%, or e.g. +2h")
        return text
    if re.fullmatch(rf"(?:{_PART.pattern})+", text):
        raise misfit(f"'{value}' could be before or after the goal is missed", f"did you mean '+{text}'?")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        raise misfit(f"'{value}' has no unit", f"did you mean '{text}%'?")
    if not re.fullmatch(rf"\+(?:{_PART.pattern})+", text):
        raise misfit(f"'{value}' is not a point of a ladder", right)
    if not any(amount for amount, _ in amounts(text)):
        raise misfit("the goal itself is 100%", "did you mean '100%'?")
    return text


def _part(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _PERCENT.fullmatch(value.strip())
    if found is None:
        raise misfit(f"'{value}' is not a share", "write e.g. 80%")
    if not 0 < float(found[1]) <= 100:  # noqa: PLR2004 - per cent
        raise misfit(f"{value} is out of range", "write more than 0% and at most 100%")
    return float(found[1]) / 100


def _warnings(value: Any) -> Any:
    if value == "off":
        return []
    return [value] if isinstance(value, str) else value


def trigger_of(word: str) -> Trigger:
    """What a word of a trigger stands for; a text that has been checked."""
    if word in _PLAIN:
        return Trigger(_PLAIN[word], words=word)
    kinds = (
        (_COMMENT, Happening.COMMENT),
        (_OWNER, Happening.OWNED),
        (_ACKNOWLEDGED, Happening.ACKNOWLEDGED),
    )
    found, what = next((found, what) for pattern, what in kinds if (found := pattern.fullmatch(word)))
    return Trigger(what, Side(found["side"]) if found["side"] else None, words=word)


def _trigger(value: str) -> str:
    if value in _PLAIN or any(way.fullmatch(value) for way in (_COMMENT, _OWNER, _ACKNOWLEDGED)):
        return value
    raise misfit(
        f"'{value}' starts or stops no clock",
        did_you_mean(
            value,
            _TRIGGERS,
            otherwise="one of created, resolved, reopened, acknowledged, vendor-comment, vendor-owner, "
            "{status: ...} or {field: ..., becomes: ...}",
        ),
    )


def quiet_of(text: str) -> tuple[int, int, str]:
    """First minute, minute after the last, and zone of quiet hours; a text that has been checked."""
    hours, _, zone = text.partition(" ")
    span = span_of(hours)
    assert span is not None, "the shape has checked it"
    return (*span, zone)


def _quiet(value: str) -> str:
    hours, _, zone = value.strip().partition(" ")
    span, zone = span_of(hours), zone.strip()
    right = 'write e.g. "20:00-07:00 Europe/Copenhagen"'
    if span is None:
        raise misfit(f"'{value}' are no quiet hours", right)
    if span[0] % MIDNIGHT == span[1] % MIDNIGHT:
        raise misfit(f"'{value}' leaves no hour in which a mail could go", right)
    if not zone:
        raise misfit(f"'{value}' does not say in which time zone", right)
    return f"{hours} {zone}"


def weekly_of(text: str) -> tuple[int, int]:
    """Weekday (Monday 0) and minute of the day; a text that has been checked."""
    day, _, time = text.partition(" ")
    minute = minute_of_day(time)
    assert minute is not None, "the shape has checked it"
    return WEEKDAYS.index(day), minute


def _weekly(value: str) -> str:
    day, _, time = value.strip().casefold().partition(" ")
    if day not in WEEKDAYS:
        full = next((known for known in WEEKDAYS if day[:3] == known[:3]), "monday")
        raise misfit(f"'{value}' does not begin with a day of the week", f"write e.g. {full} 08:00")
    minute = minute_of_day(time)
    if minute is None or minute == MIDNIGHT:
        raise misfit(f"'{value}' does not say at what time", f"write e.g. {day} 08:00")
    return f"{day} {time.strip()}"


Dates = Annotated[Text, AfterValidator(_dates)]
"""A date, or the first and last of several: ``2026-12-27..2026-12-30``."""

Goal = Annotated[Text, BeforeValidator(_goal)]
"""A time to reach; ``d`` and ``w`` are those of a calendar."""

Point = Annotated[Text, BeforeValidator(_point)]
"""A share of a goal, or a time after it: ``80%``, ``+2h``."""

Part = Annotated[float, BeforeValidator(_part)]
"""A share, in per cent."""

Warnings = Annotated[tuple[Part, ...], BeforeValidator(_warnings)]
"""One share, or a list of them; ``off`` for none."""

TriggerWord = Annotated[Text, AfterValidator(_trigger)]
"""A word for what starts or stops a clock."""

QuietHours = Annotated[Text, AfterValidator(_quiet)]
"""A span of the day and a time zone: ``20:00-07:00 Europe/Copenhagen``."""

Weekly = Annotated[Text, AfterValidator(_weekly)]
"""A day of the week and a time of the day: ``monday 08:00``."""
