"""``bridge link INTERNAL VENDOR``: mirror two tickets that are both there already."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bridge.cli.options import (
    agreement_option,
    chosen_agreement,
    config_option,
    history_option,
    operator,
    quiet,
    read_settings,
    winner_option,
)
from bridge.sync.agreement import FieldRule
from bridge.sync.mapping import crossing, show
from bridge.sync.ticket import Side, Ticket


@click.command()
@click.argument("internal")
@click.argument("vendor")
@agreement_option
@winner_option
@history_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def command(
    internal: str,
    vendor: str,
    *,
    agreement: str | None,
    winner: str,
    history: bool,
    yes: bool,
    config: Path,
) -> None:
    """Link the ticket INTERNAL with the ticket VENDOR, so that they are mirrored from now on.

    Both are read and shown first. Works while the daemon runs, which then brings them into agreement. Two tickets that
    were linked before go on where they stopped, unless --from is given.

    Ends with 1 when they cannot be linked, or you say no.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.opening import close_house, open_desk
    from bridge.daemon.pairing import Mistake, Unlinkable, Wish, connect, read_couples
    from bridge.daemon.remembering import check_sites

    with quiet():
        settings = read_settings(config)
        terms = chosen_agreement(settings, agreement)
        house = open_desk(settings, SystemClock())
        try:
            check_sites(house, house.terms)
            (couple,) = read_couples(house, terms, [Wish(internal, vendor)])
            if isinstance(couple, Mistake):
                raise Unlinkable(couple.reason)
            if couple.linked:
                click.echo(f"{couple.internal.key} = {couple.vendor.key}: linked already")
                sys.exit(0)
            for rule in terms.fields:
                values = [_shown(rule, couple.ticket(side), side) for side in Side]
                click.echo(f"{rule.name:<12}  {values[0]}  |  {values[1]}")
            if not yes:
                question = f"Link {couple.internal.key} with {couple.vendor.key} under '{terms.name}'?"
                click.confirm(question, abort=True)
            side = None if winner == "none" else Side(winner)
            connect(house, terms, couple, winner=side, history=history, who=operator())
        finally:
            close_house(house)
    click.echo(f"{couple.internal.key} = {couple.vendor.key}: linked")


def _shown(rule: FieldRule, ticket: Ticket, side: Side) -> str:
    """A value for people: nothing of a private ticket, and of a set what may cross."""
    if ticket.private:
        return "(private)"
    value = ticket.fields.get(rule.name)
    return show(crossing(rule, value, side) if isinstance(value, frozenset) else value)
