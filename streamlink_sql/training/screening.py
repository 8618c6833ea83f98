"""Looks at pairs before anything is trained on them: what the gate refuses is dropped, what a person should see is held back.

Neither keeps anybody safe at run time: there the gate judges every query, whatever a model was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from streamlink_sql.catalog.values import normalise
from streamlink_sql.checks import alarms, compare
from streamlink_sql.errors import InvalidSQL, PolicyRefused, TimedOut
from streamlink_sql.generators.parser.moments import read_date
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.places import Places, compared_with
from streamlink_sql.types import CheckedSQL

_STRUCTURE = frozenset((0, 1, 2, 4, 7, 10, 12, 24, 60, 100, 365, 1000))
"""Numbers that arithmetic needs without anybody saying them: per cent, decades, parts of days."""
_UNITS = frozenset("year month day quarter week hour minute second decade century dow doy isodow epoch years months days".split())
_LONGEST_NUMBER = 4
_COMPARED = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NEQ, exp.Is, exp.Like, exp.ILike)


@dataclass(frozen=True, slots=True)
class Refused:
    """A pair whose SQL the gate does not let run, with the error's code, rule and sentence."""

    pair: Pair
    code: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """A pair that a person should look at, with a sentence a reason. It is not trained on until it is marked `reviewed`."""

    pair: Pair
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screened:
    """What may be trained on, what was dropped, and what waits for a person."""

    kept: tuple[Pair, ...]
    refused: tuple[Refused, ...]
    flagged: tuple[Flagged, ...]


def screen(pairs: Sequence[Pair], domain: Domain) -> Screened:
    """Judges pairs by the gate and the database's own plan, which no review overrules; then by what a person should look at."""
    kept: list[Pair] = []
    refused: list[Refused] = []
    flagged: list[Flagged] = []
    for pair in pairs:
        try:
            query = domain.checked(pair.query)
            compare(query, domain.engine.dry_run(query))
        except (InvalidSQL, PolicyRefused, TimedOut) as error:
            refused.append(Refused(pair, error.code, str(error.helps.get("rule", "")), error.detail))
            continue
        reasons = () if pair.reviewed else tuple(dict.fromkeys(_reasons(pair, query, domain)))
        if reasons:
            flagged.append(Flagged(pair, reasons))
        else:
            kept.append(pair)
    return Screened(tuple(kept), tuple(refused), tuple(flagged))


def _reasons(pair: Pair, query: CheckedSQL, domain: Domain) -> Iterator[str]:
    if any(token.comments for token in sqlglot.tokenize(pair.query, dialect=domain.dialect)):
        yield "The SQL holds a comment, which nobody who asks a question needs."
    for condition in _tautologies(query.tree):
        yield f"The condition {condition.sql(domain.dialect)} is always the same, whatever the rows are."
    for literal in _from_nowhere(pair.question, query, domain):
        yield f"The value {literal.sql(domain.dialect)} occurs neither in the question nor in the data."
    yield from alarms(pair.question, query)


def _tautologies(tree: exp.Query) -> Iterator[exp.Expr]:
    """Conditions that depend on no row: 1 = 1, x = x, TRUE, LIKE '%', a condition or its opposite."""
    for connector in tree.find_all(exp.Or):
        sides = {_plain(side) for side in connector.flatten()}
        yield from (side for side in connector.flatten() if isinstance(side, exp.Not) and _plain(side.this) in sides)
        nulls = [side.this.sql() for side in connector.flatten() if isinstance(side, exp.Is)]
        nots = [side.this.this.sql() for side in connector.flatten() if isinstance(side, exp.Not) and isinstance(side.this, exp.Is)]
        if set(nulls) & set(nots):
            yield connector
    yield from (leaf for leaf in _conditions(tree) if _says_nothing(leaf.unnest()))


def _says_nothing(leaf: exp.Expr) -> bool:
    """Whether a condition names no column, compares something with itself, or holds for every text."""
    if leaf.find(exp.Column, exp.Select, exp.AggFunc) is None:
        return True
    if isinstance(leaf, (exp.Like, exp.ILike)) and isinstance(leaf.expression, exp.Literal) and not leaf.expression.name.strip("%"):
        return True
    return isinstance(leaf, _COMPARED) and _plain(leaf.this) == _plain(leaf.expression)


def _plain(node: exp.Expr) -> str:
    return node.unnest().sql(comments=False).casefold()


