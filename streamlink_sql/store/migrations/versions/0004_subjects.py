"""Which account at a provider of OpenID Connect a user has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the columns; users who are there already log in as before."""
    op.add_column("users", sa.Column("issuer", sa.String(500)))
    op.add_column("users", sa.Column("subject", sa.String(255)))
    op.create_index("users_by_subject", "users", ["issuer", "subject"], unique=True)


def downgrade() -> None:
    """Drops the columns: nobody can log in at a provider any more."""
    op.drop_index("users_by_subject", "users")
    for name in ("subject", "issuer"):
        op.drop_column("users", name)
