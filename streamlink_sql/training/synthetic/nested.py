"""Templates over parents and children: set operations and queries inside queries."""

from __future__ import annotations

import re

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.grouped import limit_words, measured
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, year
from streamlink_sql.training.synthetic.subject import attach, dimension, parent_noun, subject
from streamlink_sql.training.synthetic.templates import template


def _child(m: Maker, table: Tab) -> tuple[Edge, Tab] | None:
    downs = m.base.downs(table.name)
    if not downs:
        return None
    edge = m.rng.choice(downs)
    return edge, m.base.table(edge.child.table)


def _has(m: Maker, edge: Edge, one: bool = False) -> str:
    has = edge.child.attrs.get("has", "")
    return has if has and m.rng.random() < 0.65 else "has" if one else "have"


@template("without", 3)
def without(m: Maker, table: Tab) -> Pair | None:
    """Parents that no child, or no child of a kind, refers to."""
    child = _child(m, table)
    if child is None:
        return None
    edge, other = child
    s = subject(m, other, most=1, parents=False) if m.rng.random() < 0.5 else subject(m, other, most=0)
    words = phrases.noun(table, m.rng)
    who = "who" if table.people else "that"
    verb = _has(m, edge)
    never = {"placed": "placed", "have": "had"}.get(verb, verb)
    behind = m.say(
        "[without {p}|without any {p}|with no {p}|{w} do not have any {p}|{w} have no {p}|{w} have never {n} {a}]",
        p=s.many,
        w=who,
        n=never,
        a=phrases.indefinite(s.one),
    )
    inner = s.core(edge.child.ref)
    sql = f"{edge.parent.ref} NOT IN ({inner})"
    counted = table.label is None or m.rng.random() < 0.35
    pattern = (
        "[how many {t} {x}|number of {t} {b}|count the {t} {b}]"
        if counted
        else "[which {t} {x}|list {t} {b}|show {t} {b}|{t} {b}|find all {t} {b}|show the {n} of {t} {b}]"
    )
    says = m.say("[do not have any {p}|have no {p}|have never {n} {a}|don't have {p}]", p=s.many, n=never, a=phrases.indefinite(s.one))
    label = table.label
    question = m.say(pattern, t=words[1], b=behind, x=says, n=phrases.plural_of(m.phrase(label)) if label else "")
    return Pair(question, str(Core(("count(*)" if counted or label is None else label.ref,), table.name, (), (sql,))), "without")


@template("with_child", 3)
def with_child(m: Maker, table: Tab) -> Pair | None:
    """Parents that have at least one child of a kind."""
    child = _child(m, table)
    if child is None or table.label is None:
        return None
    edge, other = child
    s = subject(m, other, least=1, most=1, parents=False)
    if not s.filters:
        return None
    words = phrases.noun(table, m.rng)
    who, verb = "who" if table.people else "that", _has(m, edge)
    counted = m.rng.random() < 0.35 and table.key is not None
    thing = phrases.indefinite(s.one) if m.rng.random() < 0.5 else s.many if m.rng.random() < 0.6 else f"at least one {s.one}"
    pattern = (
        "[how many {t} {v} {x}|number of {t} {w} {v} {x}]"
        if counted
        else "[which {t} {v} {x}|list {t} {w} {v} {x}|show the {t} {w} {v} {x}|{t} with {x}|find {t} with {x}]"
    )
    question = m.say(pattern, t=words[1], v=verb, x=thing, w=who)
    if counted:
        return Pair(question, str(s.core(f"count(DISTINCT {edge.child.ref})")), "with_child")
    return Pair(question, str(s.core(table.label.ref, edges=(edge,), distinct=True)), "with_child")


@template("both", 2)
def both(m: Maker, table: Tab) -> Pair | None:
    """Parents with children of one kind and of another, or of one kind but not of another."""
    child = _child(m, table)
    if child is None or table.label is None:
        return None
    edge, other = child
    cols = [col for col in other.of("category", "year", "date") if len(m.values(col)) > 2]
    if not cols:
        return None
    col = m.rng.choice(cols)
    if col.role == "category":
        first, second = m.rng.sample(m.values(col), 2)
        sqls = [f"{col.ref} = {literal(value)}" for value in (first, second)]
        says = [f"with {m.phrase(col)} {first}", f"with {col.phrases[0]} {second}"]
        if "prep" in col.attrs:
            says = [f"{col.attrs['prep'].split('/')[0]} {value}" for value in (first, second)]
    else:
        found = sorted({value if isinstance(value, int) else value.year for value in m.values(col)})  # type: ignore[union-attr]
        if len(found) < 2:
            return None
        picked = m.rng.sample(found, 2)
        sqls, says = [f"{year(col)} = {value}" for value in picked], [f"in {value}" for value in picked]
        if "verb" in col.attrs:
            says = [f"{col.attrs['verb']} {words}" for words in says]
        elif "bare" not in col.attrs:
            return None
    thing, words = phrases.noun(other, m.rng)[1], phrases.noun(table, m.rng)
    verb, who = _has(m, edge), "who" if table.people else "that"
    also = m.rng.random() < 0.55
    pattern = (
        "[which {t} {v} both {c} {a} and {c} {b}|{t} {w} {v} {c} {a} and also {c} {b}|list {t} with {c} {a} as well as {c} {b}]"
        if also
        else "[which {t} {v} {c} {a} but no {c} {b}|{t} {w} {v} {c} {a} but not {b}|list {t} with {c} {a} but without {c} {b}]"
    )
    cores = [str(Core((table.label.ref,), other.name, (edge,), (sql,))) for sql in sqls]
    question = m.say(pattern, t=words[1], v=verb, w=who, c=thing, a=says[0], b=says[1])
    return Pair(question, f" {'INTERSECT' if also else 'EXCEPT'} ".join(cores), "intersect" if also else "except")


