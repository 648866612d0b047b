"""Timelines with the due index of the clocks, versions of policies, alerts that were claimed, acknowledgements.

Letters say by which channel they go: what was there before goes by mail.

Revision 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this shape."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "timelines",
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("born", sa.BigInteger()),
        sa.Column("stale_at", sa.BigInteger()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("timeline", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name="fk_timelines_link_id_links"),
        sa.PrimaryKeyConstraint("link_id", name="pk_timelines"),
    )
    op.create_index("ix_timelines_next", "timelines", ["next_at", "link_id"])
    op.create_index("ix_timelines_stale", "timelines", ["stale_at", "link_id"])
    op.create_index("ix_timelines_agreement", "timelines", ["agreement", "link_id"])
    op.create_table(
        "policies",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "version", name="pk_policies"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", row_id, nullable=False),
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint(
            "link_id", "clock", "cycle", "step", "round", name="uq_alerts_link_id_clock_cycle_step_round"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_claimed", "alerts", ["agreement", "claimed_at"])
    op.create_table(
        "acknowledgements",
        sa.Column("link_id", row_id, nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "clock", "cycle", name="pk_acknowledgements"),
    )
    op.add_column("outbox", sa.Column("channel", sa.Text(), nullable=False, server_default="mail"))


def downgrade() -> None:
    """Go back to the shape before."""
    op.drop_column("outbox", "channel")
    op.drop_table("acknowledgements")
    op.drop_index("ix_alerts_claimed", "alerts")
    op.drop_table("alerts")
    op.drop_table("policies")
    op.drop_index("ix_timelines_agreement", "timelines")
    op.drop_index("ix_timelines_stale", "timelines")
    op.drop_index("ix_timelines_next", "timelines")
    op.drop_table("timelines")
