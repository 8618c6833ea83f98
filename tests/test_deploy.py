"""The cluster on one machine: its parts, its folder, its process manager. Starting all of it is `make cluster`."""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.manager import Manager
from deploy.cluster.needs import Missing
from deploy.cluster.parts import PORTS, Part, parts_of, ports_of
from deploy.cluster.state import open_cluster, write_settings
from streamlink_sql.settings import load_settings
from tests.serving import until


def parts(folder: Path, engine: str = "spark") -> list[Part]:
    return parts_of(folder, ports_of({}), "nginx", Path("/postgres"), folder / "postgres", None, engine)


def test_every_part_has_a_name_and_a_port_of_its_own(tmp_path: Path) -> None:
    found = parts(tmp_path)
    names = [part.name for part in found]
    assert len(set(names)) == len({part.port for part in found}) == 16
    assert {"nginx", "web-2", "ccu-1", "worker-2", "postgres", "spark-master", "spark-worker-2", "spark-connect", "datanode-3"} <= set(
        names
    )
    assert [part.step for part in found] == sorted(part.step for part in found)


def test_without_spark_the_control_units_read_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {part.name for part in parts(tmp_path, "duckdb")}
    assert names == {"postgres", "worker-1", "worker-2", "ccu-1", "ccu-2", "web-1", "web-2", "nginx"}
    monkeypatch.setenv("CLUSTER_ENGINE", "duckdb")
    write_settings(open_cluster(tmp_path))
    assert tomllib.loads((tmp_path / "streamlink.toml").read_text())["data"] == str(tmp_path / "patents")
    monkeypatch.setenv("CLUSTER_ENGINE", "oracle")
    with pytest.raises(ValueError, match="CLUSTER_ENGINE cannot be oracle"):
        open_cluster(tmp_path)


def test_ports_are_settable_one_by_one_and_all_together() -> None:
    assert ports_of({}) == PORTS
    moved = ports_of({"CLUSTER_SHIFT": "1000", "NGINX_PORT": "80"})
    assert (moved["NGINX_PORT"], moved["CCU_PORT"], moved["HDFS_PORT"]) == (80, 9100, 10000)
    for wrong in ("0", "70000", "http"):
        with pytest.raises(ValueError, match="NGINX_PORT cannot be"):
            ports_of({"NGINX_PORT": wrong})


def test_secrets_are_made_once_and_are_for_our_eyes_only(tmp_path: Path) -> None:
    made, again = open_cluster(tmp_path / "a"), open_cluster(tmp_path / "a")
    assert made.secrets == again.secrets != open_cluster(tmp_path / "b").secrets
    assert (tmp_path / "a" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert not any(secret in repr(made) for secret in made.secrets.values())


def test_settings_of_the_caller_do_not_reach_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLINK_ROLE", "somebody")
    monkeypatch.setenv("HDFS_HEAP", "1g")
    told = open_cluster(tmp_path).environment()
    assert "STREAMLINK_ROLE" not in told
    assert told["HDFS_HEAP"] == "1g"
    assert told["SPARK_CONNECT_AUTHENTICATE_TOKEN"]


def test_one_settings_file_makes_nginx_and_all_parts(tmp_path: Path) -> None:
    cluster = open_cluster(tmp_path)
    write_settings(cluster)
    assert cluster.settings.stat().st_mode & 0o777 == 0o600
    written = tomllib.loads(cluster.settings.read_text())
    settings = load_settings(cluster.settings)
    assert settings.login is True
    assert settings.nginx_workers == ("127.0.0.1:8301", "127.0.0.1:8302")
    assert written["ccu"] == "http://127.0.0.1:8081"
    conf = (tmp_path / "nginx" / "nginx.conf").read_text()
    assert [address in conf for part in parts(tmp_path) if part.name[:3] in ("ccu", "web") for address in [f"127.0.0.1:{part.port} "]] == [
        True
    ] * 4
    listens = [line.split()[1] for line in conf.splitlines() if line.strip().startswith("listen ")]
    assert listens == ["127.0.0.1:8080;", "127.0.0.1:8081;", "127.0.0.1:8082;"]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    if importlib.util.find_spec("supervisor") is None:
        pytest.skip("supervisor is not installed here: make test-cluster")
    found = Manager(tmp_path)
    yield found
    if found.runs():
        found.end()


def other_pid(manager: Manager, name: str, pid: int | None) -> int:
    """The number of a part's process, once it is not this one."""
    until(lambda: manager.pids().get(name) not in (None, pid))
    return manager.pids()[name]


@pytest.mark.cluster
def test_what_dies_is_started_again_and_what_is_stopped_is_not(manager: Manager) -> None:
    sleeper = Part(
        "sleeper", 1, 1, (sys.executable, "-c", "import time; print('100 % \"awake\"', flush=True); time.sleep(600)"), lambda: True
    )
    manager.start([sleeper], dict(os.environ))
    assert manager.pids() == {}  # nothing runs before it is told to
    manager.start_part("sleeper")
    first = other_pid(manager, "sleeper", None)
    manager.start_part("sleeper")
    assert manager.pids() == {"sleeper": first}
    until(lambda: (manager.folder / "logs" / "sleeper.log").read_text() == '100 % "awake"\n')
    os.kill(first, 9)
    second = other_pid(manager, "sleeper", first)
    manager.stop_part("sleeper")
    assert manager.pids() == {}
    assert not Path(f"/proc/{second}").exists()
    manager.end()
    assert not manager.runs()


def test_a_folder_whose_path_is_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with pytest.raises(Missing, match="set CLUSTER_DIR to a shorter one"):
        Manager(folder).start([], {})
