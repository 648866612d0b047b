"""Carrying out a plan, action by action, and keeping the books of what succeeded.

One refused action does not stop the others: its complaint is kept and parks the link, the rest goes on. Writes that a
tracker cannot undo or recognise twice go through an intent: committed before the request, resolved after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bridge.daemon.run import Run
from bridge.daemon.walking import Trail, walk
from bridge.errors import Clashed, Gone, OutcomeUnknown, Refused, TrackerError
from bridge.markup import to_json
from bridge.store.rows import Intent, IntentKind
from bridge.sync.base import Base, CommentPair, PairState, encode_fields, encode_value
from bridge.sync.plan import (
    Action,
    AddComment,
    CreateTicket,
    Decision,
    DeleteComment,
    EditComment,
    Finding,
    LinkBack,
    Plan,
    SetStatus,
    UpdateFields,
    View,
)
from bridge.sync.ticket import Side, Ticket, Value
from bridge.trackers.protocol import Created, Draft, PeerLink

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Books:
    """What a run did, to be stored in one transaction.

    Attributes:
        settled: field -> (internal, vendor): the new base.
        written: side -> the tracker's time of our newest write.
        underway: side -> (before, halfway) of a walk through the workflow; see ``Base.underway``.
        journal: (event, data) in order.
        pairs: comment pairs to be stored; ``id`` 0 means a new one.
        refused: what trackers refused, in their words.
        findings: findings that came up while acting.
        writes: how many requests changed something.
        created: True when a ticket was created: the next round has more to do.
    """

    settled: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    written: dict[Side, int] = field(default_factory=dict)
    underway: dict[Side, tuple[str, str]] = field(default_factory=dict)
    journal: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    pairs: list[CommentPair] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    writes: int = 0
    created: bool = False

    def wrote(self, side: Side, at: int, event: str, data: Mapping[str, Any]) -> None:
        """Note one successful write."""
        self.written[side] = max(at, self.written.get(side, 0))
        self.journal.append((event, {"side": side.value, **data}))
        self.writes += 1


def act(run: Run, plan: Plan, books: Books) -> None:
    """Carry out the plan. The books are right at every moment, also when this raises.

    Raises:
        TrackerError: the tracker cannot be worked with now (unreachable, throttled, unknown outcome, ...).
    """
    pending = Counter(name for action in plan.actions for name in _settling(action))
    books.settled.update(plan.settled)
    books.pairs.extend(plan.pairs)
    for action in plan.actions:
        try:
            done = _carry_out(run, action, books)
        except (Refused, Gone, Clashed) as error:
            books.refused.append(_refusal(action, error))
            continue
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
            _create(run, action, books)
        case UpdateFields():
            return _update(run, action, books)
        case SetStatus():
            return _set_status(run, action, books)
        case AddComment():
            _add_comment(run, action, books)
        case EditComment():
            _edit_comment(run, action, books)
        case DeleteComment():
            _delete_comment(run, action, books)
        case LinkBack():
            _link_back(run, action, books)
    return frozenset()


def _create(run: Run, action: CreateTicket, books: Books) -> None:
    """Create, once more without the fields that the tracker complains about, if it can be told which they are."""
    values, shown = dict(action.values), dict(action.shown)
    try:
        intent, created = _create_with(run, action, values, shown)
    except Refused as error:
        blamed = error.fields.keys()
        if not blamed or not blamed <= values.keys() - {"summary", "type"}:
            raise
        # A refused create has made nothing, so another one is safe.
        for name in sorted(blamed):
            del values[name]
            shown.pop(name, None)
        intent, created = _create_with(run, action, values, shown)
        books.findings.extend(
            Finding("refused", action.side, name, f"at creation: {error.fields[name]}")
            for name in sorted(blamed)
        )
    adopt_created(run, intent, created, shown, action.origin_base)
    books.writes += 1
    books.created = True


def _create_with(
    run: Run,
    action: CreateTicket,
    values: Mapping[str, Value],
    shown: Mapping[str, Value],
) -> tuple[Intent, Created]:
    """One create request under an intent that says what the ticket will show, should the answer be lost."""
    detail = {"shown": encode_fields(shown), "origin": encode_fields(action.origin_base)}
    intent = _intend(run, IntentKind.CREATE, action.side, run.link.marker, "", detail=detail)
    draft = Draft(run.scope(action.side).project, values, run.link.marker)
    try:
        return intent, run.tracker(action.side).create(draft, run.specs(action.side))
    except OutcomeUnknown:
        _lost(run, intent)
        raise
    except TrackerError as error:
        _forgo(run, intent, error.words)
        raise


def adopt_created(
    run: Run, intent: Intent, created: Created, shown: Mapping[str, Value], origin_base: Mapping[str, Value]
) -> None:
    """Note in one transaction that the peer exists, and go on with it as it was created."""
    house, side = run.house, intent.side
    now = house.clock.now()
    origin = run.views.get(side.other)
    origin_seen = origin.ticket.updated if origin and origin.ticket else run.bases[side.other].seen
    bases = {
        side: Base(shown, 0, 0),
        side.other: Base(origin_base, origin_seen, run.bases[side.other].written),
    }
    with house.store.write() as tx:
        tx.intents.done(intent.id, created.id, now)
        tx.links.set_peer(run.link.id, side, created.id, created.key)
        for one, base in bases.items():
            tx.bases.put(run.link.id, one, base)
        data = {"side": side.value, "id": created.id, "key": created.key}
        tx.journal.add(now, run.agreement.name, run.link.id, "ticket.created", data)
        renewed = tx.links.get(run.link.id)
    assert renewed is not None
    run.link = renewed
    run.bases = bases
    ticket = created.ticket or Ticket(
        id=created.id,
        key=created.key,
        url=created.url,
        project=run.scope(side).project,
        created=created.at,
        updated=0,
        fields=dict(shown),
        comments=(),
        marker=run.link.marker,
    )
    # What we have just made needs no reading: it is as the request said, until a poll shows more.
    run.views[side] = View(ticket, bases[side], strong=True)
    known = run.views.get(side.other)
    if known is not None:
        run.views[side.other] = replace(known, base=bases[side.other])


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
        if not blamed or blamed == values.keys():
            raise
        # One field's refusal never stops the other fields.
        for name in sorted(blamed):
            books.refused.append(Finding("refused", action.side, name, error.fields[name]))
            del values[name]
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
    intent = _intend(run, IntentKind.TRANSITION, side, "", action.goal, detail={"before": before})
    trail = Trail(present)
    try:
        unreachable = walk(run, action, trail)
    except OutcomeUnknown:
        _lost(run, intent)
        raise
    except TrackerError as error:
        _forgo(run, intent, error.words)
        raise
    finally:
        if trail.passed:
            books.written[side] = max(trail.at, books.written.get(side, 0))
            books.underway[side] = (before, trail.present)
    if unreachable:
        _forgo(run, intent, "no way known")
        books.findings.append(Finding("unreachable", side, "status", unreachable))
        return frozenset()
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, action.goal, run.house.clock.now())
    data = {**action.decision.as_json(), "steps": trail.passed}
    books.wrote(side, trail.at, "status.moved", data)
    return frozenset({"status"})


def _add_comment(run: Run, action: AddComment, books: Books) -> None:
    ticket = run.link.ticket(action.side)
    assert ticket is not None
    marker = comment_marker(run, action.side, action.origin_id)
    detail = {
        "body": to_json(action.body),
        "origin_digest": action.origin_digest,
        "copy_digest": action.copy_digest,
    }
    intent = _intend(run, IntentKind.COMMENT, action.side, marker, action.origin_id, detail=detail)
    try:
        comment, at = run.tracker(action.side).add_comment(ticket, action.body, marker)
    except OutcomeUnknown:
        _lost(run, intent)
        raise
    except TrackerError as error:
        _forgo(run, intent, error.words)
        raise
    adopt_comment(run, intent, comment, action.origin_digest, action.copy_digest)
    books.written[action.side] = max(at, books.written.get(action.side, 0))
    books.writes += 1


def adopt_comment(run: Run, intent: Intent, comment: str, origin_digest: str, copy_digest: str) -> None:
    """Note in one transaction that a comment's copy exists."""
    now = run.house.clock.now()
    origin = intent.side.other
    # A comment that was taken back and crosses again has its row already.
    known = next((one for one in run.pairs if (one.origin, one.origin_id) == (origin, intent.subject)), None)
    pair = CommentPair(known.id if known else 0, origin, intent.subject, comment, origin_digest, copy_digest)
    with run.house.store.write() as tx:
        tx.intents.done(intent.id, comment, now)
        if known is None:
            pair = tx.comments.add(run.link.id, pair)
        else:
            tx.comments.update(pair)
        data = {"side": intent.side.value, "origin": intent.subject, "copy": comment}
        tx.journal.add(now, run.agreement.name, run.link.id, "comment.added", data)
    run.pairs = (*(one for one in run.pairs if one is not known), pair)


