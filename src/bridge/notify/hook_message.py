"""What a webhook says of a step of the ladder: keys, clocks and moments, for chat tools and the like.

No text of a ticket, no name of a person and no address is in it: nobody knows who reads along at its other end.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bridge.notify.clock_letters import Alarm
from bridge.store.rows import Letter
from bridge.sync.moments import for_programs
from bridge.sync.ticket import Side

TYPE = "bridge.clock.step"
"""``type`` of such a message."""

CHANNEL = "hook"
"""The outbox's word for this way."""


def hook_letter(alarm: Alarm, hook: str, now: int) -> Letter:
    """A step as a letter of the channel ``hook``.

    Args:
        alarm: the step.
        hook: name of the webhook in bridge.yaml.
        now: microseconds.
    """
    cycle, link = alarm.cycle, alarm.link
    key = f"alert/{link.id}/{cycle.clock}/{cycle.started_at}/{alarm.step.name}/{alarm.round}/hook/{hook}"
    mark = f"{alarm.agreement.name}\x00{link.marker}\x00{key}"
    return Letter(
        id=0,
        key=key,
        agreement=alarm.agreement.name,
        to=(hook,),
        subject=f"{alarm.step.name} of {cycle.clock}",
        text=json.dumps(_body(alarm), ensure_ascii=True, separators=(",", ":")),
        html="",
        message_id="msg_" + hashlib.sha256(mark.encode(errors="replace")).hexdigest()[:32],
        created_at=now,
        link_id=link.id,
        channel=CHANNEL,
    )


def _body(alarm: Alarm) -> dict[str, Any]:
    cycle, link = alarm.cycle, alarm.link
    return {
        "type": TYPE,
        "timestamp": for_programs(alarm.at),
        "data": {
            "agreement": alarm.agreement.name,
            "tickets": {side.value: link.key(side) for side in Side if link.key(side)},
            "clock": cycle.clock,
            "state": cycle.state.value,
            "step": alarm.step.name,
            "round": alarm.round,
            "missed": alarm.missed,
            "late": alarm.late,
            "started_at": for_programs(cycle.started_at),
            "due_at": _moment(cycle.due_at),
            "breached_at": _moment(cycle.breached_at),
            "stopped_at": _moment(cycle.stopped_at),
            "ball": alarm.verdict.ball[-1].owner.value if alarm.verdict.ball else None,
            "certain_until": _moment(alarm.verdict.certain_until),
        },
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else for_programs(at)
