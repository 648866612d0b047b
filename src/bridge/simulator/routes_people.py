"""Endpoints of groups and project roles: shown to administrators only, as in Jira."""

from __future__ import annotations

from bridge.simulator import render
from bridge.simulator.exchange import ROUTES, Answer, Call, paged
from bridge.simulator.model import Json, Project
from bridge.simulator.refusal import Refusal

FIRST_ROLE = 10_100
"""Number of the first project role; the others follow in the order of their names."""

MOST_MEMBERS = 50


@ROUTES.add("GET", "/group/member", kind="meta")
def group_members(call: Call) -> Answer:
    """Page through the people of a group; those who were deactivated only when asked for."""
    site, name = call.view.site, call.text("groupname")
    if not name:
        raise Refusal(400, "The group name must be specified.")
    if not site.may(call.view.user, "ADMINISTER", "*"):
        raise Refusal(403, "You do not have the permission to see the specified group.")
    if name not in {group for user in site.users.values() for group in user.groups}:
        raise Refusal(404, f"The group named '{name}' does not exist.")
    shown = [
        render.user(call.view, user)
        for user in site.users.values()
        if name in user.groups and (user.active or call.flag("includeInactiveUsers"))
    ]
    page = paged(call, shown, MOST_MEMBERS, most=MOST_MEMBERS)
    return Answer(200, page | {"isLast": page["startAt"] + len(page["values"]) >= page["total"]})


@ROUTES.add("GET", "/project/{project}/role", kind="meta")
def project_roles(call: Call) -> Answer:
    """List the roles of a project, each with its address."""
    found = _project(call)
    return Answer(200, {name: _address(call, found, number) for number, name in _roles(call).items()})


@ROUTES.add("GET", "/project/{project}/role/{role}", kind="meta")
def project_role(call: Call) -> Answer:
    """Tell who acts in a role."""
    found, site = _project(call), call.view.site
    number = int(call.parts["role"]) if call.parts["role"].isdecimal() else 0
    name = _roles(call).get(number)
    if name is None:
        raise Refusal(404, f"Can not retrieve role actors for project {found.key}: no such role.")
    actors: list[Json] = []
    for place, user in enumerate(site.users.values(), 1):
        if name not in user.roles or (call.flag("excludeInactiveUsers") and not user.active):
            continue
        actor: Json = {
            "id": 20_000 + place,
            "displayName": user.display_name,
            "type": "atlassian-user-role-actor",
        }
        actor |= {"actorUser": {"accountId": user.id}} if site.cloud else {"name": user.name}
        actors.append(actor)
    body = {"self": _address(call, found, number), "name": name, "id": number, "description": ""}
    return Answer(200, body | {"actors": actors})


def _project(call: Call) -> Project:
    site = call.view.site
    found = site.project_at(call.parts["project"])
    if found is None or not site.may(call.view.user, "ADMINISTER_PROJECTS", found.key):
        raise Refusal(404, f"No project could be found with key '{call.parts['project']}'.")
    return found


def _roles(call: Call) -> dict[int, str]:
    names = sorted({role for user in call.view.site.users.values() for role in user.roles})
    return dict(enumerate(names, FIRST_ROLE))


def _address(call: Call, found: Project, number: int) -> str:
    return render.link(call.view, f"project/{found.id}/role/{number}")
