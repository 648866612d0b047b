"""Writing: creates, edits, steps, comments and links, and what the tracker says when it will not."""

from __future__ import annotations

import pytest
from jira_house import MARK, SPECS, doc

from bridge.errors import Gone, OutcomeUnknown, Refused, Throttled
from bridge.markup import plain
from bridge.simulator import CustomField, Fault
from bridge.sync.ticket import Person
from bridge.trackers.protocol import FieldSpec, PeerLink
from bridge.trackers.survey import Need

COMMENT_MARK = "bridge-comment-7"


def read(jira, ticket, specs=()):
    return jira.tracker.fetch([ticket], specs)[ticket]


def test_a_ticket_is_created_with_its_mark_in_one_request(jira):
    jira.tracker.metadata(jira.project)
    before = jira.server.calls.last
    made = jira.tracker.create(jira.draft(labels=frozenset({"red"}), description=doc("Why")), ())
    (call,) = jira.reached(since=before)
    assert call.json["properties"] == [{"key": "bridge.link", "value": {"marker": MARK}}], "no peer"
    assert made.key == f"{jira.project}-1"
    assert made.url == f"{jira.server.url}/browse/{made.key}"
    assert abs(made.at - jira.clock.now()) < 5e6
    assert made.at % 1_000_000 == 0
    ticket = read(jira, made.id)
    assert ticket.marker == MARK
    assert ticket.fields["labels"] == {"red"}


def test_every_kind_of_field_is_written_and_read_back(jira):
    handle = f"{jira.human_login}@{jira.server.site.name}.example"
    values = {
        "priority": "P1" if jira.cloud else "Highest",
        "due": "2026-12-24",
        "assignee": handle,
        "severity": "Major",
        "ref": "EXT-1",
        "effort": 3.0,
        "impact": doc("Much"),
        "promised": "2026-12-01",
    }
    made = jira.tracker.create(jira.draft(**values), SPECS)
    fields = read(jira, made.id, SPECS).fields
    assert fields["assignee"].name == ("Bo Manager" if jira.cloud else "Ann Owner")
    assert plain(fields["impact"]).strip() == "Much"
    same = set(values) - {"assignee", "impact"}
    assert {name: fields[name] for name in same} == {name: values[name] for name in same}


def test_fields_are_set_and_cleared(jira):
    made = jira.tracker.create(jira.draft(due="2026-12-24", ref="EXT-1", description=doc("Why")), SPECS)
    person = read(jira, made.id).creator
    at = jira.tracker.update(
        made.id,
        {"due": None, "ref": None, "description": doc(), "assignee": person, "summary": "Two\nlines"},
        SPECS,
    )
    assert abs(at - jira.clock.now()) < 5e6
    fields = read(jira, made.id, SPECS).fields
    assert (fields["due"], fields["ref"], fields["summary"]) == (None, None, "Two lines")
    assert not fields["description"]
    assert fields["assignee"] == person
    jira.tracker.update(made.id, {"assignee": None}, ())
    assert read(jira, made.id).fields["assignee"] is None


def test_labels_are_changed_one_by_one_and_our_own_stays(jira):
    made = jira.tracker.create(jira.draft(labels=frozenset({"red", "blue"})), ())
    read(jira, made.id)
    human = jira.person()
    human.call("PUT", f"/issue/{made.id}", {"update": {"labels": [{"add": "theirs"}]}})
    before = jira.server.calls.last
    jira.tracker.update(made.id, {"labels": frozenset({"red", "green"})}, ())
    assert len(jira.reached(since=before)) == 1
    assert human.labels(made.id) == {"red", "green", "theirs", MARK}


def test_labels_of_a_ticket_never_seen_are_read_first(jira):
    human = jira.person()
    ticket = human.create(labels=["old", "bridge-0000000000000001"])
    jira.tracker.update(ticket, {"labels": frozenset({"new"})}, ())
    assert human.labels(ticket) == {"new", "bridge-0000000000000001"}


