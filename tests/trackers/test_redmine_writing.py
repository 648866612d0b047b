"""What the adapter writes to a real Redmine, and how it notices what Redmine did not do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bridge.clock import SystemClock
from bridge.errors import Gone, OutcomeUnknown, Refused, Unreachable
from bridge.markup import Document, read
from bridge.sync.agreement import Scope
from bridge.sync.ticket import Person, Transition
from bridge.trackers.protocol import Draft, FieldSpec, PeerLink
from bridge.trackers.redmine import open_tracker
from bridge.trackers.redmine_values import instant

pytestmark = pytest.mark.real

SPECS = (FieldSpec("severity", "Severity"), FieldSpec("areas", "Areas"))


@pytest.fixture
def project(redmine):
    """A project of the test's own."""
    return redmine.new_project()


@pytest.fixture
def tracker(redmine):
    """The adapter under the integration account, which is no administrator."""
    adapter = open_tracker(redmine.settings(), SystemClock())
    yield adapter
    adapter.close()


def text(source):
    return read("markdown", source)


def scope(project):
    return Scope("redmine", project, "Acme", "markdown")


def fields(tracker, issue):
    return tracker.fetch([issue], SPECS)[issue].fields


def test_a_ticket_is_created_with_its_marker_even_in_an_empty_project(redmine, tracker, project):
    draft = Draft(
        project,
        {
            "summary": "Mirror",
            "description": text("one\n\ntwo"),
            "type": "Feature",
            "priority": "High",
            "due": "2020-02-29",
            "assignee": "alice",
            "severity": "S1",
            "Areas": frozenset({"Storage"}),
        },
        "bridge:acme:17",
    )
    created = tracker.create(draft, SPECS)

    assert created.url == f"{redmine.url}/issues/{created.id}"
    assert created.ticket == tracker.fetch([created.id], SPECS)[created.id]
    ticket = created.ticket
    assert ticket.marker == "bridge:acme:17"
    assert ticket.project == project
    assert ticket.comments_complete
    assert ticket.creator == tracker.whoami()
    assert ticket.fields["type"] == "Feature"
    assert ticket.fields["description"] == text("one\n\ntwo")
    assert ticket.fields["due"] == "2020-02-29"
    assert ticket.fields["assignee"].name == "Alice Agent"
    assert ticket.fields["severity"] == "S1"
    assert ticket.fields["areas"] == frozenset({"Storage"})
    assert created.at == ticket.created


def test_a_marked_ticket_is_found_again(redmine, tracker, project):
    since = tracker.now()
    created = tracker.create(Draft(project, {"summary": "Mirror"}, "bridge:acme:18"), ())
    tracker.create(Draft(project, {"summary": "Other"}, "bridge:acme:180"), ())
    redmine.edit_issue(created.id, status_id=5)
    assert [stamp.id for stamp in tracker.find_marked(scope(project), "bridge:acme:18", since)] == [
        created.id
    ]
    assert tracker.find_marked(scope(project), "bridge:acme:1", since) == ()


def test_a_marked_ticket_that_moved_is_found_among_our_own(redmine, tracker, project):
    since = tracker.now()
    created = tracker.create(Draft(project, {"summary": "Mirror"}, "bridge:acme:19"), ())
    elsewhere = redmine.new_project()
    number = redmine.call("admin", "GET", f"/projects/{elsewhere}.json")["project"]["id"]
    redmine.edit_issue(created.id, who="admin", project_id=number)
    assert [stamp.id for stamp in tracker.find_marked(scope(project), "bridge:acme:19", since)] == [
        created.id
    ]


