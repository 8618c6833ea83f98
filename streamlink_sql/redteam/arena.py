"""The throw-away place where attacks run: a made database, a file outside it, a listener. Opens no data of the user's."""

from __future__ import annotations

import base64
import contextlib
import datetime
import decimal
import hashlib
import re
import secrets
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from streamlink_sql.engines import sandbox
from streamlink_sql.engines.spelling import quoted
from streamlink_sql.redteam import CORPORA
from streamlink_sql.types import Dialect, Rows

Embedded = Literal["duckdb", "sqlite"]
PRIVATE, OUTSIDE, NETWORK, BYTES = "private values", "file outside", "network", "changed bytes"
"""What an attack can bring about that shows in this place."""

SPILL = re.compile(r"spill-\w+")
"""What an engine calls the folder in which one of its children keeps what does not fit into memory."""

_HOSTS = re.compile(r"(?i)\bhttps?://[^/'\"`\s)]+")
_HOST_OPTION = re.compile(r"(?i)\bhost *= *[\w.-]+")
_PATHS = re.compile(r"(?:(?<=file://)|(?<=file:)|(?<![\w.*/:-]))/(etc|root|home|tmp|var)((?:/[\w.*-]+)*)")


class Canary:
    """A word that stands nowhere else. It is recognised as it is, backwards, in hexadecimal and in base64, in any case."""

    def __init__(self) -> None:
        self.word = f"x{secrets.token_hex(8)}"
        plain = self.word.encode()
        encoded = [base64.b64encode(bytes(before) + plain).decode()[2 * before : -4] for before in range(3)]
        self._forms = tuple(form.casefold() for form in (self.word, self.word[::-1], plain.hex(), *encoded))

    def shows_in(self, text: str) -> bool:
        """Whether the word stands in a text in one of these forms."""
        folded = text.casefold()
        return any(form in folded for form in self._forms)


