"""The database: opening it, and the transactions through which everything else in this folder is reached.

SQLite: one connection writes, under a lock of this process and BEGIN IMMEDIATE against others; reads have
connections of their own (WAL), each transaction a snapshot, and cannot write. ``synchronous=FULL``, because
an intent must be on the disk before its request leaves: a power cut that forgot it would repeat the write.
What is derived anew after a power cut (wake-ups, stamps, bases, the end of a run) need not wait for the disk:
``write(durable=False)`` is NORMAL, which forgets the newest commits at worst and never breaks their order.

PostgreSQL: the same statements; readers are REPEATABLE READ, so that they see a snapshot too.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, QueuePool, StaticPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bridge.errors import StoreError
from bridge.store import schema
from bridge.store.alerts import Alerts
from bridge.store.bases import Bases
from bridge.store.chains import Chains
from bridge.store.chronicles import Chronicles
from bridge.store.columns import to_json
from bridge.store.comments import Comments
from bridge.store.cursors import Cursors
from bridge.store.deliveries import Deliveries
from bridge.store.failures import explain
from bridge.store.holds import Holds
from bridge.store.intents import Intents
from bridge.store.journal import Journal
from bridge.store.links import Links
from bridge.store.outbox import Outbox
from bridge.store.parts import Parts
from bridge.store.policies import Policies
from bridge.store.waits import Waits

PATIENCE = 30
"""Seconds to wait for a lock or a free connection before giving up."""

DURABLE = "bridge_durable"
"""Execution option of a transaction: False for one that need not wait for the disk."""

THREADS = 80
"""Most reading connections to a SQLite file: the worker threads, and room for feeds, clock and web."""


Salts = Callable[[int], bytes]
"""Makes so many random bytes, for the seals of the journal."""


class Tx:
    """One transaction, and the repositories that work within it."""

    __slots__ = (
        "alerts",
        "bases",
        "chains",
        "chronicles",
        "comments",
        "connection",
        "cursors",
        "deliveries",
        "holds",
        "intents",
        "journal",
        "links",
        "outbox",
        "parts",
        "policies",
        "waits",
    )

    def __init__(self, connection: Connection, salts: Salts) -> None:
        self.connection = connection
        self.links = Links(connection)
        self.bases = Bases(connection)
        self.comments = Comments(connection)
        self.intents = Intents(connection)
        self.journal = Journal(connection, salts)
        self.chains = Chains(connection, self.journal)
        self.parts = Parts(connection)
        self.cursors = Cursors(connection)
        self.deliveries = Deliveries(connection)
        self.waits = Waits(connection)
        self.holds = Holds(connection)
        self.outbox = Outbox(connection)
        self.chronicles = Chronicles(connection)
        self.policies = Policies(connection)
        self.alerts = Alerts(connection)


class Store:
    """The bridge's own database; shared by all threads. Made by :meth:`open`."""

    def __init__(self, url: URL, writer: Engine, reader: Engine, salts: Salts) -> None:
        self._salts = salts
        self._writer = writer
        self._hasty = writer.execution_options(**{DURABLE: False})
        self._reader = reader
        self._where = _where(url)
        self._sqlite = url.get_backend_name() == "sqlite"
        self._single = writer is reader  # a database in memory has one connection for everything
        self._lock = threading.Lock()
        self._mine = threading.local()  # .tx: the transaction that this thread is in
        self._closed = False

    @classmethod
    def open(cls, url: str, *, migrate: bool = True, salts: Salts = secrets.token_bytes) -> Store:
        """Open the database, and bring it to the shape that this program needs.

        Args:
            url: ``sqlite:////path/to/bridge.db``, ``sqlite://`` (in memory, for tests) or ``postgresql://...``.
            migrate: False refuses a database that is missing or out of date, and changes nothing.
            salts: where the randomness in the journal's seals comes from.

        Raises:
            StoreError: it cannot be opened, belongs to another program or to a newer version of this one.
        """
        store = cls(*_engines(url, create=migrate), salts)
        try:
            if migrate:
                store.upgrade()
            else:
                store.require()
        except BaseException:
            store.close()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The database as an operator knows it, without a password."""
        return self._where

    def ready(self) -> bool:
        """Whether the database has the shape that this program needs.

        Raises:
            StoreError: it belongs to another program or to a newer version of this one.
        """
        with self.read() as tx:
            return schema.verify(tx.connection, self._where)

    def require(self) -> None:
        """Refuse a database that is missing or out of date.

        Raises:
            StoreError: it is, or it belongs to another program or to a newer version of this one.
        """
        if not self.ready():
            raise StoreError(
                f"{self._where} is not up to date: it has the schema {self.now_schema() or 'none'}, "
                f"this program needs {schema.head()}; start 'bridge run' or 'bridge sync --once', which upgrade it."
            )

    def upgrade(self) -> None:
        """Bring the database to the shape that this program needs; harmless when it has it.

        Raises:
            StoreError: it belongs to another program or to a newer version of this one, or refuses.
        """
        if not self.ready():
            with self.write() as tx:
                schema.upgrade(tx.connection, self._where)

    def close(self) -> None:
        """Give all connections back. The store cannot be used any more; closing twice is harmless."""
        self._closed = True
        self._reader.dispose()
        self._writer.dispose()  # the last one out: SQLite then folds its log into the file

    def write(self, *, durable: bool = True) -> AbstractContextManager[Tx]:
        """A transaction that may write: committed at the end, rolled back on any error.

        Args:
            durable: False for what is derived anew if a power cut forgets it. A crash of this process forgets nothing.

        Keep it short and do nothing else within it, least of all wait for a tracker or for another task: on
        SQLite it is the only one. Within any other transaction of the same thread it is refused.

        Raises:
            StoreError: the database failed; nothing was written.
        """
        return self._begin(self._writer if durable else self._hasty, exclusive=self._sqlite)

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that sees one moment and cannot write; within another of the same thread, that one.

        Raises:
            StoreError: the database failed.
        """
        outer = self._outer()
        return self._begin(self._reader, exclusive=self._single) if outer is None else nullcontext(outer)

    def now_schema(self) -> str | None:
        """The schema that the database has; None when it is empty."""
        with self.read() as tx:
            return schema.current(tx.connection)

    def check(self) -> list[str]:
        """Everything that is wrong with the database, as sentences; empty when it is sound.

        Raises:
            StoreError: it cannot be read at all.
        """
        problems: list[str] = []
        with self.read() as tx:
            if not schema.verify(tx.connection, self._where):
                problems.append(
                    f"{self._where} is not up to date; start 'bridge run' or 'bridge sync --once', which upgrade it."
                )
            if not self._sqlite:
                tx.connection.execute(text("SELECT 1"))
                return problems
            words = tx.connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            problems += [f"{self._where} is damaged: {word}" for word in words if word != "ok"]
            for row in tx.connection.exec_driver_sql("PRAGMA foreign_key_check"):
                problems.append(
                    f"{self._where}: row {row[1]} of {row[0]} points at a missing row of {row[2]}."
                )
        return problems

    def _outer(self) -> Tx | None:
        """The transaction that this thread is in."""
        return getattr(self._mine, "tx", None)

    @contextmanager
    def _begin(self, engine: Engine, *, exclusive: bool) -> Iterator[Tx]:
        """A transaction; an exclusive one queues here for its turn, instead of in SQLite's busy loop."""
        if self._outer() is not None:
            raise StoreError("A write was begun within another transaction of the same thread.")
        if exclusive and not self._lock.acquire(timeout=PATIENCE):
            raise StoreError(f"Another thread has kept {self._where} busy for {PATIENCE} seconds.")
        try:
            with self._transaction(engine) as tx:
                self._mine.tx = tx
                yield tx
        finally:
            self._mine.tx = None
            if exclusive:
                self._lock.release()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Tx]:
        if self._closed:
            raise StoreError(f"{self._where} has been closed.")
        try:
            with engine.begin() as connection:
                tx = Tx(connection, self._salts)
                yield tx
                tx.journal.flush()
        except SQLAlchemyError as error:
            raise explain(error, self._where) from error


