"""``bridge unlink KEY``: end a link; both tickets stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.options import agreement_option, config_option, operator, quiet, read_settings
from bridge.sync.ticket import Side

if TYPE_CHECKING:
    from bridge.daemon.house import House
    from bridge.store.rows import Link


@click.command()
@click.argument("key")
@agreement_option
@config_option
def command(key: str, *, agreement: str | None, config: Path) -> None:
    """End the link of the ticket KEY, of either side: nothing crosses any more, and no new mirror is made.

    Both tickets stay as they are, but for the links to each other, which are taken off where the tracker can do that.
    'bridge link' takes the mirroring up again.
    """
    from bridge.clock import SystemClock
    from bridge.daemon.opening import close_house, open_desk
    from bridge.daemon.pairing import Unlinkable, disconnect
    from bridge.store.rows import LinkState

    with quiet():
        settings = read_settings(config)
        house = open_desk(settings, SystemClock())
        try:
            with house.store.read() as tx:
                links = [link for link in tx.links.by_key(key) if agreement in (None, link.agreement)]
            living = [link for link in links if link.state is not LinkState.CLOSED]
            if len(living) > 1:
                names = ", ".join(f"'{link.agreement}'" for link in living)
                raise click.UsageError(f"{key} is linked under {names}; say which with --agreement")
            if not living:
                raise Unlinkable(f"the link of {key} has ended already" if links else f"no link knows {key}")
            (link,) = living
            disconnect(house, link, operator())
            for line in _take_links_back(house, link):
                click.echo(line)
        finally:
            close_house(house)
    keys = " = ".join(name for name in (link.internal_key, link.vendor_key) if name)
    click.echo(
        f"{keys}: unlinked; both tickets stay"
        if link.vendor_key and link.internal_key
        else f"{keys}: unlinked"
    )


def _take_links_back(house: House, link: Link) -> list[str]:
    """Take the tickets' links to each other off; returns what could not be done."""
    from bridge.errors import TrackerError
    from bridge.trackers.protocol import TakesLinkBack

    left: list[str] = []
    agreement = house.terms.agreement(link.agreement)
    if agreement is None:
        return [f"'{link.agreement}' is in the configuration no more; the tickets' links to each other stay"]
    for side in Side:
        ticket = link.ticket(side)
        if ticket is None or not link.linked(side):
            continue
        tracker: object = house.terms.trackers[agreement.scope(side).tracker]
        if not isinstance(tracker, TakesLinkBack):
            left.append(f"the note on {link.key(side)} that names {link.key(side.other)} stays")
            continue
        try:
            tracker.take_link_back(ticket, link.marker)
        except TrackerError as error:
            left.append(f"the link on {link.key(side)} to {link.key(side.other)} stays: {error.words}")
            continue
        with house.store.write() as tx:
            tx.links.mark_linked(link.id, side, linked=False)
            told = {"side": side.value, "who": operator()}
            tx.journal.add(house.clock.now(), link.agreement, link.id, "link.hidden", told)
    return left
