"""The child process in which embedded queries run: it confines itself, opens one source, then answers requests until its socket closes.

Started by `sandbox` and by nobody else. It never imports more of the project than its reader.
"""

from __future__ import annotations

import importlib
import importlib.abc
import os
import select
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from streamlink_sql.engines import arrow, confine, wire
from streamlink_sql.errors import StreamLinkError

READERS = {
    "duckdb": "streamlink_sql.engines.duckdb_reader",
    "sqlite": "streamlink_sql.engines.sqlite_reader",
}

# Time zones, and what DuckDB reads about processors and memory: it aborts where it sees such a file but may not open it.
_SYSTEM_FILES = (
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
)


class Reader(Protocol):
    """What a reader module's `open_reader(source, spill)` returns: it has one method for each request."""

    def answer(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
        """The reply's header and payload."""
        ...


def main(handle: int, kind: str) -> None:
    """Serves the socket `handle` with a reader of that kind."""
    without_network = confine.leave_network()
    sock = socket.socket(fileno=handle)
    module = _load(sock, kind)
    threading.Thread(target=_end_with_parent, args=(handle,), daemon=True).start()
    try:
        setup, _ = wire.receive(sock)
        reader = _reply(sock, lambda: _open(module, setup, without_network))
        while reader is not None:
            request, _ = wire.receive(sock)
            confine.allow_cpu_seconds(request["seconds"] * setup["threads"])
            _reply(sock, lambda request=request: (*reader.answer(request), True))
    except (wire.WireError, OSError):
        pass
    os._exit(0)


class _NoPandas(importlib.abc.MetaPathFinder):
    """Keeps pyarrow from importing pandas, which nothing here needs."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname == "pandas":
            raise ModuleNotFoundError("not wanted here", name=fullname)


def _load(sock: socket.socket, kind: str) -> Any:
    """The reader's module, with all that it may import; a failure is told to whoever wants to use this child."""
    try:
        sys.meta_path.insert(0, _NoPandas())
        arrow.warm()
        return importlib.import_module(READERS[kind])
    except Exception as error:  # noqa: BLE001 (the edge of the process: the parent must hear of it)
        wire.receive(sock)
        detail = f"The child process for queries could not load what it needs: {error}. Install StreamLink anew."
        wire.send(sock, {"error": "engine_unavailable", "detail": detail})
        os._exit(1)


def _open(module: Any, setup: Mapping[str, Any], without_network: bool) -> tuple[dict[str, Any], bytes, Reader]:
    version = confine.confine(
        (*setup["readable"], *_SYSTEM_FILES),
        (setup["spill"], *setup["writable"]),
        memory_mb=setup["address_mb"],
        file_mb=setup["spill_mb"] + 64,
        files=1024 + len(setup["readable"]),
    )
    reader: Reader = module.open_reader(setup["source"], setup)
    return {"landlock": version, "without_network": without_network}, b"", reader


def _reply(sock: socket.socket, work: Any) -> Any:
    """Sends what `work` returns, or its error; returns the third of its values, None after an error."""
    try:
        header, payload, result = work()
    except StreamLinkError as error:
        helps = {name: value for name, value in error.helps.items() if name != "log"}
        header = {"error": error.code, "detail": error.detail, "helps": helps, "log": error.helps.get("log", "")}
        payload, result = b"", None
    except MemoryError as error:
        header, payload, result = {"error": "too_costly", "detail": "", "log": f"memory: {error}"}, b"", None
    except Exception as error:  # noqa: BLE001 (the edge of the process: whatever it is, the parent must hear of it)
        header, payload, result = {"error": "internal", "detail": "", "log": f"{type(error).__name__}: {error}"}, b"", None
    wire.send(sock, header, payload)
    return result


def _end_with_parent(handle: int) -> None:
    """Ends this process when the other end of its socket is closed, also in the middle of a query."""
    poll = select.poll()
    poll.register(handle, getattr(select, "POLLRDHUP", select.POLLHUP))
    while True:
        if any(flags & (select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)) for _, flags in poll.poll()):
            os._exit(0)
