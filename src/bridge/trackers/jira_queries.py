"""The JQL of polls, censuses and searches for our marks.

Everything put into a query is a number, a quoted name, or the operator's own selection; never text from a
ticket. Times are unquoted epoch milliseconds: a quoted date is read to the minute in the time zone of the
account's profile, and accounts west of UTC would skip changes for good (airbytehq/airbyte#48492).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bridge.errors import Refused
from bridge.sync.agreement import Scope
from bridge.trackers.protocol import Watch

FOLLOWED_AT_ONCE = 500
"""Ids of followed tickets in one query; the rest are asked for by further searches."""

_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


def quote(text: str) -> str:
    """A JQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def milliseconds(micros: int) -> int:
    """The bound for a time: floored, so that nothing is skipped."""
    return max(0, micros // 1000)


def in_scope(scope: Scope) -> str:
    """The tickets of a scope.

    Raises:
        Refused: the selection's parentheses do not match, so that it could reach outside the project.
    """
    project = f"project = {quote(scope.project)}"
    if scope.since:
        project = f"{project} AND created >= {milliseconds(scope.since)}"
    if not scope.select.strip():
        return f"({project})" if scope.since else project
    depth = 0
    for char in _QUOTED.sub("", scope.select):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            break
    if depth:
        raise Refused(scope.tracker, f"the parentheses of 'select' do not match: {scope.select}", status=400)
    return f"({project} AND ({scope.select}))"


def views(watch: Watch, lost: frozenset[str] = frozenset()) -> list[str]:
    """What is in view, as one condition or, with many followed tickets, several.

    Followed tickets are named, because they may leave the selection, or the project.

    Args:
        watch: scope and followed ids.
        lost: ids that a query must not name, because Jira refuses queries that name deleted issues.
    """
    base = in_scope(watch.scope)
    follow = [one for one in watch.follow if one.isdecimal() and one not in lost]
    chunks = [follow[at : at + FOLLOWED_AT_ONCE] for at in range(0, len(follow), FOLLOWED_AT_ONCE)]
    if not chunks:
        return [base]
    return [f"({base} OR {_among(chunks[0])})", *(_among(chunk) for chunk in chunks[1:])]


def changed(view: str, since: int, canary: str = "") -> str:
    """What changed at or after ``since``, oldest first; the canary is there whatever its age.

    The bound is a lower one only: with an upper one a ticket that keeps changing would never be seen.
    """
    condition = f"{view} AND updated >= {milliseconds(since)}"
    if canary.isdecimal():
        condition = f"({condition}) OR id = {canary}"
    return f"{condition} ORDER BY updated ASC, id ASC"


def everything(view: str) -> str:
    """All of a view, in an order that does not change under the reader's feet."""
    return f"{view} ORDER BY id ASC"


def newest(scope: Scope) -> str:
    """A scope, what changed last first."""
    return f"{in_scope(scope)} ORDER BY updated DESC, id DESC"


def marked(marker: str) -> str:
    """Tickets with our mark, wherever they have been moved to."""
    return f"labels = {quote(marker)} ORDER BY id ASC"


def own_since(scope: Scope, since: int) -> str:
    """Tickets that our account created: the creator cannot be forged, unlike the reporter."""
    project = quote(scope.project)
    mine = f"project = {project} AND creator = currentUser()"
    return f"{mine} AND created >= {milliseconds(since)} ORDER BY id ASC"


def named_ids(words: str, asked: Sequence[str]) -> frozenset[str]:
    """Which of the ids that a query named appear in Jira's refusal of it."""
    numbers = set(re.findall(r"\d+", words))
    return frozenset(one for one in asked if one in numbers)


def _among(ids: Sequence[str]) -> str:
    return f"id in ({', '.join(ids)})"
