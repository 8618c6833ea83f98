"""Templates for figures of two sorts of rows side by side, their difference and ratio; medians; figures one period after another."""

from __future__ import annotations

from dataclasses import dataclass

from streamlink_sql.training.pairs import Pair
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Col, Tab
from streamlink_sql.training.synthetic.sql import Core, literal, month_of_year, of_those, year
from streamlink_sql.training.synthetic.subject import Subject, dimension, subject
from streamlink_sql.training.synthetic.templates import template
from streamlink_sql.training.synthetic.values import meanings


@dataclass(frozen=True, slots=True)
class Side:
    """One sort of rows: its condition, and its words in the plural."""

    sql: str
    many: str
    short: str


def _main_date(table: Tab) -> Col | None:
    dates = table.of("date", "year")
    main = [col for col in dates if "bare" in col.attrs or "verb" in col.attrs] or dates
    return main[0] if main else None


def _years(m: Maker, col: Col) -> tuple[int, int] | None:
    found = sorted({int(str(value)[:4]) for value in m.values(col)})
    if len(found) < 2:
        return None
    first = m.rng.choice(found[:-1])
    return first, m.rng.choice([at for at in found if at > first])


def _of_years(m: Maker, table: Tab, nouns: str) -> tuple[Col, Side, Side] | None:
    """Rows of a later and of an earlier year."""
    col = _main_date(table)
    years = _years(m, col) if col is not None else None
    if col is None or years is None:
        return None
    clear = "bare" in col.attrs or "verb" in col.attrs or len(table.of("date", "year")) == 1
    verb = f"{col.attrs['verb']} " if "verb" in col.attrs and " " not in col.attrs["verb"] and m.rng.random() < 0.4 else ""
    tie = f"{verb}in" if clear else f"with {m.phrase(col)} in"
    late, early = (Side(f"{year(col)} = {at}", f"{nouns} {tie} {at}", f"in {at}") for at in reversed(years))
    return col, late, early


def of_kinds(m: Maker, table: Tab, nouns: str, used: tuple[Col, ...]) -> tuple[Col, Side, Side] | None:
    """Rows with one value of a category, and with another."""
    cols = [col for col in table.of("category") if col not in used and len(m.values(col)) > 1]
    if not cols:
        return None
    col = m.rng.choice(cols)
    one = str(m.cell(col))
    other = next((value for value in (str(m.cell(col)) for _ in range(12)) if value != one), None)
    if other is None:
        return None
    named = m.phrase(col)
    tie = m.rng.choice(col.attrs["prep"].split("/")) if "prep" in col.attrs and m.rng.random() < 0.7 else f"with {named}"

    def side(value: str) -> Side:
        meant, sql = meanings(col).get(value), f"{col.ref} = {literal(value)}"
        said = meant[-1] if meant else phrases.said(value, m.rng)
        if "noun" in col.attrs and not meant:
            return Side(sql, phrases.plural_of(value), phrases.plural_of(value))
        if meant and phrases.plural_of(said) == nouns:
            return Side(sql, nouns, nouns)
        if "mod" in col.attrs or meant:
            word = said if meant else value.lower() if value[1:].islower() else value
            return Side(sql, f"{word} {nouns}", f"{word} ones")
        return Side(sql, f"{nouns} {tie} {said}", f"{tie} {said}")

    return col, side(one), side(other)


def _of_flag(m: Maker, table: Tab, nouns: str, used: tuple[Col, ...]) -> tuple[Col, Side, Side] | None:
    """Rows for which something is true, and those for which it is not."""
    cols = [col for col in table.of("flag") if col not in used and " " not in col.attrs.get("yes", " ") and col.attrs.get("yes")]
    if not cols:
        return None
    col = m.rng.choice(cols)
    yes = col.attrs["yes"]
    no = col.attrs.get("no", "") if " " not in col.attrs.get("no", " ") else ""
    sides = [Side(f"{col.ref} = TRUE", f"{yes} {nouns}", f"{yes} ones")]
    sides.append(Side(f"{col.ref} = FALSE", f"{no} {nouns}" if no else f"{nouns} that are not {yes}", f"{no} ones" if no else "the others"))
    m.rng.shuffle(sides)
    return col, sides[0], sides[1]


