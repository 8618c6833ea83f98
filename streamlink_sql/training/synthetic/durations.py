"""Templates for the days between two dates."""

from __future__ import annotations

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.subject import dimension, subject
from streamlink_sql.training.synthetic.templates import template


def _span(m: Maker, table: Tab) -> tuple[Col, Col, str] | None:
    """Two dates, the later one first, and words for the time between them."""
    cols = [col for col in table.of("date") if col.gen == "date"]
    later = [col for col in cols if "after" in col.attrs]
    if later:
        end = m.rng.choice(later)
        start = next(col for col in table.cols if col.name == end.attrs["after"])
    elif len(cols) > 1:
        start, end = cols[0], m.rng.choice(cols[1:])
    else:
        return None
    if start.gen != "date" or start == end:
        return None
    words = m.say(
        "[time|number of days|days|time in days] [between {a} and {b}|from {a} to {b}]",
        a=_event(m, start),
        b=_event(m, end),
    )
    return end, start, words


def _event(m: Maker, col: Col) -> str:
    """What happened on a date: "approval date" may be said as "approval"."""
    name = m.phrase(col)
    bare = name.removesuffix(" date").removeprefix("date of ")
    return bare if m.rng.random() < 0.7 else name


@template("duration", 2)
def duration(m: Maker, table: Tab) -> Pair | None:
    """Days between two dates: their average, longest or shortest, in all or by group."""
    found = _span(m, table)
    if found is None:
        return None
    end, start, words = found
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.5 else None
    s = subject(m, table, most=1, used=(end, start, *(dim.columns if dim else ())), parents=not (dim and dim.edges))
    kind = m.rng.choices(("avg", "max", "min"), (6, 2, 1))[0]
    sql = f"{kind}({end.ref} - {start.ref})"
    word = {"avg": "average", "max": "[longest|maximum]", "min": "[shortest|minimum]"}[kind]
    of = m.say("[of|for] {p}", p=s.many) if s.filters or m.rng.random() < 0.5 else ""
    if kind == "avg" and m.rng.random() < 0.4:
        head = m.say(
            "[how long does it take from {a} to {b} on average|how many days pass from {a} to {b} on average|"
            "on average, how many days lie between {a} and {b}|how long is it between {a} and {b} on average] {o}",
            a=_event(m, start),
            b=_event(m, end),
            o=of,
        )
    else:
        head = m.say("[what is the " + word + " {w} {o}|" + word + " {w} {o}|show the " + word + " {w} {o}]", w=words, o=of)
    if dim is None:
        return Pair(m.say("[{h}|{h}, in days]", h=head), str(s.core(sql)), "duration")
    ranked = m.rng.random() < 0.4
    down = m.rng.random() < 0.6
    tail = m.say(", [longest|slowest] first" if down else ", [shortest|fastest] first") if ranked else ""
    question = m.say("{h} [per|for each|by] {d}", h=head, d=dim.name) + tail
    order = f"{sql} {'DESC' if down else 'ASC'}" if ranked else dim.by_time
    return Pair(question, str(s.core(*dim.keys, sql, edges=dim.edges, group=dim.keys, order=order)), "duration")


@template("duration_limit", 0.8)
def duration_limit(m: Maker, table: Tab) -> Pair | None:
    """Rows whose days between two dates pass a limit."""
    found = _span(m, table)
    if found is None:
        return None
    end, start, words = found
    s = subject(m, table, most=1, used=(end, start), parents=False)
    n, more = m.rng.choice((5, 7, 10, 14, 20, 30, 60, 90, 100, 180, 365)), m.rng.random() < 0.7
    limit = m.say("[more than|over|longer than] {n} days" if more else "[less than|fewer than|under] {n} days", n=str(n))
    between = words.replace("number of days ", "").replace("time in days ", "").replace("days ", "").replace("time ", "")
    counted = table.label is None or m.rng.random() < 0.6
    question = m.say(
        "[how many {p} have {l} {b}|number of {p} with {l} {b}|how many {p} took {l} {b}]"
        if counted
        else "[which {p} have {l} {b}|list {p} with {l} {b}|{p} that took {l} {b}]",
        p=s.many,
        l=limit,
        b=between,
    )
    select = "count(*)" if counted or table.label is None else table.label.ref
    return Pair(question, str(s.core(select, where=(f"{end.ref} - {start.ref} {'>' if more else '<'} {n}",))), "duration")
