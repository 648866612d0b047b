"""Deadlines per second of our calendar beside ``businesstimedelta``, on the same hours, holidays and questions."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import businesstimedelta
import holidays
import pytz
from rich.console import Console
from rich.table import Table

from bridge.sla.calendar import Calendar, CalendarRule

ZONE = "Europe/Copenhagen"
ROUNDS = 5
HOUR = 3_600_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print the table."""
    dice = random.Random(7)
    asked = [(START + timedelta(minutes=dice.randrange(500_000)), dice.randint(1, 80)) for _ in range(300)]
    office = Calendar(CalendarRule("office", ZONE, (*[((480, 960),)] * 5, (), ()), "DK"))
    rules = businesstimedelta.Rules(
        [
            businesstimedelta.WorkDayRule(
                start_time=datetime(2026, 1, 1, 8).time(),  # noqa: DTZ001 - a time of day
                end_time=datetime(2026, 1, 1, 16).time(),  # noqa: DTZ001 - likewise
                working_days=[0, 1, 2, 3, 4],
                tz=pytz.timezone(ZONE),
            ),
            businesstimedelta.HolidayRule(
                holidays.country_holidays("DK", years=range(2025, 2029)), tz=pytz.timezone(ZONE)
            ),
        ]
    )

    def ours() -> list[datetime]:
        return [
            datetime.fromtimestamp(found / 1e6, UTC)
            for when, hours in asked
            if (found := office.due(int(when.timestamp() * 1e6), hours * HOUR)) is not None
        ]

    def theirs() -> list[datetime]:
        return [
            (when + businesstimedelta.BusinessTimeDelta(rules, hours=hours)).astimezone(UTC)
            for when, hours in asked
        ]

    differ = sum(one != other for one, other in zip(ours(), theirs(), strict=True))
    mine, other = [], []
    for _ in range(ROUNDS):
        mine.append(rate(ours, len(asked)))
        other.append(rate(theirs, len(asked)))
    table = Table(title="Business deadlines per second", show_lines=False)
    for heading in ("", "median", "lowest", "highest"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, rates in (("this calendar", mine), ("businesstimedelta", other)):
        table.add_row(
            name, *(f"{figure:,.0f}" for figure in (statistics.median(rates), min(rates), max(rates)))
        )
    table.add_row("ratio", f"{statistics.median(mine) / statistics.median(other):,.0f}", "", "")
    console = Console(width=110)
    console.print(table)
    console.print(f"{differ} of {len(asked)} deadlines differ.")


def rate(work: Callable[[], object], many: int) -> float:
    """How many a second."""
    begun = time.perf_counter()
    work()
    return many / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
