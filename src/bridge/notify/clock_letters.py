"""Letters about clocks: at risk, missed, and escalated until somebody acknowledges; pure functions, as in ``letters``.

A letter is for one role, so for readers of one side. What was agreed (clocks, goals, minutes by side) both sides may
see; the wording of rules and statuses inside only the internal side does. Texts of tickets never stand in a letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import Literal

from bridge.notify.languages import Tongue, tongue
from bridge.notify.page import Command, Fact, Page, as_html, as_text
from bridge.notify.particulars import closing, keys_of, message_id
from bridge.notify.picture import Caption, as_cells, as_line
from bridge.sla.attribution import of_cycle
from bridge.sla.policy import Owner, Step
from bridge.sla.verdict import Cycle, Verdict
from bridge.store.rows import Letter, Link
from bridge.sync.agreement import Agreement
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

Late = Literal["down", "unread", "unknown"]
"""Why a step is told late: the bridge was not running, a tracker could not be read, or the deed came to light late."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A step of the ladder that was reached.

    Attributes:
        agreement: the terms.
        link: whose clock it is.
        verdict: what its clocks say now.
        cycle: of which clock.
        step: which step.
        at: when the step was reached, microseconds.
        round: 0 for the first time, then counting repetitions.
        missed: repetitions that fell into an outage and are not told one by one.
        late: why it is told later than it should; None when it is not late.
        urls: where each ticket can be opened, as far as that is known.
        ack_url: where the reader can acknowledge; "" for nowhere.
        zone: time zone in which moments are told.
    """

    agreement: Agreement
    link: Link
    verdict: Verdict
    cycle: Cycle
    step: Step
    at: int
    round: int = 0
    missed: int = 0
    late: Late | None = None
    urls: Mapping[Side, str] = field(default_factory=dict)
    ack_url: str = ""
    zone: str = "UTC"


def alarm_letter(alarm: Alarm, reader: Role, now: int) -> Letter:
    """One letter for one step that was reached.

    Args:
        alarm: the step.
        reader: the role that is told; its ``mail`` says where, its ``language`` how.
        now: microseconds.
    """
    words = tongue(reader.language, alarm.zone)
    page = Page(
        lead=_lead(alarm, reader, words),
        facts=_facts(alarm, reader, words),
        commands=_commands(alarm, reader, words),
        closing=closing(alarm.agreement, words),
        language=reader.language,
        picture=as_cells(alarm.verdict, alarm.cycle, caption(alarm, reader.side, words)),
        drawing=as_line(alarm.verdict, alarm.cycle, caption(alarm, reader.side, words)),
    )
    key = alarm_key(alarm, reader)
    root = message_id(alarm.agreement.name, alarm.link.marker, "link", reader.name)
    cycle = message_id(alarm.agreement.name, alarm.link.marker, _cycle_key(alarm), reader.name)
    return Letter(
        id=0,
        key=key,
        agreement=alarm.agreement.name,
        to=tuple(dict.fromkeys(reader.mail)),
        subject=one_line(_subject(alarm, reader, words)),
        text=as_text(page),
        html=as_html(page),
        message_id=message_id(alarm.agreement.name, alarm.link.marker, key, reader.name),
        created_at=now,
        link_id=alarm.link.id,
        references=(root, cycle),
    )


def gathered_letter(alarms: Sequence[Alarm], reader: Role, now: int, key: str) -> Letter:
    """One letter in place of many: nothing is left out, each has its line.

    Args:
        alarms: what was reached, all under one agreement.
        reader: the role that is told.
        now: microseconds.
        key: what makes this letter one of its kind.
    """
    agreement = alarms[0].agreement
    words = tongue(reader.language, alarms[0].zone)
    ordered = sorted(alarms, key=lambda one: (one.cycle.breached_at is None, one.at))
    facts = [
        Fact(keys_of(one.link, reader.side, words), _headline(one, words), one.urls.get(reader.side, ""))
        for one in ordered
    ]
    lead = words.many(
        "{number} alert is told in this mail.",
        "{number} alerts are told in this one mail, because there were so many at once. None is left out.",
        number=len(alarms),
    )
    page = Page(lead=(lead,), facts=facts, closing=closing(agreement, words), language=reader.language)
    return Letter(
        id=0,
        key=key,
        agreement=agreement.name,
        to=tuple(dict.fromkeys(reader.mail)),
        subject=one_line(
            words.many(
                "{number} alert under agreement {agreement}",
                "{number} alerts under agreement {agreement}",
                number=len(alarms),
                agreement=agreement.name,
            )
        ),
        text=as_text(page),
        html=as_html(page),
        message_id=message_id(agreement.name, key, reader.name),
        created_at=now,
    )


def alarm_key(alarm: Alarm, reader: Role) -> str:
    """What a letter is about: the same step is told to the same role once."""
    return f"{_cycle_key(alarm)}/{alarm.step.name}/{alarm.round}/{reader.name}"


def caption(alarm: Alarm, reader: Side, words: Tongue) -> Caption:
    """The words of the picture of a step."""
    return caption_for(alarm.agreement, keys_of(alarm.link, reader, words), words)


def caption_for(agreement: Agreement, keys: str, words: Tongue) -> Caption:
    """The words of the picture of a ticket's time, in a reader's language."""
    return Caption(
        title=words.say("{keys}: who had to act when", keys=keys),
        owners=parties(agreement, words),
        runs=words.say("the clock runs"),
        stands=words.say("the clock stands"),
        breach=words.say("goal missed"),
        moment=words.moment,
    )


def parties(agreement: Agreement, words: Tongue) -> dict[Owner, str]:
    """What each party is called."""
    return {
        Owner.INTERNAL: one_line(agreement.internal.company),
        Owner.VENDOR: one_line(agreement.vendor.company),
        Owner.NOBODY: words.say("nobody"),
    }


def _lead(alarm: Alarm, reader: Role, words: Tongue) -> list[str]:
    keys, clock, cycle = keys_of(alarm.link, reader.side, words), alarm.cycle.clock, alarm.cycle
    lines = []
    if cycle.breached_at is not None:
        lines.append(
            words.say(
                "The goal of clock '{clock}' of {keys} was missed at {when}.",
                clock=clock,
                keys=keys,
                when=words.moment(cycle.breached_at),
            )
        )
    elif cycle.due_at is not None:
        lines.append(
            words.say(
                "Clock '{clock}' of {keys} is at risk: its goal is missed at {when} unless something is done.",
                clock=clock,
                keys=keys,
                when=words.moment(cycle.due_at),
            )
        )
    else:
        lines.append(
            words.say("Clock '{clock}' of {keys} is at risk. It stands now.", clock=clock, keys=keys)
        )
    if not cycle.open:
        lines.append(words.say("It has ended since."))
    if alarm.round:
        lines.append(
            words.many(
                "Nobody has acknowledged this yet. It is told again.",
                "Nobody has acknowledged this yet. It is told again (repetition {number}).",
                number=alarm.round,
            )
        )
    if alarm.missed:
        lines.append(
            words.many(
                "{number} earlier repetition could not be sent in time.",
                "{number} earlier repetitions could not be sent in time.",
                number=alarm.missed,
            )
        )
    if alarm.late:
        lines.append(
            words.say(
                "This is told late: it should have been told at {when}. Why: {why}.",
                when=words.moment(alarm.at),
                why=_why(alarm.late, words),
            )
        )
    return lines


def _facts(alarm: Alarm, reader: Role, words: Tongue) -> list[Fact]:
    agreement, cycle, names = alarm.agreement, alarm.cycle, parties(alarm.agreement, words)
    facts = [
        Fact(
            words.say("Ticket at {company}", company=one_line(agreement.scope(side).company)),
            one_line(key),
            alarm.urls.get(side, ""),
        )
        for side in (reader.side, reader.side.other)
        if (key := alarm.link.key(side))
    ]
    facts.append(Fact(words.say("Clock"), cycle.clock))
    if cycle.goal is not None:
        facts.append(Fact(words.say("Goal"), f"{words.span(cycle.goal.budget)} ({cycle.goal.calendar})"))
    facts.append(Fact(words.say("Started"), words.moment(cycle.started_at)))
    if cycle.breached_at is not None:
        facts.append(Fact(words.say("Missed since"), _exactly(cycle.breached_at, words)))
    elif cycle.due_at is not None:
        facts.append(Fact(words.say("Due"), _exactly(cycle.due_at, words)))
    facts.append(Fact(words.say("Counted so far"), words.span(cycle.elapsed)))
    shares = [f"{names[owner]} {words.span(amount)}" for owner, amount in of_cycle(cycle).items() if amount]
    facts.append(Fact(words.say("Whose time it was"), ", ".join(shares) or words.span(0)))
    if cycle.open and alarm.verdict.ball:
        last = alarm.verdict.ball[-1]
        why = f" ({one_line(last.why)})" if last.why and reader.side is Side.INTERNAL else ""
        since = words.say("since {when}", when=words.moment(last.since))
        facts.append(Fact(words.say("Has to act now"), f"{names[last.owner]}{why}, {since}"))
    facts.append(Fact(words.say("Certain until"), words.moment(alarm.verdict.certain_until)))
    return facts


def _commands(alarm: Alarm, reader: Role, words: Tongue) -> list[Command]:
    if not alarm.cycle.open:
        return []
    key = alarm.link.key(reader.side) or alarm.link.key(reader.side.other)
    commands = []
    if alarm.ack_url:
        commands.append(
            Command(words.say("To acknowledge, so that this is not told again, open:"), alarm.ack_url)
        )
    if reader.side is Side.INTERNAL:
        line = f"bridge sla ack {quote(one_line(key))} --clock {quote(alarm.cycle.clock)}"
        commands.append(Command(words.say("To acknowledge, so that this is not told again, type:"), line))
    commands.append(
        Command(
            words.say("Or write a comment with this word on the ticket {key}:", key=one_line(key)), "#ack"
        )
    )
    return commands


def _subject(alarm: Alarm, reader: Role, words: Tongue) -> str:
    keys, clock = keys_of(alarm.link, reader.side, words), alarm.cycle.clock
    if alarm.round:
        return words.say("Not acknowledged: {clock} of {keys} was missed", clock=clock, keys=keys)
    if alarm.cycle.breached_at is not None:
        return words.say("Missed: {clock} of {keys}", clock=clock, keys=keys)
    return words.say("At risk: {clock} of {keys}", clock=clock, keys=keys)


def _why(late: Late, words: Tongue) -> str:
    match late:
        case "down":
            return words.say("the bridge was not running then")
        case "unread":
            return words.say("a tracker could not be read then")
        case "unknown":
            return words.say("what happened came to light only afterwards")


def _headline(alarm: Alarm, words: Tongue) -> str:
    """One line for one step."""
    cycle = alarm.cycle
    if cycle.breached_at is not None:
        told = words.say(
            "'{clock}' missed since {when}", clock=cycle.clock, when=words.moment(cycle.breached_at)
        )
    elif cycle.due_at is not None:
        told = words.say("'{clock}' at risk, due {when}", clock=cycle.clock, when=words.moment(cycle.due_at))
    else:
        told = words.say("'{clock}' at risk; it stands now", clock=cycle.clock)
    if not alarm.late:
        return told
    return f"{told}; {words.say('told late: {why}', why=_why(alarm.late, words))}"


def _exactly(at: int, words: Tongue) -> str:
    """A moment in the reader's time and in the one that logs and both trackers' people share."""
    told = words.moment(at)
    return told if told.endswith(" UTC") else f"{told} = {to_minute(at)}"


def _cycle_key(alarm: Alarm) -> str:
    return f"alert/{alarm.link.id}/{alarm.cycle.clock}/{alarm.cycle.started_at}"
