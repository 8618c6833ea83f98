"""Questions that people wrote about the databases, and the same ones with other values: another city, another year. Makes up no wording."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import duckdb
import sqlglot
from sqlglot import exp

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.sample import Drawn, answers
from streamlink_sql.training.synthetic.schema import Base

QUESTIONS = Path(__file__).parent / "questions"
CATEGORY, COPY = "written", "copy"
_YEARS = range(1900, 2100)
_TRIES = 4


def read_written(folder: Path = QUESTIONS) -> dict[str, list[Pair]]:
    """The questions of every schema, in the order of the files: lines of `db_id`, `question`, `query`."""
    found: dict[str, list[Pair]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            found.setdefault(entry["db_id"], []).append(Pair(entry["question"], entry["query"], CATEGORY, CATEGORY))
    return found


def varied(base: Base, pairs: Sequence[Pair], connection: duckdb.DuckDBPyConnection, copies: int, seed: int) -> Iterator[Drawn]:
    """Each question that has an answer, and up to `copies` more with other values; those must have an answer, too."""
    rng = Random(f"{seed}:{base.name}:{CATEGORY}")
    for pair in pairs:
        if answers(connection, pair.query):
            yield Drawn(base.name, pair)
        told = {pair.question}
        for _ in range(copies):
            for _ in range(_TRIES):
                other = _with_other_values(base, pair, connection, rng)
                if other is not None and other.question not in told and answers(connection, other.query):
                    told.add(other.question)
                    yield Drawn(base.name, other)
                    break


def _with_other_values(base: Base, pair: Pair, connection: duckdb.DuckDBPyConnection, rng: Random) -> Pair | None:
    """The pair with its texts and years replaced; None where nothing can be."""
    question, tree = pair.question, sqlglot.parse_one(pair.query, read="duckdb")
    changed = False
    for literal in list(tree.find_all(exp.Literal)):
        old = str(literal.this)
        new = _other_text(base, literal, connection, rng) if literal.is_string else _other_year(literal, rng)
        if new is None or sum(str(each.this) == old for each in tree.find_all(exp.Literal)) > 1:
            continue
        places = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", question, re.IGNORECASE))
        if len(places) != 1:
            continue
        said = new if places[0].group() == old or not places[0].group().islower() else new.lower()
        question = question[: places[0].start()] + said + question[places[0].end() :]
        literal.set("this", new)
        changed = True
    return Pair(question, tree.sql(dialect="duckdb"), COPY, COPY) if changed else None


def _other_text(base: Base, literal: exp.Literal, connection: duckdb.DuckDBPyConnection, rng: Random) -> str | None:
    """Another cell of the column that equals the text."""
    equal = literal.find_ancestor(exp.EQ, exp.In, exp.Select)
    if not isinstance(equal, exp.EQ) or not isinstance(equal.this, exp.Column):
        return None
    column = equal.this
    select = column.find_ancestor(exp.Select)
    sources = [] if select is None else list(select.find_all(exp.Table))
    tables = [table.name for table in sources if column.table in ("", table.alias_or_name)]
    owners = [table for table in base.tables if table.name in tables and any(col.name == column.name for col in table.cols)]
    if len(owners) != 1:
        return None
    name, of = exp.to_identifier(column.name, quoted=True).sql("duckdb"), exp.to_identifier(owners[0].name, quoted=True).sql("duckdb")
    cells = connection.execute(f"SELECT {name}::VARCHAR FROM {of} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT 500").fetchall()
    return str(rng.choice(cells)[0]) if cells else None


def _other_year(literal: exp.Literal, rng: Random) -> str | None:
    """A year close by."""
    number = str(literal.this)
    return str(int(number) + rng.choice((-3, -2, -1, 1, 2))) if number.isdigit() and int(number) in _YEARS else None
