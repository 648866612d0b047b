"""Who may change what: the rights that an agreement gives to sides, roles and people, and who made a change.

A change counts as made by the side in whose tracker it was made: whoever runs that tracker can make it say anything of
its people, so nobody there speaks for the other company. The reverse only narrows: somebody whom the agreement knows as
the other side's person may not do here what that side may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.sync.agreement import Agreement, FieldRule
from bridge.sync.mapping import Carried, carry, crossing, names, partnered, word
from bridge.sync.merge import MISSING, Known, Now
from bridge.sync.plan import LinkView
from bridge.sync.roles import Grant, Role
from bridge.sync.ticket import SECOND, Person, Side, Ticket, Value

ANY = "*"

NOBODY: Final = Person("")
"""Somebody of whom nothing is known: in no role."""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who made the change that a field shows, by the tracker's own history.

    Attributes:
        person: who; None when the history hides it or does not know the change.
        at: when, microseconds of that tracker's clock; 0 when unknown.
        event: the id of the history's entry; "" when unknown.
    """

    person: Person | None = None
    at: int = 0
    event: str = ""


def authorship(link: LinkView, rule: FieldRule, side: Side) -> Authorship | None:
    """Who last changed a field on a side; None when that side's history was not asked.

    A history may be younger than the ticket in hand: what came after the ticket's own stamp is not what it shows.
    """
    history, ticket = link.histories.get(side), link.view(side).ticket
    if history is None or ticket is None:
        return None
    known = {rule.name, rule.name_on(side)}
    made = [one for one in history if one.field in known and one.at < ticket.updated + SECOND]
    return Authorship(made[-1].author, made[-1].at, made[-1].event) if made else Authorship()


def restricted(rule: FieldRule) -> bool:
    """Whether there is anything that somebody may not do with a field."""
    return rule.owner is not None or bool(rule.may)


def grants(rule: FieldRule, side: Side) -> tuple[Grant, ...] | None:
    """What people of a side may do with a field; None for everything."""
    if side in rule.may:
        return rule.may[side]
    return () if rule.owner is side.other else None


def entitled(agreement: Agreement, link: LinkView, rule: FieldRule, now: Now, side: Side) -> bool | None:
    """Whether the change that a side shows was its author's to make; None when only its history can tell."""
    mine, theirs = grants(rule, side), grants(rule, side.other)

    def granted(given: tuple[Grant, ...] | None, person: Person | None) -> bool:
        return _granted(agreement, link, rule, now, side, given, person)

    author = authorship(link, rule, side)
    if not granted(mine, None):
        return False
    if author is None:
        narrowed = any(role.side is side.other for role in agreement.roles) and not granted(theirs, NOBODY)
        return None if narrowed or not granted(mine, NOBODY) else True
    person = author.person or NOBODY
    if not granted(mine, person):
        return False
    return not _of_the_other_side(agreement, link, person, side) or granted(theirs, person)


def at_issue(rule: FieldRule, now: Now, side: Side) -> tuple[frozenset[str], frozenset[str]]:
    """What came into a side's set and what went, of that which may cross and which the other side does not show."""
    value, base = now.value(side), now.base(side)
    new = crossing(rule, value, side)
    old = crossing(rule, base, side) if isinstance(base, frozenset) else frozenset[str]()
    theirs = crossing(rule, now.value(side.other), side.other)
    came = frozenset(name for name in new - old if not partnered(rule, name, side, theirs))
    went = frozenset(name for name in old - new if partnered(rule, name, side, theirs))
    return came, went


def in_role(agreement: Agreement, role: Role, person: Person, seen_on: Side, ticket: Ticket | None) -> bool:
    """Whether a person is in a role.

    Args:
        agreement: the terms, with who is who.
        role: the role.
        person: as one side's tracker knows them.
        seen_on: that side.
        ticket: the ticket of the role's side, whose field names who is in a role that lists nobody.
    """
    if not role.named:
        holder = ticket.fields.get(role.field) if ticket is not None and role.field else None
        return isinstance(holder, Person) and (
            holder.id == person.id if seen_on is role.side else _paired(agreement, holder, person, role.side)
        )
    listed = list(role.people)
    if seen_on is role.side:
        return any(names(person, handle) for handle in listed) or any(
            member.active and member.id == person.id for member in role.members
        )
    # On the other side they have another account: the one that the agreement pairs, or one with the same address.
    return any(_is(agreement, person, handle, role.side) for handle in listed) or any(
        member.active and _paired(agreement, member, person, role.side) for member in role.members
    )


