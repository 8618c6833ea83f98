"""`streamlink-sql worker`: a model as a server of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from streamlink_sql.cli.options import Adapter, Config, Model
from streamlink_sql.cli.serve import bound, listen, observe
from streamlink_sql.errors import BadRequest, ModelUnavailable, StreamLinkError

if TYPE_CHECKING:
    from streamlink_sql.settings import Settings
    from streamlink_sql.types import Generator

PARSERS_OPEN, MODELS_OPEN = 8, 2
"""How many versions of a model are open at a time: of the parser, which is small, and of a language model."""


def worker(
    model: Model = None,
    adapter: Adapter = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; beyond this machine with a worker_token only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="The port to listen on; 0 takes a free one.")] = 8090,
    queue: Annotated[int, typer.Option("--queue", min=0, max=100_000, help="Questions that may wait; one more is refused (503).")] = 32,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=1000, help="Questions that are written for at the same time.")] = 1,
    config: Config = None,
) -> None:
    """Serve a model to control units elsewhere: drafts of SQL over HTTP, from a bounded queue."""
    from streamlink_sql.settings import load_settings
    from streamlink_sql.web.api import LOOPBACK
    from streamlink_sql.web.server import serve
    from streamlink_sql.worker.api import create_app
    from streamlink_sql.worker.line import Line, Terms

    settings = load_settings(config, model=model, adapter=adapter)
    observe(settings, "worker")
    if host not in LOOPBACK and settings.worker_token is None:
        raise BadRequest(
            f"A worker listens on {host} only with a token. Set worker_token (STREAMLINK_WORKER_TOKEN) to the same secret text "
            "here and at the control units.",
            setting="worker_token",
        )
    with bound(host, port) as listener:
        is_parser = settings.model == "parser"
        versions = PARSERS_OPEN if is_parser else MODELS_OPEN
        line = Line(opener(settings, parallel), Terms(parallel, queue, settings.model_timeout_s, versions, english_only=is_parser))
        try:
            line.try_out()
            print(f"A worker with {settings.model} answers on {listen(listener)} - Ctrl-C stops it.", file=sys.stderr)
            token = settings.worker_token.get_secret_value() if settings.worker_token else None
            serve(create_app(line, places=parallel + queue, token=token), listener, settings.drain_s)
        finally:
            line.close()


def opener(settings: Settings, at_once: int) -> Callable[[str], Generator]:
    """A function that opens the model with the version of a name, or as the settings say for ''."""
    from streamlink_sql.assemble import open_generator
    from streamlink_sql.store.store import default_path
    from streamlink_sql.store.versions import whole

    def opened(version: str) -> Generator:
        if not version:
            return open_generator(settings, at_once=at_once)
        if settings.adapter is not None:
            raise ModelUnavailable("This worker was started with an adapter of its own, and uses no other.", rule="version")
        try:
            folder = whole(settings.models_dir or default_path().parent / "models", version)
        except StreamLinkError as error:
            raise ModelUnavailable(f"This worker cannot use the version that was promoted. {error.detail}", rule="version") from error
        return open_generator(settings.model_copy(update={"adapter": folder}), at_once=at_once)

    return opened
