"""Keeps what is known of a source fresh, and hands out what a question needs. Holds no connection: it asks the engine's contract."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from streamlink_sql.catalog.glossary import Glossary, load_glossary
from streamlink_sql.catalog.kept import KeptSamples
from streamlink_sql.catalog.reading import Snapshot, read_snapshot, same_schema
from streamlink_sql.catalog.relevance import Budget
from streamlink_sql.catalog.values import named_instead
from streamlink_sql.errors import CannotAnswer, NotFound, StreamLinkError
from streamlink_sql.scope import Scope
from streamlink_sql.types import Context, Engine, Sample, Sought, Table

_log = logging.getLogger("streamlink_sql.catalog")

_REST = 4.0
_READ_LIMIT_S = 20.0
_MORE_LIMIT_S = 3.0
"""Where some samples were kept, a question waits no longer for the others."""
_WHOLE_LIMIT_S = 900.0


class Catalog:
    """The tables of one engine. Safe to share between threads.

    Every call notices data that changed. A changed schema is read before the call returns; where only rows changed, what was known
    serves on until the new is ready, and data that changes all the time is read again at most a fifth of the time. What of a wide schema
    cannot be sampled within `read_limit_s` is sampled while questions are served already.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        glossary: Path | None = None,
        scope: Scope | None = None,
        budget: Budget | None = None,
        read_limit_s: float = _READ_LIMIT_S,
        kept: KeptSamples | None = None,
    ) -> None:
        """`kept` is where samples outlast this process; None keeps none. `scope` is what the engine was told to show."""
        self._kept, self._scope = kept, scope
        self._engine = engine
        self._glossary = glossary
        self._budget = budget or Budget()
        self._read_limit_s = read_limit_s
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._refresh: threading.Thread | None = None
        self._tolerated = ""
        self._rest_until = 0.0

    def tables(self) -> tuple[Table, ...]:
        """Every table, with declared and inferred keys and with descriptions."""
        return self.snapshot().tables

    def relevant(self, text: str) -> Context:
        """The tables, columns and cell values that a question needs; CannotAnswer where there is no table at all."""
        snapshot = self.snapshot()
        if not snapshot.tables:
            raise CannotAnswer("There are no tables in this data, so there is nothing to ask. Add tables or files, or choose other data.")
        return snapshot.relevant(text)

    def notes(self, tables: Collection[str], sought: Iterable[Sought] = (), question: str = "") -> tuple[str, ...]:
        """What is not known of these tables, and which of the values that are sought in them do not exist or are not what the question
        names, for whoever asks about them."""
        snapshot = self._snapshot
        if snapshot is None:
            return ()
        missing = sorted(place for place in snapshot.unsampled if place[0] in tables)
        sought = () if self._tolerated else tuple(sought)
        absent = tuple(note for each in sought if (note := snapshot.absence(each) or _instead(each, question)))
        if not missing:
            return absent
        names = ", ".join(f"{table}.{column}" for table, column in missing[:5]) + (" ..." if len(missing) > 5 else "")
        columns = "1 column was" if len(missing) == 1 else f"{len(missing)} columns were"
        return (f"{columns} not sampled yet, as reading the tables takes long: values in them may not be recognised ({names}).", *absent)

    def warm(self) -> None:
        """Reads what is new now, so that the next question need not wait."""
        self._rest_until = 0.0
        self.snapshot()
        refresh = self._refresh
        if refresh is not None and self._tolerated:
            refresh.join()
        self.snapshot()

    @property
    def build_seconds(self) -> float:
        """How long the last reading took."""
        return self._snapshot.seconds if self._snapshot else 0.0

    def snapshot(self) -> Snapshot:
        """All that is known at this moment."""
        stamp = self._stamp()
        snapshot = self._snapshot
        if snapshot is not None and snapshot.stamp == stamp:
            return snapshot
        with self._lock:
            snapshot = self._snapshot
            if snapshot is not None and (snapshot.stamp == stamp or self._may_serve(snapshot, stamp)):
                return snapshot
            self._refresh, self._tolerated = None, ""
            self._snapshot = self._read(stamp, self._read_limit_s)
            if self._snapshot.is_partial:
                self._start_reading(stamp)
            return self._snapshot

    def _stamp(self) -> str:
        """A text that changes with the data, and with the glossary."""
        if self._glossary is None:
            return self._engine.fingerprint()
        try:
            status = self._glossary.stat()
        except OSError as error:
            raise NotFound(f"There is no glossary at {self._glossary}.") from error
        return f"{self._engine.fingerprint()}|{status.st_mtime_ns}|{status.st_size}|{status.st_ino}"

    def _may_serve(self, snapshot: Snapshot, stamp: str) -> bool:
        """Whether what is known still fits data that changed; if so, reading the new has begun or will soon."""
        if stamp != self._tolerated:
            if _glossary_part(stamp) != _glossary_part(snapshot.stamp) or not same_schema(self._engine.tables(), snapshot.declared):
                return False
            self._tolerated = stamp
        if (self._refresh is None or not self._refresh.is_alive()) and time.monotonic() >= self._rest_until:
            self._start_reading(stamp)
        return True

    def _start_reading(self, stamp: str) -> None:
        self._refresh = threading.Thread(target=self._read_again, args=(stamp,), name="catalog", daemon=True)
        self._refresh.start()

    def _read_again(self, stamp: str) -> None:
        """Reads in the background. A failure empties the catalogue, so that the next question meets it; a schema read meanwhile stays."""
        started = time.monotonic()
        fresh: Snapshot | None = None
        try:
            fresh = self._read(stamp, _WHOLE_LIMIT_S)
        except StreamLinkError as error:
            _log.info("The data could not be read again: %s", error.detail)
        with self._lock:
            if self._refresh is threading.current_thread():
                self._snapshot, self._tolerated = fresh, ""
                self._rest_until = time.monotonic() + _REST * (time.monotonic() - started)

    def _read(self, stamp: str, time_limit_s: float) -> Snapshot:
        tables = self._engine.tables()
        glossary = load_glossary(self._glossary, tables, self._scope) if self._glossary else Glossary()
        data = stamp.partition("|")[0]
        known = self._kept.load(data) if self._kept else {}
        if known:
            time_limit_s = time_limit_s if time_limit_s == _WHOLE_LIMIT_S else min(time_limit_s, _MORE_LIMIT_S)

        def keep(samples: Mapping[tuple[str, str], Sample]) -> None:
            if self._kept and self._engine.fingerprint() == data:  # else the data changed while it was sampled
                self._kept.save(data, samples)

        return read_snapshot(self._engine, stamp, tables, glossary, self._budget, time_limit_s, known=known, keep=keep)


def _glossary_part(stamp: str) -> str:
    return stamp.partition("|")[2]


def _instead(sought: Sought, question: str) -> str:
    named = named_instead(sought.value, question)
    return f"There is no {named!r}: the nearest {sought.column} of {sought.table} is {sought.value!r}." if named else ""
