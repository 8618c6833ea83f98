"""Templates with groups limited by something else than their rows, what belongs to such groups, and parents by all of their children."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.analyst import countable
from streamlink_sql.training.synthetic.filters import Filter, table_filter
from streamlink_sql.training.synthetic.grouped import limit_words, measured
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, of_those, ratio, year
from streamlink_sql.training.synthetic.subject import Dim, Subject, attach, column_measure, dimension, subject
from streamlink_sql.training.synthetic.templates import template


def _groups(m: Maker, table: Tab, entity: float = 0.85) -> Dim | None:
    dim = dimension(m, table, dates=False, entity=entity)
    return dim if dim is not None and len(dim.keys) == 1 else None


def group_key(dim: Dim) -> tuple[str, tuple[Edge, ...]]:
    """What the groups are told by where nobody sees it, and the joins that it needs: the child's own key does, without any."""
    alone = dim.kind == "entity" and len(dim.edges) == 1
    return (dim.edges[0].child.ref, ()) if alone else (dim.keys[0], dim.edges)


def _event(table: Tab) -> Col | None:
    """The one date, or year, that says when a row happened."""
    cols = [col for col in table.of("date", "year") if "bare" in col.attrs or "verb" in col.attrs]
    return cols[0] if len(cols) == 1 else None


def _limit(m: Maker, table: Tab, dim: Dim, s: Subject) -> tuple[str, str, str] | None:
    """A condition on groups: SQL, words behind "groups", and words behind "which groups"."""
    how = m.rng.random()
    who = "who" if dim.table is not None and dim.table.people else "that"
    if how < 0.5:
        found = countable(m, table, dim.columns)
        if found is None or any(edge.child == found[2] for edge in dim.edges) or any(found[2] in item.columns for item in s.filters):
            return None
        sql, things, _ = found
        operator, limit, n = limit_words(m, 8)
        if n == 1 and operator != ">":
            return None
        word = m.say("[different|different|distinct|]")
        among = m.say("[among|in|over|across] their {p}", p=s.many) if s.filters or m.rng.random() < 0.4 else ""
        if not among and s.filters:
            return None
        behind = m.say("[with {l} {d} {t} {a}|{w} have {l} {d} {t} {a}]", l=limit, d=word, t=things, a=among, w=who)
        return f"{sql} {operator} {n}", behind, m.say("have {l} {d} {t} {a}", l=limit, d=word, t=things, a=among)
    col = _event(table)
    years = m.years(col) if col is not None else []
    if col is None or len(years) < 3 or any(col in item.columns for item in s.filters):
        return None
    verb = col.attrs.get("verb", "")
    verb = verb if " " not in verb else ""
    at = m.rng.choice(years[1:-1])
    if how < 0.78:
        first = m.rng.random() < 0.75
        word = m.say("[first|first|earliest]") if first else m.say("[last|latest|most recent]")
        operator, when = m.rng.choice(
            (("=", f"in {at}"), ("=", f"in {at}"), (">", f"after {at}"), (">=", f"in {at} or later"), ("<", f"before {at}"))
        )
        behind = m.say(
            "[whose {f} {o} was {d} {y}|whose {f} {o} is from {z}|{w} had their {f} {o} {d} {y}]"
            if verb
            else "[whose {f} {o} was {y}|whose {f} {o} dates from {z}|{w} had their {f} {o} {y}]",
            f=word, o=s.one, d=verb, y=when, z=when.removeprefix("in "), w=who,
        )  # fmt: skip
        return (
            f"{'min' if first else 'max'}({year(col)}) {operator} {at}",
            behind,
            m.say("had their {f} {o} {d} {y}", f=word, o=s.one, d=verb, y=when),
        )
    behind = m.say(
        "[with no {p} since {y}|without any {p} since {y}|{w} have had no {p} since {y}|{w} have not had {a} since {y}]",
        p=s.many, a=phrases.indefinite(s.one), y=str(at), w=who,
    )  # fmt: skip
    return f"max({year(col)}) < {at}", behind, m.say("have had no {p} since {y}", p=s.many, y=str(at))