@template("average_count", 1.5)
def average_count(m: Maker, table: Tab) -> Pair | None:
    """The average, largest or smallest number of rows per group."""
    dim = dimension(m, table, entity=0.7)
    if dim is None or dim.kind == "quarter":
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=False)
    kind = m.rng.choices(("avg", "max", "min"), (6, 2, 1))[0]
    key = dim.edges[0].child.ref if dim.kind == "entity" and len(dim.edges) == 1 else dim.keys[0]
    edges = () if key != dim.keys[0] else dim.edges
    words = {"avg": "[average|mean]", "max": "[maximum|highest|largest]", "min": "[minimum|lowest|smallest]"}[kind]
    question = m.say(
        (
            f"[what is the {words} number of {{p}} per {{d}}|{words} number of {{p}} per {{d}}|"
            f"{words} {{o}} count per {{d}}|show the {words} number of {{p}} for a {{d}}"
        )
        + ("|how many {p} are there per {d} on average|on average, how many {p} are there per {d}]" if kind == "avg" else "]"),
        p=s.many,
        d=dim.name,
        o=s.one,
    )
    if s.filters:
        question = re.sub(rf"{re.escape(s.one)} count\b", f"number of {s.many}", question)
    inner = s.core("count(*) AS n", edges=edges, group=(key,))
    return Pair(question, f"SELECT {kind}(n) FROM ({inner})", "average_count")


@template("count_having", 1.5)
def count_having(m: Maker, table: Tab) -> Pair | None:
    """How many groups pass a limit."""
    dim = dimension(m, table, dates=False, entity=0.75)
    if dim is None:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=False)
    operator, limit, n = limit_words(m)
    edge = dim.edges[0] if dim.kind == "entity" and len(dim.edges) == 1 else None
    key = edge.child.ref if edge else dim.keys[0]
    verb = _has(m, edge) if edge else "have"
    who = "who" if dim.table is not None and dim.table.people else "that"
    question = m.say(
        "[how many {d} {v} {l} {p}|number of {d} with {l} {p}|count the {d} {w} {v} {l} {p}|how many {d} are there with {l} {p}]",
        d=dim.many,
        v=verb,
        l=limit,
        p=s.one if n == 1 else s.many,
        w=who,
    )
    inner = s.core(key, edges=() if edge else dim.edges, group=(key,), having=f"count(*) {operator} {n}")
    return Pair(question, f"SELECT count(*) FROM ({inner})", "count_having")


@template("per_parent_condition", 2)
def parent_superlative(m: Maker, table: Tab) -> Pair | None:
    """A measure per parent under a condition on the parents."""
    child = _child(m, table)
    if child is None or table.label is None:
        return None
    edge, other = child
    found = table_filter(m, table, [table.label])
    if found is None:
        return None
    s = subject(m, other, most=0)
    measure, words = measured(m, other, s)
    parents = attach(phrases.noun(table, m.rng), [found])[0]
    question = m.say("[{w} for each {t}|show the {w} of each {t}|what is the {w} for each {t}|{w} per {t}]", w=words, t=parents)
    core = s.core(table.label.ref, measure.sql, edges=(edge,), where=(found.sql,), group=(table.label.ref,))
    return Pair(question, str(core), f"group_{measure.kind}")


@template("show_both", 2)
def show_both(m: Maker, table: Tab) -> Pair | None:
    """Each row's name beside the name or a column of its parent."""
    paths = [path for path in m.base.ups(table.name) if m.base.table(path[-1].parent.table).label]
    if not paths or table.label is None:
        return None
    path = m.rng.choice(paths)
    parent = m.base.table(path[-1].parent.table)
    target = m.rng.choice([parent.label, *parent.of("category")][:3])
    assert target is not None
    s = subject(m, table, most=1, used=(target,), parents=False)
    one = parent_noun(m, path[-1])[0]
    name = m.phrase(target)
    full = name if one in name else one if target is parent.label and m.rng.random() < 0.5 else f"{one} {name}"
    question = m.say(
        (
            "[list {p} with their {f}|show {p} together with their {f}|list the {n} of {p} and their {f}|"
            "show each {o} and its {f}|for each {o}, show the {f}|{p} and their {f}]"
        ),
        p=s.many,
        o=s.one,
        n=phrases.plural_of(m.phrase(table.label)),
        f=full,
    )
    return Pair(question, str(s.core(table.label.ref, target.ref, edges=path)), "list_join")
