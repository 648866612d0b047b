"""A fresh store for every test, on SQLite and on a real PostgreSQL where one is at hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from making import make
from postgres_server import AT_HAND, fresh_schema

from bridge.store import Link, Store

KINDS = ["sqlite", "postgresql"] if AT_HAND else ["sqlite"]


@contextmanager
def _database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of the kind that the fixture's parameter names."""
    if request.param == "postgresql":
        with fresh_schema(request.getfixturevalue("postgres")) as url:
            yield url
    else:
        folder = request.getfixturevalue("tmp_path")
        yield "sqlite://" if request.param == "memory" else f"sqlite:///{folder / 'bridge.db'}"


@pytest.fixture(params=["memory", *KINDS])
def url(request) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    with _database(request) as found:
        yield found


@pytest.fixture(params=KINDS)
def lasting_url(request) -> Iterator[str]:
    """The URL of an empty database of each kind that several processes can share."""
    with _database(request) as found:
        yield found


@pytest.fixture
def store(url) -> Iterator[Store]:
    """An open store on each kind of database."""
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def file_url(tmp_path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def link(store) -> Link:
    """One new link."""
    return make(store)
