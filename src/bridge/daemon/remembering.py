"""Questions before the work begins: is our memory whole, is it of these sites, is it of today's agreement?

A database that was lost or restored would mirror everything once more: each ticket of one side would get a second
mirror. The marks that mirrored tickets carry tell. And links that came to rest under yesterday's agreement, or got
stuck, deserve a look under today's.
"""

from __future__ import annotations

import structlog

from bridge.daemon.house import SITES, House, Terms, field_specs, site
from bridge.errors import ForgottenMirrors, OtherSite
from bridge.store.rows import LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.fingerprint import fingerprint
from bridge.sync.identity import marker_for
from bridge.sync.ticket import Side
from bridge.trackers.protocol import Watch

log = structlog.get_logger(__name__)

WOKEN_OTHERWISE = frozenset({"peer-not-mirrored"})
"""Findings that a restart need not look at: what settles them wakes their links, and there may be very many."""

SHOWN = 5
"""Tickets named in the message; there may be thousands."""


def check_memory(house: House) -> None:
    """Refuse to begin with an empty memory where mirrors of ours are already there.

    Reads everything in scope once, and only for agreements of which the database knows no link.

    Raises:
        ForgottenMirrors: tickets carry marks that only this agreement can have made.
        TrackerError: a tracker cannot be asked now.
    """
    terms = house.terms
    forgotten: list[str] = []
    for agreement in terms.settings.agreements:
        with house.store.read() as tx:
            known = bool(tx.links.list(agreement.name))
        if not known:
            forgotten += _forgotten(terms, agreement)
    if forgotten:
        raise ForgottenMirrors(forgotten[:SHOWN], len(forgotten))


def _forgotten(terms: Terms, agreement: Agreement) -> list[str]:
    """Keys of tickets that are mirrors of tickets in scope, by their marks."""
    marked: dict[str, str] = {}
    possible: set[str] = set()
    for side in Side:
        scope = agreement.scope(side)
        watch = Watch(scope, field_specs(agreement, side))
        for page in terms.trackers[scope.tracker].changes(watch, 0):
            for ticket in page:
                possible.add(marker_for(agreement.name, side, ticket.id))
                if ticket.marker:
                    marked[ticket.marker] = ticket.key
    return sorted(marked[marker] for marker in marked.keys() & possible)


def check_sites(house: House, terms: Terms, *, moved: bool = False) -> None:
    """Refuse to take one site for another: the ids in our database are of the site where they were found.

    Args:
        house: for the database.
        terms: the terms that are to come into force.
        moved: the operator says that a site has only got a new address.

    Raises:
        OtherSite: an agreement with links now points elsewhere.
    """
    for agreement in terms.settings.agreements:
        for side in Side:
            here = site(terms.settings.trackers[agreement.scope(side).tracker])
            note = f"{SITES}{agreement.name}/{side.value}"
            with house.store.read() as tx:
                known = tx.cursors.get_note(note)
                linked = bool(tx.links.ids(agreement.name, side))
            if known is not None and known != here and linked and not moved:
                raise OtherSite(agreement.name, side.value, str(known), here)
            if known != here:
                with house.store.write() as tx:
                    tx.cursors.set_note(note, here)
                    for one, where in tx.cursors.notes(SITES).items() if moved and linked else ():
                        if where == known:  # agreements that have ended are at the new address as well
                            tx.cursors.set_note(one, here)


def renew(house: House) -> None:
    """Have links looked at again: all of an agreement that has changed, and those that got stuck.

    Raises:
        StoreError: our own database failed.
    """
    now = house.clock.now()
    for agreement in house.terms.settings.agreements:
        print_now = fingerprint(agreement)
        note = f"agreement/{agreement.name}"
        with house.store.write(durable=False) as tx:
            before = tx.cursors.get_note(note)
            changed = before is not None and before != print_now
            links = [link for link in tx.links.list(agreement.name) if link.state is not LinkState.CLOSED]
            stuck = [
                link.id
                for link in links
                if link.state is LinkState.PARKED
                or any(finding["kind"] not in WOKEN_OTHERWISE for finding in link.findings)
            ]
            woken = [link.id for link in links] if changed else stuck
            tx.links.wake(woken, now)
            if before != print_now:
                tx.cursors.set_note(note, print_now)
                tx.journal.add(now, agreement.name, None, "agreement.changed", {"digest": print_now})
        if woken:
            log.info("links_renewed", agreement=agreement.name, links=len(woken), changed=changed)
