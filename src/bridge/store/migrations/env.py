"""Alembic runs this file for every command; the connection is handed in by :mod:`bridge.store.schema`."""

from __future__ import annotations

from alembic import context

from bridge.store.schema import VERSION_TABLE
from bridge.store.tables import metadata


def run() -> None:
    """Run the migrations within the caller's transaction."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError(
            "bridge's migrations are run by bridge.store.schema, which hands in the connection"
        )
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
