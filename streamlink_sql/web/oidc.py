"""Login at a provider of OpenID Connect: sends browsers there, and judges what they come back with. Keeps nothing and opens no account.

Authorization code flow with PKCE. What a login has to remember - state, nonce and PKCE's verifier - is made of one random value in a
cookie of the browser that began it, so any process of a server can end it, and a link that somebody else began ends nowhere.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from streamlink_sql.errors import BadRequest, LoginUnavailable, Unauthenticated
from streamlink_sql.store.people import Identity
from streamlink_sql.types import Attribute
from streamlink_sql.web.wire import Unusable, Wire

BEGIN, BACK = "/login/oidc", "/login/oidc/back"
COOKIE_S = 600
SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures by a key that only the provider has: never `none`, never one that whoever knows the client secret could make."""
CLOCK_SKEW_S = 60
DISCOVERED_S = 600.0
"""Seconds for which the provider's own description is kept; its keys are read at each login, as they change at any time."""
LONGEST_TEXT, MOST_VALUES = 200, 1000
AT_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """What provider and server know of each other, and what the provider's claims mean here."""

    issuer: str
    client_id: str
    client_secret: SecretStr | None
    public_url: str
    title: str = "OpenID Connect"
    scopes: str = "openid email profile"
    user_claim: str = "email"
    role_claim: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    new_users: bool = False

    @property
    def secure(self) -> bool:
        """Whether cookies go over https alone."""
        return self.public_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """Over https a name that no neighbouring domain can set a cookie under."""
        return f"{'__Host-' * self.secure}streamlink_login"


