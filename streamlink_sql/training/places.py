"""Which tables and columns the parts of a query are about. Reads trees that have passed the checks; runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from streamlink_sql.types import Column, Table

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.In, exp.Between)


class Places:
    """The columns of some tables, looked up from inside a query."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables: Mapping[str, Table] = {table.name.casefold(): table for table in tables}

    def of(self, column: exp.Column) -> tuple[Table, Column] | None:
        """The table and column that a name in a query means, from the innermost SELECT outwards; None for what a query makes up."""
        node: exp.Expr = column
        while (select := node.find_ancestor(exp.Select)) is not None:
            for source in select.find_all(exp.Table):
                table = self._tables.get(source.name.casefold())
                if table is None or source.find_ancestor(exp.Select) is not select:
                    continue
                if column.table.casefold() in ("", source.alias_or_name.casefold()):
                    for found in table.columns:
                        if found.name.casefold() == column.name.casefold():
                            return table, found
            node = select
        return None


def compared_with(literal: exp.Expr) -> exp.Expr | None:
    """The expression that a literal is compared with; None where it is compared with none that names a column."""
    inner: exp.Expr = literal
    above = literal.parent
    while isinstance(above, (exp.Paren, exp.Cast, exp.TryCast, exp.Neg, exp.Tuple)):
        inner, above = above, above.parent
    if not isinstance(above, COMPARISONS):
        return None
    sides = [above.this, above.args.get("expression")]
    other = next((side for side in sides if side is not None and side is not inner and side.find(exp.Column)), None)
    return other if other is not None and other.find(exp.Select) is None else None
