"""Carrying out a plan, action by action, and keeping the books of what succeeded.

One refused action does not stop the others: its complaint is kept and parks the link, the rest goes on. Creating,
commenting and attaching have files of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bridge.daemon.attaching import move_file
from bridge.daemon.books import Books, refused_field
from bridge.daemon.commenting import add_comment, delete_comment, edit_comment
from bridge.daemon.creating import create
from bridge.daemon.hold_notes import write_note
from bridge.daemon.intending import forgo, intend, lost
from bridge.daemon.redacting import note_redactions, redacted_in
from bridge.daemon.relating import relate
from bridge.daemon.run import Run
from bridge.daemon.timekeeping import keep_time
from bridge.daemon.walking import Trail, walk
from bridge.errors import Clashed, Gone, OutcomeUnknown, Refused, TrackerError
from bridge.store.rows import IntentKind
from bridge.sync.agreement import PERSON_FIELDS
from bridge.sync.base import CommentPair, PairState, encode_value
from bridge.sync.plan import (
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
    Finding,
    LinkBack,
    Plan,
    RemoveRelation,
    SetParent,
    SetStatus,
    SpillText,
    UpdateFields,
    WriteNote,
)
from bridge.sync.ticket import Value
from bridge.trackers.protocol import PeerLink

INTENDED = (CreateTicket, SetStatus, AddComment, AddAttachment, SpillText, WriteNote, AddWorklog)
"""Actions under an intent: what became of one whose answer was lost is recorded with that."""

WHAT: Mapping[type[Action], str] = {
    CreateTicket: IntentKind.CREATE.value,
    UpdateFields: "update",
    SetStatus: IntentKind.TRANSITION.value,
    AddComment: IntentKind.COMMENT.value,
    EditComment: "comment-edit",
    DeleteComment: "comment-delete",
    AddAttachment: IntentKind.ATTACH.value,
    SpillText: IntentKind.ATTACH.value,
    DeleteAttachment: "attach-delete",
    LinkBack: "link-back",
    WriteNote: "note",
    SetParent: "parent",
    AddRelation: "relation",
    RemoveRelation: "relation-delete",
    AddWorklog: IntentKind.WORKLOG.value,
    EditWorklog: "worklog-edit",
    DeleteWorklog: "worklog-delete",
}
"""What the journal calls each action's request."""


def act(run: Run, plan: Plan, books: Books) -> None:
    """Carry out the plan. The books are right at every moment, also when this raises.

    Raises:
        TrackerError: the tracker cannot be worked with now (unreachable, throttled, unknown outcome, ...).
    """
    pending = Counter(name for action in plan.actions for name in _settling(action))
    books.settled.update(plan.settled)
    books.pairs.extend(plan.pairs)
    books.parts.extend(plan.parts)
    books.deferred = plan.deferred
    books.holds.update({hold.field: hold for hold in plan.holds})
    books.look_by(plan.again)
    books.waits |= plan.waits
    for action in plan.actions:
        try:
            done = _carry_out(run, action, books)
            note_redactions(run, action.side, redacted_in(run, action), books)
        except (Refused, Gone, Clashed) as error:
            books.turned_down(action.side, WHAT[type(action)], error)
            books.refused.append(_refusal(action, error))
            continue
        except OutcomeUnknown:
            if not isinstance(action, INTENDED):
                books.left_open(action.side, WHAT[type(action)])
            raise
        except TrackerError as error:
            books.turned_down(action.side, WHAT[type(action)], error)
            raise
        for name, base in _settling(action).items():
            pending[name] -= name in done
            if pending[name] == 0:
                books.settled[name] = base


def _settling(action: Action) -> Mapping[str, tuple[Value, Value]]:
    match action:
        case UpdateFields(settles=settles):
            return settles
        case SetStatus(settles=base):
            return {"status": base}
        case _:
            return {}


def _carry_out(run: Run, action: Action, books: Books) -> frozenset[str]:
    """Do one action; returns the fields that it brought into agreement."""
    side = action.side
    if not isinstance(action, CreateTicket | LinkBack):
        # What polls saw of this ticket is about to be out of date. (A link to the peer changes nothing we compare.)
        run.house.sightings.forget(run.scope(side).tracker, run.link.ticket(side) or "")
    match action:
        case CreateTicket():
            create(run, action, books)
        case UpdateFields():
            return _update(run, action, books)
        case SetStatus():
            return _set_status(run, action, books)
        case AddComment():
            add_comment(run, action, books)
        case EditComment():
            edit_comment(run, action, books)
        case DeleteComment():
            delete_comment(run, action, books)
        case AddAttachment() | SpillText() | DeleteAttachment():
            move_file(run, action, books)
        case LinkBack():
            _link_back(run, action, books)
        case WriteNote():
            write_note(run, action, books)
        case SetParent() | AddRelation() | RemoveRelation():
            relate(run, action, books)
        case AddWorklog() | EditWorklog() | DeleteWorklog():
            keep_time(run, action, books)
    return frozenset()


