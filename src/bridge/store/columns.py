"""Column types that mean the same on SQLite and PostgreSQL, and the one statement the two spell apart.

Text is cleaned of what PostgreSQL cannot store, so that a tracker's odd words never fail a transaction on one
database only. JSON carries a version, so that a later program can tell what it reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import JSON, BigInteger, Connection, Dialect, Integer, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

from bridge.errors import StoreError

VERSION = 1
"""Version of the JSON envelope; a reader refuses any other."""

CHUNK = 500
"""How many ids go into one statement; SQLite's limit of variables is far above it, older ones' is 999."""

T = TypeVar("T")

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A row id: 64 bits on both, and SQLite only counts up by itself when the type is spelled INTEGER."""


def clean(text: str) -> str:
    """The text without what PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates become U+FFFD."""
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def to_json(value: Any) -> str:
    """JSON that both databases take: compact, ASCII, without Python's NaN and Infinity."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


class Words(TypeDecorator[str]):
    """Text that any of the databases can store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's form
        """Clean what is about to be stored or compared."""
        return None if value is None else clean(value)


class Word(TypeDecorator[StrEnum]):
    """A member of one enumeration, stored as its value in plain text: new words need no migration."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's form
        """Store the value; a word that is no member is refused here, not found at the next read."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - SQLAlchemy's form
        """Give the member back."""
        return None if value is None else self.words(value)


class Json(TypeDecorator[Any]):
    """JSON; what cannot be said in it is refused in the same way on every database."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's form
        """Refuse what is not JSON. The drivers would, each with an error of its own."""
        try:
            to_json(value)
        except (TypeError, ValueError) as error:
            raise StoreError(f"A value cannot be stored as JSON: {error}.") from error
        return value


class Versioned(Json):
    """JSON in an envelope that says which version wrote it: ``{"v": 1, "data": ...}``."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Put the value into its envelope."""
        return super().process_bind_param({"v": VERSION, "data": value}, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's form
        """Take the value out of its envelope."""
        if not isinstance(value, dict) or value.get("v") != VERSION:
            raise StoreError(
                f"A stored value is not of version {VERSION}, the only one that this program reads: "
                "it was written by a newer version, or by hand."
            )
        return value["data"]


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, in this database's spelling."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values without doubles, in order, in portions that fit into one statement."""
    unique = list(dict.fromkeys(values))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]
