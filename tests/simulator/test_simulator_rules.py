"""The rules of a site: what may be written, who may, what it leaves behind."""

from __future__ import annotations

import pytest
from simulator_people import NOON, Person, doc

from bridge.simulator import add_project, dump, move
from bridge.simulator.model import CustomField


def test_a_create_says_what_it_lacks(bo, ann):
    assert bo.post("/issue", {"fields": {}}, 400)["errors"] == {
        "project": "Specify a valid project ID or key"
    }
    given = {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}}
    assert "summary" in ann.post("/issue", {"fields": given}, 400)["errors"]
    assert "issuetype" in ann.post("/issue", {"fields": {"project": {"key": "OPS"}}}, 400)["errors"]


@pytest.mark.parametrize(
    ("fields", "blamed", "words"),
    [
        ({"summary": "x" * 256}, "summary", "255"),
        ({"summary": "a\nb"}, "summary", "newline"),
        ({"summary": "  "}, "summary", "must specify"),
        ({"labels": ["a b"]}, "labels", "contains spaces"),
        ({"labels": "a"}, "labels", "array"),
        ({"priority": {"name": "Nope"}}, "priority", "valid"),
        ({"customfield_10041": {"value": "Nope"}}, "customfield_10041", "Option value 'Nope' is not valid"),
        ({"customfield_10043": "5"}, "customfield_10043", "number"),
        ({"customfield_10042": 5}, "customfield_10042", "string"),
        ({"customfield_10042": "x" * 256}, "customfield_10042", "255"),
        ({"duedate": "2026-02-30"}, "duedate", "Error parsing date"),
        ({"nonsense": 1}, "nonsense", "cannot be set. It is not on the appropriate screen, or unknown."),
        ({"status": {"name": "Done"}}, "status", "cannot be set"),
        ({"creator": {"name": "ann"}}, "creator", "cannot be set"),
        ({"issuetype": {"name": "Sub-task"}}, "parent", "sub-task"),
        ({"parent": {"key": "NOPE-1"}, "issuetype": {"name": "Sub-task"}}, "parent", "Could not find"),
    ],
)
def test_a_value_that_jira_would_not_take(someone, either, fields, blamed, words):
    key = "CUST" if either.site.cloud else "OPS"
    given = {"project": {"key": key}, "issuetype": {"name": "Bug"}, "summary": "s"} | fields
    assert words in someone.post("/issue", {"fields": given}, 400)["errors"][blamed]
    assert either.site.issues == {}


def test_users_are_named_differently_by_flavour(ann, bo, acme):
    assert (
        "does not exist"
        in ann.post("/issue", _issue("OPS", assignee={"name": "no"}), 400)["errors"]["assignee"]
    )
    assert (
        "accountId" in bo.post("/issue", _issue("CUST", assignee={"name": "bo"}), 400)["errors"]["assignee"]
    )
    who = acme.site.person("cy").id
    shown = bo.get(f"/issue/{bo.create(assignee={'accountId': who})}")["fields"]["assignee"]
    assert shown["accountId"] == who
    assert "emailAddress" not in shown
    assert "name" not in shown


def _issue(project, **fields):
    return {"fields": {"project": {"key": project}, "issuetype": {"name": "Bug"}, "summary": "s"} | fields}


def test_text_has_one_form_per_version(acme, bo, ann):
    assert (
        "Atlassian Document"
        in bo.post("/issue", _issue("CUST", description="plain"), 400)["errors"]["description"]
    )
    assert ann.post("/issue", _issue("OPS", description=doc("x")), 400)["errors"]["description"].endswith(
        "a string"
    )
    key = bo.create(description=doc("one"))
    old = Person(acme, "bo", "2")
    assert old.get(f"/issue/{key}")["fields"]["description"] == "one"
    old.put(f"/issue/{key}", {"fields": {"description": "a\nb\n\nc"}}, 204)
    stored = bo.get(f"/issue/{key}")["fields"]["description"]
    assert [one["type"] for one in stored["content"]] == ["paragraph", "paragraph"]
    assert old.get(f"/issue/{key}")["fields"]["description"] == "a\nb\n\nc"
    assert (
        "32,767" in ann.post("/issue", _issue("OPS", description="x" * 32_768), 400)["errors"]["description"]
    )
    assert bo.post("/issue", _issue("CUST", description=doc("x" * 32_767)), 400)["errors"]["description"]


def test_stamps_and_date_header(someone, clock):
    key = someone.create()
    assert someone.get(f"/issue/{key}")["fields"]["created"] == "2026-11-22T12:00:00.123+0000"
    answer = someone.session.get(f"{someone.root}/issue/{key}", timeout=10)
    assert answer.headers["Date"] == "Sun, 22 Nov 2026 12:00:00 GMT"


