"""An audit chain as a file: JSON lines that anybody can verify, with no database and no configuration.

The first line says what the file is, each further one holds a record, its hash and its values (each with the salt of
its seal), and the last one the hash of all bytes before it. A sealed file holds no values: it proves the same and tells
nobody's words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.sync.chain import Head, canonical
from bridge.sync.proving import Flaw, Proof

FORMAT = "bridge-audit"

VERSION = 1
"""Version of the file's form."""

_END = {"end", "sha256"}

Entry = tuple[Mapping[str, Any], str, Mapping[str, tuple[str, str]]]
"""A record in its hashed form, its hash, and key -> (salt, canonical JSON) of the values that are there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification.

    Attributes:
        head: the last record that is in order.
        missing: values that are not there any more, or were left out.
        sealed: whether values were left out on purpose.
        flaw: the first thing that is wrong; None when all is well.
    """

    head: Head
    missing: int = 0
    sealed: bool = False
    flaw: Flaw | None = None


def lines(head: Head, entries: Iterable[Entry], *, sealed: bool) -> Iterator[bytes]:
    """A chain as the lines of a file.

    Args:
        head: its newest record.
        entries: its records, the first one first.
        sealed: leave the values out.
    """
    digest = hashlib.sha256()
    first = {
        "format": FORMAT,
        "v": VERSION,
        "agreement": head.agreement,
        "seq": head.seq,
        "hash": head.hash,
        "sealed": sealed,
    }
    yield _said(first, digest)
    for one, told, values in entries:
        line: dict[str, Any] = {"record": one, "hash": told}
        if not sealed:
            line["values"] = {key: [salt, json.loads(text)] for key, (salt, text) in values.items()}
        yield _said(line, digest)
    yield (canonical({"end": head.seq, "sha256": digest.hexdigest()}) + "\n").encode()


def _said(line: Mapping[str, Any], digest: hashlib._Hash) -> bytes:
    data = (canonical(line) + "\n").encode()
    digest.update(data)
    return data


class _NotSo(Exception):
    """A line is not what such a file holds; says what is wrong."""


class _Reader:
    """The lines of a file, read strictly: each has exactly one spelling."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self._digest = hashlib.sha256()

    def next(self) -> dict[str, Any] | None:
        """The next line; None when there is none.

        Raises:
            _NotSo: it is not JSON in our spelling.
        """
        raw = next(self._source, None)
        if raw is None:
            return None
        try:
            line = json.loads(raw)
            told = (canonical(line) + "\n").encode()
        except (ValueError, RecursionError):
            raise _NotSo("the line is not JSON") from None
        if not isinstance(line, dict) or told != raw:
            raise _NotSo("the line is not spelt as the bridge spells it")
        if line.keys() != _END:
            self._digest.update(raw)
        return line

    def closes(self, line: Mapping[str, Any], seq: int) -> bool:
        """Whether a line is the right end of the file, with nothing behind it."""
        right = line["end"] == seq and line["sha256"] == self._digest.hexdigest()
        return right and next(self._source, None) is None


def verify(source: Iterable[bytes], held: Head | None = None) -> Verdict:
    """Verify a file.

    Args:
        source: its lines, with their line ends.
        held: a head that somebody holds, which the chain must contain; its ``agreement`` is not looked at.
    """
    reader, proof = _Reader(source), Proof("")
    try:
        last, sealed = _announced(reader.next())
        proof = Proof(last.agreement, last=last, held=held, sealed=sealed)
        flaw = _first_flaw(reader, proof, sealed=sealed)
    except _NotSo as error:
        meaning = "The file was damaged, changed or cut off after it was exported."
        return Verdict(proof.head, proof.sealed_values, flaw=Flaw(proof.head.seq + 1, str(error), meaning))
    return Verdict(proof.head, proof.sealed_values, sealed, flaw)


def _first_flaw(reader: _Reader, proof: Proof, *, sealed: bool) -> Flaw | None:
    """The first flaw in the records and the file's end.

    Raises:
        _NotSo: a line is not what such a file holds.
    """
    while (line := reader.next()) is not None:
        if line.keys() == _END:
            flaw = proof.end()
            if flaw is None and not reader.closes(line, proof.head.seq):
                raise _NotSo("the file is not what was exported")
            return flaw
        flaw = proof.take(*_entry(line, sealed=sealed))
        if flaw is not None:
            return flaw
    raise _NotSo("the last line is missing")


def _announced(first: Mapping[str, Any] | None) -> tuple[Head, bool]:
    """What the first line says: the chain's head, and whether values were left out.

    Raises:
        _NotSo: it is not the first line of such a file.
    """
    fit = (
        first is not None
        and first.keys() == {"format", "v", "agreement", "seq", "hash", "sealed"}
        and first["format"] == FORMAT
        and first["v"] == VERSION
        and type(first["sealed"]) is bool
        and type(first["seq"]) is int
        and all(isinstance(first[key], str) for key in ("agreement", "hash"))
    )
    if not fit:
        raise _NotSo("the first line does not say that this is an export of an audit chain")
    assert first is not None
    return Head(first["agreement"], first["seq"], first["hash"]), first["sealed"]


def _entry(line: Mapping[str, Any], *, sealed: bool) -> Entry:
    """A record from its line.

    Raises:
        _NotSo: it is not the line of a record.
    """
    wanted = {"record", "hash"} if sealed else {"record", "hash", "values"}
    values = line.get("values", {})
    fit = (
        line.keys() == wanted
        and isinstance(line["record"], dict)
        and isinstance(line["hash"], str)
        and isinstance(values, dict)
        and all(_pair(one) for one in values.values())
    )
    if not fit:
        raise _NotSo("the line does not have the form of a record")
    return line["record"], line["hash"], {key: (one[0], canonical(one[1])) for key, one in values.items()}


def _pair(one: Any) -> bool:
    """Whether it is a salt and a value."""
    return isinstance(one, list) and [type(one[0]) if one else None, len(one)] == [str, 2]
