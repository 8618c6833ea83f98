"""A policy in log mode: what it would have made of each answer. Shows nobody anything and stops nothing.

An answer is judged after it was given, on a thread of its own: its SQL goes through the checks and the plan of an engine that shows what
the asker's role would see, and runs nowhere. The audit, the log and the counters keep the verdict.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from streamlink_sql.checks import check, compare
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.roles import is_log_only
from streamlink_sql.scope import Scope, spelt
from streamlink_sql.types import Answer, CheckedSQL, Draft, Engine, Finding, Plan, Question, Trial

if TYPE_CHECKING:
    from streamlink_sql.settings import Settings
    from streamlink_sql.store.store import Store

_log = logging.getLogger(__name__)
MOST_OPEN = 8
"""So many roles have their data open for trials at a time."""


class Trials:
    """Judges the answers of one process; does nothing where its policy is not in log mode."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        scope_of: Callable[[Settings], Scope | None],
        opened: Callable[[Settings, Scope], Engine],
    ) -> None:
        """`scope_of` and `opened` are what a policy that is enforced would use."""
        self._settings, self._store, self._scope_of, self._opened = settings, store, scope_of, opened
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="trial")
        self.counted: Counter[str] = Counter()

    def judge(self, question: Question, answer: Answer) -> None:
        """Judges an answer in the background."""
        if self._settings.policy is not None and is_log_only(self._settings.policy):
            with suppress(RuntimeError):  # closed in the meantime
                self._worker.submit(self._judge, question, replace(answer, rows=None)).add_done_callback(_tell)

    def close(self) -> None:
        """Judges what is left and closes what was opened."""
        self._worker.shutdown()
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def _judge(self, question: Question, answer: Answer) -> None:
        settings = self._settings
        if question.attributes is not None:
            settings = settings.model_copy(update={"role": question.role or None, "attributes": dict(question.attributes)})
        question = replace(question, role=settings.role or "")
        trial = self._trial(settings, answer)
        self.counted[trial.outcome] += 1
        try:
            self._store.tried(question, trial, engine=answer.engine, sql=answer.sql)
        except StreamLinkError as error:
            _log.warning("A verdict of the policy in log mode could not be kept: %s", error)
        is_loud = trial.outcome != "changed" and question.attributes is not None  # without login, the log is what the asker reads
        level = logging.WARNING if is_loud else logging.INFO
        for finding in trial.findings:
            _log.log(
                level, "The policy would have %s an answer to %s (%s): %s", trial.outcome, question.asker, question.role, finding.message
            )

    def _trial(self, settings: Settings, answer: Answer) -> Trial:
        try:
            scope = self._scope_of(settings)
            if scope is None:
                return Trial("same")
            engine = self._engine(settings, scope)
            query = check(Draft(answer.sql), engine.tables(), engine.dialect)
            plan = engine.dry_run(query)
            compare(query, plan)
            findings = tuple(_changes(scope, query, plan, len(answer.columns)))
            return Trial("changed" if findings else "same", findings)
        except StreamLinkError as error:
            rule = str(error.helps.get("rule") or error.helps.get("setting") or error.code)
            return Trial("refused" if error.status < 500 else "unknown", (Finding(rule, error.detail),))
        except Exception:  # noqa: BLE001 - the edge of a thread: told to the log, and to nobody who asks
            _log.exception("An answer could not be judged by the policy in log mode.")
            return Trial("unknown")

    def _engine(self, settings: Settings, scope: Scope) -> Engine:
        """The engine that shows a scope; what was asked for longest ago gives way. Only the one thread comes here."""
        if scope.key not in self._engines:
            self._engines[scope.key] = self._opened(settings.model_copy(update={"running": 1}), scope)
        self._engines.move_to_end(scope.key)
        if len(self._engines) > MOST_OPEN:
            self._engines.popitem(last=False)[1].close()
        return self._engines[scope.key]


def _tell(done: Future[None]) -> None:
    """Puts what failed unexpectedly into the log: nobody waits for a verdict."""
    if (error := done.exception()) is not None:
        _log.error("A verdict of the policy in log mode was lost.", exc_info=error)


def _changes(scope: Scope, query: CheckedSQL, plan: Plan, columns: int) -> Iterator[Finding]:
    """What the role would see otherwise in the result of a query that it may run."""
    if len(plan.columns) != columns:
        yield Finding("columns", f"{columns - len(plan.columns)} columns would be left out.")
    for table in sorted(query.tables):
        view = scope.view(table)
        if (smallest := scope.smallest_group_of(table)) > 1:
            yield Finding("group", f"Groups of fewer than {smallest} rows of {table} would be left out.", table)
        if view is not None and view.rows:
            yield Finding("rows", f"Rows of {table} would be filtered.", table)
        for column, mask in view.mask if view is not None else ():
            if _may_read(query.tree, table, column):
                yield Finding("mask", f"Values of {table}.{column} would be masked: {mask}.", table)


def _may_read(tree: exp.Query, table: str, column: str) -> bool:
    """Whether a query may read a column of a table: by its name wherever that stands, by a star, or as a part of the whole row."""
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star, exp.Columns)):
        return True
    rows = {spelt(node.alias_or_name) for node in tree.find_all(exp.Table) if spelt(node.name) == spelt(table.rpartition(".")[2])}
    named = {spelt(node.name) for node in tree.find_all(exp.Identifier) if not isinstance(node.parent, (exp.Table, exp.TableAlias))}
    whole = {spelt(node.name) for node in tree.find_all(exp.Column) if not node.table}
    return spelt(column) in named or bool(rows & whole) or any(join.method for join in tree.find_all(exp.Join))
