"""What the configuration must know about a kind of tracker before any tracker is opened.

The kinds themselves are entry points of the group ``bridge.trackers``; the layers forbid this room to
import them, so whoever calls ``load`` may pass more kinds than the built-in ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from bridge.markup import Dialect
from bridge.sync.agreement import LISTED_FIELDS

TEXT_LIMIT = 32_767
"""Longest text that Jira takes, and that is safe to give to any other tracker."""


class MarkerField(Enum):
    """Whether a kind keeps the bridge's mark in a text custom field that the operator must name."""

    NEEDED = "needed"
    OPTIONAL = "optional"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tracker, as far as the files are concerned.

    Attributes:
        dialect: the markup of its texts.
        search_lag: seconds by which its search may trail the truth, unless the file says otherwise.
        lacks: built-in fields that it does not have.
        edits_texts: whether a text that was written can be changed or taken back, and a file removed (RT keeps what was
            said).
        summary_limit: longest summary, in characters.
        marker_field: whether ``marker-field`` must, may or must not be given.
        needs_user: True when a token alone is no login, unless it goes through a gateway with ``cloud-id``.
        takes_user: False when the token is the whole login.
        takes_cloud_id: True when there is such a gateway.
        threads: whether its comments can answer one another.
        limits_readers: whether a comment can be shown to a role or a group alone.
        groups: whether it has groups whose members can be read.
        project_roles: roles that a project has and whose members can be read; None when each site names its own.
        key: how its tickets are called, with ``{project}`` and ``{number}``; "" when that cannot be said.
        formattings: markups that it may be set to in place of the usual one; empty when there is no choice.
        project: regular expression for a whole project key or identifier.
        project_example: what a project looks like, for messages.
        text_limit: longest text, in characters of the native form.
    """

    dialect: Dialect
    search_lag: float = 120.0
    lacks: frozenset[str] = frozenset()
    edits_texts: bool = True
    summary_limit: int = 255
    marker_field: MarkerField = MarkerField.OPTIONAL
    needs_user: bool = False
    takes_user: bool = True
    takes_cloud_id: bool = False
    threads: bool = False
    limits_readers: bool = False
    groups: bool = True
    project_roles: tuple[str, ...] | None = None
    key: str = ""
    formattings: frozenset[Dialect] = frozenset()
    project: str = r"\S+"
    project_example: str = "OPS"
    text_limit: int = TEXT_LIMIT


_JIRA_PROJECT = r"[A-Z][A-Z0-9_]+"
_JIRA_KEY = "{project}-{number}"

BUILT_IN_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "jira-cloud": Kind(
            dialect="adf",
            search_lag=120.0,
            marker_field=MarkerField.UNUSED,
            needs_user=True,
            takes_cloud_id=True,
            threads=True,
            limits_readers=True,
            project=_JIRA_PROJECT,
            key=_JIRA_KEY,
        ),
        "jira-datacenter": Kind(
            dialect="wiki",
            search_lag=30.0,
            marker_field=MarkerField.UNUSED,
            limits_readers=True,
            project=_JIRA_PROJECT,
            key=_JIRA_KEY,
        ),
        "redmine": Kind(
            dialect="markdown",
            search_lag=5.0,
            lacks=frozenset({"labels", "affects-versions"}),
            marker_field=MarkerField.NEEDED,
            takes_user=False,
            formattings=frozenset({"markdown", "textile"}),
            project=r"[a-z0-9][a-z0-9_-]{0,99}",
            project_example="web-shop",
            key="{number}",
        ),
        "request-tracker": Kind(
            dialect="html",
            search_lag=5.0,
            lacks=frozenset({"labels", "type", *LISTED_FIELDS}),
            edits_texts=False,
            summary_limit=200,
            text_limit=10_000_000,
            marker_field=MarkerField.NEEDED,
            takes_user=False,
            project=r"\S(.*\S)?",
            project_example="Customer Support",
            project_roles=("AdminCc", "Cc"),
            key="{number}",
        ),
    }
)
"""The kinds that come with the bridge."""
