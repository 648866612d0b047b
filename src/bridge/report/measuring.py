"""What the clocks of stored links say at a moment: timeline and policy out of the store, evaluated; nothing is written.

No tracker is asked. A link whose timeline was never read, or which is older than every version of the policy, has no
clocks and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import structlog

from bridge.errors import StoreError
from bridge.sla.calendar import Calendar, calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.policy import Policy
from bridge.sla.serial import policy_from_json, timeline_from_json
from bridge.sla.timeline import Timeline
from bridge.sla.verdict import Verdict
from bridge.store.database import Tx
from bridge.store.rows import Chronicle, Link

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """A link and what its clocks say.

    Attributes:
        link: its row.
        timeline: its history, as it was last read.
        policy: the version that it is measured by.
        calendars: those of the policy.
        verdict: what the clocks say.
    """

    link: Link
    timeline: Timeline
    policy: Policy
    calendars: Mapping[str, Calendar]
    verdict: Verdict


def versions(tx: Tx, agreement: str) -> dict[str, Policy]:
    """All versions of an agreement's policy, by their fingerprint, in the order in which they were first seen.

    Raises:
        StoreError: a stored one cannot be read.
    """
    return {
        row.version: replace(policy_from_json(row.content), version=row.version, since=row.since)
        for row in tx.policies.list(agreement)
    }


def measure(tx: Tx, agreement: str, now: int) -> Iterator[Measured]:
    """What the clocks of an agreement say, in the order of the links.

    Args:
        tx: a transaction that reads.
        agreement: name of the agreement.
        now: the moment of evaluation, microseconds; a past one is told from what had happened by then.

    A link whose timeline cannot be read is left out, with a word in the log: it keeps no other from a report.

    Raises:
        StoreError: a policy that is stored cannot be read.
    """
    known = versions(tx, agreement)
    links = {link.id: link for link in tx.links.list(agreement)}
    for row in tx.chronicles.all(agreement):
        if row.link_id not in links:
            continue
        try:
            found = _measured(links[row.link_id], row, known, now)
        except StoreError as error:
            log.error("timeline_unreadable", agreement=agreement, link=row.link_id, words=str(error))
            continue
        if found is not None:
            yield found


def measure_link(tx: Tx, link: Link, now: int) -> Measured | None:
    """What the clocks of one link say; None when it has none.

    Args: see :func:`measure`.

    Raises:
        StoreError: what is stored cannot be read.
    """
    row = tx.chronicles.get(link.id)
    return None if row is None else _measured(link, row, versions(tx, link.agreement), now)


def _measured(link: Link, row: Chronicle, known: Mapping[str, Policy], now: int) -> Measured | None:
    policy = known.get(row.policy)
    if policy is None or not row.timeline:
        return None
    timeline = timeline_from_json(row.timeline)
    if timeline.born > now:
        return None
    calendars = calendars_of(policy)
    return Measured(link, timeline, policy, calendars, evaluate(timeline, policy, calendars, now))
