"""Failed logins of late, and how long whoever failed waits: of one process, or of all that share a store. Keeps no name and no password.

A try of a name counts as failed while it goes on, so that tries at the same time count like one after the other; one that succeeds is
taken back. Of a network, which many share, only those count that have failed.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from streamlink_sql.errors import TooManyAttempts, Unauthenticated
from streamlink_sql.store.tables import failed_logins

if TYPE_CHECKING:
    from streamlink_sql.store.store import Store

FREE_FAILURES, LONGEST_WAIT_S, FORGOTTEN_S, MOST_KNOWN = 5, 900.0, 3600.0, 10_000
TRIES_LOCK = 733_015


class Attempts(Protocol):
    """Counts failures of the last hour by who failed."""

    def take(self, who: str, network: str = "") -> str:
        """Counts a try of theirs as failed; gives its id. Raises TooManyAttempts where they or their network have to wait."""
        ...

    def failed(self, network: str) -> None:
        """Counts a try that has failed for the network, too."""
        ...

    def take_back(self, tried: str) -> None:
        """A try was no failure."""
        ...

    def forget(self, who: str) -> None:
        """Forgets all failures of one."""
        ...


@contextmanager
def trying(attempts: Attempts, who: str, network: str = "", *, forgiven: str = "") -> Iterator[None]:
    """A try, which has failed where it ends in Unauthenticated. With its success all earlier failures of `forgiven` are forgotten."""
    tried = attempts.take(who, network)
    try:
        yield
    except Unauthenticated:
        if network:
            attempts.failed(network)
        raise
    except BaseException:
        attempts.take_back(tried)
        raise
    attempts.take_back(tried)
    if forgiven:
        attempts.forget(forgiven)


def attempts_of(store: Store) -> Attempts:
    """Where the failures of those who use a store are counted."""
    return SharedAttempts(store) if store.is_shared else OwnAttempts()


class OwnAttempts:
    """Those of this process; may be used by many threads."""

    def __init__(self) -> None:
        """Knows of nobody yet."""
        self._lock, self._failures = threading.Lock(), OrderedDict[str, dict[str, float]]()

    def take(self, who: str, network: str = "") -> str:
        """Counts a try as failed."""
        now = time.monotonic()
        with self._lock:
            for name in (who, network):
                times = [at for at in self._failures.get(name, {}).values() if now - at < FORGOTTEN_S]
                refuse_hasty(len(times), now - max(times, default=0.0))
            return self._count(who, now)

    def failed(self, network: str) -> None:
        """Counts a failure of a network."""
        with self._lock:
            self._count(network, time.monotonic())

    def _count(self, who: str, now: float) -> str:
        tried, known = secrets.token_hex(8), self._failures.get(who, {})
        self._failures[who] = {id_: at for id_, at in known.items() if now - at < FORGOTTEN_S} | {tried: now}
        self._failures.move_to_end(who)
        while len(self._failures) > MOST_KNOWN:
            self._failures.popitem(last=False)
        return tried

    def take_back(self, tried: str) -> None:
        """A try was no failure."""
        with self._lock:
            for name in [name for name, known in self._failures.items() if known.pop(tried, None) is not None and not known]:
                del self._failures[name]

    def forget(self, who: str) -> None:
        """Forgets all failures of one."""
        with self._lock:
            self._failures.pop(who, None)


class SharedAttempts:
    """Those of all processes that share a store. Time is the database's; who failed is told by a keyed hash."""

    def __init__(self, store: Store) -> None:
        """The key is made of the audit's, which all of them have."""
        self._store, self._key = store, store.seal.key_for("failed logins")

    def take(self, who: str, network: str = "") -> str:
        """Counts a try as failed."""
        now, name = sa.func.clock_timestamp(), self._hashed(who)
        over = sa.select(failed_logins.c.seq).where(failed_logins.c.at < now - datetime.timedelta(seconds=FORGOTTEN_S))
        ago = sa.func.extract("epoch", now - sa.func.max(failed_logins.c.at))
        recent = sa.select(sa.func.count(), ago).where(failed_logins.c.who.in_([name, self._hashed(network)])).group_by(failed_logins.c.who)
        with self._store.transaction("written") as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TRIES_LOCK, sa.func.hashtext(name))))  # those of one name take turns
            connection.execute(sa.delete(failed_logins).where(failed_logins.c.seq.in_(over.with_for_update(skip_locked=True))))
            for count, seconds in connection.execute(recent).all():
                refuse_hasty(count, float(seconds))
            return self._count(connection, name)

    def failed(self, network: str) -> None:
        """Counts a failure of a network."""
        with self._store.transaction("written") as connection:
            self._count(connection, self._hashed(network))

    def _count(self, connection: sa.Connection, name: str) -> str:
        tried = secrets.token_hex(8)
        connection.execute(sa.insert(failed_logins).values(attempt=tried, who=name, at=sa.func.clock_timestamp()))
        return tried

    def take_back(self, tried: str) -> None:
        """A try was no failure."""
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(failed_logins).where(failed_logins.c.attempt == tried))

    def forget(self, who: str) -> None:
        """Forgets all failures of one."""
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(failed_logins).where(failed_logins.c.who == self._hashed(who)))

    def _hashed(self, who: str) -> str:
        """People type passwords where their name belongs."""
        return hmac.new(self._key, who.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def refuse_hasty(failures: int, ago_s: float) -> None:
    """Raises TooManyAttempts before the wait is over: a second after five failures, then twice as long each time, up to 15 minutes."""
    over = failures - FREE_FAILURES
    wait = (min(LONGEST_WAIT_S, 2.0**over) if over >= 0 else 0.0) - ago_s
    if wait > 0:
        raise TooManyAttempts("Too many wrong passwords or keys. Wait a while, then try again.", retry_after=round(wait) + 1)
