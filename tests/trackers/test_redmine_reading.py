"""What the adapter reads from a real Redmine."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bridge.clock import SystemClock
from bridge.errors import Gone, Refused, Unauthorised, Unreachable
from bridge.markup import read
from bridge.sync.agreement import Scope
from bridge.trackers import redmine_lists
from bridge.trackers.protocol import FieldSpec, Watch
from bridge.trackers.redmine import open_tracker
from bridge.trackers.redmine_values import instant
from bridge.trackers.survey import Need

pytestmark = pytest.mark.real

SPECS = (
    FieldSpec("severity", "Severity"),
    FieldSpec("areas", "Areas"),
    FieldSpec("effort", "Effort"),
    FieldSpec("billable", "Billable"),
)


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


@pytest.fixture
def admin(redmine):
    """The adapter under an administrator's account."""
    adapter = open_tracker(redmine.settings(who="admin"), SystemClock())
    yield adapter
    adapter.close()


def scope(project, select=""):
    return Scope("redmine", project, "Acme", "markdown", select)


def seen(pages):
    return [item.id for page in pages for item in page]


def test_we_know_who_we_are(redmine, tracker):
    me = tracker.whoami()
    assert me.id == str(redmine.people["bridge"])
    assert me.name == "Bridge Account"
    assert me.handles == ("bridge", "bridge@example.test")


def test_a_dead_key_is_unauthorised_even_where_a_public_project_would_answer(redmine):
    project = redmine.new_project(public=True)
    redmine.new_issue(project, "for everybody")
    dead = open_tracker(replace(redmine.settings(), token=SecretStr("0" * 40)), SystemClock())
    for work in (
        dead.whoami,
        lambda: list(dead.changes(Watch(scope(project)), 0)),
        lambda: list(dead.census(Watch(scope(project)))),
        lambda: dead.fetch(["1"], ()),
    ):
        with pytest.raises(Unauthorised):
            work()


