"""Links: identity, and the meaning of wake, start, finish, park and postpone."""

import pytest
from making import MINUTE, NOW, finish, get, make, park, start, wake

from bridge.errors import StoreError
from bridge.store import LinkState
from bridge.sync.ticket import Side

INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR


# --- identity ------------------------------------------------------------------------


def test_a_new_link_is_due_at_once_and_has_no_peer(store):
    with store.write() as tx:
        link, new = tx.links.add("acme", VENDOR, "77", "CUST-7", "m-1", NOW)
    assert new
    assert (link.agreement, link.origin, link.marker, link.state) == ("acme", VENDOR, "m-1", LinkState.NEW)
    assert (link.vendor_id, link.vendor_key, link.internal_id, link.internal_key) == (
        "77",
        "CUST-7",
        None,
        "",
    )
    assert (link.gen, link.done_gen, link.due_at, link.epoch, link.attempts) == (1, 0, NOW, 0, 0)
    assert (link.reason, link.reason_since, link.next_try, link.findings) == ("", None, None, ())
    assert (link.created_at, link.synced_at) == (NOW, None)
    assert link.origin is VENDOR
    assert (link.ticket(VENDOR), link.ticket(INTERNAL), link.key(VENDOR), link.key(INTERNAL)) == (
        "77",
        None,
        "CUST-7",
        "",
    )
    assert not link.linked(VENDOR)
    assert get(store, link.id) == link


def test_adding_the_same_ticket_again_gives_the_same_link_unchanged(store, link):
    with store.write() as tx:
        again, new = tx.links.add("acme", INTERNAL, "10042", "MOVED-1", "another-mark", NOW + 5)
    assert not new
    assert again == link


def test_adding_a_peer_gives_the_link_it_is_the_peer_of(store, link):
    with store.write() as tx:
        tx.links.set_peer(link.id, VENDOR, "77", "CUST-7")
        found, new = tx.links.add("acme", VENDOR, "77", "CUST-7", "another-mark", NOW)
    assert not new
    assert found.id == link.id


def test_the_same_ticket_may_have_links_under_several_agreements(store):
    assert make(store, agreement="acme").id != make(store, agreement="globex").id


def test_a_mark_belongs_to_one_link(store, link):
    with pytest.raises(StoreError, match="already belongs to another ticket"), store.write() as tx:
        tx.links.add("acme", INTERNAL, "2", "OPS-2", link.marker, NOW)
    with store.read() as tx:
        assert tx.links.by_marker("acme", link.marker) == link
        assert tx.links.by_marker("globex", link.marker) is None
        assert tx.links.by_marker("acme", "") is None


def test_a_peer_is_noted_once_and_never_replaced(store, link):
    with store.write() as tx:
        tx.links.set_peer(link.id, VENDOR, "77", "CUST-7")
        tx.links.set_peer(link.id, VENDOR, "77", "CUST-7")
    with pytest.raises(StoreError, match="never changes its tickets"), store.write() as tx:
        tx.links.set_peer(link.id, VENDOR, "78", "CUST-8")
    other = make(store, "2")
    with pytest.raises(StoreError, match="already has a link"), store.write() as tx:
        tx.links.set_peer(other.id, VENDOR, "77", "CUST-7")
    assert get(store, link.id).ticket(VENDOR) == "77"
    assert get(store, other.id).ticket(VENDOR) is None


def test_small_changes(store, link):
    with store.write() as tx:
        tx.links.set_key(link.id, INTERNAL, "NEW-1")
        tx.links.mark_linked(link.id, VENDOR)
        tx.links.set_state(link.id, LinkState.HELD)
    now = get(store, link.id)
    assert (now.internal_key, now.internal_linked, now.vendor_linked) == ("NEW-1", False, True)
    assert now.linked(VENDOR)
    assert now.state is LinkState.HELD


@pytest.mark.parametrize(
    "change",
    [
        lambda links: links.set_key(999, INTERNAL, "X-1"),
        lambda links: links.set_state(999, LinkState.CLOSED),
        lambda links: links.mark_linked(999, VENDOR),
        lambda links: links.set_peer(999, VENDOR, "1", "X-1"),
    ],
)
def test_changing_a_link_that_does_not_exist_is_an_error(store, change):
    with pytest.raises(StoreError, match="does not exist"), store.write() as tx:
        change(tx.links)


# --- finding -------------------------------------------------------------------------


