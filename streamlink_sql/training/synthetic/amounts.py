"""Templates for the part of an amount that comes from the rows under a condition: alone, by group, ranked, over the years."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import Filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.rates import plain_rate
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.sql import Core, percent, year
from streamlink_sql.training.synthetic.subject import dimension, subject
from streamlink_sql.training.synthetic.templates import template


def _amount(m: Maker, table: Tab) -> tuple[Col, str] | None:
    """A column that can be added up, and the words for its sum."""
    cols = [col for col in table.of("measure") if col.additive]
    if not cols:
        return None
    col = m.rng.choice(cols)
    return col, m.say("[the {n}|the total {n}|total {n}|the {n}|all {n}|the sum of the {n}|the overall {n}]", n=m.phrase(col))


def _part(m: Maker, table: Tab, found: Filter, amount: str) -> str:
    """The words for the part: "percentage of the revenue from online orders"."""
    nouns = phrases.noun(table, m.rng)[1]
    who = "who" if table.people else "that"
    rows = f"{found.pre} {nouns}" if found.pre and m.rng.random() < 0.7 else f"{nouns} {who} {found.says}"
    part = m.say("[percentage|percentage|share|proportion|part in percent]")
    return m.say(
        "{x} of {a} [that comes from|from|due to|of|that is due to|in|for] {r}"
        if part != "part in percent"
        else "[part of {a} from {r} in percent|part in percent of {a} due to {r}|percent of {a} from {r}]",
        x=part,
        a=amount,
        r=rows,
    )


@template("amount_percent", 2.5)
def amount_percent(m: Maker, table: Tab) -> Pair | None:
    """The part of an amount, over all rows or over some."""
    chosen, found = _amount(m, table), plain_rate(m, table, ())
    if chosen is None or found is None or chosen[0] in found.columns:
        return None
    col, amount = chosen
    few = m.rng.random() < 0.3
    s = subject(m, table, most=1, used=(*found.columns, col), parents=False) if few else subject(m, table, most=0)
    if s.filters:
        amount = f"{amount} of {s.many}"
    nouns = s.plain[1]
    rows = f"{found.pre} {nouns}" if found.pre and m.rng.random() < 0.7 else f"{nouns} {s.who} {found.says}"
    question = m.say(
        "[what percentage of {a} comes from {r}|what share of {a} [is due to|falls on|comes from|goes to] {r}|"
        "how many percent of {a} [is from|come from|go to] {r}|"
        "what part of {a} in percent [comes from|is due to] {r}|how much of {a} in percent [comes from|is due to] {r}|"
        "[percentage|share|proportion] of {a} [from|due to|that comes from] {r}|what proportion of {a} [is due to|comes from] {r}|"
        "of {a}, what [percentage|share] [comes from|is due to|belongs to] {r}|{r}: percent of {a}]",
        a=amount,
        r=rows,
    )
    return Pair(question, str(s.core(percent(found.sql, col.ref))), "percentage_amount")


@template("amount_percent_group", 2)
def amount_percent_group(m: Maker, table: Tab) -> Pair | None:
    """The part of each group's amount: for every group, ranked, or the group where it is largest."""
    chosen, dim = _amount(m, table), dimension(m, table, dates=False)
    found = plain_rate(m, table, dim.columns) if dim else None
    if chosen is None or dim is None or found is None or chosen[0] in found.columns:
        return None
    col, amount = chosen
    part, measure = _part(m, table, found, amount), percent(found.sql, col.ref)
    how, down = m.rng.random(), m.rng.random() < 0.75
    order = f"{measure} {'DESC' if down else 'ASC'}"
    if how < 0.3:
        question = m.say("which {o} has the {h} {r}", o=dim.name, h="highest" if down else "lowest", r=part)
        return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, "", order, 1)), "percentage_amount")
    if how < 0.5:
        n = m.rng.choice((5, 10, 20, 25, 30, 40, 50, 60, 75))
        question = m.say(
            "[which {d} have|{d} with|list the {d} with] a {r} [over|above|of more than] {n}[%| %| percent]", d=dim.many, r=part, n=str(n)
        )
        return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, f"{measure} > {n}")), "percentage_amount")
    question = m.say(
        "[{r} [per|by|for each] {d}|what is the {r} [for|of] each {d}|show the {r} [per|for each] {d}|for each {d}, the {r}]",
        r=part,
        d=dim.name,
    )
    if how < 0.65:
        question += m.say("[, highest first|, in descending order|, largest first]" if down else "[, lowest first|, in ascending order]")
    else:
        order = ""
    return Pair(question, str(Core((*dim.keys, measure), table.name, dim.edges, (), dim.keys, "", order)), "percentage_amount")


@template("amount_percent_trend", 1)
def amount_percent_trend(m: Maker, table: Tab) -> Pair | None:
    """How the part of an amount changed over the years."""
    dates = table.of("date", "year")
    chosen, found = _amount(m, table), plain_rate(m, table, tuple(dates))
    if not dates or chosen is None or found is None or chosen[0] in found.columns:
        return None
    main = [col for col in dates if "bare" in col.attrs or "verb" in col.attrs] or dates
    part, key = _part(m, table, found, chosen[1]), year(main[0])
    question = m.say(
        "[how has the {r} changed [per|by] year|{r} [per|by|for each] year|show the {r} year by year|{r} over the years]", r=part
    )
    return Pair(question, str(Core((key, percent(found.sql, chosen[0].ref)), table.name, (), (), (key,), "", key)), "percentage_amount")
