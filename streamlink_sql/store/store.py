"""Reads and writes history, feedback and audit. Audit lines are only ever added; no method takes rows of a result.

Every failure of the database is a StoreUnavailable that says what to do.
"""

from __future__ import annotations

import datetime
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError

from streamlink_sql.errors import BadRequest, NotFound, StoreUnavailable, StreamLinkError
from streamlink_sql.returned import answer_from
from streamlink_sql.store import failures
from streamlink_sql.store.chain import PRUNED, Chain, End, Seal, broken, newest_ends
from streamlink_sql.store.leases import Leases, Request, refuse_other
from streamlink_sql.store.migrate import migrate
from streamlink_sql.store.tables import audit, feedback, history
from streamlink_sql.types import Answer, Attempt, CheckedSQL, Feedback, Question, Trial

Done = TypeVar("Done")
PAGE = 50
PAGE_MAX = 1000
AccountEvent = Literal["user added", "user changed", "user disabled", "user enabled", "password changed", "key created", "key revoked"]
TRIED = "tried"
"""The event of a line that says what a policy in log mode would have made of an answer."""
TAKEN_OVER = "taken over"
"""The event of a line that says that a control unit goes on with a question of one that died."""
PATIENCE_S, PAUSE_S, CONNECT_S = 20.0, 0.25, 5
"""How long a shared store that is gone for a moment, such as while it starts again, is waited for before a write is given up."""
READ_PATIENCE_S = 5.0
"""The same for what is read before anything is accepted: whoever is told that the store is gone can come again."""
PRUNING = "administrator"
"""Who removes old lines."""
COMMAND_LINE = "command line"
"""Who changes accounts: whoever may run commands on the store; which person that is, is not known."""
PROVIDER = "OpenID Connect"
"""Who changes an account when its owner logs in at a provider."""


def open_store(address: str | None = None, audit_dir: Path | None = None) -> Store:
    """The store at a database URL; None is SQLite in the user's data folder, `temporary` one that goes with the process.

    `audit_dir` holds the key of the audit and the ends of its chains; None is a folder in the user's state folder.
    """
    if address == "temporary":
        folder = tempfile.TemporaryDirectory(prefix="streamlink-store-")
        return Store(f"sqlite:///{folder.name}/history.db", None, folder)
    return Store(address or f"sqlite:///{default_path()}", audit_dir or default_audit_dir())


def default_audit_dir() -> Path:
    """The folder of the audit's key where none is named."""
    import platformdirs

    return Path(platformdirs.user_state_dir("streamlink-sql", appauthor=False)) / "audit"


def default_path() -> Path:
    """The SQLite file that is used where no store is named."""
    import platformdirs

    return Path(platformdirs.user_data_dir("streamlink-sql", appauthor=False)) / "history.db"


