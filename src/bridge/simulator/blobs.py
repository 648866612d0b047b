"""Bytes of attached files, and bodies of requests and answers that are too large to hold in memory.

Small contents stay in memory, large ones lie in a folder of the site's own that vanishes with it.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

IN_MEMORY = 1024 * 1024
"""Bytes up to which a content is kept in memory."""

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """A content: in memory, or in a file."""

    size: int
    content: bytes = b""
    path: Path | None = None

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes in portions."""
        with self.open() as source:
            source.seek(start)
            while portion := source.read(CHUNK):
                yield portion

    def open(self) -> BinaryIO:
        """Open the content for reading."""
        return BytesIO(self.content) if self.path is None else self.path.open("rb")

    def read(self) -> bytes:
        """Return all of it, for tests that look at small ones."""
        return b"".join(self.chunks())


class Writer:
    """Takes bytes as they come and gives a blob at the end.

    Args:
        folder: makes the folder for large contents, when one is needed.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._small = bytearray()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self.size += len(data)
        if self._file is None and self.size > IN_MEMORY:
            self._path = self._folder.new()
            self._file = self._path.open("wb")
            self._file.write(self._small)
            self._small.clear()
        if self._file is None:
            self._small += data
        else:
            self._file.write(data)

    def close(self) -> Blob:
        """Return what was written."""
        if self._file is None:
            return Blob(self.size, bytes(self._small))
        self._file.close()
        return Blob(self.size, path=self._path)


class Folder:
    """Where large contents lie; made when first needed, removed with its owner."""

    def __init__(self) -> None:
        self._held: Path | None = None
        self._count = 0

    def new(self) -> Path:
        """Return the name of a file to be."""
        if self._held is None:
            self._held = Path(tempfile.mkdtemp(prefix="simulator-"))
            weakref.finalize(self, shutil.rmtree, self._held, ignore_errors=True)
        self._count += 1
        return self._held / str(self._count)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    name: str
    filename: str | None
    media_type: str
    blob: Blob


def parts(body: Blob, boundary: str, folder: Folder) -> list[Part]:
    """Take a multipart body apart without holding it in memory; [] when it is not well formed."""
    mark = b"\r\n--" + boundary.encode("latin-1")
    found: list[Part] = []
    with body.open() as source:
        reader = _Reader(source, b"\r\n")
        if reader.until(mark, None) is None:
            return []
        while True:
            if reader.take(2) != b"\r\n":
                return found
            head = reader.until(b"\r\n\r\n", None)
            writer = Writer(folder)
            if head is None or reader.until(mark, writer) is None:
                return []
            found.append(_part(head, writer.close()))


def _part(head: bytes, blob: Blob) -> Part:
    message = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header:
            message[header] = value.strip()
    name = str(message.get_param("name", header="content-disposition") or "")
    return Part(name, message.get_filename(), message.get_content_type(), blob)


class _Reader:
    """Reads a stream up to a mark, in portions."""

    def __init__(self, source: BinaryIO, begun: bytes) -> None:
        self._source = source
        self._held = begun

    def take(self, count: int) -> bytes:
        while len(self._held) < count and (more := self._source.read(CHUNK)):
            self._held += more
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def until(self, mark: bytes, writer: Writer | None) -> bytes | None:
        """Return (or write) what stands before the mark and pass over it; None when there is none."""
        before = bytearray()
        put = before.extend if writer is None else writer.write
        while True:
            place = self._held.find(mark)
            if place >= 0:
                put(self._held[:place])
                self._held = self._held[place + len(mark) :]
                return bytes(before)
            keep = len(mark) - 1
            if len(self._held) > keep:
                put(self._held[: len(self._held) - keep])
                self._held = self._held[len(self._held) - keep :]
            more = self._source.read(CHUNK)
            if not more:
                return None
            self._held += more


def endless() -> Iterator[bytes]:
    """Yield bytes for ever."""
    while True:
        yield b"on and on and on " * 4096


def bomb(size: int) -> Iterator[bytes]:
    """Yield a gzip stream of so many zeros: a thousandth of what it becomes."""
    press = zlib.compressobj(9, wbits=31)
    zeros = bytes(CHUNK)
    for _ in range(size // CHUNK):
        if portion := press.compress(zeros):
            yield portion
    yield press.flush()
