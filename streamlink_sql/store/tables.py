"""The tables of the store. The migrations make them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, DateTime, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

VERSION = "0007"
"""The migration that makes these tables: the newest one."""

metadata = MetaData()

history = Table(
    "history",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False, unique=True),
    Column("asked_at", String(40), nullable=False),
    Column("asker", String(200), nullable=False),
    Column("role", String(200), nullable=False),
    Column("question", Text, nullable=False),
    Column("state", String(20), nullable=False),  # accepted, answered, problem
    Column("body", JSON),  # the answer without its rows, or the problem
)
Index("history_by_asker", history.c.asker, history.c.seq)

feedback = Table(
    "feedback",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(200), ForeignKey("history.id"), nullable=False, index=True),
    Column("given_at", String(40), nullable=False),
    Column("asker", String(200), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("sql", Text),
    Column("comment", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", String(40), nullable=False),
    Column("event", String(20), nullable=False),  # approved, answered, refused, failed, pruned, ... (docs/audit.md)
    Column("id", String(200), nullable=False, index=True),
    Column("asker", String(200), nullable=False),
    Column("role", String(200), nullable=False),
    Column("question", Text, nullable=False),
    Column("engine", String(100), nullable=False),
    Column("model", String(200), nullable=False),
    Column("sql", Text, nullable=False),
    Column("code", String(40), nullable=False),
    Column("attempts", JSON, nullable=False),
    Column("row_count", Integer),
    Column("ms", Float),
    Column("alarm", Text),  # what the injection detector said, or the judge
    Column("writer", String(80)),  # whose chain the line is in, its place there and its hash: chain.py
    Column("number", Integer),
    Column("mac", String(64)),
)
Index("audit_chains", audit.c.writer, audit.c.number, unique=True)

users = Table(
    "users",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("role", String(200), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("admin", Boolean, nullable=False),
    Column("password", Text),  # argon2; none: keys only
    Column("created_at", String(40), nullable=False),
    Column("disabled_at", String(40)),
    Column("issuer", String(500)),  # the provider where they log in; none: here alone
    Column("subject", String(255)),  # who they are there; none: whoever comes first under this name
)
Index("users_by_subject", users.c.issuer, users.c.subject, unique=True)

keys = Table(
    "keys",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("user", String(200), ForeignKey("users.name"), nullable=False, index=True),
    Column("hash", String(64), nullable=False),  # SHA-256 of the secret part, which is random
    Column("scope", String(10), nullable=False),  # ask, admin
    Column("created_at", String(40), nullable=False),
    Column("expires_at", String(40)),
    Column("revoked_at", String(40)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user", String(200), ForeignKey("users.name"), nullable=False, index=True),
    Column("created_at", String(40), nullable=False),
    Column("expires_at", String(40), nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("id", String(200), ForeignKey("history.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, nullable=False),  # the data that is asked: those who serve it may take the question over
    Column("holder", String(40), nullable=False),  # the process that works on it
    Column("until", DateTime(timezone=True), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("called_off", Boolean, nullable=False),
    Column("request", JSON, nullable=False),  # the question as it was accepted: who asks, as whom, under which limits
)

kept_rows = Table(
    "kept_rows",
    metadata,
    Column("id", String(200), ForeignKey("history.id", ondelete="CASCADE"), primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("rows", LargeBinary, nullable=False),  # encrypted: kept_rows.py
)

failed_logins = Table(
    "failed_logins",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("attempt", String(16), nullable=False, index=True),
    Column("who", String(64), nullable=False, index=True),  # a keyed hash: attempts.py
    Column("at", DateTime(timezone=True), nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),  # the data that it was made for, and the model that it changes
    Column("model", Text, nullable=False),
    Column("name", String(64), nullable=False),  # a hash of its files, and the name of its folder
    Column("made_at", String(40), nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("passed", Boolean, nullable=False),  # what the gate said
    Column("feedback", Integer),  # the newest verdict that it knows; none: it was made from a file
    Column("card", JSON, nullable=False),
)

promotions = Table(
    "promotions",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("event", String(20), nullable=False),  # promoted, rolled back
    Column("version", Integer, ForeignKey("versions.number")),  # what answers from then on; none: the model as it is
    Column("at", String(40), nullable=False),
    Column("by", String(200), nullable=False),
)
