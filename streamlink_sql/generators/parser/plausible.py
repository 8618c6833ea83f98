"""What a finished query says that hardly anybody would ask: counts such places. Knows no model and no probability."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise

from streamlink_sql.catalog.values import stem
from streamlink_sql.generators.parser.joins import pointed
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.numerals import read_number
from streamlink_sql.generators.parser.schema import NAMES_SHARED_BY_CHANCE, NUMBERS, TIMES, Schema
from streamlink_sql.generators.parser.tokens import COMPARISONS, LENGTHS, Val
from streamlink_sql.generators.parser.tree import (
    MEASURES,
    Aggregate,
    Arithmetic,
    Call,
    Condition,
    Core,
    Expr,
    Filtered,
    Junction,
    Percent,
    Predicate,
    Query,
    Ref,
    clauses,
    walk,
)

Cells = frozenset[tuple[int, str]]
_LOWER, _UPPER = ("GT", "GE"), ("LT", "LE")
_OF_ALL = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG")
_TEXTS = ("VARCHAR", "STRING")
"""What engines call a column that holds texts and nothing else; SQLite holds numbers in columns of any name."""
_MOMENT = re.compile(r"\d{4}(-\d{2}(-\d{2}([ T].*)?)?)?")


def implausible(query: Query, schema: Schema, cells: Cells, first_named: Mapping[int, int]) -> int:
    """How often the query says what hardly anybody asks.

    Rows: it averages dates, sums or bounds identifiers that the question does not name, compares numbers with words or with dates, bounds a
    text by a number, a column twice from one side or a key by another column, seeks a key among what it does not refer to or a column among
    all that it holds, counts the different values of a number whose name stands beside it, takes the days "from A to B" as A - B,
    calculates with a text, compares or calculates with a column and itself, asks whether a column has a value of which the question names
    one, shows or groups by nothing but what a condition fixes, joins tables by nothing or by a name that both have by chance.

    Groups: it groups without a use for groups, twice by the same, by a column beside another table of the same name, or single rows, shows
    what differs within groups, ranks by what it does not show beside another measure or by another part than the one shown, takes the first
    groups in no order or the best of groups with one member, puts figures side by side whose conditions are about two columns of a name.

    Sets: it compares both sides by two columns where one holds both, or its rows with an aggregate of all rows.

    `cells` are the column and value of cells that the question mentions, `first_named` the first word that names each column.
    """
    found = _sides(query, cells)
    for core in query.cores:
        found += _ranks_by_another(core) + _groups_for_nothing(core) + _shows_what_differs(core, schema) + _shows_what_is_fixed(core)
        found += _picks_the_only_one(core, schema) + _picks_in_no_order(core) + _groups_by_two_of_a_name(core, schema)
        found += _groups_single_rows(core, schema) + _filters_by_two_of_a_name(core, schema) + _joins_by_chance(core, schema)
        for node in _everything(core):
            match node:
                case Arithmetic(_, left, right) if left == right or _is_text(left) or _is_text(right):
                    found += 1
                case Aggregate("SUM" | "AVG", Ref(column)):
                    found += schema.columns[column][1].kind in TIMES or _is_an_identifier(column, schema, first_named)
                case Aggregate("COUNT_DISTINCT", Ref(column)):
                    found += _has_a_name(column, schema)
                case Arithmetic(name, Ref(left), Ref(right)) if name in ("SUB", *LENGTHS):
                    found += _is_backwards(left, right, schema, first_named)
                case Predicate():
                    found += _is_misfit(node, schema, cells, first_named)
                case Junction("AND", parts):
                    found += _bounds_twice(parts)
                case Query():
                    found += implausible(node, schema, cells, first_named)
    return found


def _everything(core: Core) -> Iterator[Expr | Condition]:
    for clause in clauses(core):
        yield from walk(clause)


def _ranks_by_another(core: Core) -> bool:
    """Shows one measure of the groups and picks them by another."""
    shown = [item for item in core.items if isinstance(item, MEASURES)]
    ranks = [by for by, _ in core.order if isinstance(by, MEASURES)]
    parted = all(any(isinstance(each, (Filtered, Percent)) for each in some) for some in (shown, ranks))
    return (core.limit is not None or parted) and bool(core.group and shown and ranks) and not any(by in shown for by in ranks)


def _picks_the_only_one(core: Core, schema: Schema) -> bool:
    """Takes the best of each key where a key has one group only."""
    if core.best is None or core.best.key not in core.group:
        return False
    key = core.best.key
    names = {key.column, *(to for column, to in schema.references if column == key.column)} if isinstance(key, Ref) else set()
    told = {schema.table_of(name) for name in names & schema.keys}
    return all(each == key or (isinstance(each, Ref) and schema.table_of(each.column) in told) for each in core.group)


def _picks_in_no_order(core: Core) -> bool:
    """Takes the first of measured groups that stand in no order."""
    return core.limit is not None and bool(core.group) and not core.order and any(isinstance(item, MEASURES) for item in core.items)


def _groups_by_two_of_a_name(core: Core, schema: Schema) -> bool:
    """Shows one of two grouped columns that are called alike and are not joined."""
    grouped = {each.column for each in core.group if isinstance(each, Ref)}
    shown = {item.column for item in core.items if isinstance(item, Ref)}
    used = shown | {by.column for by, _ in core.order if isinstance(by, Ref)}
    return any(
        schema.columns[hidden][1].name == schema.columns[seen][1].name
        and schema.columns[seen][1].name.casefold() not in NAMES_SHARED_BY_CHANCE
        and not {(hidden, seen), (seen, hidden)} & schema.references
        for hidden in grouped - used
        for seen in grouped & shown
    )


def _groups_single_rows(core: Core, schema: Schema) -> bool:
    """Measures groups of one row each: by the key of a table, where all that is looked at is in it or in tables that it refers to."""
    refs = [node for clause in clauses(core) for node in walk(clause) if isinstance(node, Ref)]
    if core.best is not None or any(ref.where for ref in refs) or any(source.where for source in core.sources):
        return False
    used = {table for table, _ in pointed(core, schema)} | {source.table for source in core.sources}
    keyed = {schema.table_of(key.column) for key in core.group if isinstance(key, Ref) and _is_the_key(key.column, schema)}
    return any(used <= schema.told_by(table) and not any(table in schema.told_by(other) for other in used - {table}) for table in keyed)


def _is_the_key(column: int, schema: Schema) -> bool:
    table, own = schema.columns[column]
    return schema.tables[table].primary_key == (own.name,)


def _joins_by_chance(core: Core, schema: Schema) -> bool:
    """Joins tables by nothing, or nothing but a name such as `code` that both have; days and years may well be joined."""
    if core.sources:
        return False
    tree = schema.join_tree({table for table, _ in pointed(core, schema)})
    by_chance = (schema.columns[edge.pairs[0][0]][1] for edge in tree or () if edge.is_by_chance)
    return tree is None or any(column.kind not in TIMES and column.name.casefold() != "year" for column in by_chance)


def _filters_by_two_of_a_name(core: Core, schema: Schema) -> bool:
    """Puts figures side by side of which one has a condition on a column, the other on another that is called alike."""
    figures = [node for clause in clauses(core) for node in walk(clause) if isinstance(node, (Filtered, Percent))]
    asked = [{node.column for node in walk(figure.condition) if isinstance(node, Ref)} for figure in figures]
    return any(
        schema.columns[one][1].name == schema.columns[other][1].name
        and schema.columns[one][1].name.casefold() not in NAMES_SHARED_BY_CHANCE
        for here, there in combinations(asked, 2)
        for one in here - there
        for other in there - here
    )


def _groups_for_nothing(core: Core) -> bool:
    """Groups rows without an aggregate, or twice by the same."""
    measured = any(isinstance(node, MEASURES) for clause in clauses(core) for node in walk(clause))
    return bool(core.group) and (not measured or len(set(core.group)) < len(core.group))


def _shows_what_differs(core: Core, schema: Schema) -> bool:
    """Shows a column beside a count, sum or mean of all rows, or one of a table that no group is of and no grouped column refers to: its
    values differ within what is measured. (SQLite gives any of them.)"""
    if not core.group and any(isinstance(item, Aggregate) and item.name in _OF_ALL for item in core.items):
        return any(isinstance(item, Ref) for item in core.items)
    grouped = {node.column for key in core.group for node in walk(key) if isinstance(node, Ref)}
    tied = grouped | {other for pair in schema.references for other in pair if grouped & set(pair)}
    tables = {schema.table_of(column) for column in tied}
    return bool(core.group) and any(isinstance(item, Ref) and schema.table_of(item.column) not in tables for item in core.items)


def _shows_what_is_fixed(core: Core) -> bool:
    """Shows or groups by nothing but columns that must equal one value."""
    parts = core.condition.parts if isinstance(core.condition, Junction) and core.condition.name == "AND" else (core.condition,)
    fixed = {
        part.left for part in parts if isinstance(part, Predicate) and part.name == "EQ" and all(isinstance(of, Val) for of in part.right)
    }
    return fixed.issuperset(core.items) or bool(core.group and fixed.issuperset(core.group))


def _is_text(node: Expr) -> bool:
    return isinstance(node, Val) and isinstance(node.value, str)


def _has_a_name(column: int, schema: Schema) -> bool:
    """Whether a number has a text beside it that is called alike: `inspector_count` beside `inspector_name`."""
    table, own = schema.columns[column]
    if own.kind not in NUMBERS or column in {side for edge in schema.edges for pair in edge.pairs for side in pair}:
        return False
    if own.name in schema.tables[table].primary_key:
        return False
    head = _first_word(own.name)
    others = (schema.columns[index][1] for index in schema.columns_of(table) if index != column)
    return any(other.kind == "text" and _first_word(other.name) == head for other in others)


def _first_word(name: str) -> str:
    return next(iter(map(stem, plain_name(name).split())), "")


def _is_backwards(left: int, right: int, schema: Schema, first_named: Mapping[int, int]) -> bool:
    """Whether the earlier named date is the one that the later named one is taken from."""
    both_times = all(schema.columns[column][1].kind in TIMES for column in (left, right))
    return both_times and left in first_named and right in first_named and first_named[left] < first_named[right]


def _is_misfit(node: Predicate, schema: Schema, cells: Cells, first_named: Mapping[int, int]) -> bool:
    """Whether a column is compared with itself, or with a literal or another column that cannot be what it holds; or whether it has a value
    at all is asked, though the question names one."""
    if node.name in ("IS_NULL", "NOT_NULL"):
        return isinstance(node.left, Ref) and any(column == node.left.column for column, _ in cells)
    if node.name not in (*COMPARISONS, "BETWEEN", "IN", "NOT_IN"):
        return False
    if node.left in node.right:
        return True
    if not isinstance(node.left, Ref):
        return False
    if any(_mixes_keys(node.left.column, node.name, side, schema) for side in node.right):
        return True
    kind = schema.columns[node.left.column][1].kind
    others = {schema.columns[value.column][1].kind for value in node.right if isinstance(value, Ref)}
    if (kind in NUMBERS and others & set(TIMES)) or (kind in TIMES and others & set(NUMBERS)):
        return True
    texts = [value.value for value in node.right if isinstance(value, Val) and isinstance(value.value, str)]
    is_bound = node.name in (*_LOWER, *_UPPER, "BETWEEN")
    if kind in NUMBERS:
        return any(not _is_number(text) for text in texts) or (is_bound and _is_an_identifier(node.left.column, schema, first_named))
    if kind in TIMES:
        return any(not _MOMENT.fullmatch(text) for text in texts)
    if is_bound and schema.columns[node.left.column][1].native.upper() in _TEXTS:
        return any(read_number(text) is not None for text in texts)
    return kind == "text" and node.name in ("NE", "NOT_IN") and any((node.left.column, text) not in cells for text in texts)


def _mixes_keys(column: int, name: str, other: Expr, schema: Schema) -> bool:
    """Whether a key is greater or less than another column, or is sought among keys of something else that are called otherwise; or a
    column among all of its own values."""
    match other:
        case Ref(compared):
            return name in (*_LOWER, *_UPPER) and compared != column and not schema.joining.isdisjoint((column, compared))
        case Query(cores=(Core(items=(Ref(sought),)) as core,)):
            if column == sought:
                return core == Core(core.items, distinct=core.distinct)
            alike = schema.columns[column][1].name.casefold() == schema.columns[sought][1].name.casefold()
            return not alike and schema.joining >= {column, sought} and _leads_to(column, schema).isdisjoint(_leads_to(sought, schema))
    return False


def _leads_to(column: int, schema: Schema) -> set[int]:
    """A column and the keys that it refers to, and so on."""
    references = (*schema.references, *schema.own_keys.items())
    found, new = {column}, {column}
    while new:
        new = {to for each, to in references if each in new} - found
        found |= new
    return found


def _is_an_identifier(column: int, schema: Schema, first_named: Mapping[int, int]) -> bool:
    """Whether a number names a row rather than measures something, and the question does not speak of it."""
    own = schema.columns[column][1]
    return own.kind in NUMBERS and plain_name(own.name).split()[-1:] == ["id"] and column not in first_named


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _bounds_twice(parts: tuple[Condition, ...]) -> bool:
    bounded = Counter(
        (part.left, part.name in _LOWER)
        for part in parts
        if isinstance(part, Predicate) and part.name in (*_LOWER, *_UPPER) and isinstance(part.left, (Ref, Call))
    )
    return any(count > 1 for count in bounded.values())


def _sides(query: Query, cells: Cells) -> int:
    """Sides of a set operation that compare two columns, though the first one's column holds the other's value as well, or that count all
    rows."""
    counted = len(query.cores) > 1 and any(
        not core.group and all(isinstance(item, Aggregate) for item in core.items) for core in query.cores
    )
    pinned = [_pinned(core) for core in query.cores]
    return counted + sum(
        1 for first, second in pairwise(pinned) if first and second and first[0] != second[0] and (first[0], str(second[1])) in cells
    )


def _pinned(core: Core) -> tuple[int, str | int | float] | None:
    """The column and value of a core's only condition."""
    match core.condition:
        case Predicate("EQ", Ref(column), (Val(value),)):
            return column, value
    return None
