"""Bases, comments, intents, journal, cursors and notes."""

import pytest
from making import NOW, make
from sqlalchemy import text

from bridge.errors import StoreError
from bridge.markup import Document
from bridge.store import IntentKind, IntentState, JournalEntry
from bridge.sync.base import Base, CommentPair, PairState
from bridge.sync.ticket import Person, Side

INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR


# --- bases ---------------------------------------------------------------------------


def test_a_side_that_never_agreed_has_an_empty_base(store, link):
    with store.read() as tx:
        assert tx.bases.get(link.id) == {INTERNAL: Base(), VENDOR: Base()}


def test_a_base_comes_back_as_it_went_in(store, link):
    base = Base(
        fields={
            "summary": "Größe 🎫",
            "labels": frozenset({"b", "a"}),
            "assignee": Person(id="u1", name="Ann"),
            "description": Document(),
            "due": None,
            "points": 1.5,
            "flag": True,
        },
        seen=NOW,
        written=NOW + 1,
    )
    with store.write() as tx:
        tx.bases.put(link.id, INTERNAL, Base(fields={"summary": "before"}, seen=NOW + 9))
        tx.bases.put(link.id, INTERNAL, base)
    with store.read() as tx:
        assert tx.bases.get(link.id) == {INTERNAL: base, VENDOR: Base()}


def test_many_bases_at_once(store):
    ids = [make(store, str(number)).id for number in range(3)]
    with store.write() as tx:
        tx.bases.put(ids[1], VENDOR, Base(seen=NOW))
        found = tx.bases.many(ids)
        assert tx.bases.many([]) == {}
    assert list(found) == ids
    assert found[ids[1]] == {INTERNAL: Base(), VENDOR: Base(seen=NOW)}
    assert found[ids[2]] == {INTERNAL: Base(), VENDOR: Base()}


def test_touching_moves_stamps_forward_only_and_leaves_the_fields(store, link):
    fields = {"summary": "x"}
    with store.write() as tx:
        tx.bases.put(link.id, VENDOR, Base(fields=fields, seen=NOW, written=NOW))
        tx.bases.touch(link.id, VENDOR, seen=NOW + 5)
        tx.bases.touch(link.id, VENDOR, seen=NOW + 1, written=NOW + 7)
        tx.bases.touch(link.id, VENDOR)
        tx.bases.touch(link.id, INTERNAL, written=NOW)
        found = tx.bases.get(link.id)
    assert found[VENDOR] == Base(fields=fields, seen=NOW + 5, written=NOW + 7)
    assert found[INTERNAL] == Base(written=NOW)


def test_a_base_of_a_newer_version_is_refused(store, link):
    with store.write() as tx:
        tx.bases.put(link.id, VENDOR, Base())
        tx.connection.execute(text('UPDATE bases SET fields = \'{"v": 2, "fields": {}}\''))
    with (
        pytest.raises(StoreError, match=f"vendor base of link {link.id} cannot be read.*version 2"),
        store.read() as tx,
    ):
        tx.bases.get(link.id)


def test_a_base_needs_its_link(store):
    with pytest.raises(StoreError, match="contradicts another one"), store.write() as tx:
        tx.bases.put(999, VENDOR, Base())


# --- comments ------------------------------------------------------------------------


def pair(origin_id="c1", copy_id="k1", origin=INTERNAL, **more) -> CommentPair:
    return CommentPair(id=0, origin=origin, origin_id=origin_id, copy_id=copy_id, **more)


def test_pairs_come_back_in_order_and_can_change(store, link):
    with store.write() as tx:
        one = tx.comments.add(link.id, pair(origin_digest="d", copy_digest="e"))
        two = tx.comments.add(link.id, pair("c2", "k2", VENDOR))
        assert 0 < one.id < two.id
        changed = CommentPair(one.id, INTERNAL, "c1", "k1", "d2", "e2", PairState.COPY_DELETED)
        tx.comments.update(changed)
    with store.read() as tx:
        assert tx.comments.list(link.id) == [changed, two]
        assert tx.comments.list(999) == []


