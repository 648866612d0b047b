"""The journal: what the bridge did and found, in order; each agreement's part of it is a chain of hashes.

It is only ever added to. What a transaction adds waits until its end: then the heads of the chains are locked, in the
order of their names, read once and moved on once. So a chain is unbroken whoever writes, no head is locked while other
work is done, and no two transactions can wait for each other. What people wrote lies beside the records, in a table
from which it can be erased (see :mod:`bridge.sync.chain`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, Select, func, select, type_coerce, update

from bridge.errors import StoreError
from bridge.store.columns import chunks, clean, insert
from bridge.store.rows import JournalEntry
from bridge.store.tables import chains, journal, journal_values
from bridge.sync.chain import BEGUN, GENESIS, Head, Sealed, hash_of, opened, record, seal

C = journal.c
H = chains.c
V = journal_values.c
_ENTRY = (C.id, C.at, C.agreement, C.link_id, C.event, C.data, C.seq)


class Journal:
    """The journal, within one transaction. What it returns is in the order in which it was written.

    Args:
        connection: the transaction's.
        salts: makes so many random bytes, for the seals.
    """

    __slots__ = ("_connection", "_salts", "_waiting")

    def __init__(self, connection: Connection, salts: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._salts = salts
        self._waiting: defaultdict[str, list[tuple[JournalEntry, Sealed]]] = defaultdict(list)

    def add(self, now: int, agreement: str, link_id: int | None, event: str, data: Mapping[str, Any]) -> None:
        """Write one entry, when the transaction ends.

        Raises:
            StoreError: the data cannot be said in JSON.
        """
        self.add_many(
            [JournalEntry(id=0, at=now, agreement=agreement, link_id=link_id, event=event, data=data)]
        )

    def add_many(self, entries: Iterable[JournalEntry]) -> None:
        """Write several entries; their ``id`` is ignored.

        Raises:
            StoreError: the data of one cannot be said in JSON.
        """
        for entry in entries:
            try:
                sealed = seal(entry.data, self._salts)
            except (TypeError, ValueError) as error:
                raise StoreError(f"A value cannot be stored as JSON: {error}.") from error
            self._waiting[clean(entry.agreement)].append((entry, sealed))

    def flush(self) -> None:
        """Append what waits to its chains; the store does so at the end of a transaction.

        Raises:
            SQLAlchemyError: the database failed.
        """
        if not self._waiting:
            return
        waiting = sorted(self._waiting.items())
        self._waiting = defaultdict(list)
        rows: list[dict[str, Any]] = []
        values: list[dict[str, Any]] = []
        heads: list[Head] = []
        for agreement, entries in waiting:
            head = self._lock(agreement)
            if head.seq == 0:
                head = self._begin(head, entries[0][0].at, rows)
            for entry, sealed in entries:
                event = clean(entry.event)
                head = self._append(head, entry.at, entry.link_id, event, sealed.data, rows)
                values += [
                    {"agreement": agreement, "seq": head.seq, "key": key, "salt": salt, "value": value}
                    for key, (salt, value) in sealed.values.items()
                ]
            heads.append(head)
        self._connection.execute(journal.insert(), rows)
        if values:
            self._connection.execute(journal_values.insert(), values)
        for head in heads:
            moved = {"seq": head.seq, "hash": head.hash, "at": head.at}
            self._connection.execute(update(chains).where(H.agreement == head.agreement).values(moved))

    def head(self, agreement: str) -> Head:
        """The newest record of an agreement's chain; "" for the chain of the bridge itself."""
        self.flush()
        row = self._connection.execute(select(chains).where(H.agreement == agreement)).one_or_none()
        return Head(agreement) if row is None else Head(*row)

    def counts(self, agreement: str, since: int, until: int) -> dict[tuple[str, str], int]:
        """How often each thing was done or found in [since, until): (event, side that it names or "") -> count."""
        self.flush()
        side = func.coalesce(type_coerce(C.data, JSON)["data", "side"].as_string(), "")
        within = select(C.event, side.label("side")).where(
            C.agreement == agreement, C.at >= since, C.at < until
        )
        told = (
            within.subquery()
        )  # grouped by its columns: PostgreSQL takes the same words twice for two expressions
        query = select(told.c.event, told.c.side, func.count()).group_by(told.c.event, told.c.side)
        return {(event, where): count for event, where, count in self._connection.execute(query)}

    def for_link(self, link_id: int, limit: int | None = None) -> list[JournalEntry]:
        """A link's whole story, or its newest entries only."""
        return self._newest(select(*_ENTRY).where(C.link_id == link_id), limit)

    def recent(self, limit: int) -> list[JournalEntry]:
        """The newest entries of all."""
        return self._newest(select(*_ENTRY), limit)

    def _lock(self, agreement: str) -> Head:
        """The chain's head, ours alone until the transaction ends."""
        query = select(chains).where(H.agreement == agreement).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            first = {"agreement": agreement, "seq": 0, "hash": GENESIS, "at": 0}
            # Of two that begin a chain at once, the later one waits here and then reads what the other has written.
            self._connection.execute(insert(self._connection, chains).values(first).on_conflict_do_nothing())
            row = self._connection.execute(query).one()
        return Head(*row)

    def _begin(self, head: Head, at: int, rows: list[dict[str, Any]]) -> Head:
        """The chain's first record."""
        older = select(func.count()).where(C.agreement == head.agreement, C.seq.is_(None))
        earlier = self._connection.execute(older).scalar_one()
        return self._append(head, at, None, BEGUN, {"earlier": earlier}, rows)

    @staticmethod
    def _append(  # noqa: PLR0917 - the columns of a record, in their order
        head: Head, at: int, link: int | None, event: str, data: Mapping[str, Any], rows: list[dict[str, Any]]
    ) -> Head:
        digest = hash_of(record(head, at=at, link=link, event=event, data=data))
        rows.append(
            {
                "at": at,
                "agreement": head.agreement,
                "link_id": link,
                "event": event,
                "data": dict(data),
                "seq": head.seq + 1,
                "hash": digest,
            }
        )
        return Head(head.agreement, head.seq + 1, digest, at)

    def _newest(self, query: Select[Any], limit: int | None) -> list[JournalEntry]:
        self.flush()
        rows = self._connection.execute(query.order_by(C.id.desc()).limit(limit)).all()
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for _, _, agreement, _, _, _, seq in rows:
            if seq is not None:
                numbers[agreement].append(seq)
        values: dict[tuple[str, int], dict[str, str]] = {}
        for agreement, wanted in numbers.items():
            for (seq, key), (_, value) in values_of(self._connection, agreement, wanted).items():
                values.setdefault((agreement, seq), {})[key] = value
        return [
            JournalEntry(number, at, agreement, link, event, opened(data, values.get((agreement, seq), {})))
            if seq is not None
            else JournalEntry(number, at, agreement, link, event, data)
            for number, at, agreement, link, event, data, seq in reversed(rows)
        ]


def values_of(
    connection: Connection, agreement: str, numbers: Sequence[int]
) -> dict[tuple[int, str], tuple[str, str]]:
    """The values of those records that are still there: (seq, key) -> (salt, canonical JSON)."""
    found: dict[tuple[int, str], tuple[str, str]] = {}
    for portion in chunks(numbers):
        query = select(V.seq, V.key, V.salt, V.value).where(V.agreement == agreement, V.seq.in_(portion))
        found.update({(seq, key): (salt, value) for seq, key, salt, value in connection.execute(query)})
    return found
