"""Jira's issues, comments and histories as canonical values.

Labels that start with ``bridge-`` are ours: they carry the mark of a link and never show as labels. Times are
the tracker's own. What people click is built from the configured address, never from ``self``, which names
whatever host a proxy or gateway is known by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bridge.errors import Unintelligible
from bridge.sync.ticket import Comment, FieldChange, Ticket, Value
from bridge.trackers.files import with_private
from bridge.trackers.jira_fields import CANONICAL_NAMES, JIRA_NAMES, JiraField
from bridge.trackers.jira_files import read_attachments
from bridge.trackers.jira_structure import relations, worklog
from bridge.trackers.jira_values import Kind, Values, moment
from bridge.trackers.protocol import Stamp
from bridge.trackers.survey import Sampled

OWN_LABEL = "bridge-"
"""Prefix of the labels that the bridge keeps for itself."""

COMMENT_MARK = "bridge.comment"
"""Comment property that carries our mark."""

LINK_FACTS = "bridge.link"
"""Issue property that carries our mark once more, where nobody can take it off by editing labels."""

INTERNAL_NOTE = "sd.public.comment"
"""Comment property that makes an internal note of a comment in a service desk."""

_SERVICE_DESK = "service_desk"

_MARKER = re.compile(r"bridge-[0-9a-f]{16}")

_ARCHIVED = "archiveddate"
"""Data Center's field of an archived issue; a field that a site does not have is left out of its answers."""

ALWAYS = (
    *JIRA_NAMES.values(),
    "parent",
    "issuelinks",
    "worklog",
    "comment",
    "attachment",
    "created",
    "updated",
    "creator",
    "project",
    "security",
    _ARCHIVED,
)
"""Fields asked for with every ticket."""


