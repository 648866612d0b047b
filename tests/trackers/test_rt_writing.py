"""What the adapter writes to a real Request Tracker, and how it notices what Request Tracker did not do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.clock import SECOND, SystemClock
from bridge.errors import Clashed, Gone, OutcomeUnknown, Refused, Unreachable
from bridge.markup import Document, read
from bridge.sync.agreement import Scope
from bridge.sync.ticket import Person, Transition
from bridge.trackers.protocol import Draft, FieldSpec, PeerLink, Watch
from bridge.trackers.rt_tracker import open_tracker
from bridge.trackers.rt_values import instant

pytestmark = pytest.mark.real

SPECS = (FieldSpec("severity", "Severity"), FieldSpec("areas", "Areas"), FieldSpec("sealed", "Sealed"))


@pytest.fixture
def queue(rt):
    """A queue of the test's own."""
    return rt.new_queue()


@pytest.fixture(scope="module")
def tracker(rt):
    """The adapter under the integration account, which is no administrator."""
    adapter = open_tracker(rt.settings(), SystemClock())
    yield adapter
    adapter.close()


def text(source):
    return read("html", source)


def scope(queue):
    return Scope("rt", queue, "Desk", "html")


def meddle(monkeypatch, tracker, method, meddling, *, before=False):
    """Let somebody act right before or after the adapter's first request of this kind."""
    call, met = tracker._http.call, []

    def between(verb, path, **more):
        mine = verb == method and not met
        if mine:
            met.append(path)
            if before:
                meddling()
        answer = call(verb, path, **more)
        if mine and not before:
            meddling()
        return answer

    monkeypatch.setattr(tracker._http, "call", between)
    return met


def test_a_ticket_is_created_with_its_marker_and_everything_that_maps(rt, tracker, queue):
    draft = Draft(
        queue,
        {
            "summary": "Mirror",
            "description": text("<p>one <b>two</b></p>"),
            "priority": "70",
            "due": "2027-07-01",
            "assignee": "bob@tests.example",
            "severity": "S1",
            "areas": frozenset({"Storage"}),
            "Effort": 2.5,
            "requestor": "carol@customer.example",
        },
        "bridge:acme:17",
    )
    created = tracker.create(draft, SPECS)
    assert created.ticket == tracker.fetch([created.id], SPECS)[created.id]
    ticket = created.ticket
    assert ticket.marker == "bridge:acme:17"
    assert ticket.project == queue
    assert ticket.creator == tracker.whoami()
    assert ticket.fields["description"] == text("<p>one <b>two</b></p>")
    assert (ticket.fields["priority"], ticket.fields["due"]) == ("70", "2027-07-01")
    assert ticket.fields["assignee"].id == "bob"
    assert ticket.fields["severity"] == "S1"
    assert ticket.fields["areas"] == frozenset({"Storage"})
    assert (ticket.fields["status"], ticket.comments, ticket.comments_complete) == ("new", (), True)
    assert created.at == ticket.created
    raw = rt.read_ticket(created.id)
    assert raw["Due"] == "2027-06-30T22:00:00Z"
    assert [one["id"] for one in raw["Requestor"]] == ["carol@customer.example"]
    assert rt.values(created.id)["Effort"] == ["2.5"]


