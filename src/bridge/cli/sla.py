"""``bridge sla``: the clocks at risk, one ticket's explained, acknowledging, what-if, rebuilding from history."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import (
    agreement_option,
    chosen_agreement,
    config_option,
    json_option,
    operator,
    print_json,
    quiet,
    read_settings,
)
from bridge.clock import SECOND, SystemClock

if TYPE_CHECKING:
    from bridge.config import Settings
    from bridge.report.measuring import Measured
    from bridge.sla.verdict import Cycle
    from bridge.store.database import Store

clock_option = click.option("--clock", metavar="NAME", help="Only of this clock.")


_REBUILD = "rebuild"


class _Shortened(click.Group):
    """A group whose first word may be a ticket instead of a command: then it is ``show``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those of this module, and the one that needs trackers and loads them when it is used."""
        return sorted([*super().list_commands(ctx), _REBUILD])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load it then."""
        if cmd_name != _REBUILD:
            return super().get_command(ctx, cmd_name)
        from bridge.cli.rebuilding import command as found

        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in where it was left out."""
        if not (args and args[0] in {*self.commands, _REBUILD, "-h", "--help"}):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Shortened, subcommand_metavar="[KEY | COMMAND] [OPTIONS]...")
def command() -> None:
    """Show the clocks that run, what is due or missed first; of one ticket KEY: all that they count, and why.

    Without a command it is 'show': see 'bridge sla show --help' for the options.
    """


@command.command()
@click.argument("key", required=False)
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Of one ticket: write the picture of who had to act when into this file.",
)
@agreement_option
@clock_option
@config_option
@json_option
def show(
    key: str | None,
    *,
    svg: Path | None,
    agreement: str | None,
    clock: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Show the clocks that run, or of one ticket KEY (of either side) all that its clocks count, and why.

    Works while the daemon runs, and asks no tracker. Ends with 1 when a clock that is shown is at risk or missed, or
    nothing is known of the ticket.
    """
    if key is None and svg is not None:
        raise click.UsageError("--svg draws one ticket: name it")
    with _opened(config) as (settings, store):
        if key is None:
            _show_all(settings, store, agreement, clock, as_json=as_json)
        else:
            found = [_only(one, clock) for one in _measured(settings, store, key, agreement)]
            if svg is not None and found:
                if len(found) > 1:
                    raise click.UsageError(f"{key} is in several agreements: say which with --agreement")
                svg.write_text(_drawn(settings, found[0]), encoding="utf-8")
            _show_one(settings, store, key, found, as_json=as_json)


def _show_all(
    settings: Settings, store: Store, agreement: str | None, clock: str | None, *, as_json: bool
) -> None:
    from rich.console import Console
    from rich.table import Table

    from bridge.cli.showing_clocks import LATE, as_row, by_due, list_line
    from bridge.report.measuring import measure

    names = [one.name for one in settings.agreements]
    if agreement is not None:
        names = [chosen_agreement(settings, agreement).name]
    now = SystemClock().now()
    with store.read() as tx:
        rows = by_due(
            [
                as_row(one, cycle)
                for name in names
                for one in measure(tx, name, now)
                for cycle in one.verdict.cycles
                if cycle.open and clock in {None, cycle.clock}
            ]
        )
    if as_json:
        print_json(rows)
    elif not (shown := [row for row in rows if row["goal"] is not None]):
        click.echo("no clock runs towards a goal" if rows else "no clock runs")
    else:
        console = Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False)
        table = Table(box=None, pad_edge=False)
        for heading in ("", "due", "clock", "ticket", "goal", "has to act", "agreement"):
            table.add_column(heading)
        for row in shown:
            table.add_row(*list_line(row))
        console.print(table)
        if len(shown) < len(rows):
            click.echo(f"{len(rows) - len(shown)} more run without a goal: no goal of theirs fits")
    sys.exit(1 if any(row["standing"] in {one.value for one in LATE} for row in rows) else 0)


def _show_one(settings: Settings, store: Store, key: str, found: list[Measured], *, as_json: bool) -> None:
    from bridge.cli.showing_clocks import LATE, as_story, tell_story
    from bridge.report.facts import standing

    known = {one.name: one for one in settings.agreements}
    with store.read() as tx:
        stories = [
            as_story(
                one,
                known[one.link.agreement],
                tx.alerts.list(one.link.id),
                tx.alerts.acknowledged(one.link.id),
            )
            for one in found
        ]
    if as_json:
        print_json(stories)
    elif not stories:
        click.echo(
            f"no clock knows the ticket {key}: is it linked ('bridge explain {key}'), with clocks agreed?"
        )
    else:
        for story in stories:
            click.echo("\n".join(tell_story(story)))
    late = any(cycle.open and standing(cycle) in LATE for one in found for cycle in one.verdict.cycles)
    sys.exit(1 if late or not stories else 0)