class Store:
    """History, feedback and audit of one installation; may be used by many threads."""

    def __init__(self, url: str, audit_dir: Path | None = None, folder: tempfile.TemporaryDirectory[str] | None = None) -> None:
        """Opens the store and brings it to this program's version. Without `audit_dir` the audit's key goes with the process.

        `folder` is removed on `close`.
        """
        self._folder = folder
        self._where, self._engine = url, _engine(url)
        self._where = self._engine.url.render_as_string(hide_password=True)
        with ExitStack() as undo:
            undo.callback(self._engine.dispose)
            with self._translated("opened"):
                if self._engine.dialect.name == "sqlite":
                    _make_private_folder(Path(str(self._engine.url.database)).parent)
                    sa.event.listen(self._engine, "connect", _set_up_sqlite)
                migrate(self._engine)
            self.seal = self._sealed(audit_dir)
            undo.pop_all()
        self._chain = Chain(self.seal)
        self.leases: Leases | None = None

    def _sealed(self, audit_dir: Path | None) -> Seal:
        try:
            return Seal(audit_dir, _place_of(self._engine.url))
        except (OSError, ValueError) as error:
            raise StoreUnavailable(
                f"The key of the audit in {audit_dir} cannot be made or read ({error}). See that this user may write there, "
                "or name another folder with the setting `audit_dir`."
            ) from error

    @property
    def is_shared(self) -> bool:
        """Whether other processes on other machines may use it at the same time."""
        return self._engine.dialect.name == "postgresql"

    @property
    def models_dir(self) -> Path:
        """Where versions of adapted models are kept unless a setting says otherwise: beside the file, or in the user's data folder."""
        return (default_path() if self.is_shared else Path(str(self._engine.url.database))).parent / "models"

    @property
    def is_retiring(self) -> bool:
        """Whether what is called off here goes back to other control units."""
        return self.leases is not None and self.leases.retiring

    def call_off(self, id: str, asker: str | None = None) -> bool:  # noqa: A002 - it is called id everywhere
        """Has a question called off that another control unit works on; where an asker is named, only theirs."""
        return self.leases is not None and self.leases.call_off(id, asker)

    def lease(self, source: str, per_person: int | None = None) -> Leases:
        """From now on questions are taken under leases, for a source that other control units serve, too; so many of one asker."""
        self.leases = Leases(self, source, self.seal.key_for("kept rows"), per_person)
        return self.leases

    def close(self) -> None:
        """Ends the connections."""
        self._chain.close()
        self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()

    def accepted(self, question: Question, sql: str | None = None, go_on: Callable[[], None] = lambda: None) -> Answer | None:
        """Writes the question down, once. If it was answered before, gives that answer, without rows. Under leases it keeps `sql`, which
        the asker wrote, and while another control unit works on the question it waits and calls `go_on` now and then.
        """
        row = {"id": question.id, "asked_at": now(), "asker": question.asker, "role": question.role}
        row |= {"question": _text(question.text), "state": "accepted"}
        if self.leases is not None:
            return self.leases.accepted(row, Request(question, sql), go_on)
        with self._translated("written"):
            try:
                with self._engine.begin() as connection:
                    connection.execute(sa.insert(history).values(row))
                return None
            except IntegrityError:
                with self._engine.connect() as connection:
                    known = connection.execute(sa.select(history).where(history.c.id == question.id)).mappings().one()
        refuse_other(known, row)
        return answer_from(known["body"]) if known["state"] == "answered" else None

    def approved(self, question: Question, query: CheckedSQL, *, engine: str, model: str) -> None:
        """The audit line that stands before a query runs."""
        self._record(_audit_line(question, "approved", engine=engine, model=model, sql=query.sql))

    def answered(self, question: Question, answer: Answer, alarm: str | None = None) -> None:
        """The end of the story: the answer without its rows, and the audit line that counts them. `alarm` is the detector's."""
        line = _audit_line(question, "answered", engine=answer.engine, model=answer.model, sql=answer.sql, attempts=answer.attempts)
        line |= {"row_count": answer.row_count, "ms": answer.timings_ms.get("total"), "alarm": alarm}
        self._end(line, question, "answered", answer.body(with_rows=False), answer)

    def refused(
        self, question: Question, error: StreamLinkError, *, engine: str, attempts: tuple[Attempt, ...], alarm: str | None = None
    ) -> None:
        """The end of a question that got no answer."""
        event = "refused" if error.status in (400, 403, 422) else "failed"
        sql = attempts[-1].sql if attempts else ""
        line = _audit_line(question, event, engine=engine, sql=sql, code=error.code, attempts=attempts) | {"alarm": alarm}
        self._end(line, question, "problem", error.problem())

    def taken_over(self, question: Question, *, attempt: int) -> None:
        """The audit line that says that this process goes on with a question whose control unit died."""
        line = _audit_line(question, TAKEN_OVER, engine="", sql="")
        self._record({**line, "attempts": [{"attempt": attempt}]})

    def judged(self, question: Question, sql: str, *, model: str, alarm: str | None, code: str) -> None:
        """What the judge said of SQL after its question had ended; with the code of an error, it said nothing."""
        self._record(_audit_line(question, "judged", engine="", model=model, sql=sql, code=code) | {"alarm": alarm})

    def tried(self, question: Question, trial: Trial, *, engine: str, sql: str) -> None:
        """What a policy in log mode would have made of an answer."""
        line = _audit_line(question, TRIED, engine=engine, sql=sql, code=trial.outcome)
        self._record({**line, "attempts": [asdict(finding) for finding in trial.findings]})

    def history(self, *, limit: int = PAGE, before: str | None = None, asker: str | None = None) -> list[dict[str, Any]]:
        """The newest questions first, each with what became of it. `before` is the id of the last one already seen."""
        if not 1 <= limit <= PAGE_MAX:
            raise BadRequest(f"The limit must be from 1 to {PAGE_MAX}.")
        query = sa.select(history).order_by(history.c.seq.desc()).limit(limit)
        if asker is not None:
            query = query.where(history.c.asker == asker)
        if before is not None:
            query = query.where(history.c.seq < sa.select(history.c.seq).where(history.c.id == before).scalar_subquery())
        with self._translated("read"), self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query).mappings()]

    def entry(self, id: str, *, asker: str | None = None) -> dict[str, Any]:  # noqa: A002 - it is called id everywhere
        """One question of the history; raises NotFound."""
        query = sa.select(history).where(history.c.id == id)
        if asker is not None:
            query = query.where(history.c.asker == asker)
        rows = self.found(query)
        if not rows:
            raise NotFound(f"There is no question {id} in the history.", id=id)
        return _entry(rows[0])

    def give_feedback(self, verdict: Feedback) -> None:
        """Keeps a person's verdict on an answer; the newest of one person counts. Raises NotFound."""
        self.entry(verdict.id)
        row: dict[str, Any] = {"id": verdict.id, "given_at": now(), "asker": verdict.asker, "verdict": verdict.verdict}
        row |= {"sql": _text(verdict.sql or "") or None, "comment": _text(verdict.comment or "") or None}

        def keep() -> None:
            with self.transaction("written") as connection:
                connection.execute(sa.insert(feedback).values(row))

        self.patiently(keep)

    def accepted_pairs(self, *, after: int = 0) -> Iterator[dict[str, str]]:
        """Questions with SQL that a person vouched for: the answer's own if it was right, theirs if they gave one. `after` is the place of
        the last verdict already seen.
        """
        newest = sa.select(sa.func.max(feedback.c.seq)).group_by(feedback.c.id, feedback.c.asker)
        columns = (history.c.id, history.c.question, history.c.body, feedback.c.verdict, feedback.c.sql)
        query = sa.select(*columns).join(history, history.c.id == feedback.c.id)
        query = query.where(feedback.c.seq.in_(newest), feedback.c.seq > after).order_by(feedback.c.seq)
        with self._translated("read"), self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            sql = row["sql"] or (row["verdict"] == "right" and (row["body"] or {}).get("sql"))
            if sql:
                yield {"id": str(row["id"]), "question": str(row["question"]), "query": str(sql)}

    def newest_feedback(self) -> int:
        """The place of the newest verdict; 0 where there is none."""
        return int(self.found(sa.select(sa.func.coalesce(sa.func.max(feedback.c.seq), 0).label("newest")))[0]["newest"])

    def audit_lines(self, *, id: str | None = None) -> list[dict[str, Any]]:  # noqa: A002 - it is called id everywhere
        """The audit, oldest first, of one question or of all."""
        query = sa.select(audit).order_by(audit.c.seq)
        if id is not None:
            query = query.where(audit.c.id == id)
        with self._translated("read"), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def transaction(self, done: str) -> Iterator[sa.Connection]:
        """A transaction of its own; `done` is what is done in it, for the error where that fails."""
        with self._translated(done), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def account(self, event: AccountEvent, user: str, *, asker: str = COMMAND_LINE, **told: Any) -> Iterator[sa.Connection]:
        """A transaction in which a user's account changes, with the audit line that says so. `told` stands in it: nothing that opens."""
        with self.noted(event, f"{event}: {user}", {"user": user, **told}, asker=asker) as connection:
            yield connection

    @contextmanager
    def noted(self, event: str, words: str, told: Mapping[str, Any], *, asker: str) -> Iterator[sa.Connection]:
        """A transaction in which something is administered, with the audit line that says so."""
        if asker == COMMAND_LINE:
            self._refuse_other_key()
        line = _audit_line(Question(words, asker=asker, role=""), event, engine="", sql="")
        with self._adding({**line, "attempts": [dict(told)]}) as connection:
            yield connection

    def _refuse_other_key(self) -> None:
        """Raises BadRequest where the newest line was written with another key: a line of ours beside it would look like a forged one."""
        newest = sa.select(audit).where(audit.c.mac.is_not(None)).order_by(audit.c.seq.desc()).limit(1)
        with self._translated("read"), self._engine.connect() as connection:
            line = connection.execute(newest).mappings().first()
            if line is None:
                return
            place = audit.c.writer == line["writer"], audit.c.number == line["number"] - 1
            before = connection.execute(sa.select(audit.c.mac).where(*place)).scalar() if line["number"] > 1 else ""
        if before is not None and self.seal.mac(before, dict(line)) != line["mac"]:
            raise BadRequest(
                f"The audit of this store does not fit the key in {self.seal.folder}. Name the folder that the server uses with the "
                "setting `audit_dir`, or run this as the user of the server. If it is that folder, see `streamlink-sql audit verify`.",
                setting="audit_dir",
            )

    def verify(self) -> tuple[int, int, list[str]]:
        """How many lines the audit has, how many of them are in chains, and what is wrong with it, as sentences."""
        lines = self.audit_lines()
        return len(lines), sum(1 for line in lines if line["mac"]), broken(lines, self.seal)

    def prune(self, before: str) -> tuple[int, int]:
        """Removes questions and audit lines older than an ISO time (UTC); returns how many of each. The chains stay verifiable:
        a new line of the audit stands for those that are gone.
        """
        if problems := self.verify()[2]:
            raise BadRequest(f"The audit is not whole, so nothing is removed from it: pruning would hide that. {problems[0]}")
        old = sa.select(history.c.id).where(history.c.asked_at < before)
        ends, told = [], []
        for writer, chain in groupby(sorted(self._chained(), key=_place), key=lambda line: line["writer"]):
            past = list(takewhile(lambda line: line["at"] < before, whole := list(chain)))
            ends += [{"writer": writer, "number": past[-1]["number"], "mac": past[-1]["mac"]}] if past else []
            told += [line["attempts"] for line in whole if line["event"] == PRUNED]
        line = _audit_line(Question(f"Removed what was older than {before}", asker=PRUNING), PRUNED, engine="", sql="")
        gone = newest_ends([*(each for ends_ in told for each in ends_), *ends])
        with self._adding({**line, "attempts": [asdict(end) for end in gone.values()]}) as connection:
            connection.execute(sa.delete(feedback).where(feedback.c.id.in_(old)))
            questions = connection.execute(sa.delete(history).where(history.c.asked_at < before)).rowcount
            lines = sum(
                connection.execute(sa.delete(audit).where(audit.c.writer == end["writer"], audit.c.number <= end["number"])).rowcount
                for end in ends
            )
            lines += connection.execute(sa.delete(audit).where(audit.c.at < before, audit.c.mac.is_(None))).rowcount
        return questions, lines

    def _chained(self) -> list[dict[str, Any]]:
        return [line for line in self.audit_lines() if line["mac"]]

    def backup(self, to: Path) -> None:
        """Copies a SQLite store to a file, while it is in use; whole or not at all."""
        if self._engine.dialect.name != "sqlite":
            raise BadRequest("A PostgreSQL store is backed up with PostgreSQL's own pg_dump.")
        if to.exists():
            raise BadRequest(f"{to} exists already; name another file.")
        with self._translated("copied"), self._engine.connect() as connection:
            part = to.with_name(f"{to.name}.part")
            try:
                connection.exec_driver_sql("VACUUM INTO ?", (str(part),))
                part.replace(to)
            finally:
                part.unlink(missing_ok=True)

    def found(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        """What a query finds, where a shared store is gone for a moment a little later; raises StoreUnavailable."""

        def read() -> Sequence[sa.RowMapping]:
            with self.transaction("read") as connection:
                return connection.execute(query).mappings().all()

        return self.patiently(read, READ_PATIENCE_S)

    def patiently(self, work: Callable[[], Done], patience_s: float | None = None) -> Done:
        """Does what may be done again, and does it again for a while where a shared store is gone for a moment; raises StoreUnavailable."""
        end = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
        while True:
            try:
                return work()
            except StoreUnavailable as error:
                if not (self.is_shared and _is_gone(error.__cause__)) or time.monotonic() > end:
                    raise
            time.sleep(PAUSE_S)

    def _record(self, line: Mapping[str, Any], change: Callable[[sa.Connection], None] = lambda _: None) -> None:
        """Adds a line to the audit with a change in the same transaction, patiently. One that broke off in its commit may stand there."""
        tries = 0

        def add() -> None:
            nonlocal tries
            tries += 1
            if tries > 1 and self._stands(line):
                return
            with self._adding(line) as connection:
                change(connection)

        self.patiently(add)

    def _stands(self, line: Mapping[str, Any]) -> bool:
        same = [audit.c[name] == line[name] for name in ("id", "event", "at", "asker", "sql")]
        with self.transaction("read") as connection:
            return connection.execute(sa.select(audit.c.seq).where(*same).limit(1)).first() is not None

    def _end(self, line: Mapping[str, Any], question: Question, state: str, body: Mapping[str, Any], answer: Answer | None = None) -> None:
        """The outcome of a question, in the audit and in the history; there, one that another control unit has taken over has its own."""

        def change(connection: sa.Connection) -> None:
            if self.leases is None or self.leases.ended(connection, question, answer):
                connection.execute(sa.update(history).where(history.c.id == question.id).values(state=state, body=body))

        try:
            self._record(line, change)
        finally:
            if self.leases is not None:
                self.leases.let_go(question.id)

    @contextmanager
    def _adding(self, line: Mapping[str, Any]) -> Iterator[sa.Connection]:
        """Adds a line to the audit in one transaction with what is done inside."""
        with self._translated("written"), self._chain.lock:
            try:
                with self._engine.begin() as connection:
                    signed = self._chain.signed(line, lambda writer: _end_of(connection, writer))
                    connection.execute(sa.insert(audit).values(signed))
                    yield connection
            except BaseException:
                self._chain.look_again()  # whether it was written is not known
                raise
            self._chain.written(signed)

    @contextmanager
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(f"The store {self._where} cannot be {done}: {failures.explained(error)}") from error


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise BadRequest(f"A store is kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()}.")
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise BadRequest("A store needs a file; for one that goes with the process, say `temporary`.")
        if parsed.get_backend_name() == "sqlite":
            return sa.create_engine(parsed)
        waits = {} if "connect_timeout" in parsed.query else {"connect_timeout": CONNECT_S}
        return sa.create_engine(parsed, pool_pre_ping=True, connect_args=waits)
    except (ArgumentError, NoSuchModuleError) as error:
        raise BadRequest("The setting `store` is not a database URL such as sqlite:///PATH or postgresql://USER@HOST/NAME.") from error
    except ModuleNotFoundError as error:
        raise BadRequest(f"This store needs the Python package {error.name}: install streamlink-sql[postgres].") from error


def _is_gone(error: BaseException | None) -> bool:
    """Whether a database went away or lets nobody in yet, rather than refused what was asked of it."""
    broke_off = isinstance(error, DBAPIError) and error.connection_invalidated
    return broke_off or isinstance(error, (OperationalError, InterfaceError))


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 10000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _make_private_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, mode=0o700)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, f"the folder {folder} is not writable")