def _update(run: Run, action: UpdateFields, books: Books) -> frozenset[str]:
    ticket = run.link.ticket(action.side)
    assert ticket is not None
    tracker, specs = run.tracker(action.side), run.specs(action.side)
    values = dict(action.values)
    seen = run.read(action.side).ticket
    labels = seen.fields.get("labels") if seen else None
    was = labels if isinstance(labels, frozenset) else None
    _keep(run, [decision for decision in action.decisions if decision.loser is not None])
    try:
        at = tracker.update(ticket, values, specs, was=was)
    except Refused as error:
        blamed = frozenset(error.fields) & values.keys()
        persons = blamed & PERSON_FIELDS
        if not blamed or (blamed == values.keys() and not persons):
            raise
        books.turned_down(action.side, "update", error)
        # One field's refusal never stops the other fields.
        for name in sorted(blamed):
            unable = name in persons and values[name] is not None
            told = books.findings if unable else books.refused
            told.append(refused_field(action.side, name, values[name], error.fields[name]))
            del values[name]
        if not values:
            return frozenset()
        at = tracker.update(ticket, values, specs, was=was)
    for decision in action.decisions:
        if decision.field in values:
            books.wrote(action.side, at, "field.written", decision.as_json())
    books.writes -= len(values) - 1
    return frozenset(values)


def _set_status(run: Run, action: SetStatus, books: Books) -> frozenset[str]:
    side, view = action.side, run.read(action.side)
    assert view.ticket is not None
    present, underway = str(view.ticket.fields["status"]), view.base.underway
    # A walk that is taken up again began where the first part of it did.
    before = underway[0] if underway is not None and underway[1] == present else present
    _keep(run, [action.decision] if action.decision.loser is not None else [])
    intent = intend(run, IntentKind.TRANSITION, side, "", action.goal, detail={"before": before})
    trail = Trail(present)
    try:
        unreachable = walk(run, action, trail)
    except OutcomeUnknown:
        lost(run, intent)
        raise
    except TrackerError as error:
        forgo(run, intent, error.words)
        raise
    finally:
        for refusal in trail.refused:
            books.turned_down(side, IntentKind.TRANSITION.value, refusal)
        if trail.passed and trail.present != action.goal:
            # Steps that were taken, though the walk is not at its end.
            books.journal.append(("status.passed", {"side": side.value, "steps": trail.passed}))
        if trail.passed:
            books.written[side] = max(trail.at, books.written.get(side, 0))
            books.underway[side] = (before, trail.present)
    if unreachable:
        forgo(run, intent, "no way known")
        books.findings.append(Finding("unreachable", side, "status", unreachable))
        return frozenset()
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, action.goal, run.house.clock.now())
    data = {**action.decision.as_json(), "steps": trail.passed}
    books.wrote(side, trail.at, "status.moved", data)
    return frozenset({"status"})


def _link_back(run: Run, action: LinkBack, books: Books) -> None:
    ticket, peer = run.link.ticket(action.side), run.read(action.side.other).ticket
    assert ticket is not None
    assert peer is not None
    company = run.scope(action.side.other).company
    link = PeerLink(peer.url, f"{peer.key} ({company})", run.link.marker)
    note = run.tracker(action.side).link_back(ticket, link)
    if note:
        pair = CommentPair(0, action.side.other, "", note, state=PairState.NOTE)
        if all((known.origin, known.copy_id) != (pair.origin, note) for known in run.pairs):
            books.pairs.append(pair)
    with run.house.store.write() as tx:
        tx.links.mark_linked(run.link.id, action.side)
    books.journal.append(("link.shown", {"side": action.side.value, "peer": peer.key}))
    books.writes += 1


def _keep(run: Run, giving_way: Sequence[Decision]) -> None:
    """Values that are about to give way are in the journal, on the disk, before they are written over."""
    if not giving_way:
        return
    now = run.house.clock.now()
    with run.house.store.write() as tx:
        for decision in giving_way:
            assert decision.loser is not None
            side, value = decision.loser
            kept = {"field": decision.field, "side": side.value, "value": encode_value(value)}
            tx.journal.add(now, run.agreement.name, run.link.id, "value.kept", kept)


def _refusal(action: Action, error: TrackerError) -> Finding:
    field_name = "status" if isinstance(action, SetStatus) else ""
    return Finding("refused", action.side, field_name, f"{_doing(action)}: {error.words}")


def _doing(action: Action) -> str:  # noqa: C901, PLR0911, PLR0912 - one return for each action
    match action:
        case CreateTicket():
            return "creating the ticket"
        case UpdateFields(values=values):
            return f"setting {', '.join(sorted(values))}"
        case SetStatus(goal=goal):
            return f"moving to '{goal}'"
        case AddComment():
            return "adding a comment"
        case EditComment():
            return "changing a comment"
        case DeleteComment():
            return "deleting a comment"
        case AddAttachment() | SpillText() | DeleteAttachment():
            return "moving a file"
        case LinkBack():
            return "adding the link to the peer"
        case WriteNote():
            return "telling what is held"
        case SetParent():
            return "setting the parent"
        case AddRelation(kind=kind):
            return f"adding a link ({kind})"
        case RemoveRelation(relation=relation):
            return f"removing a link ({relation.kind})"
        case AddWorklog():
            return "booking time"
        case EditWorklog():
            return "changing booked time"
        case DeleteWorklog():
            return "deleting booked time"
