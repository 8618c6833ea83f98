"""Makes the rows of an invented schema, the same for the same seed, and writes them to a DuckDB file."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa

from streamlink_sql.training.synthetic.schema import Base, Col, Tab
from streamlink_sql.training.synthetic.sql import quote

SCHEMAS = Path(__file__).parent / "schemas"
Value = str | int | float | bool | Decimal | dt.date | dt.datetime | None
Data = dict[str, dict[str, list[Value]]]
"""The rows of a database: table, column, values in the order of rows."""


@cache
def words() -> dict[str, dict[str, tuple[str, ...]]]:
    """The word bags: `people`, `lists`, and one entry a bag of adjectives and nouns."""
    raw = tomllib.loads((SCHEMAS / "words.toml").read_text(encoding="utf-8"))
    bags = {**raw["bags"], "people": raw["people"], "lists": raw["lists"]}
    return {bag: {name: tuple(word.strip() for word in text.split(",")) for name, text in lists.items()} for bag, lists in bags.items()}


@cache
def nations() -> dict[str, tuple[str, str]]:
    """Country codes of two and three letters: the country and its adjective."""
    raw = tomllib.loads((SCHEMAS / "words.toml").read_text(encoding="utf-8"))["nations"]
    rows = [(code.upper(), *(part.strip() for part in text.split(","))) for code, text in raw.items()]
    return {code: (country, adjective) for short, long, country, adjective in rows for code in (short, long)}


@cache
def meanings(col: Col) -> dict[str, tuple[str, ...]]:
    """What a category's codes stand for: country and adjective, or one noun; empty for values that speak for themselves."""
    if col.means:
        return dict(col.means)
    if col.args[:1] in (("@country2",), ("@country3",)):
        return {code: nations()[code] for code in choices(col) if code in nations()}
    pairs = (part.partition(":") for part in col.attrs.get("means", "").split(",") if part)
    return {code.strip(): (noun.strip(),) for code, _, noun in pairs}


def choices(col: Col) -> tuple[str, ...]:
    """The values a category can take."""
    return words()["lists"][col.args[0][1:]] if col.args[0].startswith("@") else col.args


def _name(col: Col, rng: Random) -> str:
    people = words()["people"]
    if col.gen == "person":
        return f"{rng.choice(people['first'])} {rng.choice(people['last'])}"
    if col.gen == "company":
        return f"{rng.choice(people['company1'])} {rng.choice(people['company2'])}"
    bag = words()[col.args[0] if col.args else "place"]
    adj, noun = rng.choice(bag["adj"]), rng.choice(bag["noun"])
    if col.gen == "title":
        other = rng.choice(bag["noun"])
        forms = (f"The {adj} {noun}", f"{adj} {noun}", f"{noun} of the {other}", f"A {adj} {noun}", f"{noun} and {other}")
        return rng.choice(forms)
    if col.gen == "product":
        return rng.choice((f"{adj} {noun}", f"{adj} {noun}", f"{noun} {rng.choice('XSLPQ')}{rng.randint(1, 99)}"))
    return f"{adj}{noun}" if col.args and col.args[0] == "drug" else f"{adj} {noun}"


def names(col: Col, count: int, rng: Random) -> list[Value]:
    """Names without repetition; a number is added where the words run out."""
    found: dict[str, None] = {}
    while len(found) < count:
        name = _name(col, rng)
        for _ in range(12):
            if name not in found:
                break
            name = _name(col, rng)
        if name in found:
            initial = f"{rng.choice('ABCDEFGHJKLMNPRSTW')}."
            first, _, last = name.partition(" ")
            name = f"{first} {initial} {last}" if col.gen == "person" else f"{name} {rng.randint(2, 60)}"
        found[name] = None
    return list(found)


def _text(col: Col, rng: Random) -> str:
    bag = words()[col.args[0] if col.args else "report"]
    parts = [f"{rng.choice(bag['adj'])} {rng.choice(bag['noun'])}".lower() for _ in range(rng.randint(1, 2))]
    glue = rng.choice((" with ", " after ", " and ", ", "))
    return glue.join(parts).capitalize() + rng.choice(("", "", f" in room {rng.randint(1, 40)}", f" no. {rng.randint(2, 900)}"))


def _number(col: Col, rng: Random) -> Value:
    low, high = float(col.args[0]), float(col.args[1])
    if low > 0 and high / low >= 50:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    elif low == 0 and high >= 50:
        value = high * rng.random() ** 2
    else:
        value = rng.triangular(low, high, low + (high - low) * 0.4)
    if col.gen in ("int", "qty"):
        return round(value)
    if col.gen == "big":
        return round(value, -2 if value > 10_000 else 0).__int__()
    return Decimal(f"{value:.2f}") if col.gen in ("num", "amt") else round(value, 3)


def _moment(col: Col, rng: Random) -> Value:
    first, last = dt.date(int(col.args[0]), 1, 1), dt.date(int(col.args[1]), 12, 31)
    day = first + dt.timedelta(days=int((last - first).days * rng.random() ** 0.8))
    if col.gen == "date":
        return day
    return dt.datetime(day.year, day.month, day.day, min(23, max(0, round(rng.gauss(13, 4)))), rng.randint(0, 59))


