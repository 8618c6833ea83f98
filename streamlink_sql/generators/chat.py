"""Any OpenAI-compatible server as a generator: vLLM, llama.cpp, Ollama, transformers serve. Speaks to that one address only; runs no SQL.

The answer is streamed, so that a cancelled question frees the server at once. Requests live on one event loop in a thread of the generator:
any thread may ask, and any thread may cancel.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx

from streamlink_sql import prompt
from streamlink_sql.errors import BadRequest, Cancelled, CannotAnswer, ModelUnavailable, TimedOut
from streamlink_sql.generators import ModelOptions
from streamlink_sql.generators.chat_stream import Choice, TooLong, read_choices
from streamlink_sql.generators.extract import find_sql
from streamlink_sql.types import Attempt, Context, Draft, Question

_MORE_TEMPERATURE = 0.8
_MORE_TRIES = 2
_PROMPT_CUTS = 5
_ALTERNATIVES = 20
"""First tokens that a server is asked for with their probabilities: the most that the protocol allows."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model is served and how it is asked.

    `drafts` bounds how many are written for one question: each costs its own time, and the first is the model's best.
    """

    base_url: str
    model: str
    key: str | None = None
    timeout_s: float = 60.0
    drafts: int = 1
    max_tokens: int = 512
    schema_budget: int = prompt.BUDGET


class ChatGenerator:
    """Asks a chat model for SQL."""

    def __init__(self, server: Server) -> None:
        """Opens no connection until it is asked."""
        self.name = server.model
        self._server = server
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: httpx.AsyncClient | None = None
        self._running: dict[str, concurrent.futures.Future[list[Choice]]] = {}

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """At most `n` drafts, and at most as many as the server's `drafts`; the first is the model's most likely one."""
        wanted = max(1, min(n, self._server.drafts))
        return _drafts(self._done(self._write(question.text, context, wanted, refused), question.id), self.name)[:wanted]

    def choose(self, messages: Sequence[prompt.Message], words: Sequence[str]) -> dict[str, float]:
        """How likely the model answers with each of these words, could it say nothing else: shares of its first token that add up to 1.

        Where the server gives no probabilities, the word that was said has all; raises ModelUnavailable where it said none of them.
        """
        choices = self._done(self._first_token(messages), uuid4().hex)
        shares = _shares(choices[0], words) if choices else {}
        total = sum(shares.values())
        if not total:
            raise ModelUnavailable(
                f"{self.name} was asked for {' or '.join(words)} and began with {choices[0].text[:40] if choices else ''!r}. "
                "Choose a model that follows chat instructions and does not think aloud first."
            )
        return {word: share / total for word, share in shares.items()}

    def cancel(self, question_id: str) -> bool:
        """Closes the connection on which the question is being answered, which makes the server stop."""
        with self._lock:
            future = self._running.get(question_id)
        return future is not None and future.cancel()

    def close(self) -> None:
        """Stops what is being written and closes the connections."""
        with self._lock:
            loop, thread, client, running = self._loop, self._thread, self._client, list(self._running.values())
            self._loop = self._thread = self._client = None
        for future in running:
            future.cancel()
        if loop and thread and client:
            asyncio.run_coroutine_threadsafe(client.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _done(self, work: Coroutine[Any, Any, list[Choice]], id_: str) -> list[Choice]:
        """What comes of a request, which may be called off under its id."""
        future = self._start(work, id_)
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise Cancelled("The question was cancelled while the model wrote.") from error
        finally:
            future.cancel()
            with self._lock:
                self._running.pop(id_, None)

    def _start(self, work: Coroutine[Any, Any, list[Choice]], question_id: str) -> concurrent.futures.Future[list[Choice]]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._client = _client(self._server)
                self._thread = threading.Thread(target=self._loop.run_forever, name="streamlink-chat", daemon=True)
                self._thread.start()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._running[question_id] = future
            return future

    async def _write(self, text: str, context: Context, wanted: int, refused: tuple[Attempt, ...]) -> list[Choice]:
        """The choices for one question within the time limit; a schema too long for the model is cut and sent again."""
        budget = self._server.schema_budget
        try:
            async with asyncio.timeout(self._server.timeout_s):
                for _ in range(_PROMPT_CUTS):
                    try:
                        return await self._ask(prompt.render(text, context, refused=refused, budget=budget), wanted)
                    except TooLong:
                        budget = min(budget, len(prompt.render_schema(context, text, budget=budget))) // 2
                raise ModelUnavailable(
                    f"The tables do not fit into what {self.name} can read at once. Start its server with a longer context "
                    "(8,192 tokens or more), or choose fewer tables."
                )
        except TimeoutError as error:
            raise TimedOut(
                f"{self.name} at {self._server.base_url} gave no whole answer within {self._server.timeout_s:g} s. "
                "Raise the setting model_timeout_s, or choose a smaller model."
            ) from error

    async def _first_token(self, messages: Sequence[prompt.Message]) -> list[Choice]:
        try:
            async with asyncio.timeout(self._server.timeout_s):
                return await self._request(messages, max_tokens=1, top_logprobs=_ALTERNATIVES)
        except TooLong as error:
            raise ModelUnavailable(f"What is to be judged does not fit into what {self.name} can read at once: {error}.") from error
        except TimeoutError as error:
            raise TimedOut(
                f"{self.name} at {self._server.base_url} gave no word within {self._server.timeout_s:g} s. Raise model_timeout_s."
            ) from error

    async def _ask(self, messages: Sequence[prompt.Message], wanted: int) -> list[Choice]:
        """The most likely answer first, then as many others as are wanted, by `n` where the server knows it, else by asking again."""
        choices = await self._request(messages)
        for _ in range(_MORE_TRIES):
            missing = wanted - len(choices)
            if missing <= 0:
                break
            choices += await self._request(messages, temperature=_MORE_TEMPERATURE, **({"n": missing} if missing > 1 else {}))
        return choices

    async def _request(self, messages: Sequence[prompt.Message], **told: Any) -> list[Choice]:
        assert self._client is not None
        body = {
            "model": self._server.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0.0,
            "max_tokens": self._server.max_tokens,
            "stream": True,
            "logprobs": True,
            **told,
        }
        return await read_choices(self._client, self._server.model, body)


def _client(server: Server) -> httpx.AsyncClient:
    """A client that goes to the configured address and nowhere else: no proxies from the environment, no redirects."""
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    timeout = httpx.Timeout(server.timeout_s, connect=min(10.0, server.timeout_s))
    return httpx.AsyncClient(base_url=server.base_url, headers=headers, timeout=timeout, trust_env=False, follow_redirects=False)


def _shares(choice: Choice, words: Sequence[str]) -> dict[str, float]:
    """How much of the first token stands for each word, however it is spelt; a token that goes on (`nothing`) stands for none."""
    said = [(token.strip(" \n.,:*\"'▁Ġ").casefold(), share) for token, share in choice.first or ((choice.text, 1.0),)]
    return {word: sum(share for token, share in said if token == word.casefold()) for word in words}


def _drafts(choices: Iterable[Choice], model: str) -> list[Draft]:
    """A draft for each different SQL, best first. SQL that was cut off is left out: its beginning may be a query of another meaning."""
    choices = list(choices)
    drafts: dict[str, Draft] = {}
    for rank, choice in enumerate(choices, 1):
        found = find_sql(choice.text)
        if found.sql and (found.closed or not choice.is_cut_off):
            score = choice.score if choice.score is not None else 1 / rank
            first = drafts.setdefault(" ".join(found.sql.split()), Draft(found.sql, score, model))
            drafts[" ".join(found.sql.split())] = replace(first, score=max(first.score, score))
    if drafts:
        return sorted(drafts.values(), key=lambda draft: -draft.score)
    if any(choice.is_cut_off for choice in choices):
        raise ModelUnavailable(f"{model} was cut off before its SQL was complete. Allow it longer answers, or ask more simply.")
    said = next((choice.text.strip() for choice in choices if choice.text.strip()), "")
    if not said:
        raise ModelUnavailable(f"{model} gave an empty answer. See the log of its server; the model may not follow chat instructions.")
    raise CannotAnswer(f"{model} wrote no SQL but: {' '.join(said.split())[:200]}")


def open_chat(address: str, options: ModelOptions) -> ChatGenerator:
    """The generator at `http(s)://HOST:PORT/v1#MODEL`; `#MODEL?drafts=3` lets it write up to three drafts."""
    options.no_adapter("A model server")
    base, _, fragment = address.partition("#")
    model, _, drafts = fragment.partition("?drafts=")
    if not model or not httpx.URL(base).host:
        raise BadRequest(
            f"{address} names no model. Write the server's address and the model: http://HOST:PORT/v1#MODEL.", setting=options.setting
        )
    if drafts and not (drafts.isdecimal() and 1 <= int(drafts) <= 16):
        raise BadRequest(f"{address}: drafts must be a number from 1 to 16.", setting=options.setting)
    return ChatGenerator(Server(base.rstrip("/"), model, options.key, options.timeout_s, int(drafts or 1)))
