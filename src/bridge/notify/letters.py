"""Which letters there are, and what each says: pure functions from facts to a letter for the store's outbox.

A letter is for one role, so for readers of one side, and says only what they may see (``notify.visible``). Whoever
calls puts it into the outbox in the transaction that stores what it tells of: ``tx.outbox.put(letter)``. The key makes
sure that the same thing is told to the same role once, however often it is put there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

from bridge.notify.page import Command, Fact, Page, as_html, as_text, span
from bridge.store.rows import Letter, Link
from bridge.sync.agreement import Agreement
from bridge.sync.attribution import author_name, shown_name
from bridge.sync.holding import Hold, HoldKind, HoldState, stamp
from bridge.sync.holdnotes import role_name
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line, told_name
from bridge.sync.redaction import redact_line
from bridge.sync.roles import Role
from bridge.sync.ticket import Person, Side
from bridge.sync.visible import change_for, field_for, value_for

LONGEST_REASON = 500
"""Characters of the reason that somebody gave for a decision."""

_ENDINGS = {
    HoldState.APPROVED: "approved",
    HoldState.CROSSED: "approved",
    HoldState.REJECTED: "rejected",
    HoldState.RESTORED: "rejected",
    HoldState.OVERTAKEN: "overtaken",
    HoldState.WITHDRAWN: "withdrawn",
}

Gone = Literal["nobody", "deactivated", "left"]
"""Why there is no accountable owner: nobody is named, the account is deactivated, or is no longer in the role."""

_GONE = {
    "nobody": "nobody is named",
    "deactivated": "the account that is named was deactivated",
    "left": "the person who is named no longer belongs to the role",
}


def hold_opened(
    agreement: Agreement,
    link: Link,
    hold: Hold,
    reader: Role,
    *,
    now: int,
    urls: Mapping[Side, str] | None = None,
    again: int = 0,
) -> Letter:
    """A change is held and waits for this role to decide.

    Args:
        agreement: the terms.
        link: whose ticket was changed.
        hold: as stored, with its row id.
        reader: the role that is told; its ``mail`` says where.
        now: microseconds.
        urls: where each ticket can be opened, as far as that is known.
        again: when the decision was made that this change has outrun, microseconds; 0 for a new hold. A hold that is
            opened again is told again.
    """
    rule = agreement.field(hold.field)
    field = field_for(rule, hold.field, reader.side)
    who = _who(agreement, hold.actor, hold.side, reader.side)
    match hold.kind:
        case HoldKind.CONFLICT:
            lead = f"Both sides changed {field} differently, and the agreement leaves it to people whose value stands."
        case HoldKind.PING_PONG:
            lead = (
                f"{who} changed {field} without being entitled to it. The change was undone {hold.rounds} times and "
                "came back each time; it is no longer undone, and does not cross."
            )
        case HoldKind.UNENTITLED:
            lead = f"{who} changed {field} without being entitled to it. The change does not cross."
    if again:
        lead = f"What was decided on {to_minute(again)} no longer fits: the values have changed since. {lead}"
    ask = "It waits for your decision; everything else on the two tickets goes on as usual."
    return _letter(
        agreement,
        link,
        reader,
        key=f"hold/{hold.id}/opened" + (f"/{again}" if again else ""),
        subject=f"Decision needed: {field} of {_keys(link, reader.side)}",
        page=Page(
            lead=(lead, ask),
            facts=(*_tickets(agreement, link, reader.side, urls), *_hold_facts(agreement, hold, reader.side)),
            commands=_decide(agreement, hold, reader.side),
            closing=_closing(agreement),
        ),
        now=now,
    )


def hold_overdue(
    agreement: Agreement,
    link: Link,
    hold: Hold,
    reader: Role,
    *,
    now: int,
    urls: Mapping[Side, str] | None = None,
) -> Letter:
    """A hold has expired under ``then: wait``: it still waits for this role, which is told once more.

    Args: see :func:`hold_opened`.
    """
    rule = agreement.field(hold.field)
    field = field_for(rule, hold.field, reader.side)
    lead = f"A change of {field} has waited for your decision for {span(now - hold.since)}. It still does not cross."
    return _letter(
        agreement,
        link,
        reader,
        key=f"hold/{hold.id}/overdue/{hold.since}",
        subject=f"Still waiting: {field} of {_keys(link, reader.side)}",
        page=Page(
            lead=(lead,),
            facts=(*_tickets(agreement, link, reader.side, urls), *_hold_facts(agreement, hold, reader.side)),
            commands=_decide(agreement, hold, reader.side),
            closing=_closing(agreement),
        ),
        now=now,
        thread=(f"hold/{hold.id}/opened",),
    )


def hold_decided(
    agreement: Agreement,
    link: Link,
    hold: Hold,
    reader: Role,
    *,
    now: int,
    urls: Mapping[Side, str] | None = None,
) -> Letter:
    """A hold was decided, by a person or by time, or needs no decision any more.

    Args: see :func:`hold_opened`; ``hold`` in any state but open and reverted.

    Raises:
        ValueError: it is open or reverted: nothing has been decided.
    """
    ending = _ENDINGS.get(hold.state)
    if ending is None:
        raise ValueError(f"hold {hold.id} is {hold.state}: nothing has been decided")
    field = field_for(agreement.field(hold.field), hold.field, reader.side)
    facts = [*_tickets(agreement, link, reader.side, urls), *_hold_facts(agreement, hold, reader.side)]
    if ending in {"approved", "rejected"}:
        by = (
            f"by {_decider(agreement, hold, reader.side)}"
            if hold.decided_by
            else "by time: nobody decided before it expired"
        )
        if hold.kind is HoldKind.CONFLICT and hold.winner is not None:
            ending = "decided"
            company = one_line(agreement.scope(hold.winner).company)
            lead = f"The value of {field} at {company} stands: that was decided {by}."
        else:
            lead = f"The change of {field} was {ending} {by}."
        facts.append(Fact("Decided", to_minute(hold.decided_at)))
        if hold.reason:
            reason = redact_line(agreement.redaction, reader.side, hold.reason)
            facts.append(Fact("Reason", one_line(reason, LONGEST_REASON)))
        key = f"hold/{hold.id}/decided/{hold.decided_at}"
    else:
        lead = (
            f"Somebody who is entitled to it has changed {field} since; nothing is left to decide."
            if ending == "overtaken"
            else f"Both sides agree about {field} again, or the agreement no longer asks; nothing is left to decide."
        )
        key = f"hold/{hold.id}/over/{hold.since}"
    return _letter(
        agreement,
        link,
        reader,
        key=key,
        subject=f"{ending.capitalize()}: {field} of {_keys(link, reader.side)}",
        page=Page(lead=(lead,), facts=facts, closing=_closing(agreement)),
        now=now,
        thread=(f"hold/{hold.id}/opened",),
    )


def brake_pulled(
    agreement: Agreement,
    reader: Role,
    *,
    cause: str,
    words: Sequence[str],
    commands: Sequence[tuple[str, str]],
    at: int,
    now: int,
) -> Letter:
    """The bridge has stopped writing under an agreement, and asks.

    Args:
        agreement: whose writes have stopped.
        reader: the role that is told.
        cause: a stable word for the brake, e.g. ``share``, ``empty``, ``restored``; part of the key.
        words: what happened and what it may mean, in our own sentences: counts, companies, keys; no words of tickets.
        commands: (what it does, what to type) for each way on.
        at: when the brake was pulled, microseconds; part of the key.
        now: microseconds.
    """
    parties = " and ".join(one_line(agreement.scope(side).company) for side in Side)
    stopped = f"The bridge writes nothing between {parties} until somebody has looked. It goes on reading."
    page = Page(
        lead=(*(one_line(sentence, LONGEST_REASON) for sentence in words), stopped),
        facts=(Fact("Since", to_minute(at)),),
        commands=_runnable(agreement, reader.side, commands),
        closing=_closing(agreement),
    )
    return _letter(
        agreement,
        None,
        reader,
        key=f"brake/{agreement.name}/{cause}/{at}",
        subject=f"Stopped: the bridge between {parties} asks before it writes",
        page=page,
        now=now,
    )


def owner_missing(
    agreement: Agreement,
    link: Link,
    role: Role,
    reader: Role,
    *,
    since: int,
    now: int,
    why: Gone = "nobody",
    urls: Mapping[Side, str] | None = None,
) -> Letter:
    """A ticket has had no accountable owner on one side for longer than the agreement allows.

    Args:
        agreement: the terms.
        link: whose tickets.
        role: the role that has nobody there.
        reader: the role that is told; the same, or another one.
        since: since when nobody is accountable, microseconds; part of the key.
        now: microseconds.
        why: see ``Gone``.
        urls: where each ticket can be opened, as far as that is known.
    """
    company = one_line(agreement.scope(role.side).company)
    allowed = f" The agreement allows {span(role.required_within)}." if role.required_within else ""
    lead = f"No {one_line(role.name)} of {company} is accountable for this ticket: {_GONE[why]}.{allowed}"
    facts = [*_tickets(agreement, link, reader.side, urls), Fact("Since", to_minute(since))]
    if role.field and reader.side is role.side:
        facts.append(Fact("Field", one_line(role.field)))
    return _letter(
        agreement,
        link,
        reader,
        key=f"owner/{link.id}/{role.name}/{since}",
        subject=f"Nobody accountable: {_keys(link, reader.side)} has no {one_line(role.name)}",
        page=Page(
            lead=(lead, f"Name somebody in {link.key(role.side) or 'the ticket'}, and this is settled."),
            facts=facts,
            closing=_closing(agreement),
        ),
        now=now,
    )


def trial(address: str, *, now: int) -> Letter:
    """The letter of ``bridge mail test``; it is sent at once and never put into the outbox."""
    page = Page(
        lead=("This is a test: the bridge can send mail to you.", "There is nothing to do."),
        facts=(Fact("Sent", to_minute(now)),),
        closing="Sent by 'bridge mail test'.",
    )
    return Letter(
        id=0,
        key=f"trial/{now}",
        agreement="",
        to=(address,),
        subject="Test of the bridge's mail",
        text=as_text(page),
        html=as_html(page),
        message_id=_hashed("trial", address, str(now)),
        created_at=now,
    )


def _letter(
    agreement: Agreement,
    link: Link | None,
    reader: Role,
    *,
    key: str,
    subject: str,
    page: Page,
    now: int,
    thread: Sequence[str] = (),
) -> Letter:
    """A letter for one role.

    Message-IDs come from the key, so that a second sending has the same one, and later letters can refer to earlier
    ones without looking them up. The link's mark sets them apart from those of another bridge.
    """
    mark = link.marker if link is not None else ""

    def name(of: str) -> str:
        return _hashed(agreement.name, mark, of, reader.name)

    root = () if link is None else (name("link"),)
    return Letter(
        id=0,
        key=f"{key}/{reader.name}",
        agreement=agreement.name,
        to=tuple(dict.fromkeys(reader.mail)),
        subject=one_line(subject),
        text=as_text(page),
        html=as_html(page),
        message_id=name(key),
        created_at=now,
        link_id=None if link is None else link.id,
        references=(*root, *map(name, thread)),
    )


def _hashed(*words: str) -> str:
    return "bridge." + hashlib.sha256("\x00".join(words).encode(errors="replace")).hexdigest()[:32]


def _keys(link: Link, reader: Side) -> str:
    """The tickets' keys, the reader's own first."""
    return (
        " = ".join(one_line(key) for side in (reader, reader.other) if (key := link.key(side))) or "a ticket"
    )


def _tickets(agreement: Agreement, link: Link, reader: Side, urls: Mapping[Side, str] | None) -> list[Fact]:
    return [
        Fact(
            f"Ticket at {one_line(agreement.scope(side).company)}", one_line(key), (urls or {}).get(side, "")
        )
        for side in (reader, reader.other)
        if (key := link.key(side))
    ]


def _hold_facts(agreement: Agreement, hold: Hold, reader: Side) -> list[Fact]:
    """What changed, where, who did it and when, as the reader may see it."""
    rule, side, there = agreement.field(hold.field), hold.side, hold.side.other
    company, other = (one_line(agreement.scope(one).company) for one in (side, there))
    facts = [
        Fact(f"Changed at {company}", change_for(agreement, rule, (hold.before, hold.value), side, reader)),
        Fact(f"Stands at {other}", value_for(agreement, rule, hold.other, there, reader)),
    ]
    if hold.kind is not HoldKind.CONFLICT:
        facts.append(Fact("By", _who(agreement, hold.actor, side, reader)))
    facts.append(Fact("When", to_minute(hold.since)))
    rules = agreement.holds
    if rules.expire is not None and rules.then != "wait" and hold.state is HoldState.OPEN:
        verdict = "approved" if rules.then == "approve" else "rejected"
        facts.append(Fact("Else", f"{verdict} by itself on {to_minute(hold.since + rules.expire)}"))
    return facts


def _decide(agreement: Agreement, hold: Hold, reader: Side) -> list[Command]:
    """How to decide. The commands name the values that the letter is about, and are refused when they have changed."""
    company, other = (one_line(agreement.scope(side).company) for side in (hold.side, hold.side.other))
    seen = f"{hold.id}-{stamp(hold)}"
    if hold.kind is HoldKind.CONFLICT:
        lines = [
            (
                f"To let the value of {one_line(agreement.scope(side).company)} stand:",
                f"approve {seen} --from {side}",
            )
            for side in (hold.side, hold.side.other)
        ]
    else:
        lines = [
            (f"To let the change cross to {other}:", f"approve {seen}"),
            (f"To have it undone at {company}:", f'reject {seen} --reason "..."'),
        ]
    by = "" if reader is Side.INTERNAL else " --by YOU"
    return _runnable(agreement, reader, [(meaning, f"bridge holds {words}{by}") for meaning, words in lines])


def _runnable(agreement: Agreement, reader: Side, commands: Sequence[tuple[str, str]]) -> list[Command]:
    """The commands; a vendor has no bridge to type them into, and asks whoever runs it."""
    host = one_line(agreement.internal.company)
    tail = "" if reader is Side.INTERNAL else f" (whoever runs the bridge at {host} does that for you)"
    return [Command(meaning.removesuffix(":") + tail + ":", line) for meaning, line in commands]


def _who(agreement: Agreement, actor: Person | None, side: Side, reader: Side) -> str:
    """Who made a change, without addresses and logins; to the other side by name only where comments bring names."""
    if side is reader:
        return f"{author_name(agreement, actor)} ({one_line(agreement.scope(side).company)})"
    return one_line(shown_name(agreement, actor if side in agreement.comments.cross else None, side))


def _decider(agreement: Agreement, hold: Hold, reader: Side) -> str:
    """Who decided; to the vendor, whom nobody has asked for names, as the note on the ticket has it."""
    if reader is Side.VENDOR:
        return one_line(role_name(agreement, hold.approver))
    return told_name(hold.decided_by) or "somebody"


def _closing(agreement: Agreement) -> str:
    parties = " and ".join(one_line(agreement.scope(side).company) for side in Side)
    return f"Sent by the bridge between {parties}. Texts of tickets never stand in its mails."