@template("group_limit", 3)
def group_limit(m: Maker, table: Tab) -> Pair | None:
    """Groups with so many different values, or whose first or last row is of some year; or how many there are."""
    dim = _groups(m, table)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=False)
    found = _limit(m, table, dim, s)
    if found is None:
        return None
    having, behind, what = found
    if m.rng.random() < 0.45:
        key, edges = group_key(dim)
        question = m.say("[how many {d} {x}|how many {d} are there {b}|number of {d} {b}|count the {d} {b}]", d=dim.many, b=behind, x=what)
        inner = s.core(key, edges=edges, group=(key,), having=having)
        return Pair(question, f"SELECT count(*) FROM ({inner})", "count_having")
    question = m.say("[which {d} {x}|list the {d} {b}|{d} {b}|show all {d} {b}|name the {d} {b}]", d=dim.many, b=behind, x=what)
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, having=having)), "having")


@template("rows_of_groups", 2)
def rows_of_groups(m: Maker, table: Tab) -> Pair | None:
    """The number, or a figure, of the rows whose group passes a limit."""
    dim = _groups(m, table)
    if dim is None or dim.linked:
        return None
    s = subject(m, table, most=0, used=dim.columns)
    operator, limit, n = limit_words(m, 20)
    own = m.say("{l} {p}", l=limit, p=s.one if n == 1 else s.many)
    other = _limit(m, table, dim, s) if m.rng.random() < 0.25 else None
    who = "who" if dim.table is not None and dim.table.people else "that"
    behind = other[1] if other else m.say("[with {x}|{w} have {x}]", x=own, w=who)
    having = other[0] if other else f"count(*) {operator} {n}"
    measure = column_measure(m, table, dim.columns) if m.rng.random() < 0.45 else None
    tie = m.say("[of|from|for]")
    words = measure.words if measure else ""
    question = m.say(
        "[{n} of [the|] {p} {t} {d} {b}|what is the {n} of {p} {t} {d} {b}]"
        if measure
        else "[how many {p} are {t} {d} {b}|number of {p} {t} {d} {b}|how many {p} come from {d} {b}|how many {p} belong to {d} {b}]",
        n=words, p=s.many, t=tie, d=dim.many, b=behind,
    )  # fmt: skip
    key, edges = group_key(dim)
    inner = Core((key,), table.name, edges, (), (key,), having)
    select = measure.sql if measure else "count(*)"
    return Pair(question, str(Core((select,), table.name, edges, (f"{key} IN ({inner})",))), "rows_of_groups")


@template("limit_ordered", 3)
def limit_ordered(m: Maker, table: Tab) -> Pair | None:
    """Of the groups with so many rows, those with the largest or smallest measure."""
    dim = _groups(m, table)
    cols = table.of("measure")
    if dim is None or not cols:
        return None
    s = subject(m, table, most=1, used=(*dim.columns, *cols), parents=False)
    col = m.rng.choice(cols)
    average = "avg" if not col.additive or m.rng.random() < 0.6 else "sum"
    name = m.say("[average|mean] {n}" if average == "avg" else "[total|overall] {n}", n=m.phrase(col))
    sql = f"{average}({col.ref})"
    if col.additive and m.rng.random() < 0.25:
        sql, name = ratio(f"sum({col.ref})", "count(*)"), m.say("{n} per {o}", n=m.phrase(col), o=s.plain[0])
    n = m.rng.choice((2, 3, 5, 5, 10, 10, 15, 20))
    operator, limit = m.rng.choice(((">=", "[at least|no fewer than]"), (">", "[more than|over]"), (">=", "[at least|a minimum of]")))
    with_rows = m.say(f"[with {limit} {{n}} {{p}}|that have {limit} {{n}} {{p}}]", n=phrases.number(n, m.rng), p=s.many)
    largest, k = m.rng.random() < 0.75, m.rng.choice((1, 1, 1, 3, 5, 10))
    best = m.say("[highest|largest|greatest]" if largest else "[lowest|smallest|least]")
    if k == 1:
        question = m.say(
            "[which {o} {b} has the {h} {n}|{o} {b} and the {h} {n}|of the {d} {b}, which has the {h} {n}|"
            "among {d} {b}, which one has the {h} {n}]",
            o=dim.name, d=dim.many, b=with_rows.replace("that have", "that has"), h=best, n=name,
        )  # fmt: skip
        question = question.replace(f"{dim.many} that has", f"{dim.many} that have")
    else:
        question = m.say(
            "[which {k} {d} {b} have the {h} {n}|the {k} {d} {b} and the {h} {n}|of the {d} {b}, the {k} with the {h} {n}]",
            k=phrases.number(k, m.rng), d=dim.many, b=with_rows, h=best, n=name,
        )  # fmt: skip
    figure = m.rng.random() < 0.25
    question += m.say("[, with the figure|, and what is it|, together with that figure]") if figure else ""
    select = (*dim.keys, sql) if figure else dim.keys
    order = f"{sql} {'DESC' if largest else 'ASC'}"
    core = s.core(*select, edges=dim.edges, group=dim.keys, having=f"count(*) {operator} {n}", order=order, limit=k)
    return Pair(question, str(core), "having_ordered")


