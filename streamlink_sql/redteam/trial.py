"""Runs texts against the checks alone, an engine alone, and both, in a throw-away place, and looks from outside what they brought about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from streamlink_sql.checks import check, compare, unchecked_for_redteam
from streamlink_sql.engines import confine, open_embedded
from streamlink_sql.errors import BadRequest, EngineUnavailable, InvalidSQL, PolicyRefused, StreamLinkError, TooCostly
from streamlink_sql.evaluate.gate import fixture_tables
from streamlink_sql.evaluate.labelled import Labelled, read_texts
from streamlink_sql.redteam import CORPORA
from streamlink_sql.redteam.arena import BYTES, NETWORK, OUTSIDE, PRIVATE, SPILL, Arena, Embedded, arena
from streamlink_sql.scope import Scope, View
from streamlink_sql.types import CheckedSQL, Dialect, Draft, Engine, Rows, Table

Layer = Literal["gate", "engine", "both"]
LAYERS: tuple[Layer, ...] = ("gate", "engine", "both")
SETTINGS, DEADLINE, SERVICE = "changed settings", "overrun deadline", "no more answers"
EFFECTS = (PRIVATE, OUTSIDE, NETWORK, BYTES, SETTINGS, DEADLINE, SERVICE)
"""All that counts as an effect."""

_GRACE_S, _ORDINARY_S = 1.0, 20.0
_ORDINARY, _ORDINARY_ROWS = "SELECT count(*) AS n FROM orders", [(300,)]
_SETTINGS_OF = "SELECT name, value FROM duckdb_settings() ORDER BY name"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what the attacks run: the layers, the limits, and whether the attacker's role has a copy of its own."""

    layers: tuple[Layer, ...] = LAYERS
    isolate: bool = True
    time_limit_s: float = 2.0
    row_limit: int = 1000
    cost_limit_rows: int = 1_000_000_000
    memory_limit_mb: int = 1024
    spill_limit_mb: int = 4096
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a text in one layer: the code of the error (none: it was answered), and its effects."""

    code: str = ""
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A text of a file and what became of it; None for layers that were not tried."""

    file: str
    text: Labelled
    gate: Tried | None = None
    engine: Tried | None = None
    both: Tried | None = None

    def took_effect(self, layer: Layer) -> bool:
        """Whether an attack got what it wanted of a layer: for the checks alone, to be let pass."""
        tried: Tried | None = getattr(self, layer)
        return tried is not None and (not tried.code if layer == "gate" else bool(tried.effects))


@dataclass(frozen=True, slots=True)
class Trial:
    """All that was tried with one engine."""

    dialect: Dialect
    layers: tuple[Layer, ...]
    outcomes: tuple[Outcome, ...]
    version: str = ""
    protection: str = ""
    notes: tuple[str, ...] = ()
    """What a reader should know: layers left out, files that differ at the end."""


Texts = Sequence[tuple[str, Labelled]]
Judge = Callable[[Draft, tuple[Table, ...], Dialect], CheckedSQL]
Opener = Callable[..., Engine]


def texts_for(dialect: Dialect, corpus: Path | None = None, limit: int | None = None) -> list[tuple[str, Labelled]]:
    """The texts of a file for this dialect, or those of the package; the first so many of each file. Raises NotFound and BadRequest."""
    files = [corpus] if corpus else [file for file in sorted(CORPORA.glob("*.sql")) if _is_for(file.stem, dialect)]
    return [(file.name, each) for file in files for each in [text for text in read_texts(file) if text.dialect in ("", dialect)][:limit]]


def _is_for(name: str, dialect: Dialect) -> bool:
    return name == "legitimate" or (name != "fixture" and dialect in name.split("_"))


def attack(
    dialect: Dialect,
    texts: Texts,
    terms: Terms,
    *,
    progress: Callable[[], None] = lambda: None,
    judge: Judge = check,
    open_engine: Opener = open_embedded,
) -> Trial:
    """Tries every text. An engine alone is attacked only where the kernel confines it, as these texts name files and hosts."""
    layers, notes = terms.layers, list[str]()
    if dialect == "spark":
        if layers != LAYERS and layers != ("gate",):
            raise BadRequest("For Spark only the checks can be attacked: --layer gate.")
        layers = ("gate",)
        notes.append("Spark: the checks alone; no Spark is started.")
    elif not confine.landlock_version() and layers != ("gate",):
        if layers != LAYERS:
            raise EngineUnavailable("This kernel has no Landlock, and without it attacks that no check has seen are not run.")
        layers = ("gate",)
        notes.append("The checks alone: this kernel has no Landlock, and without it attacks that no check has seen are not run.")
    if dialect == "spark" or layers == ("gate",):
        tables = fixture_tables(CORPORA / "fixture.sql", "main", dialect)
        outcomes = list[Outcome]()
        for file, each in texts:
            outcomes.append(Outcome(file, each, gate=_judged(judge, each.text, tables, dialect)[0]))
            progress()
        return Trial(dialect, layers, tuple(outcomes), notes=tuple(notes))
    with arena(dialect) as place, closing(_Target(place, dialect, terms, judge, open_engine)) as target:
        outcomes = [target.attacked(file, each, layers, progress) for file, each in texts]
        if left := place.changed(thorough=True):
            notes.append(f"At the end these files were not as at the start: {', '.join(left)}.")
        return Trial(dialect, layers, tuple(outcomes), target.version, target.protection, tuple(notes))


