"""Small JSON replies of a provider over HTTP. Follows no redirect, and waits and reads no longer than it must."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx

SILENCE_S, LONGEST_S, MOST_BYTES = 5.0, 10.0, 2**20


class Unusable(Exception):
    """A provider does not answer, or answers nothing that can be used. Holds no secret."""


class Wire:
    """The session that authlib's client sends its requests by."""

    def __init__(self) -> None:
        """Proxies and certificates are those that the environment names."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        self._http = httpx.Client(timeout=SILENCE_S, headers=headers, follow_redirects=False)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, url: str) -> dict[str, Any]:
        """The JSON object at an address; raises Unusable."""
        response = self._send(self._http.build_request("GET", url))
        if response.status_code != httpx.codes.OK:
            raise Unusable(f"{url} answers with status {response.status_code}")
        return _object(response)

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> httpx.Response:
        """What comes back for a form; `auth` is how authlib signs it. Raises Unusable."""
        form = str(httpx.QueryParams(data))
        url, signed, form = auth.prepare("POST", url, dict(headers), form)
        response = self._send(self._http.build_request("POST", url, content=form, headers=signed))
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unusable(f"{url} fails with status {response.status_code}")
        _object(response)
        return response

    def _send(self, request: httpx.Request) -> httpx.Response:
        end = time.monotonic() + LONGEST_S
        try:
            response = self._http.send(request, stream=True)
            try:
                body = b""
                for part in response.iter_raw():
                    body += part
                    if len(body) > MOST_BYTES or time.monotonic() > end:
                        raise Unusable(f"{request.url} sends more than {MOST_BYTES // 1024:,} KB, or takes longer than {LONGEST_S:g} s")
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise Unusable(f"{request.url} does not answer: {error or type(error).__name__}") from error
        return httpx.Response(response.status_code, content=body, request=request)


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{response.url} sends no JSON, with status {response.status_code}") from error
    if not isinstance(found, dict):
        raise Unusable(f"{response.url} sends no JSON object, with status {response.status_code}")
    return found
