"""Chains of hashes over the audit, and the detector's alarm in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns; lines that are there already stay without a hash."""
    op.add_column("audit", sa.Column("alarm", sa.Text))
    op.add_column("audit", sa.Column("writer", sa.String(80)))
    op.add_column("audit", sa.Column("number", sa.Integer))
    op.add_column("audit", sa.Column("mac", sa.String(64)))
    op.create_index("audit_chains", "audit", ["writer", "number"], unique=True)


def downgrade() -> None:
    """Drops the columns, and with them what proves that the audit is whole."""
    op.drop_index("audit_chains", "audit")
    for name in ("mac", "number", "writer", "alarm"):
        op.drop_column("audit", name)
