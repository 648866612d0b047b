"""A real PostgreSQL for the tests: the fixture ``postgres``, one cluster for all workers of a test run.

``BRIDGE_TEST_POSTGRES``, the SQLAlchemy URL of a database in which schemas may be made and dropped, takes its place.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shared_server import common_folder, shared_server
from sqlalchemy import create_engine, make_url, text

SCRIPT = Path(__file__).with_name("postgres.sh")
GIVEN = os.environ.get("BRIDGE_TEST_POSTGRES", "")
AT_HAND = bool(GIVEN) or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))  # where Debian puts it
MISSING = "PostgreSQL is not installed: run tests/real/postgres.sh install as root"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL database; skips where there is none."""
    if GIVEN:
        yield GIVEN
        return
    if not AT_HAND:
        pytest.skip(MISSING)
    with shared_server(common_folder(tmp_path_factory, "postgres"), SCRIPT) as (url, _):
        yield url


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """The URL of an empty schema on that server, gone afterwards."""
    schema = f"bridge_test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        url = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield url.render_as_string(hide_password=False)
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    finally:
        engine.dispose()
