"""``bridge import``: mirror many pairs of tickets that are there already."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import (
    agreement_option,
    chosen_agreement,
    config_option,
    history_option,
    json_option,
    operator,
    print_json,
    quiet,
    read_settings,
    winner_option,
)
from bridge.sync.ticket import Side

if TYPE_CHECKING:
    from rich.progress import Progress

    from bridge.daemon.house import House
    from bridge.daemon.pairing import Mistake, Wish
    from bridge.sync.agreement import Agreement


@click.command(name="import")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--match",
    "field",
    help="Pair by a field in place of a file: an internal field that holds the key or id of the vendor's ticket, or "
    "'FIELD=VENDOR FIELD' for fields of both sides that hold the same value.",
)
@agreement_option
@winner_option
@history_option
@click.option(
    "--dry-run", is_flag=True, help="Check everything, show what would be linked, and write nothing."
)
@config_option
@json_option
def command(
    file: Path | None,
    *,
    field: str | None,
    agreement: str | None,
    winner: str,
    history: bool,
    dry_run: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Link the pairs of tickets that FILE names: CSV, its first line naming the columns internal and vendor.

    Everything is checked first, and every mistake told with its line; as long as there is one, nothing is linked. Pairs
    that are linked already are fine, so a run that was broken off is simply repeated. Works while the daemon runs.

    Ends with 1 when there are mistakes.
    """
    from rich.console import Console
    from rich.progress import Progress

    from bridge.clock import SystemClock
    from bridge.daemon.opening import close_house, open_desk
    from bridge.daemon.remembering import check_sites

    if (file is None) == (field is None):
        raise click.UsageError("name a file of pairs, or a field with --match")
    with quiet():
        settings = read_settings(config)
        terms = chosen_agreement(settings, agreement)
        house = open_desk(settings, SystemClock())
        try:
            check_sites(house, house.terms)
            console = Console(stderr=True)
            with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
                wishes, mistakes = _wishes(house, terms, file, field, bar)
                couples, more = _check(house, terms, wishes, bar)
                mistakes = [*mistakes, *more]
                fresh = [couple for couple in couples if not couple[1]]
                if not mistakes and not dry_run:
                    side = None if winner == "none" else Side(winner)
                    mistakes = _link(
                        house, terms, [wish for wish, _ in fresh], bar, winner=side, history=history
                    )
        finally:
            close_house(house)
    _tell(couples, mistakes, dry_run=dry_run, as_json=as_json)
    sys.exit(1 if mistakes else 0)


def _wishes(
    house: House, terms: Agreement, file: Path | None, field: str | None, bar: Progress
) -> tuple[list[Wish], list[Mistake]]:
    from bridge.daemon.wishes import from_field, from_file

    if file is not None:
        return from_file(file)
    assert field is not None
    internal, _, vendor = (part.strip() for part in field.partition("="))
    task = bar.add_task("tickets read", total=None)
    return from_field(house, terms, internal, vendor, lambda count: bar.advance(task, count))


def _check(
    house: House, terms: Agreement, wishes: Sequence[Wish], bar: Progress
) -> tuple[list[tuple[Wish, bool]], list[Mistake]]:
    """What can be linked (with whether it is already), under the tickets' own keys, and what cannot."""
    from bridge.daemon.pairing import Mistake, Wish, read_couples

    couples: list[tuple[Wish, bool]] = []
    mistakes: list[Mistake] = []
    task = bar.add_task("pairs checked", total=len(wishes))
    for one in read_couples(house, terms, wishes):
        bar.advance(task)
        if isinstance(one, Mistake):
            mistakes.append(one)
        else:
            couples.append((Wish(one.internal.key, one.vendor.key, one.wish.place), one.linked))
    return couples, mistakes


def _link(
    house: House,
    terms: Agreement,
    wishes: Sequence[Wish],
    bar: Progress,
    *,
    winner: Side | None,
    history: bool,
) -> list[Mistake]:
    """Read each pair once more and link it; returns those that could not be linked after all."""
    from bridge.daemon.pairing import Couple, Mistake, Unlinkable, connect, read_couples

    mistakes: list[Mistake] = []
    task = bar.add_task("pairs linked", total=len(wishes))
    for one in read_couples(house, terms, wishes):
        bar.advance(task)
        if isinstance(one, Couple):
            try:
                connect(house, terms, one, winner=winner, history=history, who=operator())
            except Unlinkable as error:
                mistakes.append(Mistake(one.wish.place, str(error)))
        else:
            mistakes.append(one)
    return mistakes


def _tell(
    couples: Sequence[tuple[Wish, bool]], mistakes: Sequence[Mistake], *, dry_run: bool, as_json: bool
) -> None:
    fresh = [wish for wish, linked in couples if not linked]
    already = len(couples) - len(fresh)
    bad = {mistake.place for mistake in mistakes}
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "pairs": [
                    {"internal": one.internal, "vendor": one.vendor, "place": one.place} for one in fresh
                ],
                "already": already,
                "mistakes": [{"place": one.place, "reason": one.reason} for one in mistakes],
            }
        )
        return
    for mistake in mistakes:
        click.echo(f"{mistake.place}: {mistake.reason}", err=True)
    if dry_run:
        for wish in fresh:
            click.echo(f"{wish.internal} = {wish.vendor}")
    done = "to link" if dry_run or mistakes else "linked"
    count = len([wish for wish in fresh if wish.place not in bad])
    click.echo(f"{count} pairs {done}, {already} linked already, {len(mistakes)} mistakes")
