"""What the bridge would do, without doing it: both trackers read, every decision made, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.daemon.describing import Tell, describe, describe_hold, discreetly, openly
from bridge.daemon.house import House, Terms, field_specs, site
from bridge.daemon.planfile import Line, Subject
from bridge.daemon.run import Run
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.base import Base, CommentPair, PartPair
from bridge.sync.fingerprint import plan_print, terms_print, ticket_prints
from bridge.sync.holding import Hold
from bridge.sync.identity import marker_for
from bridge.sync.plan import (
    Action,
    AddAttachment,
    AddComment,
    AddWorklog,
    CreateTicket,
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    EditComment,
    EditWorklog,
    LinkBack,
    Plan,
    SpillText,
    WriteNote,
)
from bridge.sync.ticket import Side
from bridge.trackers.protocol import Watch

Progress = Callable[[int, int], None]
"""Told how many tickets are done and how many there are."""

COUNTED = (
    *("tickets", "busy", "create", "change", "comments", "files", "worklogs"),
    *("actions", "findings", "holds"),
)
"""What is counted of a plan: pairs of tickets (in view, with something to do, to create, to change), and things."""

_COMMENTS = (AddComment, EditComment, DeleteComment)
_FILES = (AddAttachment, SpillText, DeleteAttachment)
_TIME = (AddWorklog, EditWorklog, DeleteWorklog)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The plan for one ticket or pair of tickets; ``link.id`` is 0 where no link exists yet.

    Attributes:
        link: their link.
        plan: what would be done.
        sequel: what would follow from a creation in it; None where nothing is created.
        agreement: the terms.
        line: the same for a file; None where nobody asked for one, or nothing is to be done.
    """

    link: Link
    plan: Plan
    sequel: Plan | None
    agreement: Agreement
    line: Line | None = None

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.plan.actions or self.plan.holds)

    @property
    def held(self) -> frozenset[str]:
        """Fields of which something waits for people."""
        waiting = {finding.field for finding in self.plan.findings if finding.kind == "held"}
        return frozenset(waiting | {hold.field for hold in self.plan.holds if not hold.state.owed})

    def as_json(self) -> dict[str, Any]:
        """For ``bridge plan --json``; holds no texts."""
        return {
            "agreement": self.link.agreement,
            "internal": self.link.internal_key,
            "vendor": self.link.vendor_key,
            **_in_words(self.plan, self.sequel, openly),
        }


def foresee(
    house: House, key: str | None = None, *, firm: bool = False, progress: Progress | None = None
) -> Iterator[Outlook]:
    """The plan for everything in scope, or for the ticket with that key alone.

    Args:
        house: the running parts.
        key: of a ticket on either side; None for all.
        firm: read what has something to do by id, and give each a line for a file.
        progress: told after each ticket.

    Raises:
        TrackerError: a tracker cannot be asked now.
        StoreError: our own database failed.
    """
    terms = house.terms
    wanted = [
        (agreement, link)
        for agreement in terms.settings.agreements
        for link in _links(house, terms, agreement)
        if key is None or key.casefold() in (link.internal_key.casefold(), link.vendor_key.casefold())
    ]
    for done, (agreement, link) in enumerate(wanted, 1):
        yield _look_ahead(run_over(house, terms, agreement, link), firm=firm)
        if progress is not None:
            progress(done, len(wanted))


def run_over(house: House, terms: Terms, agreement: Agreement, link: Link) -> Run:
    """A run over a link, or over one that is still to be, with what is stored of it.

    Raises:
        StoreError: our own database failed.
    """
    bases = {side: Base() for side in Side}
    pairs: tuple[CommentPair, ...] = ()
    parts: tuple[PartPair, ...] = ()
    holds: tuple[Hold, ...] = ()
    if link.id:
        with house.store.read() as tx:
            bases, pairs = tx.bases.get(link.id), tuple(tx.comments.list(link.id))
            parts = tuple(tx.parts.list(link.id))
            holds = tuple(tx.holds.list(link.id))
    return Run(house, terms, agreement, link, bases, pairs, parts=parts, holds=holds)