def test_by_ticket_finds_many_at_once_and_leaves_out_what_has_no_link(store):
    with store.write() as tx:
        for number in range(1_200):
            tx.links.add("acme", INTERNAL, str(number), f"OPS-{number}", "", NOW)
    with store.read() as tx:
        found = tx.links.by_ticket("acme", INTERNAL, [str(number) for number in range(1_300)])
        assert len(found) == 1_200
        assert all(link.internal_id == ticket for ticket, link in found.items())
        assert tx.links.by_ticket("acme", VENDOR, ["1"]) == {}
        assert tx.links.by_ticket("globex", INTERNAL, ["1"]) == {}
        assert tx.links.by_ticket("acme", INTERNAL, []) == {}


def test_by_key_ignores_case_side_and_agreement(store):
    one, two = make(store, "1"), make(store, "1", agreement="globex")
    with store.write() as tx:
        tx.links.set_peer(one.id, VENDOR, "77", "Cust-7")
    with store.read() as tx:
        assert [link.id for link in tx.links.by_key("ops-1")] == [one.id, two.id]
        assert [link.id for link in tx.links.by_key(" CUST-7 ")] == [one.id]
        assert tx.links.by_key("OPS-2") == []
        assert tx.links.by_key("") == []  # peers that do not exist have an empty key


def test_listing_and_counting(store):
    one, two, three = make(store, "1"), make(store, "2"), make(store, "1", agreement="globex")
    with store.write() as tx:
        tx.links.set_state(two.id, LinkState.HELD)
    with store.read() as tx:
        assert [link.id for link in tx.links.list()] == [one.id, two.id, three.id]
        assert [link.id for link in tx.links.list("acme")] == [one.id, two.id]
        assert [link.id for link in tx.links.list(states=[LinkState.NEW])] == [one.id, three.id]
        assert [link.id for link in tx.links.list("acme", {LinkState.HELD})] == [two.id]
        assert tx.links.list(states=[]) == []
        assert tx.links.counts() == {
            ("acme", LinkState.NEW): 1,
            ("acme", LinkState.HELD): 1,
            ("globex", LinkState.NEW): 1,
        }


def test_tickets_to_follow_are_those_of_links_that_are_not_closed(store):
    one, two, three = (make(store, ticket) for ticket in "123")
    with store.write() as tx:
        tx.links.set_peer(one.id, VENDOR, "77", "CUST-7")
        tx.links.set_peer(two.id, VENDOR, "78", "CUST-8")
        tx.links.set_state(two.id, LinkState.CLOSED)
        tx.links.set_state(three.id, LinkState.PARKED)
    with store.read() as tx:
        assert tx.links.ids("acme", INTERNAL) == ["1", "3"]
        assert tx.links.ids("acme", VENDOR) == ["77"]
        assert tx.links.ids("globex", VENDOR) == []


def test_the_canary_is_a_ticket_that_was_proven_to_be_there(store):
    one, two, three = (make(store, ticket) for ticket in "123")
    with store.write() as tx:
        assert tx.links.canary("acme", VENDOR, 10**18) is None
        for link, peer in ((one, "71"), (two, "72"), (three, "73")):
            tx.links.set_peer(link.id, VENDOR, peer, f"CUST-{peer}")
        tx.links.set_state(one.id, LinkState.ACTIVE)
        tx.links.set_state(two.id, LinkState.HELD)
        tx.links.set_state(three.id, LinkState.PARKED)
        assert tx.links.canary("acme", VENDOR, 10**18) == "72"
        assert tx.links.canary("acme", INTERNAL, 10**18) == "2"
        assert tx.links.canary("acme", INTERNAL, 0) is None, "too young to be known to every index"


# --- work ----------------------------------------------------------------------------


def test_due_links_come_the_longest_waiting_first(store):
    one, two, three = (make(store, ticket) for ticket in "123")
    wake(store, two.id, now=NOW - 5)
    assert finish(store, start(store, three.id), due_at=NOW + 1)
    with store.read() as tx:
        assert tx.links.due(NOW, 10) == [two.id, one.id]
        assert tx.links.due(NOW + 1, 10) == [two.id, one.id, three.id]
        assert tx.links.due(NOW + 1, 1) == [two.id]
        assert tx.links.due(NOW - 6, 10) == []


def test_waking_counts_and_never_makes_a_link_later(store, link):
    wake(store, link.id, now=NOW + 100)
    assert (get(store, link.id).gen, get(store, link.id).due_at) == (2, NOW)
    wake(store, link.id, link.id, 999, now=NOW - 100)
    assert (get(store, link.id).gen, get(store, link.id).due_at) == (3, NOW - 100)
    wake(store)


def test_waking_a_link_without_a_due_time_makes_it_due(store, link):
    assert finish(store, start(store, link.id))
    assert get(store, link.id).due_at is None
    wake(store, link.id, now=NOW + 100)
    assert get(store, link.id).due_at == NOW + 100


