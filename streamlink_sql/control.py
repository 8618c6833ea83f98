"""The control unit: one question to one answer. Opens no file and no connection; runs nothing that `checks` has not passed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from streamlink_sql import tracing
from streamlink_sql.checks import alarms, check, compare, explain, heads, is_sql, may_be_sql, unheard, without_nulls
from streamlink_sql.errors import (
    BadRequest,
    Busy,
    Cancelled,
    CannotAnswer,
    EngineUnavailable,
    InternalError,
    InvalidSQL,
    NotFound,
    PolicyRefused,
    ServerUnavailable,
    StoreUnavailable,
    StreamLinkError,
    TimedOut,
    TooCostly,
)
from streamlink_sql.questions import readable, storable
from streamlink_sql.types import (
    PLAN_LIMIT_S,
    Answer,
    Attempt,
    CheckedSQL,
    Context,
    Draft,
    Engine,
    Feedback,
    Generator,
    Plan,
    Question,
    Rows,
    Table,
    Watcher,
)
from streamlink_sql.underway import Places, Underway

if TYPE_CHECKING:
    from streamlink_sql.catalog import Catalog
    from streamlink_sql.judging import Judging
    from streamlink_sql.promoted import PromotedGenerator
    from streamlink_sql.store.store import Store
    from streamlink_sql.trial import Trials

ROUNDS = 2
"""How often drafts are asked for: once, and once more when all were turned down."""
CLOSE, SPARE = 0.8, 0.15
"""A rival with this share of the best draft's score is worth a look at its rows; the lower one where those of the best say nothing."""
NOTHING_WORTH = 0.25
"""What rows that say nothing count for: people seldom ask for what is not there."""
RIVALS = 2
CHEAP_ROWS, CHEAP_BYTES = 2_000_000, 64 * 2**20
LEAST_S = 0.05
"""What a query gets to run where planning took all of its time."""
TYPED, TYPED_NOTE = "typed SQL", "This was SQL, not a question: no model was asked, and the same checks were passed."
KEPT_ANSWERS, KEPT_BYTES = 64, 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may take."""

    row_limit: int = 1000
    row_limit_max: int = 1_000_000
    time_limit_s: float = 30.0
    time_limit_max_s: float = 600.0
    cost_limit_rows: int = 1_000_000_000
    cost_limit_bytes: int = 100 * 2**30
    cost_cap_rows: int | None = None
    cost_cap_bytes: int | None = None
    min_confidence: float = 0.0
    drafts: int = 4
    running: int = 2
    waiting: int = 64
    english_only: bool = False

    def rows_for(self, question: Question) -> int:
        """The rows this question gets; raises BadRequest."""
        rows = self.row_limit if question.row_limit is None else question.row_limit
        if type(rows) is not int or not 1 <= rows <= self.row_limit_max:
            raise BadRequest(f"The row limit must be a whole number from 1 to {self.row_limit_max:,}.", rule="row_limit")
        return rows

    def afford(self, plan: Plan, *, confirmed: bool, sql: str) -> None:
        """Raises TooCostly for what is dearer than may run, or may run only when the asker confirms it."""
        bounds = (
            ("rows", plan.estimated_rows, self.cost_limit_rows, self.cost_cap_rows),
            ("bytes", plan.estimated_bytes, self.cost_limit_bytes, self.cost_cap_bytes),
        )
        for unit, cost, limit, cap in bounds:
            told = {f"estimated_{unit}": cost, "sql": sql}
            if cost is not None and cap is not None and cost > cap:
                raise TooCostly(
                    f"This would handle about {cost:,} {unit}; no more than {cap:,} may be, confirmed or not. Narrow it.", cap=cap, **told
                )
            if cost is not None and cost > limit and not confirmed:
                raise TooCostly(
                    f"This would handle about {cost:,} {unit}; the limit is {limit:,}. Narrow it, or confirm to run it.", **told
                )
        if plan.crosses and not confirmed:
            raise TooCostly("This pairs every row of one table with every row of another. Narrow it, or confirm to run it.", sql=sql)

    def seconds_for(self, question: Question) -> float:
        """The seconds this question's query gets; raises BadRequest."""
        seconds = self.time_limit_s if question.time_limit_s is None else question.time_limit_s
        if type(seconds) not in (int, float) or not 0 < seconds <= self.time_limit_max_s:
            raise BadRequest(
                f"The time limit must be a number of seconds above 0, at most {self.time_limit_max_s:g} seconds.", rule="time_limit"
            )
        return seconds


