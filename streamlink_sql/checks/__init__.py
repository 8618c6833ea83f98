"""Judges SQL: the only place that makes CheckedSQL. Opens no connection and runs nothing.

The order: text (size, characters, tokens), syntax (one query, parsed in the engine's dialect), policy (every node and function is allowed),
names (every table and column exists), then the text that runs is generated from the tree, and its words are looked at once more.
"""

from __future__ import annotations

from streamlink_sql.checks import names, policy, syntax, text
from streamlink_sql.checks.explain import explain
from streamlink_sql.checks.notes import notes
from streamlink_sql.checks.policy import DEFAULT, Policy
from streamlink_sql.types import CheckedSQL, Dialect, Draft, Table

__all__ = ["DEFAULT", "Policy", "check", "explain"]


def check(draft: Draft, tables: tuple[Table, ...], dialect: Dialect, *, policy: Policy = DEFAULT) -> CheckedSQL:
    """The draft as SQL that may run; raises InvalidSQL or PolicyRefused with `rule`, and `span` and `suggestions` where they help."""
    tokens = text.tokens_of(draft.sql, dialect, policy.caps)
    tree = syntax.parse(tokens, draft.sql, dialect)
    _judge(tree, dialect, policy, tokens)
    found = names.resolve(tree, tables, dialect)
    sql = syntax.generate(tree, dialect)
    _second_look(sql, tree, dialect, policy)
    return CheckedSQL(sql=sql, dialect=dialect, tables=frozenset(found.tables), tree=tree, warnings=notes(tree, found))


_judge = policy.check_tree
_second_look = policy.check_text
