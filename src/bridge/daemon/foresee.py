"""What the bridge would do, without doing it: both trackers read, every decision made, nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.daemon.house import House, Terms, field_specs
from bridge.daemon.run import Run
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.attachments import megabytes
from bridge.sync.base import Base, CommentPair, PartPair
from bridge.sync.holding import Hold
from bridge.sync.identity import marker_for
from bridge.sync.mapping import show, show_change
from bridge.sync.plan import (
    TAKEN_BACK,
    Action,
    AddAttachment,
    AddComment,
    AddRelation,
    AddWorklog,
    CreateTicket,
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    EditComment,
    EditWorklog,
    LinkBack,
    Plan,
    RemoveRelation,
    SetParent,
    SetStatus,
    SpillText,
    UpdateFields,
    WriteNote,
)
from bridge.sync.ticket import Side, Ticket
from bridge.trackers.protocol import Watch


@dataclass(frozen=True, slots=True)
class Outlook:
    """The plan for one ticket or pair of tickets; ``link.id`` is 0 where no link exists yet."""

    link: Link
    plan: Plan

    def as_json(self) -> dict[str, Any]:
        """For ``bridge plan --json``; holds no texts."""
        return {
            "agreement": self.link.agreement,
            "internal": self.link.internal_key,
            "vendor": self.link.vendor_key,
            "actions": [
                {"side": action.side.value, "what": describe(action)} for action in self.plan.actions
            ],
            "findings": [finding.as_json() for finding in self.plan.findings],
        }


def foresee(house: House, key: str | None = None) -> Iterator[Outlook]:
    """The plan for everything in scope, or for the ticket with that key alone.

    Raises:
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    terms = house.terms
    for agreement in terms.settings.agreements:
        for link in _links(house, terms, agreement):
            if key is not None and key.casefold() not in (
                link.internal_key.casefold(),
                link.vendor_key.casefold(),
            ):
                continue
            bases = {side: Base() for side in Side}
            pairs: tuple[CommentPair, ...] = ()
            parts: tuple[PartPair, ...] = ()
            holds: tuple[Hold, ...] = ()
            if link.id:
                with house.store.read() as tx:
                    bases, pairs = tx.bases.get(link.id), tuple(tx.comments.list(link.id))
                    parts = tuple(tx.parts.list(link.id))
                    holds = tuple(tx.holds.list(link.id))
            run = Run(house, terms, agreement, link, bases, pairs, parts=parts, holds=holds)
            yield Outlook(link, run.plan())


def _links(house: House, terms: Terms, agreement: Agreement) -> list[Link]:
    """The agreement's links, and a link to be for every ticket in scope that has none."""
    with house.store.read() as tx:
        links = [link for link in tx.links.list(agreement.name) if link.state is not LinkState.CLOSED]
    marks = {link.marker for link in links}
    for side in Side:
        scope = agreement.scope(side)
        tracker = terms.trackers[scope.tracker]
        known = {link.ticket(side) for link in links}
        follow = tuple(ticket for ticket in known if ticket) if scope.select else ()
        asked = house.sightings.moment()
        for page in tracker.changes(Watch(scope, field_specs(agreement, side), follow), 0):
            for ticket in page:
                house.sightings.put(tracker.name, ticket, agreement.name, asked)
                mirrored = ticket.id in known or ticket.marker in marks
                recent = ticket.created >= scope.since
                if recent and not mirrored and side.other in agreement.create_on:
                    links.append(_to_be(agreement, side, ticket))
    return links


def _to_be(agreement: Agreement, side: Side, ticket: Ticket) -> Link:
    """The link that a ticket would get."""
    internal = side is Side.INTERNAL
    return Link(
        id=0,
        agreement=agreement.name,
        origin=side,
        internal_id=ticket.id if internal else None,
        internal_key=ticket.key if internal else "",
        vendor_id=None if internal else ticket.id,
        vendor_key="" if internal else ticket.key,
        marker=marker_for(agreement.name, side, ticket.id),
        state=LinkState.NEW,
        gen=1,
        done_gen=0,
        due_at=None,
        epoch=0,
        attempts=0,
        reason="",
        reason_since=None,
        next_try=None,
        internal_linked=False,
        vendor_linked=False,
        findings=(),
        created_at=0,
        synced_at=None,
    )


def describe(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912 - one return for each action
    """An action in words, without the words of the ticket's texts."""
    match action:
        case CreateTicket(values=values):
            told = {name: "(text)" if name == "summary" else show(value) for name, value in values.items()}
            return (
                f"create a ticket ({', '.join(f'{name}: {value}' for name, value in sorted(told.items()))})"
            )
        case UpdateFields(decisions=decisions):
            return "; ".join(
                f"{one.field}: {show_change(one.before, one.after)} ({one.why})" for one in decisions
            )
        case SetStatus(goal=goal, decision=decision):
            return f"status: {show(decision.before)} -> {goal} ({decision.why})"
        case AddComment(origin_id=origin, private=private):
            return f"add a {'private ' if private else ''}comment (the other side's {origin})"
        case EditComment(pair=pair, why=why):
            return f"rewrite comment {pair.copy_id} ({why})"
        case DeleteComment(pair=pair, why=why):
            return f"take back comment {pair.copy_id} ({TAKEN_BACK[why]})"
        case AddAttachment() | SpillText() | DeleteAttachment():
            return _describe_file(action)
        case LinkBack():
            return "show the link to the peer"
        case WriteNote():
            return "tell what is held, and what became of it"
        case SetParent(parent=parent, key=key):
            return f"make it a part of {key}" if parent else "make it a part of no other ticket"
        case AddRelation(kind=kind, key=key, outward=outward):
            return f"link it {'to' if outward else 'from'} {key} ({kind})"
        case AddWorklog(seconds=seconds, pair=pair):
            return f"book {seconds // 60} minutes (the other side's {pair.origin_id})"
        case EditWorklog(pair=pair, why=why):
            return f"change booked time {pair.copy_id} ({why})"
        case DeleteWorklog(pair=pair, why=why):
            return f"take back booked time {pair.copy_id} (the original was {why})"
        case RemoveRelation(relation=relation):
            return f"take a link away ({relation.kind}): it is gone on the other side"


def _describe_file(action: AddAttachment | SpillText | DeleteAttachment) -> str:
    match action:
        case AddAttachment(file=file):
            return f"attach a file ({megabytes(file.size)}, the other side's {file.id})"
        case SpillText(name=name):
            return f"attach the whole of a long text ({name})"
        case DeleteAttachment(pair=pair, why=why):
            return f"take back file {pair.copy_id} (the original was {why})"
