"""Endpoints of the site: search and JQL, the caller, fields, priorities, statuses, projects, users."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.simulator import meta, render, search
from bridge.simulator.exchange import ROUTES, Answer, Call, paged
from bridge.simulator.fields import View
from bridge.simulator.model import Json, Project, User, words
from bridge.simulator.refusal import BAD_PAYLOAD, Refusal

REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
SEARCH_KEYS = words(
    "jql nextPageToken maxResults fields expand properties fieldsByKeys failFast reconcileIssues",
)
DC_SEARCH_KEYS = words("jql startAt maxResults fields expand validateQuery properties fieldsByKeys")
MOST_USERS = 1000


# -- search -----------------------------------------------------------------------------------------


@ROUTES.add("POST", "/search/jql", kind="search", only="cloud", anonymous=True)
def search_jql_post(call: Call) -> Answer:
    """Search, the body saying what for."""
    body = call.object()
    lists_ok = all(
        isinstance(body.get(name) or [], list) for name in ("fields", "properties", "reconcileIssues")
    )
    size = body.get("maxResults", 50)
    if set(body) - SEARCH_KEYS or not lists_ok or not isinstance(size, int):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    if not isinstance(body.get("expand") or "", str) or not isinstance(body.get("jql") or "", str):
        raise Refusal(400, BAD_PAYLOAD, bare=True)
    ask = search.Ask(
        jql=body.get("jql") or "",
        size=size,
        token=body.get("nextPageToken"),
        fields=tuple(body.get("fields") or ()),
        expand=tuple((body.get("expand") or "").split(",")),
        properties=tuple(body.get("properties") or ()),
        reconcile=_numbers(body.get("reconcileIssues") or []),
    )
    return Answer(200, search.cloud(call.view, ask))


@ROUTES.add("GET", "/search/jql", kind="search", only="cloud", anonymous=True)
def search_jql_get(call: Call) -> Answer:
    """Search, the query string saying what for."""
    ask = search.Ask(
        jql=call.text("jql") or "",
        size=call.number("maxResults", 50),
        token=call.text("nextPageToken"),
        fields=tuple(call.words("fields")),
        expand=tuple(call.words("expand")),
        properties=tuple(call.words("properties")),
        reconcile=_numbers(call.words("reconcileIssues")),
    )
    return Answer(200, search.cloud(call.view, ask))


def _numbers(listed: Sequence[object]) -> tuple[int, ...]:
    try:
        return tuple(int(str(one)) for one in listed)
    except ValueError:
        raise Refusal(400, BAD_PAYLOAD, bare=True) from None


@ROUTES.add("GET", "/search", kind="search", only="cloud", anonymous=True)
@ROUTES.add("POST", "/search", kind="search", only="cloud", anonymous=True)
def search_removed(_: Call) -> Answer:
    """Refuse the removed search."""
    raise Refusal(410, REMOVED)


@ROUTES.add("POST", "/search/approximate-count", kind="search", only="cloud", anonymous=True)
def count(call: Call) -> Answer:
    """Estimate how many issues match."""
    ask = search.Ask(jql=str(call.object().get("jql") or ""), size=search.MOST)
    return Answer(200, {"count": len(search.cloud(call.view, ask)["issues"])})


@ROUTES.add("GET", "/search", kind="search", only="datacenter", anonymous=True)
def search_get(call: Call) -> Answer:
    """Search a Data Center site."""
    body: Json = {
        "jql": call.text("jql") or "",
        "startAt": call.number("startAt", 0),
        "maxResults": call.number("maxResults", 50),
        "fields": call.words("fields"),
        "expand": call.words("expand"),
        "properties": call.words("properties"),
    }
    return Answer(200, search.data_center(call.view, body))


@ROUTES.add("POST", "/search", kind="search", only="datacenter", anonymous=True)
def search_post(call: Call) -> Answer:
    """Search a Data Center site with a body."""
    body = call.object()
    unknown = set(body) - DC_SEARCH_KEYS
    if unknown:
        raise Refusal(
            400,
            f'Unrecognized field "{min(unknown)}" (Class SearchRequestBean), not marked as ignorable',
        )
    return Answer(200, search.data_center(call.view, body))


@ROUTES.add("POST", "/jql/parse", kind="meta", only="cloud", anonymous=True)
def jql_parse(call: Call) -> Answer:
    """Check queries without running them."""
    return Answer(200, search.check(call.view, call.json()))


@ROUTES.add("POST", "/jql/match", kind="read", only="cloud", anonymous=True)
def jql_match(call: Call) -> Answer:
    """Tell which issues match, from the issues themselves."""
    return Answer(200, search.match(call.view, call.json()))


# -- the site and the caller ------------------------------------------------------------------------


@ROUTES.add("GET", "/serverInfo", kind="meta", anonymous=True)
def server_info(call: Call) -> Answer:
    """Describe the server."""
    site = call.view.site
    return Answer(
        200,
        {
            "baseUrl": site.base_url + site.context_path,
            "version": site.version,
            "versionNumbers": [int(part) for part in site.version.partition("-")[0].split(".")],
            "deploymentType": "Cloud" if site.cloud else "DataCenter",
            "buildNumber": 100_282 if site.cloud else 10_030_000,
            "buildDate": "2026-10-01T00:00:00.000+0000",
            "serverTime": render.stamp(site.now()),
            "scmInfo": "0000000000000000000000000000000000000000",
            "serverTitle": site.name,
        },
    )


@ROUTES.add("GET", "/myself", kind="meta")
def myself(call: Call) -> Answer:
    """Describe the caller."""
    body = dict(render.user(call.view, call.view.me) or {})
    body |= {
        "locale": "en_US",
        "groups": {"size": 0, "items": []},
        "applicationRoles": {"size": 0, "items": []},
    }
    body["emailAddress"] = call.view.me.email
    return Answer(200, body)


@ROUTES.add("GET", "/mypermissions", kind="meta", anonymous=True)
def my_permissions(call: Call) -> Answer:
    """Tell the caller's permissions."""
    site = call.view.site
    key = call.text("projectKey") or call.text("projectId")
    issue = call.text("issueKey") or call.text("issueId")
    if issue:
        key = site.readable(call.view.user, issue).project
    if key:
        found = site.project_at(key)
        if found is None:
            raise Refusal(404, f"No project could be found with key '{key}'.")
        key = found.key
    return Answer(200, meta.permissions(call.view, call.text("permissions"), key))


