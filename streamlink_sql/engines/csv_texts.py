"""A second look at the text columns of a CSV file: numbers, amounts and dates that DuckDB leaves as text. In a child or in `ingest`.

A column is converted where every value of it fits one way of writing and at least one fits no other; else it stays text, with a note.
Amounts of money, percentages and measures are numbers where all carry one mark. Among numbers and dates, "n/a" and the like are no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from streamlink_sql.engines.spelling import literal, quoted

_NO_VALUE = ("", "n/a", "n.a.", "na", "#n/a", "nan", "null", "none", "nil", "-", "--", "---", "–", "—")
_POINT = r"[+-]?(?:0|[1-9]\d{0,17}|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3})(?:\.\d+)?"
_POINT_PROOF = r"[+-]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d\d?(?:,\d\d)+,\d{3}(?:\.\d+)?)"
_COMMA = r"[+-]?(?:0|[1-9]\d{0,17}|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?"
_COMMA_PROOF = r"[+-]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,}))"
_BLANK = r"[ \x{a0}\x{202f}]"
_NUMBER_LIKE = r"(?:[+-]?\d[\d., \x{a0}\x{202f}'’]*-?|\(\d[\d., ]*\))"
_BELOW_ZERO = r"\(.*\)|.*\d-"
"""How accountants write it: in brackets, or with the sign behind."""
_GROUPED = r"-?[1-9]\d{0,2}(?:[ \x{a0}\x{202f}'’]\d{3})+(?:[.,]\d+)?"
_CURRENCY = r"(?:(?:US|CA|AU|NZ|HK)?\$|€|£|¥|₹|USD|EUR|GBP|CHF|JPY|CAD|AUD|INR|CNY)"
_UNIT = "(?:kg|mg|g|lbs?|oz|km/h|km²|km|cm|mm|m²|m³|m|mi|ft|ha|ml|l|kWh|MWh|kW|MW|°C|°F|[KMGT]B|ms|min|hrs?|h|s|pcs|px)"
_MARK = rf"{_BLANK}?({_CURRENCY}|%|{_UNIT}$){_BLANK}?"
_MARKED = rf"\(?[+-]? ?(?:{_CURRENCY} ?{_NUMBER_LIKE}|{_NUMBER_LIKE}(?:{_CURRENCY}|%|{_UNIT}))\)?"
_COMMA_FOR_THOUSANDS = frozenset("$ US$ CA$ AU$ NZ$ HK$ USD CAD AUD £ GBP ¥ JPY ₹ INR CNY".split())
_DAY_LIKE = (
    r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}",
    r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}",
    r"\d{1,2}[-/]\d{1,2}[-/]\d{2}",
    r"\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?,? ?\d{2,4}",
)
_DATE_LIKE = rf"(?:{'|'.join(_DAY_LIKE)})(?:[ T]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?: ?[AaPp][Mm])?)?"
_DAYS = (
    "%Y-%m-%d %d/%m/%Y %m/%d/%Y %d.%m.%Y %d-%m-%Y %m-%d-%Y %Y/%m/%d %Y.%m.%d %d/%m/%y %m/%d/%y %y/%m/%d %d-%m-%y %m-%d-%y %y-%m-%d".split()
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = tuple(day + time for time in _TIMES for day in _DAYS)
_FIRST_ROWS = 2_000
_MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a column: SQL that converts it, a note, or neither."""

    sql: str = ""
    note: str = ""


def convert(connection: duckdb.DuckDBPyConnection, parquet: str, file: str) -> list[str]:
    """Converts what can be converted in the Parquet file made of `file`; returns notes for the reader."""
    reading = f"read_parquet({literal(parquet)})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {reading}").fetchall()
    names = [str(row[0]) for row in described if row[1] == "VARCHAR"]
    found = {name: _verdict(connection, reading, name) for name in _candidates(connection, reading, names)}
    changed = ", ".join(f"{verdict.sql} AS {quoted(name)}" for name, verdict in found.items() if verdict.sql)
    if changed:
        made = parquet + ".typed"
        connection.execute(f"COPY (SELECT * REPLACE ({changed}) FROM {reading}) TO {literal(made)} (FORMAT parquet)")
        Path(made).replace(parquet)
    return [f"{file}: the column {name} {verdict.note}" for name, verdict in found.items() if verdict.note]


def _candidates(connection: duckdb.DuckDBPyConnection, reading: str, names: list[str]) -> list[str]:
    """The columns whose values mostly look like numbers or dates."""
    if not names:
        return []
    like = f"(?:{_NUMBER_LIKE}|{_DATE_LIKE}|{_MARKED})"
    counts = ", ".join(f"count({_value(n)}), {_fits(_value(n), like)}" for n in names)
    row = connection.execute(f"SELECT {counts} FROM {reading}").fetchall()[0]
    pairs = zip(names, row[::2], row[1::2], strict=True)
    return [name for name, filled, fitting in pairs if filled and fitting >= _MOSTLY * filled]


def _verdict(connection: duckdb.DuckDBPyConnection, reading: str, name: str) -> _Verdict:
    value = _value(name)
    asked = (
        f"count({value})",
        f"count_if(trim({quoted(name)}) <> '' AND {value} IS NULL)",
        *(_fits(value, pattern) for pattern in (_DATE_LIKE, _MARKED, _BELOW_ZERO)),
        f"{_fits(value, _GROUPED)} > 0 AND bool_or({value} SIMILAR TO '.*[.,].*')",
        f"list(DISTINCT {_mark(value)}) FILTER ({value} IS NOT NULL)",
    )
    row = connection.execute(f"SELECT {', '.join(asked)} FROM {reading}").fetchall()[0]
    whole, without, dates, amounts, below, grouped, marks = row
    if dates >= _MOSTLY * whole:
        return _date(connection, reading, value)
    if amounts >= _MOSTLY * whole:
        return _amount(connection, reading, value, marks)
    proven = bool(without or 0 < below < whole or grouped)
    return _number(connection, reading, _plain(value) if proven else value, proven=proven)


