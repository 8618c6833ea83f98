"""Every setting, read from streamlink.toml and the environment. Opens nothing: what the values name is opened by `assemble`.

Order, the first that speaks wins: what a command was told, STREAMLINK_* in the environment, streamlink.toml, the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError, TomlConfigSettingsSource

from streamlink_sql.errors import BadRequest, NotFound

PREFIX = "STREAMLINK_"
CONFIG_VARIABLE = "STREAMLINK_CONFIG"
CONFIG_FILE = Path("streamlink.toml")
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "STREAMLINK_KEY", "STREAMLINK_MODELS", "STREAMLINK_SPIDER"})
"""Variables that are no settings: where settings, models and Spider are, the key of `load`; and all that begin with STREAMLINK_TEST_."""


KINDS = (
    ("dict", "a table of names and values"),
    ("tuple", "a list of texts"),
    ("bool", "true or false"),
    ("int", "a whole number"),
    ("float", "a number"),
    ("Path", "a path"),
)
"""What is in a setting's type, and what that is called."""


class Settings(BaseSettings):
    """All settings of one StreamLink process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=True, env_ignore_empty=True)

    data: str | None = Field(
        default=None,
        description="What is asked: a folder of Parquet, CSV or JSON files, one such file, a database file, or a Spark server.",
    )
    locations: dict[str, str] = Field(
        default={}, description="Tables by where their Parquet files lie, for a Spark server whose catalogue does not hold them."
    )
    model: str = Field(
        default="parser",
        description="Who writes the SQL: `parser` (in the package), an address, a file or a folder of a model, or `replay:FILE.jsonl`.",
    )
    model_key: SecretStr | None = Field(default=None, description="The key sent to a model server as a bearer token.")
    worker_token: SecretStr | None = Field(
        default=None, description="The token that a worker asks for, and that is sent to the worker of a `worker:` address."
    )
    model_timeout_s: float = Field(default=60.0, gt=0, le=3600, description="Seconds that the model may take for one question.")
    judge: str | None = Field(
        default=None,
        description="A chat model that is asked about each SQL after its answer; what it says stands in the audit. Unset: none.",
    )
    judge_key: SecretStr | None = Field(default=None, description="The key sent to the judge's server as a bearer token.")
    adapter: Path | None = Field(default=None, description="A folder with an adapter for a local model, trained on your own questions.")
    models_dir: Path | None = Field(
        default=None,
        description="The folder with the versions of adapted models, shared like the store. Unset: `models` beside it.",
    )
    glossary: Path | None = Field(default=None, description="A TOML file with synonyms, descriptions and value aliases of your tables.")
    store: str | None = Field(
        default=None,
        description="Where history and audit are kept: a database URL, or `temporary`. Unset: SQLite in your user data folder.",
    )

    audit_dir: Path | None = Field(
        default=None, description="The folder with the key of the audit and the ends of its chains. Unset: one in your user state folder."
    )

    policy: Path | None = Field(default=None, description="A TOML file with roles: which tables, columns and rows each may see.")
    role: str | None = Field(default=None, description="The role in the policy of whoever uses this process.")
    attributes: dict[str, str | int | float | bool | tuple[str | int | float, ...]] = Field(
        default={}, description="What the policy's conditions need to know of whoever uses this process, such as `country`."
    )

    keep_samples: bool = Field(
        default=True, description="Keep sample values of the data in your user cache folder, so that the next start is quick."
    )

    drafts: int = Field(default=4, ge=1, le=32, description="How many drafts of SQL the model writes for one question.")
    min_confidence: float = Field(
        default=0.05, ge=0, le=1, description="Below this confidence the answer is that these tables cannot answer."
    )

    row_limit: int = Field(
        default=1000, ge=1, le=10_000_000, description="Rows that an answer holds at most, unless the question asks otherwise."
    )
    row_limit_max: int = Field(default=1_000_000, ge=1, le=10_000_000, description="The most rows that a question may ask for.")
    time_limit_s: float = Field(
        default=30.0, gt=0, le=86_400, description="Seconds that a query may take to plan and run, unless the question asks otherwise."
    )
    time_limit_max_s: float = Field(default=600.0, gt=0, le=86_400, description="The most seconds that a question may ask for.")
    cost_limit_rows: int = Field(
        default=1_000_000_000, ge=1, description="Rows a query may handle by the engine's estimate without `confirm`."
    )
    cost_limit_bytes: int = Field(
        default=100 * 2**30, ge=1, description="Bytes a query may read by the engine's estimate without `confirm`."
    )
    cost_cap_rows: int | None = Field(default=None, ge=1, description="Rows beyond which no `confirm` helps. Unset: it always does.")
    cost_cap_bytes: int | None = Field(default=None, ge=1, description="Bytes beyond which no `confirm` helps. Unset: it always does.")
    memory_limit_mb: int = Field(default=1024, ge=128, description="Memory of one query in the embedded engines, in MB.")
    spill_limit_mb: int = Field(default=4096, ge=0, description="Disk that one query may spill to, in MB.")
    result_limit_mb: int = Field(
        default=32, ge=1, le=4096, description="Size of one result in memory, in MB; rows beyond it are left out, and the answer says so."
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="Threads of one query in the embedded engines. Unset: one per core."
    )
    running: int = Field(default=2, ge=1, le=1000, description="Queries that run at the same time.")
    waiting: int = Field(
        default=64, ge=0, le=100_000, description="Questions that may wait for a place; one more is told that all are taken."
    )
    per_person: int = Field(
        default=8, ge=1, le=100_000, description="Questions that one person may have under way at a time, where people log in."
    )

    login: bool | None = Field(
        default=None, description="Whether people must log in to the server. Unset: not on this machine alone, always on any other address."
    )
    host: str = Field(default="127.0.0.1", description="The address that a server listens on.")
    port: int = Field(default=8080, ge=0, le=65_535, description="The port that a server listens on; 0 takes a free one.")
    ccu: str | None = Field(
        default=None, description="Where a page replica (`web`) reaches the control units, such as `http://127.0.0.1:8081`."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How a server writes its log: `text`, what needs attention; `json`, a JSON line also for each question."
    )
    drain_s: float = Field(
        default=20.0, ge=0, le=3600, description="Seconds that questions under way may go on after SIGTERM, before others take them over."
    )
    public_url: str | None = Field(default=None, description="Where browsers find this server, such as `https://ask.example.org`.")
    password_login: bool = Field(default=True, description="Whether people may log in with a name and a password of this server.")

    oidc_issuer: str | None = Field(default=None, description="The provider of OpenID Connect where people log in: its issuer address.")
    oidc_title: str = Field(default="OpenID Connect", description="What the provider is called on the login page.")
    oidc_client_id: str | None = Field(default=None, description="The id under which the provider knows this server.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret shared with the provider. Unset: this server is a public client."
    )
    oidc_scopes: str = Field(default="openid email profile", description="What the provider is asked for, `openid` among it.")
    oidc_user_claim: str = Field(
        default="email", description="The claim that names a user at their first login. `email` counts where the provider has verified it."
    )
    oidc_role_claim: str | None = Field(default=None, description="The claim with a person's groups, such as `realm_access.roles`.")
    oidc_roles: dict[str, str] = Field(
        default={}, description="Which role each group has, at every login anew; the first group here that a person is in counts."
    )
    oidc_attributes: dict[str, str] = Field(default={}, description="The claim that each attribute comes from, at every login anew.")
    oidc_new_users: bool = Field(default=False, description="Whether people with a role by `oidc_roles` are added at their first login.")

    nginx_web: tuple[str, ...] = Field(default=(), description="Where page replicas listen, each HOST:PORT.")
    nginx_ccus: tuple[str, ...] = Field(default=(), description="Where control units listen, each HOST:PORT.")
    nginx_workers: tuple[str, ...] = Field(default=(), description="Where workers and model servers listen, each HOST:PORT.")
    nginx_listen: str = Field(default="127.0.0.1:8080", description="Where Nginx listens for people and programs.")
    nginx_ccu_listen: str = Field(default="127.0.0.1:8081", description="Where Nginx listens for page replicas that want a control unit.")
    nginx_worker_listen: str = Field(default="127.0.0.1:8082", description="Where Nginx listens for control units that want a worker.")
    nginx_certificate: Path | None = Field(default=None, description="The TLS certificate of Nginx, with the chain that belongs to it.")
    nginx_certificate_key: Path | None = Field(default=None, description="The key of that certificate.")
    nginx_body_max_kb: int = Field(default=1024, ge=16, le=1024, description="Size of one request through Nginx, in KB.")
    nginx_rate: int = Field(
        default=20,
        ge=0,
        le=100_000,
        description="Requests to the API that one address may send through Nginx each second; 0 sets no bound.",
    )
    nginx_burst: int = Field(default=100, ge=0, le=100_000, description="Requests that one address may send beyond that at once.")

    outside: ClassVar[bool] = False
    file: ClassVar[Path | None] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`Settings(...)` takes its arguments and nothing else; only `load_settings` looks outside."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.file)) if cls.outside else (init_settings,)


def load_settings(config: Path | None = None, **told: Any) -> Settings:
    """The settings of this process. `told` is what a command was given; None means it was not. Raises BadRequest and NotFound."""

    class FromHere(Settings):
        outside: ClassVar[bool] = True
        file: ClassVar[Path | None] = config_file(config, os.environ)

    refuse_unknown((name for name in told if name not in Settings.model_fields), "among these")
    refuse_unknown(_unknown_in_file(FromHere.file), f"in {FromHere.file}")
    refuse_unknown(_unknown_in_environment(os.environ), "in the environment", prefix=PREFIX)
    try:
        return Settings(**dict(FromHere(**{name: value for name, value in told.items() if value is not None})))
    except SettingsError as error:
        raise BadRequest(f"A variable STREAMLINK_... cannot be read: {error}. Lists and tables are written as JSON there.") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        spelled = _spelled(name, FromHere.file, given=told.get(name) is not None)
        secret = "SecretStr" in str(Settings.model_fields[name].annotation)
        value = "that" if secret else repr(first["input"])
        raise BadRequest(f"{spelled} cannot be {value}: it takes {takes(name)}.", setting=name) from error


def takes(name: str) -> str:
    """What a setting may be, in words."""
    field = Settings.model_fields[name]
    bounds = {kind: getattr(limit, kind) for limit in field.metadata for kind in ("ge", "gt", "le") if hasattr(limit, kind)}
    kind = str(field.annotation)
    if get_origin(field.annotation) is Literal:
        return " or ".join(get_args(field.annotation))
    what = next((said for mark, said in KINDS if mark in kind), "text")
    least = f"{bounds['ge']:,g}" if "ge" in bounds else ""
    most = f"{bounds['le']:,.12g}" if "le" in bounds else ""
    if "gt" in bounds:
        return f"{what} above {bounds['gt']:,g}" + (f", at most {most}" if most else "")
    return f"{what} from {least} to {most}" if least and most else f"{what}, {least} or more" if least else what


def _spelled(name: str, file: Path | None, *, given: bool) -> str:
    """A setting as whoever set it wrote it: an option, a variable, or a line of the settings file."""
    if given:
        return f"--{name.replace('_', '-')}"
    variable = next((found for found in os.environ if found.upper() == f"{PREFIX}{name}".upper()), None)
    return variable or f"In {file}, {name}"


def config_file(config: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The settings file: the one given, the one STREAMLINK_CONFIG names, or streamlink.toml here; None when there is none."""
    named = config or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    if named is None:
        return CONFIG_FILE if CONFIG_FILE.is_file() else None
    if not named.is_file():
        raise NotFound(f"There is no settings file {named}.")
    return named


def refuse_unknown(names: Iterable[str], where: str, prefix: str = "") -> None:
    """Raises BadRequest for the first name that is no setting, with the nearest known one."""
    from rapidfuzz import process

    for name in names:
        best = process.extractOne(name, list(Settings.model_fields), score_cutoff=50)
        spelled = [(prefix + best[0]).upper() if prefix else best[0]] if best else []
        hint = f" Did you mean {spelled[0]}?" if spelled else ""
        raise BadRequest(f"There is no setting {(prefix + name).upper() if prefix else name} {where}.{hint}", suggestions=spelled or None)


def _unknown_in_file(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"{file} is not valid TOML: {error}.") from error
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.") from error
    return [name for name in found if name not in Settings.model_fields]


def _unknown_in_environment(environment: Mapping[str, str]) -> list[str]:
    ours = (name.upper() for name in environment if name.upper().startswith(PREFIX))
    names = [name for name in ours if name not in OTHER_VARIABLES and not name.startswith(PREFIX + "TEST_")]
    return sorted(short for name in names if (short := name.removeprefix(PREFIX).lower()) not in Settings.model_fields)
