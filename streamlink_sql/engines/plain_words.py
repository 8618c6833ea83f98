"""Plain words for what a database says of SQL that it cannot run. Knows texts of DuckDB and SQLite; asks neither."""

from __future__ import annotations

import re

from streamlink_sql.errors import InvalidSQL

_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r'column "(?P<a>[^"]+)" must appear in the GROUP BY',
        "The column {a} is neither grouped by nor totalled, so it has no single value for each group.",
    ),
    (
        r"No function matches the given name and argument types '(?P<a>[^(]+)\((?P<b>.*?)\)'",
        "{a} cannot be used with values of these types: {b}.",
    ),
    (
        r'Could not choose a best candidate function for the function call "(?P<a>[^(]+)\((?P<b>.*?)\)"',
        "{a} cannot be used with values of these types: {b}.",
    ),
    (r"Cannot (?:compare|mix|combine) values of type (?P<a>.+?) (?:and|to|in|with)", "It compares or mixes values of different types."),
    (r"Referenced column \"(?P<a>[^\"]+)\" not found|no such column: (?P<b>\S+)", "There is no column {a}{b} where the SQL looks for it."),
    (r"(?:Table with name|Catalog Error: .*?) (?P<a>\S+) does not exist|no such table: (?P<b>\S+)", "There is no table {a}{b}."),
    (r"no such function: (?P<a>\S+)|Function with name (?P<b>\S+) does not exist", "There is no function {a}{b} in this database."),
    (r"wrong number of arguments to function (?P<a>[^(\s]+)", "{a} is given too many or too few values."),
    (r"Ambiguous reference|ambiguous column name|duplicate alias", "A name could mean two things: give each table an alias of its own."),
    (
        r"WHERE clause cannot contain (?P<a>aggregates|window)|misuse of (?P<b>aggregate|window)",
        "A total stands where single rows are filtered: it belongs into HAVING (or QUALIFY).",
    ),
    (r"aggregate function calls cannot be nested", "A total is taken of a total: make the inner one in a subquery."),
    (
        r"same number of result columns|left and right of (?:UNION|EXCEPT|INTERSECT)",
        "The queries that are put together return different numbers of columns.",
    ),
    (
        r"Subquery returns (?P<a>\d+) columns|sub-select returns (?P<b>\d+) columns",
        "A subquery returns {a}{b} columns where one is needed.",
    ),
    (r"More than one row returned by a subquery", "A subquery that stands for one value returns more than one row."),
    (r"ORDER (?:BY )?term out of range|term out of range", "It orders or groups by the number of a column that the result does not have."),
    (r"Cannot extract field|is not a struct", "It takes a field of a column that holds single values."),
    (r"Not implemented Error|not supported", "The database does not support what this SQL does."),
    (r"Parser Error|syntax error", "The database cannot read this SQL."),
)
_LONGEST = 300
_TYPES: tuple[tuple[str, str], ...] = (
    (r"\b(?:VARCHAR|STRING_LITERAL)\b", "text"),
    (r"\b(?:U?(?:BIG|HUGE|SMALL|TINY)INT|U?INTEGER|INTEGER_LITERAL)\b", "whole number"),
    (r"\b(?:DOUBLE|FLOAT|DECIMAL(?:\(\d+,\s*\d+\))?)", "number"),
    (r"\bTIMESTAMP(?: WITH TIME ZONE|_\w+)?\b", "moment"),
    (r"\bDATE\b", "date"),
    (r"\bBOOLEAN\b", "true or false"),
)


def invalid(text: str, log: str = "") -> InvalidSQL:
    """The error for SQL that the database turned down: what that means, then the database's own words."""
    said = re.sub(r"\s+", " ", text.strip().split("\n", 1)[0])
    said = re.sub(r"^(?:[A-Z]\w+ )+Error: ", "", said)
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    return InvalidSQL(f"{meaning(text)} The database says: {said.rstrip('.!')}.", rule="engine.refused", log=log)


def meaning(text: str) -> str:
    """What a message of a database means, as a sentence."""
    for message, words in _MEANINGS:
        if found := re.search(message, text):
            named = {"a": "", "b": ""} | {name: value or "" for name, value in found.groupdict().items()}
            for mark, word in _TYPES:
                named["b"] = re.sub(mark, word, named["b"])
            return words.format_map(named)
    return "The database cannot run this SQL on these tables."
