"""One bridge per database: two by mistake would do everything twice, and each create once too often.

Beside a SQLite file lies a lock file, held by the operating system for as long as the process lives, so that a crash
leaves nothing to clean up. On PostgreSQL several nodes may share the work one day; there the database itself is asked.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sqlalchemy.engine import make_url

from bridge.errors import AlreadyRunning, StoreError


class Lease:
    """Held from construction until ``release`` or the end of the process.

    Args:
        url: the database's URL; only a SQLite file is guarded.

    Raises:
        AlreadyRunning: another process holds it.
        StoreError: the lock file cannot be made.
    """

    def __init__(self, url: str) -> None:
        self._file: int | None = None
        parsed = make_url(url)
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
