"""Threads, what makes a comment private, issue security: as Jira has them; and a proxy that drops what it fears."""

from __future__ import annotations

from simulator_people import Person, doc

INTERNAL = [{"key": "sd.public.comment", "value": {"internal": True}}]


def test_threads_are_as_visible_as_their_parents(acme, bo):
    key = bo.create()
    path = f"/issue/{key}/comment"
    only = {"type": "role", "value": "Developers"}
    parent = bo.post(path, {"body": doc("a question"), "visibility": only, "properties": INTERNAL}, 201)
    child = bo.post(path, {"body": doc("an answer"), "parentId": int(parent["id"])}, 201)
    assert child["parentId"] == int(parent["id"])
    assert (child["visibility"]["value"], child["jsdPublic"]) == ("Developers", False)
    bo.put(f"{path}/{child['id']}", {"body": doc("an answer"), "visibility": only}, 400)
    assert bo.put(f"{path}/{child['id']}", {"body": doc("better")}, 200)["parentId"] == int(parent["id"])
    assert "parentId" in bo.post(path, {"body": doc("lost"), "parentId": 1}, 400)["errors"]
    loud = bo.post(path, {"body": doc("all")}, 201)
    quiet = {"body": doc("hush"), "parentId": loud["id"], "visibility": only, "properties": INTERNAL}
    answer = bo.post(path, quiet, 201)
    assert answer["jsdPublic"] is True, "an answer cannot be more private than what it answers"
    assert "visibility" not in answer


def test_threads_are_unknown_to_data_center(home, ann):
    key = ann.create()
    parent = ann.post(f"/issue/{key}/comment", {"body": "a question"}, 201)
    ann.post(f"/issue/{key}/comment", {"body": "an answer", "parentId": parent["id"]}, 400)


def test_security_levels_hide_issues(either, someone):
    secured = someone.create(security={"name": "Staff only"})
    assert someone.get(f"/issue/{secured}")["fields"]["security"]["name"] == "Staff only"
    someone.put(f"/issue/{secured}", {"fields": {"security": None}}, 204)
    assert someone.get(f"/issue/{secured}", fields="security")["fields"] == {"security": None}
    assert (
        "security" in someone.put(f"/issue/{secured}", {"fields": {"security": {"name": "x"}}}, 400)["errors"]
    )


def test_a_careless_proxy_drops_properties(acme, bo):
    key = bo.create()
    acme.faults.add_json({"kind": "strip", "strip": "properties", "method": "POST", "path_regex": "/comment"})
    said = bo.post(f"/issue/{key}/comment", {"body": doc("internal"), "properties": INTERNAL}, 201)
    assert said["jsdPublic"] is True
    assert acme.site.issue(key).comments[0].properties == {}
    assert acme.calls.since(0)[-1].fault == "strip"


def test_logins_are_not_in_the_log_of_calls(acme, bo):
    bo.create()
    Person(acme, "cy").get("/myself")
    assert all(call.headers and "authorization" not in call.headers for call in acme.calls.since(0))
