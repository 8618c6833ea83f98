"""Any OpenAI-compatible server as a generator: vLLM, llama.cpp, Ollama, transformers serve. Speaks to that one address only; runs no SQL.

The answer is streamed, so that a cancelled question frees the server at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from streamlink_sql import prompt
from streamlink_sql.errors import BadRequest, CannotAnswer, ModelUnavailable, TimedOut
from streamlink_sql.generators import ModelOptions
from streamlink_sql.generators.calls import Calls
from streamlink_sql.generators.chat_stream import Choice, TooLong, read_choices
from streamlink_sql.generators.extract import find_sql
from streamlink_sql.reaching import trusted
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
    socket: str | None = None
    """The Unix socket that it listens on, in place of the host and port of `base_url`."""


class ChatGenerator:
    """Asks a chat model for SQL."""

    def __init__(self, server: Server) -> None:
        """Opens no connection until it is asked."""
        self.name = server.model
        self._server = server
        self._calls = Calls(partial(_client, server))

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """At most `n` drafts, and at most as many as the server's `drafts`; the first is the model's most likely one."""
        wanted = max(1, min(n, self._server.drafts))
        choices = self._calls.result(lambda client: self._write(client, question.text, context, wanted, refused), question.id)
        return drafts_of(choices, self.name)[:wanted]

    def choose(self, messages: Sequence[prompt.Message], words: Sequence[str]) -> dict[str, float]:
        """How likely the model answers with each of these words, could it say nothing else: shares of its first token that add up to 1.

        Where the server gives no probabilities, the word that was said has all; raises ModelUnavailable where it said none of them.
        """
        choices = self._calls.result(lambda client: self._answered(client, messages, max_tokens=1, top_logprobs=_ALTERNATIVES), uuid4().hex)
        shares = _shares(choices[0], words) if choices else {}
        total = sum(shares.values())
        if not total:
            raise ModelUnavailable(
                f"{self.name} was asked for {' or '.join(words)} and began with {choices[0].text[:40] if choices else ''!r}. "
                "Choose a model that follows chat instructions and does not think aloud first."
            )
        return {word: share / total for word, share in shares.items()}

    def say(self, messages: Sequence[prompt.Message]) -> str:
        """What the model answers, as it is; raises CannotAnswer where that was cut off."""
        choices = self._calls.result(lambda client: self._answered(client, messages), uuid4().hex)
        if not choices or choices[0].is_cut_off:
            raise CannotAnswer(f"{self.name} gave no whole answer.")
        return choices[0].text

    def cancel(self, question_id: str) -> bool:
        """Closes the connection on which the question is being answered, which makes the server stop."""
        return self._calls.cancel(question_id)

    def close(self) -> None:
        """Stops what is being written and closes the connections."""
        self._calls.close()

    async def _write(
        self, client: httpx.AsyncClient, text: str, context: Context, wanted: int, refused: tuple[Attempt, ...]
    ) -> list[Choice]:
        """The choices for one question within the time limit; a schema too long for the model is cut and sent again."""
        budget = self._server.schema_budget
        try:
            async with asyncio.timeout(self._server.timeout_s):
                for _ in range(_PROMPT_CUTS):
                    try:
                        return await self._ask(client, prompt.render(text, context, refused=refused, budget=budget), wanted)
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

    async def _answered(self, client: httpx.AsyncClient, messages: Sequence[prompt.Message], **told: Any) -> list[Choice]:
        """What the model says to messages within the time limit."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                return await self._request(client, messages, **told)
        except TooLong as error:
            raise ModelUnavailable(f"The text does not fit into what {self.name} can read at once: {error}.") from error
        except TimeoutError as error:
            raise TimedOut(
                f"{self.name} at {self._server.base_url} gave no word within {self._server.timeout_s:g} s. Raise model_timeout_s."
            ) from error

    async def _ask(self, client: httpx.AsyncClient, messages: Sequence[prompt.Message], wanted: int) -> list[Choice]:
        """The most likely answer first, then as many others as are wanted, by `n` where the server knows it, else by asking again."""
        choices = await self._request(client, messages)
        for _ in range(_MORE_TRIES):
            missing = wanted - len(choices)
            if missing <= 0:
                break
            choices += await self._request(client, messages, temperature=_MORE_TEMPERATURE, **({"n": missing} if missing > 1 else {}))
        return choices

    async def _request(self, client: httpx.AsyncClient, messages: Sequence[prompt.Message], **told: Any) -> list[Choice]:
        body = {
            "model": self._server.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0.0,
            "max_tokens": self._server.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "logprobs": True,
            **told,
        }
        return await read_choices(client, self._server.model, body)


def _client(server: Server) -> httpx.AsyncClient:
    """A client that goes to the configured address and nowhere else: no proxies from the environment, no redirects."""
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    timeout = httpx.Timeout(server.timeout_s, connect=min(10.0, server.timeout_s))
    way = httpx.AsyncHTTPTransport(uds=server.socket) if server.socket else None
    judged = trusted(server.base_url)
    return httpx.AsyncClient(base_url=server.base_url, headers=headers, timeout=timeout, transport=way, verify=judged, trust_env=False)


def _shares(choice: Choice, words: Sequence[str]) -> dict[str, float]:
    """How much of the first token stands for each word, however it is spelt; a token that goes on (`nothing`) stands for none."""
    said = [(token.strip(" \n.,:*\"'▁Ġ").casefold(), share) for token, share in choice.first or ((choice.text, 1.0),)]
    return {word: sum(share for token, share in said if token == word.casefold()) for word in words}


def drafts_of(choices: Iterable[Choice], model: str) -> list[Draft]:
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