@pytest.mark.parametrize("second", [pair("c1", "k9"), pair("c9", "k1")])
def test_a_comment_belongs_to_one_pair(store, link, second):
    with store.write() as tx:
        tx.comments.add(link.id, pair())
    with pytest.raises(StoreError, match="already belongs to another pair"), store.write() as tx:
        tx.comments.add(link.id, second)
    with store.write() as tx:
        other = tx.comments.add(link.id, pair("c5", "k5"))
    with pytest.raises(StoreError, match="already belongs to another pair"), store.write() as tx:
        tx.comments.update(CommentPair(other.id, INTERNAL, second.origin_id, second.copy_id))


def test_the_same_ids_on_the_other_side_or_another_link_are_other_comments(store, link):
    other = make(store, "2")
    with store.write() as tx:
        tx.comments.add(link.id, pair())
        tx.comments.add(link.id, pair(origin=VENDOR))
        tx.comments.add(other.id, pair())


def test_notes_have_no_origin_and_there_may_be_several(store, link):
    with store.write() as tx:
        tx.comments.add(link.id, pair("", "n1", state=PairState.NOTE))
        tx.comments.add(link.id, pair("", "n2", state=PairState.NOTE))
        assert [found.state for found in tx.comments.list(link.id)] == [PairState.NOTE] * 2


def test_a_pair_that_was_never_stored_cannot_be_updated(store, link):
    with pytest.raises(StoreError, match="does not exist"), store.write() as tx:
        tx.comments.update(pair())


# --- intents -------------------------------------------------------------------------


def plan(tx, link_id, subject="c1", kind=IntentKind.COMMENT, side=VENDOR):
    return tx.intents.plan(link_id, kind, side, "mark", subject, {"n": 1}, NOW)


def test_the_life_of_an_intent(store, link):
    with store.write() as tx:
        intent = plan(tx, link.id)
        assert (intent.kind, intent.side, intent.state) == (IntentKind.COMMENT, VENDOR, IntentState.PLANNED)
        assert (intent.created_at, intent.sent_at, intent.attempts, intent.detail) == (NOW, None, 0, {"n": 1})
        tx.intents.sent(intent.id, NOW + 1)
        tx.intents.unknown(intent.id)
        assert tx.intents.open(link.id)[0].state is IntentState.UNKNOWN
        tx.intents.sent(intent.id, NOW + 2)
        again = tx.intents.get(intent.id)
        assert (again.state, again.sent_at, again.attempts) == (IntentState.SENT, NOW + 2, 2)
        tx.intents.done(intent.id, "555", NOW + 3)
        done = tx.intents.get(intent.id)
        assert (done.state, done.result, done.resolved_at) == (IntentState.DONE, "555", NOW + 3)
        assert not done.state.open
        assert tx.intents.open(link.id) == []
        assert tx.intents.get(999) is None


def test_open_intents_come_oldest_first(store, link):
    other = make(store, "2")
    with store.write() as tx:
        one, two, three = plan(tx, link.id), plan(tx, other.id), plan(tx, link.id, "c2")
        dead = plan(tx, link.id, "c3")
        tx.intents.dead(dead.id, "not wanted", NOW + 1)
        assert tx.intents.get(dead.id).reason == "not wanted"
        assert tx.intents.get(dead.id).resolved_at == NOW + 1
    with store.read() as tx:
        assert [intent.id for intent in tx.intents.open(link.id)] == [one.id, three.id]
        assert [intent.id for intent in tx.intents.all_open()] == [one.id, two.id, three.id]


def test_there_is_one_open_intent_for_the_same_thing(store, link):
    with store.write() as tx:
        first = plan(tx, link.id)
        plan(tx, link.id, side=INTERNAL)
        plan(tx, link.id, kind=IntentKind.TRANSITION)
        tx.intents.sent(first.id, NOW)
    words = "already has an open intent for 'comment c1' on the vendor side"
    with pytest.raises(StoreError, match=words), store.write() as tx:
        plan(tx, link.id)
    with store.write() as tx:
        tx.intents.unknown(first.id)
    with pytest.raises(StoreError, match="already has an open intent"), store.write() as tx:
        plan(tx, link.id)
    with store.write() as tx:
        tx.intents.done(first.id, "1", NOW)
        assert plan(tx, link.id).id > first.id


