"""Templates that hold groups and rows against a named one; figures over the first few, the best year, several limits side by side."""

from __future__ import annotations

import re

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.compared import Side, of_kinds
from streamlink_sql.training.synthetic.extremes import superlative
from streamlink_sql.training.synthetic.filters import Filter, table_filter
from streamlink_sql.training.synthetic.grouped import limit_words
from streamlink_sql.training.synthetic.limited import group_key
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.rates import plain_rate
from streamlink_sql.training.synthetic.schema import Col, Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, of_those, percent, year
from streamlink_sql.training.synthetic.subject import attach, dimension, subject
from streamlink_sql.training.synthetic.templates import template


def _has_nulls(col: Col) -> bool:
    return float(col.attrs.get("null", 0)) > 0


def _average(m: Maker, table: Tab) -> tuple[Col, str] | None:
    cols = table.of("measure")
    if not cols:
        return None
    col = m.rng.choice(cols)
    return col, m.phrase(col)


@template("than_named", 3)
def than_named(m: Maker, table: Tab) -> Pair | None:
    """Groups with more rows, or a larger or smaller average or total, than one that is named."""
    dim = dimension(m, table, dates=False)
    if dim is None or dim.linked or len(dim.columns) != 1 or dim.columns[0].aliases or _has_nulls(dim.columns[0]):
        return None
    col = dim.columns[0]
    value = str(m.cell(col))
    figured = _average(m, table) if m.rng.random() < 0.4 else None
    s = subject(m, table, most=1, used=(*dim.columns, *((figured[0],) if figured else ())), parents=False)
    if re.search(r"\bthan\b", s.many):
        return None
    the = f"{dim.name} {value}" if len(value) < 4 or m.rng.random() < 0.25 else value
    if figured is None:
        more, figure, than = True, "count(*)", f"more {s.many} than {the}"
        ask = "[which {d} have {t}|{d} with {t}|list the {d} that have {t}|what {d} have {t}|name the {d} with {t}]"
    else:
        more = m.rng.random() < 0.65
        kind = "avg" if not figured[0].additive or m.rng.random() < 0.6 else "sum"
        figure, high = f"{kind}({figured[0].ref})", "higher" if more else "lower"
        name = m.say("[average|mean] {n}" if kind == "avg" else "[total|overall] {n}", n=figured[1])
        of = f" of {s.many}" if s.filters else ""
        than = f"a {high} {name}{of} than {the}"
        ask = f"[which {{d}} have {{t}}|{{d}} with {{t}}|list the {{d}} with {{t}}|for which {{d}} is the {{n}}{{o}} {high} than for {{v}}]"
        ask = ask.replace("{n}", name).replace("{o}", of).replace("{v}", the)
    inner = s.core(figure, edges=dim.edges, where=(f"{col.ref} = {literal(value)}",))
    having = f"{figure} {'>' if more else '<'} ({inner})"
    if m.rng.random() < 0.25 and figured is None:
        question = m.say("[how many {d} have {t}|number of {d} with {t}]", d=dim.many, t=than)
        key, edges = group_key(dim)
        groups = s.core(key, edges=edges, group=(key,), having=having)
        return Pair(question, f"SELECT count(*) FROM ({groups})", "than_named")
    question = m.say(ask, d=dim.many, t=than)
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, having=having)), "than_named")


def _days(m: Maker, table: Tab) -> tuple[str, str] | None:
    """The days between two dates, as SQL and as what takes them: "from order to delivery"."""
    for end in table.of("date"):
        start = next((col for col in table.cols if col.name == end.attrs.get("after")), None)
        if start is not None and start.gen == "date" and end.gen == "date":
            names = [m.phrase(col).removesuffix(" date").removeprefix("date of ") for col in (start, end)]
            return f"{end.ref} - {start.ref}", f"from {names[0]} to {names[1]}"
    return None


