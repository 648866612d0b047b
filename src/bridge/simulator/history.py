"""What every change of an issue leaves: a history entry, a new ``updated``, a hint to the search index."""

from __future__ import annotations

from bridge.simulator.model import Change, Issue, Json
from bridge.simulator.state import Site


def record(
    site: Site,
    issue: Issue,
    author: str,
    items: list[Json],
    metadata: Json | None = None,
) -> None:
    """Write a history entry, move ``updated`` and let the index know."""
    now = site.now()
    entry = Change(str(site.new_id("part")), author, now, tuple(items), metadata)
    issue.history = [*issue.history, entry]
    touch(site, issue)
    site.tell("jira:issue_updated", issue, author, {"changelog": {"id": entry.id, "items": items}})


def touch(site: Site, issue: Issue) -> None:
    """Move ``updated`` and let the index know."""
    issue.updated = max(site.now(), issue.created)
    site.reindex(issue)
