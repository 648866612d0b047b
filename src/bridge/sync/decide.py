"""The decision: from both sides as they are and as they were, the plan that brings them into agreement.

One function, :func:`decide`, pure and total: the same view gives the same plan. The shell reads, calls it, acts, and
calls it again until nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bridge.markup import Document, words
from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.attachments import plan_attachments, twins
from bridge.sync.comments import plan_comments
from bridge.sync.enforcing import judge
from bridge.sync.fitting import shows
from bridge.sync.holdnotes import next_look, plan_notes
from bridge.sync.mapping import Unmapped, carry, carry_set, crossing, lacks_files
from bridge.sync.merge import (
    MISSING,
    Agreed,
    Cross,
    Known,
    Now,
    Outcome,
    Quiet,
    Stuck,
    cross,
    merge,
    taken_back_later,
)
from bridge.sync.plan import (
    Action,
    AddAttachment,
    CreateTicket,
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    Finding,
    LinkBack,
    LinkView,
    Plan,
    View,
)
from bridge.sync.privacy import classified
from bridge.sync.relations import parent_for_new, plan_relations
from bridge.sync.sheet import Sheet
from bridge.sync.spilling import is_long, plan_spills
from bridge.sync.statuses import judge_status
from bridge.sync.ticket import Side, Ticket, Value
from bridge.sync.worklogs import plan_worklogs


def decide(agreement: Agreement, link: LinkView) -> Plan:
    """The plan for one link."""
    agreed = agreement
    agreement = _for_link(agreement, link)
    for side in Side:
        away = _away(agreement, side, link.view(side))
        if away is not None:
            return Plan(findings=(away,))
    restricted = _restricted(agreement, link)
    if restricted is not None:
        return restricted
    for side in Side:
        origin = link.view(side.other).ticket
        if not link.view(side).exists and origin is not None:
            # The agreement may have been narrowed since the ticket was found.
            return _create(agreement, link, side, origin) if side in agreement.create_on else Plan()
    return _reconcile(agreement, agreed, link)


def _for_link(agreement: Agreement, link: LinkView) -> Agreement:
    """The agreement with what this link adds: twins of files that texts show; nothing of files where none can move."""
    if not link.files_move:
        agreement = replace(agreement, attachments=replace(agreement.attachments, cross=frozenset()))
    return replace(agreement, twins=twins(link.parts)) if link.parts else agreement


def _restricted(agreement: Agreement, link: LinkView) -> Plan | None:
    """The plan while a ticket is private or classified: nothing crosses, but what is taken back is taken back."""
    tickets = {side: link.view(side).ticket for side in Side}
    findings = [
        Finding("private-ticket", side, "", f"the {side} ticket is private; nothing crosses while it is")
        for side, ticket in tickets.items()
        if ticket is not None and ticket.private
    ]
    findings += [
        Finding("classified", side, "", f"the {side} ticket is classified; nothing crosses while it is")
        for side, ticket in tickets.items()
        if ticket is not None and classified(agreement, side, ticket)
    ]
    if not findings:
        return None
    taken: list[Action] = []
    if all(ticket is not None for ticket in tickets.values()):
        actions = [
            *plan_comments(agreement, link)[0],
            *plan_attachments(agreement, link)[0],
            *plan_spills(agreement, link)[0],
            *plan_worklogs(agreement, link).actions,
        ]
        taken = [one for one in actions if isinstance(one, DeleteComment | DeleteAttachment | DeleteWorklog)]
    return Plan(tuple(taken), tuple(findings))


def _away(agreement: Agreement, side: Side, view: View) -> Finding | None:
    """Why a ticket is out of the agreement's reach, so that nothing crosses in either direction; None when it is not.

    Where it is now may be no business of the other company's: what was not agreed does not cross.
    """
    ticket, project = view.ticket, agreement.scope(side).project
    if ticket is None:
        if not view.exists:
            return None
        # Not there is not the same as deleted: it may be hidden or moved. Never acted upon by itself.
        return Finding(
            "gone", side, "", f"the {side} ticket cannot be seen any more; nothing is written to its peer"
        )
    if ticket.project.casefold() != project.casefold():
        message = (
            f"the {side} ticket has left the project {project}; nothing crosses until it is back or unlinked"
        )
        return Finding("moved-out", side, "", message)
    if ticket.archived:
        return Finding(
            "archived", side, "", f"the {side} ticket is archived; nothing crosses until it is restored"
        )
    return None


def _create(agreement: Agreement, link: LinkView, side: Side, origin: Ticket) -> Plan:
    """The peer is still to be created: everything that maps goes into the create request."""
    values: dict[str, Value] = {}
    shown: dict[str, Value] = {}
    findings: list[Finding] = []
    for rule in agreement.fields:
        if rule.name == "status" or rule.name not in origin.fields:
            continue
        value = origin.fields[rule.name]
        if isinstance(value, frozenset):
            members = carry_set(rule, crossing(rule, value, side.other), side)
            if members:
                values[rule.name] = shown[rule.name] = members
            continue
        carried = carry(agreement, rule, value, side)
        if isinstance(carried, Unmapped):
            if not carried.silent:
                findings.append(_unmapped(rule, side.other, carried))
        elif carried.value is not None:
            values[rule.name], shown[rule.name] = carried.value, carried.shown
    given = {rule.name_on(side).casefold() for rule in agreement.fields if rule.name in values}
    for name, constant in agreement.scope(side).on_create.items():
        if name.casefold() not in given:
            values.setdefault(name, constant)
    origin_base = {
        rule.name: origin.fields[rule.name] for rule in agreement.fields if rule.name in origin.fields
    }
    parent, said = parent_for_new(agreement, link, side, origin)
    return Plan(
        actions=(CreateTicket(side, values, shown, origin_base, parent),),
        findings=(*findings, *said.findings),
        waits=frozenset(said.waits),
    )


def _reconcile(agreement: Agreement, agreed: Agreement, link: LinkView) -> Plan:
    internal, vendor = link.internal.ticket, link.vendor.ticket
    assert internal is not None
    assert vendor is not None
    file_actions, file_findings, parts = plan_attachments(agreed, link)
    spills, spill_findings, spilt = plan_spills(agreement, link)
    coming = _coming(file_actions)
    sheet = Sheet()
    for rule in agreement.fields:
        name = rule.name
        if name not in internal.fields or name not in vendor.fields:
            continue
        now = Now(
            internal.fields[name],
            vendor.fields[name],
            _base(link.internal, name),
            _base(link.vendor, name),
            link.changed_at.get(name),
            (internal.created, vendor.created),
        )
        judged = (
            judge_status(agreement, link, rule, now)
            if name == "status"
            else judge(agreement, link, rule, now, partial(merge, agreement, rule))
        )
        sheet.note(rule, judged)
        merged = judged.outcome
        if (
            isinstance(merged, Quiet)
            and not judged.held
            and any(_rerendered(link.view(side), name) for side in Side)
        ):
            sheet.settled[name] = (now.internal, now.vendor)
        if isinstance(merged, Quiet) and not (judged.held or judged.hold or judged.asks):
            merged = taken_back_later(agreement, rule, now, rule.owner or link.origin) or merged
        merged = _with_files(agreement, rule, now, merged)
        if isinstance(merged, Cross) and any(
            shows(now.value(to.other), coming[to.other]) for to in merged.writes
        ):
            sheet.deferred = True
            continue
        sheet.enter(rule, now, merged, judged, link)
    # Comments before the status: a closed ticket may refuse them.
    comment_actions, comment_findings, pairs = plan_comments(agreement, link, coming)
    related = plan_relations(agreement, link)
    time = plan_worklogs(agreement, link)
    links_back = [LinkBack(side) for side in Side if side not in link.linked]
    return Plan(
        (
            *links_back,
            *file_actions,
            *spills,
            *sheet.field_actions(),
            *related.actions,
            *comment_actions,
            *time.actions,
            *sheet.statuses,
            *plan_notes(agreement, link),
        ),
        (
            *sheet.findings,
            *related.findings,
            *comment_findings,
            *time.findings,
            *file_findings,
            *spill_findings,
        ),
        sheet.settled,
        tuple(pairs),
        frozenset(sheet.coincided),
        frozenset(sheet.unsure),
        (*related.parts, *time.parts, *parts, *spilt),
        frozenset(related.waits),
        # Comments that show one of them are waiting as well.
        deferred=sheet.deferred or bool(sheet.holds) or _awaited(link, coming),
        holds=tuple(sheet.holds),
        asks=frozenset(sheet.asks),
        again=next_look(agreement, link),
    )


def _coming(actions: Sequence[Action]) -> dict[Side, frozenset[str]]:
    """Names of files that are about to cross for the first time; one that failed before is not waited for."""
    return {
        side: frozenset(
            act.file.name
            for act in actions
            if isinstance(act, AddAttachment) and act.side is side.other and not act.pair.detail.get("again")
        )
        for side in Side
    }


def _awaited(link: LinkView, coming: Mapping[Side, frozenset[str]]) -> bool:
    """Whether a comment shows a file that is about to cross."""
    return any(
        not comment.private and shows(comment.body, coming[side])
        for side in Side
        if coming[side] and (ticket := link.view(side).ticket) is not None
        for comment in ticket.comments
    )


def _with_files(agreement: Agreement, rule: FieldRule, now: Now, merged: Outcome) -> Outcome:
    """The outcome for a text, in sight of its files and its length.

    A text that crossed before its files is written once more. And of a text that crossed shortened, the copy's edit
    must not replace the whole: that is left to people.
    """
    if isinstance(merged, Quiet | Agreed):
        for side in Side:
            text, present = now.value(side), now.value(side.other)
            if (
                isinstance(text, Document)
                and isinstance(present, Document)
                and rule.owner is not side.other
                and agreement.scope(side.other).edits_texts
                and lacks_files(agreement, text, side.other, present)
            ):
                return cross(agreement, rule, now, side, "changed")
    if isinstance(merged, Cross) and merged.why != "owner":
        for side in merged.writes:
            if merged.winner is not side and is_long(agreement, now.value(side), side.other):
                where = f"the {side.other} side's '{rule.name}'"
                message = f"{where} is a shortened copy; its edit does not replace the whole"
                return Stuck("held", side.other, message)
    return merged


def _base(view: View, name: str) -> Known:
    """The base of a field; a text of ours that the tracker merely renders in its own way counts as unchanged."""
    assert view.ticket is not None
    return view.ticket.fields[name] if _rerendered(view, name) else view.base.fields.get(name, MISSING)


def _rerendered(view: View, name: str) -> bool:
    """Whether this is the first look after our own write, with our words in a different tree.

    A tracker may normalise a text in ways no codec foresees. Without this rule the difference would look like a
    person's edit and travel back to where the text came from.
    """
    assert view.ticket is not None
    value, base = view.ticket.fields[name], view.base.fields.get(name, MISSING)
    return (
        isinstance(value, Document)
        and isinstance(base, Document)
        and view.base.written >= view.base.seen
        and value != base
        and words(value) == words(base)
    )


def _unmapped(rule: FieldRule, side: Side, unmapped: Unmapped) -> Finding:
    message = f"'{rule.name}' has no pair for the {side} value '{unmapped.value}'"
    return Finding("unmapped", side, rule.name, message)
