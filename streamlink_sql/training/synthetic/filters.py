"""Conditions: the SQL and what people say for it. Chooses values from the rows, so that answers are seldom empty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.moments import when
from streamlink_sql.training.synthetic.schema import NAMING, Col, Edge, Tab
from streamlink_sql.training.synthetic.sql import literal
from streamlink_sql.training.synthetic.values import meanings

STOP = {"the", "and", "of", "with", "after", "room", "for", "from", "introduction", "topics"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows: `pre` stands before the noun, `post` behind it, `head` in its place ("goalkeepers").

    `says` follows the noun as a predicate ("are active").
    """

    sql: str
    post: str
    says: str
    pre: str = ""
    edges: tuple[Edge, ...] = ()
    columns: tuple[Col, ...] = ()
    kind: str = "filter"
    head: str = ""


def _whose(maker: Maker, name: str, value: str, verb: str = "is") -> str:
    return maker.say(
        f"[with {name}|whose {name} {verb}|where {name} {verb}|where the {name} {verb}|having {name}|with {name}] {{v}}",
        v=value,
    )


def _category(maker: Maker, col: Col) -> Filter:
    value, rng = str(maker.cell(col)), maker.rng
    said, name = maker.said(col, value), maker.phrase(col)
    meant = meanings(col).get(value)
    if meant and rng.random() < 0.65:
        return _meant(maker, col, value, meant)
    if "noun" in col.attrs and rng.random() < 0.4:
        return Filter(f"{col.ref} = {literal(value)}", "", f"are {phrases.plural_of(value)}", "", (), (col,), "noun", value)
    if "mod" in col.attrs and rng.random() < 0.55:
        return Filter(
            f"{col.ref} = {literal(value)}", "", f"are {value.lower()}", value.lower() if value[1:].islower() else value, (), (col,)
        )
    if "prep" in col.attrs and rng.random() < 0.65:
        prep = rng.choice(col.attrs["prep"].split("/"))
        return Filter(f"{col.ref} = {literal(value)}", f"{prep} {said}", f"are {prep} {said}", "", (), (col,))
    post = _whose(maker, name, said)
    return Filter(f"{col.ref} = {literal(value)}", post, maker.say("have [{n} {v}|{v} as {n}|{n} {v}]", n=name, v=said), "", (), (col,))


def _meant(maker: Maker, col: Col, value: str, meant: tuple[str, ...]) -> Filter:
    """A code by what it stands for: "German patents" for DE, "apartments" for APT; a glossary would say so."""
    sql = f"{col.ref} = {literal(value)}"
    if len(meant) == 1:
        return Filter(sql, "", f"are {phrases.plural_of(meant[0])}", "", (), (col,), "noun", meant[0])
    country, adjective = meant
    if maker.rng.random() < 0.4 and maker.phrase(col) in ("country", "country code"):
        return Filter(sql, "", f"are {adjective}", adjective, (), (col,))
    prep = maker.rng.choice(col.attrs.get("prep", "from").split("/"))
    the = "the " if country.startswith(("United", "Nether")) and maker.rng.random() < 0.7 else ""
    return Filter(sql, f"{prep} {the}{country}", f"are {prep} {the}{country}", "", (), (col,))


def _not_category(maker: Maker, col: Col) -> Filter:
    value, name = str(maker.cell(col)), maker.phrase(col)
    said = maker.said(col, value)
    sql = f"{col.ref} != {literal(value)}"
    if "prep" in col.attrs and maker.rng.random() < 0.5:
        prep = maker.rng.choice(col.attrs["prep"].split("/"))
        post = maker.say("[not {p} {v}|that are not {p} {v}]", p=prep, v=said)
        return Filter(sql, post, f"are not {prep} {said}", "", (), (col,))
    post = maker.say(
        "[whose {n} is not {v}|with {n} other than {v}|with a {n} different from {v}|where {n} is not {v}|except those with {n} {v}]",
        n=name,
        v=said,
    )
    return Filter(sql, post, f"have {phrases.indefinite(name)} other than {said}", "", (), (col,))


