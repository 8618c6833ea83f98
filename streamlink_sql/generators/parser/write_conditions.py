"""The representation's conditions to sqlglot's. Writes no clauses."""

from __future__ import annotations

import re

from sqlglot import exp

from streamlink_sql.generators.parser.tokens import LAST, LAST_DAYS, PATTERNS, NotCovered, Val
from streamlink_sql.generators.parser.tree import Aggregate, Call, Condition, Core, Expr, Predicate, Query, Ref
from streamlink_sql.generators.parser.write_values import ExpressionWriter, Scope, whole_number

_COMPARISONS: dict[str, type[exp.Binary]] = {"EQ": exp.EQ, "NE": exp.NEQ, "LT": exp.LT, "LE": exp.LTE, "GT": exp.GT, "GE": exp.GTE}


def _in_and(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Or) else node


class ConditionWriter(ExpressionWriter):
    """Turns our conditions into sqlglot's."""

    def condition(self, node: Condition, scope: Scope) -> exp.Expr:
        if isinstance(node, Predicate):
            return self.predicate(node, scope)
        kind = exp.And if node.name == "AND" else exp.Or
        parts = [self.condition(part, scope) for part in node.parts]
        tree = parts[0] if node.name == "OR" else _in_and(parts[0])
        for part in parts[1:]:
            tree = kind(this=tree, expression=part if node.name == "OR" else _in_and(part))
        return tree

    def predicate(self, node: Predicate, scope: Scope) -> exp.Expr:
        name = node.name
        if node.left is None:
            exists = exp.Exists(this=self.expr(node.right[0], scope).this)
            return exp.Not(this=exists) if name == "NOT_EXISTS" else exists
        if name in (*LAST, LAST_DAYS):
            return self.last(node, scope)
        left = self.expr(node.left, scope)
        if name in PATTERNS:
            return self.pattern(node, left)
        kind = self.kind(node.left)
        right = [self.literal(side, kind) if isinstance(side, Val) else self.expr(side, scope) for side in node.right]
        if name in _COMPARISONS:
            return _COMPARISONS[name](this=left, expression=right[0])
        if name == "BETWEEN":
            return exp.Between(this=left, low=right[0], high=right[1])
        if name in ("IN", "NOT_IN"):
            found = exp.In(this=left, query=right[0]) if isinstance(right[0], exp.Subquery) else exp.In(this=left, expressions=right)
            return exp.Not(this=found) if name == "NOT_IN" else found
        null = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=null) if name == "NOT_NULL" else null

    def pattern(self, node: Predicate, left: exp.Expr) -> exp.Expr:
        value = node.right[0]
        text = str(value.value) if isinstance(value, Val) else ""
        positive = node.name.removeprefix("NOT_")
        escaped = re.sub(r"([%_!])", r"!\1", text) if positive != "LIKE" and re.search("[%_]", text) else text
        whole = {"CONTAINS": f"%{escaped}%", "STARTS": f"{escaped}%", "ENDS": f"%{escaped}", "LIKE": text}[positive]
        if self.dialect != "sqlite" and node.left is not None and self.kind(node.left) != "text":
            left = exp.Cast(this=left, to=exp.DataType.build("text"))
        kind = exp.Like if self.dialect == "sqlite" else exp.ILike
        found: exp.Expr = kind(this=left, expression=exp.Literal.string(whole))
        if escaped != text:
            found = exp.Escape(this=found, expression=exp.Literal.string("!"))
        return exp.Not(this=found) if node.name.startswith("NOT_") else found

    def last(self, node: Predicate, scope: Scope) -> exp.Expr:
        """The years, months or days up to the newest date of the column."""
        left, value = node.left, node.right[0]
        ref = left.ref if isinstance(left, Call) else left
        if not isinstance(ref, Ref) or not isinstance(value, Val):
            raise NotCovered("LAST of more than a column")
        number = exp.Literal.number(whole_number(value))
        inner = Ref(ref.column)
        subject: Expr = ref
        newest: Expr = inner
        if isinstance(left, Call) or node.name == "LAST_YEARS":
            name = left.name if isinstance(left, Call) else "YEAR"
            subject, newest = Call(name, ref), Call(name, inner)
        top = self.expr(Query((Core((Aggregate("MAX", newest),)),)), scope)
        if node.name == "LAST_YEARS" or isinstance(left, Call):
            return exp.GT(this=self.expr(subject, scope), expression=exp.Sub(this=top, expression=number))
        unit = node.name.removeprefix("LAST_").removesuffix("S")
        if self.dialect == "sqlite":
            is_moment = node.name == LAST_DAYS and self.schema.columns[ref.column][1].kind == "timestamp"
            back = exp.Literal.string(f"-{whole_number(value)} {unit.lower()}s")
            since: exp.Expr = exp.Anonymous(this="DATETIME" if is_moment else "DATE", expressions=[top, back])
        else:
            span = exp.Interval(this=exp.Literal.string(str(whole_number(value))), unit=exp.Var(this=unit))
            since = exp.Sub(this=top, expression=span)
        return exp.GT(this=self.expr(subject, scope), expression=since)