def _sides(m: Maker, table: Tab, nouns: str, used: tuple[Col, ...] = ()) -> tuple[Col, Side, Side] | None:
    how = m.rng.random()
    found = _of_years(m, table, nouns) if how < 0.4 else _of_flag(m, table, nouns, used) if how < 0.5 else None
    found = found or of_kinds(m, table, nouns, used)
    return None if found is None or found[0] in used else found


def _count(side: Side) -> str:
    return of_those("count(*)", side.sql)


def _common(m: Maker, table: Tab, col: Col) -> Subject:
    return subject(m, table, most=1, used=(col, *table.of("date", "year")), parents=False)


@template("count_difference", 2)
def count_difference(m: Maker, table: Tab) -> Pair | None:
    """How many more rows there are of one sort than of another, in all or for each group."""
    nouns = phrases.noun(table, m.rng)[1]
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.25 else None
    found = _sides(m, table, nouns, dim.columns if dim else ())
    if found is None:
        return None
    _, one, other = found
    question = m.say(
        "[how many more {a} are there than {y}|how many more {a} than {b} are there|difference between the number of {a} and of {b}|"
        "what is the difference [between|in number between] {a} and {b}|by how many do {a} outnumber {b}|"
        "how much larger is the number of {a} than that of {b}|number of {a} minus [number of|] {b}|how many more {a} than {y}|"
        "how many [fewer|less] {b} are there than {a}]",
        a=one.many,
        b=other.many,
        y=other.short,
    )
    if dim is None:
        return Pair(question, str(Core((f"{_count(one)} - {_count(other)}",), table.name)), "compared")
    tail = m.say("[in each|per|by|for each] {d}", d=dim.name)
    core = Core((*dim.keys, f"{_count(one)} - {_count(other)}"), table.name, dim.edges, (), dim.keys)
    return Pair(f"{question} {tail}", str(core), "compared")


@template("measure_difference", 1.5)
def measure_difference(m: Maker, table: Tab) -> Pair | None:
    """How much larger an average, a sum or a median is over one sort of rows than over another."""
    cols = table.of("measure")
    nouns = phrases.noun(table, m.rng)[1]
    found = _sides(m, table, nouns)
    if not cols or found is None:
        return None
    col = m.rng.choice(cols)
    if col == found[0]:
        return None
    _, one, other = found
    kind = m.rng.choices(("avg", "sum", "max", "median"), (5, 3 if col.additive else 0, 1, 1))[0]
    words = m.say({"avg": "[average|mean]", "sum": "[total|overall]", "max": "[maximum|highest]", "median": "median"}[kind])
    question = m.say(
        "[how much [higher|larger|more] is the {w} {n} of {a} than [of|that of] {b}|difference between the {w} {n} of {a} and {b}|"
        "what is the difference in {w} {n} between {a} and {b}|by how much does the {w} {n} of {a} exceed that of {b}|"
        "{w} {n} of {a} compared with {b}, as a difference|how much [lower|less] is the {w} {n} of {b} than of {a}]",
        w=words,
        n=m.phrase(col),
        a=one.many,
        b=other.many,
    )
    first, second = (of_those(f"{kind}({col.ref})", side.sql) for side in (one, other))
    return Pair(question, str(Core((f"{first} - {second}",), table.name)), "compared")


@template("count_ratio", 1.5)
def count_ratio(m: Maker, table: Tab) -> Pair | None:
    """The ratio of the rows of one sort to those of another, in all, for each group or over the years."""
    nouns = phrases.noun(table, m.rng)[1]
    dim = dimension(m, table) if m.rng.random() < 0.5 else None
    if dim is not None and len(dim.keys) != 1:
        return None
    found = _sides(m, table, nouns, dim.columns if dim else ())
    if found is None or (dim is not None and dim.by_time and found[0].role in ("date", "year")):
        return None
    _, one, other = found
    question = m.say(
        "[ratio of {a} to {b}|what is the ratio of {a} to {b}|what is the ratio between {a} and {b}|"
        "how many {a} are there for each of the {b}|"
        "{a} to {b} ratio|number of {a} divided by the number of {b}]",
        a=one.many,
        b=other.many,
    )
    ratio = f"1.0 * {_count(one)} / {_count(other)}"
    if dim is None:
        return Pair(question, str(Core((ratio,), table.name)), "compared")
    tail = m.say("[in each|per|by|for each] {d}", d=dim.name)
    core = Core((*dim.keys, ratio), table.name, dim.edges, (), dim.keys, order=dim.by_time)
    return Pair(f"{question} {tail}", str(core), "compared")


