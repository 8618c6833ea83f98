"""What the columns of a result are called where the SQL gives them no name: `count`, `avg(price)`. Made from the tree alone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from streamlink_sql.checks.syntax import as_called
from streamlink_sql.types import CheckedSQL, Dialect

_LONGEST = 60


def heads(checked: CheckedSQL, found: Sequence[str]) -> list[str]:
    """The names of a result's columns: those that the engine `found`, with plain ones where an expression has no alias.

    What stands behind a star is counted from the end.
    """
    items = _items(checked.tree)
    stars = [place for place, item in enumerate(items) if item.is_star or item.find(exp.Columns, exp.Explode)]
    names = ["count" if name == "count_star()" else name for name in found]
    if len(items) > len(found) + len(stars) or (not stars and len(items) != len(found)):
        return names
    before, after = items[: stars[0] if stars else len(items)], items[stars[-1] + 1 :] if stars else []
    for place, item in [*enumerate(before), *((len(found) - len(after) + place, item) for place, item in enumerate(after))]:
        names[place] = _head(item, checked.dialect) or names[place]
    return names


def _items(node: exp.Expr) -> list[exp.Expr]:
    """What the first SELECT of a query returns; it names the columns of a union too."""
    while isinstance(node, (exp.SetOperation, exp.Subquery)):
        node = node.this
    return list(node.expressions) if isinstance(node, exp.Select) else []


def _head(item: exp.Expr, dialect: Dialect) -> str:
    """A name for an expression; '' where the engine's own is the right one."""
    if isinstance(item, (exp.Alias, exp.Aliases, exp.Column, exp.Dot, exp.PropertyEQ)):
        return ""
    if isinstance(item, exp.Count) and (item.this is None or isinstance(item.this, exp.Star)):
        return "count"
    copy = item.copy()
    for column in copy.find_all(exp.Column):
        for part in ("table", "db", "catalog"):
            column.set(part, None)
    for name in copy.find_all(exp.Identifier):
        name.set("quoted", False)
    text = " ".join(as_called(copy, dialect).sql(dialect=dialect, normalize_functions="lower", comments=False).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
