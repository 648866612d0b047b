"""A person decides about a hold: the row, the journal and the wake-up, in one transaction beside a running daemon.

Nothing is written to a tracker here: the link's next look carries the decision out. A decision is about the values that
its author has seen; when they have changed since, it is refused, and when they change before it is carried out, the
core opens the hold again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.daemon.holding import hold_entry
from bridge.daemon.rosters import known_members
from bridge.errors import BridgeError
from bridge.store.database import Store, Tx
from bridge.store.rows import Link, LinkState
from bridge.sync.agreement import Agreement
from bridge.sync.holding import Hold, HoldKind, HoldState, stamp
from bridge.sync.roles import Role
from bridge.sync.ticket import Person, Side


class Undecidable(BridgeError):
    """There is nothing to decide, or not for this person."""

    exit_code = 1
    next_step = "See 'bridge holds' for what waits, and who may decide."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person decided.

    Attributes:
        approve: the change crosses; otherwise the other side's value is restored.
        by: who decides, as the configuration calls them, or by login.
        reason: why; may be shown on both sides.
        seen: ``stamp`` of what the person has seen; "" for the hold as it is now.
        winner: of a conflict, the side whose value stands; None: of an approval the hold's own side.
    """

    approve: bool
    by: str
    reason: str = ""
    seen: str = ""
    winner: Side | None = None


def deciders(agreement: Agreement, hold: Hold) -> tuple[Role, ...]:
    """The roles that may decide about a hold, the one that is asked first."""
    names = [hold.approver]
    if hold.kind is HoldKind.CONFLICT and not agreement.holds.mediator:
        names += [agreement.holds.approvers.get(side, "") for side in Side]
    names.append(agreement.holds.mediator)
    found = (agreement.role(name) for name in dict.fromkeys(names) if name)
    return tuple(role for role in found if role is not None)


def decide_hold(
    store: Store, agreements: Mapping[str, Agreement], number: int, verdict: Verdict, now: int
) -> tuple[Link, Hold]:
    """Decide about a hold; returns its link and the hold as it is now.

    Args:
        store: our database.
        agreements: by name.
        number: the hold's row id.
        verdict: the decision.
        now: microseconds.

    Raises:
        Undecidable: no such hold, it does not wait any more, it is about other values now, or the person may not.
        StoreError: our own database failed.
    """
    with store.write() as tx:
        found = tx.holds.get(number)
        link = tx.links.get(found[0]) if found is not None else None
        if found is None or link is None:
            raise Undecidable(f"there is no hold {number}")
        hold = found[1]
        agreement = agreements.get(link.agreement)
        if agreement is None:
            raise Undecidable(
                f"hold {number} is of '{link.agreement}', which the configuration does not know"
            )
        _check_open(link, hold)
        if verdict.seen and verdict.seen != stamp(hold):
            raise Undecidable(
                f"hold {number} is about other values now: look at it again, and decide about {number}-{stamp(hold)}"
            )
        if verdict.winner is not None and hold.kind is not HoldKind.CONFLICT:
            raise Undecidable(f"hold {number} is no conflict between the sides: leave out --from")
        _check_person(tx, agreement, link, hold, verdict.by)
        decided = replace(
            hold,
            state=HoldState.APPROVED if verdict.approve else HoldState.REJECTED,
            decided_by=verdict.by,
            decided_at=now,
            reason=verdict.reason,
            winner=(verdict.winner or hold.side) if verdict.approve else hold.side.other,
        )
        tx.holds.put(link.id, decided)
        tx.journal.add(now, link.agreement, link.id, "hold.decided", hold_entry(decided))
        tx.links.wake([link.id], now)
    return link, decided


def _check_open(link: Link, hold: Hold) -> None:
    if link.state is LinkState.CLOSED:
        raise Undecidable(f"the link of hold {hold.id} has ended")
    if hold.state is not HoldState.OPEN:
        by = f" by {hold.decided_by}" if hold.decided_by else ""
        raise Undecidable(f"hold {hold.id} does not wait any more: it is {hold.state.value}{by}")


def _check_person(tx: Tx, agreement: Agreement, link: Link, hold: Hold, by: str) -> None:
    """Refuse a person who is in none of the roles that may decide; where the agreement names none, anybody may."""
    roles = deciders(agreement, hold)
    if roles and not any(_in_role(tx, agreement, link, role, by) for role in roles):
        names = " or ".join(f"'{role.name}'" for role in roles)
        raise Undecidable(
            f"'{by}' may not decide about hold {hold.id}: that is for {names}; say who decides with --by"
        )


def _in_role(tx: Tx, agreement: Agreement, link: Link, role: Role, by: str) -> bool:
    if any(_called(by, handle) for handle in role.people):
        return True
    people: Sequence[Person] = known_members(tx, agreement, role)
    if not role.named and role.field:
        holder = tx.bases.get(link.id)[role.side].fields.get(role.field)
        people = (holder,) if isinstance(holder, Person) else ()
    return any(_called(by, name) for one in people for name in (one.id, one.name, *one.handles))


def _called(by: str, handle: str) -> bool:
    """Whether somebody is called so; a login is enough for the address that begins with it."""
    given, known = by.strip().casefold(), handle.strip().casefold()
    return bool(given) and (given == known or ("@" not in given and known.partition("@")[0] == given))
