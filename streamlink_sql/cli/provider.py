"""The provider of OpenID Connect that the settings name. Judges them all at the start; the provider itself is asked at the first login."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.settings import Settings
    from streamlink_sql.web.oidc import Provider


def provider_of(settings: Settings) -> Provider | None:
    """The provider where people log in, or None; raises BadRequest for settings that do not fit each other."""
    if settings.oidc_issuer is None:
        fields = type(settings).model_fields
        told = [name for name, field in fields.items() if name.startswith("oidc_") and getattr(settings, name) != field.default]
        _need(not told, f"{''.join(told[:1])} needs oidc_issuer: the address of the provider.", "oidc_issuer")
        _need(settings.password_login, "Nobody could log in: password_login is off, and there is no oidc_issuer.", "password_login")
        return None
    from streamlink_sql.web.oidc import Provider, Registration, is_safe

    public = settings.public_url or ""
    plain = urlsplit(public)._replace(path="", query="", fragment="").geturl() if is_safe(public) else None
    _need(is_safe(settings.oidc_issuer), "oidc_issuer takes an address that begins with https://.", "oidc_issuer")
    _need(
        plain is not None and public.rstrip("/") == plain,
        "The provider sends people back to public_url: set it to https:// and the name by which browsers find this server, without a path.",
        "public_url",
    )
    _need(bool(settings.oidc_client_id), "oidc_issuer needs oidc_client_id: the provider gives it to you.", "oidc_client_id")
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
    _need(secret.isascii() and secret.isprintable(), "oidc_client_secret takes letters, digits and marks of ASCII.", "oidc_client_secret")
    _need("openid" in settings.oidc_scopes.split(), "oidc_scopes needs openid among its scopes.", "oidc_scopes")
    _need(
        bool(settings.oidc_roles) == (settings.oidc_role_claim is not None),
        "oidc_role_claim names the claim with the groups, and oidc_roles gives each group its role: set both or neither.",
        "oidc_roles",
    )
    _need(
        bool(settings.oidc_roles) or not settings.oidc_new_users, "oidc_new_users adds people who have a role by oidc_roles.", "oidc_roles"
    )
    _check_roles(settings)
    return Provider(
        Registration(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id or "",
            client_secret=settings.oidc_client_secret,
            public_url=public.rstrip("/"),
            title=settings.oidc_title,
            scopes=settings.oidc_scopes,
            user_claim=settings.oidc_user_claim,
            role_claim=settings.oidc_role_claim,
            roles=settings.oidc_roles,
            attributes=settings.oidc_attributes,
            new_users=settings.oidc_new_users,
        )
    )


def _check_roles(settings: Settings) -> None:
    if settings.policy is None:
        return
    from streamlink_sql.roles import read_policy

    known = read_policy(settings.policy).roles
    for group, role in settings.oidc_roles.items():
        _need(
            role in known, f"oidc_roles gives {group} the role {role!r}, which the policy lacks. It has: {', '.join(known)}.", "oidc_roles"
        )


def _need(fits: bool, why: str, setting: str) -> None:
    if not fits:
        raise BadRequest(why, setting=setting)
