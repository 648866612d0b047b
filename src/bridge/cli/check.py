"""``bridge check``: every mistake, all at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bridge.cli.options import config_option, json_option, log_option, print_json, read_settings
from bridge.errors import ConfigError, Problem


@click.command()
@click.option("--offline", is_flag=True, help="Check the files alone: no secrets, no network.")
@config_option
@json_option
@log_option
def command(*, offline: bool, config: Path, as_json: bool) -> None:
    """Check the configuration, and compare it with the live trackers. Writes nothing.

    Ends with 0 when all is well, 1 with remarks only, 2 with mistakes, 3 when a tracker cannot be reached.
    """
    try:
        settings = read_settings(config, secrets=not offline)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"mistakes": [_row(problem) for problem in error.problems], "remarks": []})
        sys.exit(2)
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    if not offline:
        from bridge.clock import SystemClock
        from bridge.daemon.opening import close_trackers, open_terms
        from bridge.daemon.preflight import expiring, inspect

        clock = SystemClock()
        terms = open_terms(settings, clock)
        try:
            inspection = inspect(terms)
        finally:
            close_trackers(terms.trackers)
        problems = inspection.problems
        remarks = (*(_expiry(config, *one) for one in expiring(terms, clock.now())), *inspection.remarks)
    if as_json:
        print_json({"mistakes": [_row(one) for one in problems], "remarks": [_row(one) for one in remarks]})
    else:
        for word, found in (("mistake", problems), ("remark", remarks)):
            for one in found:
                click.echo(f"{word}: {one}")
        agreements = ", ".join(agreement.name for agreement in settings.agreements)
        where = "the files" if offline else "the files and the live trackers"
        verdict = "are in order" if not problems else "do not fit"
        click.echo(f"{where} {verdict}: {len(settings.trackers)} trackers, agreements: {agreements}")
    sys.exit(2 if problems else 1 if remarks else 0)


def _expiry(config: Path, tracker: str, days: int) -> Problem:
    when = f"expires in {days} days" if days >= 0 else f"expired {-days} days ago"
    return Problem(
        str(config), 0, f"trackers.{tracker}.expires", f"the token {when}", "make a new one in time"
    )


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "message": problem.message,
        "fix": problem.fix,
    }