def _several(maker: Maker, col: Col) -> Filter:
    options = maker.values(col)
    count = 2 if len(options) < 4 or maker.rng.random() < 0.75 else 3
    chosen = maker.rng.sample(options, min(count, len(options)))
    said = [maker.said(col, value) for value in chosen] if maker.rng.random() < 0.3 else [str(value) for value in chosen]
    joined = ", ".join(said[:-1]) + " or " + said[-1]
    sql = f"{col.ref} IN ({', '.join(literal(value) for value in chosen)})"
    name = maker.phrase(col)
    if "prep" in col.attrs and maker.rng.random() < 0.6:
        prep = maker.rng.choice(col.attrs["prep"].split("/"))
        return Filter(sql, f"{prep} {joined}", f"are {prep} {joined}", "", (), (col,))
    post = maker.say("[whose {n} is {v}|whose {n} is either {v}|with {n} {v}|where the {n} is {v}]", n=name, v=joined)
    return Filter(sql, post, f"have {name} {joined}", "", (), (col,))


COMPARISONS = (
    (">", "[above|over|more than|greater than|higher than|exceeding]"),
    ("<", "[below|under|less than|lower than|smaller than]"),
    (">=", "[at least|of at least|no less than]"),
    ("<=", "[at most|of at most|no more than|up to]"),
)


def comparative(superlative: str) -> str | None:
    """`heaviest` gives `heavier than`, `most expensive` gives `more expensive than`; None for forms that do not compare."""
    for most, more in (("most ", "more "), ("least ", "less ")):
        if superlative.startswith(most):
            return more + superlative.removeprefix(most) + " than"
    if superlative.endswith("est") and " " not in superlative and superlative not in ("best", "newest", "latest"):
        return superlative[:-3] + "er than"
    return None


def _interval(maker: Maker, col: Col) -> Filter | None:
    low, high = sorted((maker.limit(col), maker.limit(col)))
    if low >= high:
        return None
    name, first, second = maker.phrase(col), phrases.number(low, maker.rng), phrases.amount(col, high, maker.rng)
    if first.isalpha() != second.split()[0].isalpha():
        first, second = str(low), str(high)
    words = maker.say("[between {a} and {b}|between {a} and {b}|from {a} to {b}]", a=first, b=second)
    post = maker.say("[with {n}|whose {n} is|with {m}|where {n} is] {w}", n=name, m=phrases.indefinite(name), w=words)
    return Filter(f"{col.ref} BETWEEN {low} AND {high}", post, f"have {phrases.indefinite(name)} {words}", "", (), (col,), "between")


def _measure(maker: Maker, col: Col) -> Filter | None:
    rng, name = maker.rng, maker.phrase(col)
    if rng.random() < 0.13:
        return _interval(maker, col)
    operator, pattern = rng.choices(COMPARISONS, (4, 4, 2, 1))[0]
    value = maker.limit(col)
    said = phrases.amount(col, value, rng)
    words = maker.say(pattern + " {v}", v=said)
    bare, sql = words.removeprefix("of "), f"{col.ref} {operator} {value}"
    if name.startswith("number of ") and rng.random() < 0.6:
        thing = {">": "more than", "<": "fewer than", ">=": "at least", "<=": "at most"}[operator]
        amount = f"{thing} {phrases.number(value, rng)} {name.removeprefix('number of ')}"
        return Filter(sql, f"with {amount}", f"have {amount}", "", (), (col,))
    side = {">": 0, "<": 1}.get(operator)
    better = comparative(col.attrs["adj"].split("/")[side]) if side is not None and "adj" in col.attrs else None
    if better and rng.random() < 0.3:
        return Filter(sql, maker.say("[{b} {v}|that are {b} {v}]", b=better, v=said), f"are {better} {said}", "", (), (col,))
    pattern = "[with {n} {w}|with {a} {w}|whose {n} is {b}|where {n} is {b}|having {n} {w}|whose {n} is {b}|with {n} {s} {v}]"
    post = maker.say(pattern, n=name, w=words, b=bare, s=operator, v=phrases.number(value, rng), a=phrases.indefinite(name))
    post = post.replace("is exceeding", "exceeds")
    return Filter(sql, post, f"have {phrases.indefinite(name)} {words}", "", (), (col,))


