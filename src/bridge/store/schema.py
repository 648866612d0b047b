"""Which shape the database has, and how it comes to the one this program needs.

The migrations are Alembic revisions inside the package (``migrations/versions``), run from here without any
ini file. An upgrade is one transaction under the write lock: two processes that start at once do it once, and
a crash in the middle leaves the old shape. To write a new revision after changing ``tables.py``::

    alembic.command.revision(schema.config(connection), message="what changes", autogenerate=True)
"""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from bridge.errors import StoreError
from bridge.store.tables import metadata

VERSION_TABLE = "bridge_schema"
"""Not Alembic's default, so that a PostgreSQL database can be shared with another user of Alembic."""

LOCK = 0x627269646765
"""Key of the advisory lock under which PostgreSQL databases are upgraded ("bridge")."""

_alembic = threading.Lock()  # Alembic keeps the running migration in a global


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for our migrations, on that connection."""
    made = Config()
    made.set_main_option("script_location", "bridge.store:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The shape that this program needs."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None, "the package ships at least one migration"
    return found


def current(connection: Connection) -> str | None:
    """The shape that the database has; None when it is empty."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def verify(connection: Connection, where: str) -> bool:
    """Whether the database already has the shape that this program needs.

    Raises:
        StoreError: it belongs to another program, or to a newer version of this one.
    """
    present = current(connection)
    if present is None:
        _refuse_strangers(connection, where)
        return False
    needed = head()
    if present == needed:
        return True
    try:
        ScriptDirectory.from_config(config()).get_revision(present)
    except CommandError as error:
        raise StoreError(
            f"{where} has the schema {present}, which this program does not know; it knows up to {needed}. "
            "A newer version of bridge has used it: run that version, or restore a backup from before."
        ) from error
    return False


def upgrade(connection: Connection, where: str) -> None:
    """Bring the database to the shape that this program needs, within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    if verify(connection, where):  # another process was quicker
        return
    with _alembic:
        command.upgrade(config(connection), "head")


def _refuse_strangers(connection: Connection, where: str) -> None:
    """Refuse a database that somebody else's tables are in.

    A SQLite file belongs to one program. A PostgreSQL schema may be shared (with the queue's tables, for
    one), so there only a table of the same name is in the way.
    """
    tables = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    if connection.dialect.name == "postgresql":
        tables &= set(metadata.tables)
    if tables:
        raise StoreError(
            f"{where} belongs to another program: it has the table {min(tables)!r}, but no schema of bridge."
        )
