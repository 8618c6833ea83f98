"""Which token may follow: a pushdown automaton over token classes. Knows no schema and no SQL.

A class is COL, TAB or VAL (any pointer of that kind) or one keyword. A control state says what may come next and, for each class,
what takes its place on the stack (the last entry is the new top). Everything that decides about the next token is in the control
state, so that a model can embed it and a mask needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from streamlink_sql.generators.parser.tokens import (
    AGGREGATES,
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    KEYWORDS,
    LAST,
    PATTERNS,
    SEQUENCES,
    SET_OPERATIONS,
    Col,
    Tab,
    Token,
    Val,
)

__all__ = ["CLASSES", "COL", "KEYWORDS", "START", "STATE_COUNT", "TAB", "VAL", "State", "allowed", "class_of", "done", "masks", "step"]

COL, TAB, VAL = 0, 1, 2
CLASSES: tuple[str, ...] = ("COL", "TAB", "VAL", *KEYWORDS)
"""Classes by index: keywords follow the three kinds of pointer."""

MAX_QUERIES = 3
"""Queries within queries, the outermost not counted."""
MAX_OPERANDS = 3
MAX_PARENTHESES = 2

_Then = tuple[str, ...]
_Rules = dict[str, _Then]


def _steps(names: Iterable[str], *then: str) -> _Rules:
    """The same step for several classes."""
    return dict.fromkeys(names, then)


_QUERY: _Rules = dict.fromkeys(("SELECT", "SELECT_DISTINCT"), ("FIRST_ITEM",))


def _column(*then: str) -> _Rules:
    """A column with what may stand before it."""
    before = dict.fromkeys(("SECOND", "OUTER"), (*then, "COLUMN")) | dict.fromkeys(FUNCTIONS, (*then, "FUNCTION_OF"))
    return {"COL": then, **before}


def _arithmetic(operand: str, level: int, *then: str) -> _Rules:
    """Two operands, unless the operands are at the deepest level already."""
    if level == MAX_OPERANDS:
        return {}
    return dict.fromkeys(ARITHMETIC, (*then, f"{operand}_{level + 1}", f"{operand}_{level + 1}"))


def _row(*then: str, operand: str = "ROW_OPERAND", level: int = 0) -> _Rules:
    """An expression over one row."""
    return _column(*then) | _arithmetic(operand, level, *then)


def _group(*then: str, level: int = 0) -> _Rules:
    """An expression over one row or over a group of rows."""
    aggregates = dict.fromkeys(AGGREGATES, (*then, "AGGREGATE_OF")) | {"COUNT": (*then, "COUNT_OF")}
    some = {"PERCENT": (*then, "NESTED_1", "PERCENT_OF"), "FILTER": (*then, "NESTED_1", "PREDICATE_1", "SHARE_OF")}
    return _row(*then, operand="OPERAND", level=level) | aggregates | some


def _selected(*then: str) -> _Rules:
    """An expression of the SELECT list or of ORDER."""
    return _group(*then) | _steps(("SHARE", *SEQUENCES), *then, "SHARE_OF")


def _ends(*clauses: str, joinable: bool = True) -> _Rules:
    """The clauses that may follow, the end of the query and what joins it to another."""
    following = {
        "FROM": ("FIRST_SOURCE",),
        "ON": ("JOINED", "ON_COLUMN", "ON_COLUMN"),
        "WHERE": ("WHERE", "PREDICATE_0"),
        "GROUP": ("FIRST_KEY",),
        "HAVING": ("HAVING", "GROUP_PREDICATE_0"),
        "EACH": ("BEST", "VALUE", "DIRECTION", "BEST_BY", "BEST_KEY"),
        "ORDER": ("ORDERED", "DIRECTION", "ORDER_KEY"),
        "LIMIT": ("LIMITED", "VALUE"),
    }
    rules: _Rules = {name: following[name] for name in clauses} | {"END": ()}
    return rules | dict.fromkeys(SET_OPERATIONS, ("NEXT_CORE",)) if joinable else rules


def _predicate(name: str, compare: str, expression: _Rules, level: int) -> _Rules:
    """The start of a predicate; a plain column may be compared in more ways than other expressions."""
    rules = expression | {found: ("COMPARE_COLUMN", *then[1:]) for found, then in expression.items() if found in _column()}
    if level < MAX_PARENTHESES:
        rules["OPEN"] = (f"{compare.replace('COMPARE', 'NESTED')}_{level + 1}", f"{name}_{level + 1}")
    return rules | dict.fromkeys(("EXISTS", "NOT_EXISTS"), ("QUERY",))


def _compare(side: str, *more: str) -> _Rules:
    """The operator and what it compares with."""
    rules = _steps(COMPARISONS, side) | _steps(more, "VALUE")
    return rules | {"BETWEEN": ("BOUND", "BOUND"), "IN": ("MEMBERS",), "NOT_IN": ("MEMBERS",), "IS_NULL": (), "NOT_NULL": ()}


def _junction(state: str, predicate: str) -> _Rules:
    return dict.fromkeys(("AND", "OR"), (state, predicate))


_ALL = ("WHERE", "GROUP", "HAVING", "EACH", "ORDER", "LIMIT")
_CORE: dict[str, _Rules] = {
    "NEXT_CORE": _QUERY,
    "FIRST_ITEM": _selected("ITEMS")
    | dict.fromkeys(AGGREGATES, ("FIRST_AGGREGATE_OF",))
    | {"COUNT": ("FIRST_COUNT_OF",), "TAB": ("ITEMS",)},
    "FIRST_AGGREGATE_OF": _row("ITEMS") | dict.fromkeys(_QUERY, ("SOLE_ITEM", "FIRST_ITEM")),
    "FIRST_COUNT_OF": _row("ITEMS") | {"TAB": ("ITEMS",)} | dict.fromkeys(_QUERY, ("SOLE_ITEM", "FIRST_ITEM")),
    "ITEMS": _selected("ITEMS") | {"TAB": ("ITEMS",)} | _ends("FROM", *_ALL),
    "SOLE_ITEM": _ends(),
    "FIRST_SOURCE": {"TAB": ("SOURCES",), "SECOND": ("SOURCES", "TABLE")},
    "SOURCES": {"TAB": ("SOURCES",), "SECOND": ("SOURCES", "TABLE"), "LEFT": ("SOURCES", "LEFT_TABLE")} | _ends("ON", *_ALL),
    "JOINED": _ends("ON", *_ALL),
    "WHERE": _junction("WHERE", "PREDICATE_0") | _ends("GROUP", "HAVING", "EACH", "ORDER", "LIMIT"),
    "FIRST_KEY": _row("KEYS"),
    "KEYS": _row("KEYS") | _ends("HAVING", "EACH", "ORDER", "LIMIT"),
    "HAVING": _junction("HAVING", "GROUP_PREDICATE_0") | _ends("EACH", "ORDER", "LIMIT"),
    "BEST": _ends("ORDER", "LIMIT"),
    "ORDERED": {name: ("ORDERED", "DIRECTION", *then) for name, then in _selected().items()} | _ends("LIMIT", joinable=False),
    "LIMITED": {"OFFSET": ("SKIPPED", "VALUE")} | _ends(joinable=False),
    "SKIPPED": _ends(joinable=False),
}
"""One of these is on the stack for each open query."""

_LEVELS = range(MAX_PARENTHESES + 1)
_STATES: dict[str, _Rules] = {
    "START": _QUERY,
    "DONE": {},
    **_CORE,
    "QUERY": _QUERY,
    "TABLE": {"TAB": ()},
    "LEFT_TABLE": {"TAB": (), "SECOND": ("TABLE",)},
    "ON_COLUMN": {"COL": (), "SECOND": ("COLUMN",)},
    "ORDER_KEY": _selected(),
    "BEST_KEY": _row(),
    "BEST_BY": _group(),
    "DIRECTION": {"ASC": (), "DESC": ()},
    "VALUE": {"VAL": ()},
    "COLUMN": {"COL": ()},
    "FUNCTION_OF": {"COL": (), "SECOND": ("COLUMN",), "OUTER": ("COLUMN",)},
    "AGGREGATE_OF": _row(),
    "COUNT_OF": _row() | {"TAB": ()},
    "SHARE_OF": _steps(AGGREGATES, "AGGREGATE_OF") | {"COUNT": ("COUNT_OF",)},
    **{f"OPERAND_{level}": _group(level=level) | {"VAL": ()} | _QUERY for level in range(1, MAX_OPERANDS + 1)},
    **{f"ROW_OPERAND_{level}": _row(level=level) | {"VAL": ()} for level in range(1, MAX_OPERANDS + 1)},
    **{f"SIDE_OPERAND_{level}": _row(operand="SIDE_OPERAND", level=level) | {"VAL": ()} | _QUERY for level in range(1, MAX_OPERANDS + 1)},
    **{f"PREDICATE_{level}": _predicate("PREDICATE", "COMPARE", _row("COMPARE"), level) for level in _LEVELS},
    "PERCENT_OF": _predicate("PREDICATE", "COMPARE", _row("COMPARE"), 1) | {"SUM": ("PREDICATE_1", "AGGREGATE_OF")},
    **{f"NESTED_{level}": _junction(f"NESTED_{level}", f"PREDICATE_{level}") | {"CLOSE": ()} for level in _LEVELS[1:]},
    **{f"GROUP_PREDICATE_{level}": _predicate("GROUP_PREDICATE", "GROUP_COMPARE", _group("GROUP_COMPARE"), level) for level in _LEVELS},
    **{f"GROUP_NESTED_{level}": _junction(f"GROUP_NESTED_{level}", f"GROUP_PREDICATE_{level}") | {"CLOSE": ()} for level in _LEVELS[1:]},
    "COMPARE": _compare("SIDE"),
    "COMPARE_COLUMN": _compare("SIDE", *PATTERNS, *LAST),
    "GROUP_COMPARE": _compare("GROUP_SIDE"),
    "SIDE": _row(operand="SIDE_OPERAND") | {"VAL": ()} | _QUERY,
    "GROUP_SIDE": _group() | {"VAL": ()} | _QUERY,
    "BOUND": {"VAL": ()} | _QUERY,
    "MEMBERS": {"VAL": ("MORE_MEMBERS",)} | _QUERY,
    "MORE_MEMBERS": {"VAL": ("MORE_MEMBERS",), "CLOSE": ()},
}

_OPENERS = frozenset(("SELECT", "SELECT_DISTINCT", "EXISTS", "NOT_EXISTS"))
_NEVER_DEEPEST = frozenset(("START", "NEXT_CORE", "QUERY"))


def _deepest() -> dict[str, _Rules]:
    """The states that could open a query, as they are where no deeper query is allowed."""
    return {
        f"{name}_DEEPEST": {token: then for token, then in rules.items() if token not in _OPENERS}
        for name, rules in _STATES.items()
        if name not in _NEVER_DEEPEST and not _OPENERS.isdisjoint(rules)
    }


_ALL_STATES = _STATES | _deepest()
_NAMES = tuple(_ALL_STATES)
_IDS = {name: number for number, name in enumerate(_NAMES)}
_CLASS_IDS = {name: number for number, name in enumerate(CLASSES)}
_NEXT: tuple[dict[int, tuple[str, ...]], ...] = tuple(
    {_CLASS_IDS[token]: then for token, then in rules.items()} for rules in _ALL_STATES.values()
)
_ALLOWED: tuple[tuple[int, ...], ...] = tuple(tuple(sorted(rules)) for rules in _NEXT)

STATE_COUNT = len(_NAMES)


class State(NamedTuple):
    """Where the automaton stands: the number of its control state, and what waits below it, innermost last."""

    id: int
    stack: tuple[str, ...]

    @property
    def name(self) -> str:
        """The control state by name."""
        return _NAMES[self.id]


def _at(stack: tuple[str, ...]) -> State:
    """The state with this stack, its top in the form that its depth asks for."""
    if not stack:
        return State(_IDS["DONE"], ())
    top = stack[-1]
    if sum(name in _CORE for name in stack) > MAX_QUERIES:
        top = top + "_DEEPEST" if top + "_DEEPEST" in _IDS else top
    return State(_IDS[top], stack)


START = _at(("START",))


def allowed(state: State) -> tuple[int, ...]:
    """The classes that may come next, ascending; a function of `state.id` alone."""
    return _ALLOWED[state.id]


def masks() -> tuple[tuple[int, ...], ...]:
    """What `allowed` answers for every state id."""
    return _ALLOWED


@lru_cache(maxsize=1 << 16)
def step(state: State, class_index: int) -> State:
    """The state after a token of this class; KeyError when it is not allowed."""
    return _at(state.stack[:-1] + _NEXT[state.id][class_index])


def done(state: State) -> bool:
    """Whether the query is complete."""
    return not state.stack


def class_of(token: Token) -> int:
    """The class of a token."""
    match token:
        case Col():
            return COL
        case Tab():
            return TAB
        case Val():
            return VAL
        case _:
            return _CLASS_IDS[token]