def _contact(col: Col, index: int, rng: Random) -> str:
    people = words()["people"]
    if col.gen == "email":
        return f"{rng.choice(people['first']).lower()}{index}@{rng.choice(('mail.example', 'post.example', 'corp.example'))}"
    if col.gen == "phone":
        return f"+{rng.randint(1, 98)} {rng.randint(200, 999)} {rng.randint(1000000, 9999999)}"
    if col.gen == "zip":
        return f"{rng.randint(1000, 99999):05d}"
    if col.gen == "url":
        return f"https://{rng.choice(people['company1']).lower().replace(' ', '')}{index}.example"
    pattern = col.args[0] if col.args else "AA-999"
    return "".join(
        rng.choice("ABCDEFGHKLMNPRSTVWXZ") if mark == "A" else str(rng.randint(1, 9)) if mark == "9" else mark for mark in pattern
    )


def _skewed(options: list[Value], count: int, rng: Random, used: float = 1.0) -> list[Value]:
    options = options[:]
    rng.shuffle(options)
    options = options[: max(2, math.ceil(len(options) * used))]
    weights = [1.0 / (rank + 3) ** 0.7 for rank in range(len(options))]
    return rng.choices(options, weights, k=count)


def _values(col: Col, table: Tab, base: Base, data: Data, rng: Random) -> list[Value]:
    count = table.rows
    if col.gen == "id":
        start = int(col.args[0]) if col.args else 1
        return list(range(start, start + count))
    if col.gen == "key":
        return [f"{col.args[0]}{index + 1:0{len(str(count))}d}" for index in range(count)]
    if col.gen == "fk":
        parent = base.parent_key(col)
        if parent.table == table.name:
            keys: list[Value] = _values(parent, table, base, data, rng)
            return _skewed(keys, count, rng, 0.15)
        return _skewed(data[parent.table][parent.name], count, rng, 0.85)
    if col in table.others:
        return _skewed(names(col, max(20, count // 12), rng), count, rng)
    if col.gen in ("person", "company", "title", "product", "place", "label"):
        return names(col, count, rng)
    if col.gen == "one":
        options: list[Value] = list(choices(col))
        return _skewed(options, count, rng)
    if col.gen == "flag":
        part = float(col.args[0]) if col.args else 0.5
        return [rng.random() < part for _ in range(count)]
    if col.gen == "year":
        low, high = int(col.args[0]), int(col.args[1])
        return [low + int((high - low + 1) * rng.random() ** 0.8) for _ in range(count)]
    if col.gen == "text":
        return [_text(col, rng) for _ in range(count)]
    if col.role == "contact":
        return [_contact(col, index, rng) for index in range(count)]
    return [_moment(col, rng) if col.role == "date" else _number(col, rng) for _ in range(count)]


def _later(values: list[Value], start: list[Value], rng: Random) -> list[Value]:
    """Moves dates behind those of the column they follow."""
    return [
        None if first is None else first + dt.timedelta(days=rng.randint(1, 40)) if isinstance(first, dt.date) else value
        for value, first in zip(values, start, strict=True)
    ]


def _unique(table: Tab, rows: dict[str, list[Value]]) -> dict[str, list[Value]]:
    """The rows of a link table without repeated pairs."""
    pairs = list(zip(*(rows[col.name] for col in table.of("fk")), strict=True))
    first = {pair: index for index, pair in reversed(list(enumerate(pairs)))}
    return {name: [values[index] for index in sorted(first.values())] for name, values in rows.items()}


def generate(base: Base, seed: int) -> Data:
    """All rows of a schema; parents come before their children."""
    data: Data = {}
    waiting = list(base.tables)
    while waiting:
        ready = [table for table in waiting if all(col.args[0] in data or col.args[0] == table.name for col in table.of("fk"))]
        if not ready:
            raise ValueError(f"{base.name}: foreign keys in a circle")
        for table in ready:
            rng = Random(f"{seed}:{base.name}:{table.name}")
            rows: dict[str, list[Value]] = {}
            for col in table.cols:
                values = _values(col, table, base, data, rng)
                if "after" in col.attrs:
                    values = _later(values, rows[col.attrs["after"]], rng)
                gaps = float(col.attrs.get("null", 0))
                rows[col.name] = [None if gaps and rng.random() < gaps else value for value in values]
            data[table.name] = _unique(table, rows) if table.link else rows
            waiting.remove(table)
    return data


def _column(base: Base, col: Col) -> str:
    parts = [quote(col.name), base.native(col)]
    if col.gen in ("id", "key"):
        parts.append("PRIMARY KEY")
    if col.gen == "fk":
        parent = base.parent_key(col)
        parts.append(f"REFERENCES {quote(parent.table)}({quote(parent.name)})" if parent.table != col.table else "")
    return " ".join(parts)


def write(base: Base, data: Data, path: Path) -> None:
    """Writes the rows to a new DuckDB file."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name in data:
            table = base.table(name)
            connection.execute(f"CREATE TABLE {quote(name)} ({', '.join(_column(base, col) for col in table.cols)})")
            connection.register("fresh", pa.table({col.name: data[name][col.name] for col in table.cols}))
            connection.execute(f"INSERT INTO {quote(name)} SELECT * FROM fresh")
            connection.unregister("fresh")