def test_what_moves_updated_and_what_does_not(someone, either, clock):
    key = someone.create()
    comment = doc("x") if either.site.cloud else "x"

    def moved(method, path, body=None):
        clock.turn(seconds=10)
        answer = someone.call(method, f"/issue/{key}{path}", body)
        if not isinstance(answer, dict):
            assert answer.status_code < 300, answer.text
        return either.site.issue(key).updated == clock.now, answer

    assert moved("PUT", "", {"fields": {"labels": ["a"]}})[0]
    assert not moved("PUT", "", {"fields": {"labels": ["a"]}})[0]  # nothing changed
    bumped, answer = moved("POST", "/comment", {"body": comment})
    assert bumped
    place = f"/comment/{answer['id']}"
    assert moved("PUT", place, {"body": comment})[0]
    assert moved("DELETE", place)[0]
    assert not moved("PUT", "/properties/p", {"v": 1})[0]
    assert not moved("POST", "/remotelink", {"object": {"url": "https://x", "title": "t"}})[0]
    assert moved("POST", "/transitions", {"transition": {"id": "11" if either.site.cloud else "4"}})[0]
    assert len(either.site.issue(key).history) == 2


def test_workflow_needs_steps_and_screen_fields(ann):
    key = ann.create()
    assert ann.post(f"/issue/{key}/transitions", {}, 400)["errorMessages"] == [
        "Missing 'transition' identifier"
    ]
    steps = ann.get(f"/issue/{key}/transitions", expand="transitions.fields")["transitions"]
    assert [(one["id"], one["to"]["name"]) for one in steps] == [("4", "In Progress"), ("5", "Resolved")]
    assert steps[1]["fields"]["resolution"]["required"] is True
    assert {one["name"] for one in steps[1]["fields"]["resolution"]["allowedValues"]} >= {"Fixed"}
    close = {"transition": {"id": "701"}}
    assert "not valid" in ann.post(f"/issue/{key}/transitions", close, 400)["errorMessages"][0]
    resolve = {"transition": {"id": "5"}}
    assert ann.post(f"/issue/{key}/transitions", resolve, 400)["errors"] == {
        "resolution": "Resolution is required."
    }
    off_screen = resolve | {"fields": {"resolution": {"name": "Fixed"}, "summary": "no"}}
    assert "summary" in ann.post(f"/issue/{key}/transitions", off_screen, 400)["errors"]
    good = resolve | {
        "fields": {"resolution": {"name": "Fixed"}},
        "update": {"comment": [{"add": {"body": "done"}}]},
    }
    ann.post(f"/issue/{key}/transitions", good, 204)
    fields = ann.get(f"/issue/{key}")["fields"]
    assert (fields["status"]["name"], fields["resolution"]["name"]) == ("Resolved", "Fixed")
    assert fields["resolutiondate"] == fields["updated"]
    ann.post(f"/issue/{key}/transitions", {"transition": {"id": 3}}, 204)
    assert ann.get(f"/issue/{key}")["fields"]["resolution"] is None


def test_a_refused_comment_stops_the_step_that_carries_it(ann, home):
    key = ann.create()
    step = {"transition": {"id": "4"}, "update": {"comment": [{"add": {"body": ""}}]}}
    ann.post(f"/issue/{key}/transitions", step, 400)
    assert home.site.issue(key).status == "1"


def test_lost_permissions(someone, either):
    key = someone.create()
    who = "bo" if either.site.cloud else "ann"
    step = {"transition": {"id": "11" if either.site.cloud else "4"}}
    either.site.revoke(who, "TRANSITION_ISSUES")
    assert someone.get(f"/issue/{key}/transitions")["transitions"] == []
    someone.post(f"/issue/{key}/transitions", step, 400)
    either.site.revoke(who, "ADD_COMMENTS")
    body = {"body": doc("x") if either.site.cloud else "x"}
    said = someone.post(f"/issue/{key}/comment", body, 403 if either.site.cloud else 400)
    assert "do not have the permission to comment" in said["errorMessages"][0]
    either.site.revoke(who, "EDIT_ISSUES")
    someone.put(f"/issue/{key}", {"fields": {"summary": "x"}}, 403)
    assert someone.get(f"/issue/{key}/editmeta") == {"fields": {}}
    either.site.revoke(who, "BROWSE_PROJECTS")
    assert someone.get(f"/issue/{key}", expect=404)["errorMessages"] == [
        "Issue does not exist or you do not have permission to see it."
    ]
    either.site.restore(who, "BROWSE_PROJECTS")
    someone.get(f"/issue/{key}")
    asked = someone.get("/mypermissions", permissions="EDIT_ISSUES,BROWSE_PROJECTS")["permissions"]
    assert {name: one["havePermission"] for name, one in asked.items()} == {
        "BROWSE_PROJECTS": True,
        "EDIT_ISSUES": False,
    }
    someone.get("/mypermissions", expect=400, permissions="EDIT_ISSUES,NOPE")


