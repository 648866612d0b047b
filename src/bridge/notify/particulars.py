"""What letters are made of: the tickets, what is known of a held change, how to decide, the small print.

Each in the reader's language, and only what the readers of one side may see (``sync.visible``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from bridge.notify.languages import Tongue
from bridge.notify.page import Command, Fact, span
from bridge.store.rows import Link
from bridge.sync.agreement import Agreement
from bridge.sync.attribution import author_name, shown_name
from bridge.sync.holding import Hold, HoldKind, HoldState, stamp
from bridge.sync.holdnotes import role_name
from bridge.sync.naming import one_line, told_name
from bridge.sync.ticket import Person, Side
from bridge.sync.visible import change_for, value_for

Gone = Literal["nobody", "deactivated", "left"]
"""Why there is no accountable owner: nobody is named, the account is deactivated, or is no longer in the role."""


def keys_of(link: Link, reader: Side, words: Tongue) -> str:
    """The tickets' keys, the reader's own first."""
    told = " = ".join(one_line(key) for side in (reader, reader.other) if (key := link.key(side)))
    return told or words.say("a ticket")


def ticket_facts(
    agreement: Agreement, link: Link, reader: Side, urls: Mapping[Side, str] | None, words: Tongue
) -> list[Fact]:
    """The tickets of a link, the reader's own first, with where they can be opened."""
    return [
        Fact(
            words.say("Ticket at {company}", company=one_line(agreement.scope(side).company)),
            one_line(key),
            (urls or {}).get(side, ""),
        )
        for side in (reader, reader.other)
        if (key := link.key(side))
    ]


def hold_facts(agreement: Agreement, hold: Hold, reader: Side, words: Tongue) -> list[Fact]:
    """What changed, where, who did it and when, as the reader may see it."""
    rule, side, there = agreement.field(hold.field), hold.side, hold.side.other
    company, other = (one_line(agreement.scope(one).company) for one in (side, there))
    facts = [
        Fact(
            words.say("Changed at {company}", company=company),
            change_for(agreement, rule, (hold.before, hold.value), side, reader),
        ),
        Fact(
            words.say("Stands at {company}", company=other),
            value_for(agreement, rule, hold.other, there, reader),
        ),
    ]
    if hold.kind is not HoldKind.CONFLICT:
        facts.append(Fact(words.say("By"), who_did(agreement, hold.actor, side, reader)))
    facts.append(Fact(words.say("When"), words.minute(hold.since)))
    rules = agreement.holds
    if rules.expire is not None and rules.then != "wait" and hold.state is HoldState.OPEN:
        when = words.minute(hold.since + rules.expire)
        verdict = (
            words.say("approved by itself on {when}", when=when)
            if rules.then == "approve"
            else words.say("rejected by itself on {when}", when=when)
        )
        facts.append(Fact(words.say("Else"), verdict))
    return facts


def decisions(agreement: Agreement, hold: Hold, reader: Side, words: Tongue) -> list[Command]:
    """How to decide. The commands name the values that the letter is about, and are refused when they have changed."""
    company, other = (one_line(agreement.scope(side).company) for side in (hold.side, hold.side.other))
    seen = f"{hold.id}-{stamp(hold)}"
    if hold.kind is HoldKind.CONFLICT:
        lines = [
            (
                words.say(
                    "To let the value of {company} stand", company=one_line(agreement.scope(side).company)
                ),
                f"approve {seen} --from {side}",
            )
            for side in (hold.side, hold.side.other)
        ]
    else:
        lines = [
            (words.say("To let the change cross to {company}", company=other), f"approve {seen}"),
            (words.say("To have it undone at {company}", company=company), f'reject {seen} --reason "..."'),
        ]
    by = "" if reader is Side.INTERNAL else " --by YOU"
    return runnable(
        agreement, reader, [(meaning, f"bridge holds {line}{by}") for meaning, line in lines], words
    )


def runnable(
    agreement: Agreement, reader: Side, commands: Sequence[tuple[str, str]], words: Tongue
) -> list[Command]:
    """The commands; a vendor has no bridge to type them into, and asks whoever runs it."""
    host = one_line(agreement.internal.company)
    asked = words.say("whoever runs the bridge at {company} does that for you", company=host)
    tail = "" if reader is Side.INTERNAL else f" ({asked})"
    return [Command(meaning.removesuffix(":") + tail + ":", line) for meaning, line in commands]


def who_did(agreement: Agreement, actor: Person | None, side: Side, reader: Side) -> str:
    """Who made a change, without addresses and logins; to the other side by name only where comments bring names."""
    if side is reader:
        return f"{author_name(agreement, actor)} ({one_line(agreement.scope(side).company)})"
    return one_line(shown_name(agreement, actor if side in agreement.comments.cross else None, side))


def decider(agreement: Agreement, hold: Hold, reader: Side, words: Tongue) -> str:
    """Who decided; to the vendor, whom nobody has asked for names, as the note on the ticket has it."""
    if reader is Side.VENDOR:
        return one_line(role_name(agreement, hold.approver))
    return told_name(hold.decided_by) or words.say("somebody")


def closing(agreement: Agreement, words: Tongue) -> str:
    """The small print."""
    return words.say(
        "Sent by the bridge between {internal} and {vendor}. Texts of tickets never stand in its mails.",
        **parties_of(agreement),
    )


def message_id(*words: str) -> str:
    """A Message-ID of our own, without its domain: the same words are the same letter, in every process."""
    return "bridge." + hashlib.sha256("\x00".join(words).encode(errors="replace")).hexdigest()[:32]


def parties_of(agreement: Agreement) -> dict[str, str]:
    """What the two companies are called, by side."""
    return {side.value: one_line(agreement.scope(side).company) for side in Side}


def span_in(duration: int, words: Tongue) -> str:
    """A duration; in English as these letters have always told it."""
    return span(duration) if words.language == "en" else words.span(duration)


def gone_words(why: Gone, words: Tongue) -> str:
    """Why nobody is accountable."""
    match why:
        case "nobody":
            return words.say("nobody is named")
        case "deactivated":
            return words.say("the account that is named was deactivated")
        case "left":
            return words.say("the person who is named no longer belongs to the role")
