"""Who asks: a key in the header, or a session in a cookie. Logs people in and out; decides nothing about data.

A session's cookie is HttpOnly and SameSite=Strict, and the edge refuses requests that other sites send, so that no other page can use it.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs

from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from streamlink_sql.errors import BadRequest, StreamLinkError, TooManyAttempts, Unauthenticated
from streamlink_sql.store.people import SESSION_HOURS, People
from streamlink_sql.types import Person
from streamlink_sql.web.look import POLICY

COOKIE = "streamlink_session"
LOGIN, LOGOUT = "/login", "/logout"
OPEN = ("/healthz", "/readyz", LOGIN)
"""What needs no login."""
AT_ONCE = 3
"""Passwords that are tried at the same time: each takes 64 MB and a core."""
FREE_FAILURES, LONGEST_WAIT_S, FORGOTTEN_S, MOST_KNOWN = 5, 900.0, 3600.0, 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


class Throttle:
    """Makes whoever fails wait: after five failures one second, then twice as long each time, at most a quarter of an hour."""

    def __init__(self) -> None:
        """Knows of nobody yet."""
        self._lock, self._failures = threading.Lock(), dict[str, _Failures]()

    def check(self, *names: str) -> None:
        """Raises TooManyAttempts where one of these has to wait."""
        now = time.monotonic()
        with self._lock:
            wait = max((self._wait(name) + found.last - now for name in names if (found := self._failures.get(name))), default=0.0)
        if wait > 0:
            raise TooManyAttempts("Too many wrong passwords or keys. Wait a while, then try again.", retry_after=round(wait) + 1)

    def take(self, *names: str) -> None:
        """Counts a try of each as failed until it has succeeded; raises TooManyAttempts where one of them has to wait."""
        self.check(*names)
        self.failed(*names)

    def failed(self, *names: str) -> None:
        """Counts a failure of each."""
        now = time.monotonic()
        with self._lock:
            while len(self._failures) > MOST_KNOWN:
                self._failures.pop(next(iter(self._failures)))
            for name in names:
                found = self._failures.setdefault(name, _Failures())
                found.count = 1 if now - found.last > FORGOTTEN_S else found.count + 1
                found.last = now

    def succeeded(self, *names: str) -> None:
        """Forgets what these did before."""
        with self._lock:
            for name in names:
                self._failures.pop(name, None)

    def _wait(self, name: str) -> float:
        over = self._failures[name].count - FREE_FAILURES
        return 0.0 if over < 0 else min(LONGEST_WAIT_S, 2.0**over)


class Guard:
    """Tells who sends a request; may be used by many threads."""

    def __init__(self, people: People) -> None:
        """Asks the store of people."""
        self._people, self._throttle = people, Throttle()
        self._hashing = threading.BoundedSemaphore(AT_ONCE)

    def person(self, headers: Mapping[str, str], address: str) -> Person:
        """Who sends a request with these headers; raises Unauthenticated or TooManyAttempts."""
        kind, _, key = headers.get("authorization", "").partition(" ")
        session = _session(headers)
        if kind.lower() == "bearer":
            asked = f"key from {_network(address)}"
            self._throttle.check(asked)
            try:
                return self._people.of_key(key.strip())
            except Unauthenticated:
                self._throttle.failed(asked)
                raise
        if session:
            return self._people.of_session(session)
        raise Unauthenticated("Who are you? Send a key as `Authorization: Bearer KEY`, or log in on the page.")

    def log_in(self, body: bytes, address: str, *, secure: bool) -> Response:
        """The answer to the login form: a session, or the form again with what was wrong."""
        try:
            name, password = _form(body)
            asked = f"{name[:200]} from {_network(address)}"
            self._throttle.take(asked, _network(address))  # counted before it is tried, so that tries at once count as well
            with self._hashing:
                session = self._people.log_in(name, password)
        except (BadRequest, TooManyAttempts, Unauthenticated) as error:
            return login_page(error)
        self._throttle.succeeded(asked)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, session, max_age=SESSION_HOURS * 3600, httponly=True, samesite="strict", secure=secure)
        return response

    def log_out(self, headers: Mapping[str, str]) -> Response:
        """Ends the session."""
        if session := _session(headers):
            self._people.log_out(session)
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(COOKIE)
        return response


def _session(headers: Mapping[str, str]) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _form(body: bytes) -> tuple[str, str]:
    """Name and password of the login form."""
    try:
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError as error:
        raise BadRequest("This is not the login form.") from error
    name, password = (form.get(field, [""])[0] for field in ("name", "password"))
    if not name or not password:
        raise BadRequest("Give a name and a password.")
    return name, password


def _network(address: str) -> str:
    """Who is slowed down: an IPv4 address, or the part of an IPv6 address that one subscriber has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if found.version == 6 else address


def login_page(error: StreamLinkError | None = None) -> Response:
    """A plain form: it works before anything of the page is loaded."""
    said = f'<p role="alert" class="bad">{escape(error.detail)}</p>' if error else ""
    wait = {"Retry-After": str(error.helps["retry_after"])} if error and "retry_after" in error.helps else {}
    return HTMLResponse(
        PAGE.replace("<!--said-->", said),
        error.status if error else 200,
        {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", **wait},
    )


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>StreamLink: log in</title>
<style>
:root { color-scheme: light dark; --line: #c9d0da; --accent: #1f5fbf; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #2a3542; --accent: #4b83d8; --bad: #f2938c; } }
body { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin: 0;
  display: grid; min-height: 90vh; place-items: center; }
form { width: min(320px, 88vw); display: grid; gap: 14px; }
h1 { font-size: 22px; margin: 0 0 4px; letter-spacing: -.02em; }
label { display: grid; gap: 5px; font-size: 14px; }
input { font: inherit; padding: 9px 11px; border: 1px solid var(--line); border-radius: 8px; }
button { font: inherit; padding: 10px; border: 0; border-radius: 8px; background: var(--accent); color: #fff; cursor: pointer; }
.bad { color: var(--bad); margin: 0; font-size: 14px; }
</style></head><body>
<form method="post" action="/login"><h1>StreamLink</h1><!--said-->
<label>Name <input name="name" autocomplete="username" autofocus required maxlength="200"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="200"></label>
<button>Log in</button></form></body></html>
"""