@template("two_counts", 2)
def two_counts(m: Maker, table: Tab) -> Pair | None:
    """Two figures side by side, in all or for each group."""
    nouns = phrases.noun(table, m.rng)[1]
    dim = dimension(m, table) if m.rng.random() < 0.65 else None
    if dim is not None and len(dim.keys) != 1:
        return None
    found = _sides(m, table, nouns, dim.columns if dim else ())
    if found is None or (dim is not None and dim.by_time and found[0].role in ("date", "year")):
        return None
    col, one, other = found
    cols = [item for item in table.of("measure") if item != col]
    if cols and m.rng.random() < 0.3:
        of = m.rng.choice(cols)
        aggregate, what = f"avg({of.ref})", m.say("[average|mean] {n}", n=m.phrase(of))
        pattern = "[{w} of {a} and of {b}|{w} of {a} next to that of {b}|compare the {w} of {a} and {b}|{w} of {a} versus {b}]"
    else:
        aggregate, what = "count(*)", m.say("[number|count]")
        pattern = (
            "[number of {a} and {b}|how many {a} and how many {b} are there|count {a} and {b} separately|"
            "number of {a} next to number of {b}|"
            "compare the number of {a} and {b}|{a} versus {b}: how many of each|number of {a} and number of {b}]"
        )
    question = m.say(pattern, w=what, a=one.many, b=other.many)
    figures = tuple(of_those(aggregate, side.sql) for side in (one, other))
    if dim is None:
        return Pair(question, str(Core(figures, table.name)), "compared")
    tail = m.say("[in each|per|by|for each] {d}", d=dim.name)
    return Pair(f"{question} {tail}", str(Core((*dim.keys, *figures), table.name, dim.edges, (), dim.keys, order=dim.by_time)), "compared")


@template("having_more", 1.5)
def having_more(m: Maker, table: Tab) -> Pair | None:
    """Groups with more rows of one sort than of another."""
    nouns = phrases.noun(table, m.rng)[1]
    dim = dimension(m, table, dates=False, entity=0.6)
    found = _sides(m, table, nouns, dim.columns) if dim else None
    if dim is None or found is None:
        return None
    _, one, other = found
    more, times = m.rng.random() < 0.65, m.rng.choice((1, 1, 1, 1, 2, 3))
    much = {1: "", 2: m.say("[twice|at least twice|more than twice]"), 3: "more than three times"}[times] if more else ""
    sign = ">=" if much in ("twice", "at least twice") else ">" if more else "<"
    than = f"{much} as many {{a}} as {{b}}" if much else "more {a} than {b}" if more else "fewer {a} than {b}"
    question = m.say(
        "[which {d} have " + than + "|{d} with " + than + "|list the {d} that have " + than + "|for which {d} are there " + than + "]",
        d=dim.many,
        a=one.many,
        b=other.short if m.rng.random() < 0.4 else other.many,
    )
    right = _count(other) if not much else f"{times} * {_count(other)}"
    return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, f"{_count(one)} {sign} {right}")), "compared")