def test_cloud_asks_which_permissions(bo, ann):
    bo.get("/mypermissions", expect=400)
    assert "BROWSE_PROJECTS" in ann.get("/mypermissions")["permissions"]


def test_comments_are_private_when_told(acme, bo):
    acme.site.projects["CUST"].service_desk = True
    key = bo.create()
    path = f"/issue/{key}/comment"
    mark = [{"key": "sd.public.comment", "value": {"internal": True}}]
    note = bo.post(path, {"body": doc("internal"), "properties": mark}, 201, expand="properties")
    assert (note["jsdPublic"], note["properties"]) == (False, mark)
    assert bo.post(path, {"body": doc("open")}, 201)["jsdPublic"] is True
    assert bo.put(f"{path}/{note['id']}", {"body": doc("still")}, 200)["jsdPublic"] is False
    limited = {"body": doc("admins"), "visibility": {"type": "role", "value": "Administrators"}}
    assert "commentLevel" in bo.post(path, limited, 400)["errors"]
    hidden = Person(acme, "admin").post(path, limited, 201)
    assert bo.get(path)["total"] == 2
    bo.get(f"{path}/{hidden['id']}", expect=404)
    assert bo.get(path, orderBy="-created", maxResults=1)["comments"][0]["body"] == doc("open")
    bo.get(path, expect=400, orderBy="author")
    assert bo.post(path, {"body": "plain"}, 400)["errors"] == {"comment": "Comment body is not valid!"}


def test_data_center_tells_internal_notes_only_by_their_property(home, ann):
    home.site.projects["OPS"].service_desk = True
    key = ann.create()
    mark = [{"key": "sd.public.comment", "value": {"internal": True}}]
    note = ann.post(f"/issue/{key}/comment", {"body": "internal", "properties": mark}, 201)
    assert not {"jsdPublic", "properties"} & note.keys()
    for shown in (
        ann.get(f"/issue/{key}/comment")["comments"],
        ann.get(f"/issue/{key}", expand="properties")["fields"]["comment"]["comments"],
    ):
        assert not {"jsdPublic", "properties"} & shown[0].keys()
    (wide,) = ann.get(f"/issue/{key}/comment", expand="properties")["comments"]
    assert wide["properties"] == mark


def test_only_own_comments_may_be_edited(ann, home):
    key = ann.create()
    theirs = Person(home, "ivan").post(f"/issue/{key}/comment", {"body": "mine"}, 201)["id"]
    ann.put(f"/issue/{key}/comment/{theirs}", {"body": "yours"}, 400)
    ann.delete(f"/issue/{key}/comment/{theirs}", expect=400)
    Person(home, "admin").put(f"/issue/{key}/comment/{theirs}", {"body": "ours"}, 200)
    assert home.site.issue(key).comments[0].update_author == home.site.person("admin").id


def test_properties_are_upserts_and_ride_in_the_create(someone, either):
    project = "CUST" if either.site.cloud else "OPS"
    body = _issue(project) | {"properties": [{"key": "bridge", "value": {"peer": 7}}]}
    key = someone.post("/issue", body, 201)["key"]
    assert someone.get(f"/issue/{key}", properties="bridge")["properties"] == {"bridge": {"peer": 7}}
    someone.put(f"/issue/{key}/properties/bridge", {"peer": 8}, 200)
    someone.put(f"/issue/{key}/properties/other", "x", 201)
    assert [one["key"] for one in someone.get(f"/issue/{key}/properties")["keys"]] == ["bridge", "other"]
    someone.delete(f"/issue/{key}/properties/other")
    someone.get(f"/issue/{key}/properties/other", expect=404)
    someone.put(f"/issue/{key}/properties/big", "x" * 32_768, 400)
    text = doc("c") if either.site.cloud else "c"
    comment = someone.post(f"/issue/{key}/comment", {"body": text}, 201)["id"]
    someone.put(f"/comment/{comment}/properties/bridge", {"peer": 1}, 201)
    assert someone.get(f"/comment/{comment}/properties/bridge")["value"] == {"peer": 1}
    listed = someone.get(f"/issue/{key}/comment", expand="properties")["comments"]
    assert listed[0]["properties"] == [{"key": "bridge", "value": {"peer": 1}}]


