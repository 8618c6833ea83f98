"""Versions of an adapted model, one folder each, and which of them answers: promoted, rolled back, all of it in the audit. Loads no model.

A version's folder is named by a hash of its files. So whoever opens one sees whether it is what was measured, on any machine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import sqlalchemy as sa

from streamlink_sql.cards import CARD, read_card
from streamlink_sql.errors import BadRequest, NotFound, StoreUnavailable
from streamlink_sql.store.store import Store, now
from streamlink_sql.store.tables import promotions, versions

OWN = frozenset({CARD, "adapter.npz", "adapter_config.json", "adapter_model.safetensors"})
"""The files of an adapter, beside those that end in `.gguf`: whatever else lies in its folder is left there."""
NAME_LENGTH = 32
NAME = re.compile(rf"[0-9a-f]{{{NAME_LENGTH}}}")
LARGEST = 2**31 - 1
"""No version has a larger number: the store can keep none."""
PROMOTED, ROLLED_BACK = "promoted", "rolled back"


@dataclass(frozen=True, slots=True)
class Version:
    """An adapter that was made for a source and a model. `passed` is what the gate said, `card` how it was made and what it scored."""

    number: int
    model: str
    name: str
    made_at: str
    made_by: str
    passed: bool
    card: Mapping[str, Any]

    def body(self) -> dict[str, Any]:
        """The version in the one JSON shape of command line and REST."""
        told = {"version": self.number, "name": self.name, "made_at": self.made_at, "made_by": self.made_by, "passed": self.passed}
        return {**told, "card": dict(self.card)}


@dataclass(frozen=True, slots=True)
class Promotion:
    """A change of what answers: since `at` it is `version`, or the model as it is for None."""

    event: str
    model: str
    version: int | None
    at: str
    by: str


class Versions:
    """The versions of one model for one source of data, in one store; may be used by many threads."""

    def __init__(self, store: Store, folder: Path, source: str, model: str | None) -> None:
        """`folder` holds a folder for each version. Without a `model`, whichever was promoted last for the source is meant."""
        self._store, self.folder, self.source, self.model = store, folder, source, model

    def all(self) -> list[Version]:
        """The newest first."""
        return [
            _version(row) for row in self._store.found(sa.select(versions).where(*self._ours(versions)).order_by(versions.c.number.desc()))
        ]

    def version(self, number: int) -> Version:
        """One of them; raises NotFound."""
        mine = sa.select(versions).where(versions.c.number == number, *self._ours(versions))
        rows = self._store.found(mine) if 0 < number <= LARGEST else []
        if not rows:
            raise NotFound(f"There is no version {number} for {self._whose()}.", suggestions=[str(each.number) for each in self.all()[:10]])
        return _version(rows[0])

    def promotions(self) -> list[Promotion]:
        """What was promoted and rolled back, the oldest first."""
        return [_promotion(row) for row in self._store.found(self._every_promotion())]

    def promoted(self) -> Version | None:
        """The version that answers; None for the model as it is."""
        return self._answering(self.promotions())

    def waiting(self) -> int:
        """How many questions with SQL that people vouched for came after what the newest version knows."""
        known = sa.select(sa.func.coalesce(sa.func.max(versions.c.feedback), 0).label("known")).where(*self._ours(versions))
        return sum(1 for _ in self._store.accepted_pairs(after=self._store.found(known)[0]["known"]))

    def add(self, made: Path, *, passed: bool, by: str, feedback: int | None = None) -> Version:
        """Takes the adapter in a folder over as a new version; `feedback` is the place of the newest verdict that it knows."""
        card = card_of_version(made)
        if all(file.name == CARD for file in files_of(made)):
            raise BadRequest(f"{made} holds no adapter: beside its {CARD} there are no weights.")
        name = fingerprint(made)
        _copy(made, self.folder / name)
        row: dict[str, Any] = {"source": self.source, "model": self.model or "", "name": name, "made_at": now(), "made_by": by}
        row |= {"passed": passed, "feedback": feedback, "card": card}
        told = {"name": name, "source": self.source, "model": self.model, "passed": passed, "scores": card.get("scores")}
        with self._store.noted("version made", f"version made: {name}", told, asker=by) as connection:
            number = connection.execute(sa.insert(versions).values(row).returning(versions.c.number)).scalar_one()
        return Version(number, row["model"], name, row["made_at"], by, passed, card)

    def promote(self, number: int, *, by: str, anyway: bool = False) -> Version:
        """Lets a version answer from now on; `anyway` is for one that the gate kept back. Raises NotFound and BadRequest."""
        version = self.version(number)
        if not version.passed and not anyway:
            reasons = " ".join(version.card.get("gate", {}).get("reasons", ()))
            raise BadRequest(f"Version {number} was kept back by the gate. {reasons}".strip(), rule="gate")
        seen = self.promotions()
        current = self._answering(seen)
        if current is not None and current.number == number:
            raise BadRequest(f"Version {number} answers already.")
        self.place(version.name)
        self._change(PROMOTED, version.model, version, by, before=current, seen=seen, passed=version.passed, anyway=anyway)
        return version

    def roll_back(self, *, by: str) -> Version | None:
        """Lets answer what did before the last promotion: an older version, or None for the model as it is. Raises BadRequest."""
        seen = self.promotions()
        stack = _stack(seen)
        if not stack:
            raise BadRequest(f"No version is promoted for {self._whose()}: the model answers as it is.")
        before, taken = None if len(stack) == 1 else self.version(stack[-2]), self.version(stack[-1])
        self._change(ROLLED_BACK, taken.model, before, by, before=taken, seen=seen)
        return before

    def place(self, name: str) -> Path:
        """The folder of a version, once its files were seen to be those that it was made of; raises NotFound and BadRequest."""
        return whole(self.folder, name)

    def body(self) -> dict[str, Any]:
        """All of it in the one JSON shape of command line and REST."""
        seen = self.promotions()
        current, told = self._answering(seen), [{"event": p.event, "version": p.version, "at": p.at, "by": p.by} for p in seen]
        body: dict[str, Any] = {"source": self.source, "model": self.model, "promoted": current.number if current else None}
        return body | {"waiting": self.waiting(), "versions": [each.body() for each in self.all()], "promotions": told[::-1]}

    def _answering(self, seen: Iterable[Promotion]) -> Version | None:
        stack = _stack(seen)
        return self.version(stack[-1]) if stack else None

    def _change(
        self, event: str, model: str, version: Version | None, by: str, *, before: Version | None, seen: list[Promotion], **also: bool
    ) -> None:
        """Writes down what answers from now on; BadRequest where that is not any more what was `seen` when it was decided."""
        number = version.number if version else None
        row = {"source": self.source, "model": model, "event": event, "version": number, "at": now(), "by": by}
        told = {"version": number, "name": version.name if version else None, "before": before.number if before else None, **also}
        words = f"version {event}: {'the model as it is' if number is None else number}"
        with self._store.noted(f"version {event}", words, {**told, "source": self.source, "model": model}, asker=by) as connection:
            ours = sa.select(versions.c.number).where(*self._ours(versions)).order_by(versions.c.number)
            connection.execute(ours.with_for_update())  # others wait here; SQLite lets only one write at a time as it is
            if [_promotion(each) for each in connection.execute(self._every_promotion()).mappings()] != seen:
                raise BadRequest("Somebody changed which version answers in this moment. See which one does, then try again.")
            connection.execute(sa.insert(promotions).values(row))

    def _every_promotion(self) -> sa.Select[Any]:
        return sa.select(promotions).where(*self._ours(promotions)).order_by(promotions.c.seq)

    def _ours(self, table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        of_source = table.c.source == self.source
        return (of_source,) if self.model is None else (of_source, table.c.model == self.model)

    def _whose(self) -> str:
        return f"{self.source} with the model {self.model}" if self.model else self.source


def card_of_version(folder: Path) -> dict[str, Any]:
    """The card of an adapter, once its parts are seen to have the form that lists of versions show; raises NotFound and BadRequest."""
    card, file = read_card(folder), folder / CARD
    gate, scores = card.get("gate", {}), card.get("scores", {})
    for name, part in (("gate", gate), ("scores", scores)):
        if not isinstance(part, dict):
            raise BadRequest(f"{file}: `{name}` is no JSON object.")
    if not isinstance(scores.get("open", {}), dict):
        raise BadRequest(f"{file}: `open` in `scores` is no JSON object.")
    reasons = gate.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
        raise BadRequest(f"{file}: `reasons` in `gate` is no list of texts.")
    return card


def fingerprint(folder: Path) -> str:
    """A hash of the names and contents of the files of an adapter."""
    return _hash(files_of(folder))


def files_of(folder: Path) -> list[Path]:
    """The files of an adapter by name."""
    return [file for file in _files_in(folder) if file.name in OWN or file.suffix == ".gguf"]


def _files_in(folder: Path) -> list[Path]:
    """All files by name; what begins with a dot is none, folders are work and count for nothing."""
    return sorted((file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")), key=lambda file: file.name)


def _hash(files: Iterable[Path]) -> str:
    told = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            told.update(f"{file.name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return told.hexdigest()[:NAME_LENGTH]


def whole(folder: Path, name: str) -> Path:
    """The folder of a version in the folder of all of them; raises NotFound and BadRequest where it is not there or not as it was made."""
    place = folder / name
    if not NAME.fullmatch(name) or not place.is_dir():
        raise NotFound(
            f"The version {name} is not in {folder}. Is that folder (models_dir) the one that all servers share?", setting="models_dir"
        )
    try:
        found = _hash(_files_in(place))
    except OSError as error:
        raise NotFound(f"{place} cannot be read: {error.strerror}.", setting="models_dir") from error
    if found != name:
        raise BadRequest(f"The files in {place} are not those of the version: they were changed.", setting="models_dir")
    return place


def _stack(told: Iterable[Promotion]) -> list[int]:
    """The promotions that no rollback has taken back, the oldest first. A rollback takes back the last one of its model."""
    stack: list[Promotion] = []
    for each in told:
        if each.event == PROMOTED:
            stack.append(each)
        elif (taken := next((at for at in reversed(range(len(stack))) if stack[at].model == each.model), None)) is not None:
            del stack[taken]
    return [each.version for each in stack if each.version is not None]


def _copy(made: Path, place: Path) -> None:
    """The files of an adapter at their place, whole or not at all; they may be there already."""
    if place.is_dir():
        return
    part = place.with_name(f".{place.name}.{token_hex(4)}")
    try:
        part.mkdir(parents=True)
        for file in files_of(made):
            shutil.copyfile(file, part / file.name)
        with suppress(FileExistsError):
            part.rename(place)
    except OSError as error:
        raise StoreUnavailable(f"The version cannot be kept in {place.parent}: {error.strerror}. See the setting `models_dir`.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _version(row: sa.RowMapping) -> Version:
    return Version(row["number"], row["model"], row["name"], row["made_at"], row["made_by"], row["passed"], row["card"])


def _promotion(row: sa.RowMapping) -> Promotion:
    return Promotion(row["event"], row["model"], row["version"], row["at"], row["by"])
