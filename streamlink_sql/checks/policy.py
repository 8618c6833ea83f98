"""What a query may do: an allow-list over the whole tree, then over the words of the text that will run. Knows no tables and opens nothing.

It covers node kinds and functions, and by bounds.py generated rows and texts. It does not foretell cost: a query of allowed parts can still
run for long, which the engine's limits end. It trusts the engine's own definition of each listed function.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from streamlink_sql.checks import bounds, refusals
from streamlink_sql.checks.kinds import FUNCTION_KINDS, NODE_KINDS, WORDS_BEFORE_BRACKET
from streamlink_sql.checks.text import CAPS, Caps
from streamlink_sql.checks.tree import nearest, own_span, span_of
from streamlink_sql.errors import PolicyRefused
from streamlink_sql.types import Dialect


@dataclass(frozen=True, slots=True)
class Policy:
    """What may run for one role. `also` adds functions to the engine's reviewed list, `never` takes some away.

    `series_rows` is the length of one series, `series_pairs` that of all series of a query multiplied, as a cross join does.
    """

    also: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    series_rows: int = 1_000_000
    series_pairs: int = 100_000_000
    text_size: int = 10_000
    caps: Caps = CAPS


DEFAULT = Policy()

_SYSTEM_SCHEMAS = {"information_schema", "pg_catalog", "system", "temp", "sys", "global_temp"}
_HOME_SCHEMAS = {"", "main", "default"}
_SYSTEM_TABLE = re.compile(r"(?:sqlite|duckdb|pragma|pg)_\w+", re.IGNORECASE)
_FILE_LIKE = re.compile(
    r"[/\\*?]|://|\.(?:csv|tsv|txt|parquet|json|jsonl|ndjson|db|duckdb|sqlite|arrow|orc|avro|xlsx|gz|zst)$", re.IGNORECASE
)


@lru_cache(maxsize=8)
def functions(dialect: Dialect) -> frozenset[str]:
    """The reviewed functions of an engine, in lower case."""
    text = files(__package__).joinpath(f"functions_{dialect}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def check_tree(tree: exp.Query, dialect: Dialect, policy: Policy, tokens: list[Token]) -> None:
    """Raises PolicyRefused unless every node of the tree is allowed."""
    allowed = (functions(dialect) | policy.also) - policy.never
    pairs = 1.0
    for node in tree.walk():
        name = type(node).__name__
        if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
            _check_function(str(node.this).lower(), node, allowed, tokens)
        elif name in FUNCTION_KINDS:
            if policy.never:
                _check_not_taken_away(node, policy, tokens)
        elif isinstance(node, exp.Func) and name not in NODE_KINDS:
            _refuse_function(node.sql_name().lower(), node, tokens)
        elif name not in NODE_KINDS:
            raise PolicyRefused(refusals.construct(name, _spoken(name)), rule=_kind_rule(name), span=span_of(node))
        if isinstance(node, exp.GenerateSeries):
            pairs *= bounds.check_series(node, policy.series_rows)
        else:
            _check_bounds(name, node, policy)
    if pairs > policy.series_pairs:
        raise PolicyRefused(f"The series of a query make at most {policy.series_pairs:,} rows together.", rule="function.series_too_long")


def check_text(tokens: list[Token], tree: exp.Query, dialect: Dialect, policy: Policy) -> None:
    """The second look, at the text that will run: every word before a bracket is an allowed function, a known keyword or an alias.

    It does not depend on how sqlglot classifies functions.
    """
    allowed = (functions(dialect) | policy.also) - policy.never
    aliases = Counter(alias.name.lower() for alias in tree.find_all(exp.TableAlias) if alias.columns)
    before: Token | None = None
    for token in tokens:
        if token.token_type is TokenType.L_PAREN and before is not None and _is_word(before):
            quoted = before.token_type is TokenType.IDENTIFIER
            word = before.text.lower() if quoted else before.text.lower().split()[-1]
            if aliases[word] > 0:
                aliases[word] -= 1
            elif word not in allowed and (quoted or word not in WORDS_BEFORE_BRACKET):
                raise PolicyRefused(f"The function {before.text[:60]!r} is not allowed.", rule="function.unknown")
        if token.token_type is TokenType.SEMICOLON:
            raise PolicyRefused("One statement at a time.", rule="statement.many")
        before = token


def _is_word(token: Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or (
        token.token_type is not TokenType.STRING and token.text[:1].replace("_", "a").isalpha()
    )


def forbidden_table(name: str, schema: str) -> tuple[str, str] | None:
    """The rule and the reason when a name that the catalogue does not hold is worse than unknown: a system catalogue, or a file."""
    if schema.lower() in _SYSTEM_SCHEMAS or (schema.lower() in _HOME_SCHEMAS and _SYSTEM_TABLE.fullmatch(name)):
        return "table.system", "System catalogues cannot be read."
    if _FILE_LIKE.search(name):
        return "table.file", "Files cannot be read by name; ask for a table."
    return None


def _check_bounds(name: str, node: exp.Expr, policy: Policy) -> None:
    if name in _SIZE_CHECKED:
        bounds.check_size(node, policy.text_size)
    elif name in _CHECKS:
        _CHECKS[name](node)


def _check_function(name: str, node: exp.Expr, allowed: frozenset[str], tokens: list[Token]) -> None:
    if name not in allowed:
        raise PolicyRefused(
            f"The function {name[:60]!r} is not allowed.",
            rule="function.unknown",
            span=own_span(node) or _word_span(name, tokens),
            suggestions=nearest(name, set(allowed)),
        )
    if isinstance(node.parent, exp.Dot) and _is_name(node.parent.this):
        node.parent.set("this", exp.Paren(this=node.parent.this))  # so that what stands before the point is a column and never a schema
    if name in _CALLS_BY_NAME and isinstance(node, exp.Anonymous):
        bounds.check_called_by_name(node, allowed)


def _is_name(node: exp.Expr) -> bool:
    """Whether a node is nothing but names with points between them."""
    return isinstance(node, exp.Identifier) or (isinstance(node, exp.Dot) and _is_name(node.this) and _is_name(node.expression))


def _check_not_taken_away(node: exp.Expr, policy: Policy, tokens: list[Token]) -> None:
    if isinstance(node, exp.Func) and policy.never.intersection(name.lower() for name in node.sql_names()):
        _refuse_function(node.sql_name().lower(), node, tokens)


def _refuse_function(name: str, node: exp.Expr, tokens: list[Token]) -> None:
    raise PolicyRefused(f"The function {name!r} is not allowed.", rule="function.unknown", span=_word_span(name, tokens) or span_of(node))


def _word_span(name: str, tokens: list[Token]) -> list[int] | None:
    return next(([token.start, token.end + 1] for token in tokens if token.text.lower() == name), None)


def _spoken(kind: str) -> str:
    """`HistoricalData` as people say it: `Historical data`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).capitalize()