def comment_marker(run: Run, side: Side, origin_id: str) -> str:
    """The mark of a comment's copy: the link's mark, the receiving side, the original's id."""
    return f"{run.link.marker}/{side.value}/{origin_id}"


def _edit_comment(run: Run, action: EditComment, books: Books) -> None:
    ticket, pair = run.link.ticket(action.side), action.pair
    assert ticket is not None
    if action.loser:
        with run.house.store.write() as tx:
            kept = {"side": action.side.value, "copy": pair.copy_id, "loser": action.loser}
            tx.journal.add(run.house.clock.now(), run.agreement.name, run.link.id, "words.kept", kept)
    try:
        at = run.tracker(action.side).edit_comment(ticket, pair.copy_id, action.body)
    except Gone:
        books.pairs.append(replace(pair, state=PairState.COPY_DELETED))
        books.findings.append(
            Finding(
                "copy-deleted",
                action.side,
                "",
                f"the copy of a comment was deleted on the {action.side} side",
            )
        )
        return
    books.pairs.append(replace(pair, origin_digest=action.origin_digest, copy_digest=action.copy_digest))
    data: dict[str, Any] = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    if action.loser:
        data["loser"] = action.loser
    books.wrote(action.side, at, "comment.edited", data)


def _delete_comment(run: Run, action: DeleteComment, books: Books) -> None:
    ticket, pair = run.link.ticket(action.side), action.pair
    assert ticket is not None
    at = run.tracker(action.side).delete_comment(ticket, pair.copy_id)
    books.pairs.append(replace(pair, state=PairState.ORIGIN_DELETED))
    data = {"origin": pair.origin_id, "copy": pair.copy_id, "why": action.why}
    books.wrote(action.side, at, "comment.deleted", data)


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


