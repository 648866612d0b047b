"""Intents around a write that a tracker cannot undo or recognise twice (decision 4).

Committed before the request leaves, resolved after its answer; what stays open is looked for by ``resolving``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bridge.clock import SECOND
from bridge.daemon.run import Run
from bridge.store.rows import Intent, IntentKind
from bridge.sync.ticket import Side

log = structlog.get_logger(__name__)

SKEW = 300 * SECOND
"""How far one clock may be behind another when we look for what was made since: a tracker's behind ours, or behind the
other tracker's."""


def intend(
    run: Run, kind: IntentKind, side: Side, marker: str, subject: str, *, detail: Mapping[str, Any]
) -> Intent:
    """Commit the note that a request is about to leave."""
    now = run.house.clock.now()
    with run.house.store.write() as tx:
        intent = tx.intents.plan(run.link.id, kind, side, marker, subject, detail, now)
        tx.intents.sent(intent.id, now)
    return intent


def lost(run: Run, intent: Intent) -> None:
    """The answer was lost: somebody must look before this is sent again."""
    with run.house.store.write() as tx:
        tx.intents.unknown(intent.id)
        data = {"side": intent.side.value, "what": intent.kind.value}
        tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "outcome.unknown", data)
    log.warning(
        "outcome_unknown",
        agreement=run.agreement.name,
        link=run.link.id,
        side=intent.side.value,
        what=intent.kind.value,
    )


def forgo(run: Run, intent: Intent, reason: str) -> None:
    """It surely did not happen."""
    with run.house.store.write() as tx:
        tx.intents.dead(intent.id, reason, run.house.clock.now())
