"""Whether an audit chain is whole: each record follows from the one before it, each value fits its seal.

Records are taken one by one, so that a chain of any length can be verified as it streams by; the first flaw ends it,
for whatever follows a broken record proves nothing any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.sync.chain import BEGUN, ERASED_VALUES, VERSION, Head, canonical, hash_of, seal_of, sealed_in

_KEYS = {"v", "agreement", "seq", "at", "link", "event", "data", "prev"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that is wrong.

    Attributes:
        seq: number of the first bad record; of a chain that ends too soon, of the first missing one.
        what: what was found.
        meaning: what that means, for somebody who has to act on it.
    """

    seq: int
    what: str
    meaning: str

    def __str__(self) -> str:
        return f"record {self.seq}: {self.what}. {self.meaning}"


class Proof:
    """The verification of one chain.

    Args:
        agreement: whose chain it is to be.
        last: the head that whoever keeps the chain says it has; None when nobody says.
        held: a head that somebody else holds (``seq`` 0: only its hash is known); the chain must contain it.
        sealed: whether the values were left out on purpose.

    Attributes:
        head: the newest record so far.
        sealed_values: seals without a value so far.
        erased: how many values the chain says were erased.
    """

    def __init__(
        self, agreement: str, *, last: Head | None = None, held: Head | None = None, sealed: bool = False
    ) -> None:
        self.head = Head(agreement)
        self.sealed_values = 0
        self.erased = 0
        self._last = last
        self._held = held
        self._met = held is None
        self._sealed = sealed

    def take(self, one: Mapping[str, Any], told: str, values: Mapping[str, tuple[str, str]]) -> Flaw | None:
        """Verify the next record.

        Args:
            one: the record in its hashed form.
            told: the hash that it is said to have.
            values: key -> (salt, canonical JSON) of the values that are there.
        """
        expected = self.head.seq + 1
        flaw = self._place(one, expected)
        if flaw is not None:
            return flaw
        if hash_of(one) != told:
            return Flaw(
                expected,
                "its hash is not the hash of what it says",
                "It was changed after it was written, or another record was put in its place.",
            )
        if one["prev"] != self.head.hash:
            return Flaw(
                expected,
                "it does not follow the record before it",
                f"Record {expected - 1} was replaced, or this one belongs to another chain.",
            )
        if expected == 1 and one["event"] != BEGUN:
            return Flaw(1, f"the chain does not begin with '{BEGUN}'", "Its beginning was cut off.")
        flaw = self._values(one["data"], values, expected)
        if flaw is not None:
            return flaw
        if one["event"] == ERASED_VALUES and isinstance(one["data"].get("count"), int):
            self.erased += one["data"]["count"]
        self.head = Head(self.head.agreement, expected, told, one["at"])
        return self._compare()

    def end(self) -> Flaw | None:
        """There are no more records: whether any is missing."""
        last, held, after = self._last, self._held, self.head.seq + 1
        if last is not None and (last.seq, last.hash) != (self.head.seq, self.head.hash):
            return Flaw(
                after,
                f"the chain is said to end with record {last.seq}, and ends with {self.head.seq}",
                "Its end was cut off, or records were added behind it.",
            )
        if not self._met and held is not None:
            what = (
                f"the head that was given is record {held.seq}, and the chain ends with record {self.head.seq}"
                if held.seq
                else "no record has the hash that was given"
            )
            return Flaw(
                after, what, "Its end was cut off, or it was written anew since that head was handed out."
            )
        missing = self.sealed_values - self.erased
        if not self._sealed and missing:
            return Flaw(
                self.head.seq,
                f"{self.sealed_values} values are missing, and the chain accounts for {self.erased} erased ones",
                "Values were taken away without a trace, or put back after they had been erased.",
            )
        return None

    def _place(self, one: Mapping[str, Any], expected: int) -> Flaw | None:
        """Whether it is a record at all, of this chain and in this place."""
        well_formed = (
            one.keys() == _KEYS
            and one["v"] == VERSION
            and isinstance(one["data"], dict)
            and isinstance(one["event"], str)
            and type(one["at"]) is int
        )
        if not well_formed:
            return Flaw(
                expected, "it does not have the form of a record", "It was changed after it was written."
            )
        if one["agreement"] != self.head.agreement:
            return Flaw(
                expected,
                "it belongs to the chain of another agreement",
                "A record of another chain was put in here.",
            )
        if one["seq"] != expected:
            return Flaw(
                expected,
                f"record {one['seq']} is in its place",
                "A record was taken away, added, or two were swapped.",
            )
        return None

    def _values(
        self, data: Mapping[str, Any], values: Mapping[str, tuple[str, str]], seq: int
    ) -> Flaw | None:
        seals = sealed_in(data)
        for key, (salt, text) in values.items():
            if key not in seals:
                return Flaw(seq, f"there is a value '{key}' without a seal", "It was put in afterwards.")
            if not _fits(salt, text, seals[key]):
                return Flaw(
                    seq,
                    f"the value '{key}' does not fit its seal",
                    "The value was changed; the record itself stands.",
                )
        self.sealed_values += len(seals) - len(values)
        return None

    def _compare(self) -> Flaw | None:
        """Whether this is the record that somebody holds the hash of, and the same."""
        held = self._held
        if held is None:
            return None
        if held.seq in (0, self.head.seq) and held.hash == self.head.hash:
            self._met = True
        elif held.seq == self.head.seq:
            return Flaw(
                held.seq,
                "it is not the record whose head was given",
                "The chain was written anew since that head was handed out.",
            )
        return None


def _fits(salt: str, text: str, expected: str) -> bool:
    try:
        return canonical(json.loads(text)) == text and seal_of(salt, text) == expected
    except (ValueError, RecursionError):
        return False
