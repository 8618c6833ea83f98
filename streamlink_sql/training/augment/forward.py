"""Forward: pairs that a person accepted become templates, whose slots are filled with other fields and values. Runs nothing.

A slot is a value or a column that the SQL and the question both hold, at a known place of the question. What the question does not say
stays as it is, so that a filled template asks for what its SQL gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from sqlglot import exp

from streamlink_sql.catalog.demonyms import DEMONYMS
from streamlink_sql.catalog.values import normalise
from streamlink_sql.errors import StreamLinkError
from streamlink_sql.generators.parser.moments import read_date
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.training.augment.manners import said_again, typed
from streamlink_sql.training.domain import Domain
from streamlink_sql.training.pairs import Pair, shape_of
from streamlink_sql.training.places import COMPARISONS, Places, compared_with
from streamlink_sql.training.synthetic import phrases
from streamlink_sql.training.synthetic.filters import STOP
from streamlink_sql.training.synthetic.maker import Maker
from streamlink_sql.training.synthetic.schema import Base, Col
from streamlink_sql.training.synthetic.values import Data

_WORDS = re.compile(r"[\w.,$€£%'’-]*\w[%]?|\S")
_LONGEST = 5
_COUNTS = (2, 3, 4, 5, 6, 8, 10, 15, 20)
_TRIES, _NUMBER = 6, "number of "
_SAME = {"int": "int", "num": "real", "real": "real", "qty": "qty", "amt": "qty", "big": "qty"}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a question."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether they share a character."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Span) -> bool:
        """Whether the other lies in this one."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class ValueSlot:
    """The literal with this number in the tree, said at `span`; `col` is what it is compared with, None for a number of rows or groups.

    `part` is the function around the column, such as year; `pattern` what stands around the text in a pattern, as `%{}%`.
    """

    literal: int
    span: Span
    col: Col | None
    part: str = ""
    pattern: str = "{}"


@dataclass(frozen=True, slots=True)
class FieldSlot:
    """A column, wherever the tree names it, said at `span`; `many` where the question has the plural."""

    col: Col
    span: Span
    many: bool


@dataclass(frozen=True, slots=True)
class Template:
    """An accepted pair with its slots. `fixed` are columns that the question does not say, or that literals without a place depend on."""

    pair: Pair
    tree: exp.Query
    values: tuple[ValueSlot, ...]
    fields: tuple[FieldSlot, ...]
    nouns: tuple[tuple[Span, str, bool], ...]


