"""Loading exported issues, real ones where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from simulator_people import Person

from bridge.simulator import SimulatorServer, Site, load, make_acme, make_home, read
from bridge.simulator.adf import problem

ROW = {
    "id": "13000001",
    "key": "KAFKA-7",
    "fields": {
        "project": {"id": "123", "key": "KAFKA", "name": "Kafka"},
        "issuetype": {"id": "1", "name": "Bug", "subtask": False},
        "status": {"id": "1", "name": "Open", "statusCategory": {"key": "new"}},
        "priority": {"id": "3", "name": "Major"},
        "summary": "It leaks",
        "description": "First.\n\nSecond.",
        "labels": ["b", "a"],
        "creator": {"name": "u1", "key": "u1", "displayName": "U One"},
        "reporter": {"name": "u1", "key": "u1", "displayName": "U One"},
        "created": "2025-10-25T21:20:48.123+0000",
        "updated": "2025-10-26T21:20:48.000+0200",
        "versions": [{"id": "1", "name": "4.1"}],
        "customfield_99": "raw",
        "attachment": [{"id": "5", "filename": "a.txt", "size": 3, "author": {"name": "u1", "key": "u1"}}],
        "comment": {
            "comments": [
                {
                    "id": "77",
                    "author": {"name": "u2", "key": "u2", "displayName": "U Two"},
                    "body": "Seen.",
                    "created": "2025-10-26T00:00:00.000+0000",
                    "updated": "2025-10-26T00:00:00.000+0000",
                }
            ],
            "total": 1,
        },
    },
}


def test_a_search_page_and_json_lines_and_one_issue(tmp_path):
    file = tmp_path / "x.json"
    for text, count in (
        (json.dumps({"issues": [ROW]}), 1),
        (f"{json.dumps(ROW)}\n\n{json.dumps(ROW)}\n", 2),
        (json.dumps(ROW), 1),
    ):
        file.write_text(text)
        assert len(read(file)) == count


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_ids_keys_stamps_and_parts_survive(flavour):
    site = Site(flavour, "acme")
    (issue,) = load(site, [ROW])
    assert (issue.id, issue.key, issue.created) == (13_000_001, "KAFKA-7", 1_761_427_248_123)
    assert issue.comments[0].id == "77"
    assert site.new_id("issue") > 13_000_001
    assert site.projects["KAFKA"].last_number == 7
    if site.cloud:
        assert problem(issue.values["description"]) is None
        assert len(issue.values["description"]["content"]) == 2


def test_everything_can_go_into_one_project():
    site = make_home()
    load(site, [ROW, ROW | {"id": "13000002"}], project="OPS")
    assert [one.key for one in site.issues.values()] == ["OPS-1", "OPS-2"]
    assert "Major" in {one.name for one in site.priorities.values()}
    assert site.projects["OPS"].workflow.initial == "1"


def test_a_status_that_the_workflow_does_not_know_has_a_way_out():
    site = make_home()
    strange = ROW | {"fields": ROW["fields"] | {"status": {"id": "9", "name": "Patch Available"}}}
    (issue,) = load(site, [strange], project="OPS")
    (step,) = [
        one for one in site.projects["OPS"].workflow.transitions if issue.status in (one.sources or ())
    ]
    assert (step.name, step.to) == ("Take up", "1")


@pytest.fixture
def real():
    folder = os.environ.get("BRIDGE_DATA", "")
    file = Path(folder) / "apache-issues.jsonl"
    if not folder or not file.exists():
        pytest.skip("BRIDGE_DATA does not name a folder with apache-issues.jsonl")
    return read(file)


@pytest.mark.parametrize("make", [make_home, make_acme])
def test_250_real_issues_are_served(real, clock, make):
    site = make(clock)
    issues = load(site, real)
    assert len(issues) == len({one.key for one in issues}) == len(real)
    with SimulatorServer(site) as server:
        person = Person(server, "bo" if site.cloud else "ann")
        found, token, start = [], {}, 0
        while True:
            more = token if site.cloud else {"startAt": start}
            page = person.search(
                "project in (SPARK, KAFKA) order by key", maxResults=100, fields=["*all"], **more
            )
            found += page["issues"]
            start += 100
            token = {"nextPageToken": page.get("nextPageToken")}
            if (site.cloud and not token["nextPageToken"]) or (not site.cloud and start >= page["total"]):
                break
        assert {one["key"] for one in found} == {row["key"] for row in real}
        by_key = {one["key"]: one["fields"] for one in found}
        for row in real:
            shown = by_key[row["key"]]
            for name in ("summary", "created", "updated", "duedate"):
                assert shown[name] == row["fields"].get(name)
            for name in ("status", "priority", "issuetype"):
                assert shown[name]["name"] == row["fields"][name]["name"]
            assert sorted(shown["labels"]) == sorted(row["fields"]["labels"])
            assert shown["comment"]["total"] == row["fields"]["comment"]["total"]
        key = next(row["key"] for row in real if row["fields"]["status"]["name"] == "Open")
        steps = person.get(f"/issue/{key}/transitions")["transitions"]
        assert {one["to"]["name"] for one in steps} >= {"In Progress", "Resolved"}
        person.post(f"/issue/{key}/transitions", {"transition": {"id": steps[0]["id"]}}, 204)


def test_a_select_of_the_sites_own_keeps_its_option():
    row = {**ROW, "fields": {**ROW["fields"], "customfield_10041": {"id": "77", "value": "Major"}}}
    site = make_home()
    load(site, [row])
    with SimulatorServer(site) as server:
        shown = Person(server, "ann").get("/issue/KAFKA-7")["fields"]["customfield_10041"]
    assert shown["value"] == "Major"
