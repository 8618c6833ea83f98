"""Gives a schema other names for the same things, so that the parser learns to read names rather than to know databases by heart."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamlink_sql.catalog.values import Place
from streamlink_sql.generators.parser.linking import plain_name
from streamlink_sql.generators.parser.schema import Schema
from streamlink_sql.training.parser_data import Example
from streamlink_sql.types import ForeignKey, Table

SHORT = dict(
    pair.split(":")
    for pair in (
        "number:no amount:amt date:dt code:cd name:nm quantity:qty count:cnt description:descr average:avg maximum:max minimum:min "
        "percent:pct percentage:pct address:addr category:cat country:ctry department:dept manager:mgr organisation:org "
        "reference:ref identifier:id year:yr month:mth price:prc type:typ status:stat customer:cust company:co total:tot"
    ).split()
)
"""How database designers shorten words."""


def renamed(
    tables: Sequence[Table], example: Example, synonyms: Mapping[Place, tuple[str, ...]], rng: random.Random
) -> tuple[tuple[Table, ...], Example, dict[Place, tuple[str, ...]]]:
    """The same schema under some of its synonyms, now and then shortened; the old names become synonyms.

    Columns that join keep their names, since equal names join. `synonyms` are keyed by (table, column) and by (table, ""). Symbols count
    tables and columns, so they stay as they are.
    """
    schema = Schema.of(tuple(tables))
    joining = {index for edge in schema.edges for pair in edge.pairs for index in pair}
    share, shorten = rng.choice((0.3, 0.6, 1.0)), rng.random() < 0.15
    taken: set[str] = set()
    names: dict[Place, str] = {}
    for number, table in enumerate(tables):
        names[table.name, ""] = _other_name(table.name, synonyms.get((table.name, ""), ()), share, shorten, taken, rng)
        inside: set[str] = set()
        for index in schema.columns_of(number):
            name = schema.columns[index][1].name
            others = () if index in joining else synonyms.get((table.name, name), ())
            names[table.name, name] = _other_name(name, others, share, shorten and index not in joining, inside, rng)
    fresh = {
        (names[table, ""], name if column else ""): _others(column or table, name, synonyms.get((table, column), ()))
        for (table, column), name in names.items()
    }
    matches = tuple(
        replace(match, table=names[match.table, ""], column=names[match.table, match.column])
        for match in example.matches
        if (match.table, match.column) in names
    )
    return tuple(_table(table, names) for table in tables), replace(example, matches=matches), fresh


def _other_name(name: str, synonyms: Sequence[str], share: float, shorten: bool, taken: set[str], rng: random.Random) -> str:
    """A name that its neighbours do not have; the old one where all others are taken."""
    found = rng.choice(synonyms) if synonyms and rng.random() < share else plain_name(name)
    if shorten:
        found = " ".join(_shortened(word, rng) for word in found.split())
    for fit in (found, plain_name(name), name):
        if fit.casefold() not in taken:
            taken.add(fit.casefold())
            return fit
    return name


def _shortened(word: str, rng: random.Random) -> str:
    """A word as a database designer might shorten it, most of the time."""
    if len(word) < 4 or rng.random() < 0.3:
        return word
    if word in SHORT:
        return SHORT[word]
    if rng.random() < 0.5:
        return word[: rng.choice((3, 4))]
    return (word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou"))[: rng.choice((3, 4, 5))]


def _others(old: str, name: str, synonyms: Sequence[str]) -> tuple[str, ...]:
    """What an item is also called, but for its new name."""
    return tuple(each for each in dict.fromkeys((*synonyms, plain_name(old))) if each != name)


def _table(table: Table, names: Mapping[Place, str]) -> Table:
    def renamed_columns(owner: str, columns: Sequence[str]) -> tuple[str, ...]:
        return tuple(names.get((owner, column), column) for column in columns)

    keys = tuple(
        ForeignKey(
            renamed_columns(table.name, key.columns),
            names.get((key.to_table, ""), key.to_table),
            renamed_columns(key.to_table, key.to_columns),
            key.inferred,
        )
        for key in table.foreign_keys
    )
    return replace(
        table,
        name=names[table.name, ""],
        columns=tuple(replace(column, name=names[table.name, column.name]) for column in table.columns),
        primary_key=renamed_columns(table.name, table.primary_key),
        foreign_keys=keys,
    )