def _engines(url: str, *, create: bool) -> tuple[URL, Engine, Engine]:
    """The URL, the engine that writes and the one that reads."""
    try:
        parsed = make_url(url)
    except ArgumentError:  # its message repeats the URL, password and all
        raise StoreError(
            "The store's URL cannot be read; it looks like sqlite:////path/to/bridge.db."
        ) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise StoreError(f"The store can be on SQLite or PostgreSQL, not on {backend!r}.")
    try:
        if backend == "postgresql":
            return (parsed, *_postgresql(parsed))
        return (parsed, *_sqlite(parsed, create=create))
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(f"{_where(parsed)} needs a package that is not installed: {error}.") from error


def _where(url: URL) -> str:
    """The database as an operator knows it, without a password."""
    if url.get_backend_name() != "sqlite":
        return f"The database {url.render_as_string(hide_password=True)}"
    return f"The database {url.database}" if _on_disk(url) else "The database in memory"


def _on_disk(url: URL) -> bool:
    return url.database not in (None, "", ":memory:")


COMMON: dict[str, Any] = {
    "hide_parameters": True,  # they are people's texts; an error message is no place for them
    "json_serializer": to_json,
}


def _sqlite(url: URL, *, create: bool) -> tuple[Engine, Engine]:
    """The engine that writes and the one that reads."""
    if not _on_disk(url):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False}, **COMMON)
        _listen(engine, "BEGIN IMMEDIATE", ["PRAGMA foreign_keys=ON"])
        return engine, engine
    _file(url, create=create)
    patience = [f"PRAGMA busy_timeout={PATIENCE * 1000}"]
    arguments: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": PATIENCE}, **COMMON}
    writer = create_engine(
        url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=PATIENCE, **arguments
    )
    _listen(
        writer,
        "BEGIN IMMEDIATE",
        [*patience, "PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=ON"],
        levels=True,
    )
    reader = create_engine(
        url, poolclass=QueuePool, pool_size=16, max_overflow=THREADS - 16, pool_timeout=PATIENCE, **arguments
    )
    _listen(reader, "BEGIN", [*patience, "PRAGMA query_only=ON"])
    return writer, reader


