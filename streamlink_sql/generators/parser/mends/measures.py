"""Numbers in the unit of their column: "cheaper than 20 euros" of `price_cents` is below 2,000. Knows no model and no SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamlink_sql.generators.parser.actions import Span
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.schema import NUMBERS, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, Val
from streamlink_sql.generators.parser.tree import Aggregate, Arithmetic, Condition, Expr, Predicate, Query, Ref, with_conditions

Units = Mapping[str, float]
"""How much each unit is, by all of its names."""


def _units(**sizes: float) -> Units:
    """By names in their singular; several of one unit are joined by `_or_`."""
    return {name: size for names, size in sizes.items() for name in names.split("_or_")}


_QUANTITIES: tuple[Units, ...] = (
    {**_units(cent_or_ct_or_eurocent=1, euro_or_eur_or_dollar_or_usd_or_buck=100), "€": 100, "$": 100},
    {**_units(penny_or_pence=1, pound_or_gbp_or_quid=100), "£": 100},
    _units(
        mg_or_milligram=1e-3,
        g_or_gr_or_gram_or_gramme=1,
        kg_or_kgs_or_kilo_or_kilogram=1e3,
        t_or_ton_or_tonne=1e6,
        lb_or_pound=453.59237,
        oz_or_ounce=28.349523125,
    ),
    _units(
        mm_or_millimetre_or_millimeter=1,
        cm_or_centimetre_or_centimeter=10,
        m_or_metre_or_meter=1e3,
        km_or_kilometre_or_kilometer=1e6,
        inch_or_inche=25.4,
        ft_or_foot_or_feet=304.8,
        mi_or_mile=1_609_344,
    ),
    _units(month_or_mo=1, quarter=3, year_or_yr=12, decade=120),
    _units(
        ms_or_millisecond_or_milli=1,
        s_or_sec_or_second=1e3,
        min_or_minute=6e4,
        h_or_hr_or_hour=3.6e6,
        d_or_day=8.64e7,
        week_or_wk=6.048e8,
        month=2.592e9,
        year=3.1536e10,
    ),
    _units(ml_or_millilitre_or_milliliter=1, cl_or_centilitre=10, l_or_ltr_or_litre_or_liter=1e3),
    _units(b_or_byte=1, kb_or_kilobyte=1e3, mb_or_megabyte=1e6, gb_or_gigabyte=1e9, tb_or_terabyte=1e12),
    _units(wh=1, kwh=1e3, mwh=1e6, gwh=1e9),
    _units(w_or_watt=1, kw_or_kilowatt=1e3, mw_or_megawatt=1e6, gw_or_gigawatt=1e9),
)
_TOTALS = ("SUM", "AVG", "MIN", "MAX", "MEDIAN")
_CALENDAR = frozenset(("second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade"))
"""What is no unit in a column's name, and none behind "in": `birth_year`, "in month 5"."""
_TIMES = _QUANTITIES[5]
_SLOWER = {"LT": "GT", "LE": "GE"}
"""What takes longer is slower, which networks take for less."""
_BETWEEN = ("and", "or", "to", "-", "–")


def in_column_units(query: Query, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Query:
    """The same, with numbers that the question gives in another unit than their column's name turned into that, and figures that it wants
    "in hours" into these. `said` are the words of the literals."""

    def in_its_unit(condition: Condition) -> Condition:
        match condition:
            case Predicate(name, left, right) if left is not None and name in (*COMPARISONS, "BETWEEN"):
                right = tuple(_converted(value, left, said, words, schema) for value in right)
                return Predicate(_SLOWER.get(name, name) if _takes_longer(left, words, schema) else name, left, right)
        return condition

    whole = with_conditions(query, in_its_unit)
    wanted = [
        after for word, after, rest in zip(words, words[1:], [*words[2:], ""], strict=False) if word == "in" and _is_unit(after, rest)
    ]
    first = whole.cores[0]
    items = tuple(_shown(item, wanted, schema) for item in first.items)
    return whole if items == first.items else replace(whole, cores=(replace(first, items=items), *whole.cores[1:]))


def _takes_longer(left: Expr, words: Sequence[str], schema: Schema) -> bool:
    """Whether a column of times is to be longer: "slower than 2 seconds" of `response_ms`."""
    ref = left.of if isinstance(left, Aggregate) and left.name in _TOTALS else left
    name = plain_name(schema.columns[ref.column][1].name).split() if isinstance(ref, Ref) else []
    return "slower" in words and len(name) > 1 and name[-1] not in _CALENDAR and _size(name[-1], _TIMES) is not None


def _is_unit(word: str, following: str) -> bool:
    return word not in _CALENDAR and read_number(following) is None


def _converted(value: Expr, left: Expr, said: Mapping[str, Span], words: Sequence[str], schema: Schema) -> Expr:
    if not isinstance(value, Val) or not isinstance(value.value, (int, float)) or str(value.value) not in said:
        return value
    factor = _factor(left, _beside(said[str(value.value)], words), schema)
    return value if factor is None else Val(_round(value.value * factor))


def _beside(span: Span, words: Sequence[str]) -> list[str]:
    """The words that may be a number's unit: in or behind it, behind the other end of a range, glued to it, or a sign before it."""
    first, last = span
    behind = list(words[last + 1 : last + 4])
    if behind[:1] == ["-"]:
        behind = behind[1:]
    if len(behind) > 2 and behind[0] in _BETWEEN and read_number(behind[1]) is not None:
        behind = behind[2:]
    own = words[first : last + 1]
    return [*own, *(word.lstrip("0123456789.,") for word in own), *behind[:1], *words[max(0, first - 1) : first]]


def _shown(item: Expr, wanted: Sequence[str], schema: Schema) -> Expr:
    factor = _factor(item, wanted, schema)
    if factor is None:
        return item
    return Arithmetic("DIV", item, Val(_round(factor))) if factor > 1 else Arithmetic("MUL", item, Val(_round(1 / factor)))


def _factor(measured: Expr, said: Sequence[str], schema: Schema) -> float | None:
    """How many of its column's unit the one that is said has; None where they are of one size, or not of one quantity."""
    ref = measured.of if isinstance(measured, Aggregate) and measured.name in _TOTALS else measured
    if not isinstance(ref, Ref) or schema.columns[ref.column][1].kind not in NUMBERS:
        return None
    name = plain_name(schema.columns[ref.column][1].name).split()
    for units in _QUANTITIES:
        own = _size(name[-1], units) if len(name) > 1 and name[-1] not in _CALENDAR else None
        other = next((size for word in said if (size := _size(word, units)) is not None), None)
        if own is not None and other is not None:
            return None if own == other else other / own
    return None


def _size(word: str, units: Units) -> float | None:
    return units.get(word, units.get(word.removesuffix("s")))


def _round(number: float) -> int | float:
    near = round(number, 6)
    return int(near) if near == int(near) else near
