"""Building the timeline of a link from what both trackers tell, each from its own history.

A deed stands in the history of the tracker in which it was done, at that tracker's time. What the bridge carries over
is a copy and tells nothing of its own: otherwise an outage of the bridge would move somebody's deed by a day. A change
that is held, or was refused, never happened as far as clocks go: or a vendor could stop one by closing what only the
other side may close. Once it is approved, it counts from when it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.markup import plain
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.agreement import PERSON_FIELDS, Agreement, FieldRule
from bridge.sync.base import CommentPair
from bridge.sync.holding import Hold, HoldState
from bridge.sync.mapping import NAMED_FIELDS, Carried, agree, carry, word
from bridge.sync.ticket import Comment, FieldChange, Person, Side, Ticket, Value

IGNORED_SKEW = 2_000_000
"""Microseconds by which two clocks may differ without anybody minding: an answer takes as long."""

_COUNTS = frozenset({HoldState.APPROVED, HoldState.CROSSED, HoldState.WITHDRAWN})
"""Of a held change in one of these states it is settled that it stands."""

_WAITED = frozenset(HoldState) - {HoldState.REVERTED}
"""What is undone at once waits for nobody."""


@dataclass(frozen=True, slots=True)
class Source:
    """One side as it was read.

    Attributes:
        ticket: None when there is none yet, or it cannot be seen.
        history: its field changes, oldest first; None when the tracker does not tell them.
        account: id of our own account there.
        skew: its clock's time less ours, microseconds.
        read_at: when it was asked, microseconds of our own clock.
    """

    ticket: Ticket | None
    history: Sequence[FieldChange] | None = None
    account: str = ""
    skew: int = 0
    read_at: int = 0

    def ours(self, at: int) -> int:
        """A moment of its clock as our own clock would tell it."""
        return at if abs(self.skew) < IGNORED_SKEW else at - self.skew


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a link beside its tickets.

    Attributes:
        agreement: its terms.
        origin: on which side it began.
        pairs: its comment pairs, which tell copies from originals.
        holds: all that it ever had.
        acknowledged: entries of those who acknowledged elsewhere than in a comment.
        earlier: its timeline as it was built last; what trackers have forgotten since is kept from it.
        ended: when the link was closed; None while it goes on.
    """

    agreement: Agreement
    origin: Side
    pairs: Sequence[CommentPair] = ()
    holds: Sequence[Hold] = ()
    acknowledged: Sequence[Entry] = ()
    earlier: Timeline | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a field by a tracker's own history. ``before`` and ``after`` are that side's own words."""

    at: int
    side: Side
    rule: FieldRule
    before: str
    after: str
    who: str
    account: str
    event: str
    raw_at: int
    observed: bool = False


@dataclass(slots=True)
class _Course:
    """The values of the link as time goes by."""

    values: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


def build(subject: Subject, sources: Mapping[Side, Source]) -> Timeline | None:
    """The timeline of a link; None while not even its first ticket has ever been seen.

    Args:
        subject: what is known of the link.
        sources: both sides as they were read.
    """
    first, earlier = sources[subject.origin], subject.earlier
    if first.ticket is None and earlier is None:
        return None
    born = first.ours(first.ticket.created) if first.ticket is not None else earlier.born  # type: ignore[union-attr]  # one of them is there
    rules = _rules(subject.agreement)
    changes = sorted(
        (*_changes(sources, rules), *_seen_before(subject, sources, rules)),
        key=lambda one: _place(subject, one.at, one.side, one.event),
    )
    start = _start(subject, sources, rules, changes)
    entries = [
        Entry(
            born,
            subject.origin,
            EntryKind.CREATED,
            who=_name(first.ticket.creator) if first.ticket is not None else "",
            event=f"{subject.origin}:created",
        )
    ]
    course = _course(subject, changes, start, sources)
    shown = {
        side: _observed(subject, side, source, rules, course)
        for side, source in sources.items()
        if source.history is None and source.ticket is not None
    }
    entries += course.entries
    for side, source in sources.items():
        entries += _comments(subject, side, source)
    entries += _held(subject, sources)
    entries += subject.acknowledged
    entries += _kept(subject, sources, entries)
    entries = [one for one in entries if one.at >= born]
    entries.sort(
        key=lambda one: (one.kind is not EntryKind.CREATED, *_place(subject, one.at, one.side, one.event))
    )
    certain = min((source.read_at for source in sources.values() if source.read_at), default=0)
    return Timeline(
        born, subject.origin, start, tuple(_chained(entries, start)), certain, subject.ended, shown
    )


def _rules(agreement: Agreement) -> tuple[FieldRule, ...]:
    """The fields whose changes may matter to a clock: names and people, never texts."""
    return tuple(
        rule
        for rule in agreement.fields
        if rule.values or rule.name in NAMED_FIELDS or rule.name in PERSON_FIELDS
    )


def _changes(sources: Mapping[Side, Source], rules: Sequence[FieldRule]) -> Iterator[_Change]:
    for side, source in sources.items():
        known = {rule.name_on(side): rule for rule in rules} | {rule.name: rule for rule in rules}
        for one in source.history or ():
            rule = known.get(one.field)
            if rule is not None and one.before != one.after:
                yield _Change(
                    at=source.ours(one.at),
                    side=side,
                    rule=rule,
                    before=one.before,
                    after=one.after,
                    who=_name(one.author),
                    account=one.author.id if one.author is not None else "",
                    event=one.event,
                    raw_at=one.at,
                )


def _seen_before(
    subject: Subject, sources: Mapping[Side, Source], rules: Sequence[FieldRule]
) -> Iterator[_Change]:
    """What was observed of sides that tell no history; a history that is told in its place outweighs it."""
    by_name = {rule.name: rule for rule in rules}
    for one in subject.earlier.entries if subject.earlier is not None else ():
        if one.observed and one.field in by_name and sources[one.side].history is None:
            rule = by_name[one.field]
            yield _Change(
                one.at, one.side, rule, one.before, one.after, "", "", one.event, one.at, observed=True
            )


def _place(subject: Subject, at: int, side: Side, event: str) -> tuple[int, bool, int, str]:
    """The order of entries: by time; at the same moment the side where all began comes first, then as told."""
    tail = event.rpartition("/")[2]
    return (at, side is not subject.origin, len(tail), tail)


def _start(
    subject: Subject, sources: Mapping[Side, Source], rules: Sequence[FieldRule], changes: Sequence[_Change]
) -> dict[str, str]:
    """The values at birth: what the first change of each found, else what is there now."""
    if sources[subject.origin].ticket is None:
        assert subject.earlier is not None, "build looked"
        return dict(subject.earlier.start)
    found = {}
    for rule in rules:
        side = subject.origin
        mine = [one.before for one in changes if one.side is side and one.rule is rule]
        found[rule.name] = _internal(
            subject.agreement, rule, mine[0] if mine else _shown(sources[side], rule), side
        )
    return found


def _course(
    subject: Subject, changes: Sequence[_Change], start: Mapping[str, str], sources: Mapping[Side, Source]
) -> _Course:
    """The changes that changed something for the link as a whole, and people on each side."""
    agreement, course = subject.agreement, _Course(dict(start))
    seen: dict[tuple[str, Side], list[str]] = {
        (name, subject.origin): [value] for name, value in start.items()
    }
    for one in changes:
        name, side = one.rule.name, one.side
        person = name in PERSON_FIELDS
        own = bool(one.account) and one.account == sources[side].account
        copied = own and any(
            _agrees(agreement, one.rule, value, one.after, side) for value in seen.get((name, side.other), ())
        )
        after = one.after if person or one.observed else _internal(agreement, one.rule, one.after, side)
        if not own:
            seen.setdefault((name, side), []).append(after)
        if not person:
            unchanged = _agrees(agreement, one.rule, course.values.get(name, ""), one.after, side)
            if copied or unchanged or _waits(subject, one):
                continue
            course.values[name] = after
        course.entries.append(
            Entry(
                one.at,
                side,
                EntryKind.FIELD,
                field=name,
                before=one.before if person else "",
                after=after,
                who=one.who,
                event=one.event if one.observed else f"{side}:history/{one.event}",
                observed=one.observed,
            )
        )
    return course


def _waits(subject: Subject, change: _Change) -> bool:
    """Whether a change is held or was refused."""
    for hold in subject.holds:
        if hold.side is not change.side or hold.field != change.rule.name or hold.state in _COUNTS:
            continue
        if hold.event and hold.event == change.event:
            return True
        open_still = hold.closed_at is None and hold.state is not HoldState.REVERTED
        if open_still and change.raw_at >= hold.since:
            return True
    return False


def _comments(subject: Subject, side: Side, source: Source) -> Iterator[Entry]:
    if source.ticket is None:
        return
    copies = {pair.copy_id for pair in subject.pairs if pair.origin is side.other}
    for one in source.ticket.comments:
        if one.id in copies or one.marker:
            continue
        made = Entry(
            source.ours(one.created),
            side,
            EntryKind.COMMENT,
            who=_name(one.author),
            event=f"{side}:comment/{one.id}",
            public=not one.private,
        )
        yield made
        if _acknowledges(one):
            yield replace(made, kind=EntryKind.ACKNOWLEDGED)


def _acknowledges(comment: Comment) -> bool:
    """Whether somebody acknowledges by a comment: ``#ack``, or a line that says no more than ``acknowledged``."""
    lines = [line.strip(" .!").casefold() for line in plain(comment.body).splitlines()]
    return any(line == "acknowledged" or "#ack" in line.split() for line in lines)


