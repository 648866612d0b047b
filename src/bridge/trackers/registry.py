"""Opening a tracker by its kind: a name and a factory among the entry points, ours and other people's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import cast

from bridge.clock import Clock
from bridge.config.kinds import BUILT_IN_KINDS, Kind
from bridge.config.settings import TrackerSettings
from bridge.errors import ConfigError, Problem
from bridge.trackers.hooks import BUILT_IN_HOOKS, GENERIC, HookKind, Registrar
from bridge.trackers.protocol import Tracker

GROUP = "bridge.trackers"
"""Entry point group; each member is a callable ``(settings, clock) -> Tracker``."""

Factory = Callable[[TrackerSettings, Clock], Tracker]


def known_kinds() -> tuple[str, ...]:
    """The kinds that can be opened, sorted."""
    return tuple(sorted(entry_points(group=GROUP).names))


def kinds() -> Mapping[str, Kind]:
    """What the configuration must know of each kind that can be opened.

    A third party's factory says it in an attribute ``described`` of type ``Kind``; without one, its kind is
    taken for a tracker of plain Markdown texts.
    """
    known = dict(BUILT_IN_KINDS)
    for entry in entry_points(group=GROUP):
        if entry.name not in known:
            described = getattr(entry.load(), "described", None)
            known[entry.name] = described if isinstance(described, Kind) else Kind(dialect="markdown")
    return known


def hook_kind(kind: str) -> HookKind:
    """What webhooks of that kind of tracker look like.

    A third party's factory says it in an attribute ``hook`` of type ``HookKind``; without one, its webhooks are
    Standard Webhooks with the body ``{"ticket": id}``.
    """
    if kind in BUILT_IN_HOOKS:
        return BUILT_IN_HOOKS[kind]
    for entry in entry_points(group=GROUP, name=kind):
        told = getattr(entry.load(), "hook", None)
        if isinstance(told, HookKind):
            return told
    return GENERIC


def registrar(tracker: Tracker) -> Registrar | None:
    """What registers webhooks at that tracker; None where it has no API for them."""
    found: Registrar | None = getattr(tracker, "hooks", None)
    return found


def open_tracker(settings: TrackerSettings, clock: Clock) -> Tracker:
    """Open the tracker that the settings describe. Sends nothing yet.

    Raises:
        ConfigError: there is no such kind, or its package cannot be loaded.
    """
    found = entry_points(group=GROUP, name=settings.kind)
    place = f"trackers.{settings.name}.kind"
    if not found:
        known = ", ".join(known_kinds()) or "none; is bridge installed?"
        message = f"unknown kind of tracker {settings.kind!r}"
        raise ConfigError([Problem("bridge.yaml", 0, place, message, f"known kinds: {known}")])
    try:
        factory = cast("Factory", next(iter(found)).load())
    except (ImportError, AttributeError) as error:
        message = f"the kind {settings.kind!r} cannot be loaded: {error}"
        raise ConfigError([Problem("bridge.yaml", 0, place, message)]) from error
    return factory(settings, clock)