def test_starting_takes_a_new_epoch_and_leaves_the_link_due(store, link):
    first, second = start(store, link.id), start(store, link.id)
    assert (first.epoch, second.epoch, second.due_at) == (1, 2, NOW)
    with store.write() as tx:
        assert tx.links.start(999) is None


def test_finishing_notes_everything(store, link):
    park(store, start(store, link.id))
    assert finish(
        store,
        start(store, link.id),
        due_at=NOW + 9,
        state=LinkState.HELD,
        findings=[{"field": "priority"}],
        synced_at=NOW + 1,
    )
    now = get(store, link.id)
    assert (now.done_gen, now.due_at, now.state, now.synced_at) == (1, NOW + 9, LinkState.HELD, NOW + 1)
    assert (now.attempts, now.reason, now.reason_since, now.next_try) == (0, "", None, None)
    assert now.findings == ({"field": "priority"},)


def test_finishing_without_agreement_keeps_the_older_stamp(store, link):
    finish(store, start(store, link.id), synced_at=NOW)
    finish(store, start(store, link.id), synced_at=None)
    assert get(store, link.id).synced_at == NOW


def test_a_wake_up_during_the_work_survives_the_finish(store, link):
    working = start(store, link.id)
    wake(store, link.id, now=NOW + 3)
    assert finish(store, working, due_at=NOW + MINUTE)
    now = get(store, link.id)
    assert (now.gen, now.done_gen, now.due_at) == (2, 1, NOW)


def test_an_older_epoch_can_neither_finish_nor_park_nor_postpone(store, link):
    old = start(store, link.id)
    young = start(store, link.id)
    before = get(store, link.id)
    assert not finish(store, old, due_at=None)
    assert not park(store, old)
    with store.write() as tx:
        assert not tx.links.postpone(old.id, old.epoch, old.gen, NOW + MINUTE)
        assert not tx.links.postpone(999, 1, 1, NOW)
    assert get(store, link.id) == before
    assert finish(store, young)


def test_parking_keeps_the_reason_and_since_when(store, link):
    assert park(store, start(store, link.id), reason="401", findings=[{"a": 1}])
    now = get(store, link.id)
    assert (now.state, now.reason, now.reason_since, now.attempts) == (LinkState.PARKED, "401", NOW, 1)
    assert (now.due_at, now.next_try, now.done_gen, now.findings) == (
        NOW + MINUTE,
        NOW + MINUTE,
        0,
        ({"a": 1},),
    )

    assert park(store, start(store, link.id), reason="403", now=NOW + MINUTE, next_try=None)
    now = get(store, link.id)
    assert (now.reason, now.reason_since, now.attempts) == ("403", NOW, 2)
    assert (now.due_at, now.next_try) == (None, None)

    finish(store, start(store, link.id))
    park(store, start(store, link.id), now=NOW + 2 * MINUTE)
    assert (get(store, link.id).reason_since, get(store, link.id).attempts) == (NOW + 2 * MINUTE, 1)

    with store.write() as tx:
        tx.links.set_state(link.id, LinkState.ACTIVE)
    park(store, start(store, link.id), now=NOW + 3 * MINUTE)
    assert get(store, link.id).reason_since == NOW + 3 * MINUTE


@pytest.mark.parametrize("next_try", [None, NOW + MINUTE])
def test_a_wake_up_during_the_work_survives_the_parking(store, link, next_try):
    working = start(store, link.id)
    wake(store, link.id, now=NOW + 3)
    assert park(store, working, next_try=next_try)
    assert get(store, link.id).due_at == NOW
    assert get(store, link.id).next_try == next_try


def test_a_wake_up_pulls_a_parked_link_forward(store, link):
    park(store, start(store, link.id))
    wake(store, link.id, now=NOW + 3)
    assert get(store, link.id).due_at == NOW + 3


def test_postponing_changes_the_time_only(store, link):
    park(store, start(store, link.id))
    working = start(store, link.id)
    with store.write() as tx:
        assert tx.links.postpone(working.id, working.epoch, working.gen, NOW + 2 * MINUTE)
    now = get(store, link.id)
    assert (now.due_at, now.state, now.attempts, now.done_gen) == (NOW + 2 * MINUTE, LinkState.PARKED, 1, 0)
    wake(store, link.id, now=NOW + 3)
    with store.write() as tx:
        assert tx.links.postpone(working.id, working.epoch, working.gen, NOW + 9 * MINUTE)
    assert get(store, link.id).due_at == NOW + 3


