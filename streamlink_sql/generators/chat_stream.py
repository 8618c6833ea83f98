"""One request to an OpenAI-compatible server, streamed, and every way in which it fails put into words. Knows no SQL."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from streamlink_sql import tracing
from streamlink_sql.errors import Busy, ModelUnavailable
from streamlink_sql.reaching import wants_tls, why

_OPTIONAL = (("stream_options",), ("logprobs", "top_logprobs", "n"))
"""What older servers do not know, in the order in which it is given up: tokens are counted for the trace alone."""
_MOST_CHARACTERS = 200_000
_TOO_LONG_SIGNS = ("context", "too long", "too large", "maximum", "exceed")


class TooLong(Exception):
    """The prompt does not fit into the model's context."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One whole answer. `score` is the mean probability of its tokens, None where the server gives none; `first` has the tokens that it
    could have begun with, each with its probability, where `top_logprobs` asked for them.
    """

    text: str
    score: float | None = None
    is_cut_off: bool = False
    first: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class _Growing:
    """A choice while it arrives."""

    parts: list[str] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    first: tuple[tuple[str, float], ...] = ()
    finish: str = ""

    def done(self) -> Choice:
        mean = sum(self.logprobs) / len(self.logprobs) if self.logprobs else None
        score = min(1.0, math.exp(mean)) if mean is not None else None
        return Choice("".join(self.parts), score, is_cut_off=self.finish in ("", "length"), first=self.first)


async def read_choices(client: httpx.AsyncClient, model: str, body: Mapping[str, Any]) -> list[Choice]:
    """The choices of one request; what an older server refuses is left out and asked again. Raises ModelUnavailable, Busy or TooLong."""
    where = str(client.base_url).rstrip("/")
    try:
        async with client.stream("POST", "chat/completions", json=body, headers=tracing.foreign_headers()) as response:
            if response.status_code == httpx.codes.OK:
                return await _collect(response, where)
            detail = _detail(await response.aread())
        left_out = next((names for names in _OPTIONAL if body.keys() & set(names)), ())
        if response.status_code in (400, 422) and not _is_too_long(detail) and left_out:
            return await read_choices(client, model, {name: value for name, value in body.items() if name not in left_out})
        known = await _known_models(client) if response.status_code == httpx.codes.NOT_FOUND else None
    except httpx.ConnectError as error:
        raise ModelUnavailable(f"No model server answers at {where}. {why(error, where)}") from error
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise ModelUnavailable(f"The connection to {where} broke. {why(error, where)}") from error
    raise _refusal(response, detail, model, where, known)


def _refusal(response: httpx.Response, detail: str, model: str, where: str, known: list[str] | None) -> Exception:
    """What a status other than 200 means and what to do about it."""
    status = response.status_code
    if wants_tls(response):
        return ModelUnavailable(f"{where} answers over TLS only: write https:// in place of http://.")
    if status in (400, 413, 422) and (status == httpx.codes.REQUEST_ENTITY_TOO_LARGE or _is_too_long(detail)):
        return TooLong(detail)
    if status in (401, 403):
        return ModelUnavailable(f"{where} refuses the key. Set model_key (STREAMLINK_MODEL_KEY), for the judge judge_key, to a valid one.")
    if status == httpx.codes.NOT_FOUND and known:
        return ModelUnavailable(f"{where} has no model {model!r}. It serves: {', '.join(known[:10])}.", suggestions=known[:10])
    if status == httpx.codes.NOT_FOUND:
        return ModelUnavailable(f"{where} does not know the model {model!r} or is no OpenAI-compatible address; most end in /v1. {detail}")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        after = response.headers.get("Retry-After", "")
        return Busy(f"{where} is busy. Try again in a moment.", retry_after=int(after) if after.isdecimal() else 2)
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return ModelUnavailable(f"{where} is not ready yet: {detail or 'it may still be loading the model'}. Try again in a moment.")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ModelUnavailable(f"{where} failed with status {status}: {detail or 'no reason given'}. See its log.")
    return ModelUnavailable(f"{where} refused the request with status {status}: {(detail or 'no reason given').rstrip('.')}.")


async def _collect(response: httpx.Response, where: str) -> list[Choice]:
    """Puts the chunks of a stream together; a server that does not stream sends one whole answer."""
    growing: dict[int, _Growing] = {}
    size, usage = 0, None
    async for chunk in _chunks(response, where):
        usage = chunk.get("usage") or usage
        if chunk.get("error"):
            raise ModelUnavailable(f"{where} stopped with an error: {_message(chunk)}. See its log.")
        for choice in chunk.get("choices") or ():
            try:
                size += _grow(growing.setdefault(int(choice.get("index") or 0), _Growing()), choice)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise ModelUnavailable(f"{where} sent what the OpenAI protocol does not know: {str(choice)[:100]}.") from error
        if size > _MOST_CHARACTERS:
            break
    tracing.count(**_tokens(usage))
    return [growing[index].done() for index in sorted(growing)]


def _tokens(usage: Any) -> dict[str, int]:
    """The tokens that a server says it has read and written; nothing where it says none."""
    said = usage if isinstance(usage, Mapping) else {}
    found = {"tokens_read": said.get("prompt_tokens"), "tokens_written": said.get("completion_tokens")}
    return {name: number for name, number in found.items() if isinstance(number, int) and number >= 0}


def _grow(growing: _Growing, choice: Mapping[str, Any]) -> int:
    """Adds a chunk to its choice; returns the characters added."""
    text = (choice.get("delta") or choice.get("message") or {}).get("content") or ""
    growing.parts.append(text)
    tokens = (choice.get("logprobs") or {}).get("content") or ()
    growing.logprobs += [float(token["logprob"]) for token in tokens if token.get("logprob") is not None]
    if tokens and not growing.first:
        tops = tokens[0].get("top_logprobs") or ()
        growing.first = tuple((str(top["token"]), math.exp(float(top["logprob"]))) for top in tops if top.get("logprob") is not None)
    growing.finish = choice.get("finish_reason") or growing.finish
    return len(text)


async def _chunks(response: httpx.Response, where: str) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of an answer, streamed as server-sent events or whole."""
    try:
        if "event-stream" not in response.headers.get("content-type", ""):
            yield _object(json.loads(await response.aread()))
            return
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if data == "[DONE]":
                return
            if data:
                yield _object(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{where} does not speak the OpenAI protocol; most addresses end in /v1.") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not (isinstance(value.get("choices"), list) or value.get("error")):
        raise ValueError(f"neither choices nor an error in {str(value)[:100]}")
    return value


async def _known_models(client: httpx.AsyncClient) -> list[str]:
    """The models that a server lists; none where it lists none."""
    response = await client.get("models")
    try:
        listed = response.json()["data"] if response.status_code == httpx.codes.OK else []
        return [str(model["id"]) for model in listed]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _is_too_long(detail: str) -> bool:
    return any(sign in detail.lower() for sign in _TOO_LONG_SIGNS) and "token" in detail.lower()


def _detail(body: bytes) -> str:
    """The server's own words, on one short line."""
    text = body.decode(errors="replace")
    try:
        text = _message(json.loads(text))
    except (ValueError, RecursionError):
        text = "" if text.lstrip().startswith("<") else text
    return " ".join(text.split())[:300]


def _message(answer: Any) -> str:
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return str(error.get("message") or error.get("detail") or error) if isinstance(error, dict) else str(error)
