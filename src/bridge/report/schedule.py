"""When a weekly report is due: at a time of the wall clock of a zone, whatever that clock does in spring and autumn.

A time that the wall clock skips is taken when it would have been had the clock not been put forward; one that it shows
twice is taken the first time. So there is exactly one such moment in each week. Pure.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bridge.config.settings import Digest
from bridge.sla.calendar import zone_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def latest(rule: Digest, now: int) -> int:
    """The newest moment at or before now (microseconds) at which the report is due."""
    day = _day(rule, now) + timedelta(
        days=1
    )  # a day ahead: the skipped time may lie on another day of the wall
    day -= timedelta(days=(day.weekday() - rule.weekday) % 7)
    while _moment(rule, day) > now:
        day -= timedelta(days=7)
    return _moment(rule, day)


def following(rule: Digest, moment: int) -> int:
    """The first moment after the given one at which the report is due."""
    return _moment(rule, _day(rule, latest(rule, moment)) + timedelta(days=7))


def preceding(rule: Digest, moment: int) -> int:
    """The newest moment before the given one at which the report was due."""
    return latest(rule, moment - 1)


def name(rule: Digest, moment: int) -> str:
    """What the report of that moment is called: the date on which it was due, in its zone."""
    return _day(rule, moment).isoformat()


def _day(rule: Digest, moment: int) -> date:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone_of(rule.zone)).date()


def _moment(rule: Digest, day: date) -> int:
    wall = datetime.combine(day, time(rule.minute // 60, rule.minute % 60), zone_of(rule.zone))
    return (wall.astimezone(UTC) - _EPOCH) // _MICROSECOND
