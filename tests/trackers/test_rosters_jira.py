"""Groups and project roles of both kinds of Jira, as the adapter tells who is in them."""

from __future__ import annotations

import pytest

from bridge.errors import Gone, Refused
from bridge.trackers.rosters import rosters_of


@pytest.fixture
def rosters(jira):
    """Of a site where our account may see groups."""
    jira.server.site.change_user("bridge", admin=True)
    return rosters_of(jira.tracker)


def logins(jira, people):
    by_id = {(one.id if jira.cloud else one.name): one.name for one in jira.server.site.users.values()}
    return {by_id[person.id] for person in people}


def other(jira):
    return "cy" if jira.cloud else "ivan"


def test_a_group_has_its_members_and_tells_who_was_deactivated(jira, rosters):
    site = jira.server.site
    site.change_user(other(jira), active=False, groups=frozenset({"ops-leads"}))
    site.change_user(jira.human_login, groups=frozenset({"ops-leads", "staff"}))
    found = rosters.group_members("ops-leads", jira.project)
    assert logins(jira, found) == {other(jira), jira.human_login}
    assert {one.active for one in found if logins(jira, [one]) == {other(jira)}} == {False}


def test_a_group_longer_than_a_page_is_read_to_its_end(jira, rosters):
    from bridge.simulator.presets import add_person

    for number in range(120):
        add_person(jira.server.site, f"p{number}", f"P {number}")
    assert len(rosters.group_members("staff", jira.project)) == 124


def test_a_group_that_is_not_there_or_hidden_is_an_error_and_never_empty(jira, rosters):
    with pytest.raises(Gone):
        rosters.group_members("nobody-here", jira.project)
    jira.server.site.change_user("bridge", admin=False)
    with pytest.raises(Refused):
        rosters.group_members("staff", jira.project)


def test_a_project_role_has_the_people_who_act_in_it(jira, rosters):
    site = jira.server.site
    site.change_user(jira.human_login, roles=frozenset({"Approvers"}))
    site.change_user(other(jira), roles=frozenset({"Approvers"}), active=False)
    found = [one for one in rosters.project_role_members(jira.project, "approvers") if one.active]
    assert logins(jira, found) == {jira.human_login}


def test_a_project_role_that_is_not_there_or_hidden_is_an_error(jira, rosters):
    with pytest.raises(Gone, match="Developers"):
        rosters.project_role_members(jira.project, "Nobodies")
    with pytest.raises(Gone):
        rosters.project_role_members("NOPE", "Developers")
    jira.server.site.change_user("bridge", admin=False)
    with pytest.raises(Gone):
        rosters.project_role_members(jira.project, "Developers")


def test_people_are_found_by_what_a_configuration_calls_them(jira, rosters):
    site = jira.server.site
    person = rosters.person(f"{jira.human_login}@{site.name}.example", jira.project)
    assert logins(jira, [person]) == {jira.human_login}
    assert rosters.person("nobody@nowhere.example", jira.project) is None
    assert rosters.active(person)
    site.change_user(jira.human_login, active=False)
    assert not rosters.active(person)


@pytest.mark.parametrize("jira", ["cloud"], indirect=True)
def test_a_person_whose_address_is_hidden_is_found_by_id(jira, rosters):
    cy = jira.server.site.person("cy")
    assert rosters.person(cy.id, jira.project).id == cy.id