def _place(line: Mapping[str, Any]) -> tuple[str, int]:
    return line["writer"], line["number"]


def _place_of(url: sa.URL) -> str:
    """Names the store, however its address is spelt."""
    if url.get_backend_name() == "sqlite":
        return str(Path(str(url.database)).resolve())
    return f"{url.host} {url.port or 5432} {url.database}"


def _entry(row: sa.RowMapping) -> dict[str, Any]:
    body = row["body"] or {}
    return {"id": row["id"], "question": row["question"], "asked_at": row["asked_at"], "asker": row["asker"], "state": row["state"], **body}


def _audit_line(
    question: Question,
    event: str,
    *,
    engine: str,
    sql: str,
    model: str = "",
    code: str = "",
    attempts: tuple[Attempt, ...] = (),
) -> dict[str, Any]:
    line: dict[str, Any] = {"at": now(), "event": event, "id": question.id, "asker": question.asker, "role": question.role}
    line |= {"question": _text(question.text), "engine": engine, "model": model, "sql": _text(sql), "code": code}
    return line | {"attempts": [{"sql": a.sql, "verdict": a.verdict, "rule": a.rule, "message": a.message} for a in attempts]}


def _text(text: str) -> str:
    """A text as every database can keep it."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def _end_of(connection: sa.Connection, writer: str) -> End | None:
    """The last line of a writer's chain in the store."""
    query = sa.select(audit.c.number, audit.c.mac).where(audit.c.writer == writer).order_by(audit.c.number.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else End(writer, found.number, found.mac)


def now() -> str:
    """The time as the store writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
