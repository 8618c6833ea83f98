"""Templates without groups: counts, lists, look-ups, aggregates."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, star
from streamlink_sql.training.synthetic.subject import column_measure, parent_noun, subject
from streamlink_sql.training.synthetic.templates import template


@template("count", 5)
def count(m: Maker, table: Tab) -> Pair | None:
    """How many rows."""
    s = subject(m, table)
    pattern = (
        "[How many {p} are there|How many {p} are there|How many {p} do we have|How many {p}|What is the number of {p}|"
        "Count {p}|count the {p}|"
        "number of {p}|Give me the number of {p}|Count the number of {p}|what's the total number of {p}|"
        "Find the number of {p}|how many {p} exist|{p} count]"
    )
    question = m.say(pattern, p=s.many)
    if question.endswith(" count"):
        question = f"number of {s.many}" if s.filters else f"{s.one} count"
    return Pair(question, str(s.core("count(*)")), f"count_{s.kind}")


@template("count_says", 3)
def count_says(m: Maker, table: Tab) -> Pair | None:
    """How many rows satisfy a predicate."""
    found = table_filter(m, table)
    if found is None:
        return None
    words = phrases.noun(table, m.rng)
    question = m.say("[How many {p} {s}|how many of the {p} {s}|How many {p} {s}]", p=words[1], s=found.says)
    return Pair(question, str(Core(("count(*)",), table.name, found.edges, (found.sql,))), f"count_{found.kind}")


@template("count_distinct", 2)
def count_distinct(m: Maker, table: Tab) -> Pair | None:
    """How many different values."""
    cols = table.of("category", "fk")
    if not cols:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,), parents=False)
    name = phrases.plural_of(m.phrase(col))
    if col.role == "fk":
        edge = next(edge for edge in m.base.edges if edge.child == col)
        if not edge.unique:
            return None
        name = phrases.noun(m.base.table(edge.parent.table), m.rng)[1]
    pattern = (
        "[How many [different|distinct|unique] {n} [are there among|appear in|do] the {p}|number of [distinct|"
        "different|unique] {n} [of|among] {p}|count the [distinct|different] {n} of {p}]"
    )
    question = m.say(pattern, n=name, p=s.many).replace(" do the ", " are there for the ")
    return Pair(question, str(s.core(f"count(DISTINCT {col.ref})")), "count_distinct")


def shown(m: Maker, table: Tab, used: tuple[Col, ...] = ()) -> list[Col]:
    """One to three columns worth showing, the name first where it is among them."""
    cols = [col for col in table.cols if col.role not in ("id", "fk", "flag") and col not in used]
    if not cols:
        return []
    chosen = m.rng.sample(cols, min(len(cols), m.rng.choices((1, 2, 3), (3, 4, 2))[0]))
    return sorted(chosen, key=lambda col: col.role != "name") if m.rng.random() < 0.6 else chosen


def short(name: str, table: Tab) -> str:
    """A column's name without the noun of its table in front: `customer name` of a customer is `name`."""
    nouns = [form for words in table.nouns for form in words]
    return next((name[len(noun) + 1 :] for noun in nouns if name.startswith(noun + " ")), name)


def enumerate_words(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


@template("list_name", 4)
def list_name(m: Maker, table: Tab) -> Pair | None:
    """Names of rows under conditions."""
    if table.label is None:
        return None
    s = subject(m, table, least=1)
    names = phrases.plural_of(short(m.phrase(table.label), table))
    pattern = (
        "[list {p}|list all {p}|show {p}|show me the {p}|show me all {p}|find {p}|find all {p}|give me {p}|"
        "give me all {p}|{p}|which {q}|list the {n} of {p}|what are the {n} of {p}|which {p} are there|{n} of {p}|"
        "get all {p}|display {p}]"
    )
    question = m.say(pattern, p=s.many, n=names, q="\0")
    if "\0" in question:
        if len(s.filters) != 1 or not s.filters[0].says or s.filters[0].kind == "parent":
            return None
        question = f"Which {s.plain[1]} {s.filters[0].says}"
    return Pair(question, str(s.core(table.label.ref)), f"list_{s.kind}")


@template("list_columns", 4)
def list_columns(m: Maker, table: Tab) -> Pair | None:
    """Chosen columns of rows under conditions."""
    cols = shown(m, table)
    if not cols:
        return None
    s = subject(m, table, used=() if m.rng.random() < 0.3 else tuple(cols))
    many = not s.filters or m.rng.random() < 0.5
    said = [m.phrase(col) if m.rng.random() < 0.2 else short(m.phrase(col), table) for col in cols]
    names = enumerate_words([phrases.plural_of(said[0])] if many and len(cols) == 1 else said)
    pattern = (
        "[show the {n} of {p}|list the {n} of {p}|what are the {n} of {p}|give me the {n} of {p}|show {n} for {p}|"
        "{n} of {p}|find the {n} of {p}|show {n} of all {p}|list {n} for all {p}|return the {n} of {p}|"
        "I need the {n} of {p}]"
    )
    return Pair(
        m.say(pattern, n=names, p=s.many), str(s.core(*[col.ref for col in cols])), "list_columns" + ("_filter" if s.filters else "")
    )


@template("list_distinct", 1.5)
def list_distinct(m: Maker, table: Tab) -> Pair | None:
    """Different values of a category."""
    cols = table.of("category")
    if not cols:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,))
    pattern = (
        "[list the [different|distinct|unique] {n} of {p}|what are the [different|distinct] {n} of {p}|"
        "show all [distinct|different] {n} of {p}|which [different|distinct] {n} do {p} have|"
        "what {n} are there among {p}|what {n} exist [for|among] {p}|which {n} occur among {p}|which {n} are there for {p}]"
    )
    question = m.say(pattern, n=phrases.plural_of(m.phrase(col)), p=s.many)
    return Pair(question, str(s.core(col.ref, distinct=True)), "list_distinct")


