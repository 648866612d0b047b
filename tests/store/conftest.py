"""A fresh store for every test, on SQLite and, where one is given, on PostgreSQL.

``BRIDGE_TEST_POSTGRES`` is the SQLAlchemy URL of a PostgreSQL database in which schemas may be made and
dropped, e.g. ``postgresql+psycopg://postgres@localhost/postgres``; without it a skipped test says so.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from making import POSTGRES, make
from sqlalchemy import create_engine, make_url, text

from bridge.store import Link, Store

KINDS = ["sqlite", "postgresql"] if POSTGRES else ["sqlite"]


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of that kind."""
    if kind != "postgresql":
        yield "sqlite://" if kind == "memory" else f"sqlite:///{folder / 'bridge.db'}"
        return
    schema = f"bridge_test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(POSTGRES)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    finally:
        engine.dispose()


@pytest.fixture(params=["memory", *KINDS])
def url(request, tmp_path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    with _database(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=KINDS)
def lasting_url(request, tmp_path) -> Iterator[str]:
    """The URL of an empty database of each kind that several processes can share."""
    with _database(request.param, tmp_path) as found:
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
