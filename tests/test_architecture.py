"""What holds for the package as a whole: who loads what, how quick it starts, who may make checked SQL."""

from __future__ import annotations

import ast
import os
import re
import resource
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import streamlink_sql
from tests.pace import slowness

PACKAGE = Path(streamlink_sql.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py"))
HEAVY = (
    "torch",
    "transformers",
    "fastapi",
    "starlette",
    "uvicorn",
    "nicegui",
    "pyspark",
    "duckdb",
    "onnxruntime",
    "pandas",
    "polars",
    "alembic",
    "opentelemetry",
)


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running some code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["control", "assemble", "connection", "store.store", "settings", "cli"])
def test_no_engine_driver_web_framework_or_gpu_library_is_loaded(module: str) -> None:
    assert loaded_by(f"import streamlink_sql.{module}") & set(HEAVY) == set()


def test_the_package_itself_loads_next_to_nothing() -> None:
    assert not loaded_by("import streamlink_sql") & {*HEAVY, "sqlglot", "pyarrow", "sqlalchemy", "pydantic", "typer", "numpy", "rich"}


def test_the_runtime_of_the_parser_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime queues reports for its maker in the user's cache as soon as it is imported, unless it is told not to."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | {"XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import streamlink_sql, onnxruntime"], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []


def test_help_loads_no_command() -> None:
    loaded = loaded_by("import streamlink_sql.cli as c\nprint(c.build().list_commands(None))")
    assert not loaded & {*HEAVY, "sqlglot", "pyarrow", "sqlalchemy", "pydantic"}
    assert not {name for name in loaded if name.startswith("streamlink_sql.cli.")}


def fastest(*command: str) -> float:
    """The best of five runs in seconds of processor time, which a busy machine changes least."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_import_is_quick() -> None:
    assert fastest("-c", "import streamlink_sql") - fastest("-c", "pass") <= 0.2 * slowness()


def test_help_is_quick() -> None:
    assert fastest("-m", "streamlink_sql", "--help") <= 0.5 * slowness()


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield str(getattr(node.func, "id", None) or getattr(node.func, "attr", ""))


def test_only_checks_makes_checked_sql() -> None:
    makers = {path.relative_to(PACKAGE).parts[0] for path in SOURCES if "CheckedSQL" in calls(path)}
    assert makers == {"checks"}


def test_only_redteam_runs_sql_that_no_check_has_seen() -> None:
    callers = {path.relative_to(PACKAGE).parts[0] for path in SOURCES if "unchecked_for_redteam" in calls(path)}
    assert callers == {"redteam"}


def test_every_module_says_what_it_holds() -> None:
    assert [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


ABSENT = {"grpc": "grpcio", "pyspark": "pyspark-client"}
"""What comes from another distribution than it is called by, and need not be installed here."""


def declared(*groups: str) -> set[str]:
    """The distributions that the package needs, with those of the extras named."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for group in groups for line in project["optional-dependencies"][group])]
    return {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.skipif(not (PACKAGE.parent / "pyproject.toml").is_file(), reason="this is an installed package, without its pyproject.toml")
def test_what_is_imported_is_declared() -> None:
    homes = packages_distributions()
    missing = set()
    for path in SOURCES:
        extras = ["oidc", "pandas", "polars", "postgres", "llama", "hf", "load", "spark", "hdfs", "trace"]
        extras += ["train"] * ("training" in path.parts)
        for name in set(imported(path)) - sys.stdlib_module_names - {"streamlink_sql"}:
            distributions = {home.lower().replace("_", "-") for home in homes.get(name, [ABSENT.get(name, name)])}
            if not distributions & declared(*extras):
                missing.add(f"{name} in {path.relative_to(PACKAGE)}")
    assert missing == set()


@pytest.mark.skipif(not (PACKAGE.parent / "requirements.lock").is_file(), reason="this is an installed package, without its lock file")
def test_every_python_gets_the_same_versions() -> None:
    """So that types are judged alike, and one run speaks for all."""
    locked = re.findall(r"^([\w.-]+)==", (PACKAGE.parent / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(locked) > 20
    assert [package for package in set(locked) if locked.count(package) > 1] == []


def test_no_folder_of_odds_and_ends() -> None:
    shunned = {"utils", "core", "common", "services", "managers", "base", "helpers", "misc"}
    assert {part for path in SOURCES for part in path.relative_to(PACKAGE).with_suffix("").parts} & shunned == set()


def test_the_public_names_exist() -> None:
    assert [name for name in streamlink_sql.__all__ if not hasattr(streamlink_sql, name)] == []
    with pytest.raises(AttributeError):
        _ = streamlink_sql.nothing