def _held(subject: Subject, sources: Mapping[Side, Source]) -> Iterator[Entry]:
    for hold in subject.holds:
        if hold.state not in _WAITED:
            continue
        begun = Entry(
            sources[hold.side].ours(hold.since),
            hold.side,
            EntryKind.HELD,
            field=hold.field,
            who=_name(hold.actor),
            event=f"bridge:hold/{hold.id}",
        )
        yield begun
        over = min((at for at in (hold.decided_at, hold.closed_at or 0) if at), default=0)
        if over:
            yield replace(begun, at=max(over, begun.at), kind=EntryKind.RELEASED, who=hold.decided_by)


def _kept(subject: Subject, sources: Mapping[Side, Source], entries: Sequence[Entry]) -> Iterator[Entry]:
    """What was there once and is not told any more: comments that were deleted, tickets that cannot be seen."""
    if subject.earlier is None:
        return
    told = {(one.kind, one.event) for one in entries}
    for one in subject.earlier.entries:
        unseen = sources[one.side].ticket is None and one.kind is EntryKind.FIELD
        spoken = one.kind in {EntryKind.COMMENT, EntryKind.ACKNOWLEDGED} and one.event.startswith(one.side)
        if (unseen or spoken) and not one.observed and (one.kind, one.event) not in told:
            yield one


