"""Workflow steps: which are open to whom, what their screens ask for, and taking one.

Without the transition permission Jira answers an empty list, not a 403; status is reached by steps, never
set.
"""

from __future__ import annotations

from typing import Any

from bridge.simulator import comments, fields, render
from bridge.simulator.fields import View
from bridge.simulator.issues import change_values, check_body, parse_body
from bridge.simulator.meta import field_meta
from bridge.simulator.model import Issue, Json, Transition
from bridge.simulator.properties import put_all
from bridge.simulator.refusal import Refusal


def available(view: View, issue: Issue) -> list[Transition]:
    """Return the steps the caller can take from the issue's status."""
    site = view.site
    if not site.may(view.user, "TRANSITION_ISSUES", issue.project):
        return []
    workflow = site.projects[issue.project].workflow_of(issue.type)
    return [step for step in workflow.transitions if _starts(step, issue.status)]


def _starts(step: Transition, status: str) -> bool:
    if step.sources is None:
        return not (step.blocks_self and step.to == status)
    return status in step.sources


def describe(view: View, issue: Issue, step: Transition, *, with_fields: bool) -> Json:
    """Render a step as GET /transitions lists it."""
    site = view.site
    body: Json = {"id": step.id, "name": step.name, "to": render.status(view, site.statuses[step.to])}
    if site.cloud:
        body |= {
            "hasScreen": bool(step.screen),
            "isGlobal": step.sources is None,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "isLooped": False,
        }
    if with_fields:
        project = site.projects[issue.project]
        body["fields"] = {
            name: field_meta(view, project, name, required=required) for name, required in step.screen
        }
    return body


def take(view: View, issue: Issue, body: Any) -> None:
    """Take a step, with the fields its screen asks for, in one history entry."""
    site = view.site
    if not isinstance(body, dict) or not isinstance(body.get("transition"), dict):
        raise Refusal(400, "Missing 'transition' identifier")
    wanted = body["transition"].get("id")
    if isinstance(wanted, bool) or not isinstance(wanted, str | int) or wanted == "":
        raise Refusal(400, "Missing 'transition' identifier")
    check_body(body)
    step = next((one for one in available(view, issue) if one.id == str(wanted)), None)
    if step is None:
        raise Refusal(400, f"Transition id '{wanted}' is not valid for this issue.")
    project = site.projects[issue.project]
    values, notes = parse_body(view, project, body, {name for name, _ in step.screen}, issue)
    for name, required in step.screen:
        held = values.get(name) if name in values else fields.current(issue, name)
        if required and not held:
            raise Refusal(400, errors={name: f"{fields.label_of(site, name)} is required."})
    if step.sets_resolution is not None and "resolution" not in values:
        values["resolution"] = step.sets_resolution or None
    items = []
    if step.to != issue.status:
        items.append(fields.history_item(site, "status", issue.status, step.to))
    put_all(issue, body.get("properties") or [])
    issue.status = step.to
    change_values(view, issue, values, first=items, metadata=body.get("historyMetadata"))
    for one in notes:
        comments.add(view, issue, one)
