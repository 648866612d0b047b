"""The clocks of an agreement, who has the ball, and what counts as resolved: what stands here becomes a policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.config.clock_shape import ChangeShape, ClockShape, PauseShape
from bridge.config.clock_words import trigger_of
from bridge.config.findings import Path
from bridge.config.goal_checks import Calendars, settle_goals
from bridge.config.shape import AgreementShape
from bridge.config.vocabulary import Vocabulary
from bridge.sla.policy import BallRule, ClockRule, Happening, Owner, Pause, Trigger
from bridge.sync.ticket import Side

_RESOLVED = ("Resolved", "Closed", "Done", "Cancelled", "Canceled", "Rejected")
"""Statuses that count as resolved without a word on it."""

_ALWAYS = "always"
"""How a rule without conditions is told."""


def settle_resolved(shape: AgreementShape, words: Vocabulary) -> frozenset[str]:
    """The statuses in which a ticket is resolved; what is wrong goes to the file's findings."""
    if shape.resolved:
        return _statuses(shape.resolved, ("resolved",), words)
    rule = words.draft.agreement.field("status")
    if rule is None:
        return frozenset()
    if not rule.values:
        return frozenset(_RESOLVED)
    usual = {name.casefold() for name in _RESOLVED}
    return frozenset(inner for inner, _ in rule.values if inner.casefold() in usual)


def _statuses(given: tuple[str, ...], at: Path, words: Vocabulary) -> frozenset[str]:
    if not given or not words.field("status", at):
        return frozenset()
    return words.values("status", given, at)


def settle_ball(shape: AgreementShape, words: Vocabulary) -> tuple[BallRule, ...]:
    """Who has the ball; what is wrong goes to the file's findings."""
    rules: list[BallRule] = []
    for position, ball in enumerate(shape.ball):
        at: Path = ("ball", position)
        assigned = {side: given for side in Side if (given := getattr(ball.assigned, side.value)) is not None}
        parts = [f"status {' or '.join(ball.status)}"] if ball.status else []
        parts += [f"last comment by {ball.comment}"] if ball.comment is not None else []
        parts += [
            f"{'somebody' if given else 'nobody'} assigned on the {side} side"
            for side, given in assigned.items()
        ]
        before: Path = ("ball", position - 1)
        if position and rules[-1].words == _ALWAYS and words.source.sound(before):
            words.source.problem(
                at,
                f"the rule on line {words.source.line(before)} always fits: this one never counts",
                "put the one without conditions last",
            )
        rules.append(
            BallRule(
                owner=ball.owner or Owner.NOBODY,  # without one, the file is refused
                statuses=_statuses(ball.status, (*at, "status"), words),
                comment=ball.comment,
                assigned=assigned,
                words=", ".join(parts) or _ALWAYS,
            )
        )
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the clocks of one agreement are read against.

    Attributes:
        words: its fields and their values.
        calendars: the calendars that it may name.
        ball: the rules of who has the ball.
        resolved: the statuses in which a ticket is resolved.
    """

    words: Vocabulary
    calendars: Calendars
    ball: tuple[BallRule, ...]
    resolved: frozenset[str]


def settle_clocks(shape: AgreementShape, bench: Bench) -> tuple[ClockRule, ...]:
    """The clocks, in file order; what is wrong goes to the file's findings."""
    source = bench.words.source
    if shape.clocks == {} and source.sound(("clocks",)):
        source.problem(
            ("clocks",),
            "no clock is given",
            "write e.g. resolve: {start: created, stop: resolved, goals: {default: 5d}}, or drop the key",
            key=True,
        )
    return tuple(_clock(name, clock, bench) for name, clock in (shape.clocks or {}).items())


def _clock(name: str, clock: ClockShape, bench: Bench) -> ClockRule:
    words = bench.words
    at: Path = ("clocks", name)
    start = _triggers(clock.start, (*at, "start"), words)
    stop = _triggers(clock.stop, (*at, "stop"), words)
    named = {trigger.what for trigger in (*start, *stop)}
    if clock.cancel is not None:
        cancel = _triggers(clock.cancel, (*at, "cancel"), words)
    else:
        cancel = () if Happening.RESOLVED in named else (Trigger(Happening.RESOLVED, words="resolved"),)
    _check_triggers(at, start, stop, words)
    if not bench.resolved and words.source.sound(("resolved",), ("fields", "status"), ("fields",)):
        for key, triggers in (("start", start), ("stop", stop)):
            asked = any(one.what in {Happening.RESOLVED, Happening.REOPENED} for one in triggers)
            if asked and words.field("status", (*at, key)):
                words.source.problem(
                    (*at, key),
                    "no status counts as resolved",
                    "name them beside 'clocks', e.g. 'resolved: [Resolved, Closed]'",
                )
    _check_pause(at, clock.pause, bench.ball, words)
    _check_warnings(at, clock.warn, words)
    return ClockRule(
        name=name,
        start=start,
        stop=stop,
        cancel=cancel,
        pause=tuple(
            _pause(pause, (*at, "pause", position), words) for position, pause in enumerate(clock.pause)
        ),
        goals=settle_goals(name, clock, words, bench.calendars),
        reopen=clock.reopen,
        goal_change=clock.goal_change,
        warn=clock.warn,
        owner=clock.owner,
    )


