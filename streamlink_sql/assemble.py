"""Puts a control unit together from settings. The only place that knows which address means which part; loads a part when it is used."""

from __future__ import annotations

import logging
from contextlib import closing, suppress
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from streamlink_sql.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from streamlink_sql.catalog import Catalog, KeptSamples
    from streamlink_sql.control import ControlUnit, Limits
    from streamlink_sql.generators.chat import ChatGenerator
    from streamlink_sql.judging import Judging
    from streamlink_sql.promoted import PromotedGenerator
    from streamlink_sql.scope import Scope
    from streamlink_sql.settings import Settings
    from streamlink_sql.store.store import Store
    from streamlink_sql.store.versions import Versions
    from streamlink_sql.trial import Trials
    from streamlink_sql.types import Engine, Generator

_log = logging.getLogger(__name__)
Part = TypeVar("Part")
SPARK = "streamlink_sql.engines.spark:open_spark"
ENGINES = {"file": "streamlink_sql.engines:open_embedded", "spark": SPARK, "sc": SPARK}
"""Scheme of a data address -> who opens it. What has no scheme is a file or a folder."""
GENERATORS = {"": "streamlink_sql.generators:open_generator"}
"""Scheme of a model address -> who opens it; '' opens every model of ours."""
ENGINE_GROUP, GENERATOR_GROUP = "streamlink_sql.engines", "streamlink_sql.generators"
"""Entry points by which other packages add a scheme: a function that takes the address and the options of ours."""


def control_unit(settings: Settings | None = None, **told: Any) -> ControlUnit:
    """The control unit that the settings describe; without them, those of this process with `told` on top (`data=`, `model=`, ...)."""
    from streamlink_sql.control import ControlUnit

    if settings is None:
        from streamlink_sql.settings import load_settings

        settings = load_settings(**told)
    judge, engine = open_judge(settings), open_engine(settings)
    try:
        catalog, store = open_catalog(settings, engine), open_store(settings)
        try:
            generator, judges, tries = open_serving(settings, store), judging(judge, store), trials(settings, store)
            parts: dict[str, Any] = {"judging": judges, "trials": tries, "promoted": versioned(generator)}
            return ControlUnit(catalog, generator, engine, store, limits(settings), **parts)
        except BaseException:
            store.close()
            raise
    except BaseException:
        engine.close()
        raise


def scope_of(settings: Settings) -> Scope | None:
    """What the settings let whoever uses this process see; None for everything, as without a policy or with one in log mode."""
    return None if looks_on(settings) else role_scope(settings)


def looks_on(settings: Settings) -> bool:
    """Whether the policy is in log mode. The log says so, once for each state of the file, and what would keep it from being enforced."""
    from streamlink_sql.roles import is_log_only

    if settings.policy is None or not is_log_only(settings.policy):
        return False
    with suppress(OSError):  # removed in this moment
        _warn_of_log_mode(settings.policy, settings.policy.stat().st_mtime_ns)
    return True


@lru_cache(maxsize=8)
def _warn_of_log_mode(policy: Path, changed: int) -> None:  # noqa: ARG001 - a changed file is told again
    from streamlink_sql.roles import read_policy

    _log.warning("The policy %s is in log mode: NOTHING IS ENFORCED, everybody sees everything. The audit says what it would do.", policy)
    try:
        read_policy(policy)
    except BadRequest as error:
        _log.error("It cannot be used: %s", error.detail)


def trials(settings: Settings, store: Store) -> Trials:
    """What judges answers by a policy in log mode."""
    from streamlink_sql.trial import Trials

    return Trials(settings, store, role_scope, open_scoped)


def role_scope(settings: Settings) -> Scope | None:
    """What the policy lets the role of the settings see once it is enforced; None for everything."""
    from streamlink_sql.checks.conditions import condition
    from streamlink_sql.engines import dialect_of
    from streamlink_sql.roles import read_policy

    if settings.policy is None:
        if settings.role is not None:
            raise BadRequest("A role is named, but no policy that says what it may see. Name the file with the setting `policy`.")
        return None
    role = read_policy(settings.policy).role(settings.role)
    if _scheme(settings.data or ""):
        raise BadRequest(
            "A policy can be kept for files, folders and database files only; this data is none. "
            "What each person may read of a Spark server is the matter of its own permissions.",
            setting="policy",
        )
    dialect = dialect_of(settings.data or ".")
    return role.scope(lambda written: condition(written, dialect, settings.attributes))


