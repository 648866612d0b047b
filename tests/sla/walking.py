"""An oracle for calendars that shares no code with them: it walks minute by minute and looks at the clock on the wall.

A calendar is plain data here: ``{"zone": ..., "week": {weekday: [(first minute, minute after the last)]}, "closed":
{"2026-12-24", ...}}``. Zones come from the same release of the rules as the product's, by the standard library.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

MINUTE = 60_000_000
"""Microseconds."""

ZONES = (
    "Europe/Copenhagen",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Asuncion",
    "America/Havana",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Tokyo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
)
"""With gaps at midnight (Beirut, Cairo, Havana, Asuncion), half hours, three quarters, a half-hour summer time."""


@cache
def zone(name: str) -> ZoneInfo:
    """The zone."""
    file = resources.files("tzdata.zoneinfo")
    for part in name.split("/"):
        file = file / part
    with file.open("rb") as opened:
        return ZoneInfo.from_file(opened, key=name)


def wall(name: str, minute: int) -> datetime:
    """What the clock on the wall shows in a minute since 1970 (UTC)."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).astimezone(zone(name))


def open_minute(calendar: dict, minute: int) -> bool:
    """Whether a minute is open."""
    shown = wall(calendar["zone"], minute)
    if shown.date().isoformat() in calendar["closed"]:
        return False
    clock = shown.hour * 60 + shown.minute
    return any(first <= clock < last for first, last in calendar["week"].get(shown.weekday(), ()))


def open_minutes(calendar: dict, first: int, last: int) -> bytes:
    """One byte for each minute in [first, last): 1 where it is open."""
    return bytes(open_minute(calendar, minute) for minute in range(first, last))


def changes(name: str, first_year: int, last_year: int) -> list[int]:
    """The minutes in which the zone's offset becomes another one, found by walking hour by hour, then by minute."""
    found = []
    begin = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp()) // 60
    end = int(datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp()) // 60
    before = wall(name, begin).utcoffset()
    for hour in range(begin + 60, end, 60):
        now = wall(name, hour).utcoffset()
        if now != before:
            found.append(
                next(one for one in range(hour - 59, hour + 1) if wall(name, one).utcoffset() == now)
            )
        before = now
    return found
