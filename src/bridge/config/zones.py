"""Names of time zones: those of the ``tzdata`` package, whatever the machine has beside it."""

from __future__ import annotations

from functools import cache
from importlib import resources

from bridge.config.findings import Path, did_you_mean
from bridge.config.source import Source


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
    source.problem(
        at,
        f"there is no time zone '{name}'",
        did_you_mean(name, sorted(_zones()), otherwise="write a name like Europe/Copenhagen, or UTC"),
    )
    return False