class Forward:
    """A source of pairs without end, the same for the same seed; of no pair where no accepted one has a slot."""

    def __init__(self, base: Base, data: Data, domain: Domain, accepted: Sequence[Pair], rng: Random) -> None:
        self._maker, self._domain = Maker(base, data, rng), domain
        self._places = Places(domain.tables)
        self._cols = {(table.name, col.name): col for table in base.tables for col in table.cols}
        templates = [self.template(pair) for pair in accepted]
        self.templates = tuple(found for found in templates if found is not None)

    def __iter__(self) -> Iterator[Pair | None]:
        """One pair of each template in turn, and None where a filling did not work out."""
        while self.templates:
            for template in self.templates:
                yield self.filled(template)

    def template(self, pair: Pair) -> Template | None:
        """The slots of a pair; None where there are none."""
        try:
            tree = self._domain.checked(pair.query).tree
        except StreamLinkError:
            return None
        taken: list[Span] = []
        values = tuple(self._value_slots(pair.question, tree, taken))
        fields = tuple(self._field_slots(pair.question, tree, values, taken))
        nouns = tuple(self._nouns(pair.question, tree, taken))
        return Template(pair, tree, values, fields, nouns) if values or fields else None

    def filled(self, template: Template) -> Pair | None:
        """The template with other values, other fields or both; None where that gives nothing new."""
        for _ in range(_TRIES):
            tree, said = template.tree.copy(), dict[Span, str]()
            swapped = self._swap_field(template, tree, said)
            if not self._fill_values(template, tree, said, swapped) or not said:
                continue
            self._rename_rows(template, said)
            question = _replaced(template.pair.question, said)
            query = tree.sql(dialect=self._domain.dialect)
            rng = self._maker.rng
            asked = typed(said_again(question, rng) if rng.random() < 0.5 else question, query, rng)
            return replace(template.pair, question=asked, query=query, template=template.pair.template or shape_of(query), way="forward")
        return None

    def _value_slots(self, question: str, tree: exp.Query, taken: list[Span]) -> Iterator[ValueSlot]:
        for number, literal in enumerate(tree.find_all(exp.Literal)):
            other = compared_with(literal)
            counts = isinstance(literal.parent, exp.Limit) or other is not None and other.find(exp.AggFunc) is not None
            found = self._column_of(other) if other is not None and not counts else None
            if found is None and not (counts and not literal.is_string and float(literal.name) > 1):
                continue
            col, part = found or (None, "")
            span = _span_of(question, literal, col)
            if span is not None and not any(span.meets(each) for each in taken):
                taken.append(span)
                pattern = re.sub(r"[^%]+", "{}", literal.name, count=1) if isinstance(literal.parent, (exp.Like, exp.ILike)) else "{}"
                yield ValueSlot(number, span, col, part, pattern)

    def _column_of(self, other: exp.Expr) -> tuple[Col | None, str] | None:
        """The column that an expression is, and the function around it; None for what is not that simple."""
        part = ""
        if isinstance(other, (exp.Year, exp.Lower)):
            part, other = ("year" if isinstance(other, exp.Year) else ""), other.this
        while isinstance(other, (exp.Cast, exp.TsOrDsToDate, exp.Paren)):
            other = other.this
        place = self._places.of(other) if isinstance(other, exp.Column) else None
        col = self._cols.get((place[0].name, place[1].name)) if place else None
        return (col, part) if col is not None else None

    def _field_slots(self, question: str, tree: exp.Query, values: Sequence[ValueSlot], taken: list[Span]) -> Iterator[FieldSlot]:
        """Columns that the question names once, and whose literals it all says."""
        said = {slot.literal for slot in values}
        bound: dict[Col, bool] = {}
        for number, literal in enumerate(tree.find_all(exp.Literal)):
            other = compared_with(literal)
            for column in other.find_all(exp.Column) if other is not None else ():
                col = self._col(column)
                if col is not None:
                    bound[col] = bound.get(col, True) and number in said
        cols = dict.fromkeys(col for column in tree.find_all(exp.Column) if (col := self._col(column)) is not None)
        paired = [node for node in tree.find_all(*COMPARISONS) if isinstance(node.args.get("expression"), exp.Column)]
        joined = {self._col(column) for node in paired for column in node.find_all(exp.Column)}
        for col in cols:
            if col in joined or not bound.get(col, True) or col.role in ("id", "fk", "flag"):
                continue
            forms = [(form, many) for name in col.phrases for form, many in ((name, False), (phrases.plural_of(name), True))]
            for form, many in sorted(forms, key=lambda form: -len(form[0])):
                found = [Span(*each.span()) for each in _whole(form, question)]
                if len(found) == 1 and not any(found[0].meets(other) for other in taken):
                    taken.append(found[0])
                    yield FieldSlot(col, found[0], many)
                    break

    def _col(self, column: exp.Column) -> Col | None:
        place = self._places.of(column)
        return self._cols.get((place[0].name, place[1].name)) if place else None

    def _nouns(self, question: str, tree: exp.Query, taken: list[Span]) -> Iterator[tuple[Span, str, bool]]:
        """Where the question names the rows of a table: the place, the table, and whether it is the plural."""
        names = {table.name.casefold() for table in tree.find_all(exp.Table)}
        for table in self._maker.base.tables:
            if table.name.casefold() in names:
                for one, plural in table.nouns:
                    for form, many in ((plural, True), (one, False)):
                        spans = [Span(*each.span()) for each in _whole(form, question)]
                        for span in spans:
                            if not any(span.meets(other) for other in taken):
                                taken.append(span)
                                yield span, table.name, many

    def _swap_field(self, template: Template, tree: exp.Query, said: dict[Span, str]) -> Mapping[Col, Col]:
        """Puts another column of its table in the place of one, about every second time; tells which for which."""
        rng = self._maker.rng
        if not template.fields or template.values and rng.random() < 0.5:
            return {}
        slot = rng.choice(template.fields)
        used = {self._col(column) for column in tree.find_all(exp.Column)}
        others = [col for col in self._maker.base.table(slot.col.table).cols if col not in used and _alike(col, slot.col)]
        if not others:
            return {}
        other = rng.choice(others)
        columns = [column for column in tree.find_all(exp.Column) if self._col(column) == slot.col]
        for column in columns:
            column.set("this", exp.to_identifier(other.name, quoted=not re.fullmatch(r"[A-Za-z_]\w*", other.name)))
        name, told = self._maker.phrase(other), template.pair.question[slot.span.start : slot.span.end].casefold()
        name = name if told.startswith(_NUMBER) else name.removeprefix(_NUMBER)  # "more than 18 references"
        said[slot.span] = phrases.plural_of(name) if slot.many else name
        return {slot.col: other}

    def _fill_values(self, template: Template, tree: exp.Query, said: dict[Span, str], swapped: Mapping[Col, Col]) -> bool:
        """Puts other values in the place of some; of a column that was swapped, of all. False where there is no other value."""
        rng = self._maker.rng
        literals = list(tree.find_all(exp.Literal))
        for slot in template.values:
            col = swapped.get(slot.col, slot.col) if slot.col is not None else None
            if (slot.col is None or slot.col not in swapped) and rng.random() < 0.25:
                continue
            try:
                found = self._other(literals[slot.literal], slot, col, template.pair.question[slot.span.start : slot.span.end])
            except ValueError:  # a word among the numbers of a column
                found = None
            if found is None:
                return False
            value, words = found
            literals[slot.literal].replace(exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value))
            said[slot.span] = words
        return _in_order(tree)

    def _other(self, literal: exp.Literal, slot: ValueSlot, col: Col | None, told: str) -> tuple[str | int | float, str] | None:
        """Another value for a literal, and words for it."""
        maker, rng = self._maker, self._maker.rng
        if col is None:
            count = rng.choice(_COUNTS)
            return (count, phrases.number(count, rng)) if count != float(literal.name) else None
        if slot.part == "year" or col.role == "year":
            year = rng.choice(maker.years(col))
            return (year, str(year)) if year != float(literal.name) else None
        if col.role == "date":
            day = maker.cell(col)
            iso = f"{day:%Y-%m-%d}"
            return (iso, phrases.day(day, rng)) if iso != literal.name else None  # type: ignore[arg-type]
        if not literal.is_string:
            equal = isinstance(literal.parent, (exp.EQ, exp.In))
            number = float(str(maker.cell(col))) if equal else maker.limit(col)
            number = int(number) if number == int(number) else number
            return number, phrases.number(number, rng)
        if slot.pattern != "{}":
            word = _word(str(maker.cell(col)), rng)
            return None if word is None else (slot.pattern.format(word), word.lower() if told.islower() else word)
        value = str(maker.cell(col))
        if value == literal.name:
            return None
        if told.casefold() == literal.name.casefold():
            return value, value.lower() if told.islower() and rng.random() < 0.7 else phrases.said(value, rng)
        others = [word for word in _others(col, value) if _form(word) == _form(told)]
        return (value, rng.choice(others)) if others else None

    def _rename_rows(self, template: Template, said: dict[Span, str]) -> None:
        """Calls the rows of a table by another of its nouns now and then, the same one throughout."""
        rng = self._maker.rng
        chosen = {table: phrases.noun(self._maker.base.table(table), rng) for _, table, _ in template.nouns if rng.random() < 0.35}
        for span, table, many in template.nouns:
            if table in chosen:
                said[span] = chosen[table][many]