def approver(agreement: Agreement, rule: FieldRule, side: Side, *, conflict: bool = False) -> str:
    """The role that decides about a change made on a side; "" when the agreement names none.

    Those who might have made it themselves come first, then the approver of the side that it would have reached.
    Between the sides the mediator decides.
    """
    if conflict and agreement.holds.mediator:
        return agreement.holds.mediator
    if not conflict:
        asked = [name for grant in grants(rule, side) or () for name in grant.by if agreement.role(name)]
        if asked:
            return asked[0]
    return agreement.holds.approvers.get(side.other) or agreement.holds.approvers.get(side, "")


def _granted(  # noqa: PLR0917 - one question with all that it is about
    agreement: Agreement,
    link: LinkView,
    rule: FieldRule,
    now: Now,
    side: Side,
    given: Sequence[Grant] | None,
    person: Person | None,
) -> bool:
    """Whether grants cover a change by a person; by None: whether they would for some person."""
    if given is None:
        return True
    return all(
        any(
            grant.to in {ANY, after}
            and grant.before in {ANY, before}
            and (not grant.by or person is None or _among(agreement, link, grant.by, person, side))
            for grant in given
        )
        for before, after in _steps(agreement, rule, now, side)
    )


def _steps(agreement: Agreement, rule: FieldRule, now: Now, side: Side) -> list[tuple[str | None, str]]:
    """What a side changed, as (before, after) in the internal side's words; of a set, each member that came or went."""
    value, base = now.value(side), now.base(side)
    if isinstance(value, frozenset):
        came, went = at_issue(rule, now, side)
        return [
            (None, _internal_word(agreement, rule, frozenset({name}), side)) for name in sorted(came | went)
        ]
    return [(_known_word(agreement, rule, base, side), _internal_word(agreement, rule, value, side))]


def _known_word(agreement: Agreement, rule: FieldRule, base: Known, side: Side) -> str | None:
    return None if base is MISSING else _internal_word(agreement, rule, base, side)  # type: ignore[arg-type]  # MISSING is handled


def _internal_word(agreement: Agreement, rule: FieldRule, value: Value, side: Side) -> str:
    """A value as the internal side calls it; its own name where it has no pair there."""
    if isinstance(value, frozenset):
        (name,) = value
        pairs = (internal for internal, vendor in rule.values if vendor == name)
        return name if side is Side.INTERNAL else next(pairs, name)
    if isinstance(value, Person):
        return value.name or value.id
    if side is Side.VENDOR and isinstance(value, str | float | bool):
        carried = carry(agreement, rule, value, Side.INTERNAL)
        value = carried.shown if isinstance(carried, Carried) else value
    return word(value) if isinstance(value, str | float | bool) else ""


def _among(agreement: Agreement, link: LinkView, by: Iterable[str], person: Person, side: Side) -> bool:
    """Whether a person is one of those that a grant names: a role, or a person of the side that it is about."""
    for name in by:
        role = agreement.role(name)
        if role is None:
            if names(person, name):
                return True
        elif in_role(agreement, role, person, side, link.view(role.side).ticket):
            return True
    return False


def _of_the_other_side(agreement: Agreement, link: LinkView, person: Person, side: Side) -> bool:
    """Whether the agreement knows a person of a side's tracker as one of the other side's people, and not its own."""
    mine = {
        role.side
        for role in agreement.roles
        if role.named and in_role(agreement, role, person, side, link.view(role.side).ticket)
    }
    return mine == {side.other}


def _is(agreement: Agreement, person: Person, handle: str, of: Side) -> bool:
    """Whether a person of the other side's tracker is the one whom a side calls so."""
    if "@" in handle and names(person, handle):
        return True
    for internal, vendor in agreement.people:
        own, other = (internal, vendor) if of is Side.INTERNAL else (vendor, internal)
        if own.casefold() == handle.casefold() and names(person, other):
            return True
    return False


def _paired(agreement: Agreement, member: Person, person: Person, of: Side) -> bool:
    """Whether somebody of a side and somebody in the other side's tracker are one person."""
    return any(_is(agreement, person, handle, of) for handle in (member.id, *member.handles) if handle)
