"""Collects the training sets of the embedded parser: `python -m streamlink_sql.training.parser_sets --help`. Trains nothing.

    --spider DIR      train.jsonl, train_others.jsonl, tables.json, databases/DB.sqlite (https://yale-lily.github.io/spider)
    --extra DIR       any of: spider_syn_train.jsonl; bird_train.jsonl.gz with bird_train_tables.json;
                      wikisql_fullheader.jsonl.gz with wikisql_fullheader_tables.jsonl.gz
    --synthetic DIR   what `python -m streamlink_sql.training.synthetic` wrote

Spider or the synthetic set is needed; the more there is, the better the parser. Lines are `db_id`, `question`, `query`. About 15 databases
are held out: no set trains on their questions, and training is judged by them. BIRD's `world` is left out, as Spider's dev set has nearly
the same database. A question is left out when its query cannot be said in the parser's own form, or needs a value that the question
does not name; the counts and the main reasons are printed and kept in sets.json.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from streamlink_sql.catalog.values import Place
from streamlink_sql.errors import BadRequest, StreamLinkError
from streamlink_sql.generators.parser.linking import shown_name
from streamlink_sql.training.example_files import HELD_OUT, HELD_OUT_WRITTEN, TrainingData, TrainingSet, write
from streamlink_sql.training.parser_data import (
    Aliases,
    Database,
    duckdb_values,
    read_aliases,
    read_databases,
    read_lines,
    read_set,
    sqlite_values,
)
from streamlink_sql.training.synthetic.written import CATEGORY as WRITTEN
from streamlink_sql.training.synthetic.written import COPY
from streamlink_sql.types import Column, Dialect, Kind, Table

HELD_OUT_DATABASES = 15
LIKE_A_TEST_DATABASE = ("world",)
HELD_OUT_SCHEMAS = frozenset(("preprint_server", "device_registry", "visa_desk", "warranty_repairs"))
"""Schemas of our own whose written questions are held out, too; nothing else is asked of them."""
FEW_TEXTS = 20
"""Databases with fewer texts than this are taken as empty: their values are those of the gold queries."""
TABLE_NAMES = ("table", "data", "records", "entries", "list", "results")
"""What a WikiSQL table is called in training; its own name is a number."""

Line = Mapping[str, Any]
Values = Mapping[str, Mapping[Place, list[str]]]


@dataclass
class Collected:
    """The sets so far; `held` are the names of the databases held out."""

    console: Console
    sets: dict[str, TrainingSet] = field(default_factory=dict)
    groups: dict[str, dict[str, Database]] = field(default_factory=dict)
    held: frozenset[str] = frozenset()

    def add(
        self,
        name: str,
        group: str,
        lines: Sequence[Line],
        values: Values,
        dialect: Dialect = "sqlite",
        aliases: Mapping[str, Aliases] | None = None,
    ) -> None:
        """Reads one set and says what became of it."""
        left_out: Counter[str] = Counter()

        def shown(work: Iterable[Any], what: str, size: int) -> Iterable[Any]:
            return track(work, f"{name}: {what}", size, console=self.console, transient=True)

        examples = read_set(name, lines, self.groups[group], values, dialect, left_out, shown, aliases)
        self.sets[name] = TrainingSet(group, examples, dict(left_out.most_common()))
        self.console.print(f"{name}: {len(examples)} of {len(lines)} questions")
        for reason, count in left_out.most_common(5):
            self.console.print(f"  left out {count}: {reason}", markup=False)

    def hold_out(self, name: str) -> None:
        """Moves the questions of the held-out databases from a set to the held-out one."""
        whole = self.sets.pop(name)
        kept = [example for example in whole.examples if example.database not in self.held]
        held = [example for example in whole.examples if example.database in self.held]
        random.Random(1).shuffle(held)
        self.sets[name] = TrainingSet(whole.group, kept, whole.left_out)
        self.sets[HELD_OUT] = TrainingSet(whole.group, held)
        self.console.print(f"{HELD_OUT}: {len(held)} questions over {', '.join(sorted(self.held))}")


def held_out_databases(lines: Iterable[Line], at_least: int = 25, at_most: int = 70) -> frozenset[str]:
    """Databases for judging: of middling size, the same ones every time."""
    counts = Counter(line["db_id"] for line in lines)
    fit = sorted(name for name, count in counts.items() if at_least <= count <= at_most)
    random.Random(20).shuffle(fit)
    return frozenset(fit[:HELD_OUT_DATABASES])


def add_spider(collected: Collected, folder: Path) -> Values:
    """Spider's two training files; returns the texts of their databases."""
    train, others = lines_of(folder / "train.jsonl"), lines_of(folder / "train_others.jsonl")
    collected.groups["spider"] = read_databases(needed(folder / "tables.json"), needed(folder / "databases"))
    names = sorted({line["db_id"] for line in (*train, *others)})
    found = {
        name: sqlite_values(needed(folder / "databases" / f"{name}.sqlite"))
        for name in track(names, "texts of Spider's databases", console=collected.console, transient=True)
    }
    values = {name: texts for name, texts in found.items() if sum(map(len, texts.values())) > FEW_TEXTS}
    collected.held = held_out_databases(train)
    collected.add("train", "spider", train, values)
    collected.hold_out("train")
    collected.add("others", "spider", others, values)
    return values


def add_spider_syn(collected: Collected, path: Path, values: Values) -> None:
    """Spider's questions in other words, where they were changed."""
    lines = [line for line in lines_of(path) if line.get("changed") and line["db_id"] not in collected.held]
    collected.add("syn", "spider", lines, values)


