"""Links, parents and worklogs of a simulated site: what may be written, what it leaves behind."""

from __future__ import annotations

import pytest
from simulator_people import doc

STARTED = "2026-11-20T09:00:00.000+0100"


def links(someone, key):
    return someone.get(f"/issue/{key}", fields="issuelinks")["fields"]["issuelinks"]


def test_links_show_on_both_issues_move_them_and_are_made_once(someone, either):
    one, other = someone.create(), someone.create()
    body = {
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": one},
        "outwardIssue": {"key": other},
        "comment": None,
    }
    issues = [either.site.issue(key) for key in (one, other)]
    for _ in range(2):
        assert not someone.post("/issueLink", body, 201).content
    assert [len(issue.history) for issue in issues] == [1, 1]
    (link,) = links(someone, one)
    assert (link["type"]["outward"], link["outwardIssue"]["key"]) == ("blocks", other)
    (back,) = links(someone, other)
    assert (back["id"], back["type"]["inward"], back["inwardIssue"]["key"]) == (
        link["id"],
        "is blocked by",
        one,
    )
    assert issues[0].history[0].items[0]["toString"] == f"This issue blocks {other}"
    someone.delete(f"/issueLink/{link['id']}")
    assert (links(someone, one), links(someone, other)) == ([], [])
    someone.delete(f"/issueLink/{link['id']}", expect=404)
    someone.post("/issueLink", body | {"outwardIssue": {"key": one}}, 400)
    someone.post("/issueLink", body | {"type": {"name": "Nope"}}, 404)
    someone.post("/issueLink", body, 201)
    someone.delete(f"/issue/{other}")
    assert links(someone, one) == [], "a link goes with its issue"


def test_links_trail_in_search_like_everything_else(bo, acme):
    one, other = bo.create(), bo.create()
    acme.site.set_lag(60_000)
    bo.post(
        "/issueLink",
        {"type": {"name": "Relates"}, "inwardIssue": {"key": one}, "outwardIssue": {"key": other}},
        201,
    )
    (row,) = bo.search(f"key = {one}", fields=["issuelinks"])["issues"]
    assert row["fields"]["issuelinks"] == []


def test_parents_are_for_sub_tasks_on_data_center_and_can_be_changed_on_cloud_alone(someone, either):
    above, alone = someone.create(), someone.create()
    part = someone.create(issuetype={"name": "Sub-task"}, parent={"key": above})
    assert someone.get(f"/issue/{part}")["fields"]["parent"]["key"] == above
    if not either.site.cloud:
        given = {
            "project": {"key": "OPS"},
            "issuetype": {"name": "Bug"},
            "summary": "x",
            "parent": {"key": above},
        }
        assert "parent" in someone.post("/issue", {"fields": given}, 400)["errors"]
        assert (
            "parent" in someone.put(f"/issue/{alone}", {"fields": {"parent": {"key": above}}}, 400)["errors"]
        )
        return
    someone.put(f"/issue/{alone}", {"fields": {"parent": {"key": above}}}, 204)
    assert "parent" in someone.put(f"/issue/{above}", {"fields": {"parent": {"key": alone}}}, 400)["errors"]
    none = {"update": {"parent": [{"set": {"none": True}}]}}
    assert "parent" in someone.put(f"/issue/{part}", none, 400)["errors"]
    someone.put(f"/issue/{alone}", none, 204)
    assert "parent" not in someone.get(f"/issue/{alone}")["fields"]


def test_worklogs_hold_time_and_the_field_shows_the_first_twenty(someone, either):
    key = someone.create()
    text = doc("done") if either.site.cloud else "done"
    for number in range(22):
        someone.post(
            f"/issue/{key}/worklog", {"timeSpentSeconds": 60 * (number + 1), "started": STARTED}, 201
        )
    shown = someone.get(f"/issue/{key}", fields="worklog")["fields"]["worklog"]
    assert (len(shown["worklogs"]), shown["total"], shown["maxResults"]) == (20, 22, 20)
    page = someone.get(f"/issue/{key}/worklog", startAt=20)
    assert [one["timeSpentSeconds"] for one in page["worklogs"]] == [1260, 1320]
    first = shown["worklogs"][0]
    assert first["started"] == "2026-11-20T08:00:00.000+0000"
    changed = someone.put(f"/issue/{key}/worklog/{first['id']}", {"timeSpent": "1h 5m", "comment": text}, 200)
    assert (changed["timeSpentSeconds"], changed["started"]) == (3900, first["started"])
    someone.delete(f"/issue/{key}/worklog/{first['id']}")
    someone.delete(f"/issue/{key}/worklog/{first['id']}", expect=404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"timeSpent": "long"},
        {"timeSpentSeconds": 60, "started": "2026-11-20"},
        {"timeSpentSeconds": 60, "odd": 1},
    ],
)
def test_worklogs_that_jira_would_not_take(someone, body):
    someone.post(f"/issue/{someone.create()}/worklog", body, 400)


def test_worklogs_are_changed_by_their_authors_and_read_by_those_who_may(ann, home):
    key = ann.create()
    limited = {"timeSpentSeconds": 60, "visibility": {"type": "role", "value": "Developers"}}
    number = ann.post(f"/issue/{key}/worklog", limited, 201)["id"]
    home.site.revoke("ann", "EDIT_OWN_WORKLOGS")
    ann.put(f"/issue/{key}/worklog/{number}", {"timeSpent": "2h"}, 400)
    ann.post(
        f"/issue/{key}/worklog",
        {"timeSpentSeconds": 60, "visibility": {"type": "role", "value": "Nobody"}},
        400,
    )
    ann.post(f"/issue/{key}/worklog", {"timeSpentSeconds": 60, "properties": [{"key": "a", "value": 1}]}, 400)
