"""Supervisor, which starts the parts of a cluster, keeps them running and stops them. Knows none of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from deploy.cluster.needs import Missing
from deploy.cluster.parts import Part

SOCKET_MAX = 100
"""Characters of a socket's path that every system takes."""
STOP_S = 40
"""Seconds that a part has to end by itself."""


@dataclass(frozen=True, slots=True)
class Manager:
    """The supervisor of a folder."""

    folder: Path

    @property
    def _socket(self) -> Path:
        return self.folder / "supervisor.sock"

    def start(self, parts: Iterable[Part], environment: dict[str, str]) -> None:
        """Starts the supervisor, which starts no part by itself. Raises Missing."""
        if len(str(self._socket)) > SOCKET_MAX:
            raise Missing(f"The path {self.folder} is too long for a socket: set CLUSTER_DIR to a shorter one.")
        (self.folder / "logs").mkdir(exist_ok=True)
        conf = self.folder / "supervisord.conf"
        conf.write_text(self._configuration(parts), encoding="utf-8")
        self._socket.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)], env=environment, capture_output=True, text=True
        )
        until = time.monotonic() + STOP_S
        while not self.runs():
            if done.returncode != 0 or time.monotonic() > until:
                raise Missing(f"Supervisor does not start: {done.stderr.strip() or self.folder / 'logs/supervisord.log'}")
            time.sleep(0.2)

    def runs(self) -> bool:
        """Whether it is there."""
        try:
            self._ask("getState")
        except (OSError, Fault):
            return False
        return True

    def pids(self) -> dict[str, int]:
        """The parts that run, with the numbers of their processes."""
        return {str(found["name"]): int(found["pid"]) for found in self._ask("getAllProcessInfo") if found["pid"]}

    def start_part(self, name: str) -> None:
        """Starts a part, unless it runs."""
        if name not in self.pids():
            self._ask("startProcess", name, False)

    def stop_part(self, name: str) -> None:
        """Stops a part and waits for its end."""
        if name in self.pids():
            self._ask("stopProcess", name, True)

    def end(self) -> None:
        """Ends the supervisor, and waits until it is gone."""
        pid = int(self._ask("getPID"))
        self._ask("shutdown")
        until = time.monotonic() + STOP_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.1)

    def _ask(self, method: str, *arguments: Any) -> Any:
        from supervisor.xmlrpc import SupervisorTransport

        with closing(SupervisorTransport(None, None, f"unix://{self._socket}")) as transport:
            return getattr(ServerProxy("http://127.0.0.1", transport=transport).supervisor, method)(*arguments)

    def _configuration(self, parts: Iterable[Part]) -> str:
        logs = self.folder / "logs"
        sections: list[tuple[str, dict[str, object]]] = [
            ("unix_http_server", {"file": self._socket, "chmod": "0700"}),
            ("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"}),
            (
                "supervisord",
                {"logfile": logs / "supervisord.log", "pidfile": self.folder / "supervisord.pid", "directory": self.folder, "umask": "022"}
                | ({"user": "root"} if os.geteuid() == 0 else {}),
            ),
        ]
        for part in parts:
            told: dict[str, object] = {
                "command": " ".join(_quoted(word) for word in part.command),
                "autostart": "false",
                "autorestart": "true",
                "startsecs": 3,
                "startretries": 1000,
                "stopsignal": part.stop,
                "stopwaitsecs": STOP_S,
                "killasgroup": "true",
                "redirect_stderr": "true",
                "stdout_logfile": logs / f"{part.name}.log",
                "stdout_logfile_maxbytes": "10MB",
                "stdout_logfile_backups": 2,
            }
            sections.append((f"program:{part.name}", told | ({"user": part.user} if part.user else {})))
        return "\n".join(f"[{name}]\n" + "".join(f"{key}={_escaped(value)}\n" for key, value in told.items()) for name, told in sections)


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(value: object) -> str:
    """A value in which % means nothing."""
    return str(value).replace("%", "%%")