@ROUTES.add("GET", "/field", kind="meta", anonymous=True)
def fields(call: Call) -> Answer:
    """List fields."""
    return Answer(200, meta.field_list(call.view))


@ROUTES.add("GET", "/priority", kind="meta", anonymous=True)
def priorities(call: Call) -> Answer:
    """List priorities."""
    return Answer(200, [_priority(call.view, key) for key in call.view.site.priorities])


@ROUTES.add("GET", "/priority/search", kind="meta", only="cloud", anonymous=True)
def priority_search(call: Call) -> Answer:
    """Page through priorities."""
    page = paged(call, [_priority(call.view, key) for key in call.view.site.priorities], 50)
    return Answer(200, page | {"isLast": page["startAt"] + len(page["values"]) >= page["total"]})


def _priority(view: View, key: str) -> Json:
    body = render.named(view, "priority", view.site.priorities[key]) or {}
    default = {"isDefault": key == view.site.default_priority} if view.site.cloud else {}
    return {**body, "statusColor": "#cccccc", "description": view.site.priorities[key].description, **default}


@ROUTES.add("GET", "/resolution", kind="meta", anonymous=True)
def resolutions(call: Call) -> Answer:
    """List resolutions."""
    return Answer(
        200, [render.named(call.view, "resolution", one) for one in call.view.site.resolutions.values()]
    )


@ROUTES.add("GET", "/status", kind="meta", anonymous=True)
def statuses(call: Call) -> Answer:
    """List statuses."""
    return Answer(200, [render.status(call.view, one) for one in call.view.site.statuses.values()])


