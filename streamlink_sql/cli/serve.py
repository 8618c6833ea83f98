"""`streamlink-sql serve`: the web page and the REST API; `ccu`: the API alone; `web`: the page alone, before control units elsewhere."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from streamlink_sql.cli.options import Adapter, Config, Data, Glossary, Model, Policy, Role, Store
from streamlink_sql.errors import BadRequest
from streamlink_sql.types import Person, Question

if TYPE_CHECKING:
    from streamlink_sql.control import ControlUnit
    from streamlink_sql.relief import Relief
    from streamlink_sql.settings import Settings
    from streamlink_sql.types import Control
    from streamlink_sql.units import Units
    from streamlink_sql.web.desk import Controls
    from streamlink_sql.web.edge import Edge
    from streamlink_sql.web.guard import Doorkeeper, Guard

Host = Annotated[str | None, typer.Option("--host", help="The address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="The port to listen on; 0 takes a free one.")]
BACKLOG = 128
PATIENCE_S = 15.0
"""How long a page replica looks for another control unit where one went away in the middle of a question."""


def _serving(says: str, *, pages: bool) -> Callable[..., None]:
    """A command that serves the REST API, with or without the pages: the same options for both."""

    def command(
        data: Data = None,
        model: Model = None,
        host: Host = None,
        port: Port = None,
        policy: Policy = None,
        role: Role = None,
        adapter: Adapter = None,
        glossary: Glossary = None,
        config: Config = None,
        store: Store = None,
    ) -> None:
        from streamlink_sql.settings import load_settings

        told = {"data": data, "model": model, "host": host, "port": port, "policy": policy, "role": role}
        serve_settings(load_settings(config, **told, adapter=adapter, glossary=glossary, store=store), pages=pages)

    command.__doc__ = says
    return command


serve = _serving("Serve the web page and the REST API for your data.", pages=True)
ccu = _serving("Serve the REST API alone: a control unit, one of several on one PostgreSQL store.", pages=False)


def web(
    ccu: Annotated[str | None, typer.Option("--ccu", help="Where the control units are, such as http://127.0.0.1:8081.")] = None,
    host: Host = None,
    port: Port = None,
    config: Config = None,
) -> None:
    """Serve the web page alone, for control units elsewhere. It opens no data, no model and no store."""
    from streamlink_sql.settings import load_settings

    settings = load_settings(config, ccu=ccu, host=host, port=port)
    observe(settings, "web")
    if settings.ccu is None:
        raise BadRequest("The page needs control units: name their address with --ccu or the setting `ccu`.", setting="ccu")
    with bound(settings.host, settings.port) as listener:
        from streamlink_sql.client import Client
        from streamlink_sql.web.replica import Clients, Gate

        with Client(settings.ccu, patience_s=PATIENCE_S) as client:
            gate = Gate(client, must_log_in=needs_login(settings))
            run(app_of(settings, Clients(client), gate), listener, settings)


def serve_settings(settings: Settings, examples: tuple[str, ...] = (), *, pages: bool = True) -> None:
    """Serves until it is stopped. `examples` are questions that the page offers."""
    observe(settings, "serve" if pages else "ccu")
    with (
        bound(settings.host, settings.port) as listener,
        answering(settings) as (control, guard),
        relieving(control, settings) as relief,
    ):
        told = {"data": settings.data, "model": settings.model, "examples": examples, "tried": control.tried}
        app = app_of(settings, control, guard, pages=pages, relief=relief, **told)
        run(app, listener, settings)


def observe(settings: Settings, part: str) -> None:
    """Log and traces of this process, in the form and to the places that settings and environment name."""
    from streamlink_sql import logs, tracing

    logs.start(settings.log_format, part)
    tracing.start(part)


def app_of(settings: Settings, control: Control | Controls, guard: Doorkeeper | None, **options: Any) -> Edge:
    """The application that the settings describe."""
    from streamlink_sql.web.api import LOOPBACK, create_app

    return create_app(
        control,
        guard=guard,
        hosts=LOOPBACK | {urlsplit(settings.public_url or "").hostname or ""} if settings.host in LOOPBACK else None,
        at_once=settings.running + settings.waiting,
        per_person=settings.per_person,
        **options,
    )


def run(app: Edge, listener: socket.socket, settings: Settings) -> None:
    """Listens, says where, and serves an application."""
    from streamlink_sql.web.api import LOOPBACK
    from streamlink_sql.web.server import serve as run_server

    print(f"StreamLink answers on {listen(listener)} - Ctrl-C stops it.", file=sys.stderr)
    if app.guard is not None and settings.host not in LOOPBACK:
        print("Names and keys go over the network: put a proxy with TLS in front, such as Nginx.", file=sys.stderr)
    run_server(app, listener, settings.drain_s)


@contextlib.contextmanager
def relieving(control: ControlUnit | Units, settings: Settings) -> Iterator[Relief | None]:
    """Where control units share a store, what goes on with the questions of those that die; else nothing."""
    from streamlink_sql.control import ControlUnit
    from streamlink_sql.relief import Relief

    if not control.store.is_shared:
        yield None
        return

    def held_by(question: Question) -> Control:
        if isinstance(control, ControlUnit):
            return control
        return control.of(Person(question.asker, question.role, question.attributes or {}))

    per_person = settings.per_person if needs_login(settings) else None
    with closing(Relief(control.store, settings.data or "", held_by, control.cancel, per_person)) as relief:
        yield relief


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
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at an address that is ours from now on. It does not listen yet: until we can answer, callers shall go elsewhere at once
    and not wait. Raises BadRequest where the port is taken or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _usable(host, port):
            listener.bind((host, port))
        yield listener


def listen(listener: socket.socket) -> str:
    """From now on callers are let in; the address as they write it. Raises BadRequest where another was quicker."""
    host, port = listener.getsockname()[:2]
    with _usable(host, port):
        listener.listen(BACKLOG)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextlib.contextmanager
def _usable(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadRequest(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port, or --port 0 for a free one.",
            setting="port",
        ) from error
