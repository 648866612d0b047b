"""Where foreign bytes lie between two trackers: a folder of our own, with a limit for all of it.

Files are named by us, never by a tracker; readable by nobody else; gone as soon as the transfer is over, and what a
killed process left behind goes at the next start. Nothing is ever unpacked or executed.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bridge.sync.filetypes import HEAD

SUFFIX = ".part"


class SpoolFull(Exception):
    """There is no room for more bytes."""


class Spooled:
    """A file in the spool. Implements :class:`bridge.trackers.files.Sink`.

    Attributes:
        path: where it is.
        size: bytes so far.
        head: the first of them.
    """

    def __init__(self, path: Path, spool: Spool) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._spool = spool
        self._hash = hashlib.sha256()
        # O_EXCL and O_NOFOLLOW: nobody can have put a link there for us to write through.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(handle, "wb")

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes so far, in hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            SpoolFull: the spool's limit is reached, or the disk is full.
        """
        self._spool.take(len(data))
        self.size += len(data)
        if len(self.head) < HEAD:
            self.head += data[: HEAD - len(self.head)]
        self._hash.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise SpoolFull(f"the disk of the spool cannot be written to ({error.strerror})") from error

    def restart(self) -> None:
        """Forget all bytes."""
        self._spool.give_back(self.size)
        self.size, self.head, self._hash = 0, b"", hashlib.sha256()
        self._file.seek(0)
        self._file.truncate()

    def done(self) -> None:
        """All bytes are there: they can be read from ``path``.

        Raises:
            SpoolFull: the disk is full.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise SpoolFull(f"the disk of the spool cannot be written to ({error.strerror})") from error

    def drop(self) -> None:
        """Remove the file."""
        with suppress(OSError):  # what could not be written any more is not wanted any more
            self._file.close()
        self.path.unlink(missing_ok=True)
        self._spool.give_back(self.size)
        self.size = 0


class Spool:
    """The folder. Shared by all threads.

    Args:
        folder: where; made when first needed.
        quota: bytes of all files together.
    """

    def __init__(self, folder: Path, quota: int) -> None:
        self._folder = folder
        self._quota = quota
        self._used = 0
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def clean(self) -> None:
        """Remove what a process that is no more has left behind."""
        if self._folder.is_dir():
            for leftover in self._folder.glob(f"*{SUFFIX}"):
                leftover.unlink(missing_ok=True)

    @contextmanager
    def room(self) -> Iterator[Spooled]:
        """An empty file, removed at the end.

        Raises:
            SpoolFull: the folder cannot be made or written to.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            spooled = Spooled(self._folder / f"{os.getpid()}-{next(self._numbers)}{SUFFIX}", self)
        except OSError as error:
            raise SpoolFull(f"the spool cannot be used ({error.strerror})") from error
        try:
            yield spooled
        finally:
            spooled.drop()

    def take(self, size: int) -> None:
        """Count bytes that are about to be written."""
        with self._lock:
            if self._used + size > self._quota:
                raise SpoolFull("the spool is full; it is tried again when other files are through")
            self._used += size

    def give_back(self, size: int) -> None:
        """Count bytes that are gone."""
        with self._lock:
            self._used -= size
