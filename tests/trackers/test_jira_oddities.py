"""Odd answers, odd fields, a dead login, many threads."""

from __future__ import annotations

import threading

import pytest
import structlog
from jira_house import MARK, doc

from bridge.errors import OutcomeUnknown, Unauthorised, Unintelligible
from bridge.markup import Document
from bridge.simulator import Fault
from bridge.sync.ticket import Person
from bridge.trackers.jira_values import Kind, Values, WrongValue, kind_of, moment

CLOUD = Values("adf", "accountId")
SERVER = Values("wiki", "name")
CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes:"


def answers(jira, path, body, status=200, method="*"):
    jira.server.faults.add(Fault("error", method, path, status=status, body=body))


@pytest.mark.parametrize(
    "issue",
    [
        {},
        {"id": "1", "key": "A-1"},
        {"id": "1", "key": "A-1", "fields": {}},
        {"id": "1", "key": "A-1", "fields": {"project": {"key": "A"}, "created": "today", "updated": "now"}},
    ],
)
def test_an_issue_that_is_none_is_unintelligible(jira, issue):
    body = {"issues": [issue], "total": 1}
    answers(jira, "/search", body)
    with pytest.raises(Unintelligible):
        jira.poll()
    answers(jira, "bulkfetch" if jira.cloud else "/issue/1", body if jira.cloud else issue)
    with pytest.raises(Unintelligible):
        jira.tracker.fetch(["1"], ())


def test_one_issue_that_cannot_be_read_stops_no_other(jira):
    human = jira.person()
    good, bad = human.create("good"), human.create("bad")
    jira.person().comment(bad)
    raw = [human.call("GET", f"/issue/{one}") for one in (good, bad)]
    raw[1]["fields"]["comment"]["comments"][0]["created"] = "SECRET"
    body = {"issues": raw, "total": 2}
    answers(jira, "/search", body)
    with structlog.testing.capture_logs() as lines:
        assert [ticket.id for ticket in jira.poll()] == [good]
    warning = {"event": "ticket_unreadable", "log_level": "warning", "tracker": jira.tracker.name}
    assert lines[-1] == warning | {"ticket": bad, "error": "ValueError"}
    answers(jira, "bulkfetch" if jira.cloud else f"/issue/{bad}", body if jira.cloud else raw[1])
    assert list(jira.tracker.fetch([good, bad], ())) == [good]
    answers(
        jira, "bulkfetch" if jira.cloud else f"/issue/{bad}", {"issues": raw[1:]} if jira.cloud else raw[1]
    )
    with pytest.raises(Unintelligible) as error:
        jira.tracker.fetch([bad], ())
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("body", [{}, [], "", {"id": ""}])
def test_a_create_that_names_no_issue_may_have_happened(jira, body):
    answers(jira, "/issue$", body, 201, "POST")
    with pytest.raises(OutcomeUnknown):
        jira.tracker.create(jira.draft(), ())
    ticket = jira.tracker.create(jira.draft(), ()).id
    answers(jira, "/comment$", body, 201, "POST")
    with pytest.raises(OutcomeUnknown):
        jira.tracker.add_comment(ticket, doc("Hello"), MARK)


def test_with_a_dead_login_no_ticket_looks_deleted(jira):
    ticket = jira.tracker.create(jira.draft(), ()).id
    jira.server.site.expire_logins("bridge")
    for call in (
        jira.tracker.whoami,
        lambda: jira.tracker.fetch([ticket], ()),
        lambda: jira.tracker.update(ticket, {"summary": "x"}, ()),
        lambda: jira.tracker.transitions(ticket),
        lambda: jira.tracker.find_marked(jira.scope(), MARK, 0),
        lambda: list(jira.tracker.census(jira.watch())),
        lambda: jira.tracker.histories([ticket]),
        lambda: jira.tracker.metadata(jira.project),
        lambda: jira.tracker.delete_comment(ticket, "1"),
    ):
        with pytest.raises(Unauthorised):
            call()


