"""The canaries: made-up words, the table of all private places where they stand, and the search for them.

A place that is not in the table has no canary, and one in the table without a canary fails the test: a reader of the
table sees what is looked for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

BOTH, HOME, ACME = ("home", "acme"), ("home",), ("acme",)

PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "people": {
        "login": BOTH,
        "mail": BOTH,
        "account": BOTH,
        "a name that is an address": BOTH,
    },
    "fields": {
        "a label": BOTH,
        "another label": HOME,
        "environment": HOME,
        "a field": BOTH,
        "another field": BOTH,
        "component": BOTH,
        "version": BOTH,
        "affected version": BOTH,
        "title of a web link": BOTH,
        "property of a ticket": BOTH,
        "label of a ticket to be linked": HOME,
    },
    "tickets": {
        "a ticket out of scope": HOME,
        "its text": HOME,
        "another project": HOME,
        "secured": BOTH,
        "secured text": BOTH,
        "secured comment": BOTH,
        "summary of a ticket made private": HOME,
        "public comment on a ticket made private": HOME,
    },
    "comments": {
        "role": BOTH,
        "group": BOTH,
        "admins": BOTH,
        "internal note": BOTH,
        "note, edited": BOTH,
        "flipped": BOTH,
        "before it was opened": BOTH,
        "deleted": BOTH,
        "child of a note": ACME,
        "a note in bad times": BOTH,
        "old private comment": BOTH,
        "private comment that shows a file": BOTH,
        "name of a private file": BOTH,
    },
    "files": {
        "content of a private file": BOTH,
        "end of a long private comment": HOME,
        "name of a refused file": BOTH,
        "content of a refused file": BOTH,
    },
    "time": {
        "private worklog": BOTH,
        "worklog of a group": BOTH,
        "worklog, made private": BOTH,
    },
    "ties": {
        "key of a linked ticket": BOTH,
        "title of a linked ticket elsewhere": BOTH,
        "title of a secured parent": BOTH,
        "title of a secured linked ticket": BOTH,
    },
    "journeys": {
        "key after moving out": BOTH,
        "summary after moving out": BOTH,
        "comment after moving out": BOTH,
        "file after moving out": BOTH,
        "worklog after moving out": BOTH,
        "last words before a deletion": BOTH,
        "private comment of a deleted ticket": BOTH,
    },
    "by hand": {
        "private ticket to be linked": HOME,
        "its description": HOME,
    },
    "web": {
        "body of a forged webhook": BOTH,
        "body of a proven webhook": BOTH,
        "proven nonsense": BOTH,
        "address": HOME,
        "query": HOME,
        "header": HOME,
    },
}
"""Group -> place -> the trackers that have a canary there."""

LISTENING = frozenset({"web", "a note in bad times"})
"""Groups and places that need the daemon."""

SHOWN_TO_PEOPLE = frozenset({"name of a refused file", "key after moving out"})
"""What commands may print, for our own people need it; no metric and no request to the other side has it."""

LOGGED = frozenset({"key after moving out"})
"""What a log may hold: keys of tickets."""


def every(*, listening: bool) -> set[str]:
    """All places, as ``home: a label``."""
    return {
        f"{site}: {place}"
        for group, places in PLACES.items()
        for place, sites in places.items()
        for site in sites
        if listening or not {group, place} & LISTENING
    }


def groups(places: Iterable[str]) -> set[str]:
    """The groups that these places belong to."""
    plain = {place.partition(": ")[2] for place in places}
    return {group for group, held in PLACES.items() if plain & held.keys()}


class Canaries:
    """Made-up words, each with the one place where it stands."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def new(self, place: str) -> str:
        """A word for a place; letters only, so that no markup changes it."""
        word = "canary" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(14))
        self.words[word] = place
        return word

    def found(self, text: str) -> set[str]:
        """The places whose words are in a text, however it is written down."""
        plain = re.sub("[\u2060\u200b]", "", text).casefold()
        return {place for word, place in self.words.items() if word in plain}
