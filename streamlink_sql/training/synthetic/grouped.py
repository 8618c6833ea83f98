"""Templates with groups: measures, trends, shares, the largest groups, limits on groups."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.moments import when
from streamlink_sql.training.synthetic.schema import Tab
from streamlink_sql.training.synthetic.sql import month_of_year, percent, share, year
from streamlink_sql.training.synthetic.subject import TIMES, Dim, Measure, Subject, column_measure, dimension, subject
from streamlink_sql.training.synthetic.templates import template


def measured(m: Maker, table: Tab, s: Subject, column: float = 0.5, extremes: bool = True) -> tuple[Measure, str]:
    """A count or an aggregate, with the words for it over the subject's rows; without `extremes` no minimum and no maximum."""
    found = column_measure(m, table) if m.rng.random() < column else None
    if found is not None and found.kind in ("min", "max") and not extremes:
        found = None
    if found is not None and not any(col in item.columns for item in s.filters for col in found.columns):
        return found, m.say("{n} of {p}", n=found.words, p=s.many)
    return Measure("count(*)", "number of", "count"), m.say("number of {p}", p=s.many)


@template("group", 6)
def group(m: Maker, table: Tab) -> Pair | None:
    """A measure for each group."""
    dim = dimension(m, table)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s)
    how = "[per|for each|by|per|for every]"
    pattern = (
        f"[{{w}} {how} {{d}}|what is the {{w}} {how} {{d}}|show the {{w}} {how} {{d}}|give me the {{w}} {how} {{d}}|"
        f"{how.replace('by', 'per')} {{d}}, what is the {{w}}|list the {{w}} {how} {{d}}|find the {{w}} {how} {{d}}]"
    )
    if measure.kind == "count":
        pattern = pattern[:-1] + (
            f"|how many {{p}} are there {how} {{d}}|how many {{p}} {how} {{d}}|count {{p}} {how} {{d}}|{{p}} {how} {{d}}|"
            f"count of {{p}} grouped by {{d}}]"
        )
    question = m.say(pattern, w=words, d=dim.long or dim.name, p=s.many)
    category = "trend" if dim.kind in TIMES else f"group_{measure.kind}"
    return Pair(question, str(s.core(*dim.keys, measure.sql, edges=dim.edges, group=dim.keys, order=dim.by_time)), category)


@template("trend", 4)
def trend(m: Maker, table: Tab) -> Pair | None:
    """A measure over time."""
    cols = table.of("date", "year")
    if not cols:
        return None
    main = [col for col in cols if "verb" in col.attrs or "bare" in col.attrs]
    col = (main or cols)[0]
    s = subject(m, table, most=1, used=cols)
    measure, words = measured(m, table, s, 0.45)
    kind = m.rng.choices(("year", "month", "quarter"), (5, 3, 2))[0] if col.role == "date" else "year"
    keys = {"year": (year(col),), "month": (month_of_year(col),), "quarter": (year(col), f"quarter({col.ref})")}[kind]
    where: tuple[str, ...] = ()
    tail = ""
    if kind != "year" and m.rng.random() < 0.4:
        moment = m.cell(col)
        at = moment.year  # type: ignore[union-attr]
        where, tail = (f"{year(col)} = {at}",), f" in {at}"
        keys = (f"{kind}({col.ref})",)
    elif kind == "year" and m.rng.random() < 0.3:
        sql, said, sort = when(m, col)
        if sort not in ("date_since", "date_between", "date_after", "date_before", "date_last", "date_until"):
            return None
        where, tail = (sql,), " " + said
    clear = main == [col] or len(cols) == 1 and ("verb" in col.attrs or "bare" in col.attrs)
    of = "" if clear and len(main) == 1 else f" of {m.phrase(col)}"
    pattern = (
        "[{w} per {k}|{w} by {k}|{w} over the {k}s|how did the {w} change per {k}|how did the {w} develop by {k}|"
        "trend of the {w} per {k}|{y} {w}|show the {y} {w}|show the {w} for each {k}|"
        "how has the {w} changed from {k} to {k}|{w} {k} by {k}|how did the {w} develop {k} by {k}|{w} for each {k}, in order of time|"
        "development of the {w} per {k}|{w} in each {k}]"
    )
    if measure.kind == "count":
        pattern = pattern[:-1] + "|how many {p} per {k}|how many {p} were there each {k}|{p} per {k}]"
    if of:
        pattern = "[{w} per {k}|{w} by {k}|show the {w} per {k}|how did the {w} change by {k}]"
    question = m.say(pattern, w=words, k=kind + of, y={"year": "yearly", "month": "monthly", "quarter": "quarterly"}[kind], p=s.many) + tail
    if of:
        question = question.replace(f"{kind} of year", "year").replace(f"{kind} of {kind}", kind)
    return Pair(question, str(s.core(*keys, measure.sql, where=where, group=keys, order=", ".join(keys))), "trend")


