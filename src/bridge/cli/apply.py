"""``bridge apply FILE``: carry out a saved plan, exactly, and refuse line by line where the world has moved."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from bridge.cli.options import config_option, json_option, log_option, print_json, progress_bar, read_settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
@log_option
def command(file: Path, *, config: Path, as_json: bool) -> None:
    """Carry out the plan in FILE, which 'bridge plan -o FILE' has saved, in whatever mode its agreements are.

    Both tickets of each line are read by id and decided about anew; a line is carried out only if that gives exactly
    what was planned, and refused otherwise. Nothing else is written. Not beside a running daemon.

    Ends with 1 when a line was refused, with 3 when a tracker could not be worked with.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.admitting import admit
    from bridge.daemon.applying import carry_out
    from bridge.daemon.opening import close_house, open_house
    from bridge.daemon.planfile import load

    lines = load(file)
    house = open_house(read_settings(config), SystemClock())
    try:
        admit(house)
        with progress_bar("lines") as progress:
            outcomes = list(carry_out(house, lines, progress))
    finally:
        close_house(house)
    counts = Counter(one.result for one in outcomes)
    writes = sum(one.writes for one in outcomes)
    if as_json:
        rows = [
            {
                "agreement": one.line.agreement,
                "internal": one.line.internal.key,
                "vendor": one.line.vendor.key,
                "result": one.result,
                "reason": one.reason,
                "writes": one.writes,
            }
            for one in outcomes
        ]
        totals = {name: counts[name] for name in ("done", "already", "refused", "left")}
        print_json({**totals, "writes": writes, "lines": rows})
    else:
        for one in outcomes:
            if one.result in {"refused", "left"}:
                click.echo(f"{one.line.agreement}  {one.line.keys}  {one.result}: {one.reason}")
        left = f", {counts['left']} left for another time" if counts["left"] else ""
        click.echo(
            f"{counts['done']} done, {counts['refused']} refused, {counts['already']} done already{left}; "
            f"{writes} writes"
        )
    sys.exit(3 if counts["left"] else 1 if counts["refused"] else 0)
