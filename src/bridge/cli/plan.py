"""``bridge plan [KEY]``: what would be written where; writes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, log_option, print_json, read_settings


@click.command()
@click.argument("key", required=False)
@config_option
@json_option
@log_option
def command(key: str | None, *, config: Path, as_json: bool) -> None:
    """Read both trackers and show what the bridge would do, for everything in scope or for the ticket KEY.

    Writes nothing, neither to a tracker nor to the bridge's own database. Ends with 1 when there is something to do.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.foresee import foresee
    from bridge.daemon.opening import close_house, open_house
    from bridge.daemon.preflight import require

    house = open_house(read_settings(config), SystemClock(), working=False)
    try:
        require(house.terms)
        outlooks = list(foresee(house, key))
    finally:
        close_house(house)
    if as_json:
        print_json([outlook.as_json() for outlook in outlooks])
    else:
        _show([outlook.as_json() for outlook in outlooks], key)
    sys.exit(1 if any(outlook.plan.actions or outlook.plan.findings for outlook in outlooks) else 0)


def _show(rows: list[dict[str, Any]], key: str | None) -> None:
    if key and not rows:
        click.echo(f"the ticket {key} is in the scope of no agreement")
    busy = [row for row in rows if row["actions"] or row["findings"]]
    for row in busy:
        keys = " = ".join(name or "(new)" for name in (row["internal"], row["vendor"]))
        click.echo(f"{row['agreement']}  {keys}")
        for action in row["actions"]:
            click.echo(f"  {action['side']:<8}  {action['what']}")
        for finding in row["findings"]:
            click.echo(f"  {finding['kind']}: {finding['message']}")
    actions = sum(len(row["actions"]) for row in rows)
    click.echo(
        f"{len(rows)} tickets in view, {len(busy)} with something to do, {actions} actions; nothing was written"
    )