def test_a_remote_link_is_upserted_by_global_id(someone):
    key = someone.create()
    target = {"url": "https://x.example/1", "title": "one"}
    first = someone.post(
        f"/issue/{key}/remotelink", {"globalId": "g", "object": target, "relationship": "twin"}, 201
    )
    again = someone.post(
        f"/issue/{key}/remotelink", {"globalId": "g", "object": target | {"title": "two"}}, 200
    )
    assert first["id"] == again["id"]
    (link,) = someone.get(f"/issue/{key}/remotelink")
    assert link["object"]["title"] == "two"
    assert "relationship" not in link
    assert someone.get(f"/issue/{key}/remotelink", globalId="g")["id"] == first["id"]
    someone.post(f"/issue/{key}/remotelink", {"object": {"url": "https://x"}}, 400)
    someone.delete(f"/issue/{key}/remotelink", globalId="g")
    someone.get(f"/issue/{key}/remotelink", expect=404, globalId="g")


def test_a_moved_issue_keeps_its_id(someone, either):
    key = someone.create()
    number = either.site.issue(key).id
    add_project(either.site, "NEW")
    move(either.site, key, "NEW", by="admin")
    assert someone.get(f"/issue/{key}")["key"] == "NEW-1"
    assert someone.get(f"/issue/{number}")["key"] == "NEW-1"
    assert someone.keys("project = NEW") == ["NEW-1"]
    items = [item["field"] for one in dump(either.site)[0]["changelog"] for item in one["items"]]
    assert items == ["project", "Key"]


def test_history_is_paged_and_bulk_fetched_on_cloud(bo, acme):
    key = bo.create(labels=["a"], customfield_10041={"value": "Minor"})
    bo.put(f"/issue/{key}", {"fields": {"summary": "new", "customfield_10041": {"value": "Major"}}}, 204)
    bo.put(f"/issue/{key}", {"fields": {"priority": {"name": "P1"}}}, 204)
    page = bo.get(f"/issue/{key}/changelog", maxResults=1)
    assert (page["total"], page["isLast"]) == (2, False)
    summary, severity = page["values"][0]["items"]
    assert (summary["fromString"], summary["toString"]) == ("It breaks", "new")
    assert (severity["field"], severity["fieldId"], severity["to"]) == (
        "Severity",
        "customfield_10041",
        "10301",
    )
    newest = bo.get(f"/issue/{key}", expand="changelog")["changelog"]["histories"][0]["items"][0]
    assert (newest["fromString"], newest["toString"]) == ("P3", "P1")
    bulk = bo.post("/changelog/bulkfetch", {"issueIdsOrKeys": [key], "fieldIds": ["priority"]}, 200)
    assert len(bulk["issueChangeLogs"][0]["changeHistories"]) == 1
    asked = {"issueIdsOrKeys": [key, "NOPE-1"], "fields": ["summary"], "expand": ["changelog"]}
    fetched = bo.post("/issue/bulkfetch", asked, 200)
    assert [one["fields"]["summary"] for one in fetched["issues"]] == ["new"]
    assert len(fetched["issueErrors"]) == 1


def test_an_edit_may_return_the_issue_and_history_metadata_is_kept(bo):
    key = bo.create()
    body = {"fields": {"summary": "n"}, "historyMetadata": {"type": "bridge"}}
    assert bo.put(f"/issue/{key}", body, 200, returnIssue="true")["fields"]["summary"] == "n"
    assert bo.get(f"/issue/{key}/changelog")["values"][0]["historyMetadata"] == {"type": "bridge"}
    assert bo.put(f"/issue/{key}", {"fields": {"summary": "n"}, "nonsense": 1}, 400)["errorMessages"]
    both = {"fields": {"summary": "n"}, "update": {"summary": [{"set": "m"}]}}
    assert "both" in bo.put(f"/issue/{key}", both, 400)["errors"]["summary"]


def test_screens_rule_data_center_edits_and_cloud_no_longer(home, acme, ann, bo):
    home.site.projects["OPS"].edit_screen = frozenset({"summary", "labels"})
    acme.site.projects["CUST"].edit_screen = frozenset({"summary", "labels"})
    key = ann.create()
    assert "duedate" in ann.put(f"/issue/{key}", {"fields": {"duedate": "2026-12-24"}}, 400)["errors"]
    bo.put(f"/issue/{bo.create()}", {"fields": {"duedate": "2026-12-24"}}, 204)


