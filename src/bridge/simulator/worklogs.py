"""Worklogs: time that people booked on an issue. Each change moves the issue's ``updated``."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.simulator import properties
from bridge.simulator.comments import read_visibility
from bridge.simulator.fields import View, parse_text
from bridge.simulator.history import touch
from bridge.simulator.model import Issue, Json, Worklog, words
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal, field_refusal
from bridge.simulator.render import may_see

BODY_KEYS = words(
    """
    comment started timeSpent timeSpentSeconds visibility properties author updateAuthor created updated id
    issueId self
    """,
)
UNITS = {"w": 144_000, "d": 28_800, "h": 3_600, "m": 60}


def add(view: View, issue: Issue, body: Any) -> Worklog:
    """Book time."""
    _check(body)
    if not view.site.cloud and "properties" in body:  # Data Center's description knows none
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    if not view.site.may(view.user, "WORK_ON_ISSUES", issue.project):
        raise Refusal(
            403 if view.site.cloud else 400,
            "You do not have the permission to associate a worklog to this issue.",
        )
    seconds = _seconds(body)
    if seconds is None:
        raise field_refusal("timeLogged", "You must indicate the time spent working.")
    now, me = view.site.now(), view.me.id
    fresh = Worklog(
        id=str(view.site.new_id("part")),
        author=me,
        body=parse_text(view, "comment", body.get("comment")),
        started=_started(body["started"]) if body.get("started") else now,
        seconds=seconds,
        created=now,
        updated=now,
        update_author=me,
        visibility=read_visibility(view, body.get("visibility")),
        properties=properties.as_dict(body["properties"]) if body.get("properties") is not None else {},
    )
    issue.worklogs = [*issue.worklogs, fresh]
    touch(view.site, issue)
    return fresh


def edit(view: View, issue: Issue, worklog: Worklog, body: Any) -> Worklog:
    """Change what is given; the rest stays."""
    _check(body)
    _may_touch(view, issue, worklog, "EDIT")
    changed = replace(worklog, updated=view.site.now(), update_author=view.me.id)
    if "comment" in body:
        changed = replace(changed, body=parse_text(view, "comment", body["comment"]))
    if "visibility" in body:
        changed = replace(changed, visibility=read_visibility(view, body["visibility"]))
    if body.get("started"):
        changed = replace(changed, started=_started(body["started"]))
    seconds = _seconds(body)
    if seconds is not None:
        changed = replace(changed, seconds=seconds)
    issue.worklogs = [changed if one.id == worklog.id else one for one in issue.worklogs]
    touch(view.site, issue)
    return changed


def delete(view: View, issue: Issue, worklog: Worklog) -> None:
    """Delete booked time."""
    _may_touch(view, issue, worklog, "DELETE")
    issue.worklogs = [one for one in issue.worklogs if one.id != worklog.id]
    touch(view.site, issue)


def find(view: View, issue: Issue, number: str) -> Worklog:
    """Return a worklog the caller may read, or refuse with 404."""
    for one in issue.worklogs:
        if one.id == number and may_see(view, one.visibility):
            return one
    raise Refusal(404, f"Cannot find worklog with id: '{number}'.")


def _check(body: Any) -> None:
    if not isinstance(body, dict) or set(body) - BODY_KEYS:
        raise Refusal(400, BAD_PAYLOAD, bare=True)


def _seconds(body: Json) -> int | None:
    raw = body.get("timeSpentSeconds")
    if isinstance(raw, int) and raw > 0:
        return raw - raw % 60 or 60
    text = body.get("timeSpent")
    if raw is None and text is None:
        return None
    parts = re.findall(r"(\d+)([wdhm])", str(text or ""))
    if not parts:
        raise field_refusal("timeLogged", "Invalid time duration entered.")
    return sum(int(amount) * UNITS[unit] for amount, unit in parts)


def _started(raw: Any) -> int:
    try:
        return round(datetime.strptime(str(raw), "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
    except ValueError:
        raise field_refusal("started", f"Error parsing time: {raw}") from None


def _may_touch(view: View, issue: Issue, worklog: Worklog, verb: str) -> None:
    own = worklog.author == view.me.id and view.site.may(view.user, f"{verb}_OWN_WORKLOGS", issue.project)
    if not own and not view.site.may(view.user, f"{verb}_ALL_WORKLOGS", issue.project):
        word = verb.lower()
        raise Refusal(
            403 if view.site.cloud else 400, f"You do not have permission to {word} worklog '{worklog.id}'."
        )
