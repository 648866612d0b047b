"""How a simulation is shown: a table of each clock both ways, and every cycle that would have fared otherwise."""

from __future__ import annotations

from typing import Any

from bridge.report.facts import Period
from bridge.report.simulating import Difference, Outcome, Simulation, Tally
from bridge.sync.moments import for_programs, to_minute
from bridge.sync.ticket import Side

_COUNTS = ("met", "warned", "breached", "running")
_HEADINGS = ("met", "at risk", "missed", "open")


def as_rows(agreement: str, period: Period, found: Simulation) -> dict[str, Any]:
    """A simulation for ``--json``."""
    return {
        "agreement": agreement,
        "since": for_programs(period.since),
        "until": for_programs(period.until),
        "tickets": found.tickets,
        "clocks": {
            name: {"was": _tally(found.was.get(name)), "would": _tally(found.would.get(name))}
            for name in _clocks(found)
        },
        "differences": [
            {
                "internal": one.keys.get(Side.INTERNAL, ""),
                "vendor": one.keys.get(Side.VENDOR, ""),
                "clock": one.clock,
                "started": for_programs(one.started_at),
                "was": _outcome(one.was),
                "would": _outcome(one.would),
            }
            for one in found.differences
        ],
        "untold": list(found.untold),
    }


def told(agreement: str, period: Period, found: Simulation) -> str:
    """A simulation for people."""
    rows: list[tuple[str, ...]] = [("clock", "", *_HEADINGS)]
    for name in _clocks(found):
        rows += [
            (name, "as it was", *_cells(found.was.get(name))),
            ("", "would be", *_cells(found.would.get(name))),
        ]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines = [
        f"{found.tickets} tickets of {agreement}, {to_minute(period.since)} to {to_minute(period.until)}",
        "",
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
        "",
        f"{len(found.differences)} cycles would have fared otherwise" + (":" if found.differences else ""),
        *(_difference(one) for one in found.differences),
    ]
    if found.untold:
        lines.append(
            f"no stored history tells {', '.join(found.untold)}, because no policy in force asks for it: "
            "goals and triggers that need it were not applied"
        )
    return "\n".join(lines)


def _clocks(found: Simulation) -> list[str]:
    return list(dict.fromkeys((*found.was, *found.would)))


def _tally(tally: Tally | None) -> dict[str, int] | None:
    return None if tally is None else {name: getattr(tally, name) for name in _COUNTS}


def _cells(tally: Tally | None) -> tuple[str, ...]:
    return ("-",) * len(_COUNTS) if tally is None else tuple(str(getattr(tally, name)) for name in _COUNTS)


def _difference(one: Difference) -> str:
    keys = " = ".join(key for side in Side if (key := one.keys.get(side)))
    return f"  {keys} {one.clock} since {to_minute(one.started_at)}: {_words(one.was)} -> {_words(one.would)}"


def _words(outcome: Outcome | None) -> str:
    if outcome is None:
        return "no cycle"
    if outcome.breached_at is not None:
        return f"missed {to_minute(outcome.breached_at)}"
    return outcome.standing.value


def _outcome(outcome: Outcome | None) -> dict[str, str | None] | None:
    if outcome is None:
        return None
    missed = None if outcome.breached_at is None else for_programs(outcome.breached_at)
    return {"standing": outcome.standing.value, "breached": missed}
