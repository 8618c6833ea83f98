"""One session with a Spark Connect server: the address, a connection that is found again, and what its errors mean. Judges no SQL."""

from __future__ import annotations

import logging
import re
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from streamlink_sql.engines import plain_words
from streamlink_sql.errors import BadRequest, EngineUnavailable, InvalidSQL, StreamLinkError, TooCostly

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

T = TypeVar("T")
PORT = 15002
CONNECT_LIMIT_S = 5.0
CALL_LIMIT_S = 120.0
"""A call without rows (a plan, a setting, an interruption) fails after so long: its host may be gone without a word."""
_CONF = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
_WISHES = {"spark.connect.progress.reportInterval": "500ms"}
"""Set where the server lets us."""
_GONE = ("SESSION_NOT_FOUND", "SESSION_CHANGED", "SESSION_CLOSED", "session not found")
_AWAY = ("UNAVAILABLE", "failed to connect", "Connection refused", "RETRIES_EXCEEDED", "Socket closed", "DEADLINE_EXCEEDED")
_DENIED = ("UNAUTHENTICATED", "PERMISSION_DENIED", "Unauthenticated")
_TOO_LARGE = "message larger than max"
"""A batch of rows that Spark's client does not take: rows are sent some thousands together, however wide they are."""
_ON_VALUES = ("Arithmetic", "NumberFormat", "DateTime", "ArrayIndexOutOfBounds", "SparkRuntime", "SparkUpgrade")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_DETAILS = re.compile(r'details = "(.*)"')
_NOT_SPOKEN = (
    ("WRONG_VERSION_NUMBER", "What listens there speaks no TLS: leave use_ssl out of the address."),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "Its certificate is not trusted: use the name that it was made for, and name its authority by GRPC_DEFAULT_SSL_ROOTS_FILE_PATH.",
    ),
    ("HTTP/2", "What listens there is something else, or wants TLS: sc://HOST:PORT/;use_ssl=true"),
    ("Socket closed", "It hung up; if it wants TLS: sc://HOST:PORT/;use_ssl=true"),
)
"""What gRPC says where two sides do not speak the same, and what to do."""
_OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)
"""Else gRPC gives the connection of a lost session, at whose other end the host may be gone, to the session made in its place."""
_CONTEXT_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: what Spark's client is told, host and port, and the database whose tables need no prefix."""

    remote: str
    host: str
    port: int
    database: str = ""


