"""From tokens to one tree: exactly one statement, a query, parsed in the engine's own dialect. Judges no names and no policy."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, UnsupportedError
from sqlglot.tokenizer_core import Token, TokenType

from streamlink_sql.checks import refusals
from streamlink_sql.checks.text import Caps, check_shape, check_variables, sqlglot_dialect
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import Dialect

if TYPE_CHECKING:
    from sqlglot.generator import Generator

_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.L_PAREN, TokenType.VALUES, TokenType.TABLE}

_LONGEST, _MOST_IN_CALLS = 16 * 1024, 4_000
"""The characters that a call may become, and the parts that stand in calls, each counted as often as there are calls around it."""
_SAYS_MORE = (exp.WithinGroup, exp.Filter, exp.Window, exp.IgnoreNulls, exp.RespectNulls)
_STANDS_FOR = re.compile(r"_call(\d+)_")

logging.getLogger("sqlglot").addFilter(lambda record: record.levelno >= logging.ERROR)


def parse(tokens: list[Token], sql: str, dialect: Dialect) -> exp.Query:
    """The one query that the tokens are; raises InvalidSQL or PolicyRefused."""
    tokens = _one_statement(tokens)
    _check_spelling(tokens, dialect)
    try:
        trees = sqlglot_dialect(dialect).parser().parse(tokens, sql)
    except ParseError as error:
        raise _syntax_error(error, sql) from error
    except (SqlglotError, RecursionError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise InvalidSQL("The SQL cannot be parsed.", rule="syntax.parse") from error
    tree = exp.select("*").from_(trees[0]) if len(trees) == 1 and isinstance(trees[0], exp.Values) else trees[0] if trees else None
    if len(trees) != 1 or not isinstance(tree, exp.Query):
        raise PolicyRefused("Only a query that reads is allowed.", rule="statement.not_query")
    return tree


def generate(tree: exp.Expr, dialect: Dialect) -> str:
    """The text that runs: made from the tree, without comments."""
    from sqlglot import ErrorLevel

    _check_growth(tree, dialect)
    try:
        return as_called(tree, dialect).sql(dialect=sqlglot_dialect(dialect), comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise InvalidSQL(f"The SQL cannot be written for {dialect}.", rule="syntax.unsupported") from error
    except (SqlglotError, RecursionError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise InvalidSQL("The SQL cannot be written again.", rule="syntax.generate") from error


def as_called(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """The same, with functions by their names that sqlglot takes for unknown to the engine: to it, SQLite has no median."""
    if dialect != "sqlite" or tree.find(exp.Median) is None:
        return tree
    return tree.transform(lambda node: exp.Anonymous(this="MEDIAN", expressions=[node.this]) if isinstance(node, exp.Median) else node)


def _check_growth(tree: exp.Expr, dialect: Dialect) -> None:
    """Raises InvalidSQL where calls in calls would become a text without end.

    For some functions sqlglot writes an argument two or three times (`instr(text, part, start)` becomes a CASE), so that each call around
    another one doubles text and time. Each call is written once, from the innermost outwards, with names in the place of the calls in it.
    """
    from sqlglot import ErrorLevel

    around: dict[int, int] = {}
    nested = False
    for node in tree.walk():
        above = node.parent
        around[id(node)] = around[id(above)] + _is_call(above) if above is not None and node is not tree else 0
        nested = nested or (around[id(node)] > 0 and _is_call(node))
    if sum(around.values()) > _MOST_IN_CALLS:
        raise _too_complex()
    if not nested:
        return
    generator = sqlglot_dialect(dialect).generator(comments=False, unsupported_level=ErrorLevel.IGNORE)
    sizes: list[int] = []
    for node in reversed([node for node in exp.paren(tree.copy(), copy=False).walk() if _is_call(node)]):
        text = _written(node, generator)
        sizes.append(len(text) + sum(sizes[int(number)] for number in _STANDS_FOR.findall(text)))
        if sizes[-1] > _LONGEST:
            raise _too_complex()
        node.replace(exp.column(f"_call{len(sizes) - 1}_"))


def _too_complex() -> InvalidSQL:
    return InvalidSQL("The SQL is nested too deeply or joins too much.", rule="text.too_complex")


def _is_call(node: exp.Expr) -> bool:
    """Whether it is a call, together with what says more of it, such as its window."""
    return isinstance(node, (exp.Func, *_SAYS_MORE)) and not isinstance(node, exp.Connector) and not isinstance(node.parent, _SAYS_MORE)


def _written(node: exp.Expr, generator: Generator) -> str:
    """The text of a part; where it cannot be written alone, what stands for calls in it, three times."""
    try:
        return generator.generate(node)
    except (SqlglotError, RecursionError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        return " ".join(column.name for column in node.find_all(exp.Column)) * 3


def read_back(text: str, tree: exp.Query, dialect: Dialect, caps: Caps) -> list[Token]:
    """The tokens of generated text, once it is sure that it reads back as one query with as many SELECTs over the same tables.

    Generating must not let anything out of its quotes; a text that reads back otherwise is refused.
    """
    check_variables(text, dialect)
    tokens = sqlglot_dialect(dialect).tokenize(text)
    check_shape(tokens, replace(caps, work=2 * caps.work, nesting=2 * caps.nesting))
    if _shape(parse(tokens, text, dialect)) != _shape(tree):
        raise PolicyRefused("The SQL does not read back as it was written.", rule="syntax.reading")
    return tokens


def _shape(tree: exp.Query) -> Counter[str]:
    """How often each table and SELECT occurs, whatever the order."""
    found: Counter[str] = Counter()
    for node in tree.find_all(exp.Table, exp.Select):
        name = ".".join((node.catalog, node.db, node.name)) if isinstance(node, exp.Table) else "SELECT"
        found[name] += 1
    return found


def _one_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            raise PolicyRefused("One statement at a time.", rule="statement.many", span=[token.start, token.end + 1])
    if not tokens:
        raise InvalidSQL("The SQL is empty.", rule="text.empty")
    first = tokens[0]
    if first.token_type not in _STARTS:
        raise PolicyRefused(
            refusals.statement(first.text),
            rule="statement.not_query",
            span=[first.start, first.end + 1],
        )
    return tokens


def _check_spelling(tokens: list[Token], dialect: Dialect) -> None:
    """Spellings that sqlglot reads otherwise than the engine does.

    DuckDB's `~` matches the whole text, and sqlglot would write a search inside it.
    """
    if dialect != "duckdb":
        return
    for before, token in pairwise(tokens):
        operand = before.token_type in (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.R_PAREN, TokenType.R_BRACKET)
        if (token.token_type is TokenType.TILDE and operand) or token.text in ("!~", "~*", "!~*"):
            raise InvalidSQL(
                "Write regexp_full_match(text, pattern) or regexp_matches(text, pattern) instead of ~.",
                rule="syntax.operator",
                span=[token.start, token.end + 1],
            )


def _syntax_error(error: ParseError, sql: str) -> InvalidSQL:
    first = error.errors[0] if error.errors else {}
    near = str(first.get("highlight") or "")
    detail = f"The SQL cannot be parsed near {near[:40]!r}." if near else "The SQL cannot be parsed."
    return InvalidSQL(detail, rule="syntax.parse", span=_position(first, near, sql))


def _position(first: dict[str, object], near: str, sql: str) -> list[int] | None:
    """The characters of a parse error; sqlglot tells the line and the column at which the word ends."""
    line, column = first.get("line"), first.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return None
    lines = sql.split("\n")
    end = min(len(sql), sum(len(text) + 1 for text in lines[: line - 1]) + column)
    return [max(0, end - max(1, len(near))), end]