def _triggers(given: Iterable[str | ChangeShape], at: Path, words: Vocabulary) -> tuple[Trigger, ...]:
    triggers: list[Trigger] = []
    for position, one in enumerate(given):
        here: Path = (*at, position)
        here = here if here in words.source.lines else at
        trigger = _word(one, words) if isinstance(one, str) else _change(one, here, words)
        if trigger is not None and trigger in triggers:
            words.source.problem(here, f"'{trigger.words}' stands twice", "keep one of them")
        elif trigger is not None:
            triggers.append(trigger)
    return tuple(triggers)


def _word(word: str, words: Vocabulary) -> Trigger:
    """A trigger that is a word. Whoever is accountable is whom the field of that side's role names."""
    trigger = trigger_of(word)
    if trigger.what is not Happening.OWNED:
        return trigger
    fields = [role.field for role in words.draft.agreement.roles if role.side is trigger.side and role.field]
    return Trigger(trigger.what, trigger.side, next(iter(fields), "assignee"), words=word)


def _change(change: ChangeShape, at: Path, words: Vocabulary) -> Trigger | None:
    """A trigger that is a change of a field."""
    source = words.source
    keys = [(*at, key) for key in ("status", "field", "becomes")]
    if change.status and (change.field or change.becomes):
        source.problem(at, "'status' says it all", "keep {status: ...}, or write {field: ..., becomes: ...}")
        return None
    if not change.status and not change.field:
        if source.sound(*keys):
            source.problem(
                at, "no change is named", "write {status: ...} or {field: ..., becomes: ...}", key=True
            )
        return None
    field, key = ("status", "status") if change.status else (change.field, "becomes")
    if not words.field(field, (*at, "status" if change.status else "field")):
        return None
    wanted = change.status or change.becomes
    values = words.values(field, wanted, (*at, key))
    said = f"{field} becomes {' or '.join(wanted)}" if wanted else f"{field} changes"
    return Trigger(
        Happening.FIELD, change.by, field, values, f"{said} by the {change.by} side" if change.by else said
    )


def _check_triggers(
    at: Path, start: tuple[Trigger, ...], stop: tuple[Trigger, ...], words: Vocabulary
) -> None:
    """A clock must be able to stop once it has started."""
    if not stop or not words.source.sound((*at, "start"), (*at, "stop")):
        return
    if all(trigger.what is Happening.CREATED for trigger in stop):
        words.source.problem(
            (*at, "stop"),
            "a ticket is created once, before anything else: nothing would stop this clock",
            "write e.g. resolved or first-vendor-comment",
        )
    elif start == stop and all(trigger.what is Happening.RESOLVED for trigger in start):
        words.source.problem(
            (*at, "stop"),
            "what starts it also stops it, and does not come twice in a row",
            "write e.g. 'start: created'",
        )


def _pause(pause: PauseShape, at: Path, words: Vocabulary) -> Pause:
    parts = [f"ball: {pause.ball}"] if pause.ball is not None else []
    parts += [f"status: {' or '.join(pause.status)}"] if pause.status else []
    parts += ["a change is held"] if pause.held else []
    here = at if at in words.source.lines else at[:-1]
    if not parts and words.source.sound(here):
        words.source.problem(
            here,
            "this does not say when the clock stands",
            "write e.g. {ball: internal}, {status: [On Hold]} or {held: true}",
            key=True,
        )
    statuses = _statuses(pause.status, (*here, "status"), words)
    return Pause(pause.ball, statuses, pause.held, ", ".join(parts))


def _check_pause(
    at: Path, pauses: tuple[PauseShape, ...], ball: tuple[BallRule, ...], words: Vocabulary
) -> None:
    """A clock must run for somebody who may have the ball, and not stand for somebody who never has it."""
    source = words.source
    if not source.sound(("ball",), (*at, "pause")):
        return
    owners = [rule.owner for rule in ball]
    ended = any(rule.words == _ALWAYS for rule in ball)
    possible = {*owners} if ended else {*owners, Owner.VENDOR}
    alone = {pause.ball for pause in pauses if not pause.status and not pause.held}
    if possible <= alone:
        source.problem(
            (*at, "pause"),
            f"the clock would never run: the ball is always with {' or '.join(sorted(possible))}",
            "say under 'ball' when somebody else has it, e.g. {status: [Waiting for Customer], owner: internal}",
            key=True,
        )
        return
    for position, pause in enumerate(pauses):
        if pause.ball is None or pause.ball in possible or pause.ball is Owner.NOBODY:
            continue
        here: Path = (*at, "pause", position, "ball")
        source.problem(
            here if here in source.lines else (*at, "pause", "ball"),
            f"the ball is never with {pause.ball}: no rule under 'ball' says so",
            f"add one, e.g. 'ball: [{{comment: {_other(pause.ball)}, owner: {pause.ball}}}]'",
        )


def _other(owner: Owner) -> Owner:
    return Owner.VENDOR if owner is Owner.INTERNAL else Owner.INTERNAL


def _check_warnings(at: Path, shares: tuple[float, ...], words: Vocabulary) -> None:
    """Warnings come before the goal is missed, one after the other."""
    here: Path = (*at, "warn")
    if not words.source.sound(here):
        return
    if any(share >= 1 for share in shares):
        words.source.problem(here, "at 100% the goal is missed: that is no warning", "write e.g. 80%")
    elif list(shares) != sorted(set(shares)):
        words.source.problem(here, "its shares do not ascend", "write e.g. [50%, 80%]")
