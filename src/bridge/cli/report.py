"""``bridge report AGREEMENT``: what an agreement came to over a period, with the evidence ticket by ticket."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import chosen_agreement, config_option, json_option, print_json, quiet, read_settings
from bridge.clock import SECOND, SystemClock

if TYPE_CHECKING:
    from bridge.config import Settings
    from bridge.report.facts import Period
    from bridge.report.gathering import Gathered
    from bridge.store.database import Store
    from bridge.sync.agreement import Agreement


@click.command()
@click.argument("agreement", required=False)
@click.option("--month", metavar="YYYY-MM", help="The calendar month, in the zone of the agreement's digest.")
@click.option("--since", metavar="DATE", help="From the beginning of this day on, e.g. 2026-10-01.")
@click.option("--until", metavar="DATE", help="Until the beginning of this day; without it until now.")
@click.option(
    "--side",
    type=click.Choice(["internal", "vendor"]),
    default="internal",
    show_default=True,
    help="For readers of which side: only tickets that it knows are told.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page to this file.",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the evidence to this file, for spreadsheets and programs.",
)
@click.option(
    "--send", is_flag=True, help="Mail it to the roles of the agreement's digest, each in its language."
)
@config_option
@json_option
def command(
    agreement: str | None,
    *,
    month: str | None,
    since: str | None,
    until: str | None,
    side: str,
    html: Path | None,
    table: Path | None,
    send: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Report on AGREEMENT over a month or another period, the last 30 days by default: the scorecard of its vendor.

    Prints it unless --html, --csv or --send is given. Works while the daemon runs, and asks no tracker. Ends with 1
    when a goal was missed in the period, or a share that the agreement states was not reached.
    """
    from bridge.notify.languages import tongue
    from bridge.report.gathering import gather
    from bridge.report.paper import as_html, as_text
    from bridge.report.scorecard import scorecard, scorecard_csv
    from bridge.store.database import Store
    from bridge.sync.ticket import Side

    reader = Side(side)
    with quiet():
        settings = read_settings(config, secrets=False)
        chosen = chosen_agreement(settings, agreement)
        now = SystemClock().now()
        zone = _zone(settings, chosen)
        period = _period(month, since, until, zone, now)
        with Store.open(settings.database, migrate=False) as store:
            with store.read() as tx:
                gathered = gather(tx, chosen, period, now)
            sent = _send(settings, store, gathered, zone) if send else []
    figures, cases = gathered.figures(reader, _targets(settings, chosen)), gathered.cases(reader)
    paper = scorecard(chosen, reader, figures, cases, tongue("en", zone))
    if html is not None:
        html.write_text(as_html(paper), encoding="utf-8")
    if table is not None:
        table.write_text(scorecard_csv(chosen, cases), encoding="utf-8", newline="")
    if as_json:
        from bridge.cli.showing_report import as_rows

        print_json({**as_rows(figures, cases), "sent": sent})
    elif send:
        for to in sent:
            click.echo(f"queued for {to}")
        if not sent:
            click.echo("nothing to send: nobody in the agreement's 'digest: {to: [...]}' lacks this report")
    elif html is None and table is None:
        click.echo(as_text(paper), nl=False)
    missed = any(one.breached or one.kept is False for one in figures.clocks)
    sys.exit(1 if missed else 0)


def _send(settings: Settings, store: Store, gathered: Gathered, zone: str) -> list[str]:
    """Queue the scorecard for every role of the digest that has not got this one; returns those roles.

    A running daemon sends it, or the next 'bridge sync --once'.
    """
    from bridge.report.scorecard import scorecard_letter

    agreement = gathered.agreement
    pledge = settings.pledges.get(agreement.name)
    wanted = pledge.digest.to if pledge is not None and pledge.digest is not None else ()
    roles = [role for role in agreement.roles if role.name in wanted and role.mail]
    letters = [
        scorecard_letter(
            agreement,
            role,
            gathered.figures(role.side, _targets(settings, agreement)),
            gathered.cases(role.side),
            zone=zone,
        )
        for role in roles
    ]
    with store.write() as tx:
        queued = [tx.outbox.put(letter) for letter in letters]
    return [role.name for role, new in zip(roles, queued, strict=True) if new]


def _targets(settings: Settings, agreement: Agreement) -> dict[str, float]:
    pledge = settings.pledges.get(agreement.name)
    return dict(pledge.digest.goals) if pledge is not None and pledge.digest is not None else {}


def _zone(settings: Settings, agreement: Agreement) -> str:
    pledge = settings.pledges.get(agreement.name)
    return pledge.digest.zone if pledge is not None and pledge.digest is not None else "UTC"


def _period(month: str | None, since: str | None, until: str | None, zone: str, now: int) -> Period:
    from bridge.report.facts import Period

    if month is not None:
        if since is not None or until is not None:
            raise click.UsageError("give either --month or --since and --until")
        first = _day(f"{month}-01", "--month", "2026-10")
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        return Period(_midnight(first, zone), _midnight(following, zone))
    end = now if until is None else _midnight(_day(until, "--until", "2026-11-01"), zone)
    start = end - 30 * 86_400 * SECOND
    if since is not None:
        start = _midnight(_day(since, "--since", "2026-10-01"), zone)
    if start >= end:
        raise click.UsageError("the period must begin before it ends")
    return Period(start, end)


def _day(words: str, option: str, example: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise click.UsageError(f"{option}: write e.g. {example}") from None


def _midnight(day: date, zone: str) -> int:
    from bridge.sla.calendar import zone_of

    begun = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)).astimezone(UTC)
    return round(begun.timestamp()) * SECOND
