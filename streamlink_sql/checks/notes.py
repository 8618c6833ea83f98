"""Warnings about a query that may run but may not mean what was asked. Refuses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from streamlink_sql.checks.scopes import Names
from streamlink_sql.types import CheckedSQL, Column, Table

_BOUNDS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_NUMBERS = ("integer", "real", "decimal")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_STRETCH = re.compile(
    r"\b(?:(?:last|past|previous|this|current) (?:\w+ )?(?:days?|weeks?|months?|quarters?|years?)|today|yesterday)\b", re.IGNORECASE
)
_DATED = re.compile(r"date|day|week|month|quarter|year|time", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d(-\d\d.*)?")


def notes(tree: exp.Query, found: Names, tables: Iterable[Table]) -> tuple[str, ...]:
    """Sentences for the user: tables that nothing links, filters that hold always or never, columns compared with what they do not hold."""
    said: list[str] = []
    known = {table.name.casefold(): table for table in tables}
    for select in tree.find_all(exp.Select):
        said += _unlinked(select, found)
        said += _constant_filters(select)
        said += _misread(select, known)
    return tuple(dict.fromkeys(said))


def unheard(query: CheckedSQL, question: str, tables: Iterable[Table]) -> tuple[str, ...]:
    """A sentence where a question speaks of "last month" or "today" and no condition is about a time."""
    said = _STRETCH.search(question)
    conditions = query.tree.find_all(exp.Where, exp.Having, exp.Case) if said else ()
    looked_at = {column.name.casefold() for condition in conditions for column in condition.find_all(exp.Column)}
    columns = [column for table in tables if table.name in query.tables for column in table.columns]
    times = {column.name.casefold() for column in columns if column.kind in ("date", "timestamp") or _DATED.search(column.name)}
    if said is None or not looked_at.isdisjoint(times):
        return ()
    return (f"The question says {said[0]!r}, but no condition of this query is about a time: it looks at all of them.",)


def _unlinked(select: exp.Select, found: Names) -> Iterator[str]:
    """Tables of one FROM that no condition links: every row of one meets every row of the other."""
    sources = [select.args["from_"].this] if select.args.get("from_") else []
    joins = select.args.get("joins") or []
    sources += [join.this for join in joins]
    tables = [source for source in sources if isinstance(source, (exp.Table, exp.Subquery))]
    if len(tables) < 2 or any(_is_one_row(source) for source in tables):
        return
    groups = {source.alias_or_name.lower(): {source.alias_or_name.lower()} for source in tables}
    conditions: list[exp.Expr] = [select.args["where"]] if select.args.get("where") else []
    for join in joins:
        if join.args.get("using") or str(join.args.get("method") or "").upper() in ("NATURAL", "POSITIONAL", "ASOF"):
            return
        if join.args.get("on"):
            conditions.append(join.args["on"])
    for condition in conditions:
        for part in condition.find_all(exp.Binary, exp.Between, exp.In, exp.Func):
            if isinstance(part, exp.Connector):
                continue
            linked = {found.owners[id(c)].name for c in part.find_all(exp.Column) if id(c) in found.owners} & groups.keys()
            union: set[str] = set().union(*(groups[name] for name in linked)) if linked else set()
            for name in union:
                groups[name] = union
    first = groups[tables[0].alias_or_name.lower()]
    for source in tables[1:]:
        name = source.alias_or_name
        if name.lower() not in first:
            yield f"Nothing links {name or 'a subquery'} to the other tables, so each of its rows is paired with all of theirs."


def _is_one_row(source: exp.Expr) -> bool:
    """True for a subquery that gives one row, as totals do."""
    query = source.this if isinstance(source, exp.Subquery) else None
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    return not query.args.get("from_") or bool(query.find(exp.AggFunc))


def _constant_filters(select: exp.Select) -> Iterator[str]:
    for key in ("where", "having", "qualify"):
        clause = select.args.get(key)
        if clause is not None:
            truth = _truth(clause.this)
            if truth is True:
                yield f"The filter {clause.this.sql()[:80]} holds for every row, so nothing is filtered."
            elif truth is False:
                yield f"The filter {clause.this.sql()[:80]} holds for no row."


def _misread(select: exp.Select, known: Mapping[str, Table]) -> Iterator[str]:
    """Columns that are compared with a literal in another way than people mean: texts with numbers, numbers with dates, lengths of time
    with numbers."""
    sources = [join.this for join in select.args.get("joins") or ()] + ([select.args["from_"].this] if select.args.get("from_") else [])
    here = {
        table.alias_or_name.casefold(): known.get(".".join(part.name for part in table.parts).casefold())
        for table in sources
        if isinstance(table, exp.Table)
    }
    for clause in (select.args.get("where"), select.args.get("having"), select.args.get("qualify")):
        for node in clause.find_all(*_BOUNDS, exp.EQ) if clause else ():
            literals = [side for side in node.iter_expressions() if isinstance(side, exp.Literal)]
            if isinstance(node.this, exp.Column) and literals and (column := _column(node.this, here)):
                yield from _how_compared(column, literals[0], is_bound=isinstance(node, _BOUNDS))


def _column(node: exp.Column, here: Mapping[str, Table | None]) -> Column | None:
    """What a column of one of these tables is; None where that is not plain."""
    tables = [table for name, table in here.items() if table and node.table.casefold() in ("", name)]
    found = [column for table in tables for column in table.columns if column.name.casefold() == node.name.casefold()]
    return found[0] if len(found) == 1 else None


def _how_compared(column: Column, literal: exp.Literal, *, is_bound: bool) -> Iterator[str]:
    value = literal.name
    if column.kind == "text" and is_bound and _NUMBER.fullmatch(value):
        yield f"{column.name} holds texts, and texts are compared sign by sign: '10' comes before '9'."
    elif column.kind in _NUMBERS and literal.is_string and _DAY.fullmatch(value):
        yield f"{column.name} holds numbers, which are no dates: what is compared with '{value}' says nothing of days."
    elif column.native.upper().startswith("INTERVAL") and literal.is_string and _NUMBER.fullmatch(value):
        yield f"{column.name} is a length of time, and '{value}' without a unit counts seconds."


def _truth(node: exp.Expr) -> bool | None:
    """What a condition always is, as far as its constants tell."""
    if isinstance(node, exp.Paren):
        return _truth(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal) and not node.is_string:
        return node.name.strip("0.") != ""
    if isinstance(node, exp.Not):
        inner = _truth(node.this)
        return None if inner is None else not inner
    if isinstance(node, (exp.And, exp.Or)):
        parts = [_truth(part) for part in node.flatten()]
        if (isinstance(node, exp.Or)) in parts:
            return isinstance(node, exp.Or)
        return None if None in parts else isinstance(node, exp.And)
    if isinstance(node, (exp.EQ, exp.NEQ)):
        left, right = node.this, node.expression
        if isinstance(left, exp.Literal) and isinstance(right, exp.Literal) and left.is_string == right.is_string:
            return (left.name == right.name) is isinstance(node, exp.EQ)
        if isinstance(left, exp.Column) and left == right:
            return isinstance(node, exp.EQ)
    if isinstance(node, exp.Like) and isinstance(node.expression, exp.Literal) and node.expression.name == "%":
        return not node.args.get("negate")
    return None
