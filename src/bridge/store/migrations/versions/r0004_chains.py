"""The journal as a chain of hashes for each agreement, with its values beside it.

What is in the journal already stays as it is, outside of the chains; their first records say how much there is of it.

Revision 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this shape."""
    op.add_column("journal", sa.Column("seq", sa.BigInteger()))
    op.add_column("journal", sa.Column("hash", sa.Text()))
    op.create_index("uq_journal_seq", "journal", ["agreement", "seq"], unique=True)
    op.create_table(
        "journal_values",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "seq", "key", name="pk_journal_values"),
    )
    op.create_table(
        "chains",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agreement", name="pk_chains"),
    )


def downgrade() -> None:
    """Go back to the shape before."""
    op.drop_table("chains")
    op.drop_table("journal_values")
    op.drop_index("uq_journal_seq", "journal")
    op.drop_column("journal", "hash")
    op.drop_column("journal", "seq")