def test_labels_may_be_counted_from_what_the_caller_saw(jira):
    human = jira.person()
    ticket = human.create(labels=["a"])
    read(jira, ticket)
    human.edit(ticket, labels=["a", "theirs"])
    read(jira, ticket)
    jira.tracker.update(ticket, {"labels": frozenset({"a", "b"})}, (), was=frozenset({"a"}))
    assert human.labels(ticket) == {"a", "b", "theirs"}


def test_nothing_to_change_is_no_request(jira):
    made = jira.tracker.create(jira.draft(labels=frozenset({"red"})), ())
    before = jira.server.calls.last
    assert jira.tracker.update(made.id, {"labels": frozenset({"red"})}, ()) > 0
    assert jira.reached(since=before) == []


def test_a_refused_field_is_named_in_our_words(jira):
    made = jira.tracker.create(jira.draft(), ())
    with pytest.raises(Refused) as refusal:
        jira.tracker.update(made.id, {"due": "soon", "severity": "Nope"}, SPECS)
    assert refusal.value.status == 400
    assert set(refusal.value.fields) <= {"due", "severity"}
    assert refusal.value.fields
    with pytest.raises(Refused) as refusal:
        jira.tracker.create(jira.draft(severity="Nope"), SPECS)
    assert set(refusal.value.fields) == {"severity"}


def test_values_that_cannot_fit_are_refused_before_anything_is_sent(jira):
    made = jira.tracker.create(jira.draft(), ())
    jira.tracker.metadata(jira.project)
    before = jira.server.calls.last
    with pytest.raises(Refused) as refusal:
        jira.tracker.update(made.id, {"effort": "much", "severity": frozenset({"a", "b"})}, SPECS)
    assert set(refusal.value.fields) == {"effort", "severity"}
    assert jira.reached("PUT", since=before) == []


def test_a_field_that_does_not_exist_is_refused_clearly(jira):
    with pytest.raises(Refused, match="no field called 'Colour'"):
        jira.tracker.create(jira.draft(colour="red"), [FieldSpec("colour", "Colour")])


def test_a_name_that_two_fields_share_is_refused_but_an_id_works(jira):
    jira.server.site.custom["customfield_19999"] = CustomField("customfield_19999", "External id")
    with pytest.raises(Refused, match=r"several fields.*customfield_10042, customfield_19999"):
        jira.tracker.create(jira.draft(ref="EXT-1"), SPECS)
    by_id = [FieldSpec("ref", "customfield_10042")]
    made = jira.tracker.create(jira.draft(ref="EXT-1"), by_id)
    assert read(jira, made.id, by_id).fields["ref"] == "EXT-1"


def test_a_field_made_later_is_found_after_a_while(jira):
    jira.tracker.metadata(jira.project)
    jira.server.site.custom["customfield_19999"] = CustomField("customfield_19999", "Colour")
    spec = [FieldSpec("colour", "Colour")]
    with pytest.raises(Refused):
        jira.tracker.create(jira.draft(colour="red"), spec)
    jira.clock.sleep(400)
    assert jira.tracker.create(jira.draft(colour="red"), spec).id


def test_an_unknown_person_is_refused(jira):
    with pytest.raises(Refused) as refusal:
        jira.tracker.create(jira.draft(assignee="nobody@nowhere.example"), ())
    assert "nobody" in refusal.value.fields["assignee"]


def test_a_person_of_the_tracker_needs_no_look_up(jira):
    jira.tracker.metadata(jira.project)
    me = jira.tracker.whoami()
    before = jira.server.calls.last
    jira.tracker.create(jira.draft(assignee=Person(me.id)), ())
    assert len(jira.reached(since=before)) == 1


def test_updating_what_is_gone(jira):
    with pytest.raises(Gone):
        jira.tracker.update("99999999", {"summary": "x"}, ())


