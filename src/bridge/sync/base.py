"""What each side looked like when a link was last in agreement, and the pairs of comments that mirror each other.

The base is what turns two present states into a three-way merge: a side *changed* a field when its value differs from
its own base, whoever wrote it and whenever. The versioned JSON form for the store is here too, beside the types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.markup import Document, from_json, to_json
from bridge.sync.ticket import Person, Side, Value

VERSION = 1
"""Version of the stored form; a reader refuses a newer one."""


@dataclass(frozen=True, slots=True)
class Base:
    """One side of a link when it was last in agreement.

    Attributes:
        fields: canonical name -> value, in that side's vocabulary. A field that never was in agreement is absent.
        seen: the newest ``updated`` stamp of this side that has been dealt with, microseconds of the tracker's clock.
        written: the tracker's time of our own newest write to it, microseconds; 0 when we never wrote.
        underway: (before, halfway) of a walk through the workflow that stopped before its goal: while the status is
            still ``halfway``, that is nobody's change, and decisions go by ``before``.
        parts: digest of the relations and worklogs that it showed; "" for none.
        born: when its ticket was created, microseconds of the tracker's clock; 0 while that is not known. A ticket that
            was created at another time is another ticket, whatever its id.
    """

    fields: Mapping[str, Value] = field(default_factory=dict)
    seen: int = 0
    written: int = 0
    underway: tuple[str, str] | None = None
    parts: str = ""
    born: int = 0

    def fresh(self, updated: int) -> bool:
        """Whether an observation with this ``updated`` surely contains everything we know of, our own writes included.

        A search index may serve a state from before our write. Write times come from the ``Date`` header, which has
        a granularity of one second, so anything within that second is in doubt and must be read by id.
        """
        return updated >= self.seen and (self.written == 0 or updated > self.written + 1_000_000)


class PairState(StrEnum):
    """What a pair of comments is up to."""

    PAIRED = "paired"
    PRIVATE = "private"
    """Paired, and both of them private: the copy was written as a private comment and seen to be one."""
    WITHDRAWN = "withdrawn"
    """The copy of a private comment came out public, and was taken back at once. Not tried again before something
    changes: the comment itself, or where private comments are to be written. ``copy_digest`` says where it was."""
    COPY_DELETED = "copy-deleted"
    """Somebody deleted our copy; it is not forced on them again."""
    ORIGIN_DELETED = "origin-deleted"
    """The author took it back and the copy is gone too."""
    NOTE = "note"
    """A comment of the bridge itself (a link back); mirrors nothing."""
    SKIPPED = "skipped"
    """It was there before the tickets were linked by hand, or merged, and stays as it is wherever it is."""
    HISTORY = "history"
    """Likewise, but it is to cross, with its date; no copy yet."""

    @property
    def live(self) -> bool:
        """Whether there is a copy that follows its original."""
        return self in {PairState.PAIRED, PairState.PRIVATE}


@dataclass(frozen=True, slots=True)
class CommentPair:
    """Two comments that are mirrors of each other.

    Attributes:
        id: row id in the store; 0 before it is stored.
        origin: the side on which a person wrote it.
        origin_id: id of the comment there; "" for a NOTE.
        copy_id: id of our copy on the other side; "" where there is none (yet).
        origin_digest: digest of the text as it was when last carried over.
        copy_digest: digest of the copy as its tracker shows it after our write.
        state: see PairState.
    """

    id: int
    origin: Side
    origin_id: str
    copy_id: str
    origin_digest: str = ""
    copy_digest: str = ""
    state: PairState = PairState.PAIRED


class PartKind(StrEnum):
    """What a part of a ticket is, beside its fields and comments."""

    ATTACHMENT = "attachment"
    RELATION = "relation"
    """A link between two mirrored tickets, or from a sub-task to its parent."""
    WORKLOG = "worklog"


@dataclass(frozen=True, slots=True)
class PartPair:
    """Two parts of mirrored tickets that mirror each other: a file and its copy, a worklog and its copy, ...

    Attributes:
        id: row id in the store; 0 before it is stored.
        kind: see PartKind.
        origin: the side on which a person made it.
        origin_id: its id there.
        copy_id: id of our copy on the other side; "" when none was made, for a reason in ``detail``.
        digest: digest of what was carried over (of a file: SHA-256 of its bytes).
        state: see PairState.
        detail: what else is known, as JSON: sizes, names, why it did not cross.
    """

    id: int
    kind: PartKind
    origin: Side
    origin_id: str
    copy_id: str
    digest: str = ""
    state: PairState = PairState.PAIRED
    detail: Mapping[str, Any] = field(default_factory=dict)


def encode_value(value: Value) -> Any:
    """A value as JSON; tagged where JSON has no such type."""
    if isinstance(value, Document):
        return {"doc": to_json(value)}
    if isinstance(value, Person):
        return {"person": value.id, "name": value.name}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    return value


def decode_value(data: Any) -> Value:
    """The reverse of :func:`encode_value`.

    Raises:
        ValueError: the data is not of this form.
    """
    if isinstance(data, dict):
        if "doc" in data:
            return from_json(data["doc"])
        if "person" in data:
            return Person(id=data["person"], name=data.get("name", ""))
        if "set" in data:
            return frozenset(data["set"])
        raise ValueError(f"a stored value with the keys {sorted(data)} is not known to this version")
    if data is None or isinstance(data, str | float | int | bool):
        return data
    raise ValueError(f"a stored value of type {type(data).__name__} is not known to this version")


def encode_fields(fields: Mapping[str, Value]) -> dict[str, Any]:
    """A base's fields as versioned JSON."""
    return {"v": VERSION, "fields": {name: encode_value(value) for name, value in sorted(fields.items())}}


def encode_base(base: Base) -> dict[str, Any]:
    """A base as versioned JSON, but for its stamps, which the store keeps in columns of their own."""
    data = encode_fields(base.fields)
    if base.underway is not None:
        data["underway"] = list(base.underway)
    if base.parts:
        data["parts"] = base.parts
    if base.born:
        data["born"] = base.born
    return data


def decode_base(data: Mapping[str, Any], *, seen: int, written: int) -> Base:
    """The reverse of :func:`encode_base`.

    Raises:
        ValueError: written by a newer version, or not of this form.
    """
    before, halfway = data.get("underway") or ("", "")
    return Base(
        decode_fields(data),
        seen,
        written,
        (before, halfway) if halfway else None,
        data.get("parts", ""),
        data.get("born", 0),
    )


def decode_fields(data: Mapping[str, Any]) -> dict[str, Value]:
    """The reverse of :func:`encode_fields`.

    Raises:
        ValueError: written by a newer version, or not of this form.
    """
    if data.get("v") != VERSION:
        raise ValueError(f"a stored base has version {data.get('v')!r}; this program reads version {VERSION}")
    return {name: decode_value(value) for name, value in data["fields"].items()}
