"""Leases: which control unit works on a question, where several share a store (PostgreSQL). Runs nothing.

A question that is accepted has a lease, which its control unit renews while it works and which ends in one transaction with the outcome.
A control unit that dies leaves a lease that runs out, with all that another needs to answer the question. Time is the database's.
"""

from __future__ import annotations

import datetime
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from streamlink_sql import tracing
from streamlink_sql.errors import BadRequest, TooManyQuestions, error_from
from streamlink_sql.returned import answer_from
from streamlink_sql.store.kept_rows import KeptRows
from streamlink_sql.store.tables import history, leases
from streamlink_sql.types import Answer, Question

if TYPE_CHECKING:
    from streamlink_sql.store.store import Store

LEASE_S = 15.0
"""A control unit that has not been heard of for so long is taken for dead."""
BEAT_S = 2.0
"""How often leases are renewed and looked for."""
LOOK_S = 0.2
"""How often a control unit looks whether another has answered a question."""
CALM_S = 2 * BEAT_S
"""After the store was away nobody takes a question over for so long: those who live renew their leases first."""
ASKERS_LOCK = 733_014
MOST_ATTEMPTS = 3
"""A question during which so many control units died is given up: it may be what kills them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A question as it was accepted; `sql` where its asker wrote SQL for it; `trace` is where in a trace that was."""

    question: Question
    sql: str | None
    attempt: int = 1
    called_off: bool = False
    trace: str = field(default_factory=tracing.place)

    @classmethod
    def of(cls, lease: sa.RowMapping) -> Request:
        """What a lease holds; what a newer version added to it is left out."""
        told: dict[str, Any] = dict(lease["request"])
        sql, attributes, trace = told.pop("sql"), told.pop("attributes"), told.pop("trace", "")
        if attributes is not None:
            attributes = {name: tuple(value) if isinstance(value, list) else value for name, value in attributes.items()}
        known = {each.name: told[each.name] for each in fields(Question) if each.name in told}
        return cls(Question(**known, attributes=attributes), sql, lease["attempt"], lease["called_off"], trace)

    def body(self) -> dict[str, Any]:
        """The request as JSON: who asks, as whom, under which limits."""
        return {**asdict(self.question), "sql": self.sql, "trace": self.trace}


