"""The audit chain in the store: unbroken whoever writes, every tampering found, values erased without a break."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from making import MINUTE, NOW, make
from sqlalchemy import create_engine, text

from bridge.store import JournalEntry, Store, schema
from bridge.sync.chain import GENESIS, Head
from bridge.sync.personal import Mention, mention
from bridge.sync.ticket import Side

WORDS = {"field": "summary", "to": "vendor", "before": "Printer on fire", "after": "Größe 🎫 \x00"}


def fill(store, count=6, agreement="acme"):
    """A chain of so many records and its beginning."""
    with store.write() as tx:
        for number in range(count):
            tx.journal.add(NOW + number, agreement, None, "field.written", {**WORDS, "rounds": number})


def verdict(store, agreement="acme", held=None):
    with store.read() as tx:
        return tx.chains.verify(agreement, held)


def head(store, agreement="acme"):
    with store.read() as tx:
        return tx.journal.head(agreement)


def tamper(store, statement, **values):
    with store.write() as tx:
        assert tx.connection.execute(text(statement), values).rowcount


# --- writing -------------------------------------------------------------------------


def test_each_agreement_has_a_chain_of_its_own(store):
    fill(store, 3)
    fill(store, 2, "other")
    with store.write() as tx:
        tx.journal.add(NOW, "", None, "bridge.started", {"version": "1"})
        assert tx.journal.head("").seq == 2, "what waits is counted"
    with store.read() as tx:
        heads = tx.chains.heads()
    assert [(one.agreement, one.seq) for one in heads] == [("", 2), ("acme", 4), ("other", 3)]
    assert len({one.hash for one in heads}) == 3
    for one in heads:
        found = verdict(store, one.agreement)
        assert found.flaw is None
        assert found.head == one


def test_a_chain_without_records_is_in_order(store):
    assert verdict(store).flaw is None
    assert head(store) == Head("acme", 0, GENESIS, 0)


def test_what_people_wrote_is_read_as_it_was_written_and_is_not_in_the_record(store):
    fill(store, 1)
    with store.read() as tx:
        assert tx.journal.recent(1)[0].data == {**WORDS, "rounds": 0}
        stored = tx.connection.execute(text("SELECT CAST(data AS TEXT) FROM journal")).scalars().all()
        salts = tx.connection.execute(text("SELECT salt FROM journal_values")).scalars().all()
    assert "Printer" not in "".join(stored)
    assert '"field":"summary"' in stored[1].replace(" ", "")
    assert len(set(salts)) == 2, "each value has a salt of its own, or equal values could be told"


def test_the_salts_are_those_that_were_handed_in(file_url):
    with Store.open(file_url, salts=lambda count: b"\x07" * count) as store:
        fill(store, 1)
        with store.read() as tx:
            (_, _, values) = list(tx.chains.entries("acme"))[1]
    assert {salt for salt, _ in values.values()} == {"07" * 16}


def test_many_threads_leave_one_unbroken_chain(lasting_url):
    """Each thread writes into two chains, in either order, and changes rows that others change as well."""
    with Store.open(lasting_url) as store:
        links = [make(store, str(number)).id for number in range(4)]
        gate = threading.Barrier(12)

        def write(seed):
            chooser = random.Random(seed)
            gate.wait()
            for number in range(20):
                names = chooser.sample(["acme", "other", ""], 2)
                with store.write() as tx:
                    for name in names:
                        tx.journal.add(NOW, name, None, "x", {"seed": seed, "n": number})
                    tx.links.wake(chooser.sample(links, 2)[:1], NOW)
                    tx.journal.add_many([JournalEntry(0, NOW, names[0], 1, "y", {"text": "a"})] * 2)

        with ThreadPoolExecutor(12) as pool:
            for done in [pool.submit(write, seed) for seed in range(12)]:
                done.result()
        with store.read() as tx:
            heads = tx.chains.heads()
        assert sum(one.seq for one in heads) == 12 * 20 * 4 + 3
        assert [verdict(store, one.agreement).flaw for one in heads] == [None] * 3


def test_what_an_older_version_has_written_stays_outside_and_is_counted(lasting_url):
    """A database of the schema before the chains, with a journal, is brought up to date."""
    Store.open(lasting_url).close()
    engine = create_engine(lasting_url)
    with engine.begin() as connection:
        command.downgrade(schema.config(connection), "0003")
        for number in range(3):
            data = json.dumps({"v": 1, "data": {"field": "summary", "before": f"old {number}"}})
            connection.execute(
                text("INSERT INTO journal (at, agreement, event, data) VALUES (:at, 'acme', 'x', :data)"),
                {"at": NOW - 1, "data": data},
            )
    engine.dispose()
    with Store.open(lasting_url) as store:
        with store.read() as tx:
            assert [one.data["before"] for one in tx.journal.recent(9)] == ["old 0", "old 1", "old 2"]
        fill(store, 2)
        with store.read() as tx:
            told = [(one.event, one.data) for one in tx.journal.recent(9)]
        assert told[3] == ("chain.begun", {"earlier": 3})
        assert verdict(store).flaw is None
        with store.write() as tx:
            doomed = tx.chains.find(lambda value: value == "old 1", ["acme"])
            assert tx.chains.erase(doomed, NOW, why="person", who="ann") == 1
        with store.read() as tx:
            old = [one.data["before"] for one in tx.journal.recent(9)[:3]]
        assert old == ["old 0", "(erased)", "old 2"]
        assert verdict(store).flaw is None
        tamper(store, "DELETE FROM journal WHERE seq IS NULL AND at = :at", at=NOW - 1)
        assert "0 entries are older than the chain" in verdict(store).flaw.what


# --- tampering -----------------------------------------------------------------------


@pytest.mark.parametrize("url", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("UPDATE journal SET event = 'field.writtem' WHERE seq = 4", 4, "its hash is not"),
        ("UPDATE journal SET at = at + 1 WHERE seq = 4", 4, "its hash is not"),
        ("UPDATE journal SET link_id = 7 WHERE seq = 4", 4, "its hash is not"),
        ('UPDATE journal SET data = \'{"v": 1, "data": {}}\' WHERE seq = 4', 4, "its hash is not"),
        (
            "UPDATE journal SET hash = 'f' || substr(hash, 2) WHERE seq = 4 AND hash NOT LIKE 'f%'",
            4,
            "its hash",
        ),
        ("DELETE FROM journal WHERE seq = 4", 4, "record 5 is in its place"),
        ("DELETE FROM journal WHERE seq = 1", 1, "record 2 is in its place"),
        ("DELETE FROM journal WHERE seq = 7", 7, "said to end with record 7"),
        ("UPDATE chains SET seq = 6", 8, "said to end with record 6"),
        ("DELETE FROM chains", 8, "said to end with record 0"),
        (
            "UPDATE journal_values SET value = '\"x\"' WHERE seq = 4 AND key = 'after'",
            4,
            "does not fit its seal",
        ),
        ("UPDATE journal_values SET salt = 'zz' WHERE seq = 4 AND key = 'after'", 4, "does not fit its seal"),
        ("UPDATE journal_values SET key = 'other' WHERE seq = 4 AND key = 'after'", 4, "without a seal"),
        ("DELETE FROM journal_values WHERE seq = 4 AND key = 'after'", 7, "1 values are missing"),
        ("UPDATE journal_values SET seq = 99 WHERE seq = 4 AND key = 'after'", 7, "values"),
    ],
)
def test_tampering_is_found_and_the_first_bad_record_named(store, statement, seq, what):
    fill(store)
    if "hash NOT LIKE" in statement:
        first = "0" if any_hash(store, 4).startswith("f") else "f"
        statement = f"UPDATE journal SET hash = '{first}' || substr(hash, 2) WHERE seq = 4"
    tamper(store, statement)
    flaw = verdict(store).flaw
    assert flaw is not None
    assert (flaw.seq, what in flaw.what) == (seq, True), flaw
    with store.read() as tx:
        assert "acme" in [one.agreement for one in tx.chains.heads(missing=True)]


def any_hash(store, seq):
    with store.read() as tx:
        return tx.connection.scalar(text("SELECT hash FROM journal WHERE seq = :seq"), {"seq": seq})


@pytest.mark.parametrize("columns", [["event", "at", "data", "hash"], ["event", "at", "data"], ["seq"]])
def test_two_swapped_records_are_found(store, columns):
    fill(store)
    with store.write() as tx:
        swap = text(f"SELECT {', '.join(columns)} FROM journal WHERE seq = :seq")
        three, five = (tx.connection.execute(swap, {"seq": seq}).one() for seq in (3, 5))
        ids = {
            seq: tx.connection.scalar(text("SELECT id FROM journal WHERE seq = :seq"), {"seq": seq})
            for seq in (3, 5)
        }
        tx.connection.execute(text("UPDATE journal SET seq = -1 WHERE id = :id"), {"id": ids[3]})
        for seq, values in ((5, three), (3, five)):
            row = {
                name: json.dumps(value) if isinstance(value, dict) else value
                for name, value in zip(columns, values, strict=True)
            }
            told = ", ".join(f"{name} = :{name}" for name in columns)
            tx.connection.execute(text(f"UPDATE journal SET {told} WHERE id = :id"), {**row, "id": ids[seq]})
        if columns != ["seq"]:
            tx.connection.execute(text("UPDATE journal SET seq = 3 WHERE id = :id"), {"id": ids[3]})
    assert verdict(store).flaw.seq == 3


def test_a_cut_off_tail_is_found_by_the_head_that_the_other_side_holds(store):
    """Whoever can delete the last records can move the head back as well; only an outsider's head tells then."""
    fill(store)
    held = head(store)
    cut = any_hash(store, 5)
    tamper(store, "DELETE FROM journal WHERE seq > 5")
    tamper(store, "DELETE FROM journal_values WHERE seq > 5")
    tamper(store, "UPDATE chains SET seq = 5, hash = :hash", hash=cut)
    assert verdict(store).flaw is None
    for one in (held, Head("", 0, held.hash)):
        assert verdict(store, held=one).flaw.seq == 6
    fill(store, 4)
    rewritten = verdict(store, held=held).flaw
    assert (rewritten.seq, rewritten.what) == (7, "it is not the record whose head was given")
    assert verdict(store, held=Head("", 5, cut)).flaw is None, "an older head is still in it"


