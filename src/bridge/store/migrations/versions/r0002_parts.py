"""Parts of tickets beside fields and comments (files, relations, worklogs), and ids of webhook deliveries.

Revision 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this shape."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "parts",
        sa.Column("id", row_id, nullable=False),
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_id", sa.Text(), nullable=False),
        sa.Column("copy_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_parts_link_id_links"),
        sa.PrimaryKeyConstraint("id", name="pk_parts"),
        sa.UniqueConstraint(
            "link_id", "kind", "origin", "origin_id", name="uq_parts_link_id_kind_origin_origin_id"
        ),
    )
    condition = sa.text("copy_id <> ''")
    op.create_index(
        "uq_parts_copy",
        "parts",
        ["link_id", "kind", "origin", "copy_id"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
    op.create_table(
        "deliveries",
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hook", "delivery", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at"])


def downgrade() -> None:
    """Go back to the shape before."""
    op.drop_table("deliveries")
    op.drop_table("parts")
