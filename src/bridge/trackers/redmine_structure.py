"""Parents and relations of Redmine issues.

Neither making nor removing a relation moves an issue's ``updated_on`` (measured on Redmine 5.0.4), so the census finds
what people relate. There is one relation from one issue to another at most; one more is refused in the same words as
the same one again, so we look which it is. A parent that our role may not set is ignored in silence, so read it back.
Time entries need an activity, which no worklog elsewhere has: none cross.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bridge.errors import Gone, Refused
from bridge.trackers.http import Http
from bridge.trackers.redmine_payload import UNPROCESSABLE
from bridge.trackers.redmine_values import instant, parent_of, to_relations
from bridge.trackers.structure import NoStructure

KINDS = ("relates", "duplicates", "blocks", "precedes", "copied_to")
"""Types of relations as Redmine stores them; each also reads the other way round."""


class RedmineStructure(NoStructure):
    """What stands between the issues of one Redmine.

    Args:
        http: the way to it.
        read: reads an issue with its relations; raises Gone.
    """

    def __init__(self, http: Http, read: Callable[[str], dict[str, Any]]) -> None:
        self._http = http
        self._read = read

    def link_types(self) -> Sequence[str]:
        """See :meth:`bridge.trackers.structure.Structure.link_types`."""
        return KINDS

    def set_parent(self, ticket: str, parent: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.set_parent`."""
        body = {"issue": {"parent_issue_id": parent}}
        self._http.call("PUT", "/issues/{id}.json", parts={"id": ticket}, body=body)
        after = self._read(ticket)
        if parent_of(after) != parent:
            words = "Redmine answered well but did not change the parent: our role may not manage subtasks"
            raise Refused(self._http.tracker, words, status=UNPROCESSABLE, fields={"parent": words})
        return instant(after["updated_on"])

    def add_relation(self, kind: str, source: str, target: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.add_relation`."""
        body = {"relation": {"issue_to_id": int(target), "relation_type": kind}}
        try:
            self._http.call("POST", "/issues/{id}/relations.json", parts={"id": source}, body=body)
        except Refused:
            there = to_relations(self._read(source))
            if not any((one.kind, one.other) == (kind, target) for one in there):
                raise
        return 0

    def remove_relation(self, relation: str) -> int:
        """See :meth:`bridge.trackers.structure.Structure.remove_relation`."""
        with suppress(Gone):
            self._http.call("DELETE", "/relations/{id}.json", parts={"id": relation})
        return 0
