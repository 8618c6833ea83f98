"""Brings a store to the version of this program, behind a lock. Touches nothing where the version fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, inspect, text

from streamlink_sql.errors import StoreUnavailable
from streamlink_sql.store.tables import VERSION

ADVISORY_LOCK = 7_330_142_501
LOCK_TIMEOUT_S = 60


def migrate(engine: Engine) -> None:
    """Runs the migrations that the store lacks; processes that start together take turns."""
    with engine.connect() as connection:
        if _version(connection) == VERSION:
            return
    with _locked(engine), engine.begin() as connection:
        found = _version(connection)
        if found != VERSION:
            _upgrade(connection, found)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", "streamlink_sql:store/migrations")
    config.attributes["connection"] = connection
    try:
        if found is not None:
            ScriptDirectory.from_config(config).get_revision(found)
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"The store has version {found}, which this StreamLink ({VERSION}) does not know: it was written by a newer one. "
            "Update StreamLink, or name another store with the setting `store`."
        ) from error


@contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    """Holds the one lock of this store: a file beside a SQLite file, an advisory lock on PostgreSQL."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        return
    from filelock import FileLock, Timeout

    try:
        with FileLock(f"{engine.url.database}.lock", timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise StoreUnavailable(f"Another process has been updating the store {engine.url.database} for {LOCK_TIMEOUT_S} s.") from error