def test_a_marked_ticket_is_found_again_wherever_it_went(rt, tracker, queue):
    since = tracker.now() - SECOND
    created = tracker.create(Draft(queue, {"summary": "Mirror"}, "bridge:acme:18"), ())
    tracker.create(Draft(queue, {"summary": "Other"}, "bridge:acme:180"), ())
    shouted = tracker.create(Draft(queue, {"summary": "Third"}, "BRIDGE:ACME:18"), ())
    rt.edit_ticket(created.id, Status="resolved")
    found = tracker.find_marked(scope(queue), "bridge:acme:18", since)
    assert [stamp.id for stamp in found] == [created.id]
    assert [one.id for one in tracker.find_marked(scope(queue), "BRIDGE:ACME:18", since)] == [shouted.id]
    assert tracker.find_marked(scope(queue), "bridge:acme:1", since) == ()
    assert tracker.find_marked(scope(queue), "x' OR id > '0", since) == ()
    rt.edit_ticket(created.id, Queue=rt.new_queue())
    assert [one.id for one in tracker.find_marked(scope(queue), "bridge:acme:18", since)] == [created.id]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"summary": "x", "priority": "High"}, "priority"),
        ({"summary": "x", "severity": "S9"}, "severity"),
        ({"summary": "x", "labels": frozenset({"a"})}, "labels"),
        ({"summary": "x", "type": "Bug"}, "type"),
        ({"summary": "x", "Colour": "red"}, "Colour"),
        ({"summary": "x", "assignee": "nobody@x.example"}, "assignee"),
        ({"summary": "x", "due": "tomorrow"}, "due"),
    ],
)
def test_a_draft_that_request_tracker_would_not_keep_is_refused_before(rt, tracker, queue, values, field):
    with pytest.raises(Refused) as refusal:
        tracker.create(Draft(queue, values, "m"), SPECS)
    assert list(refusal.value.fields) == [field]
    assert tracker.find_marked(scope(queue), "m", tracker.now() - 60 * SECOND) == ()


@pytest.mark.parametrize("field", ["Nothing", ""])
def test_without_a_marker_field_nothing_is_created(rt, queue, field):
    unmarked = open_tracker(replace(rt.settings(), marker_field=field), SystemClock())
    with pytest.raises(Refused, match=field or "marker_field"):
        unmarked.create(Draft(queue, {"summary": "Mirror"}, "m"), ())
    assert list(unmarked.census(Watch(scope(queue)))) == []


def test_a_mark_that_was_not_kept_is_told(rt, queue):
    sealed = open_tracker(replace(rt.settings(), marker_field="Sealed"), SystemClock())
    with pytest.raises(Refused, match="did not keep the mark"):
        sealed.create(Draft(queue, {"summary": "Mirror"}, "m-sealed"), ())


def test_a_ticket_that_was_made_but_not_read_back_has_an_unknown_outcome(rt, tracker, queue, monkeypatch):
    since = tracker.now() - SECOND
    tracker.metadata(queue)
    call, sent = tracker._http.call, []

    def failing(method, path, **more):
        if sent:
            raise Unreachable("rt", "gone away")
        answer = call(method, path, **more)
        sent.extend([path] if path == "/ticket" else [])
        return answer

    monkeypatch.setattr(tracker._http, "call", failing)
    with pytest.raises(OutcomeUnknown):
        tracker.create(Draft(queue, {"summary": "Mirror"}, "m-lost"), ())
    monkeypatch.undo()
    assert len(tracker.find_marked(scope(queue), "m-lost", since)) == 1


def test_fields_are_set_and_cleared(rt, tracker, queue):
    number = rt.new_ticket(queue, "before")
    at = tracker.update(
        number,
        {
            "summary": "after",
            "priority": "20",
            "due": "2026-12-01",
            "assignee": "Bob Builder",
            "severity": "S3",
            "areas": frozenset({"Network", "Printing"}),
        },
        SPECS,
    )
    assert at == instant(rt.read_ticket(number)["LastUpdated"])
    now = tracker.fetch([number], SPECS)[number].fields
    assert (now["summary"], now["priority"], now["due"]) == ("after", "20", "2026-12-01")
    assert now["assignee"].id == "bob"
    assert now["areas"] == frozenset({"Network", "Printing"})
    tracker.update(number, {"areas": frozenset({"Network"})}, SPECS)
    cleared = {"due": None, "assignee": None, "severity": None, "areas": frozenset()}
    tracker.update(number, cleared, SPECS)
    now = tracker.fetch([number], SPECS)[number].fields
    assert (now["due"], now["assignee"], now["severity"], now["areas"]) == (None, None, None, frozenset())


