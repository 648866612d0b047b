"""Pairs of parts and webhook deliveries; and a database of the first shape that is upgraded with all it holds."""

from dataclasses import replace

import pytest
from alembic import command
from making import NOW, make
from sqlalchemy import create_engine, inspect

from bridge.errors import StoreError
from bridge.store import Store, schema
from bridge.store.rows import LinkState
from bridge.sync.base import PairState, PartKind, PartPair
from bridge.sync.ticket import Side

INTERNAL, VENDOR = Side.INTERNAL, Side.VENDOR
FILE = PartPair(
    0, PartKind.ATTACHMENT, INTERNAL, "501", "77", "ab" * 32, detail={"size": 12, "name": "a.png"}
)


def test_a_pair_of_parts_comes_back_as_it_went_in_and_follows_its_changes(store, link):
    with store.write() as tx:
        kept = tx.parts.put(link.id, FILE)
        worklog = tx.parts.put(link.id, PartPair(0, PartKind.WORKLOG, VENDOR, "501", "77"))
        gone = tx.parts.put(link.id, replace(kept, state=PairState.COPY_DELETED))
    with store.read() as tx:
        assert tx.parts.list(link.id) == [gone, worklog]
        assert tx.parts.list(link.id, PartKind.ATTACHMENT) == [replace(FILE, id=kept.id, state=gone.state)]
        assert tx.parts.list(link.id + 1) == []


@pytest.mark.parametrize("second", [replace(FILE, copy_id="78"), replace(FILE, origin_id="502")])
def test_a_part_belongs_to_one_pair(store, link, second):
    with store.write() as tx:
        tx.parts.put(link.id, FILE)
    with pytest.raises(StoreError, match="another pair"), store.write() as tx:
        tx.parts.put(link.id, second)


def test_parts_without_a_copy_do_not_stand_in_each_others_way(store, link):
    with store.write() as tx:
        for number in ("501", "502"):
            tx.parts.put(link.id, replace(FILE, origin_id=number, copy_id="", detail={"why": "too large"}))
        assert len(tx.parts.list(link.id)) == 2


def test_a_pair_of_parts_that_was_never_stored_cannot_change(store, link):
    with pytest.raises(StoreError, match="does not exist"), store.write() as tx:
        tx.parts.put(link.id, replace(FILE, id=99))


def test_a_delivery_is_new_once_per_hook_and_forgotten_in_time(store):
    with store.write() as tx:
        assert tx.deliveries.note("home", "d1", NOW)
        assert not tx.deliveries.note("home", "d1", NOW + 1)
        assert tx.deliveries.note("acme", "d1", NOW + 2)
        assert tx.deliveries.forget(NOW + 1) == 1
        assert tx.deliveries.note("home", "d1", NOW + 3)


def test_a_database_of_the_first_shape_is_upgraded_with_all_it_holds(lasting_url):
    with Store.open(lasting_url) as store:
        link = make(store)
    engine = create_engine(lasting_url)
    with engine.begin() as connection:
        command.downgrade(schema.config(connection), "0001")
        assert "parts" not in inspect(connection).get_table_names()
    engine.dispose()
    with pytest.raises(StoreError, match="not up to date"):
        Store.open(lasting_url, migrate=False)
    with Store.open(lasting_url) as store, store.write() as tx:
        assert tx.links.get(link.id) == link
        assert tx.parts.put(link.id, FILE).id


def test_a_link_that_gets_its_peer_wakes_those_that_wait_for_it(store):
    with store.write() as tx:
        waiting, _ = tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "bridge-1", 10)
        other, _ = tx.links.add("acme", Side.INTERNAL, "2", "OPS-2", "bridge-2", 10)
        for link in (waiting, other):
            started = tx.links.start(link.id)
            tx.links.finish(
                link.id,
                started.epoch,
                started.gen,
                state=LinkState.ACTIVE,
                findings=(),
                synced_at=20,
                due_at=None,
            )
        for _ in range(2):
            tx.waits.put("acme", Side.INTERNAL, "2", waiting.id)
        tx.waits.put("acme", Side.VENDOR, "2", 77)
        tx.waits.put("other", Side.INTERNAL, "2", 78)
        tx.waits.put("acme", Side.INTERNAL, "22", 79)
        assert tx.links.due(1_000, 10) == []
        tx.links.set_peer(other.id, Side.VENDOR, "32", "CUST-2")
        assert tx.links.due(1_000, 10) == [waiting.id]
        assert tx.waits.take("acme", Side.INTERNAL, "2") == [], "told once"
        assert tx.waits.take("acme", Side.INTERNAL, "22") == [79]
        assert tx.waits.take("acme", Side.VENDOR, "2") == [77]
