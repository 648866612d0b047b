"""Parents and issue links on both Jiras."""

from __future__ import annotations

import pytest

from bridge.errors import Gone, Refused
from bridge.simulator import Fault
from bridge.sync.ticket import Relation


def two(jira):
    return [
        jira.tracker.create(jira.draft(f"Number {number}", mark=f"bridge-{number:016x}"), ()).id
        for number in (1, 2)
    ]


def seen(jira, ticket):
    return jira.tracker.fetch([ticket], ())[ticket]


def test_a_link_starts_at_its_source_and_shows_on_both(jira):
    one, other = two(jira)
    jira.tracker.structure.add_relation("Blocks", one, other)
    (link,) = seen(jira, one).relations
    assert (link.kind, link.other, link.outward, link.symmetric) == ("Blocks", other, True, False)
    assert seen(jira, other).relations == (Relation(link.id, "Blocks", one, outward=False),)
    assert seen(jira, one).relations_complete
    shown = jira.person().call("GET", f"/issueLink/{link.id}")
    assert (shown["inwardIssue"]["id"], shown["type"]["outward"]) == (one, "blocks")
    (polled,) = [ticket for ticket in jira.poll() if ticket.id == one]
    assert polled.relations == (link,), "a search shows them as well: no call more"


def test_the_same_link_twice_is_one_also_when_the_first_answer_is_lost(jira):
    one, other = two(jira)
    jira.server.faults.add(Fault("apply-then-drop", "POST", r"/issueLink$"))
    jira.tracker.structure.add_relation("Relates", one, other)
    jira.tracker.structure.add_relation("Relates", one, other)
    (link,) = seen(jira, one).relations
    assert link.symmetric
    assert len(jira.reached("POST", "/issueLink")) == 3


def test_a_link_is_taken_away_and_one_that_is_gone_is_fine(jira):
    one, other = two(jira)
    jira.tracker.structure.add_relation("Blocks", one, other)
    (link,) = seen(jira, one).relations
    for _ in range(2):
        jira.tracker.structure.remove_relation(link.id)
    assert seen(jira, other).relations == ()


def test_a_link_that_cannot_be_is_refused_in_the_trackers_words(jira):
    one, other = two(jira)
    with pytest.raises(Gone, match="Bloks"):
        jira.tracker.structure.add_relation("Bloks", one, other)
    with pytest.raises(Gone):
        jira.tracker.structure.add_relation("Blocks", one, "999999")
    jira.server.site.revoke("bridge", "LINK_ISSUES")
    with pytest.raises(Gone if jira.cloud else Refused, match="No Link Issue Permission"):
        jira.tracker.structure.add_relation("Blocks", one, other)


def test_the_types_of_links_are_told(jira):
    assert set(jira.tracker.structure.link_types()) == {"Blocks", "Cloners", "Duplicate", "Relates"}
    assert set(jira.tracker.metadata(jira.project).link_types) == {
        "Blocks",
        "Cloners",
        "Duplicate",
        "Relates",
    }


def test_a_sub_task_is_created_with_its_parent(jira):
    one, _ = two(jira)
    draft = jira.draft("Part", mark="bridge-00000000000000aa", type="Sub-task")
    made = jira.tracker.create(type(draft)(draft.project, draft.fields, draft.marker, one), ())
    assert seen(jira, made.id).parent == one
    assert seen(jira, one).parent == ""
    with pytest.raises(Refused) as refusal:
        jira.tracker.create(jira.draft("Part", mark="bridge-00000000000000ab", type="Sub-task"), ())
    assert list(refusal.value.fields) == ["parent"]


def test_cloud_sets_and_takes_away_a_parent(cloud):
    one, other = two(cloud)
    cloud.tracker.structure.set_parent(other, one)
    assert seen(cloud, other).parent == one
    cloud.tracker.structure.set_parent(other, "")
    assert seen(cloud, other).parent == ""
    with pytest.raises(Refused):
        cloud.tracker.structure.set_parent(one, one)


def test_data_center_has_parents_for_sub_tasks_alone(datacenter):
    one, other = two(datacenter)
    with pytest.raises(Refused) as refusal:
        datacenter.tracker.structure.set_parent(other, one)
    assert list(refusal.value.fields) == ["parent"]
