"""How well the injection detector, and the judge beside it, tell attacks from harmless texts. Reads a file of labelled texts, runs none."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from streamlink_sql.checks.injection import Detector, detector
from streamlink_sql.checks.judge import INJECTION, SYNTAX, THRESHOLD, Choose, injection_share, invalid_share, messages
from streamlink_sql.errors import BadRequest, NotFound
from streamlink_sql.evaluate.labelled import Labelled, read_labelled

Progress = Callable[[int, int], None]
_BEGINNING = '{"key": "'
"""How every line of a record begins."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the judge said of one text: how likely it is no valid SQL, how likely an injection, and the seconds that each took."""

    key: str
    id: str
    invalid: float
    injection: float
    invalid_s: float
    injection_s: float

    @property
    def alarm(self) -> bool:
        """Whether one of the two stages stops the text."""
        return self.invalid > THRESHOLD or self.injection > THRESHOLD

    @property
    def seconds(self) -> float:
        """What the two stages take: the second is asked only where the first lets the text through."""
        return self.invalid_s + (self.injection_s if self.invalid <= THRESHOLD else 0.0)


def evaluate_detector(path: Path, *, weights: Path | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Recall and misintercept (None where the file has no attack, or nothing harmless), rows, texts a second one at a time, wrong ids."""
    return _detected(read_labelled(path), _detector(weights), progress)


def evaluate_judge(
    path: Path,
    choose: Choose,
    model: str,
    *,
    limit: int | None = None,
    seed: int = 1,
    weights: Path | None = None,
    record: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The figures of the detector, of the judge and of each of its stages alone, on the same rows: all, or `limit` of them by lot, where
    a larger limit adds rows.

    What the judge says is added to the file `record` row by row; what stands there already is not asked again.
    """
    rows, found = read_labelled(path), _detector(weights)
    if limit:
        Random(seed).shuffle(rows)
        rows = rows[:limit]
    asked = _asked(rows, choose, model, record, progress)
    return {
        "model": model,
        "detector": _detected(rows, found),
        "judge": _figures(rows, [each.alarm for each in asked], sum(each.seconds for each in asked)),
        "syntax": _figures(rows, [each.invalid > THRESHOLD for each in asked], sum(each.invalid_s for each in asked)),
        "injection": _figures(rows, [each.injection > THRESHOLD for each in asked], sum(each.injection_s for each in asked)),
    }


def _detector(weights: Path | None) -> Detector:
    """The package's detector, or one with other weights."""
    if weights is None:
        return detector()
    try:
        return Detector(weights)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {weights}.") from error
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadRequest(
            f"{weights} holds no weights of a detector. They are made by `python -m streamlink_sql.training.detector`."
        ) from error


def _detected(rows: Sequence[Labelled], found: Detector, progress: Progress | None = None) -> dict[str, Any]:
    alarms, seconds = list[bool](), 0.0
    for number, row in enumerate(rows):
        began = time.perf_counter()
        alarms.append(found.judge(row.text).alarm)
        seconds += time.perf_counter() - began
        if progress and number % 500 == 0:
            progress(number, len(rows))
    return _figures(rows, alarms, seconds)


def _figures(rows: Sequence[Labelled], alarms: Sequence[bool], seconds: float) -> dict[str, Any]:
    attacks = sum(row.attack for row in rows)
    caught = sum(alarm for row, alarm in zip(rows, alarms, strict=True) if row.attack)
    return {
        "recall": caught / attacks if attacks else None,
        "misintercept": (sum(alarms) - caught) / (len(rows) - attacks) if len(rows) > attacks else None,
        "count": len(rows),
        "statements_per_second": round(len(rows) / seconds, 2),
        "wrong": [row.id for row, alarm in zip(rows, alarms, strict=True) if alarm != row.attack],
    }


def _asked(rows: Sequence[Labelled], choose: Choose, model: str, record: Path | None, progress: Progress | None) -> list[Asked]:
    """What the judge says of each row; both stages, so that each can be seen alone."""
    known = {each.key: each for each in _recorded(record)} if record else {}
    found = list[Asked]()
    for number, row in enumerate(rows):
        key = _key(row.text, model)
        if key not in known:
            known[key] = _ask(row, key, choose)
            if record:
                _note(record, known[key])
        found.append(known[key])
        if progress:
            progress(number + 1, len(rows))
    return found


def _ask(row: Labelled, key: str, choose: Choose) -> Asked:
    began = time.perf_counter()
    invalid = invalid_share(row.text, choose)
    between = time.perf_counter()
    injection = injection_share(row.text, choose)
    return Asked(key, row.id, invalid, injection, between - began, time.perf_counter() - between)


def _key(text: str, model: str) -> str:
    """Names what a model was asked: another model or wording is another key."""
    read = [message.content for asked in (SYNTAX, INJECTION) for message in messages(text, asked)]
    return hashlib.sha256(json.dumps([model, *read]).encode()).hexdigest()


def _note(record: Path, line: Asked) -> None:
    """Adds a line to the record, after whatever an earlier run left unfinished."""
    try:
        with record.open("a+b") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
                file.write(b"\n")
            file.write(json.dumps(asdict(line)).encode() + b"\n")
    except OSError as error:
        raise BadRequest(f"{record} cannot be written: {error.strerror}.") from error


def _recorded(record: Path) -> Iterator[Asked]:
    """The lines of a record, but for those that were cut off; one that is not there is begun."""
    try:
        record.touch()
        lines = record.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{record} cannot be read and written: {error}.") from error
    for number, line in enumerate(lines, 1):
        try:
            yield Asked(**json.loads(line))
        except (ValueError, TypeError) as error:
            if not line.startswith(_BEGINNING):
                raise BadRequest(f"{record}, line {number}: not what `evaluate judge` writes: {error}.") from error