@pytest.mark.parametrize(
    "change",
    [
        lambda intents, id_: intents.sent(id_, NOW),
        lambda intents, id_: intents.unknown(id_),
        lambda intents, id_: intents.done(id_, "2", NOW),
        lambda intents, id_: intents.dead(id_, "why", NOW),
    ],
)
def test_an_outcome_is_final(store, link, change):
    with store.write() as tx:
        intent = plan(tx, link.id)
        tx.intents.done(intent.id, "1", NOW)
    with pytest.raises(StoreError, match="is not open"), store.write() as tx:
        change(tx.intents, intent.id)


# --- journal -------------------------------------------------------------------------


def test_the_journal_tells_in_order(store, link):
    entries = [JournalEntry(0, NOW + n, "acme", link.id, "field.written", {"n": n}) for n in range(3)]
    with store.write() as tx:
        tx.journal.add(NOW, "", None, "bridge.started", {})
        tx.journal.add_many(entries)
        tx.journal.add_many([])
    with store.read() as tx:
        story = tx.journal.for_link(link.id)
        assert [(entry.at, entry.data) for entry in story] == [(NOW + n, {"n": n}) for n in range(3)]
        assert [entry.data["n"] for entry in tx.journal.for_link(link.id, 2)] == [1, 2]
        events = [entry.event for entry in tx.journal.recent(10)]
        assert events == ["chain.begun", "bridge.started", "chain.begun", *(["field.written"] * 3)]
        assert [entry.data for entry in tx.journal.recent(1)] == [{"n": 2}]
        first = tx.journal.recent(10)[1]
        assert (first.agreement, first.link_id, first.data) == ("", None, {})


def test_what_json_cannot_say_is_refused_not_mangled(store, link):
    for data in ({"n": float("nan")}, {"n": object()}):
        with pytest.raises(StoreError), store.write() as tx:
            tx.journal.add(NOW, "acme", link.id, "x", data)
    with pytest.raises(StoreError, match="cannot be stored as JSON"), store.write() as tx:
        tx.bases.put(link.id, VENDOR, Base(fields={"points": float("inf")}))
    with store.read() as tx:
        assert tx.journal.recent(10) == []


def test_json_of_a_newer_version_is_refused(store, link):
    with store.write() as tx:
        tx.journal.add(NOW, "acme", link.id, "x", {"text": "a\x00b \ud800"})
        assert tx.journal.recent(1)[0].data == {"text": "a\x00b \ud800"}
        tx.connection.execute(text("UPDATE journal SET data = '{\"v\": 2}'"))
    with pytest.raises(StoreError, match="not of version 1"), store.read() as tx:
        tx.journal.recent(1)


# --- cursors and notes ---------------------------------------------------------------


def test_cursors_are_kept_by_agreement_side_and_kind(store):
    with store.write() as tx:
        assert tx.cursors.get("acme", VENDOR, "poll") is None
        tx.cursors.put("acme", VENDOR, "poll", NOW)
        tx.cursors.put("acme", VENDOR, "poll", NOW - 1)
        tx.cursors.put("acme", INTERNAL, "poll", 3)
        tx.cursors.put("acme", VENDOR, "census", 4)
    with store.read() as tx:
        assert tx.cursors.get("acme", VENDOR, "poll") == NOW - 1
        assert tx.cursors.get("acme", INTERNAL, "poll") == 3
        assert tx.cursors.get("acme", VENDOR, "census") == 4
        assert tx.cursors.get("globex", VENDOR, "poll") is None


def test_notes_hold_any_json(store):
    with store.write() as tx:
        assert tx.cursors.get_note("feed:acme:vendor") is None
        tx.cursors.set_note("feed:acme:vendor", {"ok": False})
        tx.cursors.set_note("feed:acme:vendor", {"ok": True, "at": NOW})
        tx.cursors.set_note("feed:acme:internal", [1, "x", None])
        tx.cursors.set_note("other", None)
    with store.read() as tx:
        assert tx.cursors.get_note("feed:acme:vendor") == {"ok": True, "at": NOW}
        assert tx.cursors.notes("feed:") == {
            "feed:acme:internal": [1, "x", None],
            "feed:acme:vendor": {"ok": True, "at": NOW},
        }
        assert "other" in tx.cursors.notes()
