"""The witness: a database that was restored from a backup is told from one that is merely older than a second."""

from __future__ import annotations

import json
import shutil

import pytest

from bridge.daemon.witness import FILE, PAUSE, Witness
from bridge.errors import StoreError
from bridge.store import Store

NOW = 1_800_000_000_000_000


def write(store, count=3, agreement="acme"):
    with store.write(durable=False) as tx:
        for number in range(count):
            tx.journal.add(NOW + number, agreement, None, "x", {"n": number})


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'bridge.db'}"


def test_without_a_witness_there_is_nothing_to_say(url, spool):
    with Store.open(url) as store:
        assert Witness(spool).check(store) is None


def test_the_same_database_is_recognised_also_when_it_went_on_after_the_last_note(url, spool):
    with Store.open(url) as store:
        write(store)
        assert Witness(spool).note(store, NOW)
        assert (spool / FILE).stat().st_mode & 0o777 == 0o600
        write(store)
        write(store, agreement="other")
        assert Witness(spool).check(store) is None


def test_notes_are_some_seconds_apart_but_for_the_last_one(url, spool):
    with Store.open(url) as store:
        witness = Witness(spool)
        write(store)
        assert witness.note(store, NOW)
        write(store)
        assert not witness.note(store, NOW + PAUSE - 1)
        assert remembered(spool)["acme"][0] == 4
        assert witness.note(store, NOW + PAUSE - 1, at_once=True)
        assert remembered(spool)["acme"][0] == 7
        before = (spool / FILE).stat().st_mtime_ns
        assert witness.note(store, NOW + 3 * PAUSE)
        assert (spool / FILE).stat().st_mtime_ns == before, "nothing has moved"


def remembered(spool):
    return json.loads((spool / FILE).read_text())["heads"]


def test_a_restored_database_is_told_and_the_evidence_kept_until_a_person_says_go_on(url, spool, tmp_path):
    with Store.open(url) as store:
        write(store)
        write(store, agreement="other")
    shutil.copy(tmp_path / "bridge.db", tmp_path / "backup.db")
    with Store.open(url) as store:
        write(store)
        Witness(spool).note(store, NOW)
    shutil.copy(tmp_path / "backup.db", tmp_path / "bridge.db")
    with Store.open(url) as store:
        witness = Witness(spool)
        found = witness.check(store)
        assert [(one.agreement, one.seq) for one in found.lost] == [("acme", 7)]
        assert [(one.agreement, one.seq) for one in found.present] == [("acme", 4)]
        assert "record 7 was written, the database ends with 4" in str(found)
        write(store, 9)
        assert not witness.note(store, NOW + PAUSE, at_once=True), "another past is not this one grown longer"
        assert "the database has another one" in str(Witness(spool).check(store))
        witness.accept(store, NOW)
        assert witness.check(store) is None
        assert Witness(spool).note(store, NOW)


def test_a_lost_database_is_told(url, spool, tmp_path):
    with Store.open(url) as store:
        write(store)
        Witness(spool).note(store, NOW)
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}") as store:
        assert Witness(spool).check(store).present[0].seq == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"v": 2, "heads": {}}', '{"v": 1, "heads": {"a": [1]}}', '{"v": 1}']
)
def test_a_witness_that_cannot_be_read_is_no_silence(url, spool, text):
    spool.mkdir()
    (spool / FILE).write_text(text)
    with Store.open(url) as store, pytest.raises(StoreError, match="cannot be read"):
        Witness(spool).check(store)


def test_a_witness_that_cannot_be_written_is_told(url, spool):
    spool.write_text("a file in the place of the folder")
    with Store.open(url) as store:
        write(store)
        with pytest.raises(StoreError, match="cannot be"):
            Witness(spool).note(store, NOW)


def test_what_is_noted_outlives_a_power_cut(url, spool):
    """A commit that waits for the disk comes before the file: else it would remember what the disk forgets."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    with Store.open(url) as store:
        write(store)
        seen = []

        def executed(_connection, _cursor, statement, *_):
            seen.append((statement, (spool / FILE).exists()))

        event.listen(Engine, "after_cursor_execute", executed)
        try:
            Witness(spool).note(store, NOW)
        finally:
            event.remove(Engine, "after_cursor_execute", executed)
    assert ("PRAGMA synchronous=FULL", False) in seen
    assert any("INSERT INTO notes" in statement and not there for statement, there in seen)
    assert (spool / FILE).exists()