def test_steps_tell_where_they_lead_and_what_they_ask_for(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    steps = {step.to: step for step in jira.tracker.transitions(ticket)}
    assert steps["In Progress"].required == ()
    if not jira.cloud:
        assert steps["Resolved"].required == ("Resolution",)


def test_a_step_is_taken_with_its_screen(datacenter):
    ticket = datacenter.tracker.create(datacenter.draft(), ()).id
    step = next(one for one in datacenter.tracker.transitions(ticket) if one.to == "Resolved")
    values = {"resolution": "Fixed", "assignee": "ann", "Severity": "Major"}
    at = datacenter.tracker.transition(ticket, step, values)
    assert abs(at - datacenter.clock.now()) < 5e6
    raw = datacenter.person().call("GET", f"/issue/{ticket}")["fields"]
    assert raw["status"]["name"] == "Resolved"
    assert raw["resolution"]["name"] == "Fixed"
    assert raw["assignee"]["name"] == "ann"
    (call,) = datacenter.reached("POST", "/transitions")
    assert isinstance(call.json["transition"]["id"], str)
    assert "customfield_10041" not in call.json["fields"], "not on this step's screen"


def test_a_step_that_lacks_a_value_is_refused(datacenter):
    ticket = datacenter.tracker.create(datacenter.draft(), ()).id
    step = next(one for one in datacenter.tracker.transitions(ticket) if one.to == "Resolved")
    with pytest.raises(Refused):
        datacenter.tracker.transition(ticket, step, {})


def test_a_step_that_is_not_offered_any_more_is_refused(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    step = next(one for one in jira.tracker.transitions(ticket) if one.to == "In Progress")
    jira.tracker.transition(ticket, step, {})
    with pytest.raises(Refused):
        jira.tracker.transition(ticket, step, {})


def test_a_lost_step_is_unknown_and_not_taken_twice(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    step = next(one for one in jira.tracker.transitions(ticket) if one.to == "In Progress")
    jira.server.faults.add(Fault("apply-then-drop", "POST", "/transitions"))
    with pytest.raises(OutcomeUnknown):
        jira.tracker.transition(ticket, step, {})
    assert len(jira.reached("POST", "/transitions")) == 1
    assert read(jira, ticket).fields["status"] == "In Progress"


def test_comments_are_added_edited_and_deleted(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    comment, at = jira.tracker.add_comment(ticket, doc("Hello"), COMMENT_MARK)
    assert abs(at - jira.clock.now()) < 5e6
    assert jira.tracker.edit_comment(ticket, comment, doc("Good day")) >= at
    (found,) = read(jira, ticket).comments
    assert (found.id, plain(found.body).strip()) == (comment, "Good day")
    assert not found.private
    assert jira.tracker.delete_comment(ticket, comment) >= at
    assert read(jira, ticket).comments == ()
    assert jira.tracker.delete_comment(ticket, comment) > 0, "deleting what is gone is fine"
    with pytest.raises(Gone):
        jira.tracker.edit_comment(ticket, comment, doc("Too late"))


def test_a_comment_is_found_by_its_mark_even_when_somebody_edited_it(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    since = jira.clock.now()
    comment, _ = jira.tracker.add_comment(ticket, doc("Hello"), COMMENT_MARK)
    jira.tracker.edit_comment(ticket, comment, doc("Changed"))
    jira.tracker.add_comment(ticket, doc("Hello"), "another mark")
    assert jira.tracker.find_comment(ticket, doc("Hello"), COMMENT_MARK, since) == comment
    assert jira.tracker.find_comment(ticket, doc("Hello"), "no such mark", since) is None


def test_a_comment_without_a_mark_is_found_by_author_and_text(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    since = jira.clock.now()
    jira.person().comment(ticket, "Hello")
    assert jira.tracker.find_comment(ticket, doc("Hello"), COMMENT_MARK, since) is None
    ours = jira.person("bridge").comment(ticket, "Hello")
    assert jira.tracker.find_comment(ticket, doc("Hello"), COMMENT_MARK, since) == ours
    assert jira.tracker.find_comment(ticket, doc("Hello"), COMMENT_MARK, since + 3600 * 10**6) is None


def test_a_link_back_is_the_same_link_however_often_it_is_put(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    for title in ("CUST-7 (Acme)", "CUST-8 (Acme)"):
        peer = PeerLink("https://acme.example/browse/CUST-7", title, MARK)
        assert jira.tracker.link_back(ticket, peer) == ""
    (link,) = jira.person().call("GET", f"/issue/{ticket}/remotelink")
    assert link["globalId"] == MARK
    assert link["object"]["title"] == "CUST-8 (Acme)"
    assert link["relationship"] == "mirrored as"


@pytest.mark.parametrize("kind", ["apply-then-500", "apply-then-drop", "truncated"])
def test_a_lost_create_is_sent_once_and_can_be_found(jira, kind):
    since = jira.clock.now()
    jira.server.faults.add(Fault(kind, "POST", "/issue$"))
    with pytest.raises(OutcomeUnknown):
        jira.tracker.create(jira.draft(), ())
    assert len(jira.reached("POST", "/issue$")) == 1
    assert len(jira.tracker.find_marked(jira.scope(), MARK, since)) == 1


@pytest.mark.parametrize("kind", ["apply-then-500", "apply-then-drop", "truncated"])
def test_a_lost_comment_is_sent_once_and_can_be_found(jira, kind):
    ticket = jira.tracker.create(jira.draft(), ()).id
    since = jira.clock.now()
    jira.server.faults.add(Fault(kind, "POST", "/comment$"))
    with pytest.raises(OutcomeUnknown):
        jira.tracker.add_comment(ticket, doc("Hello"), COMMENT_MARK)
    assert len(jira.reached("POST", "/comment$")) == 1
    assert jira.tracker.find_comment(ticket, doc("Hello"), COMMENT_MARK, since)


def test_a_throttled_create_waits_and_is_made_once(jira):
    jira.server.faults.add(Fault("throttle", "POST", "/issue$", times=2, retry_after=1))
    assert jira.tracker.create(jira.draft(), ()).key == f"{jira.project}-1"
    assert len(jira.reached("POST", "/issue$")) == 3
    assert len(jira.server.site.issues) == 1
    assert sum(jira.clock.slept) >= 2


def test_a_long_wait_is_handed_on(jira):
    jira.server.faults.add(Fault("throttle", "POST", "/issue$", retry_after=1800))
    with pytest.raises(Throttled) as throttled:
        jira.tracker.create(jira.draft(), ())
    assert throttled.value.retry_after == 1800
    assert len(jira.reached("POST", "/issue$")) == 1


def test_a_link_back_survives_a_lost_answer(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    jira.server.faults.add(Fault("apply-then-drop", "POST", "/remotelink$"))
    jira.tracker.link_back(ticket, PeerLink("https://acme.example/browse/CUST-7", "CUST-7", MARK))
    assert len(jira.person().call("GET", f"/issue/{ticket}/remotelink")) == 1


def test_metadata_tells_what_an_agreement_may_name(jira):
    meta = jira.tracker.metadata(jira.project)
    assert {"Bug", "Task", "Incident"} <= set(meta.types)
    assert set(meta.statuses["Bug"]) >= ({"To Do", "Done"} if jira.cloud else {"Open", "Resolved"})
    assert meta.priorities[0] == ("P1" if jira.cloud else "Highest")
    assert {"summary", "due", "type", "labels", "Severity", "External id"} <= set(meta.fields)
    create = {one.name: one for one in meta.create["Bug"]}
    assert create["summary"].required
    assert create["Severity"].allowed == ("Critical", "Major", "Minor")
    assert (meta.missing_rights, meta.marker) == ({}, ())


def test_metadata_tells_the_rights_we_lack(jira):
    jira.server.site.revoke("bridge", "LINK_ISSUES", jira.project)
    missing = jira.tracker.metadata(jira.project).missing_rights
    assert missing == {Need.LINK_BACK: ("Link issues",), Need.RELATE: ("Link issues",)}


def test_metadata_of_a_project_that_is_not_there(jira):
    with pytest.raises(Gone):
        jira.tracker.metadata("NOPE")


def test_without_the_right_to_move_tickets_no_step_is_offered(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    jira.server.site.revoke("bridge", "TRANSITION_ISSUES", jira.project)
    assert list(jira.tracker.transitions(ticket)) == []
