"""How much of Spider's gold SQL survives SQL -> tokens -> SQL with the same rows. Trains and serves nothing.

    python benchmarks/ir_round_trip.py --data DIR [--files dev.jsonl ...] [--no-run] [--show N]

DIR holds `tables.json`, `databases/` and the questions as JSON lines with `db_id` and `query`.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

from streamlink_sql.generators.parser.grammar import START, class_of, done, step
from streamlink_sql.generators.parser.ir import NotCovered, Schema, to_ir, to_sql
from streamlink_sql.types import Column, ForeignKey, Kind, Table

SECONDS = 5.0
KINDS: dict[str, Kind] = {"text": "text", "number": "real", "time": "timestamp", "boolean": "boolean", "others": "other"}


def schemas(path: Path) -> dict[str, Schema]:
    """The schema of every database in a Spider `tables.json`."""
    return {entry["db_id"]: schema_of(entry) for entry in json.loads(path.read_text())}


def schema_of(entry: dict[str, Any]) -> Schema:
    """One database of `tables.json`."""
    columns: list[list[Column]] = [[] for _ in entry["table_names_original"]]
    keys: list[list[ForeignKey]] = [[] for _ in columns]
    primary: list[list[str]] = [[] for _ in columns]
    names = entry["column_names_original"]
    for (table, name), kind in zip(names, entry["column_types"], strict=True):
        if table >= 0:
            columns[table].append(Column(name, KINDS.get(kind, "other")))
    for key in entry["primary_keys"]:
        for index in key if isinstance(key, list) else [key]:
            primary[names[index][0]].append(names[index][1])
    for source, target in entry["foreign_keys"]:
        (table, name), (other, other_name) = names[source], names[target]
        keys[table].append(ForeignKey((name,), entry["table_names_original"][other], (other_name,)))
    parts = zip(entry["table_names_original"], columns, primary, keys, strict=True)
    return Schema.of(tuple(Table(name, tuple(cells), tuple(own), tuple(refs)) for name, cells, own, refs in parts))


def rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query, given up after a few seconds."""
    until = time.monotonic() + SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, 20_000)
    return connection.execute(sql).fetchall()


def same(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]], ordered: bool) -> bool:
    """Whether two results are equal, numbers within rounding."""

    def cell(value: Any) -> Any:
        return round(float(value), 6) if isinstance(value, (int, float)) else value

    left, right = ([tuple(map(cell, row)) for row in found] for found in (one, other))
    return left == right if ordered else Counter(left) == Counter(right)


def accepted(tokens: tuple[Any, ...]) -> bool:
    """Whether the grammar accepts the tokens."""
    state = START
    try:
        for token in tokens:
            state = step(state, class_of(token))
    except KeyError:
        return False
    return done(state)


def connect(folder: Path, name: str) -> sqlite3.Connection:
    """A database, read-only."""
    path = next(found for found in (folder / name / f"{name}.sqlite", folder / f"{name}.sqlite") if found.exists())
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def measure(path: Path, found: dict[str, Schema], databases: Path, *, run: bool, show: int) -> dict[str, Any]:
    """The shares of one file, and why the rest failed."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    connections: dict[str, sqlite3.Connection] = {}
    lengths: list[int] = []
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        name, gold = entry["db_id"], entry["query"]
        counts["all"] += 1
        try:
            tokens = to_ir(gold, found[name], "sqlite")
        except NotCovered as error:
            reasons[re.sub(r"(unknown table) .*", r"\1", str(error))] += 1
            if show:
                print("NOT COVERED", name, error, "|", gold)
            continue
        counts["converted"] += 1
        counts["grammatical"] += accepted(tokens)
        if show and not accepted(tokens):
            print("NOT GRAMMATICAL", gold, tokens)
        lengths.append(len(tokens))
        counts["with_from"] += "FROM" in tokens
        again = to_sql(tokens, found[name], "sqlite")
        counts["stable"] += to_ir(again, found[name], "sqlite") == tokens
        if not run:
            continue
        if name not in connections:
            connections[name] = connect(databases, name)
        try:
            wanted = rows(connections[name], gold)
        except sqlite3.Error as error:
            counts["gold_fails"] += 1
            reasons[f"gold: {error}"[:60]] += 1
            continue
        try:
            equal = same(wanted, rows(connections[name], again), "order by" in gold.lower())
        except sqlite3.Error as error:
            equal = False
            reasons[f"rendered: {error}"[:60]] += 1
        counts["equal"] += equal
        if show and not equal:
            print("NOT EQUAL", name, "\n  ", gold, "\n  ", again)
    shares = {key: round(counts[key] / counts["all"], 4) for key in ("converted", "grammatical", "stable", "with_from", "equal")}
    length = {"mean": round(sum(lengths) / max(len(lengths), 1), 1), "max": max(lengths, default=0)}
    return {
        "file": path.name,
        "count": counts["all"],
        **shares,
        "gold_fails": counts["gold_fails"],
        "tokens": length,
        "reasons": dict(reasons.most_common(25)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", nargs="+", default=["dev.jsonl", "train.jsonl", "train_others.jsonl"])
    parser.add_argument("--no-run", action="store_true", help="do not compare rows")
    parser.add_argument("--show", type=int, default=0, help="1 prints every query that fails")
    args = parser.parse_args()
    found = schemas(args.data / "tables.json")
    for name in args.files:
        result = measure(args.data / name, found, args.data / "databases", run=not args.no_run, show=args.show)
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
