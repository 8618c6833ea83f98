"""Templates for what stands first in each group, and for what stands second or third."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.extremes import superlative
from streamlink_sql.training.synthetic.grouped import measured, with_most
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Tab
from streamlink_sql.training.synthetic.sql import first_of_each
from streamlink_sql.training.synthetic.subject import Dim, dimension, subject
from streamlink_sql.training.synthetic.templates import template

_NTH = {1: ("second",), 2: ("third",), 3: ("fourth", "4th")}


def _key(m: Maker, table: Tab) -> Dim | None:
    """What the best is asked for of: one key."""
    dim = dimension(m, table, entity=0.4)
    return dim if dim is not None and len(dim.keys) == 1 and dim.kind not in ("season", "weekday") else None


@template("best_group_of_each", 3)
def best_group(m: Maker, table: Tab) -> Pair | None:
    """For each value of one dimension, the value of another with the largest measure."""
    outer = _key(m, table)
    inner = dimension(m, table, used=outer.columns, entity=0.6) if outer else None
    if outer is None or inner is None or len(inner.keys) != 1 or inner.keys == outer.keys or inner.name == outer.name:
        return None
    tables = [[edge.parent.table for edge in dim.edges] for dim in (outer, inner)]
    if set(outer.edges) != set(inner.edges) and set(tables[0]) & set(tables[1]):
        return None
    s = subject(m, table, most=1, used=(*outer.columns, *inner.columns), parents=not (outer.edges or inner.edges))
    measure, words = measured(m, table, s, 0.4, extremes=False)
    largest, k = m.rng.random() < 0.8, m.rng.choice((1, 1, 1, 1, 2, 3, 3, 5))
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    keys = (*outer.keys, *inner.keys)
    by_time = outer.by_time
    if k == 1:
        verb = m.say(with_most(m, inner, s, measure, words, largest))
        the = verb.replace("has ", "with ", 1) if verb.startswith("has ") else f"that {verb}"
        figure = m.rng.random() < 0.25
        tail = m.say("[, with the figure|and the figure|, and how many|, with the {w}]", w=words.split(" of ")[0]) if figure else ""
        question = m.say(
            "[[for|in] each {o}, which {i} {v}|which {i} {v} [in|for] each {o}|for [each|every] {o}, [the|show the|name the|"
            "give the] {i} {t}|"
            "the {i} {t} [for each|of each|in each|per] {o}|what is the {i} {t} [in|for] [each|every] {o}|"
            "{o} by {o}, which {i} {v}|show the {i} {t} [per|for each|in every] {o}|each {o} and the {i} {t}]",
            o=outer.name,
            i=inner.name,
            v=verb,
            t=the,
        )
        select = (*keys, measure.sql) if figure else keys
        core = s.core(
            *select,
            edges=(*outer.edges, *inner.edges),
            group=keys,
            each=first_of_each(outer.keys[0], order),
            order=by_time,
        )
        return Pair(f"{question} {tail}".strip(), str(core), "best_of_each")
    question = m.say(
        "[{w} {k} {i} by {n} [in|for|within|of] each {o}|[for|in] [each|every] {o}, the {w} {k} {i} by {n}|"
        "what are the {w} {k} {i} by {n} [within|in|for] [each|every] {o}|show the {w} {k} {i} [per|for each] {o} by {n}]",
        w="top" if largest else m.say("[bottom|lowest]"),
        k=phrases.number(k, m.rng),
        i=inner.many,
        n=words,
        o=outer.name,
    )
    each = first_of_each(outer.keys[0], order, k)
    core = s.core(*keys, measure.sql, edges=(*outer.edges, *inner.edges), group=keys, each=each, order=by_time)
    return Pair(question, str(core), "best_of_each")


@template("best_row_of_each", 3)
def best_row(m: Maker, table: Tab) -> Pair | None:
    """For each value of a dimension, the row with the extreme value."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    outer = _key(m, table)
    if not cols or table.label is None or outer is None:
        return None
    col = m.rng.choice(cols)
    if col in outer.columns or table.label in outer.columns:
        return None
    s = subject(m, table, most=1, used=(*outer.columns, col), parents=not outer.edges)
    pre, post, largest = superlative(m, col)
    if post and s.filters and s.filters[0].post:
        return None
    k = m.rng.choice((1, 1, 1, 1, 1, 2, 3, 5))
    thing = f"{pre} {s.one if k == 1 else s.many} {post}".strip()
    if k > 1:
        thing = f"{phrases.number(k, m.rng)} {thing}"
    figure = m.rng.random() < 0.35
    tail = m.say("[, with {a}|and {n}|, with the {n}]", a=f"its {m.phrase(col)}", n=m.phrase(col)) if figure else ""
    question = m.say(
        "[[for|in] [each|every] {o}, [the|show the|name the|find the] {t}|the {t} [of each|in each|for each|per] {o}|{t} [per|"
        "by|for each] {o}|"
        "{w} the {t} [in|for|of] [each|every] {o}|show the {t} of every {o}|each {o} and [its|the] {t}|find the {t} in each {o}]",
        o=outer.name,
        t=thing,
        w=("who is" if table.people else "what is") if k == 1 else ("who are" if table.people else "what are"),
    )
    each = first_of_each(outer.keys[0], f"{col.ref} {'DESC' if largest else 'ASC'}", k)
    select = (*outer.keys, table.label.ref, col.ref) if figure else (*outer.keys, table.label.ref)
    return Pair(f"{question} {tail}".strip(), str(s.core(*select, edges=outer.edges, each=each, order=outer.by_time)), "best_of_each")


