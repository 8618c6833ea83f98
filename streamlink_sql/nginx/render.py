"""The configuration of Nginx out of addresses and limits. Opens nothing; what Nginx would take for a directive is refused."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from streamlink_sql.errors import (
    BadRequest,
    ModelUnavailable,
    NotFound,
    ServerUnavailable,
    StreamLinkError,
    TimedOut,
    TooLarge,
    TooManyRequests,
)

ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})", re.ASCII)
API = r"^/(v1/|(healthz|readyz|metrics|openapi\.json)$)"
"""What control units answer; all else is for pages."""
HEALTH = "max_fails=3 fail_timeout=3s"
"""After three failures a server is left alone for three seconds, unless it is the only one."""
RETRY_S = 1
CONTEXT_MAX_MB = 16
"""What a worker is sent holds the tables that a question may need, and their values."""


class NginxTemplate(Template):
    """A template in which `$` is Nginx's own."""

    delimiter = "%"


@dataclass(frozen=True, slots=True)
class Front:
    """What stands behind Nginx, and what it lets through."""

    pages: tuple[str, ...]
    ccus: tuple[str, ...]
    workers: tuple[str, ...]
    listen: str
    ccu_listen: str
    worker_listen: str
    login: bool
    """Whether the control units demand one."""
    certificate: Path | None
    certificate_key: Path | None
    body_max_kb: int
    rate: int
    burst: int
    draft_s: float
    """Seconds that all workers together may take for one draft."""
    answer_s: float
    """Seconds that a control unit may be silent about a question."""

    @property
    def open_to_others(self) -> bool:
        """Whether other machines reach the pages or the control units."""
        return bool(self.pages or self.ccus) and not (is_loopback(self.listen) and is_loopback(self.ccu_listen))


