"""Run checked SQL and return Arrow tables. The embedded engines read files in confined child processes; nothing here judges SQL."""

from __future__ import annotations

from typing import Any

from streamlink_sql.scope import Scope
from streamlink_sql.types import Dialect, Engine


def open_embedded(path: str, *, threads: int | None = None, scope: Scope | None = None, **limits: Any) -> Engine:
    """The engine for the file or folder at `path`, by its content; `scope` is what may be seen of it. `limits` are those both engines
    know: `memory_limit_mb`, `spill_limit_mb`, `children`; SQLite has one thread. Raises NotFound, BadRequest or EngineUnavailable.
    """
    from streamlink_sql.engines import source

    if source.look(path).kind == "sqlite":
        from streamlink_sql.engines.sqlite import SQLiteEngine

        return SQLiteEngine(path, scope=scope, **limits)
    from streamlink_sql.engines.duckdb import DuckDBEngine

    return DuckDBEngine(path, threads=threads, scope=scope, **limits)


def dialect_of(path: str) -> Dialect:
    """The dialect of the engine that reads the file or folder at `path`."""
    from streamlink_sql.engines import source

    return "sqlite" if source.look(path).kind == "sqlite" else "duckdb"