@template("top_group", 4)
def top_group(m: Maker, table: Tab) -> Pair | None:
    """The k groups with the largest measure, with the measure."""
    dim = dimension(m, table, dates=False, entity=0.7)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, extremes=False)
    k, largest = m.rng.choice((3, 3, 5, 5, 5, 10, 10, 2, 20)), m.rng.random() < 0.85
    if measure.kind == "count" and m.rng.random() < 0.3:
        words = s.many
    word = "top" if largest else m.say("[bottom|lowest]")
    pattern = (
        "[{t} {k} {d} by {w}|what are the {t} {k} {d} by {w}|show the {t} {k} {d} by {w}|list the {t} {k} {d} by {w}|"
        "{t} {k} {d} in terms of {w}|give me the {t} {k} {d} by {w}|rank the {t} {k} {d} by {w}|"
        "{k} {d} with the {h} {w}, with the figures]"
    )
    question = m.say(pattern, t=word, k=phrases.number(k, m.rng), d=dim.many, w=words, h="highest" if largest else "lowest")
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    return Pair(question, str(s.core(*dim.keys, measure.sql, edges=dim.edges, group=dim.keys, order=order, limit=k)), "top_k_group")


def with_most(m: Maker, dim: Dim, s: Subject, measure: Measure, words: str, largest: bool) -> str:
    edge = dim.tie
    if measure.kind != "count":
        return m.say("has the [highest|largest|greatest] {w}" if largest else "has the [lowest|smallest] {w}", w=words)
    if edge is not None and "has" in edge.child.attrs and m.rng.random() < 0.7:
        return m.say(
            "[{v} the {q} {p}|{v} the {x} number of {p}]",
            v=phrases.has_one(edge.child.attrs["has"]),
            p=s.many,
            q="most" if largest else "fewest",
            x="largest" if largest else "smallest",
        )
    return m.say(
        "[has the {q} {p}|has the {q} {p}|has the {x} number of {p}]",
        p=s.many,
        q="most" if largest else "fewest",
        x="[largest|highest]" if largest else "[smallest|lowest]",
    )


@template("most", 5)
def most(m: Maker, table: Tab) -> Pair | None:
    """The group with the largest measure: its name only."""
    dim = dimension(m, table, entity=0.65)
    if dim is None or dim.kind == "quarter":
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, 0.4, extremes=False)
    largest = m.rng.random() < 0.75
    verb = m.say(with_most(m, dim, s, measure, words, largest))
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    core = s.core(*dim.keys, edges=dim.edges, group=dim.keys, order=order, limit=1)
    if dim.kind in TIMES and measure.kind == "count":
        pattern = "[in which {d} were there the {q} {p}|which {d} had the {q} {p}|what {d} saw the {q} {p}]"
        question = m.say(pattern, d=dim.name, q="most" if largest else "fewest", p=s.many)
    elif dim.kind == "category" and measure.kind == "count" and largest and m.rng.random() < 0.35:
        question = m.say(
            "[what is the most [common|frequent] {d} of {p}|most [common|frequent] {d} among {p}|which {d} is the most common among {p}]",
            d=dim.name,
            p=s.many,
        )
    else:
        who = "who" if dim.table is not None and dim.table.people and m.rng.random() < 0.3 else f"which {dim.name}"
        question = m.say(
            "[{o} {v}|{o} {v}|find the {d} that {v}|what is the {d} that {v}|show the {d} that {v}|name the {d} that {v}]",
            o=who,
            d=dim.name,
            v=verb,
        )
    return Pair(question, str(core), "most")


@template("most_several", 1.5)
def most_several(m: Maker, table: Tab) -> Pair | None:
    """The k groups with the largest count: names only."""
    dim = dimension(m, table, dates=False, entity=0.8)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    k, largest = m.rng.choice((2, 3, 3, 5, 5, 10)), m.rng.random() < 0.8
    order = f"count(*) {'DESC' if largest else 'ASC'}"
    pattern = (
        "[which {k} {d} have the {q} {p}|the {k} {d} with the {q} {p}|what are the {k} {d} with the {q} {p}|"
        "list the {k} {d} that have the {q} {p}]"
    )
    question = m.say(pattern, k=phrases.number(k, m.rng), d=dim.many, q="most" if largest else "fewest", p=s.many)
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, order=order, limit=k)), "most")


