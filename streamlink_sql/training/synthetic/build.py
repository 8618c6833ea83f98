"""Writes the training set: databases, tables.json in Spider's form, train.jsonl. The same seed gives the same pairs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid

from streamlink_sql.training.synthetic.phrases import plural_of
from streamlink_sql.training.synthetic.sample import Drawn, Sieve, draw
from streamlink_sql.training.synthetic.schema import KINDS, Base, Col, load, words_of
from streamlink_sql.training.synthetic.values import SCHEMAS, generate, meanings, write
from streamlink_sql.training.synthetic.written import read_written, varied

COPIES = 2
"""How often a written question comes again with other values."""
SPIDER_TYPES = {"text": "text", "date": "time", "timestamp": "time", "boolean": "boolean"}


def aliases_of(col: Col) -> dict[str, str]:
    """What a glossary would say of a category's codes: other words for each, in singular and plural."""
    if col.role != "category":
        return {}
    return {form: code for code, words in meanings(col).items() for word in words for form in (word, plural_of(word))}


def spider_schema(base: Base) -> dict[str, Any]:
    """A schema in Spider's form, with the kind of each column and what people call tables and columns added; column 0 is `*`."""
    cols = [col for table in base.tables for col in table.cols]
    at = {(col.table, col.name): index for index, col in enumerate(cols, 1)}
    numbers = {table.name: index for index, table in enumerate(base.tables)}
    kinds = [KINDS[base.native(col)] for col in cols]
    return {
        "db_id": base.name,
        "table_names_original": [table.name for table in base.tables],
        "table_names": [words_of(table.name) for table in base.tables],
        "column_names_original": [[-1, "*"], *([numbers[col.table], col.name] for col in cols)],
        "column_names": [[-1, "*"], *([numbers[col.table], words_of(col.name)] for col in cols)],
        "table_synonyms": [[one for one, _ in table.nouns] for table in base.tables],
        "column_synonyms": [[], *(list(col.phrases) for col in cols)],
        "value_aliases": [[col.table, col.name, aliases] for col in cols if (aliases := aliases_of(col))],
        "column_types": ["text", *(SPIDER_TYPES.get(kind, "number") for kind in kinds)],
        "column_kinds": ["other", *kinds],
        "primary_keys": [at[col.table, col.name] for col in cols if col.role == "id"],
        "foreign_keys": [[at[edge.child.table, edge.child.name], at[edge.parent.table, edge.parent.name]] for edge in base.edges],
    }


def build(out: Path, pairs: int, seed: int, progress: Progress, names: Collection[str] = ()) -> list[Drawn]:
    """Writes everything under `out` and returns the pairs in their order in the file; `names` choose schemas, none means all.

    `pairs` counts what templates make; the written questions about these schemas come on top.
    """
    bases = [base for base in load(SCHEMAS) if not names or base.name in names]
    (out / "databases").mkdir(parents=True, exist_ok=True)
    task = progress.add_task("pairs", total=pairs)
    weights = [len(base.tables) ** 0.5 + 0.5 for base in bases]
    drawn: list[Drawn] = []
    sieve, written = Sieve(), read_written()
    for base, weight in zip(bases, weights, strict=True):
        data, path = generate(base, seed), out / "databases" / f"{base.name}.duckdb"
        write(base, data, path)
        with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
            wanted = round(pairs * weight / sum(weights))
            drawn += draw(base, data, connection, wanted, seed, sieve, lambda: progress.advance(task))
            drawn += varied(base, written.get(base.name, ()), connection, COPIES, seed)
    Random(seed).shuffle(drawn)
    schemas = [spider_schema(base) for base in bases]
    (out / "tables.json").write_text(json.dumps(schemas, ensure_ascii=False, indent=1), encoding="utf-8")
    with (out / "train.jsonl").open("w", encoding="utf-8") as file:
        for index, item in enumerate(drawn):
            row = {"id": f"synthetic-{index}", "db_id": item.base, "question": item.pair.question, "query": item.pair.query}
            file.write(json.dumps({**row, "category": item.pair.category}, ensure_ascii=False) + "\n")
    return drawn


def report(console: Console, title: str, counts: Counter[str]) -> None:
    """Prints a distribution, largest first."""
    grid = Grid(title, "pairs", "%")
    total = sum(counts.values())
    for name, count in counts.most_common():
        grid.add_row(name, str(count), f"{100 * count / total:.1f}")
    console.print(grid)


def command(
    out: Annotated[Path, typer.Option(help="The folder to write; it is made if need be.")],
    pairs: Annotated[int, typer.Option(help="How many pairs to aim at.", min=1)] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 7,
    schema: Annotated[list[str] | None, typer.Option(help="Only this schema; may be repeated.")] = None,
) -> None:
    """Makes synthetic databases and questions with their SQL, to train the embedded parser."""
    console = Console()
    with Progress(console=console) as progress:
        drawn = build(out, pairs, seed, progress, schema or ())
    report(console, "category", Counter(item.pair.category for item in drawn))
    report(console, "template", Counter(item.pair.template for item in drawn))
    report(console, "schema", Counter(item.base for item in drawn))
    console.print(f"{len(drawn)} pairs in {out}")


def main() -> None:
    """The command line."""
    typer.run(command)
