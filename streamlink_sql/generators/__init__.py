"""Question and context to drafts of SQL. Each generator is named by an address and loaded when it is used; none of them runs SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.types import Generator

GENERATORS = {
    "parser": "streamlink_sql.generators:open_parser",
    "http": "streamlink_sql.generators.chat:open_chat",
    "https": "streamlink_sql.generators.chat:open_chat",
    "replay": "streamlink_sql.generators.scripted:open_replay",
    "worker": "streamlink_sql.generators.remote:open_remote",
}
"""First word of a model address -> who opens it, called with the address and the options."""
GGUF, FOLDER = "streamlink_sql.generators.local:open_gguf", "streamlink_sql.generators.hugging_face:open_folder"
"""Who opens an address that is a path."""
FORMS = ("parser", "http(s)://HOST:PORT/v1#MODEL", "worker:http(s)://HOST:PORT", "FILE.gguf", "FOLDER", "replay:FILE.jsonl")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What goes with the address of a model."""

    adapter: Path | None = None
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
    address: str, *, adapter: Path | None = None, timeout_s: float = 60.0, key: str | None = None, at_once: int = 1
) -> Generator:
    """The generator at an address; raises BadRequest for one of no known form, NotFound or ModelUnavailable for one that leads nowhere."""
    opener = GENERATORS.get(address.partition(":")[0].lower()) or _opener_of_path(address)
    if opener is None:
        raise BadRequest(f"There is no model {address!r}. Known addresses: {', '.join(FORMS)}.", setting="model", suggestions=list(FORMS))
    module, _, name = opener.partition(":")
    generator: Generator = getattr(import_module(module), name)(address, ModelOptions(adapter, timeout_s, key, at_once))
    return generator


def _opener_of_path(address: str) -> str | None:
    if address.lower().endswith(".gguf"):
        return GGUF
    return FOLDER if Path(address).expanduser().is_dir() else None


def open_parser(address: str, options: ModelOptions) -> Generator:
    """The embedded parser, with its adapter."""
    if address != "parser":
        raise BadRequest(f"The embedded parser's address is `parser`, not {address!r}.", setting="model")
    generator: Generator = import_module("streamlink_sql.generators.parser.runtime").ParserGenerator(adapter=options.adapter)
    return generator
