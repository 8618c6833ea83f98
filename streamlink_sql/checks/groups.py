"""Keeps answers over some tables to groups of a smallest size: no cell of an answer is made of fewer rows than that.

Only forms that can surely be held to it pass; they get a HAVING that leaves smaller groups out. Passing are counts, sums and averages of
plain columns of one table, grouped by plain columns, under conditions that compare a column with a value. None of these can fail on a row,
so that a failure tells nothing of one either. What several such answers tell together is not covered.
"""

from __future__ import annotations

import datetime
import re

from sqlglot import exp

from streamlink_sql.checks.tree import children, span_of
from streamlink_sql.errors import PolicyRefused
from streamlink_sql.types import Column, Dialect, Table

_SELECT, _TABLE = {"expressions", "from_", "where", "group", "having", "order", "limit", "offset"}, {"this", "db", "alias"}
_AGGREGATES = (exp.Count, exp.Sum, exp.Avg)
_ARITHMETIC = (exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Round)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_NUMBER, _DAY = re.compile(r"\d{1,15}(\.\d{1,6})?"), re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?")
_LONGEST_TEXT = 1000
_MOMENTS = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
_NUMBERS = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE")


def hold(tree: exp.Query, read: list[Table], dialect: Dialect) -> tuple[str, ...]:
    """Leaves groups that are too small out of the answer, by a change of the tree; says so for whoever asks. Raises PolicyRefused for a
    query over such a table that cannot be held to it. `read` are the tables that the query reads.
    """
    held = next((table for table in read if table.smallest_group > 1), None)
    if held is None:
        return ()
    _Held(held, dialect).hold(tree)
    return (f"Groups of fewer than {held.smallest_group} rows of {held.name} are left out.",)


