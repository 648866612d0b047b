"""``bridge brakes``: which agreements have stopped writing and why; ``release`` lets one go on."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SECOND, SystemClock
from bridge.store.database import Store
from bridge.sync.moments import to_second


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def command(ctx: click.Context, *, config: Path, as_json: bool) -> None:
    """Show which agreements' brakes are pulled: since when, and what was seen. Works while the daemon runs.

    Ends with 1 when one is pulled.
    """
    from bridge.daemon.brakes import all_pulled

    if ctx.invoked_subcommand is not None:
        return
    with quiet():
        store = Store.open(read_settings(config, secrets=False).database, migrate=False)
    with store, store.read() as tx:
        brakes = all_pulled(tx)
    if as_json:
        print_json(
            [
                {
                    "agreement": one.agreement,
                    "cause": one.cause.value,
                    "reason": one.reason,
                    "since": to_second(one.since),
                }
                for one in brakes
            ]
        )
    else:
        for one in brakes:
            click.echo(f"{one.agreement}: pulled since {to_second(one.since)} ({one.cause.value})")
            click.echo(f"  {one.words}")
            click.echo(f"  {one.reason}")
        click.echo(
            "'bridge plan' shows what would be written; 'bridge brakes release AGREEMENT' lets it go on"
            if brakes
            else "no brake is pulled"
        )
    sys.exit(1 if brakes else 0)


class _Duration(click.ParamType[int]):
    """A duration as in the configuration, in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from pydantic import TypeAdapter, ValidationError

        from bridge.config.words import Seconds

        try:
            seconds: float = TypeAdapter(Seconds).validate_python(value)
        except ValidationError:
            self.fail(f"'{value}' is not a duration; write e.g. 30m, 1h or 2h30m", param, ctx)
        return round(seconds * SECOND)


@command.command()
@click.argument("agreement")
@click.option("--reason", default="", help="Why, for the journal.")
@click.option(
    "--for",
    "lasting",
    type=_Duration(),
    default=None,
    metavar="DURATION",
    help="Count nothing and raise no alarm for so long, e.g. 1h: for a change of many tickets that is meant. Also "
    "before a brake is pulled.",
)
@config_option
def release(agreement: str, *, reason: str, lasting: int | None, config: Path) -> None:
    """Let the AGREEMENT go on: what waits is looked at again and written.

    Ends with 1 when its brake is not pulled and no --for is given.
    """
    from bridge.daemon import releasing
    from bridge.daemon.witness import Witness

    with quiet():
        settings = read_settings(config, secrets=False)
    with Store.open(settings.database, migrate=False) as store:
        brake = releasing.release(
            store,
            Witness(Path(settings.spool)),
            agreement,
            SystemClock().now(),
            who=getpass.getuser(),
            reason=reason,
            lasting=lasting or 0,
        )
    if brake is not None:
        click.echo(f"{agreement}: released; it was pulled since {to_second(brake.since)}: {brake.reason}")
    else:
        click.echo(f"{agreement}: no brake is pulled" + ("; none will be for that time" if lasting else ""))
    sys.exit(0 if brake is not None or lasting else 1)