def open_engine(settings: Settings) -> Engine:
    """The engine that the setting `data` names; with a policy it shows what the role may see and nothing else."""
    return open_scoped(settings, scope_of(settings) if settings.data else None)


def open_scoped(settings: Settings, scope: Scope | None) -> Engine:
    """The engine that the setting `data` names, showing what a scope allows; all of it for None."""
    if not settings.data:
        raise BadRequest("No data is named. Give a folder, a file or a database with --data or the setting `data`.", setting="data")
    scheme = _scheme(settings.data)
    table = ENGINES | _outsiders(ENGINE_GROUP)
    if (scheme or "file") not in table:
        known = ", ".join(sorted(f"{name}://" for name in table if name != "file"))
        others = f", or an address that begins with {known}" if known else ""
        raise BadRequest(
            f"StreamLink fetches no data from {scheme}:// addresses. Download it and give the path of the file or folder{others}.",
            setting="data",
        )
    if not scheme and any(mark in settings.data for mark in "*?[") and not Path(settings.data).expanduser().exists():
        raise BadRequest(
            f"{settings.data} is a pattern, and there is no file of that name. Give the folder: each file or sub-folder in it is a table.",
            setting="data",
        )
    if settings.locations and table.get(scheme) != SPARK:
        raise BadRequest("`locations` are for a Spark server; files and folders are named by `data` itself.", setting="locations")
    engine: Engine = _load(table[scheme or "file"])(
        settings.data,
        memory_limit_mb=settings.memory_limit_mb,
        spill_limit_mb=settings.spill_limit_mb,
        result_limit_mb=settings.result_limit_mb,
        threads=settings.threads,
        children=settings.running,
        **({} if scope is None else {"scope": scope}),
        **({"locations": settings.locations} if settings.locations else {}),
    )
    return engine


def open_generator(settings: Settings, *, at_once: int = 1, version: str = "") -> Generator:
    """The generator that the setting `model` names; one that runs here writes for so many questions at once, a worker with that version."""
    table = GENERATORS | _outsiders(GENERATOR_GROUP)
    opener = table.get(_scheme(settings.model), table[""])
    key = settings.worker_token if _is_worker(settings.model) else settings.model_key
    generator: Generator = _load(opener)(
        settings.model,
        adapter=settings.adapter,
        timeout_s=settings.model_timeout_s,
        key=key.get_secret_value() if key else None,
        **({"at_once": at_once} if at_once != 1 else {}),
        **({"version": version} if version else {}),
    )
    return generator


def open_serving(settings: Settings, store: Store) -> Generator:
    """What writes the answers: the model with the adapter that the settings name, else with the version of it that was promoted."""
    from streamlink_sql.generators import takes_versions
    from streamlink_sql.promoted import PromotedGenerator

    if settings.adapter is not None or settings.data is None or not takes_versions(settings.model):
        return open_generator(settings)

    def opened(folder: Path | None) -> Generator:
        if folder is None:
            return open_generator(settings)
        if _is_worker(settings.model):
            return open_generator(settings, version=folder.name)
        return open_generator(settings.model_copy(update={"adapter": folder}))

    return PromotedGenerator(open_versions(settings, store), opened)


def try_adapter(settings: Settings, folder: Path) -> None:
    """Has the model write once with an adapter; raises what is wrong with it. One that runs in a worker is not tried here."""
    from streamlink_sql.generators import try_out

    if not _is_worker(settings.model):
        with closing(open_generator(settings.model_copy(update={"adapter": folder}))) as generator:
            try_out(generator)


def versioned(generator: Generator) -> PromotedGenerator | None:
    """The generator where its model has versions."""
    from streamlink_sql.promoted import PromotedGenerator

    return generator if isinstance(generator, PromotedGenerator) else None


