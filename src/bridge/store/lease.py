"""One bridge per database: two by mistake would do everything twice, and each create once too often.

Beside a SQLite file lies a lock file, held by the operating system for as long as the process lives; PostgreSQL holds
an advisory lock for as long as our connection lives. Either way a crash leaves nothing to clean up.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from bridge.errors import AlreadyRunning, StoreError
from bridge.store.failures import explain

KEY = 0x62726C65617365
"""First half of the advisory lock's name ("brlease"); the second is the schema that the bridge's tables are in."""


class Lease:
    """Held from construction until ``release`` or the end of the process.

    Args:
        url: the database's URL.

    Raises:
        AlreadyRunning: another process holds it.
        StoreError: the lock file cannot be made, or the database cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self._file: int | None = None
        self._session: Connection | None = None
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            self._session = _session_lock(url)
            return
        if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
            return
        path = Path(f"{parsed.database}.lock")
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(f"The lock file {path} cannot be made: {error.strerror}.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise AlreadyRunning(
                f"Another bridge (process {holder}) works on {parsed.database}; two would do everything twice."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        self._file = handle

    def release(self) -> None:
        """Let others in; doing it twice is harmless."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._session is not None:
            self._session.close()
            self._session = None


def _session_lock(url: str) -> Connection:
    """A connection that holds the lock of its schema.

    Raises:
        AlreadyRunning: another connection holds it.
        StoreError: the database cannot be reached.
    """
    where = make_url(url).render_as_string(hide_password=True)
    try:
        session = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
        try:
            lock = text("SELECT pg_try_advisory_lock(CAST(:key AS bigint) # hashtext(current_schema()))")
            held = session.execute(lock, {"key": KEY}).scalar_one()
        except BaseException:
            session.close()
            raise
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(f"The database {where} needs a package that is not installed: {error}.") from error
    except SQLAlchemyError as error:
        raise explain(error, f"The database {where}") from error
    if not held:
        session.close()
        raise AlreadyRunning(f"Another bridge works on {where}; two would do everything twice.")
    return session
