"""Templates for questions with words of their own: who, when, how much; comparisons of a few values; arithmetic over groups."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Tab
from streamlink_sql.training.synthetic.simple import enumerate_words, short, shown
from streamlink_sql.training.synthetic.sql import Core, literal, ratio
from streamlink_sql.training.synthetic.subject import column_measure, dimension, of_parent, parent_noun, subject
from streamlink_sql.training.synthetic.templates import template


@template("who_did", 1.5)
def who_did(m: Maker, table: Tab) -> Pair | None:
    """The person or company behind a named row: who wrote it, which carrier handled it."""
    label = table.label
    edges = [edge for edge in m.base.edges if edge.child.table == table.name and edge.unique and "has" in edge.child.attrs]
    if label is None or not edges:
        return None
    edge = m.rng.choice(edges)
    parent = m.base.table(edge.parent.table)
    if parent.label is None:
        return None
    value = str(m.cell(label))
    one = phrases.noun(parent, m.rng)[0]
    asks = "who" if parent.people and m.rng.random() < 0.6 else f"which {one}"
    verb = phrases.has_one(edge.child.attrs["has"])
    question = f"{asks} {verb} {m.say('[the {o} {v}|{v}|{v}]', o=phrases.noun(table, m.rng)[0], v=phrases.said(value, m.rng))}"
    return Pair(question, str(Core((parent.label.ref,), table.name, (edge,), (f"{label.ref} = {literal(value)}",))), "lookup")


@template("when_was", 1.5)
def when_was(m: Maker, table: Tab) -> Pair | None:
    """The date of a named row."""
    cols = [col for col in table.of("date", "year") if "verb" in col.attrs and not col.attrs["verb"].startswith("that")]
    if table.label is None or not cols:
        return None
    col, value = m.rng.choice(cols), str(m.cell(table.label))
    asks = "[in which year was|in what year was|when was]" if col.role == "year" else "[when was|on which date was|when was]"
    thing = m.say("[the {o} {v}|{v}|{v}]", o=phrases.noun(table, m.rng)[0], v=phrases.said(value, m.rng))
    question = m.say(asks + " {t} {b}", t=thing, b=col.attrs["verb"])
    return Pair(question, str(Core((col.ref,), table.name, (), (f"{table.label.ref} = {literal(value)}",))), "lookup")


@template("how_many_has", 1.5)
def how_many_has(m: Maker, table: Tab) -> Pair | None:
    """A number of a named row: its price, its pages, its seats."""
    if table.label is None or not table.of("measure"):
        return None
    col, value = m.rng.choice(table.of("measure")), str(m.cell(table.label))
    thing = m.say("[the {o} {v}|{v}]", o=phrases.noun(table, m.rng)[0], v=phrases.said(value, m.rng))
    name = next((name for name in col.phrases if name.startswith("number of ")), "")
    if name:
        question = m.say("how many {n} does {t} have", n=name.removeprefix("number of "), t=thing)
    elif "price" in col.phrases[0] and not table.people:
        question = m.say("how much does {t} cost", t=thing)
    else:
        question = m.say("[how [high|large] is the {n} of {t}|what {n} does {t} have]", n=m.phrase(col), t=thing)
    return Pair(question, str(Core((col.ref,), table.name, (), (f"{table.label.ref} = {literal(value)}",))), "lookup")


@template("of_one", 2.5)
def of_one(m: Maker, table: Tab) -> Pair | None:
    """A count or an aggregate of the children of one named parent."""
    downs = m.base.downs(table.name)
    if table.label is None or not downs:
        return None
    edge, value = m.rng.choice(downs), str(m.cell(table.label))
    child = m.base.table(edge.child.table)
    s = subject(m, child, most=1, parents=False)
    said, where = phrases.said(value, m.rng), f"{table.label.ref} = {literal(value)}"
    thing = m.say("[the {o} {v}|{v}|{v}]", o=phrases.noun(table, m.rng)[0], v=said)
    measure = column_measure(m, child, tuple(col for item in s.filters for col in item.columns)) if m.rng.random() < 0.4 else None
    if measure is not None:
        question = m.say(
            "[what is the {w} of {p} {b} {t}|{w} of {p} {b} {t}|{w} of {t}'s {p}]", w=measure.words, p=s.many, b=of_parent(m, edge), t=thing
        )
        return Pair(question, str(s.core(measure.sql, edges=(edge,), where=(where,))), f"aggregate_{measure.kind}_filter")
    question = m.say(
        "[how many {p} does {t} have|how many {p} has {t} had|how many {p} are there for {t}|number of {p} {b} {t}|count {t}'s {p}]",
        p=s.many,
        t=thing,
        b=of_parent(m, edge),
    )
    return Pair(question, str(s.core("count(*)", edges=(edge,), where=(where,))), "count_parent")


@template("compare", 2)
def compare(m: Maker, table: Tab) -> Pair | None:
    """A measure for two or three values of a category, side by side."""
    cols = [col for col in table.of("category") if len(m.values(col)) > 2]
    if not cols:
        return None
    col = m.rng.choice(cols)
    chosen = m.rng.sample(m.values(col), 2 if m.rng.random() < 0.75 else 3)
    said = enumerate_words([str(value) for value in chosen])
    versus = " vs ".join(str(value) for value in chosen)
    s = subject(m, table, most=1, used=(col,), parents=False)
    measure = column_measure(m, table) if m.rng.random() < 0.5 else None
    words, sql = (m.say("{w} of {p}", w=measure.words, p=s.many), measure.sql) if measure else (f"number of {s.many}", "count(*)")
    pattern = (
        "[compare the {w} for {n} {v}|{w} for {n} {v}, by {n}|compare {n} {v} by {w}|{w}: {x}|"
        "how does the {w} compare between {n} {v}|{w} for {n} {x}|what is the {w} for {n} {v} respectively]"
    )
    question = m.say(pattern, w=words, n=m.phrase(col), v=said, x=versus)
    where = f"{col.ref} IN ({', '.join(literal(value) for value in chosen)})"
    return Pair(question, str(s.core(col.ref, sql, where=(where,), group=(col.ref,))), "compare")


@template("having_columns", 1.2)
def having_columns(m: Maker, table: Tab) -> Pair | None:
    """Several columns of parents whose number of children passes a limit or is the largest."""
    downs = m.base.downs(table.name)
    label = table.label
    cols = [col for col in shown(m, table) if col.role in ("category", "contact", "year", "date", "measure")][:2]
    if label is None or not downs or not cols:
        return None
    edge = m.rng.choice(downs)
    s = subject(m, m.base.table(edge.child.table), most=1, parents=False)
    chosen = [label, *cols]
    names = enumerate_words([short(m.phrase(col), table) for col in chosen])
    keys = tuple(col.ref for col in chosen)
    words = phrases.noun(table, m.rng)
    if m.rng.random() < 0.5:
        n = m.rng.choice((1, 2, 3, 5, 10))
        question = m.say(
            (
                "[show the {n} of {t} with more than {k} {p}|what are the {n} of {t} that have more than {k} {p}|"
                "list {n} of the {t} with more than {k} {p}]"
            ),
            n=names,
            t=words[1],
            k=phrases.number(n, m.rng),
            p=s.one if n == 1 else s.many,
        )
        return Pair(question, str(s.core(*keys, edges=(edge,), group=keys, having=f"count(*) > {n}")), "having")
    question = m.say(
        (
            "[what are the {n} of the {t} with the most {p}|show the {n} of the {t} that has the most {p}|"
            "{n} of the {t} with the highest number of {p}]"
        ),
        n=names,
        t=words[0],
        p=s.many,
    )
    return Pair(question, str(s.core(*keys, edges=(edge,), group=keys, order="count(*) DESC", limit=1)), "most")


@template("top_columns", 1.2)
def top_columns(m: Maker, table: Tab) -> Pair | None:
    """Several columns of the k rows with the largest value."""
    cols = [col for col in table.of("measure") if "adj" in col.attrs]
    more = [col for col in shown(m, table) if col.role in ("category", "contact", "year", "date", "text", "measure")]
    if not cols or table.label is None or not more:
        return None
    col = m.rng.choice(cols)
    k, largest = m.rng.choice((1, 1, 3, 5, 10)), m.rng.random() < 0.7
    chosen = [table.label, *[item for item in more if item != col][:2]]
    if len(chosen) < 2:
        return None
    s = subject(m, table, most=1, used=chosen)
    adj = col.attrs["adj"].split("/")[0 if largest else 1]
    thing = f"{adj} {s.one}" if k == 1 else f"{phrases.number(k, m.rng)} {adj} {s.many}"
    names = enumerate_words([short(m.phrase(item), table) for item in chosen])
    question = m.say("[show the {n} of the {t}|what are the {n} of the {t}|{n} of the {t}|give me the {n} of the {t}]", n=names, t=thing)
    return Pair(
        question,
        str(s.core(*[item.ref for item in chosen], order=f"{col.ref} {'DESC' if largest else 'ASC'}", limit=k)),
        "top_k" if k > 1 else "superlative",
    )


@template("ratio_group", 1)
def ratio_group(m: Maker, table: Tab) -> Pair | None:
    """The ratio of two totals for each group."""
    cols = [col for col in table.of("measure") if col.additive and ("per" in col.attrs or "vs" in col.attrs)]
    dim = dimension(m, table)
    if not cols or dim is None or dim.kind == "quarter":
        return None
    col = m.rng.choice(cols)
    other = next(item for item in table.cols if item.name == col.attrs.get("per", col.attrs.get("vs")))
    if not other.additive:
        return None
    s = subject(m, table, most=1, used=(col, other, *dim.columns), parents=False)
    tail = f" for {s.many}" if s.filters else ""
    question = m.say(
        (
            "[total {a} divided by total {b} per {d}{t}|ratio of total {a} to total {b} by {d}{t}|{a} per {b} by {d}{t}|"
            "show the ratio of {a} to {b} for each {d}{t}]"
        ),
        a=m.phrase(col),
        b=m.phrase(other),
        d=dim.name,
        t=tail,
    )
    order = ", ".join(dim.keys) if dim.kind in ("year", "month", "decade", "season", "weekday") else ""
    sql = ratio(f"sum({col.ref})", f"sum({other.ref})")
    return Pair(question, str(s.core(*dim.keys, sql, edges=dim.edges, group=dim.keys, order=order)), "ratio")


@template("keywords", 3)
def keywords(m: Maker, table: Tab) -> Pair | None:
    """Telegram style: a measure, a group, a condition, nothing else."""
    dim = dimension(m, table)
    if dim is None:
        return None
    found = table_filter(m, table, dim.columns) if m.rng.random() < 0.5 else None
    words = phrases.noun(table, m.rng)[1]
    measure = column_measure(m, table, (*dim.columns, *(found.columns if found else ()))) if m.rng.random() < 0.6 else None
    if found is not None and found.kind == "date_last":
        found = None
    tail = "" if found is None else f" {found.post}" if found.post else ""
    head = f"{found.pre} {words}" if found is not None and found.pre else words
    sql = measure.sql if measure else "count(*)"
    if measure is None:
        question = m.say(
            "[{h} [per|by] {d}{t}|{h}{t} [per|by] {d}|# of {h} by {d}{t}|no. of {h} per {d}{t}|count {h} by {d}{t}]",
            h=head,
            d=dim.name,
            t=tail,
        )
    else:
        name = (
            measure.words.replace("average", m.say("[avg|average|avg.]"))
            .replace("maximum", m.say("[max|maximum]"))
            .replace("minimum", m.say("[min|minimum]"))
        )
        only = "" if found is None else f", {head}{tail}" if found.pre or not tail else f", {words}{tail}"
        question = m.say("[{n} [by|per] {d}{o}|{n} {h}{t} [by|per] {d}]", n=name, d=dim.name, o=only, h=f"of {head}", t=tail)
    order = ", ".join(dim.keys) if dim.kind in ("year", "month", "quarter", "decade", "season", "weekday") else ""
    core = Core(
        (*dim.keys, sql), table.name, (*(found.edges if found else ()), *dim.edges), (found.sql,) if found else (), dim.keys, "", order
    )
    return Pair(question, str(core), "trend" if order else f"group_{measure.kind if measure else 'count'}")


@template("parent_of", 1.5)
def parent_columns(m: Maker, table: Tab) -> Pair | None:
    """Columns of the parents of rows under a condition."""
    paths = [path for path in m.base.ups(table.name) if m.base.table(path[-1].parent.table).label]
    if not paths:
        return None
    path = m.rng.choice(paths)
    parent = m.base.table(path[-1].parent.table)
    s = subject(m, table, least=1, most=1, parents=False)
    cols = list(shown(m, parent))[:2]
    if not s.filters or not cols:
        return None
    one, many = parent_noun(m, path[-1])
    names = enumerate_words([m.phrase(col) for col in cols])
    question = m.say(
        "[show the {n} of the {o} of {p}|what are the {n} of the {o} for {p}|{o} {n} for {p}|list the {n} of the {x} of all {p}]",
        n=names,
        o=one,
        x=many,
        p=s.many,
    )
    return Pair(question, str(s.core(*[col.ref for col in cols], edges=path, distinct=True)), "list_join")


@template("product_sum", 0.8)
def product_sum(m: Maker, table: Tab) -> Pair | None:
    """The sum of a product of two columns, such as quantity times unit price, over all or by group."""
    cols = [col for col in table.cols if "times" in col.attrs]
    if not cols:
        return None
    col = m.rng.choice(cols)
    other = next(item for item in table.cols if item.name == col.attrs["times"])
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.6 else None
    s = subject(m, table, most=1, used=(col, other, *(dim.columns if dim else ())), parents=False)
    words = m.say(
        "[total {a} times {b}|sum of {a} times {b}|total of {a} multiplied by {b}|total value ({a} * {b})]",
        a=m.phrase(col),
        b=m.phrase(other),
    )
    sql = f"sum({col.ref} * {other.ref})"
    if dim is None:
        return Pair(m.say("[what is the {w} of {p}|{w} of {p}]", w=words, p=s.many), str(s.core(sql)), "product")
    question = m.say("[{w} of {p} per {d}|{w} by {d} for {p}|show the {w} of {p} for each {d}]", w=words, p=s.many, d=dim.name)
    return Pair(question, str(s.core(*dim.keys, sql, edges=dim.edges, group=dim.keys)), "product")
