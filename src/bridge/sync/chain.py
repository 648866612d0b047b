"""The audit chain: what of a journal entry is hashed, and what is only sealed.

Each record carries the hash of the one before it, so that none can be changed, left out or put in unnoticed. What
people wrote, and who they are, is not hashed itself: the record holds a *seal*, the salted hash of the value, and the
value and its salt lie elsewhere. They can be erased, as the law may ask, and the chain still holds; while they are
there, they can be checked against their seals. Deny by default: whatever is not known to be harmless is sealed.

The form is fixed: docs/audit.md tells it to those who verify without this program.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Version of the hashed form."""

GENESIS = "0" * 64
"""What the first record of a chain carries in the place of the hash before it."""

BEGUN = "chain.begun"
"""The first event of every chain; ``earlier`` counts the entries from before there were chains, which stay outside."""

ERASED_VALUES = "values.erased"
"""The event that accounts for values that were erased; ``count`` says how many of this chain."""

ERASED = "(erased)"
"""What is read in the place of a value that was erased."""

SALT = 16
"""Bytes of a salt."""

_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_FIELD = re.compile(r"[\w .()/-]{1,80}")
_SIDE = re.compile(r"internal|vendor|both|none")
_ID = re.compile(r"|(?=[^0-9]*[0-9])[0-9A-Za-z._:/-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

_CLEAR: dict[str, re.Pattern[str]] = {
    "approver": _WORD,
    "copy": _ID,
    "digest": _DIGEST,
    "error": _WORD,
    "event": _ID,
    "field": _FIELD,
    "id": _ID,
    "kind": _WORD,
    "origin": _ID,
    "side": _SIDE,
    "state": _WORD,
    "to": _SIDE,
    "what": _WORD,
    "why": _WORD,
    "winner": _SIDE,
}
"""Keys whose texts are hashed as they are, if they look as such texts do: words of ours, and trackers' ids."""

_COUNTS = frozenset(
    {
        "anew",
        "count",
        "earlier",
        "flagged",
        "history",
        "hold",
        "http",
        "outward",
        "rounds",
        "seq",
        "size",
    }
)
"""Keys whose numbers and flags are hashed as they are."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain: whoever holds it can tell whether the chain up to there is still the same.

    Attributes:
        agreement: whose chain; "" for the bridge's own.
        seq: the record's number; 0 for a chain without records.
        hash: its hash.
        at: when it was written, microseconds; 0 for a chain without records.
    """

    agreement: str
    seq: int = 0
    hash: str = GENESIS
    at: int = 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """What happened, with its values taken out.

    Attributes:
        data: what is hashed; in the place of each value ``{"sealed": seal}``.
        values: key -> (salt in hex, the value in canonical JSON).
    """

    data: Mapping[str, Any]
    values: Mapping[str, tuple[str, str]]


def canonical(value: Any) -> str:
    """The one spelling of a JSON value that is hashed: keys sorted, no blanks, ASCII.

    Raises:
        TypeError, ValueError: JSON cannot say it.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def seal_of(salt: str, text: str) -> str:
    """The seal of a value, from its salt (hex) and its canonical JSON."""
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def seal(data: Mapping[str, Any], salts: Callable[[int], bytes]) -> Sealed:
    """Take the values out of what happened.

    Args:
        data: what happened, by key.
        salts: makes so many random bytes.

    Raises:
        TypeError, ValueError: JSON cannot say it.
    """
    kept: dict[str, Any] = {}
    values: dict[str, tuple[str, str]] = {}
    for key, value in data.items():
        if _clear(key, value):
            kept[key] = value
            continue
        # By way of JSON once: a reader gets what JSON has made of the value (numbers as keys become texts).
        text = canonical(json.loads(canonical(value)) if isinstance(value, dict | list) else value)
        salt = salts(SALT).hex()
        kept[key] = {"sealed": seal_of(salt, text)}
        values[key] = (salt, text)
    return Sealed(kept, values)


def _clear(key: str, value: Any) -> bool:
    if isinstance(value, bool | int):
        return key in _COUNTS
    pattern = _CLEAR.get(key)
    return pattern is not None and isinstance(value, str) and pattern.fullmatch(value) is not None


def sealed_in(data: Mapping[str, Any]) -> dict[str, str]:
    """The seals of a record's data, by key."""
    return {
        key: value["sealed"]
        for key, value in data.items()
        if isinstance(value, dict) and value.keys() == {"sealed"} and isinstance(value["sealed"], str)
    }


def opened(data: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A record's data as people read it.

    Args:
        data: with seals.
        values: the values that are still there, in canonical JSON, by key.
    """
    seals = sealed_in(data)
    shown = dict(data)
    for key in seals:
        shown[key] = json.loads(values[key]) if key in values else ERASED
    return shown


def record(head: Head, *, at: int, link: int | None, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The record that follows a head, in the form that is hashed.

    Args:
        head: the record before it.
        at: when, microseconds of the bridge's clock.
        link: row id of the link that it is about.
        event: what happened.
        data: with seals.
    """
    return {
        "v": VERSION,
        "agreement": head.agreement,
        "seq": head.seq + 1,
        "at": at,
        "link": link,
        "event": event,
        "data": dict(data),
        "prev": head.hash,
    }


def hash_of(one: Mapping[str, Any]) -> str:
    """A record's hash."""
    return hashlib.sha256(canonical(one).encode()).hexdigest()