class Provider:
    """One provider of OpenID Connect; may be used by many threads."""

    def __init__(self, registration: Registration) -> None:
        """Asks the provider nothing yet; raises BadRequest where authlib is not installed."""
        try:
            import authlib.oidc.core  # noqa: F401 - said at the start, not at the first login
        except ModuleNotFoundError as error:
            raise BadRequest(
                f"Login by OpenID Connect needs the Python package {error.name}: install streamlink-sql[oidc].", setting="oidc_issuer"
            ) from error
        self.registration = registration
        self._described: tuple[float, dict[str, Any]] = (0.0, {})

    def way_there(self, secret: str) -> str:
        """Where a browser goes to log in that holds this secret in its cookie; raises LoginUnavailable."""
        try:
            with Wire() as wire:
                address, _ = self._client(wire).create_authorization_url(
                    self._endpoint(wire, "authorization_endpoint"),
                    state=_made("state", secret),
                    nonce=_made("nonce", secret),
                    code_verifier=_made("verifier", secret),
                )
        except Unusable as error:
            raise self._unavailable(error) from error
        return str(address)

    def came_back(self, query: str, secret: str) -> str:
        """The code that a browser comes back with, if it is the one that was sent there; raises Unauthenticated."""
        try:
            told = {name: values[0] for name, values in parse_qs(query, max_num_fields=20, errors="replace").items()}
        except ValueError:
            told = {}
        if not secret or not compare_digest(told.get("state", "").encode(), _made("state", secret).encode()):
            raise Unauthenticated("This login was begun elsewhere, too long ago, or twice. Begin it again.")
        if told.get("iss", self.registration.issuer) != self.registration.issuer:
            raise Unauthenticated("This answer comes from another provider. Begin the login again.")
        if "error" in told or "code" not in told:
            said = _shown(f"{told.get('error', 'no code')} {told.get('error_description', '')}")
            raise Unauthenticated(f"{self.registration.title} did not log you in: {said}.")
        return told["code"]

    def identity(self, code: str, secret: str) -> Identity:
        """Whom the provider vouches for with a code; raises LoginUnavailable, Unauthenticated where its answer is not good."""
        from authlib.oauth2.base import OAuth2Error
        from joserfc.errors import JoseError

        hidden = [code, secret, _made("verifier", secret), self._client_secret()]
        try:
            with Wire() as wire:
                token = self._client(wire).fetch_token(
                    self._endpoint(wire, "token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=_made("verifier", secret),
                    redirect_uri=self.registration.public_url + BACK,
                )
                claims = self._claims(token, wire.get(self._endpoint(wire, "jwks_uri")), _made("nonce", secret))
        except Unusable as error:
            raise self._unavailable(error) from error
        except OAuth2Error as error:
            log.warning(
                "the provider %s takes no code: %s", self.registration.issuer, _without(hidden, f"{error.error} {error.description}")
            )
            raise Unauthenticated("The provider does not confirm this login. Begin it again; the server's log tells more.") from error
        except (JoseError, AttributeError, KeyError, TypeError, ValueError) as error:  # whatever a token may look like
            said = _without(hidden, f"{type(error).__name__} {error}")
            log.warning("an ID token of %s is not good: %s", self.registration.issuer, said)
            raise Unauthenticated("The provider's answer cannot be trusted. Begin the login again; the server's log tells more.") from error
        return self._identity(claims)

    def _claims(self, token: Mapping[str, Any], keys: Any, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that this provider made for us, for this login and for now."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet

        found = jwt.decode(token["id_token"], KeySet.import_key_set(keys), algorithms=SIGNED_BY)
        ours = {
            "iss": {"essential": True, "value": self.registration.issuer},
            "aud": {"essential": True, "value": self.registration.client_id},
        }
        known = {"nonce": nonce, "client_id": self.registration.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(found.claims, found.header, ours, known)
        claims.validate(leeway=CLOCK_SKEW_S)
        if not 0 < len(claims["sub"]) <= 255:
            raise ValueError("the claim sub is too long, or empty")
        return dict(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        registered = self.registration
        name, role = _claim(claims, registered.user_claim), None
        if registered.role_claim is not None:
            groups = _claim(claims, registered.role_claim)
            mine = groups if isinstance(groups, list) else [groups]
            role = next((role for group, role in registered.roles.items() if group in mine), "")
        attributes = {attribute: _attribute(_claim(claims, claim)) for attribute, claim in registered.attributes.items()}
        return Identity(registered.issuer, claims["sub"], name if isinstance(name, str) else "", role, attributes)

    def _client(self, wire: Wire) -> Any:
        from authlib.oauth2.client import OAuth2Client

        methods = self._description(wire).get("token_endpoint_auth_methods_supported")
        by_form = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
        secret = self._client_secret()
        return OAuth2Client(
            wire,
            self.registration.client_id,
            secret,
            token_endpoint_auth_method="client_secret_post" if secret and by_form else None,
            scope=self.registration.scopes,
            redirect_uri=self.registration.public_url + BACK,
            code_challenge_method="S256",
        )

    def _client_secret(self) -> str | None:
        secret = self.registration.client_secret
        return secret.get_secret_value() if secret else None

    def _endpoint(self, wire: Wire, name: str) -> str:
        found = self._description(wire).get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise Unusable(f"the description of {self.registration.issuer} has no {name} that begins with https:")
        return found

    def _description(self, wire: Wire) -> dict[str, Any]:
        read_at, found = self._described
        if not found or time.monotonic() - read_at > DISCOVERED_S:
            issuer = self.registration.issuer
            found = wire.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise Unusable(f"{issuer} calls itself {_shown(str(found.get('issuer')))}; the setting oidc_issuer must be the same")
            self._described = (time.monotonic(), found)
        return found

    def _unavailable(self, error: Unusable) -> LoginUnavailable:
        log.warning("login by OpenID Connect is not available: %s", error)
        return LoginUnavailable(f"{self.registration.title} does not answer as it should. Try again later; the server's log tells more.")


def is_safe(address: str) -> bool:
    """Whether what goes to this address stays between the two: https, or this machine."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in AT_THIS_MACHINE))
    except ValueError:
        return False


def _made(what: str, secret: str) -> str:
    """The state, nonce or verifier of a login: none of them tells another, or the secret."""
    return hashlib.sha256(f"{what} {secret}".encode("utf-8", "replace")).hexdigest()


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the way to it with dots. An e-mail address counts where the provider says that it has verified it:
    elsewhere people can write down whose they like.
    """
    if name == "email" and claims.get("email_verified") is not True:
        return None
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _attribute(value: Any) -> Attribute | None:
    """What a condition of a policy can be compared with; None for anything else."""
    if isinstance(value, list):
        kept = [each for each in value if isinstance(each, str | int | float) and not isinstance(each, bool)]
        fits = len(kept) == len(value) <= MOST_VALUES and all(len(each) <= LONGEST_TEXT for each in kept if isinstance(each, str))
        return tuple(kept) if fits else None
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return None
    return value if isinstance(value, str | int | float) else None


def _shown(text: str) -> str:
    """What others wrote, as it may stand in a sentence of ours."""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST_TEXT].strip()


def _without(hidden: list[str | None], text: str) -> str:
    """A text for the log; a provider may repeat what it was sent."""
    for secret in hidden:
        text = text.replace(secret, "...") if secret else text
    return _shown(text)
