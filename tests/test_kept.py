"""Samples that outlast a process: found again for the same data only, private, bounded, and never needed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import streamlink_sql
from streamlink_sql.catalog import Catalog, KeptSamples, kept, reading
from streamlink_sql.engines import open_embedded
from streamlink_sql.engines.embedded import EmbeddedEngine
from streamlink_sql.types import Sample

SAMPLES = {("sales", "region"): Sample(("north", "süd", "\ud800"), False, None), ("sales", "id"): Sample(("1",), True, True)}


def samples_in(folder: Path, reader: str = "engine 1", settled: Callable[[], bool] = lambda: True) -> KeptSamples:
    return KeptSamples(folder / "samples", reader, settled)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "samples").glob("*"))


def make(folder: Path, region: str = "north") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "sales.csv"
    file.write_text(f"id,region\n1,{region}\n2,south\n", encoding="utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    return folder


class Counted:
    """An engine, and how many samples were asked of it."""

    def __init__(self, engine: Any) -> None:
        self._engine, self.asked = engine, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def sample(self, table: str, column: str, *, limit: int) -> Sample:
        self.asked += 1
        found: Sample = self._engine.sample(table, column, limit=limit)
        return found


def asked(data: Path, cache: Path, question: str = "how many in north?") -> tuple[int, list[str]]:
    """How many samples a process of its own takes, and the values that it finds in a question."""
    with closing(open_embedded(str(data))) as engine:
        assert isinstance(engine, EmbeddedEngine)
        counted = Counted(engine)
        catalog = Catalog(counted, kept=samples_in(cache, engine.version, engine.is_settled))
        found = [match.value for match in catalog.relevant(question).matches]
        return counted.asked, found


@pytest.fixture(autouse=True)
def keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WORTH_KEEPING_S", -1.0)


def test_the_next_process_takes_no_samples(tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    first, found = asked(data, tmp_path)
    again, found_again = asked(data, tmp_path)
    assert (first > 0, again) == (True, 0)
    assert found == found_again == ["north"]


def test_other_data_is_sampled_anew(tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    asked(data, tmp_path)
    (data / "sales.csv").write_text("id,region\n1,east\n2,south\n", encoding="utf-8")
    count, found = asked(data, tmp_path, "how many in east?")
    assert (count > 0, found) == (True, ["east"])
    copy = make(tmp_path / "copy")
    assert asked(copy, tmp_path)[0] > 0


def test_data_that_changed_a_moment_ago_is_not_kept(tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    later = time.time() + 3600
    os.utime(data / "sales.csv", (later, later))
    asked(data, tmp_path)
    assert not files(tmp_path)


def test_data_that_changes_while_it_is_sampled_is_not_kept(tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    with closing(open_embedded(str(data))) as engine:
        assert isinstance(engine, EmbeddedEngine)
        changing = Counted(engine)
        real = changing.sample

        def sample(table: str, column: str, *, limit: int) -> Sample:
            found = real(table, column, limit=limit)
            make(data, "east")
            os.utime(data / "sales.csv", (1_700_000_100, 1_700_000_100))
            return found

        changing.sample = sample  # type: ignore[method-assign]
        Catalog(changing, kept=samples_in(tmp_path, engine.version, engine.is_settled)).tables()
    assert not files(tmp_path)


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    assert samples_in(tmp_path).save("a", SAMPLES)
    assert samples_in(tmp_path).load("a") == SAMPLES
    assert samples_in(tmp_path).load("b") == {}
    assert samples_in(tmp_path, "engine 2").load("a") == {}
    (file,) = files(tmp_path)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "text", "other shape", "folder"])
def test_a_damaged_file_is_as_none_and_is_made_anew(tmp_path: Path, damage: str) -> None:
    samples_in(tmp_path).save("a", SAMPLES)
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    odd = kept._packed(SAMPLES, "x").replace(b"x", b"y")
    damaged = {"cut": whole[:-9], "noise": whole[:20] + b"\xff" * 20, "empty": b"", "text": b"{}", "other shape": odd}
    if damage == "folder":
        file.unlink()
        file.mkdir(mode=0o700)
    else:
        file.write_bytes(damaged[damage])
    assert samples_in(tmp_path).load("a") == {}
    if damage != "folder":
        assert samples_in(tmp_path).save("a", SAMPLES)
        assert samples_in(tmp_path).load("a") == SAMPLES


@pytest.mark.parametrize(
    "body", ['{"key": KEY, "samples": [[1]]}', '{"key": KEY, "samples": [["a", "b", [1], true, null]]}', '{"key": KEY}', "[]"]
)
def test_samples_of_a_wrong_shape_are_not_believed(tmp_path: Path, body: str) -> None:
    import json
    import zlib

    samples = samples_in(tmp_path)
    samples.save("a", SAMPLES)
    (file,) = files(tmp_path)
    file.write_bytes(zlib.compress(body.replace("KEY", json.dumps(samples._key("a"))).encode()))
    assert samples.load("a") == {}


def test_what_others_may_write_is_not_read(tmp_path: Path) -> None:
    samples_in(tmp_path).save("a", SAMPLES)
    (file,) = files(tmp_path)
    file.chmod(0o622)
    assert samples_in(tmp_path).load("a") == {}
    file.chmod(0o600)
    file.parent.chmod(0o777)
    assert samples_in(tmp_path).load("a") == {}
    assert not samples_in(tmp_path).save("b", SAMPLES)


def test_the_folder_stays_within_its_size_and_the_oldest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = samples_in(tmp_path)
    samples.save("0", SAMPLES)
    (file,) = files(tmp_path)
    monkeypatch.setattr(kept, "_FOLDER_BYTES", 3 * file.stat().st_size + 10)
    for number in range(1, 6):
        for place, known in enumerate(files(tmp_path)):
            os.utime(known, (1_000 + place, 1_000 + place) if known != samples._path("0") else None)
        samples.save(str(number), SAMPLES)
        assert len(files(tmp_path)) <= 3
    assert samples.load("0") == SAMPLES
    monkeypatch.setattr(kept, "_FILE_BYTES", 10)
    assert not samples.save("large", SAMPLES)


def test_many_writers_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    read: list[dict[Any, Sample]] = []

    def work() -> None:
        for _ in range(20):
            samples_in(tmp_path).save("a", SAMPLES)
            read.append(samples_in(tmp_path).load("a"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found == SAMPLES for found in read)
    assert [file.suffix for file in files(tmp_path)] == [".samples"]


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "samples").write_text("a file")
    assert not samples_in(tmp_path).save("a", SAMPLES)
    assert samples_in(tmp_path).load("a") == {}


def test_a_setting_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = make(tmp_path / "data")
    for keep, there in ((False, False), (True, True)):
        with streamlink_sql.connect(data, store="temporary", keep_samples=keep) as db:
            db.tables()
        assert any((tmp_path / "cache").rglob("*.samples")) is there


def test_columns_that_were_not_sampled_are_told(tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    with closing(open_embedded(str(data))) as engine:
        catalog = Catalog(engine, read_limit_s=-1.0)
        catalog._start_reading = lambda stamp: None  # type: ignore[method-assign]
        catalog.tables()
        (note,) = catalog.notes({"sales"})
        assert note.startswith("2 columns were not sampled yet")
        assert note.endswith("may not be recognised (sales.id, sales.region).")
        assert catalog.notes({"others"}) == ()
        catalog = Catalog(engine)
        catalog.tables()
        assert catalog.notes({"sales"}) == ()
