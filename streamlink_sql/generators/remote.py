"""A `streamlink-sql worker`, or a fleet of them behind one address, as a generator. Speaks to that address only; runs no SQL.

To write drafts is safe to repeat: a connection that breaks is tried once more, and where no worker has a place the question waits a while
for one. Each try is a new connection, so that behind a balancer another worker may take it.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import httpx

from streamlink_sql import tracing
from streamlink_sql.errors import BadRequest, Busy, CannotAnswer, ModelUnavailable, StreamLinkError, TimedOut, error_from
from streamlink_sql.generators import ModelOptions
from streamlink_sql.generators.calls import Calls
from streamlink_sql.generators.drafting import PATH, DraftsBody, drafts_from
from streamlink_sql.reaching import trusted, wants_tls, why
from streamlink_sql.types import Attempt, Context, Draft, Question

CONNECT_S = 5.0
PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0
"""How long a worker without a place, or behind a connection that broke, is left alone at first and at most."""
PATIENCE_S = 10.0
"""So long a question waits where no worker has a place, or all are starting again."""
PASSED_ON = (BadRequest, Busy, CannotAnswer, ModelUnavailable, TimedOut)
"""What a worker says of a question that the asker should read as it is; all else is a matter between us and the worker."""


class RemoteGenerator:
    """Asks a worker for drafts."""

    name = "worker"

    def __init__(self, base_url: str, token: str | None = None, timeout_s: float = 60.0, version: str = "") -> None:
        """Opens no connection until it is asked. `version` is the name of the version of its model that the worker is to use."""
        self._where, self._token, self._timeout_s, self._version = base_url, token, timeout_s, version
        self._calls = Calls(self._client)

    def generate(self, question: Question, context: Context, n: int, *, refused: tuple[Attempt, ...] = ()) -> list[Draft]:
        """The drafts of the worker's model, as if it ran here."""
        body = DraftsBody.of(question, context, n, refused, self._version).to_json()
        return self._calls.result(lambda client: self._in_time(client, body), question.id)

    def cancel(self, question_id: str) -> bool:
        """Closes the connection on which the drafts are awaited, which makes the worker stop."""
        return self._calls.cancel(question_id)

    def close(self) -> None:
        """Calls off what is awaited and closes the connections."""
        self._calls.close()

    async def _in_time(self, client: httpx.AsyncClient, body: bytes) -> list[Draft]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return self._drafts(await self._reply(client, body))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ModelUnavailable(f"No worker answers at {self._where}. {why(error, self._where)}") from error
        except httpx.HTTPError as error:
            raise ModelUnavailable(f"The connection to the worker at {self._where} broke twice. {why(error, self._where)}") from error
        except TimeoutError as error:
            raise TimedOut(
                f"The worker at {self._where} gave no drafts within {self._timeout_s:g} s. Raise model_timeout_s, or start more workers."
            ) from error

    async def _reply(self, client: httpx.AsyncClient, body: bytes) -> httpx.Response:
        """The first reply that does not say "later", else the last."""
        pause, broke, end = PAUSE_S, False, 0.0
        while True:
            try:
                response = await client.post(PATH, content=body, headers=tracing.headers())
            except httpx.TransportError:
                if broke:
                    raise
                broke = True
            else:
                now = time.monotonic()
                end = end or now + PATIENCE_S
                if not _says_later(response) or now + pause > end:
                    return response
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _drafts(self, response: httpx.Response) -> list[Draft]:
        if not response.is_success:
            raise self._refusal(response)
        try:
            return drafts_from(response.content)
        except (ValueError, RecursionError) as error:
            raise ModelUnavailable(f"{self._where} sent no drafts: it is no StreamLink worker, or one of another version.") from error

    def _refusal(self, response: httpx.Response) -> StreamLinkError:
        """What a status other than 2xx means and what to do about it."""
        told = _problem(response)
        if isinstance(told, PASSED_ON):
            return told
        status = response.status_code
        if wants_tls(response):
            return ModelUnavailable(f"{self._where} answers over TLS only: write worker:https:// in place of worker:http://.")
        if status in (401, 403):
            return ModelUnavailable(f"The worker at {self._where} refuses the token. Set worker_token to the same text here and there.")
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            return Busy(f"No worker behind {self._where} has a place. Try again in a moment.", retry_after=2)
        if status == httpx.codes.NOT_FOUND:
            return ModelUnavailable(
                f"{self._where} is no StreamLink worker. For other model servers write their address: http://HOST:PORT/v1#NAME."
            )
        said = told.detail if told else "see the log of what answers there."
        return ModelUnavailable(f"The worker at {self._where} failed with status {status}: {said}")

    def _client(self) -> httpx.AsyncClient:
        """A client that goes to the configured address and nowhere else. Each request has a connection of its own, so that a balancer
        gives each to the worker that is free; certificates are judged by those that the system trusts.
        """
        return httpx.AsyncClient(
            base_url=self._where,
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {}),
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            verify=trusted(self._where),
            trust_env=False,
        )


def _problem(response: httpx.Response) -> StreamLinkError | None:
    """The problem that a worker of ours told; None where something else did."""
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return None
    return error_from(told) if isinstance(told, dict) and "code" in told else None


def _says_later(response: httpx.Response) -> bool:
    """Whether to come again would help: no place, or a balancer without a worker; what a worker itself lacks, it lacks a moment later."""
    told = _problem(response)
    return response.status_code == httpx.codes.SERVICE_UNAVAILABLE and (told is None or "retry_after" in told.helps)


def open_remote(address: str, options: ModelOptions) -> RemoteGenerator:
    """The generator at `worker:http(s)://HOST:PORT`."""
    options.no_adapter("A worker")
    base_url = address.partition(":")[2].rstrip("/")
    if "," in base_url or not _is_address(base_url):
        raise BadRequest(
            f"{address!r} is no address of a worker. Write worker:http://HOST:PORT; several workers stand behind one address, as of Nginx.",
            setting="model",
        )
    return RemoteGenerator(base_url, options.key, options.timeout_s, options.version)


def _is_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and not (url.query or url.fragment)
    except ValueError:
        return False
