"""Timelines and their due index, versions of policies, claimed alerts, acknowledgements."""

from __future__ import annotations

from dataclasses import replace

from making import MINUTE, NOW

from bridge.store.rows import Acknowledgement, Alert, Chronicle, Letter, PolicyRow
from bridge.sync.ticket import Side

ALERT = Alert(0, 1, "acme", "resolve", NOW, "80%", 0, NOW + MINUTE, NOW + 2 * MINUTE, {"late": True})


def a_link(store, number="1"):
    with store.write() as tx:
        made, _ = tx.links.add("acme", Side.INTERNAL, number, f"OPS-{number}", f"m{number}", NOW)
    return made.id


def test_a_touched_link_is_stale_until_it_was_read_and_stays_so_if_it_was_touched_meanwhile(store):
    link = a_link(store)
    with store.write() as tx:
        tx.chronicles.touch(link, "acme", NOW)
        tx.chronicles.touch(link, "acme", NOW + MINUTE)
        (row,) = tx.chronicles.stale(NOW, 10, "acme")
        assert (row.stale_at, row.read_at, row.next_at, row.timeline) == (NOW - 1, None, None, {})
        read = replace(row, policy="v1", born=NOW, read_at=NOW, next_at=NOW + 5, timeline={"a": 1})
        tx.chronicles.later(link, NOW + 5)
        assert tx.chronicles.stale(NOW, 10, "acme") == []
        tx.chronicles.put(read, NOW + 5)
        assert tx.chronicles.stale(NOW + MINUTE, 10, "acme") == []
        tx.chronicles.touch(link, "acme", NOW)
        tx.chronicles.later(link, NOW + 3 * MINUTE)
        tx.chronicles.touch(link, "acme", NOW + 2 * MINUTE)  # while it is being read
        tx.chronicles.put(replace(read, timeline={"a": 2}), NOW + 3 * MINUTE)
        (row,) = tx.chronicles.stale(NOW + 2 * MINUTE, 10, "acme")
        assert (row.stale_at, row.timeline) == (NOW + 2 * MINUTE, {"a": 2})
        tx.chronicles.later(link, NOW + 9 * MINUTE)
        assert tx.chronicles.stale(NOW + 2 * MINUTE, 10, "acme") == []
        assert tx.chronicles.stale(NOW + 9 * MINUTE, 10, "globex") == []


def test_what_is_touched_after_the_reading_took_longer_than_foreseen_is_stale_still(store):
    """A slow tracker answered after the row was due to be read again: what had changed meanwhile was never read."""
    link = a_link(store)
    with store.write() as tx:
        tx.chronicles.touch(link, "acme", NOW)
        (read,) = tx.chronicles.stale(NOW, 10, "acme")
        tx.chronicles.later(link, NOW + 10)
        tx.chronicles.touch(link, "acme", NOW + 20)
        tx.chronicles.put(read, NOW + 10)
        assert [one.link_id for one in tx.chronicles.stale(NOW + 20, 10, "acme")] == [link]


def test_links_of_which_nothing_is_kept_are_found_and_a_new_policy_has_the_young_ones_read(store):
    first, second, ended = [a_link(store, str(number)) for number in range(3)]
    with store.write() as tx:
        tx.links.close(ended)
        assert tx.chronicles.missing("acme") == [first, second]
        assert tx.chronicles.missing("globex") == []
        for link, born in ((first, NOW - 1), (second, NOW)):
            tx.chronicles.touch(link, "acme", NOW)
            tx.chronicles.later(link, NOW + 1)
            tx.chronicles.put(Chronicle(link, "acme", born=born), NOW + 1)
        assert tx.chronicles.missing("acme") == []
        tx.chronicles.renew("acme", NOW, NOW + MINUTE)
        assert [one.link_id for one in tx.chronicles.stale(NOW + MINUTE, 10, "acme")] == [second]


def test_the_due_index_tells_what_changes_by_now_the_earliest_first(store):
    links = [a_link(store, str(number)) for number in range(3)]
    with store.write() as tx:
        for link, when in zip(links, (NOW + 2, NOW + 1, None), strict=True):
            tx.chronicles.touch(link, "acme", NOW)
            tx.chronicles.put(Chronicle(link, "acme", next_at=when), NOW)
        assert tx.chronicles.due(NOW, 10) == []
        assert [one.link_id for one in tx.chronicles.due(NOW + 2, 10)] == [links[1], links[0]]
        assert tx.chronicles.next_due() == NOW + 1
        tx.chronicles.set_next(links[1], None, {"open": 0})
        assert tx.chronicles.next_due() == NOW + 2
        assert [one.link_id for one in tx.chronicles.all("acme")] == links
        assert tx.chronicles.of([links[1], 999])[links[1]].summary == {"open": 0}


