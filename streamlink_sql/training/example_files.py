"""The files that training reads: sets of examples and their schemas, as compressed JSON lines. Makes no example.

sets.json            for every set: the group of its databases, how many examples it has, and what was left out and why
examples.jsonl.gz    {"set": ..., "example": ...}
databases.jsonl.gz   {"group": ..., "database": ..., "synonyms": ...}
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TypeVar

from pydantic import TypeAdapter, ValidationError

from streamlink_sql.errors import BadRequest
from streamlink_sql.training.parser_data import Database, Example

HELD_OUT, HELD_OUT_WRITTEN = "held_out", "held_out_written"
"""The sets that are never trained on: settings and checkpoints are chosen by the first, the order of beams by both."""
NEVER_TRAINED = frozenset((HELD_OUT, HELD_OUT_WRITTEN))

_Line = TypeVar("_Line")


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """One set: its examples, the group of databases that they are about, and what was left out, counted by reason."""

    group: str
    examples: Sequence[Example]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All sets by name, and the databases of every group by name."""

    sets: Mapping[str, TrainingSet]
    groups: Mapping[str, Mapping[str, Database]]

    def databases_of(self, name: str) -> Mapping[str, Database]:
        """The databases of a set."""
        return self.groups[self.sets[name].group]


@dataclass(frozen=True, slots=True)
class _About:
    group: str
    count: int
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True)
class _ExampleLine:
    set: str
    example: Example


@dataclass(frozen=True, slots=True)
class _DatabaseLine:
    """A database; its synonyms as a list, since JSON has no keys of two parts."""

    group: str
    database: Database
    synonyms: tuple[tuple[str, str, tuple[str, ...]], ...]


_ABOUT = TypeAdapter(dict[str, _About])
_EXAMPLE = TypeAdapter(_ExampleLine)
_DATABASE = TypeAdapter(_DatabaseLine)


def write(data: TrainingData, folder: Path) -> None:
    """Writes all files; one that was there before is replaced whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with _replacing(folder / "examples.jsonl.gz") as out:
        for name, chosen in data.sets.items():
            for example in chosen.examples:
                out.write(_EXAMPLE.dump_json(_ExampleLine(name, example)) + b"\n")
    with _replacing(folder / "databases.jsonl.gz") as out:
        for group, databases in data.groups.items():
            for database in databases.values():
                synonyms = tuple((table, column, names) for (table, column), names in database.synonyms.items())
                out.write(_DATABASE.dump_json(_DatabaseLine(group, replace(database, synonyms={}), synonyms)) + b"\n")
    about = {name: _About(chosen.group, len(chosen.examples), dict(chosen.left_out)) for name, chosen in data.sets.items()}
    (folder / "sets.json").write_bytes(_ABOUT.dump_json(about, indent=1))


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed, io.BufferedWriter(packed) as out:
        yield out
    temporary.replace(path)


def read(folder: Path) -> TrainingData:
    """What `write` wrote. BadRequest where a file is missing, cut off or of another form."""
    try:
        about = _ABOUT.validate_json((folder / "sets.json").read_bytes())
        examples: dict[str, list[Example]] = {name: [] for name in about}
        for read_example in _lines(folder / "examples.jsonl.gz", _EXAMPLE):
            examples[read_example.set].append(read_example.example)
        groups: dict[str, dict[str, Database]] = {entry.group: {} for entry in about.values()}
        for line in _lines(folder / "databases.jsonl.gz", _DATABASE):
            synonyms = {(table, column): names for table, column, names in line.synonyms}
            groups[line.group][line.database.name] = replace(line.database, synonyms=synonyms)
    except (OSError, EOFError, KeyError, ValidationError) as error:
        raise BadRequest(
            f"The training sets in {folder} cannot be read ({error}). Make them with streamlink_sql.training.parser_sets."
        ) from error
    for name, entry in about.items():
        if len(examples[name]) != entry.count:
            raise BadRequest(
                f"The set {name} in {folder} has {len(examples[name])} examples instead of {entry.count}. Make the sets again."
            )
    return TrainingData({name: TrainingSet(entry.group, examples[name], entry.left_out) for name, entry in about.items()}, groups)


def _lines(path: Path, adapter: TypeAdapter[_Line]) -> Iterator[_Line]:
    with gzip.open(path, "rb") as lines:
        for line in lines:
            yield adapter.validate_json(line)
