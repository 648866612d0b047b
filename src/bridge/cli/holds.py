"""``bridge holds [approve|reject]``: changes that wait for people, and what people decide about them."""

from __future__ import annotations

import getpass
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.options import config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SystemClock

if TYPE_CHECKING:
    from bridge.store.rows import Link
    from bridge.sync.agreement import Agreement
    from bridge.sync.holding import Hold

ids_argument = click.argument("ids", nargs=-1, required=True, metavar="ID...")

by_option = click.option(
    "--by",
    metavar="PERSON",
    help="Who decides: an e-mail or login of the role that may. Without it, the one who runs this command.",
)


@click.group(invoke_without_command=True)
@click.option("--agreement", metavar="NAME", help="Only of this agreement.")
@click.option("--all", "every", is_flag=True, help="Those that are over as well.")
@config_option
@json_option
@click.pass_context
def command(
    context: click.Context, *, agreement: str | None, every: bool, config: Path, as_json: bool
) -> None:
    """Show what waits for people: a change that its author may not make, or a conflict between the sides.

    Ends with 1 when something waits. 'bridge holds approve ID' lets it cross, 'bridge holds reject ID' restores what
    the other side has; both work while the daemon runs.
    """
    context.obj = config
    if context.invoked_subcommand is not None:
        return
    from bridge.cli.showing_holds import as_row, told
    from bridge.store.database import Store

    with quiet():
        settings = read_settings(config, secrets=False)
        known = {one.name: one for one in settings.agreements}
        if agreement is not None and agreement not in known:
            raise click.UsageError(f"there is no agreement '{agreement}'; there is {', '.join(known)}")
        store = Store.open(settings.database, migrate=False)
    try:
        found = _holds(store, {agreement: known[agreement]} if agreement else known, every=every)
    finally:
        store.close()
    rows = [as_row(known[link.agreement], link, hold) for link, hold in found]
    if as_json:
        print_json(rows)
    else:
        now = SystemClock().now()
        for row in rows:
            click.echo(told(row, now))
        if not rows:
            click.echo("nothing waits for a decision" if not every else "nothing was ever held")
    sys.exit(1 if any(row["state"] == "open" for row in rows) else 0)


@command.command()
@ids_argument
@click.option("--reason", default="", help="Why; both sides can read it on the tickets.")
@click.option(
    "--from",
    "winner",
    type=click.Choice(["internal", "vendor"]),
    help="Of a conflict: the side whose value stands.",
)
@by_option
@config_option
@json_option
def approve(
    *,
    ids: tuple[str, ...],
    reason: str,
    winner: str | None,
    by: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Let the held changes ID... cross, under the name of the one who decides."""
    _decide(ids, config, approve=True, by=by, reason=reason, winner=winner, as_json=as_json)


@command.command()
@ids_argument
@click.option("--reason", required=True, help="Why; both sides can read it on the tickets.")
@by_option
@config_option
@json_option
def reject(*, ids: tuple[str, ...], reason: str, by: str | None, config: Path, as_json: bool) -> None:
    """Do not let the held changes ID... cross: what the other side has is restored where they were made."""
    _decide(ids, config, approve=False, by=by, reason=reason, winner=None, as_json=as_json)


def _decide(
    ids: tuple[str, ...],
    config: Path,
    *,
    approve: bool,
    by: str | None,
    reason: str,
    winner: str | None,
    as_json: bool,
) -> None:
    """Decide about each; one that is refused does not stop the others."""
    from bridge.cli.showing_holds import as_row
    from bridge.daemon.deciding import Undecidable, Verdict, decide_hold
    from bridge.store.database import Store
    from bridge.sync.ticket import Side

    wanted = [_parsed(one) for one in ids]
    with quiet():
        settings = read_settings(config, secrets=False)
        known = {one.name: one for one in settings.agreements}
        store = Store.open(settings.database, migrate=False)
    verdict = Verdict(approve, by or _me(), " ".join(reason.split()), winner=Side(winner) if winner else None)
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    try:
        for number, seen in wanted:
            try:
                decision = replace(verdict, seen=seen)
                link, hold = decide_hold(store, known, number, decision, SystemClock().now())
            except Undecidable as error:
                refused.append(str(error))
            else:
                rows.append(as_row(known[link.agreement], link, hold))
    finally:
        store.close()
    if as_json:
        print_json({"decided": rows, "refused": refused})
    else:
        for row in rows:
            keys = f"{row['internal']} = {row['vendor']}"
            click.echo(f"{row['number']}: {row['state']}: {row['field']} of {keys}, by {verdict.by}")
    for words in refused:
        click.echo(f"bridge: {words}", err=True)
    if refused:
        click.echo(Undecidable.next_step, err=True)
    sys.exit(1 if refused else 0)


def _holds(store: Any, known: dict[str, Agreement], *, every: bool) -> list[tuple[Link, Hold]]:
    from bridge.cli.showing_holds import WAITING
    from bridge.store.rows import LinkState

    with store.read() as tx:
        found = tx.holds.all() if every else tx.holds.live()
        links = {number: tx.links.get(number) for number in dict.fromkeys(number for number, _ in found)}
    return [
        (links[number], hold)
        for number, hold in found
        if links[number].agreement in known
        and (every or (hold.state in WAITING and links[number].state is not LinkState.CLOSED))
    ]


def _parsed(word: str) -> tuple[int, str]:
    """A hold's number, and the word for what was seen of it."""
    number, _, seen = word.partition("-")
    if not number.isdecimal():
        raise click.UsageError(f"'{word}' is no hold; 'bridge holds' shows them, e.g. 17-1f9c2a")
    return int(number), seen


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("say who decides with --by") from None