def test_a_version_of_a_policy_is_kept_as_it_was_first_seen(store):
    first = PolicyRow("acme", "v1", 0, NOW, {"clocks": []})
    with store.write() as tx:
        assert tx.policies.add(first)
        assert not tx.policies.add(replace(first, since=NOW, content={}))
        assert tx.policies.add(replace(first, version="v2", since=NOW))
        assert [(one.version, one.since) for one in tx.policies.list("acme")] == [("v1", 0), ("v2", NOW)]
        assert tx.policies.list("acme")[0] == first
        assert tx.policies.list("globex") == []


def test_a_step_is_claimed_once_and_each_repetition_by_itself(store):
    with store.write() as tx:
        assert tx.alerts.claim(ALERT)
        assert not tx.alerts.claim(replace(ALERT, claimed_at=NOW + 3 * MINUTE))
        assert tx.alerts.claim(replace(ALERT, round=1, claimed_at=NOW + 3 * MINUTE))
        assert replace(tx.alerts.list(1)[0], id=0) == ALERT
        assert tx.alerts.count("acme", NOW + 3 * MINUTE) == 1
        assert len(tx.alerts.between("acme", NOW, NOW + 3 * MINUTE)) == 1


def test_the_first_acknowledgement_stands(store):
    word = Acknowledgement(1, "resolve", NOW, NOW + 5, {"who": "Bo", "how": "command"})
    with store.write() as tx:
        assert tx.alerts.acknowledge(word)
        assert not tx.alerts.acknowledge(replace(word, at=NOW + 6))
        assert tx.alerts.acknowledged(1) == [word]


def test_each_channel_has_its_own_queue(store):
    letter = Letter(0, "a", "acme", ("x@example.com",), "s", "t", "", "m", NOW)
    with store.write() as tx:
        tx.outbox.put(letter)
        tx.outbox.put(replace(letter, key="b", to=("chat",), channel="hook", created_at=NOW - 1))
        assert [one.key for one in tx.outbox.due(NOW, 10)] == ["a"]
        assert [one.key for one in tx.outbox.due(NOW, 10, "hook")] == ["b"]
        assert (tx.outbox.next_due(), tx.outbox.next_due("hook")) == (NOW, NOW - 1)


def test_the_journal_is_counted_by_event_and_side_in_a_stretch_of_time(store):
    with store.write() as tx:
        for moment, event, data in (
            (NOW - 1, "comment.added", {"side": "vendor"}),
            (NOW, "comment.added", {"side": "vendor", "words": "sealed"}),
            (NOW + 1, "comment.added", {"side": "vendor"}),
            (NOW + 1, "comment.added", {"side": "internal"}),
            (NOW + 1, "link.closed", {}),
            (NOW + 2, "link.closed", {}),
        ):
            tx.journal.add(moment, "acme", None, event, data)
        tx.journal.add(NOW, "globex", None, "comment.added", {"side": "vendor"})
        assert tx.journal.counts("acme", NOW, NOW + 2) == {
            ("comment.added", "vendor"): 2,
            ("comment.added", "internal"): 1,
            ("link.closed", ""): 1,
        }


def test_a_letter_waits_since_it_should_have_gone_out_and_one_for_a_later_hour_does_not(store):
    letter = Letter(0, "quiet", "acme", ("x@example.com",), "s", "t", "", "m1", NOW - 9, due_at=NOW + MINUTE)
    with store.write() as tx:
        tx.outbox.put(letter)
        assert tx.outbox.waiting_since(NOW) is None
        assert tx.outbox.waiting_since(NOW + MINUTE) == NOW - 9
        tx.outbox.put(replace(letter, key="owed", message_id="m2", created_at=NOW - 5, due_at=NOW - 5))
        assert tx.outbox.waiting_since(NOW) == NOW - 5
        (owed,) = tx.outbox.due(NOW, 10)
        tx.outbox.claim(owed.id, "m2")
        tx.outbox.failed(owed.id, "451", NOW + 2 * MINUTE)
        assert tx.outbox.waiting_since(NOW) == NOW - 5
        tx.outbox.sent(owed.id, NOW)
        assert tx.outbox.waiting_since(NOW) is None


def test_summaries_are_those_of_the_links_that_were_read(store):
    first, second = a_link(store, "1"), a_link(store, "2")
    with store.write() as tx:
        for link in (first, second):
            tx.chronicles.touch(link, "acme", NOW)
        tx.chronicles.put(Chronicle(first, "acme", read_at=NOW, summary={"clocks": []}), NOW)
        assert list(tx.chronicles.summaries("acme")) == [{"clocks": []}]
        assert list(tx.chronicles.summaries("globex")) == []