@template("growth", 1.5)
def growth(m: Maker, table: Tab) -> Pair | None:
    """By how many per cent a figure grew from one year to another, in all or for each group."""
    nouns = phrases.noun(table, m.rng)[1]
    found = _of_years(m, table, nouns)
    if found is None:
        return None
    col, late, early = found
    dim = dimension(m, table, dates=False) if m.rng.random() < 0.5 else None
    cols = [item for item in table.of("measure") if item.additive and item != col]
    aggregate, what = "count(*)", m.say("[number of {p}|{p}]", p=nouns)
    if cols and m.rng.random() < 0.4:
        of = m.rng.choice(cols)
        aggregate, what = f"sum({of.ref})", m.say("[total {n}|{n}]", n=m.phrase(of))
    first, last = (of_those(aggregate, side.sql) for side in (early, late))
    years = early.short.removeprefix("in "), late.short.removeprefix("in ")
    in_percent = m.rng.random() < 0.6
    pattern = (
        "[by what percentage did the {w} [grow|increase|rise|change] from {y} to {z}|percentage [growth|increase|"
        "change] of the {w} from {y} to {z}|"
        "how many percent did the {w} [grow|rise|change] between {y} and {z}|growth of the {w} from {y} to {z} in percent]"
        if in_percent
        else "[by how much did the {w} [grow|increase|rise|change] from {y} to {z}|how much did the {w} [grow|change] between {y} and {z}|"
        "[increase|change|growth] of the {w} from {y} to {z}|how did the {w} change from {y} to {z}]"
    )
    question = m.say(pattern, w=what, y=years[0], z=years[1])
    figure = f"100.0 * ({last} - {first}) / {first}" if in_percent else f"{last} - {first}"
    if dim is None:
        return Pair(question, str(Core((figure,), table.name)), "growth")
    top = m.rng.random() < 0.35
    if top:
        question = m.say(
            "[which {d} had the [largest|biggest|strongest] [growth|increase] in {w} from {y} to {z}|"
            "where did the {w} grow most between {y} and {z}, by {d}]",
            d=dim.name,
            w=what,
            y=years[0],
            z=years[1],
        )
        return Pair(question, str(Core(dim.keys, table.name, dim.edges, (), dim.keys, "", f"{last} - {first} DESC", 1)), "growth")
    tail = m.say("[in each|per|by|for each] {d}", d=dim.name)
    return Pair(f"{question} {tail}", str(Core((*dim.keys, figure), table.name, dim.edges, (), dim.keys)), "growth")


@template("median", 1.5)
def median(m: Maker, table: Tab) -> Pair | None:
    """The median of a column, in all or for each group."""
    cols = table.of("measure")
    if not cols:
        return None
    col = m.rng.choice(cols)
    dim = dimension(m, table, used=(col,)) if m.rng.random() < 0.55 else None
    s = subject(m, table, most=1, used=(col, *(dim.columns if dim else ())), parents=not (dim and dim.edges))
    question = m.say(
        "[median {n} of {p}|what is the median {n} of {p}|the median {n} [among|of] {p}|show the median {n} of {p}]",
        n=m.phrase(col),
        p=s.many,
    )
    figure = f"median({col.ref})"
    if dim is None:
        return Pair(question, str(s.core(figure)), "median")
    tail = m.say("[per|by|for each|in each] {d}", d=dim.name)
    order = dim.by_time
    if not order and m.rng.random() < 0.3:
        order, tail = f"{figure} DESC", tail + m.say("[, highest first|, in descending order]")
    return Pair(f"{question} {tail}", str(s.core(*dim.keys, figure, edges=dim.edges, group=dim.keys, order=order)), "median")


@template("in_sequence", 2.5)
def in_sequence(m: Maker, table: Tab) -> Pair | None:
    """Sums so far, and changes from one year, month or quarter to the next."""
    col = _main_date(table)
    if col is None:
        return None
    kind = m.rng.choice(("year", "year", "year", "month")) if col.role == "date" else "year"
    key = year(col) if kind == "year" else month_of_year(col)
    s = _common(m, table, col)
    cols = [item for item in table.of("measure") if item.additive and not any(item in found.columns for found in s.filters)]
    figure, words = "count(*)", m.say("number of {p}", p=s.many)
    if cols and m.rng.random() < 0.45:
        of = m.rng.choice(cols)
        figure, words = f"sum({of.ref})", m.say("[{n}|total {n}] of {p}", n=m.phrase(of), p=s.many)
    if m.rng.random() < 0.55:
        pattern = (
            "[cumulative {w} [by|per] {k}|running total of [the|] {w} [by|per] {k}|{w} [by|per] {k}, cumulated|"
            "{w} so far at the end of each {k}|"
            "how did the {w} add up over the {k}s|running sum of the {w} {k} by {k}|accumulated {w} [by|per] {k}]"
        )
        sequence = f"sum({figure}) OVER (ORDER BY {key})"
    else:
        pattern = (
            "[change in the {w} from {k} to {k}|how much did the {w} change from one {k} to the next|{k}-over-{k} change in the {w}|"
            "[difference|change] in the {w} compared [to|with] the previous {k}, for each {k}|"
            "increase of the {w} over the {k} before, per {k}|"
            "by how much did the {w} [grow|rise|change] each {k}]"
        )
        sequence = f"{figure} - lag({figure}) OVER (ORDER BY {key})"
    core = s.core(key, sequence, group=(key,), order=key)
    return Pair(m.say(pattern, w=words, k=kind), str(core), "in_sequence")
