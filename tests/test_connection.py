"""The Python front door: what it hands out, and what it says to whoever calls it wrongly."""

from __future__ import annotations

import datetime
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import streamlink_sql
from streamlink_sql.connection import Connection
from streamlink_sql.errors import BadRequest, EngineUnavailable, StreamLinkError
from streamlink_sql.export import write_csv, write_json, write_parquet


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    folder = tmp_path_factory.mktemp("data")
    (folder / "sales.csv").write_text("id,region,price\n1,north,2.5\n2,south,3\n", encoding="utf-8")
    with streamlink_sql.connect(folder, store="temporary") as opened:
        yield opened


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_an_optional_package_that_is_missing_is_named_with_its_command(
    db: Connection, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = db.sql("SELECT id FROM sales")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadRequest, match=rf'pip install "streamlink-sql\[{package}\]"'):
        getattr(result, package)()
    assert result.rows() == [(1,), (2,)]


ODD = (
    "SELECT DATE 'infinity' AS day, TIMESTAMP '20000-01-01' AS moment, TIME '24:00:00' AS hour, "
    "170141183460469231731687303715884105727 AS whole, TIMESTAMP_NS '2020-01-01 00:00:00.000000001' AS fine, "
    "DATE '2020-01-01' AS plain FROM sales LIMIT 1"
)


def test_odd_dates_and_numbers_reach_every_form(db: Connection) -> None:
    result = db.sql(ODD)
    text = ("infinity", "20000-01-01 00:00:00", "24:00:00", "170141183460469231731687303715884105727", "2020-01-01T00:00:00.000000001")
    assert result.rows() == [(*text, datetime.date(2020, 1, 1))]
    assert result.answer.body()["rows"] == [[*text, "2020-01-01"]]
    assert str(result).endswith("\t".join((*text, "2020-01-01")))
    assert len(result.pandas()) == len(result.polars()) == 1
    for write in (write_csv, write_json, write_parquet):
        file = io.BytesIO()
        write(result.answer, file)
        assert write is write_parquet or b"infinity" in file.getvalue()


def test_two_columns_of_one_name_reach_every_form(db: Connection) -> None:
    result = db.sql("SELECT a.id, b.id, a.id AS id_2 FROM sales a JOIN sales b USING (region) ORDER BY 1")
    assert result.arrow().column_names == ["id", "id", "id_2"]
    assert result.polars().columns == ["id", "id_3", "id_2"]
    file = io.BytesIO()
    write_parquet(result.answer, file)
    assert pq.read_table(file).to_pylist()[0] == {"id": 1, "id_3": 1, "id_2": 1}


def test_no_rows_reach_every_form(db: Connection) -> None:
    result = db.sql("SELECT *, count(*) OVER () FROM sales WHERE id < 0")
    assert result.rows() == []
    assert list(result.pandas().columns) == result.polars().columns == ["id", "region", "price", "count(*) OVER ()"]


def test_columns_are_called_by_what_they_are(db: Connection) -> None:
    assert db.sql("SELECT count(*), avg(price) FROM sales").arrow().column_names == ["count", "avg(price)"]


BROKEN: list[tuple[str, Any]] = [("None", None), ("bytes", b"SELECT 1"), ("a number", 7), ("a surrogate", "select '\udcff'")]


@pytest.mark.parametrize("value", [value for _, value in BROKEN], ids=[name for name, _ in BROKEN])
@pytest.mark.parametrize("way", ["ask", "sql"])
def test_what_is_no_text_is_told_so(db: Connection, way: str, value: Any) -> None:
    with pytest.raises(StreamLinkError) as caught:
        getattr(db, way)(value)
    assert caught.value.code in ("bad_request", "policy_refused")
    assert "empty" not in caught.value.detail


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"row_limit": "5"}, "row limit.*whole number"),
        ({"row_limit": True}, "row limit.*whole number"),
        ({"row_limit": 2.5}, "row limit.*whole number"),
        ({"time_limit_s": "5"}, "time limit.*number of seconds"),
        ({"time_limit_s": float("nan")}, "time limit"),
    ],
)
def test_limits_of_the_wrong_type_are_told_so(db: Connection, limits: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        db.sql("SELECT 1", **limits)


def test_a_closed_connection_says_so(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("1,2\n3,4\n", encoding="utf-8")
    with streamlink_sql.connect(tmp_path, store="temporary") as opened:
        result = opened.sql("SELECT * FROM sales")
    for ask in (opened.ask, opened.sql):
        with pytest.raises(EngineUnavailable, match="has been closed"):
            ask("SELECT * FROM sales")
    assert result.rows() == [(3, 4)]
    assert "first line was taken for the names" in " ".join(result.warnings)


def test_tables_of_every_schema_of_a_duckdb_file_can_be_asked(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as made:
        made.execute('CREATE SCHEMA shop; CREATE TABLE shop."order" AS SELECT 7 AS n; CREATE TABLE "old.csv" AS SELECT 3 AS n')
    with streamlink_sql.connect(tmp_path / "a.duckdb", store="temporary") as opened:
        names = {table.name for table in opened.tables()}
        assert names == {"shop.order", "main.old.csv"}
        assert [opened.sql(f'SELECT n FROM "{name}"').rows() for name in sorted(names)] == [[(3,)], [(7,)]]
        assert opened.ask("How many rows are in the order?").rows() == [(1,)]
