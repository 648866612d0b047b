"""What becomes of parents and of links between tickets.

A relation joins two tickets of one tracker; its mirror joins their two peers. So it can only cross when both are
mirrored under the same agreement; until then it waits, and a finding says so without naming the other ticket, which
may not be known to the other company. Relations carry no author and no text, so they are compared as sets: what one
side had in common with the other and has no more was taken away there, and is taken away here; what only one side has
is new. A relation that people made on both sides pairs up without a word.

Every link is seen from both of its tickets. The older of the two mirrored pairs looks after it, so that two workers
never write the same one; a parent is looked after by its child.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.sync.agreement import Agreement, LinkRule
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.plan import Action, AddRelation, Finding, LinkView, Neighbour, RemoveRelation, SetParent
from bridge.sync.ticket import Relation, Side, Ticket

PARENT = "parent"
"""How a part pair of a parent begins; links begin with ``link``."""


@dataclass(slots=True)
class Relating:
    """What has been decided about relations.

    Attributes:
        actions: links first, then the parent.
        findings: for people.
        parts: pairs whose record changes without any write.
        waits: (side, ticket id): tickets that a relation waits for, because they are not mirrored.
    """

    actions: list[Action] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    parts: list[PartPair] = field(default_factory=list)
    waits: set[tuple[Side, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Tie:
    """A link in the agreement's words: its rule, the other pair of tickets, whether it starts at the internal one."""

    rule: LinkRule
    other: int
    outward: bool

    @property
    def name(self) -> str:
        return f"link {self.rule.internal} {'>' if self.outward else '<'} {self.other}"


def parent_name(other: int) -> str:
    """How the pair of a parent is recorded: by the row id of the parent's own link."""
    return f"{PARENT} {other}"


def mapped(agreement: Agreement, side: Side, kind: str) -> LinkRule | None:
    """The rule of a type of link, by its name on that side."""
    return next((rule for rule in agreement.relations.links if rule.name_on(side) == kind), None)


def others(agreement: Agreement, side: Side, ticket: Ticket) -> frozenset[str]:
    """The tickets that this one is related to in a way that may cross."""
    found = {one.other for one in ticket.relations if mapped(agreement, side, one.kind) is not None}
    if agreement.relations.parent and ticket.parent:
        found.add(ticket.parent)
    return frozenset(found)


def relation_key(kind: str, other: str, *, outward: bool) -> str:
    """A link as one side shows it, for the digest of what was dealt with."""
    return f"{kind} {'>' if outward else '<'} {other}"


def relation_keys(agreement: Agreement, side: Side, ticket: Ticket) -> frozenset[str]:
    """Everything that this side shows of the relations that may cross."""
    keys = {
        relation_key(one.kind, one.other, outward=one.outward)
        for one in ticket.relations
        if mapped(agreement, side, one.kind) is not None
    }
    if agreement.relations.parent and ticket.parent:
        keys.add(parent_key(ticket.parent))
    return frozenset(keys)


def parent_key(parent: str) -> str:
    """A parent as one side shows it, likewise."""
    return f"{PARENT} {parent}"


def parent_for_new(agreement: Agreement, link: LinkView, side: Side, origin: Ticket) -> tuple[str, Relating]:
    """The parent that a ticket to be created on ``side`` gets, "" for none, and what is to be said of it."""
    said = Relating()
    if not agreement.relations.parent or not origin.parent:
        return "", said
    neighbour = link.neighbours.get(side.other, {}).get(origin.parent)
    if neighbour is None:
        _unmirrored(said, side.other, "parent", origin.parent)
        return "", said
    return neighbour.ticket(side), said


def plan_relations(agreement: Agreement, link: LinkView) -> Relating:
    """What would bring the relations of both sides into agreement."""
    plan = Relating()
    rows = {pair.origin_id: pair for pair in link.parts if pair.kind is PartKind.RELATION}
    tickets = {side: link.view(side).ticket for side in Side}
    if agreement.relations.links and all(
        one is not None and one.relations_complete for one in tickets.values()
    ):
        _plan_links(agreement, link, rows, plan)
    if agreement.relations.parent and all(
        one is not None and one.parent is not None for one in tickets.values()
    ):
        _plan_parent(link, rows, plan)
    return plan


def _plan_links(agreement: Agreement, link: LinkView, rows: Mapping[str, PartPair], plan: Relating) -> None:
    base = {name: pair for name, pair in rows.items() if name.startswith("link ")}
    agreed = {name for name, pair in base.items() if pair.state is PairState.PAIRED}
    present: dict[Side, dict[_Tie, Relation]] = {}
    for side in Side:
        known = agreed | {tie.name for ties in present.values() for tie in ties}
        present[side] = _ties(agreement, link, side, known, plan)
    ties = {tie.name: tie for side in Side for tie in present[side]}
    for name in sorted(ties.keys() | agreed):
        tie, pair = ties.get(name), base.get(name)
        having = [side for side in Side if tie is not None and tie in present[side]]
        if tie is None:
            plan.parts.append(replace(base[name], state=PairState.ORIGIN_DELETED))
        elif len(having) == len(Side):
            if name not in agreed:
                plan.parts.append(_pair(link.origin, name, pair))
        elif name in agreed:
            (side,) = having
            plan.actions.append(RemoveRelation(side, present[side][tie], base[name]))
        else:
            plan.actions.append(_add(link, tie, having[0], pair))