def _equals(maker: Maker, col: Col) -> Filter:
    value = maker.cell(col)
    said = phrases.amount(col, float(str(value)), maker.rng)
    return Filter(f"{col.ref} = {value}", _whose(maker, maker.phrase(col), said), f"have {maker.phrase(col)} {said}", "", (), (col,))


def _date(maker: Maker, col: Col) -> Filter:
    sql, words, kind = when(maker, col)
    verb, name = col.attrs.get("verb", ""), maker.phrase(col)
    if verb and maker.rng.random() < 0.75:
        post = maker.say("[{v}|{v}|that were {v}] {w}", v=verb, w=words)
        return Filter(sql, post, f"were {verb} {words}", "", (), (col,), kind)
    if "bare" in col.attrs and maker.rng.random() < 0.7:
        does = f"were {verb}" if verb else maker.say("[took place|happened]") if col.role == "date" else "are from"
        said = words.removeprefix("in ") if does == "are from" else words
        return Filter(sql, words, f"{does} {said}", "", (), (col,), kind)
    post = maker.say("[with {a}|with {n}|whose {n} is|whose {n} is] {w}", n=name, a=phrases.indefinite(name), w=words)
    return Filter(sql, post, f"have {phrases.indefinite(name)} {words}", "", (), (col,), kind)


def _word(text: str, rng: Random) -> str | None:
    words = [word for word in re.findall(r"[A-Za-z]{4,}", text) if word.lower() not in STOP]
    return rng.choice(words) if words else None


def _marked(maker: Maker, word: str) -> str:
    return maker.rng.choice((word, word, f"'{word}'", f'"{word}"'))


def _starts(maker: Maker, col: Col, text: str) -> Filter:
    name = maker.phrase(col)
    start = text[0] if maker.rng.random() < 0.7 else text[:3].strip()
    said = maker.say("[starts with|starts with|begins with|starts with the letter]" if len(start) == 1 else "[starts with|begins with]")
    words = maker.say(
        f"[whose {{n}} {said}|with {phrases.indefinite(name)} starting with|whose {{n}} {said}] {{v}}", n=name, v=_marked(maker, start)
    )
    return Filter(
        f"{col.ref} ILIKE {literal(start + '%')}", words, f"have {phrases.indefinite(name)} that {said} {start}", "", (), (col,), "starts"
    )


def _ends(maker: Maker, col: Col, text: str) -> Filter:
    name, last = maker.phrase(col), re.findall(r"\w+", text)[-1]
    post = maker.say(
        "[whose {n} ends with|whose {n} ends in|with {a} ending in] {v}", n=name, a=phrases.indefinite(name), v=_marked(maker, last)
    )
    return Filter(
        f"{col.ref} ILIKE {literal('%' + last)}", post, f"have {phrases.indefinite(name)} ending with {last}", "", (), (col,), "ends"
    )


def _lacks(maker: Maker, col: Col, word: str) -> Filter:
    name, said = maker.phrase(col), _marked(maker, word)
    post = maker.say(
        "[whose {n} does not contain {v}|without the word {v} in the {n}|not mentioning {v} in the {n}|whose {n} doesn't contain {v}]",
        n=name,
        v=said,
    )
    return Filter(f"{col.ref} NOT ILIKE {literal(f'%{word}%')}", post, f"do not have {said} in the {name}", "", (), (col,), "not_contains")