def test_nobody_at_home_is_unreachable(redmine):
    settings = replace(redmine.settings(), url="http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        open_tracker(settings, SystemClock()).whoami()


def test_a_ticket_is_read_whole(redmine, tracker, project):
    issue = redmine.new_issue(
        project,
        "Printer on fire",
        description="first\n\nsecond",
        tracker_id=2,
        priority_id=4,
        due_date="2099-01-31",
        assigned_to_id=redmine.people["alice"],
        custom_fields=[
            {"id": redmine.fields["Severity"], "value": "S2"},
            {"id": redmine.fields["Areas"], "value": ["Printing", "Network"]},
            {"id": redmine.fields["External ID"], "value": "mark-1"},
        ],
    )
    redmine.edit_issue(issue, notes="a public note\nof two lines")
    redmine.edit_issue(issue, notes="a private note", private_notes=True)
    redmine.edit_issue(issue, who="bob", status_id=2)

    ticket = tracker.fetch([issue], SPECS)[issue]

    assert (ticket.id, ticket.key, ticket.project) == (issue, issue, project)
    assert ticket.url == f"{redmine.url}/issues/{issue}"
    assert ticket.fields["summary"] == "Printer on fire"
    assert ticket.fields["description"] == read("markdown", "first\n\nsecond")
    assert ticket.fields["type"] == "Feature"
    assert ticket.fields["priority"] == "Urgent"
    assert ticket.fields["status"] == "In Progress"
    assert ticket.fields["due"] == "2099-01-31"
    assert ticket.fields["assignee"].id == str(redmine.people["alice"])
    assert ticket.fields["assignee"].handles == ("alice", "alice@example.test")
    assert ticket.fields["severity"] == "S2"
    assert ticket.fields["areas"] == frozenset({"Printing", "Network"})
    assert ticket.fields["effort"] is None
    assert "labels" not in ticket.fields
    assert ticket.marker == "mark-1"
    assert ticket.creator.name == "Alice Agent"
    assert ticket.comments_complete
    public, private = ticket.comments
    assert public.body == read("markdown", "a public note\nof two lines")
    assert (public.private, private.private) == (False, True)
    assert public.author.handles == ("alice", "alice@example.test")
    assert public.created == public.updated
    assert abs(ticket.updated - tracker.now()) < 120_000_000


def test_a_hidden_mail_stays_hidden(redmine, tracker, project):
    issue = redmine.new_issue(project, "mine", who="bob")
    assert tracker.fetch([issue], ())[issue].creator.handles == ("bob",)


def test_an_administrator_learns_the_kind_of_a_custom_field(redmine, tracker, admin, project):
    issue = redmine.new_issue(
        project,
        "kinds",
        custom_fields=[
            {"id": redmine.fields["Billable"], "value": "1"},
            {"id": redmine.fields["Effort"], "value": "2.50"},
        ],
    )
    admin.metadata(project)
    fields = admin.fetch([issue], SPECS)[issue].fields
    assert (fields["billable"], fields["effort"]) == (True, 2.5)
    fields = tracker.fetch([issue], SPECS)[issue].fields
    assert (fields["billable"], fields["effort"]) == ("1", "2.50")


def test_what_is_gone_or_hidden_is_absent(redmine, tracker, project):
    issue = redmine.new_issue(project, "here")
    elsewhere = redmine.new_issue(redmine.new_project(people=("alice",)), "hidden")
    assert set(tracker.fetch([issue, elsewhere, "999999", "nonsense"], ())) == {issue}
    with pytest.raises(Gone):
        tracker.transitions("999999")
    assert tracker.hidden(elsewhere), "Redmine says 403 of what is there, but not for us"
    assert not any(tracker.hidden(ticket) for ticket in (issue, "999999", "nonsense"))


def test_tickets_from_before_the_agreement_s_beginning_are_not_in_view(redmine, tracker, project):
    issue = redmine.new_issue(project, "here")
    created = instant(redmine.read_issue(issue)["created_on"])
    for since, expected in ((created, [issue]), (created + 2_000_000, [])):
        watch = Watch(replace(scope(project), since=since))
        assert seen(tracker.changes(watch, 0)) == seen(tracker.census(watch)) == expected
    followed = Watch(replace(scope(project), since=created + 2_000_000), follow=(issue,))
    assert seen(tracker.changes(followed, 0)) == seen(tracker.census(followed)) == [issue]


def test_changes_are_found_closed_ones_too_and_old_ones_not(redmine, tracker, project):
    old = redmine.new_issue(project, "old")
    time.sleep(2.1)
    new = redmine.new_issue(project, "new")
    closed = redmine.new_issue(project, "closed")
    redmine.edit_issue(closed, status_id=5)
    since = instant(redmine.read_issue(new)["created_on"])

    pages = list(tracker.changes(Watch(scope(project), SPECS), since + 999_999))
    assert seen(pages) == [new, closed]
    assert not pages[0][0].comments_complete
    assert "severity" in pages[0][0].fields
    assert old in seen(tracker.changes(Watch(scope(project)), 0))
    assert list(tracker.changes(Watch(scope(project)), since + 3_600_000_000)) == []


def test_subprojects_are_not_in_view(redmine, tracker, project):
    parent = redmine.call("admin", "GET", f"/projects/{project}.json")["project"]["id"]
    child = redmine.new_project()
    redmine.call("admin", "PUT", f"/projects/{child}.json", {"project": {"parent_id": parent}})
    redmine.new_issue(child, "below")
    issue = redmine.new_issue(project, "above")
    assert seen(tracker.changes(Watch(scope(project)), 0)) == [issue]
    assert seen(tracker.census(Watch(scope(project)))) == [issue]


def test_a_selection_narrows_and_followed_tickets_stay_in_view(redmine, tracker, project):
    bug = redmine.new_issue(project, "bug", tracker_id=1)
    redmine.new_issue(project, "feature", tracker_id=2)
    followed = redmine.new_issue(project, "followed", tracker_id=3)
    moved = redmine.new_issue(redmine.new_project(), "moved away")
    watch = Watch(scope(project, "tracker_id=1"), (), (followed, moved, bug, "999999"))

    assert sorted(seen(tracker.changes(watch, 0)), key=int) == [bug, followed, moved]
    assert seen(tracker.census(watch)) == [bug, followed, moved]
    everything = [ticket for page in tracker.changes(watch, 0) for ticket in page]
    assert [ticket.updated for ticket in everything] == sorted(ticket.updated for ticket in everything)


def test_a_selection_by_custom_field(redmine, tracker, project):
    severity = redmine.fields["Severity"]
    wanted = redmine.new_issue(project, "bad", custom_fields=[{"id": severity, "value": "S1"}])
    redmine.new_issue(project, "fine", custom_fields=[{"id": severity, "value": "S3"}])
    assert seen(tracker.changes(Watch(scope(project, f"cf_{severity}=S1|S2")), 0)) == [wanted]


def test_a_filter_that_redmine_would_ignore_in_silence_is_refused(redmine, tracker, project):
    redmine.new_issue(project, "not meant")
    ignored = redmine.call("bridge", "GET", "/issues.json", project_id=project, cf_77="S1")
    assert ignored["total_count"] == 1
    with pytest.raises(Refused, match="cf_77"):
        list(tracker.changes(Watch(scope(project, "cf_77=S1")), 0))
    with pytest.raises(Refused, match="cf_77"):
        list(tracker.census(Watch(scope(project, "cf_77=S1"))))


def test_no_such_project_is_gone(tracker):
    with pytest.raises(Gone):
        list(tracker.changes(Watch(scope("no-such-project")), 0))
    with pytest.raises(Gone):
        tracker.metadata("no-such-project")


def test_a_walk_misses_nothing_while_tickets_move(redmine, tracker, project, monkeypatch):
    """The first ticket of a page changes while the walk rests there: offsets alone would lose a neighbour."""
    monkeypatch.setattr(redmine_lists, "PAGE", 4)
    monkeypatch.setattr(redmine_lists, "_OVERLAP", 2)
    issues = []
    for number in range(14):
        issues.append(redmine.new_issue(project, f"number {number}"))
        if number % 5 == 4:
            time.sleep(1.1)
    found = []
    walk = redmine_lists.walk_changes(tracker._http, {"project_id": project, "status_id": "*"}, 0)
    for count, issue in enumerate(walk):
        found.append(str(issue["id"]))
        if count < 12 and count % 4 == 3:
            redmine.edit_issue(issues[count - 3], notes="moved")
    assert set(found) == set(issues)


def test_a_census_pages_by_number(redmine, tracker, project, monkeypatch):
    monkeypatch.setattr(redmine_lists, "PAGE", 3)
    issues = [redmine.new_issue(project, f"number {number}") for number in range(7)]
    assert seen(tracker.census(Watch(scope(project)))) == issues


def test_history_has_names_and_evidence(redmine, tracker, project):
    issue = redmine.new_issue(project, "busy")
    redmine.edit_issue(
        issue,
        status_id=2,
        priority_id=3,
        tracker_id=2,
        subject="busier",
        due_date="2099-05-05",
        assigned_to_id=redmine.people["bob"],
        custom_fields=[{"id": redmine.fields["Severity"], "value": "S1"}],
    )
    redmine.edit_issue(issue, notes="only words")
    redmine.edit_issue(issue, who="bob", status_id=3)

    history = tracker.histories([issue, "999999"])
    assert set(history) == {issue}
    shown = {(change.field, change.before, change.after) for change in history[issue]}
    assert shown == {
        ("status", "New", "In Progress"),
        ("priority", "Normal", "High"),
        ("type", "Bug", "Feature"),
        ("summary", "busy", "busier"),
        ("due", "", "2099-05-05"),
        ("assignee", "", "Bob Builder"),
        ("Severity", "", "S1"),
        ("status", "In Progress", "Resolved"),
    }
    last = history[issue][-1]
    assert last.author.name == "Bob Builder"
    assert last.event == str(redmine.read_issue(issue)["journals"][-1]["id"])
    assert [change.at for change in history[issue]] == sorted(change.at for change in history[issue])


def test_transitions_are_what_the_workflow_offers_us(redmine, tracker, project):
    issue = redmine.new_issue(project, "next")
    steps = {step.name: step for step in tracker.transitions(issue)}
    assert set(steps) == {"In Progress", "Resolved", "Feedback", "Closed"}
    assert steps["Resolved"].to == "Resolved"
    assert steps["Resolved"].id == "3"


def test_metadata(redmine, tracker, admin, project):
    redmine.new_issue(project, "carries the custom fields")
    meta = tracker.metadata(project)
    assert meta.types == ("Bug", "Feature", "Support")
    assert meta.statuses["Bug"] == ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
    assert meta.priorities == ("Low", "Normal", "High", "Urgent", "Immediate")
    assert {"summary", "assignee", "External ID", "Severity"} <= set(meta.fields)
    assert "labels" not in meta.fields
    assert (set(meta.missing_rights), meta.marker) == ({Need.RELATE, Need.PARENT}, ())
    severity = next(field for field in admin.metadata(project).create["Bug"] if field.name == "Severity")
    assert severity.allowed == ("S1", "S2", "S3")


def test_missing_rights_are_named(redmine):
    project = redmine.new_project(people=("alice", "bridge"))
    mute = open_tracker(redmine.settings(), SystemClock())
    missing = mute.metadata(redmine.new_project(bridge="mute")).missing_rights
    assert missing[Need.CREATE] == ("Add issues",)
    assert missing[Need.COMMENT] == missing[Need.LINK_BACK] == ("Add notes",)
    assert missing[Need.EDIT_COMMENT] == ("Edit own notes",)
    assert missing[Need.PRIVATE] == ("set_notes_private", "view_private_notes")
    assert Need.EDIT not in missing
    stranger = open_tracker(redmine.settings(who="bob"), SystemClock())
    with pytest.raises(Refused):
        stranger.metadata(project)
    public = redmine.new_project(people=("alice",), public=True)
    assert stranger.metadata(public).missing_rights[Need.EDIT] == ("Edit issues",)
    unmarked = open_tracker(replace(redmine.settings(), marker_field="Nothing"), SystemClock())
    (flaw,) = unmarked.metadata(project).marker
    assert "no custom field 'Nothing'" in flaw.words


def test_a_field_that_cannot_hold_the_mark_is_told(redmine, project):
    for kind in ("Bug", "Feature"):
        types = {one["name"]: one["id"] for one in redmine.call("admin", "GET", "/trackers.json")["trackers"]}
        redmine.new_issue(project, f"A {kind}", tracker_id=types[kind])
    said = {}
    for field, who in (
        ("Severity", "admin"),
        ("Areas", "admin"),
        ("Bug only", "bridge"),
        ("Remark", "bridge"),
    ):
        tracker = open_tracker(replace(redmine.settings(who=who), marker_field=field), SystemClock())
        said[field] = [flaw.words for flaw in tracker.metadata(project).marker]
    assert said == {
        "Severity": ["the custom field 'Severity' is of the format 'list', and the mark is one text"],
        "Areas": ["the custom field 'Areas' holds several values, and the mark is one text"],
        "Bug only": ["tickets of the type 'Feature' do not have the custom field 'Bug only'"],
        "Remark": [],
    }