def test_what_is_already_so_is_not_written(rt, tracker, queue):
    number = rt.new_ticket(queue, "same", Due="2026-12-01 09:00:00", Priority=5)
    before = len(rt.history(number))
    same = {"summary": "same", "due": "2026-12-01", "assignee": None, "severity": None, "priority": "5"}
    at = tracker.update(number, same, SPECS)
    assert at == instant(rt.read_ticket(number)["LastUpdated"])
    assert len(rt.history(number)) == before
    assert rt.read_ticket(number)["Due"] == "2026-12-01T09:00:00Z", "the hour of a due date is theirs"


@pytest.mark.parametrize("handle", ["bob", "BOB", "bob@tests.example", "Bob Builder"])
def test_people_are_known_by_login_mail_and_name(rt, tracker, queue, handle):
    number = rt.new_ticket(queue, "whose")
    tracker.update(number, {"assignee": handle}, ())
    assert rt.read_ticket(number)["Owner"]["id"] == "bob"


def test_a_field_that_is_not_written_is_refused_in_request_trackers_words_and_the_others_are(
    rt, tracker, queue
):
    number = rt.new_ticket(queue, "before")
    with pytest.raises(Refused) as refusal:
        tracker.update(number, {"summary": "after", "sealed": "x", "assignee": Person("mute")}, SPECS)
    words = refusal.value.fields
    assert set(words) == {"sealed", "assignee"}
    assert words["sealed"] == "Could not add a new value to custom field 'Sealed': Permission Denied"
    assert words["assignee"] == f"Ticket {number}: That user may not own tickets in that queue"
    assert rt.read_ticket(number)["Subject"] == "after"


def test_the_text_of_a_ticket_cannot_be_changed(rt, tracker, queue):
    number = rt.new_ticket(queue, "text", "as it was")
    tracker.update(number, {"description": text("<p>as it was</p>")}, ())
    with pytest.raises(Refused) as refusal:
        tracker.update(number, {"description": text("<p>as it is</p>")}, ())
    assert list(refusal.value.fields) == ["description"]


def test_what_happens_to_other_fields_meanwhile_is_no_clash(rt, tracker, queue):
    number = rt.new_ticket(queue, "before")
    tracker.fetch([number], ())
    rt.edit_ticket(number, Priority=30)
    rt.reply(number, "quick")
    tracker.update(number, {"summary": "after"}, ())
    now = rt.read_ticket(number)
    assert (now["Subject"], now["Priority"]) == ("after", "30")


def test_a_field_that_changed_since_it_was_read_is_not_written_over(rt, tracker, queue):
    number = rt.new_ticket(queue, "read")
    tracker.fetch([number], ())
    rt.edit_ticket(number, Subject="theirs")
    with pytest.raises(Clashed):
        tracker.update(number, {"summary": "ours"}, ())
    assert rt.read_ticket(number)["Subject"] == "theirs"
    # Read again and decided anew, it is written.
    tracker.fetch([number], ())
    tracker.update(number, {"summary": "ours"}, ())
    assert rt.read_ticket(number)["Subject"] == "ours"


def test_a_write_whose_answer_was_lost_is_recognised_by_its_result(rt, tracker, queue, monkeypatch):
    number = rt.new_ticket(queue, "read")
    tracker.fetch([number], ())
    meddle(
        monkeypatch, tracker, "PUT", lambda: rt.edit_ticket(number, who="bridge", Subject="ours"), before=True
    )
    tracker.update(number, {"summary": "ours"}, ())
    assert [one["NewValue"] for one in rt.history(number, "Set")] == ["ours"]


def test_a_colleague_who_is_quicker_than_our_reading_back_is_no_refusal(rt, tracker, queue, monkeypatch):
    number = rt.new_ticket(queue, "first")
    meddle(monkeypatch, tracker, "PUT", lambda: rt.edit_ticket(number, Subject="theirs", Status="stalled"))
    tracker.update(number, {"summary": "ours", "severity": "S1"}, SPECS)
    assert rt.read_ticket(number)["Subject"] == "theirs"
    assert rt.values(number)["Severity"] == ["S1"]


