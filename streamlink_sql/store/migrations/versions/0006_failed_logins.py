"""Who failed to log in of late, for control units that share a store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "failed_logins",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("attempt", sa.String(16), nullable=False, index=True),
        sa.Column("who", sa.String(64), nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drops the table: what failed is forgotten."""
    op.drop_table("failed_logins")
