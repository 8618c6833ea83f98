"""The text gate: size, characters, tokens. Looks at text before any parser does, in microseconds; knows nothing of tables or policy.

sqlglot parses some short texts in exponential time: it reads twice what stands inside a call named like a type (`date(`, `array[`),
and what follows a join without condition. `work` foretells that from the tokens, and texts past the cap never reach the parser.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import Dialect


@dataclass(frozen=True, slots=True)
class Caps:
    """What a text may cost: `work` is how many tokens the parser will handle, counting those that it reads again."""

    bytes: int = 16 * 1024
    tokens: int = 2_000
    nesting: int = 32
    joins: int = 40
    run: int = 20
    chain: int = 16
    work: int = 4_000


CAPS = Caps()

_PLAIN = re.compile(r"[\t\n\r\x20-\x7e]*")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FOREIGN_WORD = re.compile(r"[\w\x7f-\U0010ffff]+")
"""A word with the signs of other scripts beside it; a pattern that asks for such a sign within takes time by the square of the length."""
_BLANK_LETTERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_PREFIX = {
    TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.CASE, TokenType.INTERVAL, TokenType.PARAMETER, TokenType.FROM,
}  # fmt: skip
_CHAINED = {TokenType.DIV, TokenType.DCOLON, TokenType.L_BRACKET}
_ENDS_CHAIN = {TokenType.COMMA, TokenType.AND, TokenType.OR, TokenType.FROM, TokenType.ALIAS, TokenType.THEN, TokenType.ELSE}
_QUOTED = {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING, TokenType.RAW_STRING}
_UNCONDITIONAL = {TokenType.CROSS, TokenType.NATURAL}
_ENDS_JOINS = {
    TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT,
    TokenType.SELECT,
}  # fmt: skip
"""Words that can be no name, so that nothing before them is read again."""


@lru_cache(maxsize=8)
def sqlglot_dialect(dialect: Dialect) -> SqlglotDialect:
    """sqlglot's object for one of our dialects."""
    return SqlglotDialect.get_or_raise(dialect)


def tokens_of(sql: str, dialect: Dialect, caps: Caps = CAPS) -> list[Token]:
    """The tokens of a text that is small, plain and cheap enough to be parsed; raises InvalidSQL or PolicyRefused."""
    _check_size(sql, caps)
    check_variables(sql, dialect)
    plain = _PLAIN.fullmatch(sql) is not None
    if not plain or "\r" in sql:
        _check_everywhere(sql)
    try:
        tokens = sqlglot_dialect(dialect).tokenize(sql)
    except TokenError as error:
        raise InvalidSQL("The SQL has an unfinished string, name or comment.", rule="text.unfinished") from error
    if len(tokens) > caps.tokens:
        raise InvalidSQL(f"The SQL has more than {caps.tokens} words.", rule="text.too_many_tokens")
    if not plain:
        _check_outside_quotes(sql, tokens)
    check_shape(tokens, caps)
    return tokens


def check_variables(sql: str, dialect: Dialect) -> None:
    """Spark puts settings and the environment in the place of `${env:HOME}` before it parses, in strings and names as well."""
    if dialect == "spark" and (at := sql.find("${")) >= 0:
        raise PolicyRefused("Spark would put a setting in the place of ${...}.", rule="text.variable", span=[at, at + 2])


def _check_size(sql: str, caps: Caps) -> None:
    if not sql.strip():
        raise InvalidSQL("The SQL is empty.", rule="text.empty")
    try:
        size = len(sql) if sql.isascii() else len(sql.encode())
    except UnicodeEncodeError as error:
        raise PolicyRefused("The SQL holds a broken character.", rule="text.control_character", span=[error.start, error.end]) from error
    if size > caps.bytes:
        raise InvalidSQL(f"The SQL is longer than {caps.bytes // 1024} KB.", rule="text.too_long")


