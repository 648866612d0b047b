"""A simulated site: everything it knows, who may log in, and what its search index can see.

The site is plain data with an injected clock. Rules about single requests live with their subject (`issues`,
`comments`, `workflow`, ...); here is what all of them share: registries, identifiers, logins, permissions,
and the index, which is kept apart from the issues because on Jira Cloud it really lags behind them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.simulator.blobs import Blob, Folder
from bridge.simulator.model import (
    CustomField,
    Issue,
    IssueType,
    Json,
    LinkType,
    Named,
    Project,
    Status,
    User,
)
from bridge.simulator.refusal import not_found

if TYPE_CHECKING:
    from bridge.simulator.webhooks import Hooks  # which needs a site to belong to

CONTENTS = ("issues", "index", "moved", "_by_key", "_next")
Clock = Callable[[], int]
T = TypeVar("T", Status, Named, IssueType)

_KEYS = """
    BROWSE_PROJECTS CREATE_ISSUES EDIT_ISSUES TRANSITION_ISSUES ADD_COMMENTS EDIT_OWN_COMMENTS
    EDIT_ALL_COMMENTS DELETE_OWN_COMMENTS DELETE_ALL_COMMENTS DELETE_ISSUES ASSIGN_ISSUES
    ASSIGNABLE_USER RESOLVE_ISSUES CLOSE_ISSUES LINK_ISSUES CREATE_ATTACHMENTS
    DELETE_OWN_ATTACHMENTS DELETE_ALL_ATTACHMENTS MODIFY_REPORTER SCHEDULE_ISSUES MOVE_ISSUES
    SET_ISSUE_SECURITY MANAGE_WATCHERS VIEW_VOTERS_AND_WATCHERS WORK_ON_ISSUES ADMINISTER_PROJECTS
    ADMINISTER SYSTEM_ADMIN BULK_CHANGE USER_PICKER
    EDIT_OWN_WORKLOGS EDIT_ALL_WORKLOGS DELETE_OWN_WORKLOGS DELETE_ALL_WORKLOGS
"""
PERMISSIONS: tuple[str, ...] = tuple(_KEYS.split())
ADMIN_ONLY = frozenset(
    {
        "EDIT_ALL_WORKLOGS",
        "DELETE_ALL_WORKLOGS",
        "EDIT_ALL_COMMENTS",
        "DELETE_ALL_COMMENTS",
        "DELETE_ALL_ATTACHMENTS",
        "ADMINISTER_PROJECTS",
        "ADMINISTER",
        "SYSTEM_ADMIN",
    },
)


def real_clock() -> int:
    """Return the real time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Indexed:
    """What search sees of one issue: the visible snapshot, and newer ones with the moment they appear."""

    visible: Issue | None = None
    pending: list[tuple[int, Issue | None]] = field(default_factory=list)

    def at(self, now: int) -> Issue | None:
        """Bring due snapshots to light and return the visible one."""
        due = [place for place, (when, _) in enumerate(self.pending) if when <= now]
        if due:
            self.visible = self.pending[due[-1]][1]
            self.pending = self.pending[due[-1] + 1 :]
        return self.visible


