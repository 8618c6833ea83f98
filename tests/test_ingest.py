"""Files become tables: what works on folders of this machine, with real files and real processes that are killed. No server is needed."""

from __future__ import annotations

import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from streamlink_sql.engines.source import look
from streamlink_sql.errors import BadRequest, Forbidden, NotFound, StorageUnavailable, StreamLinkError
from streamlink_sql.ingest.ingest import RECORD, Ingested, Job, ingest
from streamlink_sql.ingest.layout import Asked
from streamlink_sql.ingest.storage import open_storage, read_address, translated
from tests.serving import free_port

ROWS = 20_000
HAS_HDFS = find_spec("hdfs_native") is not None


def rows(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def write(sql: str, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    rows(f"COPY ({sql}) TO '{to}'")
    return to


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with every kind of column that a layout may choose."""
    return write(
        "SELECT CAST(i AS INTEGER) AS id, (['north', 'south', 'west'])[i % 3 + 1] AS region, i % 97 / 4 AS amount, "
        f"DATE '2024-01-01' + CAST((i * 7919) % 365 AS INTEGER) AS day, 'customer ' || (i * 31) % {ROWS} AS customer, "
        f"CASE WHEN i % 10 > 0 THEN i % 5 END AS rating FROM range({ROWS}) r(i)",
        tmp_path_factory.mktemp("sales") / "sales.parquet",
    )


def job(source: Path, to: Path, tmp_path: Path, **asked: Any) -> Job:
    (table,) = look(source).tables
    return Job(table, read_address(str(to)), tmp_path / "scratch", Asked(**asked))


def same(source: Path, table: Path, *, hive: bool = False) -> bool:
    names = ", ".join(f'"{row[0]}"' for row in rows(f"DESCRIBE SELECT * FROM '{source}'"))
    reading = f"read_parquet('{table}/**/*.parquet', hive_partitioning = {hive})"
    one, other = f"SELECT {names} FROM '{source}'", f"SELECT {names} FROM {reading}"
    return rows(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})") == rows(f"SELECT count(*) FROM ({other} EXCEPT ALL {one})") == [(0,)]


def left_behind(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]


def test_the_rows_are_the_same_and_nothing_is_left_behind(sales: Path, tmp_path: Path) -> None:
    made = ingest(job(sales, tmp_path / "lake" / "sales", tmp_path))
    assert (made.rows, made.sort_by, made.partition_by, made.made) == (ROWS, ("day",), (), True)
    assert same(sales, tmp_path / "lake" / "sales")
    assert left_behind(tmp_path / "lake") == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_folders_order_and_files(sales: Path, tmp_path: Path) -> None:
    to = tmp_path / "sales"
    made = ingest(job(sales, to, tmp_path, partition_by=("region",), sort_by=("customer", "id"), file_rows=2_000))
    assert sorted(entry.name for entry in to.iterdir() if entry.is_dir()) == ["region=north", "region=south", "region=west"]
    assert same(sales, to, hive=True)
    assert len(made.files) >= ROWS // 2_000
    for file in made.files:
        found = pq.read_table(to / file, partitioning=None).select(["customer", "id"]).to_pylist()
        keys = [(row["customer"].encode(), row["id"]) for row in found]
        assert keys == sorted(keys)
        assert len(keys) <= 2_500  # a stretch is cut by the spread of values, not by counting


def test_parquet_is_laid_out_for_readers(sales: Path, tmp_path: Path) -> None:
    made = ingest(job(sales, tmp_path / "sales", tmp_path))
    footer = pq.ParquetFile(tmp_path / "sales" / made.files[0]).metadata
    columns = {footer.row_group(0).column(at).path_in_schema: footer.row_group(0).column(at) for at in range(footer.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    assert all(column.statistics.has_min_max and column.has_offset_index and column.has_column_index for column in columns.values())
    assert [each.column_index for each in footer.row_group(0).sorting_columns] == [list(columns).index("day")]
    assert made.bloom == ("id", "customer")
    probed = rows(f"SELECT DISTINCT column_id, bloom_filter_offset IS NOT NULL FROM parquet_metadata('{tmp_path}/sales/{made.files[0]}')")
    assert {list(columns)[at] for at, has_bloom in probed if has_bloom} == {"id", "customer"}


def test_a_large_table_gets_folders_by_itself(tmp_path: Path) -> None:
    """Whole numbers that are few, text that looks like numbers, a column with gaps and one with many values are there to be passed over."""
    source = write(
        "SELECT i AS id, i % 4 AS quarter, CAST(i % 2 AS VARCHAR) AS code, CASE WHEN i % 9 > 0 THEN 'x' || i % 2 END AS gaps, "
        "(['a', 'b', 'c'])[i % 3 + 1] AS kind FROM range(600_000) r(i)",
        tmp_path / "in" / "big.parquet",
    )
    made = ingest(job(source, tmp_path / "out" / "big", tmp_path))
    assert made.partition_by == ("kind",)
    assert same(source, tmp_path / "out" / "big", hive=True)


def test_odd_texts_in_folders(tmp_path: Path) -> None:
    source = write("SELECT * FROM (VALUES ('a/b=c %', 1), ('größe', 3), ('x:y*', NULL)) t(place, n)", tmp_path / "in" / "odd.parquet")
    ingest(job(source, tmp_path / "odd", tmp_path, partition_by=("place",)))
    assert same(source, tmp_path / "odd", hive=True)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"partition_by": ("nothing",)}, "no column nothing"),
        ({"partition_by": ("amount",)}, "folders are made by"),
        ({"partition_by": ("region",), "sort_by": ("region",)}, "cannot order"),
        ({"sort_by": ("id", "id")}, "named twice"),
        ({"partition_by": ("rating",)}, "without a value"),
        ({"partition_by": ("id",)}, "more than 10,000 folders"),
    ],
)
def test_wishes_that_cannot_be(sales: Path, tmp_path: Path, wish: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        ingest(job(sales, tmp_path / "sales", tmp_path, **wish))
    assert not (tmp_path / "sales").exists()
    assert left_behind(tmp_path) == []


def test_text_that_folders_would_make_numbers_of(tmp_path: Path) -> None:
    source = write("SELECT '0' || i AS code, i FROM range(3) r(i)", tmp_path / "codes.parquet")
    with pytest.raises(BadRequest, match="looks like numbers"):
        ingest(job(source, tmp_path / "codes", tmp_path, partition_by=("code",)))


def test_the_same_source_again_does_nothing(sales: Path, tmp_path: Path) -> None:
    wanted = job(sales, tmp_path / "sales", tmp_path)
    first = ingest(wanted)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "sales").rglob("*")}
    again = ingest(wanted)
    assert again == replace(first, made=False)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "sales").rglob("*")} == before


def test_another_source_needs_replace(tmp_path: Path) -> None:
    source = write("SELECT 1 AS n", tmp_path / "n.parquet")
    wanted = job(source, tmp_path / "lake" / "n", tmp_path)
    ingest(wanted)
    write("SELECT 2 AS n, 'new' AS more", source)
    with pytest.raises(BadRequest, match="--replace"):
        ingest(wanted)
    assert rows(f"SELECT * FROM '{tmp_path}/lake/n/*.parquet'") == [(1,)]
    ingest(replace(wanted, replace=True))
    assert rows(f"SELECT * FROM '{tmp_path}/lake/n/*.parquet'") == [(2, "new")]
    assert left_behind(tmp_path / "lake") == []


def test_what_was_not_ingested_is_never_replaced(sales: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadRequest, match="not ingested here"):
        ingest(replace(job(sales, tmp_path / "mine", tmp_path), replace=True))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    source = write("SELECT 1 AS n, 'x' AS t WHERE false", tmp_path / "none.parquet")
    made = ingest(job(source, tmp_path / "none", tmp_path))
    assert (made.rows, len(made.files)) == (0, 1)
    assert [row[:2] for row in rows(f"DESCRIBE SELECT * FROM '{tmp_path}/none/*.parquet'")] == [("n", "INTEGER"), ("t", "VARCHAR")]


def test_csv_and_json_by_the_rules_of_every_other_command(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bills.csv").write_text("id;paid;on\n1;1.234,50;31/12/2024\n2;7,25;01/02/2024\n")
    (tmp_path / "in" / "people.jsonl").write_text('{"name": "Ada", "born": "1815-12-10"}\n{"name": "Grace", "born": "1906-12-09"}\n')
    for table in look(tmp_path / "in").tables:
        ingest(Job(table, read_address(str(tmp_path / "out" / table.name)), tmp_path / "scratch"))
    assert rows(f"SELECT * FROM '{tmp_path}/out/bills/*.parquet' ORDER BY id") == [
        (1, 1234.5, datetime.date(2024, 12, 31)),
        (2, 7.25, datetime.date(2024, 2, 1)),
    ]
    assert rows(f"SELECT name FROM '{tmp_path}/out/people/*.parquet' WHERE born < DATE '1900-01-01'") == [("Ada",)]


def test_types_that_spark_lacks_become_ones_that_it_has(tmp_path: Path) -> None:
    source = write(
        "SELECT 123456789012345678901234::HUGEINT AS big, TIME '10:11:12' AS at, uuid() AS id, INTERVAL 3 DAY AS long",
        tmp_path / "odd.parquet",
    )
    made = ingest(job(source, tmp_path / "odd", tmp_path))
    types = dict(row[:2] for row in rows(f"DESCRIBE SELECT * FROM '{tmp_path}/odd/*.parquet'"))
    assert (types["at"], types["id"]) == ("VARCHAR", "VARCHAR")
    assert any("id is UUID" in note for note in made.notes)


def start(source: Path, to: Path, scratch: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streamlink_sql", "ingest", str(source), "--to", str(to), "--scratch", str(scratch), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_parts(staging: Path, count: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while len(list((staging / "done").glob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


def test_a_killed_ingest_leaves_no_table_and_goes_on(sales: Path, tmp_path: Path) -> None:
    to, staging = tmp_path / "lake" / "sales", tmp_path / "lake" / ".sales.ingest"
    more = ("--partition-by", "region", "--file-rows", "500", "--json")
    process = start(sales, to, tmp_path / "scratch", *more)
    await_parts(staging, 5, process)
    process.send_signal(signal.SIGSTOP)  # so that the state that is looked at is the one that is left
    kept = {file: file.stat().st_mtime_ns for marker in (staging / "done").glob("*.json") for file in written(staging, marker)}
    process.kill()
    process.communicate()
    assert not to.exists()
    with pytest.raises(NotFound):
        look(to)

    output, errors = start(sales, to, tmp_path / "scratch", *more).communicate(timeout=200)
    (made,) = json.loads(output)
    assert errors == ""
    assert 5 <= made["resumed"] < len(made["files"])
    assert same(sales, to, hive=True)
    assert len(kept) >= 5
    assert {file: (to / file.relative_to(staging / "table")).stat().st_mtime_ns for file in kept} == kept
    assert left_behind(tmp_path / "lake") == []


def written(staging: Path, marker: Path) -> list[Path]:
    try:
        return [staging / "table" / file["path"] for file in json.loads(marker.read_text())]
    except ValueError:
        return []


def test_another_source_does_not_go_on_with_the_parts_of_the_first(sales: Path, tmp_path: Path) -> None:
    source = write(f"SELECT * FROM '{sales}'", tmp_path / "in" / "sales.parquet")
    process = start(source, tmp_path / "sales", tmp_path / "scratch", "--file-rows", "500")
    await_parts(tmp_path / ".sales.ingest", 2, process)
    process.kill()
    process.communicate()
    write(f"SELECT * REPLACE (amount + 1 AS amount) FROM '{sales}'", source)
    made = ingest(job(source, tmp_path / "sales", tmp_path, file_rows=5_000))
    assert made.resumed == 0
    assert same(source, tmp_path / "sales")


def test_a_kill_between_the_two_moves_is_mended(sales: Path, tmp_path: Path) -> None:
    """The old table is moved aside, the new one is not in its place yet: the state is made by hand, as nobody hits these milliseconds."""
    wanted = replace(job(sales, tmp_path / "sales", tmp_path), replace=True)
    ingest(job(write("SELECT 1 AS n", tmp_path / "old.parquet"), tmp_path / "sales", tmp_path))
    dying = (
        "import os\n"
        "from streamlink_sql.cli import main\n"
        "from streamlink_sql.ingest.storage import LocalStorage\n"
        "move = LocalStorage.move\n"
        f"LocalStorage.move = lambda self, path, to: os._exit(9) if to == {str(tmp_path / 'sales')!r} else move(self, path, to)\n"
        "main()\n"
    )
    arguments = ["ingest", str(sales), "--to", str(tmp_path / "sales"), "--scratch", str(tmp_path / "scratch"), "--replace"]
    assert subprocess.run([sys.executable, "-c", dying, *arguments], check=False, timeout=200).returncode == 9
    assert not (tmp_path / "sales").exists()
    made = ingest(wanted)
    assert (made.made, made.resumed) == (True, 1)
    assert same(sales, tmp_path / "sales")
    assert left_behind(tmp_path) == []


def test_two_at_once_do_not_mix(sales: Path, tmp_path: Path) -> None:
    process = start(sales, tmp_path / "sales", tmp_path / "scratch", "--file-rows", "500")
    await_parts(tmp_path / ".sales.ingest", 1, process)
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(BadRequest, match=f"process {process.pid} on"):
            ingest(job(sales, tmp_path / "sales", tmp_path, file_rows=500))
    finally:
        process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert same(sales, tmp_path / "sales")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told_and_the_next_try_goes_on(sales: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220k", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        wanted = job(sales, disk / "sales", tmp_path, file_rows=1_000)
        with pytest.raises(StorageUnavailable, match=r"full.*goes on where it stopped"):
            ingest(wanted)
        assert not (disk / "sales").exists()
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        made = ingest(wanted)
        assert made.resumed > 0
        assert same(sales, disk / "sales")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_addresses() -> None:
    assert str(read_address("hdfs://node7:9000/warehouse/sales/")) == "hdfs://node7:9000/warehouse/sales"
    assert read_address("file:///lake/a%20b").path == "/lake/a b"
    bucket = read_address("s3a://bucket/lake/sales?region=eu")
    assert (bucket.kind, str(bucket), bucket.options) == ("s3", "s3://bucket/lake/sales", "?region=eu")
    assert str(bucket.beside(".x")) == "s3://bucket/lake/.x"


@pytest.mark.parametrize(
    "text", ["hdfs://node7:9000/", "hdfs:///x", "ftp://node7/x", "hdfs://node7:port/x", "file://node7/x", "/a/../../x", "s3:///x"]
)
def test_addresses_that_name_nothing(text: str) -> None:
    with pytest.raises(BadRequest, match="hdfs://HOST:PORT/PATH"):
        read_address(text)


def test_no_namenode() -> None:
    pytest.importorskip("hdfs_native")
    for host, said in (("no.such.machine.invalid:9000", "no machine named"), (f"127.0.0.1:{free_port()}", "No NameNode answers")):
        with pytest.raises(StorageUnavailable, match=said):
            open_storage(read_address(f"hdfs://{host}/warehouse/sales"))


def test_what_listens_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hdfs_native")
    monkeypatch.setattr("streamlink_sql.ingest.storage.ANSWER_LIMIT_S", 1.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as mute, pytest.raises(StorageUnavailable, match=r"says nothing.*HADOOP_CONF_DIR"):
        open_storage(read_address(f"hdfs://127.0.0.1:{mute.getsockname()[1]}/warehouse/sales"))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (
            r'RPCError("org.apache.hadoop.hdfs.server.namenode.SafeModeException", "Cannot create directory /x.\nIt was")',
            StorageUnavailable,
            "safemode leave",
        ),
        (r'RPCError("org.apache.hadoop.security.AccessControlException", "Permission denied: user=eve\n\tat")', Forbidden, "user=eve. Ask"),
        (
            r'RPCError("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException", "The DiskSpace quota of /x is exceeded\n")',
            StorageUnavailable,
            "full",
        ),
        (
            r'RPCError("java.io.IOException", "File /x could only be written to 0 of the 1 minReplication nodes.\n")',
            StorageUnavailable,
            "takes data",
        ),
        (
            'GSSAPIError(GssMajorCodes { raw: "0x00070000" }, 2529639053, "No Kerberos credentials available (default cache: /tmp/cc)")',
            StorageUnavailable,
            "No Kerberos credentials available (default cache: /tmp/cc). Get a ticket (kinit",
        ),
        ("RPC listener disconnected", StorageUnavailable, "disconnected"),
    ],
)
def test_what_hdfs_says_is_told_with_a_remedy(text: str, kind: type[StreamLinkError], said: str) -> None:
    found = translated(RuntimeError(text), "hdfs://node7:9000")
    assert isinstance(found, kind)
    assert said in found.detail
    assert "\tat" not in found.detail


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamlink_sql", "ingest", *arguments], capture_output=True, text=True, check=False, timeout=200
    )


def test_a_folder_of_tables_by_the_command_line(tmp_path: Path) -> None:
    for name in ("orders", "people"):
        write("SELECT range AS n FROM range(10)", tmp_path / "in" / f"{name}.csv")
    done = command(str(tmp_path / "in"), "--to", str(tmp_path / "lake"))
    assert done.returncode == 0, done.stderr
    assert "orders: 10 rows in 1 files" in done.stdout
    assert {table.name for table in look(tmp_path / "lake").tables} == {"orders", "people"}


def test_misuse_is_one_sentence(tmp_path: Path) -> None:
    write("SELECT 1 AS n", tmp_path / "in" / "a.csv")
    write("SELECT 1 AS n", tmp_path / "in" / "b.csv")
    for arguments, status, said in (
        ((str(tmp_path / "gone"), "--to", str(tmp_path / "x")), 2, "There is nothing at"),
        ((str(tmp_path / "in"), "--to", str(tmp_path / "x"), "--table", "c"), 2, "There is no table c"),
        ((str(tmp_path / "in"), "--to", str(tmp_path / "x"), "--sort-by", "n"), 2, "name it with --table"),
        ((str(tmp_path / "in" / "a.csv"), "--to", f"hdfs://127.0.0.1:{free_port()}/x"), 4, "NameNode answers" if HAS_HDFS else "hdfs]"),
    ):
        done = command(*arguments)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (status, True, False), done.stderr
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in"]


def test_the_record_is_not_data(sales: Path, tmp_path: Path) -> None:
    made: Ingested = ingest(job(sales, tmp_path / "sales", tmp_path))
    assert (tmp_path / "sales" / RECORD).exists()
    (found,) = look(tmp_path / "sales").tables
    assert [Path(file).name for file in found.files] == list(made.files)
