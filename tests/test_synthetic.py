"""The synthetic training set: schemas are sound, pairs answer, values stand in the question, the same seed gives the same set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from rich.progress import Progress

from streamlink_sql.generators.parser.ir import Schema, to_ir
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.build import build
from streamlink_sql.training.synthetic.filters import comparative
from streamlink_sql.training.synthetic.sample import Sieve, shape
from streamlink_sql.training.synthetic.schema import load, plural, read_column, words_of
from streamlink_sql.training.synthetic.sql import Core, quote, render
from streamlink_sql.training.synthetic.subject import singular
from streamlink_sql.training.synthetic.values import SCHEMAS, choices, generate, write
from streamlink_sql.training.synthetic.written import QUESTIONS, read_written, varied
from streamlink_sql.types import Column, ForeignKey, Table

CHOSEN = ("grocery", "tennis_club", "city_services", "x1_cryptic")


def make(out: Path, seed: int = 5) -> list[dict[str, Any]]:
    """A small set over a few schemas, as the file holds it."""
    with Progress(disable=True) as progress:
        build(out, 240, seed, progress, CHOSEN)
    return [json.loads(line) for line in (out / "train.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """The set that most tests read."""
    out = tmp_path_factory.mktemp("synthetic")
    return out, make(out)


def test_schemas_are_many_and_sound() -> None:
    bases = load(SCHEMAS)
    assert len(bases) >= 60
    assert len({base.name for base in bases}) == len(bases)
    assert any(len(base.tables) == 1 for base in bases)
    for base in bases:
        assert base.edges or len(base.tables) == 1, base.name
        for table in base.tables:
            names = [col.name for col in table.cols]
            assert len({name.lower() for name in names}) == len(names), (base.name, table.name)
            for col in table.cols:
                for attr in ("vs", "per", "times", "after"):
                    assert col.attrs.get(attr, names[0]) in names, (base.name, table.name, col.name, attr)
                if col.role == "category":
                    assert len(choices(col)) > 1
                if col.role == "flag":
                    assert "yes" in col.attrs, (base.name, col.name)


def test_no_patents_anywhere() -> None:
    texts = [*SCHEMAS.glob("*.toml"), *QUESTIONS.glob("*.jsonl")]
    assert not [path for path in texts if "patent" in path.read_text(encoding="utf-8").lower()]


def test_written_questions_are_many_and_about_known_schemas() -> None:
    written = read_written()
    assert set(written) <= {base.name for base in load(SCHEMAS)}
    assert sum(map(len, written.values())) > 3000
    for pairs in written.values():
        assert len({pair.question.lower() for pair in pairs}) == len(pairs)


def test_a_written_question_comes_again_with_other_values(tmp_path: Path) -> None:
    base = next(base for base in load(SCHEMAS) if base.name == "tennis_club")
    write(base, generate(base, 3), tmp_path / "club.duckdb")
    question, query = "average ranking of right handed players", "SELECT avg(ranking) FROM players WHERE hand = 'right'"
    nothing = Pair("players with four hands", "SELECT player_name FROM players WHERE hand = 'four'", "written")
    with duckdb.connect(str(tmp_path / "club.duckdb"), read_only=True) as connection:
        found = [drawn.pair for drawn in varied(base, [Pair(question, query, "written"), nothing], connection, 2, 1)]
    assert [(pair.question, pair.query) for pair in found[:2]] == [
        (question, query),
        (question.replace("right", "left"), "SELECT AVG(ranking) FROM players WHERE hand = 'left'"),
    ]
    assert all("four" not in pair.question for pair in found)


def test_rows_keep_foreign_keys() -> None:
    base = next(base for base in load(SCHEMAS) if base.name == "tennis_club")
    data = generate(base, 3)
    players = set(data["players"]["player_id"])
    assert set(data["matches"]["winner_id"]) < players
    assert len(data["matches"]["winner_id"]) == 1200
    assert generate(base, 3) == data
    assert generate(base, 4) != data


def test_every_pair_answers(made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, rows = made
    assert len(rows) > 220
    for name in CHOSEN:
        with duckdb.connect(str(out / "databases" / f"{name}.duckdb"), read_only=True, config={"threads": 1}) as connection:
            for row in rows:
                if row["db_id"] == name:
                    found = connection.execute(row["query"]).fetchall()
                    assert any(cell is not None for line in found for cell in line), row


def test_text_values_stand_in_the_question(made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, rows = made
    schemas = json.loads((out / "tables.json").read_text(encoding="utf-8"))
    meant = {
        code: {form for form, of in words.items() if of == code}
        for schema in schemas
        for *_, words in schema["value_aliases"]
        for code in words.values()
    }
    for row in rows:
        for value in re.findall(r"'((?:[^']|'')*)'", row["query"]):
            word = value.replace("''", "'").strip("%")
            if word and not re.fullmatch(r"-?Y-?m|Y-%m|\d{4}-\d\d-\d\d", word):
                assert any(form.lower() in row["question"].lower() for form in (word, *meant.get(word, ()))), row


def test_questions_are_distinct_and_whole(made: tuple[Path, list[dict[str, Any]]]) -> None:
    rows = made[1]
    assert len({(row["db_id"], row["question"]) for row in rows}) == len(rows)
    for row in rows:
        assert not re.search(r"[{}\[\]|⟦⟧\0]|  ", row["question"]), row
    assert len({row["category"] for row in rows}) > 30


def tables_of(entry: dict[str, Any]) -> tuple[Table, ...]:
    """The tables of an entry of tables.json."""
    columns, names = entry["column_names_original"], entry["table_names_original"]
    kinds = entry["column_kinds"]
    return tuple(
        Table(
            name,
            tuple(Column(column, kind) for (owner, column), kind in zip(columns, kinds, strict=True) if owner == number),
            foreign_keys=tuple(
                ForeignKey((columns[child][1],), names[columns[parent][0]], (columns[parent][1],))
                for child, parent in entry["foreign_keys"]
                if columns[child][0] == number
            ),
        )
        for number, name in enumerate(names)
    )


def test_tables_file_fits_databases_and_parser(made: tuple[Path, list[dict[str, Any]]]) -> None:
    out, rows = made
    entries = {entry["db_id"]: entry for entry in json.loads((out / "tables.json").read_text(encoding="utf-8"))}
    assert set(entries) == set(CHOSEN)
    for name, entry in entries.items():
        assert entry["column_names_original"][0] == [-1, "*"]
        assert len(entry["column_names"]) == len(entry["column_types"]) == len(entry["column_kinds"])
        with duckdb.connect(str(out / "databases" / f"{name}.duckdb"), read_only=True) as connection:
            for number, table in enumerate(entry["table_names_original"]):
                found = [line[0] for line in connection.execute(f"DESCRIBE {quote(table)}").fetchall()]
                assert found == [column for owner, column in entry["column_names_original"] if owner == number]
        schema = Schema.of(tables_of(entry))
        for row in rows:
            if row["db_id"] == name:
                assert to_ir(row["query"], schema, "duckdb")


def test_the_same_seed_gives_the_same_set(made: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert make(tmp_path / "again") == made[1]
    assert make(tmp_path / "other", seed=6) != made[1]


@pytest.mark.parametrize(
    ("many", "one"),
    [("cities", "city"), ("branches", "branch"), ("boxes", "box"), ("days", "day"), ("classes", "class"), ("orders", "order")],
)
def test_plural(many: str, one: str) -> None:
    assert plural(one) == many


def test_plural_of_column_names() -> None:
    assert phrases.plural_of("name of the shop") == "names of the shop"
    assert phrases.plural_of("number of seats") == "number of seats"
    assert phrases.plural_of("status") == "statuses"


def test_numbers_as_people_write_them() -> None:
    forms = {phrases.number(2_500_000, Random(seed)) for seed in range(60)}
    assert {"2500000", "2,500,000", "2.5 million"} <= forms
    assert "half a million" in {phrases.number(500_000, Random(seed)) for seed in range(60)}
    assert "5k" in {phrases.number(5000, Random(seed)) for seed in range(60)}
    assert phrases.number(2.5, Random(1)) == "2.5"


@pytest.mark.parametrize(
    ("superlative", "expected"),
    [
        ("heaviest", "heavier than"),
        ("most expensive", "more expensive than"),
        ("best paid", None),
        ("newest", None),
        ("largest", "larger than"),
    ],
)
def test_comparative(superlative: str, expected: str | None) -> None:
    assert comparative(superlative) == expected


def test_expand_chooses_and_fills() -> None:
    assert {phrases.expand("[a|b [c|d]] {x}", Random(seed), x="y") for seed in range(40)} == {"a y", "b c y", "b d y"}


def test_singular_agrees() -> None:
    assert singular("order that are late and customer who have no phone") == "order that is late and customer who has no phone"


def test_words_of_identifiers() -> None:
    assert words_of("custNm") == "cust nm"
    assert words_of("ORDER_DATE") == "order date"


def test_render_gives_aliases_only_to_joins() -> None:
    base = next(base for base in load(SCHEMAS) if base.name == "grocery")
    store, sale = base.table("Store"), base.table("Sale")
    assert store.label is not None
    assert render(Core((store.label.ref,), "Store")) == "SELECT StoreName FROM Store"
    edge = base.downs("Store")[-1]
    joined = render(Core((store.label.ref, "count(*)"), sale.name, (edge,), group=(store.label.ref,)))
    assert joined == "SELECT T2.StoreName, count(*) FROM Sale AS T1 JOIN Store AS T2 ON T1.StoreID = T2.StoreID GROUP BY T2.StoreName"


def test_shared_keys_join_only_in_a_named_role() -> None:
    base = next(base for base in load(SCHEMAS) if base.name == "tennis_club")
    roles = {path[-1].child.attrs.get("as") for path in base.ups("matches") if path[-1].parent.table == "players"}
    assert roles == {"winner", "loser"}
    assert not base.downs("players")


def test_a_bad_column_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind of values"):
        read_column("t", "name nonsense")


def test_sieve_refuses_repetition() -> None:
    sieve = Sieve()
    first = Pair("How many orders in 2015?", "SELECT 1", "count")
    assert sieve.fresh("shop", first)
    assert not sieve.fresh("shop", Pair("how many orders in 2015", "SELECT 2", "count"))
    assert sieve.fresh("other", first)
    assert sieve.fresh("shop", Pair("How many orders in 2016?", "SELECT 3", "count"))
    assert not sieve.fresh("shop", Pair("How many orders in 2017?", "SELECT 4", "count"))


def test_shape_hides_values() -> None:
    assert shape("Orders of Alice since 2,000 with 'x y'") == shape("Orders of Bruno since 15 with 'z'")


def test_link_tables_tie_two_others_without_repetition() -> None:
    base = next(base for base in load(SCHEMAS) if base.name == "conference")
    ((near, far),) = base.links("talk")
    assert (near.parent.table, far.parent.table) == ("talk", "speaker")
    assert near.child.table == far.child.table == "talk_speaker"
    assert not base.downs("talk")
    rows = generate(base, 1)["talk_speaker"]
    pairs = list(zip(rows["talk_id"], rows["speaker_id"], strict=True))
    assert len(set(pairs)) == len(pairs) > 300
