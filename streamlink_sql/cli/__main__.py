"""`python -m streamlink_sql.cli`: the same as the command `streamlink-sql`."""

from __future__ import annotations

from streamlink_sql.cli import main

main()