@template("most_common", 1.2)
def most_common(m: Maker, table: Tab) -> Pair | None:
    """The k commonest values of a category, with how often they occur."""
    dim = dimension(m, table, dates=False, entity=0.25)
    if dim is None or dim.kind != "category":
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    k, often = m.rng.choice((2, 3, 3, 5, 5, 10)), m.rng.random() < 0.8
    question = m.say(
        "[{k} {a} {d} [among|of] {p}|show the {k} {a} {d} [among|of] {p}|list the {k} {a} {d} of {p}|the {k} {a} {d} among {p}]",
        k=phrases.number(k, m.rng),
        a=m.say("most [common|frequent]" if often else "least [common|frequent]"),
        d=dim.many,
        p=s.many,
    )
    order = f"count(*) {'DESC' if often else 'ASC'}"
    return Pair(question, str(s.core(*dim.keys, "count(*)", edges=dim.edges, group=dim.keys, order=order, limit=k)), "top_k_group")


@template("group_order", 1.5)
def group_order(m: Maker, table: Tab) -> Pair | None:
    """Groups with their measure, in order of the measure."""
    dim = dimension(m, table, dates=False)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, extremes=False)
    down = m.rng.random() < 0.8
    tail = (
        "[in descending order|from highest to lowest|highest first|sorted descending]"
        if down
        else "[in ascending order|from lowest to highest|lowest first]"
    )
    question = m.say(
        "[{w} per {d} "
        + tail
        + "|show the {w} for each {d} "
        + tail
        + "|rank {e} by {w}"
        + ("" if down else ", lowest first")
        + "|{e} ranked by {w}"
        + ("" if down else ", lowest first")
        + "]",
        w=words,
        d=dim.name,
        e=dim.many,
    )
    order = f"{measure.sql} {'DESC' if down else 'ASC'}"
    return Pair(question, str(s.core(*dim.keys, measure.sql, edges=dim.edges, group=dim.keys, order=order)), "group_order")


@template("group_two", 1.5)
def group_two(m: Maker, table: Tab) -> Pair | None:
    """A measure for each pair of groups."""
    first = dimension(m, table, dates=False)
    second = dimension(m, table, used=first.columns) if first else None
    if (
        first is None
        or second is None
        or first.linked
        and second.linked
        or set(first.edges) & set(second.edges)
        or second.kind == "quarter"
    ):
        return None
    if first.edges and second.edges and first.edges[-1].parent.table == second.edges[-1].parent.table:
        return None
    s = subject(m, table, most=1, used=(*first.columns, *second.columns), parents=not (first.edges or second.edges))
    measure, words = measured(m, table, s, 0.45)
    keys = (*first.keys, *second.keys)
    question = m.say(
        (
            "[{w} [per|by|for each] {a} and {b}|show the {w} [by|per] {a} and {b}|{w} broken down by {a} and {b}|"
            "what is the {w} for each {a} and {b}]"
        ),
        w=words,
        a=first.name,
        b=second.name,
    )
    return Pair(question, str(s.core(*keys, measure.sql, edges=(*first.edges, *second.edges), group=keys)), "group_two")


@template("group_several", 1)
def group_several(m: Maker, table: Tab) -> Pair | None:
    """Two measures for each group."""
    dim = dimension(m, table, dates=False)
    first = column_measure(m, table)
    if dim is None or first is None:
        return None
    s = subject(m, table, most=0)
    other = column_measure(m, table, first.columns) if m.rng.random() < 0.5 else None
    if other is None:
        words = m.say("number of {p} and {n}", p=s.many, n=first.words)
        select = ("count(*)", first.sql)
    else:
        words, select = m.say("{a} and {b} of {p}", a=first.words, b=other.words, p=s.many), (first.sql, other.sql)
    question = m.say(
        "[{w} [per|for each|by] {d}|show the {w} [per|for each|by] {d}|what are the {w} [per|for each] {d}]", w=words, d=dim.name
    )
    return Pair(question, str(s.core(*dim.keys, *select, edges=dim.edges, group=dim.keys)), "group_several")


LIMITS = (
    (">", "[more than|more than|over]"),
    (">=", "[at least|no fewer than]"),
    ("<", "[fewer than|less than]"),
    ("=", "exactly"),
    ("<=", "[at most|no more than]"),
)


