"""`streamlink-sql nginx`: the configuration of the Nginx in front of a cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streamlink_sql.cli.options import Config
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.nginx.render import Front
    from streamlink_sql.settings import Settings

SLACK_S = 30.0
"""What a control unit may need beside the model and the engine before it says something."""


def nginx(config: Config = None) -> None:
    """Print the configuration of Nginx for your replicas and workers, made from the settings `nginx_*`."""
    from streamlink_sql.nginx.render import render
    from streamlink_sql.settings import load_settings

    settings = load_settings(config)
    print(render(front_of(settings)), end="")


def front_of(settings: Settings) -> Front:
    """What Nginx needs to know. Raises BadRequest where it would let people in whom nobody knows."""
    from streamlink_sql.nginx.render import Front, is_loopback

    front = Front(
        pages=settings.nginx_web,
        ccus=settings.nginx_ccus,
        workers=settings.nginx_workers,
        listen=settings.nginx_listen,
        ccu_listen=settings.nginx_ccu_listen,
        worker_listen=settings.nginx_worker_listen,
        certificate=settings.nginx_certificate,
        certificate_key=settings.nginx_certificate_key,
        body_max_kb=settings.nginx_body_max_kb,
        rate=settings.nginx_rate,
        burst=settings.nginx_burst,
        draft_s=settings.model_timeout_s,
        answer_s=settings.time_limit_max_s + settings.model_timeout_s + SLACK_S,
    )
    open_to_others = not (is_loopback(front.listen) and is_loopback(front.ccu_listen))
    if (front.ccus or front.pages) and open_to_others and not settings.login and settings.oidc_issuer is None:
        raise BadRequest(
            "Nginx would be open to other machines, and the control units behind it would take everybody for a user of this one. "
            "Set login = true for all of them.",
            setting="login",
        )
    if (front.ccus or front.pages) and open_to_others and front.certificate is None:
        print("Names and keys go over the network: set nginx_certificate and nginx_certificate_key.", file=sys.stderr)
    return front
