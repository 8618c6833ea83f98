"""The control units of a server: one for all who may see the same, beside each other on one model, one store and one set of places.

`of(person)` gives what a person holds: a control unit that knows who asks.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from streamlink_sql.assemble import (
    judging,
    kept_open,
    limits,
    looks_on,
    open_catalog,
    open_judge,
    open_scoped,
    open_serving,
    open_store,
    scope_of,
    trials,
    versioned,
)
from streamlink_sql.control import ControlUnit
from streamlink_sql.errors import EngineUnavailable, Forbidden, StreamLinkError, Unauthenticated
from streamlink_sql.roles import is_log_only, read_policy
from streamlink_sql.types import Answer, Feedback, Person, Question, Table, Verdict, Watcher
from streamlink_sql.underway import Places

if TYPE_CHECKING:
    from streamlink_sql.scope import Scope
    from streamlink_sql.settings import Settings
    from streamlink_sql.store.store import Store

_log = logging.getLogger(__name__)
_UNUSABLE = "This server's policy cannot be used. Its administrator finds the reason in its log."
MOST_UNITS, MOST_SCOPES = 16, 1000
"""So many scopes have their data open at a time; the one that was asked longest ago gives way."""


class Units:
    """Opens a control unit for each scope when somebody needs it."""

    def __init__(self, settings: Settings) -> None:
        """Opens the model and the store, which all share. Data is opened with the first question of a scope."""
        self._settings, self._limits = settings, limits(settings)
        judge = open_judge(settings)
        self.store: Store = open_store(settings)
        try:
            self._generator = open_serving(settings, self.store)
        except BaseException:
            self.store.close()
            raise
        self._judging = judging(judge, self.store)
        self.trials = trials(settings, self.store)
        self._places = Places(self._limits.running, self._limits.waiting)
        self._lock = threading.Lock()
        self._units: OrderedDict[str, Future[ControlUnit]] = OrderedDict()
        self._scopes: dict[tuple[Any, ...], Scope | None] = {}

    def of(self, person: Person | None) -> AsPerson:
        """What this person asks; raises Unauthenticated for nobody, Forbidden where their role needs an attribute that they lack."""
        if person is None:
            raise Unauthenticated("Who are you? Log in, or send a key.")
        settings = self._settings
        if settings.policy is not None:
            settings = settings.model_copy(update={"role": person.role or None, "attributes": dict(person.attributes)})
        with _kept_from(person):
            return AsPerson(self._unit(settings), person, self.cancel)

    def try_out(self) -> None:
        """Opens the data once as a whole, so that what is wrong with it is said at the start."""
        whole = self._settings.model_copy(update={"policy": None, "role": None})
        self._unit(whole).tables()
        self._look()
        looks_on(self._settings)

    @property
    def tried(self) -> Mapping[str, int]:
        """How many answers a policy in log mode has judged, by outcome."""
        return self.trials.counted

    def cancel(self, id: str, asker: str | None = None) -> bool:  # noqa: A002 - it is called id everywhere
        """Calls a question off, in whatever unit it is; where an asker is named, only theirs."""
        with self._lock:
            units = [unit.result() for unit in self._units.values() if unit.done() and unit.exception() is None]
        for unit in units:
            if (held := unit.asker_of(id)) is not None:
                return asker in (None, held) and unit.cancel(id)
        return self.store.call_off(id, asker)

    def ready(self) -> None:
        """Raises what keeps this server from answering: the store, or the policy."""
        with _kept_from(None):
            self._look()

    def close(self) -> None:
        """Calls off what is under way and closes all."""
        with self._lock:
            units = list(self._units.values())
            self._units.clear()
        for unit in units:
            if unit.exception() is None:
                unit.result().close()
        self._generator.close()
        if self._judging:
            self._judging.close()
        self.trials.close()
        self.store.close()

    def _look(self) -> None:
        self.store.history(limit=1)
        if self._settings.policy is not None and not is_log_only(self._settings.policy):
            read_policy(self._settings.policy)

    def _unit(self, settings: Settings) -> ControlUnit:
        """The unit of a scope; who comes while it is being opened waits for it, who wants another does not."""
        scope = self._scope(settings)
        key = scope.key if scope else ""
        with self._lock:
            known = self._units.get(key)
            opening = known or self._units.setdefault(key, Future())
            self._units.move_to_end(key)
            leaving = [] if known else self._too_many()
        if known is None:
            try:
                opening.set_result(self._opened(settings, scope))
            except BaseException as error:  # noqa: BLE001 - those who wait for it learn of it, whatever it is
                with self._lock:
                    self._units.pop(key, None)
                opening.set_exception(error)
        for unit in leaving:
            unit.close()
        return opening.result()

    def _opened(self, settings: Settings, scope: Scope | None) -> ControlUnit:
        engine = open_scoped(settings, scope)
        try:
            catalog = open_catalog(settings, engine)
            judges = kept_open(self._judging) if self._judging else None
            parts = catalog, kept_open(self._generator), engine, kept_open(self.store)
            return ControlUnit(*parts, self._limits, self._places, judges, kept_open(self.trials), versioned(self._generator))
        except BaseException:
            engine.close()
            raise

    def _scope(self, settings: Settings) -> Scope | None:
        """What the policy says today of a role with these attributes; a changed file counts at once."""
        if settings.policy is None:
            return scope_of(settings)
        try:
            state = settings.policy.stat()
        except OSError:
            return scope_of(settings)  # says what is wrong
        told = json.dumps(settings.attributes, sort_keys=True)
        known = (state.st_mtime_ns, state.st_size, state.st_ino, settings.role, told)
        if known not in self._scopes:
            if len(self._scopes) >= MOST_SCOPES:
                self._scopes.clear()
            self._scopes[known] = scope_of(settings)
        return self._scopes[known]

    def _too_many(self) -> list[ControlUnit]:
        """The units that give way, taken out of the list."""
        idle = [key for key, unit in self._units.items() if unit.done() and unit.result().is_idle]
        return [self._units.pop(key).result() for key in idle[: max(0, len(self._units) - MOST_UNITS)]]


@contextmanager
def _kept_from(person: Person | None) -> Iterator[None]:
    """What is wrong with a policy names roles, columns and files: it goes to the log and to administrators, others learn that it is so."""
    try:
        yield
    except StreamLinkError as error:
        is_unusable, is_no_role = error.helps.get("setting") == "policy", "roles" in error.helps
        if (person and person.scope == "admin") or not (is_unusable or is_no_role):
            raise
        _log.error("%s: %s", person.name if person else "the policy", error.detail)
        if is_no_role:
            raise Forbidden("You have no role in this server's policy. Its administrator can give you one.", rule="role") from error
        raise EngineUnavailable(_UNUSABLE, id=error.helps.get("id")) from error


class AsPerson:
    """A control unit in the hands of one person: what they ask is theirs, and that is what they see; administrators see what all asked."""

    def __init__(self, unit: ControlUnit, person: Person, cancel: Callable[[str, str | None], bool]) -> None:
        """`cancel` calls off a question of an asker, or of anybody, in whatever unit it is."""
        self._unit, self.person, self._cancel = unit, person, cancel
        self._whose = None if person.scope == "admin" else person.name

    def answer(self, question: Question, watch: Watcher | None = None) -> Answer:
        """The answer to a question in plain words."""
        with _kept_from(self.person):
            return self._unit.answer(self._asked(question), watch)

    def run_sql(self, sql: str, question: Question | None = None, watch: Watcher | None = None) -> Answer:
        """SQL that a person wrote, under the same checks."""
        with _kept_from(self.person):
            return self._unit.run_sql(sql, self._asked(question or Question(sql)), watch)

    def check(self, sql: str) -> Verdict:
        """The verdict on SQL without running it."""
        with _kept_from(self.person):
            return self._unit.check(sql)

    def cancel(self, id: str) -> bool:  # noqa: A002 - it is called id everywhere
        """Calls a question of theirs off, for administrators anybody's; False when it is not under way."""
        return self._cancel(id, self._whose)

    def give_feedback(self, verdict: Feedback) -> None:
        """Keeps their verdict on an answer that they can see."""
        self.entry(verdict.id)
        with _kept_from(self.person):
            self._unit.give_feedback(replace(verdict, asker=self.person.name))

    def tables(self) -> tuple[Table, ...]:
        """What they can ask."""
        with _kept_from(self.person):
            return self._unit.tables()

    def history(self, *, limit: int = 50, before: str | None = None, asker: str | None = None) -> list[dict[str, Any]]:
        """The newest of their questions first."""
        return [self._told(entry) for entry in self._unit.history(limit=limit, before=before, asker=self._whose or asker)]

    def entry(self, id: str, *, asker: str | None = None) -> dict[str, Any]:  # noqa: A002
        """One of their questions and what became of it."""
        return self._told(self._unit.entry(id, asker=self._whose or asker))

    def accepted_pairs(self) -> Iterator[dict[str, str]]:
        """Questions with SQL that somebody vouched for; for administrators."""
        if self.person.scope != "admin":
            raise Forbidden("Only administrators see what all have accepted. Use a key with the scope admin.")
        return self._unit.accepted_pairs()

    def models(self) -> dict[str, Any]:
        """The versions of the model, and which of them answers."""
        return self._unit.models()

    def promote(self, version: int) -> dict[str, Any]:
        """Lets a version answer from now on; for administrators."""
        return self._unit.promote(version, by=self._administrator())

    def roll_back(self) -> dict[str, Any]:
        """Lets answer what did before the last promotion; for administrators."""
        return self._unit.roll_back(by=self._administrator())

    def close(self) -> None:
        """Closes nothing: the unit is everybody's."""

    def _administrator(self) -> str:
        if self.person.scope != "admin":
            raise Forbidden("Only administrators choose the version that answers. Use a key with the scope admin.")
        return self.person.name

    def _told(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry of the history, without what is wrong with a policy."""
        is_open = self._whose is None or entry.get("setting") != "policy"
        return entry if is_open else {**{name: value for name, value in entry.items() if name != "setting"}, "detail": _UNUSABLE}

    def _asked(self, question: Question) -> Question:
        return replace(question, asker=self.person.name, role=self.person.role, attributes=self.person.attributes)
