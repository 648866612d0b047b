"""``bridge check``: every mistake, all at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bridge.cli.options import config_option, json_option, log_option, print_json, quiet, read_settings
from bridge.config import Settings
from bridge.errors import ConfigError, Problem, StoreError
from bridge.sync.moments import for_programs

if TYPE_CHECKING:
    from bridge.daemon.checking.report import Check, Place
    from bridge.daemon.preflight import Inspection


@click.command()
@click.option("--offline", is_flag=True, help="Check the files alone: no secrets, no network.")
@click.option(
    "--alive",
    is_flag=True,
    help="Check that the daemon is alive and in time, for monitoring: one line, 0 or 1.",
)
@config_option
@json_option
@log_option
def command(*, offline: bool, alive: bool, config: Path, as_json: bool) -> None:
    """Check the configuration, and compare it with the live trackers. Writes nothing.

    Ends with 0 when all is well, 1 when the trackers do not fit or something is to be remarked, 2 when the files are
    wrong in themselves, 3 when a tracker cannot be reached; what the others tell is shown all the same.

    With --alive, only the database is asked, and neither tracker nor secret is needed: ends with 0 when the daemon is
    alive and neither a clock nor a mail is overdue, with 1 and the reason otherwise.
    """
    if alive:
        if offline:
            raise click.UsageError("--alive asks the database: leave out --offline")
        _show_life(config, as_json=as_json)
    try:
        settings = read_settings(config, secrets=not offline)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({**_NOTHING, "mistakes": [_row(problem) for problem in error.problems]})
        sys.exit(error.exit_code)
    agreements = ", ".join(agreement.name for agreement in settings.agreements)
    count = f"{len(settings.trackers)} trackers, agreements: {agreements}"
    if offline:
        if as_json:
            print_json(_NOTHING)
        else:
            click.echo(f"the files are in order: {count}")
        return
    inspection = _inspect(settings)
    if as_json:
        print_json(_as_json(inspection))
    else:
        _show(inspection, count)
    sys.exit(3 if inspection.failures else 1 if inspection.findings else 0)


def _show_life(config: Path, *, as_json: bool) -> NoReturn:
    from bridge.clock import SystemClock
    from bridge.daemon.lifesigns import Life, life
    from bridge.store.database import Store

    with quiet("error"):
        settings = read_settings(config, secrets=False)
        try:
            with Store.open(settings.database, migrate=False) as store, store.read() as tx:
                names = [one.name for one in settings.agreements]
                found = life(tx, names, SystemClock().now())
        except StoreError as error:
            found = Life(alive=False, why=str(error), looked=None, hanging=(), overdue=None, unsent=None)
    if as_json:
        print_json(
            {
                "alive": found.alive,
                "why": found.why,
                "looked": _time(found.looked),
                "hanging": list(found.hanging),
                "overdue_since": _time(found.overdue),
                "unsent_since": _time(found.unsent),
            }
        )
    else:
        click.echo(f"BRIDGE {'OK' if found.alive else 'NOT ALIVE'}: {found.why}")
    sys.exit(0 if found.alive else 1)


def _time(moment: int | None) -> str | None:
    return None if moment is None else for_programs(moment)


_NOTHING: dict[str, list[Any]] = {"mistakes": [], "remarks": [], "unreachable": [], "checks": []}


def _inspect(settings: Settings) -> Inspection:
    """Ask the trackers; a terminal sees how far it is."""
    from rich.console import Console
    from rich.progress import Progress

    from bridge.clock import SystemClock
    from bridge.daemon.opening import close_trackers, open_terms
    from bridge.daemon.preflight import inspect

    clock = SystemClock()
    terms = open_terms(settings, clock)
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("asking", total=len(settings.trackers) + 2 * len(settings.agreements))
            return inspect(terms, clock, told=lambda what: bar.update(task, advance=1, description=what))
    finally:
        close_trackers(terms.trackers)


def _show(inspection: Inspection, count: str) -> None:
    for one in inspection.findings:
        click.echo(f"{'mistake' if one.mistake else 'remark'}: {one.problem}")
    for failure in inspection.failures.values():
        click.echo(f"not reached: {failure} ({failure.next_step})")
    _show_table(inspection)
    verdict = "are in order" if not inspection.problems else "do not fit"
    if inspection.failures:
        verdict = "could not all be compared"
    click.echo(f"the files and the live trackers {verdict}: {count}")


def _show_table(inspection: Inspection) -> None:
    from rich.console import Console
    from rich.table import Table

    from bridge.daemon.checking.report import Check

    console = Console(width=None if sys.stdout.isatty() else 200, markup=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("", *Check):
        table.add_column(str(heading))
    reasons: dict[str, list[str]] = {}
    for place in inspection.places:
        table.add_row(str(place), *(_cell(inspection, place, check) for check in Check))
        for check in place.checks:
            why = inspection.unseen.get((place, check))
            if why is not None:
                reasons.setdefault(f"{place}: {why}", []).append(str(check))
    console.print(table)
    for why, checks in reasons.items():
        console.print(f"? {', '.join(checks)} of {why}", highlight=False)


def _cell(inspection: Inspection, place: Place, check: Check) -> str:
    """How much was found, ``?`` where it could not be looked at, nothing where there is nothing to check."""
    if check not in place.checks:
        return ""
    found = inspection.found(place, check)
    unseen = (place, check) in inspection.unseen
    return f"{found} found{', ?' if unseen else ''}" if found else "?" if unseen else "ok"


def _as_json(inspection: Inspection) -> dict[str, Any]:
    rows = {
        mistake: [
            {**_row(one.problem), **_where(one.place), "check": one.check.value}
            for one in inspection.findings
            if one.mistake is mistake
        ]
        for mistake in (True, False)
    }
    return {
        "mistakes": rows[True],
        "remarks": rows[False],
        "unreachable": [
            {"tracker": name, "message": failure.words, "fix": failure.next_step}
            for name, failure in inspection.failures.items()
        ],
        "checks": [
            {
                **_where(place),
                "check": check.value,
                "findings": inspection.found(place, check),
                "unseen": inspection.unseen.get((place, check)),
            }
            for place in inspection.places
            for check in place.checks
        ],
    }


def _where(place: Place) -> dict[str, Any]:
    return {"tracker": place.tracker, "agreement": place.agreement or None, "side": place.side}


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "message": problem.message,
        "fix": problem.fix,
    }
