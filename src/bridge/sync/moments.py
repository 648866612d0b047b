"""How a moment is written for people: in UTC, to the minute or to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_minute(moment: int) -> str:
    """A moment (microseconds UTC) as ``2026-11-25 09:30 UTC``."""
    return _written(moment, "%Y-%m-%d %H:%M UTC")


def to_second(moment: int) -> str:
    """A moment (microseconds UTC) as ``2026-11-25 09:30:07 UTC``."""
    return _written(moment, "%Y-%m-%d %H:%M:%S UTC")


def for_programs(moment: int) -> str:
    """A moment (microseconds UTC) as ``2026-11-25 09:30:07Z``, which programs read as well."""
    return _written(moment, "%Y-%m-%d %H:%M:%SZ")


def _written(moment: int, form: str) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=moment)).strftime(form)
    except OverflowError:  # what a tracker tells is not always a time
        return "at an unknown time"