@ROUTES.add("GET", "/statuses/search", kind="meta", only="cloud")
def status_search(call: Call) -> Answer:
    """Page through statuses, by project and name."""
    site = call.view.site
    wanted, text = call.text("projectId"), (call.text("searchString") or "").lower()
    ids = set(site.statuses)
    if wanted:
        project = site.project_at(wanted)
        ids = set(_status_ids(project)) if project else set()
    names = {"new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"}
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "statusCategory": names[one.category],
            "scope": {"type": "GLOBAL"},
            "description": one.description,
            "usages": [],
            "workflowUsages": [],
        }
        for one in site.statuses.values()
        if one.id in ids and text in one.name.lower()
    ]
    page = paged(call, rows, 200)
    return Answer(200, page | {"isLast": page["startAt"] + len(page["values"]) >= page["total"]})


@ROUTES.add("GET", "/issuetype", kind="meta", anonymous=True)
def types(call: Call) -> Answer:
    """List issue types."""
    return Answer(200, [render.issue_type(call.view, one) for one in call.view.site.types.values()])


# -- projects ---------------------------------------------------------------------------------------


def _project(call: Call) -> Project:
    found = call.view.site.project_at(call.parts["project"])
    if found is None or not call.view.site.may(call.view.user, "BROWSE_PROJECTS", found.key):
        raise Refusal(404, f"No project could be found with key '{call.parts['project']}'.")
    return found


@ROUTES.add("GET", "/project", kind="meta", anonymous=True)
def projects(call: Call) -> Answer:
    """List the projects the caller may browse."""
    site = call.view.site
    shown = [one for one in site.projects.values() if site.may(call.view.user, "BROWSE_PROJECTS", one.key)]
    return Answer(200, [render.project(call.view, one) for one in shown])


@ROUTES.add("GET", "/project/search", kind="meta", only="cloud", anonymous=True)
def project_search(call: Call) -> Answer:
    """Page through the projects the caller may browse."""
    site, keys = call.view.site, set(call.query.get("keys", []))
    shown = [one for one in site.projects.values() if site.may(call.view.user, "BROWSE_PROJECTS", one.key)]
    rows = [render.project(call.view, one) for one in shown if not keys or one.key in keys]
    page = paged(call, rows, 50)
    return Answer(200, page | {"isLast": page["startAt"] + len(page["values"]) >= page["total"]})


@ROUTES.add("GET", "/project/{project}", kind="meta", anonymous=True)
def project(call: Call) -> Answer:
    """Describe a project."""
    found = _project(call)
    body = render.project(call.view, found)
    body["issueTypes"] = [render.issue_type(call.view, call.view.site.types[one]) for one in found.types]
    body["components"] = render.listed(call.view, found, "components", found.components)
    body["versions"] = render.listed(call.view, found, "versions", found.versions)
    return Answer(200, body | {"roles": {}, "description": ""})


def _status_ids(found: Project) -> list[str]:
    ids: dict[str, None] = {}
    for type_id in found.types:
        ids.update(dict.fromkeys(found.workflow_of(type_id).statuses()))
    return list(ids)


@ROUTES.add("GET", "/project/{project}/statuses", kind="meta", anonymous=True)
def project_statuses(call: Call) -> Answer:
    """List a project's statuses by issue type."""
    found, site = _project(call), call.view.site
    rows: list[Json] = []
    for type_id in found.types:
        one = site.types[type_id]
        shown = [
            render.status(call.view, site.statuses[key]) for key in found.workflow_of(type_id).statuses()
        ]
        here = {"self": render.link(call.view, f"issuetype/{one.id}"), "id": one.id, "name": one.name}
        rows.append(here | {"subtask": one.subtask, "statuses": shown})
    return Answer(200, rows)


@ROUTES.add("GET", "/issue/createmeta", kind="meta")
def create_meta_old(_: Call) -> Answer:
    """Refuse the old catch-all createmeta, gone since Jira 9 and from Cloud."""
    raise Refusal(404, "Issue Does Not Exist")


