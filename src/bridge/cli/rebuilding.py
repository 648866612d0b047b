"""``bridge sla rebuild``: histories read anew from both trackers, and what is another, before it is stored."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bridge.cli.options import (
    agreement_option,
    chosen_agreement,
    config_option,
    json_option,
    print_json,
    progress_bar,
    quiet,
    read_settings,
)
from bridge.clock import SystemClock
from bridge.config import Settings
from bridge.daemon.chronicle import Rebuilt, store_rebuilt
from bridge.daemon.chronicle import rebuild as read_anew
from bridge.daemon.house import House
from bridge.daemon.opening import close_house, open_desk
from bridge.errors import TrackerError, Unreachable
from bridge.store.database import Tx
from bridge.store.rows import Link, LinkState


@click.command()
@click.argument("key", required=False)
@agreement_option
@click.option("--yes", is_flag=True, help="Store what is another without asking.")
@config_option
@json_option
def command(key: str | None, *, agreement: str | None, yes: bool, config: Path, as_json: bool) -> None:
    """Read the histories of all open links, or of KEY, anew from both trackers, and show what is another.

    It is stored once you say so, or with --yes; with --json and without --yes nothing is. Works while the daemon runs.
    Ends with 1 when anything was another, 3 when a tracker could not be asked.
    """
    with quiet("error"):
        settings = read_settings(config)
        house = open_desk(settings, SystemClock())
        try:
            with house.store.read() as tx:
                links = _links(settings, tx, key, agreement)
            changed, failures = _rebuild(house, links)
            if not as_json:
                for one in changed:
                    _tell_rebuilt(one)
            store = bool(changed) and (
                yes
                or (
                    not as_json
                    and sys.stdin.isatty()
                    and click.confirm(f"Store the {len(changed)} timelines that are another?")
                )
            )
            for one in changed if store else ():
                store_rebuilt(house, one)
        finally:
            close_house(house)
    if as_json:
        print_json(
            {
                "read": len(links) - len(failures),
                "stored": store,
                "differences": [
                    {**_of(one.known.link), "differences": list(one.differences)} for one in changed
                ],
                "unreachable": [{**_of(link), "message": words} for link, words in failures],
            }
        )
    else:
        for link, words in failures:
            click.echo(f"{link.internal_key or link.vendor_key}: not read: {words}", err=True)
        click.echo(
            f"{len(links) - len(failures)} read, {len(changed)} are another; {'stored' if store else 'nothing stored'}"
        )
    sys.exit(3 if failures else 1 if changed else 0)


def _rebuild(house: House, links: list[Link]) -> tuple[list[Rebuilt], list[tuple[Link, str]]]:
    """What the trackers tell otherwise now, and of which links they tell nothing."""
    changed: list[Rebuilt] = []
    failures: list[tuple[Link, str]] = []
    down: dict[str, str] = {}
    with progress_bar("reading") as told:
        for number, link in enumerate(links):
            told(number, len(links))
            if link.agreement in down:
                failures.append((link, down[link.agreement]))
                continue
            try:
                one = read_anew(house, link.id)
            except TrackerError as error:
                failures.append((link, str(error)))
                if isinstance(error, Unreachable):  # the others' turn would only be waited for
                    down[link.agreement] = str(error)
                continue
            if one is not None and one.new is None:
                failures.append((link, "no tracker shows its ticket"))
            elif one is not None and one.differences:
                changed.append(one)
    return changed, failures


def _tell_rebuilt(one: Rebuilt) -> None:
    link = one.known.link
    click.echo(f"{link.internal_key} = {link.vendor_key} ({link.agreement})")
    for words in one.differences:
        click.echo(f"  {words}")


def _of(link: Link) -> dict[str, str]:
    return {"agreement": link.agreement, "internal": link.internal_key, "vendor": link.vendor_key}


def _links(settings: Settings, tx: Tx, key: str | None, agreement: str | None) -> list[Link]:
    names = {one.name for one in settings.agreements}
    if agreement is not None:
        names = {chosen_agreement(settings, agreement).name}
    live = [state for state in LinkState if state is not LinkState.CLOSED]
    found = tx.links.list(states=live) if key is None else tx.links.by_key(key)
    links: list[Link] = [link for link in found if link.agreement in names]
    if key is not None and not links:
        raise click.UsageError(f"no link knows the ticket {key}")
    return links
