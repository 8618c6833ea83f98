"""Who works on which question in a store that several control units share, and the rows of their last answers, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the tables. Kept rows go with a crash of the database, and stand in none of its logs."""
    op.create_table(
        "leases",
        sa.Column("id", sa.String(200), sa.ForeignKey("history.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("called_off", sa.Boolean, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
    )
    op.create_table(
        "kept_rows",
        sa.Column("id", sa.String(200), sa.ForeignKey("history.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.LargeBinary, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE kept_rows SET UNLOGGED")


def downgrade() -> None:
    """Drops the tables: questions under way are not taken over any more."""
    for table in ("kept_rows", "leases"):
        op.drop_table(table)
