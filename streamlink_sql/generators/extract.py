"""Finds the SQL in what a language model writes: fences, prose around it, several statements, thoughts. Judges no SQL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THOUGHTS = re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[ \t]*([\w+-]*)[ \t]*\r?\n?(.*?)(```|\Z)", re.DOTALL)
_START = r"(?:SELECT\b|WITH\s++(?:RECURSIVE\s++)?[\w\"`]++\s*+(?:\([^)]*+\)\s*+)?AS\s*+(?:NOT\s++)?(?:MATERIALIZED\s*+)?\()"
_QUERY = re.compile(r"\A[\s(]*+" + _START, re.IGNORECASE)
_QUERY_AT_LINE = re.compile(r"^[ \t>*`]*+(?=\(*+" + _START + ")", re.MULTILINE | re.IGNORECASE)
_QUERY_IN_LINE = re.compile(r"(?:(?<=[:`])|(?<=[:`]\s))(?=" + _START + r")", re.IGNORECASE)
_QUERY_SHOUTED = re.compile(r"\b(?=(?:SELECT|WITH)\b)")
_PIECE = re.compile(r"'(?:[^']|'')*+'?|\"(?:[^\"]|\"\")*+\"?|--[^\n]*|/\*.*?(?:\*/|\Z)|;|[^'\";/-]+|.", re.DOTALL)
_ITEM = r"[\w.*\"`]++(?:\([^()]*+\))?(?:\s++AS\s++[\w\"`]++)?"
_HEADLESS = re.compile(rf"\A\s*+(?:DISTINCT\s++)?{_ITEM}(?:\s*+,\s*+{_ITEM})*\s++FROM\s++[\w\"`]", re.IGNORECASE)
_BLANK_LINE = re.compile(r"(\n[ \t]*\n)")
_GOES_ON = re.compile(
    r"(?:SELECT|FROM|WHERE|GROUP|ORDER|HAVING|LIMIT|OFFSET|UNION|INTERSECT|EXCEPT|AND|OR|ON|JOIN|LEFT|RIGHT|FULL|INNER|CROSS|WITH|WINDOW"
    r"|QUALIFY|CASE|WHEN|ELSE|END|AS)\b|[^A-Z*#>`]"
)
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """SQL found in a text; `closed` when the text shows where it ends, by a fence or a semicolon."""

    sql: str
    closed: bool


def find_sql(text: str) -> Found:
    """The first query of a text, else its first statement in a fence; empty where there is none."""
    text = _END_OF_THOUGHTS.sub("", _THOUGHTS.sub("", text)).strip()[:_LONGEST]
    if text.startswith("{"):
        text = _from_json(text)
    fences = [(body.strip(), bool(end)) for _, body, end in _FENCE.findall(text) if body.strip()]
    for body, closed in fences:
        found = _first_query(body, closed=closed)
        if found:
            return found
    if fences:
        return Found(*fences[0])
    return _in_prose(text)


def _from_json(text: str) -> str:
    """The query of an answer that is one JSON object; the text itself where it is none."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text
    values = [answer[name] for name in ("sql", "query", "SQL") if isinstance(answer.get(name), str)]
    return values[0] if values else text


def _in_prose(text: str) -> Found:
    """A query without a fence: where a line begins with one, then after a colon or a backtick, then in capitals anywhere."""
    for pattern in (_QUERY_AT_LINE, _QUERY_IN_LINE, _QUERY_SHOUTED):
        start = pattern.search(text)
        if start:
            rest = text[start.end() :]
            inline = text[: start.end()].endswith("`") and "`" in rest
            rest, closed = (rest[: rest.index("`")], True) if inline else _without_prose(rest)
            return _first_query(rest, closed=closed) or Found("", closed=False)
    if _HEADLESS.match(text):
        rest, closed = _without_prose("SELECT " + text)
        return _first_query(rest, closed=closed) or Found("", closed=False)
    return Found("", closed=False)


def _without_prose(text: str) -> tuple[str, bool]:
    """The text up to a paragraph that does not go on with SQL, and whether there is one."""
    kept = ""
    for paragraph in _BLANK_LINE.split(text):
        beginning = paragraph.lstrip()
        if kept and beginning and not _GOES_ON.match(beginning):
            return kept, True
        kept += paragraph
    return kept, False


def _first_query(text: str, *, closed: bool) -> Found | None:
    """The first statement that is a query; a semicolon or what follows shows that it is whole."""
    statements = _statements(text)
    for at, statement in enumerate(statements):
        if _QUERY.match(_without_comments(statement)):
            return Found(statement.strip(), closed or at < len(statements) - 1)
    if len(statements) == 1 and _HEADLESS.match(text):
        return Found(f"SELECT {text.strip()}", closed)
    return None


def _statements(text: str) -> list[str]:
    """The parts between semicolons, those in quotes and comments not counted."""
    parts = [""]
    for piece in _PIECE.findall(text):
        if piece == ";":
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _without_comments(statement: str) -> str:
    return re.sub(r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", "", statement, flags=re.DOTALL)
