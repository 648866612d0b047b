"""Whether the groups and project roles that an agreement names are there, and show us who is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bridge.config.source import Source
from bridge.errors import Gone, Refused
from bridge.sync.agreement import Agreement
from bridge.sync.ticket import Person, Side
from bridge.trackers.protocol import Tracker
from bridge.trackers.rosters import rosters_of


def check_rosters(agreement: Agreement, side: Side, tracker: Tracker, source: Source) -> None:
    """Find the groups and project roles of a side that cannot be read; a running bridge goes by what it last knew.

    Raises:
        TrackerError: the tracker cannot be asked now.
    """
    project, rosters = agreement.scope(side).project, rosters_of(tracker)
    for role in (one for one in agreement.roles if one.side is side):
        if rosters is None:
            if role.groups or role.project_roles:
                source.problem(
                    ("roles", role.name),
                    f"the bridge cannot read groups and project roles of '{tracker.name}' ({tracker.kind})",
                    "name its people under 'people'",
                    key=True,
                )
            continue
        for group in role.groups:
            _try(
                ("roles", role.name, "groups"),
                f"the group '{group}'",
                partial(rosters.group_members, group, project),
                tracker,
                source,
            )
        for name in role.project_roles:
            _try(
                ("roles", role.name, "project-roles"),
                f"the project role '{name}' of {project}",
                partial(rosters.project_role_members, project, name),
                tracker,
                source,
            )


def _try(
    at: tuple[str, ...],
    what: str,
    ask: Callable[[], Sequence[Person]],
    tracker: Tracker,
    source: Source,
) -> None:
    try:
        ask()
    except (Gone, Refused) as error:
        source.problem(
            at,
            f"'{tracker.name}' does not tell who is in {what}: {error.words}",
            "check the name, and that our account may see it (docs/trackers.md, Rights)",
        )