def _ties(
    agreement: Agreement, link: LinkView, side: Side, known: set[str], plan: Relating
) -> dict[_Tie, Relation]:
    """The links of a side that this pair of tickets looks after; those that cannot cross become a finding."""
    ticket = link.view(side).ticket
    assert ticket is not None
    found: dict[_Tie, Relation] = {}
    for one in ticket.relations:
        rule = mapped(agreement, side, one.kind)
        if rule is None:
            continue
        neighbour = link.neighbours.get(side, {}).get(one.other)
        if neighbour is None:
            _unmirrored(plan, side, f"link of the type '{one.kind}'", one.other)
        elif link.id < neighbour.link:
            outward = one.outward is not (side is Side.VENDOR and rule.reversed)
            tie = _Tie(rule, neighbour.link, outward)
            if one.symmetric and tie.name not in known:
                # It has no direction here: the one that the other side gave it counts, else that of the internal side.
                turned = replace(tie, outward=not outward)
                tie = turned if turned.name in known else replace(tie, outward=True)
            found.setdefault(tie, one)
    return found


def _add(link: LinkView, tie: _Tie, origin: Side, pair: PartPair | None) -> AddRelation:
    to = origin.other
    neighbour = _neighbour(link, tie.other)
    ticket = link.view(to).ticket
    assert ticket is not None
    outward = tie.outward is not (to is Side.VENDOR and tie.rule.reversed)
    return AddRelation(
        to,
        tie.rule.name_on(to),
        neighbour.ticket(to),
        neighbour.key(to),
        outward,
        _pair(origin, tie.name, pair),
    )


def _plan_parent(link: LinkView, rows: Mapping[str, PartPair], plan: Relating) -> None:
    base = {name: pair for name, pair in rows.items() if name.startswith(f"{PARENT} ")}
    agreed = next((name for name, pair in base.items() if pair.state is PairState.PAIRED), "")
    shown: dict[Side, str] = {}
    strange: set[Side] = set()
    for side in Side:
        ticket = link.view(side).ticket
        assert ticket is not None
        neighbour = link.neighbours.get(side, {}).get(ticket.parent or "")
        shown[side] = parent_name(neighbour.link) if neighbour is not None else ""
        if ticket.parent and neighbour is None:
            strange.add(side)
            _unmirrored(plan, side, "parent", ticket.parent)
    internal, vendor = shown[Side.INTERNAL], shown[Side.VENDOR]
    if internal == vendor:
        if internal != agreed:
            plan.parts.extend(_parent_rows(link.origin, internal, base))
        return
    # Both sides gave it another parent: the organisation's stands, for nobody could tell which of the two came first.
    source = Side.INTERNAL if internal != agreed else Side.VENDOR
    to, name = source.other, shown[source]
    if to in strange:
        message = f"the {to} ticket has a parent of its own, which is not mirrored; it is left there"
        plan.findings.append(Finding("parent-differs", to, "", message))
        return
    known = base.get(name)
    target = link.view(to).ticket
    assert target is not None
    if (
        known is not None
        and known.detail.get("refused")
        and known.detail.get("type") == target.fields.get("type")
    ):
        message = f"the parent is refused on the {to} side: {known.detail['refused']}"
        plan.findings.append(Finding("refused", to, PARENT, message))
        return
    parent = _neighbour(link, int(name.partition(" ")[2])) if name else None
    plan.actions.append(
        SetParent(
            to,
            parent.ticket(to) if parent else "",
            parent.key(to) if parent else "",
            tuple(_parent_rows(source, name, base)),
        )
    )


def _parent_rows(origin: Side, name: str, base: Mapping[str, PartPair]) -> list[PartPair]:
    """The records once the parent of that name, or none, stands on both sides."""
    gone = [
        replace(pair, state=PairState.ORIGIN_DELETED)
        for known, pair in base.items()
        if known != name and pair.state is PairState.PAIRED
    ]
    return [*gone, _pair(origin, name, base.get(name))] if name else gone


def _pair(origin: Side, name: str, known: PartPair | None) -> PartPair:
    if known is not None:
        return replace(known, state=PairState.PAIRED, detail={})
    return PartPair(0, PartKind.RELATION, origin, name, name)


def _neighbour(link: LinkView, other: int) -> Neighbour:
    return next(one for known in link.neighbours.values() for one in known.values() if one.link == other)


def _unmirrored(plan: Relating, side: Side, what: str, other: str) -> None:
    plan.waits.add((side, other))
    finding = Finding(
        "peer-not-mirrored", side, "", f"a {what} on the {side} side does not cross: its peer is not mirrored"
    )
    if finding not in plan.findings:
        plan.findings.append(finding)
