"""One agreement: its two sides, its people, its comments; what stands here becomes a ``sync.Agreement``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.clock import SECOND
from bridge.config.boundary_checks import settle_classified, settle_redaction
from bridge.config.field_checks import settle_fields
from bridge.config.findings import did_you_mean
from bridge.config.grant_checks import check_deciders
from bridge.config.kinds import TEXT_LIMIT, Kind
from bridge.config.mode_checks import settle_pilot
from bridge.config.role_checks import settle_holds, settle_roles
from bridge.config.shape import AgreementShape, AttachmentShape, AuditShape, DeletedShape, ScopeShape
from bridge.config.source import Source
from bridge.sync.agreement import (
    Agreement,
    AttachmentRule,
    CommentRule,
    DeletedRule,
    LinkRule,
    Privacy,
    RelationRule,
    Scope,
    WorklogRule,
)
from bridge.sync.brakes import BrakeRule
from bridge.sync.ticket import Side

_CREATE_ON = {
    "both": frozenset(Side),
    "to-vendor": frozenset({Side.VENDOR}),
    "to-internal": frozenset({Side.INTERNAL}),
    "none": frozenset[Side](),
}
_CROSS_FROM = {
    "public": frozenset(Side),
    "both": frozenset(Side),
    "to-vendor": frozenset({Side.INTERNAL}),
    "to-internal": frozenset({Side.VENDOR}),
    "none": frozenset[Side](),
}


@dataclass(frozen=True, slots=True)
class KnownTracker:
    """What an agreement must know about a tracker.

    Attributes:
        kind: None when the tracker's own entry has no valid kind.
        url: tells two names of one tracker apart from two trackers; "" when the entry has no valid address.
    """

    kind: Kind | None
    url: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An agreement as far as it could be read, for the checks across agreements.

    Attributes:
        source: the file.
        shape: the fitted file.
        agreement: what the core will get; worthless if anything was found wrong.
        trackers: for each side, what tells its tracker from others; "" when unknown.
    """

    source: Source
    shape: AgreementShape
    agreement: Agreement
    trackers: Mapping[Side, str]


def settle_agreement(
    shape: AgreementShape, source: Source, trackers: Mapping[str, KnownTracker] | None
) -> Draft:
    """Check one agreement in itself.

    Args:
        shape: the fitted file.
        source: the file itself.
        trackers: by name; None when ``bridge.yaml`` could not be read, so that none is known.
    """
    scopes = {Side.INTERNAL: shape.internal, Side.VENDOR: shape.vendor}
    kinds: dict[Side, Kind | None] = {}
    identities: dict[Side, str] = {}
    for side, scope in scopes.items():
        known = None if scope is None else _known_tracker(scope, side, source, trackers)
        kinds[side] = known.kind if known is not None else None
        identities[side] = (known.url or scope.tracker) if known is not None and scope is not None else ""
        if scope is not None:
            _check_project(scope, side, source, kinds[side])
            _check_privacy(shape, scope, side, source, kinds[side])
    _check_distinct(shape, source, identities)
    _check_people(shape, source)
    fields = settle_fields(shape, source, kinds)
    _check_creation(shape, source)
    roles = settle_roles(shape, source, kinds)
    holds = settle_holds(shape, source)
    pilot = settle_pilot(shape, source, kinds)
    check_deciders(shape, fields, source)
    redaction = settle_redaction(shape, source)
    agreement = Agreement(
        name=shape.name,
        internal=_scope(shape.internal, kinds[Side.INTERNAL], shape.since),
        vendor=_scope(shape.vendor, kinds[Side.VENDOR], shape.since),
        create_on=_CREATE_ON[shape.create],
        fields=tuple(replace(rule, redaction=redaction) for rule in fields),
        comments=CommentRule(
            cross=_CROSS_FROM[shape.comments.cross],
            attribute=shape.comments.attribute,
            private=shape.comments.private == "as-private",
            mentions=shape.comments.mentions == "live",
        ),
        attachments=replace(_attachments(shape.attachments), redacted=bool(redaction.rules)),
        people=tuple((pair.internal, pair.vendor) for pair in shape.people),
        relations=_relations(shape, source),
        worklogs=WorklogRule(cross=_CROSS_FROM[shape.worklogs.cross], attribute=shape.worklogs.attribute),
        deleted=_deleted(shape),
        brakes=_brakes(shape, source),
        roles=roles,
        holds=holds,
        mode=shape.mode,
        pilot=pilot,
        control=_control(shape.audit),
        redaction=redaction,
        classified=settle_classified(shape, source, kinds),
        show_people=shape.show_people,
    )
    return Draft(source=source, shape=shape, agreement=agreement, trackers=identities)


