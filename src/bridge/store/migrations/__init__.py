"""Alembic's folder: how a database comes from one shape to the next. Run by :mod:`bridge.store.schema`."""
