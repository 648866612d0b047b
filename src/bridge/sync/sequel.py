"""What follows from the creation of a ticket, told before it is created.

A creation takes two rounds: the request itself, and then what needs the ticket to be there: links back, comments,
files, the status. The second round rests on nothing but the original and on what the new ticket will show, so it can
be planned beforehand, but for what its tracker fills in by itself.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.sync.agreement import Agreement
from bridge.sync.base import Base
from bridge.sync.decide import decide
from bridge.sync.plan import Action, CreateTicket, LinkBack, LinkView, Plan, SetStatus, UpdateFields, View
from bridge.sync.ticket import Side, Ticket


def sequel(agreement: Agreement, link: LinkView, plan: Plan) -> Plan | None:
    """The plan once the creation that a plan begins with is done; None when it creates nothing.

    Its status begins as nothing, because nobody knows where a tracker's workflow puts a new ticket.
    """
    made = next((action for action in plan.actions if isinstance(action, CreateTicket)), None)
    if made is None:
        return None
    side = made.side
    origin = link.view(side.other)
    assert origin.ticket is not None, "only what is there has a mirror made"
    status = {"status": ""} if agreement.field("status") is not None else {}
    ticket = Ticket(
        id="",
        key="",
        url="",
        project=agreement.scope(side).project,
        created=origin.ticket.updated,
        updated=0,
        fields={**made.shown, **status},
        marker=link.marker,
        parent=made.parent,
        relations_complete=True,
        worklogs_complete=True,
    )
    views = {
        side: View(ticket, Base(made.shown)),
        side.other: replace(origin, base=Base(made.origin_base, origin.ticket.updated, origin.base.written)),
    }
    return decide(agreement, replace(link, internal=views[Side.INTERNAL], vendor=views[Side.VENDOR]))


def foreseen(plan: Plan, side: Side) -> Plan:
    """That part of the plan after a creation on ``side`` which follows from the original alone.

    What the new ticket's tracker filled in by itself may want to cross to the original: nobody has reviewed that.
    """
    back = [
        action for action in plan.actions if action.side is side.other and not isinstance(action, LinkBack)
    ]
    fields = {name for action in back for name in _fields(action)}
    actions = [_without(action, fields) for action in plan.actions if action not in back]
    return replace(plan, actions=tuple(action for action in actions if action is not None))


def _fields(action: Action) -> frozenset[str]:
    match action:
        case UpdateFields(values=values):
            return frozenset(values)
        case SetStatus():
            return frozenset({"status"})
        case _:
            return frozenset()


def _without(action: Action, fields: set[str]) -> Action | None:
    """The action without these fields: one that is written on one side only is in agreement on neither."""
    if not fields & _fields(action):
        return action
    if not isinstance(action, UpdateFields) or _fields(action) <= fields:
        return None
    return replace(
        action,
        values={name: value for name, value in action.values.items() if name not in fields},
        settles={name: base for name, base in action.settles.items() if name not in fields},
        decisions=tuple(one for one in action.decisions if one.field not in fields),
    )
