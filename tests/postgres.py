"""A real PostgreSQL for tests: a cluster of its own in a throw-away folder, on a free port of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import free_port

QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class Postgres:
    """A cluster that can be stopped and started in the middle of a test."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs, self._folder, self._user, self.port = programs, folder, user, free_port()
        self._databases = 0
        self._run("initdb", "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = "".join(f"{each}\n" for each in QUICK)
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"{settings}port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\n")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-l", str(self._folder / "log"), "-w", "-t", "60", "start")

    def stop(self) -> None:
        """Stops the server as an administrator does who does not wait for anybody: connections are cut."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "fast", "-w", "-t", "60", "stop")

    def database(self) -> str:
        """The address of a new, empty database."""
        self._databases += 1
        name = f"store{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", name)
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def secured(self, certificate: Path, key: Path, *access: str) -> Iterator[None]:
        """For a while with TLS, and these lines of access (pg_hba.conf)."""
        data = self._folder / "data"
        kept = {name: (data / name).read_text() for name in ("pg_hba.conf", "postgresql.conf")}
        for file, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy(file, data / name)
            (data / name).chmod(0o600)
            if self._user:
                shutil.chown(data / name, self._user)
        (data / "pg_hba.conf").write_text("\n".join(access) + "\n", encoding="utf-8")
        (data / "postgresql.conf").write_text(f"{kept['postgresql.conf']}\nssl = on\n", encoding="utf-8")
        try:
            self.stop()
            self.start()
            yield
        finally:
            for name, text in kept.items():
                (data / name).write_text(text, encoding="utf-8")
            self.stop()
            self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        nothing, said = subprocess.DEVNULL, self._folder / "said"
        with said.open("w") as file:  # a server that is started would keep a pipe open
            done = subprocess.run(command, cwd=self._folder, user=self._user, stdin=nothing, stdout=nothing, stderr=file, check=False)
        assert done.returncode == 0, f"{program}: {said.read_text()}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running cluster; skips where PostgreSQL is not installed or its client is not."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("there is no initdb: PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    user = _other_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="streamlink-postgres-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    try:
        server = Postgres(programs, folder, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Where initdb is: on the path, or where Debian keeps it."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def _other_user() -> str:
    """PostgreSQL refuses to run as root."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