@template("known_or_not", 1.5)
def known_or_not(m: Maker, table: Tab) -> Pair | None:
    """A figure of the rows that have a date, or of those for which a flag is set, beside or minus that of the others."""
    measures, nouns = table.of("measure"), phrases.noun(table, m.rng)[1]
    sides: list[tuple[str, str, str, str]] = []
    for col in table.of("date"):
        if "verb" in col.attrs and " " not in col.attrs["verb"] and float(col.attrs.get("null", 0)) > 0:
            done = col.attrs["verb"]
            sides.append((f"{col.ref} IS NOT NULL", f"{col.ref} IS NULL", f"{done} {nouns}", f"{nouns} that are not {done}"))
    for col in table.of("flag"):
        if col.attrs.get("yes") and " " not in col.attrs["yes"]:
            yes = col.attrs["yes"]
            sides.append((f"{col.ref} = TRUE", f"{col.ref} = FALSE", f"{yes} {nouns}", f"{nouns} that are not {yes}"))
    if not sides or not measures:
        return None
    yes_sql, no_sql, those, others = m.rng.choice(sides)
    col = m.rng.choice(measures)
    kind = m.rng.choice(("avg", "avg", "avg", "sum" if col.additive else "max"))
    figures = [of_those(f"{kind}({col.ref})", sql) for sql in (yes_sql, no_sql)]
    if m.rng.random() < 0.3:
        figures, (those, others) = figures[::-1], (others, those)
    words = m.say({"avg": "[average|mean]", "sum": "[total|overall]", "max": "[maximum|highest]"}[kind] + " {n}", n=m.phrase(col))
    if m.rng.random() < 0.65:
        question = m.say(
            "[by how much does the {w} of {a} differ from that of {b}|how much [higher|larger] is the {w} of {a} than [that|] of {b}|"
            "difference in {w} between {a} and {b}|{w} of {a} minus that of {b}]",
            w=words, a=those, b=others,
        )  # fmt: skip
        return Pair(question, str(Core((f"{figures[0]} - {figures[1]}",), table.name)), "compared")
    question = m.say("[{w} of {a} and of {b}|{w} of {a} against {b}|compare the {w} of {a} with that of {b}]", w=words, a=those, b=others)
    return Pair(question, str(Core(tuple(figures), table.name)), "compared")


@template("pairs_often", 1.5)
def pairs_often(m: Maker, table: Tab) -> Pair | None:
    """Pairs of values that occur more often than a limit, or most often."""
    first = dimension(m, table, dates=False, entity=0.3)
    second = dimension(m, table, dates=False, entity=0.3, used=first.columns) if first else None
    if (
        first is None
        or second is None
        or set(first.edges) & set(second.edges)
        or first.linked
        or second.linked
        or first.name == second.name
    ):
        return None
    if first.edges and second.edges and first.edges[-1].parent.table == second.edges[-1].parent.table:
        return None
    s = subject(m, table, most=0)
    keys, edges = (*first.keys, *second.keys), (*first.edges, *second.edges)
    pair = m.say("[pairs|combinations] of {a} and {b}", a=first.name, b=second.name)
    if m.rng.random() < 0.6:
        operator, limit, n = limit_words(m, 30)
        often = m.say("[, and how often|, with the number|, and how many times]") if m.rng.random() < 0.6 else ""
        question = m.say(
            "[which {p} occur {l} times{o}|which {p} have {l} {r}{o}|{p} with {l} {r}{o}]",
            p=pair, l=limit, o=often, r=s.one if n == 1 else s.many,
        )  # fmt: skip
        select = (*keys, "count(*)") if often else keys
        return Pair(question, str(s.core(*select, edges=edges, group=keys, having=f"count(*) {operator} {n}")), "having")
    k = m.rng.choice((1, 3, 5, 10))
    question = m.say(
        "[the {k} most [common|frequent] {p} among {r}, with the number|"
        "which {k} {p} are the most [common|frequent] among {r}, and how often]"
        if k > 1
        else "[which combination of {a} and {b} is the most [common|frequent] among {r}|most [common|frequent] combination of {a} and {b}]",
        k=phrases.number(k, m.rng), p=pair, r=s.many, a=first.name, b=second.name,
    )  # fmt: skip
    select = (*keys, "count(*)") if k > 1 else keys
    return Pair(question, str(s.core(*select, edges=edges, group=keys, order="count(*) DESC", limit=k)), "top_k_group")


