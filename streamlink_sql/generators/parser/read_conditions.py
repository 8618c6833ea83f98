"""SQL conditions to the representation. NOT goes into the comparison, and patterns become what they look for."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from streamlink_sql.generators.parser.read_values import ExpressionReader, Scope
from streamlink_sql.generators.parser.shapes import bare, clauses, number_of, pattern_of, select_of, unparen
from streamlink_sql.generators.parser.tokens import NotCovered, Val
from streamlink_sql.generators.parser.tree import Aggregate, Call, Condition, Expr, Junction, Predicate, Query, Ref, join

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "EQ",
    exp.NEQ: "NE",
    exp.LT: "LT",
    exp.LTE: "LE",
    exp.GT: "GT",
    exp.GTE: "GE",
    exp.NullSafeEQ: "EQ",
    exp.NullSafeNEQ: "NE",
}
_WHOLE: dict[type[exp.Expr], str] = {exp.Contains: "CONTAINS", exp.StartsWith: "STARTS", exp.EndsWith: "ENDS"}
_FLIPPED = {"EQ": "EQ", "NE": "NE", "LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"}
_OPPOSITES = {"EQ": "NE", "LT": "GE", "LE": "GT", "IN": "NOT_IN", "IS_NULL": "NOT_NULL", "EXISTS": "NOT_EXISTS"}
_OPPOSITES |= {"CONTAINS": "NOT_CONTAINS", "LIKE": "NOT_LIKE"}
_OPPOSITES |= {negative: positive for positive, negative in _OPPOSITES.items()}


class ConditionReader(ExpressionReader):
    """Turns sqlglot's conditions into ours."""

    def condition(self, node: exp.Expr, scope: Scope) -> Condition:
        node = unparen(node)
        if isinstance(node, (exp.And, exp.Or)):
            return join("AND" if isinstance(node, exp.And) else "OR", [self.condition(part, scope) for part in (node.left, node.right)])
        if isinstance(node, exp.Not):
            return negated(self.condition(node.this, scope))
        if node.args.get("negate"):
            node = node.copy()
            node.set("negate", None)
            return negated(self.condition(node, scope))
        if type(node) in _COMPARISONS:
            return self.comparison(node, scope)
        if isinstance(node, exp.Between):
            bounds = tuple(self.expr(bound, scope) for bound in (node.args["low"], node.args["high"]))
            if not all(isinstance(bound, (Val, Query)) for bound in bounds):
                return join(
                    "AND",
                    [Predicate(name, self.left(node.this, scope), (bound,)) for name, bound in zip(("GE", "LE"), bounds, strict=True)],
                )
            return Predicate("BETWEEN", self.left(node.this, scope), bounds)
        if isinstance(node, exp.In):
            return self.member(node, scope)
        if isinstance(node, exp.Is):
            return self.null(node, scope)
        if isinstance(node, exp.Exists):
            return Predicate("EXISTS", None, (self.rows_of(node.this, scope),))
        if isinstance(node, exp.Column):
            return Predicate("EQ", self.left(node, scope), (Val(1),))
        return self.pattern(node, scope)

    def rows_of(self, node: exp.Expr, scope: Scope) -> Query:
        """The query of an EXISTS; what it selects does not matter."""
        inner = select_of(node)
        if isinstance(inner, exp.Select) and not inner.args.get("group"):
            inner = inner.copy()
            inner.set("expressions", [exp.Star()])
        query = self.query(inner, scope)
        return replace(query, cores=tuple(replace(core, items=core.items[:1]) for core in query.cores))

    def left(self, node: exp.Expr, scope: Scope) -> Expr:
        found = self.expr(node, scope)
        if isinstance(found, (Val, Query)):
            raise NotCovered("comparison that starts with a value")
        return found

    def comparison(self, node: exp.Expr, scope: Scope) -> Condition:
        name, left, right = _COMPARISONS[type(node)], bare(node.this), bare(node.expression)
        last = self.last(name, left, right, scope)
        if last is not None:
            return last
        folded = [side.this if isinstance(side, (exp.Lower, exp.Upper)) else side for side in (left, right)]
        first, second = (self.expr(side, scope) for side in folded)
        if isinstance(first, (Val, Query)):
            first, second, name = second, first, _FLIPPED[name]
        if isinstance(first, (Val, Query)):
            raise NotCovered("comparison of two values")
        folds = folded[0] is not left and isinstance(first, Ref) and isinstance(second, Val) and not re.search("[%_]", str(second.value))
        if folds and name in ("EQ", "NE"):
            return Predicate("LIKE" if name == "EQ" else "NOT_LIKE", first, (second,))
        return Predicate(name, first, (second,))

    def last(self, name: str, left: exp.Expr, right: exp.Expr, scope: Scope) -> Predicate | None:
        """`c > (SELECT max(c) FROM t) - n`, in years or months."""
        if name not in ("GT", "GE") or not isinstance(right, exp.Sub):
            return None
        newest, span = bare(right.this), bare(right.expression)
        if not isinstance(newest, exp.Subquery):
            return None
        inner = select_of(newest)
        if not isinstance(inner, exp.Select) or set(clauses(inner)) - {"expressions", "from_"} or len(inner.expressions) != 1:
            return None
        top = bare(inner.expressions[0])
        if not isinstance(top, exp.Max):
            return None
        mine = self.expr(left, scope)
        theirs = self.query(newest, scope).cores[0].items[0]
        if not isinstance(theirs, Aggregate) or theirs.of != mine or not isinstance(mine, (Ref, Call)):
            return None
        if isinstance(span, exp.Interval):
            unit = span.args["unit"].name.upper().rstrip("S")
            if not span.this.name.isdigit() or unit not in ("MONTH", "YEAR") or not isinstance(mine, Ref):
                return None
            return Predicate("LAST_MONTHS", mine, (Val(int(span.this.name) * (12 if unit == "YEAR" else 1)),))
        number = number_of(span)
        if not isinstance(number, int):
            return None
        return Predicate(
            "LAST_YEARS", mine.ref if isinstance(mine, Call) and mine.name == "YEAR" else mine, (Val(number + (name == "GE")),)
        )

    def member(self, node: exp.In, scope: Scope) -> Condition:
        left = self.left(node.this, scope)
        if node.args.get("query") is not None:
            return Predicate("IN", left, (self.query(node.args["query"], scope),))
        members = [self.expr(member, scope) for member in node.expressions]
        if not members or not all(isinstance(member, Val) for member in members):
            raise NotCovered("IN of something else")
        return Predicate("IN", left, tuple(members)) if len(members) > 1 else Predicate("EQ", left, (members[0],))

    def null(self, node: exp.Is, scope: Scope) -> Condition:
        left = self.left(node.this, scope)
        right = unparen(node.expression)
        if isinstance(right, exp.Null):
            return Predicate("IS_NULL", left)
        return Predicate("EQ", left, (self.expr(right, scope),))

    def pattern(self, node: exp.Expr, scope: Scope) -> Condition:
        escape = ""
        if isinstance(node, exp.Escape):
            escape, node = node.expression.name, node.this
        whole = _WHOLE.get(type(node))
        if whole is None and not isinstance(node, (exp.Like, exp.ILike, exp.Glob)):
            raise NotCovered(f"condition {node.key}")
        left, right = (side.this if isinstance(side, (exp.Lower, exp.Upper)) else side for side in (bare(node.this), bare(node.expression)))
        subject, value = self.left(left, scope), self.expr(right, scope)
        if not isinstance(value, Val) or not isinstance(subject, (Ref, Call)):
            raise NotCovered("pattern that is no literal")
        name, text = (whole, value.value) if whole else pattern_of(str(value.value), escape)
        if isinstance(node, exp.Glob):
            name, text = "LIKE", str(value.value).replace("*", "%").replace("?", "_")
        return Predicate(name, subject, (Val(text),))


def negated(node: Condition) -> Condition:
    """The opposite of a condition, NOT pushed into its comparisons."""
    if isinstance(node, Junction):
        return join("OR" if node.name == "AND" else "AND", [negated(part) for part in node.parts])
    if node.name in _OPPOSITES:
        return replace(node, name=_OPPOSITES[node.name])
    if node.name == "BETWEEN":
        return Junction("OR", (Predicate("LT", node.left, node.right[:1]), Predicate("GT", node.left, node.right[1:])))
    if node.name in ("STARTS", "ENDS") and isinstance(node.right[0], Val):
        text = node.right[0].value
        return Predicate("NOT_LIKE", node.left, (Val(f"{text}%" if node.name == "STARTS" else f"%{text}"),))
    raise NotCovered(f"NOT {node.name}")