def test_many_threads_share_one_tracker(jira):
    tickets = [jira.tracker.create(jira.draft(mark=f"bridge-{n:016x}"), ()).id for n in range(8)]
    trouble = []

    def work(ticket: str) -> None:
        try:
            for n in range(5):
                jira.tracker.update(ticket, {"labels": frozenset({f"l{n}"})}, ())
                jira.tracker.add_comment(ticket, doc(f"No {n}"), f"mark-{n}")
                assert len(jira.tracker.fetch([ticket], ())[ticket].comments) == n + 1
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            trouble.append(error)

    threads = [threading.Thread(target=work, args=(ticket,)) for ticket in tickets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    for ticket in jira.tracker.fetch(tickets, ()).values():
        assert ticket.fields["labels"] == {"l4"}


def test_data_center_takes_a_user_and_a_password(datacenter):
    tracker = datacenter.open(user="bridge")
    assert tracker.whoami().id == "bridge"
    tracker.close()
    with_wrong_password = datacenter.open(user="ann")
    with pytest.raises(Unauthorised):
        with_wrong_password.whoami()
    with_wrong_password.close()


def test_the_trackers_clock_is_known_after_the_first_answer(jira):
    jira.tracker.whoami()
    assert abs(jira.tracker.now() - jira.clock.now()) < 2e6


@pytest.mark.parametrize(
    ("field", "schema", "kind"),
    [
        ("description", {"type": "string", "system": "description"}, Kind.TEXT),
        ("customfield_1", {"type": "string", "custom": f"{CUSTOM}textarea"}, Kind.TEXT),
        ("customfield_1", {"type": "string", "custom": f"{CUSTOM}textfield"}, Kind.STRING),
        ("customfield_1", {"type": "option", "custom": f"{CUSTOM}radiobuttons"}, Kind.OPTION),
        ("customfield_1", {"type": "array", "items": "option"}, Kind.OPTIONS),
        ("customfield_1", {"type": "option-with-child"}, Kind.CASCADE),
        ("customfield_1", {"type": "array", "items": "string"}, Kind.WORDS),
        ("customfield_1", {"type": "array", "items": "user"}, Kind.PEOPLE),
        ("fixVersions", {"type": "array", "items": "version"}, Kind.NAMES),
        ("customfield_1", {"type": "datetime"}, Kind.MOMENT),
        ("customfield_1", {"type": "sd-servicelevelagreement"}, Kind.OTHER),
        ("issuekey", {}, Kind.OTHER),
    ],
)
def test_the_kind_of_a_field_is_read_off_its_schema(field, schema, kind):
    assert kind_of(field, schema) is kind


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        (Kind.STRING, "x", "x"),
        (Kind.STRING, None, None),
        (Kind.DATE, "2026-12-24", "2026-12-24"),
        (Kind.NUMBER, 3.0, 3),
        (Kind.NUMBER, 2.5, 2.5),
        (Kind.OPTION, "Major", {"value": "Major"}),
        (Kind.OPTION, "A / B", {"value": "A / B"}),
        (Kind.CASCADE, "A > B", {"value": "A", "child": {"value": "B"}}),
        (Kind.CASCADE, "A", {"value": "A"}),
        (Kind.OPTIONS, frozenset({"b", "a"}), [{"value": "a"}, {"value": "b"}]),
        (Kind.OPTIONS, frozenset(), []),
        (Kind.WORDS, frozenset({"b", "a"}), ["a", "b"]),
        (Kind.NAMES, frozenset({"1.0"}), [{"name": "1.0"}]),
        (Kind.NAMED, "High", {"name": "High"}),
        (Kind.PERSON, Person("u1"), {"accountId": "u1"}),
        (Kind.PERSON, None, None),
        (Kind.TEXT, Document(), None),
    ],
)
def test_values_are_written_and_read_alike(kind, value, raw):
    assert CLOUD.encode(kind, value, str) == raw
    assert CLOUD.decode(kind, raw) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.OTHER, "x"),
        (Kind.NUMBER, "many"),
        (Kind.NUMBER, "inf"),
        (Kind.STRING, frozenset({"a", "b"})),
        (Kind.PERSON, frozenset({"a", "b"})),
    ],
)
def test_what_does_not_fit_is_not_written(kind, value):
    with pytest.raises(WrongValue):
        CLOUD.encode(kind, value, str)


def test_people_in_sets_are_their_ids():
    raw = [{"accountId": "u1", "displayName": "Ann"}, {"accountId": "u2", "displayName": "Bo"}]
    assert CLOUD.decode(Kind.PEOPLE, raw) == {"u1", "u2"}
    assert SERVER.encode(Kind.PEOPLE, frozenset({"ann"}), str.upper) == [{"name": "ANN"}]


def test_numbers_of_unknown_fields_and_flags_stay_what_they_are():
    assert CLOUD.decode(Kind.OTHER, 7) == 7
    assert CLOUD.decode(Kind.OTHER, raw=True) is True
    assert CLOUD.decode(Kind.OTHER, None) is None


def test_a_forgotten_person_is_nobody():
    assert CLOUD.person(None) is None
    assert CLOUD.person({"displayName": "Former user"}) is None


@pytest.mark.parametrize(
    ("raw", "micros"),
    [
        ("2026-11-22T12:00:00.123+0000", 1_795_348_800_123_000),
        ("2026-11-22T13:00:00.123+0100", 1_795_348_800_123_000),
        (1_795_348_800_123, 1_795_348_800_123_000),
        (1_492_070_429, 1_492_070_429_000_000),
    ],
)
def test_times_in_all_their_forms(raw, micros):
    assert moment(raw) == micros
