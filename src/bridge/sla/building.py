"""Building the timeline of a link from what both trackers tell, each from its own history.

A deed stands in the history of the tracker in which it was done, at that tracker's time; which changes are deeds is
told by ``deeds``. What a tracker does not tell, or has forgotten since, is kept as it was known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.markup import plain
from bridge.sla.deeds import IGNORED_SKEW, SLACK, Birth, Change, Course, Tracked, internal_word, told
from bridge.sla.timeline import Entry, EntryKind, Timeline
from bridge.sync.agreement import PERSON_FIELDS, SET_FIELDS, TEXT_FIELDS, Agreement, FieldRule
from bridge.sync.base import CommentPair, PairState
from bridge.sync.holding import Hold, HoldState
from bridge.sync.mapping import NAMED_FIELDS, agree
from bridge.sync.privacy import inherited
from bridge.sync.ticket import SECOND, Comment, FieldChange, Person, Side, Ticket

_SILENT = TEXT_FIELDS | SET_FIELDS | {"summary"}
"""Fields that say nothing to a clock, and may hold somebody's words."""


@dataclass(frozen=True, slots=True)
class Source:
    """One side as it was read.

    Attributes:
        ticket: None when there is none yet, or it cannot be seen.
        history: its field changes, oldest first; None when the tracker does not tell them.
        account: id of our own account there; "" when it is not known.
        skew: its clock's time less ours, microseconds.
        read_at: when it was asked, microseconds of our own clock; 0 when there was nothing to ask for.
    """

    ticket: Ticket | None
    history: Sequence[FieldChange] | None = None
    account: str = ""
    skew: int = 0
    read_at: int = 0

    def ours(self, at: int) -> int:
        """A moment of its clock as our own clock would tell it."""
        return at if abs(self.skew) < IGNORED_SKEW else at - self.skew

    def certain(self) -> int:
        """Until when it has told everything: a change made later may still get a time from before, in whole seconds."""
        return min(self.read_at, self.ours(self.read_at + self.skew)) // SECOND * SECOND


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a link beside its tickets.

    Attributes:
        agreement: its terms.
        origin: on which side it was found.
        marker: the mark that a mirror which the bridge made carries; "" for none.
        fields: canonical names of fields that the clocks ask for, beside those whose values are names.
        pairs: its comment pairs, which tell copies from originals.
        holds: all that it ever had.
        acknowledged: entries of those who acknowledged elsewhere than in a comment.
        earlier: its timeline as it was built last; what trackers have forgotten since is kept from it.
        ended: when the link was closed; None while it goes on.
    """

    agreement: Agreement
    origin: Side
    marker: str = ""
    fields: frozenset[str] = frozenset()
    pairs: Sequence[CommentPair] = ()
    holds: Sequence[Hold] = ()
    acknowledged: Sequence[Entry] = ()
    earlier: Timeline | None = None
    ended: int | None = None


def build(subject: Subject, sources: Mapping[Side, Source]) -> Timeline | None:
    """The timeline of a link; None while not even its first ticket has ever been seen.

    Args:
        subject: what is known of the link.
        sources: both sides as they were read.
    """
    origin = _origin(subject, sources)
    if origin is None:
        return None
    return _Building(subject, sources, origin).timeline()


def _origin(subject: Subject, sources: Mapping[Side, Source]) -> Side | None:
    """Where the first ticket of the link stands: of two that were linked by hand, the older one."""
    first, earlier = sources[subject.origin].ticket, subject.earlier
    if earlier is not None and (first is None or sources[earlier.origin].ticket is None):
        return earlier.origin
    if first is None:
        return None
    other = sources[subject.origin.other].ticket
    if other is None or (subject.marker and other.marker == subject.marker):
        return subject.origin
    ours = {side: source.ours(source.ticket.created) for side, source in sources.items() if source.ticket}
    return subject.origin if ours[subject.origin] <= ours[subject.origin.other] else subject.origin.other


class _Building:
    """One timeline in the making."""

    def __init__(self, subject: Subject, sources: Mapping[Side, Source], origin: Side) -> None:
        self._subject, self._sources, self._origin = subject, sources, origin
        self._agreement, self._earlier = subject.agreement, subject.earlier
        self._tracked = _tracked(subject, sources)
        self._names = _people(sources)

    def timeline(self) -> Timeline:
        """The timeline."""
        first = self._sources[self._origin]
        earlier = self._earlier
        if first.ticket is not None:
            created = Entry(
                first.ours(first.ticket.created),
                self._origin,
                EntryKind.CREATED,
                who=_name(first.ticket.creator),
                event=f"{self._origin}:created",
            )
        else:
            assert earlier is not None, "build looked"
            created = earlier.entries[0]
        born = created.at
        courses = [self._course(one) for one in self._tracked]
        start = self._start(courses)
        entries = [created, *self._fields(courses, start), *self._mirrored(courses)]
        for side, source in self._sources.items():
            entries += self._comments(side, source)
        entries += self._held()
        entries += self._subject.acknowledged
        entries += self._forgotten(entries)
        # A tracker in whole seconds, or a clock a little late, tells of deeds before the birth.
        entries = [one if one.at >= born else replace(one, at=born) for one in entries]
        entries.sort(
            key=lambda one: (one.kind is not EntryKind.CREATED, *self._place(one.at, one.side, one.event))
        )
        certain = [source.certain() for source in self._sources.values() if source.read_at]
        if not certain and earlier is not None:
            certain = [earlier.certain_until]
        shown: dict[Side, Mapping[str, str]] = {
            side: {
                one.rule.name: self._value(one, told(source.ticket.fields.get(one.rule.name)), side)
                for one in self._tracked
                if side in one.sides
            }
            for side, source in self._sources.items()
            if source.ticket is not None
        }
        if earlier is not None:
            shown = {**earlier.shown, **shown}
        return Timeline(
            born=born,
            origin=self._origin,
            start=start,
            entries=tuple(self._chained(entries, start)),
            certain_until=min(certain, default=0),
            ended=self._subject.ended,
            shown=shown,
        )

    # --- fields --------------------------------------------------------------------------------------------------

    def _course(self, tracked: Tracked) -> Course:
        """All that is known of one field on both sides."""
        lanes: dict[Side, list[Change]] = {}
        births: dict[Side, Birth] = {}
        for side, source in self._sources.items():
            if side not in tracked.sides:
                lanes[side] = []
                continue
            lanes[side] = lane = [*self._history(tracked, side), *self._known(tracked, side)]
            lane += self._observed(tracked, side, lane)
            lane.sort(key=lambda one: self._place(one.at, one.side, one.event))
            if source.ticket is not None:
                raw = lane[0].before if lane else told(source.ticket.fields.get(tracked.rule.name))
                value = raw if lane and lane[0].settled else self._value(tracked, raw, side)
                births[side] = Birth(source.ours(source.ticket.created), raw, value)
        return Course(self._agreement, tracked, births, lanes)

    def _history(self, tracked: Tracked, side: Side) -> Iterator[Change]:
        source = self._sources[side]
        names = {tracked.rule.name, tracked.rule.name_on(side)}
        for one in source.history or ():
            if one.field not in names or one.before == one.after:
                continue
            yield Change(
                at=source.ours(one.at),
                side=side,
                tracked=tracked,
                before=self._called(tracked, one.before),
                after=self._called(tracked, one.after),
                value=self._value(tracked, one.after, side),
                who=_name(one.author),
                own=one.author is not None and bool(source.account) and one.author.id == source.account,
                event=f"{side}:history/{one.event}",
                number=one.event,
                raw_at=one.at,
            )

    def _known(self, tracked: Tracked, side: Side) -> Iterator[Change]:
        """What the last timeline knows and the tracker does not tell: it tells no history (now), or not of this."""
        history = self._sources[side].history
        names = {tracked.rule.name, tracked.rule.name_on(side)}
        for one in self._earlier.entries if self._earlier is not None else ():
            if one.kind is not EntryKind.FIELD or one.side is not side or one.field != tracked.rule.name:
                continue
            again = one.event.endswith(":created") and self._sources[side].ticket is not None
            if again or (history is not None and not one.observed):
                continue
            if any(
                change.field in names
                and self._value(tracked, change.after, side) == one.after
                and self._sources[side].ours(change.at) <= one.at + SLACK
                for change in history or ()
            ):
                continue  # the tracker tells of it itself by now
            yield Change(
                at=one.at,
                side=side,
                tracked=tracked,
                before=one.before,
                after="",
                value=one.after,
                who=one.who,
                own=False,
                event=one.event,
                raw_at=one.at,
                observed=one.observed,
                settled=True,
            )

    def _observed(self, tracked: Tracked, side: Side, lane: Sequence[Change]) -> Iterator[Change]:
        """A change since the last look which no history tells: seen, so it was made by then."""
        source, earlier = self._sources[side], self._earlier
        if source.ticket is None or earlier is None:
            return
        raw = told(source.ticket.fields.get(tracked.rule.name))
        now, before = self._value(tracked, raw, side), earlier.shown.get(side, {}).get(tracked.rule.name)
        recent = any(one.at >= earlier.certain_until - SLACK for one in lane if not one.settled)
        if before is None or before == now or recent or any(one.value == now for one in lane[-1:]):
            return
        yield Change(
            at=source.read_at,
            side=side,
            tracked=tracked,
            before=before,
            after=self._called(tracked, raw),
            value=now,
            who="",
            own=False,
            event=f"{side}:observed/{source.read_at}",
            raw_at=source.read_at,
            observed=True,
        )

    def _start(self, courses: Sequence[Course]) -> dict[str, str]:
        """The values at birth: what the first change found, else what is there now."""
        if self._sources[self._origin].ticket is None:
            assert self._earlier is not None, "build looked"
            return dict(self._earlier.start)
        found: dict[str, str] = {}
        for course in courses:
            birth = course.births.get(self._origin)
            shown = self._shows(self._origin, course.tracked.rule)
            if birth is None or (not shown and not course.tracked.personal and not birth.value):
                # A field that its tracker does not have begins with what the mirror had.
                birth = None if course.tracked.personal else course.births.get(self._origin.other, birth)
            found[course.tracked.rule.name] = birth.value if birth is not None else ""
        return found

    def _shows(self, side: Side, rule: FieldRule) -> bool:
        ticket = self._sources[side].ticket
        return ticket is not None and rule.name in ticket.fields

    def _fields(self, courses: Sequence[Course], start: Mapping[str, str]) -> Iterator[Entry]:
        """The deeds that changed something for the link as a whole, and the people on each side."""
        counting = {one for course in courses for one in course.counting(self._subject.holds)}
        values = dict(start)
        for one in sorted(counting, key=lambda one: self._place(one.at, one.side, one.event)):
            tracked, name = one.tracked, one.tracked.rule.name
            if not tracked.personal:
                if self._same(tracked.rule, values.get(name, ""), one):
                    continue
                values[name] = one.value
            yield Entry(
                one.at,
                one.side,
                EntryKind.FIELD,
                field=name,
                before=one.before if tracked.personal else "",
                after=one.value,
                who=one.who,
                event=one.event,
                observed=one.observed,
            )

    def _same(self, rule: FieldRule, present: str, one: Change) -> bool:
        """Whether a change makes no difference to the link, whose value is told in the internal side's words."""
        if present == one.value:
            return True
        # Several internal statuses may be one to the vendor: Done is no news of what is Closed.
        return (
            one.side is Side.VENDOR
            and bool(one.after)
            and agree(self._agreement, rule, present or None, one.after)
        )

    def _mirrored(self, courses: Sequence[Course]) -> Iterator[Entry]:
        """People whom the second ticket named from its beginning."""
        side = self._origin.other
        for course in courses:
            birth = course.births.get(side)
            if course.tracked.personal and birth is not None and birth.value:
                yield Entry(
                    birth.at,
                    side,
                    EntryKind.FIELD,
                    field=course.tracked.rule.name,
                    after=birth.value,
                    event=f"{side}:created",
                )

    def _chained(self, entries: Iterable[Entry], start: Mapping[str, str]) -> Iterator[Entry]:
        """The entries, each with the value before it."""
        values = dict(start)
        personal = {one.rule.name for one in self._tracked if one.personal}
        for one in entries:
            if one.kind is not EntryKind.FIELD or one.field in personal:
                yield one
                continue
            yield replace(one, before=values.get(one.field, ""))
            values[one.field] = one.after

    def _value(self, tracked: Tracked, raw: str, side: Side) -> str:
        return (
            self._called(tracked, raw)
            if tracked.personal
            else internal_word(self._agreement, tracked.rule, raw, side)
        )

    def _called(self, tracked: Tracked, raw: str) -> str:
        """A person by the name that people know, where a history tells a login."""
        return self._names.get(raw, raw) if tracked.personal else raw

    def _place(self, at: int, side: Side, event: str) -> tuple[int, bool, int, str]:
        """The order: by time; at the same moment the side where all began comes first, then as its tracker counts."""
        tail = event.rpartition("/")[2]
        return (at, side is not self._origin, len(tail), tail)

    # --- the rest ------------------------------------------------------------------------------------------------

    def _comments(self, side: Side, source: Source) -> Iterator[Entry]:
        if source.ticket is None:
            return
        pairs = self._subject.pairs
        copies = {pair.copy_id for pair in pairs if pair.origin is side.other}
        staying = {
            pair.origin_id for pair in pairs if pair.origin is side and pair.state is PairState.SKIPPED
        }
        crosses = side in self._agreement.comments.cross
        for one in inherited(source.ticket.comments):
            if one.id in copies or one.marker:
                continue
            made = Entry(
                source.ours(one.created),
                side,
                EntryKind.COMMENT,
                who=_name(one.author),
                event=f"{side}:comment/{one.id}",
                public=crosses and not one.private and one.id not in staying,
            )
            yield made
            if _acknowledges(one):
                yield replace(made, kind=EntryKind.ACKNOWLEDGED)

    def _held(self) -> Iterator[Entry]:
        for hold in self._subject.holds:
            if hold.state is HoldState.REVERTED:
                continue  # what is undone at once waits for nobody
            since = self._sources[hold.side].ours(hold.since) if hold.event else hold.since
            begun = Entry(
                since,
                hold.side,
                EntryKind.HELD,
                field=hold.field,
                who=_name(hold.actor),
                event=f"bridge:hold/{hold.id}",
            )
            yield begun
            over = min((at for at in (hold.decided_at, hold.closed_at or 0) if at), default=0)
            if over:
                yield replace(begun, at=max(over, since), kind=EntryKind.RELEASED, who=hold.decided_by)

    def _forgotten(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """Comments that were deleted, or whose ticket cannot be seen any more: they were made all the same."""
        if self._earlier is None:
            return
        known = {(one.kind, one.event) for one in entries}
        copies = {
            f"{pair.origin.other}:comment/{pair.copy_id}" for pair in self._subject.pairs if pair.copy_id
        }
        for one in self._earlier.entries:
            if one.kind not in {EntryKind.COMMENT, EntryKind.ACKNOWLEDGED} or ":comment/" not in one.event:
                continue
            if (one.kind, one.event) in known or one.event in copies:
                continue
            if one.kind is EntryKind.COMMENT or (EntryKind.COMMENT, one.event) not in known:
                yield one  # an acknowledgement that was taken out of a comment is none any more


def _tracked(subject: Subject, sources: Mapping[Side, Source]) -> tuple[Tracked, ...]:
    """The fields whose changes may matter to a clock: names and people, never texts."""
    agreement = subject.agreement
    found: dict[str, Tracked] = {}
    accountable: dict[str, set[Side]] = {}
    for role in agreement.roles:
        if role.side is not None and role.field:
            accountable.setdefault(role.field, set()).add(role.side)
    for rule in agreement.fields:
        if rule.name in _SILENT:
            continue
        if (
            rule.values
            or rule.name in NAMED_FIELDS | PERSON_FIELDS | subject.fields
            or rule.name in accountable
        ):
            tickets = [source.ticket for source in sources.values() if source.ticket is not None]
            person = any(isinstance(one.fields.get(rule.name), Person) for one in tickets)
            found[rule.name] = Tracked(
                rule, personal=person or rule.name in PERSON_FIELDS | accountable.keys()
            )
    for name in PERSON_FIELDS - found.keys():
        found[name] = Tracked(FieldRule(name), personal=True)
    for name, sides in accountable.items():
        if name not in found:
            found[name] = Tracked(FieldRule(name), personal=True, sides=frozenset(sides))
    return tuple(found.values())


def _people(sources: Mapping[Side, Source]) -> dict[str, str]:
    """How people are called of whom a tracker told more than a login."""
    seen: list[Person | None] = []
    for source in sources.values():
        seen += [one.author for one in source.history or ()]
        if source.ticket is not None:
            values = source.ticket.fields.values()
            seen += [source.ticket.creator, *(one for one in values if isinstance(one, Person))]
            seen += [comment.author for comment in source.ticket.comments]
    return {
        handle: one.name
        for one in seen
        if one is not None and one.name
        for handle in (one.id, *one.handles)
        if handle
    }


def _acknowledges(comment: Comment) -> bool:
    """Whether somebody acknowledges by a comment: ``#ack``, or a line that says no more than ``acknowledged``."""
    if comment.author is None:
        return False
    lines = [line.strip(" .!").casefold() for line in plain(comment.body).splitlines()]
    return any(line == "acknowledged" or "#ack" in line.split() for line in lines)


def _name(person: Person | None) -> str:
    return "" if person is None else person.name or person.id
