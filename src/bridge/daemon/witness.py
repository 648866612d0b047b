"""A witness of our own past: the heads of the audit chains, in a small file outside of the database.

A database that was restored from a backup looks healthy, and has forgotten what was done since: the bridge would do
some of it again. But its chains do not contain the newest heads that the file remembers. So the file is compared at the
start, and says so. It lies in the spool, which no backup of the database takes along.

Only what surely outlives a power cut is written down: each note first commits something that waits for the disk, and
with it everything before it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import SECOND
from bridge.errors import StoreError
from bridge.store.database import Store
from bridge.sync.chain import Head

FILE = "witness.json"

PAUSE = 5 * SECOND
"""Time between two notes at least, microseconds of our clock."""

NOTE = "audit/witness"
"""The note whose commit waits for the disk."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """Our database does not contain what the witness remembers: it was restored from a backup, or is another one.

    Attributes:
        lost: heads that the witness remembers and the database does not know, by agreement; "" is the bridge's own.
        present: the heads that the database has for the same chains.
    """

    lost: tuple[Head, ...]
    present: tuple[Head, ...]

    def __str__(self) -> str:
        told = [
            f"{_named(known.agreement)}: record {known.seq} was written, "
            + (
                f"the database ends with {there.seq}"
                if there.seq < known.seq
                else "the database has another one"
            )
            for known, there in zip(self.lost, self.present, strict=True)
        ]
        return "the database was restored from a backup, or is another one (" + "; ".join(told) + ")"


def _named(agreement: str) -> str:
    return f"agreement '{agreement}'" if agreement else "the bridge itself"


class Witness:
    """The file. One for each working bridge; shared by its threads.

    Args:
        folder: where it lies; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._noted: dict[str, Head] | None = None
        self._at = 0

    def check(self, store: Store) -> RestoredDatabase | None:
        """Compare the database with what the file remembers; None when it contains all of it, or there is no file.

        Raises:
            StoreError: our own database failed, or the file cannot be read.
        """
        with self._lock:
            return self._compare(store, self._remembered())

    def note(self, store: Store, now: int, *, at_once: bool = False) -> bool:
        """Write the present heads down, if any has moved and the last note is some seconds old.

        A file that remembers what the database does not contain is left as it is: it is the only evidence.

        Args:
            store: the database.
            now: microseconds of our clock.
            at_once: at the end of the process: do not wait for those seconds.

        Returns:
            Whether the file holds the present heads now.

        Raises:
            StoreError: our own database failed, or the file cannot be read or written.
        """
        with self._lock:
            if now - self._at < PAUSE and not at_once:
                return False
            self._at = now
            if self._noted is None:
                remembered = self._remembered()
                if self._compare(store, remembered) is not None:
                    return False
                self._noted = remembered
            with store.read() as tx:
                moved = {head.agreement: head for head in tx.chains.heads()} != self._noted
            if moved:
                self._write(store, now)
            return True

    def accept(self, store: Store, now: int) -> None:
        """A person says that the database is to be taken as it is: its heads replace what the file remembers.

        Raises:
            StoreError: our own database failed, or the file cannot be written.
        """
        with self._lock:
            self._write(store, now)

    def _compare(self, store: Store, remembered: Mapping[str, Head]) -> RestoredDatabase | None:
        with store.read() as tx:
            lost = [head for head in remembered.values() if not tx.chains.contains(head)]
            present = [tx.journal.head(head.agreement) for head in lost]
        return RestoredDatabase(tuple(lost), tuple(present)) if lost else None

    def _write(self, store: Store, now: int) -> None:
        with store.read() as tx:
            heads = {head.agreement: head for head in tx.chains.heads()}
        with store.write() as tx:  # waits for the disk, with everything that was committed before it
            tx.cursors.set_note(NOTE, {"at": now})
        told = {name: [head.seq, head.hash, head.at] for name, head in heads.items()}
        draft = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                draft.unlink()  # of a process that was killed while it wrote
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump({"v": VERSION, "heads": told}, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            raise StoreError(f"The witness {self._path} cannot be written: {error.strerror}.") from error
        self._noted = heads

    def _remembered(self) -> dict[str, Head]:
        """What the file remembers.

        Raises:
            StoreError: it is there and cannot be read.
        """
        try:
            told = json.loads(self._path.read_text())
            heads = {VERSION: told["heads"]}[told["v"]]
            return {
                name: Head(name, int(seq), str(hash_), int(at)) for name, (seq, hash_, at) in heads.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"The witness {self._path} cannot be read; it tells whether the database was restored from a backup. "
                "If you know that it was not, remove the file."
            ) from error
