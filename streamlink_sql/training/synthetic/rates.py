"""Templates for the part of the rows that satisfies a condition: by group, ranked, over the years."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import Filter, table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.moments import when
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.sql import Core, percent, year
from streamlink_sql.training.synthetic.subject import Dim, dimension
from streamlink_sql.training.synthetic.templates import template

_FRACTIONS = {10: "a tenth", 20: "a fifth", 25: "a quarter", 50: "half", 75: "three quarters"}
SINCE = ("date_since", "date_between", "date_after", "date_last")


def plain_rate(m: Maker, table: Tab, used: tuple[Col, ...]) -> Filter | None:
    """A condition fit for a rate: on one column, not on the last years."""
    found = table_filter(m, table, used)
    return None if found is None or found.kind == "date_last" or " OR " in found.sql else found


def _rated_groups(m: Maker, table: Tab) -> tuple[Dim, Filter] | None:
    """Groups, and a condition whose rate in them is asked for."""
    dim = dimension(m, table, dates=False)
    found = plain_rate(m, table, dim.columns) if dim else None
    return None if dim is None or found is None else (dim, found)


@template("rate_limit", 1.5)
def rate_limit(m: Maker, table: Tab) -> Pair | None:
    """Groups in which more than n per cent of the rows satisfy a condition."""
    rated = _rated_groups(m, table)
    if rated is None:
        return None
    dim, found = rated
    n, more = m.rng.choice((5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90)), m.rng.random() < 0.75
    limit = m.say("[more than|over|at least]" if more else "[less than|under]")
    part = m.say("{n}[%| %| percent| per cent]", n=str(n))
    if n in _FRACTIONS and m.rng.random() < 0.5:
        part = m.say(_FRACTIONS[n])
    words = phrases.noun(table, m.rng)
    sign = ">=" if limit == "at least" else ">" if more else "<"
    question = m.say(
        (
            "[in which {d} {l} {x} of {p} {s}|which {d} have {l} {x} of {p} that {s}|{d} where {l} {x} of the {p} {s}|"
            "list the {d} in which {l} {x} of the {p} {s}|for which {d} do {l} {x} of the {p} {q}]"
        ),
        d=dim.many,
        l=limit,
        x=part,
        p=words[1],
        s=found.says,
        q=found.says.replace("are ", "count as ", 1) if found.says.startswith("are ") else found.says,
    )
    core = Core(dim.keys, table.name, dim.edges, (), dim.keys, f"{percent(found.sql)} {sign} {n}")
    return Pair(question, str(core), "having_percentage")


@template("rate_ranked", 2)
def rate_ranked(m: Maker, table: Tab) -> Pair | None:
    """The part of each group's rows that satisfies a condition, in order; or the group where it is largest."""
    rated = _rated_groups(m, table)
    if rated is None:
        return None
    dim, found = rated
    words = phrases.noun(table, m.rng)
    who = "who" if table.people else "that"
    down = m.rng.random() < 0.75
    order = f"{percent(found.sql)} {'DESC' if down else 'ASC'}"
    part = m.say("[percentage|share|proportion] of {p} {w} {s}", p=words[1], w=who, s=found.says)
    if found.pre:
        part = m.say("[percentage of {a} {p}|share of {a} {p}|{a} rate in percent|percentage of {p} that are {a}]", a=found.pre, p=words[1])
    if m.rng.random() < 0.45:
        k = m.rng.choice((1, 1, 1, 3, 5))
        question = m.say(
            "which {k} {d} have the {h} {r}" if k > 1 else "which {o} has the {h} {r}",
            k=phrases.number(k, m.rng),
            d=dim.many,
            o=dim.name,
            h="highest" if down else "lowest",
            r=part,
        )
        return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, "", order, k)), "percentage_most")
    tail = m.say(
        "[, highest first|, best first|, in descending order|, largest first]" if down else "[, lowest first|, in ascending order]"
    )
    question = m.say("[{r} [per|by|for each] {d}|what is the {r} of each {d}|show the {r} [per|for each] {d}]", r=part, d=dim.name) + tail
    core = Core((*dim.keys, percent(found.sql)), table.name, dim.edges, (), dim.keys, "", order)
    return Pair(question, str(core), "percentage_group")


@template("rate_trend", 1.5)
def rate_trend(m: Maker, table: Tab) -> Pair | None:
    """How the part of the rows that satisfies a condition changed over the years."""
    dates = table.of("date", "year")
    if not dates:
        return None
    main = [col for col in dates if "bare" in col.attrs or "verb" in col.attrs] or dates
    col = main[0]
    found = plain_rate(m, table, tuple(dates))
    if found is None:
        return None
    where: tuple[str, ...] = ()
    tail = ""
    if m.rng.random() < 0.4:
        sql, said, sort = when(m, col)
        if sort not in SINCE:
            return None
        where, tail = (sql,), " " + said
    words = phrases.noun(table, m.rng)
    question = m.say(
        (
            "[how has the [percentage|share] of {p} {w} {s} [changed|developed] [per|by] year{t}|"
            "[percentage|share|proportion] of {p} {w} {s} [per|by|for each] year{t}|"
            "show the [percentage|share] of {p} {w} {s} year by year{t}|"
            "what [percentage|share] of {p} {s} in each year{t}]"
        ),
        p=words[1],
        w="who" if table.people else "that",
        s=found.says,
        t=tail,
    )
    key = (year(col),)
    return Pair(question, str(Core((*key, percent(found.sql)), table.name, (), where, key, "", key[0])), "percentage_trend")