def limit_words(m: Maker, high: int = 12) -> tuple[str, str, int]:
    operator, pattern = m.rng.choices(LIMITS, (6, 4, 2, 1, 1))[0]
    n = (
        m.rng.choice((1, 2, 2, 3, 3, 4, 5, 5, 6, 8, 10, high))
        if operator in (">", "=")
        else m.rng.choice((2, 3, 3, 4, 5, 5, 6, 8, 10, high))
    )
    return operator, m.say(pattern + " {n}", n=phrases.number(n, m.rng)), n


@template("having", 4)
def having(m: Maker, table: Tab) -> Pair | None:
    """Groups whose count or aggregate passes a limit."""
    dim = dimension(m, table, dates=False, entity=0.75)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, 0.35, extremes=False)
    if measure.kind == "count":
        operator, limit, n = limit_words(m, 20)
        edge = dim.tie
        verb = edge.child.attrs["has"] if edge and "has" in edge.child.attrs and m.rng.random() < 0.5 else "have"
        thing = s.one if n == 1 else s.many
        who = "who" if dim.table is not None and dim.table.people else "that"
        behind = m.say("[with {l} {p}|{w} {v} {l} {p}]", l=limit, p=thing, v=verb, w=who)
        question = m.say(
            "[which {d} {v} {l} {p}|{d} {b}|list the {d} {b}|show {d} {b}|find the {d} {b}|what are the {d} {b}]",
            d=dim.many,
            v=verb,
            l=limit,
            p=thing,
            b=behind,
        )
        sql = f"count(*) {operator} {n}"
    else:
        above = m.rng.random() < 0.6
        value = phrases.round_number(m.limit(measure.columns[0]) * (20 if measure.kind == "sum" else 1), m.rng)
        pattern = "[above|over|more than|greater than|higher than]" if above else "[below|under|less than|lower than]"
        limit = m.say(pattern) + " " + phrases.amount(measure.columns[0], value, m.rng)
        full = words if s.filters or m.rng.random() < 0.3 else measure.words
        pattern = (
            "[which {d} have {a} {l}|{d} with {a} {l}|list the {d} with {a} {l}|show the {d} whose {w} is {l}|"
            "find {d} where the {w} is {l}]"
        )
        question = m.say(pattern, d=dim.many, w=full, a=phrases.indefinite(full), l=limit)
        sql = f"{measure.sql} {'>' if above else '<'} {value}"
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, having=sql)), "having")


@template("share", 2.5)
def shares(m: Maker, table: Tab) -> Pair | None:
    """The share of each group in the total."""
    dim = dimension(m, table, dates=False, entity=0.35)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, 0.45)
    if measure.kind not in ("count", "sum"):
        return None
    if measure.kind == "count":
        pattern = (
            "[what is the share of each {d} in all {p}|what share of all {p} does each {d} have|"
            "of all {p}, what percentage belongs to each {d}|distribution of {p} by {d} in percent]"
        )
        if not s.filters:
            pattern = (
                (
                    "[share of {p} [per|by|for each] {d}|percentage of {p} [per|by] {d}|what percentage of {p} falls on each {d}|"
                    "show the percentage of {p} for each {d}|what share of {p} does each {d} have|"
                )
                + pattern
                + "]"
            )
        question = m.say(pattern, p=s.many, d=dim.name)
    else:
        question = m.say(
            (
                "[share of the {w} [per|by] {d}|percentage of the {w} [per|by] {d}|what share of the {w} does each {d} have|"
                "each {o} share of the {w}|what percentage of the {w} comes from each {d}]"
            ),
            w=words,
            d=dim.name,
            o=f"{dim.name}'s",
        )
    return Pair(question, str(s.core(*dim.keys, share(measure.sql), edges=dim.edges, group=dim.keys)), "share")


@template("percent_group", 1.5)
def percent_group(m: Maker, table: Tab) -> Pair | None:
    """The part of each group's rows that satisfies a condition."""
    dim = dimension(m, table, dates=False)
    found = table_filter(m, table, dim.columns) if dim else None
    if dim is None or found is None or found.kind in ("date_last",):
        return None
    s = subject(m, table, most=0)
    who = "who" if table.people else "that"
    question = m.say(
        (
            "[percentage of {p} {w} {s} per {d}|what percentage of {p} {s} for each {d}|"
            "for each {d}, what percentage of {p} {s}|by {d}, the share of {p} {w} {s}|"
            "show for each {d} the percentage of {p} {w} {s}]"
        ),
        p=s.many,
        w=who,
        s=found.says,
        d=dim.name,
    )
    return Pair(question, str(s.core(*dim.keys, percent(found.sql), edges=dim.edges, group=dim.keys)), "percentage_group")
