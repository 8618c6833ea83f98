"""Failed logins: the same waits in one process and in two that share a store; who succeeds has not failed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from streamlink_sql.errors import StoreUnavailable, TooManyAttempts, Unauthenticated
from streamlink_sql.store import attempts as attempts_module
from streamlink_sql.store.attempts import FORGOTTEN_S, FREE_FAILURES, Attempts, OwnAttempts, SharedAttempts, trying
from streamlink_sql.store.people import People
from streamlink_sql.store.store import open_store
from streamlink_sql.store.tables import failed_logins
from tests.postgres import Postgres

Sides = tuple[Attempts, Attempts, Callable[[float], None]]


@pytest.fixture(params=["own", "shared"])
def sides(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """Two views of the same failures, and a way to let time go by. In one process both are the same."""
    if request.param == "own":
        now, own = [1_000.0], OwnAttempts()
        monkeypatch.setattr("streamlink_sql.store.attempts.time.monotonic", lambda: now[0])
        yield own, own, lambda seconds: now.__setitem__(0, now[0] + seconds)
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.database()
    with closing(open_store(url, tmp_path / "audit")) as one, closing(open_store(url, tmp_path / "audit")) as other:
        assert isinstance(People(one).attempts, SharedAttempts)

        def later(seconds: float) -> None:
            with one.transaction("written") as connection:
                connection.execute(sa.update(failed_logins).values(at=failed_logins.c.at - sa.text(f"INTERVAL '{seconds} seconds'")))

        yield People(one).attempts, People(other).attempts, later


def waits(attempts: Attempts, *who: str) -> int:
    """The seconds that they are told to wait; 0 where they may try, and fail."""
    try:
        with trying(attempts, *who):
            raise Unauthenticated("wrong")
    except TooManyAttempts as error:
        return int(error.helps["retry_after"])
    except Unauthenticated:
        return 0


def test_whoever_fails_often_waits_longer_and_longer_wherever_they_try(sides: Sides) -> None:
    *both, later = sides
    turns = itertools.cycle(both)
    assert [waits(next(turns), "ada from 10.0.0.1", "10.0.0.1") for _ in range(FREE_FAILURES)] == [0] * FREE_FAILURES
    told = []
    for _ in range(12):
        told.append(waits(next(turns), "ada from 10.0.0.1"))
        assert waits(next(turns), "bob from 10.0.0.1", "10.0.0.1"), "the address has to wait, too"
        later(told[-1])
        assert waits(next(turns), "ada from 10.0.0.1", "10.0.0.1") == 0
    assert told == sorted(told)
    assert 900 <= told[-1] <= 902
    assert waits(next(turns), "ada from 10.0.0.2", "10.0.0.2") == 0
    later(FORGOTTEN_S)
    assert waits(next(turns), "ada from 10.0.0.1", "10.0.0.1") == 0


def test_who_succeeds_has_not_failed(sides: Sides) -> None:
    *both, _ = sides
    for attempts in both * 10:
        with trying(attempts, "ada", "the office", forgiven="ada"):
            pass
    for attempts in both * 10:
        with pytest.raises(StoreUnavailable), trying(attempts, "ada", "the office"):
            raise StoreUnavailable("gone")
    for _ in range(FREE_FAILURES - 1):
        with pytest.raises(Unauthenticated), trying(both[0], "ada", "the office"):
            raise Unauthenticated("wrong")
    with trying(both[1], "ada", "the office", forgiven="ada"):
        pass
    assert [waits(both[0], "ada"), waits(both[1], "ada")] == [0, 0], "forgiven"
    assert waits(both[0], "the office") == 0, "the fifth"
    assert waits(both[1], "the office"), "what others did there stays"


def test_an_office_may_log_in_all_at_once(sides: Sides) -> None:
    *both, _ = sides
    with ExitStack() as office:
        for number in range(4 * FREE_FAILURES):
            office.enter_context(trying(both[number % 2], f"clerk {number} from the office", "the office"))
    assert [waits(both[number % 2], f"{number} from the office", "the office") for number in range(FREE_FAILURES)] == [0] * FREE_FAILURES
    assert waits(both[0], "ada from the office", "the office"), "their failures still count together"


def test_nobody_waits_for_the_try_of_another(postgres: Postgres, tmp_path: Path) -> None:
    with closing(open_store(postgres.database(), tmp_path / "audit")) as store, ThreadPoolExecutor(1) as pool:
        attempts = SharedAttempts(store)
        with store.transaction("written") as connection:
            turn = sa.select(sa.func.pg_advisory_xact_lock(attempts_module.TRIES_LOCK, sa.func.hashtext(attempts._hashed("ada"))))
            connection.execute(turn)
            assert attempts.take("bob")
            ada = pool.submit(attempts.take, "ada")
            with pytest.raises(TimeoutError):
                ada.result(0.5)
        assert ada.result(30)


def test_tries_at_the_same_time_count_like_one_after_the_other(sides: Sides) -> None:
    *both, _ = sides
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: waits(both[number % 2], "ada"), range(16)))
    assert told.count(0) == FREE_FAILURES


def test_no_name_is_kept_in_a_shared_store(postgres: Postgres, tmp_path: Path) -> None:
    with closing(open_store(postgres.database(), tmp_path / "audit")) as store:
        People(store).attempts.take("my password from 10.0.0.1")
        with store.transaction("read") as connection:
            (kept,) = connection.execute(sa.select(failed_logins.c.who)).scalars()
    assert len(kept) == 64
    assert "password" not in kept


def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts_module, "MOST_KNOWN", 10)
    own = OwnAttempts()
    for number in range(50):
        own.take(f"asker {number}")
    assert len(own._failures) == 10
