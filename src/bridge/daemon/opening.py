"""Building a house from a configuration, and closing it again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy.engine import make_url

from bridge.clock import Clock
from bridge.config.settings import Settings, TrackerSettings
from bridge.daemon.house import House, Terms
from bridge.daemon.spool import Spool
from bridge.daemon.witness import Witness
from bridge.errors import StoreError
from bridge.store.database import Store
from bridge.store.lease import Lease
from bridge.trackers.protocol import Tracker
from bridge.trackers.registry import open_tracker

log = structlog.get_logger(__name__)


def open_terms(settings: Settings, clock: Clock, before: Terms | None = None) -> Terms:
    """Open the trackers of a configuration; those whose settings did not change are kept from ``before``.

    Raises:
        ConfigError: a tracker of an unknown kind.
    """
    trackers: dict[str, Tracker] = {}
    for name, wanted in settings.trackers.items():
        kept = _unchanged(before, name, wanted)
        trackers[name] = kept if kept is not None else open_tracker(wanted, clock)
    return Terms(settings, trackers)


def open_house(settings: Settings, clock: Clock, *, working: bool = True) -> House:
    """A house ready to work.

    Args:
        settings: the configuration.
        clock: the time.
        working: False for a house that only looks: it may stand beside one that works.

    Raises:
        ConfigError: a tracker of an unknown kind.
        StoreError: the database cannot be used, or another bridge works on it.
    """
    terms = open_terms(settings, clock)
    lease = Lease(settings.database) if working else None
    try:
        store = Store.open(settings.database if working else _to_look_at(settings.database))
    except BaseException:
        if lease is not None:
            lease.release()
        raise
    spool = _spool(settings)
    if working:
        spool.clean()
    return House(
        terms=terms,
        store=store,
        clock=clock,
        random=random.Random(),  # noqa: S311 - jitter, not a secret
        lease=lease,
        spool=spool,
        witness=Witness(Path(settings.spool)) if working else None,
    )


def open_desk(settings: Settings, clock: Clock) -> House:
    """A house for a person's command that changes links: it may stand beside one that works, and makes the database.

    It writes nothing to a tracker but what the person asks for; the daemon's sweep finds what it woke.

    Raises:
        ConfigError: a tracker of an unknown kind.
        StoreError: the database cannot be used.
    """
    terms = open_terms(settings, clock)
    return House(
        terms=terms,
        store=Store.open(settings.database),
        clock=clock,
        random=random.Random(),  # noqa: S311 - jitter, not a secret
        spool=_spool(settings),
    )


def _spool(settings: Settings) -> Spool:
    return Spool(Path(settings.spool), settings.spool_quota)


def _to_look_at(url: str) -> str:
    """The database's URL; one in memory where there is none yet, for looking must not make one."""
    parsed = make_url(url)
    missing = parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()
    return "sqlite://" if missing else url


def greet(house: House) -> None:
    """Log in to every tracker once, so that a dead login is seen at the start and not after the first poll.

    Raises:
        TrackerError: the first tracker that cannot be reached or refuses the login.
    """
    for tracker in house.terms.trackers.values():
        house.account(tracker)


def close_trackers(trackers: Mapping[str, Tracker], keep: Mapping[str, Tracker] | None = None) -> None:
    """Close the connections of trackers that are not kept."""
    kept = {id(tracker) for tracker in (keep or {}).values()}
    for tracker in trackers.values():
        if id(tracker) not in kept:
            tracker.close()


def close_house(house: House) -> None:
    """Close trackers and store, having noted outside of it how far it came."""
    close_trackers(house.terms.trackers)
    if house.witness is not None:
        try:
            house.witness.note(house.store, house.clock.now(), at_once=True)
        except StoreError as error:
            log.error("store_failed", words=str(error))
    house.store.close()
    if house.lease is not None:
        house.lease.release()


def _unchanged(before: Terms | None, name: str, wanted: TrackerSettings) -> Tracker | None:
    if before is None or before.settings.trackers.get(name) != wanted:
        return None
    return before.trackers.get(name)
