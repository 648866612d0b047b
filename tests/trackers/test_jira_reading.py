"""Reading tickets: fields, people, comments, times, and what is ours among them."""

from __future__ import annotations

import pytest
from jira_house import MARK, SPECS, House, doc

from bridge.markup import Document, plain
from bridge.simulator import Fault, SimulatorServer, make_acme, make_home
from bridge.sync.ticket import Person
from bridge.trackers.protocol import FieldSpec


def test_whoami_names_the_integration_account(jira):
    me = jira.tracker.whoami()
    assert me.name == "Bridge"
    assert f"bridge@{jira.server.site.name}.example" in me.handles


def test_a_ticket_is_read_with_every_built_in_field(jira):
    human = jira.person()
    me = human.call("GET", "/myself")
    ticket = human.create(
        "Disk full",
        description=human.text("The disk is full."),
        labels=["sev-1", "urgent"],
        duedate="2026-12-24",
        assignee={"accountId": me["accountId"]} if jira.cloud else {"name": "ann"},
    )
    read = jira.tracker.fetch([ticket], ())[ticket]
    assert read.key == f"{jira.project}-1"
    assert read.project == jira.project
    assert read.url == f"{jira.server.url}/browse/{read.key}"
    assert read.fields["summary"] == "Disk full"
    assert plain(read.fields["description"]).strip() == "The disk is full."
    assert read.fields["type"] == "Bug"
    assert read.fields["status"] == ("To Do" if jira.cloud else "Open")
    assert read.fields["priority"] == ("P3" if jira.cloud else "Medium")
    assert read.fields["labels"] == {"sev-1", "urgent"}
    assert read.fields["due"] == "2026-12-24"
    assert read.fields["assignee"].name == me["displayName"]
    assert read.creator.id == (me["accountId"] if jira.cloud else "ann")
    assert abs(read.created - jira.clock.now()) < 60e6
    assert read.updated >= read.created
    assert read.marker == ""


def test_an_absent_description_is_the_empty_text(jira):
    ticket = jira.person().create()
    fields = jira.tracker.fetch([ticket], ())[ticket].fields
    assert fields["description"] == Document()
    assert fields["due"] is None
    assert fields["assignee"] is None


def test_mapped_custom_fields_are_read_by_their_names(jira):
    human = jira.person()
    ticket = human.create(
        customfield_10041={"value": "Major"},
        customfield_10042="EXT-7",
        customfield_10043=2.5,
        customfield_10044=human.text("Much"),
        customfield_10045="2026-12-01",
    )
    fields = jira.tracker.fetch([ticket], SPECS)[ticket].fields
    assert fields["severity"] == "Major"
    assert fields["ref"] == "EXT-7"
    assert fields["effort"] == 2.5
    assert plain(fields["impact"]).strip() == "Much"
    assert fields["promised"] == "2026-12-01"


def test_a_field_that_is_not_there_is_absent_and_stops_nothing(jira):
    ticket = jira.person().create()
    fields = jira.tracker.fetch([ticket], [FieldSpec("x", "No such field")])[ticket].fields
    assert "x" not in fields
    assert fields["summary"] == "It breaks"


def test_our_own_labels_never_show(jira):
    made = jira.tracker.create(jira.draft(labels=frozenset({"red"})), ())
    read = jira.tracker.fetch([made.id], ())[made.id]
    assert read.fields["labels"] == {"red"}
    assert read.marker == MARK


def test_deleted_and_unknown_tickets_are_absent(jira):
    human = jira.person()
    kept, dead = human.create(), human.create()
    jira.person("admin").call("DELETE", f"/issue/{dead}")
    assert set(jira.tracker.fetch([kept, dead, "99999999"], ())) == {kept}


def test_many_tickets_are_read_in_few_calls_on_cloud(cloud):
    human = cloud.person()
    tickets = [human.create(f"No {n}") for n in range(103)]
    before = cloud.server.calls.last
    assert set(cloud.tracker.fetch(tickets, ())) == set(tickets)
    assert len(cloud.reached(since=before)) == 2


def test_all_comments_are_fetched_however_many(jira):
    human = jira.person()
    ticket = human.create()
    wanted = [human.comment(ticket, f"No {n}") for n in range(115)]
    read = jira.tracker.fetch([ticket], ())[ticket]
    assert [one.id for one in read.comments] == wanted
    assert read.comments_complete


def test_comments_tell_author_text_and_times(jira):
    human = jira.person()
    ticket = human.create()
    human.comment(ticket, "Look here")
    (comment,) = jira.tracker.fetch([ticket], ())[ticket].comments
    assert plain(comment.body).strip() == "Look here"
    assert comment.author.name == human.call("GET", "/myself")["displayName"]
    assert comment.created == comment.updated
    assert not comment.private


def test_a_comment_for_a_role_is_private(jira):
    human = jira.person()
    ticket = human.create()
    role = {"type": "role", "value": "Developers"}
    human.comment(ticket, "Between us", visibility=role)
    (comment,) = jira.tracker.fetch([ticket], ())[ticket].comments
    assert comment.private


