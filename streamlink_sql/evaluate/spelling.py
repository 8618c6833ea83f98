"""Writes checked SQL in the spelling that Spider's grammar reads: `!=`, `x NOT IN (...)`, plain names. Changes no meaning.

The gate re-serialises what it lets pass, while exact match is about clauses. Predictions read from a file are scored as they are.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_NEGATABLE = (exp.In, exp.Like, exp.Between)


def spider_spelling(sql: str, dialect: str = "sqlite") -> str:
    """The same query as Spider writes it; text that does not parse comes back as it was."""
    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
        for name in tree.find_all(exp.Identifier):
            name.set("quoted", name.args.get("quoted") and not exp.SAFE_IDENTIFIER_RE.match(name.name))
        for join in tree.find_all(exp.Join):
            if join.args.get("kind") == "INNER":
                join.set("kind", None)
        for node in reversed(list(tree.bfs())):
            _respell(node, dialect)
        return tree.sql(dialect=dialect, comments=False)
    except (SqlglotError, RecursionError):
        return sql


def _respell(node: exp.Expr, dialect: str) -> None:
    """Puts the wanted spelling in place of a node as plain text; the nodes under it have been respelled before."""
    if isinstance(node, exp.NEQ):
        node.replace(exp.Var(this=f"{node.left.sql(dialect)} != {node.right.sql(dialect)}"))
    elif isinstance(node, exp.Not) and isinstance(node.this, _NEGATABLE):
        test = node.this
        test.set("this", exp.Var(this=f"{test.this.sql(dialect)} NOT"))
        node.replace(test.copy())