@template("than_kind", 2.5)
def than_kind(m: Maker, table: Tab) -> Pair | None:
    """Rows above or below the average, or beyond all, of one kind; the rows perhaps of that kind, of another, or any."""
    one, many = phrases.noun(table, m.rng)
    found = of_kinds(m, table, many, ())
    if found is None:
        return None
    kind, first, other = found
    days, figured = _days(m, table) if m.rng.random() < 0.3 else None, _average(m, table)
    how, more = m.rng.random(), m.rng.random() < 0.65
    asked = other if how < 0.35 else first if how < 0.7 else Side("", many, "")
    average = f"the average {other.many.replace(many, one, 1)}" if many in other.many else f"{other.many} on average"
    aggregate = "avg"
    if days is not None:
        expression, way = days
        than = f"took {m.say('[longer|more days]' if more else '[less time|fewer days]')} {way} than {average}"
    elif figured is not None and figured[0] != kind:
        expression, name = figured[0].ref, figured[1]
        if how < 0.35 or m.rng.random() < 0.8:
            beyond = average
        else:
            aggregate, beyond = "max" if more else "min", f"any of the {other.many}"
        high = "higher" if more else "lower"
        if phrases.indefinite(name) == name:
            than = f"have {high} {name} than {beyond}"
        else:
            than = m.say("[have a {h} {n} than {x}|whose {n} is {h} than that of {x}]", h=high, n=name, x=beyond)
    else:
        return None
    inner = Core((f"{aggregate}({expression})",), table.name, (), (other.sql,))
    where = (*((asked.sql,) if asked.sql else ()), f"{expression} {'>' if more else '<'} ({inner})")
    if table.label is None or m.rng.random() < 0.55:
        question = m.say("[how many {p} {t}|number of {p} that {t}|count the {p} that {t}]", p=asked.many, t=than)
        shown = "count(*)"
    else:
        question = m.say("[which {p} {t}|list the {p} that {t}|{p} that {t}|names of the {p} that {t}]", p=asked.many, t=than)
        shown = table.label.ref
    question = question.replace("that whose", "whose")
    if question.startswith(("how many", "which")) and "whose" in question:
        question = question.replace("how many ", "number of ", 1).removeprefix("which ")
    return Pair(question, str(Core((shown,), table.name, (), where)), "than_kind")