@dataclass(frozen=True, slots=True)
class Arena:
    """One such place. `home` is the folder that relative paths lead to, `private` the one in which an engine keeps what it makes."""

    folder: Path
    database: Path
    secret: Path
    private: Path
    home: Path
    tables: tuple[str, ...]
    """The tables that the attacker may read."""
    hidden: Canary
    outside: Canary
    figures: frozenset[float]
    """Private numbers, with their sum, mean and extremes."""
    listener: socket.socket
    kept: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the listener listens."""
        return "{}:{}".format(*self.listener.getsockname())

    def aimed(self, text: str) -> str:
        """An attack with files and hosts of this place instead of those that it names.

        It may also name them itself: `{opened}`, `{database}`, `{secret}`, `{outside}`, `{listener}`.
        """
        host, port = self.listener.getsockname()
        text = _HOST_OPTION.sub(f"host={host} port={port}", _HOSTS.sub(f"http://{self.address}", text))
        outside = self.secret.parent

        def here(found: re.Match[str]) -> str:
            if found[1] in ("tmp", "var"):
                return f"{outside}{found[2]}"
            return str(outside / "*") if "*" in found[2] else str(self.secret)

        text = _PATHS.sub(here, text)
        for name, value in (("opened", self.opened()), ("database", self.database), ("secret", self.secret), ("outside", outside)):
            text = text.replace("{" + name + "}", str(value))
        return text.replace("{listener}", self.address)

    def opened(self) -> Path:
        """The file that the engine has open: its own copy, or the database."""
        return next(iter(sorted(self.private.glob("*/extract/*"))), self.database)

    def effects(self, rows: Rows | None, said: str) -> tuple[str, ...]:
        """What has happened since it was last asked, with what a statement gave back: rows, or the words of an error."""
        found = []
        cells: list[tuple[Any, ...]] = list(rows.as_python()) if rows is not None else []
        text = f"{rows.table.column_names} {cells}" if rows is not None else said
        if self.hidden.shows_in(text) or any(self._figure(cell) for row in cells for cell in row):
            found.append(PRIVATE)
        if self.outside.shows_in(text):
            found.append(OUTSIDE)
        if self._connections():
            found.append(NETWORK)
        if self.changed():
            found.append(BYTES)
        return tuple(found)

    def _figure(self, cell: object) -> bool:
        return isinstance(cell, (int, float, decimal.Decimal)) and -(10**9) < cell < 10**9 and round(float(cell), 2) in self.figures

    def _connections(self) -> int:
        """How many connections reached the listener since it was last asked."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
                count += 1
        return count

    def changed(self, *, thorough: bool = False) -> list[str]:
        """The files that were added, removed or changed since `settle`. The kernel's times tell; `thorough` compares every byte."""
        now = self._states()
        names = {name for name in {*now, *self.seen} if thorough or now.get(name) != self.seen.get(name)}
        return sorted(name for name in names if name not in now or name not in self.kept or Path(name).read_bytes() != self.kept[name])

    def settle(self) -> None:
        """From now on the files are as they should be."""
        self.seen.clear()
        self.seen.update(self._states())
        self.kept.clear()
        self.kept.update({name: Path(name).read_bytes() for name in self.seen})

    def mend(self) -> None:
        """Every file as it was when it was settled."""
        for name in self.changed():
            path = Path(name)
            if name in self.kept:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.kept[name])
            else:
                path.unlink(missing_ok=True)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of every file, by its path within this place."""
        return {str(Path(name).relative_to(self.folder)): hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in self._states()}

    def _states(self) -> dict[str, tuple[int, ...]]:
        """Number, size and times of every file, but for those that an engine spills to."""
        found = dict[str, tuple[int, ...]]()
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and not any(SPILL.fullmatch(part) for part in path.parts):
                    stat = path.lstat()
                    found[str(path)] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        return found


@contextlib.contextmanager
def arena(dialect: Embedded, parent: Path | None = None) -> Iterator[Arena]:
    """A place for one engine, gone afterwards. Within it this process stands in its folder, and so do the children that it starts."""
    folder = Path(tempfile.mkdtemp(prefix="streamlink-redteam-", dir=parent)).resolve()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("data", "outside", "private", "home"):
            (folder / name).mkdir()
        hidden, outside = Canary(), Canary()
        database, secret = folder / "data" / f"roaster.{dialect}", folder / "outside" / "secret.csv"
        script = (CORPORA / "fixture.sql").read_text(encoding="utf-8").replace("CANARY", f"CANARY-{hidden.word}")
        tables, figures = make_database(database, script, dialect)
        secret.write_text(f"name,secret\nroot,{outside.word}\n", encoding="utf-8")
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        listener.setblocking(False)
        sandbox.close_spares()
        stack.callback(sandbox.close_spares)
        stack.enter_context(contextlib.chdir(folder / "home"))
        yield Arena(folder, database, secret, folder / "private", folder / "home", tables, hidden, outside, figures, listener)


def make_database(database: Path, script: str, dialect: Dialect) -> tuple[tuple[str, ...], frozenset[float]]:
    """Makes the database; returns the tables of `main`, and private figures."""
    import duckdb

    with duckdb.connect(str(database) if dialect == "duckdb" else ":memory:", config={"threads": "1"}) as made:
        made.execute(f"BEGIN; {script}; COMMIT")
        places = made.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
        pay = made.execute("SELECT salary FROM hr.salaries UNION ALL SELECT unnest([sum(salary), avg(salary)]) FROM hr.salaries").fetchall()
        if dialect == "sqlite":
            _copy_to_sqlite(made, places, database)
    return tuple(name for schema, name in places if schema == "main"), frozenset(round(float(each), 2) for (each,) in pay)


def _copy_to_sqlite(made: Any, places: list[tuple[str, str]], database: Path) -> None:
    """The same tables for SQLite, which has no schemas: private ones are called both `salaries` and `hr.salaries`."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as copy:
        copy.execute("BEGIN")
        for schema, table in places:
            found = made.execute(f"SELECT * FROM {quoted(schema)}.{quoted(table)}")
            columns = ", ".join(f"{quoted(column[0])} {_declared(str(column[1]))}" for column in found.description)
            marks = ", ".join("?" for _ in found.description)
            rows = [tuple(map(_plain, row)) for row in found.fetchall()]
            for name in (table,) if schema == "main" else (table, f"{schema}.{table}"):
                copy.execute(f"CREATE TABLE {quoted(name)} ({columns})")
                copy.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)
        copy.execute("COMMIT")


def _declared(native: str) -> str:
    return native if native.isalpha() or native.startswith("DECIMAL") else "TEXT"


def _plain(value: object) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value) if isinstance(value, (datetime.date, datetime.datetime)) else value
