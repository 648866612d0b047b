"""Canaries of redaction: made-up secrets, each of a kind that a rule finds, planted in every place for words."""

from __future__ import annotations

import random
import string

PLACES = (
    "summary",
    "description",
    "code in a description",
    "cell of a table",
    "address of a link",
    "over a bold word",
    "field of one line",
    "comment",
    "edited comment",
    "name of a file",
    "file",
    "file in UTF-16",
    "file in Latin-1",
    "worklog",
    "end of a long text",
)
"""Every place where somebody's words may stand that cross."""

KINDS = ("key", "mail", "number", "customer", "network")

REDACT = """
redact:
  - secrets
  - addresses
  - {person-numbers: [dk, nl]}
  - {pattern: '\\b10\\.\\d+\\.\\d+\\.\\d+\\b', as: "[internal address]"}
  - {dictionary: customers.txt, as: "[customer]"}
"""


class Planted:
    """Made-up secrets, each with the one place where it stands."""

    def __init__(self, seed: int) -> None:
        self.words: dict[str, str] = {}
        self.customers: list[str] = []
        self._random = random.Random(seed)

    def new(self, place: str) -> str:
        """Some words with one secret of each kind."""
        made = [self._make(kind) for kind in KINDS]
        self.words |= {secret: f"{place} ({kind})" for secret, kind in zip(made, KINDS, strict=True)}
        return f"use {made[0]}, ask {made[1]}, CPR {made[2]}, for {made[3]} at {made[4]}."

    def found(self, text: str) -> set[str]:
        """The places whose secrets are in a text, however it is written down."""
        plain = text.replace("\\", "").replace("\u2060", "")
        return {place for word, place in self.words.items() if word in plain or word in text}

    def _make(self, kind: str) -> str:
        pick = self._random.choice
        letters = "".join(pick(string.ascii_lowercase) for _ in range(9))
        match kind:
            case "key":
                return "AKIA" + "".join(pick("ABCDEFGHJKLMNPQRSTUVWXYZ234567") for _ in range(16))
            case "mail":
                return f"{letters}@customers.example"
            case "number":
                return self._bsn()
            case "customer":
                self.customers.append(letters.capitalize())
                return letters.capitalize()
            case _:
                return ".".join(["10", *(str(self._random.randrange(256)) for _ in range(3))])

    def _bsn(self) -> str:
        """A Dutch number whose check digit is right."""
        while True:
            digits = [self._random.randrange(1, 10) for _ in range(8)]
            last = sum(weight * digit for weight, digit in zip(range(9, 1, -1), digits, strict=True)) % 11
            if last < 10:
                return "".join(map(str, [*digits, last]))
