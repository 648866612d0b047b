"""What an action is, in words for people: in what ``bridge plan`` shows, and beside the fingerprints of a file."""

from __future__ import annotations

from collections.abc import Callable

from bridge.sync.agreement import Agreement
from bridge.sync.attachments import megabytes
from bridge.sync.holding import Hold
from bridge.sync.mapping import show, show_change
from bridge.sync.merge import told
from bridge.sync.plan import (
    TAKEN_BACK,
    Action,
    AddAttachment,
    AddComment,
    AddRelation,
    AddWorklog,
    CreateTicket,
    Decision,
    DeleteAttachment,
    DeleteComment,
    DeleteWorklog,
    EditComment,
    EditWorklog,
    LinkBack,
    RemoveRelation,
    SetParent,
    SetStatus,
    SpillText,
    UpdateFields,
    WriteNote,
)
from bridge.sync.ticket import Value

Tell = Callable[[str, Value], str]
"""Canonical name of a field, and a value of it -> the value for people."""


def openly(_name: str, value: Value) -> str:
    """A value as it is shown to whoever may see the ticket."""
    return show(value)


def discreetly(agreement: Agreement) -> Tell:
    """Values as a file may keep them: names and dates, but nothing that could be somebody's words."""

    def tell(name: str, value: Value) -> str:
        rule = agreement.field(name)
        return show(value) if rule is None else told(rule, value)

    return tell


def describe(action: Action, tell: Tell = openly) -> str:  # noqa: C901, PLR0911, PLR0912 - one return for each action
    """An action in words, without the words of the ticket's texts."""
    match action:
        case CreateTicket(values=values):
            shown = {name: "(text)" if name == "summary" else tell(name, one) for name, one in values.items()}
            return f"create a ticket ({', '.join(f'{name}: {one}' for name, one in sorted(shown.items()))})"
        case UpdateFields(decisions=decisions):
            return "; ".join(f"{one.field}: {_change(one, tell)} ({one.why})" for one in decisions)
        case SetStatus(goal=goal, decision=decision):
            # Of a ticket that is still to be created nobody knows how it begins.
            begun = (
                f"{show(decision.before)} -> {goal}" if decision.before else f"{goal}, if it begins elsewhere"
            )
            return f"status: {begun} ({decision.why})"
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


def describe_hold(hold: Hold, tell: Tell = openly) -> str:
    """A hold in words: what waits, on which side it was changed, and who decides."""
    change = f"{tell(hold.field, hold.before)} -> {tell(hold.field, hold.value)}"
    who = f", {hold.approver} decides" if hold.approver and hold.state.live else ""
    return f"{hold.field} ({hold.side}): {change}: {hold.kind}, {hold.state}{who}"


def _change(decision: Decision, tell: Tell) -> str:
    before, after = decision.before, decision.after
    if isinstance(before, frozenset) or isinstance(after, frozenset):
        return show_change(before, after)
    return f"{tell(decision.field, before)} -> {tell(decision.field, after)}"


def _describe_file(action: AddAttachment | SpillText | DeleteAttachment) -> str:
    match action:
        case AddAttachment(file=file):
            return f"attach a file ({megabytes(file.size)}, the other side's {file.id})"
        case SpillText(name=name):
            return f"attach the whole of a long text ({name})"
        case DeleteAttachment(pair=pair, why=why):
            return f"take back file {pair.copy_id} (the original was {why})"
