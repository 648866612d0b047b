"""Fields of the usual types on both Jiras: written and read back; refused when the value does not fit."""

from __future__ import annotations

import pytest
from jira_house import doc

from bridge.errors import Refused
from bridge.markup import plain
from bridge.sync.ticket import Person
from bridge.trackers.protocol import FieldSpec

SPECS = tuple(
    FieldSpec(name.lower(), name)
    for name in (
        "External id",
        "Impact",
        "Effort",
        "Severity",
        "Channel",
        "Platforms",
        "Checks",
        "Place",
        "Contact",
        "Promised for",
        "Change window",
        "Manual",
        "Tags",
        "Watched by",
    )
)

VALUES = {
    "external id": "REF-1",
    "effort": 2.5,
    "severity": "Major",
    "channel": "Phone",
    "platforms": frozenset({"Linux", "macOS"}),
    "checks": frozenset({"Backup"}),
    "place": "Copenhagen > South",
    "promised for": "2026-12-24",
    "change window": "2026-12-24T18:30:00Z",
    "manual": "https://example.com/manual?page=1",
    "tags": frozenset({"red", "green"}),
    "components": frozenset({"Billing", "Portal"}),
    "fix-versions": frozenset({"1.1", "2.0"}),
    "affects-versions": frozenset({"1.0"}),
}

WRONG = {
    "effort": "much",
    "severity": "Fatal",
    "channel": "Fax",
    "platforms": frozenset({"Linux", "BeOS"}),
    "place": "Aarhus > South",
    "contact": "nobody@example.com",
    "promised for": "2026-12-24T18:30:00Z",
    "change window": "2026-12-24",
    "manual": "no address",
    "tags": frozenset({"two words"}),
    "components": frozenset({"Kitchen"}),
    "fix-versions": frozenset({"9.9"}),
}


def handle(jira) -> str:
    """Somebody's address, as a people map names them."""
    return "bo@acme.example" if jira.cloud else "ann@home.example"


def test_what_is_written_at_creation_is_read_back(jira):
    person = handle(jira)
    draft = jira.draft(**VALUES, contact=person, impact=doc("Much", "and more"))
    made = jira.tracker.create(draft, SPECS)
    seen = jira.tracker.fetch([made.id], SPECS)[made.id].fields
    assert {name: seen[name] for name in VALUES} == VALUES
    assert isinstance(seen["contact"], Person)
    assert person in seen["contact"].handles
    assert plain(seen["impact"]) == plain(doc("Much", "and more"))


def test_what_is_changed_is_read_back_and_what_is_emptied_is_empty(jira):
    made = jira.tracker.create(jira.draft(**VALUES, contact=handle(jira)), SPECS)
    empty = {name: frozenset() if isinstance(value, frozenset) else None for name, value in VALUES.items()}
    jira.tracker.update(made.id, {**empty, "contact": None}, SPECS)
    seen = jira.tracker.fetch([made.id], SPECS)[made.id].fields
    assert {name: seen[name] for name in empty} == empty
    assert seen["contact"] is None
    again = {"place": "Aarhus", "platforms": frozenset({"Windows"}), "components": frozenset({"Portal"})}
    jira.tracker.update(made.id, again, SPECS)
    seen = jira.tracker.fetch([made.id], SPECS)[made.id].fields
    assert {name: seen[name] for name in again} == again


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_does_not_fit_is_refused_under_its_name(jira, name):
    made = jira.tracker.create(jira.draft(), SPECS)
    with pytest.raises(Refused) as refusal:
        jira.tracker.update(made.id, {name: WRONG[name]}, SPECS)
    assert list(refusal.value.fields) == [name]
    with pytest.raises(Refused) as refusal:
        jira.tracker.create(jira.draft(**{name: WRONG[name]}), SPECS)
    assert list(refusal.value.fields) == [name]


def test_several_people_are_not_read_and_the_check_says_why(jira):
    made = jira.tracker.create(jira.draft(), SPECS)
    assert "watched by" not in jira.tracker.fetch([made.id], SPECS)[made.id].fields
    unfit = jira.tracker.metadata(jira.project, SPECS).unfit
    assert list(unfit) == ["Watched by"]
    assert "several people" in unfit["Watched by"]


def test_two_fields_of_one_name_are_told_apart_by_their_ids(jira):
    site = jira.server.site
    site.custom["customfield_10099"] = type(site.custom["customfield_10042"])(
        "customfield_10099", "External id", "string"
    )
    try:
        specs = (FieldSpec("ref", "External id"), FieldSpec("other", "customfield_10099"))
        meta = jira.open().metadata(jira.project, specs)
        assert "several fields" in meta.unfit["External id"]
        assert "customfield_10042, customfield_10099" in meta.unfit["External id"]
        assert "customfield_10099" in meta.fields
    finally:
        del site.custom["customfield_10099"]


def test_the_check_learns_what_a_field_offers(jira):
    screen = jira.tracker.metadata(jira.project, SPECS).create["Bug"]
    offered = {field.name: field.allowed for field in screen}
    assert offered["Place"] == (
        "Copenhagen",
        "Copenhagen > North",
        "Copenhagen > South",
        "Aarhus",
        "Aarhus > Harbour",
    )
    assert offered["components"] == ("Billing", "Portal")
    assert offered["fix-versions"] == ("1.0", "1.1", "2.0")
    assert offered["Platforms"] == ("Linux", "Windows", "macOS")