def _first(m: Maker, table: Tab, k: int) -> tuple[str, str] | None:
    """An order of a table's rows, and the words for the first `k` of them; none where these are not the same for everybody, or most."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    if not cols:
        return None
    col = m.rng.choice(cols)
    pre, post, largest = superlative(m, col)
    found = sorted((value for value in m.data[table.name][col.name] if value is not None), reverse=largest)
    if _has_nulls(col) or len(found) < 2 * k or found[k - 1] == found[k]:
        return None
    many, said = phrases.noun(table, m.rng)[1], phrases.number(k, m.rng)
    top = "top " if largest and post and m.rng.random() < 0.3 else ""
    return f"{col.ref} {'DESC' if largest else 'ASC'}", " ".join(filter(None, (f"the {top}{said}", pre, many, post)))


@template("of_the_first", 2.5)
def of_the_first(m: Maker, table: Tab) -> Pair | None:
    """A figure over the k rows that come first by another column, or over the rows that belong to them."""
    ups: list[Edge] = [path[0] for path in m.base.ups(table.name) if len(path) == 1 and path[0].unique]
    edge = m.rng.choice(ups) if ups and m.rng.random() < 0.75 else None
    first = m.base.table(edge.parent.table) if edge else table
    key = edge.parent if edge else next((col for col in table.cols if col.role == "id"), None)
    k = m.rng.choice((3, 5, 10, 10, 20))
    found = _first(m, first, k)
    if key is None or found is None:
        return None
    order, those = found
    inner = Core((key.ref,), first.name, order=order, limit=k)
    condition = f"{edge.child.ref if edge else key.ref} IN ({inner})"
    cols = [col for col in table.of("measure") if col.ref not in order]
    s = subject(m, table, most=1 if edge else 0, used=tuple(cols), parents=False)
    if edge is not None and (not cols or m.rng.random() < 0.45):
        question = m.say(
            "[how many {p} do {f} have altogether|how many {p} do {f} have in total|number of {p} of {f}, all together|"
            "how many {p} belong to {f}|combined number of {p} of {f}]",
            p=s.many, f=those,
        )  # fmt: skip
        return Pair(question, str(s.core("count(*)", where=(condition,))), "of_the_first")
    if not cols:
        return None
    col = m.rng.choice(cols)
    kind = m.rng.choice(("sum", "sum", "avg")) if col.additive else "avg"
    word = m.say("[total|combined|overall]" if kind == "sum" else "[average|mean]")
    of = m.say("of the {p} of {f}", p=s.many, f=those) if edge else f"of {those}"
    question = m.say("[{w} {n} {o}|what is the {w} {n} {o}|give me the {w} {n} {o}]", w=word, n=m.phrase(col), o=of)
    return Pair(question, str(s.core(f"{kind}({col.ref})", where=(condition,))), "of_the_first")


@template("best_period", 2)
def best_period(m: Maker, table: Tab) -> Pair | None:
    """The largest count of a year or month, of all rows or of one named thing; or that year itself."""
    dates = [col for col in table.of("date", "year") if "bare" in col.attrs or "verb" in col.attrs]
    if len(dates) != 1:
        return None
    col = dates[0]
    verb = col.attrs.get("verb", "")
    monthly = col.role == "date" and m.rng.random() < 0.2
    key, period = (f"strftime({col.ref}, '%Y-%m')", "month") if monthly else (year(col), "year")
    s = subject(m, table, most=1, least=1 if m.rng.random() < 0.7 else 0, used=dates)
    if any(item.kind.startswith("date") for item in s.filters):
        return None
    done = f"{verb} " if verb and " " not in verb and verb not in s.many else ""
    known = (f"{col.ref} IS NOT NULL",) if _has_nulls(col) else ()
    if m.rng.random() < 0.65:
        question = m.say(
            "[how many {p} were {v}in the {b} {y}|highest number of {p} {v}in a single {y}|how many {p} were {v}in the {y} with the most|"
            "what is the largest number of {p} {v}in any {y}]",
            p=s.many, v=done, b=m.say("[best|busiest|strongest]"), y=period,
        ).replace("were in the", "were there in the")  # fmt: skip
        inner = s.core("count(*) AS n", group=(key,), where=known)
        return Pair(question, f"SELECT max(n) FROM ({inner})", "best_period")
    question = m.say(
        "[in which {y} were the most {p} {v}|which {y} saw the most {p} {v}|{y} with the most {p} {v}]", y=period, p=s.many, v=done
    ).replace("were the most", "were the most" if done else "were there the most")  # fmt: skip
    return Pair(question, str(s.core(key, where=known, group=(key,), order="count(*) DESC", limit=1)), "best_period")


@template("bands", 1.5)
def bands(m: Maker, table: Tab) -> Pair | None:
    """Counts under several limits, or of several kinds, side by side; in all or for each group."""
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.3 else None
    used = dim.columns if dim else ()
    s = subject(m, table, most=1 if dim is None and m.rng.random() < 0.4 else 0, used=used, parents=False)
    cols = [col for col in table.of("measure") if not any(col in item.columns for item in s.filters)]
    kinds = [col for col in table.of("category") if col not in used and len(m.values(col)) > 2]
    kinds = [col for col in kinds if not any(col in item.columns for item in s.filters)]
    tail = m.say("[in each|per|by|for each] {d}", d=dim.name) if dim else ""
    if cols and (not kinds or m.rng.random() < 0.6):
        col = m.rng.choice(cols)
        low, high = sorted((m.limit(col), m.limit(col)))
        if low >= high:
            return None
        a, b, name = phrases.number(low, m.rng), phrases.number(high, m.rng), m.phrase(col)
        question = m.say(
            "[how many {p} have {x} below {a}, how many {a} to {b} and how many more than {b}|"
            "number of {p} with {x} under {a}, between {a} and {b}, and over {b}|"
            "count the {p} with {x} of less than {a}, from {a} to {b} and above {b} side by side]",
            p=s.many, x=phrases.indefinite(name), a=a, b=b,
        )  # fmt: skip
        conditions = [f"{col.ref} < {low}", f"{col.ref} BETWEEN {low} AND {high}", f"{col.ref} > {high}"]
    elif kinds:
        col = m.rng.choice(kinds)
        values = m.rng.sample([str(value) for value in m.values(col)], 3)
        a, b, c = values
        are = "how many {p} are {a}, how many {b} and how many {c}|" if "noun" in col.attrs or "mod" in col.attrs else ""
        question = m.say(
            f"[{are}number of {{p}} with {{n}} {{a}}, {{b}} and {{c}}, each in a column|"
            "{p} by {n}: how many {a}, {b} and {c} side by side]",
            p=s.many, n=m.phrase(col), a=a, b=b, c=c,
        )  # fmt: skip
        conditions = [f"{col.ref} = {literal(value)}" for value in values]
    else:
        return None
    figures = tuple(of_those("count(*)", condition) for condition in conditions)
    keys, edges = (dim.keys, dim.edges) if dim else ((), ())
    return Pair(f"{question} {tail}".strip(), str(s.core(*keys, *figures, edges=edges, group=keys)), "bands")


def _plain_kind(m: Maker, table: Tab, used: tuple[Col, ...]) -> Filter | None:
    found = table_filter(m, table, used)
    return None if found is None or found.kind in ("date_last", "not_contains") or " != " in found.sql else found


@template("limit_and_never", 2)
def limit_and_never(m: Maker, table: Tab) -> Pair | None:
    """Groups with so many rows and none, or some, of one kind among them."""
    dim = dimension(m, table, dates=False, entity=0.85)
    if dim is None or dim.linked or len(dim.keys) != 1:
        return None
    found = _plain_kind(m, table, dim.columns)
    if found is None:
        return None
    words = phrases.noun(table, m.rng)
    kind = attach(words, [found])
    operator, limit, n = limit_words(m, 20)
    if operator not in (">", ">=") or n < 2:
        return None
    never = m.rng.random() < 0.75
    if never and " IS NULL" in found.sql:
        return None
    rest = m.say(
        "[but no {k}|but never {o}|and not a single {t}|but none of them {s}]" if never else "[and at least one {t}|, some of them {k}]",
        k=kind[1], o=phrases.indefinite(kind[0]), t=kind[0], s=found.says.removeprefix("are ").removeprefix("were "),
    )  # fmt: skip
    question = m.say(
        "[which {d} have {l} {p} {r}|{d} with {l} {p} {r}|list the {d} with {l} {p} {r}]", d=dim.many, l=limit, p=words[1], r=rest
    )
    having = f"count(*) {operator} {n} AND {of_those('count(*)', found.sql)} {'= 0' if never else '> 0'}"
    if m.rng.random() < 0.2:
        question = m.say("[how many {d} have {l} {p} {r}|number of {d} with {l} {p} {r}]", d=dim.many, l=limit, p=words[1], r=rest)
        key, edges = group_key(dim)
        return Pair(question, f"SELECT count(*) FROM ({Core((key,), table.name, edges, (), (key,), having)})", "limit_and_never")
    return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, having)), "limit_and_never")


@template("percent_of_those", 2)
def percent_of_those(m: Maker, table: Tab) -> Pair | None:
    """Of rows under a condition, the part that satisfies another, in all or for each group; or groups by that part."""
    s = subject(m, table, most=1, least=1)
    if not s.filters or s.filters[0].kind == "date_last":
        return None
    used = tuple(col for item in s.filters for col in item.columns)
    dim = dimension(m, table, dates=False, used=used) if m.rng.random() < 0.65 and not s.edges else None
    found = plain_rate(m, table, (*used, *(dim.columns if dim else ())))
    if found is None:
        return None
    word = m.say("[what percentage|what share|which percentage]")
    head = m.say("[of the|of all] {p}, {w} {s}", p=s.many, w=word, s=found.says)
    if m.rng.random() < 0.4:
        head = m.say("{w} of [the|all|] {p} {s}", w=word, p=s.many, s=found.says)
    part = percent(found.sql)
    if dim is None:
        return Pair(head, str(s.core(part)), "percent_of_those")
    ranked = m.rng.random() < 0.3
    question = m.say("{h}[, per {d}| for each {d}|, by {d}]", h=head, d=dim.name) + (
        m.say("[, highest first|, largest first]") if ranked else ""
    )
    having = ""
    if m.rng.random() < 0.25:
        n = m.rng.choice((3, 5, 10, 20))
        question, having = f"{question}, only {dim.many} with at least {n} of them", f"count(*) >= {n}"
    core = s.core(*dim.keys, part, edges=dim.edges, group=dim.keys, having=having, order=f"{part} DESC" if ranked else "")
    return Pair(question, str(core), "percent_of_those")


@template("two_dates", 2)
def two_dates(m: Maker, table: Tab) -> Pair | None:
    """Two dates of a row in one question: one as a condition and the other as the group, or both as conditions."""
    cols = [col for col in table.of("date", "year") if re.fullmatch(r"\w+(?<!ing)(?<!s)", col.attrs.get("verb", ""))]
    if len(cols) < 2:
        return None
    first, second = m.rng.sample(cols, 2)
    years = [m.years(first), m.years(second)]
    if min(map(len, years)) < 3:
        return None
    nouns = phrases.noun(table, m.rng)
    a, b = (m.rng.choice(found[1:-1]) for found in years)
    verbs = first.attrs["verb"], second.attrs["verb"]
    sign, words = m.rng.choice((("=", "in {y}"), ("=", "in {y}"), (">=", "since {y}"), ("<", "before {y}")))
    if m.rng.random() < 0.5:
        question = m.say(
            "[number of {p} {v} {w} by year in which they were {u}|how many {p} {v} {w} were {u} in each year|"
            "{p} {v} {w}: how many were {u} per year]",
            p=nouns[1], v=verbs[0], w=words.format(y=a), u=verbs[1],
        )  # fmt: skip
        where = [f"{year(first)} {sign} {a}"] + ([f"{second.ref} IS NOT NULL"] if _has_nulls(second) else [])
        key = year(second)
        return Pair(question, str(Core((key, "count(*)"), table.name, (), tuple(where), (key,), order=key)), "two_dates")
    question = m.say(
        "[how many {p} {v} {w} were {u} {x}|number of {p} {v} {w} and {u} {x}|how many of the {p} {v} {w} were {u} {x}]",
        p=nouns[1], v=verbs[0], w=words.format(y=a), u=verbs[1], x=m.rng.choice((f"in {b}", f"after {b}", f"by the end of {b}")),
    )  # fmt: skip
    sign2 = ">" if f"after {b}" in question else "<=" if "by the end of" in question else "="
    return Pair(
        question, str(Core(("count(*)",), table.name, (), (f"{year(first)} {sign} {a}", f"{year(second)} {sign2} {b}"))), "two_dates"
    )


@template("average_per_each", 1.2)
def average_per_each(m: Maker, table: Tab) -> Pair | None:
    """How many rows belong to one parent on average, for each kind of parent."""
    ups = [path[0] for path in m.base.ups(table.name) if len(path) == 1 and path[0].unique]
    if not ups:
        return None
    edge = m.rng.choice(ups)
    parent = m.base.table(edge.parent.table)
    cols = [col for col in parent.of("category") if len(m.values(col)) > 1]
    if not cols:
        return None
    col, nouns, owner = m.rng.choice(cols), phrases.noun(table, m.rng), phrases.noun(parent, m.rng)
    figure = f"1.0 * count(*) / count(DISTINCT {edge.child.ref})"
    name = m.phrase(col)
    if m.rng.random() < 0.3:
        n = m.rng.choice((2, 3, 5, 10))
        question = m.say(
            "[{c} with more than {n} {p} on average per {o} that has any|which {c} have more than {n} {p} on average per {o} with any]",
            c=phrases.plural_of(name), n=str(n), p=nouns[1], o=owner[0],
        )  # fmt: skip
        return Pair(question, str(Core((col.ref,), table.name, (edge,), (), (col.ref,), f"{figure} > {n}")), "average_per_each")
    question = m.say(
        "[average number of {p} per {o} with any, by {c}|how many {p} does {x} with any have on average, per {c}|"
        "by {c}, the average number of {p} per {o} that has some|{p} per {o} on average for each {c}, counting only {q} with {p}]",
        p=nouns[1], o=owner[0], x=phrases.indefinite(owner[0]), c=name, q=owner[1],
    )  # fmt: skip
    return Pair(question, str(Core((col.ref, figure), table.name, (edge,), (), (col.ref,))), "average_per_each")


_UNITS = {1000: "thousands", 1_000_000: "millions", 1_000_000_000: "billions"}


@template("in_units", 1)
def in_units(m: Maker, table: Tab) -> Pair | None:
    """A total in thousands, millions or billions; or so much of one column for each thousand of another."""
    cols = [col for col in table.of("measure") if col.additive]
    if not cols:
        return None
    col = m.rng.choice(cols)
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.6 else None
    s = subject(m, table, most=1, used=(*cols, *(dim.columns if dim else ())), parents=False)
    tail = " " + m.say("[per|by|for each] {d}", d=dim.name) if dim else ""
    keys, edges = (dim.keys, dim.edges) if dim else ((), ())
    others = [item for item in cols if item != col]
    if others and m.rng.random() < 0.5:
        other, n = m.rng.choice(others), m.rng.choice((100, 1000, 1000, 10000))
        question = m.say(
            "[total|overall] {a} per {n} {b} of {p}{t}",
            a=m.phrase(col),
            n=f"{n:,}" if n > 100 else str(n),
            b=m.phrase(other).removeprefix("number of "),
            p=s.many,
            t=tail,
        )
        return Pair(
            question, str(s.core(*keys, f"{n}.0 * sum({col.ref}) / nullif(sum({other.ref}), 0)", edges=edges, group=keys)), "in_units"
        )
    total = sum(abs(float(str(value))) for value in m.data[col.table][col.name] if value is not None)
    unit = max((unit for unit in _UNITS if unit * 10 <= total), default=0)
    if not unit:
        return None
    question = m.say(
        "[total {n} of {p} in {u}{t}|{n} of {p}{t}, in {u}|what is the total {n} of {p}{t} in {u}]",
        n=m.phrase(col),
        p=s.many,
        u=_UNITS[unit],
        t=tail,
    )
    return Pair(question, str(s.core(*keys, f"sum({col.ref}) / {unit}.0", edges=edges, group=keys)), "in_units")
