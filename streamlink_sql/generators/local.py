"""A language model from a GGUF file, run in this process by llama.cpp (the package xllamacpp), with its LoRA adapter. Loaded when asked.

llama.cpp brings a server that speaks like OpenAI's and keeps what it has read of a schema for the next question. It listens on a Unix
socket in a folder of ours, which no other user can open, and the chat generator does the rest: the prompt, the drafts, cancelling, cutting.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from streamlink_sql.errors import BadRequest, ModelUnavailable, NotFound
from streamlink_sql.generators import ModelOptions, threads
from streamlink_sql.generators.chat import ChatGenerator, Server
from streamlink_sql.types import Attempt, Context, Draft, Question

CONTEXT = 8192
"""Tokens that one question may have, its schema and its answer."""
KEPT_MB = 2048
"""Memory for schemas read before, beside the one at hand."""
MAGIC = b"GGUF"


class LlamaGenerator:
    """The chat generator on a server of its own."""

    def __init__(self, file: Path, adapter: Path | None = None, *, at_once: int = 1, timeout_s: float = 60.0) -> None:
        """Reads the first bytes of the files only."""
        self.name = file.stem
        self._file, self._adapter, self._at_once, self._timeout_s = file, adapter, at_once, timeout_s
        self._lock = threading.Lock()
        self._folder: str | None = None
        self._server: Any = None
        self._chat: ChatGenerator | None = None

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """The model's most likely draft."""
        return self._loaded().generate(question, context, n, refused=refused)

    def cancel(self, question_id: str) -> bool:
        """Stops writing at once."""
        chat = self._chat
        return chat is not None and chat.cancel(question_id)

    def close(self) -> None:
        """Stops what is being written and lets go of the model."""
        with self._lock:
            if self._chat:
                self._chat.close()
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            self._chat = self._server = self._folder = None

    def _loaded(self) -> ChatGenerator:
        with self._lock:
            if self._chat is None:
                self._folder = self._folder or tempfile.mkdtemp(prefix="streamlink-")
                socket = str(Path(self._folder, "llama.sock"))
                self._server = self._served(socket)
                self._chat = ChatGenerator(Server("http://llama.cpp/v1", self.name, timeout_s=self._timeout_s, socket=socket))
            return self._chat

    def _served(self, socket: str) -> Any:
        """llama.cpp's server, for as long as somebody holds it."""
        xllamacpp = _xllamacpp()
        params = xllamacpp.CommonParams()
        params.model.path, params.model_alias = str(self._file), {self.name}
        params.hostnames = [socket]
        params.n_parallel, params.n_ctx = self._at_once, CONTEXT * self._at_once
        params.cache_ram_mib = KEPT_MB
        params.cpuparams.n_threads = threads()
        params.endpoint_slots = params.ui = False
        params.verbosity = 1
        if self._adapter:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(self._adapter), 1.0)]
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            also = f" with the adapter {self._adapter}" if self._adapter else ""
            raise ModelUnavailable(
                f"llama.cpp cannot load {self._file}{also}; what it says about it stands on standard error. The file may be damaged, "
                "need more memory than there is, or be of a kind that this version does not know."
            ) from error


def _xllamacpp() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelUnavailable(f"GGUF files are run by the package xllamacpp: pip install 'streamlink-sql[llama]'. ({error})") from error
    return xllamacpp


def open_gguf(address: str, options: ModelOptions) -> LlamaGenerator:
    """The generator at `FILE.gguf`."""
    file = _gguf(Path(address).expanduser(), "model")
    adapter = None if options.adapter is None else _adapter_in(options.adapter.expanduser())
    _xllamacpp()
    return LlamaGenerator(file, adapter, at_once=options.at_once, timeout_s=options.timeout_s)


def _adapter_in(place: Path) -> Path:
    """The file of an adapter, named itself or by its folder."""
    files = sorted(place.glob("*.gguf")) if place.is_dir() else [place]
    if len(files) != 1:
        raise BadRequest(
            f"{place} holds {len(files)} GGUF files, and one adapter is needed. An adapter for transformers becomes one by llama.cpp's "
            "convert_lora_to_gguf.py.",
            setting="adapter",
        )
    return _gguf(files[0], "adapter")


def _gguf(file: Path, setting: str) -> Path:
    if not file.is_file():
        raise NotFound(f"There is no file {file}.", setting=setting)
    try:
        with file.open("rb") as opened:
            begin = opened.read(len(MAGIC))
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", setting=setting) from error
    if begin != MAGIC:
        raise BadRequest(f"{file} is no GGUF file.", setting=setting)
    return file
