"""A real provider of OpenID Connect as a process of its own: `oidc-provider-mock`, with PKCE judged and, on demand, one thing wrong.

`python -m tests.oidc_provider PORT` serves it. What is wrong from then on is PUT to /wrong: a key of `WRONG`, or one that stands below.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

WRONG: dict[str, dict[str, Any]] = {
    "audience": {"aud": "somebody-else"},
    "party": {"aud": ["streamlink", "other"], "azp": "other"},
    "nonce": {"nonce": "of another login"},
    "no nonce": {"nonce": None},
    "issuer": {"iss": "https://evil.example"},
    "expired": {"exp": time.time() - 3600},
    "future": {"iat": time.time() + 3600},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "odd subject": {"sub": ["ada"]},
    "odd name": {"email": {"a": 1}},
    "skewed": {"iat": time.time() + 30, "nbf": time.time() + 30},
}
"""What a token says instead."""


def make() -> Any:
    """The provider, with what makes it wrong."""
    import flask
    import oidc_provider_mock
    from joserfc import jwt
    from joserfc.jwk import OctKey, RSAKey

    app = oidc_provider_mock.app(require_nonce=True)
    challenges: dict[str, str] = {}
    told: dict[str, Any] = {"wrong": ""}
    other = RSAKey.generate_key(2048)

    def signed(token: str, key: Any, how: str, change: dict[str, Any]) -> str:
        part = token.split(".")[1]
        claims = {**json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))), **change}
        header = {"alg": how, **({"kid": key.kid} if key.kid else {})}
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, key, algorithms=[how])

    def changed(body: dict[str, Any], own: Any) -> dict[str, Any]:
        wrong, token = told["wrong"], str(body.get("id_token"))
        makers: dict[str, Callable[[], str]] = {
            "key": lambda: signed(token, other, "RS256", {}),
            "kid": lambda: signed(token, RSAKey.import_key({**other.as_dict(private=True), "kid": own.kid}), "RS256", {}),
            "secret": lambda: signed(token, OctKey.import_key("a secret of thirty-two characters"), "HS256", {}),
            "unsigned": lambda: f"{_part({'alg': 'none'})}.{token.split('.')[1]}.",
            "nonsense": lambda: "nonsense",
        }
        if wrong == "no token":
            return {name: value for name, value in body.items() if name != "id_token"}
        if wrong in WRONG:
            return {**body, "id_token": signed(token, own, "RS256", WRONG[wrong])}
        return {**body, "id_token": makers[wrong]()} if wrong in makers else body

    @app.put("/wrong")
    def _wrong() -> str:
        told["wrong"] = flask.request.get_data(as_text=True)
        return ""

    @app.before_request
    def _judge() -> Any:
        if flask.request.path == "/oauth2/token" and flask.request.method == "POST":
            verifier = flask.request.form.get("code_verifier", "")
            made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
            sent = flask.request.authorization
            told["form"], told["client"] = dict(flask.request.form), sent.parameters if sent else {}
            if challenges.get(flask.request.form.get("code", "")) != made or told["wrong"] == "tells":
                return {"error": "invalid_grant", "error_description": f"{told['form']} {told['client']}"}, 400
        if flask.request.path == "/told":
            return told
        return None

    @app.after_request
    def _answer(response: Any) -> Any:
        path, wrong = flask.request.path, told["wrong"]
        own = RSAKey.import_key(flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True))
        if path == "/oauth2/authorize" and response.location:
            code = parse_qs(urlsplit(response.location).query).get("code", [""])[0]
            challenges[code] = flask.request.args.get("code_challenge", "")
        if wrong == "redirect" and path != "/wrong":
            return flask.redirect("http://127.0.0.1:1/elsewhere")
        if wrong == "huge" and path == "/jwks":
            response.set_data(b" " * 5_000_000)
        if wrong == "other issuer" and path.startswith("/.well-known"):
            response.set_data(json.dumps({**response.get_json(), "issuer": "https://evil.example"}))
        if wrong == "plain endpoint" and path.startswith("/.well-known"):
            response.set_data(json.dumps({**response.get_json(), "token_endpoint": "http://evil.example/token"}))
        if wrong == "by form" and path.startswith("/.well-known"):
            methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
            response.set_data(json.dumps({**response.get_json(), **methods}))
        if wrong == "no object" and path.startswith("/.well-known"):
            response.set_data(b"[" * 5000)
        if wrong == "failing" and path == "/oauth2/token":
            response.status_code = 500
        if path == "/oauth2/token" and response.status_code == 200:
            response.set_data(json.dumps(changed(response.get_json(), own)))
        return response

    return app


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def main() -> None:
    """Serves until it is ended."""
    from werkzeug.serving import run_simple

    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    run_simple("localhost", int(sys.argv[1]), make(), threaded=True)


if __name__ == "__main__":
    main()