@template("nth", 1)
def nth_row(m: Maker, table: Tab) -> Pair | None:
    """The row that stands second or third."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    if not cols or table.label is None:
        return None
    col, offset = m.rng.choice(cols), m.rng.choice((1, 1, 1, 2, 2, 3))
    s = subject(m, table, most=1, used=(col,))
    pre, post, largest = superlative(m, col)
    if post and s.filters and s.filters[0].post:
        return None
    nth = m.rng.choice(_NTH[offset])
    thing = f"{nth} {pre} {s.one}" if pre else f"{s.one} {post.replace('the ', f'the {nth} ', 1)}"
    question = m.say(
        "[{w} the {t}|which {o} is the {t}|the {t}|find the {t}|name the {t}]",
        w="who is" if table.people else "what is",
        o=s.plain[0],
        t=thing,
    )
    query = s.core(table.label.ref, order=f"{col.ref} {'DESC' if largest else 'ASC'}", limit=1, offset=offset)
    return Pair(question, str(query), "nth")


@template("nth_group", 1)
def nth_group(m: Maker, table: Tab) -> Pair | None:
    """The group that stands second or third."""
    dim = dimension(m, table, entity=0.65)
    if dim is None or len(dim.keys) != 1:
        return None
    s = subject(m, table, most=1, used=dim.columns, parents=not dim.edges)
    measure, words = measured(m, table, s, 0.4, extremes=False)
    offset, largest = m.rng.choice((1, 1, 1, 2, 2, 3)), m.rng.random() < 0.8
    nth = m.rng.choice(_NTH[offset])
    many = f"the {nth} {'[most|most|highest number of|largest number of]' if largest else '[fewest|lowest number of]'} {s.many}"
    if measure.kind != "count":
        many = f"the {nth} {'[highest|largest]' if largest else '[lowest|smallest]'} {words}"
    question = m.say("[which {d} has " + many + "|the {d} with " + many + "|what {d} has " + many + "]", d=dim.name)
    order = f"{measure.sql} {'DESC' if largest else 'ASC'}"
    return Pair(question, str(s.core(*dim.keys, edges=dim.edges, group=dim.keys, order=order, limit=1, offset=offset)), "nth")
