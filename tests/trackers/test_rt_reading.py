"""What the adapter reads from a real Request Tracker."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bridge.clock import SECOND, SystemClock
from bridge.errors import Gone, Refused, Unauthorised, Unreachable
from bridge.markup import Document, plain, read
from bridge.sync.agreement import Scope
from bridge.trackers import rt_lists, rt_queries
from bridge.trackers.protocol import FieldSpec, Watch
from bridge.trackers.rt_tracker import open_tracker
from bridge.trackers.rt_values import from_plain, instant
from bridge.trackers.survey import Need

pytestmark = pytest.mark.real

SPECS = (FieldSpec("severity", "Severity"), FieldSpec("areas", "Areas"), FieldSpec("effort", "Effort"))


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


def scope(queue, select=""):
    return Scope("rt", queue, "Desk", "html", select)


def seen(pages):
    return [item.id for page in pages for item in page]


def test_we_know_who_we_are(tracker):
    me = tracker.whoami()
    assert (me.id, me.name, me.handles) == ("bridge", "Bridge Account", ("bridge@tests.example",))


@pytest.mark.parametrize("token", ["1-27-" + "0" * 32, "wrong", ""])
def test_a_dead_token_is_unauthorised(rt, queue, token):
    dead = open_tracker(replace(rt.settings(), token=SecretStr(token)), SystemClock())
    for work in (
        dead.whoami,
        lambda: list(dead.changes(Watch(scope(queue)), 0)),
        lambda: list(dead.census(Watch(scope(queue)))),
        lambda: dead.fetch(["1"], ()),
    ):
        with pytest.raises(Unauthorised):
            work()


def test_nobody_at_home_is_unreachable(rt):
    with pytest.raises(Unreachable):
        open_tracker(replace(rt.settings(), url="http://127.0.0.1:9"), SystemClock()).whoami()


def test_a_ticket_is_read_whole(rt, tracker, queue):
    number = rt.new_ticket(
        queue,
        "Printer on fire",
        "first\n\nsecond <b>",
        Owner="alice",
        Priority=70,
        Due="2026-12-31 23:30:00",  # in UTC: the account's new year
        CustomFields={"Severity": "S2", "Areas": ["Printing", "Network"], "External ID": "mark-1"},
    )
    rt.reply(number, "<p>to <b>everybody</b></p>", kind="text/html")
    rt.remark(number, "for staff\nof two lines")

    ticket = tracker.fetch([number], SPECS)[number]

    assert (ticket.id, ticket.key, ticket.project) == (number, number, queue)
    assert ticket.url == f"{rt.url}/Ticket/Display.html?id={number}"
    assert ticket.fields["summary"] == "Printer on fire"
    assert ticket.fields["description"] == from_plain("first\n\nsecond <b>")
    assert ticket.fields["priority"] == "70"
    assert ticket.fields["due"] == "2027-01-01"
    assert ticket.fields["assignee"].handles == ("alice@tests.example",)
    assert ticket.fields["severity"] == "S2"
    assert ticket.fields["areas"] == frozenset({"Printing", "Network"})
    assert ticket.fields["effort"] is None
    assert not {"type", "labels"} & ticket.fields.keys()
    assert ticket.marker == "mark-1"
    assert ticket.creator.id == "alice"
    assert ticket.created <= ticket.updated <= tracker.now() + SECOND
    assert ticket.comments_complete
    public, private = ticket.comments
    assert (public.private, private.private) == (False, True)
    assert public.body == read("html", "<p>to <b>everybody</b></p>")
    assert plain(private.body) == "for staff\nof two lines"
    assert public.author.name == "Alice Agent"
    assert ticket.created <= public.created == public.updated


def test_a_ticket_without_a_word_has_an_empty_description(rt, tracker, queue):
    number = rt.new_ticket(queue, "mute")
    ticket = tracker.fetch([number], SPECS)[number]
    assert ticket.fields["description"] == Document()
    assert (ticket.fields["assignee"], ticket.fields["due"], ticket.comments) == (None, None, ())


def test_the_files_of_a_reply_are_not_its_words(rt, tracker, queue):
    number = rt.new_ticket(queue, "files")
    file = {"FileName": "log.txt", "FileType": "text/plain", "FileContent": "c2VjcmV0"}
    rt.reply(number, "see the file", Attachments=[file])
    (comment,) = tracker.fetch([number], ())[number].comments
    assert plain(comment.body) == "see the file"


def test_more_texts_than_a_page_holds_are_read_in_order(rt, tracker, queue, monkeypatch):
    monkeypatch.setattr(rt_lists, "PAGE", 2)
    first, second = rt.new_ticket(queue, "long", "begin"), rt.new_ticket(queue, "short", "begin too")
    for number in range(3):
        rt.reply(first, f"said {number}")
        rt.remark(first, f"noted {number}")
    found = tracker.fetch([first, second], ())
    said = [plain(one.body) for one in found[first].comments]
    assert said == [f"{what} {number}" for number in range(3) for what in ("said", "noted")]
    assert plain(found[first].fields["description"]) == "begin"
    assert plain(found[second].fields["description"]) == "begin too"


def test_what_is_not_there_is_absent(rt, tracker, queue):
    there, deleted, merged, other = (rt.new_ticket(queue, name) for name in ("a", "b", "c", "d"))
    rt.call("alice", "DELETE", f"/ticket/{deleted}")
    rt.edit_ticket(merged, MergeInto=other)
    asked = [there, deleted, merged, other, "999999", "1; DROP", "-1"]
    found = tracker.fetch(asked, ())
    assert {number: ticket.id for number, ticket in found.items()} == {
        there: there,
        merged: other,
        other: other,
    }
    assert set(tracker.histories(asked)) == {there, other}
    for gone in (deleted, merged, "999999"):
        with pytest.raises(Gone):
            tracker.transitions(gone)
    # What was said in the merged ticket is not the other one's.
    assert tracker.fetch([other], ())[other].comments == ()
    assert seen(tracker.census(Watch(scope(queue), (), (deleted, merged)))) == [there, other]


def test_tickets_from_before_the_agreement_s_beginning_are_not_in_view(rt, tracker, queue):
    there = rt.new_ticket(queue, "a")
    created = instant(rt.read_ticket(there)["Created"])
    for since, expected in ((created, [there]), (created + 2 * SECOND, [])):
        watch = Watch(replace(scope(queue), since=since))
        assert seen(tracker.changes(watch, 0)) == seen(tracker.census(watch)) == expected


def test_a_poll_shows_what_changed_since(rt, tracker, queue):
    old = rt.new_ticket(queue, "old")
    time.sleep(1.1)
    since = instant(rt.read_ticket(old)["LastUpdated"]) + SECOND
    fresh = rt.new_ticket(queue, "fresh", "words", CustomFields={"Severity": "S3"})
    (page,) = tracker.changes(Watch(scope(queue), SPECS), since)
    (ticket,) = page
    assert ticket.id == fresh
    assert ticket.fields["severity"] == "S3"
    assert "description" not in ticket.fields, "a list holds no texts"
    assert not ticket.comments_complete
    # The bound is exact to the second, whatever zone the account is in, or if it is in none (bob).
    for one in (tracker, open_tracker(rt.settings(who="bob"), SystemClock())):
        (page,) = one.changes(Watch(scope(queue)), ticket.updated + 999_999)
        assert [found.id for found in page] == [fresh]
        assert list(one.changes(Watch(scope(queue)), ticket.updated + SECOND)) == []


def test_every_change_moves_the_stamp(rt, tracker, queue):
    changes = (
        lambda number: rt.reply(number, "x"),
        lambda number: rt.remark(number, "x"),
        lambda number: rt.edit_ticket(number, CustomFields={"Effort": "3"}),
        lambda number: rt.edit_ticket(number, AddRefersTo="https://x.example/1"),
    )
    numbers = [rt.new_ticket(queue, "stamp") for _ in changes]
    before = instant(rt.read_ticket(numbers[-1])["LastUpdated"])
    time.sleep(1.1)
    for number, change in zip(numbers, changes, strict=True):
        change(number)
    assert seen(tracker.changes(Watch(scope(queue)), before + SECOND)) == numbers


def test_a_walk_in_pages_loses_nothing_while_tickets_move(rt, tracker, queue, monkeypatch):
    for module in (rt_lists, rt_queries):
        monkeypatch.setattr(module, "PAGE", 3)
    numbers = [rt.new_ticket(queue, f"t{number}") for number in range(8)]
    walk = rt_lists.walk_all(tracker._http, tracker._scope(scope(queue)))
    found = [next(walk)["id"] for _ in range(3)]
    rt.edit_ticket(found[0], Subject="changed behind the walk's back")
    assert found + [item["id"] for item in walk] == numbers
    pages = list(tracker.changes(Watch(scope(queue)), 0))
    assert [len(page) for page in pages] == [3, 3, 2]
    tickets = [ticket for page in pages for ticket in page]
    assert [(one.updated, int(one.id)) for one in tickets] == sorted(
        (one.updated, int(one.id)) for one in tickets
    )


def test_a_selection_is_heeded_and_followed_tickets_stay_in_view(rt, tracker, queue):
    chosen = rt.new_ticket(queue, "chosen", Priority=50)
    other = rt.new_ticket(queue, "other", Priority=10)
    moved = rt.new_ticket(rt.new_queue(), "moved away")
    watch = Watch(scope(queue, "Priority > 20 AND Subject LIKE 'cho'"), SPECS, (moved,))
    assert sorted(seen(tracker.changes(watch, 0))) == sorted([chosen, moved])
    assert sorted(seen(tracker.census(watch))) == sorted([chosen, moved])
    both = Watch(scope(queue, "Priority > 20"), SPECS, (other, chosen))
    assert sorted(seen(tracker.changes(both, 0))) == sorted([chosen, other])


def test_a_selection_cannot_reach_into_other_queues(rt, tracker, queue):
    rt.new_ticket(rt.new_queue(), "secret")
    mine = rt.new_ticket(queue, "mine")
    assert seen(tracker.changes(Watch(scope(queue, "id = 0 OR id > 0")), 0)) == [mine]
    with pytest.raises(Refused, match="parenthesis"):
        list(tracker.changes(Watch(scope(queue, "id = 0) OR (id > 0")), 0))
    with pytest.raises(Refused) as refusal:
        list(tracker.changes(Watch(scope(queue, "Colour = 'red'")), 0))
    assert refusal.value.status == 400


def test_a_reminder_is_no_ticket(rt, tracker, queue):
    number = rt.new_ticket(queue, "real")
    rt.new_ticket(queue, "reminder", Type="reminder")
    assert seen(tracker.changes(Watch(scope(queue)), 0)) == [number]


def test_a_queue_that_is_not_there_is_gone(tracker):
    with pytest.raises(Gone, match="Nowhere"):
        list(tracker.changes(Watch(scope("Nowhere")), 0))
    with pytest.raises(Gone, match="CI"):
        tracker.metadata("CI")  # another queue in all but the capitals


def test_a_history_names_what_changed(rt, tracker, queue):
    number = rt.new_ticket(queue, "before", Priority=10)
    rt.edit_ticket(number, Subject="after", Due="2026-11-30 23:00:00", Owner="bob", Status="open")
    rt.edit_ticket(number, who="bob", CustomFields={"Severity": "S1"}, Owner="Nobody", Priority=30)
    rt.reply(number, "no field")
    changes = tracker.histories([number])[number]
    told = {(one.field, one.before, one.after, one.author.id) for one in changes}
    assert told == {
        ("summary", "before", "after", "alice"),
        ("due", "", "2026-12-01", "alice"),
        ("assignee", "", "bob", "alice"),
        ("status", "new", "open", "alice"),
        ("Severity", "", "S1", "bob"),
        ("assignee", "bob", "", "bob"),
        ("priority", "10", "30", "bob"),
    }
    assert [int(one.event) for one in changes] == sorted(int(one.event) for one in changes)


def test_a_check_learns_the_queue(rt, tracker, queue):
    meta = tracker.metadata(queue)
    assert (meta.types, meta.statuses, meta.priorities) == ((), {}, ())
    assert {"summary", "status", "due", "assignee", "Severity", "External ID"} <= set(meta.fields)
    assert not {"type", "labels"} & set(meta.fields)
    options = {field.name: field.allowed for field in meta.create[""]}
    assert options["Severity"] == ("S1", "S2", "S3")
    assert options["Effort"] == ()
    assert (meta.missing_rights, meta.marker) == ({}, ())


def test_a_check_names_the_rights_that_are_missing(rt, queue):
    rt.new_ticket(queue, "there")
    mute = open_tracker(replace(rt.settings(who="mute"), marker_field="Nothing"), SystemClock())
    meta = mute.metadata(queue)
    assert meta.missing_rights[Need.CREATE] == ("CreateTicket",)
    assert meta.missing_rights[Need.COMMENT] == meta.missing_rights[Need.ATTACH] == ("ReplyToTicket",)
    (flaw,) = meta.marker
    assert "no custom field 'Nothing'" in flaw.words
