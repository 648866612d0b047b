"""The first shape: links, bases, comments, intents, journal, cursors, notes.

Revision 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this shape."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "links",
        sa.Column("id", row_id, nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("internal_id", sa.Text()),
        sa.Column("internal_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Text()),
        sa.Column("vendor_key", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("done_gen", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_since", sa.BigInteger()),
        sa.Column("next_try", sa.BigInteger()),
        sa.Column("internal_linked", sa.Boolean(), nullable=False),
        sa.Column("vendor_linked", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("agreement", "internal_id", name="uq_links_agreement_internal_id"),
        sa.UniqueConstraint("agreement", "vendor_id", name="uq_links_agreement_vendor_id"),
        sqlite_autoincrement=True,
    )
    _index("uq_links_marker", "links", ["agreement", "marker"], where="marker <> ''")
    _index("ix_links_due", "links", ["due_at", "id"])
    _index("ix_links_state", "links", ["agreement", "state"])

    op.create_table(
        "bases",
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "side", name="pk_bases"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_bases_link_id_links"),
    )

    op.create_table(
        "comments",
        sa.Column("id", row_id, nullable=False),
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_id", sa.Text(), nullable=False),
        sa.Column("copy_id", sa.Text(), nullable=False),
        sa.Column("origin_digest", sa.Text(), nullable=False),
        sa.Column("copy_digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_comments_link_id_links"),
    )
    _index("uq_comments_origin", "comments", ["link_id", "origin", "origin_id"], where="origin_id <> ''")
    _index("uq_comments_copy", "comments", ["link_id", "origin", "copy_id"], where="copy_id <> ''")
    _index("ix_comments_link", "comments", ["link_id"])

    op.create_table(
        "intents",
        sa.Column("id", row_id, nullable=False),
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_intents_link_id_links"),
        sqlite_autoincrement=True,
    )
    _index(
        "uq_intents_open",
        "intents",
        ["link_id", "kind", "side", "subject"],
        where="state IN ('planned', 'sent', 'unknown')",
    )

    op.create_table(
        "journal",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("link_id", row_id),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sqlite_autoincrement=True,
    )
    _index("ix_journal_link", "journal", ["link_id", "id"])

    op.create_table(
        "cursors",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "side", "kind", name="pk_cursors"),
    )

    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notes"),
    )


def downgrade() -> None:
    """Go back to an empty database."""
    for table in ("notes", "cursors", "journal", "intents", "comments", "bases", "links"):
        op.drop_table(table)


def _index(name: str, table: str, columns: list[str], where: str = "") -> None:
    """An index; with ``where``, a unique one over the rows it names only."""
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, columns, unique=bool(where), sqlite_where=condition, postgresql_where=condition
    )
