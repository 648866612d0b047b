"""What the simulator takes and answers, against Atlassian's own OpenAPI descriptions.

Requests are judged strictly: what a person of these tests sends must be what Atlassian describes. Answers are
judged leniently where the real Jira itself leaves its description: ``+0000`` in dates, nulls in the history,
and properties nobody wrote down.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import warnings
from pathlib import Path

import pytest
from simulator_people import doc

FILES = {"acme": "jira-cloud-platform-v3.json.gz", "home": "jira-dc-10.3.json.gz"}

MISTAKES = {  # of the descriptions, each against what the real server takes or answers
    r"/rest/api/3/.*/worklog.* request .*0000' is not a 'date-time' \['started'\]": "its own example has +0000",
    r"GET /rest/api/2/(field|priority|status|issuetype|resolution) .*answer": "one for a list",
    r"GET /rest/api/2/project/OPS/statuses .*answer": "one for a list",
    r"GET /rest/api/2/user/(assignable/)?search.*answer": "one for a list",
    r"GET /rest/api/2/issue/OPS-1/remotelink 200 answer": "one for a list",
    r"POST /rest/api/2/issue/OPS-1/remotelink 201 answer": "does not know 201",
    r"/properties/p 20[01] .* is not of type 'string'": "a property is any JSON",
    r"POST /rest/api/\d/issue/\w+-1/attachments 200 (request|answer)": "a form is no JSON list; one for a list",
    r"GET /rest/api/2/search\?.*Failed to cast value to object": "the query parameter fields is text",
}


class Witness:
    """Keeps each exchange and has it judged."""

    def __init__(self, name: str, root: str) -> None:
        from openapi_core import Config, OpenAPI

        self.kept = []
        config = Config(spec_validator_cls=None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the library's own, not ours to mend
            self.strict = OpenAPI.from_dict(_read(name, root), config=config)
            self.lenient = OpenAPI.from_dict(_loosen(_read(name, root)), config=config)

    def keep(self, answer, *_args, **_kwargs):
        self.kept.append(answer)

    def complaints(self):
        from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

        for answer in self.kept:
            what = f"{answer.request.method} {answer.request.path_url} {answer.status_code}"
            asked = RequestsOpenAPIRequest(answer.request)
            if answer.status_code < 400:
                yield from ((what, "request", one) for one in _errors(self.strict.validate_request, asked))
            if answer.content and answer.status_code < 400:
                given = RequestsOpenAPIResponse(answer)
                yield from (
                    (what, "answer", one) for one in _errors(self.lenient.validate_response, asked, given)
                )


def _errors(judge, *what):
    from openapi_core.exceptions import OpenAPIError

    try:
        judge(*what)
    except OpenAPIError as error:
        cause = error.__cause__ or error
        inner = getattr(cause, "schema_errors", None) or [cause]
        yield from (
            f"{type(cause).__name__}: {getattr(one, 'message', one)!s:.300} {list(getattr(one, 'path', []))}"
            for one in inner
        )


def _read(name, root):
    description = json.loads(gzip.decompress((Path(os.environ["BRIDGE_SPECS"]) / FILES[name]).read_bytes()))
    description["servers"] = [{"url": root}]
    return _mend(description)


def _loosen(node):
    """Forget date formats, that nothing else may be there, and that a history entry's ends are never null."""
    if isinstance(node, list):
        return [_loosen(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _loosen(value) for key, value in node.items()}
    if kept.get("format") in {"date-time", "date", "uri"}:
        del kept["format"]
    for name in ("from", "to", "fromString", "toString"):
        _property(kept, name).update(nullable=True)
    if kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
    return kept


def _mend(node):
    """Let a field of an issue be more than an object, which is all that Data Center's description knows."""
    if isinstance(node, list):
        return [_mend(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _mend(value) for key, value in node.items()}
    _property(kept, "fields").pop("additionalProperties", None)
    return kept


def _property(node, name):
    properties = node.get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    return found if isinstance(found, dict) and "type" in found else {}


def _complain(witness):
    told = (" ".join(one) for one in witness.complaints())
    return [one for one in told if not any(re.search(known, one) for known in MISTAKES)]


@pytest.fixture
def witness(request, either):
    name = "acme" if either.site.cloud else "home"
    folder = os.environ.get("BRIDGE_SPECS", "")
    if not folder or not (Path(folder) / FILES[name]).exists():
        pytest.skip("BRIDGE_SPECS does not name a folder with the OpenAPI descriptions")
    return Witness(name, either.url if either.site.cloud else f"{either.url}/rest")


def test_requests_and_answers_are_what_atlassian_describes(witness, someone, either):  # noqa: PLR0915 - one tour
    cloud = either.site.cloud
    someone.session.hooks["response"].append(witness.keep)
    if not cloud:  # its description knows no bearer tokens
        del someone.session.headers["Authorization"]
        someone.session.auth = ("ann", "ann-token")
    text = doc if cloud else str
    person = {"accountId": either.site.person("cy").id} if cloud else {"name": "ivan"}
    key = someone.create(
        description=text("words"),
        labels=["a"],
        assignee=person,
        duedate="2026-12-24",
        customfield_10041={"value": "Major"},
        customfield_10043=2.5,
    )
    someone.put(f"/issue/{key}", {"update": {"labels": [{"add": "b"}]}, "fields": {"summary": "n"}}, 204)
    comment = someone.post(f"/issue/{key}/comment", {"body": text("c")}, 201)["id"]
    someone.put(f"/issue/{key}/comment/{comment}", {"body": text("d")}, 200)
    someone.get(f"/issue/{key}/comment/{comment}")
    someone.get(f"/issue/{key}/comment", orderBy="-created", expand="properties")
    someone.put(f"/comment/{comment}/properties/p", {"v": 1}, 201)
    someone.get(f"/comment/{comment}/properties/p")
    someone.get(f"/comment/{comment}/properties")
    someone.get(f"/issue/{key}/transitions", expand="transitions.fields")
    someone.post(f"/issue/{key}/transitions", {"transition": {"id": "11" if cloud else "4"}}, 204)
    link = {"globalId": "g", "object": {"url": "https://x.example", "title": "t"}}
    number = someone.post(f"/issue/{key}/remotelink", link, 201)["id"]
    someone.get(f"/issue/{key}/remotelink")
    someone.get(f"/issue/{key}/remotelink/{number}")
    other = someone.create("Other", components=[{"name": "Portal"}], fixVersions=[{"name": "1.0"}])
    ends = {"inwardIssue": {"key": key}, "outwardIssue": {"key": other}}
    someone.post("/issueLink", {"type": {"name": "Blocks"}, **ends}, 201)
    number = someone.get(f"/issue/{key}")["fields"]["issuelinks"][0]["id"]
    someone.get(f"/issueLink/{number}")
    someone.get("/issueLinkType")
    someone.delete(f"/issueLink/{number}")
    spent = {"started": "2026-11-20T09:00:00.000+0000", "timeSpentSeconds": 3600, "comment": text("w")}
    number = someone.post(f"/issue/{key}/worklog", spent, 201)["id"]
    someone.put(f"/issue/{key}/worklog/{number}", spent, 200)
    someone.get(f"/issue/{key}/worklog")
    someone.delete(f"/issue/{key}/worklog/{number}")
    someone.put(f"/issue/{key}/properties/p", {"v": 1}, 201)
    someone.get(f"/issue/{key}/properties/p")
    someone.get(f"/issue/{key}/properties")
    someone.get(f"/issue/{key}", expand="changelog,names,transitions,editmeta")
    someone.get(f"/issue/{key}/editmeta")
    project = key.split("-", maxsplit=1)[0]
    types = someone.get(f"/issue/createmeta/{project}/issuetypes")["issueTypes" if cloud else "values"]
    someone.get(f"/issue/createmeta/{project}/issuetypes/{types[0]['id']}")
    for path in (
        "myself",
        "field",
        "priority",
        "status",
        "issuetype",
        "resolution",
        "serverInfo",
        "attachment/meta",
    ):
        someone.get(f"/{path}")
    someone.get("/mypermissions", permissions="EDIT_ISSUES")
    someone.get(f"/project/{project}")
    someone.get(f"/project/{project}/statuses")
    someone.get("/user/assignable/search", project=project)
    someone.put(f"/issue/{key}/assignee", person if cloud else {"name": "ann"}, 204)
    someone.search(f"project = {project}", fields=["*all"])
    if cloud:
        someone.get("/search/jql", jql=f"project = {project}", fields="summary,comment")
        someone.get(f"/issue/{key}/changelog")
        someone.post("/issue/bulkfetch", {"issueIdsOrKeys": [key], "expand": ["changelog"]}, 200)
        someone.post("/changelog/bulkfetch", {"issueIdsOrKeys": [key]}, 200)
        someone.post("/jql/parse", {"queries": [f"project = {project}", "x = 1"]}, 200, validation="strict")
        someone.post("/jql/match", {"jqls": ["summary ~ n"], "issueIds": [either.site.issue(key).id]}, 200)
        someone.post("/search/approximate-count", {"jql": f"project = {project}"}, 200)
        someone.get("/priority/search")
        someone.get("/statuses/search")
        someone.get("/project/search")
        someone.get("/user/search", query="ada")
        someone.get("/user", accountId=either.site.person("cy").id)
    else:
        someone.get("/search", jql=f"project = {project}", fields="summary,comment")
        someone.get("/user/search", username="a")
        someone.get("/user", username="ann")
    either.site.change_user("bo" if cloud else "ann", admin=True)
    if cloud:  # Data Center's description has the group's name in a path that has no place for it
        someone.get("/group/member", groupname="staff", includeInactiveUsers="true")
    roles = someone.get(f"/project/{project}/role")
    someone.get(f"/project/{project}/role/{roles['Developers'].rpartition('/')[2]}")
    upload = {"file": ("a.txt", b"words", "text/plain")}
    where = f"{someone.root}/issue/{key}/attachments"
    made = someone.session.post(where, files=upload, headers={"X-Atlassian-Token": "no-check"}, timeout=10)
    number = made.json()[0]["id"]
    someone.get(f"/attachment/{number}")
    someone.get(f"/issue/{key}", fields="attachment")
    someone.delete(f"/attachment/{number}")
    someone.delete(f"/issue/{key}/comment/{comment}")
    someone.delete(f"/issue/{key}")
    found = _complain(witness)
    assert not found, "\n".join(found)
    assert len(witness.kept) > 35


@pytest.mark.parametrize("either", ["acme"], indirect=True)
def test_the_witness_notices_a_wrong_type(witness, someone):
    """The `jira` package sends a step's id as a number; Jira takes it, the description does not."""
    key = someone.create()
    someone.session.hooks["response"].append(witness.keep)
    someone.post(f"/issue/{key}/transitions", {"transition": {"id": 11}}, 204)
    assert any("not of type 'string'" in text for _, _, text in witness.complaints())