@template("details", 1.5)
def details(m: Maker, table: Tab) -> Pair | None:
    """All columns."""
    s = subject(m, table)
    pattern = (
        "[show all details of {p}|show all information about {p}|give me everything about {p}|show all columns of {p}|"
        "all details of {p}|display all data on {p}|show me the full records of {p}|what do we know about {p}]"
    )
    return Pair(m.say(pattern, p=s.many), str(s.core(star(table.name) if s.edges else "*")), "details")


@template("lookup", 3)
def lookup(m: Maker, table: Tab) -> Pair | None:
    """A column of the row with a given name, or of its parent."""
    label = table.label
    if label is None:
        return None
    value = str(m.cell(label))
    said, words = phrases.said(value, m.rng), phrases.noun(table, m.rng)
    cols = [col for col in table.cols if col.role not in ("id", "fk", "flag", "name")]
    paths = [path for path in m.base.ups(table.name, 1) if m.base.table(path[0].parent.table).label]
    if paths and m.rng.random() < 0.35:
        path = m.rng.choice(paths)
        parent = m.base.table(path[0].parent.table)
        assert parent.label is not None
        target, name, edges = parent.label, m.say("[{o}|name of the {o}|{o} name]", o=parent_noun(m, path[0])[0]), path
    elif cols:
        target = m.rng.choice(cols)
        name, edges = m.phrase(target), ()
    else:
        return None
    thing = m.say("[{o} {v}|the {o} {v}|{v}|{v}|the {o} named {v}|the {o} called {v}]", o=words[0], v=said)
    asks = "what is the {n} of {t}"
    pattern = (
        f"[{asks}|{asks}|what's the {{n}} of {{t}}|{{n}} of {{t}}|give me the {{n}} of {{t}}|show the {{n}} for {{t}}|"
        f"find the {{n}} of {{t}}|tell me the {{n}} of {{t}}]"
    )
    question = m.say(pattern, n=name, t=thing)
    return Pair(question, str(Core((target.ref,), table.name, edges, (f"{label.ref} = {literal(value)}",))), "lookup")


@template("aggregate", 5)
def aggregate(m: Maker, table: Tab) -> Pair | None:
    """One aggregate of a column over all rows or some."""
    measure = column_measure(m, table)
    if measure is None:
        return None
    s = subject(m, table, used=measure.columns)
    pattern = (
        "[what is the {n} of {p}|what is the {n} of {p}|{n} of {p}|what's the {n} of all {p}|calculate the {n} of {p}|"
        "give me the {n} of {p}|find the {n} of {p}|show the {n} for {p}|compute the {n} across {p}|{n} for {p}]"
    )
    return Pair(
        m.say(pattern, n=measure.words, p=s.many), str(s.core(measure.sql)), f"aggregate_{measure.kind}" + ("_filter" if s.filters else "")
    )


@template("aggregate_several", 1)
def aggregate_several(m: Maker, table: Tab) -> Pair | None:
    """Several aggregates of one column, or one of several columns."""
    cols = table.of("measure")
    if not cols:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,))
    kinds = m.rng.choice((["min", "max"], ["max", "min"], ["avg", "max"], ["min", "avg", "max"], ["avg", "min", "max"], ["max", "avg"]))
    said = {"min": m.say("[minimum|lowest|smallest]"), "max": m.say("[maximum|highest|largest]"), "avg": m.say("[average|mean]")}
    words = enumerate_words([said[kind] for kind in kinds])
    question = m.say(
        "[what are the {w} {n} of {p}|show the {w} {n} of {p}|give the {w} {n} for {p}|{w} {n} of {p}]", w=words, n=m.phrase(col), p=s.many
    )
    return Pair(question, str(s.core(*[f"{kind}({col.ref})" for kind in kinds])), "aggregate_several")
