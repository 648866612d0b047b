"""Names of time zones: those of the ``tzdata`` package, whatever the machine has beside it."""

from __future__ import annotations

from functools import cache
from importlib import resources

from bridge.config.findings import Path, did_you_mean
from bridge.config.source import Source

_SHORTEST_PLACE = 7
"""Characters: what is shorter is an abbreviation, not a slip in a place's name."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def check_zone(name: str, at: Path, source: Source) -> bool:
    """Whether there is such a time zone; one that there is not goes to the source's findings.

    Args:
        name: what the file says.
        at: where it says it.
        source: the file.
    """
    if name in _zones():
        return True
    # Abbreviations say nothing of summer time, and Etc/GMT+2 lies west of Greenwich: neither is ever meant.
    places = [zone for zone in sorted(_zones()) if "/" in zone and not zone.startswith("Etc/")]
    right = "write the name of a place, like Europe/Copenhagen, or UTC"
    fix = did_you_mean(name, places, otherwise=right) if len(name) >= _SHORTEST_PLACE else right
    source.problem(at, f"there is no time zone '{name}'", fix)
    return False
