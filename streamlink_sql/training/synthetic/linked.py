"""Templates over two tables that a third ties: the authors of a paper, the papers of authors from a country."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Edge, Tab
from streamlink_sql.training.synthetic.sql import Core, literal
from streamlink_sql.training.synthetic.subject import attach, of_parent, subject
from streamlink_sql.training.synthetic.templates import template


def _other(m: Maker, table: Tab) -> tuple[tuple[Edge, Edge], Tab] | None:
    links = m.base.links(table.name)
    if not links:
        return None
    path = m.rng.choice(links)
    return path, m.base.table(path[1].parent.table)


@template("linked_names", 3)
def linked_names(m: Maker, table: Tab) -> Pair | None:
    """What is tied to one named row: the authors of a paper, the papers of an author; names or their number."""
    found = _other(m, table)
    if found is None or found[1].label is None or table.label is None:
        return None
    path, other = found
    assert other.label is not None
    value = str(m.cell(other.label))
    words, (one, _) = phrases.noun(table, m.rng), phrases.noun(other, m.rng)
    thing = m.say("[the {o} {v}|{o} {v}|{v}|{v}]", o=one, v=phrases.said(value, m.rng))
    tie = of_parent(m, path[1])
    where = (f"{other.label.ref} = {literal(value)}",)
    if m.rng.random() < 0.35:
        question = m.say("[how many {p} {b} {t} are there|number of {p} {b} {t}|count the {p} {b} {t}]", p=words[1], b=tie, t=thing)
        return Pair(question, str(Core(("count(*)",), table.name, path, where)), "count_parent")
    question = m.say(
        "[list the {p} {b} {t}|which {p} are {b} {t}|show all {p} {b} {t}|{p} {b} {t}|find {p} {b} {t}|give me the {p} {b} {t}]",
        p=words[1],
        b=tie,
        t=thing,
    )
    return Pair(question, str(Core((table.label.ref,), table.name, path, where)), "list_parent")


@template("linked_any", 3)
def linked_any(m: Maker, table: Tab) -> Pair | None:
    """Rows tied to at least one row of a kind, each once."""
    found = _other(m, table)
    if found is None or table.label is None or table.key is None:
        return None
    path, other = found
    condition = table_filter(m, other, [other.label] if other.label else [])
    if condition is None:
        return None
    s = subject(m, table, most=1 if m.rng.random() < 0.35 else 0, parents=False)
    many = attach(phrases.noun(other, m.rng), [condition])[1]
    tie = of_parent(m, path[1])
    if m.rng.random() < 0.4:
        question = m.say("[how many {p} {b} {t} are there|number of {p} {b} {t}|count {p} {b} {t}]", p=s.many, b=tie, t=many)
        return Pair(question, str(s.core(f"count(DISTINCT {table.key.ref})", edges=path, where=(condition.sql,))), "with_child")
    question = m.say("[list {p} {b} {t}|which {p} are {b} {t}|show {p} {b} {t}|{p} {b} {t}|find all {p} {b} {t}]", p=s.many, b=tie, t=many)
    return Pair(question, str(s.core(table.label.ref, edges=path, where=(condition.sql,), distinct=True)), "with_child")


@template("linked_without", 1)
def linked_without(m: Maker, table: Tab) -> Pair | None:
    """Rows that nothing is tied to."""
    found = _other(m, table)
    if found is None or table.label is None or table.key is None:
        return None
    (near, _), other = found
    words, many = phrases.noun(table, m.rng), phrases.noun(other, m.rng)[1]
    who = "who" if table.people else "that"
    counted = m.rng.random() < 0.35
    behind = m.say("[without {q}|without any {q}|with no {q}|{w} have no {q}]", q=many, w=who)
    pattern = "[how many {p} have no {q}|number of {p} {b}]" if counted else "[which {p} have no {q}|list {p} {b}|{p} {b}|show {p} {b}]"
    question = m.say(pattern, p=words[1], q=many, b=behind)
    where = (f"{near.parent.ref} NOT IN ({Core((near.child.ref,), near.child.table)})",)
    return Pair(question, str(Core(("count(*)" if counted else table.label.ref,), table.name, (), where)), "without")


@template("linked_distinct", 1.5)
def linked_distinct(m: Maker, table: Tab) -> Pair | None:
    """How many different rows are tied to rows of a kind."""
    found = _other(m, table)
    if found is None:
        return None
    (near, far), other = found
    s = subject(m, table, most=1, least=1, parents=False)
    if not s.filters:
        return None
    question = m.say(
        (
            "[how many [different|distinct] {q} do the {p} have|number of [different|distinct|unique] {q} of {p}|"
            "count the [distinct|different] {q} of {p}]"
        ),
        q=phrases.noun(other, m.rng)[1],
        p=s.many,
    )
    return Pair(question, str(s.core(f"count(DISTINCT {far.child.ref})", edges=(near,))), "count_distinct")


@template("linked_pairs", 1)
def linked_pairs(m: Maker, table: Tab) -> Pair | None:
    """Each row beside what is tied to it."""
    found = _other(m, table)
    if found is None or found[1].label is None or table.label is None:
        return None
    path, other = found
    assert other.label is not None
    s = subject(m, table, most=1, parents=False)
    many = phrases.noun(other, m.rng)[1]
    question = m.say(
        "[list {p} with their {q}|show {p} and their {q}|{p} together with their {q}|for each {o}, list the {q}]", p=s.many, o=s.one, q=many
    )
    return Pair(question, str(s.core(table.label.ref, other.label.ref, edges=path)), "list_join")
