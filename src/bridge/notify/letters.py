"""Which letters there are, and what each says: pure functions from facts to a letter for the store's outbox.

A letter is for one role, so for readers of one side, and says only what they may see (``notify.visible``). Whoever
calls puts it into the outbox in the transaction that stores what it tells of: ``tx.outbox.put(letter)``. The key makes
sure that the same thing is told to the same role once, however often it is put there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.notify.languages import Tongue, tongue
from bridge.notify.page import Fact, Page, as_html, as_text
from bridge.notify.particulars import (
    Gone,
    closing,
    decider,
    decisions,
    gone_words,
    hold_facts,
    keys_of,
    message_id,
    parties_of,
    runnable,
    span_in,
    ticket_facts,
    who_did,
)
from bridge.store.rows import Letter, Link
from bridge.sync.agreement import Agreement
from bridge.sync.holding import Hold, HoldKind, HoldState
from bridge.sync.moments import to_minute
from bridge.sync.naming import one_line
from bridge.sync.redaction import redact_line
from bridge.sync.roles import Role
from bridge.sync.ticket import Side
from bridge.sync.visible import field_for

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
    words = tongue(reader.language)
    rule = agreement.field(hold.field)
    field = field_for(rule, hold.field, reader.side)
    who = who_did(agreement, hold.actor, hold.side, reader.side)
    match hold.kind:
        case HoldKind.CONFLICT:
            lead = words.say(
                "Both sides changed {field} differently, and the agreement leaves it to people whose value stands.",
                field=field,
            )
        case HoldKind.PING_PONG:
            lead = words.say(
                "{who} changed {field} without being entitled to it. The change was undone {rounds} times and "
                "came back each time; it is no longer undone, and does not cross.",
                who=who,
                field=field,
                rounds=hold.rounds,
            )
        case HoldKind.UNENTITLED:
            lead = words.say(
                "{who} changed {field} without being entitled to it. The change does not cross.",
                who=who,
                field=field,
            )
    if again:
        outrun = words.say(
            "What was decided on {when} no longer fits: the values have changed since.",
            when=words.minute(again),
        )
        lead = f"{outrun} {lead}"
    ask = words.say("It waits for your decision; everything else on the two tickets goes on as usual.")
    return _letter(
        agreement,
        link,
        reader,
        key=f"hold/{hold.id}/opened" + (f"/{again}" if again else ""),
        subject=words.say(
            "Decision needed: {field} of {keys}", field=field, keys=keys_of(link, reader.side, words)
        ),
        page=Page(
            lead=(lead, ask),
            facts=(
                *ticket_facts(agreement, link, reader.side, urls, words),
                *hold_facts(agreement, hold, reader.side, words),
            ),
            commands=decisions(agreement, hold, reader.side, words),
            closing=closing(agreement, words),
            language=reader.language,
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
    words = tongue(reader.language)
    rule = agreement.field(hold.field)
    field = field_for(rule, hold.field, reader.side)
    lead = words.say(
        "A change of {field} has waited for your decision for {span}. It still does not cross.",
        field=field,
        span=span_in(now - hold.since, words),
    )
    return _letter(
        agreement,
        link,
        reader,
        key=f"hold/{hold.id}/overdue/{hold.since}",
        subject=words.say(
            "Still waiting: {field} of {keys}", field=field, keys=keys_of(link, reader.side, words)
        ),
        page=Page(
            lead=(lead,),
            facts=(
                *ticket_facts(agreement, link, reader.side, urls, words),
                *hold_facts(agreement, hold, reader.side, words),
            ),
            commands=decisions(agreement, hold, reader.side, words),
            closing=closing(agreement, words),
            language=reader.language,
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
    words = tongue(reader.language)
    field = field_for(agreement.field(hold.field), hold.field, reader.side)
    facts = [
        *ticket_facts(agreement, link, reader.side, urls, words),
        *hold_facts(agreement, hold, reader.side, words),
    ]
    if ending in {"approved", "rejected"}:
        lead, ending = _verdict(agreement, hold, reader, field, ending, words)
        facts.append(Fact(words.say("Decided"), words.minute(hold.decided_at)))
        if hold.reason:
            reason = redact_line(agreement.redaction, reader.side, hold.reason)
            facts.append(Fact(words.say("Reason"), one_line(reason, LONGEST_REASON)))
        key = f"hold/{hold.id}/decided/{hold.decided_at}"
    else:
        lead = (
            words.say(
                "Somebody who is entitled to it has changed {field} since; nothing is left to decide.",
                field=field,
            )
            if ending == "overtaken"
            else words.say(
                "Both sides agree about {field} again, or the agreement no longer asks; nothing is left to decide.",
                field=field,
            )
        )
        key = f"hold/{hold.id}/over/{hold.since}"
    return _letter(
        agreement,
        link,
        reader,
        key=key,
        subject=f"{_said(ending, words)}: {_of(field, link, reader.side, words)}",
        page=Page(lead=(lead,), facts=facts, closing=closing(agreement, words), language=reader.language),
        now=now,
        thread=(f"hold/{hold.id}/opened",),
    )


def _verdict(  # noqa: PLR0917 - a sentence with all that it is about
    agreement: Agreement, hold: Hold, reader: Role, field: str, ending: str, words: Tongue
) -> tuple[str, str]:
    """How a hold was decided, as a sentence and in a word."""
    by = (
        words.say("by {whom}", whom=decider(agreement, hold, reader.side, words))
        if hold.decided_by
        else words.say("by time: nobody decided before it expired")
    )
    if hold.kind is HoldKind.CONFLICT and hold.winner is not None:
        company = one_line(agreement.scope(hold.winner).company)
        lead = words.say(
            "The value of {field} at {company} stands: that was decided {by}.",
            field=field,
            company=company,
            by=by,
        )
        return lead, "decided"
    if ending == "approved":
        return words.say("The change of {field} was approved {by}.", field=field, by=by), ending
    return words.say("The change of {field} was rejected {by}.", field=field, by=by), ending


def _said(ending: str, words: Tongue) -> str:
    """How a hold ended, as a subject begins."""
    match ending:
        case "approved":
            return words.say("Approved")
        case "rejected":
            return words.say("Rejected")
        case "decided":
            return words.say("Decided")
        case "overtaken":
            return words.say("Overtaken")
        case _:
            return words.say("Withdrawn")


def _of(field: str, link: Link, reader: Side, words: Tongue) -> str:
    return words.say("{field} of {keys}", field=field, keys=keys_of(link, reader, words))


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
    tell = tongue(reader.language)
    parties = parties_of(agreement)
    stopped = tell.say(
        "The bridge writes nothing between {internal} and {vendor} until somebody has looked. It goes on reading.",
        **parties,
    )
    page = Page(
        lead=(*(one_line(sentence, LONGEST_REASON) for sentence in words), stopped),
        facts=(Fact(tell.say("Since"), tell.minute(at)),),
        commands=runnable(agreement, reader.side, commands, tell),
        closing=closing(agreement, tell),
        language=reader.language,
    )
    return _letter(
        agreement,
        None,
        reader,
        key=f"brake/{agreement.name}/{cause}/{at}",
        subject=tell.say(
            "Stopped: the bridge between {internal} and {vendor} asks before it writes", **parties
        ),
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
    words = tongue(reader.language)
    company = one_line(agreement.scope(role.side).company)
    lead = words.say(
        "No {role} of {company} is accountable for this ticket: {why}.",
        role=one_line(role.name),
        company=company,
        why=gone_words(why, words),
    )
    if role.required_within:
        allowed = words.say("The agreement allows {span}.", span=span_in(role.required_within, words))
        lead = f"{lead} {allowed}"
    facts = [
        *ticket_facts(agreement, link, reader.side, urls, words),
        Fact(words.say("Since"), words.minute(since)),
    ]
    if role.field and reader.side is role.side:
        facts.append(Fact(words.say("Field"), one_line(role.field)))
    place = link.key(role.side) or words.say("the ticket")
    return _letter(
        agreement,
        link,
        reader,
        key=f"owner/{link.id}/{role.name}/{since}",
        subject=words.say(
            "Nobody accountable: {keys} has no {role}",
            keys=keys_of(link, reader.side, words),
            role=one_line(role.name),
        ),
        page=Page(
            lead=(lead, words.say("Name somebody in {place}, and this is settled.", place=place)),
            facts=facts,
            closing=closing(agreement, words),
            language=reader.language,
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
        message_id=message_id("trial", address, str(now)),
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
        return message_id(agreement.name, mark, of, reader.name)

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