def _span_of(question: str, literal: exp.Literal, col: Col | None) -> Span | None:
    """Where a question says a literal; None where it does not, or at more than one place."""
    if literal.is_string and col is not None and col.role == "date":
        days = [span for span, text in _stretches(question) if read_date(text) == literal.name]
        found = [span for span in days if not any(span != other and other.holds(span) for other in days)]  # the whole of "May 2, 2020"
    elif literal.is_string:
        texts = {literal.name.strip("%"), *(_others(col, literal.name) if col else ())}
        told = {Span(*each.span()) for text in texts if text.strip() for each in _whole(text, question)}
        longest = max((span.end - span.start for span in told), default=0)
        found = [span for span in told if span.end - span.start == longest]
    else:
        numbers = [span for span, text in _stretches(question) if read_number(text) == float(literal.name)]
        found = [span for span in numbers if not any(span != other and span.holds(other) for other in numbers)]  # "25" of "25 percent"
    return found[0] if len(found) == 1 else None


def _stretches(question: str) -> Iterator[tuple[Span, str]]:
    """Every few words in a row, with their place."""
    words = [Span(*each.span()) for each in _WORDS.finditer(question)]
    for first in range(len(words)):
        for last in range(first, min(first + _LONGEST, len(words))):
            text = question[words[first].start : words[last].end]
            yield Span(words[first].start, words[last].end), text


def _whole(text: str, question: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<!\w){re.escape(text)}(?!\w)", question, re.IGNORECASE)


def _replaced(question: str, said: Mapping[Span, str]) -> str:
    for span in sorted(said, key=lambda span: -span.start):
        question = question[: span.start] + said[span] + question[span.end :]
    return question


def _others(col: Col, value: str) -> tuple[str, ...]:
    """Other words for a value: those of the glossary, a country and its adjective."""
    means = col.means.get(value, ())
    return (*col.aliases.get(value, ()), *(means if len(means) == 2 else ()))


def _form(word: str) -> tuple[bool, bool]:
    """What has to be alike where one word takes the place of another: a plural for a plural, an adjective for an adjective."""
    return normalise(word) in DEMONYMS, word.endswith("s") and not word.endswith("ss") and not word[:1].isupper()


def _alike(one: Col, other: Col) -> bool:
    """Whether a column can stand where the other does."""
    if one.role != other.role or one.attrs.get("unit") != other.attrs.get("unit"):
        return False
    return one.role != "measure" or _SAME.get(one.gen) == _SAME.get(other.gen)


def _in_order(tree: exp.Query) -> bool:
    """Whether each BETWEEN goes upwards, and no list names a value twice."""
    ends = [(between.args["low"], between.args["high"]) for between in tree.find_all(exp.Between)]
    pairs = [(low, high) for low, high in ends if isinstance(low, exp.Literal) and isinstance(high, exp.Literal)]
    upwards = all(low.name < high.name if low.is_string else float(low.name) < float(high.name) for low, high in pairs)
    return upwards and all(len({each.sql() for each in found.expressions}) == len(found.expressions) for found in tree.find_all(exp.In))


def _word(text: str, rng: Random) -> str | None:
    words = [word for word in re.findall(r"[^\W\d_]{4,}", text) if word.lower() not in STOP and normalise(word)]
    return rng.choice(words) if words else None
