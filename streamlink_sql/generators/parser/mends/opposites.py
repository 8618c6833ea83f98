"""What is said to be not so by the beginning of its word: "undelivered", "inactive", "non-smoking". Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamlink_sql.catalog.values import normalise
from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.schema import NUMBERS, Schema
from streamlink_sql.generators.parser.tokens import Val
from streamlink_sql.generators.parser.tree import Condition, Predicate, Query, Ref, with_conditions

_NOT = ("un", "in", "non", "dis", "im", "ir")
_HOW_MANY = ("num", "nr", "number", "count", "n")
_HAVING = frozenset(("with", "having", "have", "has"))
_TRUE = frozenset(("1", "true"))
_NO_VALUE = frozenset(
    "unknown missing null known blank empty unset undefined recorded value values know knows given stated specified reported filled".split()
)


def with_opposites(query: Query, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Query:
    """The same, and a value or flag that the question names by its opposite alone is not meant; a flag that is asked for is no question
    of having a value. `said` are the words of the literals."""
    is_known, has = _NO_VALUE.isdisjoint(words), not _HAVING.isdisjoint(words)

    def meant(condition: Condition) -> Condition:
        match condition:
            case Predicate("IS_NULL" | "NOT_NULL" as name, Ref(column) as flag) if is_known and _is_flag(column, schema):
                return Predicate("EQ", flag, (Val(int(name == "NOT_NULL" and not _is_denied(column, words, schema))),))
            case Predicate("IS_NULL", Ref(column) as count) if is_known and _is_count(column, schema):
                return Predicate("EQ", count, (Val(0),))
            case Predicate("NOT_NULL", Ref(column) as count) if is_known and has and _is_count(column, schema):
                return Predicate("GT", count, (Val(0),))
            case Predicate("EQ", Ref(column) as flag, (Val(value),)) if _is_flag(column, schema) and str(value).lower() in _TRUE:
                return Predicate("EQ", flag, (Val(0),)) if _is_denied(column, words, schema) else condition
            case Predicate("EQ", left, (Val(str() as value) as text,)) if value in said and _is_opposite(said[value], value, words):
                return Predicate("NE", left, (text,))
        return condition

    return with_conditions(query, meant)


def _is_flag(column: int, schema: Schema) -> bool:
    return schema.columns[column][1].kind == "boolean"


def _is_count(column: int, schema: Schema) -> bool:
    """Whether a column says how many of something there are: who has no children has 0 of them."""
    own, named = schema.columns[column][1], plain_name(schema.columns[column][1].name).split()
    return own.kind in NUMBERS and (named[-1:] == ["count"] or (len(named) > 1 and named[0] in _HOW_MANY and "id" not in named))


def _is_denied(column: int, words: Sequence[str], schema: Schema) -> bool:
    """Whether the opposite of a flag's name is said, and never the name."""
    named = plain_name(schema.columns[column][1].name).split()[-1:]
    return bool(named) and named[0] not in words and any(_denies(word, named[0]) for word in words)


def _is_opposite(span: Span, value: str, words: Sequence[str]) -> bool:
    text = normalise(" ".join(words[span[0] : span[1] + 1]))
    before = normalise(words[span[0] - 1]) if span[0] else ""
    return _denies(text, normalise(value)) or (before == "non" and text == normalise(value))


def _denies(word: str, name: str) -> bool:
    plain = normalise(word)
    return len(name) > 2 and any(plain.removeprefix(start).strip() == name for start in _NOT if plain.startswith(start) and plain != name)
