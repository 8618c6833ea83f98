"""`streamlink-sql serve`: the web page and the REST API."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from streamlink_sql.cli.options import Adapter, Config, Data, Glossary, Model, Policy, Role, Store
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.control import ControlUnit
    from streamlink_sql.settings import Settings
    from streamlink_sql.units import Units
    from streamlink_sql.web.guard import Guard


def serve(
    data: Data = None,
    model: Model = None,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="The port to listen on; 0 takes a free one.")] = None,
    policy: Policy = None,
    role: Role = None,
    adapter: Adapter = None,
    glossary: Glossary = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Serve the web page and the REST API for your data."""
    from streamlink_sql.settings import load_settings

    told = {"data": data, "model": model, "host": host, "port": port, "policy": policy, "role": role}
    serve_settings(load_settings(config, **told, adapter=adapter, glossary=glossary, store=store))


def serve_settings(settings: Settings, examples: tuple[str, ...] = ()) -> None:
    """Serves until it is stopped. `examples` are questions that the page offers."""
    with listening(settings.host, settings.port) as listener:
        from streamlink_sql.web.api import LOOPBACK, create_app
        from streamlink_sql.web.server import serve as run_server

        with answering(settings) as (control, guard):
            app = create_app(
                control,
                guard=guard,
                hosts=LOOPBACK | {urlsplit(settings.public_url or "").hostname or ""} if settings.host in LOOPBACK else None,
                data=settings.data,
                model=settings.model,
                at_once=settings.running + settings.waiting,
                per_person=settings.per_person,
                examples=examples,
                tried=control.tried,
            )
            host, port = listener.getsockname()[:2]
            print(f"StreamLink answers on http://{f'[{host}]' if ':' in host else host}:{port} - Ctrl-C stops it.", file=sys.stderr)
            if guard is not None and settings.host not in LOOPBACK:
                print("Names and keys go over the network: put a proxy with TLS in front, such as Nginx.", file=sys.stderr)
            run_server(app, listener)


@contextlib.contextmanager
def answering(settings: Settings) -> Iterator[tuple[ControlUnit | Units, Guard | None]]:
    """Who answers: one control unit for all on this machine, or, with login, one for each person and the guard who knows them."""
    if not needs_login(settings):
        from streamlink_sql.assemble import control_unit

        with closing(control_unit(settings)) as control:
            control.catalog.tables()
            yield control, None
        return
    from streamlink_sql.cli.provider import provider_of
    from streamlink_sql.store.people import People
    from streamlink_sql.units import Units
    from streamlink_sql.web.guard import Guard

    with closing(Units(settings)) as units:
        people, provider = People(units.store), provider_of(settings)
        if not people.somebody() and not settings.oidc_new_users:
            raise BadRequest(
                f"People must log in where the server listens on {settings.host}, and there is nobody yet. Add somebody first: "
                "streamlink-sql users add NAME",
                setting="login",
            )
        units.try_out()
        yield units, Guard(people, provider, passwords=settings.password_login)


def needs_login(settings: Settings) -> bool:
    """Whether people must log in: always but on this machine alone, and there where a provider is set or the setting says so."""
    from streamlink_sql.web.api import LOOPBACK

    if settings.host not in LOOPBACK and settings.login is False:
        raise BadRequest(f"Without login StreamLink listens on this machine only, not on {settings.host}.", setting="login")
    if settings.oidc_issuer is not None and settings.login is False:
        raise BadRequest("There is a provider to log in at (oidc_issuer), and login is off. Leave out one of them.", setting="login")
    return settings.host not in LOOPBACK or settings.oidc_issuer is not None if settings.login is None else settings.login


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; BadRequest where the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise BadRequest(
                f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port, or --port 0 for a free one.",
                setting="port",
            ) from error
        yield listener