def _drawn(settings: Settings, one: Measured) -> str:
    """The picture of the clock that matters most: missed, else due first, else the newest."""
    from bridge.notify.clock_letters import caption_for
    from bridge.notify.languages import tongue
    from bridge.notify.picture import as_svg

    def weight(cycle: Cycle) -> tuple[bool, bool, int, int]:
        due = cycle.breached_at or cycle.due_at
        return (not cycle.open, due is None, due or 0, -cycle.started_at)

    cycle = min(one.verdict.cycles, key=weight, default=None)
    keys = " = ".join(key for key in (one.link.internal_key, one.link.vendor_key) if key)
    caption = caption_for(chosen_agreement(settings, one.link.agreement), keys, tongue("en"))
    return as_svg(one.verdict, cycle, caption)


@command.command()
@click.argument("key")
@agreement_option
@clock_option
@click.option("--by", metavar="PERSON", help="Who has seen it. Without it, the one who runs this command.")
@config_option
@json_option
def ack(
    key: str, *, agreement: str | None, clock: str | None, by: str | None, config: Path, as_json: bool
) -> None:
    """Acknowledge the alerts of the ticket KEY: what repeats until somebody has seen it is not repeated any more.

    Works while the daemon runs. Ends with 1 when no clock of the ticket runs.
    """
    from bridge.daemon.acknowledging import acknowledge
    from bridge.sync.naming import one_line
    from bridge.sync.ticket import Side

    who = one_line(by or operator())
    rows: list[dict[str, Any]] = []
    with _opened(config) as (settings, store):
        for one in _measured(settings, store, key, agreement):
            open_ones = [cycle for cycle in _only(one, clock).verdict.cycles if cycle.open]
            if not open_ones:
                continue
            with store.write() as tx:
                new = acknowledge(
                    tx,
                    one.link,
                    [(cycle.clock, cycle.started_at) for cycle in open_ones],
                    who=who,
                    side=Side.INTERNAL,
                    how="command",
                    now=SystemClock().now(),
                )
            rows.append(
                {
                    "agreement": one.link.agreement,
                    "internal": one.link.internal_key,
                    "vendor": one.link.vendor_key,
                    "clocks": sorted({cycle.clock for cycle in open_ones}),
                    "new": new,
                }
            )
    if as_json:
        print_json(rows)
    for row in rows if not as_json else ():
        already = "" if row["new"] else "; somebody had before"
        click.echo(
            f"{row['internal']} = {row['vendor']}: {', '.join(row['clocks'])} acknowledged by {who}{already}"
        )
    if not rows and not as_json:
        click.echo(
            f"no clock of {key} runs{f' by the name {clock}' if clock else ''}; nothing to acknowledge"
        )
    sys.exit(0 if rows else 1)


@command.command()
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--over", default="90d", show_default=True, metavar="TIME", help="How far back, e.g. 90d or 2w."
)
@agreement_option
@config_option
@json_option
def simulate(policy: Path, *, over: str, agreement: str | None, config: Path, as_json: bool) -> None:
    """Show what would have been met, at risk and missed under POLICY, beside what was. Writes nothing.

    POLICY is an agreement file, or one with only its clocks, ball, office or resolved: what it leaves out stays as it
    is. Every stored history is measured, whenever its ticket was born; no tracker is asked. Ends with 1 when anything
    would have been another.
    """
    from bridge.cli.options import kinds
    from bridge.cli.showing_simulation import as_rows, told
    from bridge.config.loading import try_policy
    from bridge.report.facts import Period
    from bridge.report.measuring import measure
    from bridge.report.simulating import simulate as simulated

    length = _duration(over)
    with _opened(config) as (settings, store):
        name = chosen_agreement(settings, agreement).name
        tried = try_policy(config, policy, name, kinds=kinds())
        now = SystemClock().now()
        period = Period(now - length, now)
        with store.read() as tx:
            found = simulated(measure(tx, name, now), tried, period)
    if as_json:
        print_json(as_rows(name, period, found))
    else:
        click.echo(told(name, period, found))
    sys.exit(1 if found.differences else 0)


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Settings, Store]]:
    """The configuration and the database, which is never made or migrated by looking."""
    from bridge.store.database import Store

    with quiet():
        settings = read_settings(config, secrets=False)
        with Store.open(settings.database, migrate=False) as store:
            yield settings, store


def _measured(settings: Settings, store: Store, key: str, agreement: str | None) -> list[Measured]:
    """What the clocks of a ticket say, under each agreement that knows it."""
    from bridge.report.measuring import measure_link

    names = {one.name for one in settings.agreements}
    if agreement is not None:
        names = {chosen_agreement(settings, agreement).name}
    with store.read() as tx:
        links = [link for link in tx.links.by_key(key) if link.agreement in names]
        found = [measure_link(tx, link, SystemClock().now()) for link in links]
    return [one for one in found if one is not None]


def _only(one: Measured, clock: str | None) -> Measured:
    """The same with the cycles of one clock only, if so asked."""
    from dataclasses import replace

    if clock is None:
        return one
    kept = tuple(cycle for cycle in one.verdict.cycles if cycle.clock == clock)
    return replace(one, verdict=replace(one.verdict, cycles=kept))


def _duration(words: str) -> int:
    """A length of time, in microseconds."""
    from pydantic import TypeAdapter, ValidationError

    from bridge.config.words import Seconds

    try:
        seconds: float = TypeAdapter(Seconds).validate_python(words)
    except ValidationError:
        raise click.UsageError(f"'{words}' is no length of time; write e.g. 90d or 12h") from None
    return round(seconds * SECOND)
