"""The `jira` package, unchanged, drives both flavours from end to end."""

from __future__ import annotations

import pytest
from jira import JIRA, JIRAError


@pytest.fixture
def dc(home):
    client = JIRA(home.url, token_auth="ann-token", max_retries=0, timeout=10)
    yield client
    client.close()


@pytest.fixture
def cloud(acme):
    client = JIRA(
        acme.url,
        basic_auth=("bo@acme.example", "bo-token"),
        options={"deploymentType": "Cloud"},
        get_server_info=False,
        max_retries=0,
        timeout=10,
    )
    client.deploymentType = "Cloud"
    yield client
    client.close()


def test_a_ticket_lives_its_life_on_data_center(dc, home):
    issue = dc.create_issue(
        project="OPS",
        summary="Printer burns",
        issuetype={"name": "Incident"},
        description="*bold* smoke",
        labels=["fire"],
        priority={"name": "High"},
    )
    assert (issue.key, issue.fields.status.name, issue.fields.description) == (
        "OPS-1",
        "Open",
        "*bold* smoke",
    )
    issue.update(summary="Printer smokes", fields={"labels": ["smoke"]})
    issue.update(update={"labels": [{"add": "hot"}, {"remove": "smoke"}]})
    comment = dc.add_comment(issue, "Call [~ann]", visibility={"type": "role", "value": "Developers"})
    comment.update(body="Call the [~ann]")
    dc.assign_issue(issue, "ivan")
    dc.transition_issue(issue, "Start Progress")
    dc.transition_issue(issue, "5", fields={"resolution": {"name": "Fixed"}}, comment="Put out.")
    link = dc.add_simple_link(issue, {"url": "https://x.example/1", "title": "peer"})
    found = dc.search_issues("project = OPS AND resolution = Fixed ORDER BY key", expand="changelog")
    assert [one.key for one in found] == ["OPS-1"]
    issue = dc.issue("OPS-1", expand="changelog")
    assert issue.fields.summary == "Printer smokes"
    assert issue.fields.labels == ["hot"]
    assert issue.fields.assignee.name == "ivan"
    assert [one.body for one in issue.fields.comment.comments] == ["Call the [~ann]", "Put out."]
    changed = [item.field for entry in issue.changelog.histories for item in entry.items]
    assert sorted(changed[:2]) == ["labels", "summary"]
    assert changed[2:] == ["labels", "assignee", "status", "status", "resolution"]
    assert [one.id for one in dc.remote_links(issue)] == [link.id]
    assert dc.myself()["name"] == "ann"
    assert {one["name"] for one in dc.fields()} >= {"Severity", "Summary"}
    assert dc.priorities()[0].name == "Highest"
    assert {one.name for one in dc.project_issue_types("OPS")} >= {"Bug"}
    assert [one.name for one in dc.search_users(user="ann")] == ["ann"]
    issue.delete()
    with pytest.raises(JIRAError, match="does not exist"):
        dc.issue("OPS-1")
    assert home.site.unsupported == []


def test_a_ticket_lives_its_life_on_cloud(cloud, acme):
    issue = cloud.create_issue(
        project="CUST",
        summary="Printer burns",
        issuetype={"name": "Incident"},
        description="smoke",
        priority={"name": "P1"},
    )
    assert (issue.key, issue.fields.status.name, issue.fields.description) == ("CUST-1", "To Do", "smoke")
    issue.update(fields={"summary": "Printer smokes"})
    cloud.add_comment(issue, "On it")
    cloud.transition_issue(issue, "Start")
    cloud.transition_issue(issue, 21)
    with pytest.raises(JIRAError, match="not valid for this issue"):
        cloud.transition_issue(issue, 21)
    found = cloud.enhanced_search_issues("project = CUST AND status = 'In Review'", fields="summary,status")
    assert [(one.key, one.fields.summary) for one in found] == [("CUST-1", "Printer smokes")]
    cloud.transition_issue(issue, "Approve")
    issue = cloud.issue("CUST-1")
    assert (issue.fields.status.name, issue.fields.resolution.name) == ("Done", "Done")
    assert cloud.myself()["accountId"] == acme.site.person("bo").id
    cloud.add_issue_property(issue.key, "bridge", {"peer": "OPS-1"})
    assert cloud.issue_property(issue, "bridge").value.peer == "OPS-1"
    assert acme.site.unsupported == []


def test_cloud_search_pages_by_token(cloud, acme):
    for number in range(5):
        cloud.create_issue(project="CUST", summary=f"n{number}", issuetype={"name": "Task"})
    acme.site.rich_page = 2
    found = cloud.enhanced_search_issues("project = CUST ORDER BY key ASC", maxResults=0)
    assert [one.key for one in found] == [f"CUST-{number}" for number in range(1, 6)]


def test_the_package_sends_an_internal_note(cloud, acme):
    acme.site.projects["CUST"].service_desk = True
    issue = cloud.create_issue(project="CUST", summary="s", issuetype={"name": "Task"})
    cloud.add_comment(issue, "for us only", is_internal=True)
    cloud.add_comment(issue, "for all")
    shown = [(one.body, one.jsdPublic) for one in cloud.comments(issue)]
    assert shown == [("for us only", False), ("for all", True)]
