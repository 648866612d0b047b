"""Replies on a real Request Tracker: written, found again, and what RT does because of them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from world import eventually

from bridge.clock import SECOND, SystemClock
from bridge.errors import Refused
from bridge.markup import read
from bridge.trackers.rt_tracker import open_tracker
from bridge.trackers.rt_values import instant

pytestmark = pytest.mark.real


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


def test_a_reply_gets_its_number_and_time(rt, tracker, queue):
    number = rt.new_ticket(queue, "talk")
    rt.reply(number, "hello")
    reply, at = tracker.add_comment(number, text("<p>we are <b>on</b> it</p><ul><li>one</li></ul>"), "m")
    last = rt.history(number, "Correspond")[-1]
    assert (reply, at) == (last["id"], instant(last["Created"]))
    comment = tracker.fetch([number], ())[number].comments[-1]
    assert comment.body == text("<p>we are <b>on</b> it</p><ul><li>one</li></ul>")
    assert comment.author == tracker.whoami()
    assert not comment.private


def test_equal_replies_at_once_each_get_their_own_number(rt, tracker, queue):
    number = rt.new_ticket(queue, "chorus")
    with ThreadPoolExecutor(3) as pool:
        added = list(pool.map(lambda _: tracker.add_comment(number, text("<p>same</p>"), ""), range(3)))
    assert sorted(one for one, _ in added) == sorted(
        one.id for one in tracker.fetch([number], ())[number].comments
    )


def test_a_reply_of_unknown_outcome_is_found_by_author_text_and_time(rt, tracker, queue):
    number = rt.new_ticket(queue, "lost and found")
    since = tracker.now() - SECOND
    body = text("<p>the <b>words</b> &amp; x_y https://x.example/1</p>")
    rt.reply(number, "<p>the <b>words</b> &amp; x_y https://x.example/1</p>", who="bob", kind="text/html")
    assert tracker.find_comment(number, body, "", since) is None
    reply, at = tracker.add_comment(number, body, "")
    assert tracker.find_comment(number, body, "", since) == reply
    assert tracker.find_comment(number, text("<p>other words</p>"), "", since) is None
    assert tracker.find_comment(number, body, "", at + SECOND) is None


@pytest.mark.parametrize("status", ["new", "resolved", "stalled"])
def test_a_mirrored_reply_moves_no_status(rt, tracker, queue, status):
    number = rt.new_ticket(queue, "asleep")
    if status != "new":
        rt.edit_ticket(number, Status="open")
        rt.edit_ticket(number, Status=status)
    _, at = tracker.add_comment(number, text("<p>mirrored</p>"), "")
    assert rt.read_ticket(number)["Status"] == status
    assert at >= instant(rt.history(number)[-1]["Created"])


def test_a_reply_by_people_still_wakes_a_ticket(rt, tracker, queue):
    number = rt.new_ticket(queue, "asleep")
    rt.edit_ticket(number, Status="resolved")
    rt.reply(number, "still broken")
    assert rt.read_ticket(number)["Status"] == "open"
    tracker.add_comment(number, text("<p>mirrored</p>"), "")
    assert rt.read_ticket(number)["Status"] == "open"


def test_a_status_that_somebody_moves_meanwhile_stays(rt, tracker, queue, monkeypatch):
    number = rt.new_ticket(queue, "race")
    call = tracker._http.call

    def meddling(method, path, **more):
        answer = call(method, path, **more)
        if path.endswith("/correspond"):
            rt.edit_ticket(number, Status="stalled")
        return answer

    monkeypatch.setattr(tracker._http, "call", meddling)
    tracker.add_comment(number, text("<p>mirrored</p>"), "")
    assert rt.read_ticket(number)["Status"] == "stalled"


def test_an_account_that_may_not_reply_is_told_so(rt, queue):
    number = rt.new_ticket(queue, "mute")
    mute = open_tracker(rt.settings(who="mute"), SystemClock())
    with pytest.raises(Refused) as refusal:
        mute.add_comment(number, text("<p>anybody there?</p>"), "")
    assert refusal.value.status == 400
    assert rt.history(number, "Correspond") == []


def test_nobody_can_change_or_take_back_a_reply(rt, tracker, queue):
    number = rt.new_ticket(queue, "for ever")
    reply, _ = tracker.add_comment(number, text("<p>said</p>"), "")
    with pytest.raises(Refused, match="nobody change"):
        tracker.edit_comment(number, reply, text("<p>unsaid</p>"))
    with pytest.raises(Refused, match="nobody take back"):
        tracker.delete_comment(number, reply)
    assert len(tracker.fetch([number], ())[number].comments) == 1


def test_a_reply_reaches_the_requestors_by_mail_and_nobody_where_there_is_none(rt, tracker, queue):
    """What docs/trackers.md says of mails."""
    quiet = rt.new_ticket(queue, "quiet")
    loud = rt.new_ticket(queue, "loud", Requestor="dora@customer.example")

    def mails(words):
        sent = [path.read_text(errors="replace") for path in (rt.folder / "mail").iterdir()]
        return [re.findall(r"^To: (.*)$", mail, re.MULTILINE) for mail in sent if words in mail]

    tracker.add_comment(quiet, text("<p>hush-hush</p>"), "")
    tracker.add_comment(loud, text("<p>hear-hear</p>"), "")
    assert eventually(lambda: mails("hear-hear"), 30) == [["dora@customer.example"]]
    assert mails("hush-hush") == []
