"""Database errors in the operator's words. Statements and values are not shown: they hold people's texts."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bridge.errors import StoreError

SENTENCES = (
    ("file is not a database", "{where} is not a database."),
    ("file is encrypted", "{where} is not a database."),
    (
        "unable to open database file",
        "{where} cannot be opened: see that its folder exists and is ours to write.",
    ),
    ("readonly database", "{where} is read-only for this user; its folder must be writable too."),
    ("disk is full", "There is no room left for {where}."),
    ("no space left", "There is no room left for {where}."),
    ("could not extend file", "There is no room left for {where}."),
    ("disk i/o error", "The disk that holds {where} fails to read or write."),
    ("malformed", "{where} is damaged: restore the newest backup."),
    ("database is locked", "Another program has kept {where} locked for too long."),
    ("no such table", "{where} lacks a table: restore the newest backup."),
    ("connection refused", "{where} cannot be reached: nothing listens there."),
    ("could not translate host name", "{where} cannot be reached: no such host."),
    ("password authentication failed", "{where} refuses the login."),
    ("does not exist", "{where} lacks something that should be there."),
)
"""What the database says, in lower case -> what we say. The first that fits is taken."""


def explain(error: SQLAlchemyError, where: str) -> StoreError:
    """The error as ours: a sentence about the database at ``where``, then the database's own first line."""
    if isinstance(error, PoolTimeoutError):
        return StoreError(f"All connections to {where} have been busy for too long.")
    if not isinstance(error, DBAPIError):
        return StoreError(f"{where} was asked something impossible ({_first_line(str(error))}).")
    words = _first_line(str(error.orig))
    if isinstance(error, IntegrityError):
        return StoreError(f"{where} refused a row that contradicts another one ({words}).")
    for sign, sentence in SENTENCES:
        if sign in words.lower():
            return StoreError(f"{sentence.format(where=where)} ({words})")
    return StoreError(f"{where} cannot be used ({words}).")


def _first_line(words: str) -> str:
    """The first line only: PostgreSQL puts row values into the later ones."""
    return words.strip().partition("\n")[0].strip()
