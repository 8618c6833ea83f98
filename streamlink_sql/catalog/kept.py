"""Samples of a source kept on disk, so that the next process need not read the data again. Private to the user, bounded, never needed.

A file is found by the fingerprint of the data and by who sampled it; anything odd about it means that it is not there. Writers replace
whole files, so two at a time do no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from streamlink_sql.catalog.values import Place
from streamlink_sql.types import Sample

_log = logging.getLogger("streamlink_sql.catalog")

_FORMAT = "1"
_FILE_BYTES, _FOLDER_BYTES = 64 * 2**20, 512 * 2**20
_TEXT_BYTES = 512 * 2**20
_ENDING = ".samples"


class KeptSamples:
    """The samples of one source. `reader` names who reads it, with its version; `is_settled` tells when its files' times can be trusted."""

    def __init__(self, folder: Path, reader: str, is_settled: Callable[[], bool]) -> None:
        self._folder, self._is_settled = folder, is_settled
        self._reader = f"{_FORMAT}|{version('streamlink-sql')}|{reader}|{time.strftime('%z %Z')}"

    def load(self, fingerprint: str) -> dict[Place, Sample]:
        """What is known of the data of that fingerprint; nothing where the file is missing, damaged or somebody else's."""
        path = self._path(fingerprint)
        try:
            if not _is_private(self._folder) or not _is_private(path):
                return {}
            samples = _unpacked(path.read_bytes(), self._key(fingerprint))
            os.utime(path)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, zlib.error, RecursionError) as error:
            _log.info("Samples kept in %s cannot be used: %s", path, error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return {}
        return samples

    def save(self, fingerprint: str, samples: Mapping[Place, Sample]) -> bool:
        """Keeps them, if the data did not change so lately that its files' times could hide it; a full disk is no failure."""
        if not self._is_settled():
            return False
        data = _packed(samples, self._key(fingerprint))
        if len(data) > _FILE_BYTES:
            return False
        try:
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            if not _is_private(self._folder):
                return False
            self._make_room(len(data))
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(name).replace(self._path(fingerprint))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            _log.info("Samples cannot be kept in %s: %s", self._folder, error)
            return False
        return True

    def _key(self, fingerprint: str) -> str:
        return f"{self._reader}|{fingerprint}"

    def _path(self, fingerprint: str) -> Path:
        return self._folder / (hashlib.blake2b(self._key(fingerprint).encode(), digest_size=16).hexdigest() + _ENDING)

    def _make_room(self, size: int) -> None:
        """Removes what was used longest ago, and what writers that ended left behind, until `size` more fits."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                state = path.stat()
                if path.suffix == ".tmp" and time.time() - state.st_mtime > 3600:
                    path.unlink()
                elif path.suffix == _ENDING:
                    found.append((state.st_mtime, state.st_size, path))
        total = size + sum(state[1] for state in found)
        for _, bytes_, path in sorted(found):
            if total <= _FOLDER_BYTES:
                break
            path.unlink(missing_ok=True)
            total -= bytes_


def _is_private(path: Path) -> bool:
    """Whether a file or folder is this user's, and nobody else may read or write it."""
    state = path.lstat()
    return state.st_uid == os.getuid() and not state.st_mode & 0o077


def _packed(samples: Mapping[Place, Sample], key: str) -> bytes:
    rows = [[*place, list(sample.values), sample.complete, sample.unique] for place, sample in samples.items()]
    return zlib.compress(json.dumps({"key": key, "samples": rows}, separators=(",", ":")).encode(), 1)


def _unpacked(data: bytes, key: str) -> dict[Place, Sample]:
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, _TEXT_BYTES)
    if not unpacking.eof:
        raise ValueError("it is cut off, or too large")
    body = json.loads(text)
    if body["key"] != key:
        raise ValueError("it is of other data")
    return {(table, column): _sample(values, complete, unique) for table, column, values, complete, unique in body["samples"]}


def _sample(values: list[str], complete: bool, unique: bool | None) -> Sample:
    if not all(isinstance(value, str) for value in values) or not isinstance(complete, bool) or unique not in (True, False, None):
        raise ValueError("its samples are of the wrong types")
    return Sample(tuple(values), complete, unique)
