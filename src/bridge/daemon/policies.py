"""Which version of a policy a ticket is measured by: versions are kept as they are first seen, and never changed.

A ticket keeps the version that it was born under, whatever is written into the file later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.daemon.house import Terms
from bridge.report import measuring
from bridge.sla.policy import Policy
from bridge.sla.serial import policy_to_json, version_of
from bridge.store.database import Tx
from bridge.store.rows import Link, PolicyRow


def policy_of(terms: Terms, agreement: str) -> Policy | None:
    """What the configuration says of an agreement's clocks; None when it has none."""
    policy = terms.settings.policies.get(agreement)
    return policy if policy is not None and policy.clocks else None


def keep_policy(tx: Tx, terms: Terms, agreement: str, now: int) -> PolicyRow | None:
    """Keep what the configuration says as a version of its own, if it is not the one in force.

    The first version measures every ticket; a later one those that are born from now on. Where the file says from when
    (``clocks-from``), that holds, once: a date that merely stayed there takes no later edit back into the past. An
    agreement whose clocks are taken away keeps those of the tickets that run.

    Returns:
        The new version; None when there is nothing new.

    Raises:
        StoreError: our own database failed.
    """
    policy = terms.settings.policies.get(agreement)
    known = tx.policies.list(agreement)
    if policy is None or (not known and not policy.clocks):
        return None
    print_ = version_of(policy)
    newest = max(known, key=lambda row: row.seen_at, default=None)
    if newest is not None and newest.version.partition("-")[0] == print_:
        return None
    # A file that goes back to former words is a version again: it holds from now on, not since those words did.
    before = sum(row.version.partition("-")[0] == print_ for row in known)
    version = f"{print_}-{before + 1}" if before else print_
    since = policy.since or (now if known else 0)
    if any(row.since == since for row in known):
        since = max(since, now)
    row = PolicyRow(
        agreement, version, since, now, policy_to_json(replace(policy, version=version, since=since))
    )
    return row if tx.policies.add(row) else None


def versions(tx: Tx, agreement: str) -> tuple[Policy, ...]:
    """All versions of an agreement's policy, in the order in which they were first seen.

    Raises:
        StoreError: our own database failed, or holds what this program cannot read.
    """
    return tuple(measuring.versions(tx, agreement).values())


def policy_for(known: Sequence[Policy], born: int) -> Policy | None:
    """The newest version that was in force when a ticket was born (microseconds); None for none."""
    return next((one for one in reversed(known) if one.since <= born), None)


def mark_stale(tx: Tx, terms: Terms, link: Link, now: int) -> None:
    """Something of a link may have changed: its timeline is to be read again, if it has clocks.

    Raises:
        StoreError: our own database failed.
    """
    if policy_of(terms, link.agreement) is not None or tx.chronicles.get(link.id) is not None:
        tx.chronicles.touch(link.id, link.agreement, now)