def render(front: Front) -> str:
    """The whole configuration. Raises BadRequest where an address or a path cannot be one."""
    _refuse_what_does_not_fit(front)
    limits = f"  limit_req_zone $binary_remote_addr zone=askers:10m rate={front.rate}r/s;\n  limit_req_status 429;" if front.rate else ""
    template = (files("streamlink_sql.nginx") / "nginx.conf").read_text(encoding="utf-8")
    text = NginxTemplate(template).substitute(
        answer_s=_seconds(front.answer_s),
        body_max_kb=front.body_max_kb,
        secure="; Secure" if front.certificate else "",
        limits=limits,
        upstreams="".join(_upstreams(front)),
        servers="\n".join(_servers(front)),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches an address."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_what_does_not_fit(front: Front) -> None:
    if not (front.pages or front.ccus or front.workers):
        raise BadRequest("There is nothing to put Nginx in front of: set nginx_ccus, nginx_web or nginx_workers.", setting="nginx_ccus")
    for setting, addresses in {"nginx_web": front.pages, "nginx_ccus": front.ccus, "nginx_workers": front.workers}.items():
        for address in addresses:
            _refuse_other_than_address(address, setting)
    listening = {"nginx_listen": front.listen, "nginx_ccu_listen": front.ccu_listen, "nginx_worker_listen": front.worker_listen}
    for setting, address in listening.items():
        _refuse_other_than_address(address, setting)
        if list(listening.values()).count(address) > 1:
            raise BadRequest(f"{setting} cannot be {address!r}: Nginx listens there already.", setting=setting)
    if (front.certificate is None) != (front.certificate_key is None):
        missing = "nginx_certificate" if front.certificate is None else "nginx_certificate_key"
        raise BadRequest("A certificate and its key belong together, and one of them is missing.", setting=missing)
    if front.open_to_others and not front.login:
        raise BadRequest(
            "Nginx would be open to other machines, and the control units behind it would take everybody for a user of this one. "
            "Set login = true for all of them.",
            setting="login",
        )


def _refuse_other_than_address(address: str, setting: str) -> None:
    """Host and port, and nothing else, so that no setting can bring a directive of its own."""
    found = ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65_536:
        raise BadRequest(f"{setting} cannot be {address!r}: an address is HOST:PORT, such as 127.0.0.1:8101.", setting=setting)


def _upstreams(front: Front) -> list[str]:
    groups = (("pages", front.pages, "hash $page consistent"), ("ccus", front.ccus, "least_conn"), ("workers", front.workers, "least_conn"))
    return [
        f"\n  upstream {name} {{\n    zone {name} 64k;\n    {choice};\n"
        + "".join(f"    server {address} {HEALTH};\n" for address in addresses)
        + "  }\n"
        for name, addresses, choice in groups
        if addresses
    ]


def _servers(front: Front) -> list[str]:
    """For people, for page replicas that look for a control unit, for control units that look for a worker."""
    gone = ServerUnavailable("No part of this server that could answer can be reached. Try again soon.", retry_after=RETRY_S)
    idle = ModelUnavailable("No worker answers. Try again soon.", retry_after=RETRY_S)
    found = []
    if front.pages or front.ccus:
        routes = (_api(front, public=True) if front.ccus else "") + (_pages(front) if front.pages else _nothing())
        found.append(_server(front.listen, _tls(front), routes, _problems(gone, front)))
    if front.pages and front.ccus:
        tls = _tls(front) if not is_loopback(front.ccu_listen) else ""
        found.append(_server(front.ccu_listen, tls, _api(front, public=False), _problems(gone, front)))
    if front.workers:
        tls = _tls(front) if not is_loopback(front.worker_listen) else ""
        found.append(_server(front.worker_listen, tls, _workers(front), _problems(idle, front)))
    return found


def _server(listen: str, tls: str, routes: str, problems: str) -> str:
    return f"  server {{\n    listen {listen}{' ssl' if tls else ''};\n{tls}{routes}{problems}  }}\n"


def _tls(front: Front) -> str:
    if front.certificate is None or front.certificate_key is None:
        return ""
    return (
        f"    ssl_certificate {_quoted(front.certificate, 'nginx_certificate')};\n"
        f"    ssl_certificate_key {_quoted(front.certificate_key, 'nginx_certificate_key')};\n"
        "    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_cache shared:tls:5m;\n"
        "    error_page 497 =301 https://$http_host$request_uri;\n"
    )


def _quoted(path: Path, setting: str) -> str:
    """A path as Nginx reads it; characters that mean something to Nginx are refused, not escaped."""
    text = str(path.absolute())
    if not text.isprintable() or re.search(r"[\"'\\$;{}]", text):
        raise BadRequest(f"{setting} cannot be {text!r}: Nginx takes paths without quotes, backslashes, $, ; and braces.", setting=setting)
    return f'"{text}"'


def _api(front: Front, *, public: bool) -> str:
    """Control units. What was sent once is not sent again, unless it only reads."""
    limit = f"      limit_req zone=askers burst={front.burst} nodelay;\n" if public and front.rate else ""
    path = f"~ {API}" if public else "/"
    return (
        f"\n    location {path} {{\n{limit}      proxy_pass http://ccus;\n{_headers(public=public)}"
        f"      proxy_read_timeout {_seconds(front.answer_s)}s;\n"
        "      proxy_next_upstream error timeout;\n      proxy_next_upstream_timeout 10s;\n    }\n"
    )


def _pages(front: Front) -> str:
    """Page replicas: a browser stays with one of them, its websocket stays open."""
    return (
        f"\n    location / {{\n      proxy_pass http://pages;\n      add_header Set-Cookie $new_page;\n{_headers(public=True)}"
        "      proxy_set_header Upgrade $http_upgrade;\n      proxy_set_header Connection $page_connection;\n"
        f"      proxy_read_timeout {_seconds(front.answer_s)}s;\n"
        "      proxy_next_upstream error timeout;\n      proxy_next_upstream_timeout 10s;\n    }\n"
    )


def _workers(front: Front) -> str:
    """Workers: writing a draft changes nothing, so another may do it when one fails, is full or takes half of the time there is."""
    return (
        f"\n    location / {{\n      proxy_pass http://workers;\n{_headers(public=False)}"
        f"      client_max_body_size {CONTEXT_MAX_MB}m;\n      client_body_buffer_size {CONTEXT_MAX_MB}m;\n"
        f"      proxy_read_timeout {_seconds(front.draft_s / 2)}s;\n"
        "      proxy_next_upstream error timeout invalid_header http_503 non_idempotent;\n"
        f"      proxy_next_upstream_timeout {_seconds(front.draft_s)}s;\n    }}\n"
    )


def _headers(*, public: bool) -> str:
    """What a part behind Nginx is told of the request. Our own parts say for whom they ask; anybody else is not believed."""
    caller = (
        {"X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "$scheme"} if public else {"X-Forwarded-For": "$proxy_add_x_forwarded_for"}
    )
    named = {"Host": "$http_host", "X-Request-Id": "$trace", **caller}
    return "".join(f"      proxy_set_header {name} {value};\n" for name, value in named.items())


def _nothing() -> str:
    missing = NotFound("There is no page here. GET /openapi.json lists what there is.")
    return f"\n    location / {{\n{_return(missing)}    }}\n"


def _problems(gone: StreamLinkError, front: Front) -> str:
    """What Nginx itself has to say, in the form of all other problems."""
    said: tuple[tuple[str, str, StreamLinkError], ...] = (
        ("400 405 414", "unreadable", BadRequest("The request cannot be read as HTTP, or its address is too long.", rule="http")),
        ("413", "too_large", TooLarge(f"A request may have {front.body_max_kb:,} KB; this one has more.")),
        ("429", "too_many", TooManyRequests("Too many requests from your address. Try again soon.", retry_after=RETRY_S)),
        ("502 503", "gone", gone),
        ("504", "too_slow", TimedOut("No answer came in time.") if not isinstance(gone, ModelUnavailable) else gone),
    )
    return "".join(
        f"\n    error_page {statuses} = /problem/{name};\n    location = /problem/{name} {{\n      internal;\n{_return(error)}    }}\n"
        for statuses, name, error in said
    )


def _return(error: StreamLinkError) -> str:
    body = json.dumps(error.problem())
    assert not set("'$\\") & set(body), "words of ours, which Nginx would not take as they are"
    body = body.removesuffix("}") + ', "trace_id": "$trace"}'
    retry = f"      add_header Retry-After {error.helps['retry_after']} always;\n" if "retry_after" in error.helps else ""
    return f"      default_type application/problem+json;\n{retry}      return {error.status} '{body}';\n"


def _seconds(number: float) -> int:
    return max(1, round(number))