@ROUTES.add("GET", "/issue/createmeta/{project}/issuetypes", kind="meta")
def create_types(call: Call) -> Answer:
    """Page through the types the caller may create in a project."""
    found, site = _project(call), call.view.site
    allowed = site.may(call.view.user, "CREATE_ISSUES", found.key)
    rows = [render.issue_type(call.view, site.types[one]) for one in found.types] if allowed else []
    page = paged(call, rows, 50, "issueTypes" if site.cloud else "values", most=200)
    if not site.cloud:
        page["isLast"] = page["startAt"] + len(page["values"]) >= page["total"]
    return Answer(200, page)


@ROUTES.add("GET", "/issue/createmeta/{project}/issuetypes/{type}", kind="meta")
def create_fields(call: Call) -> Answer:
    """Page through the create screen of a type."""
    found, site = _project(call), call.view.site
    if call.parts["type"] not in found.types:
        raise Refusal(404 if site.cloud else 400, "Issue type not found in the project.")
    rows = (
        meta.create_fields(call.view, found) if site.may(call.view.user, "CREATE_ISSUES", found.key) else []
    )
    page = paged(call, rows, 50, "fields" if site.cloud else "values", most=200)
    if not site.cloud:
        page["isLast"] = page["startAt"] + len(page["values"]) >= page["total"]
    return Answer(200, page)


# -- users ------------------------------------------------------------------------------------------


@ROUTES.add("GET", "/user", kind="meta")
def user(call: Call) -> Answer:
    """Describe a user."""
    site = call.view.site
    if site.cloud:
        found = site.users.get(call.text("accountId") or "")
        if found is None:
            raise Refusal(404, "Specified user does not exist or you do not have required permissions")
    else:
        wanted = call.text("username") or call.text("key") or ""
        found = next((one for one in site.users.values() if wanted in {one.name, one.id}), None)
        if found is None:
            raise Refusal(404, f"The user named '{wanted}' does not exist")
    return Answer(200, render.user(call.view, found))


def _matching(call: Call) -> list[User]:
    site = call.view.site
    name = "query" if site.cloud else "username"
    text = call.text(name)
    if site.cloud and call.text("accountId"):
        found = site.users.get(call.text("accountId") or "")
        return [found] if found else []
    if text is None:
        raise Refusal(400, f"The {name} query parameter was not provided")
    low = text.lower()
    return [one for one in site.users.values() if _matches(one, low, cloud=site.cloud)]


def _matches(one: User, low: str, *, cloud: bool) -> bool:
    if low in {"", "."} and not cloud:
        return True
    where = [one.display_name.lower(), *one.display_name.lower().split()]
    if not (cloud and one.hidden_email):
        where.append(one.email.lower())
    if not cloud:
        where.append(one.name.lower())
    return any(place.startswith(low) for place in where)


@ROUTES.add("GET", "/user/search", kind="meta")
def user_search(call: Call) -> Answer:
    """Find users by name or address; never past the 1000th. Only Data Center shows those who have left, if asked."""
    everybody = not call.view.site.cloud and call.text("includeInactive") == "true"
    found = [one for one in _matching(call) if one.active or everybody][:MOST_USERS]
    page = paged(call, [render.user(call.view, one) for one in found], 50)
    return Answer(200, page["values"])


@ROUTES.add("GET", "/user/assignable/search", kind="meta")
def assignable(call: Call) -> Answer:
    """Find users who can be assigned in a project or to an issue."""
    site = call.view.site
    issue, key = call.text("issueKey"), call.text("project")
    if issue:
        key = site.readable(call.view.user, issue).project
    found = site.project_at(key or "")
    if found is None:
        raise Refusal(404 if key else 400, f"No project could be found with key '{key}'.")
    if "query" not in call.query and "username" not in call.query and "accountId" not in call.query:
        people = list(site.users.values())
    else:
        people = _matching(call)
    shown = [one for one in people if one.active and site.may(one, "ASSIGNABLE_USER", found.key)]
    return Answer(200, paged(call, [render.user(call.view, one) for one in shown], 50)["values"])
