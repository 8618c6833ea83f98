"""Templates for what analysts ask of one wide table: different values per group, durations, rates, kinds of organisations, codes."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.grouped import limit_words, measured
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, ratio
from streamlink_sql.training.synthetic.subject import TIMES, Subject, column_measure, dimension, of_parent, parent_noun, subject
from streamlink_sql.training.synthetic.templates import template


def countable(m: Maker, table: Tab, used: tuple[Col, ...] = ()) -> tuple[str, str, Col] | None:
    """Something to count the different values of: SQL, plural words, the column."""
    cols = [col for col in (*table.others, *table.of("category", "fk")) if col not in used]
    if not cols:
        return None
    col = m.rng.choice(cols)
    words = phrases.plural_of(m.phrase(col))
    if col.role == "fk":
        edge = next(edge for edge in m.base.edges if edge.child == col)
        if not edge.unique:
            return None
        words = phrases.noun(m.base.table(edge.parent.table), m.rng)[1]
    return f"count(DISTINCT {col.ref})", words, col


@template("distinct_group", 3)
def distinct_group(m: Maker, table: Tab) -> Pair | None:
    """How many different values each group has; or the groups with the most of them."""
    dim = dimension(m, table)
    found = countable(m, table, dim.columns) if dim else None
    if dim is None or found is None or any(edge.child == found[2] for edge in dim.edges):
        return None
    sql, things, col = found
    s = subject(m, table, most=1, used=(*dim.columns, col), parents=False)
    among = m.say("[of|among|for] {p}", p=s.many) if s.filters else ""
    if dim.kind not in TIMES and m.rng.random() < 0.35:
        k = m.rng.choice((1, 1, 3, 5, 10))
        question = m.say(
            "[which {k} {d} [has|have] the most [different|distinct] {t} {a}|top {k} {d} by number of [different|distinct|unique] {t} {a}]"
            if k > 1
            else "which {o} has the [most|highest number of] [different|distinct|unique] {t} {a}",
            k=phrases.number(k, m.rng),
            d=dim.many,
            o=dim.name,
            t=things,
            a=among,
        ).replace("has the most", "have the most" if k > 1 else "has the most")
        keys = (*dim.keys, sql) if question.startswith("top") else dim.keys
        return Pair(question, str(s.core(*keys, edges=dim.edges, group=dim.keys, order=f"{sql} DESC", limit=k)), "count_distinct")
    question = m.say(
        (
            "[number of [different|distinct|unique] {t} {a} [per|for each|by] {d}|[different|distinct|unique] {t} {a} [per|by] {d}|"
            "for [every|each] {d}, how many [different|distinct] {t} are there {a}|"
            "how many [different|distinct|unique] {t} {a} are there [per|in each|for each] {d}|"
            "count the [distinct|different] {t} {a} [per|for each] {d}|show the number of [distinct|different] {t} {a} [by|per] {d}]"
        ),
        t=things,
        a=among,
        d=dim.name,
    )
    return Pair(question, str(s.core(*dim.keys, sql, edges=dim.edges, group=dim.keys, order=dim.by_time)), "count_distinct")


@template("distinct_all", 1.5)
def distinct_all(m: Maker, table: Tab) -> Pair | None:
    """How many different values a column has."""
    found = countable(m, table)
    if found is None:
        return None
    sql, things, col = found
    s = subject(m, table, most=1, used=(col,), parents=False)
    among = m.say("[of|among|for] {p}", p=s.many) if s.filters else m.say("[|in the data|in total|in {x}]", x=s.many)
    question = m.say(
        (
            "[how many [different|distinct|unique] {t} [are there|appear|do we have] {a}|number of [different|distinct|unique] {t} {a}|"
            "count the [distinct|different|unique] {t} {a}|give the number of [distinct|unique] {t} {a}]"
        ),
        t=things,
        a=among,
    )
    return Pair(question, str(s.core(sql)), "count_distinct")


@template("both_ends", 1.5)
def both_ends(m: Maker, table: Tab) -> Pair | None:
    """The smallest and the largest value of a column, perhaps by group."""
    cols = table.of("measure", "date", "year")
    if not cols:
        return None
    col = m.rng.choice(cols)
    dim = dimension(m, table, dates=False, used=(col,)) if m.rng.random() < 0.3 else None
    s = subject(m, table, most=1, used=(col, *(dim.columns if dim else ())), parents=not (dim and dim.edges))
    low, high = ("earliest", "latest") if col.role != "measure" else m.rng.choice((("lowest", "highest"), ("minimum", "maximum")))
    if col.role != "measure" and m.rng.random() < 0.3:
        low, high = "first", "last"
    turned = m.rng.random() < 0.2
    a, b = (high, low) if turned else (low, high)
    tail = f" [per|for each|by] {dim.name}" if dim else ""
    of = m.say("[of|among|for] {p}", p=s.many) if s.filters or m.rng.random() < 0.5 else ""
    question = m.say(
        (
            "[what are the {a} and {b} {n} {o}|{a} and {b} {n} {o}|give the {a} and the {b} {n} {o}|show the {a} and {b} {n} {o}|"
            "what is the {a} and what is the {b} {n} {o}|{a} and {b} {n} {o}]" + tail
        ),
        a=a,
        b=b,
        n=m.phrase(col),
        o=of,
    )
    ends = (f"min({col.ref})", f"max({col.ref})")
    keys, edges = (dim.keys, dim.edges) if dim else ((), ())
    return Pair(question, str(s.core(*keys, *(reversed(ends) if turned else ends), edges=edges, group=keys)), "aggregate_several")


@template("totals_ratio", 1.5)
def totals_ratio(m: Maker, table: Tab) -> Pair | None:
    """The ratio of two totals, in all or by group."""
    cols = [col for col in table.of("measure") if col.additive or any(name.startswith("number of") for name in col.phrases)]
    if len(cols) < 2:
        return None
    col, other = m.rng.sample(cols, 2)
    dim = dimension(m, table) if m.rng.random() < 0.45 else None
    if dim is not None and dim.kind == "quarter":
        return None
    s = subject(m, table, most=1, used=(col, other, *(dim.columns if dim else ())), parents=not (dim and dim.edges))
    of = m.say("[of|for|over all|across] {p}", p=s.many) if s.filters or m.rng.random() < 0.4 else ""
    tail = f" [per|for each|by] {dim.name}" if dim else ""
    question = m.say(
        "[ratio of {a} to {b} {o}|what is the ratio of {a} to {b} {o}|[total|] {a} divided by [total|] {b} {o}|"
        "ratio between [total|] {a} and [total|] {b} {o}|what is the ratio of total {a} to total {b} {o}]" + tail,
        a=m.phrase(col).removeprefix("number of "),
        b=m.phrase(other).removeprefix("number of "),
        o=of,
    )
    keys, edges, order = (dim.keys, dim.edges, dim.by_time) if dim else ((), (), "")
    sql = ratio(f"sum({col.ref})", f"sum({other.ref})")
    return Pair(question, str(s.core(*keys, sql, edges=edges, group=keys, order=order)), "ratio")


@template("beyond_average", 2)
def beyond_average(m: Maker, table: Tab) -> Pair | None:
    """Groups whose average is above or below that of all rows."""
    dim = dimension(m, table, dates=False)
    cols = table.of("measure")
    if dim is None or not cols:
        return None
    col, above = m.rng.choice(cols), m.rng.random() < 0.7
    average = f"avg({col.ref})"
    words = m.say(
        "[above|higher than|greater than|larger than] the [overall|total|general|] average"
        if above
        else "[below|lower than|less than|smaller than] the [overall|total|general|] average"
    )
    name = m.phrase(col)
    question = m.say(
        (
            "[which {d} have an average {n} {w}|{d} whose average {n} is {w}|list the {d} with an average {n} {w}|"
            "which {d} have a mean {n} {w}|which {d} have {a} {w}|show {d} where the average {n} is {w}]"
        ),
        d=dim.many,
        n=name,
        a=phrases.indefinite(name),
        w=words,
    )
    inner = Core((average,), table.name)
    core = Core(dim.keys, table.name, dim.edges, (), dim.keys, f"{average} {'>' if above else '<'} ({inner})")
    return Pair(question, str(core), "having_average")


def _kinds(m: Maker, table: Tab) -> list[tuple[Edge, Col]]:
    """Parents whose rows are called by their kind, such as universities among organisations."""
    ups = [path[0] for path in m.base.ups(table.name, 1) if path[0].unique]
    return [(edge, col) for edge in ups for col in m.base.table(edge.parent.table).of("category") if "noun" in col.attrs]


@template("kind", 3.5)
def kind(m: Maker, table: Tab) -> Pair | None:
    """Questions about one kind of parent: top universities by grants, cases of companies."""
    kinds = _kinds(m, table)
    if not kinds:
        return None
    edge, col = m.rng.choice(kinds)
    parent = m.base.table(edge.parent.table)
    value = str(m.cell(col))
    one, many = value.lower(), phrases.plural_of(value.lower())
    sql = f"{col.ref} = {literal(value)}"
    s = subject(m, table, most=1, parents=False)
    chance = m.rng.random()
    if parent.label is None or chance < 0.25:
        return _of_kind(m, s, edge, sql, (one, many), of_parent(m, edge))
    measure, words = measured(m, table, s, extremes=False)
    largest, k = m.rng.random() < 0.85, m.rng.choice((3, 5, 5, 10, 10, 20))
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    label = parent.label.ref
    if chance < 0.6:
        question = m.say(
            "[{t} {k} {d} by {w}|what are the {t} {k} {d} by {w}|show the {t} {k} {d} by {w}|{k} {d} with the {h} {w}, with the figures]",
            t="top" if largest else "bottom",
            k=phrases.number(k, m.rng),
            d=many,
            w=words,
            h="highest" if largest else "lowest",
        )
        core = s.core(label, measure.sql, edges=(edge,), where=(sql,), group=(label,), order=order, limit=k)
        return Pair(question, str(core), "top_k_group")
    if chance < 0.85:
        question = m.say(
            "[which {d} has the {h} {w}|what is the {d} with the {h} {w}|find the {d} with the {h} {w}]",
            d=one,
            w=words,
            h="highest" if largest else "lowest",
        )
        if measure.kind == "count" and m.rng.random() < 0.6:
            question = m.say("which {d} has the {h} {p}", d=one, p=s.many, h="most" if largest else "fewest")
        return Pair(question, str(s.core(label, edges=(edge,), where=(sql,), group=(label,), order=order, limit=1)), "most")
    operator, limit, _ = limit_words(m, 15)
    question = m.say("[which {d} have {l} {p}|list the {d} with {l} {p}|{d} with {l} {p}]", d=many, l=limit, p=s.many)
    number = limit_number(limit)
    having = f"count(*) {operator} {number}"
    return Pair(question, str(s.core(label, edges=(edge,), where=(sql,), group=(label,), having=having)), "having")


def limit_number(words: str) -> int:
    """The number at the end of a limit, in digits or letters."""
    last = words.split()[-1].replace(",", "")
    spelt = "zero one two three four five six seven eight nine ten eleven twelve".split()
    return spelt.index(last) if last in spelt else int(last)


def _of_kind(m: Maker, s: Subject, edge: Edge, sql: str, kinds: tuple[str, str], tie: str) -> Pair:
    many = kinds[1]
    question = m.say("[how many {p} {t} {k} are there|number of {p} {t} {k}|count the {p} {t} {k}]", p=s.many, t=tie, k=many)
    measure = column_measure(m, s.table, tuple(col for item in s.filters for col in item.columns)) if m.rng.random() < 0.4 else None
    if measure is None:
        return Pair(question, str(s.core("count(*)", edges=(edge,), where=(sql,))), "count_parent")
    question = m.say("[what is the {w} of {p} {t} {k}|{w} of {p} {t} {k}]", w=measure.words, p=s.many, t=tie, k=many)
    return Pair(question, str(s.core(measure.sql, edges=(edge,), where=(sql,))), f"aggregate_{measure.kind}_filter")


@template("code", 2)
def code(m: Maker, table: Tab) -> Pair | None:
    """What a code stands for, and the codes of a kind."""
    key, label = table.key, table.label
    if key is None or label is None or key.gen != "key":
        return None
    one, many = phrases.noun(table, m.rng)
    value = str(m.cell(key))
    if m.rng.random() < 0.5:
        question = m.say(
            (
                "[what is {o} {v} about|what does {o} {v} stand for|what is the {n} of {o} {v}|{n} of {o} {v}|"
                "what is {v}|what is {o} {v} called|which {n} does {o} {v} have]"
            ),
            o=one,
            v=value,
            n=m.phrase(label),
        )
        return Pair(question, str(Core((label.ref,), table.name, (), (f"{key.ref} = {literal(value)}",))), "lookup")
    s = subject(m, table, least=1, most=1, parents=False)
    if not s.filters:
        return None
    name = m.say("[codes|code|numbers|keys]") if m.rng.random() < 0.5 else phrases.plural_of(m.phrase(key))
    question = m.say("[list the {c} of {p}|show the {c} of all {p}|{c} of {p}|what are the {c} of {p}]", c=name, p=s.many or many)
    return Pair(question, str(s.core(key.ref)), "list_column")


@template("other_place", 1)
def other_place(m: Maker, table: Tab) -> Pair | None:
    """Rows whose country, say, differs from that of their parent."""
    found = []
    for path in m.base.ups(table.name, 1):
        parent = m.base.table(path[0].parent.table)
        found += [(path[0], a, b) for a in table.of("category") for b in parent.of("category") if a.args == b.args and len(a.args) == 1]
    if not found:
        return None
    edge, mine, other = m.rng.choice(found)
    s = subject(m, table, most=1, used=(mine,), parents=False)
    owner = parent_noun(m, edge)[0]
    same = m.rng.random() < 0.35
    name = m.phrase(mine)
    pattern = (
        "[in the same {n} as the {o}|whose {n} is that of the {o}|with the same {n} as their {o}]"
        if same
        else "[in a {n} other than the {o}'s own|whose {n} differs from that of the {o}|with a different {n} than their {o}]"
    )
    counted = table.label is None or m.rng.random() < 0.6
    question = m.say(
        "[how many {p} are there|number of {p}|count {p}] " + pattern if counted else "[list {p}|which {p} are|{p}] " + pattern,
        p=s.many,
        n=name,
        o=owner,
    ).replace(" are there", "")
    select = "count(*)" if counted or table.label is None else table.label.ref
    return Pair(question, str(s.core(select, edges=(edge,), where=(f"{mine.ref} {'=' if same else '!='} {other.ref}",))), "columns")


@template("most_with", 2)
def most_with(m: Maker, table: Tab) -> Pair | None:
    """The groups with the largest measure, and the measure: "and how many"."""
    dim = dimension(m, table, entity=0.6)
    if dim is None or dim.kind == "quarter":
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, extremes=False)
    k, largest = m.rng.choice((1, 1, 3, 5, 10)), m.rng.random() < 0.85
    end = "highest" if largest else "lowest"
    how = "how many" if measure.kind == "count" else "how much"
    question = m.say(
        "[which {k} {d} have the {e} {w}, and {h}|which {k} {d} have the {e} {w}, with the figures|{k} {d} with the {e} {w} and {h}]"
        if k > 1
        else "[which {o} has the {e} {w}, and {h}|which {o} has the {e} {w} and what is it|{o} with the {e} {w} and the figure]",
        k=phrases.number(k, m.rng),
        d=dim.many,
        o=dim.name,
        e=end,
        w=words,
        h=how,
    )
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    return Pair(question, str(s.core(*dim.keys, measure.sql, edges=dim.edges, group=dim.keys, order=order, limit=k)), "top_k_group")
