"""Exact match for gold SQL that Spider's grammar cannot read (functions, CASE, window functions, other dialects). Runs no SQL.

Two queries match when their trees are equal once names are in lower case, table aliases are resolved, values masked and the order of
selected items, of conditions joined by AND or OR and of both sides of `=` put aside.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


def tree_match(predicted_sql: str, gold_sql: str, dialect: str) -> bool:
    """False also where one of them does not parse."""
    try:
        return _canonical(predicted_sql, dialect) == _canonical(gold_sql, dialect)
    except (SqlglotError, RecursionError):
        return False


def _canonical(sql: str, dialect: str) -> str:
    tree = sqlglot.parse_one(sql, dialect=dialect)
    tables = {table.alias.lower(): table.name.lower() for table in tree.find_all(exp.Table) if table.alias}
    single = len({table.name.lower() for table in tree.find_all(exp.Table)}) == 1
    for node in reversed(list(tree.bfs())):
        _plain(node, tables, single)
    return tree.sql(dialect=dialect, comments=False)


def _plain(node: exp.Expr, tables: dict[str, str], single: bool) -> None:
    """Makes one node canonical; the nodes under it are already."""
    if isinstance(node, exp.Column):
        owner = tables.get(node.table.lower(), node.table.lower())
        name = "*" if isinstance(node.this, exp.Star) else node.name.lower()
        node.replace(exp.Var(this=name if single or not owner else f"{owner}.{name}"))
    elif isinstance(node, exp.Table):
        node.replace(exp.Var(this=node.name.lower()))
    elif isinstance(node, exp.Literal):
        node.replace(exp.Var(this="value"))
    elif isinstance(node, exp.Alias):
        node.replace(node.this.copy())
    elif isinstance(node, exp.Select):
        node.set("expressions", sorted(node.expressions, key=str))
    elif isinstance(node, (exp.And, exp.Or)) and not isinstance(node.parent, type(node)):
        node.replace(exp.Var(this=f" {node.key} ".join(sorted(map(str, node.flatten())))))
    elif isinstance(node, exp.EQ):
        node.replace(exp.Var(this=" = ".join(sorted((str(node.left), str(node.right))))))