def test_a_marker_field_that_does_not_exist_is_refused_before_anything_is_created(redmine, project):
    unmarked = open_tracker(replace(redmine.settings(), marker_field="Nothing"), SystemClock())
    with pytest.raises(Refused, match="'Nothing'"):
        unmarked.create(Draft(project, {"summary": "Mirror"}, "m"), ())
    with pytest.raises(Refused, match="cf_77"):
        open_tracker(replace(redmine.settings(), marker_field="cf_77"), SystemClock()).create(
            Draft(project, {"summary": "Mirror"}, "m"), ()
        )
    with pytest.raises(Refused, match="marker_field"):
        open_tracker(replace(redmine.settings(), marker_field=""), SystemClock()).create(
            Draft(project, {"summary": "Mirror"}, "m"), ()
        )
    assert redmine.call("alice", "GET", "/issues.json", project_id=project)["total_count"] == 0


def test_a_marker_field_can_be_named_by_number(redmine, project):
    number = redmine.fields["External ID"]
    tracker = open_tracker(replace(redmine.settings(), marker_field=f"cf_{number}"), SystemClock())
    created = tracker.create(Draft(project, {"summary": "Mirror"}, "m-by-number"), ())
    assert created.ticket.marker == "m-by-number"
    assert [stamp.id for stamp in tracker.find_marked(scope(project), "m-by-number", 0)] == [created.id]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"summary": ""}, "subject"),
        ({"summary": "x", "type": "Epic"}, "type"),
        ({"summary": "x", "priority": "P1"}, "priority"),
        ({"summary": "x", "severity": "S9"}, "Severity"),
        ({"summary": "x", "labels": frozenset({"a"})}, "labels"),
        ({"summary": "x", "Colour": "red"}, "Colour"),
        ({"summary": "x", "assignee": "nobody@example.test"}, "assignee"),
    ],
)
def test_a_draft_that_redmine_will_not_take_is_refused_by_field(tracker, project, values, field):
    with pytest.raises(Refused) as refusal:
        tracker.create(Draft(project, values, "m"), SPECS)
    assert field in refusal.value.fields
    assert refusal.value.status == 422


def test_fields_are_set_and_cleared(redmine, tracker, project):
    issue = redmine.new_issue(project, "before")
    at = tracker.update(
        issue,
        {
            "summary": "after",
            "description": text("new *text*"),
            "type": "Support",
            "priority": "Low",
            "assignee": "bob",
            "severity": "S3",
            "areas": frozenset({"Network", "Printing"}),
            "Billable": True,
            "Effort": 1.5,
            "Wanted": "2030-01-02",
        },
        SPECS,
    )
    raw = redmine.read_issue(issue)
    assert at == instant(raw["updated_on"])
    custom = {field["name"]: field["value"] for field in raw["custom_fields"]}
    assert custom["Billable"] == "1"
    assert float(custom["Effort"]) == 1.5
    assert custom["Wanted"] == "2030-01-02"
    now = fields(tracker, issue)
    assert (now["summary"], now["type"], now["priority"]) == ("after", "Support", "Low")
    assert now["description"] == text("new *text*")
    assert now["assignee"].id == str(redmine.people["bob"])
    assert now["areas"] == frozenset({"Network", "Printing"})

    tracker.update(
        issue,
        {"description": Document(), "assignee": None, "severity": None, "areas": frozenset(), "Wanted": None},
        SPECS,
    )
    now = fields(tracker, issue)
    assert now["description"] == Document()
    assert (now["assignee"], now["severity"], now["areas"]) == (None, None, frozenset())


def test_what_is_already_so_is_not_written(redmine, tracker, project):
    issue = redmine.new_issue(project, "same", description="one\ntwo")
    before = redmine.read_issue(issue)
    at = tracker.update(issue, {"summary": "same", "description": text("one\ntwo"), "due": None}, ())
    assert at == instant(before["updated_on"])
    assert redmine.read_issue(issue)["journals"] == []


@pytest.mark.parametrize("handle", ["bob", "BOB", "Bob Builder", "{id}"])
def test_people_are_known_by_number_login_and_name(redmine, tracker, project, handle):
    issue = redmine.new_issue(project, "whose")
    tracker.update(issue, {"assignee": handle.format(id=redmine.people["bob"])}, ())
    assert fields(tracker, issue)["assignee"].id == str(redmine.people["bob"])


