"""Conditions on time: years, decades, months, quarters, days, weekdays, the last n years."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence

from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col
from streamlink_sql.training.synthetic.sql import decade, quote, year


def when(maker: Maker, col: Col) -> tuple[str, str, str]:
    """A condition on time: SQL, words, kind."""
    rng = maker.rng
    years = maker.years(col)
    at, of_year = rng.choice(years[1:-1] or years), year(col)
    forms: list[tuple[float, Callable[[], tuple[str, str, str]]]] = [
        (5, lambda: (f"{of_year} = {at}", maker.say("[in|in|in|in|in|in|during|in the year] {v}", v=str(at)), "date_year")),
        (
            2,
            lambda: (
                f"{of_year} >= {at}",
                maker.say("[since {v}|since {v}|since {v}|from {v} on|from {v} onwards|in {v} or later]", v=str(at)),
                "date_since",
            ),
        ),
        (2, lambda: (f"{of_year} > {at}", f"after {at}", "date_after")),
        (2, lambda: (f"{of_year} < {at}", maker.say("[before|prior to|earlier than] {v}", v=str(at)), "date_before")),
        (1, lambda: (f"{of_year} <= {at}", maker.say("[until|up to|up to and including] {v}", v=str(at)), "date_until")),
        (2, lambda: _between_years(maker, of_year, years)),
        (1.5, lambda: (f"{decade(col)} = {at // 10 * 10}", maker.say("in the {v}s", v=str(at // 10 * 10)), "date_decade")),
        (1.5, lambda: _last(maker, col)),
    ]
    if col.role == "date":
        moment = maker.cell(col)
        assert isinstance(moment, dt.date)
        forms += [
            (2, lambda: _month(maker, col, moment)),
            (1.5, lambda: _quarter(maker, col, moment)),
            (3, lambda: _day(maker, col, moment)),
        ]
        forms += [(0.7, lambda: _weekday(maker, col, moment))]
        if col.gen == "date":
            forms += [(1, lambda: _months(maker, col, moment))]
    return rng.choices([make for _, make in forms], [weight for weight, _ in forms])[0]()


def _between_years(maker: Maker, of_year: str, years: Sequence[int]) -> tuple[str, str, str]:
    low = maker.rng.choice(years[:-1] or years)
    high = maker.rng.choice([at for at in years if at > low] or [low + 1])
    words = maker.say("[between {a} and {b}|between {a} and {b}|from {a} to {b}|from {a} through {b}|in {a}-{b}]", a=str(low), b=str(high))
    return f"{of_year} BETWEEN {low} AND {high}", words, "date_between"


def _last(maker: Maker, col: Col) -> tuple[str, str, str]:
    count = maker.rng.choice((2, 3, 4, 5, 6, 10))
    said = phrases.number(count, maker.rng)
    table = f"⟦{col.table}⁄⟧"
    if col.role == "date" and maker.rng.random() < 0.3:
        words = maker.say("[in|over|during|within] the [last|past] {n} months", n=said)
        return f"{col.ref} > (SELECT max({quote(col.name)}) FROM {table}) - INTERVAL {count} MONTH", words, "date_last"
    words = maker.say("[in|over|during|within] the [last|past|most recent] {n} years", n=said)
    inner = f"year({quote(col.name)})" if col.role == "date" else quote(col.name)
    return f"{year(col)} > (SELECT max({inner}) FROM {table}) - {count}", words, "date_last"


def _month(maker: Maker, col: Col, moment: dt.date) -> tuple[str, str, str]:
    name = maker.rng.choice((calendar.month_name, calendar.month_name, calendar.month_abbr))[moment.month]
    if maker.rng.random() < 0.25:
        return (
            f"month({col.ref}) = {moment.month}",
            maker.say("in [the month of |]{m} [of any year|]", m=calendar.month_name[moment.month]),
            "date_month",
        )
    words = maker.say("[in|during] {m} {y}", m=name, y=str(moment.year))
    return f"year({col.ref}) = {moment.year} AND month({col.ref}) = {moment.month}", words, "date_month"


def _months(maker: Maker, col: Col, moment: dt.date) -> tuple[str, str, str]:
    """From one month to another, or half a year."""
    first = dt.date(moment.year, moment.month, 1)
    months = maker.rng.choice((2, 3, 4, 6, 8, 11, 12, 18, 24))
    if maker.rng.random() < 0.3:
        first, months = first.replace(month=1 if moment.month < 7 else 7), 6
    end = dt.date(first.year + (first.month + months - 2) // 12, (first.month + months - 2) % 12 + 1, 1)
    last = end.replace(day=calendar.monthrange(end.year, end.month)[1])
    a, b = (calendar.month_name[at.month] for at in (first, last))
    within = "[from {a} to {b} {z}|from {a} {y} to {b} {z}|between {a} and {b} {z}]"
    across = "[from {a} {y} to {b} {z}|between {a} {y} and {b} {z}]"
    words = maker.say(within if first.year == last.year else across, a=a, b=b, y=str(first.year), z=str(last.year))
    return f"{col.ref} BETWEEN '{first.isoformat()}' AND '{last.isoformat()}'", words, "date_between"


def _quarter(maker: Maker, col: Col, moment: dt.date) -> tuple[str, str, str]:
    quarter = (moment.month + 2) // 3
    name = "first second third fourth".split()[quarter - 1]
    words = maker.say("in [Q{q} {y}|Q{q} of {y}|the {n} quarter of {y}|quarter {q} of {y}]", q=str(quarter), n=name, y=str(moment.year))
    return f"year({col.ref}) = {moment.year} AND quarter({col.ref}) = {quarter}", words, "date_quarter"


def _day(maker: Maker, col: Col, moment: dt.date) -> tuple[str, str, str]:
    date = dt.date(moment.year, moment.month, moment.day)
    said, iso = phrases.day(date, maker.rng), date.isoformat()
    options = [(">", "[after|later than] {d}"), ("<", "[before|earlier than] {d}")]
    if col.gen == "date":
        options += [("=", "on {d}"), (">=", "[since|on or after|from {d} on|starting]"), ("<=", "[on or before|until|up to]")]
    operator, pattern = maker.rng.choice(options)
    words = maker.say(pattern, d=said)
    if said not in words:
        words = f"{words} {said}"
    return f"{col.ref} {operator} '{iso}'", words, "date_day"


def _weekday(maker: Maker, col: Col, moment: dt.date) -> tuple[str, str, str]:
    name = calendar.day_name[moment.weekday()]
    return f"dayofweek({col.ref}) = {moment.isoweekday() % 7}", maker.say("on [a {d}|{d}s]", d=name), "date_weekday"
