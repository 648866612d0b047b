"""Quiet hours: until when somebody is not to be mailed for what can wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.sla.calendar import zone_of
from bridge.sync.roles import Quiet

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 1_440


def quiet_until(quiet: Quiet | None, now: int) -> int | None:
    """When the quiet hours end that it is in; None outside of them.

    By the wall clock of their zone: the night in which clocks are turned is an hour shorter or longer.

    Args:
        quiet: the hours; None for none.
        now: microseconds.
    """
    if quiet is None:
        return None
    zone = zone_of(quiet.zone)
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(zone)
    minute = local.hour * 60 + local.minute
    start, end = quiet.start_minute, quiet.end_minute
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if end <= start <= minute or end == _DAY else 0)
    hour, rest = divmod(end % _DAY, 60)
    ends = datetime(day.year, day.month, day.day, hour, rest, tzinfo=zone)
    return max(now, (ends - _EPOCH) // timedelta(microseconds=1))
