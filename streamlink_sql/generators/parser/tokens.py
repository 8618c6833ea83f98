"""The tokens of the intermediate representation. Holds data only."""

from __future__ import annotations

from dataclasses import dataclass


class NotCovered(ValueError):
    """The query says something that the representation cannot; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Col:
    """A column, counted over all tables of the schema in order."""

    index: int


@dataclass(frozen=True, slots=True)
class Tab:
    """A table of the schema."""

    index: int


@dataclass(frozen=True, slots=True)
class Val:
    """A literal; dates are ISO text."""

    value: str | int | float


Token = str | Col | Tab | Val
"""A keyword is its own name."""

SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT", "UNION_ALL")
_FIRST_AGGREGATES = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX")
AGGREGATES = (*_FIRST_AGGREGATES, "MEDIAN")
SEQUENCES = ("RUNNING", "CHANGE")
"""An aggregate over the groups in their order: its sum so far, and its difference from the group before."""
FUNCTIONS = ("YEAR", "QUARTER", "MONTH", "DECADE", "DAY", "WEEKDAY", "YEAR_MONTH", "LENGTH")
ARITHMETIC = ("ADD", "SUB", "MUL", "DIV")
COMPARISONS = ("EQ", "NE", "LT", "LE", "GT", "GE")
PATTERNS = ("CONTAINS", "NOT_CONTAINS", "STARTS", "ENDS", "LIKE", "NOT_LIKE")
LAST = ("LAST_YEARS", "LAST_MONTHS")
LAST_DAYS, PARTS_OF_TIMES = "LAST_DAYS", ("DATE", "HOUR", "AGE", "DAY_NAME")
"""What no network says: its units are years and months. Mending writes them where the question says days, weeks, hours, ages or names."""
LENGTHS = ("DAYS", "HOURS", "MINUTES")
"""How long it is from the second of two moments to the first, as a number, which no network says either."""
STATISTICS, ROUND = (*(f"P{share}" for share in range(1, 100)), "STDDEV", "VARIANCE"), "ROUND"
"""Aggregates that the network is shown a median for, percentiles first; and rounding to so many decimals, of which it is shown nothing."""

KEYWORDS: tuple[str, ...] = (
    *("SELECT", "SELECT_DISTINCT", "END"),
    *SET_OPERATIONS,
    *("FROM", "ON", "WHERE", "GROUP", "HAVING", "ORDER", "ASC", "DESC", "LIMIT"),
    *_FIRST_AGGREGATES,
    *FUNCTIONS,
    *ARITHMETIC,
    *("SHARE", "PERCENT", "OPEN", "CLOSE", "AND", "OR"),
    *COMPARISONS,
    "BETWEEN",
    *PATTERNS,
    *("IN", "NOT_IN", "IS_NULL", "NOT_NULL"),
    *LAST,
    *("EXISTS", "NOT_EXISTS"),
    *("SECOND", "OUTER", "LEFT"),
    *("MEDIAN", "FILTER", "EACH", "OFFSET"),
    *SEQUENCES,
)
"""Trained weights depend on this order: new keywords go to the end."""
NEGATIVE = frozenset(("NE", "EXCEPT", "IS_NULL", *(keyword for keyword in KEYWORDS if keyword.startswith("NOT_"))))
"""Keywords by which a query says what is not."""