CONTAINS = (
    "[whose {n} contains {v}|whose {n} contains the word {v}|with {v} in the {n}|with {v} in their {n}|whose {n} includes {v}|"
    "having {v} in the {n}|whose {n} mentions {v}|containing {v} in the {n}|that mention {v} in the {n}|with the word {v} in the {n}|"
    "where the {n} contains {v}|whose {n} has {v} in it|where {n} includes the term {v}]"
)


def _topic(maker: Maker, col: Col) -> bool:
    """True where "about x" can only mean this column: it is the table's one column of running text."""
    table = maker.base.table(col.table)
    return [item for item in table.of("text", "name") if item.gen in ("title", "product", "text")] == [col] and not table.people


def _contains(maker: Maker, col: Col) -> Filter | None:
    rng, text = maker.rng, str(maker.cell(col))
    word, chance = _word(text, rng), rng.random()
    if word is None or chance < 0.18:
        return _starts(maker, col, text)
    if chance < 0.26 and text[-1].isalpha():
        return _ends(maker, col, text)
    word = word.lower() if rng.random() < 0.6 else word
    if chance < 0.34:
        return _lacks(maker, col, word)
    name, said, sql = maker.phrase(col), _marked(maker, word), f"{col.ref} ILIKE {literal(f'%{word}%')}"
    second = _word(str(maker.cell(col)), rng)
    if second is not None and second.lower() != word.lower() and chance < 0.48:
        second = second.lower() if word.islower() else second
        both = chance < 0.38
        glue, said = ("AND", f"both {said} and {_marked(maker, second)}") if both else ("OR", f"{said} or {_marked(maker, second)}")
        sql = (
            f"({sql} {glue} {col.ref} ILIKE {literal(f'%{second}%')})"
            if not both
            else f"{sql} AND {col.ref} ILIKE {literal(f'%{second}%')}"
        )
    if _topic(maker, col) and rng.random() < 0.45:
        post = maker.say("[about|about|on|mentioning|related to|that mention|dealing with|concerning|containing] {v}", v=said)
        return Filter(sql, post, f"mention {said}", "", (), (col,), "contains")
    return Filter(sql, maker.say(CONTAINS, n=name, v=said), f"have {said} in the {name}", "", (), (col,), "contains")


def _flag(maker: Maker, col: Col) -> Filter:
    yes = maker.rng.random() < 0.65
    words = col.attrs.get("yes" if yes else "no", "") or ("" if yes else f"not {col.attrs.get('yes', '')}")
    sql = f"{col.ref} = {col.attrs.get('true' if yes else 'false', literal(yes))}"
    if words.startswith(("with", "without", "that", "in ", "on ")):
        says = re.sub(r"^with ", "have ", re.sub(r"^without ", "have no ", words.removeprefix("that ")))
        says = f"are {says}" if words.startswith(("in ", "on ")) else says
        return Filter(sql, words, says, "", (), (col,), "boolean")
    if " " not in words and maker.rng.random() < 0.6:
        return Filter(sql, "", f"are {words}", words, (), (col,), "boolean")
    return Filter(sql, f"that are {words}", f"are {words}", "", (), (col,), "boolean")


def _named(maker: Maker, col: Col) -> Filter:
    """The name of somebody else in the row: "inspected by Ann Lee"."""
    value, name = str(maker.cell(col)), maker.phrase(col)
    said, prep = phrases.said(value, maker.rng), maker.rng.choice(col.attrs.get("prep", "").split("/"))
    if prep and maker.rng.random() < 0.6:
        return Filter(f"{col.ref} = {literal(value)}", f"{prep} {said}", f"are {prep} {said}", "", (), (col,))
    return Filter(f"{col.ref} = {literal(value)}", _whose(maker, name, said), f"have {name} {said}", "", (), (col,))