def _check_everywhere(sql: str) -> None:
    """No control characters, lone carriage returns or direction overrides, not even in strings."""
    for position, char in enumerate(sql):
        if (char < " " and char not in "\t\n\r") or char == "\x7f" or "\x80" <= char <= "\x9f" or _BIDI.match(char):
            _refuse_char(position, char)
        if char == "\r" and sql[position + 1 : position + 2] != "\n":
            _refuse_char(position, char)


def _refuse_char(position: int, char: str) -> None:
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    raise PolicyRefused(
        f"The character {name} is not allowed at position {position}.", rule="text.control_character", span=[position, position + 1]
    )


def _check_outside_quotes(sql: str, tokens: list[Token]) -> None:
    """Outside quotes: no invisible characters, odd blanks, or letters that look like others. Names in other scripts stay possible."""
    quoted = bytearray(len(sql))
    for token in tokens:
        if token.token_type in _QUOTED and token.end < len(sql) and sql[token.end] in "'\"`]":
            quoted[token.start : token.end + 1] = b"\1" * (token.end + 1 - token.start)
    for position, char in enumerate(sql):
        if char > "\x7e" and not quoted[position] and (unicodedata.category(char)[0] in "CZ" or _BLANK_LETTERS.match(char)):
            _refuse_char(position, char)
    for match in _FOREIGN_WORD.finditer(sql):
        if not quoted[match.start()] and not match.group().isascii() and _looks_alike(match.group()):
            raise PolicyRefused(
                f"The word {match.group()!r} holds letters that look like others; put it in quotes.",
                rule="text.look_alike",
                span=[match.start(), match.end()],
            )


def _looks_alike(word: str) -> bool:
    """True for full-width and other compatibility forms, and for Latin mixed with another script, as in a Cyrillic `а` in `hаr`."""
    if unicodedata.normalize("NFKC", word) != unicodedata.normalize("NFC", word):
        return True
    scripts = {unicodedata.name(char, "?").split()[0] for char in word if char.isalpha()}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})


def check_shape(tokens: list[Token], caps: Caps) -> None:
    """Joins, nesting, runs of prefixes, and the work that parsing will be."""
    types = _type_words()
    work = joins = run = chain = pending = doubled = 0
    stack: list[tuple[int, int]] = []
    before: Token | None = None
    for token in tokens:
        kind = token.token_type
        run = run + 1 if kind in _PREFIX else 0
        chain = (
            0
            if kind in _ENDS_CHAIN or kind in _ENDS_JOINS
            else chain + (kind in _CHAINED or (kind is TokenType.DOT and before is not None and before.token_type is TokenType.R_PAREN))
        )
        if kind in _OPEN:
            stack.append((pending, doubled))
            doubled += before is not None and before.token_type in types
            doubled, pending = doubled + pending, 0
        elif kind in _CLOSE and stack:
            pending, doubled = stack.pop()
        elif kind is TokenType.JOIN:
            joins += 1
            pending += before is None or before.token_type not in _UNCONDITIONAL
        elif kind in (TokenType.ON, TokenType.USING) and pending:
            pending -= 1
        elif kind in _ENDS_JOINS:
            pending = 0
        elif kind is TokenType.VAR and before is not None and before.token_type is TokenType.NUMBER and before.end + 1 == token.start:
            raise InvalidSQL("A number is glued to a word.", rule="text.number", span=[before.start, token.end + 1])
        work += 1 << min(doubled + pending, 30)
        if work > caps.work or joins > caps.joins or len(stack) > caps.nesting or run > caps.run or chain > caps.chain:
            raise InvalidSQL("The SQL is nested too deeply or joins too much.", rule="text.too_complex", span=[token.start, token.end + 1])
        before = token


@lru_cache(maxsize=1)
def _type_words() -> frozenset[TokenType]:
    from sqlglot.parser import Parser

    return frozenset(Parser.TYPE_TOKENS | {TokenType.ARRAY, TokenType.STRUCT, TokenType.MAP, TokenType.LATERAL}) - {TokenType.IDENTIFIER}
