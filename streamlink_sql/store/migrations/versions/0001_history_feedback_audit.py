"""History, feedback and audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the three tables."""
    op.create_table(
        "history",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(200), nullable=False, unique=True),
        sa.Column("asked_at", sa.String(40), nullable=False),
        sa.Column("asker", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("body", sa.JSON),
    )
    op.create_index("history_by_asker", "history", ["asker", "seq"])
    op.create_table(
        "feedback",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(200), sa.ForeignKey("history.id"), nullable=False),
        sa.Column("given_at", sa.String(40), nullable=False),
        sa.Column("asker", sa.String(200), nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("sql", sa.Text),
        sa.Column("comment", sa.Text),
    )
    op.create_index("ix_feedback_id", "feedback", ["id"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("asker", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("engine", sa.String(100), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("attempts", sa.JSON, nullable=False),
        sa.Column("row_count", sa.Integer),
        sa.Column("ms", sa.Float),
    )
    op.create_index("ix_audit_id", "audit", ["id"])


def downgrade() -> None:
    """Drops the three tables and all that they hold."""
    for table in ("audit", "feedback", "history"):
        op.drop_table(table)