class _Held:
    """One query over one such table."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.table, self.dialect = table, dialect
        self.columns = {column.name.lower(): column for column in table.columns}
        self.groups: set[str] = set()
        self.items: dict[str, exp.Expr] = {}
        self.summed: dict[str, exp.Column] = {}

    def hold(self, tree: exp.Query) -> None:
        select = self.form(tree)
        items = select.expressions
        self.name_items(items)
        self.groups = {self.group(node, items) for node in self.grouping(select)}
        for item in items:
            self.shown(item.this if isinstance(item, exp.Alias) else item)
        if not self.groups and not tree.find(*_AGGREGATES):
            raise self.refused(items[0])
        if select.args.get("where"):
            self.condition(select.args["where"].this, grouped=False)
        if select.args.get("having"):
            self.condition(select.args["having"].this, grouped=True)
        for each in select.args["order"].expressions if select.args.get("order") else ():
            if not (isinstance(each.this, exp.Column) and not each.this.table and each.this.name.lower() in self.items):
                self.shown(each.this)
        self.leave_out_small(select)

    def form(self, tree: exp.Query) -> exp.Select:
        """The one plain SELECT over the one table that the query is."""
        source = tree.args["from_"].this if tree.args.get("from_") else None
        plain = (
            isinstance(tree, exp.Select)
            and isinstance(source, exp.Table)
            and not _others(tree, _SELECT)
            and not _others(source, _TABLE)
            and not (source.args.get("alias") and source.args["alias"].columns)
            and all(node is tree for node in tree.find_all(exp.Query))
        )
        if not plain or not isinstance(tree, exp.Select):
            raise self.refused(
                tree, "group.form", "Ask this table alone, in one plain query without joins, sub-queries, WITH, UNION, DISTINCT or windows."
            )
        return tree

    def name_items(self, items: list[exp.Expr]) -> None:
        """Notes the names given to what is shown. A column's own name stays the column's, so that no name means two things."""
        for item in items:
            name = item.alias.lower()
            if name in self.columns and not (isinstance(item.this, exp.Column) and item.this.name.lower() == name):
                raise self.refused(item, "group.form", f"Give the result another name than {item.alias}, which is a column of the table.")
            if name:
                self.items[name] = item.this

    def grouping(self, select: exp.Select) -> list[exp.Expr]:
        group = select.args.get("group")
        if group is not None and _others(group, {"expressions"}):
            raise self.refused(group, "group.form", "Group by columns, one by one.")
        return list(group.expressions) if group is not None else []

    def group(self, node: exp.Expr, items: list[exp.Expr]) -> str:
        """The column that a part of GROUP BY is, by its name or by its place in the SELECT."""
        if isinstance(node, exp.Literal) and node.is_int and 1 <= int(node.name) <= len(items):
            node = items[int(node.name) - 1].unalias()
        return self.column(node, "Group by columns of the table as they are.").name.lower()

    def column(self, node: exp.Expr, otherwise: str = "") -> Column:
        """The column of the table that a node is."""
        if not isinstance(node, exp.Column) or node.args.get("db") or node.name.lower() not in self.columns:
            raise self.refused(node, "group.form" if otherwise else "group.values", otherwise)
        return self.columns[node.name.lower()]

    def shown(self, node: exp.Expr) -> None:
        """Refuses what would show more than groups, and counts, sums and averages of their rows."""
        if isinstance(node, _AGGREGATES):
            self.aggregate(node)
        elif isinstance(node, _ARITHMETIC):
            for child in children(node):
                self.shown(child)
        elif not isinstance(node, exp.Literal) and self.column(node).name.lower() not in self.groups:
            raise self.refused(node)

    def aggregate(self, node: exp.Expr) -> None:
        """Refuses all but a count, sum or average of a plain column, and notes the column: enough of its values must be there."""
        of = node.this
        if isinstance(node, exp.Count) and isinstance(of, exp.Distinct) and len(of.expressions) == 1 and not _others(of, {"expressions"}):
            of = of.expressions[0]
        if _others(node, {"this", "big_int"}):
            raise self.refused(node)
        if not (isinstance(node, exp.Count) and isinstance(of, exp.Star) and not _others(of, set())):
            self.summed[self.column(of).name.lower()] = of

    def condition(self, node: exp.Expr, *, grouped: bool) -> None:
        """Refuses conditions that could fail on a row, or look at more than a column and a value."""
        if isinstance(node, (exp.And, exp.Or, exp.Not, exp.Paren)):
            for child in children(node):
                self.condition(child, grouped=grouped)
            return
        of, values = self.compared(node)
        of = self.items.get(of.name.lower(), of) if grouped and isinstance(of, exp.Column) and not of.table else of
        if isinstance(of, _AGGREGATES) and grouped:
            self.aggregate(of)
            fits = all(_is_number(value) for value in values)
        else:
            column = self.column(of, "Compare columns of the table as they are with values.")
            if grouped and column.name.lower() not in self.groups:
                raise self.refused(of)
            fits = all(self.fits(column, value, like=isinstance(node, (exp.Like, exp.ILike))) for value in values)
        if not fits:
            raise self.refused(node, "group.condition", "Compare columns with values of their own type.")

    def compared(self, node: exp.Expr) -> tuple[exp.Expr, list[exp.Expr]]:
        """What a condition looks at, and the values that it is compared with."""
        if isinstance(node, _COMPARISONS):
            sides = [node.this, node.expression]
            return (sides[0], sides[1:]) if not _is_value(sides[0]) else (sides[1], sides[:1])
        if isinstance(node, exp.Between) and not _others(node, {"this", "low", "high"}):
            return node.this, [node.args["low"], node.args["high"]]
        if isinstance(node, exp.In) and not _others(node, {"this", "expressions"}):
            return node.this, node.expressions
        if isinstance(node, (exp.Like, exp.ILike)) and not _others(node, {"this", "expression"}):
            return node.this, [node.expression]
        if isinstance(node, exp.Is) and isinstance(node.expression, (exp.Null, exp.Boolean)):
            return node.this, [node.expression]
        raise self.refused(node, "group.condition", "A condition compares a column of the table with a value; it calculates nothing.")

    def fits(self, column: Column, value: exp.Expr, *, like: bool) -> bool:
        """Whether a column can be compared with a value without any row's cell failing to be read as another type."""
        if isinstance(value, exp.Null):
            return isinstance(value.parent, exp.Is)
        if self.dialect == "sqlite":
            return _is_value(value) and len(value.name) <= _LONGEST_TEXT
        if like or column.kind == "text":
            return column.native == "VARCHAR" and isinstance(value, exp.Literal) and value.is_string and len(value.name) <= _LONGEST_TEXT
        if column.kind == "boolean":
            return isinstance(value, exp.Boolean)
        if column.kind in ("date", "timestamp"):
            return column.native in _MOMENTS and _is_moment(value, _DAY if column.kind == "date" else _MOMENT)
        return _is_number(value) and _has_room(column.native)

    def leave_out_small(self, select: exp.Select) -> None:
        """Puts in the HAVING: enough rows, and enough values of each column that is counted, summed or averaged."""
        counts = [exp.Count(this=exp.Star()), *(exp.Count(this=column.copy()) for column in self.summed.values())]
        least = exp.and_(*(exp.GTE(this=count, expression=exp.Literal.number(self.table.smallest_group)) for count in counts))
        having = select.args.get("having")
        select.set("having", exp.Having(this=exp.And(this=least, expression=exp.Paren(this=having.this)) if having else least))

    def refused(self, node: exp.Expr, rule: str = "group.values", why: str = "") -> PolicyRefused:
        why = why or "Ask for a count, a sum or an average of its columns, by one or more of its columns."
        return PolicyRefused(
            f"{self.table.name} is shown in groups of {self.table.smallest_group} rows or more only. {why}", rule=rule, span=span_of(node)
        )


def _others(node: exp.Expr, allowed: set[str]) -> bool:
    """Whether a node has parts other than these."""
    return any(value for name, value in node.args.items() if name not in allowed)


def _is_value(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Literal, exp.Boolean)) or _is_number(node) or _is_moment(node, _MOMENT)


def _is_number(node: exp.Expr) -> bool:
    node = node.this if isinstance(node, exp.Neg) else node
    return isinstance(node, exp.Literal) and not node.is_string and _NUMBER.fullmatch(node.name) is not None


def _has_room(native: str) -> bool:
    """Whether every number of a type of DuckDB's can be widened to be compared with one that has six decimals."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", native)
    return int(decimal[1]) - int(decimal[2]) + max(6, int(decimal[2])) <= 38 if decimal else _NUMBERS.fullmatch(native) is not None


def _is_moment(node: exp.Expr, form: re.Pattern[str]) -> bool:
    """Whether a text, or DATE or TIMESTAMP before one, is a day or a moment that there is."""
    if isinstance(node, exp.Cast) and not _others(node, {"this", "to"}):
        to: exp.DataType = node.args["to"]
        if not to.is_type("date") and not (to.is_type("timestamp") and form is _MOMENT):
            return False
        node, form = node.this, _DAY if to.is_type("date") else _MOMENT
    if not isinstance(node, exp.Literal) or not node.is_string or not form.fullmatch(node.name):
        return False
    try:
        return datetime.datetime.fromisoformat(node.name) is not None
    except ValueError:
        return False
