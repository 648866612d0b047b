"""What the adapters take for private when they read, and what they insist on when they write."""

from __future__ import annotations

import pytest
from jira_house import MARK

from bridge.errors import Gone, Refused
from bridge.markup import Document, Mention, Paragraph, Text
from bridge.sync.agreement import Privacy
from bridge.trackers import jira_cloud, jira_datacenter
from bridge.trackers.jira_tickets import Reading

BODY = Document((Paragraph((Text("hush"),)),))
ROLE = Privacy(role="Developers")


def reading(*, cloud: bool) -> Reading:
    flavour = jira_cloud.FLAVOUR if cloud else jira_datacenter.FLAVOUR
    return Reading("far", "https://far.example", flavour.values)


def raw(**more):
    return {"id": "1", "created": "2026-11-22T12:00:00.123+0000", "body": None, **more}


NOTE = {"key": "sd.public.comment", "value": {"internal": True}}


@pytest.mark.parametrize(
    ("cloud", "desk", "more", "private", "surely"),
    [
        (True, False, {}, False, False),
        (True, False, {"jsdPublic": True}, False, False),
        (True, True, {"jsdPublic": True}, False, False),
        (True, True, {"jsdPublic": False}, True, True),
        (True, False, {"jsdPublic": False}, True, False),
        (True, True, {}, True, False),
        (True, True, {"jsdPublic": None}, True, False),
        (True, True, {"jsdPublic": "yes"}, True, False),
        (True, False, {"visibility": {"type": "role", "value": "Developers"}}, True, True),
        (True, False, {"visibility": {"type": "group", "identifier": "7"}}, True, True),
        (True, False, {"visibility": {}}, True, False),
        (True, False, {"visibility": {"type": "moon", "value": "x"}}, True, False),
        (False, True, {"properties": [NOTE]}, True, True),
        (False, False, {"properties": [NOTE]}, True, False),
        (False, True, {"properties": [{"key": NOTE["key"], "value": {"internal": "false"}}]}, False, False),
        (False, True, {"properties": [{"key": NOTE["key"], "value": 7}]}, True, True),
        (False, True, {"properties": []}, False, False),
    ],
)
def test_in_doubt_a_comment_is_private_to_read_and_public_to_verify(
    cloud, desk, more, private, surely
) -> None:
    reader = reading(cloud=cloud)
    assert reader.comment(raw(**more), desk=desk).private is private
    assert reader.surely_private(raw(**more), desk=desk) is surely


def test_a_private_comment_is_private_in_the_very_request(jira) -> None:
    ticket = jira.person().create()
    before = jira.server.calls.last
    comment, _ = jira.tracker.add_comment(ticket, BODY, MARK, private=ROLE)
    (call,) = jira.reached("POST", "/comment", since=before)
    assert call.json["visibility"] == {"type": "role", "value": "Developers"}
    assert NOTE in call.json["properties"]
    assert jira.tracker.is_private(ticket, comment)
    assert jira.tracker.fetch([ticket], ())[ticket].comments[0].private
    group, _ = jira.tracker.add_comment(ticket, BODY, MARK, private=Privacy(group="staff"))
    assert jira.tracker.is_private(ticket, group)


def test_a_service_desk_needs_no_role(jira) -> None:
    jira.server.site.projects[jira.project].service_desk = True
    ticket = jira.person().create()
    comment, _ = jira.tracker.add_comment(ticket, BODY, MARK, private=Privacy())
    assert jira.tracker.is_private(ticket, comment)
    public, _ = jira.tracker.add_comment(ticket, BODY, MARK)
    assert not jira.tracker.is_private(ticket, public)
    assert [one.private for one in jira.tracker.fetch([ticket], ())[ticket].comments] == [True, False]


def test_a_plain_project_without_a_role_takes_none(jira) -> None:
    ticket = jira.person().create()
    before = jira.server.calls.last
    with pytest.raises(Refused, match="private-role"):
        jira.tracker.add_comment(ticket, BODY, MARK, private=Privacy())
    assert jira.reached("POST", "/comment", since=before) == []


def test_a_property_makes_nothing_private_in_a_plain_project(jira) -> None:
    ticket = jira.person().create()
    said = jira.person().comment(ticket, "hush", properties=[NOTE])
    assert not jira.tracker.is_private(ticket, said)
    with pytest.raises(Gone):
        jira.tracker.is_private(ticket, "1")


def test_a_secured_ticket_is_private_also_in_a_search(jira) -> None:
    secured = jira.person().create(security={"name": "Staff only"})
    plain = jira.person().create()
    assert {ticket.id: ticket.private for ticket in jira.poll()} == {secured: True, plain: False}
    assert jira.tracker.fetch([secured], ())[secured].private


def test_people_are_found_as_texts_mention_them(jira) -> None:
    site, login = jira.server.site, jira.human_login
    person = site.person(login)
    account = person.id if jira.cloud else person.name
    found = jira.tracker.find_mention(person.email, jira.project)
    assert found == Mention(account, person.display_name)
    assert jira.tracker.find_mention("nobody@nowhere.example", jira.project) is None
    jira.server.faults.add_json({"kind": "error", "status": 403, "path_regex": "/user"})
    assert jira.tracker.find_mention("other@nowhere.example", jira.project) is None