class Leases:
    """The leases of one process; may be used by many threads."""

    def __init__(self, store: Store, source: str, key: bytes, per_person: int | None = None) -> None:
        """`source` is the data that this process can ask: it takes over questions about the same only. Of one asker it accepts a question
        only while fewer than `per_person` are under way, wherever they are.
        """
        self._store, self._source, self._per_person = store, source, per_person
        self.holder = secrets.token_hex(8)
        self.kept = KeptRows(key)
        self._lock, self._held = threading.Lock(), set[str]()
        self._away_at = time.monotonic()
        self.retiring = False
        """True once this process hands its questions back instead of calling them off."""

    def accepted(self, row: Mapping[str, Any], request: Request, go_on: Callable[[], None]) -> Answer | None:
        """Writes the question down and takes its lease: None, and this control unit answers it. Where another one does, waits for what
        comes of it; where one did, gives that. `go_on` raises where the asker has called it off.
        """
        try:
            return self._accepted(row, request, go_on)
        except BaseException:
            self.let_go(request.question.id)
            raise

    def _accepted(self, row: Mapping[str, Any], request: Request, go_on: Callable[[], None]) -> Answer | None:
        waited = False
        while True:
            go_on()
            found = self._store.patiently(partial(self._looked_up, row, request, waited))
            if isinstance(found, Answer):
                return found
            if found > 1:
                self._store.taken_over(request.question, attempt=found)
            if found:
                return None
            waited = True
            time.sleep(LOOK_S)

    def _looked_up(self, row: Mapping[str, Any], request: Request, waited: bool) -> Answer | int:
        """The answer if there is one by now; or the number of the attempt that is for this process to make, 0 while another one works on
        it; raises the problem that was waited for.
        """
        with self._store.transaction("written") as connection:
            known = self._known(connection, row, request)
            if known is None:
                return 1
            refuse_other(known, row)
            if known["state"] == "answered":
                rows = self.kept.rows_of(connection, request.question)
                return answer_from(known["body"] if rows is None else {**known["body"], "rows": rows})
            if waited and known["state"] == "problem":
                raise error_from(known["body"])
            attempt = self._taken(connection, request)
            if attempt and known["state"] != "accepted":
                connection.execute(sa.update(history).where(history.c.id == row["id"]).values(state="accepted", body=None))
            return attempt

    def _known(self, connection: sa.Connection, row: Mapping[str, Any], request: Request) -> sa.RowMapping | None:
        """What the history has under this id, locked; None where this is the first that it hears of it, and the lease is taken."""
        new = insert(history).values(row).on_conflict_do_nothing(index_elements=["id"]).returning(history.c.seq)
        if connection.execute(new).first() is not None:
            self._refuse_too_many(connection, row["asker"])
            connection.execute(sa.insert(leases).values(self._lease(request)))
            self._hold(row["id"])
            return None
        return connection.execute(sa.select(history).where(history.c.id == row["id"]).with_for_update()).mappings().one()

    def _refuse_too_many(self, connection: sa.Connection, asker: str) -> None:
        """Raises TooManyQuestions where as many of an asker are under way as may be; those that come at the same time take turns."""
        if self._per_person is None:
            return
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ASKERS_LOCK, sa.func.hashtext(asker))))
        theirs = sa.select(sa.func.count()).select_from(leases).join(history, history.c.id == leases.c.id).where(history.c.asker == asker)
        if connection.execute(theirs).scalar_one() >= self._per_person:
            raise TooManyQuestions.beyond(self._per_person)

    def _taken(self, connection: sa.Connection, request: Request) -> int:
        """Takes the lease of a known question where nobody holds it, and tells the number of the attempt; 0 where somebody does."""
        attempt, id_ = 1, request.question.id
        lease = connection.execute(sa.select(leases, _is_over()).where(leases.c.id == id_).with_for_update()).mappings().first()
        if lease is None:
            self._refuse_too_many(connection, request.question.asker)
            connection.execute(sa.insert(leases).values(self._lease(request)))
        elif lease["holder"] == self.holder:
            pass  # taken over by this process, which comes here to answer it
        elif lease["is_over"] and lease["attempt"] < MOST_ATTEMPTS and self._is_calm():
            attempt = lease["attempt"] + 1
            taken = {"holder": self.holder, "until": _later(LEASE_S), "attempt": attempt, "called_off": False}
            connection.execute(sa.update(leases).where(leases.c.id == id_).values(taken))
        else:
            return 0
        self._hold(id_)
        return attempt

    def ended(self, connection: sa.Connection, question: Question, answer: Answer | None) -> bool:
        """Ends a lease in one transaction with the outcome; False where another control unit has taken the question over."""
        known = sa.select(history.c.seq).where(history.c.id == question.id)
        connection.execute(known.with_for_update())  # in this order everywhere: first the history's row, then the lease
        mine = sa.and_(leases.c.id == question.id, leases.c.holder == self.holder)
        is_mine = connection.execute(sa.delete(leases).where(mine)).rowcount > 0
        if is_mine and answer is not None:
            self.kept.keep(connection, question, answer)
        return is_mine

    def let_go(self, id_: str) -> None:
        """Renews the lease of a question no longer, as it has ended here, however that was."""
        with self._lock:
            self._held.discard(id_)

    def hand_back(self, id_: str) -> None:
        """Lets another control unit take the question over at once."""
        self.let_go(id_)
        mine = sa.and_(leases.c.id == id_, leases.c.holder == self.holder)
        with self._store.transaction("written") as connection:
            connection.execute(sa.update(leases).where(mine).values(until=_later(-1), holder="", attempt=leases.c.attempt - 1))

    def call_off(self, id_: str, asker: str | None) -> bool:
        """Has a question called off by the control unit that holds its lease; where an asker is named, only theirs."""
        which = [leases.c.id == id_]
        if asker is not None:
            which.append(leases.c.id.in_(sa.select(history.c.id).where(history.c.id == id_, history.c.asker == asker)))
        with self._store.transaction("written") as connection:
            return connection.execute(sa.update(leases).where(*which).values(called_off=True)).rowcount > 0

    def renew(self) -> list[str]:
        """Renews the leases of what is under way here; gives the ids of what was called off."""
        with self._lock:
            held = list(self._held)
        if not held:
            return []
        mine = sa.and_(leases.c.holder == self.holder, leases.c.id.in_(held))
        renewed = sa.update(leases).where(mine).values(until=_later(LEASE_S)).returning(leases.c.id, leases.c.called_off)
        with self._store.transaction("written") as connection:
            return [lease.id for lease in connection.execute(renewed) if lease.called_off]

    def take_over(self, most: int) -> list[Request]:
        """Takes questions about this source whose control units died, the oldest lease first."""
        if most < 1 or not self._is_calm():
            return []
        over = sa.and_(leases.c.until < sa.func.clock_timestamp(), leases.c.source == self._source)
        found = sa.select(leases.c.id).where(over).order_by(leases.c.until).limit(most).with_for_update(skip_locked=True)
        taken = {"holder": self.holder, "until": _later(LEASE_S), "attempt": leases.c.attempt + 1}
        with self._store.transaction("written") as connection:
            self.kept.forget(connection)
            ids = connection.execute(found).scalars().all()
            if not ids:
                return []
            mine = connection.execute(sa.update(leases).where(leases.c.id.in_(ids)).values(taken).returning(leases)).mappings().all()
        for lease in mine:
            self._hold(lease["id"])
        return [Request.of(lease) for lease in mine]

    def was_away(self) -> None:
        """Notes that the store did not answer."""
        self._away_at = time.monotonic()

    def _is_calm(self) -> bool:
        return time.monotonic() - self._away_at > CALM_S

    def _hold(self, id_: str) -> None:
        with self._lock:
            self._held.add(id_)

    def _lease(self, request: Request) -> dict[str, Any]:
        lease = {"id": request.question.id, "source": self._source, "holder": self.holder, "until": _later(LEASE_S)}
        return {**lease, "attempt": 1, "called_off": False, "request": request.body()}


def refuse_other(known: sa.RowMapping, row: Mapping[str, Any]) -> None:
    """Raises BadRequest where an id belongs to another question, or to somebody else's."""
    if (known["asker"], known["question"]) != (row["asker"], row["question"]):
        raise BadRequest("This id belongs to another question; use a new one.", id=row["id"])


def _later(seconds: float) -> sa.ColumnElement[datetime.datetime]:
    return sa.func.clock_timestamp() + datetime.timedelta(seconds=seconds)


def _is_over() -> sa.Label[bool]:
    return (leases.c.until < sa.func.clock_timestamp()).label("is_over")