@dataclass(frozen=True, slots=True)
class Candidate:
    """A draft that may run, and what the engine thinks of it."""

    draft: Draft
    query: CheckedSQL
    plan: Plan
    planned_s: float = 0.0
    """What planning took of the query's time."""


class ControlUnit:
    """Answers questions about one source with one model; may be used by many threads."""

    def __init__(
        self,
        catalog: Catalog,
        generator: Generator,
        engine: Engine,
        store: Store,
        limits: Limits | None = None,
        places: Places | None = None,
        judging: Judging | None = None,
        trials: Trials | None = None,
        promoted: PromotedGenerator | None = None,
    ) -> None:
        """Takes the parts as they are; `close` closes them. `places` are shared by control units that run beside each other; `trials` look
        at each answer with the eyes of a policy in log mode; `promoted` is the generator where its model has versions.
        """
        self.catalog, self.generator, self.engine, self.store, self.judging = catalog, generator, engine, store, judging
        self.limits = limits or Limits()
        self._trials, self._promoted = trials, promoted
        self._places = places or Places(self.limits.running, self.limits.waiting)
        self._lock = threading.Lock()
        self._underway: dict[str, Underway] = {}
        self._kept: OrderedDict[str, tuple[Question, Answer]] = OrderedDict()
        self._closed = False

    def answer(self, question: Question, watch: Watcher | None = None) -> Answer:
        """The whole story of a question. Asked again under the same id, it gives the same answer and runs nothing."""
        if self._is_sql(question.text):
            return self._once(Underway(question, watch), written=Draft(storable(question.text, "SQL"), model=TYPED))
        text = readable(question.text, english_only=self.limits.english_only)
        return self._once(Underway(replace(question, text=text), watch), written=None)

    def run_sql(self, sql: str, question: Question | None = None, watch: Watcher | None = None) -> Answer:
        """SQL that a person wrote: the same checks, limits and record. `question` says who asks, under which id and limits."""
        sql = storable(sql, "SQL")
        asked = replace(question, text=storable(question.text or sql, "A question")) if question else Question(sql)
        return self._once(Underway(asked, watch), written=Draft(sql))

    def check(self, sql: str) -> CheckedSQL:
        """The verdict on SQL without running it: what would run; raises InvalidSQL or PolicyRefused."""
        return self._candidate(Underway(Question("")), Draft(storable(sql, "SQL")), self.catalog.tables()).query

    @property
    def tried(self) -> Mapping[str, int]:
        """How many answers a policy in log mode has judged, by outcome."""
        return self._trials.counted if self._trials is not None else {}

    @property
    def is_idle(self) -> bool:
        """Whether no question is under way."""
        return not self._underway

    def asker_of(self, id: str) -> str | None:  # noqa: A002 - it is called id everywhere
        """Who asked a question that is under way."""
        with self._lock:
            run = self._underway.get(id)
        return run.question.asker if run else None

    def cancel(self, id: str) -> bool:  # noqa: A002
        """Calls a question off wherever it is, in another control unit, too; False when it is not under way."""
        with self._lock:
            run = self._underway.get(id)
        if run is None:
            return self.store.call_off(id)
        run.cancelled.set()
        if not run.is_here:
            self.store.call_off(id)
        self._places.look_again()
        self.generator.cancel(id)
        while not self.engine.cancel(id) and self.engine.can_cancel and run.now == "engine":
            time.sleep(0.005)  # the engine has not taken it up yet
        return True

    def give_feedback(self, verdict: Feedback) -> None:
        """Keeps a person's verdict; SQL that they give must be able to run here."""
        storable(verdict.id, "An id"), storable(verdict.comment or "", "A comment")
        self.store.give_feedback(replace(verdict, sql=self.check(verdict.sql).sql) if verdict.sql else verdict)

    def tables(self) -> tuple[Table, ...]:
        """What can be asked."""
        return self.catalog.tables()

    def history(self, *, limit: int = 50, before: str | None = None, asker: str | None = None) -> list[dict[str, Any]]:
        """The newest questions first, each with what became of it."""
        storable(before or "", "An id")
        return self.store.history(limit=limit, before=before, asker=asker)

    def entry(self, id: str, *, asker: str | None = None) -> dict[str, Any]:  # noqa: A002
        """One question of the history; raises NotFound."""
        return self.store.entry(storable(id, "An id"), asker=asker)

    def accepted_pairs(self) -> Iterator[dict[str, str]]:
        """Questions with SQL that a person vouched for."""
        return self.store.accepted_pairs()

    def models(self) -> dict[str, Any]:
        """The versions of the model, and which of them answers; raises NotFound where the model has none."""
        return self._versions().body()

    def promote(self, version: int, *, by: str = "local") -> dict[str, Any]:
        """Lets a version answer from the next question on; raises NotFound and BadRequest."""
        return self._versions().promote(version, by=by)

    def roll_back(self, *, by: str = "local") -> dict[str, Any]:
        """Lets answer what did before the last promotion; raises BadRequest where there was none."""
        return self._versions().roll_back(by=by)

    def close(self) -> None:
        """Calls off what is under way and closes model, engine and store."""
        with self._lock:
            self._closed, ids = True, list(self._underway)
        for id_ in ids:
            self.cancel(id_)
        for part in (self.generator, self.engine, self.judging, self._trials, self.store):
            if part:
                part.close()

    def _versions(self) -> PromotedGenerator:
        """The model as something that has versions."""
        if self._promoted is None:
            raise NotFound("The model that answers here has no versions: it is another server's, or an adapter is named for it.")
        return self._promoted

    def _is_sql(self, text: str) -> bool:
        """Whether a question is SQL in truth."""
        return isinstance(text, str) and may_be_sql(text) and is_sql(text, self.catalog.tables(), self.engine.dialect)

    @tracing.span("question", "server")
    def _once(self, run: Underway, written: Draft | None) -> Answer:
        """One run an id: who comes with the id of a question under way waits for its answer."""
        question = run.question
        if not isinstance(question.id, str) or not 1 <= len(question.id) <= 200 or not question.id.isprintable():
            raise BadRequest("The id of a question is 1 to 200 printable characters, best a UUID.", rule="id")
        with self._lock:
            if self._closed:
                raise EngineUnavailable("This source has been closed. Open it again to ask it.")
            first = self._underway.setdefault(question.id, run)
        if first is not run:
            return _same(first.question, question, first.outcome)
        try:
            kept = self._kept.get(question.id)
            sql = written.sql if written and written.model != TYPED else None
            known = _same(kept[0], question, kept[1]) if kept else self.store.accepted(question, sql, run.go_on)
            answer = known or self._recorded(run, written)
        except BaseException as error:  # whatever it was, those who wait for this answer learn of it
            if isinstance(error, Cancelled) and self.store.is_retiring:
                error = self._handed_back(question)
            run.outcome.set_exception(error)
            raise error
        finally:
            with self._lock:
                del self._underway[question.id]
        run.outcome.set_result(answer)
        return answer

    def _recorded(self, run: Underway, written: Draft | None) -> Answer:
        """The story and its record: an answer that history cannot keep says so, a problem keeps its own name."""
        run.is_here = True
        try:
            answer = self._story(run, written)
        except (Exception, KeyboardInterrupt) as error:
            problem = _problem_of(error)
            if isinstance(problem, Cancelled) and self.store.is_retiring:
                raise
            problem.helps = {"id": run.question.id, "trace_id": tracing.trace_id(), **problem.helps}
            try:
                alarm = next(iter(alarms(run.question.text)), None)
                self.store.refused(run.question, problem, engine=self.engine.name, attempts=tuple(run.attempts), alarm=alarm)
            except StoreUnavailable as unrecorded:
                problem.helps.setdefault("warning", unrecorded.detail)
            if self.judging and run.attempts:
                self.judging.look_at(run.question, run.attempts[-1].sql)
            raise
        try:
            self.store.answered(run.question, answer, run.alarm)
        except StoreUnavailable as error:
            answer = replace(answer, warnings=(*answer.warnings, f"This answer is not in the history. {error.detail}"))
        self._keep(run.question, answer)
        if self.judging:
            self.judging.look_at(run.question, answer.sql)
        if self._trials:
            self._trials.judge(run.question, answer)
        return answer

    def _handed_back(self, question: Question) -> ServerUnavailable:
        """Leaves a question to the other control units."""
        if self.store.leases is not None:
            with suppress(StoreUnavailable):  # then its lease runs out
                self.store.leases.hand_back(question.id)
        return ServerUnavailable("This control unit stops; another goes on with the question. Ask again with the same id.", id=question.id)

    def _story(self, run: Underway, written: Draft | None) -> Answer:
        """From the question to the answer, in order."""
        self.limits.rows_for(run.question), self.limits.seconds_for(run.question)
        with run.stage("catalog"):
            tables = self.catalog.tables()
            context = self.catalog.relevant(run.question.text) if written is None else None
        for _ in range(ROUNDS if context else 1):
            drafts = self._drafts(run, context) if context else [written]
            found = self._settle(run, [draft for draft in drafts if draft], tables)
            if found:
                return self._told(run, *found, tables)
        raise self._turned_down(run, drafted=written is None)

    def _drafts(self, run: Underway, context: Context) -> list[Draft]:
        """What the model writes, without what was turned down before."""
        with run.stage("model"):
            drafts = self.generator.generate(run.question, context, self.limits.drafts, refused=tuple(run.attempts))
            tracing.count(drafts=len(drafts))
        seen = {attempt.sql for attempt in run.attempts}
        return [draft for draft in drafts if draft.sql not in seen]

    def _settle(self, run: Underway, drafts: list[Draft], tables: tuple[Table, ...]) -> tuple[Candidate, Rows] | None:
        """The first draft that passes and runs; where close and cheap rivals disagree, the rows that most of the scores stand for."""
        passing = self._passing(run, drafts, tables)
        for best in passing:
            if best.draft.score < self.limits.min_confidence:
                raise CannotAnswer(
                    "No reading of this question fits these tables well enough. Name what you look for as the tables name it.",
                    confidence=round(best.draft.score, 4),
                    suggestions=[table.name for table in tables[:10]],
                )
            rows = self._rows(run, best)
            if rows is None:
                continue
            least = best.draft.score * (SPARE if _says_nothing(rows) else CLOSE)
            rivals = takewhile(partial(_is_rival, least), passing) if _is_cheap(best) and _next_score(drafts, best) >= least else ()
            others = (*self._without_nulls(run, best, rows, tables), *islice(rivals, RIVALS))
            tried = [(rival, self._rows(run, rival, (InvalidSQL, TimedOut, Busy))) for rival in others]
            ran = [(best, rows), *((rival, found) for rival, found in tried if found is not None)]
            chosen = _most_agreed(ran)
            run.attempts += [Attempt(candidate.query.sql, "ran" if candidate is chosen[0] else "passed") for candidate, _ in ran]
            judged = {attempt.sql for attempt in run.attempts} | {candidate.draft.sql for candidate, _ in ran}
            run.attempts += [Attempt(draft.sql, "spare") for draft in drafts if draft.sql not in judged]
            return chosen
        return None

    def _without_nulls(self, run: Underway, best: Candidate, rows: Rows, tables: tuple[Table, ...]) -> Iterator[Candidate]:
        """The draft that found nothing, with no NULL among what its NOT IN leaves out."""
        sql = without_nulls(best.query) if _is_drafted(best.draft) and _says_nothing(rows) else None
        if sql is not None:
            yield from self._passing(run, [replace(best.draft, sql=sql)], tables)

    def _passing(self, run: Underway, drafts: list[Draft], tables: tuple[Table, ...]) -> Iterator[Candidate]:
        for draft in drafts:
            try:
                yield self._candidate(run, draft, tables)
            except (InvalidSQL, PolicyRefused) as error:
                run.turned_down(draft.sql, error)

    def _candidate(self, run: Underway, draft: Draft, tables: tuple[Table, ...]) -> Candidate:
        """Judged by the checks, then by the engine's own plan: both must see the same tables."""
        with run.stage("checks"):
            query = check(draft, tables, self.engine.dialect)
        began = time.monotonic()
        with run.stage("dry_run"):
            plan = self.engine.dry_run(query, time_limit_s=min(self.limits.seconds_for(run.question), PLAN_LIMIT_S))
        compare(query, plan)
        return Candidate(draft, query, plan, time.monotonic() - began)

    def _rows(self, run: Underway, candidate: Candidate, forgiven: tuple[type[StreamLinkError], ...] = (InvalidSQL,)) -> Rows | None:
        """Runs a query once, after its audit line; None when it fails in a way that is forgiven, such as on its values."""
        question, limits = run.question, self.limits
        limits.afford(candidate.plan, confirmed=question.confirm, sql=candidate.query.sql)
        self.store.approved(question, candidate.query, engine=self.engine.name, model=candidate.draft.model or self.generator.name)
        row_limit, seconds = limits.rows_for(question), limits.seconds_for(question)
        left = max(LEAST_S, seconds - candidate.planned_s)
        try:
            with self._places.place(run, seconds), run.stage("engine"):
                rows = self.engine.run(candidate.query, row_limit=row_limit, time_limit_s=left, run_id=question.id, hear=run.hear)
                tracing.count(rows=rows.table.num_rows, bytes=rows.table.nbytes)
        except forgiven as error:
            run.turned_down(candidate.draft.sql, error, "failed")
            return None
        run.go_on()
        return rows

    def _told(self, run: Underway, candidate: Candidate, rows: Rows, tables: tuple[Table, ...]) -> Answer:
        query, draft = candidate.query, candidate.draft
        rows = replace(rows, table=rows.table.rename_columns(heads(query, rows.table.column_names)))
        explanation, typed = explain(query, tables), (TYPED_NOTE,) if draft.model == TYPED else ()
        drafted = _is_drafted(draft)
        looks = alarms(run.question.text if drafted else "", query)
        run.alarm = next(iter(looks), None)
        unknown = self.catalog.notes(query.tables, query.sought, run.question.text) if drafted else ()
        unsaid = unheard(query, run.question.text, tables) if drafted else ()
        return Answer(
            id=run.question.id,
            question=run.question.text,
            sql=query.sql,
            explanation=explanation,
            rows=rows,
            confidence=draft.score,
            model=draft.model or self.generator.name,
            engine=self.engine.name,
            attempts=tuple(run.attempts),
            timings_ms=run.timings_ms(),
            warnings=(*typed, *looks, *unsaid, *unknown, *query.warnings, *self.engine.warnings),
            columns=rows.columns(),
            row_count=rows.table.num_rows,
            truncated=rows.truncated,
            trace_id=tracing.trace_id(),
        )

    def _turned_down(self, run: Underway, *, drafted: bool) -> StreamLinkError:
        """The reason of the best draft, with all that was tried; nothing drafted means nothing fits."""
        if not run.refusals:
            return CannotAnswer("The model found nothing in these tables that fits the question.")
        error = run.refusals[0]
        tried = [{"sql": a.sql, "verdict": a.verdict, "rule": a.rule, "message": a.message} for a in run.attempts]
        detail = (
            f"The model wrote no SQL that runs on these tables. {error.detail}" if drafted and error.code == "invalid_sql" else error.detail
        )
        return type(error)(detail, **{**error.helps, "attempts": tried})

    def _keep(self, question: Question, answer: Answer) -> None:
        """Small answers stay whole for a while, so that the same id gives the same rows."""
        if answer.rows is not None and answer.rows.table.nbytes <= KEPT_BYTES:
            with self._lock:
                self._kept[answer.id] = (question, answer)
                while len(self._kept) > KEPT_ANSWERS:
                    self._kept.popitem(last=False)