@pytest.fixture(params=[make_acme, make_home])
def desk(request):
    """A service desk of each flavour in turn."""
    with SimulatorServer(request.param(service_desk=True)) as server:
        house = House(server)
        yield house
        house.close()


def internal(told=True) -> list:
    return [{"key": "sd.public.comment", "value": {"internal": told}}]


def test_an_internal_note_of_a_service_desk_is_private(desk):
    human = desk.person()
    ticket = human.create()
    human.comment(ticket, "For all")
    human.comment(ticket, "For us", properties=internal())
    human.comment(ticket, "For all, as we say", properties=internal(told=False))
    human.comment(ticket, "For us, too", properties=internal("true"))
    read = desk.tracker.fetch([ticket], ())[ticket]
    assert [one.private for one in read.comments] == [False, True, False, True]
    assert read.comments_complete


def test_all_notes_of_a_service_desk_are_told_however_many(desk):
    human = desk.person()
    ticket = human.create()
    for number in range(105):
        human.comment(ticket, f"No {number}", properties=internal(told=bool(number % 2)))
    read = desk.tracker.fetch([ticket], ())[ticket]
    assert [one.private for one in read.comments] == [bool(number % 2) for number in range(105)]
    assert read.comments_complete


def test_a_poll_of_a_service_desk_shows_no_comment_that_may_be_internal(desk):
    human = desk.person()
    ticket, silent = human.create(), human.create()
    human.comment(ticket, "For us", properties=internal())
    seen = {one.id: one for one in desk.poll()}
    assert [one.private for one in seen[ticket].comments] == ([True] if desk.cloud else [])
    assert seen[ticket].comments_complete == desk.cloud
    assert seen[silent].comments_complete, "none is none"


@pytest.mark.parametrize("kind", [None, "", 7, "service_desk", "software"])
def test_a_project_that_does_not_say_what_it_is_counts_as_a_service_desk(datacenter, kind):
    human = datacenter.person()
    ticket = human.create()
    human.comment(ticket)
    raw = human.call("GET", f"/issue/{ticket}")
    raw["fields"]["project"]["projectTypeKey"] = kind
    if kind is None:
        del raw["fields"]["project"]["projectTypeKey"]
    datacenter.server.faults.add(
        Fault("error", "POST", "/search", status=200, body={"issues": [raw], "total": 1})
    )
    (seen,) = datacenter.poll()
    assert seen.comments_complete == (kind == "software")


def test_an_ordinary_ticket_is_read_in_one_call(datacenter):
    human = datacenter.person()
    ticket = human.create()
    human.comment(ticket)
    datacenter.tracker.fetch([ticket], ())
    before = datacenter.server.calls.last
    assert len(datacenter.tracker.fetch([ticket], ())[ticket].comments) == 1
    assert len(datacenter.reached(since=before)) == 1


def test_histories_are_told_oldest_first_in_our_words(jira):
    human = jira.person()
    ticket = human.create()
    human.edit(ticket, duedate="2026-12-24")
    human.edit(ticket, summary="It still breaks")
    step = human.call("GET", f"/issue/{ticket}/transitions")["transitions"][0]
    human.call("POST", f"/issue/{ticket}/transitions", {"transition": {"id": step["id"]}})
    changes = jira.tracker.histories([ticket])[ticket]
    assert [one.field for one in changes] == ["due", "summary", "status"]
    assert (changes[1].before, changes[1].after) == ("It breaks", "It still breaks")
    assert changes[2].after == "In Progress"
    assert all(one.event and abs(one.at - jira.clock.now()) < 60e6 for one in changes)
    assert changes[0].author.name


def test_a_hidden_address_is_no_handle(cloud):
    cy = cloud.person("cy")
    ticket = cy.create()
    creator = cloud.tracker.fetch([ticket], ())[ticket].creator
    assert creator.handles == ()


def test_people_are_named_as_the_flavour_wants_it(jira):
    ticket = jira.person().create()
    creator = jira.tracker.fetch([ticket], ())[ticket].creator
    assert isinstance(creator, Person)
    assert creator.id.startswith("5b10") if jira.cloud else creator.id == "ann"


@pytest.mark.parametrize("words", ["one", "two\nlines"])
def test_a_text_survives_the_way_there_and_back(jira, words):
    text = doc(*words.split("\n"))
    made = jira.tracker.create(jira.draft(description=text), ())
    read = jira.tracker.fetch([made.id], ())[made.id]
    assert plain(read.fields["description"]).split() == words.split()


def test_the_gateway_is_used_for_scoped_tokens(cloud):
    site = cloud.server.site
    tracker = cloud.open(cloud_id=site.cloud_id, gateway=cloud.server.url, url="https://acme.example")
    ticket = cloud.person().create()
    before = cloud.server.calls.last
    read = tracker.fetch([ticket], ())[ticket]
    tracker.close()
    assert read.url == f"https://acme.example/browse/{read.key}"
    assert all(call.path.startswith("/ex/jira/") for call in cloud.reached(since=before))
