"""Business calendars: when the clocks of an agreement can run at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
