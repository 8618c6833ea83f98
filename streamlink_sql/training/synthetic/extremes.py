"""Templates without groups: superlatives, orders, percentages, arithmetic, comparisons with the average."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import table_filter
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.simple import short
from streamlink_sql.training.synthetic.sql import Core, percent, ratio
from streamlink_sql.training.synthetic.subject import subject
from streamlink_sql.training.synthetic.templates import template


@template("range", 0.7)
def spread(m: Maker, table: Tab) -> Pair | None:
    """The difference between the largest and the smallest value."""
    cols = table.of("measure")
    if not cols:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,))
    pattern = (
        "[what is the difference between the [highest|largest|maximum] and [lowest|smallest|minimum] {n} of {p}|"
        "difference between the maximum and minimum {n} [of|among] {p}|what is the {n} range of {p}|"
        "how far apart are the highest and lowest {n} of {p}]"
    )
    return Pair(m.say(pattern, n=m.phrase(col), p=s.many), str(s.core(f"max({col.ref}) - min({col.ref})")), "difference")


def superlative(m: Maker, col: Col) -> tuple[str, str, bool]:
    """Words for the extreme of a column: before the noun, behind it, and True for the largest."""
    largest = m.rng.random() < 0.65
    if "adj" in col.attrs and m.rng.random() < 0.75:
        return col.attrs["adj"].split("/")[0 if largest else 1], "", largest
    if col.role in ("date", "year"):
        return (
            "",
            m.say("with the [latest|most recent] {n}" if largest else "with the [earliest|first|oldest] {n}", n=m.phrase(col)),
            largest,
        )
    return (
        "",
        m.say("with the [highest|largest|greatest|maximum] {n}" if largest else "with the [lowest|smallest|minimum] {n}", n=m.phrase(col)),
        largest,
    )


@template("superlative", 4)
def superlative_row(m: Maker, table: Tab) -> Pair | None:
    """The row with the extreme value."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    if not cols or table.label is None:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,))
    pre, post, largest = superlative(m, col)
    thing = f"{pre} {s.one} {post}" if not s.filters else f"{pre} {s.one} {post}" if pre else f"{s.one} {post}"
    if post and s.filters and s.filters[0].post:
        thing = m.say("{o} {x} among {p}", o=s.plain[0], x=post, p=s.many)
    pattern = (
        "[which {o} is the {q}|what is the {t}|what is the name of the {t}|find the {t}|show the {t}|the {t}|"
        "who is the {t}|give me the {t}|{t}]"
    )
    if table.people:
        pattern = pattern.replace("what is the {t}", "who is the {t}")
    else:
        pattern = pattern.replace("who is the {t}", "which is the {t}")
    pattern = pattern.replace("which {o} is the {q}", "which {o} has the {q}" if post else "which {o} is the {q}")
    quality = post.removeprefix("with the ") if post else pre
    if s.filters and "{q}" in pattern:
        pattern = "[" + pattern[pattern.index("|") + 1 :]
    question = m.say(pattern, o=s.plain[0], q=quality, t=thing)
    query = s.core(table.label.ref, order=f"{col.ref} {'DESC' if largest else 'ASC'}", limit=1)
    return Pair(question, str(query), "superlative")


