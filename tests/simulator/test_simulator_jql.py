"""JQL: what it finds, what it refuses, and the time traps."""

from __future__ import annotations

import pytest
from simulator_people import NOON

from bridge.simulator.jql import Clause, Combined, parse
from bridge.simulator.refusal import Refusal


def test_and_binds_tighter_than_or():
    where = parse("a = 1 or b = 2 and not c = 3").where
    assert isinstance(where, Combined)
    assert where.kind == "or"
    assert where.parts[1].kind == "and"
    assert where.parts[1].parts[1].kind == "not"


def test_strings_unescape():
    where = parse(r'summary ~ "a \"b\" \\ c\u00e9"').where
    assert isinstance(where, Clause)
    assert where.operands[0].text == 'a "b" \\ cé'


@pytest.mark.parametrize(
    "text",
    [
        "project",
        "project =",
        "project = A B",
        "project in ()",
        "(project = A",
        "status was Open",
        "a = 1 order by",
        "a = [",
    ],
)
def test_nonsense_is_refused_with_its_place(text):
    with pytest.raises(Refusal, match=r"Error in the JQL Query: .*character \d+"):
        parse(text)


@pytest.fixture
def stocked(ann, clock):
    """Six issues with different values, a minute apart."""
    severity = "customfield_10041"
    ann.create("alpha beta", labels=["red"], priority={"name": "High"}, assignee={"name": "ivan"})
    clock.turn(seconds=60)
    ann.create(
        "beta gamma", labels=["red", "blue"], priority={"name": "Low"}, **{severity: {"value": "Major"}}
    )
    clock.turn(seconds=60)
    ann.create("gamma", description="needle in here", issuetype={"name": "Task"}, customfield_10042="EXT-7")
    clock.turn(seconds=60)
    ann.create("delta", duedate="2026-12-24", customfield_10043=5)
    return ann


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("project = OPS", "1234"),
        ("project = ops and labels = red", "12"),
        ("labels in (blue, green)", "2"),
        ("labels not in (blue)", "1"),
        ("labels is empty", "34"),
        ("labels is not EMPTY", "12"),
        ("labels != red", ""),
        ('summary ~ "beta"', "12"),
        ("summary ~ 'beta gamma'", "2"),
        ('summary ~ "\\"alpha beta\\""', "1"),
        ("summary ~ gam*", "23"),
        ("summary !~ gamma", "14"),
        ("description ~ needle", "3"),
        ("text_is_not_a_field is empty or key = OPS-1", None),
        ("assignee = ivan", "1"),
        ("assignee is EMPTY AND creator = currentUser()", "234"),
        ("reporter = ann and type = Task", "3"),
        ("issuetype in (Task, Bug) and not key = OPS-2", "134"),
        ("priority = Low or priority = High", "12"),
        ("Severity = Major", "2"),
        ("cf[10041] = Major", "2"),
        ('"External id" ~ "EXT-7"', "3"),
        ("Effort > 4", "4"),
        ("Effort <= 4", ""),
        ("duedate = 2026-12-24", "4"),
        ("resolution is EMPTY", "1234"),
        ("resolution = Unresolved", None),
        ("status = Open and statusCategory = 'To Do'", "1234"),
        ("id in (10401, 10403)", "13"),
        ("issuekey in (OPS-1, OPS-2)", "12"),
        (f"created >= {NOON + 60_000}", "234"),
        (f"created > {NOON + 60_000}", "34"),
        ("created >= -1m", "34"),
        ("created < '-2m'", "1"),
        ("created <= now()", "1234"),
        ("created >= startOfDay()", "1234"),
        ('created >= "2026-11-22 12:02"', "34"),
        ('created >= "2026/11/22 12:03"', "4"),
        ("(labels = blue or labels = red) && !(labels = blue)", "1"),
    ],
)
def test_what_a_query_finds(stocked, jql, found):
    if found is None:
        stocked.search(jql, expect=400)
    else:
        assert sorted(stocked.keys(jql)) == [f"OPS-{number}" for number in found]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("key asc", "1234"),
        ("key desc", "4321"),
        ("created DESC, id", "4321"),
        ("priority, key", "1342"),
        ("duedate, key", "4123"),
        ("summary desc", "3421"),
    ],
)
def test_order_by(stocked, order, found):
    assert stocked.keys(f"project = OPS order by {order}") == [f"OPS-{number}" for number in found]


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("nonsense = 1", "Field 'nonsense' does not exist or you do not have permission to view it."),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("status = Nope", "The value 'Nope' does not exist for the field 'status'."),
        ("assignee = nobody", "The value 'nobody' does not exist for the field 'assignee'."),
        ("key = OPS-99", "An issue with key 'OPS-99' does not exist for field 'key'."),
        ("id = 99", "A value with ID '99' does not exist for the field 'id'."),
        ("updated > yesterday", "Date value 'yesterday' for field 'updated' is invalid."),
        ('updated > "1795348800123"', "Date value '1795348800123' for field 'updated' is invalid."),
        ("assignee in membersOf(staff)", "Unable to find JQL function 'membersOf(staff)'."),
        ("priority ~ High", "The operator '~' is not supported by the 'priority' field."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("project = OPS order by nonsense", "Field 'nonsense' does not exist"),
    ],
)
def test_what_a_query_may_not_say(stocked, jql, words):
    messages = stocked.search(jql, expect=400)["errorMessages"]
    assert any(words in message for message in messages)


def test_unknown_ids_may_be_let_pass(stocked, home):
    home.site.strict_ids = False
    assert stocked.keys("id in (10401, 99)") == ["OPS-1"]


def test_a_quoted_date_is_read_in_the_callers_zone(stocked, home):
    """12:02 means 17:02 UTC to someone in New York: the future, and nothing is found."""
    from dataclasses import replace

    ann = home.site.person("ann")
    home.site.users[ann.id] = replace(ann, time_zone="America/New_York")
    assert stocked.keys('created >= "2026-11-22 12:02"') == []
    assert sorted(stocked.keys('created >= "2026-11-22 07:02"')) == ["OPS-3", "OPS-4"]
    assert sorted(stocked.keys(f"created >= {NOON + 120_000}")) == ["OPS-3", "OPS-4"]


def test_the_index_keeps_seconds(stocked):
    """A bound inside the second still finds what happened earlier in that second."""
    assert "OPS-1" in stocked.keys(f"created >= {NOON + 500}")
    assert "OPS-1" not in stocked.keys(f"created >= {NOON + 1000}")


def test_remote_links_are_found_by_global_id(stocked):
    link = {"globalId": "peer=7", "object": {"url": "https://x.example/7", "title": "7"}}
    stocked.post("/issue/OPS-2/remotelink", link, 201)
    assert stocked.keys('issue in issuesWithRemoteLinksByGlobalId("peer=7")') == ["OPS-2"]
