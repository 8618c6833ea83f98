"""Warnings about a query that may run but may not mean what was asked. Refuses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from streamlink_sql.checks.scopes import Names


def notes(tree: exp.Query, found: Names) -> tuple[str, ...]:
    """Sentences for the user: tables that are not linked, filters that hold always or never."""
    said: list[str] = []
    for select in tree.find_all(exp.Select):
        said += _unlinked(select, found)
        said += _constant_filters(select)
    return tuple(dict.fromkeys(said))


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