class Unreadable(Exception):
    """One issue's JSON lacks what every issue has. Holds no values.

    Attributes:
        ticket: the issue's id, as far as it says one.
        kind: the type of error that reading it ended with.
    """

    def __init__(self, ticket: str, kind: str) -> None:
        self.ticket = ticket
        self.kind = kind
        super().__init__(f"issue {ticket}: {kind} in its JSON")


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

    def ticket(
        self, raw: Mapping[str, Any], custom: Mapping[str, JiraField], *, told: bool = False
    ) -> Ticket:
        """An issue as a ticket.

        Args:
            raw: the issue's JSON, with at least :data:`ALWAYS`.
            custom: canonical name -> field, for the mapped fields.
            told: its comments came with their properties, where these alone tell internal notes.

        Raises:
            Unreadable: the JSON lacks what every issue has.
        """
        with self.guard(raw):
            return self._ticket(raw, custom, told=told)

    @contextmanager
    def guard(self, raw: Mapping[str, Any]) -> Iterator[None]:
        """Whatever one issue's JSON makes fail inside comes out as :class:`Unreadable`."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(str(raw.get("id")), type(error).__name__) from None

    def hides_notes(self, raw: Mapping[str, Any]) -> bool:
        """Whether a comment within the issue's own JSON may be an internal note without saying so.

        Cloud says ``jsdPublic``. Data Center's service desks tell it only by a property of the comment, which
        an issue never shows. A project that does not say what it is counts as a service desk.
        """
        if self.values.person_key == "accountId":
            return False
        kind = (raw["fields"].get("project") or {}).get("projectTypeKey")
        return not isinstance(kind, str) or kind in {"", _SERVICE_DESK}

    def lacks_comments(self, raw: Mapping[str, Any]) -> bool:
        """Whether the issue's own JSON leaves out comments, or what they do not show of themselves there."""
        listed = raw["fields"].get("comment")
        if not isinstance(listed, dict):
            return False
        shown, total = len(listed.get("comments", ())), listed.get("total", 0)
        return bool(total > shown or (shown and self.hides_notes(raw)))

    def comment(self, raw: Mapping[str, Any], *, desk: bool = False) -> Comment:
        """A comment.

        Any restriction makes it private: a role, a group, the service desk's internal note, and whatever we cannot
        read. In a service desk of Cloud, so does saying nothing.
        """
        created = moment(raw["created"])
        public = raw.get("jsdPublic", not (desk and self.values.person_key == "accountId"))
        return Comment(
            id=str(raw["id"]),
            author=self.values.person(raw.get("author")),
            body=self.values.text(raw.get("body")),
            created=created,
            updated=moment(raw["updated"]) if raw.get("updated") else created,
            private=raw.get("visibility") is not None or public is not True or _internal_note(raw),
            marker=comment_mark(raw),
            parent=str(raw.get("parentId") or ""),
        )

    def surely_private(self, raw: Mapping[str, Any], *, desk: bool) -> bool:
        """Whether a comment's JSON shows that not everybody may read it; the opposite of :meth:`comment` in doubt."""
        limit = raw.get("visibility")
        if isinstance(limit, dict) and limit.get("type") in {"role", "group"}:
            return bool(limit.get("value") or limit.get("identifier"))
        if not desk:
            return False
        if self.values.person_key == "accountId":
            return raw.get("jsdPublic") is False
        return INTERNAL_NOTE in _properties(raw) and _internal_note(raw)

    def stamp(self, raw: Mapping[str, Any]) -> Stamp:
        """An issue's identity and age."""
        try:
            return Stamp(str(raw["id"]), str(raw["key"]), moment(raw["fields"]["updated"]))
        except (KeyError, TypeError, ValueError) as error:
            words = f"issue {raw.get('key')}: {type(error).__name__} in its JSON"
            raise Unintelligible(self.tracker, words) from None

    def sampled(self, raw: Mapping[str, Any]) -> Sampled:
        """An issue as a place to look at the workflow from."""
        fields = raw.get("fields") or {}
        return Sampled(
            id=str(raw.get("id")),
            key=str(raw.get("key")),
            kind=str((fields.get("issuetype") or {}).get("name") or ""),
            status=str((fields.get("status") or {}).get("name") or ""),
            assignee=self.values.person(fields.get("assignee")),
            untouched=fields.get("created") == fields.get("updated"),
        )

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
            raise Unintelligible(self.tracker, f"{type(error).__name__} in a history") from None
        return tuple(sorted(changes, key=lambda change: (change.at, change.event.zfill(20))))

    def _ticket(self, raw: Mapping[str, Any], custom: Mapping[str, JiraField], *, told: bool) -> Ticket:
        fields = raw["fields"]
        listed = fields.get("comment") or {}
        total = listed.get("total", len(listed.get("comments", ())))
        if not told and self.hides_notes(raw):
            # Better none than one that may be for the inside only.
            total, listed = max(total, len(listed.get("comments", ()))), {}
        desk = is_service_desk(fields)
        comments = sorted(
            (self.comment(one, desk=desk) for one in listed.get("comments", ())),
            key=lambda c: (c.created, c.id.zfill(20)),
        )
        complete = "comment" in fields and total <= len(comments)
        files = read_attachments(fields.get("attachment"), self.url, self.values)
        labels = fields.get("labels") or ()
        spent = fields.get("worklog") or {}
        return Ticket(
            id=str(raw["id"]),
            key=str(raw["key"]),
            url=f"{self.url}/browse/{raw['key']}",
            project=str(fields["project"]["key"]),
            created=moment(fields["created"]),
            updated=moment(fields["updated"]),
            fields=self._fields(fields, custom),
            comments=tuple(comments),
            comments_complete=complete,
            creator=self.values.person(fields.get("creator")),
            marker=next(iter(marks(labels)), ""),
            private=fields.get("security") is not None,
            attachments=with_private(files, comments),
            # Which of them are private only the comments tell.
            attachments_complete=complete and "attachment" in fields,
            parent=str((fields.get("parent") or {}).get("id") or ""),
            relations=relations(fields.get("issuelinks") or ()),
            relations_complete="issuelinks" in fields,
            worklogs=tuple(worklog(self.values, one) for one in spent.get("worklogs", ())),
            worklogs_complete="worklog" in fields and spent.get("total", 0) <= len(spent.get("worklogs", ())),
            archived=bool(fields.get(_ARCHIVED)),
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
                case "components" | "fix-versions" | "affects-versions":
                    found[name] = values.decode(Kind.NAMES, value)
                case _:
                    found[name] = None if value is None else str(value["name"])
        for name, known in custom.items():
            if known.id in raw:
                found[name] = values.decode(known.kind, raw[known.id])
        return found


def is_service_desk(fields: Mapping[str, Any]) -> bool:
    """Whether an issue's project says that it is a service desk."""
    return (fields.get("project") or {}).get("projectTypeKey") == _SERVICE_DESK


def marks(labels: Iterable[str]) -> list[str]:
    """The marks among the labels, sorted."""
    return sorted(label for label in labels if _MARKER.fullmatch(label))


def foreign_labels(labels: Iterable[str]) -> frozenset[str]:
    """The labels that are not ours."""
    return frozenset(label for label in labels if not label.startswith(OWN_LABEL))


def comment_mark(raw: Mapping[str, Any]) -> str:
    """Our mark in a comment's properties, where they were asked for; else ""."""
    value = _properties(raw).get(COMMENT_MARK)
    return str(value.get("marker", "")) if isinstance(value, dict) else ""


def _internal_note(raw: Mapping[str, Any]) -> bool:
    """Whether a service desk's property makes a comment an internal note; one that we cannot read does."""
    properties = _properties(raw)
    if INTERNAL_NOTE not in properties:
        return False
    value = properties[INTERNAL_NOTE]
    internal = value.get("internal", False) if isinstance(value, dict) else True
    return str(internal).lower() != "false"


def _properties(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A comment's properties, where they were asked for."""
    listed = raw.get("properties") or ()
    return {str(one.get("key")): one.get("value") for one in listed if isinstance(one, dict)}
