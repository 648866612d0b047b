"""``bridge sync --once``: one pass, for cron."""

from __future__ import annotations

import sys
from dataclasses import asdict, astuple
from pathlib import Path

import click

from bridge.cli.options import (
    anew_option,
    config_option,
    json_option,
    log_option,
    moved_option,
    print_json,
    progress_bar,
    read_settings,
)


@click.command()
@click.option("--once", is_flag=True, required=True, help="One pass, then end. (For a daemon: 'bridge run'.)")
@click.option("--census", is_flag=True, help="Compare everything in view, not only what changed.")
@anew_option
@moved_option
@config_option
@json_option
@log_option
def command(
    *,
    anew: bool,
    moved: bool,
    once: bool,  # noqa: ARG001 - required: the word says what will happen
    census: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Poll every side once, bring every changed link into agreement, and end.

    Ends with 1 when links are parked, a brake is pulled or mail cannot be sent, with 3 when a tracker could not be
    reached.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.admitting import admit
    from bridge.daemon.brakes import all_pulled
    from bridge.daemon.once import sync_once, tell_all_the_same
    from bridge.daemon.opening import close_house, open_house
    from bridge.daemon.remembering import renew

    house = open_house(read_settings(config), SystemClock())
    try:
        with tell_all_the_same(house):
            admit(house, anew=anew, moved=moved)
            renew(house)
        with progress_bar("links") as progress:
            done = sync_once(house, census=census, progress=progress)
        with house.store.read() as tx:
            brakes = all_pulled(tx)
    finally:
        close_house(house)
    parked = done.ended("parked")
    if as_json:
        print_json(
            {
                "hits": done.hits,
                "looked_at": len(done.reports),
                "writes": done.writes,
                "withheld": len(done.ended("withheld")),
                "brakes": [{"agreement": one.agreement, "cause": one.cause.value} for one in brakes],
                "parked": [
                    {"agreement": one.agreement, "keys": one.keys, "reason": one.reason} for one in parked
                ],
                "failures": [{"tracker": one.tracker, "words": one.words} for one in done.failures],
                "mail": asdict(done.mailed),
            }
        )
    else:
        click.echo(f"{len(done.reports)} links looked at, {done.writes} writes, {len(parked)} parked")
        planned = sum(one.planned for one in done.reports)
        if planned:
            click.echo(
                f"  {planned} writes planned and not made; 'bridge plan' shows them, 'bridge status' says why"
            )
        for brake in brakes:
            click.echo(f"  {brake.agreement}: {brake.stops}")
        for one in parked:
            click.echo(f"  parked: {one.keys}: {one.reason}")
        if any(astuple(done.mailed)):
            click.echo(
                f"mail: {done.mailed.sent} sent, {done.mailed.deferred} to be tried again, {done.mailed.dead} given up"
            )
        for failure in done.failures:
            click.echo(f"  {failure}", err=True)
        if done.mailed.trouble:
            click.echo(f"  mail: {done.mailed.trouble}", err=True)
    amiss = parked or brakes or done.mailed.dead or done.mailed.trouble
    sys.exit(3 if done.failures else 1 if amiss else 0)