def _observed(
    subject: Subject, side: Side, source: Source, rules: Sequence[FieldRule], course: _Course
) -> dict[str, str]:
    """Add what a side shows that no history of its own tells; returns what it shows.

    Only what is another value than at the last look, and not a copy of what the other side has, is a deed of this side.
    """
    agreement, earlier = subject.agreement, subject.earlier
    before = {} if earlier is None else earlier.shown.get(side, {})
    now = {}
    for rule in rules:
        person = rule.name in PERSON_FIELDS
        shown = _shown(source, rule)
        now[rule.name] = after = shown if person else _internal(agreement, rule, shown, side)
        copied = not person and _agrees(agreement, rule, course.values.get(rule.name, ""), shown, side)
        if after != before.get(rule.name, after) and not copied:
            event = f"{side}:observed/{source.read_at}"
            course.entries.append(
                Entry(
                    source.read_at, side, EntryKind.FIELD, rule.name, after=after, event=event, observed=True
                )
            )
            if not person:
                course.values[rule.name] = after
    return now


def _chained(entries: Iterable[Entry], start: Mapping[str, str]) -> Iterator[Entry]:
    """The entries, each with the value before it."""
    values = dict(start)
    for one in entries:
        if one.kind is not EntryKind.FIELD or one.field in PERSON_FIELDS:
            yield one
            continue
        yield replace(one, before=values.get(one.field, ""))
        values[one.field] = one.after


def _internal(agreement: Agreement, rule: FieldRule, value: str, side: Side) -> str:
    """A value in the internal side's words; as it is where it has no pair there."""
    if side is Side.INTERNAL or not value or rule.name in PERSON_FIELDS:
        return value
    carried = carry(agreement, rule, value, Side.INTERNAL)
    shown = carried.shown if isinstance(carried, Carried) else value
    return word(shown) if isinstance(shown, str | float | bool) else value


def _agrees(agreement: Agreement, rule: FieldRule, internal: str, shown: str, side: Side) -> bool:
    """Whether what a side shows is the same to the agreement as a value in the internal side's words."""
    if side is Side.INTERNAL:
        return internal == shown
    return internal == _internal(agreement, rule, shown, side) or agree(agreement, rule, internal, shown)


def _shown(source: Source, rule: FieldRule) -> str:
    """What a side's ticket shows in a field, as its history would print it."""
    value: Value = source.ticket.fields.get(rule.name) if source.ticket is not None else None
    if isinstance(value, Person):
        return _name(value)
    return word(value) if isinstance(value, str | float | bool) else ""


def _name(person: Person | None) -> str:
    return "" if person is None else person.name or person.id