def _file(url: URL, *, create: bool) -> None:
    """See to it that the file is there, and readable by us only: it holds what people wrote."""
    assert url.database is not None
    if url.database.startswith("file:"):
        return  # SQLite's own spelling, with options that are the operator's business
    path = Path(url.database)
    if path.exists():
        return
    if not create:
        raise StoreError(f"There is no database at {path}; 'bridge run' or 'bridge sync --once' makes one.")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"The database {path} cannot be made: {error.strerror}.") from error


def _listen(engine: Engine, begin: str, pragmas: list[str], *, levels: bool = False) -> None:
    """Have every new connection prepared, and every transaction begun by us, not by Python's sqlite3.

    With ``levels``, each transaction says whether it waits for the disk; SQLite takes that only between transactions.
    """

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        try:
            for pragma in pragmas:
                cursor.execute(pragma).fetchall()
        finally:
            cursor.close()

    def began(connection: Connection) -> None:
        if levels:
            durable = connection.get_execution_options().get(DURABLE, True)
            connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.exec_driver_sql(begin)

    listeners: dict[str, Callable[..., None]] = {"connect": connected, "begin": began}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)


def _postgresql(url: URL) -> tuple[Engine, Engine]:
    """The engine that writes and the one that reads, over one pool."""
    arguments: dict[str, Any] = {}
    if url.get_driver_name().startswith(
        "psycopg"
    ):  # others spell these differently; then the server's own hold
        given = str(url.query.get("options", ""))
        arguments["options"] = f"{given} -c lock_timeout={PATIENCE}s".strip()
        arguments["connect_timeout"] = url.query.get("connect_timeout", "10")

    def began(connection: Connection) -> None:
        if not connection.get_execution_options().get(DURABLE, True):
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")

    writer = create_engine(
        url,
        pool_size=8,
        max_overflow=32,  # a server takes 100 as it comes, for all nodes and the queue together
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        connect_args=arguments,
        **COMMON,
    )
    event.listen(writer, "begin", began)
    return writer, writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
