"""The journal as evidence: its chains in order, compared with what others hold of them, and what is erased of it.

Erasing takes values away and leaves their seals, so the chains stay whole; each erasure is itself a record that says
how many values went. What is older than the chains has no seals: there the value itself is written over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from bridge.store.journal import Journal, values_of
from bridge.store.tables import chains, journal, journal_values
from bridge.sync.chain import ERASED, ERASED_VALUES, VERSION, Head, seal
from bridge.sync.ledger import Entry, Verdict
from bridge.sync.proving import Flaw, Proof

C = journal.c
V = journal_values.c

PORTION = 1_000
"""Rows that are read at once."""


@dataclass(slots=True)
class Doomed:
    """Values that are to be erased.

    Attributes:
        values: (agreement, seq, key) in the chains.
        older: row id -> keys, in what is older than the chains.
    """

    values: list[tuple[str, int, str]] = field(default_factory=list)
    older: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many values."""
        return len(self.values) + sum(len(keys) for _, keys in self.older.values())


class Chains:
    """The chains, within one transaction.

    Args:
        connection: the transaction's.
        journal: to note what is erased.
    """

    __slots__ = ("_connection", "_journal")

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    def heads(self, *, missing: bool = False) -> list[Head]:
        """The heads of all chains, by name; the bridge's own ("") first.

        Args:
            missing: also of chains whose head is gone, as if they had no record; reads the whole journal.
        """
        self._journal.flush()
        heads = {row[0]: Head(*row) for row in self._connection.execute(select(chains))}
        if missing:
            for name in self._connection.scalars(select(C.agreement).where(C.seq.is_not(None)).distinct()):
                heads.setdefault(name, Head(name))
        return [heads[name] for name in sorted(heads)]

    def contains(self, head: Head) -> bool:
        """Whether a record is still there, and the same."""
        self._journal.flush()
        query = select(C.hash).where(C.agreement == head.agreement, C.seq == head.seq)
        return self._connection.scalar(query) == head.hash

    def entries(self, agreement: str) -> Iterator[Entry]:
        """A chain's records in order, read portion by portion; ``prev`` is the stored hash of the one before."""
        for _, entry in self._rows(agreement):
            yield entry

    def verify(
        self, agreement: str, held: Head | None = None, progress: Callable[[int], None] | None = None
    ) -> Verdict:
        """Verify a chain as it is stored.

        Args:
            agreement: whose.
            held: a head that somebody else holds, which the chain must contain.
            progress: told after each record how many there were.
        """
        proof = Proof(agreement, last=self._journal.head(agreement), held=held)
        try:
            flaw = self._first_flaw(proof, progress) or proof.end() or self._strays(agreement, proof.head.seq)
        except SQLAlchemyError:
            # A byte that makes a text unreadable, or a page: whoever verifies wants to know where.
            flaw = Flaw(
                proof.head.seq + 1, "the database cannot read it, or what follows", "The database is damaged."
            )
        return Verdict(proof.head, proof.sealed_values, flaw=flaw)

    def find(
        self,
        matches: Callable[[Any], bool],
        agreements: Iterable[str],
        progress: Callable[[int], None] | None = None,
    ) -> Doomed:
        """Look for values through the whole journal of some agreements.

        Args:
            matches: whether a value is meant.
            agreements: their names.
            progress: told after each portion how many rows it had.
        """
        doomed = Doomed()
        for agreement in agreements:
            at: tuple[int, str] = (0, "")
            while rows := self._values_after(agreement, at):
                doomed.values += [
                    (agreement, seq, key) for seq, key, value in rows if matches(json.loads(value))
                ]
                at = (rows[-1][0], rows[-1][1])
                if progress is not None:
                    progress(len(rows))
            for number, _, data in self._older(agreement):
                keys = frozenset(key for key in _values(data) if matches(data[key]))
                if keys:
                    doomed.older[number] = (agreement, keys)
        return doomed

    def border(self, agreement: str, before: int) -> int:
        """The number of the first record that has values and was not written before a moment (microseconds).

        Where all were, the number that the next record will have.
        """
        oldest = select(func.min(V.seq)).where(V.agreement == agreement).scalar_subquery()
        young = select(C.seq).where(C.agreement == agreement, C.at >= before, C.seq >= oldest)
        first: int | None = self._connection.scalar(young.order_by(C.seq).limit(1))
        return self._journal.head(agreement).seq + 1 if first is None else first

    def aged(self, agreement: str, before: int, border: int, most: int) -> Doomed:
        """The oldest values, so many at most, of what was written before a moment (microseconds); see ``border``."""
        old = select(V.seq, V.key).where(V.agreement == agreement, V.seq < border)
        rows = self._connection.execute(old.order_by(V.seq, V.key).limit(most))
        doomed = Doomed([(agreement, seq, key) for seq, key in rows])
        for number, at, data in self._older(agreement):
            if at < before and len(doomed.older) < most and (keys := frozenset(_values(data))):
                doomed.older[number] = (agreement, keys)
        return doomed

    def erase(self, doomed: Doomed, now: int, *, why: str, who: str = "") -> int:
        """Erase values, and note in each chain how many went; returns how many were still there.

        Args:
            doomed: which.
            now: microseconds.
            why: ``person`` or ``retention``.
            who: who asked for it; "" when the configuration did.
        """
        if self._connection.dialect.name == "sqlite":
            # SQLite only marks what it deletes as free, unless it is told to write it over.
            self._connection.exec_driver_sql("PRAGMA secure_delete=ON")
        gone: dict[str, int] = {}
        older: dict[str, int] = {}
        for agreement, seq, key in doomed.values:
            one = journal_values.delete().where(V.agreement == agreement, V.seq == seq, V.key == key)
            gone[agreement] = gone.get(agreement, 0) + self._connection.execute(one).rowcount
        for number, (agreement, keys) in doomed.older.items():
            data = self._connection.scalar(select(C.data).where(C.id == number, C.seq.is_(None)))
            left = {key: ERASED if key in keys else value for key, value in (data or {}).items()}
            self._connection.execute(update(journal).where(C.id == number).values(data=left))
            older[agreement] = older.get(agreement, 0) + len(keys)
        for agreement in sorted(gone.keys() | older.keys()):
            count, earlier = gone.get(agreement, 0), older.get(agreement, 0)
            if count or earlier:
                told = {"count": count, "earlier": earlier, "why": why} | ({"who": who} if who else {})
                self._journal.add(now, agreement, None, ERASED_VALUES, told)
        return sum(gone.values()) + sum(older.values())

    def _first_flaw(self, proof: Proof, progress: Callable[[int], None] | None) -> Flaw | None:
        """The first flaw in the records themselves."""
        before = 0
        for number, entry in self._rows(proof.head.agreement):
            flaw = proof.take(*entry)
            if flaw is None and number <= before:
                flaw = Flaw(proof.head.seq, "its row is older than its place", "Rows were exchanged.")
            if flaw is not None:
                return flaw
            before = number
            if progress is not None:
                progress(proof.head.seq)
        return None

    def _rows(self, agreement: str) -> Iterator[tuple[int, Entry]]:
        """The rows of a chain in order: row id and record."""
        self._journal.flush()
        head = Head(agreement)
        query = (
            select(C.id, C.seq, C.at, C.link_id, C.event, cast(C.data, Text), C.hash)
            .where(C.agreement == agreement, C.seq.is_not(None))
            .order_by(C.seq)
            .limit(PORTION)
        )
        while rows := self._connection.execute(query.where(C.seq > head.seq)).all():
            values = values_of(self._connection, agreement, [row[1] for row in rows])
            by_seq: dict[int, dict[str, tuple[str, str]]] = {}
            for (seq, key), value in values.items():
                by_seq.setdefault(seq, {})[key] = value
            for number, seq, at, link, event, data, digest in rows:
                one = {
                    "v": VERSION,
                    "agreement": agreement,
                    "seq": seq,
                    "at": at,
                    "link": link,
                    "event": event,
                    "data": _inside(data),
                    "prev": head.hash,
                }
                yield number, (one, digest or "", by_seq.get(seq, {}))
                head = Head(agreement, seq, digest or "", at)

    def _strays(self, agreement: str, last: int) -> Flaw | None:
        """What is stored beside the chain and belongs to none of its records."""
        beyond = select(V.seq).where(V.agreement == agreement, (V.seq > last) | (V.seq < 1)).limit(1)
        seq = self._connection.scalar(beyond)
        if seq is not None:
            return Flaw(seq, "there are values of a record that is not there", "The record was taken away.")
        first = select(C.data).where(C.agreement == agreement, C.seq == 1)
        told = (self._connection.scalar(first) or {}).get("earlier", 0)
        there = sum(1 for _ in self._older(agreement))
        if told != there:
            return Flaw(
                1,
                f"{there} entries are older than the chain, which says that there were {told}",
                "Entries from before the chain were taken away, or others put in.",
            )
        return None

    def _values_after(self, agreement: str, at: tuple[int, str]) -> list[tuple[int, str, str]]:
        seq, key = at
        query = (
            select(V.seq, V.key, V.value)
            .where(V.agreement == agreement, (V.seq > seq) | ((V.seq == seq) & (V.key > key)))
            .order_by(V.seq, V.key)
            .limit(PORTION)
        )
        return [(row[0], row[1], row[2]) for row in self._connection.execute(query)]

    def _older(self, agreement: str) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
        """The entries that are older than the chain: row id, when, and what."""
        query = select(C.id, C.at, C.data).where(C.agreement == agreement, C.seq.is_(None)).order_by(C.id)
        for row in self._connection.execute(query):
            yield row[0], row[1], row[2]


def _inside(stored: str) -> Any:
    """What is in the envelope of a stored value; the stored text itself where it is no such envelope any more."""
    try:
        return json.loads(stored)["data"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return stored


def _values(data: Mapping[str, Any]) -> Iterable[str]:
    """The keys of what would be sealed today, and is not erased yet."""
    return [key for key in seal(data, bytes).values if data[key] != ERASED]
