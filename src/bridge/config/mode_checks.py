"""The ``mode`` of an agreement, and the tickets of its pilot."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.config.findings import listed
from bridge.config.kinds import Kind
from bridge.config.shape import AgreementShape
from bridge.config.source import Source
from bridge.sync.roles import Mode, Pilot
from bridge.sync.ticket import Side


def settle_pilot(shape: AgreementShape, source: Source, kinds: Mapping[Side, Kind | None]) -> Pilot:
    """The tickets that a pilot writes to; what is wrong goes to the source's findings.

    Args:
        shape: the fitted agreement.
        source: its file.
        kinds: each side's kind of tracker, None when unknown.
    """
    pilot = shape.pilot
    empty = pilot is None or not (pilot.tickets or pilot.labels)
    if shape.mode is not Mode.PILOT and pilot is not None and source.sound(("mode",)):
        source.problem(
            ("pilot",),
            f"'pilot' has no effect with 'mode: {shape.mode}'",
            "write 'mode: pilot', or remove 'pilot'",
            key=True,
        )
    elif shape.mode is Mode.PILOT and empty and source.sound(("pilot",)):
        source.problem(
            ("mode",) if pilot is None else ("pilot",),
            "no ticket is named that a pilot could write to",
            "add e.g. pilot: {tickets: [OPS-1], labels: [pilot-*]}, or write 'mode: observe'",
            key=True,
        )
    if pilot is None:
        return Pilot()
    _check_keys(pilot.tickets, shape, source, kinds)
    known = [kind for kind in kinds.values() if kind is not None]
    if pilot.labels and len(known) == len(Side) and all("labels" in kind.lacks for kind in known):
        source.problem(
            ("pilot", "labels"),
            "neither side's kind of tracker has labels",
            "name the tickets under 'tickets'",
            key=True,
        )
    return Pilot(tickets=pilot.tickets, labels=pilot.labels)


def _check_keys(
    tickets: tuple[str, ...], shape: AgreementShape, source: Source, kinds: Mapping[Side, Kind | None]
) -> None:
    """A key must be one that a ticket of either side can have, and stand once."""
    seen: dict[str, int] = {}
    for position, key in enumerate(tickets):
        if seen.setdefault(key.casefold(), position) != position:
            source.problem(("pilot", "tickets", position), f"'{key}' stands twice", "keep one of them")
    forms = []
    for side, scope in ((Side.INTERNAL, shape.internal), (Side.VENDOR, shape.vendor)):
        kind = kinds[side]
        if kind is None or not kind.key or scope is None or not source.sound((side, "project")):
            return
        forms.append((kind.key, scope.project))
    for position, key in enumerate(tickets):
        at = ("pilot", "tickets", position)
        if source.sound(at) and not _is_key(key, forms):
            near = next((word for word in (key.upper(), key.lstrip("#")) if _is_key(word, forms)), "")
            examples = dict.fromkeys(form.format(project=project, number=1) for form, project in forms)
            source.problem(
                at,
                f"'{key}' cannot be the key of a ticket on either side",
                f"did you mean '{near}'?" if near else f"write keys such as {listed(examples)}",
            )


def _is_key(word: str, forms: list[tuple[str, str]]) -> bool:
    """Whether a ticket can be called this; ``forms`` holds for each side how its keys look, and its project."""
    return any(
        re.fullmatch(form.format(project=re.escape(project), number="[1-9][0-9]*"), word)
        for form, project in forms
    )
