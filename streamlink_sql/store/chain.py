"""The audit's chains: every line carries a keyed hash over itself and the line before it, and key and ends lie outside the store.

Each writer (a process at a time) has a chain of its own, so that many can write at once without waiting for each other. Whoever can
write to the store but has no key can change, drop, add or reorder no line unseen; that the newest lines are cut off is seen by
the ends noted beside the key.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

SIGNED = (
    *("at", "event", "id", "asker", "role", "question", "engine", "model", "sql", "code", "alarm", "attempts", "row_count", "ms"),
    *("writer", "number"),
)
"""What of a line its hash covers, in this order, besides the hash of the line before."""
PRUNED = "pruned"
"""The event of a line that stands for older ones, which were removed on purpose."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """The last line of a chain."""

    writer: str
    number: int
    mac: str


class Seal:
    """The key of an audit and the known ends of its chains, in a folder of the user's own; or in memory, for a store that does not stay."""

    def __init__(self, folder: Path | None, store: str) -> None:
        """Makes folder and key where there are none; OSError where that cannot be done."""
        self.folder = folder
        if folder is None:
            self._key, self._host, self._ends = secrets.token_bytes(32), secrets.token_hex(4), None
            return
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._key = bytes.fromhex(_made_once(folder / "key", secrets.token_hex(32)))
        self._host = _made_once(folder / "host", secrets.token_hex(4))
        self._ends = folder / "ends" / hashlib.blake2b(store.encode(), digest_size=8).hexdigest()
        self._ends.mkdir(parents=True, mode=0o700, exist_ok=True)

    def mac(self, before: str, line: Line) -> str:
        """The keyed hash (HMAC-SHA256, hexadecimal) of a line that stands behind the one with the hash `before`."""
        text = json.dumps([before, *(line.get(name) for name in SIGNED)], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def key_for(self, purpose: str) -> bytes:
        """Another key of 32 bytes, made of this one: neither tells the other."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()

    def take(self) -> tuple[str, End | None, FileLock | None]:
        """A writer's name that no other process holds, the end of its chain if it is known, and the lock that keeps the name."""
        if self._ends is None:
            return self._host, None, None
        for number in range(10_000):
            lock = FileLock(self._ends / f"{number}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                continue
            found = [end for end in self.ends() if end.writer.startswith(f"{self._host}-{number}.")]
            newest = max(found, key=lambda end: int(end.writer.rpartition(".")[2]), default=None)
            return (newest.writer if newest else f"{self._host}-{number}.0"), newest, lock
        raise OSError(f"no place for another writer in {self._ends}")

    def ends(self) -> list[End]:
        """The ends that are known here; one that cannot be read is as good as none."""
        found = []
        for path in sorted(self._ends.glob("*.end")) if self._ends else ():
            with contextlib.suppress(OSError, ValueError, TypeError):
                found.append(End(**json.loads(path.read_text(encoding="ascii"))))
        return found

    def note(self, end: End) -> None:
        """Notes the end of a chain, whole or not at all."""
        if self._ends is None:
            return
        temporary = self._ends / f"{end.writer}.part"
        temporary.write_text(json.dumps({"writer": end.writer, "number": end.number, "mac": end.mac}), encoding="ascii")
        temporary.replace(self._ends / f"{end.writer}.end")


class Chain:
    """The chain that this process writes; a name is taken when the first line comes."""

    def __init__(self, seal: Seal) -> None:
        self.seal, self.lock = seal, threading.Lock()
        self._end: End | None = None
        self._held: FileLock | None = None
        self._writer = ""

    def signed(self, line: Line, last: Callable[[str], End | None]) -> dict[str, Any]:
        """The line with writer, number and hash. `last(writer)` gives the end of a writer's chain in the store. Call it under `lock`."""
        if self._end is None:
            self._end = self._begun(last)
        whole = {**line, "writer": self._end.writer, "number": self._end.number + 1}
        return {**whole, "mac": self.seal.mac(self._end.mac, whole)}

    def look_again(self) -> None:
        """It is not known whether the last line was written: the store says so with the next one."""
        if self._end is not None:
            self._writer, self._end = self._end.writer, None

    def written(self, line: Line) -> None:
        """The line is in the store: the next one goes behind it."""
        self._end = End(line["writer"], line["number"], line["mac"])
        self.seal.note(self._end)

    def close(self) -> None:
        """Leaves the writer's name to others."""
        if self._held is not None:
            self._held.release()

    def _begun(self, last: Callable[[str], End | None]) -> End:
        """Where to go on: behind what is in the store, or, where lines are gone that were there, in a new chain."""
        if self._writer:
            return last(self._writer) or End(self._writer, 0, "")
        writer, known, self._held = self.seal.take()
        found = last(writer)
        if known is not None and (found is None or found.number < known.number):
            head, _, generation = writer.rpartition(".")
            return End(f"{head}.{int(generation) + 1}", 0, "")
        return found or End(writer, 0, "")


def broken(lines: Iterable[Line], seal: Seal, *, copied: bool = False) -> list[str]:
    """What is wrong with an audit, each as a sentence; empty where every line is as it was written.

    `lines` are in the order of the store. Lines that were written before there were chains may stand at the beginning. A copy may lack the
    newest lines.
    """
    chains: dict[str, list[Line]] = {}
    problems: list[str] = []
    for line in lines:
        if line.get("mac"):
            chains.setdefault(str(line["writer"]), []).append(line)
        elif chains:
            problems.append(f"The line {line.get('seq')} has no hash, though lines before it have one: it was added or changed by others.")
    pruned = (line for chain in chains.values() for line in chain if line["event"] == PRUNED)
    removed = newest_ends(each for line in pruned for each in line["attempts"])
    for writer, chain in chains.items():
        problems += _broken_in(chain, removed.get(writer), seal)
    for end in () if copied else seal.ends():
        last = chains.get(end.writer, [{"number": 0}])[-1]["number"]
        if last < end.number and not (end.writer in removed and removed[end.writer].number >= end.number):
            problems.append(f"The chain {end.writer} ends with its line {last}; it had {end.number}. The newest lines were removed.")
    return problems


def newest_ends(told: Iterable[Mapping[str, Any]]) -> dict[str, End]:
    """The last of the ends of each writer."""
    found: dict[str, End] = {}
    for each in told:
        end = End(each["writer"], each["number"], each["mac"])
        if end.writer not in found or found[end.writer].number < end.number:
            found[end.writer] = end
    return found


def _broken_in(chain: list[Line], removed: End | None, seal: Seal) -> Iterator[str]:
    """The first thing that is wrong with each stretch of one chain, in the order of the store."""
    writer = str(chain[0]["writer"])
    number, before = 0, ""
    if removed is not None and chain[0]["number"] > 1:
        number, before = removed.number, removed.mac
    for line in chain:
        if line["number"] <= number:
            yield f"The line {line['number']} of the chain {writer} stands behind its line {number}: lines were reordered or added."
            continue
        if line["number"] != number + 1:
            gone = f"line {number + 1} is" if line["number"] == number + 2 else f"lines {number + 1} to {line['number'] - 1} are"
            yield f"In the chain {writer}, {gone} missing."
        elif not hmac.compare_digest(seal.mac(before, line), str(line["mac"])):
            yield f"The line {line['number']} of the chain {writer} (of {line['at']}) is not as it was written, or the key is another one."
        number, before = line["number"], str(line["mac"])


def _made_once(path: Path, text: str) -> str:
    """What a small private file holds; it is made with this text where there is none. Two that make it at once agree."""
    if not path.exists():
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text(encoding="ascii").strip()
