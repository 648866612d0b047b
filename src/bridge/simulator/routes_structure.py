"""Endpoints of what stands between and beside issues: links, and worklogs."""

from __future__ import annotations

from bridge.simulator import relations, render, worklogs
from bridge.simulator.exchange import ROUTES, Answer, Call, paged
from bridge.simulator.model import Issue
from bridge.simulator.render import may_see


def _issue(call: Call) -> Issue:
    return call.view.site.readable(call.view.user, call.parts["issue"])


@ROUTES.add("GET", "/issueLinkType", kind="meta", anonymous=True)
def link_types(call: Call) -> Answer:
    """List the types of links."""
    return Answer(200, {"issueLinkTypes": relations.types(call.view)})


@ROUTES.add("POST", "/issueLink", kind="write")
def link_add(call: Call) -> Answer:
    """Link two issues; the answer names no id."""
    relations.add(call.view, call.json())
    return Answer(201)


@ROUTES.add("GET", "/issueLink/{link}", kind="read", anonymous=True)
def link_read(call: Call) -> Answer:
    """Read one link."""
    return Answer(200, relations.show(call.view, call.parts["link"]))


@ROUTES.add("DELETE", "/issueLink/{link}", kind="write")
def link_remove(call: Call) -> Answer:
    """Remove a link."""
    relations.remove(call.view, call.parts["link"])
    return Answer(204)


@ROUTES.add("GET", "/issue/{issue}/worklog", kind="read", anonymous=True)
def worklog_list(call: Call) -> Answer:
    """Page through the worklogs the caller may read, oldest first."""
    issue = _issue(call)
    wide = "properties" in call.words("expand")
    readable = [one for one in issue.worklogs if may_see(call.view, one.visibility)]
    rows = [render.worklog(call.view, issue, one, properties=wide) for one in readable]
    return Answer(200, paged(call, rows, 5000, "worklogs", most=5000))


@ROUTES.add("POST", "/issue/{issue}/worklog", kind="write")
def worklog_add(call: Call) -> Answer:
    """Book time."""
    issue = _issue(call)
    return Answer(201, render.worklog(call.view, issue, worklogs.add(call.view, issue, call.json())))


@ROUTES.add("PUT", "/issue/{issue}/worklog/{worklog}", kind="write")
def worklog_edit(call: Call) -> Answer:
    """Change booked time."""
    issue = _issue(call)
    found = worklogs.find(call.view, issue, call.parts["worklog"])
    return Answer(200, render.worklog(call.view, issue, worklogs.edit(call.view, issue, found, call.json())))


@ROUTES.add("DELETE", "/issue/{issue}/worklog/{worklog}", kind="write")
def worklog_delete(call: Call) -> Answer:
    """Delete booked time."""
    issue = _issue(call)
    worklogs.delete(call.view, issue, worklogs.find(call.view, issue, call.parts["worklog"]))
    return Answer(204)
