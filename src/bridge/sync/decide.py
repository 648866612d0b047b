"""The decision: from both sides as they are and as they were, the plan that brings them into agreement.

One function, :func:`decide`, pure and total: the same view gives the same plan. The shell reads, calls it, acts, and
calls it again until nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.markup import Document, words
from bridge.sync.agreement import BUILT_IN_FIELDS, Agreement, FieldRule
from bridge.sync.comments import plan_comments
from bridge.sync.mapping import Unmapped, carry, carry_set, crossing, same
from bridge.sync.merge import MISSING, Agreed, Cross, Known, NeedTimes, Now, Quiet, Stuck, merge
from bridge.sync.plan import (
    Action,
    CreateTicket,
    Decision,
    Finding,
    LinkBack,
    LinkView,
    Plan,
    SetStatus,
    UpdateFields,
    View,
)
from bridge.sync.ticket import Side, Ticket, Value


def decide(agreement: Agreement, link: LinkView) -> Plan:
    """The plan for one link."""
    for side in Side:
        view = link.view(side)
        if view.exists and view.ticket is None:
            # Not there is not the same as deleted: it may be hidden, moved or archived. Never acted upon.
            message = f"the {side} ticket cannot be seen any more; nothing is written to its peer"
            return Plan(findings=(Finding("gone", side, "", message),))
    for side in Side:
        origin = link.view(side.other).ticket
        if not link.view(side).exists and origin is not None:
            return _create(agreement, side, origin)
    return _reconcile(agreement, link)


def _create(agreement: Agreement, side: Side, origin: Ticket) -> Plan:
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
    for name, constant in agreement.scope(side).on_create.items():
        values.setdefault(name, constant)
    origin_base = {
        rule.name: origin.fields[rule.name] for rule in agreement.fields if rule.name in origin.fields
    }
    return Plan(actions=(CreateTicket(side, values, shown, origin_base),), findings=tuple(findings))


def _reconcile(agreement: Agreement, link: LinkView) -> Plan:
    actions: list[Action] = [LinkBack(side) for side in Side if side not in link.linked]
    findings: list[Finding] = []
    settled: dict[str, tuple[Value, Value]] = {}
    unsure: set[str] = set()
    updates: dict[Side, list[tuple[str, Value, tuple[Value, Value], Decision]]] = {side: [] for side in Side}
    statuses: list[Action] = []
    internal, vendor = link.internal.ticket, link.vendor.ticket
    assert internal is not None
    assert vendor is not None
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
        match merge(agreement, rule, now):
            case Quiet():
                if _rerendered(link.internal, name) or _rerendered(link.vendor, name):
                    settled[name] = (now.internal, now.vendor)
            case Agreed():
                settled[name] = (now.internal, now.vendor)
            case NeedTimes():
                unsure.add(name)
            case Stuck(kind=kind, side=side, message=message):
                findings.append(Finding(kind, side, name, message))
            case Cross() as cross:
                for side, value in cross.writes.items():
                    if same(now.value(side), value):
                        continue
                    decision = Decision(
                        name, side, now.value(side), value, cross.winner, cross.why, cross.loser
                    )
                    if name == "status":
                        statuses.append(_status(rule, side, value, cross, decision))
                    else:
                        updates[side].append((name, value, cross.base, decision))
    for side, changes in updates.items():
        if changes:
            actions.append(
                UpdateFields(
                    side,
                    {name: value for name, value, _, _ in changes},
                    {name: base for name, _, base, _ in changes},
                    tuple(decision for _, _, _, decision in changes),
                )
            )
    # Comments before the status: a closed ticket may refuse them.
    comment_actions, comment_findings, pairs = plan_comments(agreement, link)
    return Plan(
        (*actions, *comment_actions, *statuses),
        (*findings, *comment_findings),
        settled,
        tuple(pairs),
        frozenset(unsure),
    )


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


def _status(rule: FieldRule, side: Side, goal: Value, cross: Cross, decision: Decision) -> SetStatus:
    via: Mapping[str, tuple[str, ...]] = rule.via.get(side, {})
    return SetStatus(
        side,
        str(goal),
        cross.base,
        decision,
        tuple(via.get(str(goal), ())),
        rule.fill.get(side, {}),
    )


def _unmapped(rule: FieldRule, side: Side, unmapped: Unmapped) -> Finding:
    message = f"'{rule.name}' has no pair for the {side} value '{unmapped.value}'"
    return Finding("unmapped", side, rule.name, message)


def custom_fields(agreement: Agreement) -> tuple[str, ...]:
    """Canonical names of the agreement's custom fields, which adapters must be told about."""
    return tuple(rule.name for rule in agreement.fields if rule.name not in BUILT_IN_FIELDS)
