"""What a simulated Jira site is made of: people, workflows, issues and their parts, as plain values.

Everything an issue holds is replaced, never changed in place (lists and dictionaries are copied on write),
so that a snapshot for the search index is a shallow copy. Identifiers are strings except an issue's own
number, as in Jira.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


def words(text: str) -> frozenset[str]:
    """Return the set of blank-separated words: how long closed sets are written here."""
    return frozenset(text.split())


CATEGORIES: dict[str, tuple[int, str, str, str]] = {
    "new": (2, "new", "blue-gray", "To Do"),
    "indeterminate": (4, "indeterminate", "yellow", "In Progress"),
    "done": (3, "done", "green", "Done"),
}
"""Status categories: key -> (id, key, colour, name)."""


@dataclass(frozen=True, slots=True)
class User:
    """A person or an integration account.

    Attributes:
        id: the accountId on Cloud, the immutable user key on Data Center.
        name: the login name (Data Center's ``name``; only a label on Cloud).
        email: the e-mail address; on Cloud also the login of basic authentication.
        time_zone: the profile's zone, in which quoted JQL dates are read.
        hidden_email: Cloud privacy: the address is left out of every answer.
    """

    id: str
    name: str
    display_name: str
    email: str
    active: bool = True
    time_zone: str = "Etc/UTC"
    account_type: str = "atlassian"
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    admin: bool = False
    hidden_email: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A workflow status; ``category`` is ``new``, ``indeterminate`` or ``done``."""

    id: str
    name: str
    category: str = "new"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A priority or a resolution: an id and a name."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class IssueType:
    """A type of issue."""

    id: str
    name: str
    subtask: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field.

    Attributes:
        id: ``customfield_NNNNN``.
        type: a key of ``custom_fields.SCHEMAS``: ``string``, ``text`` (multi-line, ADF in v3), ``select``, ...;
            ``raw`` is a loaded value whose kind is unknown: shown, never set.
        options: of types that have some: (option id, value) pairs.
        children: of ``cascading``: (id of the option above, option id, value).
        projects: keys of the projects whose screens show it; None means all.
        required: must be given when an issue is created.
    """

    id: str
    name: str
    type: str = "string"
    options: tuple[tuple[str, str], ...] = ()
    projects: frozenset[str] | None = None
    required: bool = False
    children: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a workflow.

    Attributes:
        sources: status ids it starts from; None means any status (a global transition).
        screen: fields of its screen; True marks a required one.
        sets_resolution: resolution id its post-function sets, "" to clear it, None to leave it alone.
        blocks_self: a global transition is not offered from its own target.
    """

    id: str
    name: str
    to: str
    sources: frozenset[str] | None = None
    screen: tuple[tuple[str, bool], ...] = ()
    sets_resolution: str | None = None
    blocks_self: bool = True


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow: the status of new issues, and the steps."""

    initial: str
    transitions: tuple[Transition, ...]

    def statuses(self) -> tuple[str, ...]:
        """Return the ids of all statuses in it, the initial one first."""
        seen = dict.fromkeys([self.initial])
        for step in self.transitions:
            seen.update(dict.fromkeys(sorted(step.sources or ())))
            seen[step.to] = None
        return tuple(seen)


@dataclass(slots=True)
class Project:
    """A project; ``create_screen`` and ``edit_screen`` of None show every field.

    ``components`` and ``versions`` are what it has of them: id -> name.
    """

    id: str
    key: str
    name: str
    types: tuple[str, ...]
    workflow: Workflow
    service_desk: bool = False
    create_screen: frozenset[str] | None = None
    edit_screen: frozenset[str] | None = None
    workflows: dict[str, Workflow] = field(default_factory=dict)
    last_number: int = 0
    components: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def listed(self, name: str) -> dict[str, str]:
        """Return what the project offers for ``components``, ``fixVersions`` or ``versions``."""
        return self.components if name == "components" else self.versions

    def workflow_of(self, type_id: str) -> Workflow:
        """Return the workflow that issues of this type follow."""
        return self.workflows.get(type_id, self.workflow)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; ``body`` is an ADF document on Cloud and wiki text on Data Center."""

    id: str
    author: str
    body: Any
    created: int
    updated: int
    update_author: str
    visibility: Json | None = None
    properties: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an issue's history."""

    id: str
    author: str
    created: int
    items: tuple[Json, ...]
    metadata: Json | None = None


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """A link to something outside, upserted by ``global_id``."""

    id: int
    global_id: str | None
    body: Json


@dataclass(frozen=True, slots=True)
class LinkType:
    """A type of link between issues; ``outward`` is what the issue does where the link starts ("blocks")."""

    id: str
    name: str
    inward: str
    outward: str


@dataclass(frozen=True, slots=True)
class IssueLink:
    """A link as one of its two issues holds it; ``outward`` where it starts, ``other`` is the other's number."""

    id: str
    type: str
    outward: bool
    other: int


@dataclass(frozen=True, slots=True)
class Worklog:
    """Time that somebody booked; ``body`` is an ADF document on Cloud and wiki text on Data Center."""

    id: str
    author: str
    body: Any
    started: int
    seconds: int
    created: int
    updated: int
    update_author: str
    visibility: Json | None = None
    properties: Json = field(default_factory=dict)


@dataclass(slots=True)
class Issue:
    """An issue; ``values`` holds settable fields as stored, ``extra`` loaded fields shown as they came."""

    id: int
    key: str
    project: str
    type: str
    status: str
    creator: str
    created: int
    updated: int
    values: Json = field(default_factory=dict)
    resolution: str | None = None
    resolution_date: int | None = None
    comments: list[Comment] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)
    remote_links: list[RemoteLink] = field(default_factory=list)
    links: list[IssueLink] = field(default_factory=list)
    worklogs: list[Worklog] = field(default_factory=list)
    properties: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    old_keys: tuple[str, ...] = ()

    def snapshot(self) -> Issue:
        """Return a copy that later changes of this issue do not reach."""
        return replace(
            self,
            values=dict(self.values),
            comments=list(self.comments),
            attachments=list(self.attachments),
            history=list(self.history),
            remote_links=list(self.remote_links),
            links=list(self.links),
            worklogs=list(self.worklogs),
            properties=dict(self.properties),
        )