def _control(shape: AuditShape) -> dict[Side, str]:
    tickets = {Side.INTERNAL: shape.control.internal, Side.VENDOR: shape.control.vendor}
    return {side: ticket for side, ticket in tickets.items() if ticket}


def _attachments(shape: AttachmentShape) -> AttachmentRule:
    return AttachmentRule(
        cross=_CROSS_FROM["public" if shape.cross == "both" else shape.cross],
        most=shape.max,
        types=() if "*" in shape.types else shape.types,
        names=shape.names,
        deletes=shape.deletes,
    )


def _deleted(shape: AgreementShape) -> DeletedRule:
    if not isinstance(shape.deleted, DeletedShape):
        return DeletedRule(tell=shape.deleted != "keep")
    goals = {Side.INTERNAL: shape.deleted.close.internal, Side.VENDOR: shape.deleted.close.vendor}
    return DeletedRule(close={side: goal for side, goal in goals.items() if goal})


def _brakes(shape: AgreementShape, source: Source) -> BrakeRule:
    """The brakes; with no limit at all, nothing can be said of how it is counted."""
    brakes = shape.brakes
    if brakes.share is None and source.sound(("brakes", "share")):
        for key in sorted(brakes.model_fields_set - {"share"}):
            source.problem(
                ("brakes", key),
                f"'{key}' has no effect while 'share' is off",
                "give a share, e.g. 30%, or remove it",
                key=True,
            )
    return BrakeRule(brakes.share, brakes.least, round(brakes.within * SECOND))


def _relations(shape: AgreementShape, source: Source) -> RelationRule:
    """The relations; two internal types may not lead to one of the vendor, for the way back would be a guess."""
    seen: dict[str, str] = {}
    for internal, link in shape.relations.links.items():
        first = seen.setdefault(link.vendor.casefold(), internal)
        if link.vendor and first != internal:
            source.problem(
                ("relations", "links", internal),
                f"'{link.vendor}' at the vendor already answers to '{first}'",
                "one type of link per type on the other side",
            )
    links = (
        LinkRule(internal, link.vendor, link.reversed) for internal, link in shape.relations.links.items()
    )
    return RelationRule(parent=shape.relations.parent, links=tuple(links))


def _scope(shape: ScopeShape | None, kind: Kind | None, since: str) -> Scope:
    """The core's scope; of an unknown kind only while something is wrong, so its dialect never counts."""
    shape = shape or ScopeShape()
    return Scope(
        tracker=shape.tracker,
        project=shape.project,
        company=shape.company,
        dialect=kind.dialect if kind is not None else "markdown",
        edits_texts=kind.edits_texts if kind is not None else True,
        summary_limit=kind.summary_limit if kind is not None else 255,
        select=shape.select.strip(),
        on_create=dict(shape.on_create),
        privacy=Privacy(role=shape.private_role, group=shape.private_group),
        threads=kind is not None and kind.threads,
        text_limit=kind.text_limit if kind is not None else TEXT_LIMIT,
        since=_midnight(since),
    )