def _kind_rule(kind: str) -> str:
    """The rule of a refused node kind: statements inside a query have one of their own."""
    if kind in {
        "Insert",
        "Update",
        "Delete",
        "Merge",
        "Create",
        "Drop",
        "Alter",
        "Copy",
        "Command",
        "Set",
        "Into",
        "Attach",
        "Pragma",
        "Use",
    }:
        return "statement.not_query"
    if kind in {"Placeholder", "Parameter", "SessionParameter"}:
        return "node.parameter"
    return "node.not_allowed"


def _check_table(node: exp.Expr) -> None:
    """Only named tables and generated series stand in a FROM."""
    source = node.this
    if isinstance(source, exp.Func):
        if not isinstance(source, (exp.GenerateSeries, exp.Explode)) or node.args.get("db"):
            name = source.name if isinstance(source, exp.Anonymous) else source.sql_name()
            raise PolicyRefused(refusals.table_function(name), rule="function.table", span=span_of(node))
    elif not isinstance(source, exp.Identifier):
        raise PolicyRefused("This cannot be read from.", rule="node.not_allowed", span=span_of(node))


def _check_lateral(node: exp.Expr) -> None:
    inner = node.this
    if isinstance(inner, exp.Func) and not isinstance(
        inner, (exp.GenerateSeries, exp.Explode, exp.Unnest, exp.Inline, exp.Posexplode, exp.PosexplodeOuter)
    ):
        name = inner.name if isinstance(inner, exp.Anonymous) else inner.sql_name()
        raise PolicyRefused(refusals.table_function(name), rule="function.table", span=span_of(node))


_CHECKS = {
    "Table": _check_table,
    "Lateral": _check_lateral,
    "Limit": bounds.check_limit,
    "Offset": bounds.check_limit,
    "Fetch": bounds.check_limit,
    "With": bounds.check_recursion,
    "Group": bounds.check_cube,
    "DataType": bounds.check_type,
}
_CALLS_BY_NAME = {"list_aggregate", "list_aggr", "array_aggregate", "array_aggr"}
_SIZE_CHECKED = {"Anonymous", "Pad", "Repeat", "Format", "Space"}