def test_a_link_closed_during_the_work_stays_closed(store, link):
    working = start(store, link.id)
    with store.write() as tx:
        tx.links.set_state(link.id, LinkState.CLOSED)
    assert finish(store, working, state=LinkState.ACTIVE)
    assert get(store, link.id).state is LinkState.CLOSED
    assert park(store, start(store, link.id))
    assert get(store, link.id).state is LinkState.CLOSED
    with store.write() as tx:
        tx.links.set_state(link.id, LinkState.ACTIVE)
    assert get(store, link.id).state is LinkState.ACTIVE


def test_words_that_no_database_can_hold_are_mended(store, link):
    assert park(store, start(store, link.id), reason="bad\x00byte \ud800 and 🎫")
    assert get(store, link.id).reason == "bad\ufffdbyte \ufffd and 🎫"


# --- ends, and what comes after them --------------------------------------------------------


def both(store, ticket="10042", peer="77"):
    """A link with both its tickets."""
    link = make(store, ticket)
    with store.write() as tx:
        tx.links.set_peer(link.id, VENDOR, peer, f"CUST-{peer}")
    return get(store, link.id)


def test_a_link_that_is_closed_by_hand_overtakes_the_work_on_it_and_is_due_no_more(store):
    working = start(store, both(store).id)
    park(store, working, findings=[{"kind": "refused"}])
    working = start(store, working.id)
    with store.write() as tx:
        tx.links.close(working.id)
    assert not finish(store, working, state=LinkState.NEW)
    closed = get(store, working.id)
    assert (closed.state, closed.due_at, closed.next_try, closed.findings) == (
        LinkState.CLOSED,
        None,
        None,
        (),
    )
    assert (closed.reason, closed.reason_since) == ("", None)
    assert closed.done_gen == closed.gen


def test_a_closed_link_is_opened_again_and_due_at_once(store):
    link = both(store)
    with store.write() as tx:
        tx.links.close(link.id)
        tx.links.reopen(link.id, NOW + MINUTE)
    opened = get(store, link.id)
    assert (opened.state, opened.due_at, opened.gen) == (LinkState.ACTIVE, NOW + MINUTE, link.gen + 1)
    assert (opened.internal_id, opened.vendor_id, opened.marker) == (link.internal_id, "77", link.marker)


def test_only_a_closed_link_lets_its_ticket_go(store):
    link = both(store)
    with store.write() as tx, pytest.raises(StoreError, match="has not ended"):
        tx.links.release(link.id, VENDOR)
    with store.write() as tx:
        tx.links.close(link.id)
        tx.links.release(link.id, VENDOR)
        other, new = tx.links.add("acme", VENDOR, "77", "CUST-77", "another-mark", NOW)
    assert new
    assert other.id != link.id
    assert get(store, link.id).vendor_key == "CUST-77", "the key stays, for the story"


def test_a_woken_link_that_has_ended_comes_to_rest(store):
    link = both(store)
    with store.write() as tx:
        tx.links.close(link.id)
    wake(store, link.id)
    with store.write() as tx:
        tx.links.rest(link.id)
        assert tx.links.due(NOW + MINUTE, 10) == []
    assert get(store, link.id).state is LinkState.CLOSED


def test_a_link_follows_the_ticket_that_its_own_was_merged_into_unless_that_has_a_link(store):
    link, other = both(store), both(store, "10043", "78")
    with store.write() as tx:
        tx.links.follow(link.id, VENDOR, "99", "CUST-99")
    assert (get(store, link.id).vendor_id, get(store, link.id).vendor_key) == ("99", "CUST-99")
    with pytest.raises(StoreError), store.write() as tx:
        tx.links.follow(other.id, VENDOR, "99", "CUST-99")


def test_witnesses_are_other_links_tickets_first_those_known_to_be_there(store):
    links = [both(store, str(number), f"7{number}") for number in range(4)]
    finish(store, start(store, links[0].id))
    finish(store, start(store, links[1].id))
    park(store, start(store, links[2].id))
    with store.write() as tx:
        tx.links.close(links[3].id)
    with store.read() as tx:
        assert tx.links.witnesses("acme", VENDOR, links[0].id, 5) == ["71", "72"]
        assert tx.links.witnesses("acme", VENDOR, links[2].id, 1) == ["71"]
        assert tx.links.witnesses("globex", VENDOR, 0, 5) == []


def test_a_note_is_forgotten(store):
    with store.write() as tx:
        tx.cursors.set_note("gone/1/vendor", {"first": NOW})
        tx.cursors.drop_note("gone/1/vendor")
        tx.cursors.drop_note("gone/1/vendor")
    with store.read() as tx:
        assert tx.cursors.get_note("gone/1/vendor") is None
