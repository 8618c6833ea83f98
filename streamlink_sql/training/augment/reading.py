"""Makes the question generator's view of a database, schema and rows, of what the catalogue knows and a sample of rows. Writes no question.

What a column is for is told by its kind, its name, its keys, the glossary and the values that occur.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlglot import exp

from streamlink_sql.catalog.demonyms import DEMONYMS
from streamlink_sql.catalog.names import ABBREVIATIONS
from streamlink_sql.catalog.values import normalise, stem
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.training.augment import wording
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.synthetic.schema import Base, Col, Tab, plural, words_of
from streamlink_sql.training.synthetic.sql import literal
from streamlink_sql.training.synthetic.values import Data, Value
from streamlink_sql.types import Column, ForeignKey, Table

ROWS = 4000
"""Rows of a table that values are taken from, spread evenly over it."""
_ROW = "streamlink_row"
_KINDS = ("text", "integer", "real", "decimal", "boolean", "date", "timestamp")
_MOST_CATEGORIES, _FEW_ROWS = 60, 100
_CODE = re.compile(r"[A-Z0-9][A-Z0-9./-]{1,11}")
_NAME = re.compile(r"[^\W\d_][\w.'’-]*( [^\W\d_][\w.'’-]*){1,3}")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A column and its cells in the sample, None among them."""

    table: Table
    column: Column
    cells: Sequence[Value]

    @property
    def values(self) -> list[Value]:
        return [cell for cell in self.cells if cell is not None]

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name, abbreviations written out."""
        return tuple(word for short in words_of(self.column.name).split() for word in ABBREVIATIONS.get(short, short).split())

    def length(self) -> float:
        """Words of its texts, on average."""
        values = self.values
        return sum(len(str(value).split()) for value in values) / len(values)


def read_base(domain: Domain) -> tuple[Base, Data]:
    """The schema as question templates take it, with a sample of its rows. Tables that cannot be read row by row are left out."""
    data: Data = {}
    for table in domain.tables:
        try:
            rows = _sampled(domain, table)
        except StreamLinkError:
            continue  # shown in groups only, or not at all
        if any(any(cell is not None for cell in cells) for cells in rows.values()):
            data[table.name] = {name: cells for name, cells in rows.items() if any(cell is not None for cell in cells)}
    readable = tuple(table for table in domain.tables if table.name in data)
    base = Base("", tuple(_Reader(domain, readable, data).tab(table) for table in readable))
    return base, data


def _sampled(domain: Domain, table: Table) -> dict[str, list[Value]]:
    """Rows of a table by column."""
    columns = [column for column in table.columns if column.kind in _KINDS]
    if not columns:
        return {}
    names = [exp.to_identifier(column.name, quoted=True).sql(domain.dialect) for column in columns]
    source = exp.to_identifier(table.name, quoted=True).sql(domain.dialect) if "." not in table.name else exp.to_table(table.name).sql()
    sql, step = f"SELECT {', '.join(names)} FROM {source}", (table.rows or 0) // ROWS
    if step > 1:
        numbered = f"SELECT {', '.join(names)}, row_number() OVER () AS {_ROW} FROM {source}"
        sql = f"SELECT {', '.join(names)} FROM ({numbered}) AS numbered WHERE {_ROW} % {step} = 0"
    rows = list(domain.rows(sql, limit=ROWS, time_limit_s=120).as_python())
    return {column.name: [_cell(cell, column) for cell in cells] for column, cells in zip(columns, zip(*rows, strict=True), strict=False)}


def _cell(cell: object, column: Column) -> Value:
    """A cell as templates take it: dates as dates whatever the engine keeps them as, numbers that are not finite and blanks as nothing."""
    if column.kind in ("date", "timestamp"):
        return _moment(cell, column)
    if isinstance(cell, str):
        return cell if cell.strip() and len(cell) <= 300 else None
    if isinstance(cell, float) and (cell != cell or cell in (float("inf"), float("-inf"))):
        return None
    return cell if isinstance(cell, (bool, int, float, Decimal)) else None


def _moment(cell: object, column: Column) -> Value:
    if isinstance(cell, str):
        try:
            cell = dt.datetime.fromisoformat(cell)
        except ValueError:
            return None
        return cell.date() if column.kind == "date" else cell
    return cell if isinstance(cell, dt.date) else None


class _Reader:
    """Tables as the generator takes them."""

    def __init__(self, domain: Domain, tables: Sequence[Table], data: Data) -> None:
        glossary = domain.snapshot.glossary
        self._synonyms, self._data = glossary.synonyms, data
        self._said = {place: _by_cell(words) for place, words in domain.snapshot.aliases.words.items()}
        self._tables = {table.name: table for table in tables}
        names = Counter(column.casefold() for rows in data.values() for column in rows)
        self._shared = {name for name, times in names.items() if times > 1}

    def tab(self, table: Table) -> Tab:
        """A table; one that only ties rows of two others is a link."""
        seen = [
            _Seen(table, column, self._data[table.name][column.name]) for column in table.columns if column.name in self._data[table.name]
        ]
        nouns = self._nouns(table)
        label = self._label(table, seen, nouns)
        cols = _with_relations([self._col(each, label, nouns) for each in seen], {each.column.name: each for each in seen})
        keys = [col for col in cols if col.role == "fk"]
        link = len(keys) > 1 and len(cols) - len(keys) <= 1 and not any(each.to_table == table.name for each in table.foreign_keys)
        return Tab(table.name, nouns, tuple(cols), table.rows or 0, link)

    def _nouns(self, table: Table) -> tuple[tuple[str, str], ...]:
        """What rows are called, the usual noun first: the table's name without what says nothing, and the glossary's words."""
        words = words_of(table.name.rpartition(".")[2]).split()
        while len(words) > 1 and words[-1] in wording.OF_TABLES:
            words.pop()
        while len(words) > 1 and words[0] in wording.OF_TABLES:
            words.pop(0)
        own, told = " ".join(words), [normalise(word) for word in self._synonyms.get((table.name, ""), ())]
        named = [*told, own] if told and len(own) < 4 else [own, *told]
        return tuple(dict.fromkeys((singular, plural(singular)) for singular in map(_singular, named)))

    def _label(self, table: Table, seen: Sequence[_Seen], nouns: Sequence[tuple[str, str]]) -> str:
        """The column that names a row; none where no text does."""
        keys = {key.columns[0] for key in table.foreign_keys}
        texts = [each for each in seen if each.column.kind == "text" and each.column.name not in keys and each.words[:1] != ("first",)]
        own = {word for one, many in nouns for word in (*one.split(), *many.split())}

        def score(each: _Seen) -> tuple[int, float]:
            last = each.words[-1] if each.words else ""
            if last not in NAMES_AT:
                return 0, 0.0
            about = all(word in own for word in each.words[:-1])
            return (3 if about else 1) * (len(NAMES_AT) - NAMES_AT[last]), len(set(each.values)) / len(each.values)

        best = max(texts, key=score, default=None)
        if best is None or score(best)[0] == 0 or best.length() > 12:
            return ""
        about_others = not all(word in own for word in best.words[:-1])
        return "" if about_others and len(set(best.values)) < 0.9 * len(best.values) else best.column.name

    def _col(self, seen: _Seen, label: str, nouns: Sequence[tuple[str, str]]) -> Col:
        table, column = seen.table, seen.column
        place, name = (table.name, column.name), column.name
        phrases, verbs, ties = _sorted_words(self._phrases(seen), self._synonyms.get(place, ()))
        attrs: dict[str, str] = {}
        nulls = 1 - len(seen.values) / len(seen.cells)
        if nulls > 0.01:
            attrs["null"] = f"{nulls:.2f}"
        key = next((key for key in table.foreign_keys if key.columns == (name,) and key.to_table in self._tables), None)
        if key is not None and key.to_columns and key.to_columns[0] in self._data[key.to_table]:
            return self._reference(seen, key, phrases, attrs)
        gen, more = _purpose(seen, label, nouns)
        attrs |= more
        if gen in ("date", "ts", "year"):
            attrs |= {"verb": verbs[0]} if verbs else _happened(seen)
        elif gen in ("int", "qty", "real", "amt", "num"):
            attrs |= _extremes(seen, verbs)
        elif ties:
            attrs["prep"] = "/".join(ties)
        elif gen == "one" or gen == "place":
            attrs |= _place(seen, self._said.get(place, {}))
        means, aliases = _meanings(self._said.get(place, {}), seen.words) if gen == "one" else ({}, {})
        shared = (f"={name.casefold()}",) if gen == "one" and name.casefold() in self._shared else ()
        return Col(table.name, name, gen, shared, phrases, attrs, means, aliases)

    def _reference(self, seen: _Seen, key: ForeignKey, phrases: tuple[str, ...], attrs: dict[str, str]) -> Col:
        """A foreign key; where several refer to one table, the words of its name say what the other row is to this one."""
        table, others = seen.table, [other for other in seen.table.foreign_keys if other.to_table == key.to_table]
        target = {*words_of(key.to_table).split(), *words_of(key.to_columns[0]).split(), "id", "key", "code", "number", "no"}
        role = " ".join(word for word in seen.words if word not in target and stem(word) not in target)
        if (len(others) > 1 or key.to_table == table.name) and role:
            attrs["as"] = f"{role} {_singular(words_of(key.to_table))}" if len(role.split()) == 1 and len(others) > 1 else role
        values = seen.values
        if all(isinstance(value, str) and _CODE.fullmatch(value) for value in values):
            attrs["spoken"] = "code"
        return Col(table.name, seen.column.name, "fk", (key.to_table, key.to_columns[0]), phrases, attrs)

    def _phrases(self, seen: _Seen) -> list[str]:
        """Words for a column made of its name."""
        words, name = seen.words, " ".join(seen.words)
        if words[-1:] == ("count",) and len(words) > 1:
            return [f"number of {plural(_singular(' '.join(words[:-1])))}", name]
        if words[:2] in (("number", "of"), ("num", "of")):
            return [name]
        if words[:1] in (("number",), ("num",)) and len(words) > 1 and seen.column.kind == "integer":
            return [f"number of {plural(_singular(' '.join(words[1:])))}"]
        if words[-1:] == ("code",) and len(words) > 1:
            return [" ".join(words[:-1]), name]
        bare = [word for word in words if word not in wording.UNITS] or list(words)
        return [" ".join(bare), *([name] if bare != list(words) else [])]


NAMES_AT = {word: at for at, word in enumerate(wording.NAMES)}


def _singular(noun: str) -> str:
    head, _, last = noun.rpartition(" ")
    one = last[:-1] if re.search(r"([^s]s|[^z]z)es$", last) else stem(last)
    return f"{head} {wording.IRREGULAR.get(last, one)}".strip()


def _by_cell(words: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, cell in words.items():
        found.setdefault(cell, []).append(word)
    return found


def _sorted_words(own: Sequence[str], told: Sequence[str]) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The names of a column; apart from them words for what happened ("granted"), and words that end in a preposition ("invented by")."""
    plain = [word.strip() for word in told]
    ties = [word for word in plain if word.endswith((" by", " in", " at", " from", " for", " under"))]
    verbs = [word for word in plain if word not in ties and _is_participle(word.split()[0] if word.split() else "")]
    names = [word for word in plain if word not in ties and word not in verbs]
    return tuple(dict.fromkeys((*own, *names))), verbs, ties