def _same(first: Question, again: Question, outcome: Future[Answer] | Answer) -> Answer:
    """The outcome of the first question, if the second is the same one."""
    if (first.asker, first.text) != (again.asker, again.text):
        raise BadRequest("This id belongs to another question; use a new one.", id=again.id)
    return outcome.result() if isinstance(outcome, Future) else outcome


def _problem_of(error: BaseException) -> StreamLinkError:
    """Whatever ended a question, as the history names it."""
    if isinstance(error, StreamLinkError):
        return error
    return Cancelled("Stopped by the keyboard.") if isinstance(error, KeyboardInterrupt) else InternalError("A fault of ours; see the log.")


def _is_drafted(draft: Draft) -> bool:
    """Whether a model wrote it."""
    return draft.model not in ("", TYPED)


def _is_cheap(candidate: Candidate) -> bool:
    rows, size = candidate.plan.estimated_rows, candidate.plan.estimated_bytes
    return rows <= CHEAP_ROWS if rows is not None else size is not None and size <= CHEAP_BYTES


def _is_rival(least: float, candidate: Candidate) -> bool:
    return candidate.draft.score >= least and _is_cheap(candidate)


def _next_score(drafts: list[Draft], best: Candidate) -> float:
    """The score of the draft behind the best one."""
    after = drafts[drafts.index(best.draft) + 1 :]
    return after[0].score if after else -1.0


def _says_nothing(rows: Rows) -> bool:
    """No rows, nothing but NULL, or a lone zero."""
    if rows.table.num_rows > 1:
        return False
    cells = [cell for row in rows.as_python() for cell in row]
    return all(cell is None for cell in cells) or (len(cells) == 1 and cells[0] == 0)


def _most_agreed(ran: list[tuple[Candidate, Rows]]) -> tuple[Candidate, Rows]:
    """The best-scored candidate among those whose rows carry the most score together; rows are compared as multisets."""
    if len(ran) == 1:
        return ran[0]
    contents = [sorted(map(repr, rows.as_python())) for _, rows in ran]
    worth = [candidate.draft.score * (NOTHING_WORTH if _says_nothing(rows) else 1.0) for candidate, rows in ran]
    support = [sum(worth[other] for other, theirs in enumerate(contents) if theirs == mine) for mine in contents]
    return ran[support.index(max(support))]
