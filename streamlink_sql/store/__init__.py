"""History, feedback and the audit, kept in SQLite or PostgreSQL. Never holds a cell of anybody's data."""