def _is_participle(word: str) -> bool:
    return word in wording.PARTICIPLES or word.endswith("ed") and len(word) > 4 and word not in ("speed", "breed", "need", "hundred")


def _purpose(seen: _Seen, label: str, nouns: Sequence[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """How the generator calls what a column is for, with hints."""
    column, words = seen.column, seen.words
    if (column.name,) == seen.table.primary_key:
        return ("id" if column.kind != "text" else "key"), {}
    if column.name == label:
        return _kind_of_name(seen, nouns), {}
    if column.kind == "boolean":
        return ("flag", _said_of_flag(words)) if len(set(seen.values)) > 1 else ("code", {})
    if column.kind in ("date", "timestamp"):
        return ("date" if column.kind == "date" else "ts") if len(set(seen.values)) > 2 else "code", {}
    if column.kind == "text":
        return _purpose_of_text(seen)
    return _purpose_of_number(seen), {}


def _kind_of_name(seen: _Seen, nouns: Sequence[tuple[str, str]]) -> str:
    if nouns[0][0].split()[-1] in wording.PEOPLE:
        return "person"
    return "title" if seen.length() > 2.5 or "title" in seen.words else "label"


def _purpose_of_number(seen: _Seen) -> str:
    values = [float(str(value)) for value in seen.values]
    words, integers = seen.words, seen.column.kind == "integer"
    if len(set(values)) < 3:
        return "code"
    if (
        integers
        and ("year" in words or words[-1:] in (("founded",), ("established",), ("built",)))
        and all(1000 < v < 2200 for v in values)
    ):
        return "year"
    if integers and words[-1:] and words[-1] in ("id", "key", "code", "no", "identifier", "zip", "phone", "uuid", "rank"):
        return "code"
    if words[-1:] == ("number",) and len(words) > 1 or _is_on_map(words):
        return "code"
    adds = bool(wording.ADDITIVE.intersection(words)) and not {"average", "unit", "per", "rate", "ratio", "percent"}.intersection(words)
    return ("qty" if adds else "int") if integers else ("amt" if adds else "real")


def _is_on_map(words: Sequence[str]) -> bool:
    """Whether a number is a place on the map."""
    return bool({"latitude", "longitude"}.intersection(words))


def _purpose_of_text(seen: _Seen) -> tuple[str, dict[str, str]]:
    values, words = [str(value) for value in seen.values], seen.words
    contact = next((wording.CONTACTS[word] for word in reversed(words) if word in wording.CONTACTS), "")
    if contact:
        return contact, {}
    distinct, length = set(values), seen.length()
    if len(distinct) == 1:
        return "code", {}
    flags = next((pair for pair in wording.FLAGS if distinct == set(pair)), None)
    if flags and (words[0] in wording.OF_FLAGS or words[-1] in wording.OF_FLAGS):
        return "flag", _said_of_flag(words) | {"true": literal(flags[0]), "false": literal(flags[1])}
    longest = max(map(len, distinct))
    repeats = len(distinct) <= 0.6 * len(values) or len(distinct) <= 8 < len(values)
    few = len(values) <= _FEW_ROWS and not {"code", "number", "id", "key"}.intersection(words)
    if repeats and len(distinct) <= _MOST_CATEGORIES and length <= 5 and longest <= 60:
        return "one", {}
    people = any(word in wording.PEOPLE for word in words)
    if people and all(_NAME.fullmatch(value) for value in values[:50]):
        return "person", {"notname": "1"}
    if (repeats or few) and length <= 4 and longest <= 60:
        return "place", {"notname": "1"}
    return ("text" if length >= 2 else "code"), {}


def _said_of_flag(words: Sequence[str]) -> dict[str, str]:
    """What is said of rows where a flag holds: is_active, active; has_garden, with a garden; abandoned_yn, abandoned."""
    words = words[:-1] if len(words) > 1 and words[-1] in wording.OF_FLAGS else words
    rest = " ".join(words[1:])
    if words[:1] == ("is",) and rest:
        return {"yes": rest, "no": f"not {rest}"}
    if words[:1] in (("has",), ("have",), ("with",)) and rest:
        return {"yes": f"with {rest}", "no": f"without {rest}"}
    return {"yes": " ".join(words), "no": f"not {' '.join(words)}"}


def _happened(seen: _Seen) -> dict[str, str]:
    """The verb in the name of a date: founded_year, shipped_at, publication_date."""
    for word in seen.words:
        if _is_participle(word):
            return {"verb": word}
        if word in wording.HAPPENED:
            return {"verb": wording.HAPPENED[word]}
    return {}


def _extremes(seen: _Seen, verbs: Sequence[str]) -> dict[str, str]:
    """Words for the rows with the largest and the smallest value, and the unit."""
    attrs = {"adj": f"most {verbs[0]}/least {verbs[0]}"} if verbs else {}
    for word in reversed(seen.words):
        if word in wording.EXTREMES:
            attrs.setdefault("adj", wording.EXTREMES[word])
        if word in wording.UNITS:
            attrs["unit"] = wording.UNITS[word]
    return attrs


def _place(seen: _Seen, said: Mapping[str, Sequence[str]]) -> dict[str, str]:
    word = next((word for word in seen.words if word in wording.PLACES), "")
    countries = any(normalise(other) in DEMONYMS for others in said.values() for other in others)
    return {"prep": wording.PLACES[word] if word else "from"} if word or countries else {}


def _meanings(said: Mapping[str, Sequence[str]], words: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """What cells stand for, as nouns that take the place of the rows' own ("universities"), or country and adjective; and other words.

    Words are nouns for rows where they are plurals, as in a glossary that has "universities" for the type "university", and the column's
    name says that it holds kinds.
    """
    means: dict[str, tuple[str, ...]] = {}
    countries = any(normalise(other) in DEMONYMS for others in said.values() for other in others)
    kinds = not countries and bool(wording.KINDS.intersection(words))
    for cell, others in said.items():
        adjectives = [word for word in others if normalise(word) in DEMONYMS]
        names = [word for word in others if word not in adjectives]
        if adjectives and names:
            means[cell] = (_capitals(names[0]), _capitals(adjectives[0]))
        elif kinds and (plurals := [word for word in others if plural(_singular(word)) == word and _singular(word) != word]):
            means[cell] = (_singular(plurals[0]),)
    aliases = {
        cell: tuple(_capitals(word) if countries else word for word in others if normalise(word) not in DEMONYMS)
        for cell, others in said.items()
    }
    return means, {cell: words for cell, words in aliases.items() if words}


def _capitals(name: str) -> str:
    def capital(word: str) -> str:
        return word if word in ("of", "and", "the") else word.upper() if len(word) < 4 or "." in word else word.capitalize()

    return " ".join(map(capital, name.split()))


def _with_relations(cols: Sequence[Col], seen: Mapping[str, _Seen]) -> list[Col]:
    """The columns of a table with hints that need the others: what comes after what, what compares, and which date is the main one."""
    dates = [col for col in cols if col.gen == "date"]
    moments = [col for col in cols if col.role in ("date", "year")]
    measures = [col for col in cols if col.role == "measure" and "unit" not in col.attrs]
    found = []
    for col in cols:
        attrs = dict(col.attrs)
        if col.gen == "date" and (first := next(_before(col, dates, seen), "")):
            attrs["after"] = first
        if col in moments and len(moments) == 1:
            attrs["bare"] = "1"
        twin = next((other for other in measures if other != col and _alike(other, col)), None) if col in measures else None
        if twin is not None:
            attrs["vs"] = twin.name
        found.append(replace(col, attrs=attrs))
    return found


def _alike(one: Col, other: Col) -> bool:
    """Whether two measures of a table can be compared row by row, as their names end alike."""
    first, second = words_of(one.name).split(), words_of(other.name).split()
    return len(first) > 1 and len(second) > 1 and first[-1] == second[-1] and one.gen == other.gen


def _before(col: Col, dates: Sequence[Col], seen: Mapping[str, _Seen]) -> Iterator[str]:
    """The dates that are never later than this one in the sample."""
    for other in dates:
        rows = zip(seen[other.name].cells, seen[col.name].cells, strict=True)
        pairs = [(first, last) for first, last in rows if isinstance(first, dt.date) and isinstance(last, dt.date)]
        if other != col and len(pairs) > 20 and all(first <= last for first, last in pairs) and any(first < last for first, last in pairs):
            yield other.name