def _children(m: Maker, table: Tab) -> tuple[Edge, Tab, Col] | None:
    """A key that leads to this table, the table of it, and a category of that one."""
    found = [
        (edge, other, col)
        for edge in m.base.downs(table.name)
        for other in (m.base.table(edge.child.table),)
        for col in other.of("category")
        if len(m.values(col)) > 2
    ]
    return m.rng.choice(found) if found else None


def _with(m: Maker, col: Col, value: str, nouns: str) -> str:
    """Children by their category: "orders by card", "paid orders", "orders with payment card"."""
    if "noun" in col.attrs:
        return phrases.plural_of(value)
    if "mod" in col.attrs:
        return f"{value.lower() if value[1:].islower() else value} {nouns}"
    if "prep" in col.attrs and m.rng.random() < 0.7:
        return f"{nouns} {m.rng.choice(col.attrs['prep'].split('/'))} {value}"
    return f"{nouns} with {m.phrase(col)} {value}"


def _with_some_and_none(edge: Edge, some: str, none: str, own: Filter | None) -> tuple[str, ...]:
    """Conditions on parents: children of one kind, no children of another, and what else is said of them."""
    has, lacks = (Core((edge.child.ref,), edge.child.table, (), (condition,)) for condition in (some, none))
    return (*((own.sql,) if own else ()), f"{edge.parent.ref} IN ({has})", f"{edge.parent.ref} NOT IN ({lacks})")


@template("only", 1.5)
def only(m: Maker, table: Tab) -> Pair | None:
    """Parents all of whose children are of one kind; also under a condition on the parents."""
    child = _children(m, table)
    if child is None or table.label is None:
        return None
    edge, other, col = child
    value = str(m.cell(col))
    nouns = phrases.noun(other, m.rng)[1]
    kind = _with(m, col, value, nouns)
    found = table_filter(m, table, [table.label]) if m.rng.random() < 0.4 else None
    things = attach(phrases.noun(table, m.rng), [found] if found else [])[1]
    where = _with_some_and_none(edge, f"{col.ref} = {literal(value)}", f"{col.ref} <> {literal(value)}", found)
    counted = m.rng.random() < 0.35
    question = m.say(
        "[how many {t} have only {k}|how many {t} have had nothing but {k}|number of {t} that only have {k}]"
        if counted
        else "[which {t} have only {k}|{t} that have only {k}|list the {t} with only {k}|which {t} have nothing but {k}|"
        "which {t} have exclusively {k}|which {t} never had anything but {k}]",
        t=things, k=kind,
    )  # fmt: skip
    return Pair(question, str(Core(("count(*)" if counted else table.label.ref,), table.name, (), where)), "only")


@template("figure_of_parents", 2)
def figure_of_parents(m: Maker, table: Tab) -> Pair | None:
    """An average or a sum of parents with children of a kind, each counted once; or how many have some of one kind and none of another."""
    child = _children(m, table)
    if child is None:
        return None
    edge, other, col = child
    s = subject(m, other, most=1, parents=False)
    things = phrases.noun(table, m.rng)[1]
    cols = table.of("measure")
    if cols and m.rng.random() < 0.6:
        of = m.rng.choice(cols)
        kind = m.rng.choice(("avg", "avg", "sum")) if of.additive else "avg"
        words = m.say({"avg": "[average|mean]", "sum": "[total|combined]"}[kind] + " {n}", n=m.phrase(of))
        question = m.say(
            "[{w} of [the|] {t} with {x}|what is the {w} of {t} that have {x}|{w} of {t} that have at least one {o}|"
            "the {w} among {t} with {x}]",
            w=words, t=things, x=s.many, o=s.one,
        )  # fmt: skip
        return Pair(
            question,
            str(Core((f"{kind}({of.ref})",), table.name, (), (f"{edge.parent.ref} IN ({s.core(edge.child.ref)})",))),
            "in_children",
        )
    nouns = phrases.noun(other, m.rng)[1]
    values = m.rng.sample([str(value) for value in m.values(col)], 2)
    kinds = [_with(m, col, value, nouns) for value in values]
    found = table_filter(m, table, []) if m.rng.random() < 0.4 else None
    things = attach(phrases.noun(table, m.rng), [found] if found else [])[1]
    some, none = (f"{col.ref} = {literal(value)}" for value in values)
    where = _with_some_and_none(edge, some, none, found)
    question = m.say(
        "[how many {t} have {a} but no {b}|number of {t} with {a} but without {b}|how many {t} have had {a} but never {b}]",
        t=things, a=kinds[0], b=kinds[1],
    )  # fmt: skip
    return Pair(question, str(Core(("count(*)",), table.name, (), where)), "in_children")