def test_people_are_known_by_mail_where_it_is_visible(redmine, tracker, project):
    issue = redmine.new_issue(project, "whose")
    tracker.update(issue, {"assignee": "alice@example.test"}, ())
    assert fields(tracker, issue)["assignee"].name == "Alice Agent"
    tracker.update(issue, {"assignee": Person(str(redmine.people["bob"]))}, ())
    with pytest.raises(Refused, match="bob@example") as refusal:
        tracker.update(issue, {"assignee": "bob@example.test"}, ())
    assert "login, mail or full name" in refusal.value.words
    admin = open_tracker(redmine.settings(who="admin"), SystemClock())
    admin.update(issue, {"assignee": "bob@example.test"}, ())


def test_an_assignee_outside_the_project_is_refused(redmine, tracker):
    issue = redmine.new_issue(redmine.new_project(people=("bridge", "alice")), "whose")
    with pytest.raises(Refused) as refusal:
        tracker.update(issue, {"assignee": Person(str(redmine.people["bob"]))}, ())
    assert refusal.value.fields == {"assigned_to_id": "Assignee is invalid"}


def test_a_field_that_is_silently_not_written_is_refused_by_name(redmine, tracker, project):
    issue = redmine.new_issue(project, "read-only", tracker_id=3)
    with pytest.raises(Refused) as refusal:
        tracker.update(issue, {"due": "2099-01-01", "summary": "changed"}, ())
    assert list(refusal.value.fields) == ["due"]
    assert fields(tracker, issue)["summary"] == "changed"


def test_a_refusal_aloud_keeps_the_words_of_redmine(redmine, tracker, project):
    issue = redmine.new_issue(project, "list")
    with pytest.raises(Refused) as refusal:
        tracker.update(issue, {"severity": "S9"}, SPECS)
    assert refusal.value.fields == {"Severity": "Severity is not included in the list"}


def test_a_colleague_who_is_quicker_than_our_reading_back_is_no_refusal(
    redmine, tracker, project, monkeypatch
):
    issue = redmine.new_issue(project, "first")
    call = tracker._http.call

    def meddling(method, path, **more):
        answer = call(method, path, **more)
        if method == "PUT":
            redmine.edit_issue(issue, subject="theirs", status_id=4)
        return answer

    monkeypatch.setattr(tracker._http, "call", meddling)
    tracker.update(issue, {"summary": "ours"}, ())
    assert redmine.read_issue(issue)["subject"] == "theirs"
    tracker.transition(issue, Transition("2", "In Progress", "In Progress"), {})
    assert redmine.read_issue(issue)["status"]["name"] == "Feedback"


def test_what_is_gone_cannot_be_written(tracker):
    with pytest.raises(Gone):
        tracker.update("999999", {"summary": "x"}, ())
    with pytest.raises(Gone):
        tracker.add_comment("999999", text("x"), "")
    with pytest.raises(Gone):
        tracker.transition("999999", Transition("2", "", ""), {})
    with pytest.raises(ValueError, match="transition"):
        tracker.update("1", {"status": "New"}, ())


def test_a_step_is_taken_with_its_screen_fields(redmine, tracker, project):
    issue = redmine.new_issue(project, "go")
    step = next(step for step in tracker.transitions(issue) if step.to == "Resolved")
    at = tracker.transition(issue, step, {"Severity": "S2"})
    now = fields(tracker, issue)
    assert (now["status"], now["severity"]) == ("Resolved", "S2")
    assert at == instant(redmine.read_issue(issue)["updated_on"])
    assert "Resolved" not in {step.to for step in tracker.transitions(issue)}


def test_a_step_that_the_workflow_denies_us_is_refused(redmine, tracker, project):
    issue = redmine.new_issue(project, "go")
    with pytest.raises(Refused) as refusal:
        tracker.transition(issue, Transition("6", "Rejected", "Rejected"), {})
    assert list(refusal.value.fields) == ["status"]
    assert fields(tracker, issue)["status"] == "New"


