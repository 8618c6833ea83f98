"""What a query seeks: cells that a column must or must not equal, and what NOT IN meets. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from streamlink_sql.checks.scopes import Names
from streamlink_sql.checks.syntax import generate
from streamlink_sql.types import CheckedSQL, Sought, Table


def sought(tree: exp.Query, found: Names, tables: Iterable[Table]) -> tuple[Sought, ...]:
    """The texts that columns of these tables are compared with by =, <> and IN, each once."""
    columns = {
        (table.name.casefold(), column.name.casefold()): (table.name, column.name)
        for table in tables
        for column in table.columns
        if column.kind == "text"
    }
    compared = []
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In):
        literals = [side for side in (node.this, node.args.get("expression"), *node.expressions) if isinstance(side, exp.Literal)]
        for column in (side for side in (node.this, node.args.get("expression")) if isinstance(side, exp.Column)):
            owner = found.owners.get(id(column))
            if owner and (place := columns.get((owner.table.casefold(), column.name.casefold()))):
                compared += [Sought(*place, literal.name) for literal in literals if literal.is_string]
    return tuple(dict.fromkeys(compared))


def without_nulls(query: CheckedSQL) -> str | None:
    """The same with rows of no value kept from every NOT IN (SELECT column ...): one such row among them, and SQL keeps nothing at all.
    None where there is no NOT IN of this kind."""
    tree = query.tree.copy()
    meant = list(_lists_that_nulls_spoil(tree))
    for column, select in meant:
        select.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())), copy=False)
    return generate(tree, query.dialect) if meant else None


def _lists_that_nulls_spoil(tree: exp.Expr) -> Iterator[tuple[exp.Column, exp.Select]]:
    for negated in tree.find_all(exp.Not):
        inner = negated.this.unnest()
        select = inner.args["query"].unnest() if isinstance(inner, exp.In) and inner.args.get("query") else None
        if not isinstance(select, exp.Select) or len(select.expressions) != 1 or select.args.get("limit"):
            continue
        column = select.expressions[0].unalias()
        if isinstance(column, exp.Column):
            yield column, select
