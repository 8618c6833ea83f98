"""The folder of a cluster: secrets, the settings of all parts, PostgreSQL's data, Nginx's configuration. Starts nothing that stays."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cluster.needs import Missing, find, unprivileged
from deploy.cluster.parts import ENGINES, HOST, MEMORY, REPLICAS, ROOT, Part, parts_of, ports_of


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in a folder."""

    folder: Path
    ports: Mapping[str, int]
    secrets: Mapping[str, str] = field(repr=False)
    engine: str = "spark"

    @property
    def url(self) -> str:
        """Where people and programs find it."""
        return f"http://{HOST}:{self.ports['NGINX_PORT']}"

    @property
    def data(self) -> Path:
        """The patents, as they were made."""
        return self.folder / "patents"

    @property
    def settings(self) -> Path:
        """The settings file of all of our parts."""
        return self.folder / "streamlink.toml"

    def parts(self) -> list[Part]:
        """All parts. Raises Missing."""
        nginx, postgres = find("nginx"), find("postgres")
        if nginx is None or postgres is None:
            raise Missing("Nginx or PostgreSQL is gone: make cluster")
        return parts_of(self.folder, self.ports, str(nginx), postgres.parent, self.postgres_data(), unprivileged(), self.engine)

    def postgres_data(self) -> Path:
        """In our folder, unless whoever runs PostgreSQL cannot get there."""
        user = unprivileged()
        if user is None or all(place.stat().st_mode & 0o001 for place in (self.folder, *self.folder.parents)):
            return self.folder / "postgres"
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(f"/var/lib/streamlink-cluster-{name}") / "postgres"

    def environment(self) -> dict[str, str]:
        """What all processes are started with: no setting of the caller's, our ports, the tokens between the parts."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLINK_") or name == "STREAMLINK_MODELS"}
        return {
            **MEMORY,
            **kept,
            **{name: str(port) for name, port in self.ports.items()},
            "CLUSTER_DIR": str(self.folder),
            "CLUSTER_HOST": HOST,
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "STREAMLINK_CONFIG": str(self.settings),
            "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.secrets["spark_token"],
            "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -Dspark.master.rest.enabled=false",
        }


def open_cluster(folder: Path) -> Cluster:
    """The cluster of a folder, which is made where it is not there. Raises ValueError where a port or an engine is none."""
    engine = os.environ.get("CLUSTER_ENGINE") or ENGINES[0]
    if engine not in ENGINES:
        raise ValueError(f"CLUSTER_ENGINE cannot be {engine}: it is {' or '.join(ENGINES)}.")
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "secrets.json"
    if not kept.is_file():
        made = {name: secrets.token_urlsafe(32) for name in ("worker_token", "spark_token", "postgres_password")}
        _write(kept, json.dumps(made))
    return Cluster(folder, ports_of(os.environ), json.loads(kept.read_text()), engine)


def write_settings(cluster: Cluster) -> None:
    """The settings of all parts in one file, and out of it the configuration of Nginx."""
    ports, secret = cluster.ports, cluster.secrets
    behind = {
        group: [f"{HOST}:{ports[port] + n}" for n in range(1, REPLICAS + 1)]
        for group, port in (("nginx_ccus", "CCU_PORT"), ("nginx_web", "WEB_PORT"), ("nginx_workers", "WORKER_PORT"))
    }
    settings: dict[str, object] = {
        "data": f"spark://localhost:{ports['SPARK_CONNECT_PORT']}" if cluster.engine == "spark" else str(cluster.data),
        "glossary": str(cluster.data / "glossary.toml"),
        "model": f"worker:http://{HOST}:{ports['NGINX_WORKER_PORT']}",
        "worker_token": secret["worker_token"],
        "store": f"postgresql://streamlink:{secret['postgres_password']}@{HOST}:{ports['POSTGRES_PORT']}/streamlink",
        "audit_dir": str(cluster.folder / "audit"),
        "login": True,
        "ccu": f"http://{HOST}:{ports['NGINX_CCU_PORT']}",
        **behind,
        "nginx_listen": f"{HOST}:{ports['NGINX_PORT']}",
        "nginx_ccu_listen": f"{HOST}:{ports['NGINX_CCU_PORT']}",
        "nginx_worker_listen": f"{HOST}:{ports['NGINX_WORKER_PORT']}",
        "nginx_rate": 0,
    }
    _write(cluster.settings, "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    (cluster.folder / "nginx").mkdir(exist_ok=True)
    told = subprocess.run([sys.executable, "-m", "streamlink_sql", "nginx"], env=cluster.environment(), capture_output=True, text=True)
    if told.returncode != 0:
        raise Missing(told.stderr.strip())
    _write(cluster.folder / "nginx" / "nginx.conf", told.stdout)


def write_prometheus(cluster: Cluster, key: str) -> None:
    """What Prometheus must know to read the counters of our parts, one by one; `key` is an administrator's. JSON is YAML."""
    jobs: dict[str, tuple[str, str]] = {
        "ccu": ("CCU_PORT", key),
        "web": ("WEB_PORT", key),
        "worker": ("WORKER_PORT", cluster.secrets["worker_token"]),
    }
    scraped = [
        {
            "job_name": f"streamlink-{part}",
            "authorization": {"credentials": secret},
            "static_configs": [{"targets": [f"{HOST}:{cluster.ports[port] + n}" for n in range(1, REPLICAS + 1)]}],
        }
        for part, (port, secret) in jobs.items()
    ]
    told = {"global": {"scrape_interval": "15s"}, "scrape_configs": scraped}
    _write(cluster.folder / "prometheus.yml", json.dumps(told, indent=2) + "\n")


def make_postgres(cluster: Cluster) -> None:
    """PostgreSQL's data, once: a database of ours, nobody in without the password. Raises Missing."""
    data, user, postgres = cluster.postgres_data(), unprivileged(), find("postgres")
    assert postgres is not None
    if not (data / "PG_VERSION").is_file():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, mode=0o700)
        password = data.with_name("postgres.password")
        _write(password, cluster.secrets["postgres_password"])
        if user:
            shutil.chown(data, user)
            shutil.chown(password, user)
        access = ("-U", "streamlink", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C")
        done = subprocess.run(
            [str(postgres.with_name("initdb")), "-D", str(data), *access], user=user, cwd="/", capture_output=True, text=True
        )
        password.unlink()
        if done.returncode != 0:
            shutil.rmtree(data)
            raise Missing(f"PostgreSQL's data cannot be made: {done.stderr.strip()}")
    own = {
        "listen_addresses": HOST,
        "port": cluster.ports["POSTGRES_PORT"],
        "unix_socket_directories": "",
        "shared_buffers": "64MB",
        "max_connections": 100,
    }
    (data / "postgresql.auto.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in own.items()))


def make_database(cluster: Cluster) -> None:
    """The database in the running PostgreSQL, unless it is there."""
    import psycopg

    ports, secret = cluster.ports, cluster.secrets
    where = f"host={HOST} port={ports['POSTGRES_PORT']} user=streamlink password={secret['postgres_password']}"
    with psycopg.connect(f"{where} dbname=postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'streamlink'").fetchall():
            connection.execute("CREATE DATABASE streamlink")


def _write(path: Path, text: str) -> None:
    """A file that only we may read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
