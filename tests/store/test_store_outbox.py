"""The outbox: a letter is put there once, stays until it was taken for everybody, and what it says is forgotten."""

from __future__ import annotations

from dataclasses import replace

from making import MINUTE, NOW

from bridge.store.rows import Letter, LetterState

ANN, BO = "ann@example.com", "bo@example.com"
LETTER = Letter(
    id=0,
    key="hold/17/opened/service-owner",
    agreement="acme",
    to=(ANN, BO),
    subject="Decision needed",
    text="Canary text",
    html="<p>Canary text</p>",
    message_id="bridge.4711",
    created_at=NOW,
    link_id=3,
    references=("bridge.1", "bridge.2"),
)


def put(store, letter=LETTER):
    with store.write() as tx:
        tx.outbox.put(letter)
    return get(store, letter.key)


def get(store, key=LETTER.key):
    with store.read() as tx:
        return tx.outbox.get(key)


def test_a_letter_comes_back_as_it_was_put(store):
    letter = put(store)
    assert letter == replace(LETTER, id=letter.id, due_at=NOW, owed=(ANN, BO))


def test_the_same_thing_is_told_once_whatever_became_of_it(store):
    letter = put(store)
    with store.write() as tx:
        assert not tx.outbox.put(replace(LETTER, subject="Another"))
        tx.outbox.sent(letter.id, NOW)
        assert not tx.outbox.put(LETTER)
        assert len(tx.outbox.list()) == 1
        assert tx.outbox.get(LETTER.key).subject == LETTER.subject


def test_what_is_due_comes_in_its_turn(store):
    for number, due in enumerate((NOW + 2, NOW, NOW + 1, NOW + MINUTE)):
        put(store, replace(LETTER, key=f"k{number}", due_at=due))
    with store.read() as tx:
        assert [letter.key for letter in tx.outbox.due(NOW + 2, 10)] == ["k1", "k2", "k0"]
        assert [letter.key for letter in tx.outbox.due(NOW + 2, 2)] == ["k1", "k2"]
        assert tx.outbox.next_due() == NOW


def test_a_claim_fixes_the_id_and_counts(store):
    letter = put(store)
    for count in (1, 2):
        with store.write() as tx:
            tx.outbox.claim(letter.id, "bridge.4711@example.com")
        assert (get(store).message_id, get(store).attempts) == ("bridge.4711@example.com", count)
        assert get(store).due_at == NOW, "a process that is killed now sends it again"


def test_those_who_got_it_do_not_get_it_again(store):
    letter = put(store)
    with store.write() as tx:
        tx.outbox.narrow(letter, (BO,))
        tx.outbox.failed(letter.id, "450", NOW + MINUTE)
    found = get(store)
    assert (found.to, found.owed) == ((ANN, BO), (BO,))
    assert (found.state, found.reason, found.due_at) == (LetterState.QUEUED, "450", NOW + MINUTE)
    assert (found.text, found.references) == (LETTER.text, LETTER.references)


def test_what_was_given_up_can_be_tried_again_and_what_was_sent_cannot(store):
    letter, other = put(store), put(store, replace(LETTER, key="other"))
    with store.write() as tx:
        tx.outbox.dead(letter.id, "550")
        tx.outbox.sent(other.id, NOW)
        assert tx.outbox.counts() == {LetterState.QUEUED: 0, LetterState.SENT: 1, LetterState.DEAD: 1}
        assert tx.outbox.oldest() is None
        assert tx.outbox.next_due() is None
        assert tx.outbox.retry(letter.id, NOW + MINUTE)
        assert not tx.outbox.retry(other.id, NOW)
        assert not tx.outbox.retry(4711, NOW)
        assert [one.id for one in tx.outbox.due(NOW + MINUTE, 10)] == [letter.id]
        assert tx.outbox.oldest() == NOW


def test_what_is_over_is_forgotten_but_not_that_it_was(store):
    sent, dead, _, young = (
        put(store, replace(LETTER, key=key, created_at=NOW + (MINUTE if key == "young" else 0)))
        for key in ("sent", "dead", "queued", "young")
    )
    with store.write() as tx:
        tx.outbox.claim(sent.id, "bridge.4711@example.com")
        tx.outbox.sent(sent.id, NOW)
        tx.outbox.sent(young.id, NOW)
        tx.outbox.dead(dead.id, "550")
        assert tx.outbox.forget(NOW + 1) == 2
        assert tx.outbox.forget(NOW + 1) == 0
    gone = get(store, "sent")
    assert (gone.to, gone.owed, gone.subject, gone.text, gone.html) == ((), (), "", "", "")
    assert (gone.state, gone.message_id, gone.sent_at) == (LetterState.SENT, "bridge.4711@example.com", NOW)
    assert get(store, "queued").text == get(store, "young").text == LETTER.text
    with store.write() as tx:
        assert not tx.outbox.retry(dead.id, NOW), "nobody knows any more what it said"
