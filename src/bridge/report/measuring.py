"""What the clocks of stored links say at a moment: timeline and policy out of the store, evaluated; nothing is written.

No tracker is asked. A link whose timeline was never read, or which is older than every version of the policy, has no
clocks and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bridge.sla.calendar import Calendar, calendars_of
from bridge.sla.clock import evaluate
from bridge.sla.policy import Policy
from bridge.sla.serial import policy_from_json, timeline_from_json
from bridge.sla.timeline import Timeline
from bridge.sla.verdict import Verdict
from bridge.store.database import Tx
from bridge.store.rows import Link


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
    """All versions of an agreement's policy, by their fingerprint, in the order in which they came into force.

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

    Raises:
        StoreError: what is stored cannot be read.
    """
    known = versions(tx, agreement)
    calendars = {version: calendars_of(policy) for version, policy in known.items()}
    links = {link.id: link for link in tx.links.list(agreement)}
    for row in tx.chronicles.all(agreement):
        policy, link = known.get(row.policy), links.get(row.link_id)
        if policy is None or link is None or not row.timeline:
            continue
        timeline = timeline_from_json(row.timeline)
        if timeline.born <= now:
            verdict = evaluate(timeline, policy, calendars[policy.version], now)
            yield Measured(link, timeline, policy, calendars[policy.version], verdict)