def _amount(connection: duckdb.DuckDBPyConnection, reading: str, value: str, marks: Sequence[str]) -> _Verdict:
    """Money, percentages and measures."""
    if "" in marks:
        return _Verdict(note="is text: most of its values are amounts, but not all. Mend the others to compute with it.")
    if len(marks) > 1:
        return _Verdict(note=f"is text: its amounts are in {', '.join(sorted(marks))}. Put the amount and what it is in into two columns.")
    bare = _plain(f"regexp_replace({value}, {literal(_MARK)}, '')")
    return _number(connection, reading, bare, proven=True, thousands=marks[0] in _COMMA_FOR_THOUSANDS, kind="DOUBLE")


def _plain(value: str) -> str:
    """The number with its sign in front and without blanks between thousands."""
    signed = f"regexp_replace(regexp_replace({value}, '^\\((.*)\\)$', '-\\1'), '^(.*\\d)-$', '-\\1')"
    joined = f"regexp_replace({signed}, {literal(_BLANK[:-1] + chr(39) + '’]')}, '', 'g')"
    return f"CASE WHEN regexp_full_match({signed}, {literal(_GROUPED)}) THEN {joined} ELSE {signed} END"


def _number(
    connection: duckdb.DuckDBPyConnection, reading: str, value: str, *, proven: bool = False, thousands: bool = False, kind: str = ""
) -> _Verdict:
    """`proven`: DuckDB cannot have read these as numbers anyhow; `thousands`: a comma stands between thousands, whatever it looks like;
    `kind` is their type, else whole numbers are BIGINT."""
    patterns = {"point": _POINT, "point proof": _POINT_PROOF, "comma": _COMMA, "comma proof": _COMMA_PROOF}
    counts = [_fits(value, pattern) for pattern in patterns.values()]
    counts += [f"count({value})", f"count_if({value} SIMILAR TO '.*[.,].*')"]
    row = connection.execute(f"SELECT {', '.join(counts)} FROM {reading}").fetchall()[0]
    seen: dict[str, int] = dict(zip((*patterns, "all", "marked"), row, strict=True))
    whole = seen["all"]
    either = seen["point"] == whole and seen["comma"] == whole and seen["marked"] and not thousands
    kind = kind or ("DOUBLE" if seen["marked"] else "BIGINT")
    if seen["point"] == whole and (seen["point proof"] or (proven and not either)):
        return _Verdict(f"CAST(replace({value}, ',', '') AS {kind})")
    if seen["comma"] == whole and (seen["comma proof"] or (proven and not either)):
        return _Verdict(f"CAST(replace(replace({value}, '.', ''), ',', '.') AS {kind})")
    if either:
        return _Verdict(note="is text: 1,234 could be a thousand or a fraction. Write it without the comma, or with a point.")
    if seen["point proof"] and seen["comma proof"]:
        return _Verdict(note="is text: it has numbers with a decimal point and numbers with a decimal comma.")
    if seen["marked"] and max(seen["point"], seen["comma"]) >= _MOSTLY * whole and max(seen["point proof"], seen["comma proof"]):
        return _Verdict(note="is text: most of its values are numbers, but not all. Mend the others to compute with it.")
    return _Verdict()


def _fits(value: str, pattern: str) -> str:
    return f"count_if(regexp_full_match({value}, {literal(pattern)}))"


def _mark(value: str) -> str:
    return f"regexp_extract({value}, {literal(_MARK)}, 1)"


def _date(connection: duckdb.DuckDBPyConnection, reading: str, value: str) -> _Verdict:
    likely = _fitting(connection, f"(SELECT * FROM {reading} LIMIT {_FIRST_ROWS})", value, _FORMATS)
    fitting = _fitting(connection, reading, value, likely)
    if len(fitting) == 1:
        return _Verdict(f"CAST(strptime({value}, {literal(fitting[0])}) AS {'TIMESTAMP' if '%M' in fitting[0] else 'DATE'})")
    if fitting:
        return _Verdict(note="is text: its dates can be read in more than one way. Write them as 2024-12-31.")
    return _Verdict(note="is text: it has dates in more than one form, or that do not exist. Write all of them as 2024-12-31.")


def _fitting(connection: duckdb.DuckDBPyConnection, reading: str, value: str, forms: Sequence[str]) -> list[str]:
    """The forms that every value is written in. `%Y` alone would read 24 as the year 24, so its years must have four digits."""
    if not forms:
        return []
    long_year = f"regexp_matches({value}, '\\d{{4}}')"
    fits = (f"({long_year} = {'%Y' in form} AND try_strptime({value}, {literal(form)}) IS NOT NULL)" for form in forms)
    row = connection.execute(f"SELECT {', '.join(f'count_if({each}) = count({value})' for each in fits)} FROM {reading}").fetchall()[0]
    return [form for form, all_fit in zip(forms, row, strict=True) if all_fit]


def _value(name: str) -> str:
    """A cell without blanks around it; nothing where it says that there is nothing."""
    trimmed = f"trim({quoted(name)})"
    return f"CASE WHEN lower({trimmed}) NOT IN ({', '.join(map(literal, _NO_VALUE))}) THEN {trimmed} END"
