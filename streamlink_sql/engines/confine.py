"""What a child process gives up before it opens a database: files, network, memory. Linux's Landlock and rlimits; opens nothing itself.

Landlock binds the calling thread and the threads it starts later, so `confine` must come before a database library starts its own threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = (1 << 0) | (1 << 1) | _READ_FILE | (1 << 14) | (1 << 15)
_ALL_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
_WRITE_RIGHTS = (1 << 1) | _READ_FILE | _READ_DIR | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 14)
_TCP = 3
_SCOPES = 3
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38

MIB = 2**20


def landlock_version() -> int:
    """The version of Landlock that this kernel offers; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    version: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, version)


def protection(version: int) -> str:
    """What holds against a query that gets past the checks, as a sentence; it begins with 'Warning' where the kernel does not help."""
    if version == 0:
        return (
            "Warning: this system has no Landlock, so the child process that runs queries could write where this user may write. "
            "What still holds: data is opened read-only, external access is off, settings are locked, time, memory and file sizes are "
            "limited, and the checks let nothing but SELECT through. "
            "Use Linux 5.13 or later with Landlock switched on, or give the data to a user who may only read it."
        )
    network = "no TCP" if version >= 4 else "TCP not closed by the kernel (Landlock 4 does)"
    return f"Queries run in a child that reads the data files and writes its private folder, nothing else ({network}; Landlock {version})."


def leave_network() -> bool:
    """Moves this process, which must have one thread, to a network namespace without interfaces; False where that is not allowed."""
    if not sys.platform.startswith("linux"):
        return False
    libc, user, group = _libc(), os.getuid(), os.getgid()
    if libc.unshare(_NEW_NET) == 0:
        return True
    if libc.unshare(_NEW_USER | _NEW_NET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with contextlib.suppress(OSError):
            Path("/proc/self", name).write_text(text)
    return True


def confine(readable: Iterable[str], writable: Iterable[str], *, memory_mb: int, file_mb: int, files: int = 1024) -> int:
    """Gives up all but these files and folders, and memory past `memory_mb` more than now. Returns Landlock's version, 0 for none."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, files)
    _limit(resource.RLIMIT_FSIZE, file_mb * MIB)
    _limit(resource.RLIMIT_AS, _address_space() + memory_mb * MIB)
    version = landlock_version()
    if version:
        _lock(version, readable, writable)
    return version


def allow_cpu_seconds(seconds: float) -> None:
    """Lets this process use so much more processor time; past it the kernel ends it, also when nobody is left to kill it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _lock(version: int, readable: Iterable[str], writable: Iterable[str]) -> None:
    libc = _libc()
    handled = _ALL_RIGHTS_BY_ABI.get(version, _ALL_RIGHTS)
    attributes = struct.pack("QQQ", handled, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    _must(ruleset >= 0, "create the Landlock rules")
    try:
        for path in readable:
            _allow(libc, ruleset, path, (_READ_FILE | _READ_DIR) & handled)
        for path in writable:
            _allow(libc, ruleset, path, _WRITE_RIGHTS & handled)
        _must(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0, "give up new privileges")
        _must(libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0, "apply the Landlock rules")
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    if not Path(path).exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not Path(path).is_dir():
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, handle)
        _must(libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0)) == 0, f"allow {path}")
    finally:
        os.close(handle)


def _must(done: bool, what: str) -> None:
    if not done:
        raise OSError(ctypes.get_errno(), f"cannot {what}: {os.strerror(ctypes.get_errno())}")


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 512 * MIB


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