def test_a_byte_that_nobody_can_read_is_found(file_url):
    with Store.open(file_url) as store:
        fill(store)
        with store.write() as tx:
            tx.connection.execute(text("UPDATE journal SET event = CAST(x'66ff' AS TEXT) WHERE seq = 4"))
        assert "the database cannot read it" in verdict(store).flaw.what
        with store.write() as tx:
            tx.connection.execute(text("UPDATE journal SET event = 'field.written' WHERE seq = 4"))
            tx.connection.execute(text('UPDATE journal SET data = \'{"v": 1, "data\' WHERE seq = 5'))
        assert verdict(store).flaw.seq == 5


# --- erasing -------------------------------------------------------------------------


PERSON = {"person": "5b10", "name": "Ann Smith"}


def test_a_person_is_erased_and_the_chain_stays_whole(store):
    link = make(store)
    with store.write() as tx:
        for data in (
            {
                "field": "assignee",
                "before": None,
                "after": PERSON,
                "loser": {"side": "vendor", "value": PERSON},
            },
            {"field": "assignee", "after": {"person": "9", "name": "Bo"}, "who": PERSON},
            {"field": "summary", "after": "Ask Ann Smith about it"},
            {"field": "summary", "after": "Planning"},
        ):
            tx.journal.add(NOW, "acme", link.id, "field.written", data)
    before = head(store)
    names = ("ANN SMITH",)
    with store.read() as tx:
        only = tx.chains.find(lambda value: mention(value, names) is Mention.PERSON, ["acme"])
        every = tx.chains.find(lambda value: mention(value, names) >= Mention.TEXT, ["acme"])
    assert (only.count, every.count) == (3, 4)
    with store.write() as tx:
        assert tx.chains.erase(only, NOW + MINUTE, why="person", who="root") == 3
        assert tx.chains.erase(only, NOW + MINUTE, why="person", who="root") == 0, "once is enough"
    with store.read() as tx:
        told = [entry.data for entry in tx.journal.for_link(link.id)]
        last = tx.journal.recent(1)[0]
    assert [one.get("after") for one in told] == [
        "(erased)",
        {"person": "9", "name": "Bo"},
        "Ask Ann Smith about it",
        "Planning",
    ]
    assert (told[0]["loser"], told[1]["who"]) == ("(erased)", "(erased)")
    assert (last.event, last.data) == (
        "values.erased",
        {"count": 3, "earlier": 0, "why": "person", "who": "root"},
    )
    assert verdict(store, held=before).flaw is None
    assert verdict(store).missing == 3