def _judged(judge: Judge, sql: str, tables: tuple[Table, ...], dialect: Dialect) -> tuple[Tried, CheckedSQL | None]:
    """What the checks say of a text, and what they make of it."""
    try:
        return Tried(), judge(Draft(sql), tables, dialect)
    except (InvalidSQL, PolicyRefused) as error:
        return Tried(error.code), None


@dataclass(slots=True)
class _Target:
    """An engine on the made database, opened anew after every effect."""

    place: Arena
    dialect: Embedded
    terms: Terms
    judge: Judge
    open_engine: Opener
    engine: Engine = field(init=False)
    tables: tuple[Table, ...] = field(init=False)
    ordinary: CheckedSQL = field(init=False)
    settings: list[tuple[object, ...]] = field(init=False)
    took_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._open()

    @property
    def version(self) -> str:
        return str(getattr(self.engine, "version", ""))

    @property
    def protection(self) -> str:
        return str(getattr(self.engine, "protection", ""))

    def attacked(self, file: str, text: Labelled, layers: Iterable[Layer], progress: Callable[[], None]) -> Outcome:
        """What becomes of one text in each layer."""
        sql = self.place.aimed(text.text)
        judged, query = _judged(self.judge, sql, self.tables, self.dialect)
        engine = both = None
        if "engine" in layers:
            engine = self._watched(lambda: self._run(unchecked_for_redteam(sql, self.dialect)))
        if "both" in layers:
            both = judged if query is None else self._watched(lambda: self._as_control_does(query))
        progress()
        return Outcome(file, text, judged if "gate" in layers else None, engine, both)

    def close(self) -> None:
        """Ends the engine."""
        self.engine.close()

    def _open(self) -> None:
        scope = Scope(tuple(View(name) for name in self.place.tables), isolate=self.terms.isolate)
        limits = {"memory_limit_mb": self.terms.memory_limit_mb, "spill_limit_mb": self.terms.spill_limit_mb, "threads": self.terms.threads}
        self.engine = self.open_engine(str(self.place.database), scope=scope, spill_dir=self.place.private, children=1, **limits)
        self.tables = self.engine.tables()
        self.ordinary = check(Draft(_ORDINARY), self.tables, self.dialect)
        self.place.settle()
        if not self._answers():
            raise EngineUnavailable("The made database cannot be asked before any attack; nothing was tried.")
        self.settings = self._settings()

    def _run(self, query: CheckedSQL) -> Rows:
        began = time.monotonic()
        try:
            return self.engine.run(query, row_limit=self.terms.row_limit, time_limit_s=self.terms.time_limit_s)
        finally:
            self.took_s = time.monotonic() - began

    def _as_control_does(self, query: CheckedSQL) -> Rows:
        """With the engine's second opinion and the limit on rows handled."""
        plan = self.engine.dry_run(query)
        compare(query, plan)
        if plan.estimated_rows is not None and plan.estimated_rows > self.terms.cost_limit_rows:
            raise TooCostly("This would handle too many rows.")
        return self._run(query)

    def _watched(self, work: Callable[[], Rows]) -> Tried:
        self.took_s, rows, code, said = 0.0, None, "", ""
        try:
            rows = work()
        except StreamLinkError as error:
            code, said = error.code, str(error.problem())
        effects = [DEADLINE] if self.took_s > self.terms.time_limit_s + _GRACE_S else []
        effects += self.place.effects(rows, said)
        if not self._answers():
            effects.append(SERVICE)
        elif self._settings() != self.settings:
            effects.append(SETTINGS)
        if effects:
            self._start_anew()
        return Tried(code, tuple(each for each in EFFECTS if each in effects))

    def _answers(self) -> bool:
        """Whether an ordinary question is answered, and rightly."""
        try:
            return list(self.engine.run(self.ordinary, row_limit=10, time_limit_s=_ORDINARY_S).as_python()) == _ORDINARY_ROWS
        except StreamLinkError:
            return False

    def _settings(self) -> list[tuple[object, ...]]:
        """The engine's settings, where it can be asked for them: SQLite's cannot, as its PRAGMA is closed."""
        if self.dialect != "duckdb":
            return []
        asked = unchecked_for_redteam(_SETTINGS_OF, self.dialect)
        try:
            rows = self.engine.run(asked, row_limit=1000, time_limit_s=_ORDINARY_S).as_python()
            return [(name, SPILL.sub("spill", str(value))) for name, value in rows]  # each child spills to a folder of its own
        except StreamLinkError as error:
            return [(error.code,)]

    def _start_anew(self) -> None:
        """The place and the engine as they were before the attack."""
        self.engine.close()
        self.place.mend()
        self._open()