@template("above_average_group", 2)
def above_average_group(m: Maker, table: Tab) -> Pair | None:
    """Groups with more rows than the average group, or their number."""
    dim = _groups(m, table, 0.7)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=False)
    key, edges = group_key(dim)
    more = m.rng.random() < 0.8
    average = f"SELECT avg(n) FROM ({s.core('count(*) AS n', edges=edges, group=(key,))})"
    having = f"count(*) {'>' if more else '<'} ({average})"
    than = m.say("[than the average {d}|than an average {d}|than {d} have on average|than average]", d=dim.name)
    than = than.replace(f"than {dim.name} have", f"than {dim.many} have")
    word = "more" if more else "fewer"
    if m.rng.random() < 0.35:
        question = m.say("[how many {d} have {w} {p} {t}|number of {d} with {w} {p} {t}]", d=dim.many, w=word, p=s.many, t=than)
        inner = s.core(key, edges=edges, group=(key,), having=having)
        return Pair(question, f"SELECT count(*) FROM ({inner})", "count_having")
    question = m.say(
        "[which {d} have {w} {p} {t}|{d} with {w} {p} {t}|list the {d} that have {w} {p} {t}]", d=dim.many, w=word, p=s.many, t=than
    )
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, having=having)), "having_average")


@template("long_text", 0.6)
def long_text(m: Maker, table: Tab) -> Pair | None:
    """Rows whose text is longer or shorter than so many characters."""
    cols = [col for col in table.cols if col.role in ("text", "name") and col not in table.others]
    if not cols:
        return None
    col = m.rng.choice(cols)
    lengths = sorted(len(str(value)) for value in m.values(col))
    if len(lengths) < 5 or lengths[-1] < 8:
        return None
    n, longer = lengths[int(len(lengths) * m.rng.uniform(0.2, 0.8))], m.rng.random() < 0.7
    words = m.say("[longer than|of more than|with more than|over]" if longer else "[shorter than|of fewer than|with less than|under]")
    name, nouns = m.phrase(col), phrases.noun(table, m.rng)[1]
    one, many = phrases.indefinite(name), phrases.plural_of(name)
    condition = f"length({col.ref}) {'>' if longer else '<'} {n}"
    behind = f"{words} {n} {m.say('[characters|characters|letters]')}"
    if m.rng.random() < 0.6:
        pattern = "[how many {p} have {a} {b}|number of {p} with {a} {b}|how many {c} are {b}]"
        question = m.say(pattern, p=nouns, a=one, c=many, b=behind)
        return Pair(question, str(Core(("count(*)",), table.name, (), (condition,))), "length")
    question = m.say("[list the {c} {b}|which {c} are {b}|show every {o} {b}|{c} {b}]", c=many, o=name, b=behind)
    return Pair(question, str(Core((col.ref,), table.name, (), (condition,))), "length")


@template("kinds_over_time", 1.2)
def kinds_over_time(m: Maker, table: Tab) -> Pair | None:
    """A measure by two or three named values of a category and by year."""
    cols = [col for col in table.of("category") if len(m.values(col)) > 2]
    when = _event(table)
    if not cols or when is None:
        return None
    col = m.rng.choice(cols)
    chosen = m.rng.sample([str(value) for value in m.values(col)], m.rng.choice((2, 2, 3)))
    s = subject(m, table, most=0)
    measure, words = measured(m, table, s, 0.6)
    at = m.rng.choice(m.years(when)[:-1]) if len(m.years(when)) > 3 and m.rng.random() < 0.4 else None
    listed = f"{', '.join(chosen[:-1])} and {chosen[-1]}"
    question = m.say(
        "[{w} for {n} {v}, [by|per] year|{w} by year and {n} for {v}|{w} per {n} and year, {v} only|yearly {w} of {n} {v}]",
        w=words, n=m.phrase(col), v=listed,
    ) + (f" since {at}" if at else "")  # fmt: skip
    keys = (col.ref, year(when))
    where = (f"{col.ref} IN ({', '.join(map(literal, chosen))})", *((f"{year(when)} >= {at}",) if at else ()))
    return Pair(question, str(s.core(*keys, measure.sql, where=where, group=keys)), "group_two")
