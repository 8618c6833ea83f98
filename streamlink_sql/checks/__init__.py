"""Judges SQL: the only place that makes CheckedSQL. Opens no connection and runs nothing.

The order: text (size, characters, tokens), syntax (one query, parsed in the engine's dialect), policy (every node and function is
allowed), names (every table and column exists), groups (of tables that are shown in groups only), then the text that runs is generated
from the tree, and its words are looked at once more.
"""

from __future__ import annotations

import re

from sqlglot import exp

from streamlink_sql.checks import groups, names, syntax, text
from streamlink_sql.checks.explain import explain
from streamlink_sql.checks.heads import heads
from streamlink_sql.checks.notes import notes, unheard
from streamlink_sql.checks.policy import DEFAULT, Policy, check_text, check_tree
from streamlink_sql.checks.sought import sought, without_nulls
from streamlink_sql.checks.spark_order import orderable
from streamlink_sql.checks.typed import is_sql, may_be_sql
from streamlink_sql.checks.unchecked import unchecked_for_redteam
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import CheckedSQL, Dialect, Draft, Plan, Table

SHORTEST_ALARM, _WORD = 8, re.compile(r"[^\W\d_]{2}")
"""Shorter texts and texts without a word harm nobody; signs, units and phone numbers look like attacks now and then."""

__all__ = [
    "DEFAULT",
    "Policy",
    "alarms",
    "check",
    "compare",
    "explain",
    "heads",
    "is_sql",
    "may_be_sql",
    "unchecked_for_redteam",
    "unheard",
    "without_nulls",
]


def check(draft: Draft, tables: tuple[Table, ...], dialect: Dialect, *, policy: Policy = DEFAULT) -> CheckedSQL:
    """The draft as SQL that may run; raises InvalidSQL or PolicyRefused with `rule`, and `span` and `suggestions` where they help."""
    tokens = text.tokens_of(draft.sql, dialect, policy.caps)
    tree = syntax.parse(tokens, draft.sql, dialect)
    try:
        check_tree(tree, dialect, policy, tokens)
        found = names.resolve(tree, tables, dialect)
        read = [table for table in tables if table.name in found.tables]
        left_out = groups.hold(tree, read, dialect)
        written = orderable(tree) if dialect == "spark" else tree
        sql = syntax.generate(written, dialect)
        check_text(syntax.read_back(sql, written, dialect, policy.caps), written, dialect, policy)
        warnings, values = notes(tree, found, read), sought(tree, found, read)
    except RecursionError as error:
        raise InvalidSQL("The SQL is nested too deeply.", rule="text.too_complex") from error
    return CheckedSQL(sql, dialect, frozenset(found.tables), tree, (*left_out, *warnings), values)


def compare(query: CheckedSQL, plan: Plan) -> None:
    """The second opinion: raises PolicyRefused unless the engine would read the tables that the checks have seen."""
    if {name.casefold() for name in plan.tables} != {name.casefold() for name in query.tables}:
        raise PolicyRefused("The database would read other tables than the checks have seen.", rule="second_opinion")


def alarms(question: str, query: CheckedSQL | None = None) -> tuple[str, ...]:
    """What the injection detector has to say of a question and of the texts in its SQL, as a sentence for people; refuses nothing."""
    from streamlink_sql.checks.injection import detector

    literals = query.tree.find_all(exp.Literal, exp.RawString, exp.ByteString, exp.National) if query else ()
    passed = " The checks have passed the SQL all the same." if query else ""
    said = [("question", question), *(("text in the SQL", each.name) for each in literals if each.args.get("is_string", True))]
    for what, words in said:
        if len(words.strip()) >= SHORTEST_ALARM and _WORD.search(words) and (suspicion := detector().judge(words)).alarm:
            return (f"The {what} looks like an attempt to inject SQL (“{suspicion.because}”).{passed}",)
    return ()