def add_bird(collected: Collected, folder: Path) -> None:
    """BIRD's training questions; there are no rows, so the gold queries say which values there are."""
    collected.groups["bird"] = read_databases(needed(folder / "bird_train_tables.json"), None)
    lines = [line for line in lines_of(folder / "bird_train.jsonl.gz") if line["db_id"] not in LIKE_A_TEST_DATABASE]
    collected.add("bird", "bird", lines, {})


def add_wikisql(collected: Collected, folder: Path) -> None:
    """WikiSQL's questions, each over the whole header of its one table."""
    rng = random.Random(3)
    kinds: dict[str, Kind] = {"real": "real", "number": "real"}
    databases = {}
    for entry in read_lines(needed(folder / "wikisql_fullheader_tables.jsonl.gz")):
        name = rng.choice(TABLE_NAMES)
        columns = tuple(Column(column, kinds.get(kind, "text")) for column, _, kind in entry["columns"])
        synonyms = {(name, column): (natural,) for column, natural, _ in entry["columns"] if shown_name(column) != natural.lower()}
        databases[entry["table"]] = Database(entry["table"], (Table(name, columns),), synonyms)
    lines = [
        {"db_id": table, "question": line["question"], "query": line["query"].replace(table, f'"{databases[table].tables[0].name}"')}
        for line in lines_of(folder / "wikisql_fullheader.jsonl.gz", "table")
        if (table := line["table"]) in databases
    ]
    collected.groups["wiki"] = databases
    collected.add("wiki", "wiki", lines, {})


def add_synthetic(collected: Collected, folder: Path) -> None:
    """Our own questions over databases of our own."""
    lines = lines_of(folder / "train.jsonl")
    collected.groups["synth"] = read_databases(needed(folder / "tables.json"), None)
    names = sorted({line["db_id"] for line in lines})
    values = {name: duckdb_values(needed(folder / "databases" / f"{name}.duckdb")) for name in names}
    aliases = read_aliases(folder / "tables.json")
    held = [line for line in lines if line["db_id"] in HELD_OUT_SCHEMAS]
    lines = [line for line in lines if line["db_id"] not in HELD_OUT_SCHEMAS]
    templates = [line for line in lines if line.get("category") not in (WRITTEN, COPY)]
    collected.add("synth", "synth", templates, values, "duckdb", aliases)
    if HELD_OUT not in collected.sets:
        open_names = [name for name in names if name not in HELD_OUT_SCHEMAS]
        collected.held = frozenset(random.Random(20).sample(open_names, min(HELD_OUT_DATABASES, max(1, len(open_names) // 5))))
        collected.hold_out("synth")
    written = [line for line in lines if line.get("category") in (WRITTEN, COPY) and line["db_id"] not in collected.held]
    own = [line for line in held if line.get("category") == WRITTEN]
    for name, some in (("written", written), (HELD_OUT_WRITTEN, own)):
        if some:
            collected.add(name, "synth", some, values, "duckdb", aliases)


def needed(path: Path) -> Path:
    """The path, if something is there."""
    if not path.exists():
        raise BadRequest(f"{path} is missing. --help says what each folder holds.")
    return path


def lines_of(path: Path, database: str = "db_id") -> list[Line]:
    """The lines of a file of questions, each checked to have what a question needs."""
    lines: list[Line] = list(read_lines(needed(path)))
    for number, line in enumerate(lines, 1):
        if missing := [key for key in (database, "question", "query") if not isinstance(line.get(key), str)]:
            raise BadRequest(f"{path}, line {number}: {' and '.join(missing)} missing.")
    return lines


def collect(spider: Path | None, extra: Path | None, synthetic: Path | None, console: Console) -> TrainingData:
    """All sets that can be made of these folders."""
    if spider is None and synthetic is None:
        raise BadRequest("Nothing to collect: name --spider or --synthetic (--help says what they hold).")
    collected = Collected(console)
    values = add_spider(collected, spider) if spider else {}
    if extra:
        _add_extra(collected, extra, values)
    if synthetic:
        add_synthetic(collected, synthetic)
    return TrainingData(collected.sets, collected.groups)


def _add_extra(collected: Collected, folder: Path, values: Values) -> None:
    found = {name for name in ("spider_syn_train.jsonl", "bird_train.jsonl.gz", "wikisql_fullheader.jsonl.gz") if (folder / name).exists()}
    if not found:
        raise BadRequest(f"{needed(folder)} holds none of the extra sets. --help names their files.")
    if "spider_syn_train.jsonl" in found and "spider" in collected.groups:
        add_spider_syn(collected, folder / "spider_syn_train.jsonl", values)
    if "bird_train.jsonl.gz" in found:
        add_bird(collected, folder)
    if "wikisql_fullheader.jsonl.gz" in found:
        add_wikisql(collected, folder)
    _say_what_is_not_there(collected, found)


def _say_what_is_not_there(collected: Collected, found: Collection[str]) -> None:
    for name, file in (("syn", "spider_syn_train.jsonl"), ("bird", "bird_train.jsonl.gz"), ("wiki", "wikisql_fullheader.jsonl.gz")):
        if name not in collected.sets:
            collected.console.print(f"{name}: left out, " + ("it needs --spider" if file in found else f"there is no {file}"))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m streamlink_sql.training.parser_sets", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spider", type=Path, metavar="DIR", help="Spider: train.jsonl, train_others.jsonl, tables.json, databases/")
    parser.add_argument("--extra", type=Path, metavar="DIR", help="Spider-Syn, BIRD and WikiSQL, whichever are there")
    parser.add_argument("--synthetic", type=Path, metavar="DIR", help="the synthetic set: train.jsonl, tables.json, databases/")
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder to write; it is what training takes as --data")
    given = parser.parse_args(arguments)
    try:
        write(collect(given.spider, given.extra, given.synthetic, Console()), given.out)
    except StreamLinkError as error:
        print(error.detail, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
