"""Jira's issues, comments and histories as canonical values.

Labels that start with ``bridge-`` are ours: they carry the mark of a link and never show as labels. Times are
the tracker's own. What people click is built from the configured address, never from ``self``, which names
whatever host a proxy or gateway is known by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import Unintelligible
from bridge.sync.ticket import Comment, FieldChange, Ticket, Value
from bridge.trackers.jira_fields import CANONICAL_NAMES, JIRA_NAMES, JiraField
from bridge.trackers.jira_values import Values, moment
from bridge.trackers.protocol import Stamp

OWN_LABEL = "bridge-"
"""Prefix of the labels that the bridge keeps for itself."""

COMMENT_MARK = "bridge.comment"
"""Comment property that carries our mark."""

LINK_FACTS = "bridge.link"
"""Issue property that carries facts about the peer."""

_MARKER = re.compile(r"bridge-[0-9a-f]{16}")

ALWAYS = (*JIRA_NAMES.values(), "comment", "created", "updated", "creator", "project")
"""Fields asked for with every ticket."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one site's JSON is read.

    Attributes:
        tracker: the tracker's name, for messages.
        url: the address people open.
        values: the flavour's codec.
    """

    tracker: str
    url: str
    values: Values

    def ticket(self, raw: Mapping[str, Any], custom: Mapping[str, JiraField]) -> Ticket:
        """An issue as a ticket.

        Args:
            raw: the issue's JSON, with at least :data:`ALWAYS`.
            custom: canonical name -> field, for the mapped fields.

        Raises:
            Unintelligible: the JSON lacks what every issue has.
        """
        try:
            return self._ticket(raw, custom)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unintelligible(self.tracker, f"issue {raw.get('key')}: {error!r} in its JSON") from error

    def comment(self, raw: Mapping[str, Any]) -> Comment:
        """A comment.

        Any restriction makes it private: a role, a group, or the service desk's internal note.
        """
        created = moment(raw["created"])
        return Comment(
            id=str(raw["id"]),
            author=self.values.person(raw.get("author")),
            body=self.values.text(raw.get("body")),
            created=created,
            updated=moment(raw["updated"]) if raw.get("updated") else created,
            private=bool(raw.get("visibility")) or raw.get("jsdPublic") is False,
            marker=comment_mark(raw),
        )

    def stamp(self, raw: Mapping[str, Any]) -> Stamp:
        """An issue's identity and age."""
        try:
            return Stamp(str(raw["id"]), str(raw["key"]), moment(raw["fields"]["updated"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Unintelligible(self.tracker, f"issue {raw.get('key')}: {error!r} in its JSON") from error

    def history(self, entries: Iterable[Mapping[str, Any]]) -> tuple[FieldChange, ...]:
        """The field changes of an issue, oldest first, whatever the order in which Jira sent them."""
        try:
            changes = [
                FieldChange(
                    event=str(entry["id"]),
                    at=moment(entry["created"]),
                    author=self.values.person(entry.get("author")),
                    field=CANONICAL_NAMES.get(str(item.get("fieldId") or item["field"]), str(item["field"])),
                    before=str(item.get("fromString") or ""),
                    after=str(item.get("toString") or ""),
                )
                for entry in entries
                for item in entry.get("items", ())
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise Unintelligible(self.tracker, f"{error!r} in a history") from error
        return tuple(sorted(changes, key=lambda change: (change.at, change.event.zfill(20))))

    def _ticket(self, raw: Mapping[str, Any], custom: Mapping[str, JiraField]) -> Ticket:
        fields = raw["fields"]
        listed = fields.get("comment") or {}
        comments = sorted(
            map(self.comment, listed.get("comments", ())), key=lambda c: (c.created, c.id.zfill(20))
        )
        labels = fields.get("labels") or ()
        return Ticket(
            id=str(raw["id"]),
            key=str(raw["key"]),
            url=f"{self.url}/browse/{raw['key']}",
            project=str(fields["project"]["key"]),
            created=moment(fields["created"]),
            updated=moment(fields["updated"]),
            fields=self._fields(fields, custom),
            comments=tuple(comments),
            comments_complete="comment" in fields and listed.get("total", len(comments)) <= len(comments),
            creator=self.values.person(fields.get("creator")),
            marker=next((label for label in sorted(labels) if _MARKER.fullmatch(label)), ""),
        )

    def _fields(self, raw: Mapping[str, Any], custom: Mapping[str, JiraField]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        values = self.values
        for name, field in JIRA_NAMES.items():
            if field not in raw:
                continue
            value = raw[field]
            match name:
                case "summary" | "due":
                    found[name] = None if value is None else str(value)
                case "description":
                    found[name] = values.text(value)
                case "labels":
                    found[name] = foreign_labels(value or ())
                case "assignee":
                    found[name] = values.person(value)
                case _:
                    found[name] = None if value is None else str(value["name"])
        for name, known in custom.items():
            if known.id in raw:
                found[name] = values.decode(known.kind, raw[known.id])
        return found


def foreign_labels(labels: Iterable[str]) -> frozenset[str]:
    """The labels that are not ours."""
    return frozenset(label for label in labels if not label.startswith(OWN_LABEL))


def comment_mark(raw: Mapping[str, Any]) -> str:
    """Our mark in a comment's properties, where they were asked for; else ""."""
    for entry in raw.get("properties") or ():
        if isinstance(entry, dict) and entry.get("key") == COMMENT_MARK:
            value = entry.get("value")
            return str(value.get("marker", "")) if isinstance(value, dict) else ""
    return ""
