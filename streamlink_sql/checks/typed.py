"""Tells SQL that was typed where a question was expected. Judges no more than that; what runs passes `check` all the same."""

from __future__ import annotations

import re

from sqlglot import exp

from streamlink_sql.checks import names, syntax, text
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import Dialect, Table

_BEGINS = re.compile(r"\s*\(*\s*(?:select|with|from|values)\b", re.IGNORECASE)
_SURELY = re.compile(r"\s*\(*\s*select\s+(?:distinct\s+)?(?:\*|\w+\()", re.IGNORECASE)
_PUNCTUATED = re.compile(r"[*=<>;]|\w\(|\b(?:group|order)\s+by\b|\blimit\s+\d|\bvalues\s*\(", re.IGNORECASE)


def may_be_sql(asked: str) -> bool:
    """Whether a text begins as a query does; most questions do not."""
    return _BEGINS.match(asked) is not None


def is_sql(asked: str, tables: tuple[Table, ...], dialect: Dialect) -> bool:
    """Whether a text is SQL: it parses and its names exist, or it is spelt as nobody spells a question.

    "Select all patents from Germany" parses too; as no table is called Germany, it is a question.
    """
    if not may_be_sql(asked):
        return False
    if _SURELY.match(asked):
        return True
    try:
        tree = syntax.parse(text.tokens_of(asked, dialect, text.CAPS), asked, dialect)
    except (InvalidSQL, PolicyRefused):
        return False
    if _PUNCTUATED.search(asked):
        return True
    try:
        return bool(names.resolve(tree, tables, dialect).tables) or _is_constant(tree)
    except (InvalidSQL, PolicyRefused):
        return False


def _is_constant(tree: exp.Query) -> bool:
    """Whether it is `SELECT 1` or the like; "select 5 customers" names its value."""
    return bool(tree.selects) and tree.find(exp.Column, exp.Alias, exp.Star, exp.Table) is None
