"""What a page replica holds: clients of the control units, and the way there for logins. It has no store and no secret of its own.

Who visitors are is told by the control units, by the key or the session that they send, which goes along with everything that they ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response

from streamlink_sql.client import Client
from streamlink_sql.errors import Forbidden
from streamlink_sql.types import Person
from streamlink_sql.web.guard import LOGIN, LOGOUT, session_cookie
from streamlink_sql.web.oidc import BACK, BEGIN

PASSED_ON = ("content-type", "location", "cache-control", "content-security-policy", "retry-after")
"""What of a login's answer goes to the browser, beside its cookies."""


@dataclass(frozen=True, slots=True)
class Visitor(Person):
    """Somebody whom the control units know."""

    sent: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The headers that show who they are."""


class Clients:
    """A client for each visitor, over the connections of one."""

    def __init__(self, client: Client) -> None:
        """Takes the client; who opened it closes it."""
        self._client = client

    def of(self, person: Person | None) -> Client:
        """What this visitor asks; for nobody in particular, what the control units let anybody ask."""
        return self._client.sending(person.sent) if isinstance(person, Visitor) else self._client

    def ready(self) -> None:
        """Raises what keeps the control units from answering."""
        self._client.ready()


class Gate:
    """Lets in whom the control units let in."""

    def __init__(self, client: Client, *, must_log_in: bool) -> None:
        """Where people must log in here, control units that ask nobody who they are are no good."""
        self._client, self._must_log_in = client, must_log_in

    def person(self, headers: Mapping[str, str], address: str) -> Visitor | None:
        """Who sends a request with these headers; raises what the control units say."""
        sent = _shown(headers, address)
        found = self._client.sending(sent).me()
        if found is None and self._must_log_in:
            raise Forbidden("People must log in here, but the control units ask nobody who they are. Set `login = true` for them.")
        return None if found is None else Visitor(found.name, found.role, {}, found.scope, sent)

    def log_in(self, body: bytes, address: str, *, secure: bool) -> Response:
        """The answer to the login form."""
        told = {"x-forwarded-for": address, "x-forwarded-proto": "https" if secure else "http"}
        return self._passed_on("POST", LOGIN, told, body)

    def at_provider(self, path: str, query: str, headers: Mapping[str, str], address: str) -> Response | None:
        """The answer at the addresses of a login at a provider; None at any other."""
        if path not in (BEGIN, BACK):
            return None
        return self._passed_on("GET", f"{path}?{query}", {"x-forwarded-for": address, "cookie": headers.get("cookie", "")})

    def log_out(self, headers: Mapping[str, str]) -> Response:
        """Ends the session."""
        return self._passed_on("POST", LOGOUT, {"cookie": headers.get("cookie", "")})

    def login_page(self) -> Response:
        """The login form."""
        return self._passed_on("GET", LOGIN, {})

    def _passed_on(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        came = self._client.sent(method, path, headers, body)
        response = Response(came.content, came.status_code, {name: came.headers[name] for name in PASSED_ON if name in came.headers})
        for cookie in came.headers.get_list("set-cookie"):
            response.headers.append("set-cookie", cookie)
        return response


def _shown(headers: Mapping[str, str], address: str) -> dict[str, str]:
    """Of a visitor's headers those that show who they are, and where they are, as failures are counted by that."""
    key, session = headers.get("authorization"), session_cookie(headers)
    told = {"x-forwarded-for": address}
    return told | ({"authorization": key} if key else {"cookie": session} if session else {})
