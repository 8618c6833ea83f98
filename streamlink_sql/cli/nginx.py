"""`streamlink-sql nginx`: the configuration of the Nginx in front of a cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streamlink_sql.cli.options import Config

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
    """What Nginx needs to know. Warns where names and keys would go over the network unencrypted."""
    from streamlink_sql.nginx.render import Front

    front = Front(
        pages=settings.nginx_web,
        ccus=settings.nginx_ccus,
        workers=settings.nginx_workers,
        listen=settings.nginx_listen,
        ccu_listen=settings.nginx_ccu_listen,
        worker_listen=settings.nginx_worker_listen,
        login=bool(settings.login) or settings.oidc_issuer is not None,
        certificate=settings.nginx_certificate,
        certificate_key=settings.nginx_certificate_key,
        body_max_kb=settings.nginx_body_max_kb,
        rate=settings.nginx_rate,
        burst=settings.nginx_burst,
        draft_s=settings.model_timeout_s,
        answer_s=settings.time_limit_max_s + settings.model_timeout_s + SLACK_S,
    )
    if front.open_to_others and front.certificate is None:
        print("Names and keys go over the network: set nginx_certificate and nginx_certificate_key.", file=sys.stderr)
    return front