def test_old_values_go_and_young_ones_stay(store):
    fill(store, 4)
    with store.write() as tx:
        tx.journal.add(NOW + MINUTE, "acme", None, "field.written", WORDS)
    with store.read() as tx:
        border = tx.chains.border("acme", NOW + MINUTE)
        assert tx.chains.border("acme", NOW + 2 * MINUTE) == 7
        assert tx.chains.border("nobody", NOW) == 1
    assert border == 6
    erased = 0
    with store.write() as tx:
        while (doomed := tx.chains.aged("acme", NOW + MINUTE, border, 3)).count:
            assert doomed.count <= 3
            erased += tx.chains.erase(doomed, NOW + MINUTE, why="retention")
    assert erased == 8
    with store.read() as tx:
        afters = [one.data["after"] for one in tx.journal.recent(99) if one.event == "field.written"]
    assert afters == ["(erased)"] * 4 + [WORDS["after"]]
    assert verdict(store).flaw is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ann", Mention.PERSON),
        ("ask Ann!", Mention.TEXT),
        ("planning", Mention.NONE),
        ({"person": "7", "name": "ANN"}, Mention.PERSON),
        ({"side": "vendor", "value": {"person": "ann"}}, Mention.PERSON),
        ({"set": ["a", "ann b"]}, Mention.TEXT),
        (7, Mention.NONE),
        (None, Mention.NONE),
        (
            {"doc": {"v": 1, "blocks": [{"type": "Paragraph", "content": []}]}},
            Mention.NONE,
        ),
    ],
)
def test_how_a_value_has_to_do_with_a_person(value, expected):
    if isinstance(value, dict) and "doc" in value:
        from bridge.markup import Document, Mark, Paragraph, Text, to_json

        bold = Text("n", (Mark("strong"),))
        split = Document((Paragraph((Text("Ask An"), bold, Text(" today"))),))
        assert mention({"doc": to_json(split)}, ["ann"]) is Mention.TEXT
        value = {"doc": to_json(Document((Paragraph((Text("nobody"),)),)))}
    assert mention(value, ["Ann", ""]) is expected


def test_reading_a_link_costs_two_statements_however_long_its_story_is(store):
    from sqlalchemy import event

    link, _ = make(store), make(store, "2", side=Side.VENDOR)
    with store.write() as tx:
        tx.journal.add_many(JournalEntry(0, NOW, "acme", link.id, "x", {"n": n}) for n in range(40))
    statements = []
    with store.read() as tx:
        event.listen(tx.connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        assert len(tx.journal.for_link(link.id)) == 40
    assert len(statements) == 2, statements