class Site:
    """One Jira site.

    Args:
        flavour: ``cloud`` or ``datacenter``.
        name: a word for people, also the host part of the default base URL.
        clock: returns the server's time in epoch milliseconds.
        base_url: what ``self`` links start with; the server sets it when it starts, if it is empty.
        context_path: e.g. ``/jira``, where a Data Center site does not live at the root.

    Attributes:
        search_lag_ms: how long a change stays invisible to search; ``issue_lag_ms`` overrides it per issue
            number.
        strict_ids: an unknown id or key in JQL refuses the query (as Jira does) instead of matching nothing.
        stamp_resolution_ms: precision at which the index holds times (Jira's index keeps seconds).
        rich_page: on Cloud, the most issues one page of search holds when more than the id is asked for.
        comments_in_search: on Cloud, how many comments a search answer embeds.
        expired_means: ``anonymous`` (the trap: 200 with nothing) or ``refuse`` (401 everywhere).
        public: anonymous callers may browse.
        media_url: root of the media host; empty: the site itself serves the media host's addresses.
        misdirected_logins: requests to the media host that carried a login.
        blobs: attachment id -> its bytes.
        version: what the server says it is.
        scoped_tokens: Cloud tokens that work at the gateway (``/ex/jira/{cloudId}``) only.
    """

    def __init__(
        self,
        flavour: str = "cloud",
        name: str = "site",
        *,
        clock: Clock = real_clock,
        base_url: str = "",
        context_path: str = "",
    ) -> None:
        if flavour not in {"cloud", "datacenter"}:
            raise ValueError(f"flavour must be cloud or datacenter, not {flavour!r}")
        self.flavour = flavour
        self.cloud = flavour == "cloud"
        self.name = name
        self.clock = clock
        self.base_url = base_url
        self.context_path = context_path.rstrip("/")
        self.cloud_id = f"00000000-0000-4000-8000-{sum(map(ord, name)):012d}"
        self.lock = threading.RLock()
        self.hooks: Hooks | None = None

        self.users: dict[str, User] = {}
        self.tokens: dict[str, str] = {}
        self.scoped_tokens: set[str] = set()
        self.expired: set[str] = set()
        self.statuses: dict[str, Status] = {}
        self.priorities: dict[str, Named] = {}
        self.resolutions: dict[str, Named] = {}
        self.security_levels: dict[str, Named] = {}
        self.types: dict[str, IssueType] = {}
        self.link_types: dict[str, LinkType] = {}
        self.custom: dict[str, CustomField] = {}
        self.projects: dict[str, Project] = {}
        self.issues: dict[int, Issue] = {}
        self.moved: dict[str, int] = {}
        self.index: dict[int, Indexed] = {}
        self.revoked: set[tuple[str, str, str]] = set()
        self.unsupported: list[str] = []
        self.search_pages: dict[str, tuple[str, list[int], int, int]] = {}

        self.search_lag_ms = 0
        self.issue_lag_ms: dict[int, int] = {}
        self.strict_ids = True
        self.stamp_resolution_ms = 1000
        self.rich_page = 100
        self.comments_in_search = 20
        self.expired_means = "anonymous"
        self.public = False
        self.default_priority = ""
        self.attachment_limit = 10_485_760
        self.attachments_enabled = True
        self.media_url = ""
        self.media_tokens: dict[str, str] = {}
        self.misdirected_logins = 0
        self.blobs: dict[str, Blob] = {}
        self.folder = Folder()
        self.version = "1001.0.0-SNAPSHOT" if self.cloud else "10.3.0"
        self._next: dict[str, int] = {"issue": 10_400, "part": 20_000, "thing": 10_000}
        self._by_key: dict[str, int] = {}

    # -- what others are told -----------------------------------------------------------------------

    def tell(self, event: str, issue: Issue, by: str, more: Json | None = None) -> None:
        """Tell the webhooks what a person did to an issue; ``more`` is what the event says beside the issue."""
        if self.hooks is not None:
            self.hooks.happened(event, issue, by, more)

    # -- identifiers and time -----------------------------------------------------------------------

    def now(self) -> int:
        """Return the server's time in epoch milliseconds."""
        return self.clock()

    def new_id(self, kind: str) -> int:
        """Return the next number of ``issue``, ``part`` (comments, changes, links) or ``thing``."""
        self._next[kind] += 1
        return self._next[kind]

    def reserve_id(self, kind: str, number: int) -> None:
        """Make a sequence go on above a number that loaded contents use."""
        self._next[kind] = max(self._next[kind], number)

    # -- registries ---------------------------------------------------------------------------------

    def add_user(self, user: User, *tokens: str) -> User:
        """Make a person known; each token is a Cloud API token or a Data Center PAT or password."""
        self.users[user.id] = user
        for token in tokens:
            self.tokens[token] = user.id
        return user

    def change_user(self, who: str, **changes: Any) -> User:
        """Change a person: ``active``, ``groups``, ``roles``, ``admin``, ..."""
        with self.lock:
            changed = replace(self.person(who), **changes)
            self.users[changed.id] = changed
        return changed

    def user_called(self, text: str) -> User | None:
        """Find a person by id, login name, e-mail or display name, in this order."""
        if text in self.users:
            return self.users[text]
        low = text.lower()
        for attribute in ("name", "email", "display_name"):
            for user in self.users.values():
                if getattr(user, attribute).lower() == low:
                    return user
        return None

    def person(self, text: str) -> User:
        """Return the person called so; KeyError when there is none."""
        found = self.user_called(text)
        if found is None:
            raise KeyError(f"{self.name} knows no user {text!r}")
        return found

    def status_named(self, name: str) -> Status | None:
        """Find a status by name, whatever the case."""
        return _named(self.statuses.values(), name)

    def priority_named(self, name: str) -> Named | None:
        """Find a priority by name."""
        return _named(self.priorities.values(), name)

    def resolution_named(self, name: str) -> Named | None:
        """Find a resolution by name."""
        return _named(self.resolutions.values(), name)

    def type_named(self, name: str) -> IssueType | None:
        """Find an issue type by name."""
        return _named(self.types.values(), name)

    def project_at(self, id_or_key: str) -> Project | None:
        """Find a project by key or id."""
        found = self.projects.get(id_or_key.upper())
        if found:
            return found
        return next((one for one in self.projects.values() if one.id == id_or_key), None)

    def shown(self, custom: CustomField, project: Project) -> bool:
        """Tell whether a project's screens show a custom field."""
        return custom.projects is None or project.key in custom.projects

    # -- issues -------------------------------------------------------------------------------------

    def put(self, issue: Issue) -> None:
        """Store a new issue and index it."""
        self.issues[issue.id] = issue
        self._by_key[issue.key.upper()] = issue.id
        self.reserve_id("issue", issue.id)
        project = self.projects[issue.project]
        project.last_number = max(project.last_number, int(issue.key.rsplit("-", 1)[1]))
        self.reindex(issue)

    def find(self, id_or_key: str) -> Issue | None:
        """Find an issue by number, key, or a key it had before it was moved."""
        if id_or_key.isdigit():
            return self.issues.get(int(id_or_key))
        key = id_or_key.upper()
        number = self._by_key.get(key, self.moved.get(key))
        return None if number is None else self.issues.get(number)

    def issue(self, id_or_key: str | int) -> Issue:
        """Return an issue for a test to look at; KeyError when it is gone."""
        found = self.find(str(id_or_key))
        if found is None:
            raise KeyError(f"{self.name} has no issue {id_or_key}")
        return found

    def readable(self, user: User | None, id_or_key: str) -> Issue:
        """Return an issue this caller may see, else refuse with Jira's 404."""
        found = self.find(id_or_key)
        if found is None or not self.may(user, "BROWSE_PROJECTS", found.project):
            raise not_found()
        return found

    def forget(self, issue: Issue) -> None:
        """Delete an issue for good."""
        del self.issues[issue.id]
        self._by_key.pop(issue.key.upper(), None)
        for held in issue.links:
            other = self.issues[held.other]
            other.links = [one for one in other.links if one.id != held.id]
            self.reindex(other)
        self.reindex(issue, gone=True)

    def rekey(self, issue: Issue, project: Project) -> None:
        """Give an issue the next key of another project; the old key keeps finding it."""
        old = issue.key
        project.last_number += 1
        self._by_key.pop(old.upper(), None)
        self.moved[old.upper()] = issue.id
        issue.old_keys = (*issue.old_keys, old)
        issue.project, issue.key = project.key, f"{project.key}-{project.last_number}"
        self._by_key[issue.key.upper()] = issue.id

    # -- the search index ---------------------------------------------------------------------------

    def reindex(self, issue: Issue, *, gone: bool = False) -> None:
        """Let search know of a change, now or after its lag."""
        entry = self.index.setdefault(issue.id, Indexed())
        lag = self.issue_lag_ms.get(issue.id, self.search_lag_ms)
        state = None if gone else issue.snapshot()
        if lag <= 0:
            entry.visible, entry.pending = state, []
        else:
            entry.pending.append((self.now() + lag, state))

    def indexed(self) -> Iterator[Issue]:
        """Yield every issue as search sees it now."""
        now = self.now()
        for entry in list(self.index.values()):
            seen = entry.at(now)
            if seen is not None:
                yield seen

    def indexed_issue(self, number: int) -> Issue | None:
        """Return one issue as search sees it now."""
        entry = self.index.get(number)
        return entry.at(self.now()) if entry else None

    def settle(self) -> None:
        """Bring the whole index up to date at once, whatever the lag."""
        with self.lock:
            for entry in self.index.values():
                if entry.pending:
                    entry.visible, entry.pending = entry.pending[-1][1], []

    def set_lag(self, milliseconds: int, issue: str | int | None = None) -> None:
        """Set how long later changes stay hidden from search, for the site or for one issue."""
        with self.lock:
            if issue is None:
                self.search_lag_ms = milliseconds
            else:
                self.issue_lag_ms[self.issue(issue).id] = milliseconds

    # -- backups ------------------------------------------------------------------------------------

    def backup(self) -> dict[str, Any]:
        """Return a copy of the contents and the sequences, for ``restore_backup``."""
        with self.lock:
            numbers = {key: project.last_number for key, project in self.projects.items()}
            kept = {name: getattr(self, name) for name in CONTENTS}
            return deepcopy({"contents": kept, "numbers": numbers})

    def restore_backup(self, backup: dict[str, Any]) -> None:
        """Go back in time, as a restored tracker does: issues vanish and ids are given out again."""
        with self.lock:
            copy = deepcopy(backup)
            for name, value in copy["contents"].items():
                setattr(self, name, value)
            for key, number in copy["numbers"].items():
                self.projects[key].last_number = number
            self.search_pages.clear()

    # -- logins and permissions ---------------------------------------------------------------------

    def expire_logins(self, who: str | None = None, *, expired: bool = True) -> None:
        """Expire (or restore) the tokens of one person, or of everybody."""
        with self.lock:
            owners = {self.person(who).id} if who else set(self.users)
            tokens = {token for token, owner in self.tokens.items() if owner in owners}
            self.expired = self.expired | tokens if expired else self.expired - tokens

    def deactivate(self, who: str, *, active: bool = False) -> None:
        """Deactivate a person's account, or give it back."""
        with self.lock:
            person = self.person(who)
            self.users[person.id] = replace(person, active=active)

    def revoke(self, who: str, permission: str, project: str = "*") -> None:
        """Take a permission from a person, in one project or in all."""
        with self.lock:
            self.revoked.add((self.person(who).id, project, _known(permission)))

    def restore(self, who: str, permission: str, project: str = "*") -> None:
        """Give a revoked permission back."""
        with self.lock:
            self.revoked.discard((self.person(who).id, project, _known(permission)))

    def may(self, user: User | None, permission: str, project: str) -> bool:
        """Tell whether a caller (None is anonymous) has a permission in a project."""
        if user is None:
            return self.public and permission == "BROWSE_PROJECTS"
        if not user.active or (permission in ADMIN_ONLY and not user.admin):
            return False
        taken = self.revoked
        if not taken:
            return True
        places = (project, "*")
        if permission != "BROWSE_PROJECTS" and any(
            (user.id, at, "BROWSE_PROJECTS") in taken for at in places
        ):
            return False
        return not any((user.id, at, permission) in taken for at in places)


def _known(permission: str) -> str:
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission}")
    return permission


def _named(things: Iterable[T], name: str) -> T | None:
    low = name.lower()
    return next((one for one in things if one.name.lower() == low), None)
