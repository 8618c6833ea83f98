"""What a cluster needs of the system: Java, Maven, Nginx, PostgreSQL. Installs it when root on Debian, else says what to install."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

PACKAGES = {"java": "default-jre-headless", "mvn": "maven", "nginx": "nginx-light", "postgres": "postgresql"}
"""Program -> Debian's package."""


class Missing(Exception):
    """Something that the cluster needs is not there; the text says what to do."""


def find(program: str) -> Path | None:
    """Where a program is; Debian keeps PostgreSQL's and Nginx beside the path."""
    if program == "postgres" and (kept := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)):
        return kept[-1]
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def provide() -> None:
    """Sees to it that all programs are there. Raises Missing."""
    missing = [package for program, package in PACKAGES.items() if find(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"The cluster needs programs that are not here. On Debian or Ubuntu: sudo apt-get install {' '.join(missing)}")
    print(f"Installing {', '.join(missing)} ...", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # with this level their services are not started
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, capture_output=True)
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Missing(f"{', '.join(missing)} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")


def unprivileged() -> str | None:
    """Who runs PostgreSQL, which refuses to run as root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _version(program: Path) -> float:
    return float(program.parent.parent.name)