def open_versions(settings: Settings, store: Store) -> Versions:
    """The versions of the model for the data that the settings name."""
    from streamlink_sql.store.versions import Versions

    if not settings.data:
        raise BadRequest(
            "Versions of a model belong to the data that it was adapted to. Name it with --data or the setting `data`.", setting="data"
        )
    model = None if _is_worker(settings.model) else _place(settings.model)
    return Versions(store, settings.models_dir or store.models_dir, _place(settings.data), model)


def _is_worker(model: str) -> bool:
    return model.lower().startswith("worker:")


def _place(address: str) -> str:
    """An address as all processes of a machine spell it: the whole path where it is one."""
    path = Path(address).expanduser()
    return str(path.resolve()) if not _scheme(address) and path.exists() else address


def open_judge(settings: Settings) -> ChatGenerator | None:
    """The chat model that the setting `judge` names; None where none is."""
    from streamlink_sql.generators import ModelOptions
    from streamlink_sql.generators.chat import open_chat

    if settings.judge is None:
        return None
    if _scheme(settings.judge) not in ("http", "https"):
        raise BadRequest(f"{settings.judge!r} cannot judge: a chat model does, as http(s)://HOST:PORT/v1#MODEL.", setting="judge")
    key = settings.judge_key.get_secret_value() if settings.judge_key else None
    return open_chat(settings.judge, ModelOptions(timeout_s=settings.model_timeout_s, key=key, setting="judge"))


def judging(judge: ChatGenerator | None, store: Store) -> Judging | None:
    """The judge at work beside the answers, writing to this store; None for no judge."""
    from streamlink_sql.judging import Judging

    return Judging(judge, store) if judge else None


def open_catalog(settings: Settings, engine: Engine) -> Catalog:
    """The catalogue of an engine, with the glossary that the settings name or that lies beside the data."""
    from streamlink_sql.catalog import Catalog, glossary_beside
    from streamlink_sql.engines.embedded import EmbeddedEngine

    glossary = settings.glossary
    if glossary is not None and not glossary.is_file():
        raise NotFound(f"There is no glossary file {glossary}.", setting="glossary")
    if glossary is None and settings.data and not _scheme(settings.data):
        glossary = glossary_beside(Path(settings.data))
    scope = engine.scope if isinstance(engine, EmbeddedEngine) else None
    return Catalog(engine, glossary=glossary, scope=scope, kept=_kept_samples(settings, engine))


def _kept_samples(settings: Settings, engine: Engine) -> KeptSamples | None:
    """Where samples of local files outlast this process, unless the settings keep none."""
    import platformdirs

    from streamlink_sql.catalog import KeptSamples
    from streamlink_sql.engines.embedded import EmbeddedEngine

    if not settings.keep_samples or not isinstance(engine, EmbeddedEngine):
        return None
    folder = Path(platformdirs.user_cache_dir("streamlink-sql", appauthor=False)) / "samples"
    return KeptSamples(folder, engine.version, engine.is_settled)


def open_store(settings: Settings) -> Store:
    """The store that the setting `store` names."""
    from streamlink_sql.store.store import open_store as opened

    return opened(settings.store, settings.audit_dir)


def limits(settings: Settings) -> Limits:
    """What the settings allow one question."""
    from dataclasses import fields

    from streamlink_sql.control import Limits

    same = {field.name: getattr(settings, field.name) for field in fields(Limits) if hasattr(settings, field.name)}
    return Limits(**same, english_only=settings.model == "parser")


def kept_open(part: Part) -> Part:
    """The same part for a control unit that is one of several: closing it closes nothing, who opened the part does that."""
    return cast("Part", _KeptOpen(part))


class _KeptOpen:
    def __init__(self, part: object) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def close(self) -> None:
        """Closes nothing."""


def _scheme(address: str) -> str:
    head, mark, _ = address.partition("://")
    return head.lower() if mark and not Path(address).exists() else ""


def _outsiders(group: str) -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=group)}


def _load(address: str) -> Any:
    module, _, name = address.partition(":")
    return getattr(import_module(module), name)
