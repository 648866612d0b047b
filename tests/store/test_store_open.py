"""Opening, closing, transactions, and what the operator is told when the database cannot be used."""

import os
import sqlite3
import stat
import threading

import pytest
from making import NOW, get, make
from postgres_server import AT_HAND, MISSING
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from bridge.errors import StoreError
from bridge.store import Store, database, schema
from bridge.store.failures import explain
from bridge.sync.ticket import Side


def test_postgresql_is_tried_as_well():
    """Says aloud in the report whether this run knows anything about PostgreSQL."""
    if not AT_HAND:
        pytest.skip(f"{MISSING}; these tests ran on SQLite only")


# --- opening -------------------------------------------------------------------------


def test_opening_makes_the_database_and_opening_again_finds_it(lasting_url):
    with Store.open(lasting_url) as store:
        link = make(store)
        assert store.now_schema() == schema.head()
        assert store.check() == []
    with Store.open(lasting_url, migrate=False) as store:
        assert get(store, link.id) == link


def test_the_file_is_for_us_only(file_url, tmp_path):
    with Store.open(file_url) as store:
        make(store)
        for path in tmp_path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert [path.name for path in tmp_path.iterdir()] == ["bridge.db"]  # the log was folded in


def test_sqlite_is_set_up_for_safety(file_url):
    with Store.open(file_url) as store, store.write() as tx:
        values = {
            name: tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_missing_database_is_not_made_unless_allowed(file_url, tmp_path):
    with pytest.raises(StoreError, match=r"There is no database at .*bridge\.db"):
        Store.open(file_url, migrate=False)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_is_not_changed_unless_allowed(lasting_url, tmp_path):
    (tmp_path / "bridge.db").touch()
    with pytest.raises(StoreError, match=r"has the schema none, this program needs .*bridge run"):
        Store.open(lasting_url, migrate=False)


def test_a_newer_schema_is_refused_and_left_alone(lasting_url):
    with Store.open(lasting_url) as store, store.write() as tx:
        tx.connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    for migrate in (True, False):
        with pytest.raises(StoreError, match=r"schema 9999, which this program does not know.*newer version"):
            Store.open(lasting_url, migrate=migrate)


def test_another_programs_database_is_refused(lasting_url):
    engine = create_engine(lasting_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE journal (id INTEGER)"))
    with pytest.raises(StoreError, match="belongs to another program: it has the table 'journal'"):
        Store.open(lasting_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["journal"]
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(file_url, tmp_path):
    (tmp_path / "bridge.db").write_bytes(b"These are not the bytes you are looking for. " * 100)
    with pytest.raises(StoreError, match=r"bridge\.db is not a database"):
        Store.open(file_url)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(StoreError, match=r"cannot be made: No such file or directory"):
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'bridge.db'}")


def test_a_path_that_is_a_folder(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_database_that_may_not_be_written(file_url, tmp_path):
    with sqlite3.connect(tmp_path / "bridge.db") as made:
        made.execute("PRAGMA user_version = 1")
    made.close()
    url = f"sqlite:///file:{tmp_path / 'bridge.db'}?mode=ro&uri=true"
    with pytest.raises(StoreError, match="is read-only for this user"):
        Store.open(url)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be made: Permission denied"):
        Store.open(f"sqlite:///{tmp_path / 'bridge.db'}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "URL cannot be read"),
        ("mysql://u:secret@host/db", "not on 'mysql'"),
        ("postgresql+nodriver://u:secret@host/db", r"u:\*\*\*@host/db needs a package"),
    ],
)
def test_a_url_that_leads_nowhere(url, words):
    with pytest.raises(StoreError, match=words) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


def test_a_postgresql_that_does_not_answer():
    with pytest.raises(StoreError, match=r"u:\*\*\*@127\.0\.0\.1:9/x cannot be reached") as caught:
        Store.open("postgresql+psycopg://u:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)


# --- transactions --------------------------------------------------------------------


def test_an_error_takes_back_the_whole_transaction(store):
    def fail(tx):
        tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)
        tx.journal.add(NOW, "acme", None, "x", {})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.write() as tx:
        fail(tx)
    with store.read() as tx:
        assert tx.links.list() == []
        assert tx.journal.recent(1) == []


def test_a_database_error_is_ours_and_tells_no_secrets(store):
    with pytest.raises(StoreError) as caught, store.write() as tx:
        tx.connection.execute(text("INSERT INTO no_such VALUES (:x)"), {"x": "private words"})
    assert "private words" not in str(caught.value)
    assert "INSERT" not in str(caught.value)
    make(store)  # and the store still works


def test_a_write_within_another_transaction_is_refused_not_waited_for(store):
    for outer in (store.write, store.read):
        with pytest.raises(StoreError, match="within another transaction"), outer(), store.write():
            pass
    make(store)


def test_reading_within_a_write_sees_what_was_written(store):
    with store.write() as tx:
        tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)
        with store.read() as other:
            assert len(other.links.list()) == 1
    with store.read() as tx:
        assert len(tx.links.list()) == 1


def test_reads_cannot_write(lasting_url):
    with Store.open(lasting_url) as store:
        with pytest.raises(StoreError, match=r"read-only|cannot be used"), store.read() as tx:
            tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)
        make(store)