def read_address(text: str) -> Address:
    """`spark://HOST[:PORT][/DATABASE]`, or Spark's own `sc://HOST[:PORT][/;name=value;...]`; raises BadRequest."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or PORT
    except ValueError as error:
        raise BadRequest(f"{text} is no address of a Spark Connect server: {error}.", setting="data") from error
    if not host or parts.username or parts.query or parts.fragment:
        raise BadRequest("A Spark Connect server is named as spark://HOST:PORT or spark://HOST:PORT/DATABASE.", setting="data")
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme == "sc":
        return Address(f"sc://{shown}:{port}{parts.path}", host, port)
    database = unquote(parts.path.strip("/"))
    if "/" in database or ";" in database:
        raise BadRequest(
            "Behind spark://HOST:PORT/ stands the name of one database. Parameters go with sc://HOST:PORT/;name=value.", setting="data"
        )
    return Address(f"sc://{shown}:{port}", host, port, database)


class Connection:
    """A session that is made when first used, and anew when the server has lost it. May be used by many threads."""

    def __init__(self, address: Address, prepare: Callable[[SparkSession], None]) -> None:
        """`prepare` is called with each new session."""
        self.address, self._prepare = address, prepare
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._closed = False

    def session(self) -> SparkSession:
        """The session; raises EngineUnavailable."""
        with self._lock:
            if self._closed:
                raise EngineUnavailable("This source has been closed.")
            if self._session is None:
                self._session = self._open()
            return self._session

    def ask(self, what: Callable[[SparkSession], T]) -> T:
        """What the server says; where it has lost the session, it is asked once more in a new one. Raises our errors only."""
        session = self.session()
        try:
            return what(session)
        except StreamLinkError:
            raise
        except Exception as error:  # Spark's client raises many kinds, gRPC's among them
            if not is_session_lost(error):
                raise self.translated(error, session) from error
            self.forget(session)
        session = self.session()
        try:
            return what(session)
        except StreamLinkError:
            raise
        except Exception as error:
            raise self.translated(error, session) from error

    def forget(self, lost: SparkSession) -> None:
        """Takes a session for lost: the next call makes a new one, unless another thread has made it already."""
        with self._lock:
            is_open = self._session is lost
            if is_open:
                self._session = None
        if is_open:
            close, lost.client.close = lost.client.close, lambda: None
            _in_background(close)  # its finalizer closes once more, and would let whatever thread collects garbage wait for ten seconds

    def close(self) -> None:
        """Ends the session."""
        with self._lock:
            self._closed, open_ = True, self._session
        if open_ is not None:
            self.forget(open_)

    def translated(self, error: Exception, session: SparkSession) -> StreamLinkError:
        """One of the client's errors as one of ours; the text goes to the log, as it may hold cells."""
        text, kind = str(error), type(error).__name__
        if any(mark in text for mark in _DENIED):
            return self._denied(text)
        if any(mark in text or mark in kind.upper() for mark in _AWAY) or is_session_lost(error):
            self.forget(session)
            return EngineUnavailable(f"The Spark server at {self._where} does not answer any more. Ask again when it is back.", log=text)
        if _TOO_LARGE in text:
            return TooCostly("One part of the result is too large to be sent. Ask for fewer columns, or for shorter ones.", log=text)
        condition = getattr(error, "getCondition", lambda: None)() or next(iter(_CONDITION.findall(text)), "")
        if kind.startswith(_ON_VALUES):
            return InvalidSQL(f"The query fails on a value of the data{f' ({condition})' if condition else ''}.", log=text)
        if kind in (
            "AnalysisException",
            "ParseException",
            "IllegalArgumentException",
            "UnsupportedOperationException",
            "PySparkNotImplementedError",
        ):
            return plain_words.invalid(_first_line(text))
        return EngineUnavailable(f"The Spark server could not run this{f' ({condition})' if condition else ''}.", log=text)

    @property
    def _where(self) -> str:
        return f"{self.address.host}:{self.address.port}"

    def _open(self) -> SparkSession:
        try:
            socket.create_connection((self.address.host, self.address.port), CONNECT_LIMIT_S).close()
        except socket.gaierror as error:
            raise EngineUnavailable(f"There is no machine named {self.address.host}. Check the address.", setting="data") from error
        except OSError as error:
            raise EngineUnavailable(
                f"No Spark Connect server answers at {self._where}: {error.strerror or 'no answer'}. "
                "Start one there, or name another address.",
                setting="data",
            ) from error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pandas, which nothing here uses
                from pyspark.sql.connect.client import DefaultChannelBuilder
                from pyspark.sql.connect.client.retries import DefaultPolicy
                from pyspark.sql.connect.session import SparkSession
        except ImportError as error:
            raise EngineUnavailable("Spark's client is not installed: pip install 'streamlink-sql[spark]'.") from error
        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")  # the error itself says so
        for name in _CONTEXT_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # they print errors with cells and traces
        try:
            channel = DefaultChannelBuilder(self.address.remote, [_OWN_CONNECTION])
            channel.add_interceptor(_deadline())
            session = SparkSession.builder.channelBuilder(channel).create()
            session.client.set_retry_policies([DefaultPolicy(max_retries=5, max_backoff=2_000, max_server_retry_delay=5_000)])
            for name, value in _CONF.items():
                session.conf.set(name, value)
            for name, value in _WISHES.items():
                with suppress(Exception):
                    session.conf.set(name, value)
            if self.address.database:
                session.catalog.setCurrentDatabase(self.address.database)
            self._prepare(session)
        except StreamLinkError:
            raise
        except Exception as error:
            raise self._refused(error) from error
        return session

    def _refused(self, error: Exception) -> StreamLinkError:
        text = str(error)
        if any(mark in text for mark in _DENIED):
            return self._denied(text)
        if "SCHEMA_NOT_FOUND" in text or "atabase" in text and "not" in text:
            return BadRequest(f"The Spark server at {self._where} has no database {self.address.database}.", setting="data", log=text)
        said = next(iter(_DETAILS.findall(text)), _first_line(text))
        remedy = next((remedy for mark, remedy in _NOT_SPOKEN if mark in said), said)
        return EngineUnavailable(f"What answers at {self._where} is no Spark Connect server, or does not work. {remedy}", log=text)

    def _denied(self, text: str) -> StreamLinkError:
        return EngineUnavailable(
            f"The Spark server at {self._where} does not let us in: check the token in its address, or SPARK_CONNECT_AUTHENTICATE_TOKEN "
            "in the environment.",
            log=text,
        )


def _deadline() -> Any:
    """What gives each call without a stream its time; Spark's client sets none."""
    import grpc

    class Deadline(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, go_on: Callable[..., Any], details: Any, request: Any) -> Any:
            return go_on(details._replace(timeout=details.timeout or CALL_LIMIT_S), request)

    return Deadline()


def is_session_lost(error: Exception) -> bool:
    """Whether the server does not know our session, as after its restart."""
    return any(mark in str(error) for mark in _GONE)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]


def _in_background(call: Callable[[], Any]) -> None:
    """Calls what may wait for a server that is gone."""

    def quietly() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a session that is given up anyway
            logging.getLogger("streamlink_sql.engines").debug("A session did not close: %s", error)

    threading.Thread(target=quietly, name="spark-close", daemon=True).start()
