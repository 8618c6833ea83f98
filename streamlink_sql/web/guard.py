"""Who asks: a key in the header, or a session in a cookie. Logs people in and out; decides nothing about data.

A session's cookie is HttpOnly and SameSite=Strict, and the edge refuses requests that other sites send, so that no other page can use it.
The cookie of a login at a provider is SameSite=Lax, as the provider's site sends the browser back, and opens nothing by itself. A browser
that was sent from another site leaves Strict cookies out for all redirects of that journey. So it ends on a small page of ours that goes
on by itself, and always to `/`: there is no address to tamper with.
"""

from __future__ import annotations

import ipaddress
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from streamlink_sql.errors import BadRequest, Busy, Forbidden, StreamLinkError, TooManyAttempts, Unauthenticated
from streamlink_sql.store.attempts import trying
from streamlink_sql.store.people import SESSION_HOURS, People
from streamlink_sql.types import Person
from streamlink_sql.web.look import POLICY
from streamlink_sql.web.oidc import BACK, BEGIN, COOKIE_S, Provider

COOKIE = "streamlink_session"
LOGIN, LOGOUT = "/login", "/logout"
OPEN = ("/healthz", "/readyz", LOGIN)
"""What needs no login."""
AT_ONCE = 3
"""Passwords that are tried at the same time: each takes 64 MB and a core, and as many of a network can fail beyond the free ones."""
AT_PROVIDER = 8
"""Logins that wait for the provider at the same time: each takes a thread."""


class Doorkeeper(Protocol):
    """Who lets people in: the guard of this process, or one elsewhere."""

    def person(self, headers: Mapping[str, str], address: str) -> Person | None:
        """Who sends a request with these headers; None for nobody in particular. Raises Unauthenticated or TooManyAttempts."""
        ...

    def log_in(self, body: bytes, address: str, *, secure: bool) -> Response:
        """The answer to the login form."""
        ...

    def at_provider(self, path: str, query: str, headers: Mapping[str, str], address: str) -> Response | None:
        """The answer at the addresses of a login at a provider; None at any other."""
        ...

    def log_out(self, headers: Mapping[str, str]) -> Response:
        """Ends the session."""
        ...

    def login_page(self) -> Response:
        """The login form."""
        ...


