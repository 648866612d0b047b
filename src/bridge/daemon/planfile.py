"""A plan in a file: JSON lines, a heading first, then one line for each pair of tickets that has something to do.

A line says which tickets it is about and, as a fingerprint, what exactly is to be done to them; beside that stand the
same things in words for whoever reviews it. No body and no free text stands in it. Nothing that it says in words is
ever carried out: ``bridge apply`` decides anew and only compares.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.errors import NoPlan
from bridge.sync.ticket import Side

VERSION = 1
"""Version of the file; a reader refuses a newer one."""

KIND = "bridge-plan"
"""What the heading says that the file is."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One side's ticket when it was planned.

    Attributes:
        id: the tracker's id; "" for one that is to be created.
        key: what people call it; likewise.
        prints: part of the ticket -> short fingerprint of what it showed.
    """

    id: str = ""
    key: str = ""
    prints: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be done to one pair of tickets.

    Attributes:
        agreement: its name.
        terms: fingerprint of what was agreed.
        link: row id of the link; 0 where it is to be made.
        origin: the side on which the ticket was first.
        internal: the internal ticket.
        vendor: the vendor's ticket.
        parked: the link was parked when this was planned: it is tried all the same.
        digest: fingerprint of what is to be written and held.
        words: the same for people: ``actions``, ``then``, ``findings``, ``holds``.
    """

    agreement: str
    terms: str
    link: int
    origin: Side
    internal: Subject
    vendor: Subject
    parked: bool
    digest: str
    words: Mapping[str, Any]

    def subject(self, side: Side) -> Subject:
        """The ticket on that side."""
        return self.internal if side is Side.INTERNAL else self.vendor

    @property
    def keys(self) -> str:
        """What people call the two tickets."""
        return " = ".join(self.subject(side).key or "(new)" for side in Side)


def save(path: Path, heading: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Write a plan; only its owner may read it, and an older file is there until the new one is whole.

    Args:
        path: where.
        heading: what else the first line is to say: when it was made, counts.
        lines: in the order in which they are to be carried out.

    Raises:
        NoPlan: the file cannot be written.
    """
    first = {"kind": KIND, "version": VERSION, "lines": len(lines), **heading}
    rows = [first, *(_as_json(line) for line in lines)]
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}."
        )  # for its owner alone: 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise NoPlan(f"the plan cannot be written to {path}: {error.strerror}") from error


def load(path: Path) -> list[Line]:
    """The lines of a saved plan.

    Raises:
        NoPlan: it cannot be read, is something else, is not whole, or was written by a newer version.
    """
    try:
        rows = [json.loads(row) for row in path.read_text(encoding="utf-8").split("\n") if row.strip()]
    except OSError as error:
        raise NoPlan(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise NoPlan(f"{path} is not a plan, or is cut off: {error}") from error
    heading = rows[0] if rows and isinstance(rows[0], dict) else {}
    if heading.get("kind") != KIND:
        raise NoPlan(f"{path} is not a plan of 'bridge plan -o'")
    if heading.get("version") != VERSION:
        version = heading.get("version")
        raise NoPlan(f"{path} has version {version!r}; this program reads version {VERSION}")
    if heading.get("lines") != len(rows) - 1:
        raise NoPlan(f"{path} is cut off: {len(rows) - 1} of {heading.get('lines')} lines are there")
    try:
        return [_from_json(row) for row in rows[1:]]
    except (KeyError, TypeError, ValueError) as error:
        raise NoPlan(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _as_json(line: Line) -> dict[str, Any]:
    return {
        "agreement": line.agreement,
        **{side.value: _subject_as_json(line.subject(side)) for side in Side},
        **line.words,
        "link": line.link,
        "origin": line.origin.value,
        "parked": line.parked,
        "terms": line.terms,
        "digest": line.digest,
    }


def _subject_as_json(subject: Subject) -> dict[str, Any]:
    return {"id": subject.id, "key": subject.key, "prints": dict(subject.prints or {})}


def _from_json(row: Mapping[str, Any]) -> Line:
    words = {key: row[key] for key in ("actions", "then", "findings", "holds")}
    subjects = {
        side: Subject(row[side.value]["id"], row[side.value]["key"], row[side.value]["prints"])
        for side in Side
    }
    return Line(
        agreement=row["agreement"],
        terms=row["terms"],
        link=int(row["link"]),
        origin=Side(row["origin"]),
        internal=subjects[Side.INTERNAL],
        vendor=subjects[Side.VENDOR],
        parked=bool(row["parked"]),
        digest=row["digest"],
        words=words,
    )