def _happened(maker: Maker, col: Col) -> Filter:
    """A date that tells whether something happened: "approved permits", "permits that are not closed yet"."""
    verb = col.attrs["verb"]
    if maker.rng.random() < 0.6:
        if maker.rng.random() < 0.7 and " " not in verb:
            return Filter(f"{col.ref} IS NOT NULL", "", f"were {verb}", verb, (), (col,), "happened")
        return Filter(f"{col.ref} IS NOT NULL", maker.say("that [were|have been] {v}", v=verb), f"were {verb}", "", (), (col,), "happened")
    post = maker.say("that [were never {v}|are not {v} yet|are still not {v}|have not been {v}]", v=verb)
    return Filter(f"{col.ref} IS NULL", post, f"were never {verb}", "", (), (col,), "happened")


def _null(maker: Maker, col: Col) -> Filter:
    name = maker.phrase(col)
    if col.role == "date" and "verb" in col.attrs and not col.attrs["verb"].startswith("that") and maker.rng.random() < 0.75:
        return _happened(maker, col)
    if maker.rng.random() < 0.65:
        post = maker.say(
            "[without {a}|with no {n}|with missing {n}|whose {n} is [missing|unknown|empty|not recorded]|lacking {a}|that have no {n}]",
            n=name,
            a=phrases.indefinite(name),
        )
        return Filter(f"{col.ref} IS NULL", post, f"have no {name}", "", (), (col,), "null")
    post = maker.say("[that have {a}|with a known {n}|whose {n} is [known|not missing|recorded]]", n=name, a=phrases.indefinite(name))
    return Filter(f"{col.ref} IS NOT NULL", post, f"have {phrases.indefinite(name)}", "", (), (col,), "null")


def _versus(maker: Maker, col: Col) -> Filter:
    other = next(item for item in maker.base.table(col.table).cols if item.name == col.attrs["vs"])
    operator, words = maker.rng.choice(((">", "[higher|greater|larger] than"), ("<", "[lower|less|smaller] than")))
    post = maker.say("whose {a} is " + words + " [the|their] {b}", a=maker.phrase(col), b=maker.phrase(other))
    return Filter(f"{col.ref} {operator} {other.ref}", post, post.replace("whose", "have", 1), "", (), (col, other), "columns")


def column_filter(maker: Maker, col: Col) -> Filter | None:
    """A random condition on a column, or None where the column does not serve for one."""
    chance = maker.rng.random()
    if "null" in col.attrs and (col.role == "fk" and "spoken" not in col.attrs or chance < 0.25):
        return _null(maker, col)
    if col.role in ("category", "fk", "year") and len(maker.values(col)) < 2:
        return None
    if col.role == "category" or col.role == "fk":
        return _category(maker, col) if chance < 0.68 else _several(maker, col) if chance < 0.84 else _not_category(maker, col)
    if col.role == "measure":
        if "vs" in col.attrs and chance < 0.2:
            return _versus(maker, col)
        return _equals(maker, col) if chance > 0.92 and col.gen in ("int", "qty") else _measure(maker, col)
    if col.role == "text" and col.gen in NAMING and chance < 0.75:
        return _named(maker, col)
    makers = {"date": _date, "year": _date, "flag": _flag, "text": _contains, "name": _contains}
    return makers[col.role](maker, col) if col.role in makers else None


def table_filter(maker: Maker, table: Tab, used: Sequence[Col] = ()) -> Filter | None:
    """A condition on a column of a table that is not used yet; names only now and then."""
    weights = {"category": 4.0, "measure": 3, "date": 3.5, "year": 3, "flag": 3, "text": 3, "name": 1, "fk": 0.6, "contact": 0.6}
    cols = [col for col in table.of("category", "measure", "date", "year", "flag", "text", "name") if col not in used]
    cols += [col for col in table.of("fk", "contact") if ("null" in col.attrs or "spoken" in col.attrs) and col not in used]
    if not cols:
        return None
    return column_filter(maker, maker.rng.choices(cols, [weights[col.role] * (3 if meanings(col) else 1) for col in cols])[0])