def test_a_comment_gets_its_number_and_time(redmine, tracker, project):
    issue = redmine.new_issue(project, "talk")
    redmine.edit_issue(issue, notes="hello")
    number, at = tracker.add_comment(issue, text("we are **on** it\n\n* one\n* two"), "m")
    journal = redmine.read_issue(issue)["journals"][-1]
    assert number == str(journal["id"])
    assert at == instant(journal["created_on"])
    assert not journal["private_notes"]
    comment = tracker.fetch([issue], ())[issue].comments[-1]
    assert comment.body == text("we are **on** it\n\n* one\n* two")
    assert comment.author == tracker.whoami()


def test_equal_comments_added_at_once_each_get_their_own_number(redmine, tracker, project):
    issue = redmine.new_issue(project, "chorus")
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda _: tracker.add_comment(issue, text("same words"), ""), range(4)))
    assert len({number for number, _ in added}) == 4
    assert len(tracker.fetch([issue], ())[issue].comments) == 4


def test_our_comment_is_not_mistaken_for_a_colleagues(redmine, tracker, project):
    issue = redmine.new_issue(project, "echo")
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            redmine.edit_issue(issue, notes="same words", who="bob")

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        numbers = [tracker.add_comment(issue, text("same words"), "")[0] for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    ours = {
        str(journal["id"])
        for journal in redmine.read_issue(issue)["journals"]
        if journal["user"]["id"] == redmine.people["bridge"]
    }
    assert ours == set(numbers)


def test_a_comment_of_unknown_outcome_is_found_by_author_text_and_time(redmine, tracker, project):
    issue = redmine.new_issue(project, "lost and found")
    since = tracker.now()
    redmine.edit_issue(issue, notes="the words", who="bob")
    assert tracker.find_comment(issue, text("the words"), "", since) is None
    number, at = tracker.add_comment(issue, text("the words"), "")
    assert tracker.find_comment(issue, text("the words"), "", since) == number
    assert tracker.find_comment(issue, text("other words"), "", since) is None
    assert tracker.find_comment(issue, text("the words"), "", at + 1_000_000) is None


def test_a_comment_sent_but_not_read_back_has_an_unknown_outcome(redmine, tracker, project, monkeypatch):
    issue = redmine.new_issue(project, "half way")
    call = tracker._http.call
    sent = []

    def failing(method, path, **more):
        if sent:
            raise Unreachable("redmine", "gone away")
        answer = call(method, path, **more)
        sent.extend([path] if method == "PUT" else [])
        return answer

    monkeypatch.setattr(tracker._http, "call", failing)
    with pytest.raises(OutcomeUnknown):
        tracker.add_comment(issue, text("half"), "")
    assert redmine.read_issue(issue)["journals"][-1]["notes"] == "half"


def test_a_comment_that_redmine_drops_in_silence_is_refused(redmine, tracker):
    """Redmine answers 204 to somebody who may edit the ticket but add no notes."""
    issue = redmine.new_issue(redmine.new_project(bridge="mute"), "listen")
    with pytest.raises(Refused, match="Add notes"):
        tracker.add_comment(issue, text("anybody there?"), "")
    assert redmine.read_issue(issue)["journals"] == []


def test_a_comment_is_edited(redmine, tracker, project):
    issue = redmine.new_issue(project, "edit")
    number, _ = tracker.add_comment(issue, text("first"), "")
    before = redmine.read_issue(issue)["updated_on"]
    at = tracker.edit_comment(issue, number, text("second\n\nthird"))
    assert tracker.fetch([issue], ())[issue].comments[0].body == text("second\n\nthird")
    assert redmine.read_issue(issue)["updated_on"] == before
    assert at >= instant(before)
    with pytest.raises(Gone):
        tracker.edit_comment(issue, "999999", text("x"))


def test_an_empty_comment_is_refused_because_redmine_would_delete_it(redmine, tracker, project):
    issue = redmine.new_issue(project, "empty")
    number, _ = tracker.add_comment(issue, text("words"), "")
    for write in (
        lambda: tracker.edit_comment(issue, number, Document()),
        lambda: tracker.add_comment(issue, Document(), ""),
    ):
        with pytest.raises(Refused, match="empty"):
            write()
    assert len(tracker.fetch([issue], ())[issue].comments) == 1


def test_a_colleagues_comment_cannot_be_edited(redmine, tracker, project):
    issue = redmine.new_issue(project, "theirs")
    redmine.edit_issue(issue, notes="hands off")
    number = str(redmine.read_issue(issue)["journals"][0]["id"])
    with pytest.raises(Refused):
        tracker.edit_comment(issue, number, text("mine"))
    with pytest.raises(Refused):
        tracker.delete_comment(issue, number)


def test_a_comment_is_deleted_and_again(redmine, tracker, project):
    issue = redmine.new_issue(project, "delete")
    number, _ = tracker.add_comment(issue, text("oops"), "")
    tracker.delete_comment(issue, number)
    assert redmine.read_issue(issue)["journals"] == []
    assert tracker.delete_comment(issue, number) > 0


def test_deleting_a_comment_keeps_the_history_that_shares_its_journal(redmine, tracker, project):
    issue = redmine.new_issue(project, "both", who="bridge")
    redmine.edit_issue(issue, who="bridge", notes="and a status", status_id=2)
    number = tracker.fetch([issue], ())[issue].comments[0].id
    tracker.delete_comment(issue, number)
    assert tracker.fetch([issue], ())[issue].comments == ()
    assert [change.event for change in tracker.histories([issue])[issue]] == [number]


def test_the_way_back_is_written_once(redmine, tracker, project):
    issue = redmine.new_issue(project, "link")
    peer = PeerLink("https://acme.example.com/browse/CUST-7", "CUST-7 (Acme)", "m")
    number = tracker.link_back(issue, peer)
    note = redmine.read_issue(issue)["journals"][0]
    assert number == str(note["id"])
    assert "Mirrored as" in note["notes"]
    assert f"{peer.url}>)" in note["notes"] or f"]({peer.url})" in note["notes"]
    assert tracker.link_back(issue, peer) == number
    assert tracker.link_back(issue, replace(peer, title="CUST-7 (Acme A/S)")) == number
    other = tracker.link_back(issue, replace(peer, url="https://acme.example.com/browse/CUST-70"))
    assert other != number
    redmine.edit_issue(issue, notes="see [it](https://x.example.com/1)")
    assert tracker.link_back(issue, PeerLink("https://x.example.com/1", "X-1", "m")) not in {number, other}


def test_words_with_markup_in_them_come_back_the_same(tracker, project):
    body = text("a_b_c * 1 # `x` <b> & [y] | 50 % ünïcödé 🎉")
    created = tracker.create(Draft(project, {"summary": "Odd", "description": body}, "m-odd"), ())
    assert fields(tracker, created.id)["description"] == body
    number, _ = tracker.add_comment(created.id, body, "")
    assert tracker.fetch([created.id], ())[created.id].comments[0].id == number


def test_a_follow_on_write_tells_the_time_of_redmine(redmine, tracker, project):
    issue = redmine.new_issue(project, "time")
    number, at = tracker.add_comment(issue, text("tick"), "")
    assert at <= tracker.edit_comment(issue, number, text("tock")) <= tracker.now()


def test_a_redmine_that_is_set_to_textile_is_written_and_read_as_such(redmine, project):
    adapter = open_tracker(replace(redmine.settings(), formatting="textile"), SystemClock())
    body = read("wiki", "h2. Steps\n\n* *one*\n*# two\n\n{code:ruby}\nputs 1\n{code}")
    created = adapter.create(
        Draft(project, {"summary": "T", "description": body, "type": "Bug"}, "bridge:t:1"), SPECS
    )
    comment, _ = adapter.add_comment(created.id, body, "")
    raw = redmine.call("bridge", "GET", f"/issues/{created.id}.json", include="journals")["issue"]
    textile = 'h2. Steps\n\n* *one*\n*# two\n\n<pre><code class="ruby">\nputs 1\n</code></pre>'
    assert raw["description"].replace("\r\n", "\n") == textile
    ticket = adapter.fetch([created.id], SPECS)[created.id]
    adapter.close()
    assert adapter.abilities.dialect == "textile"
    assert ticket.fields["description"] == body
    assert next(note for note in ticket.comments if note.id == comment).body == body


def test_category_and_target_version_are_sets_of_one(redmine, tracker, project):
    for path, kind, name in (
        ("issue_categories", "issue_category", "Billing"),
        ("issue_categories", "issue_category", "Portal"),
        ("versions", "version", "1.0"),
    ):
        redmine.call("admin", "POST", f"/projects/{project}/{path}.json", {kind: {"name": name}})
    known = redmine.call("admin", "GET", f"/projects/{project}/issue_categories.json")["issue_categories"]
    first = redmine.new_issue(project, "Has one", category_id=known[0]["id"])
    assert fields(tracker, first)["components"] == {"Billing"}
    issue = redmine.new_issue(project, "Has none")
    assert (fields(tracker, issue)["components"], fields(tracker, issue)["fix-versions"]) == (set(), set())
    given = {"components": frozenset({"Billing"}), "fix-versions": frozenset({"1.0"})}
    tracker.update(issue, given, SPECS)
    seen = fields(tracker, issue)
    assert {name: seen[name] for name in given} == given
    changes = {one.field: one.after for one in tracker.histories([issue])[issue]}
    assert changes == {"components": "Billing", "fix-versions": "1.0"}
    tracker.update(issue, {"fix-versions": frozenset()}, SPECS)
    assert fields(tracker, issue)["fix-versions"] == set()
    for wrong in ({"Billing", "Portal"}, {"Kitchen"}):
        with pytest.raises(Refused) as refusal:
            tracker.update(issue, {"components": frozenset(wrong)}, SPECS)
        assert list(refusal.value.fields) == ["components"]


def test_relations_are_made_once_shown_on_both_and_taken_away(redmine, tracker):
    project = redmine.new_project(bridge="alice")
    one, other = (redmine.new_issue(project, subject) for subject in ("One", "Other"))
    structure = tracker.structure
    for _ in range(2):
        structure.add_relation("blocks", one, other)
    (link,) = tracker.fetch([one], ())[one].relations
    assert (link.kind, link.other, link.outward, link.symmetric) == ("blocks", other, True, False)
    (seen,) = tracker.fetch([other], ())[other].relations
    assert (seen.id, seen.other, seen.outward) == (link.id, one, False)
    with pytest.raises(Refused):
        structure.add_relation("blocks", one, one)
    for _ in range(2):
        structure.remove_relation(link.id)
    ticket = tracker.fetch([one], ())[one]
    assert (ticket.relations, ticket.relations_complete) == ((), True)


def test_a_parent_is_set_read_back_and_taken_away(redmine, tracker):
    project = redmine.new_project(bridge="alice")
    one = redmine.new_issue(project, "Above")
    made = tracker.create(Draft(project, {"summary": "Below", "type": "Bug"}, "bridge-1", one), SPECS)
    assert made.ticket.parent == one
    assert tracker.fetch([one], ())[one].parent == ""
    tracker.structure.set_parent(made.id, "")
    assert tracker.fetch([made.id], ())[made.id].parent == ""
    tracker.structure.set_parent(made.id, one)
    assert tracker.fetch([made.id], ())[made.id].parent == one
    with pytest.raises(Refused):
        tracker.structure.set_parent(one, made.id)
    elsewhere = redmine.new_project()
    above, below = (redmine.new_issue(elsewhere, subject) for subject in ("Above", "Below"))
    with pytest.raises(Refused, match="may not manage subtasks"):
        tracker.structure.set_parent(below, above)
    with pytest.raises(Refused):
        tracker.structure.add_relation("relates", above, below)
