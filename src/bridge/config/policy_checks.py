"""What an agreement says about time, put together: its policy, and its pledge to tell people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.clock import SECOND
from bridge.config.agreement_checks import Draft
from bridge.config.clock_checks import Bench, settle_ball, settle_clocks, settle_resolved
from bridge.config.clock_words import weekly_of
from bridge.config.findings import Path
from bridge.config.goal_checks import Calendars
from bridge.config.ladder_checks import check_clocks, check_roles, settle_ladder
from bridge.config.settings import Digest, OutgoingHook, Pledge
from bridge.config.vocabulary import Vocabulary
from bridge.config.zones import check_zone
from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import Policy
from bridge.sla.serial import version_of
from bridge.sync.ticket import Side


@dataclass(frozen=True, slots=True)
class Ground:
    """What an agreement's clocks rest on in ``bridge.yaml``.

    Attributes:
        calendars: by name.
        hooks: outgoing webhooks, by name.
        mail: whether there is a mail server, or a flawed entry of one.
    """

    calendars: Mapping[str, CalendarRule]
    hooks: Mapping[str, OutgoingHook]
    mail: bool


def settle_policy(draft: Draft, ground: Ground | None) -> tuple[Policy, Pledge]:
    """What one agreement says about time; what is wrong goes to its file's findings.

    Args:
        draft: the agreement.
        ground: None when ``bridge.yaml`` could not be read.
    """
    shape, source = draft.shape, draft.source
    words = Vocabulary(draft)
    calendars = Calendars(None if ground is None else ground.calendars, words)
    office = {
        side: calendars.find(name, ("office", side.value)).name
        for side in Side
        if (name := getattr(shape.office, side.value))
    }
    resolved = settle_resolved(shape, words)
    ball = settle_ball(shape, words)
    clocks = settle_clocks(shape, Bench(words, calendars, ball, resolved))
    ladder = settle_ladder(shape, words, None if ground is None else ground.hooks)
    since = _midnight(shape.clocks_from)
    policy = Policy(
        since=since,
        clocks=clocks,
        ladder=ladder,
        ball=ball,
        resolved=resolved,
        calendars=calendars.used,
        office=office,
    )
    policy = replace(policy, version=version_of(policy))
    if ground is not None and not ground.mail:
        for key in _telling(draft):
            source.problem(
                (key,),
                "bridge.yaml names no mail server: nobody would be told",
                "add there e.g. 'mail: {server: \"smtp://localhost:25\", from: bridge@example.com}'",
                key=True,
            )
    for key, given in (
        ("alerts", bool(shape.alerts.model_fields_set)),
        ("clocks-from", bool(shape.clocks_from)),
    ):
        needs = "ladder" if key == "alerts" else "clocks"
        if given and getattr(shape, needs) is None and source.sound((needs,)):
            source.problem(
                (key,), f"it has no effect without '{needs}'", f"add '{needs}', or remove it", key=True
            )
    office_zone = policy.calendars[office[Side.INTERNAL]].zone if Side.INTERNAL in office else "UTC"
    pledge = Pledge(
        digest=_digest(draft, words, office_zone),
        most_per_hour=shape.alerts.most_per_hour,
        gather=shape.alerts.gather,
        settle=shape.alerts.settle,
        clocks_from=since,
    )
    return policy, pledge


def _telling(draft: Draft) -> Iterator[str]:
    """The keys by which people are told by mail."""
    if any(step.tell for step in draft.shape.ladder or ()):
        yield "ladder"
    if draft.shape.digest is not None:
        yield "digest"


def told(draft: Draft) -> Iterator[str]:
    """Names of the roles that the ladder and the digest tell something."""
    for step in draft.shape.ladder or ():
        yield from step.tell
    if draft.shape.digest is not None:
        yield from draft.shape.digest.to


def _digest(draft: Draft, words: Vocabulary, zone: str) -> Digest | None:
    shape = draft.shape.digest
    if shape is None:
        return None
    at: Path = ("digest",)
    check_roles(shape.to, (*at, "to"), draft.shape, words)
    if shape.zone:
        check_zone(shape.zone, (*at, "zone"), draft.source)
    for name in shape.goals:
        check_clocks((name,), (*at, "goals", name), draft.shape, words)
    if shape.goals and not draft.shape.clocks and draft.source.sound(("clocks",)):
        draft.source.problem(
            (*at, "goals"),
            "there are no clocks whose goals could be met",
            "add 'clocks', or remove it",
            key=True,
        )
    weekday, minute = weekly_of(shape.every)
    return Digest(shape.to, weekday, minute, shape.zone or zone, dict(shape.goals))


def _midnight(day: str) -> int:
    """The beginning of a day in UTC, microseconds; 0 for none."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * SECOND if day else 0