@template("superlative_value", 1.2)
def superlative_value(m: Maker, table: Tab) -> Pair | None:
    """Another column of the row with the extreme value."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    if not cols:
        return None
    col = m.rng.choice(cols)
    others = [item for item in table.cols if item.role in ("category", "contact", "date", "measure", "text", "year") and item != col]
    if not others:
        return None
    other = m.rng.choice(others)
    s = subject(m, table, most=0)
    pre, post, largest = superlative(m, col)
    question = m.say(
        "[what is the {n} of the {a} {o} {z}|show the {n} of the {a} {o} {z}|{n} of the {a} {o} {z}|give me the {n} of the {a} {o} {z}]",
        n=m.phrase(other),
        a=pre,
        o=s.one,
        z=post,
    )
    return Pair(question, str(s.core(other.ref, order=f"{col.ref} {'DESC' if largest else 'ASC'}", limit=1)), "superlative")


@template("top_rows", 3)
def top_rows(m: Maker, table: Tab) -> Pair | None:
    """The k rows with the largest or smallest value: with the value where rows are to be shown, names only where it is asked which."""
    cols = [col for col in table.cols if col.role == "measure" or "adj" in col.attrs and col.role in ("date", "year")]
    if not cols or table.label is None:
        return None
    col, k = m.rng.choice(cols), m.rng.choice((2, 3, 3, 5, 5, 5, 10, 10, 20, 7))
    s = subject(m, table, most=1, used=(col,))
    said = phrases.number(k, m.rng)
    pre, post, largest = superlative(m, col)
    order = f"{col.ref} {'DESC' if largest else 'ASC'}"
    if m.rng.random() < 0.5 and col.role == "measure":
        word = m.say("top" if largest else "[bottom|lowest]")
        question = m.say(
            (
                "[{w} {k} {p} by {n}|show the {w} {k} {p} by {n}|what are the {w} {k} {p} by {n}|list the {w} {k} {p} by {n}|"
                "{w} {k} {p} ranked by {n}|give me the {w} {k} {p} in terms of {n}]"
            ),
            w=word,
            k=said,
            p=s.many,
            n=m.phrase(col),
        )
        return Pair(question, str(s.core(table.label.ref, col.ref, order=order, limit=k)), "top_k")
    if post and s.filters and s.filters[0].post:
        return None
    question = m.say(
        (
            "[what are the {k} {a} {p} {z}|show the {k} {a} {p} {z}|list the {k} {a} {p} {z}|{k} {a} {p} {z}|"
            "give me the {k} {a} {p} {z}|find the {k} {a} {p} {z}|which are the {k} {a} {p} {z}]"
        ),
        k=said,
        a=pre,
        p=s.many,
        z=post,
    )
    select = (table.label.ref,) if question.startswith(("what", "which")) or col.role != "measure" else (table.label.ref, col.ref)
    return Pair(question, str(s.core(*select, order=order, limit=k)), "top_k")


@template("order", 2.5)
def ordered(m: Maker, table: Tab) -> Pair | None:
    """A list in order."""
    cols = table.of("measure", "date", "year", "name")
    if not cols or table.label is None:
        return None
    col = m.rng.choice(cols)
    s = subject(m, table, most=1, used=(col,))
    down, name = m.rng.random() < 0.5, m.phrase(col)
    if col.role == "name":
        words = m.say(
            "[in reverse alphabetical order|from Z to A]"
            if down
            else "[in alphabetical order|alphabetically|sorted by {n}|ordered by {n}|from A to Z]",
            n=name,
        )
    elif col.role in ("date", "year"):
        words = m.say(
            "[from newest to oldest by {n}|by {n}, newest first|by {n}, most recent first|by {n} descending]"
            if down
            else "[sorted by {n}|ordered by {n}|by {n}, oldest first|in chronological order of {n}]",
            n=name,
        )
    else:
        pattern = (
            "[sorted by {n} descending|by {n} in descending order|from highest to lowest {n}|by descending {n}|with the highest {n} first]"
            if down
            else "[sorted by {n}|ordered by {n}|sorted by {n} in ascending order|from lowest to highest {n}|by ascending {n}]"
        )
        words = m.say(pattern, n=name)
    both = col != table.label and m.rng.random() < 0.35
    names = phrases.plural_of(short(m.phrase(table.label), table))
    thing = (
        m.say("[the {a} and {b} of {p}|{a} and {b} of {p}]", a=names, b=phrases.plural_of(name), p=s.many)
        if both
        else m.say("[{p}|all {p}|the {a} of {p}]", a=names, p=s.many)
    )
    question = m.say("[list {t} {w}|show {t} {w}|give me {t} {w}|{t} {w}|sort {t} {w}|display {t} {w}]", t=thing, w=words)
    if question.startswith("sort ") and "sorted" in question:
        question = "list" + question[4:]
    select = (table.label.ref, col.ref) if both else (table.label.ref,)
    return Pair(question, str(s.core(*select, order=f"{col.ref} {'DESC' if down else 'ASC'}")), "order")


@template("percent", 3)
def percentage(m: Maker, table: Tab) -> Pair | None:
    """The part of the rows that satisfies a condition."""
    found = table_filter(m, table)
    if found is None or " AND " in found.sql and "BETWEEN" not in found.sql and "month" not in found.sql and "quarter" not in found.sql:
        return None
    s = subject(m, table, most=1, used=found.columns, parents=False) if m.rng.random() < 0.35 else subject(m, table, most=0)
    pattern = (
        "[what percentage of {p} {s}|what percent of {p} {s}|what share of {p} {s}|what proportion of {p} {s}|"
        "percentage of {p} that {s}|share of {p} that {s}|how many percent of {p} {s}|"
        "which fraction of {p} {s} in percent|what is the percentage of {p} that {s}]"
    )
    question = m.say(pattern, p=s.many, s=found.says)
    if table.people:
        question = question.replace(f"{s.many} that ", f"{s.many} who ")
    return Pair(question, str(s.core(percent(found.sql))), "percentage")


@template("ratio", 1.5)
def arithmetic(m: Maker, table: Tab) -> Pair | None:
    """Ratios and differences of two columns, by row or in total."""
    cols = [col for col in table.of("measure") if "vs" in col.attrs or "per" in col.attrs]
    if not cols:
        return None
    col = m.rng.choice(cols)
    relation = "vs" if "vs" in col.attrs and ("per" not in col.attrs or m.rng.random() < 0.5) else "per"
    other = next(item for item in table.cols if item.name == col.attrs[relation])
    a, b = m.phrase(col), m.phrase(other)
    minus = relation == "vs" and m.rng.random() < 0.6
    s = subject(m, table, most=1, used=(col, other))
    between = (
        "difference between {a} and {b}"
        if minus
        else "ratio of {a} to {b}"
        if relation == "vs"
        else "[{a} per {b}|ratio of {a} to {b}|{a} divided by {b}]"
    )
    words = m.say(between, a=a, b=b)
    if table.label is not None and m.rng.random() < 0.5:
        sql = f"{col.ref} - {other.ref}" if minus else ratio(col.ref, other.ref)
        question = m.say(
            (
                "[show the {w} for each {p}|what is the {w} of each {p}|{w} for every {p}|list each {p} with its {w}|"
                "list the {w} of every {p}]"
            ),
            w=words,
            p=s.one,
        )
        return Pair(question, str(s.core(table.label.ref, sql)), "difference" if minus else "ratio")
    if minus or not (col.additive and other.additive):
        kind = m.rng.choice(("avg", "max"))
        if not minus:
            return None
        question = m.say(
            "[what is the {k} {w} of {p}|{k} {w} of {p}|give me the {k} {w} for {p}]",
            k="average" if kind == "avg" else m.say("[largest|maximum|biggest]"),
            w=words,
            p=s.many,
        )
        return Pair(question, str(s.core(f"{kind}({col.ref} - {other.ref})")), "difference")
    question = m.say(
        (
            "[what is the ratio of total {a} to total {b} of {p}|overall {a} per {b} of {p}|"
            "ratio of total {a} to total {b} for {p}|what is the total {a} divided by the total {b} for {p}]"
        ),
        a=a,
        b=b,
        p=s.many,
    )
    return Pair(question, str(s.core(ratio(f"sum({col.ref})", f"sum({other.ref})"))), "ratio")


@template("either", 1.5)
def either(m: Maker, table: Tab) -> Pair | None:
    """Two conditions joined by or, on different columns."""
    first = table_filter(m, table)
    second = table_filter(m, table, first.columns) if first else None
    if (
        first is None
        or second is None
        or first.sql.count(" AND ") + second.sql.count(" AND ")
        or first.kind == second.kind
        and first.kind.startswith("date")
    ):
        return None
    words = phrases.noun(table, m.rng)
    who = "who" if table.people else "that"
    counted = table.label is None or m.rng.random() < 0.4
    pattern = (
        "[how many {p} {a} or {b}|number of {p} {w} {a} or {b}|count {p} {w} either {a} or {b}]"
        if counted
        else "[which {p} {a} or {b}|list {p} {w} {a} or {b}|show all {p} {w} either {a} or {b}|{p} {w} {a} or {b}]"
    )
    question = m.say(pattern, p=words[1], a=first.says, b=second.says, w=who)
    select = "count(*)" if counted or table.label is None else table.label.ref
    return Pair(question, str(Core((select,), table.name, (), (f"{first.sql} OR {second.sql}",))), "filter_or")


@template("above_average", 2)
def above_average(m: Maker, table: Tab) -> Pair | None:
    """Rows above or below the average of a column."""
    cols = table.of("measure")
    if not cols:
        return None
    col, above = m.rng.choice(cols), m.rng.random() < 0.65
    s = subject(m, table, most=1, parents=False, used=(col,)) if m.rng.random() < 0.3 else subject(m, table, most=0)
    words = m.say(
        "[above the average|above average|higher than average|greater than the average|over the mean]"
        if above
        else "[below the average|below average|lower than average|less than the average]"
    )
    name = m.phrase(col)
    condition = m.say("[with {n} {w}|whose {n} is {w}|with {a} {w}|having {n} {w}]", n=name, a=phrases.indefinite(name), w=words)
    if s.filters and s.filters[0].post:
        condition = "and " + condition
    sql = f"{col.ref} {'>' if above else '<'} ({Core((f'avg({col.ref})',), table.name)})"
    counted = table.label is None or m.rng.random() < 0.35
    pattern = (
        "[how many {p} are there {c}|number of {p} {c}|count the {p} {c}]"
        if counted
        else "[list {p} {c}|which {p} are there {c}|show {p} {c}|find all {p} {c}|{p} {c}]"
    )
    select = "count(*)" if counted or table.label is None else table.label.ref
    question = m.say(pattern.replace(" are there", ""), p=s.many, c=condition)
    return Pair(question, str(s.core(select, where=(sql,))), "nested_average")