class Guard:
    """Tells who sends a request; may be used by many threads."""

    def __init__(self, people: People, provider: Provider | None = None, *, passwords: bool = True) -> None:
        """Asks the store of people; lets them log in by their passwords, at the provider, or both."""
        self._people, self._provider, self._passwords = people, provider, passwords
        self._hashing, self._asking = threading.BoundedSemaphore(AT_ONCE), threading.BoundedSemaphore(AT_PROVIDER)

    def person(self, headers: Mapping[str, str], address: str) -> Person:
        """Who sends a request with these headers; raises Unauthenticated or TooManyAttempts."""
        kind, _, key = headers.get("authorization", "").partition(" ")
        session = _session(headers)
        if kind.lower() == "bearer":
            try:
                return self._people.of_key(key.strip())
            except Unauthenticated:
                self._people.attempts.take(f"key from {_network(address)}")
                raise
        if session:
            return self._people.of_session(session)
        raise Unauthenticated("Who are you? Send a key as `Authorization: Bearer KEY`, or log in on the page.")

    def log_in(self, body: bytes, address: str, *, secure: bool) -> Response:
        """The answer to the login form: a session, or the form again with what was wrong."""
        try:
            if not self._passwords:
                raise Forbidden("Nobody logs in by password here.")
            name, password = _form(body)
            asked = f"{name[:200]} from {_network(address)}"
            with self._hashing, trying(self._people.attempts, asked, _network(address), forgiven=asked):
                session = self._people.log_in(name, password)
        except (BadRequest, Forbidden, TooManyAttempts, Unauthenticated) as error:
            return self.login_page(error)
        return _with_session(RedirectResponse("/", 303), session, secure=secure)

    def at_provider(self, path: str, query: str, headers: Mapping[str, str], address: str) -> Response | None:
        """The answer at the two addresses of a login at the provider; None at any other."""
        if self._provider is None or path not in (BEGIN, BACK):
            return None
        return self._sent_there(self._provider) if path == BEGIN else self._come_back(self._provider, query, headers, address)

    def _sent_there(self, provider: Provider) -> Response:
        secret, registered = secrets.token_urlsafe(32), provider.registration
        try:
            with self._place():
                response = RedirectResponse(provider.way_there(secret), 303, {"Cache-Control": "no-store"})
        except StreamLinkError as error:
            return self.login_page(error)
        response.set_cookie(registered.cookie, secret, max_age=COOKIE_S, httponly=True, samesite="lax", secure=registered.secure)
        return response

    def _come_back(self, provider: Provider, query: str, headers: Mapping[str, str], address: str) -> Response:
        registered, asked = provider.registration, f"provider from {_network(address)}"
        secret = cookie_parser(headers.get("cookie", "")).get(registered.cookie, "")
        try:
            code = provider.came_back(query, secret)  # wrong ones cost nothing and do not count: any page can send a browser here
            with trying(self._people.attempts, asked), self._place():
                who = provider.identity(code, secret)
            session = self._people.log_in_as(who, may_add=registered.new_users)
        except StreamLinkError as error:
            response = self.login_page(error)
        else:
            response = _with_session(_page(ARRIVED), session, secure=registered.secure)
        response.delete_cookie(registered.cookie, httponly=True, samesite="lax", secure=registered.secure)
        return response

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places of those who wait for the provider; raises Busy where all are taken."""
        if not self._asking.acquire(blocking=False):
            raise Busy("Too many people are logging in at this moment. Try again.", retry_after=2)
        try:
            yield
        finally:
            self._asking.release()

    def log_out(self, headers: Mapping[str, str]) -> Response:
        """Ends the session."""
        if session := _session(headers):
            self._people.log_out(session)
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(COOKIE)
        return response

    def login_page(self, error: StreamLinkError | None = None) -> Response:
        """A plain form: it works before anything of the page is loaded."""
        said = f'<p role="alert" class="bad">{escape(error.detail)} <code>{error.code}</code></p>' if error else ""
        ways = FORM if self._passwords else ""
        if self._provider is not None:
            registered = self._provider.registration
            ways += f'<a class="way" href="{escape(registered.public_url + BEGIN)}">Log in with {escape(registered.title)}</a>'
        wait = {"Retry-After": str(error.helps["retry_after"])} if error and "retry_after" in error.helps else {}
        return _page(f"{said}{ways}", error.status if error else 200, wait)


def session_cookie(headers: Mapping[str, str]) -> str:
    """The session of a request as a header of its own, without other cookies; empty where there is none."""
    session = _session(headers)
    return f"{COOKIE}={session}" if session else ""


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
    """Who is slowed down: an IPv4 address, written as IPv6 or not, or the part of an IPv6 address that one subscriber has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))


def _with_session(response: Response, session: str, *, secure: bool) -> Response:
    response.set_cookie(COOKIE, session, max_age=SESSION_HOURS * 3600, httponly=True, samesite="strict", secure=secure)
    return response


def _page(inside: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    told = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", **(headers or {})}
    return HTMLResponse(PAGE.replace("<!--inside-->", inside), status, told)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>StreamLink: log in</title>
<style>
:root { color-scheme: light dark; --line: #c9d0da; --accent: #1f5fbf; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #2a3542; --accent: #4b83d8; --bad: #f2938c; } }
body { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin: 0;
  display: grid; min-height: 90vh; place-items: center; }
main { width: min(320px, 88vw); } main, form { display: grid; gap: 14px; }
h1 { font-size: 22px; margin: 0 0 4px; letter-spacing: -.02em; }
label { display: grid; gap: 5px; font-size: 14px; }
input { font: inherit; padding: 9px 11px; border: 1px solid var(--line); border-radius: 8px; }
button { font: inherit; padding: 10px; border: 0; border-radius: 8px; background: var(--accent); color: #fff; cursor: pointer; }
.way { padding: 9px; border: 1px solid var(--line); border-radius: 8px; color: inherit; text-align: center; text-decoration: none; }
.bad { color: var(--bad); margin: 0; font-size: 14px; }
</style></head><body>
<main><h1>StreamLink</h1><!--inside--></main></body></html>
"""
FORM = """<form method="post" action="/login">
<label>Name <input name="name" autocomplete="username" autofocus required maxlength="200"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="200"></label>
<button>Log in</button></form>"""
ARRIVED = '<meta http-equiv="refresh" content="0; url=/"><p>You are logged in. <a href="/">Go on</a></p>'