def _conditions(tree: exp.Query) -> Iterator[exp.Expr]:
    """The conditions of WHERE, HAVING, ON and WHEN, without what joins them."""
    clauses = [node.this for node in tree.find_all(exp.Where, exp.Having, exp.If)]
    clauses += [join.args["on"] for join in tree.find_all(exp.Join) if join.args.get("on") is not None]
    waiting = [clause for clause in clauses if isinstance(clause, exp.Expr)]
    while waiting:
        node = waiting.pop().unnest()
        if isinstance(node, (exp.And, exp.Or)):
            waiting += [node.left, node.right]
        elif isinstance(node, exp.Not) and isinstance(node.this, (exp.Paren, exp.And, exp.Or)):
            waiting.append(node.this)
        else:
            yield node


def _from_nowhere(question: str, query: CheckedSQL, domain: Domain) -> Iterator[exp.Literal]:
    """Literals that are neither said, nor needed by the structure of the query, nor in the column that they are compared with."""
    numbers, days = _numbers(question), _days(question)
    for literal in query.tree.find_all(exp.Literal):
        other = compared_with(literal)
        if literal.is_string:
            known = _is_said(literal, question) or literal.name in days or other is None and _is_form(literal)
        else:
            value = float(literal.name)
            known = value in numbers or _is_first(literal) or other is None and value in _STRUCTURE
        if not (
            known or other is not None and _occurs(literal, other, domain) or literal.is_string and _is_meant(literal, question, domain)
        ):
            yield literal


def _is_said(literal: exp.Literal, question: str) -> bool:
    text, told = normalise(literal.name.replace("%", " ").replace("_", " ")), normalise(question)
    return not text or f" {text} " in f" {told} " or _is_pattern(literal) and text in told


def _is_meant(literal: exp.Literal, question: str, domain: Domain) -> bool:
    """Whether words of the question stand for the text, as a glossary says."""
    return normalise(literal.name) in {normalise(match.value) for match in domain.context(question).matches}


def _is_pattern(literal: exp.Literal) -> bool:
    return isinstance(literal.parent, (exp.Like, exp.ILike))


def _is_form(literal: exp.Literal) -> bool:
    """Whether a text says how a date is written or which part of it is meant, inside a function."""
    inside = isinstance(literal.parent, (exp.Func, exp.Interval)) and not isinstance(literal.parent, exp.Connector)
    return inside and (literal.name.casefold() in _UNITS or re.fullmatch(r"(%[-A-Za-z][\W_]*)+|\d+", literal.name) is not None)


def _is_first(literal: exp.Literal) -> bool:
    """Whether a number asks for the first: the one row of the most, or the first of each group."""
    above = literal.parent
    return literal.name == "1" and above is not None and (isinstance(above, exp.Limit) or above.find(exp.Window) is not None)


def _numbers(question: str) -> set[float]:
    """The numbers that a question says, in digits or in words."""
    words = re.findall(r"[\w.,%$€£'’-]+", question)
    found: set[float] = set()
    for first in range(len(words)):
        for last in range(first + 1, min(first + _LONGEST_NUMBER, len(words)) + 1):
            text = " ".join(words[first:last])
            value = read_number(text.rstrip(".,?!s%"))
            if value is not None:
                found.add(float(value))
    return found | {float(number) for number in re.findall(r"\d+", question)}


def _days(question: str) -> set[str]:
    """The days that a question says, and the first and last of the months and years that it does, in ISO form."""
    words = question.rstrip("?.! ").split()
    spans = (" ".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, min(first + 4, len(words)) + 1))
    found = {day for span in spans for late in (False, True) if (day := read_date(span.strip(",?"), late=late))}
    years = re.findall(r"\b[12]\d{3}\b", question)
    return found | {f"{int(year) + step}-{day}" for year in years for day in ("01-01", "12-31") for step in (-1, 0, 1)}


def _occurs(literal: exp.Literal, other: exp.Expr, domain: Domain) -> bool:
    """Whether some row has the value where the query looks for it."""
    places = [Places(domain.tables).of(column) for column in other.find_all(exp.Column)]
    tables = {place[0].name for place in places if place is not None}
    if len(tables) != 1 or None in places or other.find(exp.AggFunc):
        return False
    left = other.copy()
    for column in left.find_all(exp.Column):
        column.set("table", None)
    condition: exp.Expr = exp.EQ(this=left, expression=literal.copy())
    if isinstance(literal.parent, (exp.Like, exp.ILike)):
        condition = type(literal.parent)(this=left, expression=literal.copy())
    probe = exp.select("1").from_(exp.to_table(tables.pop(), dialect=domain.dialect)).where(condition).limit(1)
    try:
        return bool(domain.rows(probe.sql(domain.dialect), limit=1).table.num_rows)
    except (InvalidSQL, PolicyRefused, TimedOut):
        return False