def agreed(terms: Terms, agreement: Agreement) -> str:
    """The fingerprint of an agreement between the sites that its trackers are now."""
    return terms_print(
        agreement, *(site(terms.settings.trackers[agreement.scope(side).tracker]) for side in Side)
    )


def plan_firmly(run: Run) -> tuple[Plan, Plan | None]:
    """The plan and what follows from it, both tickets read by id: the same at every look while nothing changes.

    Raises:
        TrackerError: something that must be read cannot be read now.
    """
    for side in Side:
        run.read(side, strong=True)
    plan = run.plan()
    return plan, run.sequel(plan)


def prints(run: Run, side: Side) -> dict[str, str]:
    """Short fingerprints of the parts of a ticket that a run has read; none of one that is not there.

    Raises:
        TrackerError: it cannot be read now.
    """
    ticket = run.read(side).ticket
    return {} if ticket is None else ticket_prints(run.agreement, ticket)


def count(outlooks: Iterable[Outlook]) -> dict[str, int]:
    """How much there is to do, by kind."""
    totals = dict.fromkeys(COUNTED, 0)
    for one in outlooks:
        actions = one.plan.actions
        every = (*actions, *(one.sequel.actions if one.sequel is not None else ()))
        creates = any(isinstance(action, CreateTicket) for action in actions)
        others = (CreateTicket, LinkBack, WriteNote, *_COMMENTS, *_FILES, *_TIME)
        totals["tickets"] += 1
        totals["busy"] += one.busy
        totals["create"] += creates
        totals["change"] += any(not isinstance(action, others) for action in actions)
        totals["comments"] += sum(isinstance(action, _COMMENTS) for action in every)
        totals["files"] += sum(isinstance(action, _FILES) for action in every)
        totals["worklogs"] += sum(isinstance(action, _TIME) for action in every)
        totals["actions"] += len(actions)
        totals["findings"] += len(one.plan.findings)
        totals["holds"] += len(one.held)
    return totals


def _look_ahead(run: Run, *, firm: bool) -> Outlook:
    plan = run.plan()
    outlook = Outlook(run.link, plan, run.sequel(plan), run.agreement)
    if not firm or not outlook.busy:
        return outlook
    plan, follows = plan_firmly(run)
    outlook = Outlook(run.link, plan, follows, run.agreement)
    return Outlook(run.link, plan, follows, run.agreement, _line(run, outlook)) if outlook.busy else outlook


def _line(run: Run, outlook: Outlook) -> Line:
    link, agreement = run.link, run.agreement
    subjects = {side: Subject(link.ticket(side) or "", link.key(side), prints(run, side)) for side in Side}
    return Line(
        agreement=agreement.name,
        terms=agreed(run.terms, agreement),
        link=link.id,
        origin=link.origin,
        internal=subjects[Side.INTERNAL],
        vendor=subjects[Side.VENDOR],
        parked=link.state is LinkState.PARKED,
        digest=plan_print(outlook.plan, outlook.sequel),
        words=_in_words(outlook.plan, outlook.sequel, discreetly(agreement)),
    )


def _in_words(plan: Plan, follows: Plan | None, tell: Tell) -> dict[str, Any]:
    def told(actions: Iterable[Action]) -> list[dict[str, str]]:
        return [{"side": action.side.value, "what": describe(action, tell)} for action in actions]

    return {
        "actions": told(plan.actions),
        "then": told(follows.actions) if follows is not None else [],
        "findings": [finding.as_json() for finding in plan.findings],
        "holds": [describe_hold(hold, tell) for hold in plan.holds],
    }


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
                    links.append(link_to_be(agreement, side, ticket.id, ticket.key))
    return links


def link_to_be(agreement: Agreement, side: Side, ticket: str, key: str) -> Link:
    """The link that a ticket would get."""
    internal = side is Side.INTERNAL
    return Link(
        id=0,
        agreement=agreement.name,
        origin=side,
        internal_id=ticket if internal else None,
        internal_key=key if internal else "",
        vendor_id=None if internal else ticket,
        vendor_key="" if internal else key,
        marker=marker_for(agreement.name, side, ticket),
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