def _intend(
    run: Run, kind: IntentKind, side: Side, marker: str, subject: str, *, detail: Mapping[str, Any]
) -> Intent:
    """Commit the note that a request is about to leave."""
    now = run.house.clock.now()
    with run.house.store.write() as tx:
        intent = tx.intents.plan(run.link.id, kind, side, marker, subject, detail, now)
        tx.intents.sent(intent.id, now)
    return intent


def _lost(run: Run, intent: Intent) -> None:
    """The answer was lost: somebody must look before this is sent again."""
    with run.house.store.write() as tx:
        tx.intents.unknown(intent.id)
    log.warning(
        "outcome_unknown",
        agreement=run.agreement.name,
        link=run.link.id,
        side=intent.side.value,
        what=intent.kind.value,
    )


def _forgo(run: Run, intent: Intent, reason: str) -> None:
    """It surely did not happen."""
    with run.house.store.write() as tx:
        tx.intents.dead(intent.id, reason, run.house.clock.now())


def _refusal(action: Action, error: TrackerError) -> Finding:
    field_name = "status" if isinstance(action, SetStatus) else ""
    return Finding("refused", action.side, field_name, f"{_doing(action)}: {error.words}")


def _doing(action: Action) -> str:
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
        case LinkBack():
            return "adding the link to the peer"