def _midnight(day: str) -> int:
    """The beginning of a day in UTC, microseconds; 0 for none."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * SECOND if day else 0


def _known_tracker(
    scope: ScopeShape, side: Side, source: Source, trackers: Mapping[str, KnownTracker] | None
) -> KnownTracker | None:
    """The tracker that a side names, or None with the mistake reported."""
    if trackers is None or not scope.tracker:
        return None
    known = trackers.get(scope.tracker)
    if known is None:
        fix = did_you_mean(scope.tracker, trackers) if trackers else "name it there first"
        source.problem((side, "tracker"), f"bridge.yaml has no tracker '{scope.tracker}'", fix)
    return known


def _check_project(scope: ScopeShape, side: Side, source: Source, kind: Kind | None) -> None:
    """A project key must look like one."""
    if kind is None or not scope.project or re.fullmatch(kind.project, scope.project):
        return
    for variant in (scope.project.upper(), scope.project.lower()):
        if re.fullmatch(kind.project, variant):
            fix = f"did you mean '{variant}'?"
            break
    else:
        fix = f"write the key that its tickets carry, e.g. {kind.project_example}, not the project's title"
    source.problem((side, "project"), f"'{scope.project}' is not a project key of this kind of tracker", fix)


def _check_privacy(
    shape: AgreementShape, scope: ScopeShape, side: Side, source: Source, kind: Kind | None
) -> None:
    """Who may read private comments: one answer, where there is a question."""
    keys = [key for key in ("private-role", "private-group") if getattr(scope, key.replace("-", "_"))]
    for key in keys:
        if kind is not None and not kind.limits_readers:
            source.problem(
                (side, key),
                "this kind of tracker shows its private comments to whom it wants: nobody can be named",
                "remove it",
                key=True,
            )
        elif shape.comments.private == "never" and source.sound(("comments", "private")):
            source.problem(
                (side, key),
                f"'{key}' has no effect while private comments never cross",
                "add comments: {private: as-private}, or remove it",
                key=True,
            )
    if len(keys) > 1:
        source.problem(
            (side, keys[1]), "a comment is for a role or for a group", "keep one of the two", key=True
        )


def _check_distinct(shape: AgreementShape, source: Source, identities: Mapping[Side, str]) -> None:
    """A project cannot be mirrored into itself."""
    if shape.internal is None or shape.vendor is None or not shape.internal.project:
        return
    same_project = shape.internal.project.casefold() == shape.vendor.project.casefold()
    named = shape.internal.tracker, shape.vendor.tracker
    same_tracker = (identities[Side.INTERNAL] or named[0]) == (identities[Side.VENDOR] or named[1])
    if same_project and same_tracker and all(named):
        source.problem(
            ("vendor",),
            "both sides are the same project of the same tracker",
            "mirror between two projects or two trackers",
        )


def _check_people(shape: AgreementShape, source: Source) -> None:
    """Nobody may stand in two pairs: the other direction would have to guess."""
    for side in Side:
        seen: dict[str, int] = {}
        for position, pair in enumerate(shape.people):
            person = pair.internal if side is Side.INTERNAL else pair.vendor
            if not person:
                continue
            first = seen.setdefault(person.casefold(), position)
            if first != position:
                line = source.line(("people", first, side))
                source.problem(
                    ("people", position, side),
                    f"'{person}' is already paired on line {line}",
                    "one pair per person on each side",
                )


def _check_creation(shape: AgreementShape, source: Source) -> None:
    """No tracker takes a ticket without a summary."""
    receivers = {Side.INTERNAL: shape.internal, Side.VENDOR: shape.vendor}
    lacking = [
        side
        for side in Side
        if side in _CREATE_ON[shape.create]
        and (scope := receivers[side]) is not None
        and "summary" not in scope.on_create
    ]
    if lacking and "summary" not in shape.fields and source.sound(("create",), ("fields", "summary")):
        source.problem(
            ("fields",),
            "the bridge is to create tickets, but no summary crosses",
            "add 'summary: {}', or set create: none",
            key=True,
        )