def test_create_meta_and_edit_meta_tell_the_screens(someone, either):
    project = "CUST" if either.site.cloud else "OPS"
    either.site.custom["customfield_10050"] = CustomField("customfield_10050", "Cause", required=True)
    list_key, field_key = ("issueTypes", "fields") if either.site.cloud else ("values", "values")
    types = someone.get(f"/issue/createmeta/{project}/issuetypes")[list_key]
    bug = next(one["id"] for one in types if one["name"] == "Bug")
    page = someone.get(f"/issue/createmeta/{project}/issuetypes/{bug}", maxResults=100)
    shown = {one["fieldId"]: one for one in page[field_key]}
    assert shown["customfield_10050"]["required"] is True
    assert [one["value"] for one in shown["customfield_10041"]["allowedValues"]] == [
        "Critical",
        "Major",
        "Minor",
    ]
    assert someone.post("/issue", _issue(project), 400)["errors"] == {
        "customfield_10050": "Cause is required."
    }
    key = someone.create(customfield_10050="rust")
    assert "summary" in someone.get(f"/issue/{key}/editmeta")["fields"]
    someone.get("/issue/createmeta", expect=404)


def test_the_sites_registries(someone, either):
    project = "CUST" if either.site.cloud else "OPS"
    info = someone.get("/serverInfo")
    assert info["deploymentType"] == ("Cloud" if either.site.cloud else "DataCenter")
    assert someone.get(f"/project/{project}")["key"] == project
    someone.get("/project/NOPE", expect=404)
    by_type = someone.get(f"/project/{project}/statuses")
    assert {one["name"] for one in by_type[0]["statuses"]} >= {"In Progress"}
    for path in ("/field", "/priority", "/status", "/issuetype", "/resolution", "/project"):
        assert someone.get(path)
    assert someone.get("/attachment/meta")["enabled"] is True
    who = either.site.person("admin")
    if either.site.cloud:
        assert [one["accountId"] for one in someone.get("/user/search", query="ada")] == [who.id]
        assert someone.get("/user", accountId=who.id)["displayName"] == "Ada Admin"
        assert someone.get("/priority/search")["isLast"] is True
        assert someone.get("/statuses/search", projectId="10000")["total"] == 4
    else:
        assert [one["key"] for one in someone.get("/user/search", username="admin")] == [who.id]
        assert someone.get("/user", username="admin")["displayName"] == "Ada Admin"
    assert len(someone.get("/user/assignable/search", project=project)) == 4


def test_subtasks_block_a_delete(someone, either):
    key = someone.create()
    someone.create(issuetype={"name": "Sub-task"}, parent={"key": key})
    someone.delete(f"/issue/{key}", expect=400)
    someone.delete(f"/issue/{key}", deleteSubtasks="true")
    assert either.site.issues == {}


def test_ids_start_high_and_created_is_now(someone, either):
    key = someone.create()
    issue = either.site.issue(key)
    assert issue.id > 10_000
    assert issue.created == NOON


def test_an_archived_issue_is_out_of_search_readable_and_not_to_be_changed(ann, home):
    key = ann.create()
    admin = Person(home, "admin")
    ann.put(f"/issue/{key}/archive", {}, 403)
    admin.put(f"/issue/{key}/archive", {}, 204)
    assert ann.post("/search", {"jql": "project = OPS"})["total"] == 0
    assert ann.get(f"/issue/{key}", fields="summary,archiveddate")["fields"]["archiveddate"].endswith("+0000")
    assert "archived" in ann.put(f"/issue/{key}", {"fields": {"summary": "x"}}, 400)["errorMessages"][0]
    ann.post(f"/issue/{key}/comment", {"body": "x"}, 400)
    admin.put(f"/issue/{key}/archive", {}, 400)
    admin.put(f"/issue/{key}/restore", {}, 204)
    assert ann.post("/search", {"jql": "project = OPS"})["total"] == 1
    assert "archiveddate" not in ann.get(f"/issue/{key}")["fields"]
    ann.put(f"/issue/{key}", {"fields": {"summary": "x"}}, 204)
    admin.put(f"/issue/{key}/restore", {}, 403)


def test_somebody_who_has_left_cannot_be_assigned(someone, either):
    login = "cy" if either.site.cloud else "ivan"
    who = {"accountId": either.site.person(login).id} if either.site.cloud else {"name": login}
    key = someone.create(assignee=who)
    someone.put(f"/issue/{key}", {"fields": {"assignee": None}}, 204)
    either.site.deactivate(login)
    refused = someone.put(f"/issue/{key}", {"fields": {"assignee": who}}, 400)["errors"]["assignee"]
    assert "cannot be assigned issues" in refused
    either.site.deactivate(login, active=True)
    someone.put(f"/issue/{key}", {"fields": {"assignee": who}}, 204)
