"""Question and context to drafts of SQL. Each generator is named by an address and loaded when it is used; none of them runs SQL."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from streamlink_sql.errors import BadRequest, CannotAnswer
from streamlink_sql.types import Column, Context, Question, Table

if TYPE_CHECKING:
    from streamlink_sql.types import Generator

PARSER, WORKER = "streamlink_sql.generators:open_parser", "streamlink_sql.generators.remote:open_remote"
GENERATORS = {
    "parser": PARSER,
    "http": "streamlink_sql.generators.chat:open_chat",
    "https": "streamlink_sql.generators.chat:open_chat",
    "replay": "streamlink_sql.generators.scripted:open_replay",
    "worker": WORKER,
}
"""First word of a model address -> who opens it, called with the address and the options."""
GGUF, FOLDER = "streamlink_sql.generators.local:open_gguf", "streamlink_sql.generators.hugging_face:open_folder"
"""Who opens an address that is a path."""
FORMS = ("parser", "http(s)://HOST:PORT/v1#MODEL", "worker:http(s)://HOST:PORT", "FILE.gguf", "FOLDER", "replay:FILE.jsonl")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What goes with the address of a model."""

    adapter: Path | None = None
    version: str = ""
    """The name of a version that a worker is to use."""
    timeout_s: float = 60.0
    key: str | None = None
    at_once: int = 1
    """Questions that a model of ours writes for at the same time."""
    setting: str = "model"
    """Which setting names it."""

    def no_adapter(self, what: str) -> None:
        """Raises BadRequest where an adapter was given to a model that takes none."""
        if self.adapter is not None:
            raise BadRequest(f"{what} takes no adapter; adapters go with the models that StreamLink runs itself.", setting="adapter")


def threads() -> int:
    """Threads of a language model: as many as this process has cores but one, as with all of them any other work stalls it."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


def open_generator(
    address: str, *, adapter: Path | None = None, version: str = "", timeout_s: float = 60.0, key: str | None = None, at_once: int = 1
) -> Generator:
    """The generator at an address; raises BadRequest for one of no known form, NotFound or ModelUnavailable for one that leads nowhere."""
    opener = GENERATORS.get(address.partition(":")[0].lower()) or _opener_of_path(address)
    if opener is None:
        raise BadRequest(f"There is no model {address!r}. Known addresses: {', '.join(FORMS)}.", setting="model", suggestions=list(FORMS))
    module, _, name = opener.partition(":")
    generator: Generator = getattr(import_module(module), name)(address, ModelOptions(adapter, version, timeout_s, key, at_once))
    return generator


def _opener_of_path(address: str) -> str | None:
    if address.lower().endswith(".gguf"):
        return GGUF
    return FOLDER if Path(address).expanduser().is_dir() else None


def open_parser(address: str, options: ModelOptions) -> Generator:
    """The embedded parser, with its adapter."""
    if address != "parser":
        raise BadRequest(f"The embedded parser's address is `parser`, not {address!r}.", setting="model")
    adapter = options.adapter and options.adapter.expanduser()
    generator: Generator = import_module("streamlink_sql.generators.parser.runtime").ParserGenerator(adapter=adapter)
    return generator


def try_out(generator: Generator) -> None:
    """Has it write once, so that what is wrong with a model shows before anybody asks it."""
    tables = (Table("things", (Column("name", "text", "TEXT"),)),)
    with suppress(CannotAnswer):
        generator.generate(Question("How many things are there?"), Context("duckdb", tables), 1)


def takes_versions(address: str) -> bool:
    """Whether the model at an address can be adapted: the parser, a file or a folder, here or behind a worker."""
    return GENERATORS.get(address.partition(":")[0].lower()) in (PARSER, WORKER) or _opener_of_path(address) is not None