def test_a_read_sees_one_moment(lasting_url):
    with Store.open(lasting_url) as store, store.read() as tx:
        assert tx.links.list() == []
        thread = threading.Thread(target=make, args=(store,))
        thread.start()
        thread.join()
        assert tx.links.list() == []
    with Store.open(lasting_url) as store, store.read() as tx:
        assert len(tx.links.list()) == 1


def test_another_thread_that_never_lets_go_is_named(monkeypatch, file_url):
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with Store.open(file_url) as store:
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            with store.write():
                held.set()
                free.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        with pytest.raises(StoreError, match="Another thread has kept"), store.write():
            pass
        free.set()
        thread.join()


def test_another_program_that_never_lets_go_is_named(monkeypatch, file_url, tmp_path):
    monkeypatch.setattr(database, "PATIENCE", 1)
    with Store.open(file_url) as store:
        other = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program has kept"), store.write():
            pass
        other.close()
        make(store)


def test_a_closed_store_says_so(store):
    store.close()
    store.close()
    for begin in (store.read, store.write):
        with pytest.raises(StoreError, match="has been closed"), begin():
            pass


# --- checking ------------------------------------------------------------------------


def test_check_finds_damage(file_url, tmp_path):
    with Store.open(file_url) as store:
        make(store)
    other = sqlite3.connect(tmp_path / "bridge.db")
    other.execute("INSERT INTO bases VALUES (999, 'vendor', '{}', 0, 0)")
    other.commit()
    other.close()
    with Store.open(file_url) as store:
        assert len(store.check()) == 1
        assert "points at a missing row of links" in store.check()[0]


def test_a_damaged_file_is_found(file_url, tmp_path):
    with Store.open(file_url) as store, store.write() as tx:
        for number in range(2_000):
            tx.journal.add(NOW, "acme", None, "x", {"n": number})
    path = tmp_path / "bridge.db"
    data = bytearray(path.read_bytes())
    for page in range(len(data) // 4096 // 2, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    try:
        with Store.open(file_url) as store:
            found = " ".join(store.check())
    except StoreError as error:
        found = str(error)
    assert "is damaged" in found


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("database or disk is full", "There is no room left for it."),
        ("disk I/O error", "The disk that holds it fails"),
        ("something new", "it cannot be used (something new)"),
    ],
)
def test_the_databases_words_become_sentences(words, sentence):
    error = explain(OperationalError("SELECT private", {}, Exception(f"{words}\nDETAIL: private")), "it")
    assert str(error).startswith(sentence)
    assert "private" not in str(error)