def test_steps_are_those_that_the_lifecycle_names(rt, tracker, queue):
    number = rt.new_ticket(queue, "go")
    steps = {step.to: step for step in tracker.transitions(number)}
    assert set(steps) == {"open", "resolved", "rejected"}
    assert steps["open"].name == "Open It"
    at = tracker.transition(number, steps["resolved"], {"Severity": "S2"})
    assert rt.read_ticket(number)["Status"] == "resolved"
    assert rt.values(number)["Severity"] == ["S2"]
    assert at == instant(rt.read_ticket(number)["LastUpdated"])
    assert {step.to for step in tracker.transitions(number)} == {"open"}


def test_a_step_that_is_denied_to_us_is_refused_in_request_trackers_words(rt, tracker, queue):
    number = rt.new_ticket(queue, "go")
    for status, words in (("deleted", "Permission Denied"), ("nope", "isn't a valid status")):
        with pytest.raises(Refused, match=words) as refusal:
            tracker.transition(number, Transition(status, "", status), {})
        assert list(refusal.value.fields) == ["status"]
    assert rt.read_ticket(number)["Status"] == "new"


def test_a_step_from_a_status_that_somebody_else_has_left_clashes(rt, tracker, queue):
    number = rt.new_ticket(queue, "race")
    step = next(one for one in tracker.transitions(number) if one.to == "resolved")
    rt.edit_ticket(number, Status="rejected")
    with pytest.raises(Clashed):
        tracker.transition(number, step, {})
    assert rt.read_ticket(number)["Status"] == "rejected"


def test_the_way_back_is_written_once(rt, tracker, queue):
    number = rt.new_ticket(queue, "link")
    peer = PeerLink("https://acme.example/browse/CUST-7?a=1&b=2", "CUST-7 (Acme)", "m")
    assert tracker.link_back(number, peer) == ""
    assert tracker.link_back(number, replace(peer, title="other")) == ""
    links = [one for one in rt.read_ticket(number)["_hyperlinks"] if one["ref"] == "refers-to"]
    assert [one["_url"] for one in links] == [peer.url]
    assert len(rt.history(number, "AddLink")) == 1
    assert tracker.fetch([number], ())[number].comments == ()


def test_what_is_gone_cannot_be_written(rt, tracker, queue):
    deleted, merged, other = (rt.new_ticket(queue, name) for name in "abc")
    rt.call("alice", "DELETE", f"/ticket/{deleted}")
    rt.edit_ticket(merged, MergeInto=other)
    step, peer = Transition("open", "", "open"), PeerLink("https://x.example/1", "X-1", "m")
    for gone in ("999999", deleted, merged):
        for write in (
            lambda gone=gone: tracker.update(gone, {"summary": "x"}, ()),
            lambda gone=gone: tracker.add_comment(gone, text("x"), ""),
            lambda gone=gone: tracker.find_comment(gone, text("x"), "", 0),
            lambda gone=gone: tracker.transition(gone, step, {}),
            lambda gone=gone: tracker.link_back(gone, peer),
        ):
            with pytest.raises(Gone):
                write()
    assert tracker.fetch([other], ())[other].comments == ()
    assert rt.read_ticket(other)["Subject"] == "c"
    with pytest.raises(ValueError, match="transition"):
        tracker.update(other, {"status": "open"}, ())


def test_words_with_markup_in_them_come_back_the_same(tracker, queue):
    body = text("<p>a_b *c* &lt;b&gt; &amp;amp; [y] | 50 % ünïcödé 🎉<br>next</p>")
    created = tracker.create(Draft(queue, {"summary": "Odd", "description": body}, "m-odd"), ())
    assert created.ticket.fields["description"] == body
    number, _ = tracker.add_comment(created.id, body, "")
    (comment,) = tracker.fetch([created.id], ())[created.id].comments
    assert (comment.id, comment.body) == (number, body)


def test_an_empty_description_is_none(rt, tracker, queue):
    created = tracker.create(Draft(queue, {"summary": "Bare", "description": Document()}, "m-bare"), ())
    assert created.ticket.fields["description"] == Document()
    assert tracker.update(created.id, {"description": Document()}, ()) > 0
