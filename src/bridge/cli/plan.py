"""``bridge plan [KEY]``: what would be written where; writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, log_option, print_json, progress_bar, read_settings

VERSION = 1
"""Version of the JSON form."""


@click.command()
@click.argument("key", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan in this file as well, for 'bridge apply'; every ticket of it is read by id.",
)
@config_option
@json_option
@log_option
def command(key: str | None, *, output: Path | None, config: Path, as_json: bool) -> None:
    """Read both trackers and show what the bridge would do, for everything in scope or for the ticket KEY.

    Writes nothing, neither to a tracker nor to the bridge's own database. It plans alike in every mode.

    Ends with 1 when there is something to do.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.foresee import count, foresee
    from bridge.daemon.opening import close_house, open_house
    from bridge.daemon.planfile import save
    from bridge.daemon.preflight import require

    clock = SystemClock()
    house = open_house(read_settings(config), clock, working=False)
    try:
        require(house.terms)
        with progress_bar("tickets") as progress:
            outlooks = list(foresee(house, key, firm=output is not None, progress=progress))
    finally:
        close_house(house)
    counts, rows = count(outlooks), [outlook.as_json() for outlook in outlooks]
    if output is not None:
        lines = [outlook.line for outlook in outlooks if outlook.line is not None]
        save(output, {"made_at": clock.now(), "counts": counts}, lines)
    if as_json:
        print_json({"version": VERSION, "counts": counts, "tickets": rows})
    else:
        _show(rows, counts, key)
        if output is not None:
            click.echo(f"saved: 'bridge apply {output}' does exactly this")
    sys.exit(1 if counts["busy"] or counts["findings"] else 0)


def _show(rows: list[dict[str, Any]], counts: Mapping[str, int], key: str | None) -> None:
    if key and not rows:
        click.echo(f"the ticket {key} is in the scope of no agreement")
    for row in rows:
        if not any(row[kind] for kind in ("actions", "holds", "findings")):
            continue
        keys = " = ".join(name or "(new)" for name in (row["internal"], row["vendor"]))
        click.echo(f"{row['agreement']}  {keys}")
        for action in row["actions"]:
            click.echo(f"  {action['side']:<8}  {action['what']}")
        for action in row["then"]:
            click.echo(f"  {action['side']:<8}  then {action['what']}")
        for hold in row["holds"]:
            click.echo(f"  hold: {hold}")
        for finding in row["findings"]:
            click.echo(f"  {finding['kind']}: {finding['message']}")
    click.echo(
        f"{counts['tickets']} tickets in view, {counts['busy']} with something to do, {counts['actions']} actions; "
        "nothing was written"
    )
    kinds = ("create", "change", "comments", "files", "worklogs", "findings", "holds")
    names = {"create": "to create", "change": "to change"}
    told = [f"{counts[kind]} {names.get(kind, kind)}" for kind in kinds if counts[kind]]
    if told:
        click.echo(f"  {', '.join(told)}")
