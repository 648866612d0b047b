"""Search as the feeds meet it: paging, lag, reconciliation, expired logins, removed endpoints."""

from __future__ import annotations

import requests
from simulator_people import doc


def test_data_center_pages_by_offset(ann):
    for number in range(5):
        ann.create(f"n{number}")
    page = ann.get("/search", jql="project = OPS order by key asc", startAt=2, maxResults=2, fields="summary")
    assert (page["startAt"], page["maxResults"], page["total"]) == (2, 2, 5)
    assert [one["key"] for one in page["issues"]] == ["OPS-3", "OPS-4"]
    assert ann.get("/search", jql="", maxResults=5000)["maxResults"] == 1000
    assert ann.get("/search", jql="", maxResults=0)["issues"] == []
    assert "unknown" in ann.post("/search", {"jql": "", "unknown": 1}, 400)["errorMessages"][0]


def test_cloud_pages_by_token_and_gives_ids_by_default(bo):
    for number in range(3):
        bo.create(f"n{number}")
    first = bo.post("/search/jql", {"jql": "project = CUST order by key", "maxResults": 2}, 200)
    assert [set(one) for one in first["issues"]] == [{"id"}, {"id"}]
    assert first["isLast"] is False
    last = bo.get("/search/jql", jql="project = CUST order by key", nextPageToken=first["nextPageToken"])
    assert len(last["issues"]) == 1
    assert "nextPageToken" not in last


def test_cloud_refusals_in_its_own_words(bo):
    def said(body):
        return bo.post("/search/jql", body, 400)["errorMessages"][0]

    assert said({"jql": "order by key"}).startswith("Unbounded JQL queries are not allowed here.")
    assert said({"jql": "project = CUST", "maxResults": 6000}).startswith(
        "The max results parameter has to be"
    )
    assert said({"jql": "project = CUST", "nextPageToken": "x"}).startswith("The provided next page token is")
    assert said({"jql": "project = CUST", "startAt": 0}).startswith("Invalid request payload.")
    assert said({"jql": "project = CUST", "fields": "summary"}).startswith("Invalid request payload.")
    assert said({"jql": "project = NOPE"}) == "The value 'NOPE' does not exist for the field 'project'."
    assert "CHANGE-2046" in bo.get("/search", expect=410, jql="project = CUST")["errorMessages"][0]


def test_an_anonymous_callers_bad_query_is_just_empty(acme):
    url = f"{acme.url}/rest/api/3/search/jql"
    for jql in ("project = NOPE", "updated > yesterday", "nonsense = 1"):
        answer = requests.get(url, params={"jql": jql}, timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"issues": [], "isLast": True})
    assert requests.get(url, params={"jql": "order by key"}, timeout=10).status_code == 400


def test_search_lags_and_reads_do_not(someone, either, clock):
    key = someone.create("old")
    either.site.set_lag(5000)
    someone.put(f"/issue/{key}", {"fields": {"summary": "new"}}, 204)
    fresh = someone.create("unseen")
    project = either.site.issue(key).project

    def found():
        rows = someone.search(f"project = {project} order by key asc")["issues"]
        return [(one["key"], one["fields"]["summary"]) for one in rows]

    assert found() == [(key, "old")]
    assert someone.get(f"/issue/{key}")["fields"]["summary"] == "new"
    clock.turn(seconds=5)
    assert found() == [(key, "new"), (fresh, "unseen")]


def test_lag_can_hit_one_issue_only(someone, either, clock):
    slow, quick = someone.create(), someone.create()
    either.site.set_lag(60_000, slow)
    for key in (slow, quick):
        someone.put(f"/issue/{key}", {"update": {"labels": [{"add": "seen"}]}}, 204)
    assert someone.keys("labels = seen") == [quick]
    either.site.settle()
    assert sorted(someone.keys("labels = seen")) == sorted([slow, quick])


def test_a_deleted_issue_haunts_a_lagging_index(someone, either, clock):
    key = someone.create("ghost")
    either.site.set_lag(1000)
    someone.delete(f"/issue/{key}")
    assert someone.keys("summary ~ ghost") == [key]
    someone.get(f"/issue/{key}", expect=404)
    clock.turn(seconds=1)
    assert someone.keys("summary ~ ghost") == []


def test_reconcile_forces_numbered_issues_fresh(bo, acme):
    acme.site.set_lag(60_000)
    key = bo.create("now")
    number = acme.site.issue(key).id
    assert bo.keys("project = CUST") == []
    assert bo.keys("project = CUST", reconcileIssues=[number]) == [key]
    assert bo.post("/jql/match", {"jqls": ["summary ~ now"], "issueIds": [number]}, 200) == {
        "matches": [{"matchedIssues": [number], "errors": []}]
    }


def test_cloud_search_embeds_at_most_twenty_comments(bo):
    key = bo.create()
    for number in range(23):
        bo.post(f"/issue/{key}/comment", {"body": doc(f"c{number}")}, 201)
    embedded = bo.search("project = CUST", fields=["comment"])["issues"][0]["fields"]["comment"]
    assert (len(embedded["comments"]), embedded["total"]) == (20, 23)
    assert len(bo.get(f"/issue/{key}")["fields"]["comment"]["comments"]) == 23


def test_an_expired_login_looks_like_peace(someone, either):
    someone.create()
    project = "CUST" if either.site.cloud else "OPS"
    either.site.expire_logins()
    path = "/search/jql" if either.site.cloud else "/search"
    answer = someone.session.get(someone.root + path, params={"jql": f"project = {project}"}, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["issues"] == []
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    someone.get("/myself", expect=401)
    someone.post("/issue", {"fields": {}}, 401)
    either.site.expire_logins(expired=False)
    assert len(someone.search(f"project = {project}")["issues"]) == 1
    either.site.expired_means = "refuse"
    either.site.expire_logins("bo" if either.site.cloud else "ann")
    someone.search(f"project = {project}", expect=401)


def test_jql_can_be_checked_before_use(bo):
    rows = bo.post("/jql/parse", {"queries": ["project = CUST", "project = NOPE", "("]}, 200)["queries"]
    assert ["errors" in one for one in rows] == [False, True, True]
    assert bo.post("/search/approximate-count", {"jql": "project = CUST"}, 200) == {"count": 0}
